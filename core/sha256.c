// SPDX-License-Identifier: GPL-2.0-only
/*
 * SHA-256. Names and section numbers are those of FIPS 180-4.
 */
#include "sha256.h"
#include "lib.h"

/* 4.2.2 */
static const u32 K[64] = {
	0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4,
	0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe,
	0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f,
	0x4a7484aa, 0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7,
	0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85, 0x2e1b2138, 0x4d2c6dfc,
	0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b,
	0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116,
	0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
	0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7,
	0xc67178f2,
};

static inline u32 ror(u32 x, u32 n)
{
	return x >> n | x << (32 - n);
}

/* Word @t of the message schedule (6.2.2 step 1), of which 16 are kept. */
static inline u32 schedule(u32 w[16], u32 t)
{
	u32 w2 = w[(t - 2) & 15], w15 = w[(t - 15) & 15];
	u32 s1 = ror(w2, 17) ^ ror(w2, 19) ^ w2 >> 10;
	u32 s0 = ror(w15, 7) ^ ror(w15, 18) ^ w15 >> 3;

	return w[t & 15] += s1 + w[(t - 7) & 15] + s0;
}

/*
 * One step of 6.2.2 without moving the eight variables: the caller turns their
 * names instead, which saves six moves in each of 64 steps.
 */
#define ROUND(a, b, c, d, e, f, g, h, kw)                                       \
	do {                                                                    \
		h += (ror(e, 6) ^ ror(e, 11) ^ ror(e, 25)) +                    \
		     ((e & f) ^ (~e & g)) + (kw);                               \
		d += h;                                                         \
		h += (ror(a, 2) ^ ror(a, 13) ^ ror(a, 22)) +                    \
		     ((a & b) | (c & (a | b)));                                 \
	} while (0)

#define ROUNDS8(t, word)                                                        \
	do {                                                                    \
		ROUND(a, b, c, d, e, f, g, h, K[t] + word(w, (t)));             \
		ROUND(h, a, b, c, d, e, f, g, K[(t) + 1] + word(w, (t) + 1));   \
		ROUND(g, h, a, b, c, d, e, f, K[(t) + 2] + word(w, (t) + 2));   \
		ROUND(f, g, h, a, b, c, d, e, K[(t) + 3] + word(w, (t) + 3));   \
		ROUND(e, f, g, h, a, b, c, d, K[(t) + 4] + word(w, (t) + 4));   \
		ROUND(d, e, f, g, h, a, b, c, K[(t) + 5] + word(w, (t) + 5));   \
		ROUND(c, d, e, f, g, h, a, b, K[(t) + 6] + word(w, (t) + 6));   \
		ROUND(b, c, d, e, f, g, h, a, K[(t) + 7] + word(w, (t) + 7));   \
	} while (0)

#define MESSAGE_WORD(w, t) ((w)[t])

static void compress(u32 state[8], const u8 *block)
{
	u32 a = state[0], b = state[1], c = state[2], d = state[3];
	u32 e = state[4], f = state[5], g = state[6], h = state[7];
	u32 w[16];

	for (u32 t = 0; t < 16; t++)
		w[t] = load_be32(block + 4 * t);
	for (u32 t = 0; t < 16; t += 8)
		ROUNDS8(t, MESSAGE_WORD);
	for (u32 t = 16; t < 64; t += 8)
		ROUNDS8(t, schedule);

	state[0] += a;
	state[1] += b;
	state[2] += c;
	state[3] += d;
	state[4] += e;
	state[5] += f;
	state[6] += g;
	state[7] += h;
}

void sha256_init(struct sha256 *sha)
{
	/* 5.3.3 */
	static const u32 initial[8] = {
		0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
		0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19,
	};

	memcpy(sha->state, initial, sizeof(initial));
	sha->total = 0;
}

void sha256_update(struct sha256 *sha, const void *data, size_t len)
{
	u32 used = sha->total % SHA256_BLOCK_SIZE;
	const u8 *p = data;

	sha->total += len;
	if (used && len) {
		size_t n = min_u64(len, SHA256_BLOCK_SIZE - used);

		memcpy(sha->block + used, p, n);
		if (used + n < SHA256_BLOCK_SIZE)
			return;
		compress(sha->state, sha->block);
		p += n;
		len -= n;
	}
	for (; len >= SHA256_BLOCK_SIZE; len -= SHA256_BLOCK_SIZE) {
		compress(sha->state, p);
		p += SHA256_BLOCK_SIZE;
	}
	if (len)
		memcpy(sha->block, p, len);
}

void sha256_final(struct sha256 *sha, u8 digest[SHA256_DIGEST_SIZE])
{
	u32 used = sha->total % SHA256_BLOCK_SIZE;
	u64 bits = sha->total * 8;

	/* 5.1.1: a one bit, zeros, and the length in the last 8 bytes of a block. */
	sha->block[used++] = 0x80;
	if (used > SHA256_BLOCK_SIZE - 8) {
		memset(sha->block + used, 0, SHA256_BLOCK_SIZE - used);
		compress(sha->state, sha->block);
		used = 0;
	}
	memset(sha->block + used, 0, SHA256_BLOCK_SIZE - 8 - used);
	store_be32(sha->block + 56, bits >> 32);
	store_be32(sha->block + 60, bits);
	compress(sha->state, sha->block);

	for (u32 i = 0; i < 8; i++)
		store_be32(digest + 4 * i, sha->state[i]);
}
