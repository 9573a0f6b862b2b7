// SPDX-License-Identifier: GPL-2.0-only
/* Entry and exits of a confidential VM's vCPU, and its making. */
#include "mitigate.h"
#include "vcpu.h"
#include "../npt/share.h"

#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR4_VMXE BIT(13)
#define RFLAGS_IF BIT(9)
#define VECTOR_DB 1
#define VECTOR_NMI 2
#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_AC 17
#define FIRST_DEVICE_VECTOR 32
#define LINUX_SYSCALL_VECTOR 0x80
#define CR0_PE BIT(0)
#define PAT_RESET 0x0007040600070406ULL
#define CPU_SIGNATURE_EDX 0x600
#define EPTP_WB_4LEVEL (MT_WB | 3ULL << 3)

/* VPIDs from the top; translations are tagged with the EPT root as well (SDM 29.4.1). */
#define VPID_TOP 0xffffu

static u64 msr_bitmap_pa;

static const u32 passed_msrs[] = {
	0x174,	    0x175,	0x176, /* SYSENTER: VMCS */
	0x277, /* PAT: VMCS */
	0xc0000080, /* EFER: VMCS */
	0xc0000081, 0xc0000082, 0xc0000083, 0xc0000084, /* switched by list */
	0xc0000100, 0xc0000101, /* FS and GS base: VMCS */
	0xc0000102, 0xc0000103, /* switched by list */
	0x10, /* TSC, to read */
};

static void pass_msr(u8 *bitmap, u32 msr)
{
	u32 bit = msr & 0x1fff, base = msr >= 0xc0000000 ? 1024 : 0;

	bitmap[base + bit / 8] &= ~(1u << (bit % 8));
	if (msr != 0x10)
		bitmap[2048 + base + bit / 8] &= ~(1u << (bit % 8));
}

int vcpu_init(void)
{
	u64 pfn;
	u32 i;

	if (!vcpu_switch_possible())
		return NPT_OK; /* without XSAVE there are no confidential VMs */
	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_VMX);
	spin_unlock(&npt_lock);
	if (pfn == INVALID_PFN)
		return NPT_EPOOL;
	memset(frame_ptr(pfn), 0xff, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(passed_msrs); i++)
		pass_msr(frame_ptr(pfn), passed_msrs[i]);
	msr_bitmap_pa = pfn << PAGE_SHIFT;
	return NPT_OK;
}

/* ---- VMCS of a vCPU ---- */

static u32 optional_cpu2(void)
{
	return (u32)(vmx_caps.cpu2 >> 32) & (CPU2_ENABLE_RDTSCP | CPU2_ENABLE_INVPCID);
}

static void constant_controls(const struct vcpu *vcpu)
{
	u32 exit = EXIT_HOST_ADDR_SPACE_SIZE | EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_EFER |
		   EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_ACK_INTR |
		   EXIT_SAVE_PREEMPTION_TIMER |
		   (vmx_caps.perf_global ? EXIT_LOAD_PERF_GLOBAL_CTRL : 0);
	u32 entry = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT |
		    (vmx_caps.perf_global ? ENTRY_LOAD_PERF_GLOBAL_CTRL : 0);

	if (!vmx_caps.preemption_timer)
		exit &= ~EXIT_SAVE_PREEMPTION_TIMER;
	vmwrite(VM_EXIT_CONTROLS, control_fit(exit, vmx_caps.exit));
	vmwrite(VM_ENTRY_CONTROLS, control_fit(entry, vmx_caps.entry));
	vmwrite(EXCEPTION_BITMAP, BIT(VECTOR_MC) | BIT(VECTOR_AC) | BIT(VECTOR_DB));
	vmwrite(PAGE_FAULT_ERROR_CODE_MASK, 0);
	vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, 0);
	vmwrite(CR3_TARGET_COUNT, 0);
	vmwrite(MSR_BITMAP, msr_bitmap_pa);
	vmwrite(EPT_POINTER, vcpu->vm->npt.root << PAGE_SHIFT | EPTP_WB_4LEVEL);
	vmwrite(VIRTUAL_PROCESSOR_ID,
		VPID_TOP - ((vcpu->vm->id - DOM_FIRST_VM) * MON_VM_MAX_VCPUS + vcpu->index));
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
	vmwrite(GUEST_IA32_DEBUGCTL, 0);
	vmwrite(GUEST_IA32_PAT, PAT_RESET);
	vmwrite(GUEST_SYSENTER_CS, 0);
	vmwrite(GUEST_SYSENTER_ESP, 0);
	vmwrite(GUEST_SYSENTER_EIP, 0);
	if (vmx_caps.perf_global)
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL, 0);
}

