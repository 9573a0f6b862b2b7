/* SPDX-License-Identifier: GPL-2.0-only */
/* For tests of core/io/: the host's side of a queue, an honest device that uses what was posted. */
#ifndef _UNIT_HOST_SIDE_H
#define _UNIT_HOST_SIDE_H

#include "core/io/host_queue.h"
#include "core_io.h"

struct host_side {
	u8 *page;
	u16 taken, used;
};

static u16 *side_word(const struct host_side *side, u32 at)
{
	return (u16 *)(side->page + at);
}

/* side_desc() - a descriptor's memory; NULL: it is not in the arena, with @room bytes behind it */
static u8 *side_desc(const struct host_side *side, u32 i, struct driver_desc *desc, u32 room)
{
	memcpy(desc, side->page + i * sizeof(*desc), sizeof(*desc));
	if (desc->gpa < ARENA_GPA || desc->gpa > ARENA_GPA + sizeof(arena_memory) - room)
		return NULL;
	return &arena_memory[0][0] + (desc->gpa - ARENA_GPA);
}

/* side_take() - what was posted: its first descriptor, and its memory; NULL: nothing */
static u8 *side_take(struct host_side *side, u16 *head, struct driver_desc *desc, u32 room)
{
	if (*side_word(side, HOST_AVAIL_AT + 2) == side->taken)
		return NULL;
	*head = *side_word(side, HOST_AVAIL_AT + 4 + side->taken++ % HOST_QUEUE_SIZE * 2);
	if (*head >= HOST_QUEUE_SIZE)
		return NULL; /* the host has written over it itself */
	return side_desc(side, *head, desc, room);
}

static void side_use(struct host_side *side, u16 head, u32 written)
{
	u32 entry[2] = { head, written };

	memcpy(side->page + HOST_USED_AT + 4 + side->used++ % HOST_QUEUE_SIZE * 8, entry, 8);
	*side_word(side, HOST_USED_AT + 2) = side->used;
}

#endif /* _UNIT_HOST_SIDE_H */
