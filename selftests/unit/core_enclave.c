// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c */
/* needs: npt/compose.c npt/vm.c npt/share.c core/enclave.c core/enclave_call.c */
/* needs: core/domain.c core/sha256.c core/hmac.c core/enclave_evict.c core/gcm.c */
/* needs: core/enclave_counter.c core/lms.c tools/sdk/sign/lms.c */
/* cflags: -msse4.1 -maes -mpclmul */
/* libs: -lcrypto */
/*
 * Enclaves without a CPU: making, measuring, memory and end, with every frame counted; keys and
 * reports against OpenSSL's HMAC.
 */
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#define SIM_FRAMES 8192ULL
#include "npt_sim.h"
#include "core/domain.h"
#include "core/grant.h"
#include "tools/sdk/sign/lms.h"
#include "thread_sim.h"

#define RX (MON_ENCLAVE_READ | MON_ENCLAVE_EXEC)
#define TEXT 0x10000000ULL
#define HEAP 0x20000000ULL
#define HEAP_PAGES 64
#define STACKS 0x30000000ULL
#define STACK_SIZE 0x4000ULL
#define THREADS 2
#define BUFFER 0x40000000ULL
#define HOST_FRAME 0x200ULL

/* ---- the vendor's side ---- */

static u64 random_word = 0x1111111111111111ULL;
static bool possible = true;

u64 cpu_random(void)
{
	return random_word += 0x0123456789abcdefULL;
}

bool enclaves_possible(void)
{
	return possible;
}

/* ---- what is shared: core_enclave_share.c ---- */

s64 enclave_offer(struct enclave *e, u32 thread, void *at)
{
	(void)e;
	(void)thread;
	(void)at;
	return -MON_ENOSYS;
}

s64 enclave_accept(struct enclave *e, u32 thread, void *at)
{
	return enclave_offer(e, thread, at);
}

s64 grant_end(u32 dom, u64 id)
{
	(void)dom;
	(void)id;
	return -MON_ENOSYS;
}

/* ---- */

static const u8 image_hash[32] = { 1, 2, 3 };
static u8 secret[32];
static u64 free_before;
static u8 text[2][PAGE_SIZE];

static struct mon_enclave_make make_args(void)
{
	return (struct mon_enclave_make){
		.limit = 40,
		.policy = {
			.version = MON_ENCLAVE_POLICY_VERSION, .nr_ranges = 4,
			.nr_threads = THREADS, .entry = TEXT, .stacks = STACKS,
			.stack_size = STACK_SIZE, .product = 3, .security_version = 5,
			.range = {
				{ TEXT, TEXT + 2 * PAGE_SIZE, MON_ENCLAVE_PAGES, 0 },
				{ HEAP, HEAP + HEAP_PAGES * PAGE_SIZE, MON_ENCLAVE_ZERO, 0 },
				{ STACKS, STACKS + THREADS * STACK_SIZE, MON_ENCLAVE_ZERO, 0 },
				{ BUFFER, BUFFER + 2 * PAGE_SIZE, MON_ENCLAVE_BUFFER, 0 },
			},
		},
	};
}

static void setup(u64 pool)
{
	struct npt_config cfg = sim_config();
	u64 word = random_word;
	u32 i;

	sim_init(SIM_FRAMES, 2);
	sim_pool(0x400, pool);
	check(host_npt_init(&cfg) == NPT_OK);
	free_before = frame_state_count(FRAME_FREE);
	threads_left = ~0u;
	for (i = 0; i < sizeof(secret); i += 8) {
		word += 0x0123456789abcdefULL;
		memcpy(secret + i, &word, 8);
	}
	enclave_init(image_hash);
	enclave_evict_init();
}

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

static struct enclave *make(void)
{
	struct mon_enclave_make args = make_args();
	s64 id = enclave_create(&args);

	check(id >= MON_DOMAIN_ENCLAVE);
	memset(text[0], 0xc3, PAGE_SIZE);
	memset(text[1], 0x11, PAGE_SIZE);
	check(!enclave_add((u64)id, TEXT, RX, text[0]));
	check(!enclave_add((u64)id, TEXT + PAGE_SIZE, MON_ENCLAVE_READ, text[1]));
	check(!enclave_buffer((u64)id, 1, HOST_FRAME));
	return enclave_of((u64)id);
}

static bool all_back(void)
{
	lock();
	epoch_reap(10000);
	unlock();
	return frame_state_count(FRAME_FREE) == free_before && !domain_count();
}

/* As the module does: the CPUs pass between steps. Returns how many there were. */
static u32 destroy(u32 id)
{
	u32 steps = 1;

	for (; enclave_destroy(id) == -MON_EAGAIN; steps++) {
		check(steps < 100);
		pass_all();
	}
	pass_all();
	return steps;
}