static void write_reset(struct vcpu *vcpu)
{
	vmcs_write_reset_state();
	vcpu_cr_reset();
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	memset(vcpu->gpr, 0, sizeof(vcpu->gpr));
	vcpu->gpr[RDX] = CPU_SIGNATURE_EDX;
	device_drop(vcpu);
	op_finish(vcpu);
	vcpu->reinject = 0;
	vcpu->held = 0;
}

/* What of vmcs12 matters: when to exit for the host's sake, and time. */
static void controls_from(const struct vmcs12 *v)
{
	u32 from12 = v->cpu_based_vm_exec_control;
	u32 cpu = CPU_HLT_EXITING | CPU_UNCOND_IO_EXITING | CPU_USE_MSR_BITMAPS |
		  CPU_SECONDARY_CONTROLS | CPU_MWAIT_EXITING | CPU_MONITOR_EXITING |
		  CPU_RDPMC_EXITING |
		  (from12 & (CPU_USE_TSC_OFFSETTING | CPU_TPR_SHADOW | CPU_INTR_WINDOW_EXITING |
			     CPU_NMI_WINDOW_EXITING | CPU_PAUSE_EXITING));
	u32 cpu2 = CPU2_ENABLE_EPT | CPU2_ENABLE_VPID | CPU2_UNRESTRICTED_GUEST |
		   CPU2_WBINVD_EXITING | optional_cpu2() |
		   (vmcs12_cpu2(v) & (CPU2_TSC_SCALING | CPU2_PAUSE_LOOP_EXITING));
	u32 pin = PIN_EXT_INTR_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS |
		  (v->pin_based_vm_exec_control & PIN_PREEMPTION_TIMER);

	if (!(from12 & CPU_TPR_SHADOW))
		cpu |= CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING;
	vmwrite(PIN_BASED_VM_EXEC_CONTROL, control_fit(pin, vmx_caps.pin));
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, control_fit(cpu, vmx_caps.cpu));
	vmwrite(SECONDARY_VM_EXEC_CONTROL, control_fit(cpu2, vmx_caps.cpu2));
	if (from12 & CPU_USE_TSC_OFFSETTING)
		vmwrite(TSC_OFFSET, v->tsc_offset);
	if (cpu2 & CPU2_TSC_SCALING)
		vmwrite(TSC_MULTIPLIER, v->tsc_multiplier);
	if (cpu2 & CPU2_PAUSE_LOOP_EXITING) {
		vmwrite(PLE_GAP, v->ple_gap);
		vmwrite(PLE_WINDOW, v->ple_window);
	}
	if (from12 & CPU_TPR_SHADOW) {
		vmwrite(VIRTUAL_APIC_PAGE_ADDR, v->virtual_apic_page_addr);
		vmwrite(TPR_THRESHOLD, vcpu_delivers(v) ? 0 : v->tpr_threshold);
	}
	if (pin & PIN_PREEMPTION_TIMER)
		vmwrite(VMX_PREEMPTION_TIMER_VALUE, v->vmx_preemption_timer_value);
}

/* ---- making and finding ---- */

static struct vcpu *vcpu_find(struct vm *vm, u64 vmptr12)
{
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (vm->vcpu[i]->vmptr12 == vmptr12)
			return vm->vcpu[i];
	return NULL;
}

