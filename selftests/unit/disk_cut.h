/* SPDX-License-Identifier: GPL-2.0-only */
/* A power cut: what the host's disk has afterwards of what was not flushed. */
#ifndef _DISK_CUT_H
#define _DISK_CUT_H

#include "disk_sim.h"

enum cut { CUT_ANY, CUT_NONE, CUT_ALL, CUT_MONITOR, CUT_TORN, NR_CUTS };

static struct block *torn(const struct block *old, const struct block *new)
{
	struct block *b = malloc(sizeof(*b));
	u32 i, pos;

	b->refs = 1;
	for (i = 0; i < SECTORS; i++) {
		pos = i * DISK_SECTOR;
		if (below(2))
			memcpy(b->bytes + pos, new->bytes + pos, DISK_SECTOR);
		else if (old)
			memcpy(b->bytes + pos, old->bytes + pos, DISK_SECTOR);
		else
			memset(b->bytes + pos, 0, DISK_SECTOR);
	}
	return b;
}

/* One of the writes that were not flushed gets to the medium. */
static void land(struct host *to, const struct host *h, u32 i, enum cut cut)
{
	u32 id = h->pending[i].id;
	struct block *b = block_hold(h->pending[i].b);

	if (cut == CUT_TORN && below(2)) {
		block_free(b);
		b = torn(to->medium.b[id], h->pending[i].b);
	}
	image_set(&to->medium, id, b);
	image_set(&to->view, id, b);
	block_free(b);
}

static struct host *host_after(const struct host *h, enum cut cut)
{
	struct host *to = host_new(&h->medium);
	u32 i, k, order[PENDING];

	for (i = 0; i < h->nr_pending; i++) {
		if (cut == CUT_MONITOR)
			host_write(to, h->pending[i].block, h->pending[i].b->bytes);
		k = below(i + 1);
		order[i] = order[k];
		order[k] = i;
	}
	for (i = 0; i < h->nr_pending; i++) {
		if (cut == CUT_ALL)
			land(to, h, i, cut);
		else if ((cut == CUT_ANY || cut == CUT_TORN) && below(2))
			land(to, h, order[i], cut);
	}
	to->touched = false;
	return to;
}

#endif /* _DISK_CUT_H */
