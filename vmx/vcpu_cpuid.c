// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUID of a confidential VM: the host's answer, less what the monitor does
 * not switch or emulate, and with what depends on registers the host cannot
 * see put right (SDM vol 2, CPUID).
 */
#include "switch.h"
#include "vcpu.h"

enum { EAX, EBX, ECX, EDX };

#define CR4_UMIP BIT(11)
#define CR4_OSXSAVE BIT(18)
#define CR4_PKE BIT(22)

/* DTES64, MONITOR, VMX, SMX, PDCM */
#define L1_ECX_HIDDEN (BIT(2) | BIT(3) | BIT(5) | BIT(6) | BIT(15))
#define L1_ECX_OSXSAVE BIT(27)
#define L1_ECX_RDRAND BIT(30)
#define L1_EDX_HIDDEN BIT(21) /* DS */
#define L7_EBX_HIDDEN (BIT(2) | BIT(25)) /* SGX PT */
#define L7_EBX_RDSEED BIT(18)
#define L7_ECX_UMIP BIT(2)
#define L7_ECX_OSPKE BIT(4)
/* WAITPKG SHSTK TME LA57 KL BUSLOCK ENQCMD SGX_LC PKS */
#define L7_ECX_HIDDEN                                                                          \
	(BIT(5) | BIT(7) | BIT(13) | BIT(16) | BIT(23) | BIT(24) | BIT(29) | BIT(30) | BIT(31))
/* UINTR PCONFIG LBR IBT AMX */
#define L7_EDX_HIDDEN (BIT(5) | BIT(18) | BIT(19) | BIT(20) | BIT(22) | BIT(24) | BIT(25))
#define LD1_EAX_SHOWN (BIT(0) | BIT(1) | BIT(2)) /* XSAVEOPT XSAVEC XGETBV1 */

/* Leaves that speak of what the guest does not have: SGX, PT, PMU, LBR, AMX, hypervisors. */
static bool leaf_is_empty(u32 leaf)
{
	return leaf == 0xa || leaf == 0x12 || leaf == 0x14 || leaf == 0x19 || leaf == 0x1b ||
	       (leaf >= 0x1c && leaf <= 0x1e) || (leaf >= 0x20 && leaf < 0x80000000) ||
	       leaf == 0x8000000a || leaf >= 0x8000001f;
}

/* Bytes that XSAVE needs for what is enabled: the host does not know XCR0. */
static u32 xsave_size(u64 xcr0)
{
	u32 i, a, b, c, d, size = 576;

	for (i = 2; i < 10; i++) {
		if (!(xcr0 & BIT(i)))
			continue;
		a = 0xd;
		c = i;
		asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
		if (a + b > size)
			size = a + b;
	}
	return size;
}

static u32 of_cpu(u32 leaf, u32 reg)
{
	u32 r[4];

	cpuid(leaf, 0, &r[EAX], &r[EBX], &r[ECX], &r[EDX]);
	return r[reg];
}

/* How large a state is, and where, is the CPU's to say: XSAVE writes so much. */
static void leaf_d(struct vcpu *vcpu, u32 sub, u32 r[4])
{
	u64 possible = xcr0_possible;

	if (sub == 0) {
		r[EAX] &= (u32)possible;
		r[EDX] &= (u32)(possible >> 32);
		r[EBX] = xsave_size(vcpu->xcr0);
		r[ECX] = xsave_size(r[EAX] | (u64)r[EDX] << 32);
	} else if (sub == 1) {
		r[EAX] &= LD1_EAX_SHOWN;
		r[EBX] = r[ECX] = r[EDX] = 0;
	} else if (sub > 63 || !(possible & BIT(sub))) {
		r[EAX] = r[EBX] = r[ECX] = r[EDX] = 0;
	} else {
		cpuid(0xd, sub, &r[EAX], &r[EBX], &r[ECX], &r[EDX]);
	}
}

/* The host's first answer is the vCPU's APIC ID for good. */
static u32 apic_id(struct vcpu *vcpu, u32 answer)
{
	if (vcpu->apic_id == NO_APIC_ID)
		vcpu->apic_id = answer;
	return (u32)vcpu->apic_id;
}

/* The CPU's randomness is not hidden: without it the guest would take what the host can guess. */
void cpuid_filter(struct vcpu *vcpu, u32 leaf, u32 sub, u32 r[4])
{
	u64 cr4 = vmread(GUEST_CR4);

	if (leaf_is_empty(leaf)) {
		r[EAX] = r[EBX] = r[ECX] = r[EDX] = 0;
		return;
	}
	switch (leaf) {
	case 1:
		r[EBX] = (r[EBX] & 0xffffff) | apic_id(vcpu, r[EBX] >> 24) << 24;
		r[ECX] &= ~(u32)(L1_ECX_HIDDEN | L1_ECX_OSXSAVE);
		r[ECX] |= cr4 & CR4_OSXSAVE ? (u32)L1_ECX_OSXSAVE : 0;
		r[ECX] |= of_cpu(1, ECX) & (u32)L1_ECX_RDRAND;
		r[EDX] &= ~(u32)L1_EDX_HIDDEN;
		break;
	case 7:
		if (sub) {
			r[EAX] = r[EBX] = r[ECX] = r[EDX] = 0;
			break;
		}
		r[EAX] = 0;
		r[EBX] &= ~(u32)L7_EBX_HIDDEN;
		r[EBX] |= of_cpu(7, EBX) & (u32)L7_EBX_RDSEED;
		r[ECX] &= ~(u32)(L7_ECX_HIDDEN | L7_ECX_OSPKE);
		r[ECX] |= cr4 & CR4_PKE ? (u32)L7_ECX_OSPKE : 0;
		if (!(vmx_caps.cr4_fixed1 & CR4_UMIP)) /* KVM emulates it; the monitor does not */
			r[ECX] &= ~(u32)L7_ECX_UMIP;
		r[EDX] &= ~(u32)L7_EDX_HIDDEN;
		break;
	case 0xb:
	case 0x1f:
		r[EDX] = apic_id(vcpu, r[EDX]);
		break;
	case 0xd:
		leaf_d(vcpu, sub, r);
		break;
	}
}
