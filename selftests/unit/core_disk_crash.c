// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c core/sha256.c */
/* includes: core/disk/commit.c core/disk/open.c */
/* libs: -lcrypto */
/*
 * Crashes of a sealed disk's host. After each block that the host writes, its power is cut: of what
 * was not flushed, each block is on the medium or not, as of any of its writes. Or it is
 * torn. Or only the monitor ended. What was flushed has to be there, or what came after it;
 * where the recovery writes, it is cut, too. And bugs that are put in have to be found so.
 */
#include "disk_cut.h"
#include "disk_model.h"

static enum plant {
	PLANT_NONE,
	PLANT_NO_FIRST_FLUSH,
	PLANT_NO_LAST_FLUSH,
	PLANT_NO_FLUSH_BEFORE,
	PLANT_NO_OPENING_FLUSH,
	PLANT_NO_OPENING_WRITE,
	PLANT_NO_RECORDS,
	PLANT_NOT_WHOLE,
	NR_PLANTS,
} planted;

static bool flush_planted(const struct disk *d)
{
	switch (planted) {
	case PLANT_NO_FIRST_FLUSH:
		return d->commit.kind == COMMIT_WRITE && d->commit.phase == PHASE_FLUSH;
	case PLANT_NO_LAST_FLUSH:
		return d->commit.phase == PHASE_AFTER;
	case PLANT_NO_FLUSH_BEFORE:
		return d->commit.phase == PHASE_BEFORE;
	case PLANT_NO_OPENING_FLUSH:
		return d->commit.phase == PHASE_NONE;
	default:
		return false;
	}
}

/* A flush that is left out still comes after the writes before it. */
static enum got planted_flush(struct disk *d)
{
	if (!flush_planted(d))
		return io_flush(d);
	return io_writing(d) ? WAIT : GOT;
}

static enum got planted_touch(struct disk *d)
{
	return planted == PLANT_NO_OPENING_WRITE ? GOT : io_touch(d);
}

static void planted_add(struct disk *d, u64 block, const struct mon_disk_seal *before)
{
	if (planted != PLANT_NO_RECORDS)
		super_add(d, block, before);
}

static enum got planted_leaf(struct disk *d, u64 block, struct mon_disk_seal **seal)
{
	return planted == PLANT_NOT_WHOLE ? GOT : tree_leaf(d, block, seal);
}

#define io_flush(d) planted_flush(d)
#define io_touch(d) planted_touch(d)
#define super_add(d, block, before) planted_add(d, block, before)
#include "core/disk/commit.c"
#define tree_leaf(d, block, seal) planted_leaf(d, block, seal)
#include "core/disk/open.c"

/* ---- cuts ---- */

#define DEEP 2 /* crashes of recoveries */

static u64 nr_cuts[NR_CUTS], nr_nested[DEEP + 1], nr_points, nr_lost, nr_wrong;
static u32 nesting, max_records;

/* Blocks of the guest whose data was being written. */
static void mark_lost(const struct model *m, const struct host *h, bool *lost)
{
	u32 i, k, left;

	for (i = 0; i < m->nr; i++)
		for (k = 0; k < h->nr_pending; k++)
			lost[i] |= h->pending[k].block == place_data(model_at(m, i, &left));
}

static void crash(struct model *m, const struct host *h, enum cut cut, const bool *lost, u32 depth);

/* A request of the host's; after each block that it writes, @depth more crashes deep. */
static void host_with_cuts(struct model *m, struct rig *r, const bool *lost, u32 depth)
{
	struct disk_io io = rig_take(r, below(r->nr_io));
	u32 i;

	for (i = 0; i < io.count; i++) {
		rig_block(r, &io, i);
		if (io.op == DISK_HOST_WRITE && depth) {
			nr_points++;
			crash(m, r->host, CUT_ANY, lost, depth - 1);
			crash(m, r->host, 1 + below(NR_CUTS - 1), lost, depth - 1);
		}
	}
	if (io.op == DISK_HOST_FLUSH)
		host_flush(r->host);
	rig_done(r, &io);
}

static struct rig *opened(struct model *m, struct host *h, const bool *lost, u32 depth)
{
	struct rig *r = rig_new(h, 16, 8);

	disk_open(r->d, disk_key, 0, m->write_back);
	for (rig_step(r); r->nr_io; rig_step(r))
		host_with_cuts(m, r, lost, depth);
	return r;
}

static void crash(struct model *m, const struct host *h, enum cut cut, const bool *lost, u32 depth)
{
	struct host *after = host_after(h, cut);
	bool may_lose[MODEL_BLOCKS] = {false};
	struct rig *r;

	nr_cuts[cut] += !nesting;
	nr_nested[nesting++]++;
	if (lost)
		memcpy(may_lose, lost, sizeof(may_lose));
	if (cut == CUT_TORN)
		mark_lost(m, h, may_lose);
	r = opened(m, after, may_lose, depth);
	if (max_records < r->d->opening.i)
		max_records = r->d->opening.i;
	nr_lost += r->d->stats.lost;
	if (disk_state(r->d) != DISK_RUNNING)
		nr_wrong++;
	else
		nr_wrong += model_check(m, r, may_lose, false);
	rig_free(r);
	host_free(after);
	nesting--;
}

