/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _FUZZ_COVER_H
#define _FUZZ_COVER_H

#include "../../../npt/shim.h"

/** fuzz_check() - all invariants of npt/, now; does not return if one is broken */
void fuzz_check(void);

/** planted() - looks at each hypercall of the host's; nothing, or the hole that is to be found */
void planted(u64 number, const u64 *gpr);

#endif /* _FUZZ_COVER_H */
