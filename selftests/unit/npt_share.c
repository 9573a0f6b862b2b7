// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c */
/* needs: npt/compose.c npt/vm.c npt/lend.c npt/share.c */
#define SIM_FRAMES 4096ULL
#include "npt_sim.h"
#include "npt/share.h"

#define A DOM_FIRST_VM
#define B (DOM_FIRST_VM + 1)
#define R EPT_READ
#define RW (EPT_READ | EPT_WRITE)
#define WINDOW 0x100000ULL /* gfn */
#define LEAF (MT_WB << EPT_MEMTYPE_SHIFT | EPT_IPAT)

static struct npt a, b;

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

static void setup(u64 pool)
{
	struct npt_config cfg = sim_config();

	sim_init(SIM_FRAMES, 2);
	sim_pool(0x400, pool);
	check(host_npt_init(&cfg) == NPT_OK);
	check(vm_npt_create(&a) == NPT_OK && vm_npt_create(&b) == NPT_OK);
}

static struct share of_a(u32 peer, u64 perm, u64 gfn, u64 nr)
{
	return (struct share){ .owner = A, .owner_npt = &a, .peer = peer, .perm = perm,
			       .owner_perm = EPT_RWX, .gfn = gfn, .nr = nr };
}

static u64 offered(struct share s)
{
	u64 id;

	check(share_offer(&s, &id) == NPT_OK);
	return id;
}

static u64 live(struct share s, u32 peer, struct npt *npt, u64 gfn)
{
	u64 id = offered(s);

	check(share_accept(id, peer, npt, gfn) == NPT_OK);
	return id;
}

static u64 private_page(struct npt *npt, u32 dom, u64 gfn)
{
	u64 pfn;

	check(!vm_npt_touch(npt, dom, gfn << PAGE_SHIFT, EPT_RWX, &pfn));
	return pfn;
}

static bool is_offered(u64 id)
{
	struct share s;
	u64 got;
	u32 i;

	for (i = 0; i < SHARE_MAX; i++)
		if (share_at(i, &s, &got) && got == id)
			return s.state == SHARE_OFFERED;
	return false;
}

static void test_offer(void)
{
	struct share s = of_a(B, RW, 0x100, 16), bad = s;
	u64 id = 7, first, i;

	setup(64);
#define BAD(field, value, err, name)                              \
	do {                                                      \
		bad = s;                                          \
		bad.field = value;                                \
		refused(share_offer(&bad, &id), err, "offer: " name); \
	} while (0)
	BAD(owner, DOM_MONITOR, NPT_EDOMAIN, "by the monitor");
	BAD(owner, DOM_PEER_LIMIT, NPT_EDOMAIN, "by a domain too many");
	BAD(peer, A, NPT_EDOMAIN, "to itself");
	BAD(peer, DOM_PEER_LIMIT, NPT_EDOMAIN, "to a domain too many");
	BAD(perm, 0, NPT_EINVAL, "no permission");
	BAD(perm, EPT_WRITE, NPT_EINVAL, "write only");
	BAD(perm, EPT_RWX, NPT_EINVAL, "to execute");
	BAD(perm, RW | EPT_IPAT, NPT_EINVAL, "bits that are no permission");
	BAD(owner_perm, R | EPT_EXEC, NPT_EINVAL, "more than the owner has");
	BAD(nr, 0, NPT_ERANGE, "nothing");
	BAD(nr, ~0ULL, NPT_ERANGE, "beyond everything");
	BAD(gfn, NPT_LIMIT >> PAGE_SHIFT, NPT_ERANGE, "behind the end");
	BAD(nr, (NPT_LIMIT >> PAGE_SHIFT) - 0xff, NPT_ERANGE, "across the end");
	ok(id == 7 && !npt_lock.held && !share_covers(A, 0, NPT_LIMIT >> PAGE_SHIFT),
	   "refusals leave no share");
	sim_save();
	first = offered(s);
	ok(sim_same() && is_offered(first), "offer: touches no page");
	ok(share_covers(A, 0x10f, 1) && share_covers(A, 0, 0x101) && !share_covers(A, 0x110, 9) &&
	   !share_covers(A, 0, 0x100) && !share_covers(B, 0x100, 16), "covers exactly that");
	BAD(gfn, 0x10f, NPT_EEXIST, "the end of it is shared");
	BAD(gfn, 0xf1, NPT_EEXIST, "its begin is shared");
	for (i = 1; i < SHARE_QUOTA; i++)
		offered(of_a(B, R, 0x1000 * i, 1));
	BAD(gfn, 0x100000, NPT_EQUOTA, "one too many");
	bad.owner = B;
	bad.owner_npt = &b;
	bad.peer = A;
	ok(!share_offer(&bad, &id), "offer: another owner has a quota of its own");
	refused(share_end(first, B), NPT_EDOMAIN, "end: an offer is its owner's");
	ok(!share_end(first, A) && share_end(first, A) == NPT_ENOENT, "the offer is withdrawn");
	ok(!share_offer(&s, &id) && id != first && share_end(first, A) == NPT_ENOENT,
	   "a new one has a new ID");
}

