/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX capabilities: what this CPU has, what the monitor needs, and what it
 * offers to the host. The offer is an allow-list (SDM appendix A).
 */
#ifndef _VMX_CAPS_H
#define _VMX_CAPS_H

#include "../npt/shim.h"

/**
 * struct vmx_caps - the CPU's, read once; all CPUs must agree
 * The low half of a control MSR is "must be 1", the high half "may be 1".
 */
struct vmx_caps {
	u64 basic;
	u64 pin, cpu, exit, entry; /* TRUE_ forms where the CPU has them */
	u64 cpu2;
	u64 misc;
	u64 ept_vpid;
	u64 cr0_fixed0, cr0_fixed1, cr4_fixed0, cr4_fixed1;
	u64 vmcs_enum;
	u32 revision;
	u32 max_pa_bits;
	bool shadow_vmcs;  /* VMCS shadowing, and VMWRITE to read-only fields */
	bool ept_1g;
	bool perf_global;  /* IA32_PERF_GLOBAL_CTRL exists */
	bool tsc_scaling;
	bool preemption_timer;
	bool virt_intr;    /* virtual-interrupt delivery */
	bool crypto;	   /* AES-NI, PCLMULQDQ, RDRAND */
};

extern struct vmx_caps vmx_caps;

/** control_allowed() - is @value possible for a control whose capability MSR is @cap? (SDM A.3) */
static inline bool control_allowed(u32 value, u64 cap)
{
	u32 must = (u32)cap, may = (u32)(cap >> 32);

	return (value & must) == must && (value & ~may) == 0;
}

/** control_fit() - @wanted with the bits that must be 1 */
static inline u32 control_fit(u32 wanted, u64 cap)
{
	return (wanted | (u32)cap) & (u32)(cap >> 32);
}

#define TME_LOCKED BIT(0)
#define TME_ENABLED BIT(1)

/**
 * physical_bits() - of an address, less those that choose a key for memory encryption
 * @cpuid: what CPUID says, which counts them
 * @tme: IA32_TME_ACTIVATE (SDM vol 4), 0 if the CPU has none
 *
 * With them in it an address would be a second one of the same memory.
 */
static inline u32 physical_bits(u32 cpuid, u64 tme)
{
	u64 on = TME_LOCKED | TME_ENABLED;

	return (tme & on) == on ? cpuid - (u32)(tme >> 32 & 15) : cpuid;
}

/**
 * vmx_caps_read() - read this CPU's capabilities into @caps and judge them
 * @detail: out: the MSR or value behind a refusal
 *
 * Returns enum mon_launch_error.
 */
u32 vmx_caps_read(struct vmx_caps *caps, u64 *detail);

/**
 * nested_caps - capability MSRs as the host sees them (0x480 to 0x491), made
 * from vmx_caps through the allow-list by nested_caps_init()
 */
extern u64 nested_caps[0x12];
void nested_caps_init(void);

#define MSR_VMX_BASIC 0x480

#endif /* _VMX_CAPS_H */
