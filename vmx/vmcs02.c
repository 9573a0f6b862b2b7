// SPDX-License-Identifier: GPL-2.0-only
/*
 * vmcs02, what a guest of the host really runs on: the guest's state and the
 * host's wishes from vmcs12, the monitor's own state to come back to, and every
 * address and control checked (check.c) or made here.
 *
 * A round trip that changes nothing but hot fields writes only these: vmcs02
 * keeps the rest of the guest's state, and vmcs12 gets it when asked for.
 */
#include "cpu.h"
#include "../npt/npt.h"

#define PDPTE_FIELDS(X)              \
	X(GUEST_PDPTR0, guest_pdptr0) \
	X(GUEST_PDPTR1, guest_pdptr1) \
	X(GUEST_PDPTR2, guest_pdptr2) \
	X(GUEST_PDPTR3, guest_pdptr3)

#define CR0_PG BIT(31)
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EPTP_WB_4LEVEL (MT_WB | 3ULL << 3)

void vmcs02_init(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;

	vmcs_clear(cpu, &n->vmcs02);
	vmcs_load(cpu, &n->vmcs02);
	vmcs_write_host_state(cpu);
	vmwrite(VM_EXIT_MSR_STORE_COUNT, 0);
	vmwrite(VM_EXIT_MSR_LOAD_COUNT, 0);
	vmwrite(VM_ENTRY_MSR_LOAD_COUNT, 0);
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
	vmwrite(MSR_BITMAP, n->msr_bitmap_pa);
	vmwrite(VM_ENTRY_INTR_INFO, 0);
	n->eptp02 = 0;
	n->dirty = DIRTY_ALL;
	n->hot_changed = 0;
	vmcs_load(cpu, &cpu->vmcs01);
}

/* ---- controls ---- */

static bool timer_on(const struct vmcs12 *v)
{
	return v->pin_based_vm_exec_control & PIN_PREEMPTION_TIMER;
}

/*
 * EFER, PAT, debug and performance registers are always switched by the CPU;
 * whose values come in and what becomes of them is computed (switch_in(),
 * nested_exit.c). The preemption timer is always saved, so that it goes on
 * where it was after an exit that the monitor keeps to itself.
 */
static void write_exit_entry_controls(const struct vmcs12 *v)
{
	u32 exit = EXIT_HOST_ADDR_SPACE_SIZE | EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_EFER |
		   EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT |
		   (v->vm_exit_controls & EXIT_ACK_INTR) |
		   (timer_on(v) ? EXIT_SAVE_PREEMPTION_TIMER : 0) |
		   (vmx_caps.perf_global ? EXIT_LOAD_PERF_GLOBAL_CTRL : 0);
	u32 entry = ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_EFER | ENTRY_LOAD_PAT |
		    (v->vm_entry_controls & ENTRY_IA32E_MODE) |
		    (vmx_caps.perf_global ? ENTRY_LOAD_PERF_GLOBAL_CTRL : 0);

	vmwrite(VM_EXIT_CONTROLS, control_fit(exit, vmx_caps.exit));
	vmwrite(VM_ENTRY_CONTROLS, control_fit(entry, vmx_caps.entry));
}

_Static_assert(offsetof(struct vmcs12, cr3_target_value3) ==
		       offsetof(struct vmcs12, cr3_target_value0) + 3 * sizeof(u64),
	       "CR3 targets are an array");
_Static_assert(offsetof(struct vmcs12, eoi_exit_bitmap3) ==
		       offsetof(struct vmcs12, eoi_exit_bitmap0) + 3 * sizeof(u64),
	       "EOI-exit bitmaps are an array");

