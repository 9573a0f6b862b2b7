// SPDX-License-Identifier: GPL-2.0-only
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "mon_enclave.h"
#include "probe.h"

MON_ENCLAVE_CONFIG(.heap = 512 << 10, .threads = 3, .buffer_pages = 2, .product = 9,
		   .exceptions = 1);

static struct mon_mutex lock;
static volatile long total;

long sum(const uint32_t *data, size_t n)
{
	long value = 0;

	while (n--)
		value += data[n];
	return value;
}

void fill(uint8_t *data, size_t n, size_t used)
{
	memset(data, 0xaa, used < n ? used : n);
}

int upper(const char *text, char *letters)
{
	int i;

	for (i = 0; i < 4; i++)
		letters[i] -= 32;
	return strlen(text);
}

/* The gaps are full of something. */
int gaps(struct gap *gap)
{
	memset(gap, 0x5a, 2 * sizeof(*gap));
	gap[0].a = gap[1].a = 1;
	gap[0].b = gap[1].b = 2;
	return 0;
}

int races(const uint8_t *data, int shared)
{
	struct mon_enclave_self self;
	const volatile uint8_t *from = data;
	int i, differed = 0;

	if (mon_self(&self))
		return -1;
	if (shared)
		from = (const uint8_t *)self.buffer + mon_thread_number() * 2 * MON_PAGE + 16;
	for (i = 0; i < (shared ? 2000000000 : 20000000) && !differed; i++)
		differed += from[i % 1024] != from[i % 1024];
	return differed;
}

int asks(long *value, uint8_t *data)
{
	memset(data, 0x77, 64);
	return answer(value, data, 64);
}

int checks_seal(void)
{
	static const char text[] = "what is to be kept";
	unsigned char blob[sizeof(text) + MON_SEAL_OVERHEAD], other[sizeof(blob)];
	char back[sizeof(text)];
	size_t i;

	if (mon_seal(text, sizeof(text), "a", 1, blob) ||
	    mon_seal(text, sizeof(text), "a", 1, other))
		return 1;
	if (!memcmp(blob + 16, other + 16, sizeof(blob) - 16))
		return 2;
	if (mon_unseal(blob, sizeof(blob), "a", 1, back) != sizeof(text) || strcmp(back, text))
		return 3;
	if (mon_unseal(blob, sizeof(blob), "b", 1, back) != -MON_EPERM || *back)
		return 4;
	if (mon_unseal(blob, sizeof(blob) - 1, "a", 1, back) != -MON_EPERM)
		return 5;
	for (i = 0; i < 8 * sizeof(blob); i++) {
		blob[i / 8] ^= 1 << i % 8;
		if (mon_unseal(blob, sizeof(blob), "a", 1, back) != -MON_EPERM)
			return 100 + i;
		blob[i / 8] ^= 1 << i % 8;
	}
	return 0;
}

int checks_memory(void)
{
	char *piece[64], text[64];
	unsigned int round, i;

	for (i = 0; i < 64; i++)
		piece[i] = NULL;
	for (round = 0; round < 20000; round++) {
		unsigned int n = round * 2654435761u >> 20;

		i = n % 64;
		if (piece[i] && (piece[i][0] != (char)i || (uintptr_t)piece[i] % 16))
			return 1;
		free(piece[i]);
		piece[i] = malloc(n + 1);
		if (piece[i])
			memset(piece[i], i, n + 1);
	}
	for (i = 0; i < 64; i++)
		free(piece[i]);
	piece[0] = malloc(500 << 10);
	if (!piece[0] || malloc(500 << 10) || calloc(1UL << 33, 1UL << 33))
		return 2;
	free(piece[0]);
	snprintf(text, sizeof(text), "%5d|%-4s|%08lx|%.2s|%c|%p", -42, "ab", 0xbeefUL, "xyz", 'q',
		 (void *)0x10);
	return strcmp(text, "  -42|ab  |0000beef|xy|q|0x10") ? 3 : 0;
}

/* Steps over an instruction of 2 bytes. */
static int step_over(struct mon_enclave_fault *fault)
{
	if (fault->vector != 6)
		return -1;
	fault->rip += 2;
	fault->gpr[0] = 77;
	return 0;
}

int checks_exception(void)
{
	long value = 1, kept = 5;

	mon_on_exception(step_over);
	__asm__ volatile("movq %1, %%xmm9; ud2; movq %%xmm9, %1"
			 : "+a"(value), "+r"(kept)
			 :
			 : "xmm9", "memory");
	mon_on_exception(NULL);
	return value == 77 && kept == 5 ? 0 : 1;
}

static unsigned long long refused_at;

/* Steps over a store of 3 bytes. */
static int step_over_store(struct mon_enclave_fault *fault)
{
	if (fault->vector != 14)
		return -1;
	refused_at = fault->address;
	fault->rip += 3;
	return 0;
}

int checks_protect(void)
{
	static const unsigned char code[] = { 0xb8, 42, 0, 0, 0, 0xc3 }; /* mov $42, %eax; ret */
	unsigned char *memory = malloc(2 * MON_PAGE),
		      *page = memory + MON_PAGE - (uintptr_t)memory % MON_PAGE;
	int value;

	memcpy(page, code, sizeof(code));
	if (mon_protect(page, MON_PAGE, MON_ENCLAVE_READ))
		return 1;
	refused_at = 0;
	mon_on_exception(step_over_store);
	__asm__ volatile("movb $1, (%0)" : : "D"(page) : "memory");
	mon_on_exception(NULL);
	if (refused_at / MON_PAGE != (uintptr_t)page / MON_PAGE || page[0] != code[0])
		return 2;
	if (mon_protect(page, MON_PAGE, MON_ENCLAVE_READ | MON_ENCLAVE_WRITE | MON_ENCLAVE_EXEC) !=
		    -MON_EINVAL ||
	    mon_protect(page, 100, MON_ENCLAVE_READ) != -MON_EINVAL)
		return 3;
	if (mon_protect(page, MON_PAGE, MON_ENCLAVE_READ | MON_ENCLAVE_EXEC))
		return 4;
	value = ((int (*)(void))page)();
	if (mon_protect(page, MON_PAGE, MON_ENCLAVE_READ | MON_ENCLAVE_WRITE))
		return 5;
	page[0] = 1;
	free(memory);
	return value == 42 ? 0 : 6;
}

int verifies(void)
{
	unsigned char data[64] = "data";
	struct mon_enclave_report report;
	struct mon_enclave_self self;

	if (mon_self(&self) || mon_report(self.measurement, data, &report))
		return 1;
	if (memcmp(report.data, data, 64) || memcmp(report.measurement, self.measurement, 32))
		return 2;
	return mon_verify(&report);
}

/* As deep as the stack is. */
static int deep(volatile char *before)
{
	volatile char frame[24 << 10]; /* more than what is not there */

	frame[0] = before ? *before : 0;
	return frame[0] == 1 ? 0 : deep(frame) + frame[0];
}

static void *volatile nowhere = (void *)16;

int dies(int how)
{
	if (how == 0)
		abort();
	if (how == 1)
		return *(volatile int *)nowhere;
	if (how == 2)
		return deep(NULL);
	free((void *)&lock);
	return 0;
}

int nested(int depth)
{
	int value = 0;

	return depth && again(&value, depth - 1) ? -1 : value + 1;
}

long adds(size_t times)
{
	while (times--) {
		mon_lock(&lock);
		total = total + 1;
		mon_unlock(&lock);
	}
	return total;
}
