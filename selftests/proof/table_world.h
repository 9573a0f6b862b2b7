/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An arbitrary valid tree of page tables. The pool is by the contract that
 * frame.c is proved to keep: frame_get() gives any frame that is free and
 * wiped, as long as the count is not 0.
 */
#ifndef _TABLE_WORLD_H
#define _TABLE_WORLD_H

#include "proof.h"
#include "npt/pgtable.c"

#define LIMIT (1u << NPT_INDEX_BITS)

/* Tables of a full tree; there are some more frames. */
#define TABLES (((1u << NPT_INDEX_BITS * NPT_LEVELS) - 1) / (LIMIT - 1))

enum { FREE, TABLE, OTHER, GONE };

struct spinlock npt_lock;
static struct npt space;
static u8 kind[FRAMES];
static u64 nr_free;
/* Before the call. */
static u64 old_ram[FRAMES][LIMIT], old_free;
static u8 old_kind[FRAMES];
static struct npt old_space;

void on_wipe(u64 pfn)
{
	(void)pfn;
}

u64 frame_state_count(enum frame_state state)
{
	claim(state == FRAME_FREE, "only the pool is asked for");
	return nr_free;
}

u64 frame_get(enum frame_type type)
{
	u64 pfn = nondet_u64();

	claim(type == FRAME_TABLE && npt_lock.held, "a table, with the lock held");
	if (!nr_free)
		return INVALID_PFN;
	assume(pfn < FRAMES && kind[pfn] == FREE);
	kind[pfn] = TABLE;
	nr_free--;
	return pfn;
}

void frame_retire(u64 pfn)
{
	claim(pfn < FRAMES && kind[pfn] == TABLE, "what goes is a table, once");
	assume(pfn < FRAMES);
	kind[pfn] = GONE;
}

void frame_put(u64 pfn)
{
	frame_retire(pfn);
}

bool frames_retired(void)
{
	claim(npt_lock.held, "asked with the lock held");
	return nondet_u8() & 1;
}

static u64 index_of(u64 gpa, u32 level)
{
	return (gpa >> LEVEL_SHIFT(level)) & (LIMIT - 1);
}

static bool leaf_valid(u64 e, u32 level)
{
	u64 low = EPT_RWX | EPT_MEMTYPE | EPT_IPAT | (level > 1 ? EPT_LEAF : 0);

	return level <= space.max_leaf && !(e & ~(low | EPT_ADDR)) && (e & EPT_RWX) &&
	       (e & (EPT_READ | EPT_WRITE)) != EPT_WRITE &&
	       memtype_valid((e & EPT_MEMTYPE) >> EPT_MEMTYPE_SHIFT) &&
	       IS_ALIGNED(e & EPT_ADDR, LEVEL_SIZE(level));
}

/*
 * The tables before the call are numbered by where in the tree they are: the
 * root is 0, the i-th below table t is t * LIMIT + 1 + i. Nothing is lost by
 * it, since the code does not compare the numbers of frames; what is made by
 * the call may be in any free frame.
 */
static u64 child(u64 t, u64 i)
{
	return t * LIMIT + 1 + i;
}

static void assume_table(u64 t, u32 level)
{
	u64 e, q;
	u32 i;

	for (i = 0; i < LIMIT; i++) {
		e = ram[t][i];
		q = child(t, i);
		if (level == 1) {
			assume(kind[t] != TABLE || !e || leaf_valid(e, 1));
			continue;
		}
		assume(q < FRAMES);
		assume((kind[q] == TABLE) ==
		       (kind[t] == TABLE && e == (q << PAGE_SHIFT | EPT_RWX)));
		assume(kind[t] != TABLE || kind[q] == TABLE || !e ||
		       ((e & EPT_LEAF) && leaf_valid(e, level)));
		assume_table(q, level - 1);
	}
}

