// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c npt/share.c */
/* includes: npt/compose.c */
#include "npt_sim.h"
#include "npt/compose.c"

#ifndef ROUNDS
#define ROUNDS 1500000ULL
#endif
#define GIB BIT(30)
#define MIB2 BIT(21)
#define RAM_END (SIM_FRAMES << PAGE_SHIFT)
#define WB (MT_WB << EPT_MEMTYPE_SHIFT)

/* EPT12: one table of each level at fixed frames, for guest address 0 and up. */
#define T(level) (0x2000ULL + (level))
#define EPTP12 (T(4) << PAGE_SHIFT | EPTP_WB_4LEVEL)

static struct npt_config cfg;
static u64 perm12;

static u64 *e12(u32 level, u32 index)
{
	return (u64 *)frame_ptr(T(level)) + index;
}

static void tables12(void)
{
	u32 level;

	for (level = 1; level <= 4; level++)
		memset(frame_ptr(T(level)), 0, PAGE_SIZE);
	for (level = 2; level <= 4; level++)
		*e12(level, 0) = T(level - 1) << PAGE_SHIFT | EPT_RWX;
}

static void setup(u64 pool)
{
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, pool);
	cfg = sim_config();
	check(host_npt_init(&cfg) == NPT_OK);
	tables12();
}

/* With a GiB of MMIO that has two types: EPT01 needs a table for it. */
static void setup_types(u64 pool)
{
	setup(pool);
	cfg.mtrr.base[2] = 7 * GIB | 4 * MIB2 | MT_UC;
	cfg.mtrr.mask[2] = (BIT(39) - MIB2) | BIT(11);
	cfg.mtrr.nr_var = 3;
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, pool);
	check(host_npt_init(&cfg) == NPT_OK);
	tables12();
}

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

static int fault(u64 gpa, u64 access)
{
	perm12 = ~0ULL;
	return ept02_fault(EPTP12, gpa, access, &perm12);
}

static struct npt_leaf leaf02(u64 gpa)
{
	struct ept02 *slot = slot_find(EPTP12);

	return slot ? npt_walk(&slot->npt, gpa) : (struct npt_leaf){ 0, 0 };
}

static void test_eptp(void)
{
	bool good = true;
	u32 bit;

	setup(64);
	ok(ept02_eptp_valid(EPTP12), "EPTP: valid");
	for (bit = 0; bit < 64; bit++)
		if (bit < 12 || bit >= 39)
			good = good && !ept02_eptp_valid(EPTP12 ^ BIT(bit));
	ok(!ept02_eptp_valid(BIT(39) | EPTP_WB_4LEVEL), "EPTP: the first address too wide");
	ok(good && !ept02_eptp_valid(0), "EPTP: type, length, A/D, reserved and wide bits");
	ok(!ept02_get(EPTP12 ^ BIT(6), &perm12), "get: not a valid EPTP");
}

/* The pool with @more frames than its reserve. */
static void drain(u64 more)
{
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE + more)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
}

