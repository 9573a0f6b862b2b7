// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the guest asks for, block by block. Plain data is in d->data only, for as long as
 * one call takes; the guest gets what was verified, or an error.
 */
#include "internal.h"

static u64 bytes_of(const struct disk_req *req)
{
	return (u64)req->sectors * DISK_SECTOR;
}

/**
 * struct part - of a request, what is of one block
 * @block: the guest's
 * @off, @len: in it
 */
struct part {
	u64 block;
	u32 off;
	u32 len;
};

static struct part part_of(const struct disk_req *req)
{
	u64 pos = req->sector * DISK_SECTOR + req->at;
	struct part part = {.block = pos / BLOCK, .off = (u32)(pos % BLOCK)};

	part.len = (u32)min_u64(BLOCK - part.off, bytes_of(req) - req->at);
	return part;
}

/* ---- a block of data ---- */

static void run_release(struct disk *d, struct disk_req *req)
{
	if (req->run != NO_TAG)
		io_release(&d->tag[req->run]);
	req->run = NO_TAG;
}

static bool at_host(const struct mon_disk_seal *seal)
{
	return seal->count && seal->count != MON_DISK_LOST;
}

/* How many blocks from @block on, @most, of a request's, can be read at once? */
static u32 run_length(struct disk *d, const struct disk_req *req, u64 block, u32 most)
{
	u64 last = (req->sector * DISK_SECTOR + bytes_of(req) - 1) / BLOCK;
	u64 end = min_u64(min_u64(last + 1, place_chunk_end(block)), block + most);
	struct mon_disk_seal *seal = NULL;
	u32 i, n;

	if (req->op != DISK_READ)
		return 1;
	for (n = 1; block + n < end && !dirty_find(d, block + n, &i); n++) {
		place_leaf(block + n, &i);
		/* Of another leaf: if it is not there it is on its way for the run behind this. */
		if ((!seal || !i) && tree_leaf(d, block + n, &seal) != GOT)
			break;
		if (!at_host(seal++))
			break;
	}
	return n;
}

/* Read it, and what the request wants behind it. */
static void run_begin(struct disk *d, struct disk_req *req, u64 block)
{
	struct disk_tag *tag = NULL;
	u16 slot;
	u32 most = io_read_slots(d, &slot);

	if (most)
		tag = io_new(d, TAG_READ, DISK_READS, DISK_HOST_READ, place_data(block));
	if (!tag)
		return;
	tag->slot = slot;
	tag->count = (u16)run_length(d, req, block, (u32)min_u64(most, DISK_RUN));
	tag->first = block;
	tag->commits = d->generation;
	req->run = (u8)(tag - d->tag);
}

/*
 * What was read while a commit has been finished may be of before it, when the seal is not:
 * it is read again.
 */
static enum got run_open(struct disk *d, struct disk_req *req, u64 block,
			 const struct mon_disk_seal *seal)
{
	struct disk_tag *tag = &d->tag[req->run];
	bool known = block >= tag->first && block - tag->first < tag->count;
	bool stale = tag->commits != d->generation;
	const void *from;

	if (tag->state != TAG_DONE)
		return WAIT;
	if (known && tag->ok) {
		from = io_slot(d, tag, (u32)(block - tag->first));
		if (!from)
			return WAIT;
		if (open_data(d, block, seal, from, d->data))
			return GOT;
	}
	run_release(d, req);
	if (!known || (tag->ok && stale)) {
		d->progress = true;
		return WAIT;
	}
	d->stats.bad += tag->ok;
	return ERROR;
}

static enum got dirty_open(struct disk *d, u64 block, const struct mon_disk_seal *seal, u32 slot)
{
	const void *from = io_arena(d, slot);

	if (!from)
		return WAIT;
	if (open_data(d, block, seal, from, d->data))
		return GOT;
	d->stats.bad++;
	return ERROR;
}

static enum got get_block(struct disk *d, struct disk_req *req, u64 block)
{
	struct mon_disk_seal *seal;
	struct disk_entry *e;
	enum got got;
	u32 i;

	e = dirty_find(d, block, &i);
	if (e)
		return dirty_open(d, block, &e->seal, i);
	got = tree_leaf(d, block, &seal);
	if (got != GOT)
		return got;
	if (!at_host(seal)) {
		memset(d->data, 0, BLOCK);
		disk_spend(d, BLOCK / 4);
		return seal->count ? ERROR : GOT;
	}
	if (req->run != NO_TAG)
		return run_open(d, req, block, seal);
	run_begin(d, req, block);
	return WAIT;
}

/* ---- requests ---- */

static void done(struct disk *d, struct disk_req *req, bool failed)
{
	run_release(d, req);
	req->failed = failed;
	req->done = true;
}

/*
 * Done, as soon as all that is dirty now is written; what a zeroing under way has dropped is when
 * that is over.
 */
static enum got durable(struct disk *d, struct disk_req *req)
{
	bool zeroing = d->commit.phase != PHASE_NONE && d->commit.kind == COMMIT_ZERO;

	if (!req->waits) {
		req->waits = true;
		req->need = d->nr_dirty || zeroing ? d->epoch : d->epoch - 1;
	}
	if (d->finished < req->need) {
		d->want |= req->need == d->epoch;
		return WAIT;
	}
	done(d, req, false);
	return GOT;
}

static enum got read_part(struct disk *d, struct disk_req *req)
{
	struct part part = part_of(req);
	enum got got = get_block(d, req, part.block);

