// SPDX-License-Identifier: GPL-2.0-only
/*
 * Opening: which superblock counts. What is read twice is verified twice; the one that is
 * taken was whole when it was taken. Then that is flushed, and settled.
 */
#include "internal.h"

static void try_area(struct disk *d)
{
	struct disk_opening *o = &d->opening;

	o->area = o->commit[1] > o->commit[0];
	o->phase = OPEN_SUPER;
	tree_forget(d);
	if (!o->commit[o->area])
		disk_stop(d, DISK_WHY_SUPER);
}

/* This one does not count: the other one may. */
static void reject(struct disk *d)
{
	d->opening.commit[d->opening.area] = 0;
	try_area(d);
}

static enum got read_block(struct disk *d, u32 area, u32 i, void *page)
{
	enum got got = io_get(d, &d->opening.run, place_meta(MON_DISK_SUPER, area, i), page);

	if (got == ERROR)
		disk_stop(d, DISK_WHY_READ);
	return got;
}

static enum got look(struct disk *d, u32 area)
{
	struct disk_opening *o = &d->opening;
	enum got got = read_block(d, area, 0, d->super);

	if (got != GOT)
		return got;
	o->commit[area] = super_valid(d, area) ? d->super->commit : 0;
	o->phase++;
	if (area == 1)
		try_area(d);
	return GOT;
}

static enum got take_super(struct disk *d)
{
	struct disk_opening *o = &d->opening;
	enum got got = read_block(d, o->area, 0, d->super);

	if (got != GOT)
		return got;
	o->i = 1;
	o->phase = OPEN_JOURNAL;
	if (!super_valid(d, o->area) || d->super->commit != o->commit[o->area])
		reject(d);
	return GOT;
}

static enum got take_journal(struct disk *d)
{
	struct disk_opening *o = &d->opening;
	enum got got;

	if (o->i > super_journals(d)) {
		o->i = 0;
		o->phase = OPEN_WHOLE;
		return GOT;
	}
	got = read_block(d, o->area, o->i, d->journal[o->i - 1]);
	if (got == GOT && !journal_valid(d, o->i++))
		reject(d);
	return got;
}

static void settle_begin(struct disk *d)
{
	memset(d->opening.key, 0, sizeof(d->opening.key));
	seal_session(d);
	commit_begin(d, COMMIT_OPEN);
	d->commit.end = d->super->records;
}

/* This one is taken: the first write. */
static enum got accept(struct disk *d)
{
	enum got got;

	if (d->super->opened < d->opening.opened) {
		disk_stop(d, DISK_WHY_ROLLED_BACK);
		return ERROR;
	}
	got = io_touch(d);
	d->opening.phase += got == GOT;
	return got;
}

/* Is what is above each record there? */
static enum got check_whole(struct disk *d)
{
	struct disk_opening *o = &d->opening;
	struct mon_disk_seal *seal;
	u64 block, before;
	enum got got;

	if (o->i == d->super->records)
		return accept(d);
	block = super_record(d, o->i)->block;
	before = o->i ? super_record(d, o->i - 1)->block : 0;
	if (block >= d->super->blocks || (o->i && block <= before)) {
		disk_stop(d, DISK_WHY_VERSION);
		return ERROR;
	}
	got = tree_leaf(d, block, &seal);
	if (got == ERROR)
		reject(d);
	o->i += got == GOT;
	return got;
}

static enum got phase(struct disk *d)
{
	enum got got;

	switch (d->opening.phase) {
	case OPEN_AREA0:
		return look(d, 0);
	case OPEN_AREA1:
		return look(d, 1);
	case OPEN_SUPER:
		return take_super(d);
	case OPEN_JOURNAL:
		return take_journal(d);
	case OPEN_WHOLE:
		return check_whole(d);
	default:
		got = io_flush(d);
		if (got == GOT)
			settle_begin(d);
		return got;
	}
}

void open_step(struct disk *d)
{
	while (d->budget > 0 && d->state == DISK_OPENING && d->commit.phase == PHASE_NONE) {
		if (phase(d) == WAIT)
			return;
		d->progress = true;
		disk_spend(d, BLOCK / 16);
	}
}
