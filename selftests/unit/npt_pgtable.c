// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c */
#define SIM_FRAMES 1024ULL
#include "npt_sim.h"

#define WB (MT_WB << EPT_MEMTYPE_SHIFT)
#define GIB BIT(30)
#define MIB2 BIT(21)

static struct npt npt;

static void setup(u64 pool)
{
	sim_init(SIM_FRAMES, 1);
	sim_pool(0x200, pool);
	lock();
	check(npt_create(&npt, 3) == NPT_OK);
	unlock();
}

static u64 tables(void)
{
	return frame_type_count(FRAME_TABLE);
}

static void test_create(void)
{
	struct npt n = { .root = 1 };

	setup(1);
	lock();
	refused(npt_create(&n, 3), NPT_EPOOL, "create: pool is empty");
	refused(npt_create(&n, 0), NPT_EINVAL, "create: no leaf level");
	refused(npt_create(&n, 4), NPT_EINVAL, "create: no leaves at level 4");
	ok(n.root == 1, "refusal leaves the space alone");
	ok(npt_walk(&npt, 0).entry == 0 && npt_walk(&npt, 0).level == 4, "empty space");
	ok(npt_walk(&npt, BIT(48)).entry == 0 && npt_walk(&npt, ~0ULL).entry == 0,
	   "beyond 4 levels: nothing");
	unlock();
}

static void test_map(void)
{
	struct npt_leaf l;
	u32 t;

	setup(16);
	lock();
	refused(npt_map(&npt, 0, EPT_RWX, 0), NPT_EINVAL, "map: level 0");
	refused(npt_map(&npt, 0, EPT_RWX, 4), NPT_EINVAL, "map: level 4");
	npt.max_leaf = 2;
	refused(npt_map(&npt, 0, EPT_RWX, 3), NPT_EINVAL, "map: 1 GiB without them");
	npt.max_leaf = 3;
	refused(npt_map(&npt, BIT(48), EPT_RWX, 1), NPT_ERANGE, "map: beyond 4 levels");
	refused(npt_map(&npt, 0x1800, EPT_RWX, 1), NPT_EALIGN, "map: within a page");
	refused(npt_map(&npt, 0x1000, EPT_RWX, 2), NPT_EALIGN, "map: address in a large page");
	refused(npt_map(&npt, 0, EPT_RWX | 0x1000, 2), NPT_EALIGN, "map: frame in a large page");
	refused(npt_map(&npt, 0, EPT_RWX | MIB2, 3), NPT_EALIGN, "map: 2 MiB in 1 GiB");
	refused(npt_map(&npt, 0, WB, 1), NPT_EINVAL, "map: no permission");
	refused(npt_map(&npt, 0, WB | EPT_WRITE, 1), NPT_EINVAL, "map: write only");
	refused(npt_map(&npt, 0, WB | EPT_WRITE | EPT_EXEC, 1), NPT_EINVAL, "map: write, exec");
	refused(npt_map(&npt, 0, EPT_RWX | EPT_LEAF, 1), NPT_EINVAL, "map: bit 7");
	refused(npt_map(&npt, 0, EPT_RWX | BIT(63), 1), NPT_EINVAL, "map: bit 63");
	refused(npt_map(&npt, 0, EPT_RWX | EPT_ACCESSED, 1), NPT_EINVAL, "map: bit 8");
	for (t = 2; t < 8; t = t == 3 ? 7 : t + 1)
		refused(npt_map(&npt, 0, EPT_RWX | t << 3, 1), NPT_EINVAL, "map: type %u", t);

	ok(npt_map_cost(&npt, 0x5000, 1) == 3, "cost of a page");
	ok(!npt_map(&npt, 0x5000, EPT_RWX | WB | 0x77000, 1) && tables() == 4, "map a page");
	l = npt_walk(&npt, 0x5fff);
	ok(l.level == 1 && l.entry == (0x77000 | EPT_RWX | WB), "walk finds it");
	ok(!npt_walk(&npt, BIT(48) + 0x5000).entry, "nor is anything beyond 4 levels");
	ok(!npt_walk(&npt, 0x6000).entry && npt_walk(&npt, 0x6000).level == 1, "not its neighbour");
	refused(npt_map(&npt, 0x5000, EPT_RWX, 1), NPT_EEXIST, "map: a page is there");
	refused(npt_map(&npt, 0, EPT_RWX, 2), NPT_EEXIST, "map: a table is there");
	refused(npt_map(&npt, 0, EPT_RWX, 3), NPT_EEXIST, "map: two tables are there");
	ok(npt_map_cost(&npt, 0x5000, 1) == 0 && npt_map_cost(&npt, MIB2, 2) == 0 &&
	   npt_map_cost(&npt, MIB2, 1) == 1 && npt_map_cost(&npt, GIB, 1) == 2 &&
	   npt_map_cost(&npt, 512 * GIB, 3) == 1, "costs");
	ok(!npt_map(&npt, MIB2, EPT_READ | 4 * MIB2, 2), "map 2 MiB");
	ok(npt_map_cost(&npt, MIB2 + 0x1000, 1) == 0, "cost where a large page is in the way");
	l = npt_walk(&npt, 2 * MIB2 - 1);
	ok(l.level == 2 && l.entry == (4 * MIB2 | EPT_READ | EPT_LEAF), "walk ends at level 2");
	refused(npt_map(&npt, MIB2 + 0x3000, EPT_RWX, 1), NPT_EEXIST, "map: in a large page");
	ok(!npt_map(&npt, GIB, EPT_EXEC | GIB, 3) && npt_walk(&npt, GIB + 1).level == 3, "1 GiB");
	ok(!npt_map(&npt, BIT(48) - PAGE_SIZE, EPT_RWX, 1), "last page");
	ok(npt.generation == 0, "mapping removes nothing");
	unlock();
	ok(bugs((void)!npt_map(&npt, 0x9000, EPT_RWX, 1)) &&
	   bugs((void)!npt_unmap(&npt, 0x5000, 4096)) &&
	   bugs(npt_zap(&npt, 0x5000)) && bugs(npt_destroy(&npt, false)), "lock");
}

