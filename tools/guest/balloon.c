// SPDX-License-Identifier: GPL-2.0-only
/*
 * The balloon: memory that this VM gives back to the host, wiped, and can have
 * again if the host lets it. Attribute "balloon" of /sys/class/misc/monguest: pages.
 */
#include <linux/device.h>
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include "monguest.h"

/* A block as large as one call takes, and smaller ones if there is no such block. */
#define BLOCK_ORDER 9
static_assert(1 << BLOCK_ORDER == MON_RELEASE_MAX);

#define BLOCK_GFP (GFP_HIGHUSER | __GFP_NORETRY | __GFP_NOWARN | __GFP_NOMEMALLOC)

static DEFINE_MUTEX(lock);
static LIST_HEAD(blocks); /* by page->lru; page->private is the order */
static u64 balloon_pages;
static u64 full_limit; /* pages that the VM could own with an empty balloon */

u64 monguest_balloon_pages(void)
{
	return READ_ONCE(balloon_pages);
}

/*
 * Nothing touches a released page: it would be made anew, of zeros, out of what the
 * VM may own. It belongs to this module, is on no list of the kernel's and is
 * neither moved nor swapped.
 */
static int inflate_block(unsigned int order)
{
	struct page *page;
	long err;

	/* Each block holds the module: who gave something back cannot forget it. */
	if (!try_module_get(THIS_MODULE))
		return -ENODEV;
	page = alloc_pages(order ? BLOCK_GFP | __GFP_COMP : BLOCK_GFP, order);
	err = page ? monguest_call(MON_GC_RELEASE, page_to_pfn(page), 1ULL << order, 0) : -ENOMEM;
	if (err) {
		if (page)
			__free_pages(page, order);
		module_put(THIS_MODULE);
		return err;
	}
	WRITE_ONCE(balloon_pages, balloon_pages + (1ULL << order));
	set_page_private(page, order);
	list_add(&page->lru, &blocks);
	adjust_managed_page_count(page, -(1L << order));
	return 0;
}

static int inflate(u64 target)
{
	unsigned int order = BLOCK_ORDER;
	int err;

	while (balloon_pages < target) {
		if (fatal_signal_pending(current))
			return -EINTR;
		while (order && target - balloon_pages < 1ULL << order)
			order--;
		err = inflate_block(order);
		if (err == -ENOMEM && order) {
			order--;
			continue;
		}
		if (err)
			return err;
		cond_resched();
	}
	return 0;
}

/*
 * The kernel will use what it gets, all of it at once if it likes, and would wait
 * for the host in the middle of something if the VM may not own so much. So no
 * more comes out of the balloon than the host has let this VM own again.
 */
static s64 may_deflate(void)
{
	struct mon_guest_self self;
	int err = monguest_self(&self);

	return err ? err : (s64)(self.limit + balloon_pages - full_limit);
}

/* Else what another CPU writes there could go where the page was before, and be lost. */
static int wait_settled(void)
{
	long err;

	while ((err = monguest_call(MON_GC_SETTLED, 0, 0, 0)) == -EAGAIN) {
		if (fatal_signal_pending(current))
			return -EINTR;
		fsleep(USEC_PER_MSEC);
	}
	return err;
}

static int deflate(u64 target)
{
	struct page *page, *next;
	s64 allowed = may_deflate();
	unsigned int order;
	int err;

	if (allowed < 0)
		return allowed;
	err = wait_settled();
	if (err)
		return err;
	list_for_each_entry_safe(page, next, &blocks, lru) {
		order = page_private(page);
		if (1LL << order > allowed || balloon_pages - target < 1ULL << order)
			continue;
		allowed -= 1LL << order;
		list_del(&page->lru);
		set_page_private(page, 0);
		adjust_managed_page_count(page, 1L << order);
		__free_pages(page, order);
		WRITE_ONCE(balloon_pages, balloon_pages - (1ULL << order));
		module_put(THIS_MODULE);
	}
	return balloon_pages > target ? -EAGAIN : 0;
}

static ssize_t balloon_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%llu\n", monguest_balloon_pages());
}

/*
 * As far as it goes; what it came to can be read.
 *
 *  ENOMEM  this VM needs what it has
 *  EAGAIN  the host has not let this VM own as much again; or what is in the balloon is
 *          in larger pieces: 0 always fits
 *  EINTR   a signal came that ends the process
 */
static ssize_t balloon_store(struct device *dev, struct device_attribute *attr, const char *buf,
			     size_t size)
{
	u64 target;
	int err = kstrtou64(buf, 0, &target);

	if (err)
		return err;
	mutex_lock(&lock);
	err = target > balloon_pages ? inflate(target) : deflate(target);
	mutex_unlock(&lock);
	return err ? err : size;
}

DEVICE_ATTR_RW(balloon);

int monguest_balloon_init(void)
{
	struct mon_guest_self self;
	int err = monguest_self(&self);

	if (!err)
		full_limit = self.limit;
	return err;
}
