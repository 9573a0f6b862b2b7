/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A machine for core/disk/: OpenSSL for its cipher, a host with a disk that has a volatile
 * cache, and a guest's buffers. Images are sparse, and cheap to copy.
 */
#ifndef _DISK_SIM_H
#define _DISK_SIM_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include "unit.h"
#include "core/disk/internal.h"

#define SECTORS (BLOCK / DISK_SECTOR)

static const u8 disk_key[MON_DISK_KEY_SIZE] = "a key of thirty-two bytes, this";

void monitor_bug(const char *what)
{
	printf("Bail out! %s\n", what);
	abort();
}

u64 cpu_random(void)
{
	return unit_random();
}

static u32 below(u64 n)
{
	return (u32)(unit_random() % n);
}

/* ---- AES-256-GCM, and that no nonce is used twice ---- */

#define NR_CIPHERS 64
#define SEALS (1 << 22)

static struct {
	u8 key[GCM_KEY_SIZE];
	struct evp_cipher_ctx_st *ctx[2];
} ciphers[NR_CIPHERS];

struct noted {
	u64 key;
	u64 count;
};

static struct noted *seals;
static u64 nr_seals, nr_opens, nr_repeats;

/* What is not used by those who stand in for it: room for the key itself */
#define KEY_BYTES(key) ((u8 *)(key)->round)

void gcm_init(struct gcm_key *key, const u8 bytes[GCM_KEY_SIZE])
{
	memcpy(KEY_BYTES(key), bytes, GCM_KEY_SIZE);
}

static EVP_CIPHER_CTX *cipher(const struct gcm_key *key, int encrypt)
{
	u32 i = KEY_BYTES(key)[0] % NR_CIPHERS;
	int k;

	if (!ciphers[i].ctx[0] || memcmp(ciphers[i].key, KEY_BYTES(key), GCM_KEY_SIZE)) {
		for (k = 0; k < 2; k++) {
			if (!ciphers[i].ctx[k])
				ciphers[i].ctx[k] = EVP_CIPHER_CTX_new();
			check(EVP_CipherInit_ex(ciphers[i].ctx[k], EVP_aes_256_gcm(), NULL,
						KEY_BYTES(key), NULL, k));
		}
		memcpy(ciphers[i].key, KEY_BYTES(key), GCM_KEY_SIZE);
	}
	return ciphers[i].ctx[encrypt];
}

/* Each key and nonce once. */
static void note_seal(const struct gcm_key *key, const u8 *nonce)
{
	u64 k, count, i;

	memcpy(&k, KEY_BYTES(key), sizeof(k));
	memcpy(&count, nonce + 4, sizeof(count));
	if (!seals)
		seals = calloc(SEALS, sizeof(*seals));
	for (i = (k ^ count * 0x9e3779b97f4a7c15ULL) >> 42; seals[i].count; i = (i + 1) % SEALS)
		if (seals[i].key == k && seals[i].count == count)
			nr_repeats++;
	seals[i].key = k;
	seals[i].count = count;
	check(++nr_seals < SEALS * 9ULL / 10);
}

void gcm_seal(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE], const void *aad,
	      size_t aad_len, const void *in, void *out, size_t len, u8 tag[GCM_TAG_SIZE])
{
	EVP_CIPHER_CTX *ctx = cipher(key, 1);
	int n;

	note_seal(key, nonce);
	check(EVP_EncryptInit_ex(ctx, NULL, NULL, NULL, nonce));
	check(EVP_EncryptUpdate(ctx, NULL, &n, aad, (int)aad_len));
	check(!len || EVP_EncryptUpdate(ctx, out, &n, in, (int)len));
	check(EVP_EncryptFinal_ex(ctx, NULL, &n));
	check(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_GET_TAG, GCM_TAG_SIZE, tag));
}

static void arena_used(const void *in);

bool gcm_open(const struct gcm_key *key, const u8 nonce[GCM_NONCE_SIZE], const void *aad,
	      size_t aad_len, const void *in, void *out, size_t len, const u8 tag[GCM_TAG_SIZE])
{
	EVP_CIPHER_CTX *ctx = cipher(key, 0);
	bool good;
	int n;

	nr_opens++;
	check(EVP_DecryptInit_ex(ctx, NULL, NULL, NULL, nonce));
	check(EVP_DecryptUpdate(ctx, NULL, &n, aad, (int)aad_len));
	check(!len || EVP_DecryptUpdate(ctx, out, &n, in, (int)len));
	check(EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_GCM_SET_TAG, GCM_TAG_SIZE, (void *)tag));
	good = EVP_DecryptFinal_ex(ctx, NULL, &n) > 0;
	arena_used(in);
	if (!good && len)
		memset(out, 0, len);
	return good;
}

