// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's VMX instructions (SDM 31.3), but for entries and invalidations.
 *
 * In non-root operation they exit before their own checks, so these are made
 * here, in the order of the SDM's pseudo code. A host outside 64-bit mode gets
 * #UD: it is not offered anything else (nested_caps.c).
 */
#include "vcpu.h"
#include "../npt/frame.h"

#define RFLAGS_CF BIT(0)
#define RFLAGS_ZF BIT(6)
#define RFLAGS_ARITHMETIC 0x8d5ULL /* CF PF AF ZF SF OF */
#define EFER_LMA BIT(10)
#define CR0_NE BIT(5)
#define CR4_VMXE BIT(13)
#define CS_AR_L BIT(13)
#define SS_AR_DPL(ar) (((ar) >> 5) & 3)

#define INFO_REG1(i) (((i) >> 3) & 15)
#define INFO_IS_REG BIT(10)
#define INFO_REG2(i) (((i) >> 28) & 15)

/* ---- results ---- */

static void set_flags(u64 flags)
{
	vmwrite(GUEST_RFLAGS, (vmread(GUEST_RFLAGS) & ~RFLAGS_ARITHMETIC) | flags);
	advance_rip();
}

void vmx_succeed(void)
{
	set_flags(0);
}

void vmx_fail_invalid(void)
{
	count(MON_CNT_VMX_FAIL);
	set_flags(RFLAGS_CF);
}

/* Without a current VMCS there is nowhere to put the number (SDM 31.2). */
void vmx_fail(struct cpu *cpu, enum vm_instruction_error error)
{
	if (cpu->nested.vmptr12 == NO_VMPTR) {
		vmx_fail_invalid();
		return;
	}
	count(MON_CNT_VMX_FAIL);
	cpu->nested.vmcs12.vm_instruction_error = error;
	set_flags(RFLAGS_ZF);
}

/* ---- state ---- */

static u64 zeroed_frame(void)
{
	u64 pfn;

	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_VMX);
	spin_unlock(&npt_lock);
	return pfn;
}

int nested_cpu_init(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u64 bitmap, root, io_a, io_b;

	n->vmptr12 = NO_VMPTR;
	if (vmcs_init(&n->vmcs02) || shadow_init(cpu))
		return NPT_EPOOL;
	bitmap = zeroed_frame();
	root = zeroed_frame();
	io_a = zeroed_frame();
	io_b = zeroed_frame();
	if (bitmap == INVALID_PFN || root == INVALID_PFN || io_a == INVALID_PFN ||
	    io_b == INVALID_PFN)
		return NPT_EPOOL;
	n->msr_bitmap_pa = bitmap << PAGE_SHIFT;
	n->empty_ept_pa = root << PAGE_SHIFT;
	n->io_bitmap_pa[0] = io_a << PAGE_SHIFT;
	n->io_bitmap_pa[1] = io_b << PAGE_SHIFT;
	memset(frame_ptr(bitmap), 0xff, PAGE_SIZE);
	return NPT_OK;
}

/* The region in the host's memory gets what a CPU could have kept inside. */
static void write_back(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	void *region;

	shadow_narrow(cpu);
	if (n->shadow_on) {
		shadow_fetch(cpu);
		vmcs_load(cpu, &cpu->vmcs01);
	}
	nested_sync_guest(cpu);
	/* A host that gave the frame away has lost the VMCS. */
	region = host_ptr(n->vmptr12, sizeof(n->vmcs12));
	if (region)
		memcpy(region, &n->vmcs12, sizeof(n->vmcs12));
}

static void release_vmcs12(struct cpu *cpu, bool keep)
{
	struct nested *n = &cpu->nested;

	if (n->vmptr12 == NO_VMPTR)
		return;
	if (keep)
		write_back(cpu);
	shadow_stop(cpu);
	n->vmptr12 = NO_VMPTR;
	n->guest_stale = false;
}

static void leave_vmx(struct cpu *cpu, bool keep)
{
	struct nested *n = &cpu->nested;

	vmcs_load(cpu, &cpu->vmcs01);
	release_vmcs12(cpu, keep);
	vmcs_clear(cpu, &n->vmcs02);
	n->vmxon = false;
}

void nested_reset(struct cpu *cpu)
{
	if (cpu->nested.vmxon)
		leave_vmx(cpu, false);
}

/* ---- permission ---- */

static bool mode_ok(void)
{
	return (vmread(GUEST_IA32_EFER) & EFER_LMA) && (vmread(GUEST_CS_AR_BYTES) & CS_AR_L);
}

static bool privileged(void)
{
	if (SS_AR_DPL(vmread(GUEST_SS_AR_BYTES)) == 0)
		return true;
	inject_gp();
	return false;
}

static bool permitted(const struct cpu *cpu)
{
	if (!cpu->nested.vmxon || !mode_ok()) {
		inject_ud();
		return false;
	}
	return privileged();
}

