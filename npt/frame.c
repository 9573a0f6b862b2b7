// SPDX-License-Identifier: GPL-2.0-only
/*
 * The page ownership table and the pool.
 *
 * Words are read without the lock by the gate, so each is loaded and stored
 * whole. Frames of the pool and of a retired batch are linked through the
 * table, never through their own memory: a CPU may still walk a retired table.
 */
#include "internal.h"

struct spinlock npt_lock;

static struct frame *table;
static u64 table_len;
static u64 state_count[FRAME_STATES];
static u64 type_count[FRAME_TYPES];
static u64 pool; /* first frame, 0 if empty */

/*
 * Retired frames. Everything retired goes into @filling, whose epoch is that
 * of its latest frame; @waiting keeps its epoch until it is empty, so that a
 * steady stream of new frames cannot put off the old ones for ever.
 */
struct batch {
	u64 head;
	u64 epoch;
};

static struct batch waiting, filling;

static struct frame frame_load(u64 pfn)
{
	struct frame f;

	__atomic_load(&table[pfn], &f, __ATOMIC_ACQUIRE);
	return f;
}

/* The one place that changes a word after initialization. */
static void frame_store(u64 pfn, struct frame new)
{
	struct frame old = frame_load(pfn);

	state_count[old.state]--;
	type_count[old.type]--;
	state_count[new.state]++;
	type_count[new.type]++;
	__atomic_store(&table[pfn], &new, __ATOMIC_RELEASE);
}

static void wipe(u64 pfn)
{
	memset(frame_ptr(pfn), 0, PAGE_SIZE);
}

/* Marks whole pages of one RAM range; a page that is RAM in part stays a hole. */
static void ram_add(const struct ram_range *ram)
{
	struct frame host = { .state = FRAME_HOST, .owner = DOM_HOST };
	u64 end = min_u64(ram->end >> PAGE_SHIFT, table_len);
	u64 pfn = (ram->start >> PAGE_SHIFT) + !IS_ALIGNED(ram->start, PAGE_SIZE);

	for (; pfn < end; pfn++)
		frame_store(pfn, host);
}

void frame_table_init(struct frame *frames, u64 nr_frames, const struct ram_range *ram, u32 nr_ram,
		      u32 nr_cpus)
{
	struct frame hole = { .state = FRAME_HOLE, .owner = DOM_HOST };
	u64 pfn;
	u32 i;

	MONITOR_BUG_ON(nr_frames > BIT(GFN_BITS));
	table = frames;
	table_len = nr_frames;
	pool = 0;
	epoch_init(nr_cpus);
	waiting = filling = (struct batch){ 0 };
	memset(state_count, 0, sizeof(state_count));
	memset(type_count, 0, sizeof(type_count));
	state_count[FRAME_HOLE] = nr_frames;
	type_count[FRAME_NONE] = nr_frames;
	for (pfn = 0; pfn < nr_frames; pfn++)
		__atomic_store(&table[pfn], &hole, __ATOMIC_RELAXED);
	for (i = 0; i < nr_ram; i++)
		ram_add(&ram[i]);
}

u64 frame_count(void)
{
	return table_len;
}

struct frame frame_get_info(u64 pfn)
{
	if (pfn >= table_len)
		return (struct frame){ .state = FRAME_HOLE, .owner = DOM_HOST };
	return frame_load(pfn);
}

u64 frame_state_count(enum frame_state state)
{
	return (u32)state < FRAME_STATES ? READ_ONCE(state_count[state]) : 0;
}

u64 frame_type_count(enum frame_type type)
{
	if (type == FRAME_NONE || (u32)type >= FRAME_TYPES)
		return 0;
	return READ_ONCE(type_count[type]);
}

/* ---- the gate ---- */

bool host_owns(u64 pa, u64 len)
{
	u64 pfn = pa >> PAGE_SHIFT, last, nr;

	if (!len || pa + len - 1 < pa)
		return false;
	last = (pa + len - 1) >> PAGE_SHIFT;
	if (last >= table_len || last - pfn >= HOST_OWNS_MAX)
		return false;
	for (nr = last - pfn + 1; nr; nr--, pfn++) {
		if (frame_load(pfn).state != FRAME_HOST)
			return false;
	}
	return true;
}

