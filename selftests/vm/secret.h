/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest keeps and the host looks for: four words for each number. The
 * host's programs must not find themselves, so they hold each word inverted,
 * and no program has a word among its constants.
 */
#ifndef _SECRET_H
#define _SECRET_H

#define SECRET_WORDS 4

/* Word @i of secret @n, inverted (splitmix64). */
static inline unsigned long long secret_inverted(unsigned long long n, unsigned int i)
{
	unsigned long long x = (n * SECRET_WORDS + i + 1) * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return ~(x ^ (x >> 31));
}

/* How many of @nr words are one of the secret's. */
static inline unsigned long secret_count(const unsigned long long *words, unsigned long nr,
					 const unsigned long long inverted[SECRET_WORDS])
{
	unsigned long i, j, found = 0;

	for (i = 0; i < nr; i++)
		for (j = 0; j < SECRET_WORDS; j++)
			found += !~(words[i] ^ inverted[j]);
	return found;
}

#endif /* _SECRET_H */
