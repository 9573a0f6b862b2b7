// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c */
/* includes: npt/epoch.c */
#define SIM_FRAMES 512ULL
#include "npt_sim.h"
#include "npt/epoch.c"

#ifndef STEPS
#define STEPS 3000000ULL
#endif

static void test_init(void)
{
	const struct ram_range odd[] = { { 0x1800, 0x3800 }, { 0x5000, 0x1000000 } };

	sim_init(512, 2);
	ok(frame_count() == 512, "frames covered");
	ok(frame_state_count(FRAME_HOST) == 512 - 96, "RAM is the host's");
	ok(frame_state_count(FRAME_HOLE) == 96, "holes counted");
	ok(frame_get_info(0xa0).state == FRAME_HOLE && frame_get_info(0x100).state == FRAME_HOST,
	   "hole ends where RAM begins");
	ok(frame_get_info(512).state == FRAME_HOLE && frame_get_info(~0ULL).state == FRAME_HOLE,
	   "outside the table: hole");
	ok(!frame_state_count(FRAME_STATES) && !frame_state_count((enum frame_state)-1) &&
	   !frame_type_count(FRAME_TYPES) && !frame_type_count(FRAME_NONE), "counts of no state");
	frame_table_init(sim_table, 16, odd, 2, 1);
	ok(frame_get_info(1).state == FRAME_HOLE && frame_get_info(2).state == FRAME_HOST &&
	   frame_get_info(3).state == FRAME_HOLE, "pages that are RAM in part stay holes");
	ok(frame_state_count(FRAME_HOST) == 12 && frame_state_count(FRAME_HOLE) == 4,
	   "range beyond the table is cut");
	ok(bugs(frame_table_init(sim_table, BIT(36) + 1, odd, 2, 1)), "more than a word can name");
	ok(bugs(frame_table_init(sim_table, 16, odd, 2, 0)), "no CPU is a bug");
	ok(bugs(frame_table_init(sim_table, 16, odd, 2, NPT_MAX_CPUS + 1)), "too many CPUs");
	ok(!bugs(frame_table_init(sim_table, 16, odd, 2, NPT_MAX_CPUS)), "as many as there can be");
}

static void test_gate(void)
{
	u64 epoch;

	sim_init(512, 1);
	ok(host_owns(0, 1) && host_owns(0xfff, 2) && host_owns(0, 0xa0000), "host's RAM passes");
	ok(!host_owns(0, 0), "no bytes");
	ok(!host_owns(0, 0xa0001) && !host_owns(0xa0000, 1), "a hole does not");
	ok(host_owns((512 << 12) - 1, 1) && !host_owns((512 << 12) - 1, 2), "end of the table");
	ok(!host_owns(~0ULL, 1) && !host_owns(~0ULL, 2) && !host_owns(4096, ~0ULL) &&
	   !host_owns(0x101010, ~0ULL), "wrap around");
	ok(host_ptr(0x101234, 8) == sim_ram + 0x101234, "pointer");
	ok(!host_ptr(0xa0000, 8), "no pointer into a hole");
	lock();
	check(!frame_host_donate(0x110, 1, &epoch));
	unlock();
	ok(host_owns(0x10f000, 4096) && !host_owns(0x10f001, 4096) && !host_ptr(0x110000, 1),
	   "in transit does not pass");
	sim_init(2 * HOST_OWNS_MAX, 1);
	ok(host_owns(0x100000, HOST_OWNS_MAX * PAGE_SIZE) &&
	   !host_owns(0x100000, HOST_OWNS_MAX * PAGE_SIZE + 1), "bounded");
}

