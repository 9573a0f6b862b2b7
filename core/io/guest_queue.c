// SPDX-License-Identifier: GPL-2.0-only
/*
 * A virtqueue as the guest's driver has it. See guest_queue.h.
 */
#include "guest_queue.h"

#include "../vm.h"

#define DESC_NEXT BIT(0)
#define DESC_WRITE BIT(1)
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

bool guest_queue_take(struct guest_queue *queue, struct vm *vm, struct guest_chain *chain)
{
	struct desc desc = { .flags = DESC_NEXT };
	u16 next;

	if (!next_head(queue, vm, &next))
		return false;
	chain->head = next;
	chain->to_read = chain->to_write = 0;
	chain->read_bytes = chain->write_bytes = 0;
	/* Ends: add_segment() takes GUEST_CHAIN_MAX of them, even if they are a ring. */
	for (; desc.flags & DESC_NEXT; next = desc.next) {
		if (next >= queue->size ||
		    !vm_read(vm, queue->desc + next * sizeof(desc), &desc, sizeof(desc)) ||
		    !add_segment(chain, &desc)) {
			queue->broken = true;
			return false;
		}
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

/* copy() - bytes @at of segments @first to @end - 1 */
static bool copy(const struct guest_chain *chain, struct vm *vm, u32 first, u32 end, u32 at,
		 u8 *buf, u32 len, copy_fn one)
{
	u32 i, part;

	for (i = first; i < end && len; i++) {
		u32 seg = chain->segment[i].len;

		if (at >= seg) {
			at -= seg;
			continue;
		}
		part = (u32)min_u64(seg - at, len);
		if (!one(vm, chain->segment[i].gpa + at, buf, part))
			return false;
		buf += part;
		len -= part;
		at = 0;
	}
	return !len;
}

bool guest_chain_read(const struct guest_chain *chain, struct vm *vm, u32 at, void *to, u32 len)
{
	return copy(chain, vm, 0, chain->to_read, at, to, len, vm_read);
}

bool guest_chain_write(const struct guest_chain *chain, struct vm *vm, u32 at, const void *from,
		       u32 len)
{
	u32 first = chain->to_read;

	return copy(chain, vm, first, first + chain->to_write, at, (u8 *)from, len, copy_write);
}
