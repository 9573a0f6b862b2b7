/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of what is above core/io/: a VM has no devices. */
#ifndef _UNIT_NO_DEVICES_H
#define _UNIT_NO_DEVICES_H

#include "core/io/device.h"

bool crypto_possible(void)
{
	return false;
}

bool devices_valid(const struct mon_vm_policy *policy)
{
	return !policy->nr_devices;
}

int devices_create(struct vm *vm)
{
	(void)vm;
	return NPT_OK;
}

void devices_retire(struct vm *vm)
{
	(void)vm;
}

s64 device_set_key(struct vm *vm, u64 index, const u8 key[MON_VM_KEY_SIZE], u64 opened)
{
	(void)vm;
	(void)index;
	(void)key;
	(void)opened;
	return -MON_EINVAL;
}

#endif /* _UNIT_NO_DEVICES_H */