static void tree_any(void)
{
	u32 i, j;

	space = (struct npt){ 0, nondet_u32(), nondet_u64(), nondet_u64() };
	assume(space.max_leaf && space.max_leaf < NPT_LEVELS);
	assume(space.generation < BIT(63));
	nr_free = 0;
	for (i = 0; i < FRAMES; i++) {
		kind[i] = nondet_u8() % GONE;
		nr_free += kind[i] == FREE;
		for (j = 0; j < LIMIT; j++)
			ram[i][j] = kind[i] == FREE ? 0 : nondet_u64();
	}
	for (i = TABLES; i < FRAMES; i++)
		assume(kind[i] != TABLE);
	assume(kind[0] == TABLE);
	assume_table(0, NPT_LEVELS);
	npt_lock.held = 1;
	old_space = space;
	old_free = nr_free;
	for (i = 0; i < FRAMES; i++) {
		old_kind[i] = kind[i];
		for (j = 0; j < LIMIT; j++)
			old_ram[i][j] = ram[i][j];
	}
}

/*
 * The specification: a space is a flat map from pages to what a leaf of 4 KiB
 * would say, 0 for nothing. Checks on its way that what it walks are tables.
 */
static u64 view(u64 gpa)
{
	u64 e, t = space.root;
	u32 level;

	for (level = NPT_LEVELS;; level--) {
		claim(t < FRAMES && kind[t] == TABLE, "I10 only tables are walked");
		assume(t < FRAMES);
		e = ram[t][index_of(gpa, level)];
		if (!e)
			return 0;
		if (level == 1 || (e & EPT_LEAF))
			break;
		claim((e & ~EPT_ADDR) == EPT_RWX, "I13 an entry for a table is plain");
		t = (e & EPT_ADDR) >> PAGE_SHIFT;
	}
	claim(leaf_valid(e, level), "I13 what the CPU would call misconfigured is no leaf");
	return (e & ~EPT_LEAF) + (gpa & (LEVEL_SIZE(level) - 1) & ~(PAGE_SIZE - 1));
}

/* The table of @level that a walk for @gpa uses, INVALID_PFN if it does not get there. */
static u64 table_at(u64 gpa, u32 want)
{
	u64 e, t = space.root;
	u32 level;

	for (level = NPT_LEVELS; level > 1; level--) {
		if (level == want)
			return t;
		assume(t < FRAMES);
		e = ram[t][index_of(gpa, level)];
		if (!e || (e & EPT_LEAF))
			return INVALID_PFN;
		t = (e & EPT_ADDR) >> PAGE_SHIFT;
	}
	return t;
}

static u64 any_page(void)
{
	u64 gpa = nondet_u64();

	assume(gpa < NPT_LIMIT && IS_ALIGNED(gpa, PAGE_SIZE));
	return gpa;
}

static u32 any_level(void)
{
	u32 level = nondet_u32();

	assume(level >= 1 && level <= NPT_LEVELS);
	return level;
}

/* I10: two walks meet in a table only if it is the same part of the space, and level. */
static void tree_check(void)
{
	u64 x = any_page(), y = any_page(), t;
	u32 a = any_level(), b = any_level();

	t = table_at(x, a);
	if (t != INVALID_PFN && t == table_at(y, b))
		claim(a == b && x >> LEVEL_SHIFT(a + 1) == y >> LEVEL_SHIFT(b + 1),
		      "I10 a table is in one place");
}

static u64 any_frame(void)
{
	u64 q = nondet_u64();

	assume(q < FRAMES);
	return q;
}

/* I15: what is no table of this space is not touched. */
static void others_same(void)
{
	u64 q = any_frame();
	u32 i = nondet_u32();

	assume(i < LIMIT && old_kind[q] == OTHER);
	claim(kind[q] == OTHER && ram[q][i] == old_ram[q][i], "I15 other frames are not touched");
}

/* I14: refused, and nothing has changed. */
static void unchanged(void)
{
	u64 q = any_frame();
	u32 i = nondet_u32();

	assume(i < LIMIT);
	claim(kind[q] == old_kind[q] && ram[q][i] == old_ram[q][i], "I14 refused: no entry");
	claim(nr_free == old_free && space.root == old_space.root &&
	      space.generation == old_space.generation, "I14 nor anything else");
}

#endif /* _TABLE_WORLD_H */
