// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of an enclave: who it is, what it tells another one, its keys, memory that it gives back,
 * and how it uses what it has. A structure is fetched once, though the enclave has other threads.
 *
 * All keys are made of one secret, which is as old as the monitor.
 */
#include "debug.h"
#include "grant.h"
#include "hmac.h"
#include "hypercall.h"
#include "lib.h"
#include "lms.h"

#define REPORT_INFO "monitor-report-1"
#define KEY_INFO "monitor-key-1---"
#define SIGNER_INFO "monitor-signed-1"
#define INFO_SIZE (sizeof(REPORT_INFO) - 1)
_Static_assert(sizeof(KEY_INFO) == sizeof(REPORT_INFO), "one layout");
_Static_assert(sizeof(SIGNER_INFO) == sizeof(REPORT_INFO), "one layout");
_Static_assert(sizeof(MON_SIGNED_TEXT) == MON_SIGNED_TEXT_SIZE + 1, "what is signed");

#define REPORT_SEALED offsetof(struct mon_enclave_report, seal)
_Static_assert(REPORT_SEALED + 32 == sizeof(struct mon_enclave_report), "the seal is last");

static u8 secret[32];
static u8 image[32];

void enclave_init(const u8 image_hash[32])
{
	u64 word;
	u32 i;

	for (i = 0; i < sizeof(secret); i += sizeof(word)) {
		word = cpu_random();
		memcpy(secret + i, &word, sizeof(word));
	}
	memcpy(image, image_hash, sizeof(image));
}

void enclave_wipe(void)
{
	memset(secret, 0, sizeof(secret));
}

/* @label may be left out: NULL. */
static void key_make(const char *info, const u8 measurement[32], const u8 *label, u8 key[32])
{
	struct {
		u8 info[INFO_SIZE];
		u8 measurement[32];
		u8 label[32];
	} text = { 0 };

	memcpy(text.info, info, sizeof(text.info));
	memcpy(text.measurement, measurement, sizeof(text.measurement));
	if (label)
		memcpy(text.label, label, sizeof(text.label));
	hmac(secret, sizeof(secret), &text, sizeof(text), key);
}

static void report_seal(const struct mon_enclave_report *report, u8 seal[32])
{
	u8 key[32];

	key_make(REPORT_INFO, report->target, NULL, key);
	hmac(key, sizeof(key), report, REPORT_SEALED, seal);
	memset(key, 0, sizeof(key));
}

/* In time that does not depend on where they differ. */
static bool same(const u8 *a, const u8 *b, u32 len)
{
	u8 differ = 0;
	u32 i;

	for (i = 0; i < len; i++)
		differ |= a[i] ^ b[i];
	return !differ;
}

static s64 ec_self(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_self self = {
		.thread = thread, .flags = e->policy.flags,
		.owned = READ_ONCE(e->npt.owned), .limit = READ_ONCE(e->npt.limit),
	};
	u64 pages;

	memcpy(self.measurement, e->measurement, sizeof(self.measurement));
	self.buffer = enclave_buffer_range(e, &pages);
	self.buffer_size = pages << PAGE_SHIFT;
	memcpy(at, &self, sizeof(self));
	return 0;
}

/* Whose signer another thread may just set, or change. */
void enclave_signer(struct enclave *e, u8 signer[32])
{
	spin_lock(&e->lock);
	memcpy(signer, e->signer, sizeof(e->signer));
	spin_unlock(&e->lock);
}

static s64 ec_report(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_report report;

	(void)thread;
	memcpy(&report, at, sizeof(report));
	memcpy(report.measurement, e->measurement, sizeof(report.measurement));
	report.version = MON_ENCLAVE_POLICY_VERSION;
	report.flags = e->policy.flags;
	report.product = e->policy.product;
	report.security_version = e->policy.security_version;
	memcpy(report.image_hash, image, sizeof(report.image_hash));
	enclave_signer(e, report.signer);
	report_seal(&report, report.seal);
	memcpy(at, &report, sizeof(report));
	return 0;
}

static s64 ec_verify(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_report report;
	u8 seal[32];

	(void)thread;
	memcpy(&report, at, sizeof(report));
	if (!same(report.target, e->measurement, sizeof(report.target)))
		return -MON_EPERM;
	report_seal(&report, seal);
	return same(report.seal, seal, sizeof(seal)) ? 0 : -MON_EPERM;
}