static void test_cache(void)
{
	u64 eptp, other, first, i, before;
	u32 n, left;
	struct ept02 *slot;

	setup(64);
	slot = ept02_get(EPTP12, &eptp);
	ok(slot && (eptp & ~EPT_ADDR) == EPTP_WB_4LEVEL &&
	   frame_get_info(eptp >> PAGE_SHIFT).type == FRAME_TABLE, "get: a root of its own");
	ok(ept02_get(EPTP12, &other) == slot && other == eptp, "get: the same again");
	ept02_invalidate(0);
	ept02_get(EPTP12, &other);
	ok(other == eptp, "invalidate: an empty space stays");
	*e12(1, 5) = 0x2100000 | EPT_RWX | WB;
	check(fault(0x5000, EPT_READ) == EPT02_RETRY);
	ept02_invalidate(EPTP12 + PAGE_SIZE);
	ept02_get(EPTP12, &other);
	ok(other == eptp && leaf02(0x5000).entry, "invalidate: another EPTP12");
	ept02_invalidate(EPTP12);
	ok(!slot_find(EPTP12) && frame_state_count(FRAME_TRANSIT) == 4, "invalidate: retired");
	ept02_get(EPTP12, &other);
	ok(other != eptp && !leaf02(0x5000).entry, "invalidate: a new root");
	check(fault(0x5000, EPT_READ) == EPT02_RETRY);
	ept02_invalidate(0);
	ok(!slot_find(EPTP12), "invalidate: all");

	check(ept02_get(EPTP12, &first));
	for (i = 1; i < EPT02_SLOTS; i++)
		check(ept02_get(EPTP12 + i * PAGE_SIZE, &other));
	check(ept02_get(EPTP12, &other) && other == first);
	before = frame_state_count(FRAME_TRANSIT);
	check(ept02_get(EPTP12 + i * PAGE_SIZE, &other));
	ok(frame_state_count(FRAME_TRANSIT) == before + 1, "who is evicted retires its tables");
	ok(slot_find(EPTP12) && !slot_find(EPTP12 + PAGE_SIZE) &&
	   slot_find(EPTP12 + 2 * PAGE_SIZE), "the one not used longest goes");
	for (n = 0; n + 1 < EPT02_SLOTS; n++)
		check(ept02_get(slots[n].eptp12, &other));
	check(ept02_get(EPTP12 + (i + 1) * PAGE_SIZE, &other));
	ok(slots[n].eptp12 == EPTP12 + (i + 1) * PAGE_SIZE, "be it the last");
	pass_all();
	check(ept02_get(EPTP12, &other));
	ok(!frame_state_count(FRAME_TRANSIT), "get: retired frames come back");
	lock();
	frame_retire(frame_get(FRAME_STATE));
	unlock();
	pass_all();
	check(fault(0x5000, EPT_READ) == EPT02_RETRY);
	ok(!frame_state_count(FRAME_TRANSIT), "fault: they do, too");
	ept02_invalidate(EPTP12);
	pass_all();
	check(ept02_get(EPTP12, &other) && ept02_get(EPTP12, &other));
	lock();
	ept02_drop_all();
	unlock();
	for (n = 0, left = 0; n < EPT02_SLOTS; n++)
		left += !!slots[n].eptp12;
	ok(!left && frame_state_count(FRAME_TRANSIT) == EPT02_SLOTS, "drop all: none is left");
	check(ept02_get(EPTP12 + EPT02_SLOTS * PAGE_SIZE, &other) && ept02_get(EPTP12, &other));
	pass_all();
	lock();
	epoch_reap(100);
	unlock();
	drain(0);
	refused(!!ept02_get(EPTP12 + PAGE_SIZE, &other), 0, "get: pool down to its reserve");
	ok(!!slot_find(EPTP12 + i * PAGE_SIZE), "and nobody was evicted for it");

	setup_types(64);
	*e12(3, 3) = 7 * GIB | EPT_RWX | EPT_LEAF;
	lock();
	while (frame_get(FRAME_STATE) != INVALID_PFN)
		;
	unlock();
	refused(fault(3 * GIB, EPT_READ), EPT02_POOL, "fault: no table for the host's MMIO");
}

static void test_room(void)
{
	u64 other;

	setup(64);
	*e12(1, 5) = 0x2100000 | EPT_RWX | WB;
	check(ept02_get(EPTP12 + PAGE_SIZE, &other) && ept02_get(EPTP12, &other));
	drain(1);
	ok(fault(0x5000, EPT_READ) == EPT02_POOL && frame_state_count(FRAME_TRANSIT) == 1 &&
	   !slot_find(EPTP12 + PAGE_SIZE), "fault: for tables, the space not used longest goes");
	ok(fault(0x5000, EPT_READ) == EPT02_POOL && slot_find(EPTP12),
	   "... but no other one until its frames are back");
	pass_all();
	ok(fault(0x5000, EPT_READ) == EPT02_POOL && !slot_find(EPTP12), "... then its own");
	pass_all();
	lock();
	epoch_reap(100);
	unlock();
	drain(0);
	refused(fault(0x5000, EPT_READ), EPT02_POOL, "fault: no space, and no frame for one");

	setup(64);
	*e12(1, 5) = 0x2100000 | EPT_RWX | WB;
	check(ept02_get(EPTP12 + PAGE_SIZE, &other) && ept02_get(EPTP12, &other));
	drain(2);
	check(fault(0x5000, EPT_READ) == EPT02_POOL);
	pass_all();
	ok(fault(0x5000, EPT_READ) == EPT02_RETRY && leaf02(0x5000).entry,
	   "fault: with room made, it is mapped");
}

