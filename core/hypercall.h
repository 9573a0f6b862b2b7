/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _CORE_HYPERCALL_H
#define _CORE_HYPERCALL_H

#include "../npt/frame.h"
#include "../uapi/hypercall.h"

/** npt_to_errno() - 0 or -MON_E* for an enum npt_error */
static inline s64 npt_to_errno(int err)
{
	static const u8 map[] = {
		[NPT_OK] = 0,		    [NPT_ERANGE] = MON_ERANGE, [NPT_EOWNER] = MON_EPERM,
		[NPT_ESTATE] = MON_EINVAL,  [NPT_EALIGN] = MON_EINVAL, [NPT_EPOOL] = MON_ENOMEM,
		[NPT_EBUSY] = MON_EAGAIN,   [NPT_EEXIST] = MON_EEXIST, [NPT_ENOENT] = MON_ENOENT,
		[NPT_EDOMAIN] = MON_ENOENT, [NPT_EINVAL] = MON_EINVAL, [NPT_EQUOTA] = MON_EBUSY,
	};

	return err >= 0 && (u32)err < ARRAY_SIZE(map) ? -(s64)map[err] : -MON_EINVAL;
}

#endif /* _CORE_HYPERCALL_H */
