/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * AES-256-GCM (NIST SP 800-38D) with AES-NI and PCLMULQDQ, nonces of 96 bits.
 *
 * Takes the same time for all keys and all data. Uses XMM0 to XMM15 and nothing
 * above them, without saving them: whoever calls it in root mode does that.
 */
#ifndef _CORE_GCM_H
#define _CORE_GCM_H

#include "../npt/shim.h"

#define GCM_KEY_SIZE 32
#define GCM_NONCE_SIZE 12
#define GCM_TAG_SIZE 16
#define GCM_LANES 8

/* 16 bytes in a register; in memory without alignment */
typedef long long gcm_block __attribute__((vector_size(16), aligned(1)));

/**
 * struct gcm_key - a key, ready for use; as secret as the key is
 * @round: AES's round keys
 * @power: GHASH's H to the power of 1, 2, ..., each times x, which gcm.c explains
 */
struct gcm_key {
	gcm_block round[15];
	gcm_block power[GCM_LANES];
};

void gcm_init(struct gcm_key *key, const u8 secret[GCM_KEY_SIZE]);

/**
 * gcm_seal() - encrypt, and make the tag
 * @nonce: never twice with one key
 * @aad: additional data
 * @in: read once, each byte, so it may be memory that others write to
 * @out: @in or somewhere else; never read
 * @len: bytes of @in and @out, at most 2^36 - 32
 */
void gcm_seal(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE], const void *aad,
	      size_t aad_len, const void *in, void *out, size_t len, u8 tag[GCM_TAG_SIZE]);

/**
 * gcm_open() - decrypt, and compare the tag; as gcm_seal()
 *
 * Return: whether it fits. If not, @out is zeros; until it returns, @out has what nobody may
 * see, so it is memory of the monitor's.
 */
bool gcm_open(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE], const void *aad,
	      size_t aad_len, const void *in, void *out, size_t len, const u8 tag[GCM_TAG_SIZE]);

#endif /* _CORE_GCM_H */
