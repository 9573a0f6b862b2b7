/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _KEYKEEPER_H
#define _KEYKEEPER_H

#include "mon_interface.h"

#define REQUEST_MAX 16384
#define REPLY_MAX 1024

/* Read the sealed key, or make one if there is none. 0; -1: it is not this enclave's. */
MON_ECALL(int, keeper_open);

/* The answer to a message of the protocol of ssh-agent, both without their length. */
MON_ECALL(MON_LENGTH(long, size), keeper_request, MON_IN(const uint8_t *, request, n), size_t n,
	  MON_OUT(uint8_t *, reply, size), size_t size);

MON_OCALL(MON_LENGTH(long, size), load, MON_OUT(void *, state, size), size_t size);
MON_OCALL(int, save, MON_IN(const void *, state, size), size_t size);

#endif /* _KEYKEEPER_H */