static void test_compose(void)
{
	u64 eptp, i, epoch;

	setup(64);
	*e12(1, 5) = 0x2100000 | EPT_READ | EPT_EXEC | WB | EPT_IPAT | BIT(63) | BIT(11) | BIT(7);
	ok(fault(0x5678, EPT_READ) == EPT02_RETRY, "a page");
	ok(leaf02(0x5000).level == 1 && leaf02(0x5000).entry ==
	   (0x2100000 | EPT_READ | EPT_EXEC | WB | EPT_IPAT), "type and IPAT of EPT12, no more");
	ok(fault(0x5678, EPT_WRITE) == EPT02_VIOLATION && perm12 == (EPT_READ | EPT_EXEC), "write");
	ok(fault(0x5678, EPT_READ | EPT_WRITE) == EPT02_VIOLATION && fault(0x5678, EPT_READ |
	   EPT_EXEC) == EPT02_RETRY, "two kinds of access at once");
	ok(fault(0x6000, EPT_READ) == EPT02_VIOLATION && perm12 == 0, "not present");
	*e12(1, 0) = 0x2100000 | EPT_RWX | WB;
	ok(fault(BIT(48), EPT_READ) == EPT02_VIOLATION && perm12 == 0, "beyond 4 levels");
	*e12(1, 0) = 0;
	*e12(1, 5) |= EPT_WRITE;
	ok(fault(0x5000, EPT_WRITE) == EPT02_RETRY && (leaf02(0x5000).entry & EPT_RWX) == EPT_RWX,
	   "upgraded without INVEPT");
	i = slot_find(EPTP12)->npt.generation;
	ok(fault(0x5000, EPT_READ) == EPT02_RETRY && slot_find(EPTP12)->npt.generation == i,
	   "the same once more: it stays");
	*e12(1, 5) = 0x2101000 | EPT_READ | WB;
	ok(fault(0x5000, EPT_READ) == EPT02_RETRY && leaf02(0x5000).entry ==
	   (0x2101000 | EPT_READ | WB), "replaced");
	*e12(4, 0) &= ~EPT_WRITE;
	*e12(2, 0) &= ~EPT_READ & ~EPT_WRITE;
	*e12(1, 8) = 0x2102000 | EPT_RWX | WB;
	ok(fault(0x8000, EPT_EXEC) == EPT02_RETRY && (leaf02(0x8000).entry & EPT_RWX) == EPT_EXEC,
	   "permissions of all levels");
	ok(fault(0x8000, EPT_READ) == EPT02_VIOLATION && perm12 == EPT_EXEC, "reported as ANDed");
	*e12(1, 8) = 0x2102000 | EPT_READ | WB;
	ok(fault(0x8000, 0) == EPT02_VIOLATION && perm12 == 0, "nothing left of them");

	setup_types(64);
	*e12(2, 1) = 0x3000000 | EPT_RWX | WB | EPT_LEAF;
	ok(fault(MIB2 + 0x12345, EPT_READ) == EPT02_RETRY && leaf02(MIB2).level == 2 &&
	   leaf02(MIB2).entry == (0x3000000 | EPT_RWX | WB | EPT_LEAF), "2 MiB on 2 MiB");
	*e12(3, 1) = EPT_RWX | WB | EPT_LEAF; /* the first GiB, of which EPT01 has pieces */
	ok(fault(GIB + 0x2345678, EPT_READ) == EPT02_RETRY && leaf02(GIB + 0x2345678).entry ==
	   (0x2200000 | EPT_RWX | WB | EPT_LEAF), "1 GiB on 2 MiB");
	ok(fault(GIB + 0x12345, EPT_READ) == EPT02_RETRY && leaf02(GIB + 0x12345).entry ==
	   (0x12000 | EPT_RWX | WB), "1 GiB on 4 KiB");
	*e12(3, 2) = 5 * GIB | EPT_RWX | EPT_LEAF;
	ok(fault(2 * GIB + 0x12345, EPT_READ) == EPT02_RETRY && leaf02(2 * GIB).entry ==
	   (5 * GIB | EPT_RWX | EPT_LEAF), "1 GiB of MMIO, mapped on the way");
	*e12(3, 3) = 7 * GIB | EPT_RWX | EPT_LEAF; /* EPT01 will have it by 2 MiB: two types */
	ok(fault(3 * GIB + MIB2 + 0x12345, EPT_READ) == EPT02_RETRY &&
	   leaf02(3 * GIB + MIB2).entry == (7 * GIB | MIB2 | EPT_RWX | EPT_LEAF),
	   "1 GiB of MMIO that was mapped by less on the way");
	*e12(2, 2) = 0x1000000 | EPT_RWX | WB | EPT_LEAF;
	ok(fault(2 * MIB2 + 0x1000, EPT_READ) == EPT02_REFUSED, "the pool, in a large page");
	ok(fault(2 * MIB2 + 0x50000, EPT_READ) == EPT02_RETRY && leaf02(2 * MIB2 + 0x50000).entry ==
	   (0x1050000 | EPT_RWX | WB), "its neighbour, as a page");

	/* a table where EPT12 has a large page now, and the other way round */
	*e12(1, 0) = 0x3200000 | EPT_RWX | WB;
	check(fault(0, EPT_READ) == EPT02_RETRY && leaf02(0).level == 1);
	*e12(2, 0) = 0x3200000 | EPT_RWX | WB | EPT_LEAF;
	ok(fault(0x3000, EPT_READ) == EPT02_RETRY && leaf02(0x3000).entry ==
	   (0x3203000 | EPT_RWX | WB), "a large page over a table: by the page");
	*e12(2, 1) = T(1) << PAGE_SHIFT | EPT_RWX;
	ok(fault(MIB2, EPT_READ) == EPT02_RETRY && leaf02(MIB2).entry ==
	   (0x3200000 | EPT_RWX | WB), "a page over a large page");
	ok(!leaf02(MIB2 + 0x1000).entry, "the rest of which is gone");
	for (i = 1; i < 512; i++)
		*e12(1, i) = (0x3200000 + (i << 12)) | EPT_RWX | WB;

	check(ept02_get(EPTP12, &eptp));
	check(!host_donate(0x3205, 1, &epoch));
	ok(!slot_find(EPTP12), "a donation drops it");
	ok(fault(MIB2 + 0x5000, EPT_READ) == EPT02_REFUSED, "what was donated is refused");
	ok(fault(MIB2 + 0x6000, EPT_READ) == EPT02_RETRY, "what was not, is not");
	check(!host_donate(T(1), 1, &epoch));
	ok(fault(MIB2 + 0x6000, EPT_READ) == EPT02_REFUSED, "a table that was donated");
}

