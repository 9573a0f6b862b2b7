// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM that ends a share waits until every CPU has entered the monitor, which an idle
 * one does not do by itself. Nothing of the VM's wakes this side, so it asks: often as
 * long as there are VMs, or frames are short, and else to see whether they are.
 */
#include <linux/jiffies.h>
#include <linux/workqueue.h>
#include "monitor.h"

#define OFTEN msecs_to_jiffies(20)
#define SELDOM round_jiffies_relative(HZ)

static void ask(struct work_struct *work);
static DECLARE_DELAYED_WORK(asking, ask);

static void ask(struct work_struct *work)
{
	bool short_of_frames = mon_pool_watch();

	if (mon_hypercall(MON_HC_WAITED, 0, 0, 0, 0) > 0)
		mon_every_cpu_passes();
	schedule_delayed_work(&asking, short_of_frames || mon_vm_count() ? OFTEN : SELDOM);
}

/* The monitor is there; or there is a VM. */
void mon_hurry_start(void)
{
	mod_delayed_work(system_wq, &asking, OFTEN);
}

/* No VM can be made any more. */
void mon_hurry_stop(void)
{
	cancel_delayed_work_sync(&asking);
}
