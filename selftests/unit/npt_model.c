// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c */
/* includes: npt/compose.c */
/* cflags: -DNPT_INDEX_BITS=2 */
/*
 * Everything together, in a small world: tables of 4 entries, so 1 MiB of
 * address space with "large" pages of 16 and 64 KiB. After every one of many
 * random operations of a hostile host, all words, all tables and what every
 * CPU may still have cached are looked at.
 *
 * The ghost: a CPU may at any time cache anything that is reachable from the
 * tables it runs on, and loses it only by a flush.
 */
#define SIM_FRAMES 256ULL
#define SIM_OWN_FLUSH
#include "npt_sim.h"
#include "npt/compose.c"

#define FRAMES 224ULL
#define HOLE_FIRST 100
#define HOLE_END 104
#define CPUS 3
#define VMS 2
#define WB (MT_WB << EPT_MEMTYPE_SHIFT)

static bool ghost[CPUS][SIM_FRAMES]; /* may have cached: a table, or a translation to it */
static u64 running[CPUS]; /* root of the EPT02 that the CPU has entered, or 0 */
static u32 this_cpu;
static struct npt vms[VMS];
static struct frame before[FRAMES];
static u64 leaf_count[FRAMES], table_count[FRAMES];
static u64 verdicts[8], done[16];

static u64 pfn_of(u64 entry)
{
	return (entry & EPT_ADDR) >> PAGE_SHIFT;
}

static void ghost_table(bool *g, u64 table, u32 level)
{
	u64 *e = frame_ptr(table), i, n;

	g[table] = true;
	for (i = 0; i < NPT_ENTRIES; i++) {
		if (!e[i])
			continue;
		if (level > 1 && !(e[i] & EPT_LEAF)) {
			ghost_table(g, pfn_of(e[i]), level - 1);
			continue;
		}
		for (n = 0; n < LEVEL_SIZE(level) >> PAGE_SHIFT; n++)
			g[pfn_of(e[i]) + n] = true;
	}
}

static void ghost_walk(u32 cpu)
{
	ghost_table(ghost[cpu], host_npt.root, NPT_LEVELS);
	if (running[cpu])
		ghost_table(ghost[cpu], running[cpu], NPT_LEVELS);
}

void npt_flush_local(void)
{
	sim_flushes++;
	memset(ghost[this_cpu], 0, sizeof(ghost[this_cpu]));
}

/* I10: a table is the monitor's, and in one place. I5, I11: leaves, by @kind. */
enum space { EPT01, EPT02, VM };

static void check_table(u64 table, u32 level, u64 base, enum space kind, u32 dom)
{
	u64 *e = frame_ptr(table), i, n, gpa, pfn;
	struct frame f = frame_get_info(table);

	check(f.state == FRAME_USED && f.type == FRAME_TABLE && f.owner == DOM_MONITOR);
	check(table < FRAMES && ++table_count[table] == 1);
	for (i = 0; i < NPT_ENTRIES; i++) {
		gpa = base + (i << LEVEL_SHIFT(level));
		if (!e[i])
			continue;
		if (level > 1 && !(e[i] & EPT_LEAF)) {
			check((e[i] & ~EPT_ADDR) == EPT_RWX);
			check_table(pfn_of(e[i]), level - 1, gpa, kind, dom);
			continue;
		}
		check(level <= host_npt.max_leaf && IS_ALIGNED(e[i] & EPT_ADDR, LEVEL_SIZE(level)));
		for (n = 0; n < LEVEL_SIZE(level) >> PAGE_SHIFT; n++) {
			pfn = pfn_of(e[i]) + n;
			f = frame_get_info(pfn);
			if (pfn < FRAMES && kind == VM)
				leaf_count[pfn]++;
			if (kind == VM && f.state == FRAME_PRIVATE)
				check(f.owner == dom && f.gfn == gpa >> PAGE_SHIFT);
			else if (kind == VM)
				check(f.state == FRAME_HOST && !(e[i] & EPT_EXEC));
			else
				check(f.state == FRAME_HOST || f.state == FRAME_HOLE);
			if (kind == EPT01)
				check((e[i] & EPT_ADDR) == gpa && (e[i] & EPT_RWX) == EPT_RWX);
		}
	}
}

