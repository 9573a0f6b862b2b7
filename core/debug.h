/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_DEBUG_H
#define _CORE_DEBUG_H

#include "../npt/shim.h"

#define DEBUG_GUEST BIT(32) /* the call is a guest's */

#ifdef NPT_GHOST
/** debug_check() - after a call of the host or a guest: do all invariants of npt/ hold? */
void debug_check(u64 call);
#else
static inline void debug_check(u64 call)
{
	(void)call;
}
#endif

#endif /* _CORE_DEBUG_H */
