// SPDX-License-Identifier: GPL-2.0-only
/* What of an address is an address, where memory is encrypted with keys of many. */
#include "vmx/caps.h"
#include "unit.h"

int main(void)
{
	const u64 on = TME_LOCKED | TME_ENABLED, six = 6ULL << 32;

	ok(physical_bits(46, 0) == 46, "no memory encryption");
	ok(physical_bits(52, on) == 52, "one key for all");
	ok(physical_bits(52, on | six) == 46, "six bits choose one of 64 keys");
	ok(physical_bits(52, on | six | 4ULL << 36) == 46, "... some of them for trust domains");
	ok(physical_bits(52, TME_LOCKED | six) == 52, "locked off");
	ok(physical_bits(52, TME_ENABLED | six) == 52, "not locked, so not active");
	return unit_end();
}
