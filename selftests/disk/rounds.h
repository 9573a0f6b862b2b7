/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a guest writes on its disk, round by round, while its host crashes; for the guest itself and
 * for who looks at the disk afterwards. Each word of a block says of which block and
 * round it is, so a block that is neither old nor new shows.
 */
#ifndef _SELFTESTS_ROUNDS_H
#define _SELFTESTS_ROUNDS_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ROUND_BLOCKS 48
#define ROUND_RUN 4 /* that follow each other */
#define ROUND_SIZE 4096
#define ROUND_WORDS (ROUND_SIZE / sizeof(uint64_t))
#define ROUND_WRITERS 2
#define ROUND_BOOT 32 /* rounds of each boot of the guest, at most */

/* The number on the disk of block @i: of some leaves, in runs. */
static inline unsigned int round_block(unsigned int i)
{
	return i / ROUND_RUN * 37 + i % ROUND_RUN;
}

static inline unsigned int round_writer(unsigned int i)
{
	return i / ROUND_RUN % ROUND_WRITERS;
}

/* Three of four blocks are written in each round; all in the first one of a boot. */
static inline int round_has(uint64_t round, unsigned int i)
{
	return round % ROUND_BOOT == 1 ||
	       ((round * ROUND_BLOCKS + i) * 0x9e3779b97f4a7c15ULL >> 40) % 4 != 0;
}

/* What the others have written is flushed with the round behind. */
static inline int round_flushes(uint64_t round)
{
	return round % 4 != 3;
}

static inline void round_fill(uint64_t *words, unsigned int i, uint64_t round)
{
	unsigned int k;

	for (k = 0; k < ROUND_WORDS; k++)
		words[k] = round << 32 | i << 16 | k;
}

/* Of which round a block is; 0: zeros; -1: of none, or of one that does not write it. */
static inline int64_t round_of(const uint64_t *words, unsigned int i)
{
	uint64_t want[ROUND_WORDS], round = words[0] >> 32;

	if (round)
		round_fill(want, i, round);
	else
		memset(want, 0, sizeof(want));
	if (memcmp(words, want, sizeof(want)) || (round && !round_has(round, i)))
		return -1;
	return (int64_t)round;
}

/* The last one up to @round, which is flushed, that has written the block. */
static inline int64_t round_floor(uint64_t round, unsigned int i)
{
	while (round && !round_has(round, i))
		round--;
	return (int64_t)round;
}

#endif /* _SELFTESTS_ROUNDS_H */
