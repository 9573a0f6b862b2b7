// SPDX-License-Identifier: GPL-2.0-only
/*
 * A VM that ends a share waits until every CPU has entered the monitor, which an idle
 * one does not do by itself. Nothing of the VM's wakes this side, so it asks, as long as
 * there are VMs.
 */
#include <linux/jiffies.h>
#include <linux/workqueue.h>
#include "monitor.h"

#define ASK_AFTER msecs_to_jiffies(20)

static void ask(struct work_struct *work);
static DECLARE_DELAYED_WORK(asking, ask);

static void ask(struct work_struct *work)
{
	if (mon_hypercall(MON_HC_WAITED, 0, 0, 0, 0) > 0)
		mon_every_cpu_passes();
	if (mon_vm_count())
		schedule_delayed_work(&asking, ASK_AFTER);
}

/* There is a VM. */
void mon_hurry_start(void)
{
	schedule_delayed_work(&asking, ASK_AFTER);
}

/* There is none, and no way to make one. */
void mon_hurry_stop(void)
{
	cancel_delayed_work_sync(&asking);
}
