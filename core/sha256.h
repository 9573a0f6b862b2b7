/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SHA-256 (FIPS 180-4), for measurements and reports.
 */
#ifndef _CORE_SHA256_H
#define _CORE_SHA256_H

#include "../npt/shim.h"

#define SHA256_DIGEST_SIZE 32
#define SHA256_BLOCK_SIZE 64

/**
 * struct sha256 - a hash under way; may be copied to fork it
 * @state: chaining value
 * @total: bytes fed in so far; below 2^61, as the standard wants
 * @block: the @total % 64 bytes that wait for the rest of their block
 */
struct sha256 {
	u32 state[8];
	u64 total;
	u8 block[SHA256_BLOCK_SIZE];
};

void sha256_init(struct sha256 *sha);

/**
 * sha256_update() - feed in @len bytes
 *
 * Takes time in proportion to @len: root-mode callers bound it.
 */
void sha256_update(struct sha256 *sha, const void *data, size_t len);

/**
 * sha256_final() - pad and give the digest; @sha is unusable until the next init
 */
void sha256_final(struct sha256 *sha, u8 digest[SHA256_DIGEST_SIZE]);

#endif /* _CORE_SHA256_H */
