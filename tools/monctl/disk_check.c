// SPDX-License-Identifier: GPL-2.0-only
/* monctl disk check: is all there as it was written with the key? Nothing is changed. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include "disk.h"
#include "monctl.h"

/**
 * struct check - what was found
 * @disk: that is checked
 * @quick: without its data
 * @problems: how many lines were printed of them
 * @written, @before, @lost: blocks
 * @run, @run_first, @run_end: blocks with the same problem, one behind the other
 * @data: the blocks of a leaf
 */
struct check {
	struct disk disk;
	bool quick;
	uint64_t problems;
	uint64_t written;
	uint64_t before;
	uint64_t lost;
	enum disk_block run;
	uint64_t run_first;
	uint64_t run_end;
	unsigned char data[LEAF_DATA * BLOCK];
};

static void end_run(struct check *c)
{
	if (c->run_first == c->run_end)
		return;
	c->problems++;
	printf("offset %" PRIu64 ", %" PRIu64 " block%s: %s\n", c->run_first * BLOCK,
	       c->run_end - c->run_first, c->run_end - c->run_first == 1 ? "" : "s",
	       disk_block_why(c->run));
	c->run_first = c->run_end;
}

static void found_block(struct check *c, uint64_t block, enum disk_block state)
{
	c->written += state == BLOCK_GOOD || state == BLOCK_BEFORE;
	c->before += state == BLOCK_BEFORE;
	c->lost += state == BLOCK_LOST;
	if (state < BLOCK_LOST)
		return;
	if (block != c->run_end || state != c->run) {
		end_run(c);
		c->run_first = block;
		c->run = state;
	}
	c->run_end = block + 1;
}

/* With --quick a block is what its seal says. */
static void check_blocks(struct check *c)
{
	uint64_t block = disk_leaf_first(c->disk.leaf_index);
	unsigned int nr = disk_leaf_seals(c->disk.leaf_index, c->disk.super.blocks), i;
	const struct mon_disk_seal *seal = c->disk.leaf.data;
	enum disk_block state[LEAF_DATA];

	for (i = 0; c->quick && i < nr; i++)
		state[i] = !seal[i].count		    ? BLOCK_UNWRITTEN
			   : seal[i].count == MON_DISK_LOST ? BLOCK_LOST
							    : BLOCK_GOOD;
	if (!c->quick)
		disk_read(&c->disk, c->data, state);
	for (i = 0; i < nr; i++)
		found_block(c, block + i, state[i]);
	for (; i < LEAF_DATA && !seal[i].count; i++)
		;
	if (i < LEAF_DATA) {
		c->problems++;
		printf("leaf %" PRIu64 ": it has seals of blocks that the disk has not\n",
		       c->disk.leaf_index);
	}
}

/* Words of what is behind the end, in the node and the root that are loaded. */
static void check_end(struct check *c, uint64_t leaves)
{
	uint64_t nodes = (leaves - 1) / MON_DISK_FANOUT + 1, i;
	bool wrong = false;

	if (c->disk.node_index == nodes - 1)
		for (i = (leaves - 1) % MON_DISK_FANOUT + 1; i < MON_DISK_FANOUT; i++)
			wrong |= c->disk.node.word[i].count;
	if (c->disk.root_index == (nodes - 1) / MON_DISK_FANOUT)
		for (i = (nodes - 1) % MON_DISK_FANOUT + 1; i < MON_DISK_FANOUT; i++)
			wrong |= c->disk.root.word[i].count;
	if (!wrong)
		return;
	c->problems++;
	puts("there are leaves or nodes behind the disk's end");
}

static void check_all(struct check *c)
{
	uint64_t nr = disk_leaves(c->disk.super.blocks), leaf, end, last;

	for (leaf = 0; leaf < nr; leaf = end) {
		switch (disk_seek(&c->disk, leaf, &end)) {
		case DISK_THERE:
			check_blocks(c);
			break;
		case DISK_UNWRITTEN:
			break;
		case DISK_BAD:
			end_run(c);
			c->problems++;
			last = end < nr ? disk_leaf_first(end) : c->disk.super.blocks;
			progress(NULL, 0, 0);
			printf("offset %" PRIu64 ", up to %" PRIu64 " blocks: %s\n",
			       disk_leaf_first(leaf) * BLOCK, last - disk_leaf_first(leaf),
			       c->disk.why);
		}
		progress("check", disk_leaf_first(end), c->disk.super.blocks);
	}
	progress(NULL, 0, 0);
	end_run(c);
	check_end(c, nr);
}

static void check_super(struct check *c)
{
	const struct mon_disk_super *super = &c->disk.super;
	const struct disk_area *other = &c->disk.area[!(super->commit & 1)];
	uint64_t needed = disk_image_blocks(super->blocks) * BLOCK;

	if (!disk_whole(&c->disk)) {
		c->problems++;
		printf("the superblock of commit %" PRIu64 " is not whole: %s\n",
		       (uint64_t)super->commit, c->disk.area[super->commit & 1].why);
	}
	if (c->disk.image.size < needed) {
		c->problems++;
		printf("the image has been cut: it has %" PRIu64 " bytes of %" PRIu64 "\n",
		       c->disk.image.size, needed);
	}
	if (other->sealed && other->super.commit > super->commit)
		printf("commit %" PRIu64 " was not over in a crash (%s): the one before counts\n",
		       (uint64_t)other->super.commit, other->why);
	else if (!other->sealed && super->commit > 1)
		printf("superblock %u does not count: %s\n", !(unsigned int)(super->commit & 1),
		       other->why);
}

static void summary(const struct check *c)
{
	const struct mon_disk_super *super = &c->disk.super;

	printf("%s: commit %" PRIu64 ", %s; %" PRIu64 " of %" PRIu64 " blocks written, %" PRIu64
	       " lost",
	       c->disk.image.path, (uint64_t)super->commit,
	       super->flags & MON_DISK_CLEAN ? "closed" : "not closed", c->written,
	       (uint64_t)super->blocks, c->lost);
	if (c->before)
		printf(", %" PRIu64 " as before the last commit", c->before);
	printf("; %" PRIu64 " problem%s%s\n", c->problems, c->problems == 1 ? "" : "s",
	       c->quick ? " (data was not read)" : "");
}

int disk_check(const struct disk_args *args)
{
	struct check *c = calloc(1, sizeof(*c));
	int status = EXIT_CANNOT;

	if (!c)
		return fail("out of memory");
	c->quick = args->quick;
	if (disk_open(&c->disk, args->path[0], args->from, args->key, false)) {
		check_super(c);
		check_all(c);
		summary(c);
		status = c->problems ? EXIT_DAMAGED : 0;
		disk_close(&c->disk);
	}
	free(c);
	return status;
}
