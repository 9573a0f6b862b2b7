// SPDX-License-Identifier: GPL-2.0-only
/* monctl disk create, resize */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

bool disk_get_key(const struct disk_args *args, unsigned char key[MON_DISK_KEY_SIZE])
{
	return args->new_key ? key_make(args->key, key) : key_read(args->key, key);
}

bool disk_new(struct disk *disk, const struct disk_args *args, const char *path, uint64_t blocks)
{
	unsigned char key[MON_DISK_KEY_SIZE];
	bool good;

	*disk = (struct disk){.image.fd = -1};
	if (!disk_get_key(args, key))
		return false;
	good = image_create(&disk->image, path, args->to, disk_image_blocks(blocks) * BLOCK) &&
	       disk_format(disk, key, blocks);
	OPENSSL_cleanse(key, sizeof(key));
	if (!good && args->new_key)
		unlink(args->key);
	return good;
}

int disk_create(const struct disk_args *args)
{
	uint64_t blocks = disk_size(args->path[1]);
	struct disk disk;
	bool good;

	if (!blocks)
		return EXIT_USAGE;
	if (!disk_new(&disk, args, args->path[0], blocks))
		return EXIT_CANNOT;
	good = disk_commit(&disk, true);
	return disk_close(&disk) && good ? 0 : EXIT_CANNOT;
}

/* ---- resize ---- */

static bool too_small(const struct disk *disk, uint64_t block)
{
	return !fail("%s cannot be that small: something was written at offset %" PRIu64,
		     disk->image.path, block * BLOCK);
}

/* That block and all behind it were never written. */
static bool unwritten_from(struct disk *disk, uint64_t block)
{
	uint64_t leaf, end, nr = disk_leaves(disk->super.blocks);
	enum disk_found found;
	unsigned int i;

	for (leaf = disk_leaf_of(block, &i); leaf < nr; leaf = end, i = 0) {
		found = disk_seek(disk, leaf, &end);
		if (found == DISK_BAD)
			return !fail("%s: %s", disk->image.path, disk->why);
		while (found == DISK_THERE && i < LEAF_DATA && !disk->leaf.data[i].count)
			i++;
		if (found == DISK_THERE && i < LEAF_DATA)
			return too_small(disk, disk_leaf_first(leaf) + i);
	}
	return true;
}

/* Words of leaves that have no written block left, from the first one behind the new end on. */
static bool cut_words(struct disk *disk, uint64_t blocks)
{
	uint64_t leaf = disk_leaves(blocks), node = leaf / MON_DISK_FANOUT;
	uint64_t root = node / MON_DISK_FANOUT, i, unused;

	if (leaf % MON_DISK_FANOUT || node % MON_DISK_FANOUT) {
		if (disk_seek(disk, leaf, &unused) == DISK_BAD)
			return !fail("%s: %s", disk->image.path, disk->why);
		for (i = leaf % MON_DISK_FANOUT; i && i < MON_DISK_FANOUT; i++) {
			disk->node_dirty |= disk->node.word[i].count;
			disk->node.word[i] = (struct mon_disk_word){0};
		}
		i = node % MON_DISK_FANOUT + !!(leaf % MON_DISK_FANOUT);
		for (; i < MON_DISK_FANOUT; i++) {
			disk->root_dirty |= disk->root.word[i].count;
			disk->root.word[i] = (struct mon_disk_word){0};
		}
		root++;
	}
	for (i = root; i < MON_DISK_ROOTS; i++)
		disk->super.root[i] = (struct mon_disk_word){0};
	disk->leaf_index = DISK_NOWHERE;
	return true;
}

/* The image is larger before the disk is, and smaller after. */
static bool resize(struct disk *disk, const char *format, uint64_t blocks)
{
	uint64_t before = disk->super.blocks, size = disk_image_blocks(blocks) * BLOCK;

	if (blocks > before && disk->image.size < size && disk->image.device)
		return !fail("%s has %" PRIu64 " bytes, and that disk needs %" PRIu64,
			     disk->image.path, disk->image.size, size);
	if (blocks > before && disk->image.size < size && !image_resize(&disk->image, format, size))
		return false;
	if (blocks < before && (!unwritten_from(disk, blocks) || !cut_words(disk, blocks)))
		return false;
	disk->super.blocks = blocks;
	if (!disk_commit(disk, true))
		return false;
	return blocks > before || image_resize(&disk->image, format, size);
}

int disk_resize(const struct disk_args *args)
{
	uint64_t blocks = disk_size(args->path[1]);
	struct disk disk;
	bool good;

	if (!blocks)
		return EXIT_USAGE;
	if (!disk_open(&disk, args->path[0], args->from, args->key, true))
		return EXIT_CANNOT;
	good = disk_writable(&disk) && disk_begin(&disk) && disk_recover(&disk) &&
	       resize(&disk, args->from, blocks);
	return disk_close(&disk) && good ? 0 : EXIT_CANNOT;
}
