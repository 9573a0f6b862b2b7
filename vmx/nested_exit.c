// SPDX-License-Identifier: GPL-2.0-only
/*
 * Exits of the host's guests. Nearly all are the host's: the monitor answers
 * only what comes of its own tables, EPT02 and the merged bitmaps, and then
 * lets the guest go on as if nothing had been.
 */
#include "cpu.h"
#include "../npt/npt.h"

#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define CR4_MCE BIT(6)
#define CS_LONG BIT(13)
#define VECTOR_NMI 2

/* SDM 28.5.2: descriptors as VM exit makes them. */
#define AR_CODE64 0xa09b
#define AR_DATA 0xc093
#define AR_TSS_BUSY 0x8b
#define LIMIT_FLAT 0xffffffff
#define LIMIT_TSS 0x67
#define LIMIT_TABLE 0xffff
#define DR7_INIT 0x400
#define RFLAGS_INIT 2

/* Qualification of a CR access (SDM table 28-3): the register, and MOV to it */
#define QUALIFICATION_CR 0x3f
#define QUALIFICATION_TO_CR4 4

/* VMX-abort indicators, SDM 28.7 */
#define ABORT_STORE_MSR 1
#define ABORT_LOAD_MSR 4

/* ---- the host's state, into vmcs01 (SDM 28.5) ---- */