/* Outside unrestricted non-root operation PE and PG have to be 1 (SDM 24.8). */
static bool vmxon_crs_ok(void)
{
	u64 cr0 = (vmread(GUEST_CR0) & ~CR0_NE) | (vmread(CR0_READ_SHADOW) & CR0_NE);

	return fixed_ok(cr0, nested_caps[CAP_CR0_FIXED0], nested_caps[CAP_CR0_FIXED1]) &&
	       fixed_ok(host_cr4(), nested_caps[CAP_CR4_FIXED0], nested_caps[CAP_CR4_FIXED1]);
}

/* ---- VMXON, VMXOFF ---- */

static bool region_ok(u64 pa)
{
	return IS_ALIGNED(pa, PAGE_SIZE) && host_owns(pa, PAGE_SIZE);
}

/*
 * Bits 30:0 the CPU's own revision, bit 31 clear (SDM 25.2). What follows them is
 * the monitor's layout all the same: no region of the host's is loaded by VMPTRLD.
 */
static bool revision_ok(u64 pa)
{
	const u32 *region = host_ptr(pa, sizeof(*region));

	return region && READ_ONCE(*region) == vmx_caps.revision;
}

static void handle_vmxon(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u64 pa;

	if (!(vmread(CR4_READ_SHADOW) & CR4_VMXE) || !mode_ok()) {
		inject_ud();
		return;
	}
	if (!privileged())
		return;
	if (n->vmxon) {
		vmx_fail(cpu, VMXERR_VMXON_IN_ROOT);
		return;
	}
	if (!vmxon_crs_ok()) {
		inject_gp();
		return;
	}
	if (!operand_read(cpu, &pa, sizeof(pa)))
		return;
	if (!region_ok(pa) || !revision_ok(pa)) {
		vmx_fail_invalid();
		return;
	}
	vmcs02_init(cpu);
	n->vmxon = true;
	n->vmxon_ptr = pa;
	n->vmptr12 = NO_VMPTR;
	n->guest_stale = false;
	vmx_succeed();
}

static void handle_vmxoff(struct cpu *cpu)
{
	leave_vmx(cpu, true);
	vmx_succeed();
}

/* ---- VMCLEAR, VMPTRLD, VMPTRST ---- */

static void handle_vmclear(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u32 *launch_state;
	u64 pa;

	if (!operand_read(cpu, &pa, sizeof(pa)))
		return;
	if (!region_ok(pa)) {
		vmx_fail(cpu, VMXERR_VMCLEAR_ADDRESS);
		return;
	}
	if (pa == n->vmxon_ptr) {
		vmx_fail(cpu, VMXERR_VMCLEAR_VMXON_POINTER);
		return;
	}
	if (vm_any())
		vcpu_vmclear(cpu, pa);
	if (pa == n->vmptr12) {
		n->vmcs12.launch_state = VMCS12_CLEAR;
		release_vmcs12(cpu, true);
	} else {
		launch_state = host_ptr(pa + offsetof(struct vmcs12, launch_state), sizeof(u32));
		if (launch_state)
			WRITE_ONCE(*launch_state, VMCS12_CLEAR);
	}
	vmx_succeed();
}

static void load_vmcs12(struct cpu *cpu, u64 pa)
{
	struct nested *n = &cpu->nested;
	const void *region = host_ptr(pa, sizeof(n->vmcs12));

	if (!region) {
		vmx_fail(cpu, VMXERR_VMPTRLD_ADDRESS);
		return;
	}
	release_vmcs12(cpu, true);
	memcpy(&n->vmcs12, region, sizeof(n->vmcs12));
	n->vmcs12.revision = vmx_caps.revision;
	n->vmptr12 = pa;
	n->dirty = DIRTY_ALL;
	n->guest_stale = false;
	shadow_start(cpu);
	vmx_succeed();
}

static void handle_vmptrld(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u64 pa;

	if (!operand_read(cpu, &pa, sizeof(pa)))
		return;
	if (!region_ok(pa))
		vmx_fail(cpu, VMXERR_VMPTRLD_ADDRESS);
	else if (pa == n->vmxon_ptr)
		vmx_fail(cpu, VMXERR_VMPTRLD_VMXON_POINTER);
	else if (!revision_ok(pa))
		vmx_fail(cpu, VMXERR_VMPTRLD_REVISION);
	else if (pa == n->vmptr12)
		vmx_succeed();
	else
		load_vmcs12(cpu, pa);
}

static void handle_vmptrst(struct cpu *cpu)
{
	u64 pa = cpu->nested.vmptr12;

	if (operand_write(cpu, &pa, sizeof(pa)))
		vmx_succeed();
}

/* ---- VMREAD, VMWRITE ---- */

static bool is_hot(u64 encoding)
{
	return hot_index((u32)encoding & ~1u) != HOT_NR;
}

/* Guest state, of which vmcs02 may still have the newer values. */
static bool is_cold_guest(u64 encoding)
{
	return VMCS_FIELD_TYPE(encoding) == VMCS_TYPE_GUEST && !is_hot(encoding);
}

