/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest may find on its disk: of each block the versions that were written, the one
 * that is there now, and the one that was flushed last. Requests are random; those under
 * way at the same time are of different blocks.
 */
#ifndef _DISK_MODEL_H
#define _DISK_MODEL_H

#include "disk_sim.h"

#define MODEL_BLOCKS 512
#define MODEL_OPS 12

/* Numbers of a block's sectors. */
struct version {
	u32 sector[SECTORS];
};

/**
 * struct model_block - a block of the guest's
 * @v: versions, the oldest first
 * @nr: how many
 * @done: the newest whose write is finished
 * @floor: the newest that was flushed
 * @busy: a request is under way
 */
struct model_block {
	struct version *v;
	u32 nr;
	u32 done;
	u32 floor;
	bool busy;
};

struct model_range {
	u64 first;
	u32 nr;
};

struct model_op {
	struct guest_req g;
	u32 from; /* of the model's blocks */
	u32 nr;
	bool under_way;
	u32 snap[MODEL_BLOCKS];
};

/**
 * struct model - what was asked for
 * @range: the blocks that are used, up to one with nr 0
 */
struct model {
	const struct model_range *range;
	u32 nr;
	bool write_back;
	u32 max_blocks;
	struct model_block b[MODEL_BLOCKS];
	struct model_op op[MODEL_OPS];
	u64 count[DISK_ZERO + 1];
};

static u32 model_number;
static bool model_may_fail; /* the host is not honest: a request may, but nothing may be wrong */
static u64 model_failed;

static struct model *model_new(const struct model_range *range, bool write_back, u32 max_blocks)
{
	struct model *m = calloc(1, sizeof(*m));
	u32 i;

	m->range = range;
	m->write_back = write_back;
	m->max_blocks = max_blocks;
	for (; range->nr; range++)
		m->nr += range->nr;
	check(m->nr <= MODEL_BLOCKS);
	for (i = 0; i < m->nr; i++) {
		m->b[i].v = calloc(1, sizeof(struct version));
		m->b[i].nr = 1;
	}
	for (i = 0; i < MODEL_OPS; i++)
		m->op[i].g.data = malloc((max_blocks + 1) * BLOCK);
	return m;
}

static void model_free(struct model *m)
{
	u32 i;

	for (i = 0; i < m->nr; i++)
		free(m->b[i].v);
	for (i = 0; i < MODEL_OPS; i++)
		free(m->op[i].g.data);
	free(m);
}

/* The guest's number of one of the model's blocks, and the last of them in its range. */
static u64 model_at(const struct model *m, u32 i, u32 *left)
{
	const struct model_range *range = m->range;

	for (; i >= range->nr; range++)
		i -= range->nr;
	*left = range->nr - i;
	return range->first + i;
}

static void add_version(struct model_block *b, const struct version *v)
{
	if (!(b->nr & (b->nr - 1)))
		b->v = realloc(b->v, 2 * b->nr * sizeof(*v));
	b->v[b->nr++] = *v;
}

/* ---- requests ---- */

/* Sectors from @at on of the first of its blocks are changed. */
static void op_write(struct model *m, struct model_op *op, u32 at)
{
	const struct disk_req *req = &op->g.req;
	u32 i, block, number;
	struct version v;

	for (i = 0; i < req->sectors; i++) {
		block = op->from + (at + i) / SECTORS;
		number = req->op == DISK_WRITE ? ++model_number : 0;
		if (req->op == DISK_WRITE)
			sector_fill(op->g.data + i * DISK_SECTOR, number);
		if (!i || !((at + i) % SECTORS))
			v = m->b[block].v[m->b[block].nr - 1];
		v.sector[(at + i) % SECTORS] = number;
		if (i + 1 < req->sectors && (at + i + 1) % SECTORS)
			continue;
		/* a discard leaves what is less than a block */
		if (req->op != DISK_DISCARD || i + 1 >= SECTORS) {
			if (req->op == DISK_DISCARD && (at + i + 1) % SECTORS)
				continue;
			add_version(&m->b[block], &v);
		}
	}
}

static u32 pick_op(void)
{
	u32 n = below(100);

	return n < 45	? DISK_WRITE
	       : n < 80 ? DISK_READ
	       : n < 92 ? DISK_FLUSH
	       : n < 95 ? DISK_DISCARD
			: DISK_ZERO;
}

static bool op_range(struct model *m, struct model_op *op)
{
	struct disk_req *req = &op->g.req;
	u32 left, at = below(3) ? 0 : below(SECTORS), i;
	u64 block;

	op->from = below(m->nr);
	block = model_at(m, op->from, &left);
	op->nr = 1 + below(below(4) ? min_u64(left, 3) : min_u64(left, m->max_blocks));
	req->sector = block * SECTORS + at;
	req->sectors = op->nr * SECTORS - at;
	if (req->sectors > 1 && !below(3))
		req->sectors -= below(min_u64(SECTORS, req->sectors));
	op->nr = (at + req->sectors + SECTORS - 1) / SECTORS;
	for (i = 0; i < op->nr; i++)
		if (m->b[op->from + i].busy)
			return false;
	for (i = 0; i < op->nr; i++)
		m->b[op->from + i].busy = true;
	if (req->op != DISK_READ)
		op_write(m, op, at);
	else
		memset(op->g.data, 0xaa, req->sectors * DISK_SECTOR);
	return true;
}

