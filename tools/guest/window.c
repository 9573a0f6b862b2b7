// SPDX-License-Identifier: GPL-2.0-only
/*
 * The window: guest-physical addresses where nothing else is, and where the
 * monitor puts what this VM accepts. Above 4 GiB, so that no firmware and no
 * device with addresses of 32 bits is there.
 */
#include <linux/module.h>
#include <linux/sizes.h>
#include <asm/processor.h>
#include "monguest.h"

static unsigned int window_mb = 64;
module_param(window_mb, uint, 0444);
MODULE_PARM_DESC(window_mb, "room for accepted shares in MiB, up to 1024");

static struct resource window = {
	.name = "monguest shares",
	.flags = IORESOURCE_MEM,
};

u64 monguest_window_pages(void)
{
	return resource_size(&window) >> PAGE_SHIFT;
}

int monguest_window_init(void)
{
	u64 size = (u64)window_mb * SZ_1M, last = BIT_ULL(boot_cpu_data.x86_phys_bits) - 1;
	int err;

	if (!size || size >> PAGE_SHIFT > MON_WINDOW_PAGES_MAX) {
		pr_err("monguest: window_mb=%u: use 1 to %llu\n", window_mb,
		       ((u64)MON_WINDOW_PAGES_MAX << PAGE_SHIFT) / SZ_1M);
		return -EINVAL;
	}
	err = allocate_resource(&iomem_resource, &window, size, SZ_4G, last, SZ_2M, NULL, NULL);
	if (err) {
		pr_err("monguest: no %u MiB of addresses are free: use a smaller window_mb\n",
		       window_mb);
		return err;
	}
	err = monguest_call(MON_GC_WINDOW, window.start >> PAGE_SHIFT, size >> PAGE_SHIFT, 0);
	if (err) {
		pr_err("monguest: the monitor refuses the window at %pa: error %d\n",
		       &window.start, -err);
		release_resource(&window);
	}
	return err;
}

void monguest_window_exit(void)
{
	long err = monguest_call(MON_GC_WINDOW, 0, 0, 0);

	if (err)
		pr_err("monguest: the monitor keeps the window: error %ld\n", -err);
	release_resource(&window);
}

int monguest_window_get(struct resource *part, u64 pages)
{
	u64 size = pages << PAGE_SHIFT;

	part->name = "share";
	part->flags = IORESOURCE_MEM;
	if (!pages || size > resource_size(&window))
		return -ENOSPC;
	return allocate_resource(&window, part, size, window.start, window.end, PAGE_SIZE, NULL,
				 NULL) ? -ENOSPC : 0;
}

void monguest_window_put(struct resource *part)
{
	release_resource(part);
}