#define DATA_SEGMENT(NAME, selector, base)                                                    \
	do {                                                                                  \
		u16 sel_ = selector;                                                          \
										      \
		vmwrite(GUEST_##NAME##_SELECTOR, sel_);                                       \
		vmwrite(GUEST_##NAME##_BASE, base);                                           \
		vmwrite(GUEST_##NAME##_LIMIT, LIMIT_FLAT);                                    \
		vmwrite(GUEST_##NAME##_AR_BYTES, sel_ ? AR_DATA : (u64)SEG_AR_UNUSABLE);      \
	} while (0)

static void load_host_segments(const struct vmcs12 *v)
{
	vmwrite(GUEST_CS_SELECTOR, v->host_cs_selector);
	vmwrite(GUEST_CS_BASE, 0);
	vmwrite(GUEST_CS_LIMIT, LIMIT_FLAT);
	vmwrite(GUEST_CS_AR_BYTES, AR_CODE64);
	DATA_SEGMENT(SS, v->host_ss_selector, 0);
	DATA_SEGMENT(DS, v->host_ds_selector, 0);
	DATA_SEGMENT(ES, v->host_es_selector, 0);
	DATA_SEGMENT(FS, v->host_fs_selector, v->host_fs_base);
	DATA_SEGMENT(GS, v->host_gs_selector, v->host_gs_base);
	vmwrite(GUEST_TR_SELECTOR, v->host_tr_selector);
	vmwrite(GUEST_TR_BASE, v->host_tr_base);
	vmwrite(GUEST_TR_LIMIT, LIMIT_TSS);
	vmwrite(GUEST_TR_AR_BYTES, AR_TSS_BUSY);
	vmwrite(GUEST_LDTR_SELECTOR, 0);
	vmwrite(GUEST_LDTR_BASE, 0);
	vmwrite(GUEST_LDTR_LIMIT, LIMIT_FLAT);
	vmwrite(GUEST_LDTR_AR_BYTES, SEG_AR_UNUSABLE);
	vmwrite(GUEST_GDTR_BASE, v->host_gdtr_base);
	vmwrite(GUEST_GDTR_LIMIT, LIMIT_TABLE);
	vmwrite(GUEST_IDTR_BASE, v->host_idtr_base);
	vmwrite(GUEST_IDTR_LIMIT, LIMIT_TABLE);
}

/* @now: what was in the registers when the exit came. */
static void load_host_msrs(const struct vmcs12 *v, const struct l1_regs *now)
{
	u32 exit = v->vm_exit_controls;

	vmwrite(GUEST_SYSENTER_CS, v->host_ia32_sysenter_cs);
	vmwrite(GUEST_SYSENTER_ESP, v->host_ia32_sysenter_esp);
	vmwrite(GUEST_SYSENTER_EIP, v->host_ia32_sysenter_eip);
	vmwrite(GUEST_IA32_DEBUGCTL, 0);
	vmwrite(GUEST_IA32_PAT, exit & EXIT_LOAD_PAT ? v->host_ia32_pat : now->pat);
	vmwrite(GUEST_IA32_EFER, exit & EXIT_LOAD_EFER ? v->host_ia32_efer :
							 now->efer | EFER_LMA | EFER_LME);
	if (vmx_caps.perf_global)
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL,
			exit & EXIT_LOAD_PERF_GLOBAL_CTRL ? v->host_ia32_perf_global_ctrl :
							    now->perf_global);
}

static void load_host_state(const struct vmcs12 *v, const struct l1_regs *now, bool nmi_blocked)
{
	vmwrite(GUEST_CR0, v->host_cr0);
	vmwrite(CR0_READ_SHADOW, v->host_cr0);
	vmwrite(GUEST_CR3, v->host_cr3);
	host_set_cr4(v->host_cr4);
	vmwrite(GUEST_DR7, DR7_INIT);
	vmwrite(GUEST_RSP, v->host_rsp);
	vmwrite(GUEST_RIP, v->host_rip);
	vmwrite(GUEST_RFLAGS, RFLAGS_INIT);
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, nmi_blocked ? INTR_STATE_NMI : 0);
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmwrite(VM_ENTRY_INTR_INFO, 0);
	load_host_segments(v);
	load_host_msrs(v, now);
}

/* The registers of whoever is in the current VMCS, as the exit left them there. */
static void read_now(struct l1_regs *now)
{
	now->efer = vmread(GUEST_IA32_EFER);
	now->pat = vmread(GUEST_IA32_PAT);
	now->perf_global = vmx_caps.perf_global ? vmread(GUEST_IA32_PERF_GLOBAL_CTRL) : 0;
}

/* SDM 28.7: the CPU goes into shutdown; vmcs01 is current. */
static void vmx_abort(struct cpu *cpu, u32 indicator)
{
	struct nested *n = &cpu->nested;
	u32 *abort = host_ptr(n->vmptr12 + offsetof(struct vmcs12, abort), sizeof(u32));
	bool shutdown = vmx_caps.misc & MISC_ACTIVITY_SHUTDOWN;

	n->vmcs12.abort = indicator;
	if (abort)
		WRITE_ONCE(*abort, indicator);
	vmwrite(GUEST_ACTIVITY_STATE, shutdown ? ACTIVITY_SHUTDOWN : ACTIVITY_HLT);
}

/* Exit information and guest state are in vmcs12; the host goes on at HOST_RIP. */
void nested_enter_host(struct cpu *cpu, const struct l1_regs *now, bool nmi_blocked)
{
	struct nested *n = &cpu->nested;
	const struct vmcs12 *v = &n->vmcs12;

	cpu->guest_exits_to_host++;
	if (n->shadow_on)
		shadow_store(cpu);
	vmcs_load(cpu, &cpu->vmcs01);
	load_host_state(v, now, nmi_blocked);
	vpid_flush_at_exit(v);
	if (v->vm_exit_msr_load_count &&
	    msr_list_load(cpu, v->vm_exit_msr_load_addr, v->vm_exit_msr_load_count))
		vmx_abort(cpu, ABORT_LOAD_MSR);
}

void nested_reflect(struct cpu *cpu, u32 reason, bool nmi)
{
	struct nested *n = &cpu->nested;
	struct vmcs12 *v = &n->vmcs12;
	bool store_failed = false, nmi_blocked;
	struct l1_regs now;

	v->vm_exit_reason = reason;
	v->vm_entry_intr_info &= ~INTR_INFO_VALID;
	vmcs02_save_hot(n);
	read_now(&now);
	if (v->vm_exit_msr_store_count)
		store_failed = msr_list_store(cpu, v->vm_exit_msr_store_addr,
					      v->vm_exit_msr_store_count);
	/* With virtual NMIs the guest's blocking is not the CPU's (SDM 25.6.1). */
	nmi_blocked = nmi || (!(v->pin_based_vm_exec_control & PIN_VIRTUAL_NMIS) &&
			      (v->guest_interruptibility_info & INTR_STATE_NMI));
	nested_enter_host(cpu, &now, nmi_blocked);
	if (store_failed)
		vmx_abort(cpu, ABORT_STORE_MSR);
}

/* SDM 27.8: no guest state is saved, and no information but these two is changed. */
void nested_entry_exit(struct cpu *cpu, u32 reason, u64 qualification)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;
	struct l1_regs now;
	bool nmi_blocked;

	v->vm_exit_reason = reason | EXIT_REASON_ENTRY_FAILURE;
	v->exit_qualification = qualification;
	vmcs_load(cpu, &cpu->vmcs01);
	read_now(&now);
	nmi_blocked = vmread(GUEST_INTERRUPTIBILITY_INFO) & INTR_STATE_NMI;
	nested_enter_host(cpu, &now, nmi_blocked);
}

/* ---- exit information ---- */

static bool has_address(u32 basic)
{
	return basic == EXIT_EPT_VIOLATION || basic == EXIT_EPT_MISCONFIG ||
	       basic == EXIT_IO_INSTRUCTION || basic == EXIT_CR_ACCESS;
}

static void read_exit_info(struct vmcs12 *v, u32 basic)
{
	v->exit_qualification = basic == EXIT_TRIPLE_FAULT ? 0 : vmread(EXIT_QUALIFICATION);
	v->vm_exit_instruction_len = (u32)vmread(VM_EXIT_INSTRUCTION_LEN);
	v->vm_exit_instruction_info = (u32)vmread(VM_EXIT_INSTRUCTION_INFO);
	v->vm_exit_intr_info = (u32)vmread(VM_EXIT_INTR_INFO);
	v->idt_vectoring_info = (u32)vmread(IDT_VECTORING_INFO);
	if (v->vm_exit_intr_info & INTR_INFO_ERROR_CODE)
		v->vm_exit_intr_error_code = (u32)vmread(VM_EXIT_INTR_ERROR_CODE);
	if (v->idt_vectoring_info & INTR_INFO_ERROR_CODE)
		v->idt_vectoring_error_code = (u32)vmread(IDT_VECTORING_ERROR_CODE);
	if (has_address(basic)) {
		v->guest_physical_address = vmread(GUEST_PHYSICAL_ADDRESS);
		v->guest_linear_address = vmread(GUEST_LINEAR_ADDRESS);
	}
}

static bool exit_by_nmi(const struct vmcs12 *v, u32 basic)
{
	const u32 mask = INTR_INFO_VALID | INTR_INFO_TYPE;

	return basic == EXIT_EXCEPTION_NMI &&
	       (v->vm_exit_intr_info & mask) == (INTR_INFO_VALID | INTR_TYPE_NMI);
}

static void reflect_exit(struct cpu *cpu, u32 full)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;
	u32 basic = full & EXIT_REASON_BASIC;

	read_exit_info(v, basic);
	nested_reflect(cpu, full, exit_by_nmi(v, basic));
}

