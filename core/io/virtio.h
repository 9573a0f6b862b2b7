/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The common configuration of a virtio device on PCI (virtio 1.2, 4.1.4.3), as the guest
 * sees it; that on virtio-mmio is made of it (mmio.h). All of it is the monitor's; nothing here is
 * read from the host.
 *
 * What the driver does against the rules (3.1.1) is as if it had not done it. It can never clear
 * a bit of the status, but all of them, by a reset (2.1.1).
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_VIRTIO_H
#define _CORE_IO_VIRTIO_H

#include "guest_queue.h"

/* Its fields */
#define COMMON_OFFERED_SELECT 0x00u
#define COMMON_OFFERED 0x04u
#define COMMON_ACCEPTED_SELECT 0x08u
#define COMMON_ACCEPTED 0x0cu
#define COMMON_CONFIG_VECTOR 0x10u
#define COMMON_QUEUES 0x12u
#define COMMON_STATUS 0x14u
#define COMMON_GENERATION 0x15u
#define COMMON_QUEUE_SELECT 0x16u
#define COMMON_QUEUE_SIZE 0x18u
#define COMMON_QUEUE_VECTOR 0x1au
#define COMMON_QUEUE_ENABLE 0x1cu
#define COMMON_QUEUE_NOTIFY 0x1eu
#define COMMON_QUEUE_DESC 0x20u
#define COMMON_QUEUE_AVAIL 0x28u
#define COMMON_QUEUE_USED 0x30u

#define VIRTIO_COMMON_SIZE 0x38u /* bytes; notify_data and reset, behind, are not offered */
#define VIRTIO_QUEUES_MAX 17
#define VIRTIO_NO_VECTOR 0xffffu
#define VIRTIO_F_VERSION_1 BIT(32)

#define VIRTIO_ACKNOWLEDGE 1u
#define VIRTIO_DRIVER 2u
#define VIRTIO_DRIVER_OK 4u
#define VIRTIO_FEATURES_OK 8u
#define VIRTIO_NEEDS_RESET 64u
#define VIRTIO_FAILED 128u

/**
 * struct virtio_queue - as the driver has written it so far
 * @enabled: nothing of it but @vector can be changed any more; before the driver is ready it can be
 *	disabled again, later by a reset
 */
struct virtio_queue {
	u64 desc, avail, used;
	u16 size;
	u16 vector;
	bool enabled;
};

/**
 * struct virtio - a device
 * @offered: features that it has; VIRTIO_F_VERSION_1 is among them
 * @accepted: those of the driver
 * @queues: how many it has
 * @queue_size: the largest size of a queue, and its size after a reset
 * @vectors: of MSI-X; others become VIRTIO_NO_VECTOR
 * @status: of the driver's bits, those in force; VIRTIO_NEEDS_RESET is the device's
 * @generation: whoever changes the device's own configuration counts it up (4.1.4.3.1)
 * @config_vector: for changes of that configuration
 * @offered_select, @accepted_select, @queue_select: what the driver looks at
 */
struct virtio {
	u64 offered;
	u64 accepted;
	u16 queues;
	u16 queue_size;
	u16 vectors;
	u8 status;
	u8 generation;
	u16 config_vector;
	u32 offered_select;
	u32 accepted_select;
	u16 queue_select;
	struct virtio_queue queue[VIRTIO_QUEUES_MAX];
};

/** virtio_init() - as after a reset; VIRTIO_F_VERSION_1 is always offered */
void virtio_init(struct virtio *virtio, u64 offered, u16 queues, u16 queue_size, u16 vectors);

/**
 * virtio_read() - @size bytes (1, 2, 4, 8) at @offset of the common configuration
 *
 * A field is read and written as a whole, one of 64 bits by halves as well (4.1.3.1); else it
 * is 0, and what is written is ignored.
 */
u64 virtio_read(const struct virtio *virtio, u32 offset, u32 size);

/* What a write asks of the device beyond what is noted here */
enum virtio_event {
	VIRTIO_NOTHING,
	VIRTIO_RESET,	 /* status 0: @virtio is as after virtio_init() already */
	/*
	 * DRIVER was set: it may read the configuration before it accepts features (3.1.1), as
	 * OVMF's does. Or FEATURES_OK was, as what is accepted can be: else it is clear.
	 */
	VIRTIO_FEATURES,
	VIRTIO_READY,	 /* DRIVER_OK was set, not before FEATURES_OK: once, until a reset */
	VIRTIO_VECTOR,	 /* a vector has changed, of the queue selected or of the configuration */
};

enum virtio_event virtio_write(struct virtio *virtio, u32 offset, u32 size, u64 value);

/**
 * virtio_needs_reset() - the driver has to see that the device cannot go on
 *
 * Whoever calls it interrupts the driver, as for a change of configuration (2.1.2).
 */
void virtio_needs_reset(struct virtio *virtio);

/** virtio_start_queue() - false: queue @n is not enabled, or it makes no sense */
bool virtio_start_queue(const struct virtio *virtio, u32 n, struct guest_queue *queue);

#endif /* _CORE_IO_VIRTIO_H */
