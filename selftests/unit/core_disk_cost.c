// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c core/sha256.c */
/* libs: -lcrypto */
/* What a guest's requests cost at the host: requests, blocks, flushes. And memory. */
#include "disk_sim.h"

#define BLOCKS (8ULL << 18) /* 8 GiB */
#define TIMES 1000

static u8 data[BUFFER];

struct cost {
	u64 reads, writes, flushes, read_blocks, written_blocks, seals, opens;
};

static struct cost cost_now(const struct rig *r)
{
	return (struct cost){
		r->host->reads,		 r->host->writes, r->host->flushes, r->host->read_blocks,
		r->host->written_blocks, nr_seals,	  nr_opens};
}

static struct cost cost_since(const struct rig *r, struct cost then)
{
	struct cost now = cost_now(r);

	return (struct cost){now.reads - then.reads,
			     now.writes - then.writes,
			     now.flushes - then.flushes,
			     now.read_blocks - then.read_blocks,
			     now.written_blocks - then.written_blocks,
			     now.seals - then.seals,
			     now.opens - then.opens};
}

static void show(const char *name, struct cost c, double times, bool good)
{
	ok(good,
	   "%s: reads %.2f (%.2f blocks), writes %.2f (%.2f blocks), flushes %.3f, seals %.2f, "
	   "opened %.2f",
	   name, c.reads / times, c.read_blocks / times, c.writes / times, c.written_blocks / times,
	   c.flushes / times, c.seals / times, c.opens / times);
}

static struct rig *machine(struct host *h, u32 entries, u32 cache)
{
	struct rig *r = rig_new(h, entries, cache);

	check(rig_open(r, true));
	return r;
}

static struct rig *again(struct rig *r, u32 entries, u32 cache)
{
	struct host *h = r->host;

	disk_close(r->d);
	rig_run(r);
	rig_free(r);
	return machine(h, entries, cache);
}

/* So that all that is above them is in the cache. */
static void warm(struct rig *r, u32 span, u32 apart)
{
	u32 i;

	for (i = 0; i < span; i++)
		check(rig_do(r, DISK_READ, (u64)i * apart * SECTORS, SECTORS, data));
}

/* @span: in how many blocks, each times @apart */
static void writes(const char *name, struct rig *r, u32 span, u32 apart, u32 flush_each)
{
	struct cost then = cost_now(r), c;
	u32 i;

	for (i = 1; i <= TIMES; i++) {
		check(rig_do(r, DISK_WRITE, (u64)below(span) * apart * SECTORS, SECTORS, data));
		if (flush_each && !(i % flush_each))
			check(rig_do(r, DISK_FLUSH, 0, 0, NULL));
	}
	c = cost_since(r, then);
	show(name, c, TIMES,
	     flush_each == 1 ? c.written_blocks == 5 * TIMES && c.flushes == 2 * TIMES
			     : c.written_blocks < 3 * TIMES);
}

static void sequential(const char *name, struct rig *r, u32 op, u32 times)
{
	struct cost then = cost_now(r), c;
	u32 i;

	for (i = 0; i < times; i++)
		check(rig_do(r, op, i * 256ULL * SECTORS, 256 * SECTORS, data));
	c = cost_since(r, then);
	show(name, c, times,
	     c.read_blocks + c.written_blocks < 270 * times && c.reads <= 3 * times &&
		     c.writes <= 10 * times);
}

static void reads(const char *name, struct rig *r, u32 span, u32 apart, u32 times, double most)
{
	struct cost then = cost_now(r), c;
	u32 i;

	for (i = 0; i < times; i++)
		check(rig_do(r, DISK_READ, (u64)below(span) * apart * SECTORS, SECTORS, data));
	c = cost_since(r, then);
	show(name, c, times, c.reads <= most * times);
}

static void memory(u32 entries, u32 cache)
{
	u32 nr = disk_frames(entries, cache);

	ok(nr < 10000,
	   "%u dirty blocks, %u frames of cache: %u frames of the monitor's, %u of the "
	   "arena",
	   entries, cache, nr, DISK_ARENA_SLOTS(entries));
}

int main(void)
{
	struct host *h = host_new(NULL);
	struct rig *r;

	sim_format(h, BLOCKS);
	r = machine(h, 512, 64);
	/* 512 blocks of as many leaves */
	writes("4 KiB written anywhere, the first time", r, 512, 128, 0);
	check(rig_do(r, DISK_FLUSH, 0, 0, NULL));
	writes("4 KiB written in 256 MiB and flushed", r, 512, 128, 1);
	writes("4 KiB written in one leaf and flushed", r, 100, 1, 1);
	writes("4 KiB written in 256 MiB, each 16th flushed", r, 512, 128, 16);
	writes("4 KiB written in 256 MiB, not flushed", r, 512, 128, 0);
	check(rig_do(r, DISK_FLUSH, 0, 0, NULL));
	sequential("1 MiB written, one behind the other", r, DISK_WRITE, 8);
	check(rig_do(r, DISK_FLUSH, 0, 0, NULL));
	sequential("1 MiB read, one behind the other", r, DISK_READ, 8);
	r = again(r, 512, 8);
	reads("4 KiB read, cache of 8 frames", r, 512, 128, TIMES, 2.1);
	r = again(r, 512, 1024);
	reads("4 KiB read, the first", r, 512, 128, 1, 4);
	warm(r, 512, 128);
	reads("4 KiB read, large cache, warm", r, 512, 128, TIMES, 1);
	rig_free(r);
	host_free(h);
	memory(64, 8);
	memory(512, 64);
	memory(512, 512);
	memory(DISK_ENTRIES_MAX, 4096);
	return unit_end();
}
