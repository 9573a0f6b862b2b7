// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c npt/lend.c */
/* includes: npt/compose.c npt/share.c selftests/proof/invariants.c */
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
#include "npt/share.c"

#define INVARIANT(cond, what) invariant(!!(cond), #cond, what, __LINE__)
static void invariant(bool good, const char *cond, const char *what, int line)
{
	if (good)
		return;
	unit_ok(0, cond, "invariants.c", line, "%s", what);
	exit(unit_end());
}

#include "selftests/proof/invariants.c"

#ifndef STEPS
#define STEPS 600000ULL
#endif
/* Each verb's answer is compared with the flat model's; all of the model less often. */
#define FLAT_EVERY 8
#define FRAMES 224ULL
#define HOLE_FIRST 100
#define HOLE_END 104
#define CPUS 3
#define OPS 19
#define VMS 2
#define WB (MT_WB << EPT_MEMTYPE_SHIFT)

#define SPACES (1 + VMS) /* the host with its guests, each VM */
static bool ghost[CPUS][SPACES][SIM_FRAMES]; /* may have cached: a table, or a translation to it */
static u64 running[CPUS]; /* root of the space that the CPU has entered, or 0 */
static u32 running_space[CPUS];
static u32 this_cpu;
static struct npt vms[VMS];
static struct frame before[FRAMES];
static u64 verdicts[8], done[OPS];
static u64 write_next; /* random bits of the step */

#include "npt_flat.h"

static void ghost_table(bool *g, u64 table, u32 level)
{
	u64 *e = frame_ptr(table), i, n;

	g[table] = true;
	for (i = 0; i < NPT_ENTRIES; i++) {
		if (!e[i])
			continue;
		if (level > 1 && !(e[i] & EPT_LEAF)) {
			ghost_table(g, inv_pfn(e[i]), level - 1);
			continue;
		}
		for (n = 0; n < LEVEL_SIZE(level) >> PAGE_SHIFT; n++)
			g[inv_pfn(e[i]) + n] = true;
	}
}

static void ghost_walk(u32 cpu)
{
	ghost_table(ghost[cpu][0], host_npt.root, NPT_LEVELS);
	if (running[cpu])
		ghost_table(ghost[cpu][running_space[cpu]], running[cpu], NPT_LEVELS);
}

void npt_flush_local(void)
{
	sim_flushes++;
	memset(ghost[this_cpu], 0, sizeof(ghost[this_cpu]));
}

static bool is_zero(u64 pfn)
{
	return page_is(pfn, 0);
}

/* A CPU may hold a translation to the frame, in any space. */
static bool is_cached(u64 pfn)
{
	u32 cpu, space;

	for (cpu = 0; cpu < CPUS; cpu++)
		for (space = 0; space < SPACES; space++)
			if (ghost[cpu][space][pfn])
				return true;
	return false;
}

static void check_changes(void)
{
	u64 i;

	for (i = 0; i < FRAMES; i++)
		if (memcmp(&before[i], &sim_table[i], sizeof(before[i])))
			inv_change(before[i], sim_table[i], is_zero(i), is_cached(i));
	memcpy(before, sim_table, sizeof(before));
}

static void check_cached(const struct inv_world *w)
{
	static const u32 dom_of[SPACES] = { DOM_HOST, DOM_FIRST_VM, DOM_FIRST_VM + 1 };
	u32 cpu, space;
	u64 i;

	for (i = 0; i < FRAMES; i++) {
		if (sim_table[i].state != FRAME_PRIVATE && sim_table[i].state != FRAME_FREE)
			continue;
		for (cpu = 0; cpu < CPUS; cpu++)
			for (space = 0; space < SPACES; space++)
				if (ghost[cpu][space][i])
					inv_cached(w, sim_table[i], dom_of[space]);
	}
}

