// SPDX-License-Identifier: GPL-2.0-only
/* gdb's packets: "$text#xx", xx: the sum of the text's bytes. */
#include <stdio.h>
#include <string.h>
#include "gdb.h"

#define INTERRUPT 3

static int hex_digit(unsigned char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum gdb_event outside(struct gdb_in *in, unsigned char byte)
{
	switch (byte) {
	case '$':
		in->part = GDB_INSIDE;
		in->length = 0;
		in->sum = 0;
		return GDB_NOTHING;
	case INTERRUPT:
		return GDB_INTERRUPT;
	case '-':
		return GDB_AGAIN;
	default:
		return GDB_NOTHING;
	}
}

/* Of one that is too long the end is waited for, and not kept. */
static enum gdb_event inside(struct gdb_in *in, unsigned char byte)
{
	if (byte == '$')
		return outside(in, byte);
	if (byte == '#') {
		in->part = GDB_SUM;
		return GDB_NOTHING;
	}
	in->sum += byte;
	if (in->length <= GDB_PACKET_MAX)
		in->text[in->length++] = byte;
	return GDB_NOTHING;
}

enum gdb_event gdb_byte(struct gdb_in *in, unsigned char byte)
{
	switch (in->part) {
	case GDB_OUTSIDE:
		return outside(in, byte);
	case GDB_INSIDE:
		return inside(in, byte);
	case GDB_SUM:
		in->wanted = hex_digit(byte);
		in->part = GDB_SUM_LAST;
		return GDB_NOTHING;
	default:
		in->part = GDB_OUTSIDE;
		if (in->wanted < 0 || hex_digit(byte) < 0 || in->length > GDB_PACKET_MAX ||
		    (in->wanted << 4 | hex_digit(byte)) != in->sum)
			return GDB_DAMAGED;
		in->text[in->length] = '\0';
		return GDB_REQUEST;
	}
}

size_t gdb_frame(char out[GDB_FRAME_MAX + 1], const char *answer)
{
	unsigned char sum = 0;
	const char *c;

	for (c = answer; *c; c++)
		sum += (unsigned char)*c;
	return (size_t)snprintf(out, GDB_FRAME_MAX + 1, "$%s#%02x", answer, sum);
}
