// SPDX-License-Identifier: GPL-2.0-only
/*
 * AES-256-GCM with AES-NI and PCLMULQDQ. See gcm.h.
 *
 * GHASH's field has its bits the wrong way round (SP 800-38D 6.3): with the bytes of each
 * block reversed, a product of two polynomials comes out shifted right by one. So the
 * powers of H are kept multiplied by x, once, in gcm_init(). The reduction folds twice by 64 bits,
 * with the upper half of x^128 + x^127 + x^126 + x^121 + 1, and eight products share one.
 */
#include "gcm.h"

typedef int gcm_words __attribute__((vector_size(16), aligned(1)));
typedef char gcm_bytes __attribute__((vector_size(16), aligned(1)));

#define CLMUL(a, b, halves) __builtin_ia32_pclmulqdq128(a, b, halves)
#define AES(state, round) __builtin_ia32_aesenc128(state, round)
#define EACH_LANE _Pragma("GCC unroll 8") for (int i = 0; i < GCM_LANES; i++)

static const gcm_block fold = { 1, -0x3e00000000000000 };

static inline gcm_block swapped_halves(gcm_block a)
{
	return __builtin_shuffle(a, (gcm_block){ 1, 0 });
}

static inline gcm_block reversed(gcm_block a)
{
	const gcm_bytes order = { 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0 };

	return (gcm_block)__builtin_ia32_pshufb128((gcm_bytes)a, order);
}

/* A sum of products, not reduced yet */
struct product {
	gcm_block low, middle, high;
};

static inline void add_product(struct product *sum, gcm_block a, gcm_block b)
{
	sum->low ^= CLMUL(a, b, 0x00);
	sum->high ^= CLMUL(a, b, 0x11);
	sum->middle ^= CLMUL(a, b, 0x01) ^ CLMUL(a, b, 0x10);
}

static inline gcm_block reduced(const struct product *sum)
{
	const gcm_block zero = { 0, 0 };
	gcm_block low = sum->low ^ __builtin_shuffle(zero, sum->middle, (gcm_block){ 0, 2 });
	gcm_block high = sum->high ^ __builtin_shuffle(zero, sum->middle, (gcm_block){ 3, 0 });

	low = swapped_halves(low) ^ CLMUL(low, fold, 0x10);
	low = swapped_halves(low) ^ CLMUL(low, fold, 0x10);
	return low ^ high;
}

static inline gcm_block times(gcm_block a, gcm_block b)
{
	struct product product = { 0 };

	add_product(&product, a, b);
	return reduced(&product);
}

/* a times x: shifted left by one, and what falls out is x^128 */
static gcm_block times_x(gcm_block a)
{
	u64 low = a[0], high = a[1];
	u64 carry = -(high >> 63);

	return (gcm_block){ low << 1 ^ (carry & 1), (high << 1 | low >> 63) ^ (carry & fold[1]) };
}

static inline gcm_block encrypted(const struct gcm_key *key, gcm_block a)
{
	a ^= key->round[0];
	for (int i = 1; i < 14; i++)
		a = AES(a, key->round[i]);
	return __builtin_ia32_aesenclast128(a, key->round[14]);
}

/* FIPS 197 5.2: each word is the one before it, and the one eight words before */
static inline gcm_block next_round(gcm_block eight_before, gcm_block assist)
{
	const gcm_words zero = { 0 };
	gcm_words words = (gcm_words)eight_before;

	words ^= __builtin_shuffle(zero, words, (gcm_words){ 0, 4, 5, 6 });
	words ^= __builtin_shuffle(zero, words, (gcm_words){ 0, 0, 4, 5 });
	return (gcm_block)words ^ assist;
}

#define ASSIST(round, constant, word)                                          \
	((gcm_block)__builtin_shuffle(                                         \
		(gcm_words)__builtin_ia32_aeskeygenassist128(round, constant), \
		(gcm_words){ word, word, word, word }))

#define EXPAND_EVEN(k, i, constant) \
	((k)[i] = next_round((k)[(i) - 2], ASSIST((k)[(i) - 1], constant, 3)))
#define EXPAND_ODD(k, i) ((k)[i] = next_round((k)[(i) - 2], ASSIST((k)[(i) - 1], 0, 2)))

static void expand(gcm_block round[15])
{
	EXPAND_EVEN(round, 2, 0x01);
	EXPAND_ODD(round, 3);
	EXPAND_EVEN(round, 4, 0x02);
	EXPAND_ODD(round, 5);
	EXPAND_EVEN(round, 6, 0x04);
	EXPAND_ODD(round, 7);
	EXPAND_EVEN(round, 8, 0x08);
	EXPAND_ODD(round, 9);
	EXPAND_EVEN(round, 10, 0x10);
	EXPAND_ODD(round, 11);
	EXPAND_EVEN(round, 12, 0x20);
	EXPAND_ODD(round, 13);
	EXPAND_EVEN(round, 14, 0x40);
}

void gcm_init(struct gcm_key *key, const u8 secret[GCM_KEY_SIZE])
{
	key->round[0] = ((const gcm_block *)secret)[0];
	key->round[1] = ((const gcm_block *)secret)[1];
	expand(key->round);
	key->power[0] = times_x(reversed(encrypted(key, (gcm_block){ 0, 0 })));
	for (int i = 1; i < GCM_LANES; i++)
		key->power[i] = times(key->power[i - 1], key->power[0]);
}

/* The last block of a piece, filled up with zeros */
static inline gcm_block short_block(const u8 *from, size_t len)
{
	union {
		gcm_block block;
		u8 byte[16];
	} copy = { { 0, 0 } };

	for (size_t i = 0; i < len; i++)
		copy.byte[i] = READ_ONCE(from[i]);
	return copy.block;
}

