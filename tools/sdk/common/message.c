// SPDX-License-Identifier: GPL-2.0-only
/*
 * Messages between a process and its enclave; built for both. Each trusts nothing that the other
 * can write: every byte is copied once, and what is decided is decided on the copy.
 */
#include <stdlib.h>
#include <string.h>
#include "mon_message.h"

#define ALIGNED(size) (((size) + 15) & ~(size_t)15)

static void fail(struct mon_message *m, int error)
{
	if (!m->error)
		m->error = error;
}

/* The other side may write while this reads: nothing is read again. */
static void copy(void *to, const void *from, size_t size)
{
	if (size)
		memcpy(to, from, size);
	__asm__ volatile("" : : : "memory");
}

void mon_message_init(struct mon_message *m, void *slice, size_t room, size_t numbers)
{
	memset(m, 0, sizeof(*m));
	m->slice = slice;
	m->room = room;
	m->used = ALIGNED(numbers);
	if (m->used > room)
		fail(m, MON_CALL_TOO_LONG);
}

/* The place of the next buffer. The one check of its length. */
static int place(struct mon_message *m, void *data, size_t count, size_t size, int back)
{
	if (m->error)
		return 0;
	if (m->nr_parts == MON_PARTS_MAX || count > (m->room - m->used) / size ||
	    ALIGNED(count * size) > m->room - m->used) {
		fail(m, MON_CALL_TOO_LONG);
		return 0;
	}
	m->part[m->nr_parts].data = data;
	m->part[m->nr_parts].at = m->used;
	m->part[m->nr_parts].size = count * size;
	m->part[m->nr_parts++].back = back;
	m->used += ALIGNED(count * size);
	return 1;
}

static void put(struct mon_message *m, void *data, size_t count, size_t size, int in, int back)
{
	if (count && !data)
		fail(m, MON_CALL_BAD);
	if (place(m, data, count, size, back) && in)
		copy(m->slice + m->part[m->nr_parts - 1].at, data, count * size);
}

void mon_put_in(struct mon_message *m, const void *data, size_t count, size_t size)
{
	put(m, (void *)data, count, size, 1, 0);
}

void mon_put_out(struct mon_message *m, void *data, size_t count, size_t size)
{
	put(m, data, count, size, 0, 1);
}

void mon_put_inout(struct mon_message *m, void *data, size_t count, size_t size)
{
	put(m, data, count, size, 1, 1);
}

size_t mon_put_string(struct mon_message *m, const char *string, size_t max)
{
	size_t length = 0;

	while (string && length <= max && string[length])
		length++;
	if (!string || length > max)
		fail(m, MON_CALL_BAD);
	else
		put(m, (void *)string, length, 1, 1, 0);
	return length;
}

int mon_collect(struct mon_message *m, void *numbers, size_t size)
{
	unsigned int i;

	if (m->error)
		memset(numbers, 0, size);
	else
		copy(numbers, m->slice, size);
	for (i = 0; i < m->nr_parts; i++) {
		if (!m->part[i].back)
			continue;
		if (m->error)
			memset(m->part[i].data, 0, m->part[i].size);
		else
			copy(m->part[i].data, m->slice + m->part[i].at, m->part[i].size);
	}
	return m->error;
}

void mon_lied(struct mon_message *m)
{
	char nothing[1];

	fail(m, MON_CALL_LIED);
	mon_collect(m, nothing, 0);
}

void mon_take(struct mon_message *m, void *numbers, size_t size)
{
	if (m->used < ALIGNED(size))
		m->used = ALIGNED(size);
	if (m->used > m->room)
		fail(m, MON_CALL_TOO_LONG);
	if (m->error)
		memset(numbers, 0, size);
	else
		copy(numbers, m->slice, size);
}

/* One byte more than its size: for the end of a string. */
static void *take(struct mon_message *m, size_t count, size_t size, int in, int back)
{
	unsigned char *data;

	if (!place(m, NULL, count, size, back))
		return NULL;
	data = malloc(count * size + 1);
	m->part[m->nr_parts - 1].data = data;
	if (!data) {
		fail(m, MON_CALL_NO_MEMORY);
		return NULL;
	}
	if (in)
		copy(data, m->slice + m->part[m->nr_parts - 1].at, count * size);
	else
		memset(data, 0, count * size);
	data[count * size] = 0;
	return data;
}

void *mon_take_in(struct mon_message *m, size_t count, size_t size)
{
	return take(m, count, size, 1, 0);
}

void *mon_take_out(struct mon_message *m, size_t count, size_t size)
{
	return take(m, count, size, 0, 1);
}

void *mon_take_inout(struct mon_message *m, size_t count, size_t size)
{
	return take(m, count, size, 1, 1);
}

char *mon_take_string(struct mon_message *m, size_t length, size_t max)
{
	if (length > max)
		fail(m, MON_CALL_BAD);
	return take(m, length, 1, 1, 0);
}

int mon_give(struct mon_message *m, const void *numbers, size_t size)
{
	unsigned int i;

	if (!m->error)
		copy(m->slice, numbers, size);
	for (i = 0; i < m->nr_parts; i++) {
		if (!m->part[i].data)
			continue;
		if (!m->error && m->part[i].back)
			copy(m->slice + m->part[i].at, m->part[i].data, m->part[i].size);
		memset(m->part[i].data, 0, m->part[i].size);
		__asm__ volatile("" : : "r"(m->part[i].data) : "memory");
		free(m->part[i].data);
	}
	m->nr_parts = 0;
	return m->error;
}
