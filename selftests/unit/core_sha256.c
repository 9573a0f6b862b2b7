// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/sha256.c */
/*
 * SHA-256 against the examples of NIST and against every way to cut a message.
 */
#include "core/sha256.h"
#include "unit.h"

static void hex(const u8 *digest, char *text)
{
	for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
		sprintf(text + 2 * i, "%02x", digest[i]);
}

static void hash(const void *data, size_t len, char *text)
{
	u8 digest[SHA256_DIGEST_SIZE];
	struct sha256 sha;

	sha256_init(&sha);
	sha256_update(&sha, data, len);
	sha256_final(&sha, digest);
	hex(digest, text);
}

/* FIPS 180-2 appendix B, CAVS SHA256ShortMsg. */
static void test_examples(void)
{
	static const struct {
		const char *message, *digest;
	} examples[] = {
		{ "", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855" },
		{ "abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad" },
		{ "\xd3", "28969cdfa74a12c82f3bad960b0b000aca2ac329deea5c2328ebc6f2ba9802c1" },
		{ "\x11\xaf", "5ca7133fa735326081558ac312c620eeca9970d1e70a4b95533d956f072d1f98" },
		{ "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
		  "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1" },
		{ "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmno"
		  "ijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
		  "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1" },
	};
	char text[65];

	for (size_t i = 0; i < ARRAY_SIZE(examples); i++) {
		hash(examples[i].message, strlen(examples[i].message), text);
		ok(!strcmp(text, examples[i].digest), "NIST example %zu", i);
	}
}

static void test_long(void)
{
	char *a = malloc(1 << 20);
	char text[65];

	memset(a, 'a', 1000000);
	hash(a, 1000000, text);
	ok(!strcmp(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"),
	   "a million times a");
	memset(a, 0, 1 << 20);
	hash(a, 1 << 20, text);
	ok(!strcmp(text, "30e14955ebf1352266dc2ff8067e68104607e750abb9d3b36582b8af909fcb58"),
	   "a MiB of zeros");
	free(a);
}

/*
 * The digests of messages of 0 to 299 bytes, hashed together; the expected
 * value is from another implementation.
 */
static void test_lengths(void)
{
	struct sha256 all, sha;
	u8 digest[SHA256_DIGEST_SIZE], message[300];
	char text[65];

	sha256_init(&all);
	for (int n = 0; n < 300; n++) {
		for (int i = 0; i < n; i++)
			message[i] = i * 7 + n;
		sha256_init(&sha);
		sha256_update(&sha, message, n);
		sha256_final(&sha, digest);
		sha256_update(&all, digest, sizeof(digest));
	}
	sha256_final(&all, digest);
	hex(digest, text);
	ok(!strcmp(text, "d5238871a46ac4a1a75ac3fb19d645b0b3b9e5f35f5f720e2b240d605c6b694e"),
	   "all lengths from 0 to 299");
}

static void test_cuts(void)
{
	u8 message[200], digest[SHA256_DIGEST_SIZE];
	char whole[65], text[65];
	struct sha256 sha;
	int bad = 0;

	for (size_t i = 0; i < sizeof(message); i++)
		message[i] = i * i;
	hash(message, sizeof(message), whole);
	for (size_t i = 0; i <= sizeof(message); i++) {
		for (size_t j = i; j <= sizeof(message); j++) {
			sha256_init(&sha);
			sha256_update(&sha, message, i);
			sha256_update(&sha, NULL, 0);
			sha256_update(&sha, message + i, j - i);
			sha256_update(&sha, message + j, sizeof(message) - j);
			sha256_final(&sha, digest);
			hex(digest, text);
			bad += strcmp(text, whole) != 0;
		}
	}
	ok(bad == 0, "200 bytes in any three pieces: %d differ", bad);
}

/* A length above 2^32 bits, without hashing that much: the padding block is known. */
static void test_length_field(void)
{
	u8 padding[SHA256_BLOCK_SIZE] = { 0x80 }, digest[SHA256_DIGEST_SIZE];
	struct sha256 sha, expected;
	bool same = true;

	sha256_init(&sha);
	sha.total = 0x123456789a * SHA256_BLOCK_SIZE;
	for (int i = 0; i < 8; i++)
		padding[63 - i] = sha.total * 8 >> 8 * i;
	sha256_final(&sha, digest);

	sha256_init(&expected);
	sha256_update(&expected, padding, sizeof(padding));
	for (int i = 0; i < SHA256_DIGEST_SIZE; i++)
		same &= digest[i] == (u8)(expected.state[i / 4] >> (24 - 8 * (i % 4)));
	ok(same, "length beyond 32 bits");
}

int main(void)
{
	test_examples();
	test_long();
	test_lengths();
	test_cuts();
	test_length_field();
	return unit_end();
}
