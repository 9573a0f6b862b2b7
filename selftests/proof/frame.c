// SPDX-License-Identifier: GPL-2.0-only
/* The verbs of one frame and of a range of frames. */
#include "frame_world.h"

static bool is(u64 pfn, u32 state, u32 type, u32 owner)
{
	struct frame f = words[pfn];

	return f.state == state && f.type == type && f.owner == owner && !f.retired && !f.shared;
}

/* What frame_host_check() says of an arbitrary frame of a range that it takes. */
static void was_hosts(u64 pfn)
{
	claim(old.words[pfn].state == FRAME_HOST && !old.words[pfn].gfn,
	      "only what the host had, and nothing pins, is taken");
	claim(pfn, "frame 0 is not taken");
}

static u64 any_of(u64 pfn, u64 nr)
{
	u64 q = any_frame();

	assume(q >= pfn && q - pfn < nr);
	return q;
}

void proof_frame_table_init(void)
{
	struct ram_range range[2];
	u32 i, q = any_frame();

	for (i = 0; i < FRAMES; i++)
		words[i] = (struct frame){ 0 };
	for (i = 0; i < 2; i++)
		range[i] = (struct ram_range){ nondet_u64(), nondet_u64() };
	/* As the firmware's map is: sorted, page aligned. */
	assume(range[0].start <= range[0].end && range[0].end <= range[1].start &&
	       range[1].start <= range[1].end);
	assume(IS_ALIGNED(range[0].start | range[0].end, PAGE_SIZE));
	assume(IS_ALIGNED(range[1].start | range[1].end, PAGE_SIZE));
	frame_table_init(words, FRAMES, range, 2, CPUS);
	save();
	world_check();
	claim(bits(words[q]) == bits((struct frame){ .state = words[q].state }) &&
	      (words[q].state == FRAME_HOST || words[q].state == FRAME_HOLE), "RAM or a hole");
	REACH(words[q].state == FRAME_HOST, "RAM");
	REACH(words[q].state == FRAME_HOLE, "a hole");
}

void proof_frame_claim_boot(void)
{
	u64 pfn = nondet_u64(), nr = nondet_u64(), q;
	u32 type = nondet_u32();
	int err;

	world_any();
	err = frame_claim_boot(pfn, nr, type);
	REACH(!err && nr > 1, "claimed");
	REACH(err == NPT_ERANGE, "out of range");
	REACH(err == NPT_EOWNER, "not the host's");
	REACH(err == NPT_ESTATE, "a hole");
	REACH(err == NPT_EBUSY, "pinned");
	REACH(err == NPT_EINVAL, "no such type");
	if (err) {
		unchanged();
		return;
	}
	q = any_of(pfn, nr);
	was_hosts(q);
	claim(is(q, FRAME_USED, type, DOM_MONITOR), "the monitor's");
	only(pfn, nr);
	world_check();
}

void proof_frame_host_donate(void)
{
	u64 pfn = nondet_u64(), nr = nondet_u64(), epoch = 0, q;
	u32 cpu = nondet_u32(), i;
	int err;

	world_any();
	err = frame_host_donate(pfn, nr, &epoch);
	REACH(!err && nr > 1, "donated");
	REACH(err == NPT_ERANGE, "out of range");
	REACH(err == NPT_EOWNER, "not the host's");
	REACH(err == NPT_ESTATE, "a hole");
	REACH(err == NPT_EBUSY, "pinned");
	if (err) {
		unchanged();
		return;
	}
	for (i = 0; i < FRAMES; i++)
		if (i >= pfn && i - pfn < nr)
			due[i] = epoch;
	q = any_of(pfn, nr);
	was_hosts(q);
	claim(is(q, FRAME_TRANSIT, FRAME_NONE, DOM_MONITOR), "nobody's yet");
	claim(tag[q] == old.tag[q], "not wiped before everybody has flushed");
	assume(cpu < CPUS);
	claim(seen[cpu].epoch < epoch || seen[cpu].epoch == EPOCH_PARKED,
	      "every CPU that may have it cached has yet to pass");
	only(pfn, nr);
	world_check();
}

