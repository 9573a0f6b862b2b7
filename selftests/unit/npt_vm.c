// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c */
/* needs: npt/compose.c npt/vm.c npt/share.c */
#define SIM_FRAMES 4096ULL
#include "npt_sim.h"

#define VM DOM_FIRST_VM
#define WB (MT_WB << EPT_MEMTYPE_SHIFT)

static struct npt vm;
static u64 free_before;

static void setup(u64 pool)
{
	struct npt_config cfg = sim_config();

	sim_init(SIM_FRAMES, 2);
	sim_pool(0x400, pool);
	check(host_npt_init(&cfg) == NPT_OK);
	free_before = frame_state_count(FRAME_FREE);
	check(vm_npt_create(&vm) == NPT_OK);
}

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

static void test_touch(void)
{
	struct npt_leaf l;
	u64 pfn = 3, other;

	setup(64);
	refused(vm_npt_touch(&vm, DOM_HOST, 0, EPT_RWX, &pfn), NPT_EDOMAIN, "touch: the host");
	refused(vm_npt_touch(&vm, DOM_MONITOR, 0, EPT_RWX, &pfn), NPT_EDOMAIN, "touch: monitor");
	refused(vm_npt_touch(&vm, DOM_LIMIT, 0, EPT_RWX, &pfn), NPT_EDOMAIN, "touch: no domain");
	refused(vm_npt_touch(&vm, VM, 0x10, EPT_RWX, &pfn), NPT_EALIGN, "touch: within a page");
	refused(vm_npt_touch(&vm, VM, BIT(48), EPT_RWX, &pfn), NPT_ERANGE, "touch: too far");
	refused(vm_npt_touch(&vm, VM, 0, 0, &pfn), NPT_EINVAL, "touch: no permission");
	refused(vm_npt_touch(&vm, VM, 0, EPT_WRITE, &pfn), NPT_EINVAL, "touch: write only");
	refused(vm_npt_touch(&vm, VM, 0, EPT_RWX | 8, &pfn), NPT_EINVAL, "touch: bad bits");
	ok(pfn == 3 && !npt_lock.held, "refusals touch nothing else");
	ok(!vm_npt_touch(&vm, VM, 0x7000, EPT_READ | EPT_WRITE, &pfn) && page_is(pfn, 0), "touch");
	l = npt_walk(&vm, 0x7000);
	ok(l.level == 1 && l.entry == (pfn << 12 | EPT_READ | EPT_WRITE | WB | EPT_IPAT), "leaf");
	ok(frame_get_info(pfn).state == FRAME_PRIVATE && frame_get_info(pfn).owner == VM &&
	   frame_get_info(pfn).gfn == 7, "reverse map");
	ok(host_npt_fault(pfn << 12) == HOST_FAULT_PROTECTED && !host_owns(pfn << 12, 1),
	   "out of the host's reach");
	refused(vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &other), NPT_EEXIST, "touch: twice");
	ok(vm_npt_lookup(&vm, VM, 0x7abc) == pfn, "lookup");
	ok(vm_npt_lookup(&vm, VM, 0x8000) == INVALID_PFN, "lookup: nothing there");
	ok(vm_npt_lookup(&vm, VM + 1, 0x7000) == INVALID_PFN, "lookup: another domain's");
	ok(vm_npt_lookup(&vm, VM, ~0ULL) == INVALID_PFN, "lookup: too far");
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	refused(vm_npt_touch(&vm, VM, 0x9000, EPT_RWX, &other), NPT_EPOOL, "touch: reserve");
	refused(vm_npt_create(&(struct npt){ 0 }), NPT_EPOOL, "create: reserve");
}

/* What a verb needs may have been retired: it comes back on the way. */
static void retire_some(void)
{
	u32 i;

	lock();
	for (i = 0; i < 3; i++)
		frame_retire(frame_get(FRAME_STATE));
	unlock();
	pass_all();
}

static bool came_back(void)
{
	return !frame_state_count(FRAME_TRANSIT);
}

static void test_reap(void)
{
	struct npt other;
	u64 pfn;

	setup(64);
	retire_some();
	ok(!vm_npt_create(&other) && came_back(), "create: retired frames come back");
	retire_some();
	ok(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn) && came_back(), "touch: they do");
}

