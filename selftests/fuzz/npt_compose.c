// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c npt/share.c */
/*
 * Hostile EPT12: entries are written and addresses touched as the bytes say,
 * and each verdict is compared with a walk written down from the SDM. One world
 * for all inputs, emptied before each.
 */
#include "fuzz.h"
#define main compose_main
#include "selftests/unit/npt_compose.c"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;

	fuzz_data = data;
	fuzz_left = size;
	if (!made)
		setup(900);
	made = true;
	ept02_invalidate(0);
	pass_all();
	lock();
	epoch_reap(100000);
	unlock();
	memset(frame_ptr(0x2000), 0, 16 * PAGE_SIZE);
	while (fuzz_left)
		hostile_round();
	return 0;
}
