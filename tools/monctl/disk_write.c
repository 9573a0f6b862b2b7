// SPDX-License-Identifier: GPL-2.0-only
/*
 * Writing a sealed disk. Only blocks that were never written: their data may be there before
 * the superblock is, so no commit needs a record, however much it has; uapi/disk.h says more.
 */
#include <inttypes.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include "disk.h"
#include "monctl.h"

#define FANOUT MON_DISK_FANOUT

static bool cannot_write(struct disk *disk)
{
	return !fail("cannot write %s: %s", disk->image.path, disk->image.error);
}

static struct mon_disk_seal next_seal(struct disk *disk)
{
	return (struct mon_disk_seal){.session = disk->session, .count = ++disk->count};
}

/* To the slot that the word above does not name; then the word names it. */
static bool settle(struct disk *disk, enum mon_disk_kind kind, uint64_t index, void *block,
		   struct mon_disk_word *word)
{
	struct mon_disk_seal *seal = block;
	unsigned int slot = word->count ? !(word->count & 1) : 0;

	*seal = next_seal(disk);
	if (!crypto_sign(&disk->crypto, kind, index, block))
		return !fail("OpenSSL cannot seal a block");
	if (!image_write(&disk->image, block, BLOCK, disk_meta_at(kind, index, slot) * BLOCK))
		return cannot_write(disk);
	word->session = seal->session;
	word->count = seal->count << 1 | slot;
	return true;
}

/* What is dirty and not above @leaf; DISK_NOWHERE: all of it. */
static bool settle_all(struct disk *disk, uint64_t leaf)
{
	uint64_t node = leaf / FANOUT, root = node / FANOUT;

	if (disk->leaf_dirty && (leaf == DISK_NOWHERE || disk->leaf_index != leaf)) {
		if (disk->leaf_index < disk->settled)
			return !fail("a leaf would be written twice in a commit: a bug");
		disk->settled = disk->leaf_index + 1;
		if (!settle(disk, MON_DISK_LEAF, disk->leaf_index, &disk->leaf,
			    &disk->node.word[disk->leaf_index % FANOUT]))
			return false;
		disk->leaf_dirty = false;
		disk->node_dirty = true;
	}
	if (disk->node_dirty && (leaf == DISK_NOWHERE || disk->node_index != node)) {
		if (!settle(disk, MON_DISK_NODE, disk->node_index, &disk->node,
			    &disk->root.word[disk->node_index % FANOUT]))
			return false;
		disk->node_dirty = false;
		disk->root_dirty = true;
	}
	if (disk->root_dirty && (leaf == DISK_NOWHERE || disk->root_index != root)) {
		if (!settle(disk, MON_DISK_ROOT, disk->root_index, &disk->root,
			    &disk->super.root[disk->root_index]))
			return false;
		disk->root_dirty = false;
	}
	return true;
}

bool disk_move(struct disk *disk, uint64_t leaf)
{
	uint64_t end;

	if (!settle_all(disk, leaf))
		return false;
	return disk_seek(disk, leaf, &end) != DISK_BAD ||
	       !fail("%s: %s", disk->image.path, disk->why);
}

bool disk_writable(const struct disk *disk)
{
	if (!disk_whole(disk))
		return !fail("%s is damaged, and is left as it is (superblock: %s); "
			     "'export --salvage' gets out what there is",
			     disk->image.path, disk->area[disk->super.commit & 1].why);
	return disk_fits(disk);
}

/*
 * What was found may be in a cache only, and what was before it is written over now. qemu-nbd
 * flushes nothing as long as it has written nothing.
 */
static bool flush_found(struct disk *disk)
{
	static const unsigned char touched[BLOCK] = {0xff};

	if (disk->image.nbd && disk->super.opened &&
	    !image_write(&disk->image, touched, BLOCK, (uint64_t)MON_DISK_TOUCHED * BLOCK))
		return false;
	return image_flush(&disk->image);
}

bool disk_begin(struct disk *disk)
{
	if (disk->super.opened == ~0ULL || disk->super.commit >= ~0ULL - 1)
		return !fail("%s cannot be written any more: its counters are at their end",
			     disk->image.path);
	if (RAND_bytes((unsigned char *)&disk->session, sizeof(disk->session)) != 1)
		return !fail("OpenSSL has no random numbers");
	if (!flush_found(disk))
		return cannot_write(disk);
	disk->count = 0;
	disk->settled = 0;
	disk->super.opened++;
	return true;
}

