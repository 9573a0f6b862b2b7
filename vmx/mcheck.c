// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU shuts down at a machine check while CR4.MCE is clear, or while the last one is in
 * progress by IA32_MCG_STATUS (SDM 6.15, 16.3.1.2). What follows is a reset that nobody sees
 * coming, and memory would not be wiped. So the CPU has MCE set and nothing in progress, whoever
 * runs; the host has its own of both, and where the machine would shut down by them, it is ended.
 * One that comes in root mode is in entry.S.
 */
#include "cpu.h"

#define MCG_STATUS_MCIP BIT(2)

void mcheck_launch(struct cpu *cpu)
{
	u64 status;

	if (!rdmsr_safe(MSR_MCG_STATUS, &status))
		return;
	cpu->mcg_status |= status; /* mce_stub may have come first */
	wrmsr_safe(MSR_MCG_STATUS, 0);
}

/* One that nobody can be told of any more is in the banks yet, where kernels look by themselves. */
void mcheck_leave(struct cpu *cpu)
{
	wrmsr_safe(MSR_MCG_STATUS, cpu->events & EVENT_MCE ? 0 : cpu->mcg_status);
}

void mcheck_take(struct cpu *cpu)
{
	u64 status = rdmsr(MSR_MCG_STATUS);

	if (cpu->mcg_status & MCG_STATUS_MCIP)
		fatal("machine check while the host handles another", VECTOR_MC);
	cpu->mcg_status = status;
	wrmsr(MSR_MCG_STATUS, 0);
}
