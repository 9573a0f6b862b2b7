// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c npt/lend.c */
/* cflags: -DNPT_INDEX_BITS=2 */
/*
 * The world of selftests/unit/npt_model.c, in the order that the bytes say:
 * verbs of a hostile host and of VMs, against the invariants, the flat model
 * and what the CPUs may still have cached.
 */
#include "fuzz.h"
#define main model_main
#include "selftests/unit/npt_model.c"

#define STEPS_MAX 512

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u32 n;

	fuzz_data = data;
	fuzz_left = size;
	world_init();
	for (n = 0; fuzz_left && n < STEPS_MAX; n++) {
		world_step();
		if (n % FLAT_EVERY == 0)
			flat_check();
	}
	flat_check();
	return 0;
}