/* The reserve, to the frame: a page with its tables takes four. */
static void test_reserve(void)
{
	u64 pfn;
	u32 left;

	for (left = 3; left <= 4; left++) {
		setup(64);
		lock();
		while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE + left)
			check(frame_get(FRAME_STATE) != INVALID_PFN);
		unlock();
		if (left < 4)
			refused(vm_npt_touch(&vm, VM, 0, EPT_RWX, &pfn), NPT_EPOOL, "one short");
		else
			ok(!vm_npt_touch(&vm, VM, 0, EPT_RWX, &pfn), "touch: just enough");
	}
}

/* A table that was damaged: what the word says and what the tables say differ. */
static void test_damage(void)
{
	u64 pfn, gen;

	setup(64);
	check(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn));
	sim_table[pfn].gfn = 8;
	ok(vm_npt_lookup(&vm, VM, 0x7000) == INVALID_PFN, "lookup: another page's frame");
	sim_table[pfn].gfn = 7;
	sim_table[pfn].state = FRAME_USED;
	ok(vm_npt_lookup(&vm, VM, 0x7000) == INVALID_PFN, "lookup: no private frame");
	ok(bugs(vm_npt_teardown(&vm, VM, 100)), "teardown: nor does it go with the VM");
	setup(64);
	check(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn));
	ok(bugs(vm_npt_teardown(&vm, VM + 1, 100)), "teardown: another VM's page does not go");
	setup(64);
	gen = vm.generation;
	ok(vm_npt_teardown(&vm, VM, 100) && vm.generation > gen, "teardown: narrows");
}

static void test_limit(void)
{
	u64 pfn, i;

	setup(64);
	vm_npt_limit(&vm, 2);
	for (i = 0; i < 2; i++)
		check(!vm_npt_touch(&vm, VM, i << 12, EPT_RWX, &pfn));
	refused(vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn), NPT_EQUOTA, "touch: one too many");
	refused(vm_npt_touch(&vm, VM, 0x1000, EPT_RWX, &pfn), NPT_EEXIST, "touch: there already");
	refused(vm_npt_refill(&vm, 4, 5), NPT_ERANGE, "refill: more than it needs");
	refused(vm_npt_refill(&vm, ~0ULL, 5), NPT_ERANGE, "refill: very much more");
	refused(vm_npt_refill(&vm, 4, 1), NPT_ERANGE, "refill: it has more than that already");
	refused(vm_npt_refill(&vm, 2, 3), NPT_ERANGE, "refill: one more than it needs");
	check(!vm_npt_refill(&vm, 1, 3));
	ok(vm.limit == 3 &&
	   !vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn), "touch: it may own more now");
}

static void test_release(void)
{
	struct npt_leaf l;
	u64 first, second, i;

	setup(64);
	vm_npt_limit(&vm, 16);
	check(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &first));
	check(!vm_npt_touch(&vm, VM, 0x9000, EPT_RWX, &second));
	memset(frame_ptr(first), 0x66, PAGE_SIZE);
	memset(frame_ptr(second), 0x77, PAGE_SIZE);
	refused(vm_npt_release(&vm, VM, 0x7800, 1), NPT_EALIGN, "release: within a page");
	refused(vm_npt_release(&vm, VM, 0x7000, 0), NPT_ERANGE, "release: nothing");
	refused(vm_npt_release(&vm, VM, 0x7000, VM_RELEASE_MAX + 1), NPT_ERANGE,
		"release: too many");
	refused(vm_npt_release(&vm, VM, NPT_LIMIT, 1), NPT_ERANGE, "release: too far");
	refused(vm_npt_release(&vm, VM, 2 * NPT_LIMIT, 1), NPT_ERANGE, "release: much too far");
	refused(vm_npt_release(&vm, VM, NPT_LIMIT - PAGE_SIZE, 2), NPT_ERANGE, "release: across");
	refused(vm_npt_release(&vm, VM + 1, 0x7000, 1), NPT_EOWNER, "release: another domain");
	refused(vm_npt_release(&vm, VM, 0, 17), NPT_EQUOTA, "release: more than it may own");
	vm_npt_limit(&vm, 2);
	refused(vm_npt_release(&vm, VM, 0x100000, 1), NPT_EQUOTA, "release: it owns all it may");
	check(!vm_npt_release(&vm, VM, 0x7000, 1) && vm.limit == 1 && vm.owned == 1);
	vm_npt_limit(&vm, 16);
	check(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &first));
	memset(frame_ptr(first), 0x66, PAGE_SIZE);
	refused(vm_npt_release(&vm, VM, 0x100000, 15), NPT_EQUOTA, "release: less than it owns");
	lock();
	check(!frame_share(second, DOM_HOST, true));
	unlock();
	refused(vm_npt_release(&vm, VM, 0x7000, 3), NPT_EBUSY, "release: one is shared");
	lock();
	frame_unshare(second);
	unlock();
	ok(!vm_npt_release(&vm, VM, 0x6000, 4) && !vm.owned && vm.limit == 12, "release");
	l = npt_walk(&vm, 0x7000);
	ok(!l.entry && vm_npt_lookup(&vm, VM, 0x9000) == INVALID_PFN, "no page is left there");
	ok(frame_get_info(first).state == FRAME_TRANSIT && page_is(first, 0x66),
	   "nobody has it before all CPUs have flushed");
	pass_all();
	lock();
	epoch_reap(100);
	unlock();
	ok(frame_get_info(first).state == FRAME_FREE && page_is(first, 0) && page_is(second, 0),
	   "then it is in the pool, wiped");
	ok(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &first) && page_is(first, 0),
	   "touched again: zeros");
	for (i = 0; i < 11; i++)
		check(!vm_npt_touch(&vm, VM, (i + 32) << 12, EPT_RWX, &first));
	refused(vm_npt_touch(&vm, VM, 0x40000, EPT_RWX, &first), NPT_EQUOTA,
		"the limit is lower by all that was given back");
}

