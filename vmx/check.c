// SPDX-License-Identifier: GPL-2.0-only
/*
 * Consistency checks of vmcs12 at VM entry (SDM 27.2, 27.3).
 *
 * Made here: the check of everything that the monitor computes, replaces or
 * loads itself, which is all addresses, the controls against what is offered,
 * and the host's state. All other fields go to vmcs02 as they are, and the CPU
 * checks them there; its verdict becomes the host's.
 */
#include "cpu.h"
#include "../npt/npt.h"

/* One named condition that has to hold; the name of the one that did not is kept. */
#define REQUIRE(n, condition)                       \
	do {                                        \
		if (unlikely(!(condition)))         \
			return refuse(n, #condition); \
	} while (0)

#define CR0_PE BIT(0)
#define CR0_WP BIT(16)
#define CR0_PG BIT(31)
#define CR4_PAE BIT(5)
#define CR4_CET BIT(23)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define EFER_KNOWN (BIT(0) | EFER_LME | EFER_LMA | BIT(11)) /* SCE, NXE */
#define SELECTOR_RPL_TI 7u
#define MSR_LIST_MAX 512 /* IA32_VMX_MISC 27:25 is 0 */
#define MSR_ENTRY_SIZE 16
#define CR3_TARGET_MAX ((u32)(nested_caps[CAP_MISC] >> 16) & 0x1ff)

static bool refuse(struct nested *n, const char *condition)
{
	n->refused = condition;
	count(MON_CNT_ENTRY_REFUSED);
	return false;
}

static bool pa_fits(u64 pa)
{
	return !(pa >> vmx_caps.max_pa_bits);
}

/* The monitor has the paging depth that the host had at launch. */
static bool host_canonical(u64 la)
{
	return canonical(la, read_cr4());
}

/* ---- controls: SDM 27.2.1 ---- */

static bool control_ok(u32 value, enum nested_cap cap)
{
	return control_allowed(value, nested_caps[cap]);
}

static bool msr_list_ok(u64 pa, u32 count)
{
	return !count || (count <= MSR_LIST_MAX && IS_ALIGNED(pa, MSR_ENTRY_SIZE) &&
			  pa_fits(pa) && pa_fits(pa + count * MSR_ENTRY_SIZE - 1));
}

static bool execution_controls_ok(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;
	u32 cpu2 = vmcs12_cpu2(v);

	REQUIRE(n, control_ok(v->pin_based_vm_exec_control, CAP_TRUE_PIN));
	REQUIRE(n, control_ok(v->cpu_based_vm_exec_control, CAP_TRUE_CPU));
	REQUIRE(n, control_ok(cpu2, CAP_CPU2));
	REQUIRE(n, v->cr3_target_count <= CR3_TARGET_MAX);
	REQUIRE(n, !(cpu2 & CPU2_ENABLE_VPID) || v->virtual_processor_id);
	REQUIRE(n, !(cpu2 & CPU2_ENABLE_EPT) || ept02_eptp_valid(v->ept_pointer));
	REQUIRE(n, !(cpu2 & CPU2_UNRESTRICTED_GUEST) || (cpu2 & CPU2_ENABLE_EPT));
	return true;
}

bool nested_controls_ok(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;

	if (!execution_controls_ok(n))
		return false;
	REQUIRE(n, control_ok(v->vm_exit_controls, CAP_TRUE_EXIT));
	REQUIRE(n, control_ok(v->vm_entry_controls, CAP_TRUE_ENTRY));
	if (v->vm_exit_controls & EXIT_SAVE_PREEMPTION_TIMER)
		REQUIRE(n, v->pin_based_vm_exec_control & PIN_PREEMPTION_TIMER);
	REQUIRE(n, msr_list_ok(v->vm_exit_msr_store_addr, v->vm_exit_msr_store_count));
	REQUIRE(n, msr_list_ok(v->vm_exit_msr_load_addr, v->vm_exit_msr_load_count));
	REQUIRE(n, msr_list_ok(v->vm_entry_msr_load_addr, v->vm_entry_msr_load_count));
	return true;
}

/*
 * Pages that the CPU uses by physical address, past any EPT. The host can give
 * such a frame away between two entries, so this is asked at each; a frame is
 * not used by anybody else before this CPU has exited once more.
 */
static bool page_ok(u64 pa)
{
	return IS_ALIGNED(pa, PAGE_SIZE) && host_owns(pa, PAGE_SIZE);
}

static bool list_owned(u64 pa, u32 count)
{
	return !count || host_owns(pa, count * MSR_ENTRY_SIZE);
}

#define POSTED_DESC_SIZE 64

static bool posted_ok(u64 pa)
{
	return IS_ALIGNED(pa, POSTED_DESC_SIZE) && host_owns(pa, POSTED_DESC_SIZE);
}

bool nested_addresses_ok(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;
	u32 cpu = v->cpu_based_vm_exec_control;

	if (cpu & CPU_USE_IO_BITMAPS) {
		REQUIRE(n, page_ok(v->io_bitmap_a));
		REQUIRE(n, page_ok(v->io_bitmap_b));
	}
	if (cpu & CPU_USE_MSR_BITMAPS)
		REQUIRE(n, page_ok(v->msr_bitmap));
	if (cpu & CPU_TPR_SHADOW)
		REQUIRE(n, page_ok(v->virtual_apic_page_addr));
	if (vmcs12_cpu2(v) & CPU2_VIRT_APIC_ACCESSES)
		REQUIRE(n, page_ok(v->apic_access_addr));
	if (v->pin_based_vm_exec_control & PIN_POSTED_INTR)
		REQUIRE(n, posted_ok(v->posted_intr_desc_addr));
	/* Said here, for at the exit it is a VMX abort. */
	REQUIRE(n, list_owned(v->vm_exit_msr_store_addr, v->vm_exit_msr_store_count));
	REQUIRE(n, list_owned(v->vm_exit_msr_load_addr, v->vm_exit_msr_load_count));
	return true;
}

/* ---- host state: SDM 27.2.2 to 27.2.4 ---- */

static bool host_registers_ok(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;
	const u64 lma_lme = EFER_LMA | EFER_LME;

	REQUIRE(n, fixed_ok(v->host_cr0, nested_caps[CAP_CR0_FIXED0],
			    nested_caps[CAP_CR0_FIXED1]));
	REQUIRE(n, (v->host_cr0 & CR0_PE) && (v->host_cr0 & CR0_PG));
	REQUIRE(n, fixed_ok(v->host_cr4, nested_caps[CAP_CR4_FIXED0],
			    nested_caps[CAP_CR4_FIXED1]));
	REQUIRE(n, v->host_cr4 & CR4_PAE);
	REQUIRE(n, !(v->host_cr4 & CR4_CET) || (v->host_cr0 & CR0_WP));
	REQUIRE(n, pa_fits(v->host_cr3));
	REQUIRE(n, host_canonical(v->host_ia32_sysenter_esp));
	REQUIRE(n, host_canonical(v->host_ia32_sysenter_eip));
	REQUIRE(n, host_canonical(v->host_rip));
	if (v->vm_exit_controls & EXIT_LOAD_PAT)
		REQUIRE(n, pat_valid(v->host_ia32_pat));
	if (v->vm_exit_controls & EXIT_LOAD_PERF_GLOBAL_CTRL)
		REQUIRE(n, !(v->host_ia32_perf_global_ctrl & ~perf_global_mask));
	if (v->vm_exit_controls & EXIT_LOAD_EFER) {
		REQUIRE(n, !(v->host_ia32_efer & ~EFER_KNOWN));
		/* "Host address-space size" is 1. */
		REQUIRE(n, (v->host_ia32_efer & lma_lme) == lma_lme);
	}
	return true;
}

static bool host_segments_ok(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;
	u16 selectors = v->host_es_selector | v->host_cs_selector | v->host_ss_selector |
			v->host_ds_selector | v->host_fs_selector | v->host_gs_selector |
			v->host_tr_selector;

	REQUIRE(n, !(selectors & SELECTOR_RPL_TI));
	REQUIRE(n, v->host_cs_selector);
	REQUIRE(n, v->host_tr_selector);
	REQUIRE(n, host_canonical(v->host_fs_base));
	REQUIRE(n, host_canonical(v->host_gs_base));
	REQUIRE(n, host_canonical(v->host_gdtr_base));
	REQUIRE(n, host_canonical(v->host_idtr_base));
	REQUIRE(n, host_canonical(v->host_tr_base));
	return true;
}

bool nested_host_state_ok(struct nested *n)
{
	return host_registers_ok(n) && host_segments_ok(n);
}

/* ---- guest state: SDM 27.3.1, the little that the CPU cannot check for us ---- */

#define QUALIFICATION_LINK_POINTER 4

/* vmcs02 has no link pointer. Shadow VMCSs are not offered (SDM 27.3.1.5). */
static bool link_pointer_ok(const struct nested *n)
{
	u64 pa = n->vmcs12.vmcs_link_pointer;
	const u32 *region;

	if (pa == ~0ULL)
		return true;
	if (!IS_ALIGNED(pa, PAGE_SIZE) || pa == n->vmptr12)
		return false;
	region = host_ptr(pa, sizeof(*region));
	return region && READ_ONCE(*region) == vmx_caps.revision;
}

static bool activity_offered(u32 activity)
{
	u64 misc = nested_caps[CAP_MISC];

	return activity == ACTIVITY_ACTIVE ||
	       (activity == ACTIVITY_HLT && (misc & MISC_ACTIVITY_HLT)) ||
	       (activity == ACTIVITY_SHUTDOWN && (misc & MISC_ACTIVITY_SHUTDOWN));
}

static bool guest_registers_ok(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;

	REQUIRE(n, activity_offered(v->guest_activity_state));
	return true;
}

static bool guest_link_ok(struct nested *n)
{
	REQUIRE(n, link_pointer_ok(n));
	return true;
}

bool nested_guest_state_ok(struct nested *n, u64 *qualification)
{
	*qualification = 0;
	if (!guest_registers_ok(n))
		return false;
	*qualification = QUALIFICATION_LINK_POINTER;
	return guest_link_ok(n);
}
