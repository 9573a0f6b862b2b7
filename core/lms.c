// SPDX-License-Identifier: GPL-2.0-only
/* LMS: RFC 8554, 4.6 and 5.4.2. A signature has points of chains; this walks to their ends. */
#include "lms.h"
#include "lib.h"

#define DIGITS 64    /* of 4 bits, in a hash */
#define DIGIT_MAX 15 /* length of a chain */

/* What a hash is for, where others have the number of a chain (RFC 8554, 7.1). */
enum purpose { PUBLIC = 0x8080, MESSAGE = 0x8181, LEAF = 0x8282, INNER = 0x8383 };

/** struct step - of a chain; what is hashed, in one block */
struct step {
	u8 id[16];
	u8 leaf[4];
	u8 chain[2];
	u8 number;
	u8 value[32];
} __attribute__((__packed__));

static void begin(struct sha256 *sha, const struct mon_lms_key *key, u32 number,
		  enum purpose purpose)
{
	const u8 two[2] = { purpose >> 8, purpose };
	u8 four[4];

	store_be32(four, number);
	sha256_init(sha);
	sha256_update(sha, key->id, sizeof(key->id));
	sha256_update(sha, four, sizeof(four));
	sha256_update(sha, two, sizeof(two));
}

/* How far the signer has walked each chain; the last are the sum of what is left of the others. */
static void digits(const u8 hash[32], u8 digit[MON_LMS_CHAINS])
{
	u32 i, sum = 0;

	for (i = 0; i < DIGITS; i++) {
		digit[i] = hash[i / 2] >> (i % 2 ? 0 : 4) & DIGIT_MAX;
		sum += DIGIT_MAX - digit[i];
	}
	for (; i < MON_LMS_CHAINS; i++)
		digit[i] = sum >> 4 * (MON_LMS_CHAINS - 1 - i) & DIGIT_MAX;
}

static void walk(struct step *step, u32 chain, u32 from)
{
	struct sha256 sha;

	step->chain[0] = chain >> 8;
	step->chain[1] = chain;
	for (; from < DIGIT_MAX; from++) {
		step->number = from;
		sha256_init(&sha);
		sha256_update(&sha, step, sizeof(*step));
		sha256_final(&sha, step->value);
	}
}

/* The one-time key that has signed @hash. */
static void one_time_key(const struct mon_lms_key *key, const struct mon_lms_signature *signature,
			 u32 leaf, const u8 hash[32], u8 out[32])
{
	u8 digit[MON_LMS_CHAINS];
	struct sha256 all;
	struct step step;
	u32 i;

	memcpy(step.id, key->id, sizeof(step.id));
	store_be32(step.leaf, leaf);
	digits(hash, digit);
	begin(&all, key, leaf, PUBLIC);
	for (i = 0; i < MON_LMS_CHAINS; i++) {
		memcpy(step.value, signature->chain[i], sizeof(step.value));
		walk(&step, i, digit[i]);
		sha256_update(&all, step.value, sizeof(step.value));
	}
	sha256_final(&all, out);
}

/* From a leaf's key to the root. */
static void climb(const struct mon_lms_key *key, const struct mon_lms_signature *signature,
		  u32 leaf, u8 node[32])
{
	u32 number = (1 << MON_LMS_HEIGHT) + leaf, i;
	struct sha256 sha;
	u8 beside[32];

	begin(&sha, key, number, LEAF);
	sha256_update(&sha, node, 32);
	sha256_final(&sha, node);
	for (i = 0; i < MON_LMS_HEIGHT; i++, number /= 2) {
		memcpy(beside, signature->path[i], sizeof(beside));
		begin(&sha, key, number / 2, INNER);
		sha256_update(&sha, number % 2 ? beside : node, 32);
		sha256_update(&sha, number % 2 ? node : beside, 32);
		sha256_final(&sha, node);
	}
}

bool lms_verify(const struct mon_lms_key *key, const struct mon_lms_signature *signature,
		const void *message, u32 len)
{
	struct sha256 sha;
	u8 hash[32], node[32];
	u8 leaf[4], random[32];
	u32 number;

	memcpy(leaf, signature->leaf, sizeof(leaf));
	memcpy(random, signature->random, sizeof(random));
	number = load_be32(leaf);
	if (load_be32(key->type) != MON_LMS_TYPE || load_be32(key->ots_type) != MON_LMS_OTS_TYPE ||
	    load_be32(signature->type) != MON_LMS_TYPE ||
	    load_be32(signature->ots_type) != MON_LMS_OTS_TYPE || number >> MON_LMS_HEIGHT)
		return false;
	begin(&sha, key, number, MESSAGE);
	sha256_update(&sha, random, sizeof(random));
	sha256_update(&sha, message, len);
	sha256_final(&sha, hash);
	one_time_key(key, signature, number, hash, node);
	climb(key, signature, number, node);
	return !memcmp(node, key->root, sizeof(node));
}
