// SPDX-License-Identifier: GPL-2.0-only
/* What a crash has left: which blocks of the last commit are new, old, or lost. */
#include "internal.h"

/* The seal that is right for what is in d->copy. */
static void settle(struct disk *d, const struct mon_disk_record *record, struct mon_disk_seal *seal)
{
	const struct mon_disk_seal *before = &record->before;

	if (open_data(d, record->block, seal, d->copy, d->data))
		return;
	d->commit.leaf_dirty = true;
	if (!before->count) {
		*seal = (struct mon_disk_seal){0};
	} else if (before->count != MON_DISK_LOST &&
		   open_data(d, record->block, before, d->copy, d->data)) {
		*seal = *before;
	} else {
		*seal = (struct mon_disk_seal){.count = MON_DISK_LOST};
		d->stats.lost++;
	}
}

/* The next record of the superblock that was found. */
enum got settle_record(struct disk *d)
{
	struct disk_commit *c = &d->commit;
	const struct mon_disk_record *record = super_record(d, (u32)c->block);
	struct mon_disk_seal *seal;
	enum got got;
	u32 i;

	got = commit_path(d, place_leaf(record->block, &i), MON_DISK_LEAF);
	if (got != GOT)
		return got;
	seal = &((struct mon_disk_leaf *)c->leaf->page)->data[i];
	if (seal->count && seal->count != MON_DISK_LOST) {
		got = io_get(d, &c->run, place_data(record->block), d->copy);
		if (got == ERROR)
			disk_stop(d, DISK_WHY_READ);
		if (got != GOT)
			return got;
		settle(d, record, seal);
	}
	c->block++;
	return GOT;
}