/* ---- exits that the monitor answers ---- */

/*
 * The exit came while an event was delivered, or by the IRET that ended an
 * NMI: the guest goes on with the same (SDM 28.2.3, 28.2.4).
 */
static void requeue_event(const struct vmcs12 *v, u64 qualification)
{
	u64 info = vmread(IDT_VECTORING_INFO), blocking = vmread(GUEST_INTERRUPTIBILITY_INFO);

	if (!(info & INTR_INFO_VALID)) {
		if ((v->pin_based_vm_exec_control & PIN_NMI_EXITING) &&
		    (qualification & INTR_INFO_UNBLOCK_NMI))
			vmwrite(GUEST_INTERRUPTIBILITY_INFO, blocking | INTR_STATE_NMI);
		return;
	}
	/* An NMI that is injected blocks the next ones itself. */
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO, blocking & ~INTR_STATE_NMI);
	if (info & INTR_INFO_ERROR_CODE)
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, vmread(IDT_VECTORING_ERROR_CODE));
	vmwrite(VM_ENTRY_INSTRUCTION_LEN, vmread(VM_EXIT_INSTRUCTION_LEN));
	vmwrite(VM_ENTRY_INTR_INFO, info & ~(u64)INTR_INFO_RESERVED);
}

/* What vmcs02 points to may have become somebody else's while this CPU was out. */
static void resume(struct cpu *cpu)
{
	if (!vmcs02_refresh(cpu))
		reflect_exit(cpu, EXIT_TRIPLE_FAULT);
}

/* The guest's physical addresses are the host's own, and may be MMIO not mapped yet. */
static void fault_without_ept12(struct cpu *cpu, u64 gpa, u64 qualification)
{
	if (host_npt_fault(gpa) != HOST_FAULT_RETRY) {
		count(MON_CNT_EPT12_REFUSED);
		reflect_exit(cpu, EXIT_TRIPLE_FAULT);
		return;
	}
	requeue_event(&cpu->nested.vmcs12, qualification);
	resume(cpu);
}

