// SPDX-License-Identifier: GPL-2.0-only
/* What the host is asked for, and what it says. */
#include "internal.h"

/* A request to the host: the first free one of @nr; NULL: none is. */
struct disk_tag *io_new(struct disk *d, u32 first, u32 nr, u32 op, u64 block)
{
	struct disk_tag *tag;

	for (tag = &d->tag[first]; tag < &d->tag[first + nr]; tag++) {
		if (tag->state != TAG_FREE)
			continue;
		*tag = (struct disk_tag){.state = TAG_QUEUED,
					 .op = (u8)op,
					 .block = block,
					 .count = op != DISK_HOST_FLUSH,
					 .ref = NO_REF};
		d->progress = true;
		return tag;
	}
	return NULL;
}

/* Nobody waits for it any more. Its slots are free when the host is done with them. */
void io_release(struct disk_tag *tag)
{
	if (tag->state == TAG_DONE)
		tag->state = TAG_FREE;
	else
		tag->orphan = true;
}

static u32 slot_of(const struct disk *d, const struct disk_tag *tag, u32 i)
{
	u32 nr = (u32)(tag - d->tag);

	return d->entries + (nr < TAG_META ? tag->slot + i : DISK_READ_SLOTS + nr - TAG_META);
}

/* From this slot on, how many are of no read? */
static u32 read_slots_from(const struct disk *d, u32 slot)
{
	const struct disk_tag *tag;
	u64 end = DISK_READ_SLOTS;

	for (tag = &d->tag[TAG_READ]; tag < &d->tag[TAG_READ + DISK_READS]; tag++)
		if (tag->state != TAG_FREE && tag->slot + tag->count > slot)
			end = min_u64(end, tag->slot > slot ? tag->slot : slot);
	return (u32)(end - slot);
}

/* The most slots in a row that are free for a read of data, from *@slot on. */
u32 io_read_slots(const struct disk *d, u16 *slot)
{
	const struct disk_tag *tag;
	u32 most = read_slots_from(d, 0), n;

	*slot = 0;
	for (tag = &d->tag[TAG_READ]; tag < &d->tag[TAG_READ + DISK_READS]; tag++) {
		if (tag->state == TAG_FREE)
			continue;
		n = read_slots_from(d, tag->slot + tag->count);
		if (n > most) {
			most = n;
			*slot = tag->slot + tag->count;
		}
	}
	return most;
}

/* NULL: it is not there. So nothing more is done in this step. */
void *io_arena(struct disk *d, u32 slot)
{
	void *at = disk_slot(d, slot);

	if (!at) {
		d->missing = slot;
		d->budget = 0;
	}
	return at;
}

void *io_slot(struct disk *d, const struct disk_tag *tag, u32 i)
{
	return io_arena(d, slot_of(d, tag, i));
}

/* ---- with the host ---- */

bool disk_host_next(struct disk *d, struct disk_io *io)
{
	struct disk_tag *tag = d->tag;
	u32 i, entry;

	while (tag < &d->tag[NR_TAGS] && tag->state != TAG_QUEUED)
		tag++;
	if (tag == &d->tag[NR_TAGS] || d->state == DISK_STOPPED)
		return false;
	tag->state = TAG_SENT;
	*io = (struct disk_io){
		.op = tag->op, .id = (u8)(tag - d->tag), .count = tag->count, .block = tag->block};
	entry = tag->ref;
	for (i = 0; i < tag->count; i++) {
		if (io->id < TAG_WRITE) {
			io->slot[i] = (u16)slot_of(d, tag, i);
		} else {
			io->slot[i] = (u16)entry;
			entry = dirty_entry(d, entry)->next;
		}
	}
	return true;
}

void disk_host_done(struct disk *d, u32 id, bool ok, u64 bytes)
{
	struct disk_tag *tag;

	if (id >= NR_TAGS || d->tag[id].state != TAG_SENT) {
		disk_stop(d, DISK_WHY_COMPLETION);
		return;
	}
	tag = &d->tag[id];
	if (ok && bytes != (tag->op == DISK_HOST_READ ? (u64)tag->count * BLOCK : 0)) {
		disk_stop(d, DISK_WHY_LENGTH);
		return;
	}
	tag->ok = ok;
	tag->state = TAG_DONE;
}

