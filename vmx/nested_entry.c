// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMLAUNCH and VMRESUME of the host, in the order of SDM 27: what fails before
 * the guest's state is looked at is a failed instruction, what fails after it
 * an exit. All that can be refused is, before vmcs02 is touched; the CPU then
 * checks the rest on vmcs02 itself. So the MSR list is loaded before the CPU
 * has seen the guest's state, and stays loaded when it does not like it.
 */
#include "vcpu.h"

/* Read before vmcs01 is left. */
static void read_l1_regs(struct l1_regs *l1)
{
	l1->efer = vmread(GUEST_IA32_EFER);
	l1->pat = vmread(GUEST_IA32_PAT);
	l1->dr7 = vmread(GUEST_DR7);
	l1->debugctl = vmread(GUEST_IA32_DEBUGCTL);
	l1->perf_global = vmx_caps.perf_global ? vmread(GUEST_IA32_PERF_GLOBAL_CTRL) : 0;
}

/* A number of SDM 31.4, or 0. */
static u32 entry_error(struct nested *n, bool launch)
{
	u32 launch_state = n->vmcs12.launch_state;

	if (launch && launch_state != VMCS12_CLEAR)
		return VMXERR_VMLAUNCH_NOT_CLEAR;
	if (!launch && launch_state != VMCS12_LAUNCHED)
		return VMXERR_VMRESUME_NOT_LAUNCHED;
	if ((n->dirty & DIRTY_CONTROL) && !nested_controls_ok(n))
		return VMXERR_ENTRY_CONTROLS;
	if (!nested_addresses_ok(n))
		return VMXERR_ENTRY_CONTROLS;
	if ((n->dirty & DIRTY_HOST) && !nested_host_state_ok(n))
		return VMXERR_ENTRY_HOST_STATE;
	return 0;
}

static void enter(struct cpu *cpu, const struct l1_regs *l1)
{
	struct nested *n = &cpu->nested;
	u64 qualification;
	u32 failed;

	if ((n->dirty & DIRTY_GUEST) && !nested_guest_state_ok(n, &qualification)) {
		nested_entry_exit(cpu, EXIT_INVALID_GUEST_STATE, qualification);
		return;
	}
	vmcs02_prepare(cpu, l1);
	if (!n->vmcs12.vm_entry_msr_load_count)
		return;
	failed = msr_list_load(cpu, n->vmcs12.vm_entry_msr_load_addr,
			       n->vmcs12.vm_entry_msr_load_count);
	if (failed)
		nested_entry_exit(cpu, EXIT_MSR_LOAD_FAIL, failed);
}

void nested_vmentry(struct cpu *cpu, bool launch)
{
	struct nested *n = &cpu->nested;
	struct l1_regs l1;
	u32 error;

	if (n->vmptr12 == NO_VMPTR) {
		vmx_fail_invalid();
		return;
	}
	if (vmread(GUEST_INTERRUPTIBILITY_INFO) & INTR_STATE_MOV_SS) {
		vmx_fail(cpu, VMXERR_ENTRY_MOV_SS);
		return;
	}
	read_l1_regs(&l1);
	shadow_narrow(cpu);
	if (n->shadow_on)
		shadow_fetch(cpu);
	error = entry_error(n, launch);
	if (error) {
		vmcs_load(cpu, &cpu->vmcs01);
		vmx_fail(cpu, error);
		return;
	}
	if (vm_any() && vcpu_vmentry(cpu, &l1))
		return;
	enter(cpu, &l1);
}

/* vmcs01 still has the exit of the instruction that failed after all. */
void nested_entry_failed(struct cpu *cpu, u32 error)
{
	struct nested *n = &cpu->nested;

	events_add(cpu, n->events_later);
	n->events_later = 0;
	n->refused = "refused by the CPU";
	count(MON_CNT_ENTRY_REFUSED);
	vmcs_load(cpu, &cpu->vmcs01);
	vmx_fail(cpu, error == VMXERR_ENTRY_HOST_STATE ? VMXERR_ENTRY_HOST_STATE :
							 VMXERR_ENTRY_CONTROLS);
}