/* Fields that exist only with the control they belong to. */
static void write_optional_controls(const struct vmcs12 *v)
{
	u32 cpu = v->cpu_based_vm_exec_control, cpu2 = vmcs12_cpu2(v), i;
	const u64 *target = &v->cr3_target_value0, *eoi_exit = &v->eoi_exit_bitmap0;

	for (i = 0; i < v->cr3_target_count; i++)
		vmwrite(CR3_TARGET_VALUE0 + 2 * i, target[i]);
	if (cpu & CPU_USE_TSC_OFFSETTING)
		vmwrite(TSC_OFFSET, v->tsc_offset);
	if (cpu & CPU_TPR_SHADOW)
		vmwrite(VIRTUAL_APIC_PAGE_ADDR, v->virtual_apic_page_addr);
	if (cpu2 & CPU2_VIRT_APIC_ACCESSES)
		vmwrite(APIC_ACCESS_ADDR, v->apic_access_addr);
	if (cpu2 & CPU2_VIRT_INTR_DELIVERY)
		for (i = 0; i < 4; i++)
			vmwrite(EOI_EXIT_BITMAP0 + 2 * i, eoi_exit[i]);
	if (v->pin_based_vm_exec_control & PIN_POSTED_INTR) {
		vmwrite(POSTED_INTR_NV, v->posted_intr_nv);
		vmwrite(POSTED_INTR_DESC_ADDR, v->posted_intr_desc_addr);
	}
	if (cpu2 & CPU2_TSC_SCALING)
		vmwrite(TSC_MULTIPLIER, v->tsc_multiplier);
	if (cpu2 & CPU2_ENABLE_XSAVES)
		vmwrite(XSS_EXIT_BITMAP, v->xss_exit_bitmap);
	if (cpu2 & CPU2_PAUSE_LOOP_EXITING) {
		vmwrite(PLE_GAP, v->ple_gap);
		vmwrite(PLE_WINDOW, v->ple_window);
	}
}

/*
 * A guest that the host lets at ports has the same exceptions as the host: the
 * monitor's bitmaps, or both merged. With a bitmap the CPU does not look at
 * "unconditional I/O exiting" (SDM 25.6.2).
 */
static u32 write_io_controls(const struct nested *n)
{
	u32 cpu = n->vmcs12.cpu_based_vm_exec_control;
	u64 a = n->io_bitmap_pa[0], b = n->io_bitmap_pa[1];

	if ((cpu & CPU_UNCOND_IO_EXITING) && !(cpu & CPU_USE_IO_BITMAPS))
		return 0;
	if (!(cpu & CPU_USE_IO_BITMAPS))
		ports_bitmaps(&a, &b);
	vmwrite(IO_BITMAP_A, a);
	vmwrite(IO_BITMAP_B, b);
	return CPU_USE_IO_BITMAPS;
}

static void write_controls(const struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;

	vmwrite(PIN_BASED_VM_EXEC_CONTROL, v->pin_based_vm_exec_control);
	vmwrite(CPU_BASED_VM_EXEC_CONTROL, v->cpu_based_vm_exec_control | CPU_SECONDARY_CONTROLS |
						   write_io_controls(n));
	vmwrite(SECONDARY_VM_EXEC_CONTROL, vmcs12_cpu2(v) | CPU2_ENABLE_EPT | CPU2_ENABLE_VPID);
	vmwrite(EXCEPTION_BITMAP, v->exception_bitmap | BIT(VECTOR_MC));
	vmwrite(PAGE_FAULT_ERROR_CODE_MASK, v->page_fault_error_code_mask);
	vmwrite(PAGE_FAULT_ERROR_CODE_MATCH, v->page_fault_error_code_match);
	vmwrite(CR3_TARGET_COUNT, v->cr3_target_count);
	vmwrite(CR0_GUEST_HOST_MASK, v->cr0_guest_host_mask);
	vmwrite(CR0_READ_SHADOW, v->cr0_read_shadow);
	write_optional_controls(v);
	write_exit_entry_controls(v);
}

/* ---- guest state ---- */

static void write_guest(const struct vmcs12 *v)
{
#define X(name, member) vmwrite(name, v->member);
	GUEST_FIELDS(X)
	if (!vmcs12_has_ept(v))
		return;
	PDPTE_FIELDS(X)
#undef X
}