/* A request of a kind, if there is room for one. */
static bool model_submit(struct model *m, struct rig *r, u32 kind)
{
	struct model_op *op = m->op;
	u32 i;

	while (op < &m->op[MODEL_OPS] && op->under_way)
		op++;
	if (op == &m->op[MODEL_OPS])
		return false;
	memset(&op->g.req, 0, sizeof(op->g.req));
	op->g.req.op = (u8)kind;
	op->nr = 0;
	if (kind != DISK_FLUSH && !op_range(m, op))
		return false;
	if (kind == DISK_FLUSH)
		for (i = 0; i < m->nr; i++)
			op->snap[i] = m->b[i].done;
	op->under_way = true;
	m->count[kind]++;
	check(disk_submit(r->d, &op->g.req));
	return true;
}

static void read_done(struct model *m, struct model_op *op)
{
	const struct disk_req *req = &op->g.req;
	const struct model_block *b;
	u64 pos;
	u32 i;

	for (i = 0; i < req->sectors; i++) {
		pos = req->sector % SECTORS + i;
		b = &m->b[op->from + pos / SECTORS];
		check(sector_number(op->g.data + i * DISK_SECTOR) ==
		      b->v[b->nr - 1].sector[pos % SECTORS]);
	}
}

static void op_done(struct model *m, struct model_op *op)
{
	struct model_block *b;
	u32 i;

	check(op->under_way && (model_may_fail || !op->g.req.failed));
	op->under_way = false;
	model_failed += op->g.req.failed;
	if (op->g.req.failed && op->g.req.op != DISK_READ)
		return; /* its blocks are not used any more */
	if (op->g.req.op == DISK_READ && !op->g.req.failed)
		read_done(m, op);
	for (i = 0; i < op->nr; i++) {
		b = &m->b[op->from + i];
		b->busy = false;
		b->done = b->nr - 1;
		if (!m->write_back)
			b->floor = b->done;
	}
	if (op->g.req.op == DISK_FLUSH)
		for (i = 0; i < m->nr; i++)
			if (m->b[i].floor < op->snap[i])
				m->b[i].floor = op->snap[i];
}

static void model_reap(struct model *m, struct rig *r)
{
	struct disk_req *req;

	for (req = disk_reap(r->d); req; req = disk_reap(r->d))
		op_done(m, (struct model_op *)req);
}

/* ---- what is on a disk ---- */

static bool version_of(const u8 *data, struct version *v)
{
	s64 number;
	u32 i;

	for (i = 0; i < SECTORS; i++) {
		number = sector_number(data + i * DISK_SECTOR);
		if (number < 0)
			return false;
		v->sector[i] = (u32)number;
	}
	return true;
}

/* Is it what was flushed, or newer? */
static bool may_be(const struct model_block *b, const struct version *v, u32 *which)
{
	u32 i;

	for (i = b->nr; i-- > b->floor;) {
		*which = i;
		if (!memcmp(&b->v[i], v, sizeof(*v)))
			return true;
	}
	return false;
}

/* Go on with what was found: that was on the medium. */
static void model_found(struct model_block *b, const struct version *v)
{
	b->v[0] = *v;
	b->nr = 1;
	b->done = b->floor = 0;
	b->busy = false;
}

/*
 * Read all of it from a disk that was opened. @lost: blocks that may be; @settle: go on with that.
 * Value: how many are not what they may be.
 */
static u32 model_check(struct model *m, struct rig *r, const bool *lost, bool settle)
{
	static u8 data[MODEL_BLOCKS * BLOCK];
	u32 i, n, left, which, wrong = 0;
	bool good[MODEL_BLOCKS];
	struct version v;
	u64 block;

	for (i = 0; i < m->nr; i += n) {
		block = model_at(m, i, &n);
		if (rig_do(r, DISK_READ, block * SECTORS, n * SECTORS, data + i * BLOCK)) {
			memset(good + i, true, n);
			continue;
		}
		for (left = 0; left < n; left++)
			good[i + left] = rig_do(r, DISK_READ, (block + left) * SECTORS, SECTORS,
						data + (i + left) * BLOCK);
	}
	for (i = 0; i < m->nr; i++) {
		if (!good[i])
			wrong += !(lost && lost[i]);
		else if (!version_of(data + i * BLOCK, &v) || !may_be(&m->b[i], &v, &which))
			wrong++;
		else if (settle)
			model_found(&m->b[i], &v);
	}
	return wrong;
}

/* Random requests, and a host that answers them in any order; @idle: now and then a hint of that */
__attribute__((__unused__))
static void model_work(struct model *m, struct rig *r, u32 requests, bool idle)
{
	while (requests && disk_state(r->d) == DISK_RUNNING) {
		if (!below(3) && model_submit(m, r, pick_op()))
			requests--;
		if (idle && !below(40))
			disk_idle(r->d);
		rig_step(r);
		model_reap(m, r);
		if (r->nr_io)
			rig_host(r, below(r->nr_io));
	}
	rig_run(r);
	model_reap(m, r);
}

#endif /* _DISK_MODEL_H */