static struct vcpu *vcpu_alloc(void)
{
	struct vcpu *vcpu = NULL;
	u64 pfn, xsave;

	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_STATE);
	xsave = pfn == INVALID_PFN ? INVALID_PFN : frame_get(FRAME_STATE);
	if (xsave != INVALID_PFN) {
		vcpu = frame_ptr(pfn);
		vcpu->pfn = pfn;
		vcpu->xsave_pfn = xsave;
	} else if (pfn != INVALID_PFN) {
		frame_put(pfn);
	}
	spin_unlock(&npt_lock);
	if (vcpu && vmcs_init(&vcpu->vmcs)) {
		spin_lock(&npt_lock);
		frame_put(vcpu->xsave_pfn);
		frame_put(vcpu->pfn);
		spin_unlock(&npt_lock);
		vcpu = NULL;
	}
	return vcpu;
}

void vcpu_free(struct vcpu *vcpu)
{
	u64 pfn = vcpu->pfn;

	spin_lock(&npt_lock);
	frame_retire(vcpu->xsave_pfn);
	frame_retire(vcpu->vmcs.pa >> PAGE_SHIFT);
	frame_retire(pfn);
	spin_unlock(&npt_lock);
}

bool vcpu_idle(const struct vcpu *vcpu)
{
	return !READ_ONCE(vcpu->running) && READ_ONCE(vcpu->home) == NO_CPU;
}

/* The VMCS is written on the CPU that will run it first; state is that of RESET. */
static struct vcpu *vcpu_new(struct cpu *cpu, struct vm *vm, u64 vmptr12)
{
	struct vcpu *vcpu = vcpu_alloc();

	if (!vcpu)
		return NULL;
	vcpu->vm = vm;
	vcpu->vmptr12 = vmptr12;
	vcpu->home = NO_CPU;
	vcpu->last_cpu = NO_CPU;
	vcpu->apic_id = NO_APIC_ID;
	spin_lock(&vm->lock);
	if (vm->nr_vcpus < vm->policy.max_vcpus && vm->state < MON_VM_STOPPED) {
		vcpu->index = vm->nr_vcpus;
		vcpu->running = true;
		vcpu->home = cpu->index;
		vm->vcpu[vm->nr_vcpus] = vcpu;
		vm->nr_vcpus++;
	}
	spin_unlock(&vm->lock);
	if (vcpu->home == NO_CPU) {
		vcpu_free(vcpu);
		return NULL;
	}
	vmcs_clear(cpu, &vcpu->vmcs);
	vmcs_load(cpu, &vcpu->vmcs);
	vmcs_write_host_state(cpu);
	vcpu_switch_new(vcpu);
	constant_controls(vcpu);
	write_reset(vcpu);
	return vcpu;
}

/* One CPU at a time, and the one whose VMCS cache has it. */
static bool claim(struct cpu *cpu, struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	bool ok;

	spin_lock(&vm->lock);
	ok = !vcpu->running && (vcpu->home == NO_CPU || vcpu->home == cpu->index) &&
	     vm->state != MON_VM_DYING;
	if (ok) {
		vcpu->running = true;
		vcpu->home = cpu->index;
	}
	spin_unlock(&vm->lock);
	return ok;
}

void vcpu_vmclear(struct cpu *cpu, u64 vmptr12)
{
	u32 i, j;

	for (i = 0; i < VM_MAX; i++) {
		struct vm *vm = vm_at(i);

		for (j = 0; vm && j < vm->nr_vcpus; j++) {
			struct vcpu *vcpu = vm->vcpu[j];

			if (vcpu->vmptr12 != vmptr12 || vcpu->home != cpu->index)
				continue;
			vmcs_clear(cpu, &vcpu->vmcs);
			WRITE_ONCE(vcpu->home, NO_CPU);
		}
	}
	vmcs_load(cpu, &cpu->vmcs01);
}

/* VMCLEAR what this CPU has loaded of VMs that are as far as @state. */
static void clear_loaded(struct cpu *cpu, u32 state)
{
	u32 i, j;

	for (i = 0; i < VM_MAX; i++) {
		struct vm *vm = vm_at(i);

		for (j = 0; vm && vm->state >= state && j < vm->nr_vcpus; j++) {
			struct vcpu *vcpu = vm->vcpu[j];

			if (vcpu->home != cpu->index)
				continue;
			vmcs_clear(cpu, &vcpu->vmcs);
			WRITE_ONCE(vcpu->home, NO_CPU);
		}
	}
	vmcs_load(cpu, &cpu->vmcs01);
}