/* Bits 5:3 are the permissions that the host's own tables gave (SDM table 28-7). */
#define QUALIFICATION_FROM_CPU                                                     \
	(EPT_QUAL_READ | EPT_QUAL_WRITE | EPT_QUAL_FETCH | EPT_QUAL_LINEAR_VALID | \
	 EPT_QUAL_TRANSLATED | INTR_INFO_UNBLOCK_NMI)

static void reflect_violation(struct cpu *cpu, u64 perm12)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;

	read_exit_info(v, EXIT_EPT_VIOLATION);
	v->exit_qualification &= QUALIFICATION_FROM_CPU;
	v->exit_qualification |= perm12 << EPT_QUAL_PERM_SHIFT;
	nested_reflect(cpu, EXIT_EPT_VIOLATION, false);
}

/*
 * If the host maps what is not its own, or there is no frame for a table of
 * EPT02, the host is told that nothing is mapped. It will find otherwise and
 * try again: it can only delay its own guest.
 */
static void ept_fault(struct cpu *cpu, u32 basic)
{
	struct nested *n = &cpu->nested;
	u64 gpa = vmread(GUEST_PHYSICAL_ADDRESS), qualification = 0, perm12 = 0;

	if (basic == EXIT_EPT_VIOLATION)
		qualification = vmread(EXIT_QUALIFICATION);
	if (!vmcs12_has_ept(&n->vmcs12)) {
		fault_without_ept12(cpu, gpa, qualification);
		return;
	}
	switch (ept02_fault(n->vmcs12.ept_pointer, gpa, qualification & EPT_RWX, &perm12)) {
	case EPT02_RETRY:
		requeue_event(&n->vmcs12, qualification);
		resume(cpu);
		return;
	case EPT02_MISCONFIG:
		read_exit_info(&n->vmcs12, EXIT_EPT_MISCONFIG);
		n->vmcs12.exit_qualification = 0;
		nested_reflect(cpu, EXIT_EPT_MISCONFIG, false);
		return;
	case EPT02_REFUSED:
		count(MON_CNT_EPT12_REFUSED);
		perm12 = 0;
		break;
	case EPT02_POOL:
		count(MON_CNT_TABLES_EMPTY);
		perm12 = 0;
		break;
	case EPT02_VIOLATION:
		break;
	}
	reflect_violation(cpu, perm12);
}

/* The merged bitmap is stricter than the host's (nested_msr.c). */
static void msr_exit(struct cpu *cpu, u32 full, bool write)
{
	u32 msr = (u32)cpu->gpr[RCX];
	u64 value = (u32)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;

	if (host_wants_msr(&cpu->nested, msr, write)) {
		reflect_exit(cpu, full);
		return;
	}
	if (write ? !guest_msr_write(cpu, msr, value) : !guest_msr_read(cpu, msr, &value)) {
		count(MON_CNT_BAD_MSR);
		inject_gp();
	} else {
		if (!write) {
			cpu->gpr[RAX] = (u32)value;
			cpu->gpr[RDX] = value >> 32;
		}
		advance_rip();
	}
	resume(cpu);
}

static void io_exit(struct cpu *cpu, u32 full)
{
	if (host_wants_io(&cpu->nested, vmread(EXIT_QUALIFICATION))) {
		reflect_exit(cpu, full);
		return;
	}
	ports_access(cpu);
	resume(cpu);
}

/*
 * CR4.MCE, which a host has left to its guest, only seems to change (vmcs02.c). The instruction
 * is executed again, and finds it as it wants it: all other bits are the CPU's to judge.
 */
static void cr_exit(struct cpu *cpu, u32 full)
{
	u64 qualification = vmread(EXIT_QUALIFICATION), shadow = vmread(CR4_READ_SHADOW);
	u64 value = operand_reg(cpu, (qualification >> 8) & 15);

	if (!(vmread(GUEST_CS_AR_BYTES) & CS_LONG))
		value = (u32)value;
	if ((qualification & QUALIFICATION_CR) != QUALIFICATION_TO_CR4 ||
	    ((value ^ shadow) & cpu->nested.vmcs12.cr4_guest_host_mask)) {
		reflect_exit(cpu, full);
		return;
	}
	vmwrite(CR4_READ_SHADOW, (shadow & ~CR4_MCE) | (value & CR4_MCE));
	resume(cpu);
}