static u64 perm_at(u64 gpa)
{
	return npt_walk(&vm, gpa).entry & EPT_RWX;
}

#define RW (EPT_READ | EPT_WRITE)
#define RX (EPT_READ | EPT_EXEC)

static void test_protect_bad(void)
{
	u64 epoch = 77, latest, pfn;

	setup(64);
	check(!vm_npt_touch(&vm, VM, 0x7000, RW, &pfn));
	check(!vm_npt_borrow(&vm, 0x9000, 0x200));
	latest = epoch_latest();
	refused(vm_npt_protect(&vm, VM, 0x7000, 1, 0, &epoch), NPT_EINVAL, "protect: nothing");
	refused(vm_npt_protect(&vm, VM, 0x7000, 1, EPT_WRITE, &epoch), NPT_EINVAL,
		"protect: write only");
	refused(vm_npt_protect(&vm, VM, 0x7000, 1, EPT_READ | 8, &epoch), NPT_EINVAL,
		"protect: bad bits");
	refused(vm_npt_protect(&vm, VM, 0x7800, 1, EPT_READ, &epoch), NPT_EALIGN,
		"protect: within a page");
	refused(vm_npt_protect(&vm, VM, 0x7000, 0, EPT_READ, &epoch), NPT_ERANGE,
		"protect: no pages");
	refused(vm_npt_protect(&vm, VM, 0x7000, VM_RELEASE_MAX + 1, EPT_READ, &epoch), NPT_ERANGE,
		"protect: too many");
	refused(vm_npt_protect(&vm, VM, NPT_LIMIT - PAGE_SIZE, 2, EPT_READ, &epoch), NPT_ERANGE,
		"protect: across");
	refused(vm_npt_protect(&vm, VM + 1, 0x7000, 1, EPT_READ, &epoch), NPT_EOWNER,
		"protect: another domain");
	refused(vm_npt_protect(&vm, VM, 0x7000, 3, EPT_READ, &epoch), NPT_EOWNER,
		"protect: the host's");
	lock();
	check(!frame_share(pfn, DOM_HOST, true));
	unlock();
	refused(vm_npt_protect(&vm, VM, 0x7000, 1, EPT_READ, &epoch), NPT_EBUSY,
		"protect: shared");
	lock();
	frame_unshare(pfn);
	unlock();
	ok(epoch == 77 && epoch_latest() == latest && perm_at(0x7000) == RW &&
	   perm_at(0x9000) == RW && !npt_lock.held, "refusals change nothing");
	check(vm_npt_teardown(&vm, VM, 100));
	refused(vm_npt_protect(&vm, VM, 0x7000, 1, EPT_READ, &epoch), NPT_EDOMAIN,
		"protect: gone");
}

