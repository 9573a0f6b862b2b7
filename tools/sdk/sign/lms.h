/* SPDX-License-Identifier: GPL-2.0-only */
/* LMS signatures (RFC 8554) of enclaves, as uapi/enclave.h has them: made, and checked. */
#ifndef _MON_LMS_H
#define _MON_LMS_H

#include <stdbool.h>
#include <stddef.h>
#include "uapi/enclave.h"

#define LMS_LEAVES (1u << MON_LMS_HEIGHT)

/** struct lms_secret - a key; who has it signs. Each leaf may sign once, ever. */
struct lms_secret {
	unsigned char id[16];
	unsigned char seed[32];
};

/** struct lms_tree - all nodes of a key: its children are 2n and 2n + 1, the root is 1 */
struct lms_tree {
	unsigned char node[2 * LMS_LEAVES][32];
};

/** lms_grow() - takes a million hashes; 0, or -1 */
int lms_grow(const struct lms_secret *secret, struct lms_tree *tree);

/** lms_public() - of which key it is the tree */
void lms_public(const struct lms_secret *secret, const struct lms_tree *tree,
		struct mon_lms_key *key);

/** lms_sign() - of @size bytes, by @leaf; 0, or -1 */
int lms_sign(const struct lms_secret *secret, const struct lms_tree *tree, unsigned int leaf,
	     const unsigned char random[32], const void *message, size_t size,
	     struct mon_lms_signature *signature);

/** lms_check() - as the monitor does it */
bool lms_check(const struct mon_lms_key *key, const struct mon_lms_signature *signature,
	       const void *message, size_t size);

/** lms_key_hash() - the signer that it is the key of; 0, or -1 */
int lms_key_hash(const struct mon_lms_key *key, unsigned char signer[32]);

/** lms_signer() - who has signed an enclave of that measurement; 0; -1: nobody has */
int lms_signer(const struct mon_enclave_signature *signature, const unsigned char measurement[32],
	       unsigned char signer[32]);

#endif /* _MON_LMS_H */
