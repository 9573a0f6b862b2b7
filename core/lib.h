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

#endif /* _CORE_LIB_H */
