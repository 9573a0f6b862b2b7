/* SPDX-License-Identifier: GPL-2.0-only */
/* Why the monitor stopped a VM, as the tests print it. */
#ifndef SELFTESTS_VM_STOP_NAME_H
#define SELFTESTS_VM_STOP_NAME_H

#include "../../uapi/hypercall.h"

static inline const char *stop_name(unsigned int stop)
{
	static const char *const names[] = {
#define X(name, text) #name,
		MON_VM_STOPS(X)
#undef X
	};

	return stop < MON_VM_STOP_NR ? names[stop] : "?";
}

#endif
