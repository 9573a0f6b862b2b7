/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtqueue as the host has it, in memory of the host's: the monitor is its driver
 * (virtio 1.2, 2.7, split queues). The host writes to all of it at any time, so the monitor
 * reads from it no more than the used ring, once, and believes none of it: descriptors and
 * what is posted are known from the monitor's own memory.
 *
 * The queue fits into a page. It has slots, each with the same number of descriptors, which
 * are a request: the number of the slot's first descriptor is the request's head.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_HOST_QUEUE_H
#define _CORE_IO_HOST_QUEUE_H

#include "../../npt/shim.h"

#define HOST_QUEUE_SIZE 128 /* entries */
#define HOST_SLOTS_MAX 64
#define HOST_DESC_AT 0
#define HOST_AVAIL_AT (HOST_QUEUE_SIZE * 16)
#define HOST_USED_AT (HOST_AVAIL_AT + 4 + HOST_QUEUE_SIZE * 2 + 4)
_Static_assert(HOST_USED_AT % 4 == 0, "2.7: the used ring is aligned to 4 bytes");
_Static_assert(HOST_USED_AT + 4 + HOST_QUEUE_SIZE * 8 + 2 <= PAGE_SIZE, "the queue is a page");

/* Why a queue is broken: the host did what no device may */
enum host_queue_fault {
	HOST_QUEUE_GOOD,
	HOST_QUEUE_JUMP, /* it says that it used more than was posted */
	HOST_QUEUE_HEAD, /* it used what was not posted */
	HOST_QUEUE_LENGTH, /* it wrote more than there is room for */
};

/**
 * struct host_queue - what was posted, and how far the monitor has come
 * @slots: how many
 * @descs: descriptors of each slot; @slots * @descs is at most HOST_QUEUE_SIZE
 * @given: entries of the available ring given, modulo 2^16
 * @taken: entries of the used ring taken, modulo 2^16
 * @fault: enum host_queue_fault; nothing is posted or taken any more
 * @posted: a bit for each slot
 * @room: bytes that the host may write, by slot
 */
struct host_queue {
	u16 slots;
	u16 descs;
	u16 given;
	u16 taken;
	u32 fault;
	u64 posted;
	u32 room[HOST_SLOTS_MAX];
};

/**
 * struct host_segment - a part of a request
 * @gpa: where it is for the host's device
 * @len: bytes
 * @write: the device writes it
 */
struct host_segment {
	u64 gpa;
	u32 len;
	bool write;
};

/** host_queue_init() - and clear @page, the host's */
void host_queue_init(struct host_queue *queue, void *page, u16 slots, u16 descs);
/** host_queue_quiet() - the host is not to interrupt, until the next host_queue_init() (2.7.7) */
void host_queue_quiet(void *page);

/** host_queue_free_slot() - one that is not posted; -1: none, or the queue is broken */
int host_queue_free_slot(const struct host_queue *queue);

/** host_queue_post() - give the device a free slot's request, of at most @queue's descs segments */
void host_queue_post(struct host_queue *queue, void *page, u32 slot,
		     const struct host_segment *segments, u32 count);

/**
 * host_queue_wants_kick() - is the device to be told of what was posted before? (2.7.10)
 *
 * It is, unless it says that it looks at the queue anyway: VIRTQ_USED_F_NO_NOTIFY. A host for which
 * that is not so harms its own device.
 */
bool host_queue_wants_kick(void *page);

/**
 * host_queue_take() - the next request that the device is done with
 * @written: bytes that it says to have written; at most as many as there is room for
 *
 * Return: its slot, which is free now; -1: none, or the queue is broken.
 */
int host_queue_take(struct host_queue *queue, void *page, u32 *written);

#endif /* _CORE_IO_HOST_QUEUE_H */
