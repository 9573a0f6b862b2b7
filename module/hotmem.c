// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that comes while the monitor runs.
 *
 * The ownership table is made at launch: what was no RAM then is a hole or a device's
 * to the monitor. The host could use it, but no part of it could be given to a VM, nor
 * back one with VMCSs and the like, and who gets it decides the allocator. So it stays
 * offline, and the monitor has to be loaded again. RAM that was there, went offline
 * and comes back is in the table still. What the monitor has cannot go: the kernel
 * moves no page that it allocated for itself.
 */
#include <linux/ioport.h>
#include <linux/memory.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include "monitor.h"

/* Taken to find RAM: whoever comes online is in what is found, or sees what was found. */
static DEFINE_MUTEX(ram_lock);
static struct mon_range ram[MON_MAX_RAM_RANGES];
static u32 nr_ram; /* 0: nothing is launched */

/* Whole pages; the rest is firmware's and devices'. */
static int note_range(struct resource *r, void *unused)
{
	u64 start = ALIGN(r->start, PAGE_SIZE), end = ALIGN_DOWN(r->end + 1, PAGE_SIZE);

	if (start >= end)
		return 0;
	if (nr_ram == MON_MAX_RAM_RANGES)
		return -E2BIG;
	ram[nr_ram++] = (struct mon_range){ start, end };
	return 0;
}

/**
 * mon_ram_find() - the ranges of "System RAM", in address order
 * @info: out: there
 *
 * Also what a driver brought (kmem, virtio-mem), which lies within a device's range. From
 * now on, until mon_ram_forget(), no other memory comes online.
 */
int mon_ram_find(struct mon_boot_info *info)
{
	int err;

	mutex_lock(&ram_lock);
	nr_ram = 0;
	err = walk_iomem_res_desc(IORES_DESC_NONE, IORESOURCE_SYSTEM_RAM | IORESOURCE_BUSY, 0,
				  U64_MAX, NULL, note_range);
	if (err)
		nr_ram = 0;
	memcpy(info->ram, ram, nr_ram * sizeof(*ram));
	info->nr_ram = nr_ram;
	mutex_unlock(&ram_lock);
	return err;
}

void mon_ram_forget(void)
{
	mutex_lock(&ram_lock);
	nr_ram = 0;
	mutex_unlock(&ram_lock);
}

/* A block may have been two ranges, side by side. */
static bool was_ram(u64 start, u64 end)
{
	u32 i;

	for (i = 0; i < nr_ram && start < end; i++)
		if (ram[i].start <= start && ram[i].end > start)
			start = ram[i].end;
	return start >= end;
}

static int on_memory(struct notifier_block *nb, unsigned long action, void *arg)
{
	const struct memory_notify *m = arg;
	bool welcome = true;
	u64 start, end;

	if (action != MEM_GOING_ONLINE)
		return NOTIFY_DONE;
	start = PFN_PHYS(m->start_pfn);
	end = start + PFN_PHYS(m->nr_pages);
	mutex_lock(&ram_lock);
	if (nr_ram)
		welcome = was_ram(start, end);
	mutex_unlock(&ram_lock);
	if (welcome)
		return NOTIFY_OK;
	pr_warn(MON_LOG "memory %#llx-%#llx was not there when the monitor was launched, and stays offline. What to do: stop all VMs, run 'rmmod monitor', bring the memory online, and load the monitor again\n",
		start, end - 1);
	return notifier_from_errno(-EPERM);
}

/* First of all, so that nobody else has prepared anything. */
static struct notifier_block memory_nb = { .notifier_call = on_memory, .priority = INT_MAX };

int mon_ram_init(void)
{
	return register_memory_notifier(&memory_nb);
}

void mon_ram_exit(void)
{
	unregister_memory_notifier(&memory_nb);
}
