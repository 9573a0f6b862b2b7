// SPDX-License-Identifier: GPL-2.0-only
/* monctl disk bench: what a sealed block costs on this CPU, without the disk itself. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "disk.h"
#include "monctl.h"

#define SECONDS 0.3

/**
 * struct bench - what the measured functions work on
 * @crypto: a disk's keys
 * @leaf, @node: with seals that verify
 * @count: of the last seal
 * @good: nothing has failed
 * @data: blocks, sealed for decryption
 */
struct bench {
	struct disk_crypto crypto;
	struct mon_disk_leaf leaf;
	struct mon_disk_node node;
	uint64_t count;
	bool good;
	unsigned char data[LEAF_DATA * BLOCK];
	unsigned char plain[BLOCK];
};

static void write_block(struct bench *b, unsigned int i)
{
	b->leaf.data[i] = (struct mon_disk_seal){.count = ++b->count};
	b->good &= crypto_encrypt(&b->crypto, i, &b->leaf.data[i], b->data + i * BLOCK);
}

static void sign(struct bench *b, enum mon_disk_kind kind, void *block)
{
	((struct mon_disk_seal *)block)->count = ++b->count;
	b->good &= crypto_sign(&b->crypto, kind, 0, block);
}

/* Each is for LEAF_DATA blocks. */

static void encrypt_all(struct bench *b)
{
	unsigned int i;

	for (i = 0; i < LEAF_DATA; i++)
		write_block(b, i);
}

static void decrypt_all(struct bench *b)
{
	unsigned int i;

	for (i = 0; i < LEAF_DATA; i++)
		b->good &= crypto_decrypt(&b->crypto, i, &b->leaf.data[i], b->data + i * BLOCK,
					  b->plain);
}

/* A leaf is read, verified, and sealed again. */
static void write_in_order(struct bench *b)
{
	b->good &= crypto_verify(&b->crypto, MON_DISK_LEAF, 0, &b->leaf);
	encrypt_all(b);
	sign(b, MON_DISK_LEAF, &b->leaf);
}

static void read_in_order(struct bench *b)
{
	b->good &= crypto_verify(&b->crypto, MON_DISK_LEAF, 0, &b->leaf);
	decrypt_all(b);
}

/* Each block is of another leaf and another node. */
static void write_at_random(struct bench *b)
{
	unsigned int i;

	for (i = 0; i < LEAF_DATA; i++) {
		b->good &= crypto_verify(&b->crypto, MON_DISK_NODE, 0, &b->node);
		b->good &= crypto_verify(&b->crypto, MON_DISK_LEAF, 0, &b->leaf);
		write_block(b, i);
		sign(b, MON_DISK_LEAF, &b->leaf);
		sign(b, MON_DISK_NODE, &b->node);
	}
}

static double cpu_now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

static void measure(struct bench *b, const char *name, void (*work)(struct bench *b))
{
	unsigned int rounds = 0;
	double start, t;

	work(b);
	start = cpu_now();
	do {
		work(b);
		rounds++;
		t = cpu_now() - start;
	} while (t < SECONDS);
	printf("%-18s %8.2f\n", name, t * 1e6 / rounds / LEAF_DATA);
}

int disk_bench(const struct disk_args *args)
{
	static const unsigned char key[MON_DISK_KEY_SIZE];
	static struct bench b = {.good = true};

	(void)args;
	crypto_init(&b.crypto, key, key);
	encrypt_all(&b);
	sign(&b, MON_DISK_LEAF, &b.leaf);
	sign(&b, MON_DISK_NODE, &b.node);
	puts("CPU time in microseconds for 4 KiB, without reading and writing the image");
	measure(&b, "encrypt", encrypt_all);
	sign(&b, MON_DISK_LEAF, &b.leaf);
	measure(&b, "decrypt", decrypt_all);
	measure(&b, "write-in-order", write_in_order);
	measure(&b, "read-in-order", read_in_order);
	measure(&b, "write-at-random", write_at_random);
	crypto_end(&b.crypto);
	return b.good ? 0 : fail("OpenSSL cannot seal a block, or open it");
}