void vcpu_clear_dying(struct cpu *cpu)
{
	clear_loaded(cpu, MON_VM_DYING);
}

void vcpu_clear_all(struct cpu *cpu)
{
	clear_loaded(cpu, MON_VM_ARMED);
}

/* ---- start ---- */

/*
 * The first vCPU starts at the reset vector, any other where the guest's own
 * SIPI says. The host tells by CS, as KVM writes it, which SIPI it means.
 */
static bool is_sipi_state(const struct vmcs12 *v)
{
	return v->guest_rip == 0 && v->guest_cs_base == (u64)v->guest_cs_selector << 4 &&
	       !(v->guest_cs_selector & 0xff);
}

static bool start_by_sipi(struct vcpu *vcpu, const struct vmcs12 *v)
{
	u8 vector = v->guest_cs_selector >> 8;

	if (!vm_take_startup(vcpu->vm, vcpu->apic_id, vector))
		return false;
	write_reset(vcpu);
	vmcs_write_sipi(vector);
	return true;
}

/* True: all firmware is in, or was. */
static bool load_firmware(struct cpu *cpu, struct vcpu *vcpu)
{
	struct vm *vm = vcpu->vm;
	u32 pages;
	void *page;
	u64 gpa;

	if (vm->state == MON_VM_ARMED)
		vm_load_begin(vm);
	for (pages = 0; vm->state == MON_VM_LOADING && vm_load_next(vm, &gpa); pages++) {
		page = host_page(cpu, vcpu, gpa, false);
		if (!page)
			return false;
		if (pages == PAGES_MEASURED_PER_ENTRY) {
			struct shown shown = { .reason = EXIT_EPT_VIOLATION, .gpa = gpa,
					       .qualification = EPT_QUAL_READ };

			present(cpu, vcpu, &shown);
			return false;
		}
		if (vm_load_page(vm, page)) {
			present_stop(cpu, vcpu, MON_VM_STOP_NO_FRAMES, gpa);
			return false;
		}
	}
	return true;
}

/* ---- events ---- */

static bool can_take_interrupt(void)
{
	return (vmread(GUEST_RFLAGS) & RFLAGS_IF) &&
	       !(vmread(GUEST_INTERRUPTIBILITY_INFO) & (INTR_STATE_STI | INTR_STATE_MOV_SS));
}

static void inject_raw(u32 info, u32 code, u32 length)
{
	vmwrite(VM_ENTRY_INTR_INFO, info & ~INTR_INFO_RESERVED);
	vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, code);
	vmwrite(VM_ENTRY_INSTRUCTION_LEN, length);
}

/*
 * In real mode the firmware has its devices where exceptions are later. An
 * interrupt at the vector of a system call would look like one (CVE-2024-25744).
 */
static bool is_device_vector(u32 vector)
{
	if (!(vmread(GUEST_CR0) & CR0_PE))
		return true;
	return vector >= FIRST_DEVICE_VECTOR && vector != LINUX_SYSCALL_VECTOR;
}

/*
 * What the host may inject at some time: device interrupts, and NMIs. An exception only
 * as the answer to an instruction (op_resume() has taken that already).
 */
bool host_event_known(u32 info)
{
	u32 vector = info & INTR_INFO_VECTOR;

	if (info & INTR_INFO_ERROR_CODE)
		return false;
	switch (info & INTR_INFO_TYPE) {
	case INTR_TYPE_EXT:
		return is_device_vector(vector);
	case INTR_TYPE_NMI:
		return vector == VECTOR_NMI;
	default:
		return false;
	}
}

/* And now: interrupts while the guest has them enabled, NMIs while they are not blocked. */
bool host_event_ok(u32 info)
{
	if (!host_event_known(info))
		return false;
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_EXT)
		return can_take_interrupt();
	return !(vmread(GUEST_INTERRUPTIBILITY_INFO) & (INTR_STATE_NMI | INTR_STATE_MOV_SS));
}

/*
 * The guest's own interrupted event goes first; the host's waits for its window. It has to
 * be one that the host may inject all the same, for nobody refuses it then.
 */
