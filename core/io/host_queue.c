// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue as the host has it. See host_queue.h.
 */
#include "host_queue.h"

#define DESC_NEXT BIT(0)
#define DESC_WRITE BIT(1)
#define USED_NO_NOTIFY BIT(0)
#define AVAIL_NO_INTERRUPT BIT(0)

struct host_desc {
	u64 gpa;
	u32 len;
	u16 flags;
	u16 next;
};

struct host_avail {
	u16 flags;
	u16 idx;
	u16 ring[HOST_QUEUE_SIZE];
};

struct host_used {
	u16 flags;
	u16 idx;
	struct {
		u32 head;
		u32 written;
	} ring[HOST_QUEUE_SIZE];
};

static struct host_desc *descs_of(void *page)
{
	return page + HOST_DESC_AT;
}

static struct host_avail *avail_of(void *page)
{
	return page + HOST_AVAIL_AT;
}

static struct host_used *used_of(void *page)
{
	return page + HOST_USED_AT;
}

void host_queue_init(struct host_queue *queue, void *page, u16 slots, u16 descs)
{
	MONITOR_BUG_ON(!slots || !descs || slots > HOST_SLOTS_MAX ||
		       slots * descs > HOST_QUEUE_SIZE);
	memset(page, 0, PAGE_SIZE);
	*queue = (struct host_queue){ .slots = slots, .descs = descs };
}

void host_queue_quiet(void *page)
{
	WRITE_ONCE(avail_of(page)->flags, AVAIL_NO_INTERRUPT);
}

int host_queue_free_slot(const struct host_queue *queue)
{
	u64 all = queue->slots == 64 ? ~0ULL : BIT(queue->slots) - 1;
	u64 free = ~queue->posted & all;

	return queue->fault || !free ? -1 : __builtin_ctzll(free);
}

void host_queue_post(struct host_queue *queue, void *page, u32 slot,
		     const struct host_segment *segments, u32 count)
{
	struct host_desc *desc = descs_of(page);
	u16 head = (u16)(slot * queue->descs);
	u32 i, room = 0;

	MONITOR_BUG_ON(slot >= queue->slots || (queue->posted & BIT(slot)) || !count ||
		       count > queue->descs || queue->fault);
	for (i = 0; i < count; i++) {
		desc[head + i] = (struct host_desc){
			.gpa = segments[i].gpa,
			.len = segments[i].len,
			.flags = (segments[i].write ? DESC_WRITE : 0) |
				 (i + 1 < count ? DESC_NEXT : 0),
			.next = (u16)(head + i + 1),
		};
		room += segments[i].write ? segments[i].len : 0;
	}
	queue->room[slot] = room;
	queue->posted |= BIT(slot);
	WRITE_ONCE(avail_of(page)->ring[queue->given & (HOST_QUEUE_SIZE - 1)], head);
	/* The index last (2.7.13.3): the CPU writes in order. */
	asm volatile("" : : : "memory");
	WRITE_ONCE(avail_of(page)->idx, ++queue->given);
}

bool host_queue_wants_kick(void *page)
{
	/* Posted first, then looked: the CPU may do it in the other order (SDM 9.2.3.4). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	return !(READ_ONCE(used_of(page)->flags) & USED_NO_NOTIFY);
}

static int broken(struct host_queue *queue, enum host_queue_fault fault)
{
	queue->fault = fault;
	return -1;
}

int host_queue_take(struct host_queue *queue, void *page, u32 *written)
{
	u16 at = queue->taken & (HOST_QUEUE_SIZE - 1);
	u16 ready = READ_ONCE(used_of(page)->idx) - queue->taken;
	u32 head, len, slot;

	if (queue->fault || !ready)
		return -1;
	if (ready > (u16)(queue->given - queue->taken))
		return broken(queue, HOST_QUEUE_JUMP);
	asm volatile("" : : : "memory");
	head = READ_ONCE(used_of(page)->ring[at].head);
	len = READ_ONCE(used_of(page)->ring[at].written);
	slot = head / queue->descs;
	if (slot >= queue->slots || head % queue->descs || !(queue->posted & BIT(slot)))
		return broken(queue, HOST_QUEUE_HEAD);
	if (len > queue->room[slot])
		return broken(queue, HOST_QUEUE_LENGTH);
	queue->taken++;
	queue->posted &= ~BIT(slot);
	*written = len;
	return (int)slot;
}