/* The last page there is; and entries that there are not. */
static void test_edges(void)
{
	struct share s = of_a(B, RW, (NPT_LIMIT >> PAGE_SHIFT) - 2, 2), got;
	u64 id, other, gfn;

	setup(64);
	id = offered(s);
	ok(is_offered(id), "offer: the last pages of a space");
	refused(share_accept(id, B, &b, (NPT_LIMIT >> PAGE_SHIFT) - 1), NPT_ERANGE, "one too far");
	ok(!share_accept(id, B, &b, (NPT_LIMIT >> PAGE_SHIFT) - 2), "accept: at the last pages");
	gfn = (NPT_LIMIT >> PAGE_SHIFT) - 1;
	ok(!share_touch(B, gfn << PAGE_SHIFT), "touch: the last one");
	refused(share_touch(B, NPT_LIMIT), NPT_ENOENT, "touch: behind it");
	refused(share_accept(SHARE_MAX, B, &b, 0), NPT_ENOENT, "accept: entry behind the last");
	ok(!share_at(SHARE_MAX, &got, &other), "no entry behind the last");

	/* an offer has no place in the peer's space yet; what is being revoked has */
	offered(of_a(B, R, 0x10, 4));
	other = offered(of_a(B, R, 0x20, 4));
	ok(!share_accept(other, B, &b, 0), "accept: where an offer is not");
	check(share_end(other, A) == NPT_EBUSY);
	other = offered(of_a(B, R, 0x30, 4));
	refused(share_accept(other, B, &b, 2), NPT_EEXIST, "accept: over what is being revoked");

	/* the host sees frames at their own address, wherever it says */
	other = live(of_a(DOM_HOST, R, 0x40, 4), DOM_HOST, &host_npt, ~0ULL);
	live(of_a(DOM_HOST, R, 0x50, 4), DOM_HOST, &host_npt, ~0ULL);
	ok(!share_touch_host(other, 3, &id), "accept: the host, twice at no place");
}

static void retire_some(void)
{
	u32 i;

	lock();
	for (i = 0; i < 3; i++)
		frame_retire(frame_get(FRAME_STATE));
	unlock();
	pass_all();
}

static void test_reap(void)
{
	struct share host = { .owner = DOM_HOST, .owner_npt = &host_npt, .peer = A, .perm = RW,
			      .owner_perm = EPT_RWX, .gfn = 0x900, .nr = 4 };
	u64 id, pfn;

	setup(64);
	id = live(of_a(DOM_HOST, R, 0x40, 4), DOM_HOST, &host_npt, 0);
	live(of_a(B, R, 0x100, 4), B, &b, WINDOW);
	retire_some();
	ok(!share_touch(B, WINDOW << 12) && !frame_state_count(FRAME_TRANSIT),
	   "touch: retired frames come back");
	retire_some();
	ok(!share_touch_host(id, 0, &pfn) && !frame_state_count(FRAME_TRANSIT), "host: they do");
	retire_some();
	ok(!share_touch_host(id, 0, &pfn) && !frame_state_count(FRAME_TRANSIT),
	   "host: also if there is nothing to do");
	live(host, A, &a, WINDOW);
	retire_some();
	ok(!share_touch(A, WINDOW << 12) && !frame_state_count(FRAME_TRANSIT),
	   "touch of the host's: they do");
}