static void test_claim(void)
{
	sim_init(512, 1);
	refused(frame_claim_boot(0, 1, FRAME_IMAGE), NPT_ERANGE, "claim: frame 0");
	refused(frame_claim_boot(1, 0, FRAME_IMAGE), NPT_ERANGE, "claim: none");
	refused(frame_claim_boot(511, 2, FRAME_IMAGE), NPT_ERANGE, "claim: beyond the end");
	refused(frame_claim_boot(1, ~0ULL, FRAME_IMAGE), NPT_ERANGE, "claim: length wraps");
	refused(frame_claim_boot(0x9f, 2, FRAME_IMAGE), NPT_ESTATE, "claim: a hole");
	refused(frame_claim_boot(1, 1, FRAME_NONE), NPT_EINVAL, "claim: no type");
	refused(frame_claim_boot(1, 1, FRAME_TYPES), NPT_EINVAL, "claim: bad type");
	ok(!frame_claim_boot(0x110, 4, FRAME_VMX) && frame_type_count(FRAME_VMX) == 4 &&
	   frame_state_count(FRAME_USED) == 4, "claim");
	refused(frame_claim_boot(0x10f, 2, FRAME_IMAGE), NPT_EOWNER, "claim: twice");
	ok(page_is(0x110, 0xa5), "claim does not wipe");
	lock();
	frame_put(0x110);
	unlock();
	ok(page_is(0x110, 0) && frame_get_info(0x110).state == FRAME_FREE, "put wipes");
	ok(frame_type_count(FRAME_VMX) == 3, "type count falls");
}

static void test_donate(void)
{
	u64 epoch = 77, other;

	sim_init(512, 2);
	lock();
	refused(frame_host_donate(0, 1, &epoch), NPT_ERANGE, "donate: frame 0");
	refused(frame_host_donate(1, 0, &epoch), NPT_ERANGE, "donate: none");
	refused(frame_host_donate(510, 3, &epoch), NPT_ERANGE, "donate: beyond the end");
	refused(frame_host_donate(~0ULL, 2, &epoch), NPT_ERANGE, "donate: wraps");
	refused(frame_host_donate(0x9e, 3, &epoch), NPT_ESTATE, "donate: a hole");
	check(!frame_pin(0x112));
	refused(frame_host_donate(0x110, 4, &epoch), NPT_EBUSY, "donate: pinned");
	frame_unpin(0x112);
	ok(epoch == 77, "refusals leave the epoch alone");
	ok(!frame_host_donate(0x110, 4, &epoch), "donate");
	ok(frame_get_info(0x110).state == FRAME_TRANSIT && frame_get_info(0x113).gfn == epoch &&
	   frame_get_info(0x113).owner == DOM_MONITOR && page_is(0x110, 0xa5), "in transit");
	ok(bugs(frame_put(0x110)) && bugs(frame_retire(0x110)), "not put back by another verb");
	refused(frame_host_donate(0x113, 2, &epoch), NPT_EOWNER, "donate: twice");
	refused(frame_transit_settle(0x110, 4), NPT_EBUSY, "settle: no CPU has passed");
	epoch_pass(0);
	refused(frame_transit_settle(0x110, 4), NPT_EBUSY, "settle: one CPU has not passed");
	check(!frame_host_donate(0x114, 1, &other));
	epoch_pass(1);
	ok(epoch_passed(epoch) && !epoch_passed(other), "epochs pass in order");
	refused(frame_transit_settle(0x110, 5), NPT_EBUSY, "settle: one frame is younger");
	refused(frame_transit_settle(0x10f, 2), NPT_ESTATE, "settle: one is still the host's");
	refused(frame_transit_settle(510, 3), NPT_ERANGE, "settle: beyond the end");
	ok(!frame_transit_settle(0x110, 4) && frame_state_count(FRAME_FREE) == 4, "settle");
	ok(page_is(0x110, 0) && page_is(0x113, 0) && page_is(0x114, 0xa5), "settle wipes");
	refused(frame_transit_settle(0x110, 1), NPT_ESTATE, "settle: twice");
	unlock();
}

