// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs that the host does not reach directly. All others are its own, live:
 * root mode neither uses nor changes them.
 */
#include "cpu.h"
#include "../npt/npt.h"

#define MSR_FEAT_CTL 0x3a
#define MSR_APIC_BASE 0x1b
#define MSR_UCODE_WRITE 0x79
#define MSR_MTRR_PHYS_FIRST 0x200
#define MSR_MTRR_PHYS_LAST 0x21f
#define MSR_MTRR_FIX_FIRST 0x250
#define MSR_MTRR_FIX_LAST 0x26f
#define MSR_MTRR_DEF_TYPE 0x2ff
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_RTIT_FIRST 0x560
#define MSR_RTIT_LAST 0x571
#define MSR_VMX_FIRST 0x480
#define MSR_VMX_LAST 0x493
#define MSR_SMM_MONITOR_CTL 0x9b

#define APIC_BASE_ADDR GENMASK(51, 12)
#define FEAT_CTL_LOCKED BIT(0)
#define FEAT_CTL_VMX BIT(2)

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

static void intercept_range(u32 first, u32 last, bool read, bool write)
{
	for (; first <= last; first++)
		intercept(first, read, write);
}

void monitor_msr_bitmap_init(void)
{
	u64 pfn;

	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_VMX);
	spin_unlock(&npt_lock);
	MONITOR_BUG_ON(pfn == INVALID_PFN);
	monitor.msr_bitmap_pa = pfn << PAGE_SHIFT;
	bitmap = frame_ptr(pfn);
	intercept(MSR_FEAT_CTL, true, true);
	intercept(MSR_APIC_BASE, false, true);
	intercept(MSR_UCODE_WRITE, false, true);
	intercept(MSR_SMM_MONITOR_CTL, false, true);
	intercept_range(MSR_MTRR_PHYS_FIRST, MSR_MTRR_PHYS_LAST, false, true);
	intercept_range(MSR_MTRR_FIX_FIRST, MSR_MTRR_FIX_LAST, false, true);
	intercept(MSR_MTRR_DEF_TYPE, false, true);
	/* Processor trace writes to physical addresses, past EPT (SDM 34.2.7). */
	intercept_range(MSR_RTIT_FIRST, MSR_RTIT_LAST, true, true);
	intercept_range(MSR_VMX_FIRST, MSR_VMX_LAST, true, true);
	if (vmx_caps.perf_global)
		intercept(MSR_PERF_GLOBAL_CTRL, false, true);
}

const u8 *monitor_msr_bitmap(void)
{
	return bitmap;
}

bool host_msr_read(struct cpu *cpu, u32 msr, u64 *value)
{
	(void)cpu;
	if (msr >= MSR_VMX_FIRST && msr <= MSR_VMX_LAST)
		return nested_msr_read(msr, value);
	if (msr >= MSR_RTIT_FIRST && msr <= MSR_RTIT_LAST)
		return false;
	if (msr == MSR_FEAT_CTL) {
		*value = FEAT_CTL_LOCKED | FEAT_CTL_VMX;
		return true;
	}
	if (msr == MSR_PERF_GLOBAL_CTRL && vmx_caps.perf_global) {
		*value = vmread(GUEST_IA32_PERF_GLOBAL_CTRL);
		return true;
	}
	return rdmsr_safe(msr, value);
}

static bool is_mtrr(u32 msr)
{
	return (msr >= MSR_MTRR_PHYS_FIRST && msr <= MSR_MTRR_PHYS_LAST) ||
	       (msr >= MSR_MTRR_FIX_FIRST && msr <= MSR_MTRR_FIX_LAST) ||
	       msr == MSR_MTRR_DEF_TYPE;
}

bool host_msr_write(struct cpu *cpu, u32 msr, u64 value)
{
	u64 old;

	(void)cpu;
	/*
	 * EPT01 has the memory types of launch, and root mode runs under the
	 * registers themselves: they keep what they had. The host's PAT goes on
	 * working; a write is dropped and counted.
	 */
	if (is_mtrr(msr)) {
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
	case MSR_UCODE_WRITE:
		/* New microcode under a running monitor: dropped, the revision tells. */
		count(MON_CNT_BAD_MSR);
		return true;
	case MSR_PERF_GLOBAL_CTRL:
		/*
		 * Never written in root mode: with a counter running, PEBS
		 * would write to a linear address of the host's choice here.
		 */
		if (!vmx_caps.perf_global || (value & ~perf_global_mask))
			return false;
		vmwrite(GUEST_IA32_PERF_GLOBAL_CTRL, value);
		return true;
	case MSR_RTIT_FIRST ... MSR_RTIT_LAST:
	case MSR_FEAT_CTL: /* locked */
	case MSR_SMM_MONITOR_CTL:
	case MSR_VMX_FIRST ... MSR_VMX_LAST:
		return false;
	default:
		return wrmsr_safe(msr, value);
	}
}
