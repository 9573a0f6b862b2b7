/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An enclave: its policy, its private memory, its measurement, its threads. Vendor-neutral; how
 * a thread runs is vmx/thread.c.
 *
 *  state      to      by
 *  --------   -----   ----------------------------------------------------------
 *  BUILDING   READY   enclave_finish(): all pages are in, and measured
 *  any        DYING   enclave_destroy(); then gone, in bounded steps
 *
 * Linear and guest-physical addresses are the same, by one page table that no enclave can see or
 * change. So what is where, and may be used how, is the nested table's to say alone, and the host
 * sees neither of the two: no accessed bit tells it which page was touched.
 *
 * Lock order: enclaves_lock, enclave->lock, grants_lock (grant.h), npt_lock.
 */
#ifndef _CORE_ENCLAVE_H
#define _CORE_ENCLAVE_H

#include "../npt/npt.h"
#include "../uapi/enclave.h"
#include "sha256.h"

#define ENCLAVE_MAX (DOM_LIMIT - MON_DOMAIN_ENCLAVE)

/* Its page tables: the top one and the one of 1 GiB pages; above all that they map. */
#define ENCLAVE_TABLES MON_ENCLAVE_HIGH

struct thread;

/**
 * struct enclave - one frame of the monitor
 * @id: domain
 * @state: enum mon_enclave_state
 * @lock: guards @state, @hash, the states of threads, and what page is there, and how
 * @host_cr3: top page table of its process, without PCID and the user half's bit; 0: none
 * @hash: of the measurement in the making
 * @faulted: threads that are never entered again
 * @serial: no other enclave has it, or will
 * @paused: no thread is entered
 * @evicted: pages that are out (enclave_evict.c)
 * @records: pages of the monitor's in its space for that
 * @evict_next: where the search for the next one begins
 * @wanted: by thread: address of the page it waits for
 * @signer: SHA-256 of the key that has signed it, once it has shown that; zeros
 * @narrowed: epoch of the last call that has taken a permission away, or a page
 * @trimmed: by thread, a bit: its MON_EC_TRIM is done, but not all others have passed
 * @shared: it has offered pages, so some may be in a share
 * @dying_epoch: CPUs may hold a pointer to it until this has passed
 */
struct enclave {
	u32 id;
	u32 state;
	struct spinlock lock;
	u64 host_cr3;
	struct mon_enclave_policy policy;
	struct npt npt;
	struct sha256 hash;
	u8 measurement[32];
	struct thread *thread[MON_ENCLAVE_MAX_THREADS];
	u32 faulted;
	u64 entries;
	u64 faults;
	u64 serial;
	bool paused;
	u64 evicted;
	u64 records;
	u64 evict_next;
	u64 wanted[MON_ENCLAVE_MAX_THREADS];
	u8 signer[32];
	u64 narrowed;
	u64 trimmed;
	bool shared;
	u64 dying_epoch;
	u64 pfn;
};

_Static_assert(sizeof(struct enclave) <= PAGE_SIZE, "an enclave is one frame");
_Static_assert(MON_ENCLAVE_MAX_THREADS <= 64, "a bit for each");

/**
 * enclave_init() - once, before launch: the secret that keys and reports are made of
 * @image_hash: of the monitor, for reports
 */
void enclave_init(const u8 image_hash[32]);

/** enclave_wipe(), enclave_evict_wipe() - the machine ends: memory survives that, secrets do not */
void enclave_wipe(void);
void enclave_evict_wipe(void);

/** enclave_of() - by its domain, or NULL; good until this CPU's next epoch (no lock) */
struct enclave *enclave_of(u64 domain);

/** enclave_range() - enum mon_enclave_range_type of an address, 0 where there is nothing */
u32 enclave_range(const struct enclave *e, u64 address);

/** enclave_stack_page() - the thread's own page, the last one of its stack */
static inline u64 enclave_stack_page(const struct enclave *e, u32 thread)
{
	return e->policy.stacks + (thread + 1) * e->policy.stack_size - PAGE_SIZE;
}

/**
 * enclave_type_of() - of the range that has all of these pages, or 0
 *
 * 1 to VM_RELEASE_MAX of them, nothing of a stack: what is on it would be gone, or not to be used,
 * under the thread that calls.
 */
u32 enclave_type_of(const struct enclave *e, u64 address, u64 pages);

/** enclave_shares() - is one of these pages of its own in a share? It stays so, under e->lock */
bool enclave_shares(const struct enclave *e, u64 address, u64 pages);

