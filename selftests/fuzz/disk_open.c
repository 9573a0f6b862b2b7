// SPDX-License-Identifier: GPL-2.0-only
/* needs: tools/monctl/disk_layout.c tools/monctl/disk_open.c tools/monctl/disk_tree.c */
/* cflags: -D_GNU_SOURCE -Itools/monctl */
/*
 * An image of somebody who has the key: every seal is right, and every value is the fuzzer's.
 * The input is words of 12 bytes: a block, a place in it, and 8 bytes for that.
 */
#include <openssl/crypto.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "tools/monctl/disk.h"

#define WORDS 256 /* of an input that count */

static const uint8_t *input;
static size_t input_size;
static uint64_t reads;

int fail(const char *format, ...)
{
	(void)format;
	return 1;
}

/* Without sense in the superblocks, or records, nothing happens: there is some to begin with. */
static void fill_record(struct mon_disk_record *record, unsigned int nr, uint64_t first)
{
	while (nr--)
		record[nr].block = first + nr;
}

static void fill(void *to, uint64_t block)
{
	unsigned int area = block >= MON_DISK_AREA_BLOCKS, i = block - 16 * area;
	struct mon_disk_journal *journal = to;
	struct mon_disk_super *super = to;

	if (block >= MON_DISK_FIRST_CHUNK)
		return;
	if (i) {
		journal->seal.count = 100 * (area + 1) + i;
		fill_record(journal->record, MON_DISK_JOURNAL_RECORDS,
			    MON_DISK_SUPER_RECORDS + (i - 1) * MON_DISK_JOURNAL_RECORDS);
		return;
	}
	*super = (struct mon_disk_super){ .seal.count = 100 * (area + 1),
					  .magic = MON_DISK_MAGIC,
					  .version = MON_DISK_VERSION,
					  .commit = 2 + area,
					  .blocks = 100000 };
	fill_record(super->record, MON_DISK_SUPER_RECORDS, 0);
}

/* What the input has for a place, modulo some, lies over that. */
bool image_read(struct image *image, void *to, size_t size, uint64_t at)
{
	size_t i;

	if (at % BLOCK || size % BLOCK || size > LEAF_DATA * BLOCK)
		abort();
	if (at > image->size || size > image->size - at)
		return false;
	reads++;
	memset(to, 0, size);
	fill(to, at / BLOCK);
	for (i = 0; i + 12 <= input_size && i < 12 * WORDS; i += 12) {
		uint16_t block, word;

		memcpy(&block, input + i, 2);
		memcpy(&word, input + i + 2, 2);
		if (block % 1021 == at / BLOCK % 1021)
			memcpy((char *)to + word % (BLOCK / 8) * 8, input + i + 4, 8);
	}
	return true;
}

bool crypto_verify(struct disk_crypto *c, enum mon_disk_kind kind, uint64_t index,
		   const void *block)
{
	(void)c;
	(void)kind;
	(void)index;
	return ((const struct mon_disk_seal *)block)->tag[0] != 0xff;
}

bool crypto_decrypt(struct disk_crypto *c, uint64_t index, const struct mon_disk_seal *seal,
		    const unsigned char *from, unsigned char *to)
{
	(void)c;
	(void)index;
	memcpy(to, from, BLOCK);
	return seal->tag[0] != 0xff;
}

void crypto_init(struct disk_crypto *c, const unsigned char *key, const unsigned char *uuid)
{
	(void)c;
	(void)key;
	(void)uuid;
}

void crypto_end(struct disk_crypto *c)
{
	(void)c;
}

bool key_read(const char *path, unsigned char key[MON_DISK_KEY_SIZE])
{
	(void)path;
	(void)key;
	return false;
}

bool image_open(struct image *image, const char *path, const char *format, bool write)
{
	(void)image;
	(void)path;
	(void)format;
	(void)write;
	return false;
}

bool image_close(struct image *image)
{
	(void)image;
	return true;
}

void OPENSSL_cleanse(void *data, size_t size)
{
	memset(data, 0, size);
}

static void check(bool good)
{
	if (!good)
		abort();
}

static void check_super(const struct disk *disk)
{
	const struct mon_disk_super *super = &disk->super;
	unsigned int i;

	check(super->blocks && super->blocks <= MON_DISK_BLOCKS_MAX);
	check(super->records <= MON_DISK_RECORDS_MAX);
	for (i = 0; i < super->records; i++) {
		check(disk->record[i].block < super->blocks);
		check(!i || disk->record[i - 1].block < disk->record[i].block);
		check(disk_record_of(disk, disk->record[i].block) == &disk->record[i]);
	}
}

/* Some leaves of it; each read is of a place in the image, and there are not many. */
static void walk(struct disk *disk)
{
	static unsigned char data[LEAF_DATA * BLOCK];
	uint64_t nr = disk_leaves(disk->super.blocks), leaf, end, n = 0;
	enum disk_block state[LEAF_DATA];

	check(disk_image_blocks(disk->super.blocks) <= 1ULL << 31);
	for (leaf = 0; leaf < nr && n < 16; leaf = end, n++) {
		if (disk_seek(disk, leaf, &end) == DISK_THERE)
			disk_read(disk, data, state);
		check(end > leaf);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static struct disk disk;
	unsigned char key[MON_DISK_KEY_SIZE] = { 0 };

	input = bytes;
	input_size = size;
	reads = 0;
	memset(&disk, 0, sizeof(disk));
	disk.image.size = (1ULL << 31) * BLOCK;
	if (disk_find(&disk, key)) {
		check_super(&disk);
		walk(&disk);
	}
	check(reads < 2 * (1 + 15 + 3 * MON_DISK_RECORDS_MAX) + 16 * (4 + LEAF_DATA));
	disk_close(&disk);
	return 0;
}
