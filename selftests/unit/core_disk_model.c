// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c core/sha256.c */
/* libs: -lcrypto */
/*
 * A sealed disk against an array: random requests, which the host completes in any order, with
 * small caches and small budgets, over closing and opening.
 */
#include "disk_model.h"

/* Ends of leaves, of chunks, and of a root; some far away from each other. */
static const struct model_range small[] = {{0, 3}, {120, 20}, {250, 8}, {395, 5}, {0}};
static const struct model_range leaves[] = {{100, 300}, {0}};
static const struct model_range large[] = {{0, 2},
					   {125, 4},
					   {32000, 40},
					   {32250, 12},
					   {64510, 4},
					   {254ULL * 32256 - 3, 6},
					   {255ULL * 32256 - 2, 4},
					   {0}};

static struct rig *reopen(struct model *m, struct rig *r, u32 entries, u32 cache)
{
	struct host *h = r->host;
	u32 i;

	disk_close(r->d);
	rig_run(r);
	check(disk_state(r->d) == DISK_CLOSED && (disk_super(r->d)->flags & MON_DISK_CLEAN));
	for (i = 0; i < m->nr; i++)
		m->b[i].floor = m->b[i].nr - 1;
	rig_free(r);
	r = rig_new(h, entries, cache);
	check(rig_open(r, m->write_back));
	return r;
}

static void run(const char *name, const struct model_range *range, u64 blocks, bool write_back,
		u32 entries, u32 cache, s64 budget)
{
	struct model *m = model_new(range, write_back, range == leaves ? 250 : 40);
	struct host *h = host_new(NULL);
	u64 steps = 0, commits = 0;
	struct rig *r;
	u32 i;

	sim_format(h, blocks);
	r = rig_new(h, entries, cache);
	check(rig_open(r, write_back));
	for (i = 0; i < 6; i++) {
		r->budget = budget;
		model_work(m, r, 700, true);
		check(disk_state(r->d) == DISK_RUNNING && !r->d->stats.bad && !r->d->stats.lost);
		steps += r->steps;
		commits += r->d->stats.commits;
		r = reopen(m, r, entries, cache);
		check(!model_check(m, r, NULL, false));
	}
	ok(!nr_repeats,
	   "%s: %llu reads, %llu writes, %llu flushes, %llu discards, %llu zeroings; "
	   "%llu steps, %llu commits",
	   name, m->count[DISK_READ], m->count[DISK_WRITE], m->count[DISK_FLUSH],
	   m->count[DISK_DISCARD], m->count[DISK_ZERO], steps, commits);
	rig_free(r);
	host_free(h);
	model_free(m);
}

/*
 * The host reads two blocks, the guest writes and flushes the second, and only then the host says
 * that it has read: of before the commit. That is no lie, and the guest gets what is there now.
 */
static void test_overtaken(void)
{
	static u8 old[2 * BLOCK], new[BLOCK], got[2 * BLOCK];
	struct guest_req read = {.req = {.op = DISK_READ, .sectors = 2 * SECTORS}, .data = got};
	struct guest_req write = { .req = { .op = DISK_WRITE, .sectors = SECTORS }, .data = new };
	struct guest_req flush = {.req = {.op = DISK_FLUSH}};
	struct host *h = host_new(NULL);
	struct disk_io io;
	struct rig *r;

	write.req.sector = SECTORS;
	memset(old, 1, sizeof(old));
	memset(new, 2, sizeof(new));
	sim_format(h, 400);
	r = rig_new(h, 8, 8);
	check(rig_open(r, true) && rig_do(r, DISK_WRITE, 0, 2 * SECTORS, old));
	check(rig_do(r, DISK_FLUSH, 0, 0, NULL) && disk_submit(r->d, &read.req));
	rig_step(r);
	check(r->nr_io == 1 && r->io[0].op == DISK_HOST_READ && r->io[0].count == 2);
	io = rig_take(r, 0);
	rig_block(r, &io, 0);
	rig_block(r, &io, 1);
	check(disk_submit(r->d, &write.req));
	rig_run(r);
	check(disk_submit(r->d, &flush.req));
	rig_run(r);
	check(flush.req.done && !flush.req.failed && !read.req.done);
	rig_done(r, &io);
	rig_run(r);
	check(read.req.done && !read.req.failed && !memcmp(got, old, BLOCK));
	ok(!memcmp(got + BLOCK, new, BLOCK) && !r->d->stats.bad,
	   "a read that a commit has overtaken is done again");
	while (disk_reap(r->d))
		;
	check(disk_submit(r->d, &read.req));
	rig_step(r);
	io = rig_take(r, 0);
	write.req.sector = 0;
	write.req.sectors = 2 * SECTORS;
	write.data = old;
	check(disk_submit(r->d, &write.req));
	rig_run(r);
	ok(read.req.done && !read.req.failed, "one that a write has overtaken does not wait");
	rig_done(r, &io);
	rig_run(r);
	ok(disk_state(r->d) == DISK_RUNNING, "and the host may complete it when it likes");
	rig_free(r);
	host_free(h);
}