static void write_hot_guest(const struct vmcs12 *v, u32 changed)
{
	if (!changed)
		return;
#define X(name, member)                                    \
	if (changed & BIT(HOT_##name) && hot_exists(name)) \
		vmwrite(name, v->member);
	HOT_GUEST_FIELDS(X)
#undef X
}

/*
 * CR4.MCE is the monitor's (mcheck.c). What a guest has that owns the bit, as far as the host
 * is concerned, is in the read shadow; else it is only in vmcs12, and no guest can change it.
 */
static void write_cr4(const struct vmcs12 *v)
{
	u64 mask = v->cr4_guest_host_mask;
	u64 seen = mask & CR4_MCE ? v->cr4_read_shadow : v->guest_cr4;

	vmwrite(GUEST_CR4, v->guest_cr4 | CR4_MCE);
	vmwrite(CR4_GUEST_HOST_MASK, mask | CR4_MCE);
	vmwrite(CR4_READ_SHADOW, (v->cr4_read_shadow & ~CR4_MCE) | (seen & CR4_MCE));
}

void vmcs02_save_hot(struct nested *n)
{
	struct vmcs12 *v = &n->vmcs12;
	u64 mce = v->cr4_guest_host_mask & CR4_MCE ? v->guest_cr4 : vmread(CR4_READ_SHADOW);

#define X(name, member)       \
	if (hot_exists(name)) \
		v->member = vmread(name);
	HOT_GUEST_FIELDS(X)
#undef X
	v->guest_cr4 = (v->guest_cr4 & ~CR4_MCE) | (mce & CR4_MCE);
	n->exit_controls = v->vm_exit_controls;
	n->exit_ept = vmcs12_has_ept(v);
	n->guest_stale = true;
	if (timer_on(v) && (v->vm_exit_controls & EXIT_SAVE_PREEMPTION_TIMER))
		v->vmx_preemption_timer_value = (u32)vmread(VMX_PREEMPTION_TIMER_VALUE);
}

static void read_pdptes(struct vmcs12 *v)
{
#define X(name, member) v->member = vmread(name);
	PDPTE_FIELDS(X)
#undef X
}

static void read_guest(struct nested *n)
{
	struct vmcs12 *v = &n->vmcs12;

#define X(name, member) v->member = vmread(name);
	GUEST_FIELDS(X)
#undef X
	if (n->exit_ept)
		read_pdptes(v);
	if (n->exit_controls & EXIT_SAVE_DEBUG_CONTROLS) {
		v->guest_dr7 = vmread(GUEST_DR7);
		v->guest_ia32_debugctl = vmread(GUEST_IA32_DEBUGCTL);
	}
	if (n->exit_controls & EXIT_SAVE_EFER)
		v->guest_ia32_efer = vmread(GUEST_IA32_EFER);
	if (n->exit_controls & EXIT_SAVE_PAT)
		v->guest_ia32_pat = vmread(GUEST_IA32_PAT);
}

void nested_sync_guest(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;

	if (!n->guest_stale)
		return;
	vmcs_load(cpu, &n->vmcs02);
	read_guest(n);
	n->guest_stale = false;
	vmcs_load(cpu, &cpu->vmcs01);
}

/*
 * A register that VM entry loads from vmcs12 if @load, and else leaves as the
 * host had it. If the last exit saved it (@saved), vmcs02 holds vmcs12's value.
 */
static void switch_in(struct nested *n, enum vmcs_field field, u64 *value, bool load, bool saved,
		      u64 current)
{
	if (saved && n->guest_stale) {
		if (load)
			return;
		*value = vmread(field);
	}
	vmwrite(field, load ? *value : current);
}

/* SDM 27.3.2.1: without "load IA32_EFER" LMA follows the entry control, and LME if paging is on. */
static u64 efer_not_loaded(const struct vmcs12 *v, u64 efer)
{
	bool long_mode = v->vm_entry_controls & ENTRY_IA32E_MODE;
	u64 follow = v->guest_cr0 & CR0_PG ? EFER_LMA | EFER_LME : EFER_LMA;

	return long_mode ? efer | follow : efer & ~follow;
}

static void write_switched(struct nested *n, const struct l1_regs *l1)
{
	struct vmcs12 *v = &n->vmcs12;
	u32 entry = v->vm_entry_controls, saved = n->exit_controls;

	switch_in(n, GUEST_IA32_EFER, &v->guest_ia32_efer, entry & ENTRY_LOAD_EFER,
		  saved & EXIT_SAVE_EFER, efer_not_loaded(v, l1->efer));
	switch_in(n, GUEST_IA32_PAT, &v->guest_ia32_pat, entry & ENTRY_LOAD_PAT,
		  saved & EXIT_SAVE_PAT, l1->pat);
	switch_in(n, GUEST_DR7, &v->guest_dr7, entry & ENTRY_LOAD_DEBUG_CONTROLS,
		  saved & EXIT_SAVE_DEBUG_CONTROLS, l1->dr7);
	switch_in(n, GUEST_IA32_DEBUGCTL, &v->guest_ia32_debugctl,
		  entry & ENTRY_LOAD_DEBUG_CONTROLS, saved & EXIT_SAVE_DEBUG_CONTROLS,
		  l1->debugctl);
	if (vmx_caps.perf_global)
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL,
			entry & ENTRY_LOAD_PERF_GLOBAL_CTRL ? v->guest_ia32_perf_global_ctrl :
							      l1->perf_global);
}

/* The event first: stale information of a failed entry must not be injected. */
static void write_each_time(const struct vmcs12 *v)
{
	vmwrite(VM_ENTRY_INTR_INFO, v->vm_entry_intr_info);
	if (v->vm_entry_intr_info & INTR_INFO_VALID) {
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, v->vm_entry_exception_error_code);
		vmwrite(VM_ENTRY_INSTRUCTION_LEN, v->vm_entry_instruction_len);
	}
	if (v->cpu_based_vm_exec_control & CPU_TPR_SHADOW)
		vmwrite(TPR_THRESHOLD, v->tpr_threshold);
	if (timer_on(v))
		vmwrite(VMX_PREEMPTION_TIMER_VALUE, v->vmx_preemption_timer_value);
	vmwrite(VIRTUAL_PROCESSOR_ID, vpid02(v));
}

