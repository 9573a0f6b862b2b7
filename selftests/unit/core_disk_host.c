// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c core/sha256.c */
/* libs: -lcrypto */
/*
 * A sealed disk on a host that is not honest: it changes, moves, replays and mixes blocks, and lies
 * about what it has done. All of it is noticed, and nothing of it gets to the guest.
 */
#include "disk_model.h"

#define TIMES 1200

static const struct model_range few[] = {{0, 3}, {125, 5}, {395, 5}, {0}};
static const struct model_range wide[] = {
	{0, 2}, {125, 4}, {32250, 8}, {254ULL * 32256 - 3, 6}, {0}};

/* ---- a disk with a past ---- */

struct fork {
	struct model *m;
	struct image image;
};

static struct fork forks[2];

static void close_rig(struct model *m, struct rig *r)
{
	u32 i;

	disk_close(r->d);
	rig_run(r);
	check(disk_state(r->d) == DISK_CLOSED);
	for (i = 0; i < m->nr; i++)
		m->b[i].floor = m->b[i].nr - 1;
	rig_free(r);
}

/* On from @image. Its model has what is there now as its last versions. */
static void make_fork(struct fork *f, const struct model_range *range, const struct image *image)
{
	struct host *h = host_new(image);
	struct rig *r = rig_new(h, 16, 8);

	check(rig_open(r, true));
	f->m = model_new(range, true, 5);
	model_work(f->m, r, 300, false);
	close_rig(f->m, r);
	image_copy(&f->image, &h->medium);
	host_free(h);
}

static void make_forks(const struct model_range *range, u64 blocks)
{
	struct host *h = host_new(NULL);
	u32 i;

	past = past ? past : calloc(HISTORY, sizeof(*past));
	while (nr_past)
		block_free(past[--nr_past].b);
	sim_format(h, blocks);
	for (i = 0; i < 2; i++) {
		if (forks[i].m)
			model_free(forks[i].m);
		make_fork(&forks[i], range, &h->medium);
	}
	host_free(h);
}

/* ---- reads ---- */

enum lie { FLIP, SWAP, REPLAY, FORK, CUT, NOTHING, NR_LIES };

static const char *const lie_name[] = {
	[FLIP] = "a bit flipped", [SWAP] = "another block", [REPLAY] = "an older one",
	[FORK] = "of a fork",	  [CUT] = "cut off",	    [NOTHING] = "nothing",
};

/* What was at this place, or at any other one; NULL: nothing else was. */
static const struct block *another(enum lie lie, u32 id, const u8 *honest)
{
	u32 start = below(nr_past), i;
	bool here, replay = lie == REPLAY;
	const struct past *p;

	if (lie == FORK)
		return forks[1].image.b[id];
	for (i = 0; i < nr_past; i++) {
		p = &past[(start + i) % nr_past];
		here = p->id == id;
		if (here == replay && memcmp(p->b->bytes, honest, BLOCK))
			return p->b;
	}
	return NULL;
}

/* False: there is no such lie here. */
static bool tell(enum lie lie, u64 block, u8 *slot)
{
	const struct block *b;
	u8 honest[BLOCK];
	u32 bit = below(8 * BLOCK);

	memcpy(honest, slot, BLOCK);
	switch (lie) {
	case FLIP:
		slot[bit / 8] ^= 1 << bit % 8;
		break;
	case CUT:
		memset(slot, 0, BLOCK);
		break;
	case NOTHING:
		memset(slot, 0x33, BLOCK);
		break;
	default:
		b = another(lie, id_of(block), honest);
		if (!b)
			return false;
		memcpy(slot, b->bytes, BLOCK);
	}
	return memcmp(honest, slot, BLOCK);
}

/* The @nth block that is read from now on is a lie; value: how many were read. NONE: honest */
static u32 run_lying(struct rig *r, enum lie lie, u32 nth, bool *told)
{
	struct disk_io io;
	u32 i, n = 0;

	for (rig_step(r); r->nr_io; rig_step(r)) {
		io = rig_take(r, 0);
		for (i = 0; i < io.count; i++) {
			rig_block(r, &io, i);
			if (io.op == DISK_HOST_READ && n++ == nth)
				*told = tell(lie, io.block + i, rig_slot(r, io.slot[i]));
		}
		if (io.op == DISK_HOST_FLUSH)
			host_settle(r->host);
		rig_done(r, &io);
	}
	return n;
}