static void handle_vmread(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u64 info = vmread(VM_EXIT_INSTRUCTION_INFO);
	u64 encoding = operand_reg(cpu, INFO_REG2(info)), value;
	u32 offset = vmcs12_offset(encoding);

	if (n->vmptr12 == NO_VMPTR) {
		vmx_fail_invalid();
		return;
	}
	if (!offset) {
		vmx_fail(cpu, VMXERR_UNSUPPORTED_FIELD);
		return;
	}
	if (is_cold_guest(encoding)) {
		if (n->guest_stale)
			nested_sync_guest(cpu);
		else
			shadow_widen(cpu);
	}
	value = vmcs12_get(&n->vmcs12, (u32)encoding, offset);
	if (info & INFO_IS_REG)
		operand_reg_set(cpu, INFO_REG1(info), value);
	else if (!operand_write(cpu, &value, sizeof(value)))
		return;
	vmx_succeed();
}

/* What has to follow before the next entry. */
static void mark_dirty(struct nested *n, u64 encoding)
{
	u32 hot = hot_index((u32)encoding & ~1u);

	if (BIT(hot) & HOT_GUEST_ALL)
		n->hot_changed |= BIT(hot);
	else if (BIT(hot) & HOT_CONTROL_ALL)
		n->dirty |= DIRTY_CONTROL;
	else if (hot != HOT_NR)
		return; /* written every time, or information */
	else if (VMCS_FIELD_TYPE(encoding) == VMCS_TYPE_GUEST)
		n->dirty |= DIRTY_GUEST;
	else if (VMCS_FIELD_TYPE(encoding) == VMCS_TYPE_HOST)
		n->dirty |= DIRTY_HOST;
	else
		n->dirty |= DIRTY_CONTROL | DIRTY_HOST;
}

static void vmwrite12(struct cpu *cpu, u64 encoding, u32 offset, u64 value)
{
	struct nested *n = &cpu->nested;
	bool shadowed = n->shadow_on && is_hot(encoding);
	bool second = is_cold_guest(encoding) && !n->guest_stale;

	if (is_cold_guest(encoding))
		nested_sync_guest(cpu);
	/* A field that hardware carries, but this write of it exited all the same. */
	if (shadowed)
		shadow_fetch(cpu);
	vmcs12_set(&n->vmcs12, (u32)encoding, offset, value);
	mark_dirty(n, encoding);
	if (shadowed) {
		shadow_store(cpu);
		vmcs_load(cpu, &cpu->vmcs01);
	}
	if (second)
		shadow_widen(cpu);
}

static void handle_vmwrite(struct cpu *cpu)
{
	struct nested *n = &cpu->nested;
	u64 info = vmread(VM_EXIT_INSTRUCTION_INFO);
	u64 encoding = operand_reg(cpu, INFO_REG2(info)), value;
	u32 offset = vmcs12_offset(encoding);

	if (n->vmptr12 == NO_VMPTR) {
		vmx_fail_invalid();
		return;
	}
	if (info & INFO_IS_REG)
		value = operand_reg(cpu, INFO_REG1(info));
	else if (!operand_read(cpu, &value, sizeof(value)))
		return;
	if (!offset) {
		vmx_fail(cpu, VMXERR_UNSUPPORTED_FIELD);
		return;
	}
	if (VMCS_FIELD_TYPE(encoding) == VMCS_TYPE_READ_ONLY &&
	    !(nested_caps[CAP_MISC] & MISC_VMWRITE_ANY)) {
		vmx_fail(cpu, VMXERR_READ_ONLY_FIELD);
		return;
	}
	vmwrite12(cpu, encoding, offset, value);
	vmx_succeed();
}

/* ---- dispatch ---- */

void nested_vmx_insn(struct cpu *cpu, u32 reason)
{
	if (reason == EXIT_VMXON) {
		handle_vmxon(cpu);
		return;
	}
	if (!permitted(cpu))
		return;
	switch (reason) {
	case EXIT_VMCLEAR:
		handle_vmclear(cpu);
		break;
	case EXIT_VMLAUNCH:
		nested_vmentry(cpu, true);
		break;
	case EXIT_VMPTRLD:
		handle_vmptrld(cpu);
		break;
	case EXIT_VMPTRST:
		handle_vmptrst(cpu);
		break;
	case EXIT_VMREAD:
		handle_vmread(cpu);
		break;
	case EXIT_VMRESUME:
		nested_vmentry(cpu, false);
		break;
	case EXIT_VMWRITE:
		handle_vmwrite(cpu);
		break;
	case EXIT_VMXOFF:
		handle_vmxoff(cpu);
		break;
	case EXIT_INVEPT:
		nested_invept(cpu);
		break;
	case EXIT_INVVPID:
		nested_invvpid(cpu);
		break;
	default:
		inject_ud();
	}
}