static void check_tables(void)
{
	u64 i, tables = 0;

	memset(leaf_count, 0, sizeof(leaf_count));
	memset(table_count, 0, sizeof(table_count));
	check_table(host_npt.root, NPT_LEVELS, 0, EPT01, 0);
	for (i = 0; i < EPT02_SLOTS; i++)
		if (slots[i].eptp12)
			check_table(slots[i].npt.root, NPT_LEVELS, 0, EPT02, 0);
	for (i = 0; i < VMS; i++)
		if (vms[i].root != INVALID_PFN)
			check_table(vms[i].root, NPT_LEVELS, 0, VM, DOM_FIRST_VM + i);
	for (i = 0; i < FRAMES; i++) {
		struct frame f = sim_table[i];
		struct npt_leaf l = npt_walk(&host_npt, i << PAGE_SHIFT);

		/* EPT01 is exactly what is the host's; no table and no private frame is lost. */
		check(!!l.entry == (f.state == FRAME_HOST || f.state == FRAME_HOLE));
		if (f.state == FRAME_USED && f.type == FRAME_TABLE)
			check(table_count[i] == 1);
		if (f.state == FRAME_PRIVATE)
			check(leaf_count[i] == 1);
		if (f.state == FRAME_HOST)
			check(leaf_count[i] == f.gfn);
		tables += table_count[i];
	}
	check(frame_type_count(FRAME_TABLE) == tables);
}

static bool is_zero(u64 pfn)
{
	return page_is(pfn, 0);
}

/* May the verb of this step have made @a of @b? HOST <-> only by the host's own verbs. */
static void check_word(u64 pfn, struct frame b, struct frame a)
{
	u32 cpu;

	if (!memcmp(&a, &b, sizeof(a)))
		return;
	check(b.state != FRAME_HOLE && a.state != FRAME_HOLE);
	if (b.state == FRAME_HOST)
		check(a.state == FRAME_TRANSIT || a.state == FRAME_HOST);
	if (a.state == FRAME_HOST && b.state != FRAME_HOST)
		check(b.state == FRAME_FREE && is_zero(pfn));
	if (a.state == FRAME_FREE)
		check(is_zero(pfn));
	if (b.state == FRAME_USED || b.state == FRAME_PRIVATE)
		check(a.state == FRAME_TRANSIT || a.state == FRAME_FREE);
	/* I19: nobody has it cached when it can be used anew. */
	if (a.state == FRAME_TRANSIT || a.state == FRAME_HOST || b.state == FRAME_FREE)
		return;
	for (cpu = 0; cpu < CPUS; cpu++)
		check(!ghost[cpu][pfn]);
}

static void check_words(void)
{
	u64 states[FRAME_STATES] = { 0 }, types[FRAME_TYPES] = { 0 }, i;

	for (i = 0; i < FRAMES; i++) {
		check_word(i, before[i], sim_table[i]);
		states[sim_table[i].state]++;
		types[sim_table[i].type]++;
	}
	for (i = 0; i < FRAME_STATES; i++)
		check(frame_state_count(i) == states[i]);
	for (i = 1; i < FRAME_TYPES; i++)
		check(frame_type_count(i) == types[i]);
	memcpy(before, sim_table, sizeof(before));
}

/* ---- the host: EPT12 in frames 32 to 39, the first ones used as roots too ---- */

static u64 eptp12_of(u64 r)
{
	return (32 + r % 3) << PAGE_SHIFT | EPTP_WB_4LEVEL;
}

static void host_writes(u64 r)
{
	u64 pfn = 32 + r % 8, e = EPT_RWX;

	if (!host_owns(pfn << PAGE_SHIFT, PAGE_SIZE))
		return;
	switch (r >> 8 & 7) {
	case 0:
		e = r >> 30 & 3 ? 0 : unit_random() & 0xfffff;
		break;
	case 1:
		e |= EPT_LEAF | WB | ((r >> 16 & 0xff) << PAGE_SHIFT);
		break;
	case 2:
		e |= EPT_LEAF | WB | ((r >> 16 & 0xf0) << PAGE_SHIFT);
		break;
	case 3:
		e |= WB | ((r >> 16 & 0xff) << PAGE_SHIFT);
		break;
	default:
		e |= (32 + (r >> 16) % 8) << PAGE_SHIFT;
	}
	((u64 *)frame_ptr(pfn))[r >> 12 & 3] = e;
}

/* CPU @this_cpu exits: back on EPT01, and with an epoch behind it. */
static void cpu_exits(void)
{
	running[this_cpu] = 0;
	epoch_pass(this_cpu);
}

static void cpu_enters(u64 r)
{
	u64 eptp;

	running[this_cpu] = ept02_get(eptp12_of(r), &eptp) ? eptp >> PAGE_SHIFT : 0;
}

