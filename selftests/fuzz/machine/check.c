// SPDX-License-Identifier: GPL-2.0-only
/* Part of an image for fuzzing: it checks itself when it is asked to, not after each call. */
#define debug_check check_after
#include "../../proof/image_check.c"
#undef debug_check
#include "cover.h"

void debug_check(u64 call);

void debug_check(u64 call)
{
	(void)call;
}

/* Of a row of calls of one kind it would pass over most. */
void fuzz_check(void)
{
	static u32 turn;

	MONITOR_BUG_ON(frame_count() > CHECKED_FRAMES);
	check_after(BIT(40) | turn++);
}
