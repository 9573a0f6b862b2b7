// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which frames are out with the monitor, and how its pool grows and shrinks.
 *
 * MON_HC_TAKE_BACK returns whichever frame is first in the monitor's pool: one
 * that was donated for a VM, or one that was there at launch. So no frame is
 * "the VM's" on this side: every block is split into single pages before the
 * monitor gets it, a bit says that a page is out, and whichever page comes back
 * has its bit cleared and is freed by itself. When the monitor has left, what is
 * still out is wiped and freed (mon_frames_free_all()).
 *
 * The accounts are in numbers only. Each VM reserves as many frames as it can
 * ever own (mon_pool_reserve()), and gives as many back (mon_pool_release()), so
 * that the pool never holds less than it had at launch and the VMs still claim.
 *
 * To take single pages out of EPT01 the monitor splits its large leaves, with a
 * table out of the pool for each 2 MiB, which it keeps for the way back. Those
 * tables are given on top, once: a region stays known until unload.
 */
#include <linux/bitmap.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include "monitor.h"

#define REGION_ORDER 9U /* a leaf of EPT01, and the most that one donation takes */
#define REGION_PAGES BIT(REGION_ORDER)
#define REGIONS_PER_GB_ORDER 9U
#define BLOCK_ORDER_MIN 5U /* below, the tables would eat up what is gained */
#define BATCH 32
#define TRIES 1000

struct region {
	DECLARE_BITMAP(out, REGION_PAGES);
};

static DEFINE_XARRAY(regions); /* by frame number >> REGION_ORDER */

static DEFINE_MUTEX(pool_lock);
static u64 spare; /* frames given on top of the launch's and promised to no VM */
static u64 promised;
static u64 kept; /* for the tables of the host's own guests: pool_watch.c */

/* ---- frames that are out ---- */

/* Tables that EPT01 may need before single pages of the region can leave it. */
static int region_make(unsigned long index)
{
	unsigned long in_gb = index & ~((1UL << REGIONS_PER_GB_ORDER) - 1);
	unsigned long last_in_gb = in_gb + (1UL << REGIONS_PER_GB_ORDER) - 1;
	struct region *r;
	int cost = 1, err;

	if (xa_load(&regions, index))
		return 0;
	if (!xa_find(&regions, &in_gb, last_in_gb, XA_PRESENT))
		cost++;
	r = kzalloc(sizeof(*r), GFP_KERNEL);
	if (!r)
		return -ENOMEM;
	err = xa_err(xa_store(&regions, index, r, GFP_KERNEL));
	if (err)
		kfree(r);
	return err ?: cost;
}

/**
 * mon_frames_out() - these pages go to the monitor
 * @page: first of a block from alloc_pages(), which becomes single pages
 * @order: its size
 *
 * Returns how many tables the monitor may need to take them, or -ENOMEM; then
 * the block is as it was.
 */
int mon_frames_out(struct page *page, unsigned int order)
{
	unsigned long pfn = page_to_pfn(page), end = pfn + (1UL << order);
	int cost = 0, n;

	for (n = 0; pfn < end && n >= 0; pfn = ALIGN(pfn + 1, REGION_PAGES)) {
		n = region_make(pfn >> REGION_ORDER);
		cost += n;
	}
	if (n < 0)
		return n;
	split_page(page, order);
	for (pfn = page_to_pfn(page); pfn < end; pfn++)
		__set_bit(pfn % REGION_PAGES,
			  ((struct region *)xa_load(&regions, pfn >> REGION_ORDER))->out);
	return cost;
}

/*
 * The page is the host's again. False: it never was the monitor's. A process may have
 * it mapped still, from a share that is over.
 */
static bool frame_back(u64 pfn)
{
	struct region *r = xa_load(&regions, pfn >> REGION_ORDER);

	if (!r || !__test_and_clear_bit(pfn % REGION_PAGES, r->out))
		return false;
	mon_share_frame_back(pfn);
	__free_page(pfn_to_page(pfn));
	return true;
}

/* For use when no CPU runs under the monitor: nothing is out any more. */
void mon_frames_free_all(void)
{
	unsigned long index, bit;
	struct region *r;

	mutex_lock(&pool_lock); /* at a reboot there may still be somebody who donates */
	xa_for_each(&regions, index, r) {
		for_each_set_bit(bit, r->out, REGION_PAGES) {
			struct page *page = pfn_to_page((index << REGION_ORDER) + bit);

			clear_page(page_address(page));
			__free_page(page);
		}
		kfree(r);
		cond_resched();
	}
	xa_destroy(&regions);
	spare = 0;
	promised = 0;
	kept = 0;
	mutex_unlock(&pool_lock);
}

/* ---- the pool, after launch ---- */

struct donation {
	struct page *page;
	unsigned int order;
	int tables;
};

/* As large as there is, but not much more than needed. */
static struct page *block_alloc(u64 wanted, unsigned int *order)
{
	gfp_t gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_NORETRY;
	struct page *page;

	*order = wanted >= REGION_PAGES ? REGION_ORDER : order_base_2(wanted);
	*order = clamp(*order, BLOCK_ORDER_MIN, REGION_ORDER);
	for (;; (*order)--) {
		if (*order == BLOCK_ORDER_MIN)
			gfp = GFP_KERNEL | __GFP_NOWARN | __GFP_RETRY_MAYFAIL;
		page = alloc_pages(gfp, *order);
		if (page || *order == BLOCK_ORDER_MIN)
			return page;
	}
}

