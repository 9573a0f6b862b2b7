// SPDX-License-Identifier: GPL-2.0-only
/* monctl disk export: what the guest has, for who has the key. The disk is only read. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

/**
 * struct export_run - what is copied where
 * @disk: the source
 * @target: the destination
 * @salvage: zeros for what cannot be read, and go on
 * @bad: how many blocks those were
 * @data: the blocks of a leaf
 */
struct export_run {
	struct disk disk;
	struct image target;
	bool salvage;
	uint64_t bad;
	unsigned char data[LEAF_DATA * BLOCK];
};

static bool put(struct export_run *ex, unsigned int first, unsigned int end)
{
	uint64_t at = (disk_leaf_first(ex->disk.leaf_index) + first) * BLOCK;

	return image_write(&ex->target, ex->data + first * BLOCK, (uint64_t)(end - first) * BLOCK,
			   at) ||
	       !fail("cannot write %s: %s", ex->target.path, ex->target.error);
}

/* Blocks from @first on; a leaf that is bad is so many. */
static bool bad(struct export_run *ex, uint64_t first, uint64_t nr, const char *why)
{
	ex->bad += nr;
	fail("%s: offset %" PRIu64 " of the disk: %s%s", ex->disk.image.path, first * BLOCK, why,
	     ex->salvage ? "; zeros" : "; --salvage goes on behind it");
	return ex->salvage;
}

static bool export_leaf(struct export_run *ex)
{
	uint64_t block = disk_leaf_first(ex->disk.leaf_index);
	unsigned int nr = disk_leaf_seals(ex->disk.leaf_index, ex->disk.super.blocks), first, i;
	enum disk_block state[LEAF_DATA];

	disk_read(&ex->disk, ex->data, state);
	for (i = 0; i < nr; i++)
		if (state[i] >= BLOCK_LOST && !bad(ex, block + i, 1, disk_block_why(state[i])))
			return false;
	for (i = 0; i < nr; i++) {
		first = i;
		while (i < nr && (ex->target.device || !zeros(ex->data + i * BLOCK, BLOCK)))
			i++;
		if (i > first && !put(ex, first, i))
			return false;
	}
	return true;
}

/* A device may have anything where the disk has nothing. */
static bool zero(struct export_run *ex, uint64_t leaf, uint64_t end)
{
	static const unsigned char none[LEAF_DATA * BLOCK];

	for (; ex->target.device && leaf < end; leaf++)
		if (!image_write(&ex->target, none,
				 (uint64_t)disk_leaf_seals(leaf, ex->disk.super.blocks) * BLOCK,
				 disk_leaf_first(leaf) * BLOCK))
			return !fail("cannot write %s: %s", ex->target.path, ex->target.error);
	return true;
}

static uint64_t blocks_between(const struct export_run *ex, uint64_t leaf, uint64_t end)
{
	uint64_t last = disk_leaf_first(end);

	return (last < ex->disk.super.blocks ? last : ex->disk.super.blocks) -
	       disk_leaf_first(leaf);
}

static bool copy(struct export_run *ex)
{
	uint64_t nr = disk_leaves(ex->disk.super.blocks), leaf, end;
	enum disk_found found;
	bool good = true;

	for (leaf = 0; good && leaf < nr; leaf = end) {
		found = disk_seek(&ex->disk, leaf, &end);
		if (end > nr)
			end = nr;
		if (found == DISK_BAD)
			good = bad(ex, disk_leaf_first(leaf), blocks_between(ex, leaf, end),
				   ex->disk.why);
		if (good)
			good = found == DISK_THERE ? export_leaf(ex) : zero(ex, leaf, end);
		progress("export", disk_leaf_first(end), ex->disk.super.blocks);
	}
	progress(NULL, 0, 0);
	if (good && !image_flush(&ex->target))
		good = !fail("cannot write %s: %s", ex->target.path, ex->target.error);
	return good;
}

/* Half of a disk is not left to be taken for one. */
static bool export_to(struct export_run *ex, const struct disk_args *args)
{
	bool good;

	if (!image_create(&ex->target, args->path[1], args->to, ex->disk.super.blocks * BLOCK))
		return false;
	good = copy(ex);
	good = image_close(&ex->target) && good;
	if (!good && !ex->target.device)
		unlink(args->path[1]);
	return good;
}

int disk_export(const struct disk_args *args)
{
	struct export_run *ex = calloc(1, sizeof(*ex));
	int status = EXIT_CANNOT;

	if (!ex)
		return fail("out of memory");
	ex->salvage = args->salvage;
	if (disk_open(&ex->disk, args->path[0], args->from, args->key, false)) {
		if (!disk_whole(&ex->disk) && !args->salvage)
			fail("%s is damaged (superblock: %s); --salvage exports what there is",
			     args->path[0], ex->disk.area[ex->disk.super.commit & 1].why);
		else if ((args->salvage || disk_fits(&ex->disk)) && export_to(ex, args))
			status = ex->bad ? EXIT_DAMAGED : 0;
		disk_close(&ex->disk);
	}
	if (status == EXIT_DAMAGED)
		fail("%" PRIu64 " blocks are zeros that were something else", ex->bad);
	free(ex);
	return status;
}
