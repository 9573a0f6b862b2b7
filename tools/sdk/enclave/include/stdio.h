/* SPDX-License-Identifier: GPL-2.0-only */
/* %d %i %u %x %X %p %c %s %%, with l, ll, z, width, precision, 0 and -; no floating point. */
#ifndef _MON_STDIO_H
#define _MON_STDIO_H

#include <stdarg.h>
#include <stddef.h>

int vsnprintf(char *to, size_t size, const char *format, va_list ap);
int snprintf(char *to, size_t size, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
/* To the process, which prints it if it was told so (MON_OPEN_PRINT): no secrets. */
int printf(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

#endif
