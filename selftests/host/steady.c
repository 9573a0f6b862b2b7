// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: steady confidential|ordinary FILE N [MILLISECONDS]
 *
 * A VM that fills 4 MiB of its memory with a word of secret N, and from then on
 * looks for all of it, again and again. How often it has is in FILE, as a number; when
 * something is wrong, that stands there instead. It sleeps so long between two times.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../share/puppet.h"
#include "../vm/secret.h"

#define AT 0x400000UL
#define WORDS (4UL << 20 >> 3)
#define ROUND_AT 0x300000UL

static long play_round(unsigned long round, unsigned long word)
{
	long found;

	puppet(PUPPET_STORE, ROUND_AT, round, 0, 0);
	if (puppet(PUPPET_LOAD, ROUND_AT, 0, 0, 0) != (long)round)
		return -1;
	found = puppet(PUPPET_COUNT, AT, word, WORDS, 0);
	return found == (long)WORDS ? 0 : found;
}

int main(int argc, char **argv)
{
	unsigned long round = 0, word;
	char line[80];
	int file;

	if (argc != 4 && argc != 5) {
		fputs("usage: steady confidential|ordinary FILE N [MILLISECONDS]\n", stderr);
		return 2;
	}
	word = ~secret_inverted(strtoull(argv[3], NULL, 0), 0);
	file = open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0600);
	if (file < 0) {
		perror(argv[2]);
		return 1;
	}
	puppet_options.ordinary = !strcmp(argv[1], "ordinary");
	puppet_start(PUPPET_RAM);
	madvise(puppet_memory, PUPPET_RAM, MADV_MERGEABLE); /* for KSM, if it runs */
	puppet(PUPPET_FILL, AT, word, WORDS, 0);
	for (;;) {
		long wrong = play_round(++round, word);
		int len = snprintf(line, sizeof(line), wrong ? "round %lu: wrong, %ld\n" : "%lu\n",
				   round, wrong);

		if (pwrite(file, line, len, 0) != len || wrong)
			return 1;
		if (argc == 5)
			usleep(1000 * atoi(argv[4]));
	}
}
