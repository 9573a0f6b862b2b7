// SPDX-License-Identifier: GPL-2.0-only
/*
 * The common configuration of a virtio device on PCI. See virtio.h.
 */
#include "virtio.h"

/* A field's bytes, at its offset */
static const u8 widths[VIRTIO_COMMON_SIZE] = {
	[COMMON_OFFERED_SELECT] = 4, [COMMON_OFFERED] = 4,	 [COMMON_ACCEPTED_SELECT] = 4,
	[COMMON_ACCEPTED] = 4,	     [COMMON_CONFIG_VECTOR] = 2, [COMMON_QUEUES] = 2,
	[COMMON_STATUS] = 1,	     [COMMON_GENERATION] = 1,	 [COMMON_QUEUE_SELECT] = 2,
	[COMMON_QUEUE_SIZE] = 2,     [COMMON_QUEUE_VECTOR] = 2,	 [COMMON_QUEUE_ENABLE] = 2,
	[COMMON_QUEUE_NOTIFY] = 2,   [COMMON_QUEUE_DESC] = 8,	 [COMMON_QUEUE_AVAIL] = 8,
	[COMMON_QUEUE_USED] = 8,
};

/* The driver's bits of the status */
#define STATUS_DRIVER \
	(VIRTIO_ACKNOWLEDGE | VIRTIO_DRIVER | VIRTIO_DRIVER_OK | VIRTIO_FEATURES_OK | VIRTIO_FAILED)

void virtio_init(struct virtio *virtio, u64 offered, u16 queues, u16 queue_size, u16 vectors)
{
	u32 i;

	MONITOR_BUG_ON(queues > VIRTIO_QUEUES_MAX || !queue_size || queue_size > GUEST_QUEUE_MAX ||
		       (queue_size & (queue_size - 1)));
	*virtio = (struct virtio){ .offered = offered | VIRTIO_F_VERSION_1, .queues = queues,
				   .queue_size = queue_size, .vectors = vectors,
				   .config_vector = VIRTIO_NO_VECTOR };
	for (i = 0; i < queues; i++) {
		virtio->queue[i].size = queue_size;
		virtio->queue[i].vector = VIRTIO_NO_VECTOR;
	}
}

/* is_field() - and is it of @size, or half of one of 64 bits? */
static bool is_field(u32 offset, u32 size)
{
	if (!size || offset >= VIRTIO_COMMON_SIZE)
		return false;
	return widths[offset] == size ||
	       (size == 4 && offset % 4 == 0 && widths[offset & ~7u] == 8);
}

/* half() - of features, that which a select field names: there are two */
static u32 half(u64 features, u32 select)
{
	return select < 2 ? (u32)(features >> (32 * select)) : 0;
}

/* queue_field() - of the queue selected, whole; one that does not exist has the size 0 */
static u64 queue_field(const struct virtio *virtio, u32 offset)
{
	static const struct virtio_queue none = { .vector = VIRTIO_NO_VECTOR };
	bool exists = virtio->queue_select < virtio->queues;
	const struct virtio_queue *queue = exists ? &virtio->queue[virtio->queue_select] : &none;

	switch (offset) {
	case COMMON_QUEUE_SIZE:
		return queue->size;
	case COMMON_QUEUE_VECTOR:
		return queue->vector;
	case COMMON_QUEUE_ENABLE:
		return queue->enabled;
	case COMMON_QUEUE_NOTIFY:
		return exists ? virtio->queue_select : 0;
	case COMMON_QUEUE_DESC:
		return queue->desc;
	case COMMON_QUEUE_AVAIL:
		return queue->avail;
	default:
		return queue->used;
	}
}

static u64 field(const struct virtio *virtio, u32 offset)
{
	switch (offset) {
	case COMMON_OFFERED_SELECT:
		return virtio->offered_select;
	case COMMON_OFFERED:
		return half(virtio->offered, virtio->offered_select);
	case COMMON_ACCEPTED_SELECT:
		return virtio->accepted_select;
	case COMMON_ACCEPTED:
		return half(virtio->accepted, virtio->accepted_select);
	case COMMON_CONFIG_VECTOR:
		return virtio->config_vector;
	case COMMON_QUEUES:
		return virtio->queues;
	case COMMON_STATUS:
		return virtio->status;
	case COMMON_GENERATION:
		return virtio->generation;
	case COMMON_QUEUE_SELECT:
		return virtio->queue_select;
	default:
		return queue_field(virtio, offset);
	}
}

u64 virtio_read(const struct virtio *virtio, u32 offset, u32 size)
{
	u64 value;

	if (!is_field(offset, size))
		return 0;
	if (offset < COMMON_QUEUE_DESC)
		return field(virtio, offset);
	value = field(virtio, offset & ~7u) >> (8 * (offset % 8));
	return size == 4 ? (u32)value : value;
}

