// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c core/sha256.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/* libs: -lpthread */
/*
 * A guest works on its disk, against an array, while the host changes, swaps and replays
 * blocks, on the image and in the arena, at once as well: of each block the guest gets what it has
 * written there last, or an error.
 */
#include <pthread.h>

#include "blk_sim.h"

#define TIMES 500
#define HISTORY 6
#define ALTERNATIVES 6

/* ---- what the guest may find ---- */

/* Of each sector: 0 is zeros. More than one: a write has failed, that may be done or not. */
struct sector {
	u32 nr;
	u32 may[ALTERNATIVES];
};

static struct sector model[DISK_BLOCKS * SECTORS];
static bool busy[DISK_BLOCKS];
static u32 next_number;

static void sector_fill(u8 *to, u32 number)
{
	u64 x = number;
	u32 i;

	for (i = 0; i < DISK_SECTOR; i += 8, x *= 0x5851f42d4c957f2dULL)
		memcpy(to + i, &x, 8);
}

static bool sector_is(const u8 *at, u32 number)
{
	u8 want[DISK_SECTOR];

	sector_fill(want, number);
	return !memcmp(at, want, sizeof(want));
}

static bool sector_good(const u8 *at, struct sector *s)
{
	u32 i;

	for (i = 0; i < s->nr; i++) {
		if (sector_is(at, s->may[i])) {
			*s = (struct sector){ 1, { s->may[i] } };
			return true;
		}
	}
	return false;
}

/* ---- the guest's requests; those under way are of different blocks ---- */

struct work {
	u32 type;
	u32 sector;
	u32 sectors;
	u32 number; /* of the first sector that is written */
};

static struct work work[GUEST_REQS];
static u64 done, failed, wrong;
static bool overlap; /* they are of any blocks: then it is not known what is where */

static bool blocks_free(const struct work *w, bool take)
{
	u32 b, first = w->sector / SECTORS, last = (w->sector + w->sectors - 1) / SECTORS;

	for (b = first; b <= last; b++)
		if (busy[b])
			return false;
	for (b = first; take && b <= last; b++)
		busy[b] = true;
	return true;
}

/* What a discard or a zeroing has instead of data (virtio 1.2, 5.2.6) */
struct range {
	u64 sector;
	u32 sectors;
	u32 flags;
};

static void give_work(u32 i, u32 type)
{
	struct work *w = &work[i];
	struct range range;
	u32 k;

	*w = (struct work){ .type = type };
	if (type != T_FLUSH) {
		w->sector = below(DISK_BLOCKS / 4 * SECTORS);
		w->sectors = 1 + below(below(3) ? 24 : 80);
		if (!blocks_free(w, true) && !overlap)
			return;
	}
	w->number = next_number + 1;
	for (k = 0; type == T_OUT && k < w->sectors; k++)
		sector_fill(buffer_of(i) + k * DISK_SECTOR, ++next_number);
	if (type == T_IN)
		memset(buffer_of(i), UNTOUCHED, BUFFER_SIZE);
	if (type >= T_DISCARD) {
		range = (struct range){ w->sector, w->sectors, 0 };
		memcpy(buffer_of(i), &range, sizeof(range));
		guest_give(i, type, 0, sizeof(range), 1);
	} else {
		guest_give(i, type, w->sector, w->sectors * DISK_SECTOR, 1 + below(6));
	}
}

static bool untouched_or_good(const u8 *at, struct sector *s)
{
	u32 i;

	for (i = 0; i < DISK_SECTOR && at[i] == UNTOUCHED; i++)
		;
	return i == DISK_SECTOR || sector_good(at, s);
}

static void take_work(u32 i)
{
	struct work *w = &work[i];
	bool good = *status_of(i) == S_OK;
	u32 k;

	guest[i].state = 0;
	done++;
	failed += !good;
	for (k = 0; k < w->sectors && !overlap; k++) {
		struct sector *s = &model[w->sector + k];
		const u8 *at = buffer_of(i) + k * DISK_SECTOR;

		busy[(w->sector + k) / SECTORS] = false;
		if (w->type == T_IN)
			wrong += good ? !sector_good(at, s) : !untouched_or_good(at, s);
		else if (good)
			*s = (struct sector){ 1, { w->number + k } };
		else if (s->nr < ALTERNATIVES)
			s->may[s->nr++] = w->number + k;
	}
}

