/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An arbitrary valid ownership table, with its pool, its retired frames, its
 * epochs, and what the CPUs have cached.
 */
#ifndef _FRAME_WORLD_H
#define _FRAME_WORLD_H

#include "proof.h"
#include "npt/frame.c"
#include "npt/epoch.c"
#include "invariants.c"

union word {
	u64 bits;
	struct frame f;
};

static struct frame words[FRAMES];
static u64 due[FRAMES]; /* ghost: the epoch of a donation, all 64 bits */

/*
 * Ghost: the pool and the two batches are lists through the words. That each
 * of their frames is in its list, once, is said of one frame at a time: who
 * names it, and a rank that falls along the links, so that there is no loop.
 */
enum { IN_POOL, IN_WAITING, IN_FILLING, LISTS };
static u8 list[FRAMES];
static u8 before_it[FRAMES];
static u32 rank[FRAMES];

/* Before the call. */
static struct {
	struct frame words[FRAMES];
	u8 tag[FRAMES];
	u64 states[FRAME_STATES], types[FRAME_TYPES];
	u64 pool, latest, seen[CPUS];
	struct batch waiting, filling;
} old;

static u64 bits(struct frame f)
{
	union word w = { .f = f };

	return w.bits;
}

static u64 head_of(u32 which)
{
	return which == IN_POOL ? pool : which == IN_WAITING ? waiting.head : filling.head;
}

static bool listed(u64 q, u32 which)
{
	struct frame f = frame_get_info(q);

	if (which == IN_POOL)
		return f.state == FRAME_FREE && list[q] == IN_POOL;
	return f.state == FRAME_TRANSIT && f.retired && list[q] == which;
}

static void inv_lists(void)
{
	u32 i;

	for (i = 0; i < LISTS; i++)
		INVARIANT(!head_of(i) || (head_of(i) < FRAMES && listed(head_of(i), i)),
			  "I10 the first of a list is in it");
	INVARIANT(waiting.epoch <= latest && filling.epoch <= latest, "I19 no future epoch");
}

static void inv_listed(u64 q)
{
	struct frame f = words[q];
	u64 next = f.gfn, prev = before_it[q];

	INVARIANT(listed(q, list[q]), "I10 a free or retired frame is in its list");
	INVARIANT(!next || (next < FRAMES && listed(next, list[q])), "I10 a list goes on");
	if (next)
		INVARIANT(rank[next] < rank[q] && before_it[next] == q, "I10 and has no loop");
	INVARIANT(q == head_of(list[q]) ||
		  (prev < FRAMES && listed(prev, list[q]) && words[prev].gfn == q),
		  "I10 no frame of a list is lost");
}

/* @q becomes the first of a list: what the ghost knows of it. */
static void ghost_push(u64 q, u32 which)
{
	u64 head = head_of(which);

	list[q] = which;
	rank[q] = 0;
	if (!head)
		return;
	rank[q] = rank[head] + 1;
	before_it[head] = q;
}

void on_wipe(u64 pfn)
{
	ghost_push(pfn, IN_POOL);
}

/* I19: whoever has it cached has not passed this epoch. */
static void inv_waits(u64 q, u64 epoch)
{
	u32 cpu;

	for (cpu = 0; cpu < CPUS; cpu++)
		INVARIANT(!cached[cpu][q] || seen[cpu].epoch < epoch,
			  "I19 who has a frame in transit cached has not passed its epoch");
}

static void inv_frame(u64 q)
{
	struct frame f = words[q];
	u32 cpu;

	inv_word(q, f);
	inv_link(f);
	if (f.state == FRAME_FREE || (f.state == FRAME_TRANSIT && f.retired))
		inv_listed(q);
	if (f.state == FRAME_FREE) {
		INVARIANT(!tag[q], "I17 a free frame is wiped");
		for (cpu = 0; cpu < CPUS; cpu++)
			INVARIANT(!cached[cpu][q], "I19 no CPU has a free frame cached");
	}
	if (f.state != FRAME_TRANSIT)
		return;
	if (f.retired) {
		inv_waits(q, list[q] == IN_WAITING ? waiting.epoch : filling.epoch);
	} else {
		INVARIANT((due[q] & (BIT(GFN_BITS) - 1)) == f.gfn && due[q] <= latest,
			  "I19 the word keeps its epoch");
		inv_waits(q, due[q]);
	}
}

static void inv_cpu(u32 cpu, u64 q)
{
	INVARIANT(seen[cpu].epoch <= latest || seen[cpu].epoch == EPOCH_PARKED,
		  "I19 no CPU is ahead");
	INVARIANT(seen[cpu].epoch != EPOCH_PARKED || !cached[cpu][q],
		  "I19 a parked CPU has nothing cached");
}