/* Every class of SDM 29.3.3.1, at each level. */
static void test_misconfig(void)
{
	static const struct {
		u64 set, clear;
		const char *name;
	} any[] = {
		{ 0, EPT_READ, "write without read" },
		{ 0, EPT_READ | EPT_EXEC, "write only" },
		{ BIT(39), 0, "lowest bit above max_pa" },
		{ BIT(51), 0, "highest address bit" },
	}, table[] = {
		{ BIT(3), 0, "bit 3 in a pointer" }, { BIT(4), 0, "bit 4 in a pointer" },
		{ BIT(5), 0, "bit 5 in a pointer" }, { BIT(6), 0, "bit 6 in a pointer" },
	}, leaf[] = {
		{ 2 << 3, EPT_MEMTYPE, "type 2" }, { 3 << 3, EPT_MEMTYPE, "type 3" },
		{ 7 << 3, EPT_MEMTYPE, "type 7" },
	}, ignored[] = {
		{ GENMASK(63, 52), 0, "bits 63:52" }, { GENMASK(11, 8), 0, "bits 11:8" },
		{ 0, EPT_READ | EPT_WRITE, "execute only" },
	};
	u32 level, i, bit;
	u64 save, size;

	setup(64);
	for (level = 1; level <= 4; level++) {
		*e12(1, 0) = 0x3000000 | EPT_RWX | WB;
		save = *e12(level, 0);
		check(fault(0, EPT_EXEC) == EPT02_RETRY);
		for (i = 0; i < ARRAY_SIZE(any); i++) {
			*e12(level, 0) = (save & ~any[i].clear) | any[i].set;
			refused(fault(0, EPT_EXEC), EPT02_MISCONFIG, "level %u: %s", level,
				any[i].name);
		}
		for (i = 0; i < ARRAY_SIZE(ignored); i++) {
			*e12(level, 0) = (save & ~ignored[i].clear) | ignored[i].set;
			ok(fault(0, EPT_EXEC) == EPT02_RETRY, "level %u: %s ignored", level,
			   ignored[i].name);
		}
		for (i = 0; level > 1 && i < ARRAY_SIZE(table); i++) {
			*e12(level, 0) = (save & ~table[i].clear) | table[i].set;
			refused(fault(0, EPT_EXEC), EPT02_MISCONFIG, "level %u: %s", level,
				table[i].name);
		}
		*e12(level, 0) = save | BIT(39);
		*e12(level, 0) &= ~EPT_RWX;
		ok(fault(0, EPT_EXEC) == EPT02_VIOLATION, "level %u: not present comes first",
		   level);
		*e12(level, 0) = save & ~EPT_READ;
		ok(fault(0, 0) == EPT02_MISCONFIG && perm12 == 0, "level %u: no permission told",
		   level);
		*e12(level, 0) = save;
	}
	*e12(4, 0) |= EPT_LEAF;
	refused(fault(0, EPT_READ), EPT02_MISCONFIG, "level 4: bit 7");
	tables12();
	for (level = 1; level <= 3; level++) {
		size = LEVEL_SIZE(level);
		save = (level == 3 ? 4 * GIB : 0x3000000) | EPT_RWX | WB;
		save |= level > 1 ? EPT_LEAF : 0;
		for (i = 0; i < ARRAY_SIZE(leaf); i++) {
			*e12(level, 1) = (save & ~leaf[i].clear) | leaf[i].set;
			refused(fault(size, EPT_EXEC), EPT02_MISCONFIG, "leaf %u: %s", level,
				leaf[i].name);
		}
		for (bit = 12; bit < LEVEL_SHIFT(level); bit++) {
			*e12(level, 1) = save | BIT(bit);
			if (fault(size, EPT_EXEC) != EPT02_MISCONFIG)
				ok(0, "leaf %u: address bit %u", level, bit);
		}
		*e12(level, 1) = save;
		ok(fault(size, EPT_EXEC) == EPT02_RETRY, "leaf %u: only if aligned", level);
	}
	host_npt.max_leaf = 2;
	refused(fault(GIB, EPT_EXEC), EPT02_MISCONFIG, "1 GiB leaf without 1 GiB pages");
	host_npt.max_leaf = 3;
}

