/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_LIB_H
#define _CORE_LIB_H

#include "../npt/shim.h"

/** monitor_print() - to the first serial port, polled, bounded; for last words */
void monitor_print(const char *s);
void monitor_print_hex(u64 v);

/** monitor_reset() - wipe what domains have, and reset the machine (vendor interface) */
void __noreturn monitor_reset(void);

/** cpu_random() - 64 bits nobody can foresee (vendor interface) */
u64 cpu_random(void);

static inline u32 load_be32(const u8 *p)
{
	return (u32)p[0] << 24 | (u32)p[1] << 16 | (u32)p[2] << 8 | p[3];
}

static inline void store_be32(u8 *p, u32 x)
{
	p[0] = x >> 24;
	p[1] = x >> 16;
	p[2] = x >> 8;
	p[3] = x;
}

#endif /* _CORE_LIB_H */
