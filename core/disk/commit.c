// SPDX-License-Identifier: GPL-2.0-only
/*
 * A commit, one at a time:
 *
 *  kind    what it changes                phases
 *  -----   ----------------------------   ---------------------------------------------
 *  WRITE   leaves of dirty blocks         TREE         SUPER  FLUSH  DATA  AFTER (flush)
 *  ZERO    seals and words become 0       TREE BEFORE  SUPER  FLUSH
 *  OPEN    what a crash left unsettled    TREE BEFORE  SUPER  FLUSH
 *  CLOSE   nothing                        TREE BEFORE  SUPER  FLUSH
 *
 * Those without records flush before the superblock, too: uapi/disk.h says why. The tree is
 * changed in the order of its leaves, so one leaf, node and root at a time are enough.
 */
#include "internal.h"

static struct mon_disk_word *word_in(struct disk_frame *above, u64 index)
{
	return &((struct mon_disk_node *)above->page)->word[index % FANOUT];
}

/* ---- the path from the root ---- */

/* A frame that the commit has no more to do with is written, if it was changed. */
static enum got leave(struct disk *d, struct disk_frame **frame, bool *dirty,
		      struct mon_disk_word *word, bool *dirty_above)
{
	if (*dirty) {
		d->commit.changed = true;
		if (tree_put(d, *frame, word) != GOT)
			return WAIT;
		*dirty = false;
		*dirty_above = true;
	}
	(*frame)->pinned = false;
	*frame = NULL;
	return GOT;
}

/* All that is not above @leaf, from below. */
static enum got leave_others(struct disk *d, u64 leaf)
{
	struct disk_commit *c = &d->commit;
	enum got got = GOT;
	bool super;

	if (c->leaf && c->leaf->index != leaf)
		got = leave(d, &c->leaf, &c->leaf_dirty, word_in(c->node, c->leaf->index),
			    &c->node_dirty);
	if (got == GOT && c->node && c->node->index != leaf / FANOUT)
		got = leave(d, &c->node, &c->node_dirty, word_in(c->root, c->node->index),
			    &c->root_dirty);
	if (got == GOT && c->root && c->root->index != leaf / FANOUT / FANOUT)
		got = leave(d, &c->root, &c->root_dirty, &d->super->root[c->root->index], &super);
	return got;
}

static enum got enter(struct disk *d, struct disk_frame **frame, u32 kind, u64 index)
{
	enum got got = GOT;

	if (!*frame) {
		got = tree_get(d, kind, index, frame);
		if (got == GOT)
			(*frame)->pinned = true;
		if (got == ERROR)
			disk_stop(d, DISK_WHY_TREE);
	}
	return got;
}

/* What is above @leaf, and for MON_DISK_LEAF itself; NONE: no more. */
enum got commit_path(struct disk *d, u64 leaf, u32 down_to)
{
	struct disk_commit *c = &d->commit;
	enum got got = leave_others(d, leaf);

	if (leaf == NONE || got != GOT)
		return got;
	got = enter(d, &c->root, MON_DISK_ROOT, leaf / FANOUT / FANOUT);
	if (got == GOT)
		got = enter(d, &c->node, MON_DISK_NODE, leaf / FANOUT);
	if (got == GOT && down_to == MON_DISK_LEAF)
		got = enter(d, &c->leaf, MON_DISK_LEAF, leaf);
	return got;
}

/* ---- what is changed ---- */

/* The leaf of the next entry */
static u64 next_leaf(const struct disk *d)
{
	u32 i;

	if (d->commit.entry == NO_REF)
		return NONE;
	return place_leaf(dirty_entry(d, d->commit.entry)->block, &i);
}

/* The seals of the dirty blocks of the next leaf: what is above it first. */
static enum got write_leaf(struct disk *d)
{
	struct disk_commit *c = &d->commit;
	struct mon_disk_leaf *leaf;
	struct disk_entry *e;
	enum got got;
	u32 i;

	got = commit_path(d, c->from, MON_DISK_LEAF);
	if (got != GOT)
		return got;
	leaf = (struct mon_disk_leaf *)c->leaf->page;
	for (; next_leaf(d) == c->from; c->entry = e->next) {
		e = dirty_entry(d, c->entry);
		place_leaf(e->block, &i);
		super_add(d, e->block, &leaf->data[i]);
		leaf->data[i] = e->seal;
	}
	c->leaf_dirty = true;
	c->from = next_leaf(d);
	return GOT;
}

static enum got zero_part(struct disk *d, u64 index, u32 i, u32 end)
{
	struct disk_commit *c = &d->commit;
	enum got got = commit_path(d, index, MON_DISK_LEAF);
	struct mon_disk_leaf *leaf;

	if (got != GOT)
		return got;
	leaf = (struct mon_disk_leaf *)c->leaf->page;
	for (; i < end; i++) {
		c->leaf_dirty |= leaf->data[i].count != 0;
		leaf->data[i] = (struct mon_disk_seal){0};
	}
	return GOT;
}

/* A leaf that is in the range wholly: only its word. */
static enum got zero_whole(struct disk *d, u64 index)
{
	if (!tree_drop(d, MON_DISK_LEAF, index))
		return WAIT;
	*word_in(d->commit.node, index) = (struct mon_disk_word){0};
	d->commit.node_dirty = true;
	return GOT;
}

/* The next leaf of the range; where nothing was written, the next node. */
static enum got zero_leaf(struct disk *d)
{
	struct disk_commit *c = &d->commit;
	u32 i, seals;
	u64 leaf = place_leaf(c->block, &i), first = place_first(leaf);
	enum got got = commit_path(d, leaf, MON_DISK_NODE);