	if (got != GOT)
		return got;
	if (!disk_to_guest(req, req->at, d->data + part.off, part.len))
		return ERROR;
	req->at += part.len;
	if (req->at == bytes_of(req))
		done(d, req, false);
	return GOT;
}

/* Of the guest's data, or zeros. What is less than a block goes into what is there. */
static enum got write_part(struct disk *d, struct disk_req *req)
{
	struct part part = part_of(req);
	enum got got = GOT;
	void *to;

	if (!dirty_room(d, part.block)) {
		d->want = true;
		return WAIT;
	}
	to = dirty_slot(d, part.block);
	if (!to)
		return WAIT;
	if (part.len < BLOCK)
		got = get_block(d, req, part.block);
	if (got != GOT)
		return got;
	run_release(d, req);
	if (req->op == DISK_ZERO)
		memset(d->data + part.off, 0, part.len);
	else if (!disk_from_guest(req, req->at, d->data + part.off, part.len))
		return ERROR;
	dirty_put(d, part.block, d->data, to);
	req->at += part.len;
	d->want |= d->nr_dirty >= d->entries / 2;
	return GOT;
}

static enum got zero_step(struct disk *d, struct disk_req *req)
{
	struct part part = part_of(req);

	if (req->at < bytes_of(req)) {
		if (part.len < BLOCK)
			return write_part(d, req);
		req->at += (req->end - req->first) * BLOCK;
		return GOT;
	}
	if (req->first < req->end)
		return WAIT; /* for its commit */
	if (!d->write_back)
		return durable(d, req);
	done(d, req, false);
	return GOT;
}

static enum got advance(struct disk *d, struct disk_req *req)
{
	switch (req->op) {
	case DISK_READ:
		return read_part(d, req);
	case DISK_WRITE:
		if (req->at < bytes_of(req))
			return write_part(d, req);
		if (!d->write_back)
			return durable(d, req);
		done(d, req, false);
		return GOT;
	case DISK_FLUSH:
		return durable(d, req);
	default:
		return zero_step(d, req);
	}
}

static void request_step(struct disk *d, struct disk_req *req)
{
	enum got got = GOT;
	u32 n;

	for (n = 0; n < 8 && got == GOT && !req->done && d->budget > 0; n++) {
		got = advance(d, req);
		if (got == WAIT)
			return;
		d->progress = true;
		disk_spend(d, BLOCK / 16);
	}
	if (got == ERROR)
		done(d, req, true);
}

/* ---- all of them ---- */

_Static_assert(DISK_REQS == 64, "a bit for each");

/* One of @left, round and round from @turn on. */
static u32 next_of(u64 left, u32 turn)
{
	u64 behind = left & (~0ULL << turn);

	return (u32)__builtin_ctzll(behind ? behind : left);
}

void requests_step(struct disk *d)
{
	u64 left = d->reqs;
	u32 i;

	while (left && d->budget > 0) {
		i = next_of(left, d->turn);
		left &= ~BIT(i);
		d->turn = (u8)((i + 1) % DISK_REQS);
		if (!d->req[i]->done)
			request_step(d, d->req[i]);
	}
}

void requests_fail(struct disk *d)
{
	u32 i;

	for (i = 0; i < DISK_REQS; i++)
		if (d->req[i] && !d->req[i]->done)
			done(d, d->req[i], true);
}

bool requests_pending(const struct disk *d)
{
	u32 i;

	for (i = 0; i < DISK_REQS; i++)
		if (d->req[i] && !d->req[i]->done)
			return true;
	return false;
}

/* One that waits for its commit. */
struct disk_req *requests_zero(struct disk *d)
{
	struct disk_req *req;
	u64 left;

	for (left = d->reqs; left; left &= left - 1) {
		req = d->req[__builtin_ctzll(left)];
		if (!req->done && req->op >= DISK_DISCARD && req->at == bytes_of(req) &&
		    req->first < req->end)
			return req;
	}
	return NULL;
}

static bool valid(const struct disk *d, const struct disk_req *req)
{
	u64 sectors = d->super->blocks * (BLOCK / DISK_SECTOR);

	if (req->op == DISK_FLUSH)
		return true;
	return req->op <= DISK_ZERO && req->sectors && req->sector < sectors &&
	       req->sectors <= sectors - req->sector;
}

bool disk_submit(struct disk *d, struct disk_req *req)
{
	u32 i;

	if (!~d->reqs || d->state != DISK_RUNNING || !valid(d, req))
		return false;
	req->failed = req->done = req->waits = false;
	req->run = NO_TAG;
	req->first = ALIGN_UP(req->sector * DISK_SECTOR, BLOCK) / BLOCK;
	req->end = (req->sector * DISK_SECTOR + bytes_of(req)) / BLOCK;
	req->at = req->op == DISK_DISCARD ? bytes_of(req) : 0;
	i = (u32)__builtin_ctzll(~d->reqs);
	d->req[i] = req;
	d->reqs |= BIT(i);
	return true;
}

struct disk_req *disk_reap(struct disk *d)
{
	struct disk_req *req;
	u64 left;
	u32 i;

	for (left = d->reqs; left; left &= left - 1) {
		i = (u32)__builtin_ctzll(left);
		req = d->req[i];
		if (req->done) {
			d->req[i] = NULL;
			d->reqs &= ~BIT(i);
			return req;
		}
	}
	return NULL;
}
