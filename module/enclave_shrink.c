// SPDX-License-Identifier: GPL-2.0-only
/*
 * The kernel is short of memory: pages of enclaves that nobody enters go out (enclave_evict.c).
 *
 * Not in reclaim itself, where this is asked for: whoever reclaims may hold pool_lock, under which
 * frames are allocated for the monitor, and pages come back by that lock only; each page that goes
 * out takes another one first, which would be out of the reserves there; and all CPUs have to pass.
 * So there only a number is noted, and what does the work allocates as anybody does, but
 * gives up before somebody is killed for it. Nobody waits for it.
 *
 * Without swap what goes out stays in memory, and none does.
 */
#include <linux/atomic.h>
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/shrinker.h>
#include <linux/slab.h>
#include <linux/swap.h>
#include <linux/workqueue.h>
#include "enclave.h"
#include "monitor.h"

#define IDLE HZ /* not entered for so long */
#define MOST 1024L /* pages at once */
#define BATCH 32

static struct mon_enclave_status *status; /* under mon_enclaves_lock */
static struct workqueue_struct *queue;
static atomic_long_t asked;

/* Pages of one that nobody has entered for a while, as far as was looked; else 0. */
static u64 idle_pages(struct mon_enclave *e)
{
	if (!e->domain || mon_hypercall(MON_HC_ENCLAVE_STATUS, e->domain, __pa(status), 0, 0) ||
	    status->state != MON_ENCLAVE_READY)
		return 0;
	if (!e->looked || e->entries != status->entries) {
		e->entries = status->entries;
		e->looked = jiffies | 1;
	}
	return time_after(jiffies, e->looked + IDLE) ? status->owned : 0;
}

static u64 all_idle_pages(void)
{
	struct mon_enclave *e;
	u64 pages = 0;

	list_for_each_entry(e, &mon_enclaves, list)
		pages += idle_pages(e);
	return pages;
}

/* From each as many of a hundred. */
static void evict(struct work_struct *work)
{
	u64 wanted = min(atomic_long_xchg(&asked, 0), MOST), all, pages;
	struct mon_enclave *e;

	mutex_lock(&mon_enclaves_lock);
	all = all_idle_pages();
	list_for_each_entry(e, &mon_enclaves, list) {
		pages = idle_pages(e);
		if (pages && all)
			mon_enclave_evict(e, DIV64_U64_ROUND_UP(wanted * pages, all));
	}
	mutex_unlock(&mon_enclaves_lock);
}

static DECLARE_WORK(evicting, evict);

/* ---- asked by reclaim, with any locks held: nothing here waits ---- */

static unsigned long shrink_count(struct shrinker *s, struct shrink_control *sc)
{
	unsigned long pages;

	if (get_nr_swap_pages() <= 0 || !mutex_trylock(&mon_enclaves_lock))
		return 0;
	pages = all_idle_pages();
	mutex_unlock(&mon_enclaves_lock);
	return pages;
}

static unsigned long shrink_scan(struct shrinker *s, struct shrink_control *sc)
{
	atomic_long_add(sc->nr_to_scan, &asked);
	queue_work(queue, &evicting);
	return SHRINK_STOP;
}

#ifdef HAVE_SHRINKER_ALLOC
static struct shrinker *shrinker;

static int shrinker_init(void)
{
	shrinker = shrinker_alloc(0, "monitor-enclaves");
	if (!shrinker)
		return -ENOMEM;
	shrinker->count_objects = shrink_count;
	shrinker->scan_objects = shrink_scan;
	shrinker->batch = BATCH;
	shrinker_register(shrinker);
	return 0;
}

static void shrinker_exit(void)
{
	shrinker_free(shrinker);
}
#else
static struct shrinker shrinker = {
	.count_objects = shrink_count,
	.scan_objects = shrink_scan,
	.batch = BATCH,
	.seeks = DEFAULT_SEEKS,
};

static int shrinker_init(void)
{
	return register_shrinker(&shrinker, "monitor-enclaves");
}

static void shrinker_exit(void)
{
	unregister_shrinker(&shrinker);
}
#endif

/** mon_enclave_shrink_init() - from now on; -ENOMEM */
int mon_enclave_shrink_init(void)
{
	int err = -ENOMEM;

	status = kzalloc(sizeof(*status), GFP_KERNEL);
	queue = alloc_workqueue("monitor-evict", WQ_UNBOUND | WQ_MEM_RECLAIM, 1);
	if (status && queue)
		err = shrinker_init();
	if (!err)
		return 0;
	if (queue)
		destroy_workqueue(queue);
	kfree(status);
	return err;
}

/** mon_enclave_shrink_exit() - there is no enclave, and no way to make one */
void mon_enclave_shrink_exit(void)
{
	shrinker_exit();
	destroy_workqueue(queue);
	kfree(status);
}
