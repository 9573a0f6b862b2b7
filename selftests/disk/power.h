/* SPDX-License-Identifier: GPL-2.0-only */
/* The log of what QEMU writes: power.c makes it, cuts.c reads it. */
#ifndef _SELFTESTS_POWER_H
#define _SELFTESTS_POWER_H

#include <stdint.h>

enum power_kind {
	POWER_START,   /* of a QEMU */
	POWER_WRITE,   /* @size bytes behind this, to @at */
	POWER_FLUSH,   /* @at: writes of this QEMU that were done before it began */
	POWER_CONSOLE, /* @size bytes of the guest's console */
};

struct power_event {
	uint32_t kind;
	uint32_t size;
	uint64_t at;
};

#endif /* _SELFTESTS_POWER_H */