static void take_all(void)
{
	u32 i;

	guest_take();
	for (i = 0; i < GUEST_REQS; i++)
		if (guest[i].state == 2)
			take_work(i);
}

static void new_disk(void)
{
	u32 i;

	sim_start();
	memset(busy, 0, sizeof(busy));
	for (i = 0; i < ARRAY_SIZE(model); i++)
		model[i] = (struct sector){ 1, { 0 } };
}

/* One request, alone; its status */
static u32 one(u32 type)
{
	u32 status;

	do
		give_work(0, type);
	while (!guest[0].state);
	check(settle());
	take_all();
	status = *status_of(0);
	check(!guest[0].state);
	return status;
}

/* No sector has more alternatives than the model has room for: what may be wrong is read. */
static bool crowded(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(model); i++)
		if (model[i].nr == ALTERNATIVES)
			return true;
	return false;
}

/* Requests of all kinds; the host does one thing of its own in between. */
static void random_work(u32 requests)
{
	static const u32 types[] = { T_IN, T_IN, T_IN, T_OUT, T_OUT, T_OUT, T_FLUSH,
				     T_DISCARD, T_ZERO };
	u32 i, k, nr = overlap ? ARRAY_SIZE(types) : ARRAY_SIZE(types) - 2;

	for (k = 0; k < requests && blk_state(blk) == DISK_RUNNING && !crowded();) {
		i = below(GUEST_REQS);
		if (!guest[i].state) {
			give_work(i, types[below(nr)]);
			k += guest[i].state;
		}
		blk_run();
		if (below(3))
			host_work();
		take_all();
	}
	check(settle());
	take_all();
	for (i = 0; i < GUEST_REQS; i++)
		check(!guest[i].state);
}

/* ---- what the host does to blocks ---- */

enum lie { FLIP, SWAP, REPLAY, ZEROS, NR_LIES };

static const char *const lie_name[] = { "a bit flipped", "another block", "an older one", "zeros" };

static u8 history[IMAGE_BLOCKS][HISTORY][BLOCK];
static u32 written[IMAGE_BLOCKS];
static u32 nr_seen;

/* Which block that is read is a lie: @lie_at; or each one, with a chance of @chance in 1,000 */
static enum lie lie;
static u32 lie_at = ~0u, chance;
static u32 told;

static void remember(u64 block, const u8 *at)
{
	memcpy(history[block][written[block]++ % HISTORY], at, BLOCK);
}

/* Something else, if there is: NULL */
static const u8 *another(u64 block, const u8 *honest)
{
	u32 i, n;

	for (i = 0; i < 2000; i++) {
		u64 from = lie == SWAP ? below(IMAGE_BLOCKS) : block;

		n = (u32)min_u64(written[from], HISTORY);
		if (!n || (lie == SWAP && from == block))
			continue;
		n = below(n);
		if (memcmp(history[from][n], honest, BLOCK))
			return history[from][n];
	}
	return NULL;
}

static bool tell(u64 block, u8 *at)
{
	const u8 *other;
	u8 honest[BLOCK];
	u32 bit = below(8 * BLOCK);

	memcpy(honest, at, BLOCK);
	if (lie == FLIP) {
		at[bit / 8] ^= 1 << bit % 8;
	} else if (lie == ZEROS) {
		memset(at, 0, BLOCK);
	} else {
		other = another(block, honest);
		if (other)
			memcpy(at, other, BLOCK);
	}
	return memcmp(honest, at, BLOCK);
}

static void tamper(u64 block, u8 *at, bool read)
{
	if (!read) {
		remember(block, image[block]);
		return;
	}
	if (chance)
		lie = below(NR_LIES);
	if (nr_seen++ == lie_at || (chance && below(1000) < chance))
		told += tell(block, at);
}

static void forget(void)
{
	memset(written, 0, sizeof(written));
	host_tamper = tamper;
}

/* ---- one lie in one read, by a cold cache ---- */

