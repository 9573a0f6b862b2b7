// SPDX-License-Identifier: GPL-2.0-only
/* Part of an image for fuzzing: nothing is planted. */
#include "cover.h"

void planted(u64 number, const u64 *gpr)
{
	(void)number;
	(void)gpr;
}