/* How often a read, or a write of a part, was told a lie, and has not noticed. */
struct score {
	u32 told;
	u32 unnoticed;
	u32 delivered;
	u32 honest;
};

/* Nothing, or what is right. */
static bool good_read(struct model *m, u32 from, const struct guest_req *req)
{
	const struct model_block *b;
	const u8 *at;
	u32 i, k;

	for (i = 0; i < req->req.sectors; i++) {
		at = req->data + i * DISK_SECTOR;
		b = &m->b[from + i / SECTORS];
		for (k = 0; k < DISK_SECTOR && at[k] == 0xaa; k++)
			;
		if (k < DISK_SECTOR && sector_number(at) != b->v[b->nr - 1].sector[i % SECTORS])
			return false;
	}
	return true;
}

static struct rig *open_image(const struct image *image)
{
	struct rig *r = rig_new(host_new(image), 16, 8);

	rig_open(r, true);
	return r;
}

static void drop_rig(struct rig *r)
{
	host_free(r->host);
	rig_free(r);
}

/* The same again, from the beginning; true: the @nth block was a lie. */
static bool ask(struct guest_req *req, enum lie lie, u32 nth, u32 *reads)
{
	struct rig *r = open_image(&forks[0].image);
	bool told = false;

	memset(req->data, 0xaa, req->req.sectors * DISK_SECTOR);
	check(disk_submit(r->d, &req->req));
	*reads = run_lying(r, lie, nth, &told);
	check(disk_reap(r->d) == &req->req);
	if (req->req.failed && req->req.op == DISK_WRITE) { /* that has changed nothing */
		req->req.op = DISK_READ;
		check(disk_submit(r->d, &req->req));
		rig_run(r);
		check(disk_reap(r->d) == &req->req && !req->req.failed);
		req->req.failed = true;
	}
	drop_rig(r);
	return told;
}

static void one_read(enum lie lie, struct score *s)
{
	static u8 data[8 * BLOCK];
	struct model *m = forks[0].m;
	u32 left, from = below(m->nr), reads;
	struct guest_req req = {.data = data};

	req.req.sector = model_at(m, from, &left) * SECTORS;
	req.req.sectors = SECTORS * (1 + below(left));
	req.req.op = below(3) ? DISK_READ : DISK_WRITE;
	if (req.req.op == DISK_WRITE)
		req.req.sectors = 1 + below(SECTORS - 1);
	ask(&req, lie, ~0U, &reads);
	check(!req.req.failed && (req.req.op == DISK_WRITE || good_read(m, from, &req)));
	s->honest++;
	if (!reads || !ask(&req, lie, below(reads), &reads))
		return;
	s->told++;
	s->unnoticed += !req.req.failed;
	s->delivered += req.req.op == DISK_READ && !good_read(m, from, &req);
}

static void test_reads(const char *name)
{
	struct score s;
	u32 lie;

	for (lie = 0; lie < NR_LIES; lie++) {
		s = (struct score){0};
		while (s.told < TIMES)
			one_read(lie, &s);
		ok(!s.unnoticed && !s.delivered,
		   "%s, %s: %u times, %u unnoticed, %u delivered; honest: %u reads, all good", name,
		   lie_name[lie], s.told, s.unnoticed, s.delivered, s.honest);
	}
}

/* ---- images ---- */

/* Each block of one image or the other. */
static void mix(struct image *to, const struct image *a, const struct image *b, u32 share)
{
	u32 i;

	for (i = 0; i < nr_ids; i++)
		image_set(to, i, below(100) < share ? b->b[i] : a->b[i]);
}

/**
 * struct origin - of the blocks that can be read
 * @last: how many are what the fork has last
 * @before: and what it had before; zeros are in both forks' past
 * @never: and what it never had
 */
struct origin {
	u32 last;
	u32 before;
	u32 never;
};