static bool take_events(struct vcpu *vcpu, u32 host_event)
{
	bool own = vmread(VM_ENTRY_INTR_INFO) & INTR_INFO_VALID;

	if (host_event & INTR_INFO_VALID) {
		bool waits = own || vcpu->reinject;

		if (waits ? !host_event_known(host_event) : !host_event_ok(host_event))
			return false;
		vcpu->held = host_event;
	}
	if (vcpu->reinject && !own) {
		inject_raw(vcpu->reinject, vcpu->reinject_code, vcpu->reinject_len);
		vcpu->reinject = 0;
		own = true;
	}
	if (vcpu->held && !own && host_event_ok(vcpu->held)) {
		inject_raw(vcpu->held, 0, 0);
		vcpu->held = 0;
	}
	if (vcpu->held)
		vmwrite(CPU_BASED_VM_EXEC_CONTROL,
			vmread(CPU_BASED_VM_EXEC_CONTROL) | CPU_INTR_WINDOW_EXITING);
	return true;
}

/* ---- entry ---- */

static void flush_if_moved(struct cpu *cpu, struct vcpu *vcpu)
{
	struct {
		u64 vpid, la;
	} one = { vmread(VIRTUAL_PROCESSOR_ID), 0 };
	bool failed;

	if (vcpu->last_cpu == cpu->index)
		return;
	vcpu->last_cpu = cpu->index;
	asm volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(one), "r"(1ULL) : "memory");
	MONITOR_BUG_ON(failed);
	/* Host state names this CPU's tables and stack. */
	vmcs_write_host_state(cpu);
}

static void bad_event(struct cpu *cpu, struct vcpu *vcpu, u32 event)
{
	count(MON_CNT_VM_BAD_EVENT);
	present_stop(cpu, vcpu, MON_VM_STOP_BAD_EVENT, event);
}

static void run(struct cpu *cpu, struct vcpu *vcpu)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;
	u32 event = v->vm_entry_intr_info & INTR_INFO_VALID ? v->vm_entry_intr_info : 0;

	vmcs_load(cpu, &vcpu->vmcs);
	controls_from(v);
	if (!take_events(vcpu, event)) {
		bad_event(cpu, vcpu, event);
		return;
	}
	if (!vcpu_virtual_interrupt(v)) {
		bad_event(cpu, vcpu, v->guest_intr_status & 0xff);
		return;
	}
	v->vm_entry_intr_info &= ~INTR_INFO_VALID;
	flush_if_moved(cpu, vcpu);
	mitigate_into_guest();
	vcpu_switch_in(cpu, vcpu);
	cpu->vcpu = vcpu;
}

/* Why there is no vCPU to go on with. */
enum no_vcpu { HAVE_VCPU, REFUSED, PRESENTED };

static enum no_vcpu vcpu_of_entry(struct cpu *cpu, struct vm *vm, const struct l1_regs *l1,
				  struct vcpu **out)
{
	const struct vmcs12 *v = &cpu->nested.vmcs12;
	struct vcpu *vcpu = vcpu_find(vm, cpu->nested.vmptr12);

	*out = vcpu;
	if (vcpu && !claim(cpu, vcpu))
		return REFUSED;
	if (!vcpu)
		*out = vcpu_new(cpu, vm, cpu->nested.vmptr12);
	if (!*out)
		return REFUSED;
	(*out)->l1 = *l1;
	vmcs_load(cpu, &(*out)->vmcs);
	if (is_sipi_state(v) && start_by_sipi(*out, v))
		return HAVE_VCPU;
	/* Which one is the first was decided under the lock: two CPUs may be here at once. */
	if (!vcpu && (*out)->index) {
		present_stop(cpu, *out, MON_VM_STOP_BAD_START, v->guest_cs_selector);
		return PRESENTED;
	}
	return HAVE_VCPU;
}

/* Controls without which the host's own interrupts would be the guest's to keep. */
static bool host_gets_interrupts(const struct vmcs12 *v)
{
	u32 need = PIN_EXT_INTR_EXITING | PIN_NMI_EXITING;

	return (v->pin_based_vm_exec_control & need) == need && vmcs12_has_ept(v) &&
	       (v->vm_exit_controls & EXIT_ACK_INTR);
}