static void test_pool(void)
{
	u64 pfn = 5, a, b;

	sim_init(512, 1);
	sim_pool(0x110, 2);
	lock();
	a = frame_get(FRAME_STATE);
	b = frame_get_private(DOM_FIRST_VM, 0x123456789ULL);
	ok(a != b && a - 0x110 < 2 && b - 0x110 < 2, "two frames");
	refused(frame_get(FRAME_STATE) != INVALID_PFN, 0, "get: empty");
	refused(frame_free_return(&pfn), NPT_EPOOL, "return: empty");
	ok(pfn == 5, "refusal leaves the answer alone");
	ok(frame_get_info(b).gfn == 0x123456789ULL && frame_get_info(b).owner == DOM_FIRST_VM &&
	   frame_get_info(b).type == FRAME_GUEST, "private frame");
	memset(frame_ptr(b), 0x5a, PAGE_SIZE);
	frame_put(b);
	ok(page_is(b, 0) && frame_state_count(FRAME_FREE) == 1, "put");
	ok(bugs(frame_put(b)), "put twice is a bug");
	ok(bugs(frame_put(0x120)) && bugs(frame_retire(0x120)), "putting the host's is a bug");
	ok(bugs(frame_put(0)) && bugs(frame_put(512)) && bugs(frame_put(~0ULL)) &&
	   bugs(frame_put(0xa0)) && bugs(frame_retire(0xa0)), "put: no frame");
	refused(frame_get_private(DOM_MONITOR, 0) != INVALID_PFN, 0, "private: the monitor");
	refused(frame_get_private(DOM_HOST, 0) != INVALID_PFN, 0, "private: the host");
	refused(frame_get_private(DOM_LIMIT, 0) != INVALID_PFN, 0, "private: no such domain");
	refused(frame_get_private(DOM_FIRST_VM, BIT(36)) != INVALID_PFN, 0, "private: wide gfn");
	ok(frame_get_private(DOM_LIMIT - 1, BIT(36) - 1) == b, "private: largest numbers");
	frame_put(b);
	ok(!frame_free_return(&pfn) && pfn == b && host_owns(b << 12, 4096), "return");
	ok(bugs(frame_get(FRAME_NONE)) && bugs(frame_get(FRAME_TYPES)), "get: bad type is a bug");
	unlock();
	ok(bugs(frame_put(a)) && bugs(frame_get(FRAME_STATE)) && bugs(frame_retire(a)) &&
	   bugs(epoch_reap(1)) && bugs((void)frames_retired()) &&
	   bugs((void)!frame_host_donate(0x130, 1, &pfn)) &&
	   bugs((void)!frame_transit_settle(0x130, 1)) && bugs((void)!frame_pin(0x130)),
	   "without the lock is a bug");
}

/* The verbs of pins and peers, where nothing else is wrong with them. */
static void test_lock(void)
{
	u64 a, b;

	sim_init(512, 1);
	sim_pool(0x110, 4);
	lock();
	a = frame_get_private(DOM_FIRST_VM, 1);
	b = frame_get_private(DOM_FIRST_VM, 2);
	check(!frame_share(b, DOM_HOST, true) && !frame_pin(0x130));
	unlock();
	ok(bugs(frame_unpin(0x130)) && bugs((void)frame_free_first()) && bugs(frame_unshare(b)) &&
	   bugs((void)!frame_share(a, DOM_HOST, true)), "pins and peers, without the lock");
	lock();
	ok(frame_get_info(0x130).gfn == 1 && frame_get_info(b).shared && !frame_get_info(a).shared,
	   "and nothing was done");
	sim_table[frame_free_first()].state = FRAME_USED;
	ok(bugs(frame_get(FRAME_STATE)), "get: what is in the pool is free");
	sim_table[frame_free_first()].state = FRAME_FREE;
	ok(bugs(frame_unpin(a)), "unpinning a page of a VM is a bug");
	sim_table[b].state = FRAME_USED;
	ok(bugs(frame_unshare(b)), "only a page of a VM has a peer");
	sim_table[b].state = FRAME_PRIVATE;
	frame_unshare(b);
	ok(bugs(frame_unshare(b)) && bugs(frame_unshare(0x130)) &&
	   bugs(frame_unshare(frame_free_first())),
	   "unsharing what is not shared is a bug");
	refused(frame_share(0x130, DOM_FIRST_VM, true), NPT_ESTATE, "share: the host's");
	refused(frame_share(a, DOM_FIRST_VM, true), NPT_EDOMAIN, "share: with its owner");
	refused(frame_share(a, DOM_MONITOR, true), NPT_EDOMAIN, "share: with the monitor");
	refused(frame_share(a, DOM_PEER_LIMIT, true), NPT_EDOMAIN, "share: with nobody");
	ok(!frame_share(a, DOM_PEER_LIMIT - 1, false) && !frame_get_info(a).peer_write &&
	   frame_get_info(a).peer == DOM_PEER_LIMIT - 1, "share: the last peer there can be");
	unlock();
}