/* A page that a VM has by a share is not its own to share. */
static void test_pass_on(void)
{
	struct share host = { .owner = DOM_HOST, .owner_npt = &host_npt, .peer = A, .perm = RW,
			      .owner_perm = EPT_RWX, .gfn = 0x900, .nr = 4 };
	struct share s = of_a(B, R, 0x103, 4);
	u64 id;

	setup(64);
	live(host, A, &a, 0x100);
	check(!share_touch(A, 0x100 << 12));
	refused(share_offer(&s, &id), NPT_EEXIST, "offer: what the owner has by a share");
	s.gfn = 0x104;
	id = offered(s);
	ok(is_offered(id), "offer: what is behind that");
	s = (struct share){ .owner = B, .owner_npt = &b, .peer = A, .perm = RW,
			    .owner_perm = EPT_RWX, .gfn = 0, .nr = 4 };
	id = offered(s);
	refused(share_accept(id, A, &a, 0x107), NPT_EEXIST, "accept: over what it has offered");
	ok(!share_accept(id, A, &a, 0x108), "accept: behind that");
}

static void offered_all(struct share s)
{
	for (s.gfn = 0; s.gfn < SHARE_QUOTA; s.gfn++)
		offered(s);
}

/* Every owner with all that it may have: every entry is in use, and found. */
static void test_full(void)
{
	struct share s = of_a(SHARE_ANY, R, SHARE_QUOTA, 1);
	u32 next;
	u64 id;

	setup(64);
	for (s.owner = A; s.owner < A + (SHARE_MAX - SHARE_ENCLAVES) / SHARE_QUOTA; s.owner++)
		offered_all(s);
	s.owner = DOM_FIRST_ENCLAVE;
	for (; s.owner < DOM_FIRST_ENCLAVE + SHARE_ENCLAVES / SHARE_QUOTA; s.owner++)
		offered_all(s);
	next = s.owner;
	ok(share_covers(next - 1, SHARE_QUOTA - 1, 1), "the last entry is found");
	s.owner = DOM_FIRST_ENCLAVE - 1;
	refused(share_offer(&s, &id), NPT_EQUOTA, "offer: every entry is in use");
	check(share_drop(A));
	s.owner = next;
	refused(share_offer(&s, &id), NPT_EQUOTA, "offer: what is free is not an enclave's");
	check(share_drop(DOM_FIRST_ENCLAVE));
	offered_all(s);
	s.owner = DOM_FIRST_ENCLAVE;
	refused(share_offer(&s, &id), NPT_EQUOTA, "offer: what was the first one's is another's");
	s.owner = A;
	ok(!share_offer(&s, &id), "offer: but what is free is a VM's");
}

/* The last domain that can be a peer, whose number the frame's word has. */
static void test_last_peer(void)
{
	u32 last = DOM_PEER_LIMIT - 1;
	u64 pfn;

	setup(64);
	pfn = private_page(&a, A, 0x100);
	live(of_a(last, RW, 0x100, 1), last, &b, WINDOW);
	ok(!share_touch(last, WINDOW << 12) && frame_get_info(pfn).peer == last,
	   "touch: by the last domain that can be a peer");
}

static void test_accept(void)
{
	struct share s = of_a(B, RW, 0x100, 16);
	u64 id, other;

	setup(64);
	id = offered(s);
	refused(share_accept(id + 1, B, &b, WINDOW), NPT_ENOENT, "accept: what is not there");
	refused(share_accept(~0ULL, B, &b, WINDOW), NPT_ENOENT, "accept: no ID");
	refused(share_accept(id, DOM_HOST, &host_npt, 0), NPT_EDOMAIN, "accept: not for the host");
	refused(share_accept(id, A, &a, WINDOW), NPT_EDOMAIN, "accept: its owner");
	refused(share_accept(id, B, &b, NPT_LIMIT >> PAGE_SHIFT), NPT_ERANGE, "accept: too far");
	refused(share_accept(id, B, &b, ~0ULL), NPT_ERANGE, "accept: wraps");
	ok(is_offered(id), "it is offered still");
	refused(share_touch(B, WINDOW << 12), NPT_ENOENT, "nothing is there before");
	ok(!share_accept(id, B, &b, WINDOW), "accept");
	refused(share_accept(id, B, &b, WINDOW + 64), NPT_ESTATE, "accept: twice");
	other = offered(of_a(SHARE_ANY, R, 0x200, 4));
	refused(share_accept(other, B, &b, WINDOW + 15), NPT_EEXIST, "accept: over another");
	refused(share_accept(other, B, &b, WINDOW - 3), NPT_EEXIST, "accept: into another");
	refused(share_accept(other, A, &a, WINDOW), NPT_EDOMAIN, "accept: one's own");
	refused(share_accept(other, DOM_HOST, &host_npt, 0), NPT_EDOMAIN, "accept: the host");
	refused(share_accept(other, DOM_MONITOR, &b, WINDOW), NPT_EDOMAIN, "accept: the monitor");
	ok(!share_accept(other, B, &b, WINDOW + 16), "accept: beside it, one to anybody");
}

