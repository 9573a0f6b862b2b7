// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/compose.c */
/* needs: npt/lend.c npt/share.c npt/vm.c */
/* includes: npt/host.c */
#include "npt_sim.h"
#include "npt/host.c"

#define GIB BIT(30)
#define MIB2 BIT(21)
#define RAM_END (SIM_FRAMES << PAGE_SHIFT)
#define WB (MT_WB << EPT_MEMTYPE_SHIFT)

static struct npt_config cfg;

static void setup(u64 pool)
{
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, pool);
	cfg = sim_config();
	check(host_npt_init(&cfg) == NPT_OK);
}

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

/* Every frame below the table's end, one by one. */
static bool exact(void)
{
	struct npt_leaf l;
	u64 pfn, pa;
	u32 type;

	for (pfn = 0; pfn < frame_count(); pfn++) {
		pa = pfn << PAGE_SHIFT;
		l = npt_walk(&host_npt, pa);
		mtrr_type(&cfg.mtrr, pa, PAGE_SIZE, &type);
		if (host_state(sim_table[pfn].state)) {
			if ((l.entry & ~EPT_LEAF) != ((pa & ~(LEVEL_SIZE(l.level) - 1)) | EPT_RWX |
						      (u64)type << EPT_MEMTYPE_SHIFT))
				return false;
		} else if (l.entry || l.level != 1) {
			return false;
		}
	}
	return true;
}

static void test_init(void)
{
	struct npt_config bad;

	setup(64);
	ok(exact(), "every frame of the host is mapped as it was, no other");
	ok(npt_walk(&host_npt, 0x5000).level == 1 && npt_walk(&host_npt, MIB2).level == 2,
	   "small pages where types change, large ones elsewhere");
	ok(npt_walk(&host_npt, 0xa0000).entry == (0xa0000 | EPT_RWX), "a hole is mapped, UC");
	ok(npt_walk(&host_npt, 0x1000000).level == 1, "the pool is not, down to pages");
	/* root, levels 3 and 2, and level 1 for the first MiBs and for the pool */
	ok(frame_type_count(FRAME_TABLE) == 5, "no table too many");
	ok(!npt_walk(&host_npt, RAM_END).entry, "nothing above the table");
	ok(!npt_lock.held, "lock released");

	bad = cfg;
	bad.max_leaf = 4;
	refused(host_npt_init(&bad), NPT_EINVAL, "init: leaf level");
	bad.max_leaf = 0;
	refused(host_npt_init(&bad), NPT_EINVAL, "init: no leaf level");
	bad = cfg;
	bad.mtrr.nr_var = MTRR_VAR_MAX + 1;
	refused(host_npt_init(&bad), NPT_EINVAL, "init: variable ranges");
	bad = cfg;
	bad.max_pa = 0;
	refused(host_npt_init(&bad), NPT_EINVAL, "init: no address");
	bad.max_pa = BIT(29);
	refused(host_npt_init(&bad), NPT_EINVAL, "init: less than a leaf");
	bad.max_pa = BIT(39) + 1;
	refused(host_npt_init(&bad), NPT_EINVAL, "init: no power of two");
	bad.max_pa = BIT(53);
	refused(host_npt_init(&bad), NPT_EINVAL, "init: too wide");
	bad.max_leaf = 2;
	bad.max_pa = BIT(25);
	refused(host_npt_init(&bad), NPT_ERANGE, "init: RAM beyond the CPU's reach");

	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 4);
	refused(host_npt_init(&cfg), NPT_EPOOL, "init: one table short");
	sim_pool(0x1004, 1);
	ok(!host_npt_init(&cfg) && exact() && !frame_state_count(FRAME_FREE), "init: just enough");

	setup(64);
	cfg.max_leaf = 2;
	cfg.max_pa = RAM_END;
	cfg.mtrr.nr_var = MTRR_VAR_MAX;
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 64);
	ok(!host_npt_init(&cfg) && exact(), "init: all ranges in use, all addresses RAM");

	setup(64);
	cfg.max_leaf = 2;
	cfg.mtrr.def_type = MT_WB; /* off: all UC, uniform */
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 64);
	ok(!host_npt_init(&cfg) && exact() && npt_walk(&host_npt, MIB2).level == 2, "MTRRs off");
}

