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
	refused(vm_npt_share_host(&vm, BIT(40), 0x900000, EPT_READ), NPT_EPOOL, "share: reserve");
}

static void test_share(void)
{
	struct npt_leaf l;
	u64 epoch, pfn;

	setup(64);
	check(!vm_npt_touch(&vm, VM, 0x7000, EPT_RWX, &pfn));
	refused(vm_npt_share_host(&vm, 0x8000, 0x900800, EPT_READ), NPT_EALIGN, "share: frame");
	refused(vm_npt_share_host(&vm, 0x8800, 0x900000, EPT_READ), NPT_EALIGN, "share: page");
	refused(vm_npt_share_host(&vm, 0x8000, 0x900000, EPT_RWX), NPT_EINVAL, "share: exec");
	refused(vm_npt_share_host(&vm, 0x8000, 0x900000, EPT_WRITE), NPT_EINVAL, "share: W only");
	refused(vm_npt_share_host(&vm, 0x8000, 0x900000, 0), NPT_EINVAL, "share: nothing");
	refused(vm_npt_share_host(&vm, 0x8000, 0x900000, EPT_READ | 7 << 3), NPT_EINVAL, "type");
	refused(vm_npt_share_host(&vm, 0x8000, 0x900000, EPT_READ | 0x1000), NPT_EINVAL, "address");
	refused(vm_npt_share_host(&vm, 0x8000, 0x400000, EPT_READ), NPT_EOWNER, "share: the pool");
	refused(vm_npt_share_host(&vm, 0x8000, pfn << 12, EPT_READ), NPT_EOWNER, "share: private");
	refused(vm_npt_share_host(&vm, 0x8000, 0xa0000, EPT_READ), NPT_EOWNER, "share: a hole");
	refused(vm_npt_share_host(&vm, 0x8000, ~0xfffULL, EPT_READ), NPT_EOWNER, "share: no RAM");
	refused(vm_npt_share_host(&vm, 0x7000, 0x900000, EPT_READ), NPT_EEXIST, "share: over");
	refused(vm_npt_share_host(&vm, BIT(48), 0x900000, EPT_READ), NPT_ERANGE, "share: too far");
	ok(!vm_npt_share_host(&vm, 0x8000, 0x900000, EPT_READ | EPT_WRITE | WB), "share");
	l = npt_walk(&vm, 0x8000);
	ok(l.entry == (0x900000 | EPT_READ | EPT_WRITE | WB), "leaf");
	ok(vm_npt_lookup(&vm, VM, 0x8000) == INVALID_PFN, "it is not private");
	refused(host_donate(0x900, 1, &epoch), NPT_EBUSY, "a shared frame is not donated");
	ok(host_owns(0x900000, 1), "and stays the host's");
	ok(vm_npt_teardown(&vm, VM, 1000) && !host_donate(0x900, 1, &epoch), "until teardown");
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
		check(!vm_npt_share_host(&vm, 0x5000, 0x900000, EPT_READ));
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
		   !frame_state_count(FRAME_PRIVATE) && !frame_get_info(0x900).gfn,
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
	refused(vm_npt_share_host(&vm, 0, 0x900000, EPT_READ), NPT_EDOMAIN, "share: gone");
}

int main(void)
{
	test_touch();
	test_share();
	test_teardown();
	return unit_end();
}
