/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of SSH: RFC 4251, 5. What does not fit sets @failed, and does nothing. */
#ifndef _WIRE_H
#define _WIRE_H

#include <stdint.h>
#include <string.h>

struct wire {
	uint8_t *data;
	size_t size;
	size_t at;
	int failed;
};

static inline void wire_fail(struct wire *w)
{
	w->failed = 1;
}

static inline void wire_bytes(struct wire *w, const void *from, size_t n)
{
	if (w->failed || n > w->size - w->at)
		return wire_fail(w);
	memcpy(w->data + w->at, from, n);
	w->at += n;
}

static inline void wire_byte(struct wire *w, uint8_t byte)
{
	wire_bytes(w, &byte, 1);
}

static inline void wire_string(struct wire *w, const void *from, size_t n)
{
	uint8_t length[4] = { n >> 24, n >> 16, n >> 8, n };

	wire_bytes(w, length, sizeof(length));
	wire_bytes(w, from, n);
}

static inline void wire_text(struct wire *w, const char *text)
{
	wire_string(w, text, strlen(text));
}

/* A string of what is written until wire_end(). */
static inline size_t wire_begin(struct wire *w)
{
	wire_bytes(w, "\0\0\0\0", 4);
	return w->at;
}

static inline void wire_end(struct wire *w, size_t begin)
{
	size_t n = w->at - begin, i;

	for (i = 0; !w->failed && i < 4; i++)
		w->data[begin - 4 + i] = n >> (24 - 8 * i);
}

/* A positive one, as "mpint": without zeros in front, but for one that says it is no negative. */
static inline void wire_number(struct wire *w, const uint8_t *number, size_t n)
{
	size_t begin = wire_begin(w);

	for (; n && !*number; n--)
		number++;
	if (n && *number & 0x80)
		wire_byte(w, 0);
	wire_bytes(w, number, n);
	wire_end(w, begin);
}

static inline int wire_take_byte(struct wire *w)
{
	if (w->at < w->size)
		return w->data[w->at++];
	w->failed = 1;
	return -1;
}

static inline const uint8_t *wire_take(struct wire *w, size_t *n)
{
	const uint8_t *from = w->data + w->at;

	*n = 0;
	if (w->failed || w->size - w->at < 4)
		goto bad;
	*n = (size_t)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
	if (*n > w->size - w->at - 4)
		goto bad;
	w->at += 4 + *n;
	return from + 4;
bad:
	wire_fail(w);
	return NULL;
}

#endif /* _WIRE_H */