/*
 * A guest without EPT has its page tables checked by the host; for the CPU its
 * physical addresses are those of EPT01. PDPTEs, which entry loads from memory
 * without EPT and from fields with it, are fetched once (SDM 4.4.1, 27.3.2.4).
 */
static void write_pdptes(const struct vmcs12 *v)
{
	const u64 *table;
	u32 i;

	if (vmcs12_has_ept(v) || !(v->guest_cr0 & CR0_PG) || !(v->guest_cr4 & CR4_PAE) ||
	    (v->vm_entry_controls & ENTRY_IA32E_MODE))
		return;
	table = host_ptr(v->guest_cr3 & GENMASK(31, 5), 4 * sizeof(u64));
	for (i = 0; i < 4; i++)
		vmwrite(GUEST_PDPTR0 + 2 * i, table ? READ_ONCE(table[i]) : 0);
}

/* ---- EPT ---- */

/*
 * Asked for at each entry: it moves with every INVEPT and donation. Without a
 * frame for it the guest is entered all the same, on an empty space; it exits
 * at once and the host is told of a violation, until it has donated.
 */
static void refresh_ept(struct nested *n)
{
	u64 eptp;

	if (!vmcs12_has_ept(&n->vmcs12)) {
		eptp = host_npt.root << PAGE_SHIFT | EPTP_WB_4LEVEL;
	} else if (!ept02_get(n->vmcs12.ept_pointer, &eptp)) {
		count(MON_CNT_TABLES_EMPTY);
		eptp = n->empty_ept_pa | EPTP_WB_4LEVEL;
	}
	if (eptp == n->eptp02)
		return;
	n->eptp02 = eptp;
	vmwrite(EPT_POINTER, eptp);
}

bool vmcs02_refresh(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;

	if (!nested_addresses_ok(n))
		return false;
	refresh_ept(n);
	msr_bitmap_merge(n);
	io_bitmap_merge(n);
	return true;
}

void vmcs02_prepare(struct cpu *cpu, const struct l1_regs *l1)
{
	struct nested *n = &cpu->nested;
	const struct vmcs12 *v = &n->vmcs12;

	vmcs_load(cpu, &n->vmcs02);
	if (n->dirty & DIRTY_CONTROL)
		write_controls(n);
	if (n->dirty & DIRTY_GUEST) {
		write_guest(v);
		n->hot_changed = HOT_GUEST_ALL;
	}
	write_hot_guest(v, n->hot_changed);
	if ((n->dirty & DIRTY_CONTROL) || (n->hot_changed & BIT(HOT_GUEST_CR4)))
		write_cr4(v);
	write_switched(n, l1);
	write_each_time(v);
	write_pdptes(v);
	refresh_ept(n);
	msr_bitmap_merge(n);
	io_bitmap_merge(n);
	n->dirty = 0;
	n->hot_changed = 0;
}
