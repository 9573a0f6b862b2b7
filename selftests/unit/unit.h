/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A harness for unit tests: TAP 13 on standard output.
 *
 *	int main(void)
 *	{
 *		ok(1 + 1 == 2, "addition");
 *		return unit_end();
 *	}
 */
#ifndef _UNIT_H
#define _UNIT_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>

static unsigned int unit_count, unit_failed;

__attribute__((__constructor__))
static void unit_begin(void)
{
	printf("TAP version 13\n");
}

/* ok() - one test point; a name in printf style. Value: the condition. */
#define ok(cond, ...) unit_ok(!!(cond), #cond, __FILE__, __LINE__, __VA_ARGS__)

/* check() - part of a test point: says where it fails, and ends the program */
#define check(cond)                                                             \
	do {                                                                    \
		if (!(cond)) {                                                  \
			unit_ok(0, #cond, __FILE__, __LINE__, "%s", __func__);  \
			exit(unit_end());                                       \
		}                                                               \
	} while (0)

__attribute__((__unused__, __format__(__printf__, 5, 6)))
static int unit_ok(int good, const char *cond, const char *file, int line, const char *fmt, ...)
{
	__builtin_va_list args;

	unit_count++;
	printf("%sok %u - ", good ? "" : "not ", unit_count);
	__builtin_va_start(args, fmt);
	vprintf(fmt, args);
	__builtin_va_end(args);
	printf("\n");
	if (!good) {
		printf("# %s:%d: %s\n", file, line, cond);
		unit_failed++;
	}
	fflush(stdout);
	return good;
}

/* unit_end() - the plan; value for main() to return */
__attribute__((__unused__))
static int unit_end(void)
{
	printf("1..%u\n", unit_count);
	fflush(stdout);
	return unit_failed || !unit_count;
}

/* unit_random() - xorshift64*, the same sequence in every run */
__attribute__((__unused__))
static uint64_t unit_random(void)
{
	static uint64_t state = 0x9e3779b97f4a7c15ULL;

	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

#endif /* _UNIT_H */
