// SPDX-License-Identifier: GPL-2.0-only
/* LMS_SHA256_M32_H10 with LMOTS_SHA256_N32_W4: RFC 8554, 4 and 5; secrets as in its appendix A. */
#include <openssl/evp.h>
#include <string.h>
#include "lms.h"

#define DIGITS 64
#define DIGIT_MAX 15
#define SECRET 0xff /* in place of a step's number */

enum purpose { PUBLIC = 0x8080, MESSAGE = 0x8181, LEAF = 0x8282, INNER = 0x8383 };

static void put_be(unsigned char *to, unsigned int bytes, unsigned int value)
{
	while (bytes--) {
		to[bytes] = value;
		value >>= 8;
	}
}

static unsigned int get_be32(const unsigned char from[4])
{
	return (unsigned int)from[0] << 24 | from[1] << 16 | from[2] << 8 | from[3];
}

/* SHA-256 of up to three pieces; the last may be NULL. */
static int hash(unsigned char out[32], const void *head, size_t head_size, const void *a,
		size_t a_size, const void *b, size_t b_size)
{
	static __thread EVP_MD_CTX *context;

	context = context ? context : EVP_MD_CTX_new();
	return context && EVP_DigestInit_ex(context, EVP_sha256(), NULL) &&
			       EVP_DigestUpdate(context, head, head_size) &&
			       EVP_DigestUpdate(context, a, a_size) &&
			       EVP_DigestUpdate(context, b, b_size) &&
			       EVP_DigestFinal_ex(context, out, NULL)
		       ? 0
		       : -1;
}

static int hash_for(unsigned char out[32], const unsigned char id[16], unsigned int number,
		    enum purpose purpose, const void *a, size_t a_size, const void *b,
		    size_t b_size)
{
	unsigned char head[22];

	memcpy(head, id, 16);
	put_be(head + 16, 4, number);
	put_be(head + 20, 2, purpose);
	return hash(out, head, sizeof(head), a, a_size, b, b_size);
}

/* A step of a chain, in place; or its begin, from the seed. */
static int step(unsigned char out[32], const unsigned char id[16], unsigned int leaf,
		unsigned int chain, unsigned int number, const unsigned char value[32])
{
	unsigned char head[23];

	memcpy(head, id, 16);
	put_be(head + 16, 4, leaf);
	put_be(head + 20, 2, chain);
	head[22] = number;
	return hash(out, head, sizeof(head), value, 32, NULL, 0);
}

static int walk(unsigned char value[32], const unsigned char id[16], unsigned int leaf,
		unsigned int chain, unsigned int from, unsigned int to)
{
	int error = 0;

	for (; from < to && !error; from++)
		error = step(value, id, leaf, chain, from, value);
	return error;
}

static void digits(const unsigned char of[32], unsigned char digit[MON_LMS_CHAINS])
{
	unsigned int i, sum = 0;

	for (i = 0; i < DIGITS; i++) {
		digit[i] = i % 2 ? of[i / 2] & 15 : of[i / 2] >> 4;
		sum += DIGIT_MAX - digit[i];
	}
	digit[DIGITS] = sum >> 8;
	digit[DIGITS + 1] = sum >> 4 & 15;
	digit[DIGITS + 2] = sum & 15;
}

/* The node above a leaf's key, which is all ends of its chains. */
static int leaf_node(unsigned char node[32], const unsigned char id[16], unsigned int leaf,
		     unsigned char ends[MON_LMS_CHAINS][32])
{
	unsigned char key[32];

	return hash_for(key, id, leaf, PUBLIC, ends, MON_LMS_CHAINS * 32, NULL, 0) ||
			       hash_for(node, id, LMS_LEAVES + leaf, LEAF, key, 32, NULL, 0)
		       ? -1
		       : 0;
}

static int grow_leaf(const struct lms_secret *secret, unsigned int leaf, unsigned char node[32])
{
	unsigned char end[MON_LMS_CHAINS][32];
	unsigned int i;

	for (i = 0; i < MON_LMS_CHAINS; i++)
		if (step(end[i], secret->id, leaf, i, SECRET, secret->seed) ||
		    walk(end[i], secret->id, leaf, i, 0, DIGIT_MAX))
			return -1;
	return leaf_node(node, secret->id, leaf, end);
}