static void test_life(void)
{
	struct enclave *e;
	u64 epoch;
	u32 id;

	setup(256);
	e = make();
	id = e->id;
	ok(id == MON_DOMAIN_ENCLAVE && domain_count() == 1, "the first one has the first number");
	ok(!domains_close(), "the monitor stays as long as there is one");
	ok(enclave_add(id, TEXT, RX, text[0]) == -MON_EEXIST, "add: twice");
	ok(enclave_add(id, HEAP, RX, text[0]) == -MON_EINVAL, "add: to the heap");
	ok(enclave_add(id, TEXT + 8, RX, text[0]) == -MON_EINVAL, "add: within a page");
	ok(enclave_add(id + 1, TEXT, RX, text[0]) == -MON_ENOENT, "add: to none");
	ok(enclave_buffer(id, 2, HOST_FRAME) == -MON_EINVAL, "buffer: behind its end");
	ok(enclave_buffer(id, 1, HOST_FRAME) == -MON_EEXIST, "buffer: twice");
	ok(enclave_buffer(id, 0, e->pfn) == -MON_EPERM, "buffer: a frame of the monitor's");
	ok(enclave_buffer(id, 0, e->npt.root) == -MON_EPERM, "buffer: a table");
	ok(enclave_buffer(id, 0, vm_npt_lookup(&e->npt, id, TEXT)) == -MON_EPERM,
	   "buffer: a page of its own");
	ok(enclave_buffer(id, ~0ULL, HOST_FRAME) == -MON_EINVAL, "buffer: no such page");
	threads_left = 1;
	ok(enclave_finish(id) == -MON_ENOMEM && e->state == MON_ENCLAVE_BUILDING,
	   "finish: no frames for a thread");
	threads_left = 10;
	ok(!enclave_finish(id) && threads_left == 9, "finish: the other one");
	ok(enclave_finish(id) == -MON_EBUSY, "finish: again");
	ok(enclave_add(id, TEXT, RX, text[0]) == -MON_EBUSY &&
	   enclave_buffer(id, 0, HOST_FRAME + 1) == -MON_EBUSY, "it is closed");
	refused(host_donate(HOST_FRAME, 1, &epoch), NPT_EBUSY, "its buffer stays the host's");
	e->thread[1]->busy = true;
	ok(enclave_destroy(id) == -MON_EAGAIN && enclave_destroy(id) == -MON_EAGAIN,
	   "destroy: a thread runs");
	pass_all();
	ok(enclave_destroy(id) == -MON_EAGAIN && frame_state_count(FRAME_PRIVATE),
	   "it keeps what it has");
	e->thread[1]->busy = false;
	ok(destroy(id) == 1 && !enclave_of(id), "destroy");
	ok(enclave_destroy(id) == -MON_ENOENT, "destroy: again");
	ok(all_back(), "every frame is back");
	ok(!host_donate(HOST_FRAME, 1, &epoch), "and the buffer can be given away");
}

/* With ever fewer frames: what cannot be made leaves nothing behind. */
static void test_poor(void)
{
	struct mon_enclave_make args = make_args();
	u64 left, made = 0;
	s64 id;

	for (left = 0; left < 12; left++) {
		setup(256);
		lock();
		while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE + left)
			check(frame_get(FRAME_STATE) != INVALID_PFN);
		unlock();
		free_before = frame_state_count(FRAME_FREE);
		id = enclave_create(&args);
		if (id < 0)
			check(id == -MON_ENOMEM);
		else
			destroy((u32)id);
		made += id > 0;
		pass_all();
		check(all_back());
	}
	ok(made == 5, "create with 0 to 11 frames left: none is lost, and seven suffice");
	possible = false;
	ok(enclave_create(&args) == -MON_ENOSYS, "create: not on this CPU");
	possible = true;
	args.limit = 1;
	ok(enclave_create(&args) == -MON_EINVAL, "create: fewer frames than its tables");
	args.limit = 2 + 2 + HEAP_PAGES + THREADS * 4;
	id = enclave_create(&args);
	ok(id > 0, "create: as many as its ranges have");
	destroy((u32)id);
	args.limit++;
	ok(enclave_create(&args) == -MON_EINVAL, "create: one more");
}

static u8 measured[4 * PAGE_SIZE];
static size_t nr_measured;

static void put(const void *from, size_t len)
{
	check(nr_measured + len <= sizeof(measured));
	memcpy(measured + nr_measured, from, len);
	nr_measured += len;
}

static void put_page(u64 address, u64 perm, const u8 *from)
{
	put(&address, 8);
	put(&perm, 8);
	put(from, PAGE_SIZE);
}

static void test_measurement(void)
{
	struct mon_enclave_make args = make_args();
	struct mon_enclave_status status = { 0 };
	struct enclave *e;
	u8 wanted[32];

	setup(256);
	e = make();
	ok(!enclave_status(e->id, &status) && !status.measurement[0] && !status.measurement[31],
	   "no measurement while it is built");
	check(!enclave_finish(e->id));
	put(&args.policy, sizeof(args.policy));
	put_page(TEXT, RX, text[0]);
	put_page(TEXT + PAGE_SIZE, MON_ENCLAVE_READ, text[1]);
	check(EVP_Digest(measured, nr_measured, wanted, NULL, EVP_sha256(), NULL));
	check(!enclave_status(e->id, &status));
	ok(!memcmp(status.measurement, wanted, 32) && status.state == MON_ENCLAVE_READY &&
	   status.owned == 4 && status.limit == 40 && status.nr_threads == THREADS,
	   "it is SHA-256 of policy and pages");
	ok(enclave_status(e->id + 1, &status) == -MON_ENOENT, "status: of none");
	destroy(e->id);
}