void proof_frame_transit_settle(void)
{
	u64 pfn = nondet_u64(), nr = nondet_u64(), q;
	int err;

	world_any();
	err = frame_transit_settle(pfn, nr);
	REACH(!err && nr > 1, "settled");
	REACH(err == NPT_ERANGE, "out of range");
	REACH(err == NPT_ESTATE, "not in transit");
	REACH(err == NPT_EBUSY, "a CPU has not passed");
	if (err) {
		unchanged();
		return;
	}
	q = any_of(pfn, nr);
	claim(is(q, FRAME_FREE, FRAME_NONE, DOM_MONITOR), "in the pool");
	claim(!tag[q], "I17 wiped");
	claim(!is_cached(q), "I19 nobody has it cached");
	inv_change(old.words[q], words[q], !tag[q], is_cached(q));
	only(pfn, nr);
	world_check();
}

/* What left the pool was free, wiped and nobody's; nothing else has changed. */
static void from_pool(u64 pfn)
{
	u64 q = any_frame();

	claim(pfn < FRAMES && pfn, "a frame of the table");
	claim(old.words[pfn].state == FRAME_FREE, "it was free");
	claim(!tag[pfn], "I17 it is wiped");
	claim(!is_cached(pfn), "I19 nobody has it cached");
	claim(words[q].owner == old.words[q].owner || q == pfn, "I1 no other owner");
	only(pfn, 1);
	world_check();
}

void proof_frame_get(void)
{
	u32 type = nondet_u32();
	u64 pfn;

	assume(type > FRAME_NONE && type < FRAME_TYPES);
	world_any();
	pfn = frame_get(type);
	REACH(pfn != INVALID_PFN && pool, "one of several");
	REACH(pfn == INVALID_PFN, "the pool is empty");
	if (pfn == INVALID_PFN) {
		claim(!old.pool, "none is kept back");
		unchanged();
		return;
	}
	claim(is(pfn, FRAME_USED, type, DOM_MONITOR), "the monitor's");
	from_pool(pfn);
}

void proof_frame_get_private(void)
{
	u32 dom = nondet_u32();
	u64 gfn = nondet_u64(), pfn;

	world_any();
	pfn = frame_get_private(dom, gfn);
	REACH(pfn != INVALID_PFN, "given");
	REACH(pfn == INVALID_PFN && pool && dom < DOM_FIRST_VM, "no VM");
	REACH(pfn == INVALID_PFN && pool && dom >= DOM_LIMIT, "no domain");
	REACH(pfn == INVALID_PFN && pool && gfn >= BIT(GFN_BITS), "no such page");
	REACH(pfn == INVALID_PFN && !pool, "the pool is empty");
	if (pfn == INVALID_PFN) {
		unchanged();
		return;
	}
	claim(is(pfn, FRAME_PRIVATE, FRAME_GUEST, dom) && words[pfn].gfn == gfn, "the VM's");
	claim(dom >= DOM_FIRST_VM && dom < DOM_LIMIT, "I1 a VM");
	from_pool(pfn);
}

void proof_frame_free_return(void)
{
	u64 pfn = INVALID_PFN;
	int err;

	world_any();
	err = frame_free_return(&pfn);
	REACH(!err, "returned");
	REACH(err, "the pool is empty");
	if (err) {
		claim(err == NPT_EPOOL && !pool && pfn == INVALID_PFN, "none is kept back");
		unchanged();
		return;
	}
	claim(bits(words[pfn]) == bits((struct frame){ .state = FRAME_HOST }), "the host's");
	inv_change(old.words[pfn], words[pfn], !tag[pfn], is_cached(pfn));
	from_pool(pfn);
}

void proof_frame_put(void)
{
	u64 pfn = nondet_u64();
	u32 cpu;

	world_any();
	assume(may_go(pfn));
	for (cpu = 0; cpu < CPUS; cpu++)
		assume(!cached[cpu][pfn]);
	frame_put(pfn);
	REACH(old.words[pfn].state == FRAME_USED, "the monitor's");
	REACH(old.words[pfn].state == FRAME_PRIVATE && old.pool, "a VM's");
	claim(is(pfn, FRAME_FREE, FRAME_NONE, DOM_MONITOR), "in the pool");
	claim(!tag[pfn], "I17 wiped");
	inv_change(old.words[pfn], words[pfn], !tag[pfn], is_cached(pfn));
	only(pfn, 1);
	world_check();
}

