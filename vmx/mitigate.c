// SPDX-License-Identifier: GPL-2.0-only
#include "mitigate.h"
#include "cpu.h"

#define MSR_PRED_CMD 0x49
#define PRED_CMD_IBPB 1
#define MSR_FLUSH_CMD 0x10b
#define FLUSH_CMD_L1D 1
#define MSR_ARCH_CAPABILITIES 0x10a

struct mitigations mitigations;

void mitigate_init(void)
{
	u32 a, b, c, d;
	u64 arch = 0;

	cpuid(7, 0, &a, &b, &c, &d);
	if ((d & CPUID_7_ARCH_CAPABILITIES) && !rdmsr_safe(MSR_ARCH_CAPABILITIES, &arch))
		arch = 0;
	mitigations = mitigations_choose(d, arch);
}

static void flush_predictors(void)
{
	if (mitigations.done & BIT(MON_FLUSH_PREDICTORS))
		wrmsr_safe(MSR_PRED_CMD, PRED_CMD_IBPB);
}

void mitigate_into_guest(void)
{
	flush_predictors();
}

/* VERW overwrites the buffers only with a selector in memory (SDM vol 2, VERW). */
void mitigate_into_host(void)
{
	u16 selector = 0;

	flush_predictors();
	if (mitigations.done & BIT(MON_FLUSH_L1D))
		wrmsr_safe(MSR_FLUSH_CMD, FLUSH_CMD_L1D);
	asm volatile("movw %%ds, %0" : "=r"(selector));
	if (mitigations.done & BIT(MON_FLUSH_BUFFERS))
		asm volatile("verw %0" : : "m"(selector) : "cc");
}
