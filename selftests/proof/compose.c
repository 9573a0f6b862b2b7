// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT02 = EPT12 o EPT01, limited to what the host owns. The host's tables are
 * as hostile as they can be: each fetch gives an arbitrary value, as if another
 * CPU wrote in between. EPT02 is the tree of table_world.h; the gate and
 * host_reach() are by their contracts.
 */
#include "table_world.h"
#define slot_find ept02_slot_find
#include "npt/compose.c"
#undef slot_find

#define MAX_PA BIT(40)
#define EPTP (MT_WB | 3ULL << 3)

struct npt host_npt;
static u64 fetched, root12;
static u64 entry[NPT_LEVELS + 1]; /* what was fetched at each level */
static u32 level_now;
static bool refused;
static u64 reached; /* the page that host_reach() was asked for */
static u32 level01;

u64 host_max_pa(void)
{
	return MAX_PA;
}

/* The gate: yes or no. What it lets pass is the entry that the walk has to read next. */
void *host_ptr(u64 pa, u64 len)
{
	u64 table = level_now == NPT_LEVELS ? root12 : entry[level_now + 1];

	claim(level_now >= 1 && len == sizeof(u64), "one entry for each level");
	claim(pa >> PAGE_SHIFT == (table & EPT_ADDR) >> PAGE_SHIFT, "I11 of the table named above");
	refused = nondet_u8() & 1;
	if (refused)
		return NULL;
	fetched = nondet_u64();
	entry[level_now--] = fetched;
	return &fetched;
}

/* EPT01 has the page, in a leaf of some level that is the host's throughout; or not. */
int host_reach(u64 pa, struct npt_leaf *leaf)
{
	int err = nondet_u32() & 15;

	reached = pa;
	level01 = nondet_u32();
	assume(level01 >= 1 && level01 <= host_npt.max_leaf);
	leaf->level = level01;
	leaf->entry = nondet_u64();
	assume(err == NPT_OK || err == NPT_ERANGE || err == NPT_EOWNER || err == NPT_EPOOL);
	return err;
}

void epoch_reap(u32 budget)
{
	(void)budget;
}

static bool leaf12(u64 e, u32 level)
{
	return level == 1 || (level <= host_npt.max_leaf && (e & EPT_LEAF));
}

/* I13, from the manual: what of a present entry is reserved or malformed. */
static bool malformed(u64 e, u32 level)
{
	u32 type = e >> 3 & 7;

	if (!(e & EPT_READ) && (e & EPT_WRITE))
		return true;
	if (e & EPT_ADDR & ~(MAX_PA - 1))
		return true;
	if (!leaf12(e, level))
		return e >> 3 & 0x1f;
	if (type != 0 && type != 1 && type != 4 && type != 5 && type != 6)
		return true;
	return (e & EPT_ADDR) % LEVEL_SIZE(level);
}

static void walk_begins(u64 eptp12)
{
	host_npt.max_leaf = nondet_u32();
	assume(host_npt.max_leaf && host_npt.max_leaf < NPT_LEVELS);
	root12 = eptp12;
	level_now = NPT_LEVELS;
}

/* Every entry before the last one points to a table, and is well formed. */
static u64 walk_perm(u32 last)
{
	u64 perm = EPT_RWX;
	u32 level;

	for (level = NPT_LEVELS; level > last; level--) {
		claim((entry[level] & EPT_RWX) && !malformed(entry[level], level) &&
		      !leaf12(entry[level], level), "it went down through valid tables only");
		perm &= entry[level];
	}
	return perm & entry[last];
}