static void test_protect(void)
{
	u64 epoch = 77, latest, first, second, owned, limit, gen;

	setup(64);
	check(!vm_npt_touch(&vm, VM, 0x7000, RW, &first));
	check(!vm_npt_touch(&vm, VM, 0x9000, RX, &second));
	memset(frame_ptr(first), 0x66, PAGE_SIZE);
	owned = vm.owned;
	limit = vm.limit;
	gen = vm.generation;
	latest = epoch_latest();
	ok(!vm_npt_protect(&vm, VM, 0x7000, 1, EPT_RWX, &epoch) && perm_at(0x7000) == EPT_RWX &&
	   epoch == 77 && epoch_latest() == latest && vm.generation == gen,
	   "protect: wider, there is nothing to wait for");
	ok(!vm_npt_protect(&vm, VM, 0x7000, 1, EPT_RWX, &epoch) && epoch == 77, "or the same");
	ok(!vm_npt_protect(&vm, VM, 0x6000, 4, RX, &epoch) && perm_at(0x7000) == RX &&
	   perm_at(0x9000) == RX && epoch == epoch_latest() && epoch > latest &&
	   vm.generation > gen, "narrower: there is");
	ok(npt_walk(&vm, 0x7000).entry == (first << 12 | RX | WB | EPT_IPAT) &&
	   page_is(first, 0x66),
	   "the page stays what it is");
	ok(!npt_walk(&vm, 0x6000).entry && !npt_walk(&vm, 0x8000).entry && vm.owned == owned &&
	   vm.limit == limit, "none is made");
	ok(!epoch_passed(epoch) && !epoch_passed_by(0, epoch), "no CPU has flushed");
	epoch_pass(1);
	ok(epoch_passed_by(1, epoch) && !epoch_passed_by(0, epoch) && !epoch_passed(epoch),
	   "one of them");
	latest = epoch;
	ok(!vm_npt_protect(&vm, VM, 0x9000, 1, RW, &epoch) && epoch > latest,
	   "one right for another is narrower, too");
	ok(vm_npt_usable(&vm, VM, 0x7000, RX) == first &&
	   vm_npt_usable(&vm, VM, 0x7000, EPT_WRITE) == INVALID_PFN &&
	   vm_npt_usable(&vm, VM, 0x9000, EPT_WRITE) == second &&
	   vm_npt_usable(&vm, VM, 0x9000, EPT_EXEC) == INVALID_PFN &&
	   vm_npt_usable(&vm, VM, 0x8000, EPT_READ) == INVALID_PFN, "usable: as it is allowed");
}

static void test_teardown(void)
{
	u64 i, pfn, budget, calls = 0, held, before;
	bool steady = true;

	for (budget = 1; budget < 40; budget += 7) {
		setup(256);
		held = frame_state_count(FRAME_FREE) - free_before;
		for (i = 0; i < 60; i++) {
			check(!vm_npt_touch(&vm, VM, i * i << 16, EPT_RWX, &pfn));
			memset(frame_ptr(pfn), 0x77, PAGE_SIZE);
		}
		refused(vm_npt_teardown(&vm, VM, 0), false, "teardown: no budget");
		for (calls = 0;; calls++) {
			bool done;

			before = frame_state_count(FRAME_TRANSIT);
			done = vm_npt_teardown(&vm, VM, budget);
			steady = steady && frame_state_count(FRAME_TRANSIT) - before <= budget;
			if (done)
				break;
		}
		held = frame_state_count(FRAME_TRANSIT);
		ok(steady && calls <= held / budget + 1 && vm.root == INVALID_PFN &&
		   !frame_state_count(FRAME_PRIVATE),
		   "teardown by %llu: %llu calls", (unsigned long long)budget,
		   (unsigned long long)calls + 1);
		ok(vm_npt_teardown(&vm, VM, budget), "teardown: again");
		pass_all();
		lock();
		epoch_reap(1000);
		unlock();
		ok(frame_state_count(FRAME_FREE) == free_before, "everything is back");
	}
	ok(vm_npt_lookup(&vm, VM, 0) == INVALID_PFN, "lookup: gone");
	refused(vm_npt_touch(&vm, VM, 0, EPT_RWX, &pfn), NPT_EDOMAIN, "touch: gone");
	refused(vm_npt_release(&vm, VM, 0, 1), NPT_EDOMAIN, "release: gone");
}

#define HOST_FRAME 0x200ULL

