// SPDX-License-Identifier: GPL-2.0-only
#include "hmac.h"

static void begin(struct sha256 *sha, const u8 *key, u32 len, u8 pad)
{
	u8 block[SHA256_BLOCK_SIZE];
	u32 i;

	for (i = 0; i < sizeof(block); i++)
		block[i] = (i < len ? key[i] : 0) ^ pad;
	sha256_init(sha);
	sha256_update(sha, block, sizeof(block));
}

void hmac(const u8 *key, u32 len, const void *text, u32 text_len, u8 mac[SHA256_DIGEST_SIZE])
{
	struct sha256 sha;

	begin(&sha, key, len, 0x36);
	sha256_update(&sha, text, text_len);
	sha256_final(&sha, mac);
	begin(&sha, key, len, 0x5c);
	sha256_update(&sha, mac, SHA256_DIGEST_SIZE);
	sha256_final(&sha, mac);
}