static void test_memory(void)
{
	struct enclave *e;
	u64 arg[3] = { 0 }, i;
	u8 *last;
	int err;

	setup(512);
	e = make();
	check(!enclave_finish(e->id));
	ok(enclave_touch(e, TEXT) == NPT_EOWNER && enclave_touch(e, BUFFER) == NPT_EOWNER &&
	   enclave_touch(e, 0) == NPT_EOWNER && enclave_touch(e, HEAP - 1) == NPT_EOWNER &&
	   enclave_touch(e, HEAP + HEAP_PAGES * PAGE_SIZE) == NPT_EOWNER &&
	   enclave_touch(e, ENCLAVE_TABLES) == NPT_EOWNER && enclave_touch(e, ~0ULL) == NPT_EOWNER,
	   "touch: nothing is made but of zeros, where it may be");
	ok(enclave_touch(e, STACKS) == NPT_EOWNER &&
	   enclave_touch(e, STACKS + STACK_SIZE + PAGE_SIZE - 1) == NPT_EOWNER,
	   "touch: the end of each stack");
	ok(!enclave_touch(e, STACKS + PAGE_SIZE) && !enclave_touch(e, STACKS + STACK_SIZE - 1) &&
	   !enclave_touch(e, STACKS + PAGE_SIZE), "touch: a stack, twice");
	ok(!enclave_bytes(e, HEAP + 4, 8, &err) && err == NPT_EOWNER &&
	   !enclave_bytes(e, HEAP + PAGE_SIZE - 8, 16, &err) && err == NPT_EOWNER &&
	   !enclave_bytes(e, TEXT, 8, &err) && err == NPT_EOWNER, "bytes: aligned, in one page");
	last = enclave_bytes(e, HEAP + PAGE_SIZE - 8, 8, &err);
	ok(last == (u8 *)frame_ptr(vm_npt_lookup(&e->npt, e->id, HEAP)) + PAGE_SIZE - 8,
	   "bytes: to the end of a page");
	for (i = 0; !enclave_touch(e, HEAP + i * PAGE_SIZE); i++)
		;
	ok(i == 40 - 4 - 2 && enclave_touch(e, HEAP + i * PAGE_SIZE) == NPT_EQUOTA,
	   "touch: no more than it may own");
	ok(enclave_refill(e->id, HEAP_PAGES) == -MON_EINVAL && !enclave_refill(e->id, 2) &&
	   !enclave_touch(e, HEAP + i * PAGE_SIZE), "refill");
	ok(enclave_refill(e->id + 1, 1) == -MON_ENOENT, "refill: of none");
	arg[0] = HEAP;
	arg[1] = 8;
	ok(!enclave_call(e, 0, MON_EC_TRIM, arg) && e->npt.owned == 33 && e->npt.limit == 34,
	   "trim");
	arg[0] = STACKS;
	arg[1] = 4;
	ok(enclave_call(e, 0, MON_EC_TRIM, arg) == -MON_EINVAL, "trim: a stack");
	arg[0] = HEAP;
	arg[1] = ~0ULL;
	ok(enclave_call(e, 0, MON_EC_TRIM, arg) == -MON_EINVAL, "trim: all");
	destroy(e->id);
	ok(all_back(), "every frame is back");
}

/* ---- permissions that change ---- */

#define R MON_ENCLAVE_READ
#define RW (R | MON_ENCLAVE_WRITE)

static s64 protect(struct enclave *e, u64 at, u64 pages, u64 perm)
{
	u64 arg[3] = { at, pages, perm };

	return enclave_call(e, 0, MON_EC_PROTECT, arg);
}

static u64 perm_at(struct enclave *e, u64 at)
{
	return npt_walk(&e->npt, at).entry & EPT_RWX;
}

static void test_protect(void)
{
	static const u64 bad_perm[] = { 0, 2, 4, 6, 7, 8 | R, R | BIT(63) };
	u64 i, wrong = 0, before, arg[3] = { HEAP, 1 };
	struct enclave *e;
	int err;

	setup(512);
	e = make();
	check(!enclave_finish(e->id) && !enclave_touch(e, HEAP));
	for (i = 0; i < ARRAY_SIZE(bad_perm); i++)
		wrong += protect(e, HEAP, 1, bad_perm[i]) != -MON_EINVAL;
	ok(!wrong, "protect: permissions that it gives to none");
	ok(protect(e, HEAP + 8, 1, R) == -MON_EINVAL && protect(e, HEAP, 0, R) == -MON_EINVAL &&
	   protect(e, HEAP, HEAP_PAGES + 1, R) == -MON_EINVAL &&
	   protect(e, HEAP, ~0ULL, R) == -MON_EINVAL && protect(e, HEAP - 4096, 2, R) ==
	   -MON_EINVAL && protect(e, STACKS, 1, R) == -MON_EINVAL &&
	   protect(e, STACKS + STACK_SIZE - PAGE_SIZE, 1, R) == -MON_EINVAL &&
	   protect(e, BUFFER + PAGE_SIZE, 1, R) == -MON_EINVAL &&
	   protect(e, ENCLAVE_TABLES, 1, R) == -MON_EINVAL && protect(e, 0, 1, R) == -MON_EINVAL,
	   "protect: places");
	ok(perm_at(e, HEAP) == RW && !e->records, "and nothing has changed");
	before = e->npt.owned;
	e->thread[0]->busy = true;
	ok(!protect(e, HEAP + 4 * PAGE_SIZE, 1, R) && !protect(e, HEAP, 1, R) &&
	   !protect(e, HEAP, 1, RW), "a thread does not wait for itself");
	e->thread[1]->busy = true;
	e->thread[1]->cpu = 1;
	ok(protect(e, HEAP, 2, R) == -MON_EAGAIN && perm_at(e, HEAP) == R,
	   "protect: another thread may write yet");
	epoch_pass(0);
	ok(protect(e, HEAP, 2, R) == -MON_EAGAIN, "until its CPU has flushed");
	epoch_pass(1);
	ok(!protect(e, HEAP, 2, R), "then it may not");
	ok(!protect(e, HEAP, 1, RX) && perm_at(e, HEAP) == RX, "for more it need not wait");
	ok(protect(e, HEAP, 1, R) == -MON_EAGAIN, "for less it does");
	e->thread[1]->busy = false;
	ok(!protect(e, HEAP, 1, R), "or until it runs no more");
	e->thread[0]->busy = false;
	ok(e->npt.owned == before + 1 && e->records == 1,
	   "a page is kept for it, and none is made");
	ok(!enclave_touch(e, HEAP + PAGE_SIZE) && perm_at(e, HEAP + PAGE_SIZE) == R &&
	   !enclave_touch(e, HEAP + 2 * PAGE_SIZE) && perm_at(e, HEAP + 2 * PAGE_SIZE) == RW,
	   "what is made afterwards is made so");
	ok(!enclave_bytes(e, HEAP, 8, &err) && err == NPT_EOWNER &&
	   !enclave_bytes(e, HEAP + PAGE_SIZE, 8, &err) && err == NPT_EOWNER &&
	   enclave_bytes(e, HEAP + 2 * PAGE_SIZE, 8, &err), "nor does the monitor write there");
	check(!protect(e, HEAP + 3 * PAGE_SIZE, 1, R));
	ok(!enclave_call(e, 0, MON_EC_TRIM, arg) && !enclave_touch(e, HEAP) &&
	   perm_at(e, HEAP) == RW, "what was given back begins anew");
	arg[0] = HEAP + 3 * PAGE_SIZE;
	ok(!enclave_call(e, 0, MON_EC_TRIM, arg) && !enclave_touch(e, arg[0]) &&
	   perm_at(e, arg[0]) == RW, "or what was never made");
	ok(!protect(e, TEXT, 2, RW) && perm_at(e, TEXT) == RW && perm_at(e, TEXT + PAGE_SIZE) == RW,
	   "pages that were measured");
	destroy(e->id);
	ok(all_back(), "every frame is back");
}

