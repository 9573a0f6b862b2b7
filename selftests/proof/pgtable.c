// SPDX-License-Identifier: GPL-2.0-only
/* Page tables do to the flat map what they say, and to nothing else. */
#include "table_world.h"

#ifndef UNMAP_PAGES
#define UNMAP_PAGES 2ULL
#endif

void proof_npt_create(void)
{
	u32 max_leaf = nondet_u32();
	u64 gpa = any_page();
	int err;

	tree_any();
	err = npt_create(&space, max_leaf);
	REACH(!err, "made");
	REACH(err == NPT_EINVAL, "no such leaf");
	REACH(err == NPT_EPOOL, "no frame");
	if (err) {
		unchanged();
		return;
	}
	claim(old_kind[space.root] == FREE && kind[space.root] == TABLE, "of a free frame");
	claim(!view(gpa), "nothing is mapped");
	others_same();
}

void proof_npt_walk(void)
{
	u64 gpa = any_page(), want;
	struct npt_leaf leaf;

	tree_any();
	want = view(gpa);
	leaf = npt_walk(&space, gpa + (nondet_u32() & (PAGE_SIZE - 1)));
	REACH(leaf.entry && leaf.level == 1, "a page");
	REACH(leaf.entry && leaf.level > 1, "a large page");
	REACH(!leaf.entry && leaf.level > 1, "nothing, early");
	claim(!leaf.entry == !want, "finds what is there");
	if (want)
		claim((leaf.entry & ~EPT_LEAF) + (gpa & (LEVEL_SIZE(leaf.level) - 1)) == want,
		      "as it is");
	leaf = npt_walk(&space, NPT_LIMIT + (nondet_u64() >> 1));
	claim(!leaf.entry, "nothing beyond the end");
	unchanged();
}

void proof_npt_map(void)
{
	u64 gpa = nondet_u64(), attr = nondet_u64(), x = any_page(), before, cost = 0;
	u32 level = nondet_u32();
	int err;

	tree_any();
	before = view(x);
	if (gpa < NPT_LIMIT && level && level <= space.max_leaf)
		cost = npt_map_cost(&space, gpa, level);
	err = npt_map(&space, gpa, attr, level);
	REACH(!err && level == 1 && cost > 1, "a page, with tables");
	REACH(!err && level > 1, "a large page");
	REACH(err == NPT_EINVAL && level == 1, "attributes that there are not");
	REACH(err == NPT_ERANGE, "beyond the end");
	REACH(err == NPT_EALIGN, "not aligned");
	REACH(err == NPT_EEXIST, "something is there");
	REACH(err == NPT_EPOOL, "no frame");
	if (err) {
		claim(err != NPT_EPOOL || cost > old_free, "only if there are too few frames");
		unchanged();
		return;
	}
	claim(old_free - nr_free == cost, "what it costs was known before");
	if (x >= gpa && x - gpa < LEVEL_SIZE(level)) {
		claim(!before, "nothing was there");
		claim(view(x) == attr + (x - gpa), "what was asked for is there now");
	} else {
		claim(view(x) == before, "I15 no other page has changed");
	}
	tree_check();
	others_same();
}

void proof_npt_unmap(void)
{
	u64 gpa = nondet_u64(), len = nondet_u64(), x = any_page(), before;
	int err;

	/* What is longer is done page by page in the same way. */
	assume(len <= UNMAP_PAGES << PAGE_SHIFT || gpa >= NPT_LIMIT || len > NPT_LIMIT - gpa);
	tree_any();
	before = view(x);
	err = npt_unmap(&space, gpa, len);
	REACH(!err && nr_free < old_free, "with a split");
	REACH(!err && nr_free == old_free && before, "without");
	REACH(err == NPT_EALIGN, "not aligned");
	REACH(err == NPT_ERANGE, "beyond the end");
	REACH(err == NPT_EPOOL, "no frame to split with");
	if (err) {
		unchanged();
		return;
	}
	if (x >= gpa && x - gpa < len) {
		claim(!view(x), "nothing is there any more");
		claim(!before || space.generation != old_space.generation, "I19 and it shows");
	} else {
		claim(view(x) == before, "I15 no other page has changed");
	}
	tree_check();
	others_same();
}