static void test_pin(void)
{
	sim_init(512, 1);
	sim_pool(0x110, 1);
	lock();
	refused(frame_pin(512), NPT_ERANGE, "pin: beyond the end");
	refused(frame_pin(0xa0), NPT_EOWNER, "pin: a hole");
	refused(frame_pin(0x110), NPT_EOWNER, "pin: the monitor's");
	ok(!frame_pin(0x120) && !frame_pin(0x120) && frame_get_info(0x120).gfn == 2, "pin twice");
	ok(host_owns(0x120000, 1), "pinned: still the host's");
	frame_unpin(0x120);
	ok(frame_host_check(0x120, 1) == NPT_EBUSY, "one pin left");
	frame_unpin(0x120);
	ok(frame_host_check(0x120, 1) == NPT_OK, "no pin left");
	ok(bugs(frame_unpin(0x120)) && bugs(frame_unpin(0x110)), "unpinning what is not pinned");
	sim_table[0x120].gfn = BIT(36) - 1;
	refused(frame_pin(0x120), NPT_EBUSY, "pin: count is full");
	unlock();
}

static void test_epoch(void)
{
	u64 a, b;

	sim_init(512, 3);
	epoch_pass(0);
	ok(!sim_flushes, "nothing open: no flush");
	a = epoch_now();
	b = epoch_now();
	ok(b > a && !epoch_passed(a), "each removal opens its own");
	epoch_pass(0);
	epoch_pass(1);
	ok(sim_flushes == 2 && !epoch_passed(a), "two of three");
	epoch_pass(0);
	ok(sim_flushes == 2, "one flush for each pass with something open");
	epoch_pass(2);
	ok(epoch_passed(a) && epoch_passed(b) && !epoch_passed(b + 1), "all three");
	epoch_park(2);
	ok(sim_flushes == 4, "parking flushes");
	a = epoch_now();
	epoch_pass(0);
	epoch_pass(1);
	ok(epoch_passed(a), "nobody waits for a parked CPU");
	epoch_pass(2);
	ok(sim_flushes == 7, "coming back flushes");
	a = epoch_now();
	epoch_pass(0);
	epoch_pass(1);
	ok(!epoch_passed(a), "and it is waited for again");
}