/* A table with a GiB of RAM, of which only the pool is really there. */
static void test_init_large(void)
{
	u64 nr = (2 * GIB + MIB2 + 0x5000) >> PAGE_SHIFT;
	u32 level;

	for (level = 1; level <= 3; level++) {
		sim_init(nr, 1);
		sim_pool(0x1000, 2100);
		cfg = sim_config();
		cfg.max_leaf = level;
		ok(!host_npt_init(&cfg) && exact() && npt_walk(&host_npt, GIB).level == level &&
		   npt_walk(&host_npt, 2 * GIB + MIB2).level == 1 &&
		   frame_type_count(FRAME_TABLE) == build_cost() + 1,
		   "2 GiB with leaves of level %u", level);
	}
}

/* Types that change within a large page, in RAM as above it. */
static void test_init_types(void)
{
	setup(64);
	cfg.mtrr.base[2] = 0x2100000 | MT_UC;
	cfg.mtrr.mask[2] = (BIT(39) - BIT(20)) | BIT(11);
	cfg.mtrr.nr_var = 3;
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 64);
	ok(!host_npt_init(&cfg) && exact() && npt_walk(&host_npt, 0x2000000).level == 1 &&
	   npt_walk(&host_npt, 0x2200000).level == 2, "pages of a large one that has two types");
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 64);
	sim_pool(0x23ff, 1);
	ok(!host_npt_init(&cfg) && exact() && npt_walk(&host_npt, 0x2200000).level == 1,
	   "pages of a large one whose last one is not the host's");
	cfg.mtrr.base[2] = 0x140200000ULL | MT_UC;
	cfg.mtrr.mask[2] = (BIT(39) - BIT(21)) | BIT(11);
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 64);
	check(!host_npt_init(&cfg));
	check(host_npt_fault(0x140212345) == HOST_FAULT_RETRY);
	ok(npt_walk(&host_npt, 0x140200000).entry == (0x140200000 | EPT_RWX | EPT_LEAF),
	   "two types: 2 MiB of MMIO");
}

/* A CPU that can express more addresses than 4 levels reach. */
static void test_wide(void)
{
	setup(64);
	cfg.max_pa = BIT(52);
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 64);
	ok(!host_npt_init(&cfg), "52 bits of address");
	check(host_npt_fault(BIT(48) - 1) == HOST_FAULT_RETRY);
	refused(host_npt_fault(BIT(48)), HOST_FAULT_BEYOND, "fault: 4 levels do not reach it");
	ok(npt_walk(&host_npt, BIT(48) - 1).entry, "the last one that they do stays");
}

/* A hole at the end of the table, in the middle of a large page. */
static void test_init_hole_at_end(void)
{
	const struct ram_range ram = { 0, 3 * MIB2 };
	u64 nr = (4 * MIB2 + 0x5000) >> PAGE_SHIFT;

	sim_init(nr, 1);
	frame_table_init(sim_table, nr, &ram, 1, 1);
	sim_pool(0x200, 64);
	cfg = sim_config();
	cfg.mtrr.has_fixed = false;
	check(!host_npt_init(&cfg));
	ok(npt_walk(&host_npt, 3 * MIB2).level == 2 && exact() &&
	   npt_walk(&host_npt, 4 * MIB2).level == 1 &&
	   !npt_walk(&host_npt, 4 * MIB2 + 0x5000).entry,
	   "a hole ends with the table");
	ok(host_npt_fault(4 * MIB2 + 0x5000) == HOST_FAULT_RETRY &&
	   npt_walk(&host_npt, 4 * MIB2 + 0x5000).level == 1 &&
	   npt_walk(&host_npt, 4 * MIB2 + 0x5000).entry &&
	   !npt_walk(&host_npt, 4 * MIB2 + 0x6000).entry, "MMIO from there on, by pages");
}