/**
 * enclave_touch() - a page of a ZERO or SHARED range is touched: it is there afterwards
 *
 * NPT_EOWNER, NPT_ENOENT: there is none to be. NPT_EBUSY: it is out. NPT_EPOOL, NPT_EQUOTA.
 */
int __must_check enclave_touch(struct enclave *e, u64 address);

/**
 * enclave_bytes() - memory of a ZERO range, within one page and 8-byte aligned, made if need be
 *
 * NULL: it is not that, or not to be written to (*@err: NPT_EOWNER), it is out (NPT_EBUSY), or
 * there is no frame for it.
 */
void *enclave_bytes(struct enclave *e, u64 address, u64 len, int *err);

/** enclave_idle() - none of its threads runs */
bool enclave_idle(const struct enclave *e);

/** enclave_buffer_range() - the first address of its buffer, and *@pages of it; 0: it has none */
u64 enclave_buffer_range(const struct enclave *e, u64 *pages);

/**
 * enclave_call() - all of enum mon_enclave_call that need no thread
 *
 * -MON_EAGAIN: what is at @arg[0] is out (enclave_evicted()), and nothing was done. Of
 * MON_EC_TRIM and MON_EC_PROTECT: other threads may go on as before until their CPUs have passed;
 * of MON_EC_SHARE_END: the peer may, until all CPUs have; and of MON_EC_PROTECT -MON_ENOMEM: no
 * frame for what the monitor keeps. Then the same call is to be made again. The caller's CPU passes
 * an epoch before the thread goes on.
 */
s64 enclave_call(struct enclave *e, u32 thread, u64 number, const u64 *arg);

/** enclave_signer() - who has signed it, or zeros */
void enclave_signer(struct enclave *e, u8 signer[32]);

/** enclave_counter() - MON_EC_COUNTER, on a private copy */
s64 enclave_counter(struct enclave *e, struct mon_enclave_counter *counter);

/* hypercalls; errors are -MON_E* */
s64 enclave_create(const struct mon_enclave_make *make);
s64 enclave_add(u64 domain, u64 address, u64 perm, const void *host_page);
s64 enclave_buffer(u64 domain, u64 page, u64 pfn);
s64 enclave_finish(u64 domain);
s64 enclave_destroy(u64 domain);
s64 enclave_status(u64 domain, struct mon_enclave_status *status);
s64 enclave_refill(u64 domain, u64 frames);
s64 enclave_peek(u64 domain, u64 address, void *host_page, bool write);

/* ---- enclave_share.c: @at: the call's structure */

s64 enclave_offer(struct enclave *e, u32 thread, void *at);
s64 enclave_accept(struct enclave *e, u32 thread, void *at);

/* ---- enclave_evict.c: takes crypto_possible(), and vector registers that were saved */

/** enclave_evict_init() - once, before launch: the key */
void enclave_evict_init(void);
/** enclave_evicted() - number of the page at @address, if it is out, or 0 */
u64 enclave_evicted(struct enclave *e, u64 address);
/** enclave_forget() - what is kept of these pages is not wanted any more; under enclave->lock */
void enclave_forget(struct enclave *e, u64 address, u64 pages);
/** enclave_perm() - with what a page is made that is not there; under enclave->lock */
u64 enclave_perm(struct enclave *e, u64 address);
/** enclave_set_perm() - it, or what is out, is to have @perm; 0 only makes room; false: no frame */
bool enclave_set_perm(struct enclave *e, u64 address, u64 perm);
s64 enclave_pause(u64 domain, u64 pause);
s64 enclave_evict(u64 domain, void *host_page, struct mon_enclave_evicted *out);
s64 enclave_load(u64 domain, u64 thread, const void *host_page,
		 const struct mon_enclave_evicted *in);

/*
 * ---- what the vendor's side does for it ----
 */

/** enclaves_possible() - does the CPU have what they need? */
bool enclaves_possible(void);
/** thread_new() - one that is idle; NULL: no frames */
struct thread *thread_new(struct enclave *e, u32 index);
/** thread_free() - frames of one that runs nowhere */
void thread_free(struct thread *thread);
/** thread_idle() - it runs nowhere */
bool thread_idle(const struct thread *thread);
/** thread_registers() - of one that runs nowhere, into zeros; else false; under enclave->lock */
bool thread_registers(const struct thread *thread, struct mon_enclave_registers *out);
/** thread_passed() - or on a CPU that has passed @epoch; under enclave->lock */
bool thread_passed(const struct thread *thread, u64 epoch);

#endif /* _CORE_ENCLAVE_H */
