// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's own guests need tables as well: what they see is composed of KVM's tables and the
 * monitor's. Those frames come out of the pool, and each INVEPT of KVM's retires a whole set of
 * them, until every CPU has entered the monitor, which an idle one does not do by itself. A guest
 * without a frame gets nowhere: KVM is told of a violation, finds nothing wrong, and tries again.
 * Nothing wakes this side, so it looks whether any has been missed.
 */
#include <linux/mm.h>
#include "monitor.h"

#define MOST (totalram_pages() / 64) /* eight times what maps all of RAM by pages of 4 KiB */
#define QUIET 64		     /* looks without a shortage, until all is given back */

/* Places in frames_by_state of struct mon_status. */
enum { IN_TRANSIT = 1, FREE = 2 };

struct look {
	u64 missed; /* times, since launch */
	u64 have;   /* free, or so once every CPU has passed */
};

static int look(struct look *l)
{
	struct mon_status *s = (void *)get_zeroed_page(GFP_KERNEL);
	int err;

	if (!s)
		return -ENOMEM;
	err = mon_hypercall(MON_HC_STATUS, __pa(s), 0, 0, 0);
	l->missed = s->counter[MON_CNT_TABLES_EMPTY];
	l->have = s->frames_by_state[FREE] + s->frames_by_state[IN_TRANSIT];
	free_page((unsigned long)s);
	return err;
}

/**
 * mon_pool_watch() - see to frames that the monitor has missed since this was last asked
 *
 * True: there may soon be none again.
 */
bool mon_pool_watch(void)
{
	static unsigned int quiet;
	static u64 missed;
	struct look now;

	if (look(&now))
		return false;
	if (now.missed == missed) {
		if (++quiet % QUIET == 0)
			mon_pool_keep_none(now.have);
		return now.have < MON_POOL_LOW;
	}
	mon_every_cpu_passes();
	if (now.have < MON_POOL_LOW || !quiet) /* what is on its way back is too late then */
		mon_pool_keep(MOST);
	missed = now.missed;
	quiet = 0;
	return true;
}