	if (got != GOT)
		return got;
	disk_spend(d, BLOCK / 16);
	seals = (u32)min_u64(place_seals(leaf), d->super->blocks - first);
	if (!c->node_dirty && !word_in(c->root, c->node->index)->count)
		leaf = (c->node->index + 1) * FANOUT - 1;
	else if (word_in(c->node, leaf)->count && (i || c->end < first + seals))
		got = zero_part(d, leaf, i, (u32)min_u64(c->end - first, seals));
	else if (word_in(c->node, leaf)->count)
		got = zero_whole(d, leaf);
	if (got == GOT)
		c->block = place_first(leaf + 1);
	return got;
}

/* A part of what is to be changed; behind the last one, what is left of its path is written. */
static enum got change(struct disk *d)
{
	struct disk_commit *c = &d->commit;

	if (c->from == NONE)
		return commit_path(d, NONE, MON_DISK_LEAF);
	if (c->kind == COMMIT_WRITE)
		return write_leaf(d);
	if (c->block < c->end)
		return c->kind == COMMIT_OPEN ? settle_record(d) : zero_leaf(d);
	c->from = NONE;
	return GOT;
}

/* ---- phases ---- */

/* A run of data to its place, in one request, but not from too many pieces of the arena. */
static enum got write_data(struct disk *d)
{
	struct disk_commit *c = &d->commit;
	u64 block = place_data(dirty_entry(d, c->data)->block);
	struct disk_tag *tag = io_new(d, TAG_WRITE, DISK_WRITES, DISK_HOST_WRITE, block);
	u32 pieces = 1, last;

	if (!tag)
		return WAIT;
	tag->ref = c->data;
	tag->count = 0;
	do {
		tag->count++;
		last = c->data;
		c->data = dirty_entry(d, last)->next;
		pieces += c->data != last + 1;
	} while (c->data != NO_REF && tag->count < DISK_RUN && pieces <= DISK_PIECES &&
		 place_data(dirty_entry(d, c->data)->block) == block + tag->count);
	return GOT;
}

static void finish(struct disk *d)
{
	struct disk_commit *c = &d->commit;

	c->phase = PHASE_NONE;
	d->generation++;
	d->stats.commits += c->changed || c->kind != COMMIT_ZERO;
	if (c->kind == COMMIT_WRITE) {
		d->finished = d->epoch - 1;
		dirty_drop(d, d->finished, 0, NONE);
	} else if (c->kind == COMMIT_ZERO) {
		c->req->first = c->req->end;
		/* All that a commit would have written was dropped: who waits for it has it. */
		if (!d->nr_dirty)
			d->finished = d->epoch++;
	} else if (c->kind == COMMIT_OPEN) {
		d->state = DISK_RUNNING;
	} else {
		d->state = DISK_CLOSED;
	}
}

static void next_phase(struct disk *d)
{
	struct disk_commit *c = &d->commit;
	bool write = c->kind == COMMIT_WRITE;

	if (c->phase == PHASE_AFTER || (c->phase == PHASE_FLUSH && !write) ||
	    (c->phase == PHASE_TREE && c->kind == COMMIT_ZERO && !c->changed)) {
		finish(d);
		return;
	}
	c->phase += c->phase == PHASE_TREE && write ? 2 : 1;
	c->data = c->first;
	if (c->phase == PHASE_SUPER)
		super_begin(d);
}

/* One thing of the commit under way. @over: the phase is, if it was done */
static enum got step(struct disk *d, bool *over)
{
	struct disk_commit *c = &d->commit;
	enum got got;

	switch (c->phase) {
	case PHASE_TREE:
		*over = c->from == NONE;
		return change(d);
	case PHASE_SUPER:
		got = super_write(d);
		*over = c->journal > super_journals(d);
		return got;
	case PHASE_DATA:
		got = write_data(d);
		*over = c->data == NO_REF;
		return got;
	default:
		*over = true;
		return io_flush(d);
	}
}

void commit_begin(struct disk *d, u32 kind)
{
	u32 nr = d->nr_dirty;

	d->commit = (struct disk_commit){.kind = (u8)kind,
					 .phase = PHASE_TREE,
					 .run = NO_TAG,
					 .first = NO_REF,
					 .entry = NO_REF,
					 .data = NO_REF};
	d->zeroed = kind == COMMIT_ZERO;
	if (kind == COMMIT_WRITE) {
		d->epoch++;
		d->nr_dirty = 0;
		d->want = false;
		d->super->records = 0;
		d->commit.first = d->commit.entry = dirty_sorted(d, nr);
		d->commit.from = next_leaf(d);
	}
}

/* Which one is next, if any. */
static bool choose(struct disk *d)
{
	struct disk_req *req = requests_zero(d);

	d->want &= d->nr_dirty > 0;
	if (req && !(d->zeroed && d->want)) {
		commit_begin(d, COMMIT_ZERO);
		d->commit.req = req;
		d->commit.block = req->first;
		d->commit.end = req->end;
		dirty_drop(d, d->epoch, req->first, req->end);
	} else if (d->want) {
		commit_begin(d, COMMIT_WRITE);
	} else if (d->state == DISK_CLOSING && !requests_pending(d)) {
		commit_begin(d, d->nr_dirty ? COMMIT_WRITE : COMMIT_CLOSE);
	} else {
		return false;
	}
	return true;
}

void commit_step(struct disk *d)
{
	bool over = false;

	if (d->commit.phase == PHASE_NONE && !choose(d))
		return;
	while (d->budget > 0 && d->commit.phase != PHASE_NONE && d->state != DISK_STOPPED) {
		if (step(d, &over) != GOT)
			return;
		d->progress = true;
		disk_spend(d, BLOCK / 16);
		if (over)
			next_phase(d);
	}
}