static void test_gate(void)
{
	static const u64 bad[] = {
		0xa0000, /* hole */
		0x1000000, /* pool */
		SIM_FRAMES << PAGE_SHIFT, /* no RAM */
		BIT(39) - PAGE_SIZE, /* the last frame there can be */
	};
	u32 level, i;

	setup(64);
	*e12(1, 0) = 0x3000000 | EPT_RWX | WB;
	for (i = 0; i < ARRAY_SIZE(bad); i++) {
		for (level = 2; level <= 4; level++) {
			*e12(level, 0) = bad[i] | EPT_RWX;
			refused(fault(0, EPT_READ), EPT02_REFUSED, "level %u points to %llx", level,
				(unsigned long long)bad[i]);
			*e12(level, 0) = T(level - 1) << PAGE_SHIFT | EPT_RWX;
		}
		refused(ept02_fault(bad[i] | EPTP_WB_4LEVEL, 0, EPT_READ, &perm12), EPT02_REFUSED,
			"EPTP points to %llx", (unsigned long long)bad[i]);
	}
	*e12(1, 0) = 0x1000000 | EPT_RWX | WB;
	refused(fault(0, EPT_READ), EPT02_REFUSED, "leaf points to the pool");
	*e12(1, 0) = host_npt.root << PAGE_SHIFT | EPT_RWX | WB;
	refused(fault(0, EPT_READ), EPT02_REFUSED, "leaf points to EPT01 itself");
	*e12(4, 0) = T(4) << PAGE_SHIFT | EPT_RWX;
	ok(fault(0, EPT_READ) == EPT02_RETRY && leaf02(0).entry ==
	   (T(4) << PAGE_SHIFT | EPT_RWX), "a table that points to itself: 4 steps");
}

