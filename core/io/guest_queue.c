// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue as the guest's driver has it. See guest_queue.h.
 */
#include "guest_queue.h"

#include "../vm.h"

#define DESC_NEXT BIT(0)
#define DESC_WRITE BIT(1)
#define DESC_INDIRECT BIT(2)
#define DESC_KNOWN (DESC_NEXT | DESC_WRITE)

/* virtio 1.2, 2.7.5, 2.7.6, 2.7.8 */
struct desc {
	u64 gpa;
	u32 len;
	u16 flags;
	u16 next;
};

struct used_entry {
	u32 head;
	u32 written;
};

#define AVAIL_NO_INTERRUPT BIT(0)
#define AVAIL_IDX 2
#define AVAIL_RING 4
#define USED_IDX 2
#define USED_RING 4

static bool lies_well(u64 gpa, u64 align, u64 bytes)
{
	return IS_ALIGNED(gpa, align) && gpa + bytes > gpa;
}

bool guest_queue_enable(struct guest_queue *queue, u16 size, u64 desc, u64 avail, u64 used)
{
	if (!size || size > GUEST_QUEUE_MAX || (size & (size - 1)))
		return false;
	if (!lies_well(desc, 16, size * sizeof(struct desc)) ||
	    !lies_well(avail, 2, AVAIL_RING + size * sizeof(u16)) ||
	    !lies_well(used, 4, USED_RING + size * sizeof(struct used_entry)))
		return false;
	*queue = (struct guest_queue){ .desc = desc, .avail = avail, .used = used, .size = size };
	return true;
}

bool guest_queue_waits(struct guest_queue *queue, struct vm *vm)
{
	u16 idx;

	if (!queue->size || queue->broken)
		return false;
	if (!vm_read(vm, queue->avail + AVAIL_IDX, &idx, sizeof(idx)) ||
	    (u16)(idx - queue->taken) > queue->size)
		queue->broken = true;
	return !queue->broken && idx != queue->taken;
}

/* next_head() - of the available ring; false: there is none, or it makes no sense */
static bool next_head(struct guest_queue *queue, struct vm *vm, u16 *head)
{
	u16 slot = queue->taken & (queue->size - 1);

	if (!guest_queue_waits(queue, vm))
		return false;
	/* The index first, then what it covers (2.7.13.3.1); the CPU reads in order. */
	asm volatile("" : : : "memory");
	if (!vm_read(vm, queue->avail + AVAIL_RING + slot * sizeof(*head), head, sizeof(*head)) ||
	    *head >= queue->size)
		queue->broken = true;
	return !queue->broken;
}

/* add_segment() - what the device reads comes before what it writes (2.7.4.2) */
static bool add_segment(struct guest_chain *chain, const struct desc *desc)
{
	u32 n = chain->to_read + chain->to_write, *bytes;

	bytes = desc->flags & DESC_WRITE ? &chain->write_bytes : &chain->read_bytes;
	if (n == GUEST_CHAIN_MAX || desc->len > GUEST_CHAIN_BYTES - *bytes ||
	    desc->gpa + desc->len < desc->gpa || (desc->flags & ~DESC_KNOWN) ||
	    (chain->to_write && !(desc->flags & DESC_WRITE)))
		return false;
	chain->segment[n].gpa = desc->gpa;
	chain->segment[n].len = desc->len;
	*bytes += desc->len;
	if (desc->flags & DESC_WRITE)
		chain->to_write++;
	else
		chain->to_read++;
	return true;
}

/**
 * struct table - descriptors: a queue's, or a request's own
 * @gpa, @count: where, how many
 * @first, @piece: some that follow each other, from the first one on; @nr: how many; fetched
 */
struct table {
	u64 gpa;
	u32 count;
	u32 first;
	u32 nr;
	struct desc piece[8];
};

/* Drivers have them in a row, mostly: so some are fetched at once, to look at this copy only. */
static bool fetch(struct table *table, struct vm *vm, u32 i, struct desc *desc)
{
	if (i >= table->count)
		return false;
	if (i - table->first >= table->nr) {
		table->first = i;
		table->nr = (u32)min_u64(table->count - i, ARRAY_SIZE(table->piece));
		if (!vm_read(vm, table->gpa + i * sizeof(*desc), table->piece,
			     table->nr * sizeof(*desc)))
			return false;
	}
	*desc = table->piece[i - table->first];
	return true;
}

