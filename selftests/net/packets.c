// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: packets N BYTES
 *
 * Prints words of secret N, and among them, every 64, which one it is.
 */
#include <stdio.h>
#include <stdlib.h>
#include "../vm/secret.h"

int main(int argc, char **argv)
{
	unsigned long long n = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, word;
	unsigned long i, words = argc > 2 ? strtoul(argv[2], NULL, 0) / sizeof(word) : 0;

	for (i = 0; i < words; i++) {
		word = i % 64 ? ~secret_inverted(n, i % SECRET_WORDS) : i;
		if (fwrite(&word, sizeof(word), 1, stdout) != 1)
			return 1;
	}
	return fflush(stdout) != 0;
}
