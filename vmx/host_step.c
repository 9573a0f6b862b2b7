// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host touches what is not its own: reads see zeros, writes vanish. The
 * instruction may be any, so it is not emulated: the frame's place in EPT01 is
 * lent a junk frame of this CPU for one instruction (monitor trap flag, SDM
 * 26.5.2), and taken away again. Every touch exits and is counted.
 *
 * A junk frame holds zeros, or what the host itself wrote to a frame that is
 * not its own while another CPU looks: never anybody else's bytes. It is never
 * used for anything else, so a stale translation to it gives nothing away.
 */
#include "cpu.h"
#include "../npt/npt.h"

static void trap_flag(bool on)
{
	u64 controls = vmread(CPU_BASED_VM_EXEC_CONTROL);

	vmwrite(CPU_BASED_VM_EXEC_CONTROL,
		on ? controls | CPU_MONITOR_TRAP_FLAG : controls & ~CPU_MONITOR_TRAP_FLAG);
}

static void take_back_leaves(struct cpu *cpu)
{
	u32 i;

	for (i = 0; i < cpu->step.nr; i++)
		host_unlend(cpu->step.gpa[i]);
	if (cpu->step.nr)
		npt_flush_local();
	cpu->step.nr = 0;
	memset(frame_ptr(cpu->step.junk_pfn), 0, PAGE_SIZE);
}

bool host_step_active(const struct cpu *cpu)
{
	return cpu->step.nr != 0;
}

void host_step_request(struct cpu *cpu)
{
	cpu->step.for_event |= events_take(cpu);
	trap_flag(true);
}

void host_step_done(struct cpu *cpu)
{
	take_back_leaves(cpu);
	trap_flag(false);
	events_add(cpu, cpu->step.for_event);
	cpu->step.for_event = 0;
}

static void lend(struct cpu *cpu, u64 gpa)
{
	int err = NPT_EPOOL;

	if (cpu->step.nr < STEP_LEAVES)
		err = host_lend(gpa, cpu->step.junk_pfn);
	if (err == NPT_EEXIST)
		return;
	/* No instruction has more operands than that; without a frame for a table: no access. */
	if (err) {
		host_step_done(cpu);
		inject_gp();
		return;
	}
	cpu->step.gpa[cpu->step.nr++] = ALIGN_DOWN(gpa, PAGE_SIZE);
	trap_flag(true);
}

void host_ept_violation(struct cpu *cpu)
{
	u64 gpa = vmread(GUEST_PHYSICAL_ADDRESS);
	u64 qualification = vmread(EXIT_QUALIFICATION);

	switch (host_npt_fault(gpa)) {
	case HOST_FAULT_RETRY:
		return;
	case HOST_FAULT_BEYOND:
		inject_gp();
		return;
	case HOST_FAULT_PROTECTED:
		break;
	}
	if (qualification & EPT_QUAL_FETCH) {
		count(MON_CNT_PROTECTED_FETCH);
		inject_gp();
		return;
	}
	count(qualification & EPT_QUAL_WRITE ? MON_CNT_PROTECTED_WRITE : MON_CNT_PROTECTED_READ);
	lend(cpu, gpa);
}