static void test_map_pool(void)
{
	u64 pool;

	for (pool = 1; pool < 4; pool++) {
		setup(pool);
		lock();
		refused(npt_map(&npt, 0, EPT_RWX, 1), NPT_EPOOL, "map: %llu of 3 tables",
			(unsigned long long)pool - 1);
		unlock();
	}
	setup(4);
	lock();
	ok(!npt_map(&npt, 0, EPT_RWX, 1) && !frame_state_count(FRAME_FREE), "3 tables suffice");
	ok(!npt_walk(&npt, BIT(48)).entry, "what 4 levels do not reach is not what they do");
	unlock();
}

/* [@gpa, @end) is identity-mapped with @attr, but not [@from, @to). */
static bool identity_but(u64 gpa, u64 end, u64 from, u64 to, u64 attr)
{
	struct npt_leaf l;

	for (; gpa < end; gpa += PAGE_SIZE) {
		l = npt_walk(&npt, gpa);
		if (gpa >= from && gpa < to) {
			if (l.entry || l.level != 1)
				return false;
			continue;
		}
		if ((l.entry & ~EPT_LEAF) != ((gpa & ~(LEVEL_SIZE(l.level) - 1)) | attr))
			return false;
		if ((l.entry & EPT_LEAF) ? l.level <= 1 : l.level > 1)
			return false;
	}
	return true;
}