static void save(void)
{
	u32 i;

	for (i = 0; i < FRAMES; i++) {
		old.words[i] = words[i];
		old.tag[i] = tag[i];
	}
	for (i = 0; i < FRAME_STATES; i++)
		old.states[i] = state_count[i];
	for (i = 0; i < FRAME_TYPES; i++)
		old.types[i] = type_count[i];
	for (i = 0; i < CPUS; i++)
		old.seen[i] = seen[i].epoch;
	old.pool = pool;
	old.latest = latest;
	old.waiting = waiting;
	old.filling = filling;
}

/* Any world at all. */
static void world_havoc(void)
{
	u32 i, cpu;

	table = words;
	table_len = FRAMES;
	for (i = 0; i < FRAMES; i++) {
		union word w = { .bits = nondet_u64() };

		words[i] = w.f;
		tag[i] = nondet_u8();
		due[i] = nondet_u64();
		list[i] = nondet_u8();
		before_it[i] = nondet_u8();
		rank[i] = nondet_u32() >> 1;
	}
	for (cpu = 0; cpu < CPUS; cpu++) {
		seen[cpu].epoch = nondet_u64();
		for (i = 0; i < FRAMES; i++) {
			cached[cpu][i] = nondet_u8();
			assume(cached[cpu][i] <= 1);
		}
	}
	for (i = 0; i < FRAME_STATES; i++)
		state_count[i] = nondet_u64();
	for (i = 0; i < FRAME_TYPES; i++)
		type_count[i] = nondet_u64();
	pool = nondet_u64();
	latest = nondet_u64();
	nr_seen = CPUS;
	waiting = (struct batch){ nondet_u64(), nondet_u64() };
	filling = (struct batch){ nondet_u64(), nondet_u64() };
}

/* Any valid one. Epochs do not wrap around: 2^63 of them are centuries. */
static void world_any(void)
{
	u32 i, cpu;

	world_havoc();
	assuming = true;
	assume(latest < BIT(63));
	inv_lists();
	for (i = 0; i < FRAMES; i++) {
		inv_frame(i);
		for (cpu = 0; cpu < CPUS; cpu++)
			inv_cpu(cpu, i);
	}
	assuming = false;
	npt_lock.held = 1;
	save();
}

/* I9, as what a call has changed: the sums themselves are for the native tests. */
static void check_counts(void)
{
	u64 state = nondet_u8() % FRAME_STATES, type = 1 + nondet_u8() % (FRAME_TYPES - 1), i;
	u64 by_state = state_count[state] - old.states[state];
	u64 by_type = type_count[type] - old.types[type];

	for (i = 0; i < FRAMES; i++) {
		by_state += (u64)(old.words[i].state == state) - (words[i].state == state);
		by_type += (u64)(old.words[i].type == type) - (words[i].type == type);
	}
	claim(!by_state, "I9 the count of a state follows");
	claim(!by_type, "I9 the count of a type follows");
}

static u64 any_frame(void)
{
	u64 q = nondet_u64();

	assume(q < FRAMES);
	return q;
}

/* The world is valid, of any frame and any CPU. */
static void world_check(void)
{
	u64 q = any_frame();
	u32 cpu = nondet_u32();

	assume(cpu < CPUS);
	inv_lists();
	inv_frame(q);
	inv_cpu(cpu, q);
	check_counts();
}

static bool same_word(u64 q)
{
	return bits(words[q]) == bits(old.words[q]) && tag[q] == old.tag[q];
}

/* I14: nothing has changed at all. */
static void unchanged(void)
{
	u64 q = any_frame();
	u32 cpu = nondet_u32(), state = nondet_u32(), type = nondet_u32();

	assume(cpu < CPUS && state < FRAME_STATES && type < FRAME_TYPES);
	claim(same_word(q), "I14 refused: no word has changed");
	claim(pool == old.pool && waiting.head == old.waiting.head &&
	      filling.head == old.filling.head && waiting.epoch == old.waiting.epoch &&
	      filling.epoch == old.filling.epoch, "I14 nor a list");
	claim(state_count[state] == old.states[state] && type_count[type] == old.types[type],
	      "I14 nor a count");
	claim(latest == old.latest && seen[cpu].epoch == old.seen[cpu], "I14 nor an epoch");
}

/* I15: no other frame than these has. */
static void only(u64 pfn, u64 nr)
{
	u64 q = any_frame();

	assume(q < pfn || q - pfn >= nr);
	claim(same_word(q), "I15 no other word has changed");
}

static bool is_cached(u64 q)
{
	u32 cpu = nondet_u32();

	assume(cpu < CPUS);
	return cached[cpu][q];
}

/* What frame_put() and frame_retire() want of their callers, besides who has it cached. */
static bool may_go(u64 pfn)
{
	struct frame f;

	if (!pfn || pfn >= FRAMES)
		return false;
	f = words[pfn];
	return (f.state == FRAME_USED || f.state == FRAME_PRIVATE) && !f.shared;
}

#endif /* _FRAME_WORLD_H */