void proof_frame_retire(void)
{
	u64 pfn = nondet_u64();
	struct frame f;

	world_any();
	assume(may_go(pfn));
	ghost_push(pfn, IN_FILLING);
	frame_retire(pfn);
	f = words[pfn];
	REACH(old.words[pfn].state == FRAME_USED && old.filling.head, "a table after others");
	REACH(old.words[pfn].state == FRAME_PRIVATE && is_cached(pfn), "a VM's, cached");
	claim(f.state == FRAME_TRANSIT && f.retired && f.owner == DOM_MONITOR, "on its way");
	claim(latest == old.latest + 1, "an epoch is opened");
	claim(tag[pfn] == old.tag[pfn], "not wiped before everybody has flushed");
	inv_change(old.words[pfn], f, !tag[pfn], is_cached(pfn));
	only(pfn, 1);
	world_check();
}

void proof_epoch_reap(void)
{
	u64 q = any_frame(), i, nr = 0;
	u32 budget = nondet_u32();

	world_any();
	epoch_reap(budget);
	/* The batch that was filling is the one that waits now, if the other is empty. */
	for (i = 0; i < FRAMES && !filling.head; i++)
		if (list[i] == IN_FILLING)
			list[i] = IN_WAITING;
	for (i = 0; i < FRAMES; i++)
		nr += !same_word(i);
	REACH(nr > 1 && nr == budget, "the budget ends it");
	REACH(nr > 1 && nr < budget && waiting.head, "a CPU that has not passed ends it");
	REACH(nr && budget > nr && !waiting.head && !filling.head, "the end of both");
	REACH(!nr && budget && waiting.head, "nobody may go yet");
	claim(nr <= budget, "I21 no more than the budget");
	if (!same_word(q)) {
		claim(old.words[q].state == FRAME_TRANSIT && old.words[q].retired,
		      "only retired frames");
		claim(is(q, FRAME_FREE, FRAME_NONE, DOM_MONITOR), "in the pool");
		claim(!tag[q], "I17 wiped");
		inv_change(old.words[q], words[q], !tag[q], is_cached(q));
	}
	world_check();
}

/* ---- pins and peers ---- */

void proof_frame_pin(void)
{
	u64 pfn = nondet_u64();
	int err;

	world_any();
	err = frame_pin(pfn);
	REACH(!err, "pinned");
	REACH(err == NPT_ERANGE, "out of range");
	REACH(err == NPT_EOWNER, "not the host's");
	REACH(err == NPT_EBUSY, "too often");
	if (err) {
		unchanged();
		return;
	}
	claim(bits(words[pfn]) ==
	      bits((struct frame){ .state = FRAME_HOST, .gfn = old.words[pfn].gfn + 1 }),
	      "once more, and nothing else");
	claim(words[pfn].gfn, "no wrap around");
	only(pfn, 1);
	world_check();
}

void proof_frame_unpin(void)
{
	u64 pfn = nondet_u64();

	world_any();
	assume(pfn < FRAMES && words[pfn].state == FRAME_HOST && words[pfn].gfn);
	frame_unpin(pfn);
	REACH(!words[pfn].gfn, "the last pin");
	REACH(words[pfn].gfn, "one of several");
	claim(bits(words[pfn]) ==
	      bits((struct frame){ .state = FRAME_HOST, .gfn = old.words[pfn].gfn - 1 }),
	      "once less, and nothing else");
	only(pfn, 1);
	world_check();
}

void proof_frame_share(void)
{
	u64 pfn = nondet_u64();
	u32 peer = nondet_u32();
	u8 write = nondet_u8();
	struct frame wanted;
	int err;

	assume(write <= 1);
	world_any();
	err = frame_share(pfn, peer, write);
	REACH(!err && write, "to write");
	REACH(!err && !write && peer == DOM_HOST, "with the host, to read");
	REACH(err == NPT_ESTATE && pfn >= FRAMES, "out of range");
	REACH(err == NPT_ESTATE && pfn < FRAMES, "not private");
	REACH(err == NPT_EDOMAIN && peer == DOM_MONITOR, "with the monitor");
	REACH(err == NPT_EDOMAIN && peer >= DOM_PEER_LIMIT, "with one too many");
	REACH(err == NPT_EBUSY, "shared already");
	if (err) {
		unchanged();
		return;
	}
	wanted = old.words[pfn];
	wanted.shared = 1;
	wanted.peer = peer;
	wanted.peer_write = write;
	claim(bits(words[pfn]) == bits(wanted), "the peer, and nothing else");
	inv_change(old.words[pfn], words[pfn], !tag[pfn], is_cached(pfn));
	only(pfn, 1);
	world_check();
}