static void test_retire(void)
{
	u64 a, b, c;

	sim_init(512, 2);
	sim_pool(0x110, 8);
	lock();
	a = frame_get(FRAME_TABLE);
	b = frame_get(FRAME_TABLE);
	c = frame_get_private(DOM_FIRST_VM, 1);
	memset(frame_ptr(a), 0x11, PAGE_SIZE);
	ok(!frames_retired(), "nothing is retired");
	frame_retire(a);
	ok(frames_retired(), "... a frame is, of a batch that fills");
	ok(frame_get_info(a).state == FRAME_TRANSIT && page_is(a, 0x11) &&
	   frame_type_count(FRAME_TABLE) == 1, "retired: untouched");
	refused(frame_transit_settle(a, 1), NPT_ESTATE, "settle: not what was retired");
	epoch_reap(100);
	ok(page_is(a, 0x11) && frame_state_count(FRAME_TRANSIT) == 1, "not before its epoch");
	ok(frames_retired(), "... of a batch that waits");
	epoch_pass(0);
	frame_retire(b);
	epoch_pass(0);
	epoch_reap(100);
	ok(frame_state_count(FRAME_TRANSIT) == 2, "not before the last CPU");
	epoch_pass(1);
	refused((epoch_reap(0), 0), 0, "reap: no budget");
	epoch_reap(1);
	ok(frame_state_count(FRAME_TRANSIT) == 1, "budget is kept");
	ok(frames_retired(), "... there is one left");
	ok(page_is(a, 0) && frame_get_info(a).state == FRAME_FREE, "wiped, oldest first");
	frame_retire(c);
	epoch_reap(100);
	ok(frame_state_count(FRAME_TRANSIT) == 2, "what joins a batch makes it wait for its epoch");
	epoch_pass(0);
	epoch_pass(1);
	epoch_reap(100);
	ok(frame_state_count(FRAME_FREE) == 8 && !frames_retired(), "all back");
	ok(bugs(frame_retire(a)), "retiring what is free is a bug");
	unlock();
}

/* A stream of new ones must not put off the old ones. */
static void test_retire_stream(void)
{
	u64 first, i;

	sim_init(512, 2);
	sim_pool(0x110, 64);
	lock();
	first = frame_get(FRAME_TABLE);
	frame_retire(first);
	for (i = 0; i < 20; i++) {
		epoch_pass(0);
		epoch_reap(4);
		frame_retire(frame_get(FRAME_TABLE));
		epoch_pass(1);
		frame_retire(frame_get(FRAME_TABLE));
	}
	ok(frame_state_count(FRAME_FREE) > 50, "retired frames come back under a stream");
	unlock();
}

/* Every frame has bytes of its own: the host's and the monitor's tables keep them. */
static void test_wipe(void)
{
	u64 guest, state, vmx, table, retired, epoch, image = 0x120, own = 0x121;
	struct frame before;

	sim_init(512, 2);
	check(!frame_claim_boot(image, 1, FRAME_IMAGE));
	sim_pool(0x110, 8);
	lock();
	guest = frame_get_private(DOM_FIRST_VM, 1);
	state = frame_get(FRAME_STATE);
	vmx = frame_get(FRAME_VMX);
	table = frame_get(FRAME_TABLE);
	retired = frame_get_private(DOM_FIRST_VM, 2);
	check(!frame_share(guest, DOM_HOST, false));
	check(!frame_host_donate(0x130, 1, &epoch));
	memset(sim_ram, 0x77, 512 * PAGE_SIZE);
	frame_retire(retired);
	before = frame_get_info(guest);
	frames_wipe();
	ok(frame_get_info(guest).shared && before.gfn == frame_get_info(guest).gfn &&
	   frame_state_count(FRAME_TRANSIT) == 2, "wipe: no word changes");
	ok(page_is(guest, 0) && page_is(state, 0) && page_is(vmx, 0), "wipe: what domains have");
	ok(page_is(retired, 0) && page_is(0x130, 0), "wipe: what is in transit");
	ok(page_is(image, 0x77) && page_is(table, 0x77) && page_is(own, 0x77) && page_is(0, 0x77),
	   "wipe: nothing else");
	unlock();
	frames_wipe();
	check(!frame_claim_boot(511, 1, FRAME_STATE));
	memset(frame_ptr(511), 0x77, PAGE_SIZE);
	frames_wipe();
	ok(page_is(511, 0), "wipe: the last frame, and without the lock");
}

