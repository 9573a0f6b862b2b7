// SPDX-License-Identifier: GPL-2.0-only
/* A sealed disk's tree: from the superblock to the data. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "disk.h"

#define FANOUT MON_DISK_FANOUT

static void __attribute__((__format__(__printf__, 2, 3)))
because(struct disk *disk, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	vsnprintf(disk->why, sizeof(disk->why), format, ap);
	va_end(ap);
}

static const char *kind_name(enum mon_disk_kind kind)
{
	return kind == MON_DISK_ROOT ? "root" : kind == MON_DISK_NODE ? "node" : "leaf";
}

/* What the word says, into @block; zeros if that was never written. True: it cannot be had. */
static bool load(struct disk *disk, enum mon_disk_kind kind, uint64_t index,
		 const struct mon_disk_word *word, void *block)
{
	uint64_t at = disk_meta_at(kind, index, word->count & 1);
	const struct mon_disk_seal *seal = block;
	const char *why = NULL;

	if (!word->count) {
		memset(block, 0, BLOCK);
		return false;
	}
	if (!image_read(&disk->image, block, BLOCK, at * BLOCK))
		why = disk->image.error;
	else if (seal->session != word->session || seal->count != word->count >> 1)
		why = "is another than the one written last";
	else if (!crypto_verify(&disk->crypto, kind, index, block))
		why = "does not verify";
	if (!why)
		return false;
	because(disk, "%s %llu, block %llu of the image: %s", kind_name(kind),
		(unsigned long long)index, (unsigned long long)at, why);
	return true;
}

static uint64_t up_to(uint64_t leaf, uint64_t each)
{
	return (leaf / each + 1) * each;
}

/* Only what is not loaded yet; where that fails, @end is behind what is below it. */
static bool load_path(struct disk *disk, uint64_t leaf, uint64_t *end)
{
	uint64_t node = leaf / FANOUT, root = node / FANOUT;

	*end = up_to(leaf, FANOUT * FANOUT);
	if (disk->root_index != root) {
		disk->root_index = disk->node_index = disk->leaf_index = DISK_NOWHERE;
		if (load(disk, MON_DISK_ROOT, root, &disk->super.root[root], &disk->root))
			return false;
		disk->root_index = root;
	}
	*end = up_to(leaf, FANOUT);
	if (disk->node_index != node) {
		disk->node_index = disk->leaf_index = DISK_NOWHERE;
		if (load(disk, MON_DISK_NODE, node, &disk->root.word[node % FANOUT], &disk->node))
			return false;
		disk->node_index = node;
	}
	*end = leaf + 1;
	if (disk->leaf_index != leaf) {
		disk->leaf_index = DISK_NOWHERE;
		if (load(disk, MON_DISK_LEAF, leaf, &disk->node.word[leaf % FANOUT], &disk->leaf))
			return false;
		disk->leaf_index = leaf;
	}
	return true;
}

enum disk_found disk_seek(struct disk *disk, uint64_t leaf, uint64_t *end)
{
	uint64_t node = leaf / FANOUT, root = node / FANOUT;

	if (!load_path(disk, leaf, end))
		return DISK_BAD;
	if (disk->node.word[leaf % FANOUT].count)
		return DISK_THERE;
	if (!disk->root_dirty && !disk->node_dirty && !disk->leaf_dirty) {
		if (!disk->super.root[root].count)
			*end = up_to(leaf, FANOUT * FANOUT);
		else if (!disk->root.word[node % FANOUT].count)
			*end = up_to(leaf, FANOUT);
	}
	return DISK_UNWRITTEN;
}

static int compare_block(const void *a, const void *b)
{
	const struct mon_disk_record *x = a, *y = b;

	return x->block < y->block ? -1 : x->block > y->block;
}

const struct mon_disk_record *disk_record_of(const struct disk *disk, uint64_t block)
{
	struct mon_disk_record key = {.block = block};

	if (!disk->super.records)
		return NULL;
	return bsearch(&key, disk->record, disk->super.records, sizeof(key), compare_block);
}

static enum disk_block open_block(struct disk *disk, uint64_t block,
				  const struct mon_disk_seal *seal, const unsigned char *from,
				  unsigned char *to)
{
	if (!seal->count)
		return BLOCK_UNWRITTEN;
	if (seal->count == MON_DISK_LOST)
		return BLOCK_LOST;
	return crypto_decrypt(&disk->crypto, block, seal, from, to) ? BLOCK_GOOD : BLOCK_BAD;
}

/* By the leaf's seal, or by that of a record: the last commit may not have been over. */
static enum disk_block read_block(struct disk *disk, uint64_t block,
				  const struct mon_disk_seal *seal, unsigned char *data)
{
	const struct mon_disk_record *record;
	unsigned char plain[BLOCK];
	enum disk_block state = open_block(disk, block, seal, data, plain), before;

	if (state == BLOCK_BAD) {
		record = disk_record_of(disk, block);
		before = record ? open_block(disk, block, &record->before, data, plain) : BLOCK_BAD;
		state = before < BLOCK_LOST ? BLOCK_BEFORE : before;
		if (before == BLOCK_UNWRITTEN)
			memset(plain, 0, BLOCK);
	}
	if (state == BLOCK_GOOD || state == BLOCK_BEFORE)
		memcpy(data, plain, BLOCK);
	else
		memset(data, 0, BLOCK);
	return state;
}

static bool written(const struct mon_disk_seal *seal)
{
	return seal->count && seal->count != MON_DISK_LOST;
}

void disk_read(struct disk *disk, unsigned char *data, enum disk_block state[LEAF_DATA])
{
	uint64_t block = disk_leaf_first(disk->leaf_index);
	unsigned int seals = disk_leaf_seals(disk->leaf_index, disk->super.blocks);
	unsigned int nr = seals, first = 0, i;
	const struct mon_disk_seal *seal = disk->leaf.data;
	bool all = true;

	while (nr && !written(&seal[nr - 1]))
		nr--;
	while (first < nr && !written(&seal[first]))
		first++;
	memset(data, 0, LEAF_DATA * BLOCK);
	if (first < nr)
		all = image_read(&disk->image, data + first * BLOCK, (nr - first) * BLOCK,
				 disk_data_at(block + first) * BLOCK);
	for (i = 0; i < LEAF_DATA; i++) {
		unsigned char *at = data + i * BLOCK;

		state[i] = BLOCK_UNWRITTEN;
		if (i >= seals)
			continue;
		if (!all && written(&seal[i]) && /* which of them is it? */
		    !image_read(&disk->image, at, BLOCK, disk_data_at(block + i) * BLOCK)) {
			memset(at, 0, BLOCK);
			state[i] = BLOCK_UNREADABLE;
		} else {
			state[i] = read_block(disk, block + i, &seal[i], at);
		}
	}
}

const char *disk_block_why(enum disk_block state)
{
	switch (state) {
	case BLOCK_LOST:
		return "lost in an earlier crash";
	case BLOCK_BAD:
		return "does not verify";
	case BLOCK_UNREADABLE:
		return "cannot be read";
	default:
		return "good";
	}
}
