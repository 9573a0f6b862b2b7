// SPDX-License-Identifier: GPL-2.0-only
/*
 * Part of an image for fuzzing (make FUZZ=1): what of root mode one CPU has run, in tables of
 * a fixed size, and the hypercalls that tell. The compiler calls
 * __sanitizer_cov_trace_pc() at the begin of each block of all C files but this one, and the
 * others before comparisons.
 */
#include "../../../core/hypercall.h"
#include "../../../npt/npt.h"
#include "../../../vmx/cpu.h"
#include "cover.h"
#include "image.h"

#define EDGES BIT(16)
#define WORD_BITS 64

static u64 edges[EDGES / WORD_BITS]; /* from one point to the next; two may have one bit */
static u64 points[FUZZ_POINTS / WORD_BITS];
static u64 fresh;	 /* bits of @edges that were set since FUZZ_HC_BEGIN */
static u64 last;	 /* the point before */
static u64 stacks = ~0ULL; /* where the stacks of the CPU are that counts */
static struct fuzz_pair pairs[FUZZ_PAIRS]; /* by the place of the comparison: the latest */
static u64 places[FUZZ_PAIRS]; /* that have compared them */

void __sanitizer_cov_trace_pc(void);
void __sanitizer_cov_trace_switch(u64 value, const u64 *cases);
void __real_host_hypercall(struct cpu *cpu);
void __wrap_host_hypercall(struct cpu *cpu);

static bool set_bit(u64 *map, u64 bit)
{
	u64 *word = &map[bit / WORD_BITS], mask = BIT(bit % WORD_BITS);
	bool is_new = !(*word & mask);

	*word |= mask;
	return is_new;
}

void __sanitizer_cov_trace_pc(void)
{
	u64 point = (u64)__builtin_return_address(0) - MON_VA_IMAGE;

	if (((u64)__builtin_frame_address(0) & ~(MON_CPU_STRIDE - 1)) != READ_ONCE(stacks) ||
	    point >= FUZZ_POINTS)
		return;
	set_bit(points, point);
	fresh += set_bit(edges, (point ^ last << 3) % EDGES);
	last = point;
}

/* Of each place the last two that differ, as long as there is room for another place. */
static void note_pair(u64 place, u64 a, u64 b)
{
	u32 i = (u32)(place ^ place >> 7) % FUZZ_PAIRS, n;

	for (n = 0; n < FUZZ_PAIRS; n++, i = (i + 1) % FUZZ_PAIRS) {
		if (places[i] && places[i] != place)
			continue;
		places[i] = place;
		pairs[i] = (struct fuzz_pair){ a, b };
		return;
	}
}

/* @place: who compares */
static void compared(u64 place, u64 a, u64 b)
{
	if (((u64)__builtin_frame_address(0) & ~(MON_CPU_STRIDE - 1)) == READ_ONCE(stacks) &&
	    a != b)
		note_pair(place, a, b);
}

/* With a constant, and without; of each size. */
#define COMPARE(name, type)                            \
	void __sanitizer_cov_trace_##name(type a, type b); \
	void __sanitizer_cov_trace_##name(type a, type b)  \
	{                                              \
		compared((u64)__builtin_return_address(0), a, b); \
	}

COMPARE(const_cmp1, u8)
COMPARE(const_cmp2, u16)
COMPARE(const_cmp4, u32)
COMPARE(const_cmp8, u64)
COMPARE(cmp1, u8)
COMPARE(cmp2, u16)
COMPARE(cmp4, u32)
COMPARE(cmp8, u64)

/* @cases: how many, how wide, and each */
void __sanitizer_cov_trace_switch(u64 value, const u64 *cases)
{
	if (cases[0])
		compared((u64)__builtin_return_address(0), cases[2 + value % cases[0]], value);
}

static s64 show_pairs(u64 pa)
{
	void *out = host_ptr(pa, sizeof(pairs));

	if (!out)
		return -MON_EFAULT;
	memcpy(out, pairs, sizeof(pairs));
	return 0;
}

static s64 show_points(u64 pa, u64 page)
{
	void *out = host_ptr(pa, PAGE_SIZE);

	if (page >= FUZZ_POINTS_PAGES)
		return -MON_ERANGE;
	if (!out)
		return -MON_EFAULT;
	memcpy(out, (const u8 *)points + page * PAGE_SIZE, PAGE_SIZE);
	return 0;
}

static s64 fuzz_call(const struct cpu *cpu, u64 number)
{
	switch (number) {
	case FUZZ_HC_BEGIN:
		fresh = 0;
		last = 0;
		memset(pairs, 0, sizeof(pairs));
		memset(places, 0, sizeof(places));
		WRITE_ONCE(stacks, (u64)cpu & ~(MON_CPU_STRIDE - 1));
		return 0;
	case FUZZ_HC_END:
		WRITE_ONCE(stacks, ~0ULL);
		return (s64)fresh;
	case FUZZ_HC_POINTS:
		return show_points(cpu->gpr[RDI], cpu->gpr[RSI]);
	case FUZZ_HC_COMPARED:
		return show_pairs(cpu->gpr[RDI]);
	default:
		fuzz_check();
		return 0;
	}
}

void __wrap_host_hypercall(struct cpu *cpu)
{
	u64 number = cpu->gpr[RAX] ^ MON_HYPERCALL;

	if (number < FUZZ_HC || number >= FUZZ_HC_LIMIT) {
		planted(number, cpu->gpr);
		__real_host_hypercall(cpu);
		return;
	}
	cpu->gpr[RAX] = (u64)fuzz_call(cpu, number);
	advance_rip();
}
