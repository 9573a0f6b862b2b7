// SPDX-License-Identifier: GPL-2.0-only
/* The text of requests and answers. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "gdb_answer.h"

#define HEX "0123456789abcdefABCDEF"

void text_add(struct text *t, const char *what)
{
	size_t n = strlen(what), room = GDB_PACKET_MAX - t->length;

	n = n < room ? n : room;
	memcpy(t->to + t->length, what, n);
	t->length += n;
	t->to[t->length] = '\0';
}

void text_add_hex(struct text *t, const void *bytes, size_t size)
{
	const unsigned char *byte = bytes;
	size_t i;

	for (i = 0; i < size; i++)
		text_print(t, "%02x", byte[i]);
}

void text_print(struct text *t, const char *format, ...)
{
	char line[128];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	text_add(t, line);
}

bool text_number(const char **at, char end, unsigned long long *value)
{
	size_t digits = strspn(*at, HEX);

	if (!digits || digits > 16 || (*at)[digits] != end)
		return false;
	*value = strtoull(*at, NULL, 16);
	*at += digits + (end != '\0');
	return true;
}

bool text_bytes(const char *digits, unsigned char *bytes, size_t size)
{
	size_t i;

	if (strlen(digits) != 2 * size || strspn(digits, HEX) != 2 * size)
		return false;
	for (i = 0; i < size; i++) {
		char byte[3] = { digits[2 * i], digits[2 * i + 1] };

		bytes[i] = (unsigned char)strtoul(byte, NULL, 16);
	}
	return true;
}

const char *text_after(const char *request, const char *prefix)
{
	size_t n = strlen(prefix);

	return strncmp(request, prefix, n) ? NULL : request + n;
}
