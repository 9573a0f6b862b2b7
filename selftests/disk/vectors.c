// SPDX-License-Identifier: GPL-2.0-only
/*
 * The test vectors of Documentation/disks.rst by monctl's code: with the random numbers that
 * they are of, and a tiny image into the file that is named.
 */
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include "tools/monctl/disk.h"

#define BLOCKS 300

int fail(const char *format, ...)
{
	puts(format);
	return 1;
}

/* uuid: 00112233445566778899aabbccddeeff; session: 0x0123456789abcdef */
int RAND_bytes(unsigned char *to, int size)
{
	uint64_t session = 0x0123456789abcdef;
	int i;

	for (i = 0; i < size; i++)
		to[i] = 0x11 * i;
	if (size == 8)
		memcpy(to, &session, sizeof(session));
	return 1;
}

static void hex(const char *name, const unsigned char *data, unsigned int size)
{
	printf("%s ", name);
	while (size--)
		printf("%02x", *data++);
	putchar('\n');
}

static void show_seals(struct disk_crypto *c)
{
	struct mon_disk_seal seal = { .session = 0x0123456789abcdef, .count = 1 };
	unsigned char key[MON_DISK_KEY_SIZE], digest[32];
	static union {
		unsigned char byte[BLOCK];
		struct mon_disk_leaf leaf;
		struct mon_disk_super super;
	} block;
	unsigned int i;

	crypto_session_key(c, seal.session, key);
	hex("session-key", key, sizeof(key));
	for (i = 0; i < BLOCK; i++)
		block.byte[i] = i;
	crypto_encrypt(c, 5, &seal, block.byte);
	hex("data-tag", seal.tag, sizeof(seal.tag));
	EVP_Digest(block.byte, BLOCK, digest, NULL, EVP_sha256(), NULL);
	hex("data-stored-sha256", digest, sizeof(digest));
	memset(&block, 0, sizeof(block));
	block.leaf.data[5] = seal;
	block.leaf.seal = (struct mon_disk_seal){ .session = seal.session, .count = 2 };
	crypto_sign(c, MON_DISK_LEAF, 0, &block);
	hex("leaf-tag", block.leaf.seal.tag, sizeof(seal.tag));
	memset(&block, 0, sizeof(block));
	block.super = (struct mon_disk_super){
		.seal = { .session = seal.session, .count = 3 },
		.magic = MON_DISK_MAGIC, .version = 1, .flags = MON_DISK_CLEAN,
		.commit = 1, .blocks = BLOCKS, .opened = 1,
	};
	memcpy(block.super.uuid, c->uuid, sizeof(c->uuid));
	crypto_sign(c, MON_DISK_SUPER, 1, &block);
	hex("super-tag", block.super.seal.tag, sizeof(seal.tag));
}

/* Blocks 0, 130 and 299, each full of its number, in one commit behind the first. */
static bool make_image(const unsigned char *key, const char *path)
{
	static const unsigned int blocks[] = { 0, 130, 299 };
	static unsigned char data[LEAF_DATA * BLOCK];
	uint64_t leaf, written = 0;
	struct disk disk = { 0 };
	unsigned int i, at;
	bool good;

	good = image_create(&disk.image, path, "raw", disk_image_blocks(BLOCKS) * BLOCK) &&
	       disk_format(&disk, key, BLOCKS) && disk_commit(&disk, false);
	for (i = 0; i < 3 && good; i++) {
		leaf = disk_leaf_of(blocks[i], &at);
		memset(data, 0, sizeof(data));
		memset(data + at * BLOCK, blocks[i] ? blocks[i] & 255 : 1, BLOCK);
		good = disk_move(&disk, leaf) && disk_put(&disk, data, &written);
	}
	return good && disk_commit(&disk, true) && disk_close(&disk);
}

int main(int argc, char **argv)
{
	unsigned char key[MON_DISK_KEY_SIZE], uuid[16];
	struct disk_crypto crypto;
	unsigned int i;

	for (i = 0; i < sizeof(key); i++)
		key[i] = i;
	RAND_bytes(uuid, sizeof(uuid));
	crypto_init(&crypto, key, uuid);
	show_seals(&crypto);
	crypto_end(&crypto);
	return argc == 2 && make_image(key, argv[1]) ? 0 : 1;
}
