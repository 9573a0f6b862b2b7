// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks of files: XAES-256-GCM (C2SP), which is a key for each block by 96 bits of its random
 * nonce, and AES-256-GCM by the other 96. By AES-NI and PCLMULQDQ: the monitor takes no CPU
 * without.
 */
#include <bearssl.h>
#include <string.h>
#include "file.h"
#include "runtime.h"

/** struct file_position - additional data: where in the file; little endian */
struct file_position {
	uint64_t level;
	uint64_t index;
};

int file_key(const char *name, unsigned char key[MON_KEY_SIZE])
{
	unsigned char hash[32];
	br_sha256_context sha;

	br_sha256_init(&sha);
	br_sha256_update(&sha, name, strlen(name));
	br_sha256_out(&sha, hash);
	return mon_key_of("monfile1", hash, MON_LABEL_MAX, key);
}

/* AES of one block: the first of a key stream. */
static void encrypt_block(const br_aes_x86ni_ctr_keys *aes, unsigned char block[16])
{
	uint32_t counter = (uint32_t)block[12] << 24 | block[13] << 16 | block[14] << 8 | block[15];
	unsigned char stream[16] = {0};

	br_aes_x86ni_ctr_run(aes, block, counter, stream, sizeof(stream));
	memcpy(block, stream, sizeof(stream));
}

/* CMAC's first subkey: that of the zeros, doubled. */
static void subkey(const br_aes_x86ni_ctr_keys *aes, unsigned char k[16])
{
	unsigned int i, carry;

	memset(k, 0, 16);
	encrypt_block(aes, k);
	carry = k[0] >> 7;
	for (i = 0; i < 15; i++)
		k[i] = k[i] << 1 | k[i + 1] >> 7;
	k[15] = k[15] << 1 ^ (0x87 & -carry);
}

static void derive(const unsigned char key[MON_KEY_SIZE], const unsigned char nonce[24],
		   br_aes_x86ni_ctr_keys *aes)
{
	unsigned char k1[16], derived[2][16];
	unsigned int i, j;

	br_aes_x86ni_ctr_init(aes, key, MON_KEY_SIZE);
	subkey(aes, k1);
	for (i = 0; i < 2; i++) {
		memcpy(derived[i], "\0\0X\0", 4);
		derived[i][1] = i + 1;
		memcpy(derived[i] + 4, nonce, 12);
		for (j = 0; j < 16; j++)
			derived[i][j] ^= k1[j];
		encrypt_block(aes, derived[i]);
	}
	br_aes_x86ni_ctr_init(aes, derived, sizeof(derived));
	mon_wipe(derived, sizeof(derived));
	mon_wipe(k1, sizeof(k1));
}

static void run(const unsigned char key[MON_KEY_SIZE], const struct file_position *position,
		const unsigned char nonce[24], int encrypt, void *data, size_t size,
		unsigned char tag[16])
{
	br_aes_x86ni_ctr_keys aes;
	br_gcm_context gcm;

	derive(key, nonce, &aes);
	br_gcm_init(&gcm, &aes.vtable, br_ghash_pclmul);
	br_gcm_reset(&gcm, nonce + 12, 12);
	br_gcm_aad_inject(&gcm, position, sizeof(*position));
	br_gcm_flip(&gcm);
	br_gcm_run(&gcm, encrypt, data, size);
	br_gcm_get_tag(&gcm, tag);
	mon_wipe(&gcm, sizeof(gcm));
	mon_wipe(&aes, sizeof(aes));
}

void file_seal(const unsigned char key[MON_KEY_SIZE], unsigned int level, uint64_t index,
	       void *data, size_t size, struct file_seal *seal)
{
	struct file_position position = {level, index};

	mon_random(seal->nonce, sizeof(seal->nonce));
	run(key, &position, seal->nonce, 1, data, size, seal->tag);
}

bool file_unseal(const unsigned char key[MON_KEY_SIZE], unsigned int level, uint64_t index,
		 void *data, size_t size, const struct file_seal *seal)
{
	struct file_position position = {level, index};
	unsigned char tag[16];

	run(key, &position, seal->nonce, 0, data, size, tag);
	if (mon_equal(tag, seal->tag, sizeof(tag)))
		return true;
	mon_wipe(data, size);
	return false;
}
