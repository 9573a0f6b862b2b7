// SPDX-License-Identifier: GPL-2.0-only
/* /dev/monitor. The contract of its requests is in uapi/monitor.h. */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "monitor.h"
#include "../uapi/monitor.h"

#define REQUEST_SIZE_MAX 4096

/**
 * mon_copy_in() - fetch a structure that begins with its size
 * @to: what this module knows of it
 * @size: of that
 * @min: size of its first version
 * @from: the caller's
 *
 * The size is fetched once: what is in @to is what was copied and checked.
 */
int mon_copy_in(void *to, size_t size, size_t min, const void __user *from)
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

/**
 * mon_copy_out() - return a structure to a caller who may know less or more of it
 * @to: the caller's
 * @from: this module's; its first word is the caller's size and becomes this module's
 * @size: of that
 */
int mon_copy_out(void __user *to, void *from, size_t size)
{
	u32 given = *(u32 *)from;

	*(u32 *)from = size;
	if (copy_to_user(to, from, min_t(size_t, given, size)))
		return -EFAULT;
	if (given > size && clear_user(to + size, given - size))
		return -EFAULT;
	return 0;
}

static void info_fill(struct mon_info *info, const struct mon_status *s)
{
	unsigned int i;

	info->api_version = MON_API_VERSION;
	info->abi_version = s->abi;
	info->nr_cpus = s->nr_cpus;
	info->nr_domains = mon_vm_count() + mon_enclave_count();
	info->features = s->features;
	info->vm_policy_version = MON_VM_POLICY_VERSION;
	info->vm_max_vcpus = MON_VM_MAX_VCPUS;
	info->vm_max_ranges = MON_VM_MAX_RANGES;
	info->nr_counters = min_t(unsigned int, s->nr_counters, MON_INFO_COUNTERS);
	memcpy(info->image_hash, mon_image_hash(), sizeof(info->image_hash));
	info->frames_total = s->frames_total;
	for (i = 0; i < MON_INFO_STATES; i++)
		info->frames_by_state[i] = s->frames_by_state[i];
	for (i = 0; i < info->nr_counters; i++)
		info->counter[i] = s->counter[i];
}

/* What comes back does not depend on what the caller had in the fields that are only returned. */
static long get_info(void __user *arg)
{
	struct mon_status *status;
	struct mon_info info = {};
	u32 given;
	long err;

	BUILD_BUG_ON(sizeof(info) % 8);
	err = mon_copy_in(&info, sizeof(info), MON_INFO_SIZE_V1, arg);
	if (err)
		return err;
	if (info.flags || info.reserved)
		return -EINVAL;
	given = info.size;
	status = kzalloc(sizeof(*status), GFP_KERNEL);
	if (!status)
		return -ENOMEM;
	err = mon_hypercall(MON_HC_STATUS, __pa(status), 0, 0, 0);
	if (!err) {
		memset(&info, 0, sizeof(info));
		info.size = given;
		info_fill(&info, status);
		err = mon_copy_out(arg, &info, sizeof(info));
	} else {
		err = -EIO;
	}
	kfree(status);
	return err;
}

static long dev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	void __user *to = (void __user *)arg;

	switch (cmd) {
	case MON_IOC_INFO:
		return get_info(to);
	case MON_IOC_VM_ARM:
		return mon_vm_arm(to);
	case MON_IOC_ENCLAVE_CREATE:
		return mon_enclave_create(to);
	case MON_IOC_ENCLAVE_EVICT:
		return mon_enclave_evict_request(to);
	case MON_IOC_SHARE_AT:
		return mon_share_at(to);
	case MON_IOC_PAGES:
		return mon_pages(to);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations dev_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = dev_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static struct miscdevice dev = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "monitor",
	.mode = 0600,
	.fops = &dev_fops,
};

int mon_dev_init(void)
{
	return misc_register(&dev);
}

void mon_dev_exit(void)
{
	misc_deregister(&dev);
}