/* 4 KiB types all over, so that every touch costs a table: until all are recycled. */
static u64 touch_until_recycled(void)
{
	u64 i, before;

	cfg.max_leaf = 1;
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 256);
	check(!host_npt_init(&cfg));
	before = frame_type_count(FRAME_TABLE);
	for (i = 0; !frame_state_count(FRAME_TRANSIT) && i < 1000; i++)
		check(host_npt_fault(4 * GIB + i * GIB) == HOST_FAULT_RETRY);
	ok(frame_state_count(FRAME_TRANSIT) > HOST_MMIO_TABLES - 3 &&
	   frame_type_count(FRAME_TABLE) <= before + 3, "used up: all are retired");
	check(host_npt_fault(500 * GIB) == HOST_FAULT_RETRY);
	check(host_npt_fault(501 * GIB) == HOST_FAULT_RETRY);
	ok(npt_walk(&host_npt, 500 * GIB).entry && npt_walk(&host_npt, 501 * GIB).entry,
	   "and it starts anew");
	return before;
}

static void test_fault(void)
{
	struct npt_leaf l;
	u64 i, before;

	setup(256);
	ok(host_npt_fault(0x5000) == HOST_FAULT_RETRY, "fault: RAM of the host");
	ok(host_npt_fault(0x1000000) == HOST_FAULT_PROTECTED, "fault: the pool");
	ok(host_npt_fault(cfg.max_pa) == HOST_FAULT_BEYOND && host_npt_fault(~0ULL) ==
	   HOST_FAULT_BEYOND, "fault: no such address");
	ok(host_npt_fault(0xfee00030) == HOST_FAULT_RETRY, "fault: MMIO");
	l = npt_walk(&host_npt, 0xfee00030);
	ok(l.level == 3 && l.entry == (0xc0000000 | EPT_RWX | EPT_LEAF), "a GiB of one type");
	ok(host_npt_fault(RAM_END + 5) == HOST_FAULT_RETRY, "fault: just above RAM");
	l = npt_walk(&host_npt, RAM_END);
	ok(l.level == 2 && l.entry == (RAM_END | EPT_RWX | WB | EPT_LEAF), "as large as fits");
	before = frame_type_count(FRAME_TABLE);
	ok(host_npt_fault(RAM_END + 5) == HOST_FAULT_RETRY && frame_type_count(FRAME_TABLE) ==
	   before, "again: nothing more");
	ok(exact(), "RAM as before");

	before = touch_until_recycled();
	for (i = 0; i < 5000; i++) {
		u64 pa = RAM_END + unit_random() % (cfg.max_pa - RAM_END);

		check(host_npt_fault(pa) == HOST_FAULT_RETRY);
		check((npt_walk(&host_npt, pa).entry & EPT_ADDR) == (pa & ~0xfffULL));
		check(frame_type_count(FRAME_TABLE) <= before + HOST_MMIO_TABLES);
		if (i % 8 == 0)
			pass_all();
	}
	ok(exact(), "5000 touches of MMIO take 64 tables at most");
	touch_until_recycled();
}

/* A pool that MMIO has used up comes back with the epochs; RAM is untouched. */
static void test_fault_pool(void)
{
	u64 i, mapped = 0;

	setup(8);
	cfg.max_leaf = 1;
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x1000, 40);
	check(!host_npt_init(&cfg));
	lock();
	while (frame_state_count(FRAME_FREE) > 6)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	for (i = 0; i < 200; i++) {
		u64 pa = 4 * GIB + i * GIB;

		check(host_npt_fault(pa) == HOST_FAULT_RETRY);
		mapped += !!npt_walk(&host_npt, pa).entry;
		if (i % 2)
			pass_all();
	}
	ok(mapped > 50 && exact(), "an empty pool: retry, and progress after an epoch");
}

