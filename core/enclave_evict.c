// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pages that the host takes back from an enclave, and loads again. It gets ciphertext and a tag;
 * the monitor keeps a number for each page that is out, in pages of its own in the enclave's
 * space, above all that the enclave can see, and beside it the permission that the page gets when
 * it is there again, or for the first time. The number is the nonce, and goes into the tag with
 * the enclave and the address. So what is loaded is what was last taken from that very page.
 *
 * Which page goes is the monitor's choice, and the host is not told: it knows each by its number.
 * It happens while no thread runs: none has a translation, nor can one see half a page.
 */
#include "enclave.h"
#include "gcm.h"
#include "hypercall.h"
#include "lib.h"

#define WORDS_PER_PAGE (PAGE_SIZE / sizeof(u64))
#define RECORDS (ENCLAVE_TABLES + BIT(30)) /* behind the page tables */
#define PERM_BITS 3
#define FIND_STEPS 64
#define LOAD_FRAMES 8 /* the page, its tables, and one to decrypt it in */

static struct gcm_key gcm;
static u64 last_number;

/* What the tag is of, besides the page. */
struct place {
	u64 serial;
	u64 address;
	u64 number;
};

void enclave_evict_init(void)
{
	u64 key[GCM_KEY_SIZE / sizeof(u64)];
	u32 i;

	for (i = 0; i < ARRAY_SIZE(key); i++)
		key[i] = cpu_random();
	gcm_init(&gcm, (const u8 *)key);
	memset(key, 0, sizeof(key));
}

void enclave_evict_wipe(void)
{
	memset(&gcm, 0, sizeof(gcm));
}

static u64 record_page(u64 address)
{
	return RECORDS + address / PAGE_SIZE / WORDS_PER_PAGE * PAGE_SIZE;
}

/* The word of a page, or NULL: none in its 2 MiB is out. */
static u64 *record_of(struct enclave *e, u64 address)
{
	u64 pfn = vm_npt_lookup(&e->npt, e->id, record_page(address));
	u64 *words;

	if (pfn == INVALID_PFN)
		return NULL;
	words = frame_ptr(pfn);
	return &words[address / PAGE_SIZE % WORDS_PER_PAGE];
}

u64 enclave_evicted(struct enclave *e, u64 address)
{
	const u64 *record;

	if (!READ_ONCE(e->evicted))
		return 0;
	record = record_of(e, address);
	return record ? READ_ONCE(*record) >> PERM_BITS : 0;
}

u64 enclave_perm(struct enclave *e, u64 address)
{
	const u64 *record = e->records ? record_of(e, address) : NULL;
	u64 perm = record ? *record & EPT_RWX : 0;

	return perm ? perm : EPT_READ | EPT_WRITE;
}

void enclave_forget(struct enclave *e, u64 address, u64 pages)
{
	u64 *record;

	for (; e->records && pages; pages--, address += PAGE_SIZE) {
		record = record_of(e, address);
		if (!record)
			continue;
		if (*record >> PERM_BITS)
			e->evicted--;
		*record = 0;
	}
}

/* And it stays so, under enclave->lock. */
static bool at_rest(const struct enclave *e)
{
	return e->paused && enclave_idle(e);
}

/* The enclave may own one more for it: it is the monitor's to use. */
static u64 *record_make(struct enclave *e, u64 address)
{
	u64 *record = record_of(e, address), pfn;

	if (record)
		return record;
	if (vm_npt_refill(&e->npt, 1, ~0ULL))
		return NULL;
	if (!vm_npt_touch(&e->npt, e->id, record_page(address), EPT_READ, &pfn)) {
		e->records++;
		return record_of(e, address);
	}
	MONITOR_BUG_ON(vm_npt_release(&e->npt, e->id, record_page(address), 1));
	return NULL;
}

bool enclave_set_perm(struct enclave *e, u64 address, u64 perm)
{
	u64 *record = record_make(e, address);

	if (record && perm)
		*record = (*record & ~EPT_RWX) | perm;
	return record;
}

static void nonce_of(u64 number, u8 nonce[GCM_NONCE_SIZE])
{
	memset(nonce, 0, GCM_NONCE_SIZE);
	memcpy(nonce, &number, sizeof(number));
}

/* ---- out ---- */

static void seal(const struct place *place, const struct npt_leaf *leaf, void *host_page,
		 struct mon_enclave_evicted *out)
{
	u8 nonce[GCM_NONCE_SIZE];

	out->number = place->number;
	nonce_of(out->number, nonce);
	gcm_seal(&gcm, nonce, place, sizeof(*place),
		 frame_ptr((leaf->entry & EPT_ADDR) >> PAGE_SHIFT), host_page, PAGE_SIZE, out->tag);
}

