// SPDX-License-Identifier: GPL-2.0-only
/*
 * malloc(): the first block that is large enough. Blocks lie side by side from the heap's begin
 * to what was ever used; memory behind that has not been touched, and costs nothing.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include "runtime.h"

/**
 * struct block - what is before each piece of memory
 * @size: with this; a multiple of its size
 * @before: of the block in front; 0: this is the first
 * @state: USED or FREE, mixed with its address; anything else: somebody wrote over it
 */
struct block {
	uint64_t size;
	uint64_t before;
	uint64_t state;
	uint64_t unused;
};

#define USED 0x75736564b10c4b10ULL
#define FREE 0x66726565b10c4b10ULL
#define UNIT sizeof(struct block)

_Static_assert(UNIT == 32, "memory is aligned to 16");

static struct mon_mutex lock;
static struct block *top; /* behind the last one; NULL: nothing yet */
static uint64_t last_size;

static struct block *first(void)
{
	return (struct block *)mon_where()->heap;
}

static int is(const struct block *b, uint64_t state)
{
	return b->state == (state ^ (uint64_t)b);
}

static void set(struct block *b, uint64_t state)
{
	b->state = state ^ (uint64_t)b;
}

static struct block *after(const struct block *b)
{
	return (struct block *)((char *)b + b->size);
}

static void check(int good)
{
	if (!good)
		abort();
}

/* Who is behind @b knows its size. */
static void tell_after(struct block *b)
{
	if (after(b) == top)
		last_size = b->size;
	else
		after(b)->before = b->size;
}

static void split(struct block *b, uint64_t size)
{
	struct block *rest = (struct block *)((char *)b + size);

	if (b->size < size + 2 * UNIT)
		return;
	rest->size = b->size - size;
	rest->before = size;
	set(rest, FREE);
	tell_after(rest);
	b->size = size;
}

static struct block *find(uint64_t size)
{
	struct block *b;

	for (b = first(); b != top; b = after(b)) {
		check(is(b, USED) || is(b, FREE));
		if (is(b, FREE) && b->size >= size) {
			split(b, size);
			return b;
		}
	}
	if (size > mon_where()->heap_end - (uint64_t)top)
		return NULL;
	b->size = size;
	b->before = last_size;
	top = after(b);
	last_size = size;
	return b;
}

void *malloc(size_t size)
{
	struct block *b = NULL;

	if (size > MON_HEAP_MAX)
		return NULL;
	mon_lock(&lock);
	if (!top)
		top = first();
	b = find(UNIT + MON_ALIGN(size ? size : 1, UNIT));
	if (b)
		set(b, USED);
	mon_unlock(&lock);
	return b ? b + 1 : NULL;
}

/* @b and the free one behind it become one. */
static void merge(struct block *b)
{
	struct block *next = after(b);

	if (next == top || !is(next, FREE))
		return;
	b->size += next->size;
	next->state = 0;
	tell_after(b);
}

void free(void *data)
{
	struct block *b = (struct block *)data - 1;

	if (!data)
		return;
	mon_lock(&lock);
	check(b >= first() && b < top && is(b, USED));
	set(b, FREE);
	merge(b);
	if (b != first()) {
		struct block *front = (struct block *)((char *)b - b->before);

		if (is(front, FREE)) {
			merge(front);
			b = front;
		}
	}
	if (after(b) == top) {
		top = b;
		last_size = b->before;
		b->state = 0;
	}
	mon_unlock(&lock);
}

void *calloc(size_t count, size_t size)
{
	size_t bytes;
	void *data;

	if (__builtin_mul_overflow(count, size, &bytes))
		return NULL;
	data = malloc(bytes);
	return data ? memset(data, 0, bytes) : NULL;
}

void *realloc(void *data, size_t size)
{
	struct block *b = (struct block *)data - 1;
	size_t old;
	void *new;

	if (!data)
		return malloc(size);
	check(is(b, USED));
	old = b->size - UNIT;
	if (size <= old && size > old / 2)
		return data;
	new = malloc(size);
	if (new) {
		memcpy(new, data, size < old ? size : old);
		mon_wipe(data, old);
		free(data);
	}
	return new;
}