/* A machine check that the host does not ask for: as one that came in root mode. */
static void exception_exit(struct cpu *cpu, u32 full)
{
	const struct vmcs12 *v = &cpu->nested.vmcs12;

	if (!exit_by_machine_check() || (v->exception_bitmap & BIT(VECTOR_MC))) {
		reflect_exit(cpu, full);
		return;
	}
	events_add(cpu, EVENT_MCE);
	requeue_event(v, vmread(VM_EXIT_INTR_INFO));
	resume(cpu);
}

/* ---- dispatch ---- */

/*
 * The CPU did not like the guest's state. Its launch state is as before, and
 * only VMCLEAR says which one that is; what else is in vmcs02 stays.
 */
static void entry_failure(struct cpu *cpu, u32 full)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);

	vmcs_clear(cpu, &cpu->nested.vmcs02);
	nested_entry_exit(cpu, full, qualification);
}

void nested_guest_exit(struct cpu *cpu, u32 full)
{
	struct nested *n = &cpu->nested;
	u32 basic = full & EXIT_REASON_BASIC;

	events_add(cpu, n->events_later);
	n->events_later = 0;
	if (full & EXIT_REASON_ENTRY_FAILURE) {
		entry_failure(cpu, full);
		return;
	}
	n->vmcs12.launch_state = VMCS12_LAUNCHED;
	switch (basic) {
	case EXIT_EPT_VIOLATION:
	case EXIT_EPT_MISCONFIG:
		ept_fault(cpu, basic);
		break;
	case EXIT_MSR_READ:
	case EXIT_MSR_WRITE:
		msr_exit(cpu, full, basic == EXIT_MSR_WRITE);
		break;
	case EXIT_IO_INSTRUCTION:
		io_exit(cpu, full);
		break;
	case EXIT_CR_ACCESS:
		cr_exit(cpu, full);
		break;
	case EXIT_EXCEPTION_NMI:
		exception_exit(cpu, full);
		break;
	default:
		reflect_exit(cpu, full);
	}
}

/* ---- events of root mode ---- */

/* The entry counts as done, and what it was to inject as interrupted by this event. */
static void reflect_event(struct cpu *cpu, u32 info, bool nmi)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;
	u32 pending = (u32)vmread(VM_ENTRY_INTR_INFO);

	v->launch_state = VMCS12_LAUNCHED;
	v->vm_exit_intr_info = info;
	v->exit_qualification = 0;
	v->vm_exit_instruction_info = 0;
	v->idt_vectoring_info = 0;
	if (pending & INTR_INFO_VALID) {
		v->idt_vectoring_info = pending;
		v->idt_vectoring_error_code = (u32)vmread(VM_ENTRY_EXCEPTION_ERROR_CODE);
		v->vm_exit_instruction_len = (u32)vmread(VM_ENTRY_INSTRUCTION_LEN);
	}
	nested_reflect(cpu, EXIT_EXCEPTION_NMI, nmi);
}

static bool nmi_exits(const struct vmcs12 *v)
{
	u32 pin = v->pin_based_vm_exec_control;

	if (!(pin & PIN_NMI_EXITING))
		return false;
	return (pin & PIN_VIRTUAL_NMIS) ||
	       !(vmread(GUEST_INTERRUPTIBILITY_INFO) & INTR_STATE_NMI);
}

/* The guest was about to be entered; but this CPU has passed an epoch since that was prepared. */
void nested_entry_again(struct cpu *cpu)
{
	cpu->nested.vmcs12.launch_state = VMCS12_LAUNCHED;
	resume(cpu);
	cpu->launched = cpu->current->launched;
}

/*
 * A host that does not want them from its guest gets them itself, at the
 * guest's next exit: the monitor has no window to wait for in vmcs02.
 */
void nested_deliver_events(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;

	if ((cpu->events & EVENT_MCE) && (n->vmcs12.exception_bitmap & BIT(VECTOR_MC))) {
		events_clear(cpu, EVENT_MCE);
		reflect_event(cpu, INTR_INFO_MC, false);
	} else if ((cpu->events & EVENT_NMI) && nmi_exits(&n->vmcs12)) {
		events_clear(cpu, EVENT_NMI);
		reflect_event(cpu, VECTOR_NMI | INTR_TYPE_NMI | INTR_INFO_VALID, true);
	} else {
		n->events_later |= events_take(cpu);
	}
}
