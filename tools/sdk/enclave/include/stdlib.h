/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MON_STDLIB_H
#define _MON_STDLIB_H

#include <stddef.h>

void *malloc(size_t size);
void *calloc(size_t count, size_t size);
void *realloc(void *data, size_t size);
void free(void *data);
__attribute__((__noreturn__)) void abort(void);
unsigned long strtoul(const char *s, char **end, int base);
int atoi(const char *s);

#endif