/* The 36 bits of an epoch in the word: one of the last lap is told from one of this. */
static void test_epoch_wrap(void)
{
	u64 epoch;

	sim_init(512, 2);
	lock();
	latest = BIT(36) - 2;
	epoch_pass(0);
	check(!frame_host_donate(0x110, 1, &epoch) && epoch == BIT(36) - 1);
	check(!frame_host_donate(0x111, 1, &epoch) && epoch == BIT(36));
	ok(frame_get_info(0x110).gfn == BIT(36) - 1 && frame_get_info(0x111).gfn == 0, "36 bits");
	refused(frame_transit_settle(0x110, 1), NPT_EBUSY, "last lap: not passed");
	refused(frame_transit_settle(0x111, 1), NPT_EBUSY, "this lap: not passed");
	seen[0].epoch = seen[1].epoch = BIT(36) - 1;
	refused(frame_transit_settle(0x110, 2), NPT_EBUSY, "only the last lap has passed");
	ok(!frame_transit_settle(0x110, 1), "last lap: settled");
	epoch_pass(0);
	epoch_pass(1);
	ok(!frame_transit_settle(0x111, 1), "this lap: settled");
	check(!frame_host_donate(0x112, 1, &epoch));
	latest += 2 * BIT(36);
	ok(frame_transit_settle(0x112, 1) == NPT_EBUSY, "forgotten for two laps: waits on");
	epoch_pass(0);
	epoch_pass(1);
	ok(!frame_transit_settle(0x112, 1), "and comes back");
	unlock();
}

/* ---- against a model: flat arrays ---- */

#define M 64

static struct {
	u8 state, type;
	u32 owner;
	u64 wait, gfn;
	bool retired;
} m[M];
static u64 m_epoch, m_seen[3];

static bool m_passed(u64 epoch)
{
	return m_seen[0] >= epoch && m_seen[1] >= epoch && m_seen[2] >= epoch;
}

static void m_compare(void)
{
	u64 states[FRAME_STATES] = { 0 }, types[FRAME_TYPES] = { 0 }, i;

	for (i = 0; i < M; i++) {
		struct frame f = sim_table[i];

		check(f.state == m[i].state && f.type == m[i].type && f.owner == m[i].owner);
		if (f.state == FRAME_PRIVATE || f.state == FRAME_HOST)
			check(f.gfn == m[i].gfn);
		if (f.state == FRAME_TRANSIT)
			check(f.retired == m[i].retired && (f.retired || f.gfn == m[i].wait));
		states[f.state]++;
		types[f.type]++;
	}
	for (i = 0; i < FRAME_STATES; i++)
		check(frame_state_count(i) == states[i]);
	for (i = 1; i < FRAME_TYPES; i++)
		check(frame_type_count(i) == types[i]);
}

static void m_set(u64 pfn, u8 state, u8 type, u32 owner, u64 gfn)
{
	m[pfn].state = state;
	m[pfn].type = type;
	m[pfn].owner = owner;
	m[pfn].gfn = gfn;
	m[pfn].retired = false;
}

static bool m_all(u64 pfn, u64 nr, u8 state)
{
	u64 i;

	if (!pfn || pfn + nr > M)
		return false;
	for (i = 0; i < nr; i++)
		if (m[pfn + i].state != state)
			return false;
	return true;
}

/* What reap may have done: retired and passed became free; nothing else. */
static void m_reaped(void)
{
	u64 i;

	for (i = 0; i < M; i++) {
		if (m[i].retired && sim_table[i].state == FRAME_FREE) {
			check(m_passed(m[i].wait));
			check(page_is(i, 0));
			m_set(i, FRAME_FREE, 0, DOM_MONITOR, 0);
		}
	}
}

