// SPDX-License-Identifier: GPL-2.0-only
/*
 * Leaves, nodes and roots in memory: a cache in sets of eight frames. What is in it is what the
 * superblock in memory says, through all that is above it; it was verified when it came.
 */
#include "internal.h"

struct disk_frame *tree_frame(struct disk *d, u32 i)
{
	return &d->frame_page[i / FRAMES_PER_PAGE][i % FRAMES_PER_PAGE];
}

/* Where a set begins. Leaves side by side, and their nodes, are in different sets. */
static u32 set_of(const struct disk *d, u32 kind, u64 index)
{
	return (u32)((index + kind * 5) % (d->frames / WAYS)) * WAYS;
}

static struct disk_frame *find(struct disk *d, u32 kind, u64 index)
{
	u32 set = set_of(d, kind, index), i;
	struct disk_frame *f;

	for (i = set; i < set + WAYS; i++) {
		f = tree_frame(d, i);
		if (f->state != FRAME_EMPTY && f->kind == kind && f->index == index)
			return f;
	}
	return NULL;
}

/* ---- load ---- */

static bool evictable(const struct disk_frame *f)
{
	return f->state != FRAME_LOADING && !f->pinned && !f->writing && !f->fresh;
}

/*
 * The one that was not used for the longest time. One that somebody waited for, and has not
 * seen yet, gets another round.
 */
static u32 victim(struct disk *d, u32 set)
{
	u32 i, best = NO_REF;
	struct disk_frame *f;

	for (i = set; i < set + WAYS; i++) {
		f = tree_frame(d, i);
		if (evictable(f) && (best == NO_REF || f->used < tree_frame(d, best)->used))
			best = i;
	}
	for (i = set; i < set + WAYS && best == NO_REF; i++) {
		f = tree_frame(d, i);
		d->progress |= f->fresh;
		f->fresh = false;
	}
	return best;
}

/* A frame for it: zeros at once, if it was never written. NULL: it is on its way, or will be. */
static struct disk_frame *load(struct disk *d, u32 kind, u64 index, struct mon_disk_word word)
{
	u32 i = victim(d, set_of(d, kind, index));
	struct disk_tag *tag = NULL;
	struct disk_frame *f;

	if (i != NO_REF && word.count)
		tag = io_new(d, TAG_META, DISK_METAS, DISK_HOST_READ,
			     place_meta(kind, index, word.count & 1));
	if (i == NO_REF || (word.count && !tag))
		return NULL;
	f = tree_frame(d, i);
	*f = (struct disk_frame){.page = f->page,
				 .kind = (u8)kind,
				 .index = index,
				 .word = word,
				 .state = tag ? FRAME_LOADING : FRAME_VALID};
	if (tag) {
		tag->ref = (u16)i;
		return NULL;
	}
	memset(f->page, 0, BLOCK);
	disk_spend(d, BLOCK / 4);
	return f;
}

/* False: the slot is missing, so it is not loaded yet. */
bool tree_loaded(struct disk *d, struct disk_tag *tag)
{
	struct disk_frame *f = tree_frame(d, tag->ref);
	const struct mon_disk_seal *seal = (const struct mon_disk_seal *)f->page;
	const void *from = io_slot(d, tag, 0);
	bool good = tag->ok;

	if (!from)
		return false;
	if (!tag->ok && d->state == DISK_OPENING)
		disk_stop(d, DISK_WHY_READ);
	if (good) {
		memcpy(f->page, from, BLOCK);
		good = seal->session == f->word.session && seal->count == f->word.count >> 1 &&
		       open_meta(d, f->kind, f->index, f->page);
	}
	f->state = good ? FRAME_VALID : FRAME_BAD;
	f->used = ++d->clock;
	f->fresh = true;
	return true;
}

/* ---- look up ---- */

static enum got use(struct disk *d, struct disk_frame *f)
{
	f->fresh = false;
	if (f->state == FRAME_LOADING)
		return WAIT;
	if (f->state == FRAME_BAD) {
		f->state = FRAME_EMPTY;
		return ERROR;
	}
	f->used = ++d->clock;
	return GOT;
}

static u64 above(u64 index, u32 levels)
{
	while (levels--)
		index /= FANOUT;
	return index;
}

/* A leaf, node or root; if it is not there, what is above it first. */
enum got tree_get(struct disk *d, u32 kind, u64 index, struct disk_frame **frame)
{
	struct disk_frame *f = find(d, kind, index);
	const struct mon_disk_node *node;
	struct mon_disk_word word;
	u32 k = f ? kind : MON_DISK_ROOT;
	enum got got;
	u64 i;

	word = d->super->root[above(index, MON_DISK_ROOT - kind)];
	for (;; k--) {
		i = above(index, k - kind);
		f = find(d, k, i);
		if (!f)
			f = load(d, k, i, word);
		if (!f)
			return WAIT;
		got = use(d, f);
		if (got != GOT)
			return got;
		if (k == kind)
			break;
		node = (const struct mon_disk_node *)f->page;
		word = node->word[above(index, k - kind - 1) % FANOUT];
	}
	*frame = f;
	return GOT;
}

/* The seal of a block. */
enum got tree_leaf(struct disk *d, u64 block, struct mon_disk_seal **seal)
{
	struct disk_frame *f;
	enum got got;
	u32 i;

	got = tree_get(d, MON_DISK_LEAF, place_leaf(block, &i), &f);
	if (got == GOT)
		*seal = &((struct mon_disk_leaf *)f->page)->data[i];
	return got;
}

/* ---- change ---- */

/* To the slot that the word above does not name; then the word names it. */
enum got tree_put(struct disk *d, struct disk_frame *f, struct mon_disk_word *word)
{
	u32 slot = word->count ? !(word->count & 1) : 0, i = set_of(d, f->kind, f->index);

	while (tree_frame(d, i) != f)
		i++;
	if (!io_put(d, f->kind, f->index, f->page, d->count + 1,
		    place_meta(f->kind, f->index, slot), i))
		return WAIT;
	d->count++;
	f->writing = true;
	word->session = d->session;
	word->count = d->count << 1 | slot;
	return GOT;
}

/* What is in memory of something whose word becomes 0; false: the host has still to do with it. */
bool tree_drop(struct disk *d, u32 kind, u64 index)
{
	struct disk_frame *f = find(d, kind, index);

	if (!f)
		return true;
	if (f->state == FRAME_LOADING || f->writing)
		return false;
	f->state = FRAME_EMPTY;
	f->fresh = false;
	return true;
}

void tree_forget(struct disk *d)
{
	u32 i;

	for (i = 0; i < d->frames; i++)
		*tree_frame(d, i) = (struct disk_frame){.page = tree_frame(d, i)->page};
}
