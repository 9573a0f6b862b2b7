/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A ring of bytes in memory that two sides share, who do not trust each other:
 * the other side's counter is fetched once, and a value that cannot be is an
 * error. Each side keeps its own counter to itself and only shows it.
 */
#ifndef _RING_H
#define _RING_H

#include <stdbool.h>
#include <stdint.h>

/* Counters of bytes since the start; they do not come round in a lifetime. */
struct ring_shared {
	uint64_t written;
	uint32_t reader_sleeps; /* and wants a signal */
	uint8_t pad1[52];
	uint64_t read;
	uint32_t writer_sleeps;
	uint8_t pad2[52];
	uint64_t total; /* written before the other side accepts */
};

/* The data is in the pages behind the first. */
#define RING_DATA 4096

/**
 * struct ring - one side's view
 * @shared: first page
 * @data: the bytes
 * @size: how many
 * @own: this side's counter
 * @writes: which side this is
 */
struct ring {
	struct ring_shared *shared;
	uint8_t *data;
	uint64_t size;
	uint64_t own;
	bool writes;
};

#define RING_BAD (~0ULL)

static inline void ring_begin(struct ring *r, void *memory, uint64_t bytes, bool writes)
{
	r->shared = memory;
	r->data = (uint8_t *)memory + RING_DATA;
	r->size = bytes - RING_DATA;
	r->own = 0;
	r->writes = writes;
}

/* Bytes in the ring, or RING_BAD: the other side's counter makes no sense. */
static inline uint64_t ring_used(const struct ring *r)
{
	uint64_t other = __atomic_load_n(r->writes ? &r->shared->read : &r->shared->written,
					 __ATOMIC_ACQUIRE);
	uint64_t used = r->writes ? r->own - other : other - r->own;

	return used <= r->size ? used : RING_BAD;
}

/* Bytes that this side can go on with: to be read, or free. */
static inline uint64_t ring_ready(const struct ring *r)
{
	uint64_t used = ring_used(r);

	return used == RING_BAD || !r->writes ? used : r->size - used;
}

/* Of those, the ones that are in one piece, at *@at. */
static inline uint64_t ring_piece(const struct ring *r, uint64_t ready, uint8_t **at)
{
	uint64_t offset = r->own % r->size;

	*at = r->data + offset;
	return ready < r->size - offset ? ready : r->size - offset;
}

/* Shows that so many more are written, or read. */
static inline void ring_move(struct ring *r, uint64_t bytes)
{
	r->own += bytes;
	__atomic_store_n(r->writes ? &r->shared->written : &r->shared->read, r->own,
			 __ATOMIC_SEQ_CST);
}

/* Before this side sleeps; then it looks once more. */
static inline void ring_sleep(const struct ring *r, bool sleeps)
{
	__atomic_store_n(r->writes ? &r->shared->writer_sleeps : &r->shared->reader_sleeps, sleeps,
			 __ATOMIC_SEQ_CST);
}

/* True once for each sleep of the other side's. */
static inline bool ring_wake(const struct ring *r)
{
	uint32_t *sleeps = r->writes ? &r->shared->reader_sleeps : &r->shared->writer_sleeps;

	return __atomic_load_n(sleeps, __ATOMIC_SEQ_CST) &&
	       __atomic_exchange_n(sleeps, 0, __ATOMIC_SEQ_CST);
}

#endif /* _RING_H */