/* Of a range of pages not all need be there. */
static s64 trim(struct enclave *e, u32 thread, u64 at)
{
	u64 arg[3] = { at, 1 };

	return enclave_call(e, thread, MON_EC_TRIM, arg);
}

static void test_trim_two(void)
{
	struct enclave *e;
	u64 limit;

	setup(512);
	e = make();
	check(!enclave_finish(e->id) && !enclave_touch(e, HEAP) &&
	      !enclave_touch(e, HEAP + PAGE_SIZE));
	limit = e->npt.limit;
	e->thread[0]->busy = true;
	e->thread[1]->busy = true;
	e->thread[1]->cpu = 1;
	ok(trim(e, 0, HEAP) == -MON_EAGAIN && !perm_at(e, HEAP),
	   "trim: another thread may have the page yet");
	epoch_pass(0);
	ok(trim(e, 0, HEAP) == -MON_EAGAIN && e->npt.limit == limit - 1,
	   "until its CPU has flushed; it is given back once");
	epoch_pass(1);
	ok(!trim(e, 0, HEAP) && e->npt.limit == limit - 1, "then it has it no more");
	epoch_pass(0);
	ok(trim(e, 0, HEAP + PAGE_SIZE) == -MON_EAGAIN && trim(e, 1, HEAP) == -MON_EAGAIN,
	   "trim: two at once");
	e->thread[1]->busy = false;
	ok(!trim(e, 0, HEAP + PAGE_SIZE), "or until it runs no more");
	epoch_pass(0);
	ok(!trim(e, 1, HEAP) && e->npt.limit == limit - 3, "and the other goes on, too");
	e->thread[0]->busy = false;
	destroy(e->id);
	ok(all_back(), "every frame is back");
}

static void test_protect_hole(void)
{
	struct mon_enclave_make args = make_args();
	struct enclave *e;
	s64 id;

	setup(512);
	id = enclave_create(&args);
	check(id > 0 && !enclave_add((u64)id, TEXT, RX, text[0]) && !enclave_finish((u64)id));
	e = enclave_of((u64)id);
	ok(protect(e, TEXT, 2, R) == -MON_EINVAL && perm_at(e, TEXT) == RX, "protect: a hole");
	ok(!protect(e, TEXT, 1, R), "beside it");
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	ok(protect(e, HEAP, 1, R) == -MON_ENOMEM, "protect: no frame for what is kept");
	ok(enclave_touch(e, HEAP) == NPT_EPOOL, "nor for the page");
	destroy(e->id);
}

/* ---- keys and reports, as they are documented ---- */

static void hmac_is(const void *key, const void *text, u32 len, u8 *mac)
{
	HMAC(EVP_sha256(), key, 32, text, len, mac, NULL);
}

static void test_proof(void)
{
	struct {
		u8 info[16], measurement[32], label[32];
	} key_text = { .info = "monitor-key-1---", .label = "label" },
	  report_text = { .info = "monitor-report-1" };
	struct mon_enclave_report *report;
	struct mon_enclave_key *key;
	u64 arg[3] = { HEAP };
	struct enclave *e;
	u8 mac[32], wanted[32];
	int err;

	setup(512);
	e = make();
	check(!enclave_finish(e->id));
	memcpy(key_text.measurement, e->measurement, 32);
	hmac_is(secret, &key_text, sizeof(key_text), wanted);
	key = enclave_bytes(e, HEAP, sizeof(*key), &err);
	strcpy((char *)key->label, "label");
	ok(!enclave_call(e, 0, MON_EC_KEY, arg) && !memcmp(key->key, wanted, 32),
	   "a key is HMAC of measurement and label");
	report = enclave_bytes(e, HEAP, sizeof(*report), &err);
	memset(report, 0xee, sizeof(*report));
	memcpy(report->target, e->measurement, 32);
	check(!enclave_call(e, 0, MON_EC_REPORT, arg));
	memcpy(report_text.measurement, e->measurement, 32);
	hmac_is(secret, &report_text, sizeof(report_text), mac);
	hmac_is(mac, report, offsetof(struct mon_enclave_report, seal), wanted);
	ok(!memcmp(report->seal, wanted, 32) && !memcmp(report->image_hash, image_hash, 32) &&
	   report->product == 3 && report->security_version == 5 && !report->flags &&
	   report->data[63] == 0xee, "so is the seal of a report");
	ok(!enclave_call(e, 0, MON_EC_VERIFY, arg), "which is believed");
	report->seal[31] ^= 1;
	ok(enclave_call(e, 0, MON_EC_VERIFY, arg) == -MON_EPERM, "but not with another seal");
	ok(enclave_call(e, 0, MON_EC_RETURN, arg) == -MON_ENOSYS &&
	   enclave_call(e, 0, MON_EC_NR, arg) == -MON_ENOSYS &&
	   enclave_call(e, 0, ~0ULL, arg) == -MON_ENOSYS, "no other calls are here");
	destroy(e->id);
}

