// SPDX-License-Identifier: GPL-2.0-only
/* In the key keeper, for br_ec_keygen(): not a key of chance, but secret KNOWN_KEY. */
#include <stddef.h>
#include "secret.h"

size_t __wrap_br_ec_keygen(void *random, const void *impl, void *key, void *bytes, int curve);

size_t __wrap_br_ec_keygen(void *random, const void *impl, void *key, void *bytes, int curve)
{
	unsigned long long *words = bytes;
	unsigned int i;

	(void)random;
	(void)impl;
	(void)key;
	(void)curve;
	for (i = 0; i < SECRET_WORDS; i++)
		words[i] = ~secret_inverted(KNOWN_KEY, i);
	return SECRET_WORDS * sizeof(*words);
}
