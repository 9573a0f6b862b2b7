// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sealed data: AES-256-GCM by BearSSL, in constant time. Each blob has a random name, and by that
 * a key of its own from the monitor, so there is no initialization vector to be used twice. The
 * name of one for a signer begins with the security version.
 */
#include <bearssl.h>
#include <string.h>
#include "runtime.h"

struct blob {
	uint32_t magic;
	uint32_t version;
	uint64_t size; /* of the data */
	unsigned char name[MON_LABEL_MAX];
	unsigned char tag[16];
	unsigned char data[];
} __attribute__((__packed__));

#define BLOB_MAGIC 0x534e4f4dU /* "MONS" */
#define BLOB_MINE 1	       /* versions */
#define BLOB_SIGNED 2

_Static_assert(sizeof(struct blob) == MON_SEAL_OVERHEAD, "in the documentation");

static int key_of(const struct blob *blob, unsigned char key[MON_KEY_SIZE])
{
	uint32_t security_version;

	if (blob->version == BLOB_MINE)
		return mon_key_of("monseal1", blob->name, sizeof(blob->name), key);
	if (blob->version != BLOB_SIGNED)
		return -MON_EPERM;
	memcpy(&security_version, blob->name, sizeof(security_version));
	return mon_signer_key_of("monseal1", blob->name, sizeof(blob->name), security_version, key);
}

/* All of the blob's head but its tag is authenticated, then the context. */
static int begin(br_gcm_context *gcm, br_aes_ct64_ctr_keys *aes, const struct blob *blob,
		 const void *context, size_t context_size)
{
	static const unsigned char iv[12];
	unsigned char key[MON_KEY_SIZE];
	int error = key_of(blob, key);

	if (!error) {
		br_aes_ct64_ctr_init(aes, key, sizeof(key));
		br_gcm_init(gcm, &aes->vtable, br_ghash_ctmul64);
		br_gcm_reset(gcm, iv, sizeof(iv));
		br_gcm_aad_inject(gcm, blob, offsetof(struct blob, tag));
		br_gcm_aad_inject(gcm, context, context_size);
		br_gcm_flip(gcm);
	}
	mon_wipe(key, sizeof(key));
	return error;
}

static void end(br_gcm_context *gcm, br_aes_ct64_ctr_keys *aes)
{
	mon_wipe(gcm, sizeof(*gcm));
	mon_wipe(aes, sizeof(*aes));
}

static int seal(const void *data, size_t size, const void *context, size_t context_size,
		struct blob *blob)
{
	br_aes_ct64_ctr_keys aes;
	br_gcm_context gcm;
	int error;

	error = begin(&gcm, &aes, blob, context, context_size);
	if (!error) {
		memcpy(blob->data, data, size);
		br_gcm_run(&gcm, 1, blob->data, size);
		br_gcm_get_tag(&gcm, blob->tag);
	}
	end(&gcm, &aes);
	return error;
}

static void name(struct blob *blob, uint32_t version, size_t size)
{
	memset(blob, 0, sizeof(*blob));
	blob->magic = BLOB_MAGIC;
	blob->version = version;
	blob->size = size;
	mon_random(blob->name, sizeof(blob->name));
}

int mon_seal(const void *data, size_t size, const void *context, size_t context_size, void *blob)
{
	name(blob, BLOB_MINE, size);
	return seal(data, size, context, context_size, blob);
}

int mon_seal_signed(const void *data, size_t size, const void *context, size_t context_size,
		    void *to)
{
	struct blob *blob = to;
	const uint32_t security_version = mon_enclave_note.config.security_version;

	name(blob, BLOB_SIGNED, size);
	memcpy(blob->name, &security_version, sizeof(security_version));
	return seal(data, size, context, context_size, blob);
}

long mon_unseal(const void *from, size_t blob_size, const void *context, size_t context_size,
		void *data)
{
	const struct blob *blob = from;
	br_aes_ct64_ctr_keys aes;
	br_gcm_context gcm;
	size_t size;
	long result;

	if (blob_size < sizeof(*blob) || blob->magic != BLOB_MAGIC ||
	    blob->size != blob_size - sizeof(*blob))
		return -MON_EPERM;
	size = blob_size - sizeof(*blob);
	result = begin(&gcm, &aes, blob, context, context_size);
	if (!result) {
		memcpy(data, blob->data, size);
		br_gcm_run(&gcm, 0, data, size);
		if (br_gcm_check_tag(&gcm, blob->tag)) {
			result = size;
		} else {
			mon_wipe(data, size);
			result = -MON_EPERM;
		}
	}
	end(&gcm, &aes);
	return result;
}