/* ---- who has signed it ---- */

static struct lms_tree tree;

static void sign(const struct lms_secret *by, u32 leaf, const u8 measurement[32], void *at)
{
	struct mon_enclave_signature *s = at;
	static const u8 random[32] = { 7 };
	u8 text[48] = MON_SIGNED_TEXT;

	memcpy(text + 16, measurement, 32);
	check(!lms_grow(by, &tree));
	lms_public(by, &tree, &s->key);
	check(!lms_sign(by, &tree, leaf, random, text, sizeof(text), &s->signature));
}

static s64 signer_key(struct enclave *e, struct mon_enclave_signer_key *key, u32 version,
		      u32 reserved)
{
	u64 arg[3] = { HEAP };

	memset(key, 0, sizeof(*key));
	strcpy((char *)key->label, "label");
	key->security_version = version;
	key->reserved = reserved;
	return enclave_call(e, 0, MON_EC_SIGNER_KEY, arg);
}

static void test_signer(void)
{
	static const struct lms_secret a = { .id = "a" }, b = { .id = "b" };
	struct {
		u8 info[16], signer[32];
		u32 product, security_version, flags, zero;
		u8 label[32];
	} text = { .info = "monitor-signed-1", .product = 3, .security_version = 5,
		   .label = "label" };
	u64 arg[3] = { HEAP + PAGE_SIZE }, report_arg[3] = { HEAP };
	struct mon_enclave_signer_key *key;
	struct mon_enclave_report *report;
	u8 wanted[32], other[32] = { 1 };
	struct enclave *e;
	void *at;
	int err;

	setup(512);
	e = make();
	check(!enclave_finish(e->id));
	key = enclave_bytes(e, HEAP, sizeof(*key), &err);
	at = enclave_bytes(e, HEAP + PAGE_SIZE, sizeof(struct mon_enclave_signature), &err);
	check(key && at);
	ok(signer_key(e, key, 5, 0) == -MON_EPERM, "signer: without one there is no key");
	sign(&a, 0, other, at);
	ok(enclave_call(e, 0, MON_EC_SIGNER, arg) == -MON_EPERM &&
	   signer_key(e, key, 5, 0) == -MON_EPERM, "a signature of another enclave is none");
	sign(&a, 1023, e->measurement, at);
	ok(!enclave_call(e, 0, MON_EC_SIGNER, arg), "one of its own, as monsign makes it");
	SHA256(at, sizeof(struct mon_lms_key), text.signer);
	hmac_is(secret, &text, sizeof(text), wanted);
	ok(!signer_key(e, key, 5, 0) && !memcmp(key->key, wanted, 32),
	   "a key is HMAC of signer, product, version, flags and label");
	ok(!signer_key(e, key, 4, 0) && memcmp(key->key, wanted, 32), "another of a lower version");
	ok(signer_key(e, key, 6, 0) == -MON_EPERM && signer_key(e, key, 5, 1) == -MON_EINVAL,
	   "none of a higher one");
	report = enclave_bytes(e, HEAP, sizeof(*report), &err);
	check(!enclave_call(e, 0, MON_EC_REPORT, report_arg));
	ok(!memcmp(report->signer, text.signer, 32), "a report says who");
	((u8 *)at)[200] ^= 1;
	ok(enclave_call(e, 0, MON_EC_SIGNER, arg) == -MON_EPERM && !signer_key(e, key, 5, 0) &&
	   !memcmp(key->key, wanted, 32), "what is refused changes nothing");
	sign(&b, 5, e->measurement, at);
	ok(!enclave_call(e, 0, MON_EC_SIGNER, arg) && !signer_key(e, key, 5, 0) &&
	   memcmp(key->key, wanted, 32), "another signer has another key");
	destroy(e->id);
}

/* ---- counters ---- */

static struct mon_enclave_counter counter;

static s64 count(struct enclave *e, u32 number, u32 op, u64 value, u8 data)
{
	struct mon_enclave_counter *c;
	u64 arg[3] = { HEAP };
	s64 result;
	int err;

	c = enclave_bytes(e, HEAP, sizeof(*c), &err);
	check(c);
	memset(c, 0, sizeof(*c));
	c->number = number;
	c->op = op;
	c->value = value;
	c->data[31] = data;
	result = enclave_call(e, 0, MON_EC_COUNTER, arg);
	counter = *c;
	return result;
}

static bool is_count(struct enclave *e, u32 number, u64 value, u8 data)
{
	return !count(e, number, MON_ENCLAVE_COUNTER_READ, 99, 99) && counter.value == value &&
	       counter.data[31] == data && !counter.data[0];
}

static void show_signer(struct enclave *e, const struct lms_secret *by)
{
	u64 arg[3] = { HEAP + PAGE_SIZE };
	int err;
	void *at = enclave_bytes(e, arg[0], sizeof(struct mon_enclave_signature), &err);

	sign(by, 0, e->measurement, at);
	check(!enclave_call(e, 0, MON_EC_SIGNER, arg));
}