bool vcpu_vmentry(struct cpu *cpu, const struct l1_regs *l1)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;
	struct vm *vm = vm_of_process(v->host_cr3);
	enum no_vcpu got = REFUSED;
	struct vcpu *vcpu = NULL;

	if (!vm)
		return false;
	if (host_gets_interrupts(v) && msr_bitmap_pa)
		got = vcpu_of_entry(cpu, vm, l1, &vcpu);
	if (got == REFUSED) {
		count(MON_CNT_VM_BAD_STATE);
		vmcs_load(cpu, &cpu->vmcs01);
		vmx_fail(cpu, VMXERR_ENTRY_CONTROLS);
	}
	if (got != HAVE_VCPU)
		return true;
	if (!load_firmware(cpu, vcpu))
		return true;
	/* Also by another CPU while this one loaded: then not all is in. */
	if (vm->state >= MON_VM_STOPPED) {
		present_stop(cpu, vcpu, MON_VM_STOP_NONE, 0);
		return true;
	}
	if (vcpu->op.kind != OP_NONE && !op_resume(cpu, vcpu))
		return true;
	if (!devices_before_entry(cpu, vcpu))
		return true;
	run(cpu, vcpu);
	return true;
}

/* ---- exits ---- */

/* An exit while an event was delivered: deliver it again at the next entry. */
static void keep_interrupted_event(struct vcpu *vcpu)
{
	u32 info = (u32)vmread(IDT_VECTORING_INFO);

	vmwrite(VM_ENTRY_INTR_INFO, 0);
	if (!(info & INTR_INFO_VALID))
		return;
	vcpu->reinject = info & ~INTR_INFO_RESERVED;
	vcpu->reinject_code =
		info & INTR_INFO_ERROR_CODE ? (u32)vmread(IDT_VECTORING_ERROR_CODE) : 0;
	vcpu->reinject_len = (u32)vmread(VM_EXIT_INSTRUCTION_LEN);
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			vmread(GUEST_INTERRUPTIBILITY_INFO) & ~INTR_STATE_NMI);
}

/* The exit was the host's business alone. */
static void reflect(struct cpu *cpu, struct vcpu *vcpu, u32 reason)
{
	struct shown shown = { .reason = reason };

	if (reason == EXIT_EXTERNAL_INTERRUPT || reason == EXIT_EXCEPTION_NMI) {
		shown.intr_info = (u32)vmread(VM_EXIT_INTR_INFO) & ~INTR_INFO_UNBLOCK_NMI;
		shown.nmi = (shown.intr_info & INTR_INFO_TYPE) == INTR_TYPE_NMI;
	}
	present(cpu, vcpu, &shown);
}

/*
 * #AC and #DB are taken from the guest only because it could keep a CPU for
 * ever in their delivery; it gets them back. DR6 is the CPU's to set, and at
 * an exit it is not (SDM 28.1).
 */
static void exception(struct cpu *cpu, struct vcpu *vcpu)
{
	u32 info = (u32)vmread(VM_EXIT_INTR_INFO), vector = info & INTR_INFO_VECTOR;
	u64 dr6;

	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI || vector == VECTOR_MC) {
		reflect(cpu, vcpu, EXIT_EXCEPTION_NMI);
		return;
	}
	if (vector == VECTOR_DB) {
		asm volatile("movq %%dr6, %0" : "=r"(dr6));
		dr6 = (dr6 & ~0xfULL) | (vmread(EXIT_QUALIFICATION) & 0x600f);
		asm volatile("movq %0, %%dr6" : : "r"(dr6));
	}
	/* An interrupt whose delivery raised it is delivered after it. */
	if ((vcpu->reinject & INTR_INFO_TYPE) == INTR_TYPE_EXT)
		vcpu->held = vcpu->reinject;
	vcpu->reinject = 0;
	inject_raw(info, info & INTR_INFO_ERROR_CODE ? (u32)vmread(VM_EXIT_INTR_ERROR_CODE) : 0,
		   (u32)vmread(VM_EXIT_INSTRUCTION_LEN));
}

/* The host is entered, so that it can donate; then the guest tries again. */
static void wait_for_frame(struct cpu *cpu, struct vcpu *vcpu)
{
	count(MON_CNT_POOL_EMPTY);
	present_nothing(cpu, vcpu);
}

