// SPDX-License-Identifier: GPL-2.0-only
/* What goes into an enclave before it runs: how many frames, and the pages. */
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "enclave.h"
#include "monitor.h"
#include "../uapi/monitor.h"

#define FRAMES_FIXED 16 /* its state, the top of its tables, and those of its page tables */
#define FRAMES_PER_THREAD 2

/**
 * mon_enclave_frames() - all frames that an enclave can take
 * @p: its policy: nothing of it is believed
 * @limit: how many it may own
 *
 * For each 2 MiB a table, and a page of the numbers of what is evicted there.
 */
u64 mon_enclave_frames(const struct mon_enclave_policy *p, u64 limit)
{
	u64 frames = FRAMES_FIXED + limit +
		     FRAMES_PER_THREAD * min_t(u32, p->nr_threads, MON_ENCLAVE_MAX_THREADS);
	u32 i;

	for (i = 0; i < min_t(u32, p->nr_ranges, MON_ENCLAVE_MAX_RANGES); i++) {
		u64 start = p->range[i].start, end = min(p->range[i].end, MON_ENCLAVE_HIGH);

		if (start < end)
			frames += 2 * mon_tables(start, end, PMD_SHIFT) +
				  mon_tables(start, end, PUD_SHIFT);
	}
	return frames;
}

/**
 * mon_enclave_buffer_size() - bytes of the buffer, 0 if there is none
 * @p: the policy: nothing of it is believed
 */
u64 mon_enclave_buffer_size(const struct mon_enclave_policy *p)
{
	u64 most = (u64)MON_ENCLAVE_BUFFER_PAGES_MAX << PAGE_SHIFT;
	u32 i;

	for (i = 0; i < min_t(u32, p->nr_ranges, MON_ENCLAVE_MAX_RANGES); i++)
		if (p->range[i].type == MON_ENCLAVE_BUFFER && p->range[i].start < p->range[i].end)
			return min(p->range[i].end - p->range[i].start, most) & PAGE_MASK;
	return 0;
}

/* Errors of the monitor that mean something to the caller. */
static long add_error(long err)
{
	return err == -EEXIST || err == -EBUSY || err == -EINVAL || err == -ENOMEM ? err : -EIO;
}

static long add_one(struct mon_enclave *e, const struct mon_enclave_add *add, void *page)
{
	u64 offset = add->added << PAGE_SHIFT;
	long err;

	if (signal_pending(current))
		return -EINTR;
	if (copy_from_user(page, u64_to_user_ptr(add->source + offset), PAGE_SIZE))
		return -EFAULT;
	err = mon_hypercall(MON_HC_ENCLAVE_ADD, READ_ONCE(e->domain), add->address + offset,
			    add->perm, __pa(page));
	return err ? add_error(err) : 0;
}

/**
 * mon_enclave_add() - MON_IOC_ENCLAVE_ADD
 * @e: whose descriptor it is
 * @arg: the caller's structure
 */
long mon_enclave_add(struct mon_enclave *e, void __user *arg)
{
	struct mon_enclave_add add = {};
	void *page;
	long err;

	BUILD_BUG_ON(sizeof(add) % 8);
	err = mon_copy_in(&add, sizeof(add), MON_ENCLAVE_ADD_SIZE_V1, arg);
	if (err)
		return err;
	if (!PAGE_ALIGNED(add.address | add.source) || !add.pages || add.added ||
	    add.pages > MON_ENCLAVE_HIGH >> PAGE_SHIFT)
		return -EINVAL;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	for (; !err && add.added < add.pages; add.added++) {
		err = add_one(e, &add, page);
		if (err)
			break;
		cond_resched();
	}
	free_page((unsigned long)page);
	return mon_copy_out(arg, &add, sizeof(add)) ?: err;
}