/* ---- images: pointers to blocks that are shared, counted, and never changed ---- */

struct block {
	u32 refs;
	u8 bytes[BLOCK];
};

#define IDS 8192 /* blocks of the image that any test writes */
#define ID_HASH (4 * IDS)

static struct {
	u64 block;
	u32 id;
} id_hash[ID_HASH];
static u32 nr_ids;

/* A small number for a block of the image. */
static u32 id_of(u64 block)
{
	u32 i = (u32)(block * 0x9e3779b97f4a7c15ULL >> 40) % ID_HASH;

	for (; id_hash[i].id; i = (i + 1) % ID_HASH)
		if (id_hash[i].block == block)
			return id_hash[i].id - 1;
	check(nr_ids < IDS);
	id_hash[i].block = block;
	id_hash[i].id = ++nr_ids;
	return nr_ids - 1;
}

struct image {
	struct block *b[IDS];
};

static struct block *block_hold(struct block *b)
{
	if (b)
		b->refs++;
	return b;
}

static void block_free(struct block *b)
{
	if (b && !--b->refs)
		free(b);
}

static void image_set(struct image *image, u32 id, struct block *b)
{
	block_hold(b);
	block_free(image->b[id]);
	image->b[id] = b;
}

static void image_copy(struct image *to, const struct image *from)
{
	u32 i;

	for (i = 0; i < nr_ids; i++)
		image_set(to, i, from->b[i]);
}

static void image_drop(struct image *image)
{
	u32 i;

	for (i = 0; i < nr_ids; i++)
		image_set(image, i, NULL);
}

/* ---- the host ---- */

#define PENDING 4096
#define HISTORY 65536

/* All that was ever written, if that is to be known. */
struct past {
	u32 id;
	struct block *b;
};

static struct past *past;
static u32 nr_past;

/**
 * struct host - a disk
 * @next: of those that are not used
 * @medium: what a power cut leaves, at least
 * @view: what a read finds
 * @pending: written since the last flush, in order
 * @touched: written since it was opened; else a flush does nothing, as QEMU's
 * @no_flush: a flush does nothing
 */
struct host {
	struct host *next;
	struct image medium;
	struct image view;
	struct {
		u32 id;
		u64 block;
		struct block *b;
	} pending[PENDING];
	u32 nr_pending;
	u64 reads, writes, flushes, read_blocks, written_blocks;
	bool touched;
	bool no_flush;
};

static void host_settle(struct host *h)
{
	u32 i;

	for (i = 0; i < h->nr_pending; i++) {
		image_set(&h->medium, h->pending[i].id, h->pending[i].b);
		block_free(h->pending[i].b);
	}
	h->nr_pending = 0;
}

static void host_flush(struct host *h)
{
	h->flushes++;
	if (h->touched && !h->no_flush)
		host_settle(h);
}

static void host_write(struct host *h, u64 block, const void *bytes)
{
	struct block *b = malloc(sizeof(*b));
	u32 id = id_of(block);

	b->refs = 1;
	memcpy(b->bytes, bytes, BLOCK);
	image_set(&h->view, id, b);
	check(h->nr_pending < PENDING);
	h->pending[h->nr_pending].id = id;
	h->pending[h->nr_pending].block = block;
	h->pending[h->nr_pending++].b = b;
	h->written_blocks++;
	h->touched = true;
	if (past && nr_past < HISTORY)
		past[nr_past++] = (struct past){.id = id, .b = block_hold(b)};
}

static void host_read(struct host *h, u64 block, void *bytes)
{
	const struct block *b = h->view.b[id_of(block)];

	if (b)
		memcpy(bytes, b->bytes, BLOCK);
	else
		memset(bytes, 0, BLOCK);
	h->read_blocks++;
}

static struct host *old_hosts; /* of no use, but that they need not be allocated */

/* A host that finds this on its medium. */
static struct host *host_new(const struct image *image)
{
	struct host *h = old_hosts;

	if (h)
		old_hosts = h->next;
	else
		h = calloc(1, sizeof(*h));
	h->reads = h->writes = h->flushes = h->read_blocks = h->written_blocks = 0;
	if (image) {
		image_copy(&h->medium, image);
		image_copy(&h->view, image);
	}
	return h;
}

