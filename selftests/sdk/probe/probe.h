/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions for probe.test. */
#ifndef _PROBE_H
#define _PROBE_H

#include "mon_interface.h"

#define TEXT_MAX 16

struct gap {
	char a;
	long b;
};

MON_ECALL(long, sum, MON_IN(const uint32_t *, data, n), size_t n);
MON_ECALL(void, fill, MON_OUT(uint8_t *, data, n), size_t n, size_t used);
MON_ECALL(int, upper, MON_STRING(text, TEXT_MAX), MON_INOUT(char *, letters, 4));
MON_ECALL(int, gaps, MON_OUT(struct gap *, gap, 2));
/* Reads its copy (or, as the control, what is shared) again and again: how often it differed. */
MON_ECALL(int, races, MON_IN(const uint8_t *, data, 1024), int shared);
/* How the function named below ends, its value, and whether data is zeros or the process's. */
MON_ECALL(int, asks, MON_OUT(long *, value, 1), MON_OUT(uint8_t *, data, 64));
MON_ECALL(int, checks_seal);
MON_ECALL(int, checks_memory);
MON_ECALL(int, checks_exception);
MON_ECALL(int, checks_protect);
MON_ECALL(int, verifies);
MON_ECALL(int, dies, int how);
MON_ECALL(int, nested, int depth);
MON_ECALL(long, adds, size_t times);

MON_OCALL(MON_LENGTH(long, size), answer, MON_OUT(uint8_t *, data, size), size_t size);
MON_OCALL(int, again, int depth);

#endif /* _PROBE_H */