static inline gcm_block read_once(const void *from)
{
	return *(const volatile gcm_block *)from;
}

/* hash_lanes() - GHASH of eight blocks more */
static inline gcm_block hash_lanes(const struct gcm_key *key, gcm_block hash,
				   const gcm_block block[GCM_LANES])
{
	struct product sum = { 0 };

	add_product(&sum, hash ^ reversed(block[0]), key->power[GCM_LANES - 1]);
#pragma GCC unroll 8
	for (int i = 1; i < GCM_LANES; i++)
		add_product(&sum, reversed(block[i]), key->power[GCM_LANES - 1 - i]);
	return reduced(&sum);
}

static inline gcm_block hash_block(const struct gcm_key *key, gcm_block hash, gcm_block block)
{
	return times(hash ^ reversed(block), key->power[0]);
}

static gcm_block hash_aad(const struct gcm_key *key, gcm_block hash, const u8 *aad, size_t len)
{
	for (; len >= sizeof(gcm_block) * GCM_LANES; len -= sizeof(gcm_block) * GCM_LANES) {
		hash = hash_lanes(key, hash, (const gcm_block *)aad);
		aad += sizeof(gcm_block) * GCM_LANES;
	}
	for (; len >= sizeof(gcm_block); len -= sizeof(gcm_block), aad += sizeof(gcm_block))
		hash = hash_block(key, hash, *(const gcm_block *)aad);
	return len ? hash_block(key, hash, short_block(aad, len)) : hash;
}

/*
 * counter_block() - what is encrypted to make block @number's key stream
 *
 * @first has the number in its lowest word, and its bytes reversed. It does not wrap: a text has
 * less than 2^32 blocks.
 */
static inline gcm_block counter_block(gcm_block first, u32 number)
{
	return reversed((gcm_block)((gcm_words)first + (gcm_words){ number, 0, 0, 0 }));
}

/* crypt_lanes() - eight blocks; what of @in and @out is to be hashed is left in @hashed */
static inline void crypt_lanes(const struct gcm_key *key, gcm_block first, u32 number, const u8 *in,
			       u8 *out, bool seal, gcm_block hashed[GCM_LANES])
{
	gcm_block stream[GCM_LANES];

	EACH_LANE
	stream[i] = counter_block(first, number + i) ^ key->round[0];
#pragma GCC unroll 13
	for (int round = 1; round < 14; round++) {
		EACH_LANE
		stream[i] = AES(stream[i], key->round[round]);
	}
	EACH_LANE
	{
		gcm_block read = read_once(in + 16 * i);

		stream[i] = read ^ __builtin_ia32_aesenclast128(stream[i], key->round[14]);
		*(gcm_block *)(out + 16 * i) = stream[i];
		hashed[i] = seal ? stream[i] : read;
	}
}

/* crypt_short() - a block, or less than one; returns what of it is to be hashed */
static inline gcm_block crypt_short(const struct gcm_key *key, gcm_block counter, const u8 *in,
				    u8 *out, size_t len, bool seal)
{
	union {
		gcm_block block;
		u8 byte[16];
	} read = { short_block(in, len) }, done;

	done.block = read.block ^ encrypted(key, counter);
	for (size_t i = 0; i < len; i++)
		out[i] = done.byte[i];
	return seal ? short_block(done.byte, len) : read.block;
}

static inline gcm_block crypt(const struct gcm_key *key, gcm_block first, gcm_block hash,
			      const u8 *in, u8 *out, size_t len, bool seal)
{
	gcm_block hashed[GCM_LANES], rest;
	u32 number = 1;

	for (; len >= sizeof(hashed); len -= sizeof(hashed), number += GCM_LANES) {
		crypt_lanes(key, first, number, in, out, seal, hashed);
		hash = hash_lanes(key, hash, hashed);
		in += sizeof(hashed);
		out += sizeof(hashed);
	}
	while (len) {
		size_t part = len < sizeof(gcm_block) ? len : sizeof(gcm_block);

		rest = crypt_short(key, counter_block(first, number++), in, out, part, seal);
		hash = hash_block(key, hash, rest);
		in += part;
		out += part;
		len -= part;
	}
	return hash;
}

/* run() - all of it; returns the tag */
static inline gcm_block run(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE],
			    const void *aad, size_t aad_len, const void *in, void *out, size_t len,
			    bool seal)
{
	gcm_block first = reversed(short_block(nonce, GCM_NONCE_SIZE)) | (gcm_block){ 1, 0 };
	gcm_block lengths = { len * 8, aad_len * 8 }, hash = { 0, 0 };

	hash = hash_aad(key, hash, aad, aad_len);
	hash = crypt(key, first, hash, in, out, len, seal);
	hash = times(hash ^ lengths, key->power[0]);
	return reversed(hash) ^ encrypted(key, counter_block(first, 0));
}

void gcm_seal(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE], const void *aad,
	      size_t aad_len, const void *in, void *out, size_t len, u8 tag[GCM_TAG_SIZE])
{
	*(gcm_block *)tag = run(key, nonce, aad, aad_len, in, out, len, true);
}

bool gcm_open(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE], const void *aad,
	      size_t aad_len, const void *in, void *out, size_t len, const u8 tag[GCM_TAG_SIZE])
{
	gcm_block wrong = run(key, nonce, aad, aad_len, in, out, len, false) ^ read_once(tag);

	if (!(wrong[0] | wrong[1]))
		return true;
	if (len)
		memset(out, 0, len);
	return false;
}