bool disk_format(struct disk *disk, const unsigned char *key, uint64_t blocks)
{
	struct mon_disk_super *super = &disk->super;

	*super = (struct mon_disk_super){
		.magic = MON_DISK_MAGIC, .version = MON_DISK_VERSION, .blocks = blocks};
	if (RAND_bytes(super->uuid, sizeof(super->uuid)) != 1)
		return !fail("OpenSSL has no random numbers");
	disk->root_index = disk->node_index = disk->leaf_index = DISK_NOWHERE;
	crypto_init(&disk->crypto, key, super->uuid);
	return disk_begin(disk);
}

/* Blocks @first to @end, of those that are loaded, are in @data one behind the other. */
static bool put_run(struct disk *disk, unsigned char *data, unsigned int first, unsigned int end)
{
	uint64_t block = disk_leaf_first(disk->leaf_index);
	unsigned int i;

	for (i = first; i < end; i++) {
		disk->leaf.data[i] = next_seal(disk);
		if (!crypto_encrypt(&disk->crypto, block + i, &disk->leaf.data[i],
				    data + i * BLOCK))
			return !fail("OpenSSL cannot seal a block");
	}
	disk->leaf_dirty = true;
	return image_write(&disk->image, data + first * BLOCK, (uint64_t)(end - first) * BLOCK,
			   disk_data_at(block + first) * BLOCK) ||
	       cannot_write(disk);
}

bool disk_put(struct disk *disk, unsigned char *data, uint64_t *written)
{
	unsigned int nr = disk_leaf_seals(disk->leaf_index, disk->super.blocks), first, i;

	for (i = 0; i < nr; i++) {
		first = i;
		while (i < nr && !disk->leaf.data[i].count && !zeros(data + i * BLOCK, BLOCK))
			i++;
		if (i > first && !put_run(disk, data, first, i))
			return false;
		*written += i - first;
	}
	return true;
}

bool disk_commit(struct disk *disk, bool clean)
{
	struct mon_disk_super *super = &disk->super;
	uint64_t area;

	if (!settle_all(disk, DISK_NOWHERE))
		return false;
	if (!image_flush(&disk->image))
		return cannot_write(disk);
	super->commit++;
	super->flags = clean ? MON_DISK_CLEAN : 0;
	super->records = 0;
	memset(super->record, 0, sizeof(super->record));
	super->seal = next_seal(disk);
	area = super->commit & 1;
	if (!crypto_sign(&disk->crypto, MON_DISK_SUPER, area, super))
		return !fail("OpenSSL cannot seal a block");
	if (!image_write(&disk->image, super, BLOCK,
			 disk_meta_at(MON_DISK_SUPER, area, 0) * BLOCK) ||
	    !image_flush(&disk->image))
		return cannot_write(disk);
	disk->settled = 0;
	return true;
}

/* The seal that a block of the last commit has: the new one, the one before, or none. */
static bool recover_block(struct disk *disk, const struct mon_disk_record *record,
			  unsigned char *data)
{
	enum disk_block state[LEAF_DATA];
	unsigned int i;

	if (!disk_move(disk, disk_leaf_of(record->block, &i)))
		return false;
	disk_read(disk, data, state);
	if (state[i] == BLOCK_UNREADABLE)
		return !fail("%s: offset %" PRIu64 " of the disk cannot be read: nobody knows what "
			     "it is after the crash",
			     disk->image.path, (uint64_t)record->block * BLOCK);
	if (state[i] == BLOCK_BEFORE)
		disk->leaf.data[i] = record->before;
	else if (state[i] == BLOCK_BAD || state[i] == BLOCK_LOST)
		disk->leaf.data[i] = (struct mon_disk_seal){.count = MON_DISK_LOST};
	else
		return true;
	disk->leaf_dirty = true;
	return true;
}

bool disk_recover(struct disk *disk)
{
	static unsigned char data[LEAF_DATA * BLOCK];
	unsigned int i;

	if (!disk->super.records)
		return true;
	for (i = 0; i < disk->super.records; i++)
		if (!recover_block(disk, &disk->record[i], data))
			return false;
	return disk_commit(disk, false);
}
