// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers that VMX leaves as they are at an exit. The guest's are put away
 * before the host sees the CPU, and the host's own come back; vector registers
 * come back in their initial state, since KVM takes what it finds for the
 * guest's.
 */
#include "switch.h"
#include "vcpu.h"

#define XCR0_SSE BIT(1)
#define XCR0_AVX BIT(2)
#define XCR0_AVX512 (BIT(5) | BIT(6) | BIT(7))
#define XCR0_KNOWN (XCR0_X87 | XCR0_SSE | XCR0_AVX | XCR0_AVX512 | XCR0_PKRU)
#define MSR_LBR_CTL 0x14ce
#define CPUID_7_LBR BIT(19)
#define CR4_OSXSAVE BIT(18)
#define CR4_PKE BIT(22)
#define MXCSR_INIT 0x1f80
#define FCW_INIT 0x37f
#define XSAVE_MXCSR 24

static const u32 switched[SWITCHED_MSRS] = {
	0xc0000081, /* STAR */
	0xc0000082, /* LSTAR */
	0xc0000083, /* CSTAR */
	0xc0000084, /* FMASK */
	0xc0000102, /* KERNEL_GS_BASE */
	0xc0000103, /* TSC_AUX */
	0x48,	    /* SPEC_CTRL */
};

u64 xcr0_possible;
static u32 nr_switched;
static bool has_lbr; /* architectural: by a register that no exit or entry of ours clears */
u8 xsave_initial[PAGE_SIZE] __attribute__((aligned(64)));

/* Once, at launch. TSC_AUX goes with RDTSCP, SPEC_CTRL is last for the same reason. */
bool vcpu_switch_possible(void)
{
	u32 a, b, c, d;
	u64 spec;

	cpuid(1, 0, &a, &b, &c, &d);
	if (!(c & BIT(26)))
		return false;
	cpuid(0xd, 0, &a, &b, &c, &d);
	xcr0_possible = (a | (u64)d << 32) & XCR0_KNOWN;
	nr_switched = SWITCHED_MSRS;
	cpuid(7, 0, &a, &b, &c, &d);
	has_lbr = d & CPUID_7_LBR;
	if (!(d & BIT(26)) || !rdmsr_safe(0x48, &spec))
		nr_switched--;
	*(u16 *)xsave_initial = FCW_INIT;
	*(u32 *)(xsave_initial + XSAVE_MXCSR) = MXCSR_INIT;
	return true;
}

void vcpu_switch_new(struct vcpu *vcpu)
{
	u32 i;

	memcpy(frame_ptr(vcpu->xsave_pfn), xsave_initial, PAGE_SIZE);
	vcpu->xcr0 = XCR0_X87;
	vcpu->dr6 = DR6_INIT;
	memset(vcpu->dr, 0, sizeof(vcpu->dr));
	for (i = 0; i < nr_switched; i++) {
		vcpu->guest_msrs[i] = (struct msr_entry){ .index = switched[i] };
		vcpu->host_msrs[i] = (struct msr_entry){ .index = switched[i] };
	}
	/* The lists are in the frame of struct vcpu, at the same offsets. */
	vmwrite(VM_ENTRY_MSR_LOAD_ADDR,
		(vcpu->pfn << PAGE_SHIFT) + offsetof(struct vcpu, guest_msrs));
	vmwrite(VM_EXIT_MSR_STORE_ADDR,
		(vcpu->pfn << PAGE_SHIFT) + offsetof(struct vcpu, guest_msrs));
	vmwrite(VM_EXIT_MSR_LOAD_ADDR,
		(vcpu->pfn << PAGE_SHIFT) + offsetof(struct vcpu, host_msrs));
	vmwrite(VM_ENTRY_MSR_LOAD_COUNT, nr_switched);
	vmwrite(VM_EXIT_MSR_STORE_COUNT, nr_switched);
	vmwrite(VM_EXIT_MSR_LOAD_COUNT, nr_switched);
}

static u32 rdpkru(void)
{
	u32 a, d;

	asm volatile("rdpkru" : "=a"(a), "=d"(d) : "c"(0));
	return a;
}

static void wrpkru(u32 value)
{
	asm volatile("wrpkru" : : "a"(value), "c"(0), "d"(0));
}

static bool has_pkru(void)
{
	u64 cr4;

	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	return cr4 & CR4_PKE;
}

#define GET_DR(n, v) asm volatile("movq %%dr" #n ", %0" : "=r"(v))
#define SET_DR(n, v) asm volatile("movq %0, %%dr" #n : : "r"(v))

static void get_drs(u64 dr[4], u64 *dr6)
{
	GET_DR(0, dr[0]);
	GET_DR(1, dr[1]);
	GET_DR(2, dr[2]);
	GET_DR(3, dr[3]);
	GET_DR(6, *dr6);
}

void set_drs(const u64 dr[4], u64 dr6)
{
	SET_DR(0, dr[0]);
	SET_DR(1, dr[1]);
	SET_DR(2, dr[2]);
	SET_DR(3, dr[3]);
	SET_DR(6, dr6);
}

u64 lbr_stop(void)
{
	u64 control = has_lbr ? rdmsr(MSR_LBR_CTL) : 0;

	if (control)
		wrmsr(MSR_LBR_CTL, 0);
	return control;
}

void lbr_go_on(u64 control)
{
	if (control)
		wrmsr(MSR_LBR_CTL, control);
}

void vcpu_switch_in(struct cpu *cpu, struct vcpu *vcpu)
{
	u32 i;

	for (i = 0; i < nr_switched; i++)
		vcpu->host_msrs[i].value = rdmsr(switched[i]);
	asm volatile("movq %%cr2, %0" : "=r"(vcpu->host_cr2));
	get_drs(vcpu->host_dr, &vcpu->host_dr6);
	vcpu->host_xcr0 = xgetbv();
	vcpu->host_pkru = has_pkru() ? rdpkru() : 0;
	vcpu->host_lbr_ctl = lbr_stop();

	asm volatile("movq %0, %%cr2" : : "r"(vcpu->cr2));
	set_drs(vcpu->dr, vcpu->dr6);
	if (vcpu->host_xcr0 != xcr0_possible)
		xsetbv(xcr0_possible);
	xrstor(frame_ptr(vcpu->xsave_pfn), xcr0_possible);
	if (vcpu->xcr0 != xcr0_possible)
		xsetbv(vcpu->xcr0);
	memcpy(cpu->gpr, vcpu->gpr, sizeof(cpu->gpr));
}

void vcpu_switch_out(struct cpu *cpu, struct vcpu *vcpu)
{
	memcpy(vcpu->gpr, cpu->gpr, sizeof(cpu->gpr));
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	if (vcpu->xcr0 != xcr0_possible)
		xsetbv(xcr0_possible);
	xsave(frame_ptr(vcpu->xsave_pfn), xcr0_possible);
	xrstor(xsave_initial, xcr0_possible);
	if (vcpu->host_xcr0 != xcr0_possible)
		xsetbv(vcpu->host_xcr0);
	if (has_pkru())
		wrpkru(vcpu->host_pkru);
	get_drs(vcpu->dr, &vcpu->dr6);
	set_drs(vcpu->host_dr, vcpu->host_dr6);
	asm volatile("movq %%cr2, %0" : "=r"(vcpu->cr2));
	asm volatile("movq %0, %%cr2" : : "r"(vcpu->host_cr2));
	lbr_go_on(vcpu->host_lbr_ctl);
}
