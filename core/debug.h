/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_DEBUG_H
#define _CORE_DEBUG_H

#include "../npt/shim.h"

#ifdef NPT_GHOST
/** debug_check() - after a call of the host or a guest: every invariant of npt/ holds, or a bug is said */
void debug_check(u64 call);
#else
static inline void debug_check(u64 call)
{
}
#endif

#endif /* _CORE_DEBUG_H */
