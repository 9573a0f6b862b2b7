/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers that VMX leaves as they are, of those that vCPUs and enclaves have of their own. */
#ifndef _VMX_SWITCH_H
#define _VMX_SWITCH_H

#include "cpu.h"

#define XCR0_X87 BIT(0)
#define XCR0_PKRU BIT(9)

/** xcr0_possible - XSAVE components that the CPU has and this code keeps; an area fits one frame */
extern u64 xcr0_possible;

/** xsave_initial - what XRSTOR makes the initial state of; one frame, 64-byte aligned */
extern u8 xsave_initial[PAGE_SIZE];

/** lbr_stop() - the host would find where others have branched (SDM 18.1.2); for lbr_go_on() */
u64 lbr_stop(void);
void lbr_go_on(u64 control);

/** struct vectors - the registers that core/gcm.c uses, whoever has them */
struct vectors {
	u8 xmm[16][16];
};

void vectors_save(struct vectors *v);
void vectors_load(const struct vectors *v);

static inline u64 xgetbv(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (u64)hi << 32;
}

static inline void xsetbv(u64 value)
{
	asm volatile("xsetbv" : : "c"(0), "a"((u32)value), "d"((u32)(value >> 32)));
}

static inline void xsave(void *area, u64 components)
{
	asm volatile("xsave64 (%0)"
		     :
		     : "r"(area), "a"((u32)components), "d"((u32)(components >> 32))
		     : "memory");
}

static inline void xrstor(const void *area, u64 components)
{
	asm volatile("xrstor64 (%0)"
		     :
		     : "r"(area), "a"((u32)components), "d"((u32)(components >> 32))
		     : "memory");
}

#endif /* _VMX_SWITCH_H */
