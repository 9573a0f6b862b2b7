// SPDX-License-Identifier: GPL-2.0-only
/* /dev/monguest. The contract of its requests is in uapi/monguest.h. */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/uaccess.h>
#include "monguest.h"

#define REQUEST_SIZE_MAX 4096

/* The size is fetched once: what is in @to is what was copied and checked. */
int monguest_copy_in(void *to, size_t size, size_t min, const void __user *from)
{
	u32 given;
	int err;

	if (get_user(given, (const u32 __user *)from))
		return -EFAULT;
	if (given < min || given > REQUEST_SIZE_MAX)
		return -EINVAL;
	err = copy_struct_from_user(to, size, from, given);
	if (!err)
		*(u32 *)to = given;
	return err;
}

/* The first word of @from is the caller's size and becomes this module's. */
int monguest_copy_out(void __user *to, void *from, size_t size)
{
	u32 given = *(u32 *)from;

	*(u32 *)from = size;
	if (copy_to_user(to, from, min_t(size_t, given, size)))
		return -EFAULT;
	if (given > size && clear_user(to + size, given - size))
		return -EFAULT;
	return 0;
}

static long get_self(void __user *arg)
{
	struct mon_guest_info info = {};
	struct mon_guest_self self;
	u32 bell = monguest_events_bell();
	int err;

	err = monguest_copy_in(&info, sizeof(info), MON_GUEST_INFO_SIZE_V1, arg);
	if (!err && info.flags)
		err = -EINVAL;
	if (!err)
		err = monguest_self(&self);
	if (err)
		return err;
	info.domain = self.domain;
	info.event_peer = bell ? bell - 1 : MON_GUEST_NO_EVENTS;
	info.owned = self.owned;
	info.limit = self.limit;
	info.balloon = monguest_balloon_pages();
	info.window_pages = monguest_window_pages();
	info.name = self.name;
	return monguest_copy_out(arg, &info, sizeof(info));
}

static long get_at(void __user *arg)
{
	struct mon_guest_at at = {};
	int err = monguest_copy_in(&at, sizeof(at), MON_GUEST_AT_SIZE_V1, arg);

	if (!err)
		err = monguest_share_at(at.slot, &at.share);
	if (err)
		return err;
	return monguest_copy_out(arg, &at, sizeof(at));
}

static long dev_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	void __user *user = (void __user *)arg;

	switch (request) {
	case MON_GUEST_IOC_SELF:
		return get_self(user);
	case MON_GUEST_IOC_AT:
		return get_at(user);
	case MON_GUEST_IOC_OFFER:
		return monguest_share_offer(user);
	case MON_GUEST_IOC_ACCEPT:
		return monguest_share_accept(user);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct attribute *monguest_attrs[] = {
	&dev_attr_balloon.attr,
	&dev_attr_disk_opened.attr,
	NULL
};
ATTRIBUTE_GROUPS(monguest);

static struct miscdevice device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "monguest",
	.mode = 0600,
	.fops = &dev_fops,
	.groups = monguest_groups,
};

static int __init monguest_init(void)
{
	int err = monguest_call_init();

	if (err == -ENODEV)
		pr_err("monguest: this is not a confidential VM: no monitor answers here\n");
	if (err)
		return err;
	err = monguest_balloon_init();
	if (err)
		goto out_call;
	err = monguest_window_init();
	if (err)
		goto out_call;
	err = monguest_shares_init();
	if (err)
		goto out_window;
	err = monguest_events_init();
	if (err)
		goto out_shares;
	err = misc_register(&device);
	if (err)
		goto out_events;
	return 0;

out_events:
	monguest_events_exit();
out_shares:
	monguest_shares_exit();
out_window:
	monguest_window_exit();
out_call:
	monguest_call_exit();
	return err;
}

static void __exit monguest_exit(void)
{
	misc_deregister(&device);
	monguest_events_exit();
	monguest_shares_exit();
	monguest_window_exit();
	monguest_call_exit();
}

module_init(monguest_init);
module_exit(monguest_exit);
MODULE_DESCRIPTION("Memory and events shared by a confidential VM");
MODULE_LICENSE("GPL");