void *host_ptr(u64 pa, u64 len)
{
	if (!host_owns(pa, len))
		return NULL;
	return (u8 *)frame_ptr(pa >> PAGE_SHIFT) + (pa & (PAGE_SIZE - 1));
}

/* ---- the pool ---- */

/*
 * A frame keeps 36 bits of its epoch. The missing ones are taken from now, so
 * a frame left alone for 2^36 epochs waits for a later epoch than its own,
 * never for an earlier one.
 */
static bool transit_passed(struct frame f)
{
	u64 now = epoch_latest();
	u64 wanted = ALIGN_DOWN(now, BIT(GFN_BITS)) | f.gfn;

	if (wanted > now)
		wanted -= BIT(GFN_BITS);
	return epoch_passed(wanted);
}

/* before: anything of the monitor's that nobody reaches   after: FREE, wiped */
static void pool_push(u64 pfn)
{
	ghost_reused(pfn);
	wipe(pfn);
	frame_store(pfn, (struct frame){ .state = FRAME_FREE, .owner = DOM_MONITOR, .gfn = pool });
	pool = pfn;
}

static u64 pool_pop(struct frame new)
{
	u64 pfn = pool;
	struct frame f;

	npt_assert_locked();
	if (!pfn)
		return INVALID_PFN;
	f = frame_load(pfn);
	MONITOR_BUG_ON(f.state != FRAME_FREE);
	pool = f.gfn;
	frame_store(pfn, new);
	return pfn;
}

u64 frame_get(enum frame_type type)
{
	MONITOR_BUG_ON(type == FRAME_NONE || (u32)type >= FRAME_TYPES);
	return pool_pop((struct frame){ .state = FRAME_USED, .type = type, .owner = DOM_MONITOR });
}

u64 frame_get_private(u32 dom, u64 gfn)
{
	if (dom < DOM_FIRST_VM || dom >= DOM_LIMIT || gfn >= BIT(GFN_BITS))
		return INVALID_PFN;
	return pool_pop((struct frame){
		.state = FRAME_PRIVATE, .type = FRAME_GUEST, .owner = dom, .gfn = gfn });
}

u64 frame_free_first(void)
{
	npt_assert_locked();
	return pool ? pool : INVALID_PFN;
}

int frame_free_return(u64 *pfn)
{
	u64 got = pool_pop((struct frame){ .state = FRAME_HOST, .owner = DOM_HOST });

	if (got == INVALID_PFN)
		return NPT_EPOOL;
	*pfn = got;
	return NPT_OK;
}

/* Taking what is not in use, or twice, would hand one frame to two owners. */
static void assert_in_use(u64 pfn)
{
	struct frame f = frame_get_info(pfn);

	npt_assert_locked();
	MONITOR_BUG_ON(!pfn);
	MONITOR_BUG_ON(f.state != FRAME_USED && f.state != FRAME_PRIVATE);
	MONITOR_BUG_ON(f.shared);
}

void frame_put(u64 pfn)
{
	assert_in_use(pfn);
	pool_push(pfn);
}

void frame_retire(u64 pfn)
{
	struct frame retired = { .state = FRAME_TRANSIT, .owner = DOM_MONITOR, .retired = 1 };

	assert_in_use(pfn);
	retired.gfn = filling.head;
	frame_store(pfn, retired);
	filling.head = pfn;
	filling.epoch = epoch_now();
}

/* Is there a batch that every CPU has passed? */
static bool batch_ready(void)
{
	if (!waiting.head) {
		waiting = filling;
		filling.head = 0;
	}
	return waiting.head && epoch_passed(waiting.epoch);
}

void epoch_reap(u32 budget)
{
	u64 pfn;

	npt_assert_locked();
	while (budget && batch_ready()) {
		for (; budget && waiting.head; budget--) {
			pfn = waiting.head;
			waiting.head = frame_load(pfn).gfn;
			pool_push(pfn);
		}
	}
}

bool frames_retired(void)
{
	npt_assert_locked();
	return waiting.head || filling.head;
}

/* ---- verbs on ranges ---- */

/* Frame 0 ends the links of the pool, so it is never part of it. */
static bool range_valid(u64 pfn, u64 nr)
{
	return pfn && nr && pfn < table_len && nr <= table_len - pfn;
}

