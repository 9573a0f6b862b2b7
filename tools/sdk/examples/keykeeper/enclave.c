// SPDX-License-Identifier: GPL-2.0-only
/* Keeps an ECDSA key that never leaves, and signs with it as an ssh-agent. */
#include <bearssl.h>
#include <string.h>
#include "keykeeper.h"
#include "mon_enclave.h"
#include "wire.h"

MON_ENCLAVE_CONFIG(.threads = 2, .product = 2, .security_version = 1);

static unsigned char secret[32], point[65];
static br_ec_private_key key = { BR_EC_secp256r1, secret, sizeof(secret) };

static int make_key(void)
{
	unsigned char blob[MON_SEAL_OVERHEAD + sizeof(secret)];
	int saved;

	mon_random(secret, sizeof(secret)); /* one in 2^32 is none: then there is no point of it */
	if (mon_seal(secret, sizeof(secret), "ssh key", 7, blob))
		return -1;
	return save(&saved, blob, sizeof(blob)) || saved ? -1 : 0;
}

int keeper_open(void)
{
	unsigned char blob[MON_SEAL_OVERHEAD + sizeof(secret)]; /* no more fits into it */
	long size;

	if (load(&size, blob, sizeof(blob)) || size < 0)
		return -1;
	if (size ? mon_unseal(blob, size, "ssh key", 7, secret) != sizeof(secret) : make_key())
		return -1;
	return br_ec_compute_pub(br_ec_get_default(), NULL, point, &key) == sizeof(point) ? 0 : -1;
}

static void put_public(struct wire *w)
{
	size_t begin = wire_begin(w);

	wire_text(w, "ecdsa-sha2-nistp256");
	wire_text(w, "nistp256");
	wire_string(w, point, sizeof(point));
	wire_end(w, begin);
}

static void sign(struct wire *w, const uint8_t *data, size_t n)
{
	unsigned char hash[32], signature[64];
	br_sha256_context sha;
	size_t begin, numbers;

	br_sha256_init(&sha);
	br_sha256_update(&sha, data, n);
	br_sha256_out(&sha, hash);
	if (!br_ecdsa_i31_sign_raw(br_ec_get_default(), &br_sha256_vtable, hash, &key, signature))
		return wire_fail(w);
	wire_byte(w, 14);
	begin = wire_begin(w);
	wire_text(w, "ecdsa-sha2-nistp256");
	numbers = wire_begin(w);
	wire_number(w, signature, 32);
	wire_number(w, signature + 32, 32);
	wire_end(w, numbers);
	wire_end(w, begin);
}

long keeper_request(const uint8_t *request, size_t n, uint8_t *reply, size_t size)
{
	struct wire w = { .data = reply, .size = size },
		    r = { .data = (uint8_t *)request, .size = n };
	uint8_t public[256];
	struct wire p = { .data = public, .size = sizeof(public) };
	const uint8_t *blob, *data;
	size_t blob_size, data_size;

	put_public(&p);
	switch (wire_take_byte(&r)) {
	case 11: /* which keys are there? */
		wire_bytes(&w, "\x0c\0\0\0\1", 5);
		wire_bytes(&w, public, p.at);
		wire_text(&w, "in an enclave");
		break;
	case 13: /* sign by this one */
		blob = wire_take(&r, &blob_size);
		data = wire_take(&r, &data_size);
		if (r.failed || blob_size != p.at - 4 || memcmp(blob, public + 4, blob_size))
			wire_fail(&w);
		else
			sign(&w, data, data_size);
		break;
	default:
		wire_fail(&w);
	}
	if (!w.failed)
		return w.at;
	reply[0] = 5; /* "failure" */
	return 1;
}
