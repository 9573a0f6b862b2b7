// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory that is taken back from an enclave: pages that the monitor has sealed, in a file in
 * memory that the kernel can swap out, until a thread wants one of them again. Which page of the
 * enclave it is this side does not know: it has a number.
 *
 * Meanwhile no thread may run. The process may enter one without its kernel, so it is the monitor
 * that is told to let none in.
 *
 * evict_lock is held over all of it, inside mon_enclaves_lock and outside of account.
 */
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/hashtable.h>
#include <linux/idr.h>
#include <linux/mm.h>
#include <linux/sched/signal.h>
#include <linux/shmem_fs.h>
#include <linux/slab.h>
#include "enclave.h"
#include "monitor.h"

#define TRIES 1000
#define GFP_OUT (GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN) /* nobody is killed for it */

/**
 * struct out - a page that is out
 * @evicted: what the monitor said of it
 * @slot: its place in the file
 * @page: itself, if the file did not take it
 * @node: by its number
 */
struct out {
	struct mon_enclave_evicted evicted;
	int slot;
	void *page;
	struct hlist_node node;
};

#ifdef HAVE_SHMEM_VMA_FLAGS
#define NORESERVE mk_vma_flags(VMA_NORESERVE_BIT)
#else
#define NORESERVE VM_NORESERVE
#endif

static struct out *out_alloc(struct mon_enclave *e)
{
	struct out *out = kzalloc(sizeof(*out), GFP_OUT);

	if (!out)
		return NULL;
	out->page = (void *)__get_free_page(GFP_OUT);
	out->slot = out->page ? ida_alloc(&e->slots, GFP_OUT) : -1;
	if (out->slot >= 0)
		return out;
	free_page((unsigned long)out->page);
	kfree(out);
	return NULL;
}

static void out_free(struct mon_enclave *e, struct out *out)
{
	ida_free(&e->slots, out->slot);
	free_page((unsigned long)out->page);
	kfree(out);
}

/* It is gone from the enclave by now: what the file does not take is kept here. */
static void store(struct mon_enclave *e, struct out *out)
{
	struct page *page;

	if (!e->store)
		e->store = shmem_file_setup("monitor-evicted", MON_ENCLAVE_HIGH, NORESERVE);
	if (IS_ERR(e->store))
		e->store = NULL;
	if (!e->store)
		return;
	page = shmem_read_mapping_page_gfp(e->store->f_mapping, out->slot, GFP_OUT);
	if (IS_ERR(page))
		return;
	copy_page(page_address(page), out->page);
	set_page_dirty(page);
	put_page(page);
	free_page((unsigned long)out->page);
	out->page = NULL;
}

static int fetch(struct mon_enclave *e, struct out *out)
{
	loff_t at = (loff_t)out->slot << PAGE_SHIFT;
	void *page;

	if (out->page)
		return 0;
	page = (void *)__get_free_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	if (kernel_read(e->store, page, PAGE_SIZE, &at) != PAGE_SIZE) {
		free_page((unsigned long)page);
		return -EIO;
	}
	out->page = page;
	return 0;
}

static void pause(struct mon_enclave *e, bool on)
{
	mon_hypercall(MON_HC_ENCLAVE_PAUSE, e->domain, on, 0, 0);
	if (on)
		mon_every_cpu_passes();
}

/* ---- out ---- */

/* At the end of its memory the monitor says so, once, and begins anew. */
static long evict_one(struct mon_enclave *e, struct out *out)
{
	unsigned int tries, ends = 0;
	long err = -EAGAIN;

	for (tries = 0; tries < TRIES && ends < 2; tries++) {
		err = mon_hypercall(MON_HC_ENCLAVE_EVICT, e->domain, __pa(out->page),
				    __pa(&out->evicted), 0);
		if (err == -ENOENT)
			ends++;
		else if (err != -EAGAIN)
			break;
		cond_resched();
	}
	return err;
}

static long evict_next(struct mon_enclave *e)
{
	struct out *out = out_alloc(e);
	long err = -ENOMEM;

	if (!out)
		return err;
	err = evict_one(e, out);
	if (err) {
		out_free(e, out);
		return err;
	}
	store(e, out);
	hash_add(e->out, &out->node, out->evicted.number);
	return 0;
}

/**
 * mon_enclave_evict() - take memory of an enclave back
 * @e: the enclave
 * @pages: how many, at most
 *
 * Returns how many were taken, or an error if it was none: -ENOENT, it has none.
 */
long mon_enclave_evict(struct mon_enclave *e, u64 pages)
{
	long err = 0, done = 0;

	mutex_lock(&e->evict_lock);
	pause(e, true);
	for (; done < pages && !err; cond_resched()) {
		err = fatal_signal_pending(current) ? -EINTR : evict_next(e);
		if (!err)
			done++;
	}
	pause(e, false);
	mutex_lock(&e->account);
	e->frames -= done;
	mutex_unlock(&e->account);
	mutex_unlock(&e->evict_lock);
	if (done)
		mon_pool_release(done);
	return done ?: err;
}

/* ---- and back ---- */

static struct out *out_of(struct mon_enclave *e, u64 number)
{
	struct out *out;

	hash_for_each_possible(e->out, out, node, number)
		if (out->evicted.number == number)
			return out;
	return NULL;
}

static long load_one(struct mon_enclave *e, u32 thread, struct out *out)
{
	unsigned int tries;
	long err = -EAGAIN;

	pause(e, true);
	for (tries = 0; tries < TRIES && err == -EAGAIN; tries++) {
		if (tries)
			mon_every_cpu_passes();
		err = mon_hypercall(MON_HC_ENCLAVE_LOAD, e->domain, thread, __pa(out->page),
				    __pa(&out->evicted));
	}
	pause(e, false);
	return err;
}

static long load(struct mon_enclave *e, u32 thread, u64 number)
{
	struct out *out = out_of(e, number);
	long err;

	if (!out) /* for another thread, just now */
		return 0;
	err = fetch(e, out) ?: mon_pool_reserve(1);
	if (err)
		return err;
	err = load_one(e, thread, out);
	if (err) {
		mon_pool_release(1);
		return err == -ENOENT ? 0 : err;
	}
	mutex_lock(&e->account);
	e->frames++;
	mutex_unlock(&e->account);
	hash_del(&out->node);
	out_free(e, out);
	return 0;
}

/**
 * mon_enclave_load() - bring back the page that a thread waits for
 * @e: the enclave
 * @thread: which
 * @number: of the page
 */
long mon_enclave_load(struct mon_enclave *e, u32 thread, u64 number)
{
	long err;

	mutex_lock(&e->evict_lock);
	err = load(e, thread, number);
	mutex_unlock(&e->evict_lock);
	return err;
}

/** mon_enclave_evict_init() - none is out: @e: the enclave */
void mon_enclave_evict_init(struct mon_enclave *e)
{
	mutex_init(&e->evict_lock);
	hash_init(e->out);
	ida_init(&e->slots);
}

/** mon_enclave_evict_free() - nobody will want them again: @e: the enclave */
void mon_enclave_evict_free(struct mon_enclave *e)
{
	struct hlist_node *next;
	struct out *out;
	int i;

	hash_for_each_safe(e->out, i, next, out, node)
		out_free(e, out);
	ida_destroy(&e->slots);
	if (e->store)
		fput(e->store);
}