int frame_host_check(u64 pfn, u64 nr)
{
	struct frame f;
	u64 i;

	if (!range_valid(pfn, nr))
		return NPT_ERANGE;
	for (i = 0; i < nr; i++) {
		f = frame_load(pfn + i);
		if (f.owner != DOM_HOST)
			return NPT_EOWNER;
		if (f.state != FRAME_HOST)
			return NPT_ESTATE;
		if (f.gfn)
			return NPT_EBUSY;
	}
	return NPT_OK;
}

static void range_store(u64 pfn, u64 nr, struct frame new)
{
	u64 i;

	for (i = 0; i < nr; i++)
		frame_store(pfn + i, new);
}

int frame_claim_boot(u64 pfn, u64 nr, enum frame_type type)
{
	int err = frame_host_check(pfn, nr);

	if (err)
		return err;
	if (type == FRAME_NONE || (u32)type >= FRAME_TYPES)
		return NPT_EINVAL;
	range_store(pfn, nr,
		    (struct frame){ .state = FRAME_USED, .type = type, .owner = DOM_MONITOR });
	return NPT_OK;
}

int frame_host_donate(u64 pfn, u64 nr, u64 *wait)
{
	struct frame transit = { .state = FRAME_TRANSIT, .owner = DOM_MONITOR };
	int err = frame_host_check(pfn, nr);

	npt_assert_locked();
	if (err)
		return err;
	/* The gate says no first; only then the epoch opens that makes it hold. */
	range_store(pfn, nr, transit);
	*wait = epoch_now();
	transit.gfn = *wait & (BIT(GFN_BITS) - 1);
	range_store(pfn, nr, transit);
	return NPT_OK;
}

int frame_transit_settle(u64 pfn, u64 nr)
{
	struct frame f;
	u64 i;

	npt_assert_locked();
	if (!range_valid(pfn, nr))
		return NPT_ERANGE;
	for (i = 0; i < nr; i++) {
		f = frame_load(pfn + i);
		if (f.state != FRAME_TRANSIT || f.retired)
			return NPT_ESTATE;
		if (!transit_passed(f))
			return NPT_EBUSY;
	}
	for (i = 0; i < nr; i++)
		pool_push(pfn + i);
	return NPT_OK;
}

int frame_pin(u64 pfn)
{
	struct frame f = frame_get_info(pfn);

	npt_assert_locked();
	if (pfn >= table_len)
		return NPT_ERANGE;
	if (f.state != FRAME_HOST)
		return NPT_EOWNER;
	if (f.gfn == BIT(GFN_BITS) - 1)
		return NPT_EBUSY;
	f.gfn++;
	frame_store(pfn, f);
	return NPT_OK;
}

void frame_unpin(u64 pfn)
{
	struct frame f = frame_get_info(pfn);

	npt_assert_locked();
	MONITOR_BUG_ON(f.state != FRAME_HOST || !f.gfn);
	f.gfn--;
	frame_store(pfn, f);
}

/* ---- sharing of one private frame ---- */

int frame_share(u64 pfn, u32 peer, bool write)
{
	struct frame f = frame_get_info(pfn);

	npt_assert_locked();
	if (f.state != FRAME_PRIVATE)
		return NPT_ESTATE;
	if (peer >= DOM_PEER_LIMIT || peer == DOM_MONITOR || peer == f.owner)
		return NPT_EDOMAIN;
	if (f.shared)
		return NPT_EBUSY;
	f.shared = 1;
	f.peer = peer;
	f.peer_write = write;
	frame_store(pfn, f);
	return NPT_OK;
}

void frame_unshare(u64 pfn)
{
	struct frame f = frame_get_info(pfn);

	npt_assert_locked();
	MONITOR_BUG_ON(f.state != FRAME_PRIVATE || !f.shared);
	f.shared = 0;
	f.peer = 0;
	f.peer_write = 0;
	frame_store(pfn, f);
}

static bool may_hold_secrets(struct frame f)
{
	return f.state == FRAME_PRIVATE || f.state == FRAME_TRANSIT ||
	       (f.state == FRAME_USED && (f.type == FRAME_STATE || f.type == FRAME_VMX));
}

void frames_wipe(void)
{
	u64 pfn;

	for (pfn = 0; pfn < table_len; pfn++)
		if (may_hold_secrets(frame_load(pfn)))
			wipe(pfn);
}
