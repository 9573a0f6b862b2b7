// SPDX-License-Identifier: GPL-2.0-only
/*
 * Attribute "disk_opened" of /sys/class/misc/monguest: a line for each sealed disk of this VM
 * that is open, with its number among the devices of the policy and how often it was opened to
 * write. Whoever has that from the VM itself, and gives it with the key the next time, gets no
 * older image.
 */
#include <linux/device.h>
#include <linux/sysfs.h>
#include "monguest.h"

static ssize_t disk_opened_show(struct device *dev, struct device_attribute *attr, char *buf)
{
	ssize_t length = 0;
	unsigned int i;
	long opened;

	for (i = 0; i < MON_VM_MAX_DEVICES; i++) {
		opened = monguest_call(MON_GC_DISK_OPENED, i, 0, 0);
		if (opened >= 0)
			length += sysfs_emit_at(buf, length, "%u %ld\n", i, opened);
	}
	return length;
}

DEVICE_ATTR_RO(disk_opened);