/* As the callers have it: there is an empty entry of the lowest level. */
void proof_npt_restore(void)
{
	u64 gpa = any_page(), attr = nondet_u64(), x = any_page(), before;

	tree_any();
	assume(table_at(gpa, 1) != INVALID_PFN && !view(gpa));
	assume(!(attr & EPT_ADDR) && leaf_valid(attr, 1));
	before = view(x);
	npt_restore(&space, gpa, PAGE_SIZE, attr);
	REACH(x != gpa && before, "beside others");
	claim(view(x) == (x == gpa ? attr | gpa : before), "the page, and no other");
	claim(nr_free == old_free, "takes no frame");
	tree_check();
	others_same();
}

void proof_npt_zap(void)
{
	u64 gpa = any_page(), x = any_page(), before;
	struct npt_leaf leaf;

	tree_any();
	before = view(x);
	leaf = npt_walk(&space, gpa);
	npt_zap(&space, gpa);
	REACH(leaf.entry && leaf.level > 1, "a large page");
	REACH(leaf.entry && leaf.level == 1, "a page");
	REACH(!leaf.entry, "nothing");
	if (x >> LEVEL_SHIFT(leaf.level) == gpa >> LEVEL_SHIFT(leaf.level)) {
		claim(!leaf.entry || !view(x), "all of the leaf is gone");
		claim(!leaf.entry || space.generation != old_space.generation, "I19 and it shows");
	} else {
		claim(view(x) == before, "I15 no other page has changed");
	}
	claim(nr_free == old_free, "takes no frame");
	tree_check();
	others_same();
}

/* As the callers have it: there is a leaf, and the CPU takes the permission. */
void proof_npt_protect(void)
{
	u64 gpa = any_page(), x = any_page(), perm = nondet_u64(), before;
	struct npt_leaf leaf;
	bool narrower;

	tree_any();
	leaf = npt_walk(&space, gpa);
	assume(leaf.entry && perm && !(perm & ~EPT_RWX) &&
	       (perm & (EPT_READ | EPT_WRITE)) != EPT_WRITE);
	before = view(x);
	narrower = npt_protect(&space, gpa, perm);
	REACH(narrower && (perm & EPT_EXEC), "another right in its place");
	REACH(!narrower && perm != (leaf.entry & EPT_RWX), "more");
	claim(narrower == !!(leaf.entry & EPT_RWX & ~perm), "it says if something is missing");
	claim(space.generation == old_space.generation + narrower, "I19 and it shows");
	if (x >> LEVEL_SHIFT(leaf.level) == gpa >> LEVEL_SHIFT(leaf.level))
		claim(view(x) == ((before & ~EPT_RWX) | perm), "the permission, and no more");
	else
		claim(view(x) == before, "I15 no other page has changed");
	claim(nr_free == old_free, "takes no frame");
	tree_check();
	others_same();
}

void proof_npt_prune(void)
{
	u64 first = any_page(), x = any_page(), q = any_frame(), before;
	struct npt_leaf leaf;

	tree_any();
	leaf = npt_walk(&space, first);
	assume(!leaf.entry || IS_ALIGNED(first, LEVEL_SIZE(leaf.level)));
	before = view(x);
	npt_prune(&space, first, nondet_u8() & 1);
	REACH(kind[q] == GONE && x < first && before, "a table is gone, and something stays");
	REACH(x >= first && before, "a page is gone");
	claim(view(x) == (x < first ? before : 0), "what is above is gone, and only that");
	if (kind[q] == TABLE && q)
		claim(ram[(q - 1) / LIMIT][(q - 1) % LIMIT] == (q << PAGE_SHIFT | EPT_RWX) &&
		      kind[(q - 1) / LIMIT] == TABLE, "I10 no table is lost");
	claim(kind[q] == old_kind[q] || (kind[q] == GONE && old_kind[q] == TABLE),
	      "only tables go");
	claim(nr_free == old_free && kind[space.root] == TABLE, "the root stays");
	tree_check();
	others_same();
}

void proof_npt_destroy(void)
{
	u64 q = any_frame();

	tree_any();
	npt_destroy(&space, nondet_u8() & 1);
	REACH(old_kind[q] == TABLE && q != old_space.root, "with tables below the root");
	claim(kind[q] == (old_kind[q] == TABLE ? GONE : old_kind[q]), "all tables, only they");
	claim(space.root == INVALID_PFN, "no root is left");
	others_same();
}
