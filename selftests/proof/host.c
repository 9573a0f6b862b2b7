// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT01 when the host gives a frame, takes one back, or is lent one: the tree of
 * table_world.h. The words change as frame.c is proved to change them.
 */
#include "table_world.h"
#include "npt/host.c"
#include "npt/lend.c"

#ifndef DONATE_PAGES
#define DONATE_PAGES 2
#endif
/* What is behind the table is MMIO. */
#ifndef TABLE_FRAMES
#define TABLE_FRAMES (NPT_LIMIT >> PAGE_SHIFT)
#endif

static struct frame word; /* of the frame that is asked about */
static bool dropped, donated;
static u64 first_free;
static int check_says;

u64 frame_count(void)
{
	return TABLE_FRAMES;
}

struct frame frame_get_info(u64 pfn)
{
	(void)pfn;
	return word;
}

bool mtrr_type(const struct mtrr_state *mtrr, u64 pa, u64 size, u32 *type)
{
	(void)mtrr;
	(void)pa;
	(void)size;
	*type = nondet_u8();
	assume(memtype_valid(*type));
	return size == PAGE_SIZE || (nondet_u8() & 1);
}

void ept02_drop_all(void)
{
	claim(npt_lock.held, "the lock is held");
	dropped = true;
}

int frame_host_check(u64 pfn, u64 nr)
{
	assume(check_says || (pfn && nr && pfn < frame_count() && nr <= frame_count() - pfn));
	return check_says;
}

/* The epoch is opened here: all that it has to wait for is done before. */
int frame_host_donate(u64 pfn, u64 nr, u64 *epoch)
{
	u64 x = any_page();

	claim(!check_says && dropped && npt_lock.held, "checked, and every EPT02 is gone");
	space = host_npt;
	if (x >> PAGE_SHIFT >= pfn && (x >> PAGE_SHIFT) - pfn < nr)
		claim(!view(x), "I19 out of EPT01 before the epoch opens");
	*epoch = nondet_u64();
	donated = true;
	return NPT_OK;
}

u64 frame_free_first(void)
{
	return first_free;
}

int frame_free_return(u64 *pfn)
{
	if (first_free == INVALID_PFN)
		return NPT_EPOOL;
	*pfn = first_free;
	return NPT_OK;
}

void frame_unshare(u64 pfn)
{
	(void)pfn;
	claim(word.shared && npt_lock.held, "it is shared");
	word.shared = 0;
}

void epoch_reap(u32 budget)
{
	(void)budget;
}

static void host_any(void)
{
	u64 bits = nondet_u64();

	word = *(struct frame *)&bits;
	tree_any();
	host_npt = space;
	npt_lock.held = 0;
}

static void host_ends(void)
{
	claim(!npt_lock.held, "the lock is free again");
	space = host_npt;
	tree_check();
	others_same();
}

void proof_host_donate(void)
{
	u64 pfn = nondet_u64(), nr = nondet_u64(), epoch, x = any_page(), before;
	int err;

	check_says = nondet_u32() & 15;
	assume(nr <= DONATE_PAGES || nr > HOST_DONATE_MAX || check_says);
	host_any();
	before = view(x);
	err = host_donate(pfn, nr, &epoch);
	REACH(!err && nr > 1, "donated");
	REACH(err == NPT_EPOOL && !check_says, "no frame to split with");
	REACH(err == NPT_ERANGE && nr > HOST_DONATE_MAX, "too many");
	REACH(err && err == check_says, "not fit");
	claim(!err == donated, "the words change if it is done, and only then");
	host_ends();
	if (!err && x >> PAGE_SHIFT >= pfn && (x >> PAGE_SHIFT) - pfn < nr)
		claim(!view(x), "out of EPT01");
	else
		claim(view(x) == before, "I14 I15 no other page has changed");
}

static bool flushed; /* have all CPUs, since a junk frame was taken away? */

bool epoch_passed(u64 wanted)
{
	(void)wanted;
	return flushed;
}

u64 epoch_now(void)
{
	return nondet_u64();
}

