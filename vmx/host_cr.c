// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writes of the host to CR0 and CR4 that touch a bit the monitor owns: CR0.NE,
 * CR4.VMXE, CR4.SMXE and CR4.MCE. All others never exit.
 */
#include "cpu.h"

#define CR0_PE BIT(0)
#define CR0_NE BIT(5)
#define CR0_ET BIT(4)
#define CR0_WP BIT(16)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR0_PG BIT(31)
#define CR0_FIXED (CR0_PG | CR0_NE | CR0_PE)
#define CR0_LOW32 0xffffffffULL
#define CR4_PAE BIT(5)
#define CR4_MCE BIT(6)
#define CR4_LA57 BIT(12)
#define CR4_VMXE BIT(13)
#define CR4_SMXE BIT(14)
#define CR4_PCIDE BIT(17)
#define CR4_CET BIT(23)
#define EFER_LME BIT(8)
#define EFER_LMA BIT(10)

static u64 gpr_read(struct cpu *cpu, u32 reg)
{
	return reg == RSP ? vmread(GUEST_RSP) : cpu->gpr[reg];
}

static void refuse(void)
{
	count(MON_CNT_BAD_CR);
	inject_gp();
}

/* Paging on or off is where EFER.LMA and the entry control follow LME (SDM 4.1.1). */
static bool cr0_long_mode(u64 value)
{
	u64 efer = vmread(GUEST_IA32_EFER), old = vmread(GUEST_CR0);
	u64 entry = vmread(VM_ENTRY_CONTROLS);

	if (!((old ^ value) & CR0_PG) || !(efer & EFER_LME))
		return true;
	if (value & CR0_PG) {
		if (!(vmread(GUEST_CR4) & CR4_PAE) || (vmread(GUEST_CS_AR_BYTES) & BIT(13)))
			return false;
		efer |= EFER_LMA;
		entry |= ENTRY_IA32E_MODE;
	} else {
		if (vmread(GUEST_CS_AR_BYTES) & BIT(13))
			return false;
		efer &= ~EFER_LMA;
		entry &= ~ENTRY_IA32E_MODE;
	}
	vmwrite(GUEST_IA32_EFER, efer);
	vmwrite(VM_ENTRY_CONTROLS, entry);
	return true;
}

/* A VM entry does not load CD and NW (SDM 27.3.2.1): they are the same in root mode. */
static void set_cache_bits(u64 value)
{
	u64 cr0;

	asm volatile("movq %%cr0, %0" : "=r"(cr0));
	if ((cr0 ^ value) & (CR0_CD | CR0_NW)) {
		cr0 = (cr0 & ~(CR0_CD | CR0_NW)) | (value & (CR0_CD | CR0_NW));
		asm volatile("movq %0, %%cr0" : : "r"(cr0) : "memory");
	}
}

static void write_cr0(struct cpu *cpu, u64 value)
{
	bool bad = (value & ~CR0_LOW32) || ((value & CR0_PG) && !(value & CR0_PE)) ||
		   ((value & CR0_NW) && !(value & CR0_CD)) ||
		   (!(value & CR0_WP) && (vmread(GUEST_CR4) & CR4_CET)) || /* SDM 2.5 */
		   (cpu->nested.vmxon && ~value & CR0_FIXED); /* SDM 24.8 */

	if (bad || !cr0_long_mode(value)) {
		refuse();
		return;
	}
	vmwrite(CR0_READ_SHADOW, value);
	vmwrite(GUEST_CR0, value | CR0_NE | CR0_ET);
	set_cache_bits(value);
	advance_rip();
}

u64 host_cr4(void)
{
	return (vmread(GUEST_CR4) & ~CR4_HOST_OWNED) | (vmread(CR4_READ_SHADOW) & CR4_HOST_OWNED);
}

void host_set_cr4(u64 value)
{
	vmwrite(CR4_READ_SHADOW, value);
	vmwrite(GUEST_CR4, value | CR4_VMXE | CR4_MCE);
}

static void write_cr4(struct cpu *cpu, u64 value)
{
	u64 old = vmread(GUEST_CR4), cr3 = vmread(GUEST_CR3);
	bool lma = vmread(GUEST_IA32_EFER) & EFER_LMA;

	if ((value & ~vmx_caps.cr4_fixed1) || (value & CR4_SMXE) ||
	    (!(value & CR4_VMXE) && cpu->nested.vmxon) ||
	    ((value & CR4_CET) && !(vmread(GUEST_CR0) & CR0_WP)) ||
	    (lma && ((value ^ old) & CR4_LA57)) || (lma && !(value & CR4_PAE)) ||
	    ((value & ~old & CR4_PCIDE) && (!lma || (cr3 & 0xfff)))) {
		refuse();
		return;
	}
	host_set_cr4(value);
	/* A change of PGE, PCIDE, PAE or SMEP drops the TLB (SDM 4.10.4.1). */
	npt_flush_local();
	advance_rip();
}

void host_cr_access(struct cpu *cpu)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	u32 cr = qualification & 15, type = (qualification >> 4) & 3;
	u64 value = gpr_read(cpu, (qualification >> 8) & 15);

	if (type == 0 && cr == 0)
		write_cr0(cpu, value);
	else if (type == 0 && cr == 4)
		write_cr4(cpu, value);
	else if (type == 3) /* LMSW: bits 3:0, PE cannot be cleared; NE is not among them */
		write_cr0(cpu, (vmread(GUEST_CR0) & ~0xeULL & ~CR0_NE) |
			  (vmread(CR0_READ_SHADOW) & CR0_NE) | ((qualification >> 16) & 0xf));
	else
		refuse();
}
