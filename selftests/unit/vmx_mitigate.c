// SPDX-License-Identifier: GPL-2.0-only
/* What is flushed, by what the CPU says of itself. */
#include "vmx/mitigate.h"
#include "unit.h"

#define PREDICTORS BIT(MON_FLUSH_PREDICTORS)
#define L1D BIT(MON_FLUSH_L1D)
#define BUFFERS BIT(MON_FLUSH_BUFFERS)
#define ALL_WAYS (CPUID_7_MD_CLEAR | CPUID_7_IBPB | CPUID_7_L1D_FLUSH)

static void is(u32 edx, u64 arch, u64 done, u64 missing, const char *name)
{
	struct mitigations m = mitigations_choose(edx, arch);

	ok(m.done == done && m.missing == missing, "%s", name);
}

int main(void)
{
	u64 bit;
	int needed = 0;

	is(0, 0, 0, PREDICTORS | L1D | BUFFERS, "a CPU without any of it");
	is(ALL_WAYS, 0, PREDICTORS | L1D | BUFFERS, 0, "one that has all, and says no more");
	is(ALL_WAYS, ARCH_RDCL_NO, PREDICTORS | BUFFERS, 0, "without L1TF");
	is(ALL_WAYS, ARCH_SKIP_L1DFL_VMENTRY, PREDICTORS | BUFFERS, 0,
	   "the hypervisor below flushes L1D");
	is(ALL_WAYS, ARCH_NO_BUFFERS, PREDICTORS | L1D, 0, "nothing in its buffers");
	is(0, ARCH_NO_BUFFERS | ARCH_RDCL_NO, 0, PREDICTORS, "nothing but predictors is left");
	is(CPUID_7_IBPB, 0, PREDICTORS, L1D | BUFFERS, "only predictors can be flushed");
	is(CPUID_7_L1D_FLUSH, 0, L1D, PREDICTORS | BUFFERS, "only L1D");
	is(CPUID_7_MD_CLEAR, 0, BUFFERS, PREDICTORS | L1D, "only buffers");
	for (bit = 1; bit; bit <<= 1)
		if (bit & ARCH_NO_BUFFERS)
			needed += !!(mitigations_choose(ALL_WAYS, ARCH_NO_BUFFERS & ~bit).done &
				     BUFFERS);
	ok(needed == 5, "each of five ways into buffers is enough");
	return unit_end();
}