static void fault(u64 r)
{
	u64 gpa = (r >> 16 & 0xff) << PAGE_SHIFT, access = BIT((r >> 24) % 3), perm;
	int got = ept02_fault(eptp12_of(r), gpa, access, &perm);
	struct npt_leaf l;

	verdicts[got]++;
	if (got != EPT02_RETRY)
		return;
	l = npt_walk(&slot_find(eptp12_of(r))->npt, gpa);
	check(l.entry & access);
}

static void step(void)
{
	u64 r = unit_random(), pfn = (r >> 8) % FRAMES, nr = 1 + (r >> 16) % 5, got, i;
	u32 vm = (r >> 24) % VMS, dom = DOM_FIRST_VM + vm;
	u64 gpa = (r >> 32 & 0xff) << PAGE_SHIFT;
	u32 op = r % 16;
	bool good = op != 0 && op != 1;

	this_cpu = (r >> 28) % CPUS;
	cpu_exits();
	r = unit_random();
	switch (op) {
	case 0:
		/* Mostly not where EPT12 is; and what was in them is a secret. */
		if (r % 1024 && pfn < HOLE_END)
			break;
		good = !host_donate(pfn, nr, &got);
		for (i = 0; good && i < nr; i++)
			memset(frame_ptr(pfn + i), 0x99, PAGE_SIZE);
		break;
	case 1:
		for (i = 0; i < FRAMES; i++)
			good = !host_settle(i, 1) || good;
		break;
	case 2:
		good = frame_state_count(FRAME_FREE) > 12 + r % 64 && !host_take_back(&got);
		break;
	case 3:
		good = host_npt_fault(gpa) == HOST_FAULT_RETRY;
		break;
	case 4:
	case 5:
		host_writes(r);
		break;
	case 6:
		ept02_invalidate(r % 2 ? 0 : eptp12_of(r));
		break;
	case 7:
		if (vms[vm].root == INVALID_PFN)
			good = !vm_npt_create(&vms[vm]);
		break;
	case 8:
	case 9:
		good = !vm_npt_touch(&vms[vm], dom, gpa, EPT_RWX, &got);
		if (good) {
			check(is_zero(got));
			memset(frame_ptr(got), 0x88, PAGE_SIZE);
		}
		break;
	case 10:
		good = !vm_npt_share_host(&vms[vm], gpa, pfn << PAGE_SHIFT, EPT_READ | WB);
		break;
	case 11:
		good = r % 4 == 0 && vm_npt_teardown(&vms[vm], dom, r >> 8 & 63);
		break;
	case 12:
		lock();
		epoch_reap(r & 7);
		unlock();
		break;
	default:
		fault(r);
	}
	done[op] += good;
	if (r >> 60 > 4)
		cpu_enters(r);
}

int main(void)
{
	const struct ram_range ram[] = {
		{ 0, HOLE_FIRST << PAGE_SHIFT },
		{ HOLE_END << PAGE_SHIFT, FRAMES << PAGE_SHIFT },
	};
	struct npt_config cfg = { .max_pa = BIT(20), .max_leaf = 3 };
	u64 i, steps = 600000;
	u32 cpu;

	sim_init(FRAMES, CPUS);
	frame_table_init(sim_table, FRAMES, ram, 2, CPUS);
	sim_pool(HOLE_END, 80);
	cfg.mtrr.def_type = BIT(11) | MT_WB;
	cfg.mtrr.base[0] = 0x78000 | MT_UC;
	cfg.mtrr.mask[0] = 0xfc000 | BIT(11);
	cfg.mtrr.nr_var = 1;
	for (i = 0; i < VMS; i++)
		vms[i].root = INVALID_PFN;
	check(host_npt_init(&cfg) == NPT_OK);
	memcpy(before, sim_table, sizeof(before));
	for (i = 0; i < steps; i++) {
		step();
		check(!npt_lock.held);
		check_words();
		check_tables();
		for (cpu = 0; cpu < CPUS; cpu++)
			ghost_walk(cpu);
	}
	for (i = 0; i < 16; i++)
		printf("# operation %llu: %llu done\n", (unsigned long long)i,
		       (unsigned long long)done[i]);
	for (i = 0; i < 5; i++)
		printf("# verdict %llu: %llu\n", (unsigned long long)i,
		       (unsigned long long)verdicts[i]);
	for (i = 0; i < 13; i++)
		check(done[i] > steps / 20000);
	for (i = 0; i < 5; i++)
		check(verdicts[i] > 100);
	ok(1, "%llu random operations keep every invariant", (unsigned long long)steps);
	return unit_end();
}