static void check_world(void)
{
	static u32 leaves[FRAMES];
	static u8 tables[FRAMES];
	struct inv_space spaces[1 + VMS + EPT02_SLOTS] = { { INV_EPT01, DOM_HOST, &host_npt } };
	struct inv_world w = { .spaces = spaces, .nr_spaces = 1, .shares = shares,
		.nr_shares = SHARE_MAX, .leaves = leaves, .tables = tables };
	u32 i;

	for (i = 0; i < VMS; i++)
		spaces[w.nr_spaces++] = (struct inv_space){ INV_VM, DOM_FIRST_VM + i, &vms[i] };
	for (i = 0; i < EPT02_SLOTS; i++)
		if (slots[i].eptp12)
			spaces[w.nr_spaces++] = (struct inv_space){ INV_EPT02, DOM_HOST,
								    &slots[i].npt };
	check_changes();
	lock();
	inv_check(&w);
	unlock();
	check_cached(&w);
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

	running_space[this_cpu] = r >> 40 & 3;
	if (running_space[this_cpu] && running_space[this_cpu] <= VMS) {
		running[this_cpu] = vms[running_space[this_cpu] - 1].root;
		if (running[this_cpu] == INVALID_PFN)
			running[this_cpu] = 0;
		return;
	}
	running_space[this_cpu] = 0;
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

/*
 * Shares: pages 0 to 0x9f of a VM are its own, 0xa0 to 0xff its windows. What
 * is asked is mostly about a share that is there, by somebody who may ask. A VM
 * may offer what is in a window, too, if it has it not by a share.
 */
#define WINDOWS 0xa0

static bool offer(u64 r, u32 vm, u32 peer)
{
	u32 owner = r & 1 ? DOM_FIRST_VM + vm : (u32)DOM_HOST;
	struct share offer = {
		.owner = owner, .peer = peer, .owner_npt = owner ? &vms[vm] : &host_npt,
		.perm = r & 8 ? EPT_READ : EPT_READ | EPT_WRITE,
		.owner_perm = r & 0x70 ? EPT_RWX : EPT_READ,
		.gfn = (r >> 8) % (owner ? 0xf8 : 64), .nr = 1 + (r >> 24) % 8,
	};
	u64 id;

	return offer.owner_npt->root != INVALID_PFN && !share_offer(&offer, &id);
}

/* As the monitor's core sees to it, by what a VM's policy says of its memory. */
static bool is_empty(u32 dom, u64 page, u64 nr)
{
	u64 i;

	for (i = 0; dom >= DOM_FIRST_VM && i < nr; i++)
		if (flat_sees(flat_index(dom), page + i) &&
		    flat[flat_view[flat_index(dom)][page + i].pfn].dom == dom)
			return false;
	return true;
}

/* Some share, if there is one, in this state. */
static u64 pick(u64 r, u32 state, struct share *s)
{
	u32 i;
	u64 id = 0;

	for (i = 0; i < 32; i++) {
		share_at((r + i) % 32, s, &id);
		if (s->state == state)
			break;
	}
	return id;
}

static bool share_step(u64 r, u32 vm, u32 action)
{
	static const u32 doms[] = { DOM_HOST, DOM_FIRST_VM, DOM_FIRST_VM + 1, DOM_MONITOR };
	u64 id, pfn = 0, window = WINDOWS + (r >> 12) % (0xf8 - WINDOWS);
	u32 peer = doms[r >> 1 & 3];
	struct npt *npt = peer >= DOM_FIRST_VM ? &vms[peer - DOM_FIRST_VM] : &host_npt;
	struct share s;

	id = pick(r >> 32, action == 1 ? SHARE_OFFERED : SHARE_LIVE, &s);
	switch (action) {
	case 0:
		return offer(r, vm, peer);
	case 1:
		return npt->root != INVALID_PFN && is_empty(peer, window, s.nr) &&
		       !share_accept(id, peer, npt, window);
	case 2:
		if (share_touch_host(id, r >> 24 & 7, &pfn))
			return false;
		check(frame_get_info(pfn).shared);
		return true;
	case 3:
		return r % 4 == 0 && !share_end(id, r & 8 ? s.owner : peer);
	default:
		if (r & 64 && s.state == SHARE_LIVE)
			return !share_touch(s.peer, (s.peer_gfn + (r >> 24) % s.nr) << PAGE_SHIFT);
		return !share_touch(peer, window << PAGE_SHIFT);
	}
}

/* As core/vm.c destroys a VM: every CPU has left it when its frames go. */
static bool destroy_step(u32 vm, u64 budget)
{
	u32 self = this_cpu;

	epoch_now();
	for (this_cpu = 0; this_cpu < CPUS; this_cpu++)
		cpu_exits();
	this_cpu = self;
	return share_drop(DOM_FIRST_VM + vm) &&
	       vm_npt_teardown(&vms[vm], DOM_FIRST_VM + vm, budget);
}

static void step(void)
{
	u64 r = unit_random(), pfn = (r >> 8) % FRAMES, nr = 1 + (r >> 16) % 5, got, i;
	u32 vm = (r >> 24) % VMS, dom = DOM_FIRST_VM + vm;
	u64 gpa = (r >> 32 & 0xff) << PAGE_SHIFT;
	u32 op = r % 19;
	bool good = op != 0 && op != 1;

	this_cpu = (r >> 28) % CPUS;
	cpu_exits();
	r = unit_random();
	switch (op) {
	case 0:
		/* Mostly not where EPT12 is; and what was in them is a secret. */
		if (r % 1024 && pfn < 48)
			break;
		good = !host_donate(pfn, nr, &got);
		for (i = 0; good && i < nr; i++)
			flat_fill(pfn + i, 0x99);
		break;
	case 1:
		for (i = 0; i < FRAMES; i++)
			good = !host_settle(i, 1) || good;
		break;
	case 2:
		good = frame_state_count(FRAME_FREE) > 32 + r % 64 && !host_take_back(&got);
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
		gpa %= WINDOWS << PAGE_SHIFT;
		good = !vm_npt_touch(&vms[vm], dom, gpa, EPT_RWX, &got);
		if (good) {
			check(is_zero(got));
			flat_fill(got, 0x88);
		}
		break;
	case 10:
		gpa %= WINDOWS << PAGE_SHIFT;
		if (r >> 40 & 1) {
			op = 18;
			good = !vm_npt_protect(&vms[vm], dom, gpa, nr, r >> 41 & EPT_RWX, &got);
			break;
		}
		got = vms[vm].limit;
		good = vms[vm].root != INVALID_PFN && !vm_npt_release(&vms[vm], dom, gpa, nr);
		vms[vm].limit = got;
		break;
	case 11:
		good = r % 8 == 0 && destroy_step(vm, r >> 8 & 63);
		break;
	case 12:
		lock();
		epoch_reap(r & 7);
		unlock();
		break;
	case 16:
	case 17:
	case 18:
		op = 13 + (r >> 44) % 5;
		good = share_step(r, vm, op - 13);
		break;
	default:
		op = 12;
		fault(r);
	}
	done[op] += good;
	write_next = r >> 20;
	if (r >> 60 > 4)
		cpu_enters(r);
}

static void world_init(void)
{
	const struct ram_range ram[] = {
		{ 0, HOLE_FIRST << PAGE_SHIFT },
		{ HOLE_END << PAGE_SHIFT, FRAMES << PAGE_SHIFT },
	};
	struct npt_config cfg = { .max_pa = BIT(20), .max_leaf = 3 };
	u32 i;

	memset(ghost, 0, sizeof(ghost));
	memset(running, 0, sizeof(running));
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
	flat_init();
}

static void world_step(void)
{
	u32 cpu;

	step();
	check(!npt_lock.held);
	check_world();
	flat_write(write_next); /* behind the look: whoever has got a frame may write to it */
	for (cpu = 0; cpu < CPUS; cpu++)
		ghost_walk(cpu);
}

int main(void)
{
	u64 i, steps = STEPS;

	world_init();
	for (i = 0; i < steps; i++) {
		world_step();
		if (i % FLAT_EVERY == 0)
			flat_check();
	}
	flat_check();
	for (i = 0; i < OPS; i++)
		printf("# operation %llu: %llu done\n", (unsigned long long)i,
		       (unsigned long long)done[i]);
	for (i = 0; i < 5; i++)
		printf("# verdict %llu: %llu\n", (unsigned long long)i,
		       (unsigned long long)verdicts[i]);
	for (i = 0; i < OPS; i++)
		check(done[i] > steps / 20000);
	for (i = 0; i < 5; i++)
		check(verdicts[i] > 100);
	ok(1, "%llu random operations keep every invariant", (unsigned long long)steps);
	return unit_end();
}
