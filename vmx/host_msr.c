// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that the host does not reach directly. All others are its own, live:
 * root mode neither uses nor changes them.
 */
#include "cpu.h"
#include "../npt/npt.h"

#define MSR_APIC_BASE 0x1b
#define MSR_FEAT_CTL 0x3a
#define MSR_UCODE_WRITE 0x79
#define MSR_MISC_ENABLE 0x1a0
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_RTIT_FIRST 0x560
#define MSR_RTIT_LAST 0x571
#define MSR_VMX_FIRST 0x480
#define MSR_VMX_LAST 0x493

#define APIC_BASE_ADDR GENMASK(51, 12)
#define FEAT_CTL_LOCKED BIT(0)
#define FEAT_CTL_VMX BIT(2)
/* CPUID stops at leaf 2; no-execute is a reserved bit, also of the monitor's own tables. */
#define MISC_ENABLE_FIXED (BIT(22) | BIT(34))

struct msr_range {
	u16 first, last;
};

/*
 * EPT01 has the memory types of launch, and root mode runs under the registers themselves:
 * they keep what they had. So do those with which the CPU writes to memory by itself: PEBS, whose
 * record may be due when an exit comes, to a linear address of the host's choice; and hardware
 * feedback, to a physical one (SDM 15.6). The host's write is dropped and counted.
 */
static const struct msr_range kept[] = {
	{ 0x200, 0x21f }, { 0x250, 0x26f }, { 0x2ff, 0x2ff }, /* MTRRs */
	{ MSR_PEBS_ENABLE, MSR_PEBS_ENABLE },
	{ 0x17d0, MSR_HW_FEEDBACK_CONFIG },
};

/*
 * Never the host's to write: what has a physical address or power over memory, and what firmware
 * should have locked. Processor trace writes to physical addresses, past EPT (SDM 34.2.7).
 */
static const struct msr_range refused[] = {
	{ MSR_FEAT_CTL, MSR_FEAT_CTL },	/* locked */
	{ 0x9b, 0x9b },			/* SMM_MONITOR_CTL */
	{ 0xa0, 0xa1 },			/* SMRR of Core 2 */
	{ 0xed, 0xef },			/* remote action requests: tables by physical address */
	{ 0x150, 0x150 },		/* mailbox: voltage */
	{ 0x1f2, 0x1f7 },		/* SMRR, PRMRR, SMRR2 */
	{ 0x2a0, 0x2a7 },		/* PRMRR_BASE */
	{ 0x2e0, 0x2e0 },		/* NO_EVICT_MODE: the cache is memory */
	{ 0x2f4, 0x2f5 },		/* UNCORE_PRMRR */
	{ MSR_VMX_FIRST, MSR_VMX_LAST },
	{ MSR_RTIT_FIRST, MSR_RTIT_LAST },
	{ 0x982, 0x984 },		/* TME: what encrypts memory */
	{ 0xc80, 0xc80 },		/* DEBUG_INTERFACE */
	{ 0x1400, 0x1401 },		/* SEAMRR */
};

/* SDM 25.6.9: read low, read high, write low, write high; 1 KiB each */
#define BITMAP_WRITE 2048

static u8 *bitmap;

static void intercept(u32 msr, bool read, bool write)
{
	if (read)
		bitmap[msr / 8] |= 1u << (msr % 8);
	if (write)
		bitmap[BITMAP_WRITE + msr / 8] |= 1u << (msr % 8);
}

static void intercept_writes(const struct msr_range *range, u32 nr)
{
	u32 i, msr;

	for (i = 0; i < nr; i++)
		for (msr = range[i].first; msr <= range[i].last; msr++)
			intercept(msr, false, true);
}

static bool is_in(const struct msr_range *range, u32 nr, u32 msr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		if (msr >= range[i].first && msr <= range[i].last)
			return true;
	return false;
}

void monitor_msr_bitmap_init(void)
{
	u64 pfn;
	u32 msr;

	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_VMX);
	spin_unlock(&npt_lock);
	MONITOR_BUG_ON(pfn == INVALID_PFN);
	monitor.msr_bitmap_pa = pfn << PAGE_SHIFT;
	bitmap = frame_ptr(pfn);
	intercept_writes(kept, ARRAY_SIZE(kept));
	intercept_writes(refused, ARRAY_SIZE(refused));
	intercept(MSR_FEAT_CTL, true, false);
	intercept(MSR_APIC_BASE, false, true);
	intercept(MSR_UCODE_WRITE, false, true);
	intercept(MSR_MISC_ENABLE, false, true);
	intercept(MSR_XSS, false, true);
	intercept(MSR_MCG_STATUS, true, true);
	for (msr = MSR_RTIT_FIRST; msr <= MSR_RTIT_LAST; msr++)
		intercept(msr, true, false);
	for (msr = MSR_VMX_FIRST; msr <= MSR_VMX_LAST; msr++)
		intercept(msr, true, false);
	if (vmx_caps.perf_global)
		intercept(MSR_PERF_GLOBAL_CTRL, false, true);
}

const u8 *monitor_msr_bitmap(void)
{
	return bitmap;
}

bool host_msr_read(struct cpu *cpu, u32 msr, u64 *value)
{
	if (msr >= MSR_VMX_FIRST && msr <= MSR_VMX_LAST)
		return nested_msr_read(msr, value);
	if (msr >= MSR_RTIT_FIRST && msr <= MSR_RTIT_LAST)
		return false;
	if (msr == MSR_FEAT_CTL) {
		*value = FEAT_CTL_LOCKED | FEAT_CTL_VMX;
		return true;
	}
	if (msr == MSR_MCG_STATUS) {
		*value = cpu->mcg_status;
		return true;
	}
	if (msr == MSR_PERF_GLOBAL_CTRL && vmx_caps.perf_global) {
		*value = vmread(GUEST_IA32_PERF_GLOBAL_CTRL);
		return true;
	}
	return rdmsr_safe(msr, value);
}

bool host_msr_write(struct cpu *cpu, u32 msr, u64 value)
{
	u64 old;

	if (is_in(refused, ARRAY_SIZE(refused), msr))
		return false;
	if (is_in(kept, ARRAY_SIZE(kept), msr)) {
		if (rdmsr_safe(msr, &old) && old != value)
			count(MON_CNT_BAD_MSR);
		return rdmsr_safe(msr, &old);
	}
	switch (msr) {
	case MSR_APIC_BASE:
		/* It may switch to x2APIC and back, not move over RAM. */
		if (!rdmsr_safe(msr, &old) || ((old ^ value) & APIC_BASE_ADDR))
			return false;
		return wrmsr_safe(msr, value);
	case MSR_MISC_ENABLE:
		if (!rdmsr_safe(msr, &old) || ((old ^ value) & MISC_ENABLE_FIXED))
			return false;
		return wrmsr_safe(msr, value);
	case MSR_UCODE_WRITE:
		/* New microcode under a running monitor: dropped, the revision tells. */
		count(MON_CNT_BAD_MSR);
		return true;
	case MSR_MCG_STATUS:
		cpu->mcg_status = value;
		return true;
	case MSR_XSS:
		/* XRSTORS would load the registers of processor trace (SDM vol 1, 13.5.6). */
		return !(value & XSS_PT) && wrmsr_safe(msr, value);
	case MSR_PERF_GLOBAL_CTRL:
		/*
		 * Never written in root mode: with a counter running, PEBS
		 * would write to a linear address of the host's choice here.
		 */
		if (!vmx_caps.perf_global || (value & ~perf_global_mask))
			return false;
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL, value);
		return true;
	default:
		return wrmsr_safe(msr, value);
	}
}
