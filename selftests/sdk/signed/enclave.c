// SPDX-License-Identifier: GPL-2.0-only
#include "mon_enclave.h"
#include "signed.h"

MON_ENCLAVE_CONFIG(.threads = 1, .product = PRODUCT, .security_version = VERSION);

_Static_assert(TEXT_SIZE + MON_SEAL_OVERHEAD == BLOB_SIZE, "a sealed text");

long who(uint8_t *signer)
{
	return mon_signer(signer);
}

long key_for(unsigned int version, uint8_t *key)
{
	return mon_signer_key("label", 5, version, key);
}

long keep(const uint8_t *text, uint8_t *blob)
{
	return mon_seal_signed(text, TEXT_SIZE, "signed", 6, blob);
}

long look(const uint8_t *blob, uint8_t *text)
{
	return mon_unseal(blob, BLOB_SIZE, "signed", 6, text);
}

long current(unsigned int number)
{
	unsigned char data[MON_ENCLAVE_COUNTER_DATA];
	uint64_t value;
	long error = mon_counter(number, &value, data);

	if (error)
		return error;
	return data[5] == (value ? 5 : 0) ? (long)value : -1000;
}

long advance(unsigned int number, uint64_t value)
{
	static const unsigned char data[MON_ENCLAVE_COUNTER_DATA] = {[5] = 5};

	return mon_counter_advance(number, value, data);
}
