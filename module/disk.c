// SPDX-License-Identifier: GPL-2.0-only
/* The key of a VM's disk, on its way to the monitor. */
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "monitor.h"
#include "vm.h"
#include "../uapi/monitor.h"

static long give(u32 domain, void *arg)
{
	struct mon_vm_key *key = arg;

	return mon_hypercall(MON_HC_VM_KEY, domain, key->device, __pa(key->key), key->opened);
}

/**
 * mon_vm_key() - MON_IOC_VM_KEY
 * @vm: the VM
 * @arg: the caller's structure
 */
long mon_vm_key(struct mon_vm *vm, void __user *arg)
{
	struct mon_vm_key *key;
	long err;

	BUILD_BUG_ON(sizeof(*key) % 8);
	key = kzalloc(roundup_pow_of_two(sizeof(*key)), GFP_KERNEL); /* within one page */
	if (!key)
		return -ENOMEM;
	err = mon_copy_in(key, sizeof(*key), MON_VM_KEY_SIZE_V1, arg);
	if (!err && (key->flags || key->reserved))
		err = -EINVAL;
	err = err ?: mon_vm_call(vm, give, key);
	kfree_sensitive(key);
	return err == -EFAULT || err >= 0 || err == -EINVAL || err == -EBUSY || err == -ENOENT ||
	       err == -E2BIG ? err : -EIO;
}