/*
 * #GP for the instruction, or the event in whose delivery it happened; only an
 * interrupt is kept for later.
 */
static void refuse_access(struct vcpu *vcpu)
{
	if ((vcpu->reinject & INTR_INFO_TYPE) == INTR_TYPE_EXT)
		vcpu->held = vcpu->reinject;
	vcpu->reinject = 0;
	count(MON_CNT_WINDOW_REFUSED);
	inject_gp();
}

/*
 * A page that is shared with the VM is mapped at its first touch. Where none is
 * (any more) is no device all the same: what the guest writes there is not the host's to see.
 */
static void window_violation(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, u64 qualification)
{
	u64 mapped_as = qualification >> EPT_QUAL_PERM_SHIFT & EPT_RWX;

	switch (share_touch(vcpu->vm->id, gpa)) {
	case NPT_OK:
		return;
	case NPT_EEXIST: /* by another vCPU, just now, unless it was there for less */
		if (!mapped_as)
			return;
		break;
	case NPT_EPOOL:
		wait_for_frame(cpu, vcpu);
		return;
	}
	refuse_access(vcpu);
}

/* Private memory is made on first touch; anything else is a device. */
static void ept_violation(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 gpa = vmread(GUEST_PHYSICAL_ADDRESS), qualification = vmread(EXIT_QUALIFICATION);
	bool write = qualification & EPT_QUAL_WRITE;
	int err;

	if (vm_in_window(vcpu->vm, gpa)) {
		window_violation(cpu, vcpu, gpa, qualification);
		return;
	}
	if (vm_page(vcpu->vm, gpa, write, &err))
		return;
	if (err == NPT_EPOOL || err == NPT_EQUOTA) {
		wait_for_frame(cpu, vcpu);
		return;
	}
	if (qualification & EPT_QUAL_FETCH) {
		present_stop(cpu, vcpu, MON_VM_STOP_BAD_MEMORY, gpa);
		return;
	}
	mmio_start(cpu, vcpu, gpa);
}

/* The guest can take an interrupt, or its TPR has gone down: what waited for that? */
static void evaluate_again(struct cpu *cpu, struct vcpu *vcpu)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;

	controls_from(v);
	if (!vcpu_virtual_interrupt(v))
		bad_event(cpu, vcpu, v->guest_intr_status & 0xff);
}

static void interrupt_window(struct cpu *cpu, struct vcpu *vcpu)
{
	u32 cpu12 = cpu->nested.vmcs12.cpu_based_vm_exec_control;

	if (vcpu->held && !(vmread(VM_ENTRY_INTR_INFO) & INTR_INFO_VALID)) {
		bool known = host_event_known(vcpu->held), now = host_event_ok(vcpu->held);

		/* In another mode the vector may mean something else by now. */
		if (!known)
			count(MON_CNT_VM_BAD_EVENT);
		if (now)
			inject_raw(vcpu->held, 0, 0);
		if (now || !known)
			vcpu->held = 0;
		evaluate_again(cpu, vcpu);
	} else if (cpu12 & CPU_INTR_WINDOW_EXITING) {
		reflect(cpu, vcpu, EXIT_INTERRUPT_WINDOW);
	} else {
		evaluate_again(cpu, vcpu);
	}
}

static void tpr_below_threshold(struct cpu *cpu, struct vcpu *vcpu)
{
	if (vcpu_delivers(&cpu->nested.vmcs12))
		evaluate_again(cpu, vcpu);
	else
		reflect(cpu, vcpu, EXIT_TPR_BELOW_THRESHOLD);
}

