// SPDX-License-Identifier: GPL-2.0-only
/* Where on the image is what. */
#include "internal.h"

_Static_assert(sizeof(struct mon_disk_leaf) == BLOCK && sizeof(struct mon_disk_node) == BLOCK, "");
_Static_assert(sizeof(struct mon_disk_super) == BLOCK, "and its records");
_Static_assert(sizeof(struct mon_disk_journal) == BLOCK, "and more of them");
_Static_assert(MON_DISK_LEAF + 1 == MON_DISK_NODE && MON_DISK_NODE + 1 == MON_DISK_ROOT,
	       "the one above is of the next kind");

static u64 chunk_start(u64 chunk)
{
	return MON_DISK_FIRST_CHUNK + chunk * MON_DISK_CHUNK_BLOCKS;
}

u64 place_data(u64 block)
{
	return chunk_start(block / MON_DISK_CHUNK_DATA) + MON_DISK_CHUNK_HEAD +
	       block % MON_DISK_CHUNK_DATA;
}

u64 disk_image_blocks(u64 blocks)
{
	return blocks ? place_data(blocks - 1) + 1 : 0;
}

/* @slot: 0 or 1; of an area, the block in it. */
u64 place_meta(u32 kind, u64 index, u32 slot)
{
	switch (kind) {
	case MON_DISK_ROOT:
		return chunk_start(index * FANOUT) + slot;
	case MON_DISK_NODE:
		return chunk_start(index) + 2 + slot;
	case MON_DISK_LEAF:
		return chunk_start(index / FANOUT) + 4 + index % FANOUT * 2 + slot;
	default:
		return index * MON_DISK_AREA_BLOCKS + slot;
	}
}

/* Which leaf has the block's seal, and which of its seals it is. */
u64 place_leaf(u64 block, u32 *i)
{
	u64 chunk = block / MON_DISK_CHUNK_DATA, in_chunk = block % MON_DISK_CHUNK_DATA;

	*i = (u32)(in_chunk % MON_DISK_LEAF_DATA);
	return chunk * FANOUT + in_chunk / MON_DISK_LEAF_DATA;
}

/* Behind the last block of its chunk: up to there they follow each other on the image, too. */
u64 place_chunk_end(u64 block)
{
	return (block / MON_DISK_CHUNK_DATA + 1) * MON_DISK_CHUNK_DATA;
}

/* The first block of a leaf. */
u64 place_first(u64 leaf)
{
	return leaf / FANOUT * MON_DISK_CHUNK_DATA + leaf % FANOUT * MON_DISK_LEAF_DATA;
}

/* The last leaf of a chunk has two seals that are of no block. */
u32 place_seals(u64 leaf)
{
	return (u32)(place_first(leaf + 1) - place_first(leaf));
}
