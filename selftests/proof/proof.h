/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world behind npt/shim.h for a model checker: a few frames, of each of
 * which only the entries of a table and a tag of its contents are kept, and a
 * few CPUs with everything they may have cached.
 *
 * A harness makes an arbitrary world, assumes the invariants, calls one
 * function with arbitrary arguments, and asserts the invariants and what the
 * function promises. Every frame, entry and CPU that is asked about is an
 * arbitrary one, so what holds of it holds of all.
 */
#ifndef _PROOF_H
#define _PROOF_H

#ifndef FRAMES
#define FRAMES 8
#endif
#ifndef CPUS
#define CPUS 2
#endif
#define NPT_MAX_CPUS CPUS

#include <stddef.h>
void *memset(void *dst, int c, size_t n);
#define memset(dst, c, n) proof_memset(dst, c, n)
#include "npt/shim.h"

u8 nondet_u8(void);
u32 nondet_u32(void);
u64 nondet_u64(void);

#define assume(cond) __CPROVER_assume(cond)
#define claim(cond, what) __CPROVER_assert(cond, what)
/* Has to fail: that it does shows that this point is reached with @cond. */
#define REACH(cond, what) __CPROVER_assert(!(cond), "reach: " what)

/* One text for what is assumed before and asserted after. */
static bool assuming;
#define INVARIANT(cond, what)                                   \
	do {                                                    \
		if (assuming)                                   \
			__CPROVER_assume(cond);                 \
		else                                            \
			__CPROVER_assert(cond, what);           \
	} while (0)

static u64 ram[FRAMES][1 << NPT_INDEX_BITS];
static u8 tag[FRAMES]; /* ghost: 0 for a wiped frame, else what its last user left */
static u8 cached[CPUS][FRAMES]; /* ghost: this CPU may hold a translation to the frame */
static u64 last_ptr;
static u32 this_cpu;
static u32 flushes;
static bool bug_expected;

void *frame_ptr(u64 pfn)
{
	claim(pfn < FRAMES, "there is RAM behind frame_ptr()");
	assume(pfn < FRAMES);
	last_ptr = pfn;
	return ram[pfn];
}

/* A page goes into the pool. */
void on_wipe(u64 pfn);

/* The page that is wiped is the one that frame_ptr() gave last. */
void *proof_memset(void *dst, int c, size_t n)
{
	u32 i;

	if (n != PAGE_SIZE)
		return (memset)(dst, c, n);
	claim(dst == (void *)ram[last_ptr] && !c, "a whole page is wiped");
	for (i = 0; i < 1 << NPT_INDEX_BITS; i++)
		ram[last_ptr][i] = 0;
	tag[last_ptr] = 0;
	on_wipe(last_ptr);
	return dst;
}

void npt_flush_local(void)
{
	u32 i;

	flushes++;
	for (i = 0; i < FRAMES; i++)
		cached[this_cpu][i] = 0;
}

void monitor_bug(const char *what)
{
	(void)what;
	claim(bug_expected, "monitor_bug() is not reached");
	assume(0);
}

#endif /* _PROOF_H */