static void dispatch(struct cpu *cpu, struct vcpu *vcpu, u32 reason)
{
	switch (reason) {
	case EXIT_EXTERNAL_INTERRUPT:
	case EXIT_NMI_WINDOW:
	case EXIT_PREEMPTION_TIMER:
		reflect(cpu, vcpu, reason);
		break;
	case EXIT_TPR_BELOW_THRESHOLD:
		tpr_below_threshold(cpu, vcpu);
		break;
	case EXIT_EXCEPTION_NMI:
		exception(cpu, vcpu);
		break;
	case EXIT_INTERRUPT_WINDOW:
		interrupt_window(cpu, vcpu);
		break;
	case EXIT_EPT_VIOLATION:
		ept_violation(cpu, vcpu);
		break;
	case EXIT_CPUID:
	case EXIT_HLT:
	case EXIT_PAUSE:
	case EXIT_MSR_READ:
	case EXIT_MSR_WRITE:
	case EXIT_IO_INSTRUCTION:
		op_start(cpu, vcpu, reason);
		break;
	case EXIT_CR_ACCESS:
		vcpu_cr_access(cpu, vcpu);
		break;
	case EXIT_XSETBV:
		vcpu_xsetbv(cpu, vcpu);
		break;
	case EXIT_INVD:
	case EXIT_WBINVD: /* its memory is coherent: no device sees it */
		advance_rip();
		break;
	case EXIT_VMCALL:
		guest_hypercall(cpu, vcpu);
		break;
	case EXIT_RDPMC:
		inject_gp();
		break;
	case EXIT_MONITOR:
	case EXIT_MWAIT:
	case EXIT_GETSEC:
	case EXIT_VMCLEAR ... EXIT_VMXON:
	case EXIT_INVEPT:
	case EXIT_INVVPID:
		inject_ud();
		break;
	case EXIT_TRIPLE_FAULT:
		present_stop(cpu, vcpu, MON_VM_STOP_SHUTDOWN, 0);
		break;
	default:
		present_stop(cpu, vcpu, MON_VM_STOP_UNEXPECTED_EXIT, reason);
	}
}

/*
 * Answered here: the guest goes on, with what was interrupted first. But the host may have
 * given away meanwhile the page that the CPU puts the guest's CR8 into, and this CPU has
 * passed the epoch: then the host is entered, and refused the next entry until it names another.
 */
static void go_on(struct cpu *cpu, struct vcpu *vcpu)
{
	if (!nested_addresses_ok(&cpu->nested)) {
		present_nothing(cpu, vcpu);
		return;
	}
	if (vcpu->reinject && !(vmread(VM_ENTRY_INTR_INFO) & INTR_INFO_VALID)) {
		inject_raw(vcpu->reinject, vcpu->reinject_code, vcpu->reinject_len);
		vcpu->reinject = 0;
	}
}

void vcpu_exit(struct cpu *cpu, u32 full)
{
	struct vcpu *vcpu = cpu->vcpu;

	vcpu->vm->exits++;
	if (full & EXIT_REASON_ENTRY_FAILURE) {
		present_stop(cpu, vcpu, MON_VM_STOP_ENTRY_FAILED, full);
		return;
	}
	keep_interrupted_event(vcpu);
	dispatch(cpu, vcpu, full);
	if (cpu->vcpu)
		go_on(cpu, vcpu);
}

/* The guest has not been entered: what was to be injected is kept. */
void vcpu_deliver_events(struct cpu *cpu)
{
	struct vcpu *vcpu = cpu->vcpu;
	struct shown shown = { .reason = EXIT_EXCEPTION_NMI };
	u32 pending = (u32)vmread(VM_ENTRY_INTR_INFO);

	if (pending & INTR_INFO_VALID) {
		vcpu->reinject = pending;
		vcpu->reinject_code = (u32)vmread(VM_ENTRY_EXCEPTION_ERROR_CODE);
		vcpu->reinject_len = (u32)vmread(VM_ENTRY_INSTRUCTION_LEN);
		vmwrite(VM_ENTRY_INTR_INFO, 0);
	}
	if (cpu->events & EVENT_MCE) {
		events_clear(cpu, EVENT_MCE);
		shown.intr_info = INTR_INFO_MC;
	} else {
		events_clear(cpu, EVENT_NMI);
		shown.intr_info = VECTOR_NMI | INTR_TYPE_NMI | INTR_INFO_VALID;
		shown.nmi = true;
	}
	present(cpu, vcpu, &shown);
}

void vcpu_entry_failed(struct cpu *cpu, u32 error)
{
	present_stop(cpu, cpu->vcpu, MON_VM_STOP_ENTRY_FAILED, error);
}