void proof_host_take_back(void)
{
	u64 x = any_page(), before, there = 0, got = INVALID_PFN;
	int err;

	first_free = nondet_u64();
	host_any();
	/* It was donated, so its table is there, with nothing in it, or with what is lent. */
	if (first_free != INVALID_PFN) {
		assume(first_free < frame_count() &&
		       table_at(first_free << PAGE_SHIFT, 1) != INVALID_PFN);
		there = view(first_free << PAGE_SHIFT);
	}
	before = view(x);
	flushed = nondet_u64() & 1;
	err = host_take_back(&got);
	REACH(!err, "taken back");
	REACH(err == NPT_EPOOL, "none is free");
	REACH(err == NPT_EBUSY, "junk is lent there");
	if (first_free != INVALID_PFN)
		claim((err == NPT_EBUSY) == (there || !flushed),
		      "not in place of what is lent, nor while some CPU may have that cached");
	host_ends();
	if (!err && x >> PAGE_SHIFT == got)
		claim((view(x) & ~EPT_MEMTYPE) == (x | EPT_RWX), "I11 at its own address, in full");
	else
		claim(view(x) == before, "I14 I15 no other page has changed");
}

void proof_host_lend(void)
{
	u64 gpa = any_page(), junk = nondet_u64(), x = any_page(), before, there;
	bool read_only;
	int err;

	assume(junk < BIT(40));
	host_any();
	read_only = word.shared && word.peer == DOM_HOST && !word.peer_write;
	there = view(gpa);
	assume(!there || table_at(gpa, 1) != INVALID_PFN);
	before = view(x);
	err = host_lend(gpa + (nondet_u32() & (PAGE_SIZE - 1)), junk);
	REACH(!err && !there, "lent");
	REACH(!err && there, "lent in place of what was to read only");
	REACH(err == NPT_EEXIST, "another CPU is at it");
	REACH(err == NPT_EPOOL, "no frame for a table");
	host_ends();
	if (x != gpa)
		claim(view(x) == before, "I15 no other page has changed");
	else if (!err)
		claim((view(x) & (EPT_ADDR | EPT_RWX)) ==
		      (junk << PAGE_SHIFT | EPT_READ | EPT_WRITE),
		      "the junk frame, without EPT_EXEC");
	claim(err != NPT_EEXIST || (there && !read_only), "only what the host may not see is lent");
	claim(!read_only || !word.shared, "a page to read only is seen no more");
	if (err)
		return;
	host_unlend(gpa);
	space = host_npt;
	claim(!view(gpa), "and it is gone again");
	claim(x == gpa || view(x) == before, "I15 and nothing else");
}

/* I11, where the fault is and where the table ends: what the host has in RAM is there. */
static void assume_identity(u64 gpa)
{
	struct npt_leaf at = npt_walk(&host_npt, table_end()), leaf;

	assume(!at.entry || IS_ALIGNED(table_end(), LEVEL_SIZE(at.level)));
	if (gpa >= NPT_LIMIT)
		return;
	leaf = npt_walk(&host_npt, gpa);
	if (gpa < table_end())
		assume(leaf.entry || !host_state(word.state));
	else
		assume(leaf.entry || ALIGN_DOWN(gpa, LEVEL_SIZE(leaf.level)) >= table_end());
}

void proof_host_npt_fault(void)
{
	u64 gpa = nondet_u64(), x = any_page(), before;
	enum host_fault says;

	host_any();
	config.max_pa = nondet_u64();
	config.max_leaf = host_npt.max_leaf;
	mmio_tables = nondet_u64();
	assume(mmio_tables <= HOST_MMIO_TABLES && config.max_pa >= table_end());
	assume_identity(gpa);
	before = view(x);
	says = host_npt_fault(gpa);
	REACH(says == HOST_FAULT_PROTECTED, "not the host's");
	REACH(says == HOST_FAULT_BEYOND && gpa < NPT_LIMIT, "beyond all addresses");
	REACH(says == HOST_FAULT_RETRY && gpa < table_end(), "there already");
	REACH(says == HOST_FAULT_RETRY && gpa >= table_end() && view(x) != before, "MMIO");
	host_ends();
	claim((says == HOST_FAULT_PROTECTED) ==
		      (gpa < table_end() && gpa < mmio_end() && !host_state(word.state)),
	      "what is not the host's is protected");
	claim((says == HOST_FAULT_BEYOND) == (gpa >= mmio_end()), "beyond is beyond");
	if (x < table_end() || says != HOST_FAULT_RETRY)
		claim(view(x) == before, "I5 I15 no fault changes what the host has of RAM");
	else if (view(x) && view(x) != before)
		claim((view(x) & (EPT_ADDR | EPT_RWX)) == (x | EPT_RWX), "I11 at its own address");
	claim(mmio_tables <= HOST_MMIO_TABLES, "I21 so many tables for MMIO at most");
}
