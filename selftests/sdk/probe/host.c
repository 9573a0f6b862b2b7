// SPDX-License-Identifier: GPL-2.0-only
/* The stubs of both sides against each other, and against a process that lies. Prints TAP. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"
#include "probe.h"

static struct mon_enclave *mon;
static int points, failed;
static long lie;
static int real; /* not in simulation */
static long times = 200000;

static void ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++points, name);
	if (!good)
		printf("# the last error: %s\n", mon_error());
	failed += !good;
	fflush(stdout);
}

long answer(uint8_t *data, size_t size)
{
	memset(data, 0x33, size);
	return lie;
}

int again(int depth)
{
	int value = -1;

	return nested(mon_caller(), &value, depth) ? -1 : value;
}

/* A call as no stub makes it; how it ends. */
static long raw(uint64_t number, uint64_t b, const void *message, size_t size)
{
	struct mon_enclave_run run = { .size = sizeof(run), .value = { number, b } };

	memset(mon->buffer, 0xff, mon->layout.slice);
	memcpy(mon->buffer, message, size);
	if (mon_run(mon, &run) || run.exit != MON_ENCLAVE_RETURNED)
		return 1000;
	return run.value[0];
}

static void well(void)
{
	uint32_t data[100] = { 1, 2, 3, [99] = 100 };
	struct gap gap[2];
	char letters[4] = "abcd", all[8192];
	int result, good;
	long value;

	ok(!sum(mon, &value, data, 100) && value == 106, "a buffer goes in");
	ok(!sum(mon, &value, NULL, 0) && !value, "an empty one, too");
	memset(all, 1, sizeof(all));
	good = !fill(mon, NULL, (uint8_t *)all, 4096, 3) && all[2] == (char)0xaa && !all[3] &&
	       !all[4095] && all[4096] == 1;
	ok(good, "one goes out, with zeros where nothing was written");
	good = !upper(mon, &result, "0123456789abcdef", letters) && result == 16 &&
	       !memcmp(letters, "ABCD", 4);
	ok(good, "a string of full length, and a buffer in both directions");
	memset(gap, 1, sizeof(gap));
	good = !gaps(mon, &result, gap) && gap[1].b == 2 &&
	       !memcmp((char *)&gap[1] + 1, "\0\0\0\0\0\0", 7);
	ok(good, "nothing is left in the gaps of structures");
	ok(upper(mon, &result, "0123456789abcdefg", letters) && strstr(mon_error(), "bound"),
	   "a string that is too long is an error");
	ok(sum(mon, &value, (void *)all, 4000) && strstr(mon_error(), "buffer_pages"), "so is a "
										       "buffer "
										       "that does "
										       "not fit");
	ok(sum(mon, &value, NULL, 1) && strstr(mon_error(), "NULL"), "and one that is NULL");
	ok(!nested(mon, &result, 2) && result == 3, "calls in calls, on all threads");
	ok(nested(mon, &result, 3) || result < 3, "and no deeper");
	ok(!checks_seal(mon, &result) && !result, "sealing; no bit of a blob can change");
	ok(!checks_memory(mon, &result) && !result, "malloc() and snprintf()");
	ok(!checks_exception(mon, &result) && !result, "an exception handler goes on");
	ok(!checks_protect(mon, &result) && !result, "a page is to be read, to be executed");
	ok(!verifies(mon, &result) && result == (real ? 0 : -MON_EPERM),
	   real ? "a report is believed" : "a simulated report is not believed");
}

/* In the order of probe.h. */
static void lies(uint64_t hash)
{
	static const uint64_t sizes[] = { 2045, 1 << 20, 1ULL << 62, (1ULL << 62) + 1, ~0ULL };
	uint64_t message[4] = { 0 };
	unsigned int i;
	int good = 1;

	message[1] = 2043;
	ok(raw(hash, 0, message, 16) == 0, "by hand: the longest buffer there can be");
	for (i = 0; i < 5; i++) {
		message[1] = sizes[i];
		good &= raw(hash, 0, message, 16) == MON_CALL_TOO_LONG;
	}
	ok(good, "five lengths beyond the shared memory are refused");
	message[1] = 17;
	ok(raw(hash | 2, 0, message, 16) == MON_CALL_BAD, "so is a string's above its bound");
	good = raw(hash | 14, 0, message, 16) == MON_CALL_UNKNOWN &&
	       raw(hash | 0xffffffff, 0, message, 16) == MON_CALL_UNKNOWN;
	ok(good, "and functions there are not");
	ok(raw(hash, 1, message, 16) == MON_CALL_UNKNOWN, "and a second value");
	ok(raw(hash ^ 1ULL << 32, 0, message, 16) == MON_CALL_INTERFACE, "and another interface's "
									 "call");
}