static void m_step(void)
{
	u64 r = unit_random(), pfn = (r >> 8) % M, nr = 1 + (r >> 16) % 3, got, i;
	bool in_use = m[pfn].state == FRAME_USED || m[pfn].state == FRAME_PRIVATE, want;
	u32 cpu = (r >> 24) % 3, dom = DOM_FIRST_VM + (r >> 26) % 2;

	switch (r % 11) {
	case 0:
		want = m_all(pfn, nr, FRAME_HOST);
		for (i = 0; want && i < nr; i++)
			want = !m[pfn + i].gfn;
		check((frame_host_donate(pfn, nr, &got) == NPT_OK) == want);
		if (!want)
			break;
		m_epoch++;
		for (i = 0; i < nr; i++) {
			m_set(pfn + i, FRAME_TRANSIT, 0, DOM_MONITOR, 0);
			m[pfn + i].wait = m_epoch;
			memset(frame_ptr(pfn + i), 0xee, PAGE_SIZE);
		}
		check(got == m_epoch);
		break;
	case 1:
		want = m_all(pfn, nr, FRAME_TRANSIT);
		for (i = 0; want && i < nr; i++)
			want = !m[pfn + i].retired && m_passed(m[pfn + i].wait);
		check((frame_transit_settle(pfn, nr) == NPT_OK) == want);
		for (i = 0; want && i < nr; i++) {
			check(page_is(pfn + i, 0));
			m_set(pfn + i, FRAME_FREE, 0, DOM_MONITOR, 0);
		}
		break;
	case 2:
		if (frame_free_return(&got) == NPT_OK) {
			check(m[got].state == FRAME_FREE && page_is(got, 0));
			m_set(got, FRAME_HOST, 0, DOM_HOST, 0);
		} else {
			check(!frame_state_count(FRAME_FREE));
		}
		break;
	case 3:
		got = frame_get(FRAME_TABLE + (r >> 30) % 3);
		if (got == INVALID_PFN)
			break;
		check(m[got].state == FRAME_FREE && page_is(got, 0));
		m_set(got, FRAME_USED, FRAME_TABLE + (r >> 30) % 3, DOM_MONITOR, 0);
		memset(frame_ptr(got), 0xdd, PAGE_SIZE);
		break;
	case 4:
		got = frame_get_private(dom, r >> 40);
		if (got == INVALID_PFN)
			break;
		check(m[got].state == FRAME_FREE && page_is(got, 0));
		m_set(got, FRAME_PRIVATE, FRAME_GUEST, dom, r >> 40);
		memset(frame_ptr(got), 0xcc, PAGE_SIZE);
		break;
	case 5:
		if (!in_use)
			break;
		frame_put(pfn);
		check(page_is(pfn, 0));
		m_set(pfn, FRAME_FREE, 0, DOM_MONITOR, 0);
		break;
	case 6:
		if (!in_use)
			break;
		frame_retire(pfn);
		m_set(pfn, FRAME_TRANSIT, 0, DOM_MONITOR, 0);
		m[pfn].retired = true;
		m[pfn].wait = ++m_epoch;
		break;
	case 7:
		epoch_reap((r >> 30) % 8);
		m_reaped();
		break;
	case 8:
		epoch_pass(cpu);
		m_seen[cpu] = m_epoch;
		break;
	case 9:
		want = m[pfn].state == FRAME_HOST;
		check((frame_pin(pfn) == NPT_OK) == want);
		m[pfn].gfn += want;
		break;
	case 10:
		if (m[pfn].state == FRAME_HOST && m[pfn].gfn) {
			frame_unpin(pfn);
			m[pfn].gfn--;
		}
		break;
	}
}

static void test_model(void)
{
	const struct ram_range ram[] = { { 0, 24 << 12 }, { 26 << 12, M << 12 } };
	u64 i, steps = STEPS;

	sim_init(M, 3);
	frame_table_init(sim_table, M, ram, 2, 3);
	for (i = 0; i < M; i++)
		m_set(i, i == 24 || i == 25 ? FRAME_HOLE : FRAME_HOST, 0, DOM_HOST, 0);
	lock();
	for (i = 0; i < steps; i++) {
		m_step();
		m_compare();
	}
	unlock();
	ok(i == steps, "%llu random verbs agree with the model", (unsigned long long)steps);
}

int main(void)
{
	test_init();
	test_gate();
	test_claim();
	test_donate();
	test_pool();
	test_lock();
	test_pin();
	test_epoch();
	test_retire();
	test_retire_stream();
	test_epoch_wrap();
	test_wipe();
	test_model();
	return unit_end();
}
