/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * BLAKE2b with 64 bytes, as b2sum(1) has it (RFC 7693). Fewer instructions for each
 * byte than SHA-256 on a CPU that has no instructions for that.
 */
#ifndef _BLAKE2B_H
#define _BLAKE2B_H

#include <stdint.h>
#include <string.h>

#define BLAKE2B_SIZE 64
#define BLAKE2B_BLOCK 128

struct blake2b {
	uint64_t h[8];
	uint64_t bytes;
	uint32_t fill;
	uint8_t block[BLAKE2B_BLOCK];
};

static const uint64_t blake2b_iv[8] = {
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
};

static const uint8_t blake2b_order[10][16] = {
	{ 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 },
	{ 14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3 },
	{ 11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4 },
	{ 7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8 },
	{ 9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13 },
	{ 2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9 },
	{ 12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11 },
	{ 13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10 },
	{ 6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5 },
	{ 10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0 },
};

static inline uint64_t blake2b_rotate(uint64_t x, unsigned int n)
{
	return x >> n | x << (64 - n);
}

static inline void blake2b_mix(uint64_t *a, uint64_t *b, uint64_t *c, uint64_t *d, uint64_t x,
			       uint64_t y)
{
	*a += *b + x;
	*d = blake2b_rotate(*d ^ *a, 32);
	*c += *d;
	*b = blake2b_rotate(*b ^ *c, 24);
	*a += *b + y;
	*d = blake2b_rotate(*d ^ *a, 16);
	*c += *d;
	*b = blake2b_rotate(*b ^ *c, 63);
}

static inline void blake2b_compress(struct blake2b *s, const uint8_t block[BLAKE2B_BLOCK],
				    int last)
{
	uint64_t v[16], m[16];
	unsigned int i;

	memcpy(m, block, sizeof(m));
	memcpy(v, s->h, sizeof(s->h));
	memcpy(v + 8, blake2b_iv, sizeof(blake2b_iv));
	v[12] ^= s->bytes;
	v[14] ^= last ? ~0ULL : 0;
#pragma GCC unroll 12
	for (i = 0; i < 12; i++) {
		const uint8_t *o = blake2b_order[i % 10];

		blake2b_mix(v, v + 4, v + 8, v + 12, m[o[0]], m[o[1]]);
		blake2b_mix(v + 1, v + 5, v + 9, v + 13, m[o[2]], m[o[3]]);
		blake2b_mix(v + 2, v + 6, v + 10, v + 14, m[o[4]], m[o[5]]);
		blake2b_mix(v + 3, v + 7, v + 11, v + 15, m[o[6]], m[o[7]]);
		blake2b_mix(v, v + 5, v + 10, v + 15, m[o[8]], m[o[9]]);
		blake2b_mix(v + 1, v + 6, v + 11, v + 12, m[o[10]], m[o[11]]);
		blake2b_mix(v + 2, v + 7, v + 8, v + 13, m[o[12]], m[o[13]]);
		blake2b_mix(v + 3, v + 4, v + 9, v + 14, m[o[14]], m[o[15]]);
	}
	for (i = 0; i < 8; i++)
		s->h[i] ^= v[i] ^ v[i + 8];
}

static inline void blake2b_init(struct blake2b *s)
{
	memset(s, 0, sizeof(*s));
	memcpy(s->h, blake2b_iv, sizeof(s->h));
	s->h[0] ^= 0x01010000 ^ BLAKE2B_SIZE; /* no key, not a tree */
}

/* The last block is another one, so a full block waits for what comes. */
static inline void blake2b_update(struct blake2b *s, const uint8_t *data, uint64_t bytes)
{
	uint64_t n;

	for (; bytes; data += n, bytes -= n) {
		if (s->fill == BLAKE2B_BLOCK) {
			s->bytes += BLAKE2B_BLOCK;
			blake2b_compress(s, s->block, 0);
			s->fill = 0;
		}
		n = BLAKE2B_BLOCK - s->fill;
		if (n > bytes)
			n = bytes;
		memcpy(s->block + s->fill, data, n);
		s->fill += (uint32_t)n;
	}
}

static inline void blake2b_final(struct blake2b *s, uint8_t digest[BLAKE2B_SIZE])
{
	s->bytes += s->fill;
	memset(s->block + s->fill, 0, BLAKE2B_BLOCK - s->fill);
	blake2b_compress(s, s->block, 1);
	memcpy(digest, s->h, BLAKE2B_SIZE);
}

#endif /* _BLAKE2B_H */
