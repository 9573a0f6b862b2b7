/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is flushed where a confidential vCPU and the host follow each other on a
 * CPU. The bits are those of enum mon_flush.
 *
 *  what               when               how                       needed unless
 *  ----------------   ----------------   -----------------------   ---------------------
 *  branch predictors  vCPU in, and out   IA32_PRED_CMD, IBPB       -
 *  L1 data cache      vCPU out           IA32_FLUSH_CMD            RDCL_NO, or an outer
 *                                                                  hypervisor does it
 *  buffers            vCPU out           VERW                      none of MDS, stale MMIO
 *                                                                  data and RFDS
 *
 * An exit that the monitor answers itself flushes nothing: the guest goes on.
 */
#ifndef _VMX_MITIGATE_H
#define _VMX_MITIGATE_H

#include "../npt/shim.h"
#include "../uapi/hypercall.h"

/* CPUID.(EAX=7,ECX=0):EDX */
#define CPUID_7_MD_CLEAR BIT(10)
#define CPUID_7_IBPB BIT(26)
#define CPUID_7_L1D_FLUSH BIT(28)
#define CPUID_7_ARCH_CAPABILITIES BIT(29)

/* IA32_ARCH_CAPABILITIES (SDM vol 4, table 2-2) */
#define ARCH_RDCL_NO BIT(0)
#define ARCH_SKIP_L1DFL_VMENTRY BIT(3)
#define ARCH_MDS_NO BIT(5)
#define ARCH_SBDR_SSDP_NO BIT(13)
#define ARCH_FBSDP_NO BIT(14)
#define ARCH_PSDP_NO BIT(15)
#define ARCH_RFDS_NO BIT(27)
#define ARCH_NO_BUFFERS \
	(ARCH_MDS_NO | ARCH_SBDR_SSDP_NO | ARCH_FBSDP_NO | ARCH_PSDP_NO | ARCH_RFDS_NO)

/** struct mitigations - @done: what is flushed; @missing: what should be, and cannot */
struct mitigations {
	u32 done;
	u32 missing;
};

extern struct mitigations mitigations;

/** mitigations_choose() - @edx: of CPUID leaf 7; @arch: IA32_ARCH_CAPABILITIES, or 0 */
static inline struct mitigations mitigations_choose(u32 edx, u64 arch)
{
	u32 offered = (edx & CPUID_7_IBPB ? BIT(MON_FLUSH_PREDICTORS) : 0) |
		      (edx & CPUID_7_L1D_FLUSH ? BIT(MON_FLUSH_L1D) : 0) |
		      (edx & CPUID_7_MD_CLEAR ? BIT(MON_FLUSH_BUFFERS) : 0);
	u32 needed = BIT(MON_FLUSH_PREDICTORS);

	if (!(arch & (ARCH_RDCL_NO | ARCH_SKIP_L1DFL_VMENTRY)))
		needed |= BIT(MON_FLUSH_L1D);
	if ((arch & ARCH_NO_BUFFERS) != ARCH_NO_BUFFERS)
		needed |= BIT(MON_FLUSH_BUFFERS);
	return (struct mitigations){ .done = needed & offered, .missing = needed & ~offered };
}

/** mitigate_init() - once, at launch */
void mitigate_init(void);
/** mitigate_into_guest() - before a confidential vCPU runs where the host did */
void mitigate_into_guest(void);
/** mitigate_into_host() - the last thing before the host runs where a vCPU did */
void mitigate_into_host(void);

#endif /* _VMX_MITIGATE_H */
