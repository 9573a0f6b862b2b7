/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_HYPERCALL_H
#define _CORE_HYPERCALL_H

#include "../npt/shim.h"

/** npt_to_errno() - 0 or -MON_E* for an enum npt_error */
s64 npt_to_errno(int err);

#endif /* _CORE_HYPERCALL_H */