static struct enclave *make_version(u32 product, u32 version)
{
	struct mon_enclave_make args = make_args();
	struct enclave *e;

	args.policy.product = product;
	args.policy.security_version = version;
	e = enclave_of(enclave_create(&args));
	check(e && !enclave_finish(e->id));
	return e;
}

#define ADVANCE MON_ENCLAVE_COUNTER_ADVANCE

static void test_counters(void)
{
	static const struct lms_secret a = { .id = "a" };
	struct enclave *old, *new, *other;
	u32 i;

	setup(1024);
	old = make_version(3, 5);
	new = make_version(3, 6);
	other = make_version(4, 6);
	ok(is_count(old, 0, 0, 0), "counter: none yet");
	ok(!count(old, 0, ADVANCE, 5, 7) && is_count(old, 0, 5, 7), "it is 5");
	ok(count(old, 0, ADVANCE, 5, 8) == -MON_ERANGE &&
	   count(old, 0, ADVANCE, 4, 8) == -MON_ERANGE &&
	   is_count(old, 0, 5, 7), "and neither that again nor less");
	ok(!count(old, 0, ADVANCE, ~0ULL, 9) && count(old, 0, ADVANCE, 0, 9) == -MON_ERANGE &&
	   is_count(old, 0, ~0ULL, 9), "up to the highest number");
	ok(is_count(old, 1, 0, 0) && is_count(new, 0, 0, 0), "another number, another measurement");
	ok(count(old, MON_ENCLAVE_COUNTERS, 0, 0, 0) == -MON_EINVAL &&
	   count(old, 0, 2, 0, 0) == -MON_EINVAL, "numbers that there are not");
	show_signer(old, &a);
	show_signer(new, &a);
	show_signer(other, &a);
	ok(is_count(old, 0, 0, 0), "with a signer it has that one's");
	ok(!count(old, 0, ADVANCE, 1, 1) && is_count(new, 0, 1, 1), "as a later version has");
	ok(is_count(other, 0, 0, 0), "but no other product");
	ok(!count(new, 0, ADVANCE, 2, 2) && count(old, 0, ADVANCE, 3, 3) == -MON_EPERM &&
	   is_count(old, 0, 2, 2), "which the one before cannot advance then");
	destroy(new->id);
	new = make_version(3, 6);
	show_signer(new, &a);
	ok(is_count(new, 0, 2, 2), "it outlives the enclave");
	for (i = 0; i < 1000; i++) {
		struct enclave *one = make_version(100 + i, 1);
		s64 err = count(one, 0, ADVANCE, 1, 1);

		destroy(one->id);
		if (err) {
			check(err == -MON_ENOMEM);
			break;
		}
	}
	ok(i > 200 && i < 1000, "there are %u more", i);
	ok(!count(new, 0, ADVANCE, 3, 3) && is_count(other, 0, 0, 0), "those there are go on");
	destroy(old->id);
	destroy(new->id);
	destroy(other->id);
	ok(all_back(), "every frame is back");
}

static void test_many(void)
{
	struct mon_enclave_make args = make_args();
	u64 i, made;
	s64 id;

	setup(4000);
	for (made = 0;; made++) {
		id = enclave_create(&args);
		if (id < 0)
			break;
		check((u64)id == MON_DOMAIN_ENCLAVE + made);
	}
	ok(id == -MON_ENOMEM && made > 300, "as many as there is memory for: %llu",
	   (unsigned long long)made);
	for (i = 0; i < made; i += 2)
		destroy((u32)(MON_DOMAIN_ENCLAVE + i));
	id = enclave_create(&args);
	ok(id == MON_DOMAIN_ENCLAVE, "a number is used again");
	destroy((u32)id);
	for (i = 1; i < made; i += 2)
		destroy((u32)(MON_DOMAIN_ENCLAVE + i));
	ok(all_back(), "every frame is back");
	ok(domains_close() && enclave_create(&args) == -MON_EBUSY, "then none is made any more");
}

/* ---- eviction ---- */

#define OUT_MAX 64

static u8 out_page[OUT_MAX][PAGE_SIZE];
static struct mon_enclave_evicted out[OUT_MAX];

static s64 evict(struct enclave *e, u32 i)
{
	s64 err;

	do {
		err = enclave_evict(e->id, out_page[i], &out[i]);
	} while (err == -MON_EAGAIN);
	return err;
}

static s64 load(struct enclave *e, u32 i, u64 address)
{
	e->wanted[0] = address;
	return enclave_load(e->id, 0, out_page[i], &out[i]);
}

/* An enclave with @pages of its heap full of their number and 1. */
static struct enclave *make_full(u32 pages)
{
	struct enclave *e = make();
	int err;
	u32 i;

	check(!enclave_finish(e->id));
	for (i = 0; i < pages; i++)
		memset(enclave_bytes(e, HEAP + i * PAGE_SIZE, PAGE_SIZE, &err), (int)i + 1,
		       PAGE_SIZE);
	return e;
}

static bool full_of(struct enclave *e, u64 address, u8 byte)
{
	u64 pfn = vm_npt_lookup(&e->npt, e->id, address);
	u32 i;

	for (i = 0; pfn != INVALID_PFN && i < PAGE_SIZE; i++)
		if (((u8 *)frame_ptr(pfn))[i] != byte)
			return false;
	return pfn != INVALID_PFN;
}

