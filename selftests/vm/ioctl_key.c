// SPDX-License-Identifier: GPL-2.0-only
/* Devices that the monitor carries data for, in a VM's policy, and the keys of its disks. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "ioctl.h"

#define DISK 8 /* device 1, function 0 */
#define KEY 0x42 /* each byte */
#define ROUNDS 8

/* SHA-256 of MON_VM_KEY_ID_INFO and the key */
static const __u8 key_id[32] = {
	0x1e, 0xc9, 0x58, 0x7f, 0x0b, 0x88, 0xcb, 0xe4, 0x76, 0xf5, 0x98, 0xb3,
	0x1e, 0xae, 0x2c, 0xfe, 0x9c, 0xad, 0x54, 0x4e, 0xf1, 0x2b, 0xec, 0x29,
	0xb8, 0x56, 0x43, 0x7c, 0xe0, 0x26, 0xa7, 0x41,
};

static struct mon_vm_arm with_disk(pid_t pid)
{
	struct mon_vm_arm a = good_request(pid);

	a.policy.range[2].end = MON_VM_ARENA + MON_VM_ARENA_DEVICE;
	a.policy.nr_devices = 1;
	a.policy.device[0].type = MON_DEVICE_DISK;
	a.policy.device[0].function = DISK;
	memcpy(a.policy.device[0].key_id, key_id, sizeof(key_id));
	return a;
}

static struct mon_vm_key right_key(void)
{
	struct mon_vm_key k = { .size = sizeof(k) };

	memset(k.key, KEY, sizeof(k.key));
	return k;
}

#define BAD(what, change)                                          \
	do {                                                       \
		struct mon_vm_arm a = with_disk(pid);              \
		struct mon_vm_policy *p = &a.policy;               \
		change;                                            \
		is(ask(dev, MON_IOC_VM_ARM, &a), -EINVAL, "arm: " what); \
	} while (0)

static void test_bad_devices(pid_t pid)
{
	BAD("five devices", p->nr_devices = 5);
	BAD("4 billion devices", p->nr_devices = ~0U);
	BAD("padding before the devices", p->reserved = 1);
	BAD("a device behind the last", p->device[1].type = MON_DEVICE_DISK);
	BAD("a device fewer than there are", p->nr_devices = 0);
	BAD("a device of no type", p->device[0].type = 0);
	BAD("a device of unknown type", p->device[0].type = 3);
	BAD("a device on another bus", p->device[0].function = 256);
	BAD("a device behind an unknown kind of port", p->device[0].function |= 0x20000);
	BAD("two devices at one place", p->range[2].end += MON_VM_ARENA_DEVICE;
	    p->nr_devices = 2; p->device[1] = p->device[0]);
	BAD("a place that is an address, without MON_DEVICE_MMIO",
	    p->device[0].function = 0xfeb00000);
	BAD("MON_DEVICE_MMIO and no address", p->device[0].type |= MON_DEVICE_MMIO);
	BAD("an address of memory", p->device[0].type |= MON_DEVICE_MMIO;
	    p->device[0].function = MON_VM_ARENA);
	BAD("an address between two places", p->device[0].type |= MON_DEVICE_MMIO;
	    p->device[0].function = 0xfeb00100);
	BAD("MON_DEVICE_MMIO alone", p->device[0].type = MON_DEVICE_MMIO;
	    p->device[0].function = 0xfeb00000);
	BAD("a network card with a key", p->device[0].type = MON_DEVICE_NETWORK);
	BAD("a disk with two pairs of queues", p->device[0].type |= MON_DEVICE_PAIRS(2));
	BAD("a network card with two pairs on virtio-mmio",
	    p->device[0].type = MON_DEVICE_NETWORK | MON_DEVICE_MMIO | MON_DEVICE_PAIRS(2);
	    p->device[0].function = 0xfeb00000; memset(p->device[0].key_id, 0, sizeof(key_id)));
	BAD("too little memory for the arena", p->range[2].end -= PAGE);
	BAD("no memory where the arena begins", p->range[2].start += PAGE);
}

static void bad_key(int domain, struct mon_vm_key k, int wanted, const char *what)
{
	char text[80];

	snprintf(text, sizeof(text), "key: %s", what);
	is(ask(domain, MON_IOC_VM_KEY, &k), wanted, text);
}

static void test_bad_keys(int domain)
{
	struct mon_vm_key good = right_key(), k;

	test_sizes(domain, MON_IOC_VM_KEY, &good, sizeof(good), MON_VM_KEY_SIZE_V1, "key");
	test_addresses(domain, MON_IOC_VM_KEY, &good, sizeof(good), "key");
	k = good;
	k.flags = 1;
	bad_key(domain, k, -EINVAL, "unknown flag");
	k = good;
	k.reserved = 1;
	bad_key(domain, k, -EINVAL, "padding");
	k = good;
	k.device = 1;
	bad_key(domain, k, -EINVAL, "of a device behind the last");
	k.device = ~0U;
	bad_key(domain, k, -EINVAL, "of device 4 billion");
	k = good;
	k.key[31] ^= 1;
	bad_key(domain, k, -EINVAL, "of another disk");
	k = good;
	k.size = MON_VM_KEY_SIZE_V1;
	k.opened = ~0ULL;
	bad_key(domain, k, 0, "without how often it was opened");
}

/* What a disk needs is many frames, and all of them come back. */
static void test_frames(void)
{
	unsigned long long first, after;
	pid_t pid = start();
	struct mon_vm_arm a = with_disk(pid);
	int i;

	close(ask(dev, MON_IOC_VM_ARM, &a));
	first = host_frames();
	for (i = 0; i < ROUNDS; i++)
		close(ask(dev, MON_IOC_VM_ARM, &a));
	after = host_frames();
	ok(after <= first && first - after <= 4 * ROUNDS, "a disk's frames come back");
	if (after > first || first - after > 4 * ROUNDS)
		printf("# %llu frames before, %llu after\n", first, after);
	stop(pid);
}

void test_keys(void)
{
	pid_t pid = start();
	struct mon_vm_arm a = with_disk(pid);
	int domain;

	test_bad_devices(pid);
	domain = ask(dev, MON_IOC_VM_ARM, &a);
	ok(domain >= 0, "a VM with a disk is armed");
	test_bad_keys(domain);
	bad_key(domain, right_key(), 0, "of the disk: taken");
	bad_key(domain, right_key(), 0, "again, before the VM begins");
	stop(pid);
	bad_key(domain, right_key(), -ENOENT, "when the VM is gone");
	close(domain);

	pid = start();
	a = with_disk(pid);
	a.policy.device[0].type = MON_DEVICE_NETWORK;
	memset(a.policy.device[0].key_id, 0, sizeof(key_id));
	domain = ask(dev, MON_IOC_VM_ARM, &a);
	ok(domain >= 0, "a VM with a network card is armed");
	bad_key(domain, right_key(), -EINVAL, "of a network card");
	stop(pid);
	close(domain);
	is(info().nr_domains, 0, "key: no domain is left");
	test_frames();
}
