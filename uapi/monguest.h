/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/monguest: how programs in a confidential VM share memory with another VM,
 * or with the host. The module monguest.ko (tools/guest/) makes it, and the calls
 * in guest.h are what it makes of it.
 *
 * The device has mode 0600 and belongs to root. A share is a file descriptor: it
 * is ended, whoever offered it, when the last descriptor and mapping of either
 * side is closed.
 *
 *	A: fd = ioctl(dev, MON_GUEST_IOC_OFFER)		B: ioctl(dev, MON_GUEST_IOC_AT) ...
 *	   poll(fd): POLLIN, B has accepted		   fd = ioctl(dev, MON_GUEST_IOC_ACCEPT)
 *	   mmap(fd)					   mmap(fd)
 *	   ioctl(fd, MON_GUEST_IOC_SIGNAL)		   poll(fd): POLLIN
 *							   ioctl(fd, MON_GUEST_IOC_TAKE_SIGNAL)
 *
 * Decide by @name, before accepting, whom to believe: anybody may offer to a
 * name. What is in the memory is the other side's to change at any time: fetch
 * once, then check.
 *
 * mmap(): MAP_SHARED, from offset 0 on, not to be executed, and not to be written
 * if the other side gave it to read only (EPERM, EINVAL). When the other side
 * ends the share, or dies, a touch of an accepted share's memory is SIGSEGV; who
 * offered keeps the memory. Do not pass the memory to system calls: copy first.
 * The kernel takes such a touch of its own as a bad address (EFAULT), with a warning.
 *
 * poll(): POLLIN when the other side has signalled and the signal was not taken yet;
 * POLLHUP when the share is over. The monitor keeps the signals; the interrupt
 * that wakes the sleeper is brought by the host, over QEMU's device "ivshmem-doorbell".
 * It may be late, lost or forged, which costs time and nothing else: the driver
 * also looks by itself once a second, and 50 times a second without the device.
 *
 * Each request takes a structure that begins with its own size, so that it can
 * grow: a program built with an older header passes fewer bytes, the missing
 * ones count as zero, and only as many come back. For all requests:
 *
 *  EFAULT  the structure is not in memory the caller may use
 *  EINVAL  @size is smaller than the first version of the structure or larger
 *          than 4096; an unknown flag; a reserved field is not zero
 *  E2BIG   @size is larger than this module knows, and what it does not know
 *          is not zero
 *  ENOTTY  there is no such request on this file
 *
 * A request that fails has changed nothing.
 */
#ifndef _UAPI_MONGUEST_H
#define _UAPI_MONGUEST_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include "guest.h"

#define MON_GUEST_DEVICE "/dev/monguest"
#define MON_GUEST_IOC_MAGIC 0xDD

/* More is not contiguous in memory, and a share is one range. */
#define MON_GUEST_PAGES_MAX 1024

#define MON_GUEST_NO_EVENTS 0xffffffffu

/**
 * struct mon_guest_info - MON_GUEST_IOC_SELF
 * @size: in: bytes of this structure the caller has; out: bytes the module has
 * @flags: in: 0
 * @domain: number of the VM's domain
 * @event_peer: the VM's number among those who interrupt each other;
 *	MON_GUEST_NO_EVENTS: it has no such device
 * @owned: pages the VM owns now
 * @limit: pages it may own
 * @balloon: pages that this module has given back
 * @window_pages: where accepted shares appear: how many pages there are
 * @name: by which others offer to it
 */
struct mon_guest_info {
	__u32 size;
	__u32 flags;
	__u32 domain;
	__u32 event_peer;
	__u64 owned;
	__u64 limit;
	__u64 balloon;
	__u64 window_pages;
	struct mon_name name;
};

#define MON_GUEST_INFO_SIZE_V1 sizeof(struct mon_guest_info)

/**
 * struct mon_guest_at - MON_GUEST_IOC_AT, MON_GUEST_IOC_STATUS
 * @size: in: bytes of this structure the caller has; out: bytes the module has
 * @slot: in, for MON_GUEST_IOC_AT: place in the monitor's table; for MON_GUEST_IOC_STATUS: 0
 * @share: out: see there. The upper half of its @tag is the modules' own, the lower
 *	half is the program's, if the other side is a VM with this module
 */
struct mon_guest_at {
	__u32 size;
	__u32 slot;
	struct mon_guest_share share;
};

#define MON_GUEST_AT_SIZE_V1 sizeof(struct mon_guest_at)