/* What a domain borrows of the host's is pinned until its space goes. */
static void test_borrow(void)
{
	u64 pfn, epoch;
	struct npt_leaf l;

	setup(64);
	check(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn));
	refused(vm_npt_borrow(&vm, 0x10, HOST_FRAME), NPT_EALIGN, "borrow: within a page");
	refused(vm_npt_borrow(&vm, NPT_LIMIT, HOST_FRAME), NPT_ERANGE, "borrow: too far");
	refused(vm_npt_borrow(&vm, 0x7000, HOST_FRAME), NPT_EEXIST, "borrow: a page is there");
	refused(vm_npt_borrow(&vm, 0x8000, pfn), NPT_EOWNER, "borrow: a private frame");
	refused(vm_npt_borrow(&vm, 0x8000, vm.root), NPT_EOWNER, "borrow: a table");
	refused(vm_npt_borrow(&vm, 0x8000, SIM_FRAMES), NPT_EOWNER, "borrow: no frame");
	refused(vm_npt_borrow(&vm, 0x8000, HOST_FRAME | BIT(52)), NPT_EOWNER, "borrow: beyond");
	ok(!npt_walk(&vm, 0x8000).entry && !npt_lock.held, "refusals map nothing");
	ok(!vm_npt_borrow(&vm, 0x8000, HOST_FRAME), "borrow");
	l = npt_walk(&vm, 0x8000);
	ok(l.entry == (HOST_FRAME << 12 | EPT_READ | EPT_WRITE | WB | EPT_IPAT), "leaf");
	ok(host_owns(HOST_FRAME << 12, PAGE_SIZE) && vm.owned == 1, "it is the host's");
	refused(host_donate(HOST_FRAME, 1, &epoch), NPT_EBUSY, "donate: borrowed");
	ok(vm_npt_lookup(&vm, VM, 0x8000) == INVALID_PFN, "lookup: no private page");
	refused(vm_npt_release(&vm, VM, 0x8000, 1), NPT_EOWNER, "release: the host's");
	pass_all();
	while (!vm_npt_teardown(&vm, VM, 1))
		;
	ok(!host_donate(HOST_FRAME, 1, &epoch), "donate: the space has gone");
	setup(64);
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	refused(vm_npt_borrow(&vm, 0x8000, HOST_FRAME), NPT_EPOOL, "borrow: reserve");
	ok(!host_donate(HOST_FRAME, 1, &epoch), "and it is not pinned");
	check(vm_npt_teardown(&vm, VM, 100));
	refused(vm_npt_borrow(&vm, 0x8000, HOST_FRAME + 1), NPT_EDOMAIN, "borrow: gone");
}

/* To the end of the search, however often it stops. */
static bool next(u64 *gpa, u64 end, struct npt_leaf *l)
{
	while (*gpa < end)
		if (vm_npt_next(&vm, VM, gpa, end, l))
			return true;
	return false;
}

static void test_next(void)
{
	static const u64 at[] = { 0x3000, 0x4000, 0x200000, BIT(30), BIT(39) + 0x1000 };
	struct npt_leaf l;
	u64 gpa, pfn, i;

	setup(64);
	for (i = 0; i < ARRAY_SIZE(at); i++)
		check(!vm_npt_touch(&vm, VM, at[i], i ? EPT_RWX : EPT_READ, &pfn));
	check(!vm_npt_borrow(&vm, 0x5000, HOST_FRAME));
	gpa = 0;
	for (i = 0; i < ARRAY_SIZE(at); i++, gpa += PAGE_SIZE)
		ok(next(&gpa, BIT(40), &l) && gpa == at[i] && l.level == 1 &&
		   (l.entry & EPT_RWX) == (i ? EPT_RWX : EPT_READ), "next: %#llx",
		   (unsigned long long)at[i]);
	ok(!next(&gpa, BIT(40), &l) && gpa >= BIT(40), "next: no more");
	gpa = 0x4000;
	ok(vm_npt_next(&vm, VM, &gpa, BIT(40), &l) && gpa == 0x4000, "next: there");
	ok(!vm_npt_next(&vm, VM, &gpa, 0x4000, &l) && gpa == 0x4000, "next: at its end");
	gpa = 0x5000;
	ok(next(&gpa, BIT(40), &l) && gpa == 0x200000, "next: not the host's");
	gpa = 0;
	ok(!vm_npt_next(&vm, VM + 1, &gpa, BIT(30), &l) && gpa > 0x4000,
	   "next: not another domain's");
	gpa = BIT(39) + 0x2000;
	ok(!vm_npt_next(&vm, VM, &gpa, NPT_LIMIT, &l) && gpa < NPT_LIMIT && !npt_lock.held,
	   "next: bounded");
	check(vm_npt_teardown(&vm, VM, 100));
	gpa = 0;
	ok(!vm_npt_next(&vm, VM, &gpa, BIT(30), &l) && !gpa, "next: gone");
}

int main(void)
{
	test_touch();
	test_reap();
	test_reserve();
	test_damage();
	test_limit();
	test_release();
	test_protect_bad();
	test_protect();
	test_borrow();
	test_next();
	test_teardown();
	return unit_end();
}
