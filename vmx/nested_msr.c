// SPDX-License-Identifier: GPL-2.0-only
/*
 * MSRs of the host's guests.
 *
 * The host's MSR bitmap is live memory: it may change between two entries
 * without a VMWRITE, and an entry has to see it as it is then. Merging all of
 * it each time would cost more than the rest of a round trip. So vmcs02's
 * bitmap intercepts everything but the few words with MSRs that hypervisors let
 * through, which are merged at each entry; an access to any other MSR exits, and
 * the host's bitmap is asked then. Nothing is ever taken from an old bitmap,
 * and a guest's access to an unusual MSR that the host lets through costs an
 * exit to the monitor.
 */
#include "cpu.h"
#include "../npt/frame.h"

/* SDM 25.6.9: read low, read high, write low, write high; 1 KiB, 128 words each */
#define WORDS 128
#define WRITE_WORDS (2 * WORDS)
#define LOW(msr) ((msr) / 64)
#define HIGH(msr) (WORDS + ((msr) - 0xc0000000) / 64)
#define MSR_BITMAP_SPAN 0x2000u
#define MSR_HIGH 0xc0000000u

#define MSR_SYSENTER_CS 0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_DEBUGCTL 0x1d9
#define MSR_PAT 0x277
#define MSR_PERF_GLOBAL_CTRL 0x38f
#define MSR_EFER 0xc0000080
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define MSR_SMM_MONITOR_CTL 0x9b
#define MSR_X2APIC_FIRST 0x800
#define MSR_X2APIC_LAST 0x8ff
#define MSR_X2APIC_TPR 0x808
#define MSR_X2APIC_EOI 0x80b
#define MSR_X2APIC_SELF_IPI 0x83f
#define X2APIC_BIT(msr) BIT((msr) % 64)

/*
 * Every MSR that the CPU switches with the VMCS is in one of these words (but
 * IA32_PERF_GLOBAL_CTRL): the monitor need not know how to emulate it.
 */
static const u16 merged_words[] = {
	LOW(0x10), /* TSC */
	LOW(0x48), /* SPEC_CTRL, PRED_CMD */
	LOW(0x10b), /* FLUSH_CMD */
	LOW(MSR_SYSENTER_CS),
	LOW(0x1c4), /* XFD, XFD_ERR, DEBUGCTL */
	LOW(MSR_PAT),
	LOW(0x3f8), /* core C-state residency */
	LOW(0x660),
	HIGH(MSR_EFER), /* STAR to FMASK too */
	HIGH(MSR_FS_BASE), /* GS, KERNEL_GS, TSC_AUX */
};

/*
 * With "virtualize x2APIC mode" the CPU takes these accesses to the virtual-APIC page. What
 * it would take to the APIC itself exits, whatever the host's bitmap says (SDM 30.5).
 */
static u64 x2apic_virtualized(const struct vmcs12 *v, bool write)
{
	u32 cpu2 = vmcs12_cpu2(v);

	if (!(cpu2 & CPU2_VIRT_X2APIC))
		return 0;
	if (!write)
		return cpu2 & CPU2_APIC_REGISTER_VIRT ? ~0ULL : X2APIC_BIT(MSR_X2APIC_TPR);
	return X2APIC_BIT(MSR_X2APIC_TPR) |
	       (cpu2 & CPU2_VIRT_INTR_DELIVERY ?
			X2APIC_BIT(MSR_X2APIC_EOI) | X2APIC_BIT(MSR_X2APIC_SELF_IPI) : 0);
}

void msr_bitmap_merge(struct nested *n)
{
	const u64 *own = (const u64 *)monitor_msr_bitmap(), *live;
	u64 *merged = frame_ptr(n->msr_bitmap_pa >> PAGE_SHIFT);
	u64 may;
	u32 i, word;

	if (!(n->vmcs12.cpu_based_vm_exec_control & CPU_USE_MSR_BITMAPS))
		return;
	live = host_ptr(n->vmcs12.msr_bitmap, PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(merged_words); i++) {
		word = merged_words[i];
		merged[word] = live ? READ_ONCE(live[word]) | own[word] : ~0ULL;
		word += WRITE_WORDS;
		merged[word] = live ? READ_ONCE(live[word]) | own[word] : ~0ULL;
	}
	word = LOW(MSR_X2APIC_FIRST);
	may = x2apic_virtualized(&n->vmcs12, false);
	merged[word] = live ? READ_ONCE(live[word]) | ~may : ~0ULL;
	word += WRITE_WORDS;
	may = x2apic_virtualized(&n->vmcs12, true);
	merged[word] = live ? READ_ONCE(live[word]) | ~may : ~0ULL;
}

bool host_wants_msr(const struct nested *n, u32 msr, bool write)
{
	u32 byte = write ? 2048 : 0;
	const u8 *live;

	if (!(n->vmcs12.cpu_based_vm_exec_control & CPU_USE_MSR_BITMAPS))
		return true;
	if (msr >= MSR_HIGH && msr - MSR_HIGH < MSR_BITMAP_SPAN) {
		byte += 1024;
		msr -= MSR_HIGH;
	} else if (msr >= MSR_BITMAP_SPAN) {
		return true;
	}
	live = host_ptr(n->vmcs12.msr_bitmap + byte + msr / 8, 1);
	return !live || (READ_ONCE(*live) & 1u << (msr % 8));
}