/* The request's own table (2.7.5.3), of which the queue has one descriptor and no more */
static bool enter_table(const struct guest_queue *queue, struct table *table,
			const struct desc *desc)
{
	*table = (struct table){ .gpa = desc->gpa, .count = desc->len / sizeof(*desc) };
	return queue->indirect && !(desc->flags & DESC_NEXT) && desc->len % sizeof(*desc) == 0 &&
	       desc->gpa + desc->len > desc->gpa;
}

static bool fetch_chain(const struct guest_queue *queue, struct vm *vm, struct guest_chain *chain)
{
	struct table table = { .gpa = queue->desc, .count = queue->size };
	struct desc desc;

	if (!fetch(&table, vm, chain->head, &desc))
		return false;
	if (desc.flags & DESC_INDIRECT) {
		if (!enter_table(queue, &table, &desc) || !fetch(&table, vm, 0, &desc))
			return false;
	}
	/* Ends: add_segment() takes GUEST_CHAIN_MAX of them, even if they are a ring. */
	while (add_segment(chain, &desc)) {
		if (!(desc.flags & DESC_NEXT))
			return true;
		if (!fetch(&table, vm, desc.next, &desc))
			return false;
	}
	return false;
}

bool guest_queue_take(struct guest_queue *queue, struct vm *vm, struct guest_chain *chain)
{
	if (!next_head(queue, vm, &chain->head))
		return false;
	chain->to_read = chain->to_write = 0;
	chain->read_bytes = chain->write_bytes = 0;
	chain->near = chain->near_at = 0;
	if (!fetch_chain(queue, vm, chain)) {
		queue->broken = true;
		return false;
	}
	queue->taken++;
	return true;
}

void guest_queue_give(struct guest_queue *queue, struct vm *vm, u16 head, u32 written)
{
	struct used_entry entry = { head, written };
	u16 slot = queue->given & (queue->size - 1), idx = queue->given + 1;

	if (!queue->size || queue->broken)
		return;
	if (!vm_write(vm, queue->used + USED_RING + slot * sizeof(entry), &entry, sizeof(entry))) {
		queue->broken = true;
		return;
	}
	asm volatile("" : : : "memory"); /* the entry first: the CPU writes in order */
	queue->broken = !vm_write(vm, queue->used + USED_IDX, &idx, sizeof(idx));
	queue->given = idx;
}

bool guest_queue_wants_interrupt(struct guest_queue *queue, struct vm *vm)
{
	u16 flags;

	/* Given first, then looked: the CPU may do it in the other order (SDM 9.2.3.4). */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (!queue->size || queue->broken || !vm_read(vm, queue->avail, &flags, sizeof(flags)))
		return false;
	return !(flags & AVAIL_NO_INTERRUPT);
}

typedef bool (*copy_fn)(struct vm *vm, u64 gpa, void *buf, u64 len);

static bool copy_write(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	return vm_write(vm, gpa, buf, len);
}

/* copy() - bytes @at of segments @first to @end - 1; mostly behind those of the last time */
static bool copy(struct guest_chain *chain, struct vm *vm, u32 first, u32 end, u32 at, u8 *buf,
		 u32 len, copy_fn one)
{
	u32 i = chain->near, start = chain->near_at, seg, part;

	if (i < first || i >= end || at < start) {
		i = first;
		start = 0;
	}
	for (; i < end && len; i++, start += seg) {
		seg = chain->segment[i].len;
		chain->near = i;
		chain->near_at = start;
		if (at - start >= seg)
			continue;
		part = (u32)min_u64(seg - (at - start), len);
		if (!one(vm, chain->segment[i].gpa + (at - start), buf, part))
			return false;
		buf += part;
		at += part;
		len -= part;
	}
	return !len;
}

bool guest_chain_read(struct guest_chain *chain, struct vm *vm, u32 at, void *to, u32 len)
{
	return copy(chain, vm, 0, chain->to_read, at, to, len, vm_read);
}

bool guest_chain_write(struct guest_chain *chain, struct vm *vm, u32 at, const void *from, u32 len)
{
	u32 first = chain->to_read;

	return copy(chain, vm, first, first + chain->to_write, at, (u8 *)from, len, copy_write);
}
