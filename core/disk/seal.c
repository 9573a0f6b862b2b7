// SPDX-License-Identifier: GPL-2.0-only
/* Seals, and the keys of sessions: HKDF-SHA256 (RFC 5869). */
#include "internal.h"
#include "../hmac.h"
#include "../lib.h"

_Static_assert(sizeof(struct mon_disk_place) == sizeof(struct mon_disk_seal), "one over the other");
_Static_assert(NR_KEYS >= 4, "keys of sessions");

/* ---- keys ---- */

/* The disk says its UUID itself; keys of another one do not fit any of its seals. */
void seal_uuid(struct disk *d, const u8 uuid[16])
{
	memcpy(d->uuid, uuid, sizeof(d->uuid));
	hmac(d->uuid, sizeof(d->uuid), d->opening.key, sizeof(d->opening.key), d->prk);
	memset(d->keys, 0, PAGE_SIZE);
}

static void key_make(struct disk *d, u64 session, struct disk_key *key)
{
	struct {
		char text[sizeof(MON_DISK_KEY_INFO) - 1];
		u8 session[8];
		u8 round;
	} info = {.text = MON_DISK_KEY_INFO, .round = 1};
	u8 bytes[SHA256_DIGEST_SIZE];

	memcpy(info.session, &session, sizeof(session));
	hmac(d->prk, sizeof(d->prk), &info, sizeof(info), bytes);
	gcm_init(&key->key, bytes);
	key->session = session;
}

static const struct gcm_key *key_of(struct disk *d, u64 session)
{
	struct disk_key *key = d->keys;
	u32 i;

	for (i = 0; i < NR_KEYS; i++) {
		if (d->keys[i].used && d->keys[i].session == session) {
			key = &d->keys[i];
			break;
		}
		if (d->keys[i].used < key->used)
			key = &d->keys[i];
	}
	if (i == NR_KEYS)
		key_make(d, session, key);
	key->used = ++d->clock;
	return &key->key;
}

/* A session of 2^62 seals has no end: nobody asks for that of the count. */
void seal_session(struct disk *d)
{
	d->session = cpu_random();
	d->count = 0;
}

/* ---- seals ---- */

struct nonce {
	u8 bytes[GCM_NONCE_SIZE];
};

static struct nonce nonce_of(u64 count)
{
	struct nonce nonce = {0};
	u64 big = __builtin_bswap64(count);

	memcpy(&nonce.bytes[4], &big, sizeof(big));
	return nonce;
}

static struct mon_disk_place place_of(struct disk *d, u32 kind, u64 index)
{
	struct mon_disk_place place = {.kind = kind, .index = index};

	memcpy(place.uuid, d->uuid, sizeof(place.uuid));
	return place;
}

void seal_data(struct disk *d, u64 block, const void *from, void *to, struct mon_disk_seal *seal)
{
	struct mon_disk_place place = place_of(d, MON_DISK_DATA, block);
	struct nonce nonce = nonce_of(++d->count);

	seal->session = d->session;
	seal->count = d->count;
	gcm_seal(key_of(d, d->session), nonce.bytes, &place, sizeof(place), from, to, BLOCK,
		 seal->tag);
	d->stats.sealed++;
	disk_spend(d, BLOCK);
}

bool open_data(struct disk *d, u64 block, const struct mon_disk_seal *seal, const void *from,
	       void *to)
{
	struct mon_disk_place place = place_of(d, MON_DISK_DATA, block);
	struct nonce nonce = nonce_of(seal->count);

	disk_spend(d, BLOCK);
	return gcm_open(key_of(d, seal->session), nonce.bytes, &place, sizeof(place), from, to,
			BLOCK, seal->tag);
}

/*
 * Additional data is the place and the block without its seal. Both have the same size:
 * so the place is where the seal will be, as long as the tag is made.
 */
void seal_meta(struct disk *d, u32 kind, u64 index, void *page, u64 count)
{
	struct mon_disk_seal seal = {.session = d->session, .count = count};
	struct mon_disk_place place = place_of(d, kind, index);
	struct nonce nonce = nonce_of(count);

	memcpy(page, &place, sizeof(place));
	gcm_seal(key_of(d, d->session), nonce.bytes, page, BLOCK, NULL, NULL, 0, seal.tag);
	memcpy(page, &seal, sizeof(seal));
	d->stats.sealed++;
	disk_spend(d, BLOCK);
}

bool open_meta(struct disk *d, u32 kind, u64 index, void *page)
{
	struct mon_disk_place place = place_of(d, kind, index);
	struct mon_disk_seal seal;
	struct nonce nonce;
	bool ok;

	memcpy(&seal, page, sizeof(seal));
	nonce = nonce_of(seal.count);
	memcpy(page, &place, sizeof(place));
	ok = gcm_open(key_of(d, seal.session), nonce.bytes, page, BLOCK, NULL, NULL, 0, seal.tag);
	memcpy(page, &seal, sizeof(seal));
	disk_spend(d, BLOCK);
	return ok;
}
