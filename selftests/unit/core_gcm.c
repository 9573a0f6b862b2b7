// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/gcm.c */
/* cflags: -msse4.1 -maes -mpclmul */
/* libs: -lcrypto */
/*
 * AES-256-GCM against NIST's vectors (CAVS, package python3-cryptography-vectors), against
 * OpenSSL, and against a second CPU that writes to what is opened.
 */
#include <ctype.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "core/gcm.h"
#include "unit.h"

#define VECTORS "/usr/lib/python3/dist-packages/cryptography_vectors/ciphers/AES/GCM/"
#define ROOM 8192

/* A test of NIST's, as its file has it */
struct vector {
	u8 key[GCM_KEY_SIZE], nonce[GCM_NONCE_SIZE], tag[GCM_TAG_SIZE];
	u8 aad[256], plain[256], cipher[256];
	size_t nonce_len, tag_len, aad_len, plain_len, cipher_len;
	bool fail, complete;
};

static size_t unhex(const char *text, u8 *to, size_t room)
{
	size_t n = 0;

	for (; isxdigit(text[0]) && isxdigit(text[1]); text += 2, n++) {
		const char digits[] = { text[0], text[1], 0 };

		if (n < room)
			to[n] = strtoul(digits, NULL, 16);
	}
	return n;
}

static void vector_line(struct vector *v, const char *line)
{
	const char *value = strchr(line, '=');

	value = value ? value + 1 + strspn(value + 1, " ") : "";
	if (!strncmp(line, "Count", 5))
		*v = (struct vector){ 0 };
	else if (!strncmp(line, "Key ", 4))
		unhex(value, v->key, sizeof(v->key));
	else if (!strncmp(line, "IV ", 3))
		v->nonce_len = unhex(value, v->nonce, sizeof(v->nonce));
	else if (!strncmp(line, "AAD ", 4))
		v->aad_len = unhex(value, v->aad, sizeof(v->aad));
	else if (!strncmp(line, "PT ", 3))
		v->plain_len = unhex(value, v->plain, sizeof(v->plain));
	else if (!strncmp(line, "CT ", 3))
		v->cipher_len = unhex(value, v->cipher, sizeof(v->cipher));
	else if (!strncmp(line, "Tag ", 4))
		v->tag_len = unhex(value, v->tag, sizeof(v->tag));
	v->fail |= !strncmp(line, "FAIL", 4);
	v->complete |= line[0] == '\n' || line[0] == '\r';
}

/* For other lengths of nonce and tag there is no interface. */
static bool vector_is_ours(const struct vector *v)
{
	return v->complete && v->nonce_len == GCM_NONCE_SIZE && v->tag_len == GCM_TAG_SIZE;
}

static bool seals(const struct vector *v)
{
	u8 out[256], tag[GCM_TAG_SIZE];
	struct gcm_key key;

	gcm_init(&key, v->key);
	gcm_seal(&key, v->nonce, v->aad, v->aad_len, v->plain, out, v->plain_len, tag);
	return !memcmp(out, v->cipher, v->plain_len) && !memcmp(tag, v->tag, sizeof(tag));
}

static bool opens(const struct vector *v)
{
	u8 out[256];
	struct gcm_key key;

	gcm_init(&key, v->key);
	return gcm_open(&key, v->nonce, v->aad, v->aad_len, v->cipher, out, v->cipher_len, v->tag) ?
		!v->fail && !memcmp(out, v->plain, v->cipher_len) : v->fail;
}

static void test_vectors(const char *name, bool (*holds)(const struct vector *))
{
	FILE *file = fopen(name, "r");
	struct vector v = { 0 };
	int run = 0, wrong = 0, fail = 0;
	char line[1024];

	check(file);
	while (fgets(line, sizeof(line), file)) {
		vector_line(&v, line);
		if (!vector_is_ours(&v))
			continue;
		run++;
		fail += v.fail;
		wrong += !holds(&v);
		v = (struct vector){ 0 };
	}
	fclose(file);
	ok(run >= 300 && !wrong, "NIST's %s: %d vectors, %d of them bad, %d wrong",
	   strrchr(name, '/') + 1, run, fail, wrong);
}

static void fill(u8 *to, size_t len)
{
	for (size_t i = 0; i < len; i++)
		to[i] = unit_random();
}

/* What is sealed or opened */
struct text {
	const void *aad;
	size_t aad_len;
	const void *in;
	void *out;
	size_t len;
};

static void seal_text(const struct gcm_key *key, const u8 *nonce, const struct text *t, u8 *tag)
{
	gcm_seal(key, nonce, t->aad, t->aad_len, t->in, t->out, t->len, tag);
}

static bool open_text(const struct gcm_key *key, const u8 *nonce, const struct text *t,
		      const u8 *tag)
{
	return gcm_open(key, nonce, t->aad, t->aad_len, t->in, t->out, t->len, tag);
}