/* ---- hostile images: a second opinion on every walk ---- */

/* Written down per level from SDM tables 29-1 to 29-6, for MAXPHYADDR 39. */
static const u64 must_be_zero[5][2] = {
	[4] = { 0x000fff80000000f8, 0x000fff80000000f8 },
	[3] = { 0x000fff80000000f8, 0x000fff803ffff000 },
	[2] = { 0x000fff80000000f8, 0x000fff80001ff000 },
	[1] = { 0x000fff8000000000, 0x000fff8000000000 },
};

static int oracle(u64 gpa, u64 access, u64 *pa, u64 *perm, u64 *attr, u32 *level)
{
	u64 table = T(4), e, all = 7;
	u32 l = 4, ps;

	*perm = 0;
	for (;;) {
		if (table >= SIM_FRAMES || sim_table[table].state != FRAME_HOST)
			return EPT02_REFUSED;
		e = ((u64 *)frame_ptr(table))[gpa >> (12 + 9 * (l - 1)) & 511];
		if ((e & 7) == 0)
			return EPT02_VIOLATION;
		ps = l > 1 && l < 4 && (e >> 7 & 1);
		if ((e & 3) == 2 || (e & (ps ? must_be_zero[l][1] & ~0xf8ULL :
					  must_be_zero[l][0])))
			return EPT02_MISCONFIG;
		if ((l == 1 || ps) && (0x8c >> (e >> 3 & 7) & 1))
			return EPT02_MISCONFIG;
		all &= e;
		if (l == 1 || ps)
			break;
		table = (e & 0xffffffffff000) >> 12;
		l--;
	}
	*perm = all;
	if (!all || (access & ~all))
		return EPT02_VIOLATION;
	*pa = (e & 0xffffffffff000) + (gpa & ((1ULL << (12 + 9 * (l - 1))) - 1));
	*attr = all | (e & 0x78);
	*level = l;
	if (*pa >> 12 < SIM_FRAMES && sim_table[*pa >> 12].state != FRAME_HOST &&
	    sim_table[*pa >> 12].state != FRAME_HOLE)
		return EPT02_REFUSED;
	return EPT02_RETRY;
}

