// SPDX-License-Identifier: GPL-2.0-only
/*
 * Control registers of a confidential VM's vCPU. Paging and long mode are the
 * guest's own business, without an exit; here are the few bits that are not.
 */
#include "switch.h"
#include "vcpu.h"

#define CR0_PE BIT(0)
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)
#define CR0_RESET (CR0_CD | CR0_NW | CR0_ET)
/* Caches stay on: what is private is write-back memory, whatever CD says. */
#define CR0_OWNED (CR0_NE | CR0_NW | CR0_CD)

#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_VMXE BIT(13)
#define CR4_PCIDE BIT(17)
#define CR4_OSXSAVE BIT(18)
/* VME..UMIP less LA57, then FSGSBASE, PCIDE, OSXSAVE, SMEP, SMAP, PKE */
#define CR4_GUEST (0xfffULL | BIT(16) | BIT(17) | BIT(18) | BIT(20) | BIT(21) | BIT(22))
/* Without it a machine check shuts the CPU down (SDM 6.15). The guest sees what it wrote. */
#define CR4_OWNED CR4_MCE
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)
#define CS_LONG BIT(13)

#define XCR0_SSE BIT(1)
#define XCR0_AVX BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))

void vcpu_cr_reset(void)
{
	vmwrite(GUEST_CR0, CR0_ET | CR0_NE);
	vmwrite(CR0_GUEST_HOST_MASK, CR0_OWNED);
	vmwrite(CR0_READ_SHADOW, CR0_RESET);
	vmwrite(GUEST_CR4, CR4_VMXE | CR4_OWNED);
	vmwrite(CR4_GUEST_HOST_MASK, ~(CR4_GUEST & vmx_caps.cr4_fixed1) | CR4_OWNED);
	vmwrite(CR4_READ_SHADOW, 0);
}

/* SDM 4.1.1: turning paging on with LME set enters IA-32e mode, off leaves it. */
static bool follow_paging(u64 old, u64 value)
{
	u64 efer = vmread(GUEST_IA32_EFER), entry = vmread(VM_ENTRY_CONTROLS);
	bool cs_long = vmread(GUEST_CS_AR_BYTES) & CS_LONG;

	if (!((old ^ value) & CR0_PG) || !(efer & EFER_LME))
		return true;
	if (cs_long || ((value & CR0_PG) && !(vmread(GUEST_CR4) & CR4_PAE)))
		return false;
	if (value & CR0_PG) {
		efer |= EFER_LMA;
		entry |= ENTRY_IA32E_MODE;
	} else {
		efer &= ~EFER_LMA;
		entry &= ~ENTRY_IA32E_MODE;
	}
	vmwrite(GUEST_IA32_EFER, efer);
	vmwrite(VM_ENTRY_CONTROLS, entry);
	return true;
}

/* PAE paging loads its four pointers here, not the CPU (SDM 4.4.1). */
static bool load_pdptes(struct vcpu *vcpu, u64 cr0)
{
	u64 cr3 = vmread(GUEST_CR3), pdpte[4];
	u32 i;

	if (!(cr0 & CR0_PG) || !(vmread(GUEST_CR4) & CR4_PAE) ||
	    (vmread(GUEST_IA32_EFER) & EFER_LME))
		return true;
	if (!vm_read(vcpu->vm, cr3 & GENMASK(31, 5), pdpte, sizeof(pdpte)))
		return false;
	for (i = 0; i < 4; i++)
		vmwrite(GUEST_PDPTR0 + 2 * i, pdpte[i]);
	return true;
}

static void write_cr0(struct vcpu *vcpu, u64 value)
{
	u64 old = vmread(GUEST_CR0);
	bool bad = (value >> 32) || ((value & CR0_PG) && !(value & CR0_PE)) ||
		   ((value & CR0_NW) && !(value & CR0_CD));

	if (bad || !follow_paging(old, value) || !load_pdptes(vcpu, value)) {
		inject_gp();
		return;
	}
	vmwrite(CR0_READ_SHADOW, value | CR0_ET);
	vmwrite(GUEST_CR0, (value & ~(CR0_NW | CR0_CD)) | CR0_NE | CR0_ET);
	advance_rip();
}

/*
 * A bit that the guest may not have, or one that only seems to change. Then the instruction
 * is executed again, and finds it as it wants it: all other bits are the CPU's to judge.
 */
static void write_cr4(u64 value)
{
	if (value & ~(CR4_GUEST & vmx_caps.cr4_fixed1))
		inject_gp();
	else
		vmwrite(CR4_READ_SHADOW, value & CR4_OWNED);
}

void vcpu_cr_access(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	u32 cr = qualification & 15, type = (qualification >> 4) & 3;
	u32 reg = (qualification >> 8) & 15;
	u64 value = reg == RSP ? vmread(GUEST_RSP) : cpu->gpr[reg];
	u64 cr0 = (vmread(GUEST_CR0) & ~CR0_OWNED) | (vmread(CR0_READ_SHADOW) & CR0_OWNED);

	if (type == 0 && cr == 0)
		write_cr0(vcpu, value);
	else if (type == 0 && cr == 4)
		write_cr4(value);
	else if (type == 3)
		write_cr0(vcpu, (cr0 & ~0xeULL) | ((qualification >> 16) & 0xf));
	else /* CR8: KVM has a TPR shadow, unless it has no interrupt controller either */
		present_stop(cpu, vcpu, MON_VM_STOP_NO_TPR_SHADOW, qualification);
}

static bool xcr0_ok(u64 v)
{
	u64 avx512 = v & XCR0_AVX512;

	if ((v & ~xcr0_possible) || !(v & XCR0_X87))
		return false;
	if ((v & XCR0_AVX) && !(v & XCR0_SSE))
		return false;
	return !avx512 || (avx512 == XCR0_AVX512 && (v & XCR0_AVX));
}

void vcpu_xsetbv(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 value = (u32)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;

	if ((u32)cpu->gpr[RCX] || !xcr0_ok(value) || !xsetbv_safe(0, value)) {
		inject_gp();
		return;
	}
	vcpu->xcr0 = value;
	advance_rip();
}