static struct origin origin_of(const struct model *m, struct rig *r)
{
	static u8 data[BLOCK];
	struct origin o = {0};
	struct model_block b;
	struct version v;
	u32 i, left, which;

	for (i = 0; i < m->nr; i++) {
		b = m->b[i];
		b.floor = 0;
		if (!rig_do(r, DISK_READ, model_at(m, i, &left) * SECTORS, SECTORS, data))
			continue;
		if (!version_of(data, &v) || !may_be(&b, &v, &which))
			o.never++;
		else if (!memcmp(&v, &b.v[b.nr - 1], sizeof(v)))
			o.last++;
		else
			o.before++;
	}
	return o;
}

/*
 * After what may have been a crash, a block of the last commit is new or as it was before: that
 * is for the host to choose. It is of the same fork.
 */
static void test_mixed(const char *name, const struct image *b, bool fork)
{
	struct image *image = calloc(1, sizeof(*image));
	u32 i, opened = 0, refused = 0, mixed = 0, before = 0, whole = 0;
	struct origin o[2];
	struct rig *r;

	for (i = 0; i < TIMES; i++) {
		mix(image, &forks[0].image, b, i < 10 ? 0 : 1 + below(99));
		r = open_image(image);
		if (disk_state(r->d) == DISK_RUNNING) {
			opened++;
			o[0] = origin_of(forks[0].m, r);
			o[1] = origin_of(forks[1].m, r);
			whole += i < 10 && o[0].last == forks[0].m->nr;
			mixed += o[0].never && (!fork || o[1].never);
			before += o[0].before && (!fork || o[1].before);
		} else {
			refused++;
		}
		drop_rig(r);
	}
	ok(!mixed && whole == 10,
	   "an image mixed with %s: %u times: %u opened, %u refused, %u with blocks as of before the "
	   "last commit, %u mixed; 10 times unmixed all good",
	   name, TIMES, opened, refused, before, mixed);
	image_drop(image);
	free(image);
}

static void test_opened(void)
{
	struct rig *r = open_image(&forks[0].image);
	u64 opened = disk_super(r->d)->opened;
	u32 i, wrong = 0;

	drop_rig(r);
	for (i = 0; i < 3; i++) {
		r = rig_new(host_new(&forks[0].image), 16, 8);
		disk_open(r->d, disk_key, opened - 2 + i, true);
		rig_run(r);
		wrong += i < 2 ? disk_state(r->d) != DISK_RUNNING
			       : disk_why(r->d) != DISK_WHY_ROLLED_BACK || r->host->writes;
		drop_rig(r);
	}
	ok(!wrong, "an image that was opened less often than its owner knows of is refused");
}

/* ---- completions ---- */

enum done {
	UNKNOWN,
	UNASKED,
	TWICE,
	LENGTH,
	WRITE_ERROR,
	FLUSH_ERROR,
	READ_ERROR,
	NOT_WRITTEN,
	NR_DONE
};

static const struct {
	const char *name;
	enum disk_why why;
	int op; /* of which the host lies; -1: any */
} lies[] = {
	[UNKNOWN] = {"of no number", DISK_WHY_COMPLETION, -1},
	[UNASKED] = {"of what was not asked for", DISK_WHY_COMPLETION, -1},
	[TWICE] = {"twice", DISK_WHY_COMPLETION, -1},
	[LENGTH] = {"of another length", DISK_WHY_LENGTH, -1},
	[WRITE_ERROR] = {"of a write, with an error", DISK_WHY_WRITE, DISK_HOST_WRITE},
	[FLUSH_ERROR] = {"of a flush, with an error", DISK_WHY_FLUSH, DISK_HOST_FLUSH},
	[READ_ERROR] = {"of a read, with an error", DISK_WHY_NONE, DISK_HOST_READ},
	[NOT_WRITTEN] = {"of a write that was not done", DISK_WHY_NONE, DISK_HOST_WRITE},
};

