// SPDX-License-Identifier: GPL-2.0-only
/* Of the C library, what enclaves and compilers use; short rather than fast, but for copies. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *memcpy(void *to, const void *from, size_t size)
{
	void *d = to;

	__asm__ volatile("rep movsb" : "+D"(d), "+S"(from), "+c"(size) : : "memory");
	return to;
}

void *memmove(void *to, const void *from, size_t size)
{
	unsigned char *d = to;
	const unsigned char *s = from;

	if ((uintptr_t)d - (uintptr_t)s >= size)
		return memcpy(to, from, size);
	while (size--)
		d[size] = s[size];
	return to;
}

void *memset(void *to, int byte, size_t size)
{
	void *d = to;

	__asm__ volatile("rep stosb" : "+D"(d), "+c"(size) : "a"(byte) : "memory");
	return to;
}

int memcmp(const void *a, const void *b, size_t size)
{
	const unsigned char *x = a, *y = b;

	for (; size; size--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

void *memchr(const void *data, int byte, size_t size)
{
	const unsigned char *p = data;

	for (; size; size--, p++)
		if (*p == (unsigned char)byte)
			return (void *)p;
	return NULL;
}

/* What fortified code calls. */
void *__memcpy_chk(void *to, const void *from, size_t size, size_t room)
{
	if (size > room)
		abort();
	return memcpy(to, from, size);
}

void *__memmove_chk(void *to, const void *from, size_t size, size_t room)
{
	if (size > room)
		abort();
	return memmove(to, from, size);
}

void *__memset_chk(void *to, int byte, size_t size, size_t room)
{
	if (size > room)
		abort();
	return memset(to, byte, size);
}

size_t strnlen(const char *s, size_t max)
{
	size_t n = 0;

	while (n < max && s[n])
		n++;
	return n;
}

size_t strlen(const char *s)
{
	return strnlen(s, SIZE_MAX);
}

int strncmp(const char *a, const char *b, size_t max)
{
	for (; max; max--, a++, b++)
		if (*a != *b || !*a)
			return (unsigned char)*a - (unsigned char)*b;
	return 0;
}

int strcmp(const char *a, const char *b)
{
	return strncmp(a, b, SIZE_MAX);
}

char *strchr(const char *s, int c)
{
	return memchr(s, c, strlen(s) + 1);
}

char *strrchr(const char *s, int c)
{
	size_t n = strlen(s) + 1;

	while (n--)
		if (s[n] == (char)c)
			return (char *)s + n;
	return NULL;
}

char *strstr(const char *s, const char *what)
{
	size_t n = strlen(what);

	for (; strncmp(s, what, n); s++)
		if (!*s)
			return NULL;
	return (char *)s;
}

size_t strcspn(const char *s, const char *reject)
{
	size_t n = 0;

	while (s[n] && !strchr(reject, s[n]))
		n++;
	return n;
}

char *strdup(const char *s)
{
	size_t n = strlen(s) + 1;
	char *copy = malloc(n);

	return copy ? memcpy(copy, s, n) : NULL;
}

static unsigned int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'z' ? c - 'a' + 10U : 99U;
}

/* ULONG_MAX if it is too large. */
unsigned long strtoul(const char *s, char **end, int base)
{
	unsigned long value = 0;
	int over = 0;

	if ((!base || base == 16) && s[0] == '0' && (s[1] | 0x20) == 'x' && digit(s[2]) < 16) {
		s += 2;
		base = 16;
	}
	base = base ? base : 10;
	for (; digit(*s) < (unsigned int)base; s++)
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit(*s), &value))
			over = 1;
	if (end)
		*end = (char *)s;
	return over ? ~0UL : value;
}

int atoi(const char *s)
{
	return *s == '-' ? -(int)strtoul(s + 1, NULL, 10) : (int)strtoul(s, NULL, 10);
}
