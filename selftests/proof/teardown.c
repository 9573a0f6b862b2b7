// SPDX-License-Identifier: GPL-2.0-only
/* The end of a VM's space: a step takes leaves and tables, and their frames, and no others. */
#define frame_retire table_retire
#include "table_world.h"
#undef frame_retire
void frame_retire(u64 pfn);
#include "npt/vm.c"

#define VM DOM_FIRST_VM

static u64 nr_gone, leaves_gone;

struct frame frame_get_info(u64 pfn)
{
	struct frame f = { .state = FRAME_PRIVATE, .type = FRAME_GUEST, .owner = VM };

	claim(pfn < FRAMES && kind[pfn] == OTHER, "a leaf's frame, which is not gone");
	return f;
}

void frame_retire(u64 pfn)
{
	claim(npt_lock.held && pfn < FRAMES && (kind[pfn] == TABLE || kind[pfn] == OTHER),
	      "what goes is the VM's, and goes once");
	assume(pfn < FRAMES);
	leaves_gone += kind[pfn] == OTHER;
	nr_gone++;
	kind[pfn] = GONE;
}

u64 frame_get_private(u32 dom, u64 gfn)
{
	(void)dom;
	(void)gfn;
	claim(0, "nothing is taken");
	return INVALID_PFN;
}

void epoch_reap(u32 budget)
{
	(void)budget;
}

#define NR_PAGES (NPT_LIMIT >> PAGE_SHIFT)

/* Before the call. */
static u64 old_pfn[NR_PAGES];

static u64 pfn_at(u64 page)
{
	u64 entry = view(page << PAGE_SHIFT);

	return entry ? (entry & EPT_ADDR) >> PAGE_SHIFT : INVALID_PFN;
}

/* I7: each page has a frame of its own, which is none of the tables. Returns their number. */
static u64 assume_private(void)
{
	u64 i, j, nr = 0;

	for (i = 0; i < NR_PAGES; i++) {
		old_pfn[i] = pfn_at(i);
		if (old_pfn[i] == INVALID_PFN)
			continue;
		nr++;
		assume(old_pfn[i] < FRAMES && kind[old_pfn[i]] == OTHER);
		for (j = 0; j < i; j++)
			assume(old_pfn[i] != old_pfn[j]);
	}
	return nr;
}

static u64 nr_pages_of(u64 pfn)
{
	u64 i, nr = 0;

	for (i = 0; i < NR_PAGES; i++)
		nr += old_pfn[i] == pfn;
	return nr;
}

void proof_vm_npt_teardown(void)
{
	u64 budget = nondet_u64(), x = any_page() >> PAGE_SHIFT, q = any_frame(), owned, was;
	bool gone;

	tree_any();
	assume(space.max_leaf == 1);
	owned = assume_private();
	space.owned = owned;
	was = pfn_at(x);
	npt_lock.held = 0;
	gone = vm_npt_teardown(&space, VM, budget);
	claim(!npt_lock.held, "the lock is free again");
	REACH(gone && owned == NR_PAGES, "all of a full space");
	REACH(!gone && leaves_gone && space.owned, "a part");
	REACH(!gone && !space.owned && budget, "all but tables");
	REACH(!gone && !budget, "nothing, of no budget");
	claim(nr_gone <= budget, "I21 no more than the budget");
	claim(!budget || nr_gone, "I21 and something, if there is one");
	claim(gone == (space.root == INVALID_PFN), "gone is: no root is left");
	claim(space.owned == owned - leaves_gone, "I9 the VM's count follows");
	claim(space.generation != old_space.generation, "I19 and it shows");
	if (old_kind[q] == OTHER && kind[q] == GONE)
		claim(nr_pages_of(q) == 1, "I15 only frames of its pages go");
	if (gone) {
		claim(!space.owned, "I18 it owns nothing");
		claim(was == INVALID_PFN || kind[was] == GONE, "I18 nor is anything of it left");
		claim(kind[q] != TABLE, "I10 no table is lost");
		return;
	}
	claim(pfn_at(x) == INVALID_PFN || pfn_at(x) == was, "I15 a page is as it was, or gone");
	claim((pfn_at(x) == INVALID_PFN) == (was == INVALID_PFN || kind[was] == GONE),
	      "I8 a frame goes with its leaf");
	tree_check();
}
