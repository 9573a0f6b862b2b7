// SPDX-License-Identifier: GPL-2.0-only
/* A sealed disk: its memory, its states, its steps. */
#include "internal.h"

_Static_assert(sizeof(struct disk) <= PAGE_SIZE, "a frame");
_Static_assert(FRAMES_MAX < NO_REF && DISK_ENTRIES_MAX < NO_REF && DISK_REQS < 256, "numbers");
_Static_assert(DISK_ARENA_SLOTS(DISK_ENTRIES_MAX) < NO_REF, "slots");

/* struct disk, super, data, copy, keys, and the journal */
#define FIXED (5 + MON_DISK_AREA_BLOCKS - 1)

/* ---- memory ---- */

static u32 pages_for(u32 nr, u32 per_page)
{
	return (nr + per_page - 1) / per_page;
}

u32 disk_frames(u32 entries, u32 cache)
{
	return FIXED + pages_for(entries, ENTRIES_PER_PAGE) + pages_for(cache, FRAMES_PER_PAGE) +
	       cache;
}

/* Frames of cache: whole sets. */
static u32 cache_frames(u32 nr, u32 entries)
{
	u32 cache = FRAMES_MAX;

	while (cache && disk_frames(entries, cache) > nr)
		cache -= WAYS;
	return cache;
}

struct disk *disk_create(void *const *page, u32 nr, u32 entries)
{
	struct disk *d = page[0];
	u32 i, n = 1;

	if (!entries || entries > DISK_ENTRIES_MAX || !cache_frames(nr, entries))
		return NULL;
	for (i = 0; i < disk_frames(entries, cache_frames(nr, entries)); i++)
		memset(page[i], 0, PAGE_SIZE);
	d->entries = entries;
	d->frames = cache_frames(nr, entries);
	d->super = page[n++];
	d->data = page[n++];
	d->copy = page[n++];
	d->keys = page[n++];
	for (i = 0; i < ARRAY_SIZE(d->journal); i++)
		d->journal[i] = page[n++];
	for (i = 0; i < pages_for(entries, ENTRIES_PER_PAGE); i++)
		d->entry_page[i] = page[n++];
	for (i = 0; i < pages_for(d->frames, FRAMES_PER_PAGE); i++)
		d->frame_page[i] = page[n++];
	for (i = 0; i < d->frames; i++)
		tree_frame(d, i)->page = page[n++];
	dirty_init(d);
	d->state = DISK_CLOSED;
	return d;
}

/* ---- states ---- */

void disk_open(struct disk *d, const u8 key[MON_DISK_KEY_SIZE], u64 opened, bool write_back)
{
	d->opening = (struct disk_opening){.run = NO_TAG, .opened = opened};
	memcpy(d->opening.key, key, sizeof(d->opening.key));
	d->write_back = write_back;
	d->state = DISK_OPENING;
}

void disk_write_back(struct disk *d, bool write_back)
{
	d->write_back = write_back;
}

void disk_close(struct disk *d)
{
	if (d->state == DISK_RUNNING)
		d->state = DISK_CLOSING;
}

void disk_idle(struct disk *d)
{
	d->want = true;
}

void disk_stop(struct disk *d, enum disk_why why)
{
	if (d->state == DISK_STOPPED)
		return;
	d->state = DISK_STOPPED;
	d->why = (u8)why;
}

enum disk_state disk_state(const struct disk *d)
{
	return (enum disk_state)d->state;
}

enum disk_why disk_why(const struct disk *d)
{
	return (enum disk_why)d->why;
}

const struct mon_disk_super *disk_super(const struct disk *d)
{
	return d->super;
}

const struct disk_stats *disk_stats(const struct disk *d)
{
	return &d->stats;
}

u32 disk_missing(const struct disk *d)
{
	return (u32)d->missing;
}

void disk_own(struct disk *d, void *owner)
{
	d->owner = owner;
}

void *disk_owner(const struct disk *d)
{
	return d->owner;
}

/* ---- steps ---- */

void disk_spend(struct disk *d, s64 bytes)
{
	d->budget -= bytes;
}

enum disk_more disk_step(struct disk *d, s64 budget)
{
	d->budget = budget;
	d->missing = NONE;
	do {
		d->progress = false;
		if (!io_finish(d))
			break;
		if (d->state == DISK_OPENING)
			open_step(d);
		commit_step(d);
		requests_step(d);
		commit_step(d); /* that a request has asked for */
	} while (d->progress && d->budget > 0 && d->state != DISK_STOPPED);
	if (d->state == DISK_STOPPED) {
		requests_fail(d);
		return DISK_IDLE;
	}
	if (d->missing != NONE)
		return DISK_AGAIN;
	return d->progress || d->budget <= 0 ? DISK_MORE : DISK_IDLE;
}