/* write_accepted() - not any more when the device has agreed to them */
static void write_accepted(struct virtio *virtio, u32 value)
{
	u32 shift = 32 * virtio->accepted_select;

	if ((virtio->status & VIRTIO_FEATURES_OK) || virtio->accepted_select > 1)
		return;
	virtio->accepted = (virtio->accepted & ~(0xffffffffULL << shift)) | (u64)value << shift;
}

static enum virtio_event write_status(struct virtio *virtio, u8 value)
{
	u8 set = value & STATUS_DRIVER & ~virtio->status;

	if (!value) {
		virtio_init(virtio, virtio->offered, virtio->queues, virtio->queue_size,
			    virtio->vectors);
		return VIRTIO_RESET;
	}
	/* The driver reads FEATURES_OK back first (3.1.1): it is not for the same write. */
	if (!(virtio->status & VIRTIO_FEATURES_OK) || (virtio->status & VIRTIO_NEEDS_RESET))
		set &= ~VIRTIO_DRIVER_OK;
	if ((virtio->accepted & ~virtio->offered) || !(virtio->accepted & VIRTIO_F_VERSION_1))
		set &= ~VIRTIO_FEATURES_OK;
	virtio->status |= set;
	if (set & VIRTIO_DRIVER_OK)
		return VIRTIO_READY;
	return set & (VIRTIO_DRIVER | VIRTIO_FEATURES_OK) ? VIRTIO_FEATURES : VIRTIO_NOTHING;
}

static enum virtio_event write_vector(const struct virtio *virtio, u16 *vector, u16 value)
{
	u16 old = *vector;

	*vector = value < virtio->vectors ? value : VIRTIO_NO_VECTOR;
	return *vector == old ? VIRTIO_NOTHING : VIRTIO_VECTOR;
}

/* write_address() - all of it, or the half at @offset */
static void write_address(u64 *address, u32 offset, u32 size, u64 value)
{
	if (size == 8)
		*address = value;
	else if (offset % 8)
		*address = (u32)*address | value << 32;
	else
		*address = (*address & ~0xffffffffULL) | (u32)value;
}

static enum virtio_event write_queue(struct virtio *virtio, u32 offset, u32 size, u64 value)
{
	struct virtio_queue *queue = &virtio->queue[virtio->queue_select];

	if (virtio->queue_select >= virtio->queues)
		return VIRTIO_NOTHING;
	if (offset == COMMON_QUEUE_VECTOR)
		return write_vector(virtio, &queue->vector, (u16)value);
	/* On virtio-mmio a driver may (4.2.2.2). Nothing has been taken from it yet. */
	if (offset == COMMON_QUEUE_ENABLE && !value && !(virtio->status & VIRTIO_DRIVER_OK))
		queue->enabled = false;
	if (queue->enabled)
		return VIRTIO_NOTHING;
	if (offset == COMMON_QUEUE_SIZE) {
		u16 entries = (u16)value;

		if (entries && entries <= virtio->queue_size && !(entries & (entries - 1)))
			queue->size = entries;
	} else if (offset == COMMON_QUEUE_ENABLE) {
		queue->enabled = (u16)value == 1;
	} else if (offset >= COMMON_QUEUE_USED) {
		write_address(&queue->used, offset, size, value);
	} else if (offset >= COMMON_QUEUE_AVAIL) {
		write_address(&queue->avail, offset, size, value);
	} else if (offset >= COMMON_QUEUE_DESC) {
		write_address(&queue->desc, offset, size, value);
	}
	return VIRTIO_NOTHING;
}

enum virtio_event virtio_write(struct virtio *virtio, u32 offset, u32 size, u64 value)
{
	if (!is_field(offset, size))
		return VIRTIO_NOTHING;
	switch (offset) {
	case COMMON_OFFERED_SELECT:
		virtio->offered_select = (u32)value;
		break;
	case COMMON_ACCEPTED_SELECT:
		virtio->accepted_select = (u32)value;
		break;
	case COMMON_ACCEPTED:
		write_accepted(virtio, (u32)value);
		break;
	case COMMON_CONFIG_VECTOR:
		return write_vector(virtio, &virtio->config_vector, (u16)value);
	case COMMON_STATUS:
		return write_status(virtio, (u8)value);
	case COMMON_QUEUE_SELECT:
		virtio->queue_select = (u16)value;
		break;
	case COMMON_QUEUE_SIZE ... VIRTIO_COMMON_SIZE - 1:
		return write_queue(virtio, offset, size, value);
	}
	return VIRTIO_NOTHING;
}

void virtio_needs_reset(struct virtio *virtio)
{
	virtio->status |= VIRTIO_NEEDS_RESET;
}

bool virtio_start_queue(const struct virtio *virtio, u32 n, struct guest_queue *queue)
{
	const struct virtio_queue *q = &virtio->queue[n];

	return n < virtio->queues && q->enabled &&
	       guest_queue_enable(queue, q->size, q->desc, q->avail, q->used);
}