static u64 hostile_entry(u32 level)
{
	u64 r = unit_random(), e = EPT_RWX, bits = unit_random();

	switch (r % 8) {
	case 0:
		return unit_random();
	case 1:
	case 2:
		e |= (level == 3 ? r >> 20 & 0x7fc0000000 : r >> 20 & 0x7fffe00000) | EPT_LEAF |
		     (r >> 56 & 6) << 3;
		break;
	case 3:
		e |= r >> 20 & 0x3fff000;
		break;
	default:
		e |= level > 1 ? (0x2000 + (r >> 8) % 16) << 12 :
			      (0xff0 + (r >> 8) % 0x60) << 12 | WB;
	}
	if (bits % 4 == 0)
		e &= ~(bits >> 8 & 7);
	if (bits % 16 == 1)
		e ^= BIT(bits >> 8 & 63);
	return e;
}

/* EPT12 of 16 tables for every level, and what the gate lets through. */
static void hostile_init(void)
{
	u64 i;

	setup(900);
	for (i = 0; i < 16 * 512; i++)
		((u64 *)frame_ptr(0x2000))[i] = hostile_entry(unit_random() % 4 + 1);
}

static void hostile_leaf(u64 gpa, u64 pa, u64 attr, u32 level)
{
	struct npt_leaf l = leaf02(gpa);
	u64 i;

	check((l.entry & (EPT_RWX | EPT_MEMTYPE | EPT_IPAT)) == attr);
	check(l.level <= level);
	check(((l.entry & EPT_ADDR) + (gpa & (LEVEL_SIZE(l.level) - 1))) == pa);
	for (i = 0; i < LEVEL_SIZE(l.level) && (l.entry & EPT_ADDR) < RAM_END; i += PAGE_SIZE) {
		struct frame f = frame_get_info(((l.entry & EPT_ADDR) + i) >> 12);

		check(f.state == FRAME_HOST || f.state == FRAME_HOLE);
	}
}

/* One entry is written, one address touched; the verdict. */
static int hostile_round(void)
{
	u64 r = unit_random(), i, gpa = 0, access, pa = 0, perm, attr = 0, want_perm, epoch;
	u32 level = 0;
	int want, got;

	*((u64 *)frame_ptr(0x2000 + r % 16) + (r >> 8) % 4) = hostile_entry(r >> 16 & 3);
	for (i = 0; i < 4; i++)
		gpa |= (r >> (20 + 2 * i) & 3) << (12 + 9 * i);
	gpa |= r >> 40 & 0xfff;
	access = 1ULL << (r >> 52) % 3;
	want = oracle(gpa, access, &pa, &want_perm, &attr, &level);
	got = ept02_fault(EPTP12, gpa, access, &perm);
	if (got == EPT02_POOL) {
		ept02_invalidate(0);
		pass_all();
		lock();
		epoch_reap(100000);
		unlock();
		return got;
	}
	check(got == want);
	if (got == EPT02_VIOLATION || got == EPT02_RETRY)
		check(perm == want_perm);
	if (got == EPT02_RETRY)
		hostile_leaf(gpa, pa, attr, level);
	if (r % 5000 == 0 && !host_donate(0x1800 + (r >> 32) % 1024, 1, &epoch))
		pass_all();
	if (r % 1000 == 1)
		ept02_invalidate(r & BIT(20) ? EPTP12 : 0);
	if (r % 100 == 2)
		pass_all();
	return got;
}

static void test_hostile(void)
{
	u64 seen[EPT02_POOL + 1] = { 0 }, round, i, rounds = ROUNDS;

	hostile_init();
	for (round = 0; round < rounds; round++)
		seen[hostile_round()]++;
	for (i = 0; i < 4; i++)
		printf("# verdict %llu: %llu\n", (unsigned long long)i,
		       (unsigned long long)seen[i]);
	ok(seen[0] > 1000 && seen[1] > 1000 && seen[2] > 1000 && seen[3] > 1000,
	   "%llu walks of hostile tables as the SDM has them", (unsigned long long)rounds);
}

int main(void)
{
	test_eptp();
	test_cache();
	test_room();
	test_compose();
	test_misconfig();
	test_gate();
	test_hostile();
	return unit_end();
}
