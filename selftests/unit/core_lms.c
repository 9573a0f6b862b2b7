// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/lms.c core/sha256.c */
/*
 * Signatures by hashes: the example of RFC 8554 is one, and with any bit changed none.
 */
#include "core/lms.h"
#include "core_lms_vector.h"
#include "unit.h"

static struct mon_lms_key key;
static struct mon_lms_signature signature;
static u8 message[sizeof(vector_message)];

_Static_assert(sizeof(vector_key) == sizeof(key), "as in the RFC");
_Static_assert(sizeof(vector_signature) == sizeof(signature), "as in the RFC");

static bool verifies(void)
{
	return lms_verify(&key, &signature, message, sizeof(message));
}

/* How many bits can change; of many, it tries each eleventh. */
static u32 flips(void *data, u32 size)
{
	u32 bit, taken = 0;
	u8 *p = data;

	for (bit = 0; bit < size * 8; bit += size > 100 ? 11 : 1) {
		p[bit / 8] ^= 1 << bit % 8;
		taken += verifies();
		p[bit / 8] ^= 1 << bit % 8;
	}
	return taken;
}

int main(void)
{
	memcpy(&key, vector_key, sizeof(key));
	memcpy(&signature, vector_signature, sizeof(signature));
	memcpy(message, vector_message, sizeof(message));
	ok(verifies(), "the example of RFC 8554");
	ok(!flips(&key, sizeof(key)), "with any bit of the key changed it is not");
	ok(!flips(message, sizeof(message)), "nor of the message");
	ok(!flips(&signature, offsetof(struct mon_lms_signature, chain)), "nor of the head");
	ok(!flips(signature.chain, sizeof(signature.chain)) && verifies(), "nor of a chain");
	ok(!flips(signature.type, sizeof(signature) - offsetof(struct mon_lms_signature, type)),
	   "nor of the path");
	ok(!lms_verify(&key, &signature, message, sizeof(message) - 1), "nor of less of it");
	return unit_end();
}
