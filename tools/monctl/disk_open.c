// SPDX-License-Identifier: GPL-2.0-only
/* Which superblock of a sealed disk counts. */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "disk.h"
#include "monctl.h"

static bool __attribute__((__format__(__printf__, 2, 3)))
because(struct disk_area *a, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(a->why, sizeof(a->why), format, ap);
	va_end(ap);
	return false;
}

/* Each block once, and in order, so they can be searched. */
static bool records_in_order(struct disk_area *a)
{
	const struct mon_disk_record *record = a->record;
	unsigned int i, nr = a->super.records;

	for (i = 0; i + 1 < nr; i++)
		if (record[i].block >= record[i + 1].block)
			return because(a,
				       "its records of blocks %" PRIu64 " and %" PRIu64
				       " are out of order",
				       (uint64_t)record[i].block, (uint64_t)record[i + 1].block);
	if (nr && record[nr - 1].block >= a->super.blocks)
		return because(a, "it has a record of block %" PRIu64 ", behind its end",
			       (uint64_t)record[nr - 1].block);
	return true;
}

/* Block @i of the area, which has @nr records. */
static bool read_journal(struct disk *disk, struct disk_area *a, unsigned int area, unsigned int i,
			 struct mon_disk_record *record, unsigned int nr)
{
	struct mon_disk_journal j;
	uint64_t at = disk_meta_at(MON_DISK_SUPER, area, 0) + i;

	if (!image_read(&disk->image, &j, BLOCK, at * BLOCK))
		return because(a, "block %u of its journal: %s", i, disk->image.error);
	if (j.seal.session != a->super.seal.session || j.seal.count != a->super.seal.count + i ||
	    !crypto_verify(&disk->crypto, MON_DISK_JOURNAL, i, &j))
		return because(a, "block %u of its journal does not verify", i);
	memcpy(record, j.record, nr * sizeof(*record));
	return true;
}

static bool read_records(struct disk *disk, struct disk_area *a, unsigned int area)
{
	unsigned int nr = a->super.records, have, i, n;

	a->record = calloc(nr + 1, sizeof(*a->record));
	if (!a->record)
		return because(a, "out of memory");
	have = nr < MON_DISK_SUPER_RECORDS ? nr : MON_DISK_SUPER_RECORDS;
	memcpy(a->record, a->super.record, have * sizeof(*a->record));
	for (i = 1; have < nr; i++, have += n) {
		n = nr - have;
		if (n > MON_DISK_JOURNAL_RECORDS)
			n = MON_DISK_JOURNAL_RECORDS;
		if (!read_journal(disk, a, area, i, a->record + have, n))
			return false;
	}
	return records_in_order(a);
}

static void use(struct disk *disk, const struct disk_area *a)
{
	disk->super = a->super;
	disk->record = a->record;
	disk->root_index = disk->node_index = disk->leaf_index = DISK_NOWHERE;
}

/* The superblock may have got to the disk before what its commit wrote. */
static bool leaves_there(struct disk *disk, struct disk_area *a)
{
	unsigned int i, unused;
	uint64_t end;

	use(disk, a);
	for (i = 0; i < a->super.records; i++)
		if (disk_seek(disk, disk_leaf_of(a->record[i].block, &unused), &end) == DISK_BAD)
			return because(a, "%s", disk->why);
	return true;
}

static void read_area(struct disk *disk, const unsigned char *key, unsigned int area)
{
	uint64_t at = disk_meta_at(MON_DISK_SUPER, area, 0);
	struct disk_area *a = &disk->area[area];
	const char *wrong;

	if (!image_read(&disk->image, &a->super, BLOCK, at * BLOCK)) {
		because(a, "%s", disk->image.error);
		return;
	}
	if (a->super.magic != MON_DISK_MAGIC) {
		because(a, "there is none");
		return;
	}
	crypto_end(&disk->crypto);
	crypto_init(&disk->crypto, key, a->super.uuid);
	wrong = crypto_verify(&disk->crypto, MON_DISK_SUPER, area, &a->super)
			? disk_super_wrong(&a->super, area)
			: "it does not verify";
	if (wrong)
		because(a, "%s", wrong);
	else
		a->sealed = read_records(disk, a, area);
	a->whole = a->sealed && leaves_there(disk, a);
}

/* Of two that are as good as each other the newer one. */
static struct disk_area *better(struct disk_area *a, struct disk_area *b)
{
	if (a->sealed != b->sealed)
		return a->sealed ? a : b;
	if (a->whole != b->whole)
		return a->whole ? a : b;
	return a->super.commit > b->super.commit ? a : b;
}

static bool cannot(struct disk *disk, const char *why)
{
	snprintf(disk->why, sizeof(disk->why), "%s", why);
	return false;
}

bool disk_find(struct disk *disk, const unsigned char *key)
{
	struct disk_area *a = &disk->area[0], *b = &disk->area[1];

	read_area(disk, key, 0);
	read_area(disk, key, 1);
	if (!a->sealed && !b->sealed) {
		if (a->super.magic != MON_DISK_MAGIC && b->super.magic != MON_DISK_MAGIC)
			return cannot(disk, "there is no sealed disk in it");
		snprintf(disk->why, sizeof(disk->why),
			 "it is another key's, or it was changed (superblock 0: %s; 1: %s)", a->why,
			 b->why);
		return false;
	}
	if (a->sealed && b->sealed && memcmp(a->super.uuid, b->super.uuid, sizeof(a->super.uuid)))
		return cannot(disk, "its superblocks are of two disks");
	a = better(a, b);
	use(disk, a);
	crypto_end(&disk->crypto);
	crypto_init(&disk->crypto, key, a->super.uuid);
	return true;
}

bool disk_whole(const struct disk *disk)
{
	return disk->area[disk->super.commit & 1].whole;
}

bool disk_fits(const struct disk *disk)
{
	uint64_t needed = disk_image_blocks(disk->super.blocks) * BLOCK;

	return disk->image.size >= needed ||
	       !fail("%s has been cut: it has %" PRIu64 " bytes, and the disk in it needs %" PRIu64,
		     disk->image.path, disk->image.size, needed);
}

bool disk_open(struct disk *disk, const char *path, const char *format, const char *key_path,
	       bool write)
{
	unsigned char key[MON_DISK_KEY_SIZE];
	bool good;

	*disk = (struct disk){0};
	if (!key_read(key_path, key))
		return false;
	good = image_open(&disk->image, path, format, write);
	if (good && !disk_find(disk, key)) {
		fail("%s: %s", path, disk->why);
		disk_close(disk);
		good = false;
	}
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}

bool disk_close(struct disk *disk)
{
	free(disk->area[0].record);
	free(disk->area[1].record);
	disk->area[0].record = disk->area[1].record = disk->record = NULL;
	crypto_end(&disk->crypto);
	return image_close(&disk->image);
}
