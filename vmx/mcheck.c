// SPDX-License-Identifier: GPL-2.0-only
/*
 * A CPU shuts down at a machine check while CR4.MCE is clear, or while the last one is in
 * progress by IA32_MCG_STATUS (SDM 6.15, 16.3.1.2). What follows is a reset that nobody sees
 * coming, and memory would not be wiped. So the CPU has MCE set and nothing in progress, whoever
 * runs; the host has its own of both, and where the machine would shut down by them, it is ended.
 */
#include "cpu.h"

#define MCG_STATUS_MCIP BIT(2)

bool mcheck_take(struct cpu *cpu)
{
	u64 status = rdmsr(MSR_MCG_STATUS);

	if (!(status & MCG_STATUS_MCIP))
		return false;
	if (cpu->mcg_status & MCG_STATUS_MCIP)
		fatal("machine check while the host handles another", VECTOR_MC);
	cpu->mcg_status = status;
	wrmsr(MSR_MCG_STATUS, 0);
	return true;
}
