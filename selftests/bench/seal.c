// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: seal [ticks]
 *
 * The monitor's own sealed disk (core/disk/, core/gcm.c) as a process, on a host that is an array:
 * CPU time for 4 KiB of what the guest reads and writes, with seals, tree and commits. The array's
 * copies and the clock's are not in it. The best of some rounds, since others use the CPU, too.
 * With "ticks", instead: of the time stamp counter for the cipher alone, once.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <x86intrin.h>
#include "core/disk/internal.h"
#include "core/io/blk.h"

#define BLOCKS 16384ULL /* 64 MiB: more leaves than there is cache */
#define SECTORS (BLOCK / DISK_SECTOR)
#define PIECE 256 /* blocks of a long request */
#define ROUNDS 7

static u8 *image, *arena;
static u8 data[PIECE * BLOCK];
static struct disk *disk;
static u64 spent, clock_cost;

void monitor_bug(const char *what)
{
	fprintf(stderr, "%s\n", what);
	abort();
}

u64 cpu_random(void)
{
	return 0x0123456789abcdefULL;
}

void *disk_slot(struct disk *d, u32 slot)
{
	(void)d;
	return arena + slot * BLOCK;
}

bool disk_from_guest(struct disk_req *req, u64 at, void *to, u32 len)
{
	(void)req;
	memcpy(to, data + at, len);
	return true;
}

bool disk_to_guest(struct disk_req *req, u64 at, const void *from, u32 len)
{
	(void)req;
	memcpy(data + at, from, len);
	return true;
}

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static void clock_measure(void)
{
	u64 i, start, sum = 0;

	for (i = 0; i < 20000; i++) {
		start = now();
		sum += now() - start;
	}
	clock_cost = sum / 20000;
}

static bool host(void)
{
	struct disk_io io;
	bool any = false;
	u32 i;

	for (; disk_host_next(disk, &io); any = true) {
		for (i = 0; i < io.count; i++) {
			u8 *at = image + (io.block + i) * BLOCK, *slot = arena + io.slot[i] * BLOCK;

			if (io.op == DISK_HOST_READ)
				memcpy(slot, at, BLOCK);
			else if (io.op == DISK_HOST_WRITE)
				memcpy(at, slot, BLOCK);
		}
		disk_host_done(disk, io.id, true,
			       io.op == DISK_HOST_READ ? (u64)io.count * BLOCK : 0);
	}
	return any;
}

static void settle(void)
{
	u64 start;

	do {
		start = now();
		while (disk_step(disk, DISK_STEP) == DISK_MORE)
			;
		spent += now() - start - clock_cost;
	} while (host());
}

static void request(u32 op, u64 block, u32 blocks)
{
	struct disk_req req = { .op = (u8)op, .sector = block * SECTORS,
				.sectors = blocks * SECTORS };

	if (!disk_submit(disk, &req))
		monitor_bug("not a request");
	settle();
	if (disk_reap(disk) != &req || req.failed)
		monitor_bug("a request failed");
}

static void format(void **page)
{
	struct mon_disk_super super = { .magic = MON_DISK_MAGIC, .version = MON_DISK_VERSION,
					.uuid = "sixteen bytes..", .commit = 1, .blocks = BLOCKS,
					.flags = MON_DISK_CLEAN };

	disk = disk_create(page, disk_frames(BLK_ENTRIES, BLK_CACHE), BLK_ENTRIES);
	seal_uuid(disk, super.uuid);
	disk->session = 1;
	seal_meta(disk, MON_DISK_SUPER, 1, &super, 1);
	memcpy(image + MON_DISK_AREA_BLOCKS * BLOCK, &super, BLOCK);
}

static void make(void)
{
	static const u8 key[MON_DISK_KEY_SIZE];
	u32 nr = disk_frames(BLK_ENTRIES, BLK_CACHE), i;
	void **page = calloc(nr, sizeof(*page));

	for (i = 0; i < nr; i++)
		page[i] = aligned_alloc(BLOCK, BLOCK);
	arena = aligned_alloc(BLOCK, (u64)DISK_ARENA_SLOTS(BLK_ENTRIES) * BLOCK);
	image = calloc(disk_image_blocks(BLOCKS), BLOCK);
	format(page);
	disk_open(disk, key, 0, true);
	settle();
	if (disk_state(disk) != DISK_RUNNING)
		monitor_bug("not opened");
}

/* All of the disk once; @blocks in each request: 1: in no order */
static u64 all_of(u32 op, u32 blocks)
{
	u64 i, n = BLOCKS / blocks;

	spent = 0;
	for (i = 0; i < n; i++)
		request(op, (blocks == 1 ? i * 7919 % n : i) * blocks, blocks);
	if (op == DISK_WRITE)
		request(DISK_FLUSH, 0, 0);
	return spent / BLOCKS;
}

static void best_of(const char *name, u32 op, u32 blocks)
{
	u64 best = ~0ULL, round;

	for (round = 0; round < ROUNDS; round++)
		best = min_u64(best, all_of(op, blocks));
	printf("seal.%s %llu\n", name, (unsigned long long)best);
}

static void ticks(void)
{
	static const u8 secret[GCM_KEY_SIZE], nonce[GCM_NONCE_SIZE];
	static struct gcm_key key;
	struct mon_disk_place place = { .kind = MON_DISK_DATA };
	u8 tag[GCM_TAG_SIZE];
	u64 start, i;

	gcm_init(&key, secret);
	gcm_seal(&key, nonce, &place, sizeof(place), data, data, BLOCK, tag);
	start = __rdtsc();
	for (i = 0; i < 64; i++)
		gcm_seal(&key, nonce, &place, sizeof(place), data, data, BLOCK, tag);
	printf("seal.ticks %llu\n", (__rdtsc() - start) / 64);
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "ticks")) {
		ticks();
		return 0;
	}
	clock_measure();
	make();
	best_of("write.1048576", DISK_WRITE, PIECE);
	best_of("read.1048576", DISK_READ, PIECE);
	best_of("write.4096", DISK_WRITE, 1);
	best_of("read.4096", DISK_READ, 1);
	return 0;
}