static void test_touch(void)
{
	struct npt_leaf l;
	u64 id, pfn, n;
	struct frame f;

	setup(64);
	pfn = private_page(&a, A, 0x102);
	memset(frame_ptr(pfn), 0x42, PAGE_SIZE);
	id = live(of_a(B, R, 0x100, 16), B, &b, WINDOW);
	refused(share_touch(B, (WINDOW + 16) << 12), NPT_ENOENT, "touch: behind the window");
	refused(share_touch(B, (WINDOW - 1) << 12), NPT_ENOENT, "touch: before it");
	refused(share_touch(A, WINDOW << 12), NPT_ENOENT, "touch: another domain");
	refused(share_touch(DOM_HOST, WINDOW << 12), NPT_ENOENT, "touch: the host");
	refused(share_touch(B, ~0ULL), NPT_ENOENT, "touch: too far");
	ok(!share_touch(B, (WINDOW + 2) << 12 | 0x123), "touch: what the owner wrote");
	l = npt_walk(&b, (WINDOW + 2) << 12);
	ok(l.entry == (pfn << 12 | R | LEAF) && l.level == 1, "the owner's frame, to read");
	f = frame_get_info(pfn);
	ok(f.state == FRAME_PRIVATE && f.owner == A && f.gfn == 0x102 && f.shared && f.peer == B &&
	   !f.peer_write, "the frame's word tells");
	ok(!host_owns(pfn << 12, 1) && host_npt_fault(pfn << 12) == HOST_FAULT_PROTECTED,
	   "the host sees nothing of it");
	ok(vm_npt_lookup(&b, B, (WINDOW + 2) << 12) == INVALID_PFN, "no page of the peer's own");
	refused(share_touch(B, (WINDOW + 2) << 12), NPT_EEXIST, "touch: twice");
	n = a.owned;
	ok(!share_touch(B, (WINDOW + 5) << 12) && a.owned == n + 1 && !b.owned,
	   "touch: what the owner did not is made for it");
	ok(page_is(vm_npt_lookup(&a, A, 0x105 << 12), 0), "... of zeros");
	ok(!host_lend(pfn << 12, 0x900) && frame_get_info(pfn).shared &&
	   npt_walk(&b, (WINDOW + 2) << 12).entry == (pfn << 12 | R | LEAF),
	   "nor takes it from the peer");
	host_unlend(pfn << 12);
	lock();
	ok(bugs(frame_put(pfn)) && bugs(frame_retire(pfn)), "a shared frame changes no hands");
	ok(frame_share(pfn, DOM_HOST, false) == NPT_EBUSY, "a frame has one peer");
	unlock();
	refused(share_end(id, DOM_HOST), NPT_EDOMAIN, "end: by a third");
	ok(share_end(id, A) == NPT_EBUSY, "end: the CPUs have not flushed");
	ok(!npt_walk(&b, (WINDOW + 2) << 12).entry && !frame_get_info(pfn).shared &&
	   !frame_get_info(pfn).peer, "but no leaf is left");
	refused(share_touch(B, (WINDOW + 2) << 12), NPT_ENOENT, "touch: revoked");
	epoch_pass(0);
	ok(share_end(id, B) == NPT_EBUSY, "end: one CPU has not flushed");
	epoch_pass(1);
	ok(!share_end(id, B) && share_end(id, A) == NPT_ENOENT, "end: all have");
	ok(page_is(pfn, 0x42) && vm_npt_lookup(&a, A, 0x102 << 12) == pfn, "its owner keeps it");
}

