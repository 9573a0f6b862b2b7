// SPDX-License-Identifier: GPL-2.0-only
/*
 * monctl disk import: from the first block to the last, so the last block that a commit has
 * says how far an import that was killed had come. That its source is the same is known by
 * comparing all that is there.
 */
#include <inttypes.h>
#include <openssl/crypto.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

/**
 * struct import - what is copied where
 * @disk: the destination
 * @source: the source
 * @blocks: of both
 * @data: the blocks of a leaf, from the source
 * @there: the same from the destination
 */
struct import {
	struct disk disk;
	struct image source;
	uint64_t blocks;
	unsigned char data[LEAF_DATA * BLOCK];
	unsigned char there[LEAF_DATA * BLOCK];
};

/* The blocks of that leaf; what is behind the source's end is zeros. */
static bool read_source(struct import *im, uint64_t leaf)
{
	uint64_t at = disk_leaf_first(leaf) * BLOCK;
	uint64_t size = (uint64_t)disk_leaf_seals(leaf, im->blocks) * BLOCK;

	memset(im->data, 0, sizeof(im->data));
	if (size > im->source.size - at)
		size = im->source.size - at;
	return image_read(&im->source, im->data, size, at) ||
	       !fail("cannot read %s: %s", im->source.path, im->source.error);
}

/* The first leaf from @leaf on which may have data; the number of leaves if there is none. */
static bool next_leaf(struct import *im, uint64_t *leaf)
{
	uint64_t start, end;
	unsigned int i;

	if (!image_data(&im->source, disk_leaf_first(*leaf) * BLOCK, &start, &end))
		return !fail("cannot ask %s for its holes: %s", im->source.path, im->source.error);
	*leaf = start < im->source.size ? disk_leaf_of(start / BLOCK, &i) : disk_leaves(im->blocks);
	return true;
}

static bool copy(struct import *im, uint64_t leaf, uint64_t commit)
{
	uint64_t nr = disk_leaves(im->blocks), written = 0;

	while (leaf < nr) {
		if (!next_leaf(im, &leaf))
			return false;
		if (leaf >= nr)
			break;
		if (!read_source(im, leaf) || !disk_move(&im->disk, leaf) ||
		    !disk_put(&im->disk, im->data, &written))
			return false;
		if (written >= commit) {
			if (!disk_commit(&im->disk, false))
				return false;
			written = 0;
		}
		leaf++;
		progress("import", disk_leaf_first(leaf), im->blocks);
	}
	return disk_commit(&im->disk, true);
}

/* ---- going on ---- */

static bool differs(const struct import *im, uint64_t block)
{
	return !fail("%s is no part of an import of %s: they differ at offset %" PRIu64,
		     im->disk.image.path, im->source.path, block * BLOCK);
}

/* Leaves from @leaf to @end were never written: the first block that the source has there. */
static bool find_missing(struct import *im, uint64_t leaf, uint64_t end, uint64_t *missing)
{
	unsigned int i;

	for (; leaf < end; leaf++) {
		if (!next_leaf(im, &leaf))
			return false;
		if (leaf >= end)
			return true;
		if (!read_source(im, leaf))
			return false;
		for (i = 0; i < LEAF_DATA; i++)
			if (!zeros(im->data + i * BLOCK, BLOCK)) {
				*missing = disk_leaf_first(leaf) + i;
				return true;
			}
	}
	return true;
}

/* The leaf that is loaded. Once a block is missing, none behind it may be there. */
static bool compare_leaf(struct import *im, uint64_t leaf, uint64_t *missing)
{
	uint64_t first = disk_leaf_first(leaf);
	enum disk_block state[LEAF_DATA];
	unsigned int i;

	disk_read(&im->disk, im->there, state);
	if (*missing == DISK_NOWHERE && !read_source(im, leaf))
		return false;
	for (i = 0; i < LEAF_DATA; i++) {
		if (state[i] > BLOCK_GOOD)
			return !fail("%s: offset %" PRIu64 " of the disk %s", im->disk.image.path,
				     (first + i) * BLOCK, disk_block_why(state[i]));
		if (state[i] == BLOCK_GOOD && *missing != DISK_NOWHERE)
			return differs(im, *missing);
		if (state[i] == BLOCK_GOOD &&
		    memcmp(im->data + i * BLOCK, im->there + i * BLOCK, BLOCK))
			return differs(im, first + i);
		if (state[i] == BLOCK_UNWRITTEN && *missing == DISK_NOWHERE &&
		    !zeros(im->data + i * BLOCK, BLOCK))
			*missing = first + i;
	}
	return true;
}

