/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_DEBUG_H
#define _CORE_DEBUG_H

#include "../npt/shim.h"

#define DEBUG_GUEST BIT(32)   /* the call is a guest's */
#define DEBUG_ENCLAVE BIT(33) /* an enclave's */

#ifdef NPT_GHOST
/** debug_check() - after a call of host, guest or enclave: do all invariants of npt/ hold? */
void debug_check(u64 call);
#else
static inline void debug_check(u64 call)
{
	(void)call;
}
#endif

#endif /* _CORE_DEBUG_H */
