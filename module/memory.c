// SPDX-License-Identifier: GPL-2.0-only
/*
 * Frames for the monitor. They come in blocks of 2 MiB where the buddy system
 * has them, so that taking them out of the host's EPT splits few large pages.
 * Of a block that is partly used the rest goes to the monitor's pool.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/ioport.h>
#include "monitor.h"

#define BLOCK_ORDER 9
#define MAX_BLOCKS 2048

static struct block {
	struct page *page;
	unsigned int order;
	unsigned int used; /* pages */
} *blocks;

static unsigned int nr_blocks;
static u64 *root;

static struct block *block_new(unsigned int min_order)
{
	unsigned int order = max_t(unsigned int, BLOCK_ORDER, min_order);
	gfp_t gfp = GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
	struct page *page = NULL;

	if (nr_blocks == MAX_BLOCKS)
		return NULL;
	for (;; order--) {
		page = alloc_pages(gfp, order);
		if (page || order == min_order)
			break;
	}
	if (!page)
		return NULL;
	if (mon_frames_out(page, order) < 0) {
		__free_pages(page, order);
		return NULL;
	}
	blocks[nr_blocks] = (struct block){ .page = page, .order = order };
	return &blocks[nr_blocks++];
}

void *mon_alloc_pages(unsigned int nr)
{
	struct block *b = NULL;
	unsigned int i;

	for (i = 0; i < nr_blocks; i++)
		if ((1U << blocks[i].order) - blocks[i].used >= nr)
			b = &blocks[i];
	if (!b)
		b = block_new(get_order(nr * PAGE_SIZE));
	if (!b)
		return NULL;
	b->used += nr;
	return page_address(b->page) + (b->used - nr) * PAGE_SIZE;
}

int mon_pool_add(unsigned int nr)
{
	unsigned int i, have = 0;

	for (i = 0; i < nr_blocks; i++)
		have += (1U << blocks[i].order) - blocks[i].used;
	while (have < nr) {
		struct block *b = block_new(0);

		if (!b)
			return -ENOMEM;
		have += 1U << b->order;
	}
	return 0;
}

void mon_memory_describe(struct mon_boot_info *info)
{
	unsigned int i;

	for (i = 0; i < nr_blocks; i++)
		if (blocks[i].used)
			info->chunk[info->nr_claimed++] = (struct mon_chunk){
				page_to_pfn(blocks[i].page), blocks[i].used };
	info->nr_chunks = info->nr_claimed;
	for (i = 0; i < nr_blocks; i++) {
		unsigned int left = (1U << blocks[i].order) - blocks[i].used;

		if (left)
			info->chunk[info->nr_chunks++] = (struct mon_chunk){
				page_to_pfn(blocks[i].page) + blocks[i].used, left };
	}
}

bool mon_memory_block(unsigned int i, struct mon_chunk *chunk)
{
	if (i >= nr_blocks)
		return false;
	*chunk = (struct mon_chunk){ page_to_pfn(blocks[i].page), 1ULL << blocks[i].order };
	return true;
}

int mon_memory_init(void)
{
	blocks = kvcalloc(MAX_BLOCKS, sizeof(*blocks), GFP_KERNEL);
	if (!blocks)
		return -ENOMEM;
	root = mon_alloc_pages(1);
	if (!root) {
		mon_memory_free();
		return -ENOMEM;
	}
	return 0;
}

void mon_memory_free(void)
{
	mon_frames_free_all();
	kvfree(blocks);
	blocks = NULL;
	nr_blocks = 0;
	root = NULL;
}

u64 mon_root_pa(void)
{
	return __pa(root);
}

/* ---- the monitor's own page tables, made once (4 or 5 levels, as the host has) ---- */

#define ENTRY_PRESENT 1ULL
#define ENTRY_WRITE 2ULL
#define ENTRY_ACCESSED_DIRTY 0x60ULL
#define ENTRY_LARGE 0x80ULL
#define ENTRY_NX (1ULL << 63)
#define ENTRY_ADDR 0x000ffffffffff000ULL

static unsigned int top_level(void)
{
	return (__read_cr4() & X86_CR4_LA57) ? 5 : 4;
}

static u64 level_size(unsigned int level)
{
	return 1ULL << (12 + 9 * (level - 1));
}

static int map_one(u64 va, u64 pa, u64 flags, unsigned int leaf)
{
	unsigned int level = top_level();
	u64 *table = root, *entry;

	for (;; level--) {
		entry = &table[(va >> (12 + 9 * (level - 1))) & 511];
		if (level == leaf)
			break;
		if (!*entry) {
			void *next = mon_alloc_pages(1);

			if (!next)
				return -ENOMEM;
			*entry = __pa(next) | ENTRY_PRESENT | ENTRY_WRITE | ENTRY_ACCESSED_DIRTY;
		}
		if (WARN_ON_ONCE(*entry & ENTRY_LARGE))
			return -EEXIST;
		table = __va(*entry & ENTRY_ADDR);
	}
	if (WARN_ON_ONCE(*entry))
		return -EEXIST;
	*entry = pa | flags | (leaf > 1 ? ENTRY_LARGE : 0);
	return 0;
}

int mon_map(u64 va, u64 pa, u64 size, bool write, bool exec)
{
	u64 flags = ENTRY_PRESENT | ENTRY_ACCESSED_DIRTY | (write ? ENTRY_WRITE : 0) |
		    (exec ? 0 : ENTRY_NX);
	unsigned int leaf;
	int err;

	while (size) {
		leaf = boot_cpu_has(X86_FEATURE_GBPAGES) ? 3 : 2;
		while (leaf > 1 &&
		       (((va | pa) & (level_size(leaf) - 1)) || size < level_size(leaf)))
			leaf--;
		err = map_one(va, pa, flags, leaf);
		if (err)
			return err;
		va += level_size(leaf);
		pa += level_size(leaf);
		size -= level_size(leaf);
	}
	return 0;
}
