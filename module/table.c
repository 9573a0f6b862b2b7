// SPDX-License-Identifier: GPL-2.0-only
/* What the monitor says of its tables: who shares what with whom, who owns how many frames. */
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "monitor.h"
#include "../uapi/monitor.h"

/* ---- shares ---- */

static void share_fill(struct mon_share_info *info, const struct mon_share_status *s)
{
	info->id = s->id;
	info->state = s->state;
	info->perm = s->perm;
	info->owner = s->owner;
	info->peer = s->peer;
	info->pages = s->pages;
	info->tag = s->tag;
}

/* Of @info only the slot counts, and all but the size is filled in. */
static int share_in_slot(u32 slot, struct mon_share_info *info)
{
	struct mon_share_status *s = kzalloc(sizeof(*s), GFP_KERNEL);
	long err;

	if (!s)
		return -ENOMEM;
	err = mon_hypercall(MON_HC_SHARE_AT, slot, __pa(s), 0, 0);
	if (!err) {
		info->slot = slot;
		share_fill(info, s);
	}
	kfree(s);
	return !err || err == -ENOENT || err == -ERANGE ? err : -EIO;
}

/**
 * mon_share_by_id() - the share with this number
 * @id: the number
 * @info: filled in, but for its size
 *
 * -ENOENT: there is none, or no more.
 */
int mon_share_by_id(u64 id, struct mon_share_info *info)
{
	int err = 0;
	u32 slot;

	for (slot = 0; !err || err == -ENOENT; slot++) {
		err = share_in_slot(slot, info);
		if (!err && info->id == id)
			return 0;
	}
	return err == -ERANGE ? -ENOENT : err;
}

/**
 * mon_share_at() - MON_IOC_SHARE_AT
 * @arg: the caller's structure
 */
long mon_share_at(void __user *arg)
{
	struct mon_share_info info = {};
	long err;

	BUILD_BUG_ON(sizeof(info) % 8);
	err = mon_copy_in(&info, sizeof(info), MON_SHARE_INFO_SIZE_V1, arg) ?:
	      share_in_slot(info.slot, &info);
	return err ?: mon_copy_out(arg, &info, sizeof(info));
}

/* ---- frames ---- */

/* More than there are: a domain has frames of some types, and of some peers. */
#define COUNTS_MAX 2048

struct counts {
	struct mon_page_count *item;
	u32 nr;
	u32 last;
	struct mon_frame *frames; /* one page: what one call returns */
};

static bool counts_as(const struct mon_page_count *a, const struct mon_page_count *b)
{
	return a->owner == b->owner && a->state == b->state && a->type == b->type &&
	       a->peer == b->peer;
}

/* Neighbours are mostly alike. */
static int count_frame(struct counts *c, const struct mon_frame *f)
{
	const struct mon_page_count key = {
		.owner = f->owner,
		.state = f->state,
		.type = f->type,
		.peer = f->flags & MON_FRAME_SHARED ? f->peer : MON_DOMAIN_NONE,
	};

	if (c->last >= c->nr || !counts_as(&c->item[c->last], &key))
		for (c->last = 0; c->last < c->nr; c->last++)
			if (counts_as(&c->item[c->last], &key))
				break;
	if (c->last == COUNTS_MAX)
		return -EIO;
	if (c->last == c->nr)
		c->item[c->nr++] = key;
	c->item[c->last].frames++;
	return 0;
}

static long count_some(struct counts *c, u64 pfn, u64 nr)
{
	u64 i;

	if (mon_hypercall(MON_HC_FRAMES, pfn, nr, __pa(c->frames), 0))
		return -EIO;
	for (i = 0; i < nr; i++)
		if (count_frame(c, &c->frames[i]))
			return -EIO;
	return 0;
}

static long count_all(struct counts *c, u64 frames)
{
	long err = 0;
	u64 pfn;

	for (pfn = 0; !err && pfn < frames; pfn += MON_FRAMES_MAX) {
		err = count_some(c, pfn, min_t(u64, frames - pfn, MON_FRAMES_MAX));
		cond_resched();
		if (!err && fatal_signal_pending(current))
			err = -EINTR;
	}
	return err;
}

/* How many frames the table covers; @page is one that the monitor may write to. */
static long frames_total(void *page, u64 *frames)
{
	struct mon_status *status = page;

	BUILD_BUG_ON(sizeof(*status) > PAGE_SIZE);
	if (mon_hypercall(MON_HC_STATUS, __pa(page), 0, 0, 0))
		return -EIO;
	*frames = status->frames_total;
	return 0;
}

static long counts_out(const struct counts *c, const struct mon_pages *request,
		       struct mon_pages __user *arg)
{
	if (put_user(c->nr, &arg->count))
		return -EFAULT;
	if (c->nr > request->count)
		return -ENOSPC;
	if (copy_to_user(u64_to_user_ptr(request->counts), c->item, c->nr * sizeof(*c->item)))
		return -EFAULT;
	return 0;
}

static long pages(struct counts *c, const struct mon_pages *request, struct mon_pages __user *arg)
{
	u64 frames;

	return frames_total(c->frames, &frames) ?: count_all(c, frames) ?:
	       counts_out(c, request, arg);
}

/**
 * mon_pages() - MON_IOC_PAGES
 * @arg: the caller's structure
 */
long mon_pages(void __user *arg)
{
	struct mon_pages request = {};
	struct counts c = {};
	long err;

	BUILD_BUG_ON(sizeof(request) % 8 || sizeof(*c.item) % 8);
	BUILD_BUG_ON(MON_FRAMES_MAX * sizeof(*c.frames) > PAGE_SIZE);
	err = mon_copy_in(&request, sizeof(request), MON_PAGES_SIZE_V1, arg);
	if (err)
		return err;
	if (request.flags || request.reserved)
		return -EINVAL;
	c.item = kvcalloc(COUNTS_MAX, sizeof(*c.item), GFP_KERNEL);
	c.frames = (void *)get_zeroed_page(GFP_KERNEL);
	err = c.item && c.frames ? pages(&c, &request, arg) : -ENOMEM;
	free_page((unsigned long)c.frames);
	kvfree(c.item);
	return err;
}
