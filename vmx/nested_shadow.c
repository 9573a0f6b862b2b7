// SPDX-License-Identifier: GPL-2.0-only
/*
 * The hardware shadow VMCS (SDM 25.10, 26.1.3): the host's VMREAD and VMWRITE
 * of hot fields go there without an exit. It is storage, nothing is run on it;
 * the values come to vmcs12 at the next entry and are checked then like all
 * others. No field with a physical address is in it, nor one of the host's
 * state that has to be checked.
 *
 * It is linked to vmcs01 while the host has a current VMCS, and not VMCLEARed
 * between uses: it is active on this CPU only.
 */
#include "cpu.h"
#include "../npt/frame.h"

bool nested_use_shadow = true;

/* Bit n: VMREAD, VMWRITE of encoding n exits. Set up by the first CPU. */
static u64 vmread_bitmap_pa, vmwrite_bitmap_pa, wide_bitmap_pa;

#define SHADOW_INDICATOR BIT(31)

u32 hot_index(u32 encoding)
{
#define X(name, member)            \
	if (encoding == (name))    \
		return HOT_##name;
	HOT_FIELDS(X)
#undef X
	return HOT_NR;
}

static void allow(u8 *bitmap, u32 encoding)
{
	bitmap[encoding / 8] &= ~(1u << (encoding % 8));
}

static u64 full_bitmap(void)
{
	u64 pfn;

	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_VMX);
	spin_unlock(&npt_lock);
	if (pfn != INVALID_PFN)
		memset(frame_ptr(pfn), 0xff, PAGE_SIZE);
	return pfn;
}

static int bitmaps_init(void)
{
	u64 read = full_bitmap(), wide = full_bitmap(), write = full_bitmap();
	u8 *bits;

	if (read == INVALID_PFN || wide == INVALID_PFN || write == INVALID_PFN)
		return NPT_EPOOL;
	bits = frame_ptr(read);
#define X(name, member)       \
	if (hot_exists(name)) \
		allow(bits, name);
	HOT_FIELDS(X)
	bits = frame_ptr(write);
	HOT_RW_FIELDS(X)
	bits = frame_ptr(wide);
	HOT_RW_FIELDS(X)
	GUEST_FIELDS(X)
#undef X
	wide_bitmap_pa = wide << PAGE_SHIFT;
	vmwrite_bitmap_pa = write << PAGE_SHIFT;
	vmread_bitmap_pa = read << PAGE_SHIFT;
	return NPT_OK;
}

int shadow_init(struct cpu *cpu)
{
	struct vmcs *shadow = &cpu->nested.shadow;

	/* All hot fields have to exist, or their VMWRITE to the shadow VMCS fails. */
	if (!nested_use_shadow || !vmx_caps.shadow_vmcs || !vmx_caps.preemption_timer ||
	    !((vmx_caps.cpu >> 32) & CPU_TPR_SHADOW) ||
	    !((vmx_caps.cpu2 >> 32) & CPU2_PAUSE_LOOP_EXITING))
		return NPT_OK;
	if (!vmread_bitmap_pa && bitmaps_init())
		return NPT_EPOOL;
	if (vmcs_init(shadow))
		return NPT_EPOOL;
	*(u32 *)frame_ptr(shadow->pa >> PAGE_SHIFT) |= SHADOW_INDICATOR;
	return NPT_OK;
}

static void use_bitmaps(u64 for_read, u64 for_write)
{
	vmwrite(VMREAD_BITMAP, for_read);
	vmwrite(VMWRITE_BITMAP, for_write);
}

void shadow_start(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	struct shadow_copy *copy = &n->copy;

	if (!n->shadow.pa)
		return;
	vmcs_clear(cpu, &n->shadow);
	vmcs_load(cpu, &n->shadow);
#define X(name, member)                     \
	copy->member = n->vmcs12.member;    \
	if (hot_exists(name))               \
		vmwrite(name, copy->member);
	HOT_FIELDS(X)
#undef X
	vmcs_load(cpu, &cpu->vmcs01);
	vmwrite(VMCS_LINK_POINTER, n->shadow.pa);
	use_bitmaps(vmread_bitmap_pa, vmwrite_bitmap_pa);
	vmwrite(SECONDARY_VM_EXEC_CONTROL, vmread(SECONDARY_VM_EXEC_CONTROL) | CPU2_SHADOW_VMCS);
	n->shadow_on = true;
}

void shadow_stop(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;

	if (!n->shadow_on)
		return;
	vmwrite(SECONDARY_VM_EXEC_CONTROL,
		vmread(SECONDARY_VM_EXEC_CONTROL) & ~(u64)CPU2_SHADOW_VMCS);
	vmwrite(VMCS_LINK_POINTER, ~0ULL);
	vmcs_clear(cpu, &n->shadow);
	n->shadow_on = false;
	n->shadow_wide = false;
}

/*
 * A host that looks at a second field that is not hot looks at many: KVM reads all segments,
 * and again after each that it writes, to see whether the guest can be entered. Information
 * of the exit is read-only: while it does so, reading that exits.
 */
void shadow_widen(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;

	if (!n->shadow_on || n->shadow_wide)
		return;
	vmcs_load(cpu, &n->shadow);
#define X(name, member) vmwrite(name, n->vmcs12.member);
	GUEST_FIELDS(X)
#undef X
	vmcs_load(cpu, &cpu->vmcs01);
	use_bitmaps(wide_bitmap_pa, wide_bitmap_pa);
	n->shadow_wide = true;
}

void shadow_narrow(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u64 value;

	if (!n->shadow_wide)
		return;
	n->shadow_wide = false;
	use_bitmaps(vmread_bitmap_pa, vmwrite_bitmap_pa);
	vmcs_load(cpu, &n->shadow);
#define X(name, member)                     \
	value = vmread(name);               \
	if (value != n->vmcs12.member) {    \
		n->vmcs12.member = value;   \
		n->dirty |= DIRTY_GUEST;    \
	}
	GUEST_FIELDS(X)
#undef X
	vmcs_load(cpu, &cpu->vmcs01);
}

static void fetched(struct nested *n, enum hot_field field)
{
	n->hot_changed |= BIT(field) & HOT_GUEST_ALL;
	if (BIT(field) & HOT_CONTROL_ALL)
		n->dirty |= DIRTY_CONTROL;
}

void shadow_fetch(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	struct shadow_copy *copy = &n->copy;
	u64 value;

	vmcs_load(cpu, &n->shadow);
#define X(name, member)                                         \
	value = hot_exists(name) ? vmread(name) : copy->member; \
	if (value != copy->member) {                            \
		copy->member = value;                           \
		n->vmcs12.member = value;                       \
		fetched(n, HOT_##name);                         \
	}
	HOT_RW_FIELDS(X)
#undef X
}

void shadow_store(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	struct shadow_copy *copy = &n->copy;

	vmcs_load(cpu, &n->shadow);
#define X(name, member)                                             \
	if (hot_exists(name) && copy->member != n->vmcs12.member) { \
		copy->member = n->vmcs12.member;                    \
		vmwrite(name, copy->member);                        \
	}
	HOT_FIELDS(X)
#undef X
}