static bool one_read(u32 *unnoticed, u32 *delivered)
{
	u64 was_wrong = wrong;
	u32 status, reads;
	struct work w;

	blk_new();
	guest_start(blk_features());
	nr_seen = told = 0;
	check(one(T_IN) == S_OK && wrong == was_wrong);
	reads = nr_seen;
	w = work[0];
	if (!reads)
		return false;
	blk_new();
	guest_start(blk_features());
	nr_seen = 0;
	lie_at = below(reads);
	check(blocks_free(&w, true));
	memset(buffer_of(0), UNTOUCHED, BUFFER_SIZE);
	guest_give(0, T_IN, w.sector, w.sectors * DISK_SECTOR, 2);
	check(settle());
	lie_at = ~0u;
	take_all();
	status = *status_of(0);
	*unnoticed += told && status == S_OK;
	*delivered += wrong != was_wrong;
	/* What was a lie once is read again, and good. */
	check(blk_state(blk) == DISK_RUNNING && blocks_free(&w, true));
	guest_give(0, T_IN, w.sector, w.sectors * DISK_SECTOR, 1);
	check(settle());
	take_all();
	check(*status_of(0) == S_OK && wrong == was_wrong);
	return told;
}

static void test_one_lie(void)
{
	u32 n, unnoticed, delivered;

	new_disk();
	forget();
	random_work(600);
	check(!failed && !wrong && one(T_FLUSH) == S_OK);
	for (lie = 0; lie < NR_LIES; lie++) {
		unnoticed = delivered = 0;
		for (n = 0; n < TIMES;)
			n += one_read(&unnoticed, &delivered);
		ok(!unnoticed && !delivered,
		   "%s: %u times in a read, %u unnoticed, %u delivered", lie_name[lie], TIMES,
		   unnoticed, delivered);
	}
}

/* ---- random work ---- */

static void test_honest(void)
{
	u32 i;

	done = failed = wrong = 0;
	for (i = 0; i < 4; i++) {
		new_disk();
		random_work(1500);
		check(one(T_FLUSH) == S_OK);
		blk_new();
		guest_start(blk_features());
		random_work(500);
	}
	ok(!failed && !wrong && done > 8000, "an honest host: %llu requests, all good",
	   (unsigned long long)done);
}

/* Nothing is taken for a lie that is none. */
static void test_overlap(void)
{
	done = failed = 0;
	new_disk();
	overlap = true;
	random_work(4000);
	overlap = false;
	ok(!failed && done == 4000, "requests of the same blocks at once: none of 4,000 fails");
}

/*
 * Once it is open: which of two whole commits was the last one, when it is opened, is
 * core_disk_host's.
 */
static void test_lying(void)
{
	u32 stopped = 0, i;

	done = failed = wrong = told = 0;
	for (i = 0; i < 60; i++) {
		new_disk();
		forget();
		random_work(100);
		check(one(T_FLUSH) == S_OK);
		blk_new();
		guest_start(blk_features());
		chance = 10;
		random_work(300);
		chance = 0;
		stopped += blk_state(blk) == DISK_STOPPED;
	}
	ok(!wrong && told > 100 && failed,
	   "a host that lies now and then, %u times: of %llu requests %llu fail, %u disks stop, "
	   "nothing wrong is delivered", told, (unsigned long long)done,
	   (unsigned long long)failed, stopped);
}

/* ---- another CPU ---- */

static volatile int stop;
static volatile u64 flips;

static void *scribble(void *arg)
{
	u32 seed = 1, page;

	while (!stop) {
		seed = seed * 1664525 + 1013904223;
		page = FIRST_PAGE + 2 + (seed >> 8) % (BLK_PAGES - 2);
		((volatile u8 *)arena_memory[page])[seed % PAGE_SIZE] ^= 1 << (seed >> 29);
		flips = flips + 1;
	}
	return NULL;
}

static void test_scribble(void)
{
	u32 stopped = 0, i;
	pthread_t thread;

	done = failed = wrong = 0;
	host_tamper = NULL;
	for (i = 0; i < 25; i++) {
		new_disk();
		random_work(100);
		check(one(T_FLUSH) == S_OK);
		stop = 0;
		check(!pthread_create(&thread, NULL, scribble, NULL));
		random_work(200);
		stop = 1;
		pthread_join(thread, NULL);
		stopped += blk_state(blk) == DISK_STOPPED;
	}
	ok(!wrong && failed && flips,
	   "another CPU writes to the arena: of %llu requests %llu fail, %u disks stop, "
	   "nothing wrong is delivered", (unsigned long long)done,
	   (unsigned long long)failed, stopped);
}

int main(void)
{
	sim_memory();
	test_honest();
	test_overlap();
	test_one_lie();
	test_lying();
	test_scribble();
	return unit_end();
}