/* ---- what is done ---- */

static bool is_load(const struct disk_tag *tag)
{
	return tag->op == DISK_HOST_READ && tag->ref != NO_REF;
}

static void finish(struct disk *d, struct disk_tag *tag)
{
	if (tag->op == DISK_HOST_WRITE) {
		if (!tag->ok)
			disk_stop(d, DISK_WHY_WRITE);
		if (tag < &d->tag[TAG_WRITE] && tag->ref != NO_REF)
			tree_frame(d, tag->ref)->writing = false;
	} else if (is_load(tag) && !tree_loaded(d, tag)) {
		return;
	}
	tag->state = TAG_FREE;
	d->progress = true;
}

/* What nobody looks at by himself; false: the budget is spent. */
bool io_finish(struct disk *d)
{
	struct disk_tag *tag;

	for (tag = d->tag; tag < &d->tag[NR_TAGS] && d->budget > 0; tag++)
		if (tag->state == TAG_DONE &&
		    (tag->orphan || tag->op == DISK_HOST_WRITE || is_load(tag)))
			finish(d, tag);
	return d->budget > 0;
}

bool io_writing(const struct disk *d)
{
	const struct disk_tag *tag;

	for (tag = d->tag; tag < &d->tag[NR_TAGS]; tag++)
		if (tag->state != TAG_FREE && tag->op == DISK_HOST_WRITE)
			return true;
	return false;
}

/* All that was written before is on the medium: what is not done yet, the host need not flush. */
enum got io_flush(struct disk *d)
{
	struct disk_tag *tag = &d->tag[TAG_FLUSH];

	if (tag->state == TAG_FREE && !io_writing(d))
		io_new(d, TAG_FLUSH, 1, DISK_HOST_FLUSH, 0);
	if (tag->state != TAG_DONE)
		return WAIT;
	tag->state = TAG_FREE;
	if (!tag->ok)
		disk_stop(d, DISK_WHY_FLUSH);
	return tag->ok ? GOT : ERROR;
}

/* A write of a block that is not data, which the caller fills in at *@to; NULL: not now. */
static struct disk_tag *new_write(struct disk *d, u64 block, void **to)
{
	struct disk_tag *tag = io_new(d, TAG_META, DISK_METAS, DISK_HOST_WRITE, block);

	*to = tag ? io_slot(d, tag, 0) : NULL;
	if (tag && !*to)
		tag->state = TAG_FREE;
	return *to ? tag : NULL;
}

/*
 * Write a block that nobody reads. QEMU flushes nothing as long as it has written nothing itself,
 * although a QEMU before it, that was killed, may have.
 */
enum got io_touch(struct disk *d)
{
	void *to;

	if (!new_write(d, MON_DISK_TOUCHED, &to))
		return WAIT;
	memset(to, 0xff, BLOCK);
	return GOT;
}

/*
 * Seal a block that is not data, and write it. @ref: the frame it is of, or NO_REF.
 * False: not now. A count that was used is used: so first of all there is a place for it.
 */
bool io_put(struct disk *d, u32 kind, u64 index, void *page, u64 count, u64 block, u32 ref)
{
	struct disk_tag *tag;
	void *to;

	tag = new_write(d, block, &to);
	if (!tag)
		return false;
	tag->ref = (u16)ref;
	seal_meta(d, kind, index, page, count);
	memcpy(to, page, BLOCK);
	return true;
}

/* Read a block into private memory. *@run: the request, NO_TAG before and behind it */
enum got io_get(struct disk *d, u8 *run, u64 block, void *page)
{
	struct disk_tag *tag;
	const void *from;

	if (*run == NO_TAG) {
		tag = io_new(d, TAG_META, DISK_METAS, DISK_HOST_READ, block);
		if (tag)
			*run = (u8)(tag - d->tag);
		return WAIT;
	}
	tag = &d->tag[*run];
	if (tag->state != TAG_DONE)
		return WAIT;
	from = io_slot(d, tag, 0);
	if (!from)
		return WAIT;
	memcpy(page, from, BLOCK);
	io_release(tag);
	*run = NO_TAG;
	return tag->ok ? GOT : ERROR;
}