static bool compare(struct import *im, uint64_t *missing)
{
	uint64_t nr = disk_leaves(im->blocks), leaf, end;
	enum disk_found found;

	*missing = DISK_NOWHERE;
	for (leaf = 0; leaf < nr; leaf = end) {
		found = disk_seek(&im->disk, leaf, &end);
		if (found == DISK_BAD)
			return !fail("%s: %s", im->disk.image.path, im->disk.why);
		if (end > nr)
			end = nr;
		if (found == DISK_THERE && !compare_leaf(im, leaf, missing))
			return false;
		if (found == DISK_UNWRITTEN && *missing == DISK_NOWHERE &&
		    !find_missing(im, leaf, end, missing))
			return false;
		progress("compare", disk_leaf_first(end), im->blocks);
	}
	return true;
}

static bool go_on(struct import *im, uint64_t commit)
{
	bool clean = im->disk.super.flags & MON_DISK_CLEAN;
	uint64_t missing, leaf = disk_leaves(im->blocks);
	unsigned int i;

	if (im->disk.super.blocks != im->blocks)
		return !fail("%s is no part of an import of %s: it has %" PRIu64
			     " blocks, and that %" PRIu64,
			     im->disk.image.path, im->source.path, (uint64_t)im->disk.super.blocks,
			     im->blocks);
	if (im->disk.super.records)
		return !fail("%s is no part of an import: a VM has used it", im->disk.image.path);
	if (!disk_writable(&im->disk) || !compare(im, &missing))
		return false;
	progress(NULL, 0, 0);
	if (missing != DISK_NOWHERE && clean)
		return differs(im, missing);
	if (clean) {
		printf("%s has all of it already\n", im->disk.image.path);
		return true;
	}
	if (missing != DISK_NOWHERE) {
		leaf = disk_leaf_of(missing, &i);
		printf("goes on at offset %" PRIu64 "\n", missing * BLOCK);
	}
	return disk_begin(&im->disk) && copy(im, leaf, commit);
}

/* ---- the beginning ---- */

static bool begin(struct import *im, const struct disk_args *args)
{
	return disk_new(&im->disk, args, args->path[1], im->blocks) &&
	       disk_commit(&im->disk, false) && copy(im, 0, args->commit);
}

/* It was killed before its first superblock: an image, and nothing in it. */
static bool nothing_yet(struct image *image)
{
	const size_t size = MON_DISK_FIRST_CHUNK * BLOCK;
	unsigned char *head = calloc(1, size);
	bool nothing = head && image_read(image, head, size, 0) && zeros(head, size);

	free(head);
	return nothing;
}

static bool resume(struct import *im, const struct disk_args *args)
{
	unsigned char key[MON_DISK_KEY_SIZE];
	const char *path = args->path[1];
	struct stat st;
	bool good;

	if (stat(path, &st))
		return begin(im, args);
	if (S_ISREG(st.st_mode) && !st.st_size)
		return !unlink(path) && begin(im, args);
	if (!disk_get_key(args, key) || !image_open(&im->disk.image, path, args->to, true))
		return false;
	if (disk_find(&im->disk, key))
		good = go_on(im, args->commit);
	else if (im->disk.image.size >= disk_image_blocks(im->blocks) * BLOCK &&
		 nothing_yet(&im->disk.image))
		good = disk_format(&im->disk, key, im->blocks) && disk_commit(&im->disk, false) &&
		       copy(im, 0, args->commit);
	else
		good = !fail("%s: %s", path, im->disk.why);
	OPENSSL_cleanse(key, sizeof(key));
	return good;
}

static bool open_source(struct import *im, const struct disk_args *args)
{
	if (!image_open(&im->source, args->path[0], args->from, false))
		return false;
	im->blocks = im->source.size / BLOCK + !!(im->source.size % BLOCK);
	if (!im->blocks)
		return !fail("%s is empty", im->source.path);
	if (im->blocks > MON_DISK_BLOCKS_MAX)
		return !fail("%s has %" PRIu64 " bytes, and a sealed disk at most %" PRIu64,
			     im->source.path, im->source.size,
			     (uint64_t)MON_DISK_BLOCKS_MAX * BLOCK);
	if (im->source.size % BLOCK)
		printf("its size is not a multiple of %d: the disk has %" PRIu64 " bytes, the last "
		       "of them zeros\n",
		       BLOCK, im->blocks * BLOCK);
	return true;
}

int disk_import(const struct disk_args *args)
{
	struct import *im = calloc(1, sizeof(*im));
	bool good;

	if (!im)
		return fail("out of memory");
	im->source.fd = im->disk.image.fd = -1;
	good = open_source(im, args) && (args->resume ? resume(im, args) : begin(im, args));
	progress(NULL, 0, 0);
	good = disk_close(&im->disk) && good;
	image_close(&im->source);
	free(im);
	return good ? 0 : EXIT_CANNOT;
}