static s64 ec_key(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_key key;

	(void)thread;
	memcpy(&key, at, sizeof(key));
	key_make(KEY_INFO, e->measurement, key.label, key.key);
	memcpy(at, &key, sizeof(key));
	memset(&key, 0, sizeof(key));
	return 0;
}

static s64 ec_signer(struct enclave *e, u32 thread, void *at)
{
	const struct mon_enclave_signature *s = at;
	u8 text[MON_SIGNED_TEXT_SIZE + sizeof(e->measurement)], signer[32];
	struct mon_lms_key key;
	struct sha256 sha;

	(void)thread;
	memcpy(&key, &s->key, sizeof(key));
	memcpy(text, MON_SIGNED_TEXT, MON_SIGNED_TEXT_SIZE);
	memcpy(text + MON_SIGNED_TEXT_SIZE, e->measurement, sizeof(e->measurement));
	if (!lms_verify(&key, &s->signature, text, sizeof(text)))
		return -MON_EPERM;
	sha256_init(&sha);
	sha256_update(&sha, &key, sizeof(key));
	sha256_final(&sha, signer);
	spin_lock(&e->lock);
	memcpy(e->signer, signer, sizeof(e->signer));
	spin_unlock(&e->lock);
	return 0;
}

static s64 ec_signer_key(struct enclave *e, u32 thread, void *at)
{
	static const u8 none[32];
	struct mon_enclave_signer_key key;
	struct {
		u8 info[INFO_SIZE];
		u8 signer[32];
		u32 product;
		u32 security_version;
		u32 flags;
		u32 zero;
		u8 label[32];
	} text = { .product = e->policy.product, .flags = e->policy.flags };

	(void)thread;
	memcpy(&key, at, sizeof(key));
	enclave_signer(e, text.signer);
	if (key.reserved)
		return -MON_EINVAL;
	if (key.security_version > e->policy.security_version ||
	    !memcmp(text.signer, none, sizeof(none)))
		return -MON_EPERM;
	memcpy(text.info, SIGNER_INFO, sizeof(text.info));
	text.security_version = key.security_version;
	memcpy(text.label, key.label, sizeof(text.label));
	hmac(secret, sizeof(secret), &text, sizeof(text), key.key);
	memcpy(at, &key, sizeof(key));
	memset(&key, 0, sizeof(key));
	return 0;
}

static s64 ec_counter(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_counter counter;
	s64 err;

	(void)thread;
	memcpy(&counter, at, sizeof(counter));
	err = enclave_counter(e, &counter);
	if (!err)
		memcpy(at, &counter, sizeof(counter));
	return err;
}

static const struct {
	s64 (*call)(struct enclave *e, u32 thread, void *at);
	u32 size;
} calls[MON_EC_NR] = {
	[MON_EC_SELF] = { ec_self, sizeof(struct mon_enclave_self) },
	[MON_EC_REPORT] = { ec_report, sizeof(struct mon_enclave_report) },
	[MON_EC_VERIFY] = { ec_verify, sizeof(struct mon_enclave_report) },
	[MON_EC_KEY] = { ec_key, sizeof(struct mon_enclave_key) },
	[MON_EC_SIGNER] = { ec_signer, sizeof(struct mon_enclave_signature) },
	[MON_EC_SIGNER_KEY] = { ec_signer_key, sizeof(struct mon_enclave_signer_key) },
	[MON_EC_COUNTER] = { ec_counter, sizeof(struct mon_enclave_counter) },
	[MON_EC_OFFER] = { enclave_offer, sizeof(struct mon_enclave_offer) },
	[MON_EC_ACCEPT] = { enclave_accept, sizeof(struct mon_enclave_accept) },
};

u32 enclave_type_of(const struct enclave *e, u64 address, u64 pages)
{
	u64 end = address + (pages << PAGE_SHIFT), stacks = e->policy.stacks;
	u32 i;

	if (!pages || pages > VM_RELEASE_MAX || address >= MON_ENCLAVE_HIGH)
		return 0;
	if (address < stacks + e->policy.nr_threads * e->policy.stack_size && end > stacks)
		return 0;
	for (i = 0; i < e->policy.nr_ranges; i++)
		if (address >= e->policy.range[i].start && end <= e->policy.range[i].end)
			return e->policy.range[i].type;
	return 0;
}

