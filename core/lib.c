// SPDX-License-Identifier: GPL-2.0-only
/* The memory functions the compiler may call, and the last words. */
#include "lib.h"

/* Eight bytes at a time: almost all that is wiped or copied is whole pages. */
void *memset(void *dst, int c, size_t n)
{
	u64 pattern = (u8)c * 0x0101010101010101ULL;
	size_t words = n / 8, bytes = n % 8;
	void *d = dst;

	asm volatile("rep stosq" : "+D"(d), "+c"(words) : "a"(pattern) : "memory");
	asm volatile("rep stosb" : "+D"(d), "+c"(bytes) : "a"(pattern) : "memory");
	return dst;
}

void *memcpy(void *dst, const void *src, size_t n)
{
	size_t words = n / 8, bytes = n % 8;
	void *d = dst;

	asm volatile("rep movsq" : "+D"(d), "+S"(src), "+c"(words) : : "memory");
	asm volatile("rep movsb" : "+D"(d), "+S"(src), "+c"(bytes) : : "memory");
	return dst;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const u8 *x = a, *y = b;

	for (; n; n--, x++, y++)
		if (*x != *y)
			return *x - *y;
	return 0;
}

#define COM1 0x3f8
#define COM1_LSR (COM1 + 5)
#define LSR_EMPTY 0x20

static void serial_putc(char c)
{
	u32 tries = 100000;
	u8 lsr;

	do {
		asm volatile("inb %1, %0" : "=a"(lsr) : "Nd"((u16)COM1_LSR));
	} while (!(lsr & LSR_EMPTY) && --tries);
	asm volatile("outb %0, %1" : : "a"(c), "Nd"((u16)COM1));
}

void monitor_print(const char *s)
{
	for (u32 i = 0; s[i] && i < 200; i++) {
		if (s[i] == '\n')
			serial_putc('\r');
		serial_putc(s[i]);
	}
}

void monitor_print_hex(u64 v)
{
	for (int shift = 60; shift >= 0; shift -= 4)
		serial_putc("0123456789abcdef"[(v >> shift) & 15]);
}

/*
 * Going on with a state that was excluded could leak; stopping one CPU would
 * leave the others with it.
 */
void monitor_bug(const char *what)
{
	monitor_print("\nmonitor: BUG: ");
	monitor_print(what);
	monitor_print("\n");
	monitor_reset();
}