static int asked(long what, int *result, long *value, uint8_t *data)
{
	lie = what;
	return asks(mon, result, value, data);
}

static void iago(void)
{
	uint8_t data[64];
	int result, i, good;
	long value;

	ok(!asked(64, &result, &value, data) && !result && value == 64 && data[0] == 0x33, "the "
											   "process"
											   "'s "
											   "answer "
											   "comes");
	ok(!asked(-5, &result, &value, data) && !result && value == -5, "an error of it, too");
	for (i = 0; i < 3; i++) {
		static const long above[] = { 65, 1L << 32, 0x7fffffffffffffff };

		good = !asked(above[i], &result, &value, data) && result == MON_CALL_LIED &&
		       !value && !data[0] && !data[63];
		ok(good, "a length above the buffer is no answer");
	}
}

static volatile int stop;

static void *flip(void *slice)
{
	volatile unsigned char *data = slice;
	unsigned int i = 0;

	while (!stop)
		data[16 + i++ % 1024] ^= 0xff;
	return NULL;
}

static void race(void)
{
	uint8_t data[1024] = { 0 };
	pthread_t thread;
	int result;

	pthread_create(&thread, NULL, flip, mon->buffer);
	ok(!races(mon, &result, data, 1) && result > 0, "control: shared memory changes while it "
							"is read");
	ok(!races(mon, &result, data, 0) && !result, "an argument does not");
	stop = 1;
	pthread_join(thread, NULL);
}

static void *add(void *unused)
{
	long value;

	(void)unused;
	return adds(mon, &value, times) ? "failed" : NULL;
}

static void threads(void)
{
	pthread_t thread[8];
	void *result;
	long value;
	int i, good = 1;

	for (i = 0; i < 8; i++)
		pthread_create(&thread[i], NULL, add, NULL);
	for (i = 0; i < 8; i++)
		good &= !pthread_join(thread[i], &result) && !result;
	ok(good && !adds(mon, &value, 0) && value == 8 * times, "8 threads, 3 at once, one lock");
}

static void death(void)
{
	int result, good;

	good = dies(mon, &result, 1) && strstr(mon_error(), "exception 14") &&
	       strstr(mon_error(), "NULL");
	ok(good, "a NULL pointer ends the thread, and is named");
	ok(dies(mon, &result, 0) && strstr(mon_error(), "exception 6"), "so does abort()");
	ok(dies(mon, &result, 3) && strstr(mon_error(), "exception 6"), "and free() of what is not "
									"malloc()'s");
	ok(dies(mon, &result, 0) && strstr(mon_error(), "all of its 3 threads"), "then there is "
										 "none left");
}

static void overflow(const char *path)
{
	struct mon_enclave *other = mon_open(path, real ? 0 : MON_OPEN_SIM);
	uint32_t data = 4;
	long value;
	int result;

	ok(other && !sum(other, &value, &data, 1) && value == 4, "a second enclave of the same "
								 "file");
	ok(other && dies(other, &result, 2) && strstr(mon_error(), "raise .stack"), "a stack that "
										    "is too small "
										    "is named");
	mon_close(other);
}

int main(int argc, char **argv)
{
	if (argc != 3 && argc != 4)
		return 2;
	real = argc == 4 && !strcmp(argv[3], "real");
	times = real ? 500 : times;
	printf("TAP version 13\n1..%d\n", real ? 33 : 35);
	mon = mon_open(argv[1], (real ? 0 : MON_OPEN_SIM) | MON_OPEN_PRINT);
	if (!mon) {
		printf("Bail out! %s\n", mon_error());
		return 1;
	}
	well();
	lies(strtoull(argv[2], NULL, 16) << 32);
	iago();
	if (!real) /* it takes long in the test machine, and is of the stubs alone */
		race();
	threads();
	overflow(argv[1]);
	death();
	mon_close(mon);
	return failed != 0;
}