static void test_host_peer(void)
{
	u64 id, ro, pfn = 5, page, epoch;

	setup(64);
	page = private_page(&a, A, 0x100);
	memset(frame_ptr(page), 0x42, PAGE_SIZE);
	id = offered(of_a(DOM_HOST, RW, 0x100, 2));
	refused(share_touch_host(id, 0, &pfn), NPT_ESTATE, "host: not accepted");
	check(!share_accept(id, DOM_HOST, &host_npt, 0));
	refused(share_touch_host(id, 2, &pfn), NPT_ERANGE, "host: behind the end");
	refused(share_touch_host(id + 1, 0, &pfn), NPT_ENOENT, "host: no such share");
	check(!host_lend(page << 12, 0x900));
	refused(share_touch_host(id, 0, &pfn), NPT_EBUSY, "host: lent a junk frame just now");
	host_unlend(page << 12);
	refused(share_touch_host(id, 0, &pfn), NPT_EBUSY, "host: a CPU may have the junk cached");
	pass_all();
	ok(!share_touch_host(id, 0, &pfn) && pfn == page, "host: asks for a page");
	ok(npt_walk(&host_npt, page << 12).entry == (page << 12 | RW | MT_WB << EPT_MEMTYPE_SHIFT),
	   "EPT01 has it, not executable");
	ok(!host_owns(page << 12, 1), "the gate says no still");
	refused(host_donate(page, 1, &epoch), NPT_EOWNER, "it cannot be donated");
	ok(!share_touch_host(id, 0, &pfn) && pfn == page, "host: asks again");
	ok(host_lend(page << 12, 0x900) == NPT_EEXIST && frame_get_info(page).shared &&
	   npt_walk(&host_npt, page << 12).entry >> 12 == page, "no junk where it may write");
	ok(share_end(id, DOM_HOST) == NPT_EBUSY && !npt_walk(&host_npt, page << 12).entry,
	   "the host gives it up");
	pass_all();
	check(!share_end(id, DOM_HOST));
	ro = live(of_a(DOM_HOST, R, 0x100, 1), DOM_HOST, &host_npt, 0);
	check(!share_touch_host(ro, 0, &pfn));
	check(npt_walk(&host_npt, page << 12).entry & R);
	ok(!host_lend(page << 12, 0x900) && !frame_get_info(page).shared &&
	   npt_walk(&host_npt, page << 12).entry >> 12 == 0x900,
	   "a write to what is read-only goes to a junk frame");
	host_unlend(page << 12);
	ok(page_is(page, 0x42) && !npt_walk(&host_npt, page << 12).entry, "... costs the sight");
	pass_all();
	ok(!share_touch_host(ro, 0, &pfn) && frame_get_info(page).shared, "until it asks again");
}

static void test_host_owner(void)
{
	struct share s = { .owner = DOM_HOST, .owner_npt = &host_npt, .peer = A, .perm = RW,
			   .owner_perm = EPT_RWX, .gfn = 0x900, .nr = 4 };
	u64 id, second, epoch;

	setup(64);
	id = live(s, A, &a, WINDOW);
	s.peer = B;
	second = live(s, B, &b, WINDOW);
	ok(!share_touch(A, WINDOW << 12) && !share_touch(B, WINDOW << 12), "host, with 2 VMs");
	ok(npt_walk(&a, WINDOW << 12).entry == (0x900000 | RW | LEAF), "leaf");
	ok(frame_get_info(0x900).gfn == 2 && host_owns(0x900000, 1), "counted, and the host's");
	refused(host_donate(0x900, 1, &epoch), NPT_EBUSY, "it is not donated");
	check(!host_donate(0x901, 1, &epoch));
	refused(share_touch(A, (WINDOW + 1) << 12), NPT_EOWNER, "touch: given away since");
	check(share_end(id, DOM_HOST) == NPT_EBUSY && share_end(second, A) == NPT_EDOMAIN);
	check(share_end(second, B) == NPT_EBUSY);
	ok(!frame_get_info(0x900).gfn && !host_donate(0x900, 1, &epoch), "donated when it is over");
	setup(64);
	s.perm = R;
	live(s, B, &b, WINDOW);
	check(!share_touch(B, WINDOW << 12));
	ok(npt_walk(&b, WINDOW << 12).entry == (0x900000 | R | LEAF), "to read");
	sim_table[0x901].gfn = BIT(36) - 1;
	refused(share_touch(B, (WINDOW + 1) << 12), NPT_EBUSY, "touch: pinned too often");
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	s.gfn = 0xa00;
	live(s, B, &b, WINDOW + 0x40000);
	refused(share_touch(B, (WINDOW + 0x40000) << 12), NPT_EPOOL, "touch: reserve");
}