/* This one is for good. */
static struct rig *crash_on(struct model *m, struct rig *r, u32 entries, u32 cache)
{
	struct host *h = r->host, *after = host_after(h, CUT_ANY);
	u32 i;

	rig_free(r);
	host_free(h);
	r = opened(m, after, NULL, 0);
	nr_wrong += model_check(m, r, NULL, true);
	rig_free(r);
	for (i = 0; i < MODEL_OPS; i++)
		m->op[i].under_way = false;
	r = rig_new(after, entries, cache);
	nr_wrong += !rig_open(r, m->write_back);
	return r;
}

/* ---- workloads ---- */

static const struct model_range few[] = {{0, 3}, {125, 5}, {395, 5}, {0}};
static const struct model_range many[] = {{10, 160}, {0}};
static const struct model_range wide[] = {
	{0, 2}, {125, 4}, {32250, 8}, {254ULL * 32256 - 3, 6}, {0}};

/* Each of @requests is cut after each block; every @deep-th crash is cut again, twice. */
static void work(const struct model_range *range, u64 blocks, bool write_back, u32 entries,
		 u32 max_blocks, u32 requests, u32 deep)
{
	struct model *m = model_new(range, write_back, max_blocks);
	struct host *h = host_new(NULL);
	struct rig *r;

	sim_format(h, blocks);
	r = rig_new(h, entries, 8);
	check(rig_open(r, write_back));
	while (requests && !(planted && nr_wrong)) {
		if (!below(3) && model_submit(m, r, pick_op()) && !(--requests % 50))
			r = crash_on(m, r, entries, 8);
		rig_step(r);
		if (disk_state(r->d) != DISK_RUNNING && ++nr_wrong)
			break;
		model_reap(m, r);
		if (r->nr_io)
			host_with_cuts(m, r, NULL, below(deep) ? 1 : 1 + DEEP);
	}
	h = r->host;
	rig_free(r);
	host_free(h);
	model_free(m);
}

static void test_crashes(const char *name, const struct model_range *range, u64 blocks,
			 bool write_back, u32 entries, u32 max_blocks, u32 requests, u32 deep)
{
	memset(nr_cuts, 0, sizeof(nr_cuts));
	memset(nr_nested, 0, sizeof(nr_nested));
	nr_lost = nr_wrong = max_records = 0;
	work(range, blocks, write_back, entries, max_blocks, requests, deep);
	ok(!nr_wrong && !nr_repeats,
	   "%s: %llu crashes: %llu any, %llu none, %llu all, %llu of the monitor, %llu torn; and "
	   "%llu of recoveries, %llu of these; up to %u records; %llu blocks "
	   "lost, %llu wrong",
	   name, nr_nested[0], nr_cuts[CUT_ANY], nr_cuts[CUT_NONE], nr_cuts[CUT_ALL],
	   nr_cuts[CUT_MONITOR], nr_cuts[CUT_TORN], nr_nested[1], nr_nested[2], max_records,
	   nr_lost, nr_wrong);
}

static void test_plants(void)
{
	static const char *const name[] = {
		[PLANT_NO_FIRST_FLUSH] = "no flush before data",
		[PLANT_NO_LAST_FLUSH] = "no flush behind data",
		[PLANT_NO_FLUSH_BEFORE] = "no flush before a superblock without records",
		[PLANT_NO_OPENING_FLUSH] = "no flush at opening",
		[PLANT_NO_OPENING_WRITE] = "a flush at opening that QEMU does not pass on",
		[PLANT_NO_RECORDS] = "no records",
		[PLANT_NOT_WHOLE] = "a superblock that is not whole",
	};

	for (planted = PLANT_NONE + 1; planted < NR_PLANTS; planted++) {
		nr_wrong = 0;
		work(few, 400, true, 12, 5, 2000, 10);
		ok(nr_wrong, "found: %s", name[planted]);
	}
	planted = PLANT_NONE;
}

int main(void)
{
	test_crashes("few blocks", few, 400, true, 12, 5, 4500, 50);
	test_crashes("little memory", few, 400, true, 3, 5, 600, 100);
	test_crashes("write-through", few, 400, false, 12, 5, 600, 100);
	test_crashes("journal", many, 400, true, 160, 140, 150, 500);
	test_crashes("large disk", wide, 255ULL * 32256, true, 12, 8, 600, 200);
	ok(nr_points > 10000, "%llu writes behind which the power was cut, each twice", nr_points);
	test_plants();
	return unit_end();
}