static void openssl_seal(const u8 *secret, const u8 *nonce, const struct text *text, u8 *out,
			 u8 *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len;

	check(ctx && EVP_EncryptInit_ex(ctx, EVP_aes_256_gcm(), NULL, secret, nonce));
	check(!text->aad_len || EVP_EncryptUpdate(ctx, NULL, &len, text->aad, text->aad_len));
	check(!text->len || EVP_EncryptUpdate(ctx, out, &len, text->in, text->len));
	check(EVP_EncryptFinal_ex(ctx, out + text->len, &len));
	check(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_SIZE, tag));
	EVP_CIPHER_CTX_free(ctx);
}

/* All lengths up to 600, then a block of a disk; everything at odd addresses. */
static void test_openssl(void)
{
	static u8 aad[ROOM], in[ROOM], out[ROOM], expected[ROOM], back[ROOM];
	int wrong = 0, refused = 0, accepted = 0, left = 0;

	for (size_t len = 0; len <= 600; len++) {
		u8 secret[GCM_KEY_SIZE], nonce[GCM_NONCE_SIZE];
		u8 tag[GCM_TAG_SIZE], good[GCM_TAG_SIZE];
		struct text text = { aad + 1, len * 7 % 4097, in + 5, out + 7,
				     len == 600 ? 4096 : len };
		struct text open = { aad + 1, text.aad_len, out + 7, back + 9, text.len };
		struct gcm_key key;

		fill(aad, sizeof(aad));
		fill(in, sizeof(in));
		fill(secret, sizeof(secret));
		fill(nonce, sizeof(nonce));
		gcm_init(&key, secret);
		seal_text(&key, nonce, &text, tag);
		openssl_seal(secret, nonce, &text, expected, good);
		wrong += memcmp(out + 7, expected, text.len) || memcmp(tag, good, sizeof(tag));
		refused += !open_text(&key, nonce, &open, tag) ||
			   memcmp(back + 9, in + 5, text.len);
		open.out = out + 7;
		refused += !open_text(&key, nonce, &open, tag) ||
			   memcmp(out + 7, in + 5, text.len);
		open.in = expected;
		tag[len % sizeof(tag)] ^= 1 << unit_random() % 8;
		accepted += open_text(&key, nonce, &open, tag);
		for (size_t i = 0; i < text.len; i++)
			left += out[7 + i] != 0;
	}
	ok(!wrong, "601 texts are sealed as OpenSSL does, %d are not", wrong);
	ok(!refused, "... and opened, in place too");
	ok(!accepted, "... not with one bit of the tag changed");
	ok(!left, "... and then nothing is left of them");
}

/* One byte of @memory is its own and another value, in turn, until @stop. */
struct writer {
	volatile u8 *memory;
	volatile int stop;
};

static void *write_to_it(void *arg)
{
	struct writer *writer = arg;

	while (!writer->stop)
		*writer->memory ^= 0xff;
	return NULL;
}

/* Twice fetched, by somebody who checks first and takes what is there afterwards */
static bool open_carelessly(const struct gcm_key *key, const u8 *nonce, const struct text *text,
			    const u8 *tag)
{
	u8 other_tag[GCM_TAG_SIZE];

	if (!open_text(key, nonce, text, tag))
		return false;
	seal_text(key, nonce, text, other_tag); /* decrypts as well */
	return true;
}

static void test_writer(const char *name, bool careless)
{
	static u8 plain[4096], cipher[4096], out[4096];
	const u8 secret[GCM_KEY_SIZE] = { 1 }, nonce[GCM_NONCE_SIZE] = { 2 };
	struct text text = { .in = plain, .out = cipher, .len = sizeof(plain) };
	struct text open = { .in = cipher, .out = out, .len = sizeof(plain) };
	struct writer writer = { .memory = cipher + 4000 };
	int opened = 0, other = 0, closed = 0;
	u8 tag[GCM_TAG_SIZE];
	struct gcm_key key;
	pthread_t thread;

	gcm_init(&key, secret);
	seal_text(&key, nonce, &text, tag);
	check(!pthread_create(&thread, NULL, write_to_it, &writer));
	for (int i = 0; i < 2000000 && (opened < 3000 || !closed || (careless && !other)); i++) {
		bool good = careless ? open_carelessly(&key, nonce, &open, tag) :
				       open_text(&key, nonce, &open, tag);

		opened += good;
		closed += !good;
		other += good && memcmp(out, plain, sizeof(plain));
	}
	writer.stop = 1;
	pthread_join(thread, NULL);
	ok(opened && closed && !other == !careless, "%s (%d opened, %d not)", name, opened, closed);
}

int main(void)
{
	test_vectors(VECTORS "gcmEncryptExtIV256.rsp", seals);
	test_vectors(VECTORS "gcmDecrypt256.rsp", opens);
	test_openssl();
	test_writer("another CPU writes to what is opened: what fits is what was sealed", false);
	test_writer("... (control: not so if it is read twice)", true);
	return unit_end();
}