static void host_free(struct host *h)
{
	host_settle(h);
	image_drop(&h->medium);
	image_drop(&h->view);
	h->next = old_hosts;
	old_hosts = h;
}

/* ---- a rig: a disk, its memory, its host ---- */

struct rig {
	struct rig *next;
	struct disk *d;
	struct host *host;
	u8 *memory;
	void **page;
	u8 *arena;
	struct disk_io io[NR_TAGS];
	u32 nr_io;
	u32 entries;
	u32 cache;
	s64 budget;
	u64 steps;
};

static struct rig *rigs, *old_rigs;

/* What was read of the arena is something else when it is read again, but for dirty blocks. */
static void arena_used(const void *in)
{
	const u8 *at = in;
	u64 slot;

	if (!rigs || at < rigs->arena)
		return;
	slot = (u64)(at - rigs->arena) / BLOCK;
	if (slot >= rigs->entries && slot < DISK_ARENA_SLOTS(rigs->entries))
		memset(rigs->arena + slot * BLOCK, 0x33, BLOCK);
}

static u8 *rig_slot(const struct rig *r, u32 slot)
{
	check(slot < DISK_ARENA_SLOTS(r->entries));
	return r->arena + (u64)slot * BLOCK;
}

static u32 missing_one_in; /* not 0: a slot is missing one time in so many */
static u64 nr_missing;
static u32 missing_slot;

void *disk_slot(struct disk *d, u32 slot)
{
	struct rig *r = rigs;

	while (r->d != d)
		r = r->next;
	missing_slot = slot;
	if (missing_one_in && !below(missing_one_in)) {
		nr_missing++;
		return NULL;
	}
	return rig_slot(r, slot);
}

/* Memory as it was left: what is in it must not matter. */
static struct rig *rig_alloc(u32 entries, u32 cache)
{
	u32 nr = disk_frames(entries, cache), i;
	struct rig **link, *r;

	for (link = &old_rigs; *link; link = &(*link)->next) {
		r = *link;
		if (r->entries == entries && r->cache == cache) {
			*link = r->next;
			return r;
		}
	}
	r = calloc(1, sizeof(*r));
	r->entries = entries;
	r->cache = cache;
	check(!posix_memalign((void **)&r->memory, BLOCK, (u64)nr * BLOCK));
	check(!posix_memalign((void **)&r->arena, BLOCK, (u64)DISK_ARENA_SLOTS(entries) * BLOCK));
	memset(r->memory, 0x55, (u64)nr * BLOCK);
	memset(r->arena, 0x55, (u64)DISK_ARENA_SLOTS(entries) * BLOCK);
	r->page = calloc(nr, sizeof(*r->page));
	for (i = 0; i < nr; i++)
		r->page[i] = r->memory + (u64)i * BLOCK;
	return r;
}

static struct rig *rig_new(struct host *host, u32 entries, u32 cache)
{
	struct rig *r = rig_alloc(entries, cache);

	r->d = disk_create(r->page, disk_frames(entries, cache), entries);
	check(r->d && r->d->frames == cache);
	r->host = host;
	r->budget = DISK_STEP;
	r->nr_io = 0;
	r->steps = 0;
	r->next = rigs;
	rigs = r;
	return r;
}

static void rig_free(struct rig *r)
{
	struct rig **link = &rigs;

	while (*link != r)
		link = &(*link)->next;
	*link = r->next;
	r->next = old_rigs;
	old_rigs = r;
}

/* Until it has nothing to do but wait. */
static void rig_step(struct rig *r)
{
	enum disk_more more;
	u32 n = 0;

	do {
		check(n++ < 100000);
		r->steps++;
		more = disk_step(r->d, r->budget);
		check(more != DISK_AGAIN || disk_missing(r->d) == missing_slot);
	} while (more != DISK_IDLE);
	while (disk_host_next(r->d, &r->io[r->nr_io]))
		check(r->nr_io++ < NR_TAGS);
}

/* What the host does; block @i of it, if it is not done whole. */
static void rig_block(struct rig *r, const struct disk_io *io, u32 i)
{
	if (io->op == DISK_HOST_WRITE)
		host_write(r->host, io->block + i, rig_slot(r, io->slot[i]));
	else if (io->op == DISK_HOST_READ)
		host_read(r->host, io->block + i, rig_slot(r, io->slot[i]));
}

static struct disk_io rig_take(struct rig *r, u32 i)
{
	struct disk_io io = r->io[i];

	r->io[i] = r->io[--r->nr_io];
	return io;
}