static void test_unmap(void)
{
	static const struct {
		u64 start, len, cost;
		const char *name;
	} cases[] = {
		{ GIB, PAGE_SIZE, 2, "first page of 1 GiB" },
		{ 2 * GIB - PAGE_SIZE, PAGE_SIZE, 2, "last page of 1 GiB" },
		{ GIB + MIB2, MIB2, 2, "2 MiB of 1 GiB" },
		{ GIB + MIB2 - PAGE_SIZE, 2 * PAGE_SIZE, 3, "across 2 MiB" },
		{ 2 * GIB - PAGE_SIZE, 2 * PAGE_SIZE, 4, "across 1 GiB" },
		{ GIB + 5 * PAGE_SIZE, 3 * MIB2, 5, "from within to within" },
		{ 3 * GIB - PAGE_SIZE, 2 * PAGE_SIZE, 2, "1 GiB, then nothing" },
		{ MIB2 * 4, MIB2, 1, "a 2 MiB leaf" },
		{ MIB2 * 5 - PAGE_SIZE, 2 * PAGE_SIZE, 2, "across two 2 MiB leaves" },
		{ MIB2 * 7 - PAGE_SIZE, 2 * PAGE_SIZE, 1, "2 MiB leaf, then a page" },
		{ MIB2 * 7, 2 * PAGE_SIZE, 0, "two pages" },
	};
	u64 attr = EPT_RWX | WB, i, slack, free;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		for (slack = 0; slack < 2; slack++) {
			if (slack > cases[i].cost)
				continue;
			/* 3 tables besides the root; the pool has the cost, or one less */
			setup(4 + cases[i].cost - slack);
			lock();
			check(!npt_map(&npt, GIB, attr | GIB, 3));
			check(!npt_map(&npt, 2 * GIB, attr | 2 * GIB, 3));
			check(!npt_map(&npt, 4 * MIB2, attr | 4 * MIB2, 2));
			check(!npt_map(&npt, 5 * MIB2, attr | 5 * MIB2, 2));
			check(!npt_map(&npt, 6 * MIB2, attr | 6 * MIB2, 2));
			check(!npt_map(&npt, 7 * MIB2, attr | 7 * MIB2, 1));
			check(!npt_map(&npt, 7 * MIB2 + 4096, attr | (7 * MIB2 + 4096), 1));
			free = frame_state_count(FRAME_FREE);
			if (slack) {
				refused(npt_unmap(&npt, cases[i].start, cases[i].len), NPT_EPOOL,
					"unmap %s: one table short", cases[i].name);
			} else {
				u64 gen = npt.generation, end = cases[i].start + cases[i].len;
				u64 last = end > 3 * GIB ? 3 * GIB : end;

				ok(!npt_unmap(&npt, cases[i].start, cases[i].len) &&
				   free - frame_state_count(FRAME_FREE) == cases[i].cost &&
				   identity_but(GIB, 3 * GIB, cases[i].start, last, attr) &&
				   identity_but(4 * MIB2, 7 * MIB2 + 8192, cases[i].start, last,
						attr) && npt.generation > gen,
				   "unmap %s", cases[i].name);
				npt_restore(&npt, cases[i].start, last - cases[i].start, attr);
				ok(identity_but(GIB, 3 * GIB, 0, 0, attr) &&
				   identity_but(4 * MIB2, 7 * MIB2 + 8192, 0, 0, attr),
				   "restore %s", cases[i].name);
			}
			unlock();
		}
	}
}

static void test_unmap_refusals(void)
{
	u64 gen;

	setup(8);
	lock();
	check(!npt_map(&npt, 0x5000, EPT_RWX, 1));
	gen = npt.generation;
	refused(npt_unmap(&npt, 0x5001, 4096), NPT_EALIGN, "unmap: address");
	refused(npt_unmap(&npt, 0x5000, 4097), NPT_EALIGN, "unmap: length");
	refused(npt_unmap(&npt, 0x5000, 0), NPT_ERANGE, "unmap: nothing");
	refused(npt_unmap(&npt, BIT(48), 4096), NPT_ERANGE, "unmap: beyond 4 levels");
	refused(npt_unmap(&npt, BIT(48) + 4096, 4096), NPT_ERANGE, "unmap: far beyond them");
	refused(npt_unmap(&npt, BIT(48) - 4096, 8192), NPT_ERANGE, "unmap: runs beyond");
	refused(npt_unmap(&npt, 4096, ~0ULL << 12), NPT_ERANGE, "unmap: wraps");
	refused(npt_unmap(&npt, GIB, 2 * GIB), NPT_OK, "unmap: what is not mapped");
	ok(npt.generation == gen, "generation stays if nothing goes");
	ok(bugs(npt_restore(&npt, GIB, 4096, EPT_RWX)), "restore without tables is a bug");
	ok(bugs(npt_restore(&npt, 0x5000, 4096, EPT_RWX)), "restore over a page is a bug");
	unlock();
	ok(bugs(npt_restore(&npt, 0x6000, 4096, EPT_RWX)), "restore without the lock is a bug");
}