static void test_evict(void)
{
	u64 owned, limit, i, right = 0;
	struct enclave *e;
	u32 nr = 0;

	setup(512);
	e = make_full(4);
	ok(enclave_evict(e->id, out_page[0], &out[0]) == -MON_EAGAIN, "evict: not paused");
	ok(enclave_pause(e->id, 2) == -MON_EINVAL && !e->paused, "pause: half");
	check(!enclave_pause(e->id, 1));
	e->thread[1]->busy = true;
	ok(enclave_evict(e->id, out_page[0], &out[0]) == -MON_EAGAIN, "evict: a thread runs");
	e->thread[1]->busy = false;
	owned = e->npt.owned;
	limit = e->npt.limit;
	while (!evict(e, nr))
		nr++;
	ok(nr == 6 && e->evicted == 6, "evict: all there is, code and data: %u", nr);
	ok(e->npt.owned == owned - 6 + e->records && e->npt.limit == limit - 6 + e->records,
	   "it owns so much less, and may");
	ok(enclave_touch(e, HEAP) == NPT_EBUSY && enclave_touch(e, TEXT) == NPT_EBUSY &&
	   enclave_evicted(e, HEAP + 1) == 3 && !enclave_evicted(e, HEAP + 4 * PAGE_SIZE),
	   "touch: it is out");
	ok(enclave_touch(e, HEAP + 5 * PAGE_SIZE) == NPT_OK, "touch: another one");
	for (i = 0; i < 6; i++)
		right += out[i].number == i + 1 && memcmp(out_page[i], text[0], 64) &&
			 out_page[i][0] != out_page[i][1];
	ok(right == 6, "what the host has is not what was there");
	ok(load(e, 2, HEAP + PAGE_SIZE) == -MON_EPERM, "load: another page's");
	ok(load(e, 2, HEAP + 4 * PAGE_SIZE) == -MON_ENOENT, "load: what is not out");
	ok(enclave_load(e->id, THREADS, out_page[2], &out[2]) == -MON_EINVAL, "load: no thread");
	e->thread[0]->busy = true;
	ok(load(e, 2, HEAP) == -MON_EAGAIN, "load: a thread runs");
	e->thread[0]->busy = false;
	ok(!load(e, 2, HEAP + 8) && full_of(e, HEAP, 1) && e->evicted == 5, "load");
	ok(load(e, 2, HEAP) == -MON_ENOENT, "load: again");
	ok(!load(e, 0, TEXT) && full_of(e, TEXT, 0xc3) &&
	   (npt_walk(&e->npt, TEXT).entry & EPT_RWX) == RX, "load: with its permission");
	check(!load(e, 1, TEXT + PAGE_SIZE) && !load(e, 3, HEAP + PAGE_SIZE) &&
	      !load(e, 4, HEAP + 2 * PAGE_SIZE) && !load(e, 5, HEAP + 3 * PAGE_SIZE));
	ok(full_of(e, HEAP + 3 * PAGE_SIZE, 4) && !e->evicted && e->npt.limit == limit + e->records,
	   "all of it is back");
	destroy(e->id);
	ok(all_back(), "and goes with it");
}

/* What the host gives back is not what it got, in all ways. */
static void test_evict_lies(void)
{
	struct mon_enclave_evicted old;
	u64 arg[3] = { HEAP, 1 }, i, refused = 0, before;
	static u8 old_page[PAGE_SIZE];
	struct enclave *e, *other;
	int err;

	setup(1024);
	e = make_full(2);
	other = make_full(2);
	check(!enclave_pause(e->id, 1) && !enclave_pause(other->id, 1));
	e->evict_next = HEAP;
	other->evict_next = HEAP;
	check(!evict(e, 0) && !evict(other, 1));
	ok(memcmp(out_page[0], out_page[1], 64), "the same page twice is not the same outside");
	before = frame_state_count(FRAME_FREE);
	for (i = 0; i < PAGE_SIZE * 8; i += 97) {
		out_page[0][i / 8] ^= 1u << i % 8;
		refused += load(e, 0, HEAP) == -MON_EPERM;
		out_page[0][i / 8] ^= 1u << i % 8;
	}
	ok(refused == i / 97, "load: with a bit changed, %llu places", (unsigned long long)refused);
	for (i = 0, refused = 0; i < 128; i++) {
		out[0].tag[i / 8] ^= 1u << i % 8;
		refused += load(e, 0, HEAP) == -MON_EPERM;
		out[0].tag[i / 8] ^= 1u << i % 8;
	}
	ok(refused == 128, "or of its tag");
	memset(old_page, 0, PAGE_SIZE);
	old = out[0];
	ok(enclave_load(e->id, 0, old_page, &old) == -MON_EPERM, "load: zeros");
	out[1].number = out[0].number;
	ok(load(e, 1, HEAP) == -MON_EPERM, "load: another enclave's, of the same place");
	ok(frame_state_count(FRAME_FREE) == before && e->evicted == 1, "and nothing has changed");
	memcpy(old_page, out_page[0], PAGE_SIZE);
	check(!load(e, 0, HEAP));
	*(u8 *)enclave_bytes(e, HEAP, 8, &err) = 0x99;
	e->evict_next = HEAP;
	check(!evict(e, 0));
	ok(enclave_load(e->id, 0, old_page, &old) == -MON_EPERM, "load: what was there before");
	old.number = out[0].number;
	ok(enclave_load(e->id, 0, old_page, &old) == -MON_EPERM, "load: by its new number");
	ok(!enclave_call(e, 0, MON_EC_TRIM, arg) && !e->evicted && !enclave_touch(e, HEAP) &&
	   full_of(e, HEAP, 0), "what it gave back while it was out is zeros");
	ok(load(e, 0, HEAP) == -MON_ENOENT && full_of(e, HEAP, 0), "load: what it gave back");
	destroy(e->id);
	e = make_full(2);
	check(!enclave_pause(e->id, 1));
	e->evict_next = HEAP;
	check(!evict(e, 2));
	out[0].number = out[2].number;
	ok(load(e, 0, HEAP) == -MON_EPERM, "load: of the enclave that had this number before");
	destroy(e->id);
	destroy(other->id);
	ok(all_back(), "every frame is back");
}