/* ---- that none waits for what does not come ---- */

static struct rig *new_disk(bool write_back)
{
	struct host *h = host_new(NULL);
	struct rig *r;

	sim_format(h, 400);
	r = rig_new(h, 64, 16);
	check(rig_open(r, write_back));
	return r;
}

static void drop_disk(struct rig *r)
{
	struct host *h = r->host;

	while (disk_reap(r->d))
		;
	rig_free(r);
	host_free(h);
}

/* What is dirty is zeroed before the flush that waits for it has had its turn. */
static void test_flush_of_nothing(void)
{
	struct guest_req flush = {.req = {.op = DISK_FLUSH}};
	struct guest_req zero = {.req = {.op = DISK_ZERO, .sectors = SECTORS}};
	static u8 data[BLOCK] = {1};
	struct rig *r = new_disk(true);

	check(rig_do(r, DISK_WRITE, 0, SECTORS, data));
	check(disk_submit(r->d, &flush.req) && disk_submit(r->d, &zero.req));
	rig_run(r);
	ok(zero.req.done && flush.req.done && !flush.req.failed,
	   "a flush of what is zeroed meanwhile comes to its end");
	drop_disk(r);
}

/* What a zeroing has dropped is on the medium when the zeroing is: not before. */
static void test_flush_beside_zero(void)
{
	struct guest_req flush = {.req = {.op = DISK_FLUSH}};
	struct guest_req zero = {.req = {.op = DISK_ZERO, .sectors = SECTORS}};
	static u8 data[BLOCK] = {1};
	struct rig *r = new_disk(true);

	check(rig_do(r, DISK_WRITE, 0, SECTORS, data) && rig_do(r, DISK_FLUSH, 0, 0, NULL));
	data[0] = 2;
	check(rig_do(r, DISK_WRITE, 0, SECTORS, data) && disk_submit(r->d, &zero.req));
	rig_step(r);
	check(r->nr_io && disk_submit(r->d, &flush.req));
	rig_step(r);
	ok(!flush.req.done, "a flush beside a zeroing waits for that");
	rig_run(r);
	ok(zero.req.done && flush.req.done && !flush.req.failed, "... and no longer");
	drop_disk(r);
}

int main(void)
{
	test_flush_of_nothing();
	test_flush_beside_zero();
	test_overtaken();
	run("whole leaves", leaves, 400, true, 64, 8, DISK_STEP);
	run("whole leaves, little of everything", leaves, 400, false, 16, 8, 1);
	run("write-back", small, 400, true, 64, 16, DISK_STEP);
	run("least memory", small, 400, true, 1, 8, DISK_STEP);
	run("least budget", small, 400, true, 24, 8, 1);
	run("write-through", small, 400, false, 24, 8, DISK_STEP);
	run("large disk", large, 256ULL * 32256, true, 24, 8, DISK_STEP);
	run("large disk, all memory", large, 256ULL * 32256, true, DISK_ENTRIES_MAX, 512,
	    DISK_STEP);
	missing_one_in = 3;
	run("slots that are missing now and then", small, 400, true, 24, 8, DISK_STEP);
	run("... with the least budget", small, 400, true, 24, 8, 1);
	missing_one_in = 0;
	ok(nr_missing > 10000, "... %llu times", (unsigned long long)nr_missing);
	ok(!nr_repeats && nr_seals > 10000, "%llu seals, each with a nonce of its own",
	   (unsigned long long)nr_seals);
	return unit_end();
}