static void test_zap_prune_destroy(void)
{
	u64 before, gen;

	setup(32);
	lock();
	check(!npt_map(&npt, 0x5000, EPT_RWX, 1));
	check(!npt_map(&npt, 2 * MIB2, EPT_RWX | 2 * MIB2, 2));
	check(!npt_map(&npt, GIB, EPT_RWX | GIB, 3));
	npt_zap(&npt, 2 * MIB2 + 0x7000);
	ok(!npt_walk(&npt, 2 * MIB2).entry && npt.generation == 1, "zap a large leaf");
	npt_zap(&npt, 2 * MIB2);
	ok(npt.generation == 1, "zap nothing");
	ok(bugs(npt_protect(&npt, 2 * MIB2, EPT_READ)) && bugs(npt_protect(&npt, 0x6000, EPT_READ)),
	   "to protect nothing is a bug");
	ok(npt_protect(&npt, GIB + 0x7000, EPT_READ) && npt.generation == 2 &&
	   npt_walk(&npt, GIB).entry == (EPT_READ | GIB | EPT_LEAF), "protect a large leaf");
	ok(!npt_protect(&npt, GIB, EPT_READ | EPT_EXEC) && npt.generation == 2 &&
	   npt_walk(&npt, GIB).entry == (EPT_READ | EPT_EXEC | GIB | EPT_LEAF), "and back");
	unlock();
	ok(bugs(npt_protect(&npt, GIB, EPT_READ)), "protect without the lock");
	lock();
	check(!npt_map(&npt, 0x9000, EPT_RWX | 0x9000, 1));
	check(!npt_map(&npt, 3 * MIB2, EPT_RWX, 1));
	check(!npt_map(&npt, 600 * GIB, EPT_RWX, 1));
	check(!npt_map(&npt, 700 * GIB, EPT_RWX, 1));
	before = tables();
	unlock();
	ok(bugs(npt_prune(&npt, 0x9000, false)) && tables() == before, "prune without the lock");
	lock();
	gen = npt.generation;
	npt_prune(&npt, 0x9000, false);
	ok(npt.generation > gen, "prune narrows");
	ok(before - tables() == 1 + 5 && npt_walk(&npt, 0x5000).entry, "prune above a page");
	ok(!npt_walk(&npt, 0x9000).entry && !npt_walk(&npt, GIB).entry &&
	   !npt_walk(&npt, 3 * MIB2).entry && !npt_walk(&npt, 600 * GIB).entry &&
	   npt_walk(&npt, 0x9000).level == 1 && npt_walk(&npt, 600 * GIB).level == 4, "all of it");
	check(!npt_map(&npt, 600 * GIB, EPT_RWX, 1));
	npt_destroy(&npt, false);
	ok(frame_state_count(FRAME_FREE) == 32 && npt.root == INVALID_PFN, "destroy: all freed");

	check(!npt_create(&npt, 3));
	check(!npt_map(&npt, 0x5000, EPT_RWX, 1));
	check(!npt_map(&npt, 600 * GIB, EPT_RWX, 1));
	npt_destroy(&npt, true);
	epoch_reap(100);
	ok(frame_state_count(FRAME_FREE) == 25 && frame_state_count(FRAME_TRANSIT) == 7,
	   "destroy with retire: an epoch first");
	epoch_pass(0);
	epoch_reap(100);
	ok(frame_state_count(FRAME_FREE) == 32, "then freed");
	unlock();
}

int main(void)
{
	test_create();
	test_map();
	test_map_pool();
	test_unmap();
	test_unmap_refusals();
	test_zap_prune_destroy();
	return unit_end();
}