/* What is out comes back as the enclave says, whatever it was; the host has no part in it. */
static void test_evict_protect(void)
{
	struct enclave *e;

	setup(512);
	e = make_full(3);
	check(!protect(e, HEAP, 1, R) && !enclave_pause(e->id, 1));
	check(!evict(e, 3) && !protect(e, TEXT, 2, R) && !load(e, 3, TEXT));
	ok(perm_at(e, TEXT) == R && full_of(e, TEXT, 0xc3), "protect: a page that was measured");
	e->evict_next = HEAP;
	check(!evict(e, 0) && !evict(e, 1) && !evict(e, 2));
	check(!protect(e, HEAP + PAGE_SIZE, 1, RX) && !protect(e, HEAP + 5 * PAGE_SIZE, 1, R));
	ok(e->evicted == 3 && enclave_evicted(e, HEAP + PAGE_SIZE) == out[1].number,
	   "protect: what is out stays there");
	ok(!load(e, 0, HEAP) && perm_at(e, HEAP) == R && full_of(e, HEAP, 1) &&
	   !load(e, 1, HEAP + PAGE_SIZE) && perm_at(e, HEAP + PAGE_SIZE) == RX &&
	   full_of(e, HEAP + PAGE_SIZE, 2) && !load(e, 2, HEAP + 2 * PAGE_SIZE) &&
	   perm_at(e, HEAP + 2 * PAGE_SIZE) == RW, "and comes back as it was changed");
	out[0].number = 0;
	ok(load(e, 0, HEAP + 5 * PAGE_SIZE) == -MON_ENOENT,
	   "load: what has a permission, and was never there");
	check(!e->evicted);
	destroy(e->id);
	ok(all_back(), "every frame is back");
}

/* What one thread has, behind all addresses of an enclave that lets its host see that. */
static s64 registers(u64 id, u64 thread, u8 *page)
{
	memset(page, 0xaa, PAGE_SIZE);
	return enclave_peek(id, MON_ENCLAVE_REGISTERS + thread * PAGE_SIZE, page, false);
}

static void test_peek(void)
{
	static u8 page[PAGE_SIZE], none[PAGE_SIZE];
	const struct mon_enclave_registers *r = (const void *)page;
	struct mon_enclave_make args = make_args();
	struct enclave *e;
	s64 id;

	setup(512);
	e = make_full(1);
	ok(enclave_peek(e->id, HEAP, page, false) == -MON_EPERM &&
	   registers(e->id, 0, page) == -MON_EPERM && page[0] == 0xaa, "peek: it is not for that");
	destroy(e->id);
	args.policy.flags = MON_ENCLAVE_DEBUG;
	id = enclave_create(&args);
	e = enclave_of((u64)id);
	ok(registers(e->id, 0, page) == -MON_EINVAL, "registers: of one that is being built");
	check(!enclave_add(e->id, TEXT, RX, text[0]) && !enclave_finish(e->id));
	ok(!enclave_peek(e->id, TEXT, page, false) && !memcmp(page, text[0], PAGE_SIZE),
	   "peek: a page");
	ok(enclave_peek(e->id, HEAP, page, false) == -MON_EFAULT, "peek: one that is not there");
	ok(!registers(e->id, 1, page) && r->rip == e->thread[1]->pfn &&
	   !memcmp(page + sizeof(*r), none, PAGE_SIZE - sizeof(*r)), "registers, and zeros");
	ok(registers(e->id, THREADS, page) == -MON_EINVAL &&
	   registers(e->id, ~0ULL >> 14, page) == -MON_EINVAL &&
	   enclave_peek(e->id, MON_ENCLAVE_REGISTERS + 8, page, false) == -MON_EINVAL,
	   "registers: of no thread");
	ok(enclave_peek(e->id, MON_ENCLAVE_REGISTERS, page, true) == -MON_EINVAL,
	   "registers: to write");
	e->thread[1]->busy = true;
	ok(registers(e->id, 1, page) == -MON_EBUSY && page[0] == 0xaa, "registers: while it runs");
	e->thread[1]->busy = false;
	check(enclave_destroy(e->id) == -MON_EAGAIN);
	ok(registers(e->id, 1, page) == -MON_EINVAL, "registers: of one that goes");
	destroy(e->id);
	ok(all_back(), "every frame is back");
}

static void test_evict_poor(void)
{
	struct enclave *e;
	u64 owned;

	setup(512);
	e = make_full(2);
	check(!enclave_pause(e->id, 1));
	e->evict_next = HEAP;
	check(!evict(e, 0));
	e->evict_next = TEXT;
	lock();
	while (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		check(frame_get(FRAME_STATE) != INVALID_PFN);
	unlock();
	owned = e->npt.owned;
	ok(evict(e, 1) == -MON_ENOMEM && e->npt.owned == owned && full_of(e, TEXT, 0xc3),
	   "evict: no frame for its number");
	ok(load(e, 0, HEAP) == -MON_ENOMEM && enclave_evicted(e, HEAP) == out[0].number,
	   "load: no frame for it");
	destroy(e->id);
}

int main(void)
{
	test_life();
	test_poor();
	test_measurement();
	test_memory();
	test_protect();
	test_protect_hole();
	test_trim_two();
	test_proof();
	test_signer();
	test_counters();
	test_evict();
	test_evict_lies();
	test_evict_protect();
	test_evict_poor();
	test_peek();
	test_many();
	return unit_end();
}
