// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest has written and the disk has not: sealed, in slots of the arena, with the
 * seals here. A commit takes all that there is; what is written meanwhile is of the next one,
 * in a slot of its own.
 */
#include "internal.h"

#define SORTED_LISTS 12
_Static_assert(BIT(SORTED_LISTS) > DISK_ENTRIES_MAX, "all of them");

struct disk_entry *dirty_entry(const struct disk *d, u32 i)
{
	return &d->entry_page[i / ENTRIES_PER_PAGE][i % ENTRIES_PER_PAGE];
}

static u32 bucket_of(u64 block)
{
	return (u32)((block * 0x9e3779b97f4a7c15ULL) >> 56) % BUCKETS;
}

void dirty_init(struct disk *d)
{
	u32 i;

	for (i = 0; i < BUCKETS; i++)
		d->bucket[i] = NO_REF;
	for (i = 0; i < d->entries; i++)
		*dirty_entry(d, i) = (struct disk_entry){.hash = (u16)(i + 1)};
	d->free = 0;
	d->nr_free = (u16)d->entries;
	d->nr_dirty = 0;
	d->epoch = 1;
}

/* The newest one of a block. */
struct disk_entry *dirty_find(const struct disk *d, u64 block, u32 *i)
{
	u32 at = d->bucket[bucket_of(block)];

	while (at != NO_REF && dirty_entry(d, at)->block != block)
		at = dirty_entry(d, at)->hash;
	*i = at;
	return at == NO_REF ? NULL : dirty_entry(d, at);
}

/* Of the commit under way, whose slots the host is reading, none can be changed. */
static struct disk_entry *changeable(const struct disk *d, u64 block, u32 *i)
{
	struct disk_entry *e = dirty_find(d, block, i);

	return e && e->epoch == d->epoch ? e : NULL;
}

bool dirty_room(const struct disk *d, u64 block)
{
	u32 i;

	return d->nr_free || changeable(d, block, &i);
}

/* Where the block will be, if there is room for it; NULL: the slot is missing. */
void *dirty_slot(struct disk *d, u64 block)
{
	u32 i;

	return io_arena(d, changeable(d, block, &i) ? i : d->free);
}

/* @to: dirty_slot() */
void dirty_put(struct disk *d, u64 block, const void *page, void *to)
{
	struct disk_entry *e;
	u32 i;

	e = changeable(d, block, &i);
	if (!e) {
		i = d->free;
		e = dirty_entry(d, i);
		d->free = e->hash;
		d->nr_free--;
		d->nr_dirty++;
		e->block = block;
		e->epoch = d->epoch;
		e->hash = d->bucket[bucket_of(block)];
		d->bucket[bucket_of(block)] = (u16)i;
	}
	seal_data(d, block, page, to, &e->seal);
}

static void drop(struct disk *d, u32 i)
{
	struct disk_entry *e = dirty_entry(d, i);
	u16 *link = &d->bucket[bucket_of(e->block)];

	while (*link != i)
		link = &dirty_entry(d, *link)->hash;
	*link = e->hash;
	e->hash = d->free;
	d->free = (u16)i;
	d->nr_free++;
	d->nr_dirty -= e->epoch == d->epoch;
	e->epoch = 0;
}

/* Those of a commit that are in a range. */
void dirty_drop(struct disk *d, u64 epoch, u64 first, u64 end)
{
	struct disk_entry *e;
	u32 i;

	/* From the last: so slots that are free follow each other, as do blocks of a long write. */
	for (i = d->entries; i-- > 0;) {
		e = dirty_entry(d, i);
		if (e->epoch == epoch && e->block >= first && e->block < end)
			drop(d, i);
	}
}

static u16 merged(struct disk *d, u16 a, u16 b)
{
	u16 list, *link = &list, *least;

	while (a != NO_REF && b != NO_REF) {
		least = dirty_entry(d, a)->block < dirty_entry(d, b)->block ? &a : &b;
		*link = *least;
		link = &dirty_entry(d, *least)->next;
		*least = *link;
	}
	*link = a != NO_REF ? a : b;
	return list;
}

/* One list more to be merged: with those of as many runs */
static void add_run(struct disk *d, u16 sorted[SORTED_LISTS], u16 list)
{
	u32 k;

	for (k = 0; sorted[k] != NO_REF; k++) {
		list = merged(d, sorted[k], list);
		sorted[k] = NO_REF;
	}
	sorted[k] = list;
}

/*
 * Those of the commit that begins, by their blocks; the first one. Slots in a row are mostly of
 * blocks in a row: as long as these ascend it is one list.
 */
u16 dirty_sorted(struct disk *d, u32 nr)
{
	u16 sorted[SORTED_LISTS], list = NO_REF; /* of 1, 2, 4, ... runs, or none */
	struct disk_entry *e, *last = NULL;
	u32 i, k;

	memset(sorted, 0xff, sizeof(sorted));
	for (i = 0; i < d->entries && nr; i++) {
		e = dirty_entry(d, i);
		if (!e->epoch || e->epoch == d->epoch)
			continue;
		nr--;
		e->next = NO_REF;
		if (last && last->block < e->block) {
			last->next = (u16)i;
		} else {
			add_run(d, sorted, list); /* none the first time */
			list = (u16)i;
		}
		last = e;
	}
	for (k = 0; k < SORTED_LISTS; k++)
		list = merged(d, sorted[k], list);
	disk_spend(d, BLOCK);
	return list;
}