/**
 * struct mon_guest_new - MON_GUEST_IOC_OFFER
 * @size: in: bytes of this structure
 * @perm: in: what the other side may do: MON_SHARE_READ, or MON_SHARE_READ | MON_SHARE_WRITE
 * @to: in: enum mon_share_to
 * @tag: in: the other side gets it as it is
 * @pages: in: 1 to MON_GUEST_PAGES_MAX; they begin as zeros
 * @name: in: for MON_SHARE_TO_NAME; its @measurement alone for MON_SHARE_TO_LAUNCH, _ENCLAVE
 */
struct mon_guest_new {
	__u32 size;
	__u32 perm;
	__u32 to;
	__u32 tag;
	__u64 pages;
	struct mon_name name;
};

#define MON_GUEST_NEW_SIZE_V1 sizeof(struct mon_guest_new)

/**
 * struct mon_guest_take - MON_GUEST_IOC_ACCEPT
 * @size: in: bytes of this structure
 * @tag: in: the other side gets it as it is
 * @id: in: of the offer (MON_GUEST_IOC_AT)
 */
struct mon_guest_take {
	__u32 size;
	__u32 tag;
	__u64 id;
};

#define MON_GUEST_TAKE_SIZE_V1 sizeof(struct mon_guest_take)

/**
 * define MON_GUEST_IOC_SELF - who this VM is
 *
 * On /dev/monguest, with a struct mon_guest_info. Returns 0.
 */
#define MON_GUEST_IOC_SELF _IO(MON_GUEST_IOC_MAGIC, 0x00)

/**
 * define MON_GUEST_IOC_AT - offers to this VM, and its shares
 *
 * On /dev/monguest, with a struct mon_guest_at. Returns 0. Ask for each slot from 0 on
 * until ERANGE.
 *
 *  ENOENT  nothing of this VM's, nor offered to it, is in this slot
 *  ERANGE  the last slot was before this one
 */
#define MON_GUEST_IOC_AT _IO(MON_GUEST_IOC_MAGIC, 0x01)

/**
 * define MON_GUEST_IOC_OFFER - offer new memory to another VM, or to the host
 *
 * On /dev/monguest, with a struct mon_guest_new. Returns a new file descriptor,
 * close-on-exec, that is the share. The memory is freed when every descriptor and
 * mapping is closed and no CPU can reach it for the other side any more.
 *
 *  EINVAL  also: @perm, @to or @pages is not one of those named
 *  ENOMEM  there is no block of so many pages, one behind the other, free
 *  EBUSY   this VM has MON_SHARE_QUOTA shares of its own
 *  EMFILE, ENFILE
 */
#define MON_GUEST_IOC_OFFER _IO(MON_GUEST_IOC_MAGIC, 0x10)

/**
 * define MON_GUEST_IOC_ACCEPT - take what was offered
 *
 * On /dev/monguest, with a struct mon_guest_take. Returns a new file descriptor,
 * close-on-exec, that is the share. Who offered it, if a VM, is signalled.
 *
 *  ENOENT  there is no such offer to this VM
 *  EINVAL  also: accepted before
 *  ENOSPC  it does not fit into what is left of the window: see the module's
 *          parameter window_mb
 *  EMFILE, ENFILE, ENOMEM
 */
#define MON_GUEST_IOC_ACCEPT _IO(MON_GUEST_IOC_MAGIC, 0x11)

/**
 * define MON_GUEST_IOC_SIGNAL - tell the other side that there is something for it
 *
 * On a share, without an argument. Returns 0. Signals that were not taken yet are one.
 *
 *  ENOENT  the share is over, or not accepted yet, or with the host
 */
#define MON_GUEST_IOC_SIGNAL _IO(MON_GUEST_IOC_MAGIC, 0x20)

/**
 * define MON_GUEST_IOC_TAKE_SIGNAL - has the other side signalled?
 *
 * On a share, without an argument. Returns 1 if it has since the last call, else 0; does
 * not wait: poll() does.
 *
 *  ENOENT  it has not, and the share is over
 */
#define MON_GUEST_IOC_TAKE_SIGNAL _IO(MON_GUEST_IOC_MAGIC, 0x21)

/**
 * define MON_GUEST_IOC_STATUS - what the monitor says of the share
 *
 * On a share, with a struct mon_guest_at. Returns 0.
 *
 *  ENOENT  it is over
 */
#define MON_GUEST_IOC_STATUS _IO(MON_GUEST_IOC_MAGIC, 0x22)

#endif /* _UAPI_MONGUEST_H */
