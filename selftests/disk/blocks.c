// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: blocks write DEVICE COUNT GENERATION	each block with its number in it
 *        blocks same DEVICE COUNT GENERATION	... without
 *        blocks check DEVICE COUNT GENERATION	read them
 *        blocks tamper IMAGE OLDER-IMAGE FIRST COUNT HOW-MANY SEED
 *        blocks search FILE COUNT
 *
 * A guest writes and reads its disk; its host changes the image, and looks for what was
 * written. What a guest found and what a host has changed is also shown as a map, with a bit
 * for each block.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../vm/secret.h"
#include "direct.h"

#define BLOCK 4096UL
#define WORDS (BLOCK / 8)
#define SECRET 7
#define MAX_BLOCKS 16384

typedef unsigned long long u64;

static u64 block[WORDS] __attribute__((aligned(BLOCK)));
static unsigned char map[MAX_BLOCKS / 8];

static void show_map(unsigned long count)
{
	unsigned long i;

	printf("map ");
	for (i = 0; i < (count + 7) / 8; i++)
		printf("%02x", map[i]);
	printf("\n");
}

static void contents(u64 *words, u64 number, u64 generation)
{
	unsigned long i;

	for (i = 0; i < WORDS; i++)
		words[i] = ~secret_inverted(SECRET, i % SECRET_WORDS);
	words[0] = number;
	words[1] = generation;
}

/* ---- the guest ---- */

static int write_blocks(const char *path, unsigned long count, u64 generation, bool numbered)
{
	int fd = open_direct(path, O_WRONLY);
	unsigned long i;

	for (i = 0; i < count; i++) {
		contents(block, numbered ? i : 0, generation);
		if (pwrite(fd, block, BLOCK, i * BLOCK) != BLOCK)
			die("write");
	}
	if (fsync(fd))
		die("fsync");
	printf("written %lu\n", count);
	return 0;
}

static int check_blocks(const char *path, unsigned long count, u64 generation)
{
	unsigned long i, good = 0, refused = 0, wrong = 0;
	static u64 wanted[WORDS];
	int fd = open_direct(path, O_RDONLY);

	for (i = 0; i < count; i++) {
		ssize_t got = pread(fd, block, BLOCK, i * BLOCK);

		contents(wanted, i, generation);
		if (got < 0 && errno == EIO) {
			refused++;
			map[i / 8] |= 1 << i % 8;
		} else if (got == BLOCK && !memcmp(block, wanted, BLOCK)) {
			good++;
		} else {
			wrong++;
			map[i / 8] |= 1 << i % 8;
		}
	}
	show_map(count);
	printf("checked: %lu good, %lu refused, %lu wrong\n", good, refused, wrong);
	return 0;
}

/* ---- the host ---- */

static u64 seed;

static u64 random_below(u64 n)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % n;
}

static unsigned long fresh_block(unsigned long count)
{
	unsigned long i;

	do
		i = random_below(count);
	while (map[i / 8] & 1 << i % 8);
	map[i / 8] |= 1 << i % 8;
	return i;
}

static void get(int fd, unsigned long at, void *to)
{
	if (pread(fd, to, BLOCK, at * BLOCK) != BLOCK)
		die("read");
}

static void put(int fd, unsigned long at, const void *from)
{
	if (pwrite(fd, from, BLOCK, at * BLOCK) != BLOCK)
		die("write");
}

/* A third each: a bit turned, as it was before, and in each other's place. */
static int tamper(char **argv)
{
	int fd = open(argv[0], O_RDWR), older = open(argv[1], O_RDONLY);
	unsigned long first = strtoul(argv[2], NULL, 0), count = strtoul(argv[3], NULL, 0);
	unsigned long many = strtoul(argv[4], NULL, 0), i, at, other;
	static u64 second[WORDS];

	if (fd < 0 || older < 0)
		die(argv[0]);
	seed = strtoull(argv[5], NULL, 0) * 2 + 1;
	for (i = 0; i < many; i++) {
		at = first + fresh_block(count);
		if (i % 4 == 0) {
			get(fd, at, block);
			block[random_below(WORDS)] ^= 1ULL << random_below(64);
			put(fd, at, block);
		} else if (i % 4 == 1) {
			get(older, at, block);
			put(fd, at, block);
		} else if (i + 1 < many) {
			other = first + fresh_block(count);
			i++;
			get(fd, at, block);
			get(fd, other, second);
			put(fd, at, second);
			put(fd, other, block);
		} else {
			get(older, at, block);
			put(fd, at, block);
		}
	}
	show_map(count);
	return 0;
}

static int compare(const void *a, const void *b)
{
	return memcmp(a, b, 16);
}

/* How much of the secret is in the file, and how many of its blocks it has twice. */
static int search(const char *path, unsigned long count)
{
	u64 inverted[SECRET_WORDS], (*begin)[2] = calloc(MAX_BLOCKS, 16);
	unsigned long i, found = 0, n = 0, repeated = 0;
	int fd = open(path, O_RDONLY);

	if (fd < 0)
		die(path);
	for (i = 0; i < SECRET_WORDS; i++)
		inverted[i] = secret_inverted(SECRET, i);
	while (read(fd, block, BLOCK) == BLOCK && n < MAX_BLOCKS) {
		found += secret_count(block, WORDS, inverted) > 0;
		memcpy(begin[n], block, 16);
		n += block[0] || block[1] || block[2];
	}
	qsort(begin, n, 16, compare);
	for (i = 1; i < n; i++)
		repeated += !compare(begin[i - 1], begin[i]);
	printf("secret in %lu blocks, %lu repeated, of %lu\n", found, repeated, n);
	return n < count;
}

int main(int argc, char **argv)
{
	if (argc == 5 && !strcmp(argv[1], "check"))
		return check_blocks(argv[2], strtoul(argv[3], NULL, 0), strtoull(argv[4], NULL, 0));
	if (argc == 5)
		return write_blocks(argv[2], strtoul(argv[3], NULL, 0), strtoull(argv[4], NULL, 0),
				    !strcmp(argv[1], "write"));
	if (argc == 8 && !strcmp(argv[1], "tamper"))
		return tamper(argv + 2);
	if (argc == 4 && !strcmp(argv[1], "search"))
		return search(argv[2], strtoul(argv[3], NULL, 0));
	fprintf(stderr, "usage: see the source\n");
	return 2;
}