static void rig_done(struct rig *r, const struct disk_io *io)
{
	disk_host_done(r->d, io->id, true, io->op == DISK_HOST_READ ? (u64)io->count * BLOCK : 0);
}

/* One request of those that the host has, honestly. */
static void rig_host(struct rig *r, u32 which)
{
	struct disk_io io = rig_take(r, which);
	u32 i;

	for (i = 0; i < io.count; i++)
		rig_block(r, &io, i);
	r->host->reads += io.op == DISK_HOST_READ;
	r->host->writes += io.op == DISK_HOST_WRITE;
	if (io.op == DISK_HOST_FLUSH)
		host_flush(r->host);
	rig_done(r, &io);
}

/* Until nothing is left to do. */
static void rig_run(struct rig *r)
{
	for (rig_step(r); r->nr_io; rig_step(r))
		rig_host(r, below(r->nr_io));
}

static bool rig_open(struct rig *r, bool write_back)
{
	disk_open(r->d, disk_key, 0, write_back);
	rig_run(r);
	return disk_state(r->d) == DISK_RUNNING;
}

/* ---- the guest ---- */

#define BUFFER (512 * BLOCK)

struct guest_req {
	struct disk_req req;
	u8 *data;
	u64 tag;
};

static u8 *data_of(struct disk_req *req, u64 at, u32 len)
{
	check(at + len <= (u64)req->sectors * DISK_SECTOR && at + len <= BUFFER);
	return ((struct guest_req *)req)->data + at;
}

bool disk_from_guest(struct disk_req *req, u64 at, void *to, u32 len)
{
	memcpy(to, data_of(req, at, len), len);
	return true;
}

bool disk_to_guest(struct disk_req *req, u64 at, const void *from, u32 len)
{
	memcpy(data_of(req, at, len), from, len);
	return true;
}

/* One request, to its end; false: it failed. */
static bool rig_do(struct rig *r, u32 op, u64 sector, u32 sectors, void *data)
{
	struct guest_req req = {.req = {.op = (u8)op, .sector = sector, .sectors = sectors},
				.data = data};

	if (!disk_submit(r->d, &req.req))
		return false;
	rig_run(r);
	check(disk_reap(r->d) == &req.req);
	return !req.req.failed;
}

/* ---- a new disk, made by OpenSSL alone ---- */

static void sim_hmac(const void *key, int len, const void *text, size_t text_len, u8 *mac)
{
	unsigned int n;

	check(HMAC(EVP_sha256(), key, len, text, text_len, mac, &n) && n == 32);
}

static void sim_format(struct host *h, u64 blocks)
{
	struct mon_disk_super super = {.magic = MON_DISK_MAGIC,
				       .version = MON_DISK_VERSION,
				       .uuid = "sixteen bytes..",
				       .commit = 1,
				       .blocks = blocks,
				       .flags = MON_DISK_CLEAN,
				       .seal = {.session = unit_random(), .count = 1}};
	struct mon_disk_place place = {.kind = MON_DISK_SUPER, .index = 1};
	u8 prk[32], bytes[32], nonce[12] = {[11] = 1};
	u8 info[] = MON_DISK_KEY_INFO "12345678";
	u8 aad[BLOCK];
	struct gcm_key key;

	memcpy(place.uuid, super.uuid, 16);
	sim_hmac(super.uuid, 16, disk_key, 32, prk);
	memcpy(info + 14, &super.seal.session, 8);
	info[22] = 1;
	sim_hmac(prk, 32, info, 23, bytes);
	gcm_init(&key, bytes);
	memcpy(aad, &super, BLOCK);
	memcpy(aad, &place, sizeof(place));
	gcm_seal(&key, nonce, aad, BLOCK, NULL, NULL, 0, super.seal.tag);
	host_write(h, MON_DISK_AREA_BLOCKS, &super);
	host_settle(h);
}

/* ---- contents: sectors with a number each, 0 for zeros ---- */

__attribute__((__unused__)) static void sector_fill(u8 *to, u32 number)
{
	u64 x = number, *p = (u64 *)to;
	u32 i;

	for (i = 0; i < DISK_SECTOR / 8; i++, x *= 0x5851f42d4c957f2dULL)
		p[i] = x;
}

/* -1: nobody's */
__attribute__((__unused__)) static s64 sector_number(const u8 *from)
{
	u8 want[DISK_SECTOR];
	u32 number;

	memcpy(&number, from, sizeof(number));
	sector_fill(want, number);
	return memcmp(from, want, sizeof(want)) ? -1 : (s64)number;
}

#endif /* _DISK_SIM_H */
