// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: cuts sealed LOG IMAGE LAST-IMAGE FOLDER SAMPLES
 *        cuts plain LOG
 *
 * Power cuts of a host that has run a VM. LOG is what its QEMU has written (power.h), from IMAGE
 * or from zeros on. After each block of 4 KiB that was written there are several cuts.
 * The disk that is left is opened by the monitor's own files, and each block of the guest's has
 * to be as of a round that was flushed when the power was cut, or newer (rounds.h). SAMPLES images
 * are left in FOLDER, for others to look at.
 */
#include <sys/stat.h>
#include "../unit/disk_cut.h"
#include "power.h"
#include "rounds.h"

static struct host *host;		  /* as the log leaves it */
static u32 write_of[PENDING];		  /* of what is not flushed: which of the log's */
static u64 flushed[ROUND_WRITERS];	  /* rounds, as the guest has said */
static struct block *before[ROUND_BLOCKS]; /* the last version */
static u32 nr_blocks, nr_writes, nr_flushes, nr_starts, nr_points, nr_cuts, nr_nested;
static u32 nr_lost, nr_wrong, nr_gone, nr_dropped, nr_found, nr_samples, nr_unlike;

/* ---- a sealed disk ---- */

static void crash(const struct host *h, enum cut cut, const bool *may_lose, bool deep);

static u32 wrong_blocks(struct rig *r, const bool *may_lose)
{
	u32 i, wrong = 0;
	u64 data[ROUND_WORDS];
	s64 round;

	for (i = 0; i < ROUND_BLOCKS; i++) {
		if (!rig_do(r, DISK_READ, (u64)round_block(i) * SECTORS, SECTORS, data)) {
			wrong += !may_lose[i];
			nr_lost += may_lose[i];
			continue;
		}
		round = round_of((uint64_t *)data, i);
		wrong += round < round_floor(flushed[round_writer(i)], i);
	}
	return wrong;
}

/* @deep: it is cut again behind each request of the recovery's. */
static struct rig *opened(struct host *h, const bool *may_lose, bool deep)
{
	struct rig *r = rig_new(h, 64, 16);

	disk_open(r->d, disk_key, 0, true);
	for (rig_step(r); r->nr_io; rig_step(r)) {
		rig_host(r, below(r->nr_io));
		if (deep && h->nr_pending)
			crash(h, CUT_ANY, may_lose, false);
	}
	return r;
}

/* How many blocks are wrong after that; all, if the disk is. */
static u32 look(struct host *after, const bool *may_lose, bool deep)
{
	struct rig *r = opened(after, may_lose, deep);
	u32 wrong = ROUND_BLOCKS;

	if (disk_state(r->d) == DISK_RUNNING)
		wrong = wrong_blocks(r, may_lose);
	else
		nr_gone++;
	rig_free(r);
	host_free(after);
	return wrong;
}

static void crash(const struct host *h, enum cut cut, const bool *may_lose, bool deep)
{
	bool lose[ROUND_BLOCKS];
	u32 i, k;

	memcpy(lose, may_lose, sizeof(lose));
	for (i = 0; cut == CUT_TORN && i < ROUND_BLOCKS; i++)
		for (k = 0; k < h->nr_pending; k++)
			lose[i] |= h->pending[k].block == place_data(round_block(i));
	nr_wrong += look(host_after(h, cut), lose, deep);
}

static void save(const struct host *h, const char *folder, u64 blocks)
{
	struct host *after = host_after(h, CUT_ANY);
	static const struct block zeros;
	const struct block *b;
	char path[4096];
	FILE *file;
	u64 i;

	snprintf(path, sizeof(path), "%s/%u-%llu-%llu", folder, nr_samples++,
		 (unsigned long long)flushed[0], (unsigned long long)flushed[1]);
	file = fopen(path, "wbx");
	check(file);
	for (i = 0; i < blocks; i++) {
		b = after->view.b[id_of(i)];
		check(fwrite(b ? b->bytes : zeros.bytes, BLOCK, 1, file) == 1);
	}
	fclose(file);
	host_free(after);
}

static void cut_sealed(void)
{
	static const bool none[ROUND_BLOCKS];
	enum cut cut;

	for (cut = CUT_ANY; cut < NR_CUTS; cut++, nr_cuts++)
		crash(host, cut, none, false);
	nr_nested++;
	crash(host, CUT_ANY, none, nr_nested % 8 == 0);
}

/* An injector that loses a write that was flushed: one of the last round's. */
static void drop(u32 writer, u64 round)
{
	static const bool none[ROUND_BLOCKS];
	struct host *after;
	u32 i, id, gone = nr_gone;

	do
		i = below(ROUND_BLOCKS);
	while (round_writer(i) != writer || !round_has(round, i));
	after = host_after(host, CUT_NONE);
	id = id_of(place_data(round_block(i)));
	image_set(&after->medium, id, before[i]);
	image_set(&after->view, id, before[i]);
	nr_dropped++;
	nr_found += look(after, none, false) == 1;
	nr_gone = gone;
}

/* ---- a plain one ---- */

static void cut_plain(void)
{
	struct host *after = host_after(host, CUT_TORN);
	const struct block *b;
	u32 i;

	for (i = 0; i < ROUND_BLOCKS; i++) {
		b = after->view.b[id_of(round_block(i))];
		nr_wrong += b && round_of((const uint64_t *)b->bytes, i) < 0;
	}
	host_free(after);
	nr_cuts++;
}