static void test_donate(void)
{
	u64 epoch = 7, pfn = 9, gen;

	setup(64);
	refused(host_donate(0x2000, HOST_DONATE_MAX + 1, &epoch), NPT_ERANGE, "donate: too many");
	refused(host_donate(0, 1, &epoch), NPT_ERANGE, "donate: frame 0");
	refused(host_donate(SIM_FRAMES, 1, &epoch), NPT_ERANGE, "donate: no RAM");
	refused(host_donate(0xfff, 2, &epoch), NPT_EOWNER, "donate: the pool");
	refused(host_donate(0x9f, 2, &epoch), NPT_ESTATE, "donate: a hole");
	lock();
	check(!frame_pin(0x2003));
	unlock();
	refused(host_donate(0x2000, 4, &epoch), NPT_EBUSY, "donate: pinned");
	ok(epoch == 7 && !npt_lock.held, "refusals touch nothing else");
	gen = host_npt.generation;
	ok(!host_donate(0x2010, 5, &epoch) && exact() && host_npt.generation > gen, "donate");
	ok(!epoch_passed(epoch) && frame_state_count(FRAME_TRANSIT) == 5, "in transit");
	ok(host_npt_fault(0x2010000) == HOST_FAULT_PROTECTED, "out of reach at once");
	refused(host_donate(0x2014, 2, &epoch), NPT_EOWNER, "donate: twice");
	refused(host_settle(0x2010, 5), NPT_EBUSY, "settle: no CPU has passed");
	pass_all();
	refused(host_settle(0x2010, HOST_DONATE_MAX + 1), NPT_ERANGE, "settle: too many");
	refused(host_settle(0x200f, 2), NPT_ESTATE, "settle: the host's");
	gen = frame_state_count(FRAME_FREE);
	ok(!host_settle(0x2010, 5) && frame_state_count(FRAME_FREE) == gen + 5, "settle");
	ok(!host_take_back(&pfn) && pfn >= 0x2010 && pfn < 0x2015 && exact() && page_is(pfn, 0),
	   "take back: wiped and mapped");
	ok(!host_donate(0x2200, HOST_DONATE_MAX, &epoch) && exact(), "a whole 2 MiB");
	pass_all();
	check(!host_settle(0x2200, 512));
	while (!host_take_back(&pfn))
		;
	ok(exact() && !frame_state_count(FRAME_FREE), "all back, the first pool too");
	refused(host_take_back(&pfn), NPT_EPOOL, "take back: none left");
	refused(host_donate(0x3000, 1, &epoch), NPT_EPOOL, "donate: no frame for the split");
	ok(!host_donate(0x2200, 1, &epoch) && exact(), "donate: where no split is needed");
}

/* On one CPU the host reads a frame of the pool, on another it asks for frames back. */
static void test_lend(void)
{
	u64 pfn = 9, i, first;

	setup(64);
	lock();
	first = frame_free_first();
	unlock();
	check(frame_get_info(first).state == FRAME_FREE);
	check(!host_lend(first << PAGE_SHIFT, 0x2000));
	ok(npt_walk(&host_npt, first << PAGE_SHIFT).entry ==
	   (0x2000000 | EPT_READ | EPT_WRITE | WB), "lend: to read and write, not to execute");
	ok(host_lend(first << PAGE_SHIFT, 0x2000) == NPT_EEXIST, "lend: twice");
	ok(bugs(host_unlend((first << PAGE_SHIFT) + 8)), "unlend: within a page is a bug");
	refused(host_take_back(&pfn), NPT_EBUSY, "take back: it is lent a junk frame just now");
	ok(pfn == 9 && !npt_lock.held, "refusals touch nothing else");
	host_unlend(first << PAGE_SHIFT);
	refused(host_take_back(&pfn), NPT_EBUSY, "take back: another CPU may have the junk cached");
	epoch_pass(0);
	refused(host_take_back(&pfn), NPT_EBUSY, "take back: one CPU has not flushed");
	epoch_pass(1);
	ok(!host_take_back(&pfn) && pfn == first && exact(), "take back: afterwards");
	lock();
	for (i = 0; i < 3; i++)
		frame_retire(frame_get(FRAME_STATE));
	unlock();
	pass_all();
	ok(!host_take_back(&pfn) && !frame_state_count(FRAME_TRANSIT), "retired ones come back");
	for (i = 0; !host_take_back(&pfn); i++)
		;
	ok(i && exact(), "... and all others");
	check(!host_lend(host_npt.root << PAGE_SHIFT, 0x2000));
	host_unlend(host_npt.root << PAGE_SHIFT);
	refused(host_take_back(&pfn), NPT_EPOOL, "take back: none, whatever was lent");
	setup(64);
	ok(!host_take_back(&pfn), "nothing was lent before the begin");
}

int main(void)
{
	test_init();
	test_init_large();
	test_init_types();
	test_wide();
	test_init_hole_at_end();
	test_fault();
	test_fault_pool();
	test_donate();
	test_lend();
	return unit_end();
}
