/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A mediated device of a confidential VM: to the guest, a virtio device that is the
 * monitor's; behind it QEMU's device of the same kind, whose driver is the monitor.
 *
 * What the guest does at its device is answered here. Where QEMU's has to be told or asked
 * something, the vendor's side lets the host's KVM see an access of the guest's CPU to
 * a register (struct device_ask), and comes back with the answer. All of a guest's access is done
 * when device_go() says DEVICE_DONE; until then the guest's instruction waits.
 *
 *  the guest          the monitor, at QEMU's device
 *  ----------------   --------------------------------------------------------
 *  DRIVER             disk: reset, set up without interrupts; read the superblock
 *  FEATURES_OK        card of several pairs: reset, features; has it as many queues?
 *  DRIVER_OK          reset, set up with the guest's vectors
 *  notification       requests copied, sealed, posted; notification
 *  -                  before each VM entry: what was completed is verified and given to the guest
 *  reset              what is at QEMU's device comes back; reset
 *
 * Lock order: the device's lock, vm->lock, npt_lock.
 */
#ifndef _CORE_IO_DEVICE_H
#define _CORE_IO_DEVICE_H

#include "../../uapi/hypercall.h"
#include "../../npt/shim.h"

struct vm;
struct device;

enum device_region { DEVICE_CONFIG, DEVICE_BAR, DEVICE_ENTRY };

/**
 * struct device_access - of one vCPU to a device
 * @region: enum device_region; DEVICE_ENTRY: none, the guest is about to be entered
 * @write, @size, @offset: as the guest's instruction says
 * @value: what it writes; when the access is done, what it reads
 * @phase, @then, @pc, @asked, @cursor, @kick: device_go()'s
 */
struct device_access {
	u8 region;
	bool write;
	u8 size;
	u8 phase;
	u8 then;
	u8 pc;
	bool asked;
	u8 cursor;
	u32 offset;
	u32 kick;
	u64 value;
};

/**
 * struct device_ask - what the host is shown: one access of the guest's CPU
 * @port: to a port, not to memory
 * @write, @size, @at, @value: which, and what is written
 */
struct device_ask {
	bool port;
	bool write;
	u8 size;
	u64 at;
	u32 value;
};

enum device_result {
	DEVICE_DONE,
	DEVICE_ASK,   /* call again with the answer */
	DEVICE_PAGE,  /* the host has to map @ask->at, of the arena: call again then */
	DEVICE_YIELD, /* enough for one exit: let the host run, and call again */
	DEVICE_BUSY,  /* another vCPU's access is under way: the guest tries again */
};

/**
 * device_go() - begin an access, or go on with it
 * @access: filled in, all that is not the caller's is 0; the same at every call
 * @answered: the host has done what device_go() asked last; @answer: what it says to have read
 */
enum device_result device_go(struct device *device, struct vm *vm, struct device_access *access,
			     bool answered, u32 answer, struct device_ask *ask);

/**
 * device_give_up() - nobody goes on with this access: its vCPU has been reset
 *
 * If it was resetting the device or setting it up, the device needs a reset.
 */
void device_give_up(struct device *device, const struct device_access *access);

/** device_wants_entry() - is there a reason for an access of DEVICE_ENTRY? (no lock) */
bool device_wants_entry(const struct device *device);

/**
 * device_of_function() - the VM's device that an access to a function's configuration is for
 * @bdf: the function's bus, device and function number
 *
 * NULL: none. If it is a port's bus number that is written, the devices behind it are there.
 */
struct device *device_of_function(const struct vm *vm, u32 bdf,
				  const struct device_access *access);

/** device_at() - the VM's device that has its registers at @gpa, or NULL */
struct device *device_at(const struct vm *vm, u64 gpa, u32 *offset);

/** devices_valid() - does the policy keep its rules for devices? */
bool devices_valid(const struct mon_vm_policy *policy);

/** devices_create() - those of the VM's policy; NPT_EPOOL: no frames, nothing has changed */
int devices_create(struct vm *vm);

/** devices_retire() - the VM is going, no vCPU is entered any more */
void devices_retire(struct vm *vm);

/** device_set_key() - of a disk, before the VM begins; @opened: disk_open(); -MON_E* */
s64 device_set_key(struct vm *vm, u64 index, const u8 key[MON_VM_KEY_SIZE], u64 opened);

/** device_disk_opened() - MON_GC_DISK_OPENED */
s64 device_disk_opened(const struct vm *vm, u64 index);

/* ---- vendor interface ---- */

/** crypto_possible() - has the CPU what core/gcm.c and cpu_random() need? */
bool crypto_possible(void);

#endif /* _CORE_IO_DEVICE_H */
