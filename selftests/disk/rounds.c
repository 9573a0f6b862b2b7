// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: rounds write DEVICE FROM TO
 *        rounds check DEVICE ROUND ROUND
 *
 * A guest writes its disk, or what is in it is checked: each block has to be as of a round,
 * and that not before the one that its writer has flushed.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "direct.h"
#include "rounds.h"

static uint64_t data[ROUND_RUN * ROUND_WORDS] __attribute__((aligned(ROUND_SIZE)));

/* As many as follow each other, of those from @i on that are of the round; how many. */
static unsigned int write_some(int fd, unsigned int i, uint64_t round)
{
	unsigned int n = 0;

	do {
		round_fill(data + n * ROUND_WORDS, i + n, round);
		n++;
	} while ((i + n) % ROUND_RUN && round_has(round, i + n));
	if (pwrite(fd, data, n * ROUND_SIZE, (off_t)round_block(i) * ROUND_SIZE) != n * ROUND_SIZE)
		die("write");
	return n;
}

/* One write to the console, for two writers at a time. */
static void say_flushed(unsigned int writer, uint64_t round)
{
	char line[64];
	int n = snprintf(line, sizeof(line), "flushed %u %llu\n", writer,
			 (unsigned long long)round);

	if (write(1, line, n) != n)
		exit(1);
}

static void write_rounds(const char *path, unsigned int writer, uint64_t from, uint64_t to)
{
	int fd = open_direct(path, O_WRONLY);
	uint64_t round;
	unsigned int i;

	for (round = from; round <= to; round++) {
		for (i = 0; i < ROUND_BLOCKS;)
			if (round_writer(i) == writer && round_has(round, i))
				i += write_some(fd, i, round);
			else
				i++;
		if (!round_flushes(round) && round != to)
			continue;
		if (fsync(fd))
			die("fsync");
		say_flushed(writer, round);
	}
}

static int write_all(const char *path, uint64_t from, uint64_t to)
{
	unsigned int i;
	int status, bad = 0;

	for (i = 0; i < ROUND_WRITERS; i++) {
		if (!fork()) {
			write_rounds(path, i, from, to);
			exit(0);
		}
	}
	while (wait(&status) > 0)
		bad |= status;
	printf("rounds done %d\n", bad);
	return !!bad;
}

static int check_all(const char *path, const uint64_t *flushed)
{
	unsigned int i, whole = 0, newer = 0, lost = 0, wrong = 0;
	int fd = open_direct(path, O_RDONLY);
	int64_t floor, round;

	for (i = 0; i < ROUND_BLOCKS; i++) {
		off_t at = (off_t)round_block(i) * ROUND_SIZE;

		if (pread(fd, data, ROUND_SIZE, at) != ROUND_SIZE) {
			lost++;
			continue;
		}
		round = round_of(data, i);
		floor = round_floor(flushed[round_writer(i)], i);
		wrong += round < floor;
		whole += round >= floor;
		newer += round > floor;
	}
	printf("checked: %u good, %u of them not flushed, %u lost, %u wrong\n", whole, newer, lost,
	       wrong);
	return 0;
}

int main(int argc, char **argv)
{
	uint64_t number[2];

	if (argc != 5) {
		fprintf(stderr, "usage: see the source\n");
		return 2;
	}
	number[0] = strtoull(argv[3], NULL, 0);
	number[1] = strtoull(argv[4], NULL, 0);
	if (!strcmp(argv[1], "write"))
		return write_all(argv[2], number[0], number[1]);
	return check_all(argv[2], number);
}