void proof_frame_unshare(void)
{
	u64 pfn = nondet_u64();
	struct frame wanted;

	world_any();
	assume(pfn < FRAMES && words[pfn].state == FRAME_PRIVATE && words[pfn].shared);
	frame_unshare(pfn);
	REACH(1, "not shared any more");
	wanted = old.words[pfn];
	wanted.shared = 0;
	wanted.peer = 0;
	wanted.peer_write = 0;
	claim(bits(words[pfn]) == bits(wanted), "no peer, and nothing else");
	only(pfn, 1);
	world_check();
}

/* ---- misuse ---- */

/* The monitor stops: nothing behind these calls is reached. */
void proof_misuse_stops(void)
{
	u64 pfn = nondet_u64();
	u32 verb = nondet_u32() % 5;
	bool valid = true;

	world_any();
	bug_expected = true;
	switch (verb) {
	case 0:
		assume(!may_go(pfn));
		REACH(pfn < FRAMES && words[pfn].state == FRAME_PRIVATE, "what is shared");
		frame_put(pfn);
		break;
	case 1:
		assume(!may_go(pfn));
		REACH(pfn < FRAMES && words[pfn].state == FRAME_FREE, "what is free");
		frame_retire(pfn);
		break;
	case 2:
		assume(pfn >= FRAMES || words[pfn].state != FRAME_HOST || !words[pfn].gfn);
		frame_unpin(pfn);
		break;
	case 3:
		assume(pfn >= FRAMES || !words[pfn].shared);
		frame_unshare(pfn);
		break;
	default:
		npt_lock.held = 0;
		REACH(1, "without the lock");
		frame_get(FRAME_TABLE);
	}
	valid = false;
	claim(valid, "misuse stops the monitor");
}

/* ---- the gate ---- */

void proof_host_owns(void)
{
	u64 pa = nondet_u64(), len = nondet_u64(), byte = nondet_u64(), hole = nondet_u64();
	bool yes;

	world_any();
	yes = host_owns(pa, len);
	REACH(yes && len > PAGE_SIZE, "yes, to more than a page");
	REACH(!yes && len && pa >> PAGE_SHIFT < FRAMES, "no, to something in the table");
	REACH(!yes && pa + len < pa, "no, to what wraps around");
	REACH(!yes && !len, "no, to nothing");
	unchanged();
	if (yes) {
		assume(byte >= pa && byte - pa < len);
		claim(byte >> PAGE_SHIFT < FRAMES &&
		      words[(byte >> PAGE_SHIFT) % FRAMES].state == FRAME_HOST,
		      "every byte is in a frame of the host's");
		return;
	}
	/* And it says no only if there is something to say no to. */
	assume(len && pa + len - 1 >= pa && (pa + len - 1) >> PAGE_SHIFT < FRAMES);
	for (hole = pa >> PAGE_SHIFT; hole < (pa + len - 1) >> PAGE_SHIFT; hole++)
		if (words[hole % FRAMES].state != FRAME_HOST)
			break;
	claim(words[hole % FRAMES].state != FRAME_HOST, "some frame is not");
}

void proof_host_ptr(void)
{
	u64 pa = nondet_u64(), len = nondet_u64();
	u8 *ptr;

	world_any();
	ptr = host_ptr(pa, len);
	REACH(ptr, "a pointer");
	REACH(!ptr, "none");
	claim(!!ptr == host_owns(pa, len), "the gate decides");
	claim(!ptr || ptr == (u8 *)ram[pa >> PAGE_SHIFT] + (pa & (PAGE_SIZE - 1)), "to them");
	unchanged();
}