/* ---- one MSR of whoever is in the current VMCS ---- */

/* Registers that the VMCS holds while the monitor runs; 0 if @msr is not one. */
static enum vmcs_field switched_field(u32 msr)
{
	switch (msr) {
	case MSR_SYSENTER_CS:
		return GUEST_SYSENTER_CS;
	case MSR_SYSENTER_ESP:
		return GUEST_SYSENTER_ESP;
	case MSR_SYSENTER_EIP:
		return GUEST_SYSENTER_EIP;
	case MSR_DEBUGCTL:
		return GUEST_IA32_DEBUGCTL;
	case MSR_PAT:
		return GUEST_IA32_PAT;
	case MSR_EFER:
		return GUEST_IA32_EFER;
	case MSR_FS_BASE:
		return GUEST_FS_BASE;
	case MSR_GS_BASE:
		return GUEST_GS_BASE;
	default:
		return 0;
	}
}

#define EFER_SCE_NXE (BIT(0) | BIT(11))
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define CR0_PG BIT(31)
#define DEBUGCTL_KNOWN 0xffc3ULL

/* As WRMSR does: LMA is not written, and LME cannot be changed while there is paging. */
static bool efer_write(u64 old, u64 value)
{
	u64 may = EFER_SCE_NXE | EFER_LMA;

	if (!(vmread(GUEST_CR0) & CR0_PG))
		may |= EFER_LME;
	if ((value ^ old) & ~may)
		return false;
	vmwrite(GUEST_IA32_EFER, (value & ~EFER_LMA) | (old & EFER_LMA));
	return true;
}

/*
 * What the entry to the VMCS would refuse has to be refused here: for vmcs01
 * there is nobody left to tell.
 */
static bool switched_write(enum vmcs_field field, u64 value)
{
	switch (field) {
	case GUEST_IA32_EFER:
		return efer_write(vmread(field), value);
	case GUEST_IA32_PAT:
		if (!pat_valid(value))
			return false;
		break;
	case GUEST_IA32_DEBUGCTL:
		if (value & ~DEBUGCTL_KNOWN)
			return false;
		break;
	default:
		if (field != GUEST_SYSENTER_CS && !canonical(value, read_cr4()))
			return false;
	}
	vmwrite(field, value);
	return true;
}

/*
 * The registers that the exit switched must not be touched themselves: they
 * are the monitor's now. For the others, nothing that the host could not do.
 */
bool guest_msr_write(struct cpu *cpu, u32 msr, u64 value)
{
	enum vmcs_field field = switched_field(msr);

	if (msr == MSR_PERF_GLOBAL_CTRL && (value & ~perf_global_mask))
		return false;
	return field ? switched_write(field, value) : host_msr_write(cpu, msr, value);
}

bool guest_msr_read(struct cpu *cpu, u32 msr, u64 *value)
{
	enum vmcs_field field = switched_field(msr);

	if (!field)
		return host_msr_read(cpu, msr, value);
	*value = vmread(field);
	return true;
}

/* ---- lists ---- */

/* SDM 27.4: what a list may not load. */
static bool never_loaded(u32 msr)
{
	return msr == MSR_FS_BASE || msr == MSR_GS_BASE || msr == MSR_SMM_MONITOR_CTL ||
	       (msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST);
}

static bool never_stored(u32 msr)
{
	return msr >= MSR_X2APIC_FIRST && msr <= MSR_X2APIC_LAST;
}

/**
 * struct msr_entry - SDM table 25-16
 */
struct msr_entry {
	u32 index;
	u32 reserved;
	u64 value;
};

u32 msr_list_load(struct cpu *cpu, u64 pa, u32 count)
{
	const struct msr_entry *entry;
	struct msr_entry once;
	u32 i;

	for (i = 0; i < count; i++) {
		entry = host_ptr(pa + i * sizeof(*entry), sizeof(*entry));
		if (!entry)
			return i + 1;
		once.index = READ_ONCE(entry->index);
		once.reserved = READ_ONCE(entry->reserved);
		once.value = READ_ONCE(entry->value);
		if (once.reserved || never_loaded(once.index) ||
		    !guest_msr_write(cpu, once.index, once.value))
			return i + 1;
	}
	return 0;
}

u32 msr_list_store(struct cpu *cpu, u64 pa, u32 count)
{
	struct msr_entry *entry;
	u64 value = 0;
	u32 i, msr;

	for (i = 0; i < count; i++) {
		entry = host_ptr(pa + i * sizeof(*entry), sizeof(*entry));
		if (!entry || READ_ONCE(entry->reserved))
			return i + 1;
		msr = READ_ONCE(entry->index);
		if (never_stored(msr) || !guest_msr_read(cpu, msr, &value))
			return i + 1;
		WRITE_ONCE(entry->value, value);
	}
	return 0;
}
