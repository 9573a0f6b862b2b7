// SPDX-License-Identifier: GPL-2.0-only
/* The superblock and its journal: which blocks of data a commit changes. */
#include "internal.h"

/* ---- records ---- */

struct mon_disk_record *super_record(struct disk *d, u32 i)
{
	if (i < MON_DISK_SUPER_RECORDS)
		return &d->super->record[i];
	i -= MON_DISK_SUPER_RECORDS;
	return &d->journal[i / MON_DISK_JOURNAL_RECORDS]->record[i % MON_DISK_JOURNAL_RECORDS];
}

void super_add(struct disk *d, u64 block, const struct mon_disk_seal *before)
{
	*super_record(d, d->super->records++) =
		(struct mon_disk_record){.block = block, .before = *before};
}

/* How many blocks of journal there are. */
u32 super_journals(const struct disk *d)
{
	u32 records = d->super->records;

	if (records <= MON_DISK_SUPER_RECORDS)
		return 0;
	return (records - MON_DISK_SUPER_RECORDS + MON_DISK_JOURNAL_RECORDS - 1) /
	       MON_DISK_JOURNAL_RECORDS;
}

/* ---- write ---- */

/* Of all that the superblock says only the records and the words are there yet. */
void super_begin(struct disk *d)
{
	struct mon_disk_super *super = d->super;

	if (d->commit.kind != COMMIT_WRITE)
		super->records = 0;
	if (d->commit.kind == COMMIT_OPEN)
		super->opened++;
	super->flags = d->commit.kind == COMMIT_CLOSE ? MON_DISK_CLEAN : 0;
	super->commit++;
	super->seal.count = d->count + 1;
	d->count += MON_DISK_AREA_BLOCKS;
}

/* A block of it, the superblock last. */
enum got super_write(struct disk *d)
{
	u64 count = d->super->seal.count, area = d->super->commit & 1;
	u32 i = ++d->commit.journal;
	bool put;

	if (i <= super_journals(d))
		put = io_put(d, MON_DISK_JOURNAL, i, d->journal[i - 1], count + i,
			     place_meta(MON_DISK_SUPER, area, i), NO_REF);
	else
		put = io_put(d, MON_DISK_SUPER, area, d->super, count,
			     place_meta(MON_DISK_SUPER, area, 0), NO_REF);
	d->commit.journal -= !put;
	return put ? GOT : WAIT;
}

/* ---- read ---- */

static bool super_known(const struct mon_disk_super *super)
{
	return super->magic == MON_DISK_MAGIC && super->version == MON_DISK_VERSION &&
	       !(super->flags & ~(u32)MON_DISK_CLEAN) && !super->reserved && super->blocks &&
	       super->blocks <= MON_DISK_BLOCKS_MAX && super->records <= MON_DISK_RECORDS_MAX;
}

/* Does what was read of an area verify? */
bool super_valid(struct disk *d, u32 area)
{
	seal_uuid(d, d->super->uuid);
	if (!open_meta(d, MON_DISK_SUPER, area, d->super) || (d->super->commit & 1) != area)
		return false;
	if (!super_known(d->super))
		disk_stop(d, DISK_WHY_VERSION);
	return true;
}

bool journal_valid(struct disk *d, u32 i)
{
	struct mon_disk_journal *journal = d->journal[i - 1];

	return journal->seal.session == d->super->seal.session &&
	       journal->seal.count == d->super->seal.count + i &&
	       open_meta(d, MON_DISK_JOURNAL, i, journal);
}