/*
 * Behind it no thread uses what was allowed before: one that is entered now passes after it was
 * claimed, under the same lock.
 */
static bool others_passed(const struct enclave *e, u32 thread)
{
	u32 i;

	for (i = 0; i < e->policy.nr_threads; i++)
		if (i != thread && !thread_passed(e->thread[i], e->narrowed))
			return false;
	return true;
}

/* Once, though the call is made again. */
static s64 trim_locked(struct enclave *e, u32 thread, u64 address, u64 pages)
{
	int err;

	if (!(e->trimmed & BIT(thread))) {
		if (enclave_shares(e, address, pages))
			return -MON_EBUSY;
		err = vm_npt_release(&e->npt, e->id, address, pages);
		if (err)
			return npt_to_errno(err);
		enclave_forget(e, address, pages);
		e->narrowed = epoch_latest();
		e->trimmed |= BIT(thread);
	}
	if (!others_passed(e, thread))
		return -MON_EAGAIN;
	e->trimmed &= ~BIT(thread);
	return 0;
}

static s64 ec_trim(struct enclave *e, u32 thread, const u64 *arg)
{
	s64 err;

	if (enclave_type_of(e, arg[0], arg[1]) != MON_ENCLAVE_ZERO)
		return -MON_EINVAL;
	spin_lock(&e->lock);
	err = trim_locked(e, thread, arg[0], arg[1]);
	spin_unlock(&e->lock);
	return err;
}

/* To write and to execute at once is for what was measured so. */
static bool may_protect(const struct enclave *e, u64 address, u64 pages, u64 perm)
{
	return enclave_type_of(e, address, pages) && IS_ALIGNED(address, PAGE_SIZE) &&
	       (perm == EPT_READ || perm == (EPT_READ | EPT_WRITE) ||
		perm == (EPT_READ | EPT_EXEC));
}

/* Of pages that were measured: is there one? Of the buffer there is none. */
static bool is_page(struct enclave *e, u64 address)
{
	return enclave_range(e, address) == MON_ENCLAVE_ZERO || enclave_evicted(e, address) ||
	       vm_npt_lookup(&e->npt, e->id, address) != INVALID_PFN;
}

static s64 protect_locked(struct enclave *e, u32 thread, u64 address, u64 pages, u64 perm)
{
	u64 end = address + (pages << PAGE_SHIFT), at;
	int err;

	if (enclave_shares(e, address, pages))
		return -MON_EBUSY;
	for (at = address; at < end; at += PAGE_SIZE) {
		if (!is_page(e, at))
			return -MON_EINVAL;
		if (!enclave_set_perm(e, at, 0))
			return -MON_ENOMEM;
	}
	err = vm_npt_protect(&e->npt, e->id, address, pages, perm, &e->narrowed);
	if (err)
		return npt_to_errno(err);
	for (at = address; at < end; at += PAGE_SIZE)
		MONITOR_BUG_ON(!enclave_set_perm(e, at, perm));
	return others_passed(e, thread) ? 0 : -MON_EAGAIN;
}

static s64 ec_protect(struct enclave *e, u32 thread, const u64 *arg)
{
	s64 err;

	if (!may_protect(e, arg[0], arg[1], arg[2]))
		return -MON_EINVAL;
	spin_lock(&e->lock);
	err = protect_locked(e, thread, arg[0], arg[1], arg[2]);
	spin_unlock(&e->lock);
	return err;
}

static s64 call(struct enclave *e, u32 thread, u64 number, const u64 *arg)
{
	void *at;
	int err;

	if (number == MON_EC_TRIM)
		return ec_trim(e, thread, arg);
	if (number == MON_EC_PROTECT)
		return ec_protect(e, thread, arg);
	if (number == MON_EC_SHARE_END)
		return grant_end(e->id, arg[0]);
	if (number >= MON_EC_NR || !calls[number].call)
		return -MON_ENOSYS;
	at = enclave_bytes(e, arg[0], calls[number].size, &err);
	if (!at)
		return err == NPT_EOWNER ? -MON_EFAULT : npt_to_errno(err);
	return calls[number].call(e, thread, at);
}

s64 enclave_call(struct enclave *e, u32 thread, u64 number, const u64 *arg)
{
	s64 result = call(e, thread, number, arg);

	debug_check(DEBUG_ENCLAVE | number);
	return result;
}