/* ---- the log ---- */

static bool sealed;

static void *load(const char *path, u64 *size)
{
	FILE *file = fopen(path, "rb");
	struct stat st;
	void *data;

	if (!file || fstat(fileno(file), &st)) {
		perror(path);
		exit(1);
	}
	*size = (u64)st.st_size;
	data = malloc(*size + 1);
	check(fread(data, 1, *size, file) == *size);
	fclose(file);
	return data;
}

/* The first writes, up to @nr. */
static void settle(u32 nr)
{
	u32 i, n = 0;

	while (n < host->nr_pending && write_of[n] < nr)
		n++;
	for (i = 0; i < n; i++) {
		image_set(&host->medium, host->pending[i].id, host->pending[i].b);
		block_free(host->pending[i].b);
	}
	host->nr_pending -= n;
	memmove(host->pending, host->pending + n, host->nr_pending * sizeof(*host->pending));
	memmove(write_of, write_of + n, host->nr_pending * sizeof(*write_of));
	nr_flushes++;
}

static void keep_before(u64 block)
{
	u32 i;

	for (i = 0; sealed && i < ROUND_BLOCKS; i++) {
		if (place_data(round_block(i)) != block)
			continue;
		block_free(before[i]);
		before[i] = block_hold(host->view.b[id_of(block)]);
	}
}

static void one_write(const struct power_event *e, const u8 *data)
{
	u32 at;

	check(!(e->at % BLOCK) && !(e->size % BLOCK) && e->size);
	for (at = 0; at < e->size; at += BLOCK) {
		keep_before((e->at + at) / BLOCK);
		write_of[host->nr_pending] = nr_writes;
		host_write(host, (e->at + at) / BLOCK, data + at);
		nr_points++;
		if (sealed)
			cut_sealed();
		else
			cut_plain();
	}
	nr_writes++;
}

static void one_line(const char *line)
{
	unsigned long long round;
	u32 writer;

	if (sscanf(line, "flushed %u %llu", &writer, &round) != 2)
		return;
	check(writer < ROUND_WRITERS && round >= flushed[writer]);
	flushed[writer] = round;
	if (sealed)
		drop(writer, round);
}

static void console(const u8 *data, u32 size)
{
	static char line[256];
	static u32 n;

	while (size--) {
		if (*data == '\n') {
			line[n] = 0;
			one_line(line);
			n = 0;
		} else if (*data != '\r' && n < sizeof(line) - 1) {
			line[n++] = (char)*data;
		}
		data++;
	}
}

static void replay(const u8 *log, u64 size, const char *folder, u32 samples)
{
	struct power_event e;
	u32 first = 0, next = 0;
	u64 at = 0;

	for (; at + sizeof(e) <= size; at += sizeof(e) + e.size) {
		memcpy(&e, log + at, sizeof(e));
		check(e.size <= size - at - sizeof(e));
		if (e.kind == POWER_START) {
			first = nr_writes;
			nr_starts++;
		} else if (e.kind == POWER_FLUSH) {
			settle(first + (u32)e.at);
		} else if (e.kind == POWER_CONSOLE) {
			console(log + at + sizeof(e), e.size);
		} else {
			check(e.kind == POWER_WRITE);
			one_write(&e, log + at + sizeof(e));
		}
		if (samples && e.kind == POWER_WRITE && at >= size / samples * next && ++next)
			save(host, folder, nr_blocks);
	}
}

/* What was written, and the image as the host had it in the end, are the same. */
static void compare(const char *path)
{
	static const struct block zeros;
	const struct block *b;
	u64 i, size;
	u8 *image = load(path, &size);

	check(size == (u64)nr_blocks * BLOCK);
	for (i = 0; i < nr_blocks; i++) {
		b = host->view.b[id_of(i)];
		nr_unlike += !!memcmp(b ? b->bytes : zeros.bytes, image + i * BLOCK, BLOCK);
	}
}

static void start(const char *path)
{
	u64 i, size;
	u8 *image = load(path, &size);

	nr_blocks = (u32)(size / BLOCK);
	for (i = 0; i < nr_blocks; i++)
		host_write(host, i, image + i * BLOCK);
	host_settle(host);
}

int main(int argc, char **argv)
{
	u64 size;
	u8 *log;

	sealed = argc == 7;
	if (!sealed && argc != 3)
		return 2;
	host = host_new(NULL);
	log = load(argv[2], &size);
	if (sealed) {
		start(argv[3]);
		replay(log, size, argv[5], (u32)atoi(argv[6]));
		compare(argv[4]);
	} else {
		replay(log, size, NULL, 0);
	}
	printf("QEMU: started %u times, %u writes, %u blocks, %u flushes, %llu and %llu rounds\n",
	       nr_starts, nr_writes, nr_points, nr_flushes, (unsigned long long)flushed[0],
	       (unsigned long long)flushed[1]);
	printf("cuts: %u behind %u blocks, %u torn blocks lost, %u disks lost, %u wrong\n",
	       nr_cuts, nr_points, nr_lost, nr_gone, nr_wrong);
	printf("injector: %u flushed writes dropped, %u found\n", nr_dropped, nr_found);
	printf("the log lacks: %u blocks\n", nr_unlike);
	return 0;
}