static void lie_done(struct rig *r, enum done how)
{
	struct disk_io io = rig_take(r, below(r->nr_io));
	u64 bytes = io.op == DISK_HOST_READ ? io.count * BLOCK : 0;
	u32 id = io.id;

	switch (how) {
	case UNKNOWN:
		disk_host_done(r->d, NR_TAGS + below(1000), true, bytes);
		break;
	case UNASKED:
		while (r->d->tag[id].state == TAG_SENT)
			id = below(NR_TAGS);
		disk_host_done(r->d, id, true, bytes);
		break;
	case TWICE:
		rig_done(r, &io);
		rig_done(r, &io);
		break;
	case LENGTH:
		disk_host_done(r->d, id, true, bytes + (below(2) ? 1 + below(9999) : -1ULL));
		break;
	case NOT_WRITTEN:
		disk_host_done(r->d, id, true, bytes);
		break;
	default:
		disk_host_done(r->d, id, false, 0);
	}
}

static struct model *model_after(const struct fork *f)
{
	struct model *m = model_new(f->m->range, true, 5);
	u32 i;

	for (i = 0; i < m->nr; i++)
		model_found(&m->b[i], &f->m->b[i].v[f->m->b[i].nr - 1]);
	return m;
}

/* Value: it was told. */
static bool work_lied_to(struct model *m, struct rig *r, enum done how)
{
	u32 requests = 40, when = below(60);
	bool told = false;

	while (requests && disk_state(r->d) == DISK_RUNNING) {
		if (!below(3) && model_submit(m, r, pick_op()))
			requests--;
		rig_step(r);
		model_reap(m, r);
		if (!r->nr_io)
			continue;
		if (!told && !when && (lies[how].op < 0 || r->io[0].op == lies[how].op)) {
			while (r->nr_io > 1)
				rig_host(r, 1);
			lie_done(r, how);
			told = true;
		} else {
			when -= when > 0;
			rig_host(r, below(r->nr_io));
		}
	}
	rig_run(r);
	model_reap(m, r);
	return told;
}

/* Value: what was wrong. */
static u32 one_lie(enum done how, u32 *told, u32 *stopped)
{
	struct model *m = model_after(&forks[0]);
	struct rig *r = open_image(&forks[0].image), *after;
	struct disk_req req = {.op = DISK_FLUSH};
	bool lost[MODEL_BLOCKS];
	u32 i, wrong = 0;

	if (work_lied_to(m, r, how)) {
		(*told)++;
		for (i = 0; i < MODEL_OPS; i++)
			wrong += m->op[i].under_way;
		if (disk_state(r->d) == DISK_STOPPED) {
			(*stopped)++;
			wrong += disk_submit(r->d, &req);
		}
		wrong += lies[how].why && disk_why(r->d) != lies[how].why;
	}
	/* What was not written may be as before, as after a crash, or not be readable. */
	memset(lost, how == NOT_WRITTEN, sizeof(lost));
	for (i = 0; i < m->nr && how == NOT_WRITTEN; i++)
		m->b[i].floor = 0;
	after = rig_new(r->host, 16, 8);
	if (rig_open(after, true))
		wrong += model_check(m, after, lost, false);
	else
		wrong += how != NOT_WRITTEN;
	rig_free(after);
	drop_rig(r);
	model_free(m);
	return wrong;
}

static void test_completions(void)
{
	u32 how, told, stopped, wrong;
	u64 failed;

	model_may_fail = true;
	for (how = 0; how < NR_DONE; how++) {
		told = stopped = wrong = 0;
		failed = model_failed;
		while (told < TIMES)
			wrong += one_lie(how, &told, &stopped);
		ok(!wrong && (!lies[how].why || stopped == told),
		   "a completion %s: %u times, %u stopped the disk, %llu requests failed, %u wrong",
		   lies[how].name, told, stopped, model_failed - failed, wrong);
	}
	model_may_fail = false;
}

int main(void)
{
	struct image *nothing = calloc(1, sizeof(*nothing));

	make_forks(few, 400);
	test_reads("reads");
	test_mixed("a fork of it", &forks[1].image, true);
	test_mixed("zeros", nothing, false);
	test_opened();
	test_completions();
	make_forks(wide, 255ULL * 32256);
	test_reads("reads of a large disk");
	ok(!nr_repeats, "no nonce was used twice in %llu seals", nr_seals);
	free(nothing);
	return unit_end();
}