/* A share of 1 GiB is one entry; its end is in steps, and a VM's end ends its shares. */
static void test_large(void)
{
	struct share to_a = { .owner = B, .owner_npt = &b, .peer = A, .perm = R,
			      .owner_perm = EPT_RWX, .gfn = 0, .nr = 1 };
	u64 i, id, n, steps = 0;

	setup(1024);
	id = live(of_a(B, RW, 0, 1 << 18), B, &b, WINDOW);
	for (i = 0; i < 300; i++)
		check(!share_touch(B, (WINDOW + i * 2) << 12));
	check(!share_touch(B, (WINDOW + (1 << 18) - 1) << 12));
	ok(share_end(id, A) == NPT_EBUSY && npt_walk(&b, (WINDOW + (1 << 18) - 1) << 12).entry,
	   "one step is bounded");
	for (; share_end(id, A) == NPT_EBUSY; steps++)
		pass_all();
	ok(steps <= 4, "and the gaps are cheap: %llu more", (unsigned long long)steps);
	live(of_a(B, R, 0, 4), B, &b, WINDOW);
	live(of_a(DOM_HOST, R, 8, 4), DOM_HOST, &host_npt, 0);
	offered(to_a);
	check(!share_touch(B, WINDOW << 12));
	for (id = 0, i = 0; i < SHARE_MAX; i++)
		id += share_at(i, &to_a, &n) && to_a.state == SHARE_REVOKING;
	check(!id && !share_drop(A));
	for (i = 0; i < SHARE_MAX; i++)
		id += share_at(i, &to_a, &n) && to_a.state == SHARE_REVOKING;
	ok(id == 1, "a VM ends: one share at a time");
	for (steps = 0; !share_drop(A); steps++)
		pass_all();
	ok(steps && !share_covers(A, 0, 1 << 18) && !share_covers(B, 0, 1), "a VM ends: shares");
	while (!vm_npt_teardown(&a, A, 64))
		;
	ok(!a.owned && frame_state_count(FRAME_PRIVATE) == 0, "and then its pages");
}

static void test_pool(void)
{
	u64 id, pfn;

	setup(64);
	id = live(of_a(B, RW, 0x100, 16), B, &b, WINDOW);
	private_page(&a, A, 0x100);
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE + NPT_LEVELS)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	refused(share_touch(B, WINDOW << 12), NPT_EPOOL, "touch: reserve");
	check(share_end(id, A) == NPT_EBUSY);
	pass_all();
	check(!share_end(id, A));
	id = live(of_a(DOM_HOST, RW, 0x100000, 16), DOM_HOST, &host_npt, 0);
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	refused(share_touch_host(id, 0, &pfn), NPT_EPOOL, "host: reserve");
}

/* The owner's page of a share counts as the owner's, who touches it first. */
static void test_quota(void)
{
	setup(64);
	live(of_a(B, RW, 0x100, 16), B, &b, WINDOW);
	check(!share_touch(B, WINDOW << 12));
	vm_npt_limit(&a, a.owned);
	refused(share_touch(B, (WINDOW + 1) << 12), NPT_EQUOTA, "touch: the owner has all it may");
	vm_npt_limit(&a, a.owned + 1);
	ok(!share_touch(B, (WINDOW + 1) << 12), "touch: it may have one more");
}

int main(void)
{
	test_offer();
	test_edges();
	test_reap();
	test_pass_on();
	test_full();
	test_last_peer();
	test_accept();
	test_touch();
	test_host_peer();
	test_host_owner();
	test_large();
	test_pool();
	test_quota();
	return unit_end();
}
