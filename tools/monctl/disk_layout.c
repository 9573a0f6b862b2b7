// SPDX-License-Identifier: GPL-2.0-only
/* Where in its image a sealed disk has what, and what a superblock may say. */
#include <string.h>
#include "disk.h"

_Static_assert(sizeof(struct mon_disk_super) == BLOCK, "a superblock is a block");
_Static_assert(sizeof(struct mon_disk_journal) == BLOCK, "a block of journal is a block");
_Static_assert(sizeof(struct mon_disk_leaf) == BLOCK, "a leaf is a block");
_Static_assert(sizeof(struct mon_disk_node) == BLOCK, "a node is a block");
_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the format is the CPU's");

#define CHUNK_DATA MON_DISK_CHUNK_DATA

static uint64_t chunk_at(uint64_t chunk)
{
	return MON_DISK_FIRST_CHUNK + chunk * MON_DISK_CHUNK_BLOCKS;
}

uint64_t disk_data_at(uint64_t block)
{
	return chunk_at(block / CHUNK_DATA) + MON_DISK_CHUNK_HEAD + block % CHUNK_DATA;
}

uint64_t disk_image_blocks(uint64_t blocks)
{
	return disk_data_at(blocks - 1) + 1;
}

uint64_t disk_leaf_of(uint64_t block, unsigned int *i)
{
	*i = block % CHUNK_DATA % LEAF_DATA;
	return block / CHUNK_DATA * MON_DISK_FANOUT + block % CHUNK_DATA / LEAF_DATA;
}

uint64_t disk_leaves(uint64_t blocks)
{
	unsigned int i;

	return disk_leaf_of(blocks - 1, &i) + 1;
}

uint64_t disk_leaf_first(uint64_t leaf)
{
	return leaf / MON_DISK_FANOUT * CHUNK_DATA + leaf % MON_DISK_FANOUT * LEAF_DATA;
}

unsigned int disk_leaf_seals(uint64_t leaf, uint64_t blocks)
{
	uint64_t first = disk_leaf_first(leaf);
	unsigned int max = LEAF_DATA;

	if (leaf % MON_DISK_FANOUT == MON_DISK_FANOUT - 1) /* the chunk is over before it */
		max = CHUNK_DATA - (MON_DISK_FANOUT - 1) * LEAF_DATA;
	if (first >= blocks)
		return 0;
	return blocks - first < max ? blocks - first : max;
}

uint64_t disk_meta_at(enum mon_disk_kind kind, uint64_t index, unsigned int slot)
{
	switch (kind) {
	case MON_DISK_ROOT:
		return chunk_at(index * MON_DISK_FANOUT) + slot;
	case MON_DISK_NODE:
		return chunk_at(index) + 2 + slot;
	case MON_DISK_LEAF:
		return chunk_at(index / MON_DISK_FANOUT) + 4 + 2 * (index % MON_DISK_FANOUT) + slot;
	default: /* an area */
		return index * MON_DISK_AREA_BLOCKS;
	}
}

/* Who has the key may have made it, and may want harm, too. */
const char *disk_super_wrong(const struct mon_disk_super *s, unsigned int area)
{
	uint64_t i, nr;

	if (s->magic != MON_DISK_MAGIC)
		return "it is no superblock";
	if (s->version != MON_DISK_VERSION)
		return "its version is unknown: a newer monctl may read it";
	if (s->seal.count == 0 || s->seal.count >> 63)
		return "its seal has no count";
	if (s->flags & ~MON_DISK_CLEAN)
		return "it has unknown flags";
	if (s->commit == 0 || (s->commit & 1) != area)
		return "its commit is not one of this area";
	if (s->blocks == 0 || s->blocks > MON_DISK_BLOCKS_MAX)
		return "its size is impossible";
	if (s->records > MON_DISK_RECORDS_MAX)
		return "it has too many records";
	if (s->records && s->flags & MON_DISK_CLEAN)
		return "it is closed and has records";
	if (s->reserved || !zeros(s->reserved2, sizeof(s->reserved2)))
		return "its reserved bytes are not 0";
	nr = (disk_leaves(s->blocks) - 1) / MON_DISK_FANOUT / MON_DISK_FANOUT + 1;
	for (i = nr; i < MON_DISK_ROOTS; i++)
		if (s->root[i].count)
			return "it has a root behind its end";
	return NULL;
}

bool zeros(const void *data, size_t size)
{
	const uint64_t *word = data;

	for (size /= 8; size; size--)
		if (*word++)
			return false;
	return true;
}