static int donate_one(u64 wanted, struct donation *d)
{
	unsigned long i;
	long err;

	if (fatal_signal_pending(current))
		return -EINTR;
	d->page = block_alloc(wanted, &d->order);
	if (!d->page)
		return -ENOMEM;
	d->tables = mon_frames_out(d->page, d->order);
	if (d->tables < 0) {
		__free_pages(d->page, d->order);
		return d->tables;
	}
	err = mon_hypercall(MON_HC_DONATE, page_to_pfn(d->page), 1UL << d->order, 0, 0);
	if (err)
		for (i = 0; i < 1UL << d->order; i++)
			frame_back(page_to_pfn(d->page) + i);
	return err;
}

/* A block that does not settle stays out until unload, and counts for nothing. */
static int settle_one(const struct donation *d)
{
	unsigned int tries;
	long err = -EAGAIN;

	for (tries = 0; err == -EAGAIN && tries < TRIES; tries++) {
		if (tries)
			mon_every_cpu_passes();
		err = mon_hypercall(MON_HC_SETTLE, page_to_pfn(d->page), 1UL << d->order, 0, 0);
		cond_resched();
	}
	if (err) {
		pr_err(MON_LOG "the monitor does not take %lu frames that it was given (error %ld): they are lost until it is unloaded\n",
		       1UL << d->order, err);
		return -EIO;
	}
	spare += (1UL << d->order) - d->tables;
	return 0;
}

/*
 * A batch: donations, then one shootdown for all of them. The first ones need
 * tables out of the pool as it is, so a shortage of them ends the batch early.
 */
static int donate_some(u64 wanted)
{
	struct donation batch[BATCH];
	unsigned int n, i;
	u64 gain = 0;
	int err = 0, settled;

	for (n = 0; n < BATCH && gain < wanted; n++) {
		err = donate_one(wanted - gain, &batch[n]);
		if (err)
			break;
		gain += (1UL << batch[n].order) - batch[n].tables;
	}
	if (n)
		mon_every_cpu_passes();
	for (i = 0; i < n; i++) {
		settled = settle_one(&batch[i]);
		if (settled)
			err = settled;
	}
	return err == -ENOMEM && n ? 0 : err;
}

static void give_back_spare(void)
{
	unsigned int tries = 0;
	long pfn;

	while (spare && tries < TRIES) {
		pfn = mon_hypercall(MON_HC_TAKE_BACK, 0, 0, 0, 0);
		if (pfn == -ENXIO) { /* it has left, and all are back */
			spare = 0;
		} else if (pfn < 0) { /* the last ones may still wait for an epoch */
			mon_every_cpu_passes();
			tries++;
		} else {
			WARN_ONCE(!frame_back(pfn),
				  MON_LOG "a frame came back that was not given\n");
			spare--;
		}
		cond_resched();
	}
	if (spare)
		pr_warn(MON_LOG "%llu frames have not come back yet: the next VM will use them\n",
			spare);
}

/**
 * mon_pool_reserve() - make sure that the monitor has @frames free ones more
 * @frames: the most that a domain will ever own
 *
 * -ENOMEM, -EINTR (killed), -EIO: nothing is reserved.
 */
int mon_pool_reserve(u64 frames)
{
	int err = 0;

	mutex_lock(&pool_lock);
	while (!err && spare < frames)
		err = donate_some(frames - spare);
	if (!err) {
		spare -= frames;
		promised += frames;
	} else {
		give_back_spare();
	}
	mutex_unlock(&pool_lock);
	return err;
}

/**
 * mon_pool_release() - the domain that reserved frames is gone: back to the host
 * @frames: as many as it reserved
 */
void mon_pool_release(u64 frames)
{
	mutex_lock(&pool_lock);
	spare += frames;
	promised -= frames;
	give_back_spare();
	mutex_unlock(&pool_lock);
}

/**
 * mon_pool_keep() - frames that nobody has reserved
 * @most: of all that are kept so
 *
 * As many again as there are by now, MON_POOL_LOW at least.
 */
void mon_pool_keep(u64 most)
{
	u64 before;

	mutex_lock(&pool_lock);
	before = spare;
	if (kept < most)
		donate_some(clamp_t(u64, kept, MON_POOL_LOW, most - kept + MON_POOL_LOW));
	kept += spare - before;
	spare = before;
	mutex_unlock(&pool_lock);
}

/**
 * mon_pool_keep_none() - give back what mon_pool_keep() has given, if nothing uses it
 * @have: frames that the monitor has left
 */
void mon_pool_keep_none(u64 have)
{
	mutex_lock(&pool_lock);
	if (kept && have >= kept + promised + MON_POOL_LOW) {
		spare += kept;
		kept = 0;
		give_back_spare();
	}
	mutex_unlock(&pool_lock);
}

/**
 * mon_pool_help() - the monitor has run out of frames for something the host asked of it
 *
 * Gives it a few, if there are none that are promised to no VM. They come back
 * when some VM's do.
 */
int mon_pool_help(void)
{
	int err = 0;

	mutex_lock(&pool_lock);
	if (!spare)
		err = donate_some(1);
	mutex_unlock(&pool_lock);
	return err;
}
