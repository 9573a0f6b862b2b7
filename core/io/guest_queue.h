/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtqueue as the guest's driver has it, in the guest's private memory: the monitor
 * is its device (virtio 1.2, 2.7, split queues). Neither event indices nor packed
 * queues are offered, so none are understood; of indirect descriptors only those that are all of
 * a request.
 *
 * The guest may be hostile, too, and it has other CPUs: everything is read once, and
 * checked where it was read to. What makes no sense breaks the queue, as a device does
 * that needs a reset: nothing is taken from it any more, or given to it.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_GUEST_QUEUE_H
#define _CORE_IO_GUEST_QUEUE_H

#include "../../npt/shim.h"

struct vm;

#define GUEST_QUEUE_MAX 256 /* entries */
#define GUEST_CHAIN_MAX 256 /* descriptors of one request: header, 254 segments, status */
#define GUEST_CHAIN_BYTES (1u << 28)
#define VIRTIO_F_INDIRECT_DESC BIT(28)

/**
 * struct guest_queue - where it is, and how far the monitor has come
 * @desc, @avail, @used: guest-physical addresses of its three parts
 * @size: entries; 0: not enabled
 * @taken: entries of the available ring taken, modulo 2^16
 * @given: entries of the used ring given, modulo 2^16
 * @indirect: the driver has negotiated VIRTIO_F_INDIRECT_DESC
 * @broken: the guest has to reset the device
 */
struct guest_queue {
	u64 desc;
	u64 avail;
	u64 used;
	u16 size;
	u16 taken;
	u16 given;
	bool indirect;
	bool broken;
};

/**
 * struct guest_chain - one request, fetched
 * @head: by which the guest knows it
 * @to_read, @to_write: how many segments the device may read; those behind, it may write
 * @read_bytes, @write_bytes: their lengths in all, each at most GUEST_CHAIN_BYTES
 * @near, @near_at: the segment that was copied last, and how many bytes of its part are before it
 */
struct guest_chain {
	u16 head;
	u16 to_read;
	u16 to_write;
	u32 read_bytes;
	u32 write_bytes;
	u32 near;
	u32 near_at;
	struct {
		u64 gpa;
		u32 len;
	} __attribute__((packed)) segment[GUEST_CHAIN_MAX];
};

/**
 * guest_queue_enable() - the driver has said where it is
 *
 * Return: false, and nothing has changed: @size is not a power of two up to GUEST_QUEUE_MAX, or a
 * part is not aligned (2.7: 16, 2, 4 bytes) or wraps around the address space.
 */
bool guest_queue_enable(struct guest_queue *queue, u16 size, u64 desc, u64 avail, u64 used);

/** guest_queue_waits() - is there a request to take? */
bool guest_queue_waits(struct guest_queue *queue, struct vm *vm);

/**
 * guest_queue_take() - the next request
 *
 * Return: false: there is none, or the queue is broken.
 */
bool guest_queue_take(struct guest_queue *queue, struct vm *vm, struct guest_chain *chain);

/** guest_queue_give() - a request is done; @written: bytes of its writable part, from the start */
void guest_queue_give(struct guest_queue *queue, struct vm *vm, u16 head, u32 written);

/**
 * guest_queue_wants_interrupt() - of what was given before: VIRTQ_AVAIL_F_NO_INTERRUPT is not set
 *
 * A driver that clears it looks for what it was given once more, behind that (2.7.7.1).
 */
bool guest_queue_wants_interrupt(struct guest_queue *queue, struct vm *vm);

/**
 * guest_chain_read() - bytes of the readable part from @at on
 * guest_chain_write() - of the writable part
 *
 * Return: false: it has not so many, or they are not private memory of the guest's; then some may
 * have been copied.
 */
bool guest_chain_read(struct guest_chain *chain, struct vm *vm, u32 at, void *to, u32 len);
bool guest_chain_write(struct guest_chain *chain, struct vm *vm, u32 at, const void *from, u32 len);

#endif /* _CORE_IO_GUEST_QUEUE_H */
