/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COUNTER_H
#define _COUNTER_H

#include "mon_interface.h"

#define STATE_MAX 256

/* Counts further by @step; keeps the new total; -1: its state is not there, or is not its own. */
MON_ECALL(int, counter_add, size_t step, MON_OUT(uint64_t *, total, 1));

/* The process keeps what the enclave seals: bytes, or -1. */
MON_OCALL(MON_LENGTH(long, size), load, MON_OUT(void *, state, size), size_t size);
MON_OCALL(int, save, MON_IN(const void *, state, size), size_t size);

#endif /* _COUNTER_H */
