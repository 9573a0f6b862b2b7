/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of core/io/: a guest's private memory, its driver's side of a queue, and the
 * arena, which are arrays here.
 */
#ifndef _UNIT_CORE_IO_H
#define _UNIT_CORE_IO_H

#include "core/io/arena.h"
#include "core/io/guest_queue.h"
#include "unit.h"

#define RAM (1u << 20)
#ifndef ARENA_PAGES
#define ARENA_PAGES 128
#endif
#define ARENA_GPA 0x40000000ULL

static u8 ram[RAM];
static u8 arena_memory[ARENA_PAGES][PAGE_SIZE] __attribute__((aligned(4096)));
static u32 arena_missing = ~0u; /* a page that the host has not mapped */
static bool arena_lazy; /* none is, but for these, as long as nobody says which is missing */
static bool arena_mapped[ARENA_PAGES];

struct vm;
bool vm_read(struct vm *vm, u64 gpa, void *buf, u64 len);
bool vm_write(struct vm *vm, u64 gpa, const void *buf, u64 len);

bool vm_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	if (gpa > RAM || len > RAM - gpa)
		return false;
	memcpy(buf, ram + gpa, len);
	return true;
}

bool vm_write(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	if (gpa > RAM || len > RAM - gpa)
		return false;
	memcpy(ram + gpa, buf, len);
	return true;
}

void monitor_bug(const char *what)
{
	printf("Bail out! %s\n", what);
	exit(1);
}

u64 arena_gpa(const struct arena *arena, u32 index)
{
	return ARENA_GPA + index * PAGE_SIZE;
}

void *arena_page(struct arena *arena, u32 index)
{
	check(index < ARENA_PAGES);
	if (index == arena_missing || (arena_lazy && !arena_mapped[index]))
		return NULL;
	return arena_memory[index];
}

/* ---- the guest's driver ---- */

struct driver_desc {
	u64 gpa;
	u32 len;
	u16 flags;
	u16 next;
};

struct driver {
	u64 desc, avail, used;
	u16 size, given, taken;
};

__attribute__((__unused__))
static void driver_desc(const struct driver *d, u16 i, u64 gpa, u32 len, u16 flags, u16 next)
{
	struct driver_desc desc = { gpa, len, flags, next };

	memcpy(ram + d->desc + i * sizeof(desc), &desc, sizeof(desc));
}

__attribute__((__unused__))
static void driver_give(struct driver *d, u16 head)
{
	memcpy(ram + d->avail + 4 + d->given % d->size * 2, &head, 2);
	d->given++;
	memcpy(ram + d->avail + 2, &d->given, 2);
}

/* driver_take() - the head of what is done, or -1 */
__attribute__((__unused__))
static int driver_take(struct driver *d, u32 *written)
{
	u32 entry[2];
	u16 idx;

	memcpy(&idx, ram + d->used + 2, 2);
	if (idx == d->taken)
		return -1;
	memcpy(entry, ram + d->used + 4 + d->taken++ % d->size * 8, 8);
	*written = entry[1];
	return entry[0];
}

/* driver_start() - a queue at @at, and the monitor told of it */
__attribute__((__unused__))
static void driver_start(struct driver *d, struct guest_queue *queue, u64 at, u16 size)
{
	memset(ram + at, 0, 3 * PAGE_SIZE);
	*d = (struct driver){ .desc = at, .avail = at + PAGE_SIZE, .used = at + 2 * PAGE_SIZE,
			      .size = size };
	check(guest_queue_enable(queue, size, d->desc, d->avail, d->used));
}

#endif /* _UNIT_CORE_IO_H */
