// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host is shown of a vCPU: always the same CPU in real mode at RIP 0
 * of a segment that begins in SCRATCH_GPA's page, with the operands of the exit in
 * registers, interrupts enabled or not as the guest has them, and nothing else.
 */
#include "mitigate.h"
#include "vcpu.h"

#define RFLAGS_FIXED 2
#define RFLAGS_IF BIT(9)
#define AR_CODE16 0x9b
#define AR_DATA16 0x93

static void show_segments(struct vmcs12 *v, u64 code_base, u64 data_base)
{
	v->guest_cs_selector = SCRATCH_SELECTOR;
	v->guest_cs_base = code_base;
	v->guest_cs_limit = 0xffff;
	v->guest_cs_ar_bytes = AR_CODE16;
	v->guest_ss_ar_bytes = AR_DATA16;
	v->guest_ds_selector = 0;
	v->guest_ds_base = data_base;
	v->guest_ds_limit = 0xffff;
	v->guest_ds_ar_bytes = AR_DATA16;
}

/* The guest's VMCS is current. */
static void show_guest(const struct vcpu *vcpu, struct vmcs12 *v, const struct shown *shown)
{
	v->guest_rip = 0;
	v->guest_rsp = 0;
	/* While an interrupt of the host's waits it must not inject another. */
	v->guest_rflags = RFLAGS_FIXED;
	if (!vcpu->held)
		v->guest_rflags |= vmread(GUEST_RFLAGS) & RFLAGS_IF;
	v->guest_interruptibility_info = (u32)vmread(GUEST_INTERRUPTIBILITY_INFO);
	v->guest_activity_state = ACTIVITY_ACTIVE;
	v->guest_pending_dbg_exceptions = 0;
	show_segments(v, scratch_insn(vcpu), ALIGN_DOWN((u32)shown->gpa, PAGE_SIZE));
	if ((v->pin_based_vm_exec_control & PIN_PREEMPTION_TIMER) &&
	    (v->vm_exit_controls & EXIT_SAVE_PREEMPTION_TIMER))
		v->vmx_preemption_timer_value = (u32)vmread(VMX_PREEMPTION_TIMER_VALUE);
}

/*
 * The host's own event that was not delivered yet goes back to it, and only
 * that: what the guest raised itself is kept (vcpu.c).
 */
static void show_exit(struct vmcs12 *v, const struct shown *shown)
{
	v->vm_exit_reason = shown->reason;
	v->exit_qualification = shown->qualification;
	v->vm_exit_instruction_len = shown->length;
	v->vm_exit_instruction_info = 0;
	v->vm_exit_intr_info = shown->intr_info;
	v->vm_exit_intr_error_code = shown->intr_code;
	v->guest_physical_address = shown->gpa;
	v->guest_linear_address = shown->gpa;
	v->idt_vectoring_info = v->vm_entry_intr_info & INTR_INFO_VALID ? v->vm_entry_intr_info : 0;
	v->vm_entry_intr_info &= ~INTR_INFO_VALID;
	v->launch_state = VMCS12_LAUNCHED;
}

void present(struct cpu *cpu, struct vcpu *vcpu, const struct shown *shown)
{
	struct nested *n = &cpu->nested;
	bool was_in = cpu->vcpu;

	vmcs_load(cpu, &vcpu->vmcs);
	if (was_in) {
		vcpu_switch_out(cpu, vcpu);
		cpu->vcpu = NULL;
	}
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	cpu->gpr[RAX] = shown->rax;
	cpu->gpr[RBX] = shown->rbx;
	cpu->gpr[RCX] = shown->rcx;
	cpu->gpr[RDX] = shown->rdx;
	show_guest(vcpu, &n->vmcs12, shown);
	show_exit(&n->vmcs12, shown);
	n->guest_stale = false;
	n->dirty = DIRTY_ALL;
	vcpu->vm->exits_to_host++;
	nested_enter_host(cpu, &vcpu->l1, shown->nmi);
	WRITE_ONCE(vcpu->running, false);
	if (was_in)
		mitigate_into_host();
}

/* KVM makes of it a shutdown of the VM. */
void present_stop(struct cpu *cpu, struct vcpu *vcpu, enum mon_vm_stop reason, u64 detail)
{
	struct shown shown = { .reason = EXIT_TRIPLE_FAULT };

	if (reason != MON_VM_STOP_NONE) {
		vm_stop(vcpu->vm, reason, detail);
		count(MON_CNT_VM_STOPPED);
	}
	cpu->nested.vmcs12.vm_entry_intr_info = 0;
	present(cpu, vcpu, &shown);
}

void present_nothing(struct cpu *cpu, struct vcpu *vcpu)
{
	struct shown shown = { .reason = EXIT_EPT_VIOLATION, .gpa = SCRATCH_GPA,
			       .qualification = EPT_QUAL_READ };

	present(cpu, vcpu, &shown);
}

static void *page_of_host(struct cpu *cpu, u64 gpa, bool write, u64 *perm12)
{
	u64 access = write ? EPT_READ | EPT_WRITE : EPT_READ;
	u64 eptp12 = cpu->nested.vmcs12.ept_pointer, in_leaf;
	struct npt_leaf leaf;

	*perm12 = 0;
	if (ept12_walk(eptp12, gpa, access, &leaf, perm12) != EPT02_RETRY)
		return NULL;
	in_leaf = ALIGN_DOWN(gpa & (LEVEL_SIZE(leaf.level) - 1), PAGE_SIZE);
	return host_ptr((leaf.entry & EPT_ADDR) + in_leaf, PAGE_SIZE);
}

void *host_page_there(struct cpu *cpu, u64 gpa, bool write)
{
	u64 perm12;

	return page_of_host(cpu, gpa, write, &perm12);
}

void *host_page(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, bool write)
{
	struct shown shown = { .reason = EXIT_EPT_VIOLATION, .gpa = gpa };
	void *page;
	u64 perm12;

	page = page_of_host(cpu, gpa, write, &perm12);
	if (page)
		return page;
	shown.qualification = (write ? EPT_QUAL_WRITE : EPT_QUAL_READ) |
			      perm12 << EPT_QUAL_PERM_SHIFT | EPT_QUAL_LINEAR_VALID |
			      EPT_QUAL_TRANSLATED;
	present(cpu, vcpu, &shown);
	return NULL;
}