void proof_ept12_walk(void)
{
	u64 eptp12 = nondet_u64(), gpa = nondet_u64(), access = nondet_u64() & EPT_RWX, perm12 = 0;
	struct npt_leaf leaf = { 0, 0 };
	enum ept02_verdict got;
	u32 last;
	u64 perm;

	walk_begins(eptp12);
	got = ept12_walk(eptp12, gpa, access, &leaf, &perm12);
	last = refused ? level_now : level_now + 1;
	REACH(got == EPT02_RETRY && leaf.level == 1, "a page");
	REACH(got == EPT02_RETRY && leaf.level > 1, "a large page");
	REACH(got == EPT02_VIOLATION && gpa >= NPT_LIMIT, "beyond the end");
	REACH(got == EPT02_VIOLATION && perm12, "not allowed");
	REACH(got == EPT02_VIOLATION && !perm12 && gpa < NPT_LIMIT, "not present");
	REACH(got == EPT02_MISCONFIG, "malformed");
	REACH(got == EPT02_REFUSED, "a table that is not the host's");
	if (gpa >= NPT_LIMIT) {
		claim(got == EPT02_VIOLATION && level_now == NPT_LEVELS, "nothing is fetched");
		return;
	}
	claim((got == EPT02_REFUSED) == refused, "the gate decides on every table");
	if (refused)
		return;
	perm = walk_perm(last);
	if (got == EPT02_MISCONFIG) {
		claim((entry[last] & EPT_RWX) && malformed(entry[last], last), "I13 malformed");
		return;
	}
	claim(!(entry[last] & EPT_RWX) || !malformed(entry[last], last), "I13 only if it is not");
	if (!(entry[last] & EPT_RWX)) {
		claim(got == EPT02_VIOLATION && !perm12, "not present");
		return;
	}
	claim(leaf12(entry[last], last), "it ends at a leaf");
	claim(perm12 == perm, "I11 the permission is that of all of the walk");
	claim((got == EPT02_RETRY) == (perm && !(access & ~perm)), "only if it is enough");
	if (got != EPT02_RETRY)
		return;
	claim(leaf.level == last && (leaf.entry & EPT_RWX) == perm, "I11 with it");
	claim((leaf.entry & (EPT_ADDR | EPT_MEMTYPE | EPT_IPAT)) ==
	      (entry[last] & (EPT_ADDR | EPT_MEMTYPE | EPT_IPAT)) &&
	      !(leaf.entry & ~(EPT_RWX | EPT_ADDR | EPT_MEMTYPE | EPT_IPAT)),
	      "I11 type and address as EPT12 says, and nothing else");
}

/* One fault, in a space that has any valid leaves already. */
void proof_ept02_fault(void)
{
	u64 eptp12 = EPTP | 0x1000, gpa = any_page(), access = BIT(nondet_u8() % 3), perm12 = 0;
	u64 x = any_page(), before, now, size, pa;
	enum ept02_verdict got;
	u32 last;

	walk_begins(eptp12);
	tree_any();
	assume(space.max_leaf == host_npt.max_leaf);
	before = view(x);
	slots[0] = (struct ept02){ .eptp12 = eptp12, .used = 1, .mapped = true, .npt = space };
	npt_lock.held = 0;
	got = ept02_fault(eptp12, gpa, access, &perm12);
	REACH(got == EPT02_POOL && !slots[0].eptp12, "no frame, and room is made");
	if (!slots[0].eptp12) {
		claim(got == EPT02_POOL, "only if a frame is missed");
		return;
	}
	space = slots[0].npt;
	last = level_now + 1;
	REACH(got == EPT02_RETRY && last > 1 && level01 > 1, "a large page");
	REACH(got == EPT02_RETRY && last > level01, "a page of a large one");
	REACH(got == EPT02_VIOLATION, "not allowed");
	REACH(got == EPT02_REFUSED && !refused, "not the host's");
	REACH(got == EPT02_POOL, "no frame");
	now = view(x);
	size = LEVEL_SIZE(min_u64(last, level01));
	if (got != EPT02_RETRY) {
		claim(now == before, "I14 no leaf has changed");
		return;
	}
	pa = (entry[last] & EPT_ADDR) + (x & (LEVEL_SIZE(last) - 1));
	claim(view(gpa) & access, "the page is there, for this access");
	if (x != gpa && (now == before || !now))
		return;
	/* The page; and what else comes with it, if no smaller table is in the way. */
	claim(x / size == gpa / size, "I12 nothing beyond the leaves of EPT12 and EPT01");
	claim(now == ((entry[last] & (EPT_MEMTYPE | EPT_IPAT)) | walk_perm(last) | pa),
	      "I11 the address and type of EPT12's leaf, and the permission of its walk");
	claim(pa / LEVEL_SIZE(level01) == reached / LEVEL_SIZE(level01),
	      "I11 what is mapped is in the leaf that EPT01 has there");
	claim(!refused, "I12 EPT12 has it");
}

/* The same, for the tree that is left. */
void proof_ept02_fault_tree(void)
{
	u64 eptp12 = EPTP | 0x1000, perm12;

	walk_begins(eptp12);
	tree_any();
	assume(space.max_leaf == host_npt.max_leaf);
	slots[0] = (struct ept02){ .eptp12 = eptp12, .used = 1, .mapped = true, .npt = space };
	npt_lock.held = 0;
	REACH(ept02_fault(eptp12, any_page(), EPT_READ, &perm12) == EPT02_RETRY, "mapped");
	claim(!npt_lock.held, "the lock is free again");
	if (!slots[0].eptp12) /* room was made: npt_destroy() */
		return;
	space = slots[0].npt;
	tree_check();
	others_same();
}