/* From where the last search ended; behind the end it begins anew. What is shared stays. */
static s64 find(struct enclave *e, struct npt_leaf *leaf)
{
	u32 step;

	for (step = 0; step < FIND_STEPS; step++, e->evict_next += PAGE_SIZE) {
		if (!vm_npt_next(&e->npt, e->id, &e->evict_next, MON_ENCLAVE_HIGH, leaf))
			break;
		if (!enclave_shares(e, e->evict_next, 1))
			return 0;
	}
	if (e->evict_next < MON_ENCLAVE_HIGH)
		return -MON_EAGAIN;
	e->evict_next = MON_ENCLAVE_LOW;
	return -MON_ENOENT;
}

static s64 evict_locked(struct enclave *e, void *host_page, struct mon_enclave_evicted *out)
{
	struct place place = { .serial = e->serial };
	struct npt_leaf leaf;
	u64 *record;
	s64 err;

	if (e->state != MON_ENCLAVE_READY)
		return -MON_EBUSY;
	if (!at_rest(e))
		return -MON_EAGAIN;
	err = find(e, &leaf);
	if (err)
		return err;
	place.address = e->evict_next;
	record = record_make(e, place.address);
	if (!record)
		return -MON_ENOMEM;
	place.number = __atomic_add_fetch(&last_number, 1, __ATOMIC_RELAXED);
	seal(&place, &leaf, host_page, out);
	MONITOR_BUG_ON(vm_npt_release(&e->npt, e->id, place.address, 1));
	*record = place.number << PERM_BITS | (leaf.entry & EPT_RWX);
	e->evicted++;
	e->evict_next += PAGE_SIZE;
	return 0;
}

s64 enclave_evict(u64 domain, void *host_page, struct mon_enclave_evicted *out)
{
	struct enclave *e = enclave_of(domain);
	s64 err;

	if (!e)
		return -MON_ENOENT;
	spin_lock(&e->lock);
	err = evict_locked(e, host_page, out);
	spin_unlock(&e->lock);
	return err;
}

/* ---- and back ---- */

/* A frame for what may be anything yet, and is nobody's; the pool has more than it takes. */
static u64 scratch_get(void)
{
	u64 pfn = INVALID_PFN;

	spin_lock(&npt_lock);
	if (frame_state_count(FRAME_FREE) >= NPT_POOL_RESERVE + LOAD_FRAMES)
		pfn = frame_get(FRAME_STATE);
	spin_unlock(&npt_lock);
	return pfn;
}

static void scratch_put(u64 pfn)
{
	spin_lock(&npt_lock);
	frame_put(pfn);
	spin_unlock(&npt_lock);
}

static s64 put_back(struct enclave *e, const struct place *place, const void *page)
{
	u64 pfn;

	if (vm_npt_refill(&e->npt, 1, ~0ULL))
		return -MON_EINVAL;
	if (!vm_npt_touch(&e->npt, e->id, place->address, enclave_perm(e, place->address), &pfn)) {
		memcpy(frame_ptr(pfn), page, PAGE_SIZE);
		return 0;
	}
	MONITOR_BUG_ON(vm_npt_release(&e->npt, e->id, place->address, 1));
	return -MON_ENOMEM;
}

static s64 open_into(struct enclave *e, const struct place *place, const void *host_page,
		     const struct mon_enclave_evicted *in)
{
	u64 pfn = scratch_get();
	u8 nonce[GCM_NONCE_SIZE];
	s64 err = -MON_EPERM;

	if (pfn == INVALID_PFN)
		return -MON_ENOMEM;
	nonce_of(in->number, nonce);
	if (gcm_open(&gcm, nonce, place, sizeof(*place), host_page, frame_ptr(pfn), PAGE_SIZE,
		     in->tag))
		err = put_back(e, place, frame_ptr(pfn));
	scratch_put(pfn);
	return err;
}

static s64 load_locked(struct enclave *e, u64 thread, const void *host_page,
		       const struct mon_enclave_evicted *in)
{
	struct place place = { .serial = e->serial };
	u64 *record;
	s64 err;

	if (e->state != MON_ENCLAVE_READY || thread >= e->policy.nr_threads)
		return -MON_EINVAL;
	if (!at_rest(e))
		return -MON_EAGAIN;
	place.address = ALIGN_DOWN(e->wanted[thread], PAGE_SIZE);
	record = record_of(e, place.address);
	place.number = record ? *record >> PERM_BITS : 0;
	if (!place.number)
		return -MON_ENOENT;
	if (in->number != place.number)
		return -MON_EPERM;
	err = open_into(e, &place, host_page, in);
	if (err)
		return err;
	*record = 0;
	e->evicted--;
	return 0;
}

s64 enclave_load(u64 domain, u64 thread, const void *host_page,
		 const struct mon_enclave_evicted *in)
{
	struct enclave *e = enclave_of(domain);
	s64 err;

	if (!e)
		return -MON_ENOENT;
	spin_lock(&e->lock);
	err = load_locked(e, thread, host_page, in);
	spin_unlock(&e->lock);
	return err;
}

s64 enclave_pause(u64 domain, u64 pause)
{
	struct enclave *e = enclave_of(domain);

	if (!e)
		return -MON_ENOENT;
	if (pause > 1)
		return -MON_EINVAL;
	spin_lock(&e->lock);
	e->paused = pause;
	spin_unlock(&e->lock);
	return 0;
}