int lms_grow(const struct lms_secret *secret, struct lms_tree *tree)
{
	unsigned int i;

	memset(tree->node[0], 0, 32);
	for (i = 0; i < LMS_LEAVES; i++)
		if (grow_leaf(secret, i, tree->node[LMS_LEAVES + i]))
			return -1;
	for (i = LMS_LEAVES - 1; i; i--)
		if (hash_for(tree->node[i], secret->id, i, INNER, tree->node[2 * i], 32,
			     tree->node[2 * i + 1], 32))
			return -1;
	return 0;
}

void lms_public(const struct lms_secret *secret, const struct lms_tree *tree,
		struct mon_lms_key *key)
{
	put_be(key->type, 4, MON_LMS_TYPE);
	put_be(key->ots_type, 4, MON_LMS_OTS_TYPE);
	memcpy(key->id, secret->id, sizeof(key->id));
	memcpy(key->root, tree->node[1], sizeof(key->root));
}

int lms_sign(const struct lms_secret *secret, const struct lms_tree *tree, unsigned int leaf,
	     const unsigned char random[32], const void *message, size_t size,
	     struct mon_lms_signature *s)
{
	unsigned char digest[32], digit[MON_LMS_CHAINS];
	unsigned int i;

	put_be(s->leaf, 4, leaf);
	put_be(s->ots_type, 4, MON_LMS_OTS_TYPE);
	put_be(s->type, 4, MON_LMS_TYPE);
	memcpy(s->random, random, sizeof(s->random));
	if (hash_for(digest, secret->id, leaf, MESSAGE, random, 32, message, size))
		return -1;
	digits(digest, digit);
	for (i = 0; i < MON_LMS_CHAINS; i++)
		if (step(s->chain[i], secret->id, leaf, i, SECRET, secret->seed) ||
		    walk(s->chain[i], secret->id, leaf, i, 0, digit[i]))
			return -1;
	for (i = 0; i < MON_LMS_HEIGHT; i++)
		memcpy(s->path[i], tree->node[(LMS_LEAVES + leaf) >> i ^ 1], 32);
	return 0;
}

/* From the ends of the signature's chains to the root. */
static int root_of(const struct mon_lms_key *key, const struct mon_lms_signature *s,
		   const unsigned char digest[32], unsigned char node[32])
{
	unsigned int leaf = get_be32(s->leaf), number = LMS_LEAVES + leaf, i;
	unsigned char digit[MON_LMS_CHAINS], end[MON_LMS_CHAINS][32];

	digits(digest, digit);
	memcpy(end, s->chain, sizeof(end));
	for (i = 0; i < MON_LMS_CHAINS; i++)
		if (walk(end[i], key->id, leaf, i, digit[i], DIGIT_MAX))
			return -1;
	if (leaf_node(node, key->id, leaf, end))
		return -1;
	for (i = 0; i < MON_LMS_HEIGHT; i++, number /= 2)
		if (hash_for(node, key->id, number / 2, INNER, number % 2 ? s->path[i] : node, 32,
			     number % 2 ? node : s->path[i], 32))
			return -1;
	return 0;
}

bool lms_check(const struct mon_lms_key *key, const struct mon_lms_signature *s,
	       const void *message, size_t size)
{
	unsigned char digest[32], node[32];

	if (get_be32(key->type) != MON_LMS_TYPE || get_be32(key->ots_type) != MON_LMS_OTS_TYPE ||
	    get_be32(s->type) != MON_LMS_TYPE || get_be32(s->ots_type) != MON_LMS_OTS_TYPE ||
	    get_be32(s->leaf) >= LMS_LEAVES)
		return false;
	return !hash_for(digest, key->id, get_be32(s->leaf), MESSAGE, s->random, 32, message,
			 size) &&
	       !root_of(key, s, digest, node) && !memcmp(node, key->root, sizeof(node));
}

int lms_key_hash(const struct mon_lms_key *key, unsigned char signer[32])
{
	return hash(signer, key, sizeof(*key), NULL, 0, NULL, 0);
}

int lms_signer(const struct mon_enclave_signature *signature, const unsigned char measurement[32],
	       unsigned char signer[32])
{
	unsigned char text[MON_SIGNED_TEXT_SIZE + 32];

	memcpy(text, MON_SIGNED_TEXT, MON_SIGNED_TEXT_SIZE);
	memcpy(text + MON_SIGNED_TEXT_SIZE, measurement, 32);
	if (!lms_check(&signature->key, &signature->signature, text, sizeof(text)))
		return -1;
	return lms_key_hash(&signature->key, signer);
}
