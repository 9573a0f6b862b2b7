/* SPDX-License-Identifier: GPL-2.0-only */
/* Between device.c, accesses, and device_state.c, what a device is. */
#ifndef _CORE_IO_DEVICE_STATE_H
#define _CORE_IO_DEVICE_STATE_H

#include "../vm.h"
#include "blk.h"
#include "card.h"
#include "device.h"
#include "mmio.h"
#include "pci.h"
#include "virtio.h"

#define DEVICE_FRAMES_MAX 320u
#define NO_PORT (~0u)

/**
 * struct device - the first of its frames
 * @type: enum mon_vm_device_type
 * @function: where it is now: bus, device, function; with MON_DEVICE_BEHIND_PORT: nowhere yet
 * @port: the bridge that it is behind, of bus 0; NO_PORT: it is on bus 0 itself
 * @mmio: the address of its registers, of virtio-mmio; 0: it is a function of PCI
 * @host_msix: where QEMU's function has its MSI-X capability, 0: not looked for yet
 * @first_page: of the arena
 * @nr_frames: that it has, this one among them
 * @has_key: @key has been given
 * @started: the guest's driver is ready
 * @active: something may be done at the next VM entry
 * @stopped: the host has not kept to the rules, which is counted
 * @bad: blocks that did not verify, and are counted
 * @owner: the access that sets it up or resets it; all others wait
 * @kick: queues of which QEMU's device has to be told, and whoever was to has given up
 */
struct device {
	struct spinlock lock;
	u32 type;
	u32 function;
	u32 port;
	u32 mmio;
	u32 host_msix;
	u32 first_page;
	u32 nr_frames;
	bool has_key;
	bool started;
	bool active;
	bool stopped;
	u64 bad;
	const struct device_access *owner;
	u32 kick;
	struct pci pci;
	struct virtio virtio;
	struct blk *blk;
	u8 key[MON_VM_KEY_SIZE];
	u64 opened;
	struct card card;
	u64 pfn[DEVICE_FRAMES_MAX];
};

_Static_assert(sizeof(struct device) <= PAGE_SIZE, "a frame");

/** device_work() - at its queues; @kick: queues of which QEMU's device has to be told, by number */
enum io_result device_work(struct device *d, struct vm *vm, u32 *kick);

/** device_missing() - after IO_AGAIN: the page of the arena */
u32 device_missing(const struct device *d);

/** device_host_busy() - is something of a disk's at QEMU's device? */
bool device_host_busy(const struct device *d);

/** device_note_active() - after each access: is there a reason to look at the next VM entry? */
void device_note_active(struct device *d);

/** device_sets_up_early() - a closed disk; a card of several pairs that agrees to features */
bool device_sets_up_early(const struct device *d);
void device_open(struct device *d);
/** device_opened() - IO_DONE: yes; IO_MORE: not yet; IO_AGAIN: it cannot be */
enum io_result device_opened(const struct device *d);

/** device_start() - the driver is ready; false: its queues make no sense */
bool device_start(struct device *d);
/** device_stop() - the driver has reset it */
void device_stop(struct device *d);

/** device_config() - of its own configuration; false: QEMU's is as good */
bool device_config(const struct device *d, u32 offset, u32 size, u64 *value);

/** struct set_up_step - one access to QEMU's common configuration; @write: else it reads @value */
struct set_up_step {
	bool write;
	u8 size;
	u32 offset;
	u32 value;
};

#define SET_UP_RESET 2 /* the step behind the reset */

/** set_up_step() - step @n; false: there is none; @vectors: of the guest's, for interrupts */
bool set_up_step(const struct device *d, u32 n, bool vectors, struct set_up_step *step);

/* Of vmx/cpu.h, which core/io/ is below */
void count(enum mon_counter counter);

/** device_queues_clear() - in the arena; @vectors: they have some; IO_AGAIN: @page is missing */
enum io_result device_queues_clear(struct device *d, bool vectors, u32 *page);

#endif /* _CORE_IO_DEVICE_STATE_H */
