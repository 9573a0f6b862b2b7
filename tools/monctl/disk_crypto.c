// SPDX-License-Identifier: GPL-2.0-only
/* Seals of a disk's blocks: AES-256-GCM with a key for each session, by OpenSSL. */
#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/kdf.h>
#include <string.h>
#include "disk.h"

#define SEAL sizeof(struct mon_disk_seal)
#define TAG sizeof(((struct mon_disk_seal *)0)->tag)

void crypto_init(struct disk_crypto *c, const unsigned char *key, const unsigned char *uuid)
{
	*c = (struct disk_crypto){0};
	memcpy(c->key, key, sizeof(c->key));
	memcpy(c->uuid, uuid, sizeof(c->uuid));
}

void crypto_end(struct disk_crypto *c)
{
	unsigned int i;

	for (i = 0; i < DISK_SESSIONS; i++)
		EVP_CIPHER_CTX_free(c->session[i].cipher);
	OPENSSL_cleanse(c, sizeof(*c));
}

bool crypto_session_key(const struct disk_crypto *c, uint64_t session,
			unsigned char key[MON_DISK_KEY_SIZE])
{
	unsigned char info[sizeof(MON_DISK_KEY_INFO) - 1 + 8] = MON_DISK_KEY_INFO;
	EVP_KDF *kdf = EVP_KDF_fetch(NULL, OSSL_KDF_NAME_HKDF, NULL);
	EVP_KDF_CTX *ctx = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	OSSL_PARAM params[] = {
		OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, "SHA256", 6),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)c->key, sizeof(c->key)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_SALT, (void *)c->uuid, sizeof(c->uuid)),
		OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info, sizeof(info)),
		OSSL_PARAM_END,
	};
	bool good;

	session = htole64(session);
	memcpy(info + sizeof(info) - 8, &session, 8);
	good = ctx && EVP_KDF_derive(ctx, key, MON_DISK_KEY_SIZE, params) > 0;
	EVP_KDF_CTX_free(ctx);
	EVP_KDF_free(kdf);
	return good;
}

static EVP_CIPHER_CTX *new_cipher(const struct disk_crypto *c, uint64_t session)
{
	EVP_CIPHER_CTX *cipher = EVP_CIPHER_CTX_new();
	unsigned char key[MON_DISK_KEY_SIZE];
	bool good = cipher && crypto_session_key(c, session, key) &&
		    EVP_CipherInit_ex(cipher, EVP_aes_256_gcm(), NULL, key, NULL, 1);

	OPENSSL_cleanse(key, sizeof(key));
	if (good)
		return cipher;
	EVP_CIPHER_CTX_free(cipher);
	return NULL;
}

/* The one of that session; it takes the place of the one that was not used for longest. */
static EVP_CIPHER_CTX *cipher_of(struct disk_crypto *c, uint64_t session)
{
	unsigned int i, oldest = 0;

	for (i = 0; i < DISK_SESSIONS; i++) {
		if (c->session[i].cipher && c->session[i].number == session) {
			oldest = i;
			break;
		}
		if (c->session[i].used < c->session[oldest].used)
			oldest = i;
	}
	if (i == DISK_SESSIONS) {
		EVP_CIPHER_CTX_free(c->session[oldest].cipher);
		c->session[oldest].cipher = new_cipher(c, session);
		c->session[oldest].number = session;
	}
	c->session[oldest].used = ++c->uses;
	return c->session[oldest].cipher;
}

/* With its nonce and with the place as additional data. */
static EVP_CIPHER_CTX *begin(struct disk_crypto *c, enum mon_disk_kind kind, uint64_t index,
			     const struct mon_disk_seal *seal, int encrypt)
{
	struct mon_disk_place place = {.kind = kind, .index = index};
	EVP_CIPHER_CTX *cipher = cipher_of(c, seal->session);
	uint64_t count = htobe64(seal->count);
	unsigned char nonce[12] = {0};
	int n;

	memcpy(place.uuid, c->uuid, sizeof(place.uuid));
	memcpy(nonce + 4, &count, sizeof(count));
	if (!cipher || !EVP_CipherInit_ex(cipher, NULL, NULL, NULL, nonce, encrypt) ||
	    !EVP_CipherUpdate(cipher, NULL, &n, (void *)&place, sizeof(place)))
		return NULL;
	return cipher;
}

static bool end_encrypt(EVP_CIPHER_CTX *cipher, struct mon_disk_seal *seal)
{
	unsigned char none[16];
	int n;

	return EVP_CipherFinal_ex(cipher, none, &n) &&
	       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG, seal->tag) > 0;
}

static bool end_decrypt(EVP_CIPHER_CTX *cipher, const struct mon_disk_seal *seal)
{
	unsigned char none[16];
	int n;

	return EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_SET_TAG, TAG, (void *)seal->tag) > 0 &&
	       EVP_CipherFinal_ex(cipher, none, &n) > 0;
}

bool crypto_encrypt(struct disk_crypto *c, uint64_t index, struct mon_disk_seal *seal,
		    unsigned char *data)
{
	EVP_CIPHER_CTX *cipher = begin(c, MON_DISK_DATA, index, seal, 1);
	int n;

	return cipher && EVP_CipherUpdate(cipher, data, &n, data, BLOCK) &&
	       end_encrypt(cipher, seal);
}

bool crypto_decrypt(struct disk_crypto *c, uint64_t index, const struct mon_disk_seal *seal,
		    const unsigned char *from, unsigned char *to)
{
	EVP_CIPHER_CTX *cipher = begin(c, MON_DISK_DATA, index, seal, 0);
	int n;

	return cipher && EVP_CipherUpdate(cipher, to, &n, from, BLOCK) && end_decrypt(cipher, seal);
}

bool crypto_sign(struct disk_crypto *c, enum mon_disk_kind kind, uint64_t index, void *block)
{
	EVP_CIPHER_CTX *cipher = begin(c, kind, index, block, 1);
	int n;

	return cipher &&
	       EVP_CipherUpdate(cipher, NULL, &n, (unsigned char *)block + SEAL, BLOCK - SEAL) &&
	       end_encrypt(cipher, block);
}

bool crypto_verify(struct disk_crypto *c, enum mon_disk_kind kind, uint64_t index,
		   const void *block)
{
	EVP_CIPHER_CTX *cipher = begin(c, kind, index, block, 0);
	int n;

	return cipher &&
	       EVP_CipherUpdate(cipher, NULL, &n, (const unsigned char *)block + SEAL,
				BLOCK - SEAL) &&
	       end_decrypt(cipher, block);
}
