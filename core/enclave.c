// SPDX-License-Identifier: GPL-2.0-only
/* Enclaves: their making, memory and end. */
#include "enclave.h"
#include "domain.h"
#include "hypercall.h"
#include "../npt/share.h"

_Static_assert(EPT_READ == MON_ENCLAVE_READ && EPT_WRITE == MON_ENCLAVE_WRITE &&
	       EPT_EXEC == MON_ENCLAVE_EXEC, "permissions");
_Static_assert(DOM_FIRST_ENCLAVE == MON_DOMAIN_ENCLAVE, "domains");
_Static_assert(VM_RELEASE_MAX == MON_ENCLAVE_TRIM_MAX, "limits");
_Static_assert(VM_RELEASE_MAX == MON_ENCLAVE_PROTECT_MAX, "limits");

#define TEARDOWN_FRAMES 512
#define STACK_SIZE_MIN (4 * PAGE_SIZE)
#define TABLE_PAGES 2

/* Entries of a page table (SDM 4.5). Accessed and dirty already: no CPU ever writes to it. */
#define PTE_TABLE (BIT(0) | BIT(1) | BIT(2) | BIT(5))
#define PTE_LEAF (PTE_TABLE | BIT(6) | BIT(7))
#define GB_SHIFT 30

static struct enclave *enclaves[ENCLAVE_MAX];
static struct spinlock enclaves_lock;
static u64 last_serial;

struct enclave *enclave_of(u64 domain)
{
	if (domain < MON_DOMAIN_ENCLAVE || domain >= DOM_LIMIT)
		return NULL;
	return READ_ONCE(enclaves[domain - MON_DOMAIN_ENCLAVE]);
}

/* ---- policy ---- */

static bool stacks_ok(const struct mon_enclave_policy *p, u64 start, u64 end)
{
	return p->stacks >= start && p->stacks < end &&
	       p->stack_size <= (end - p->stacks) / p->nr_threads;
}

static bool numbers_ok(const struct mon_enclave_policy *p)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(p->reserved); i++)
		if (p->reserved[i])
			return false;
	return p->version == MON_ENCLAVE_POLICY_VERSION && !(p->flags & ~MON_ENCLAVE_DEBUG) &&
	       p->nr_threads &&
	       p->nr_threads <= MON_ENCLAVE_MAX_THREADS && p->nr_ranges &&
	       p->nr_ranges <= MON_ENCLAVE_MAX_RANGES && p->stack_size >= STACK_SIZE_MIN &&
	       IS_ALIGNED(p->stacks | p->stack_size, PAGE_SIZE);
}

static bool range_ok(const struct mon_enclave_policy *p, u32 i, u64 before)
{
	u64 start = p->range[i].start, end = p->range[i].end;
	u32 type = p->range[i].type;

	if (start < before || start >= end || end > MON_ENCLAVE_HIGH ||
	    !IS_ALIGNED(start | end, PAGE_SIZE) || p->range[i].reserved)
		return false;
	if (type == MON_ENCLAVE_BUFFER)
		return (end - start) >> PAGE_SHIFT <= MON_ENCLAVE_BUFFER_PAGES_MAX;
	return type == MON_ENCLAVE_PAGES || type == MON_ENCLAVE_ZERO || type == MON_ENCLAVE_SHARED;
}

static u32 range_type(const struct mon_enclave_policy *p, u64 address)
{
	u32 i;

	for (i = 0; i < p->nr_ranges; i++)
		if (address >= p->range[i].start && address < p->range[i].end)
			return p->range[i].type;
	return 0;
}

static bool policy_ok(const struct mon_enclave_policy *p)
{
	u64 before = MON_ENCLAVE_LOW;
	u32 i, buffers = 0, stacks = 0;

	if (!numbers_ok(p))
		return false;
	for (i = 0; i < p->nr_ranges; i++) {
		if (!range_ok(p, i, before))
			return false;
		before = p->range[i].end;
		buffers += p->range[i].type == MON_ENCLAVE_BUFFER;
		stacks += p->range[i].type == MON_ENCLAVE_ZERO &&
			  stacks_ok(p, p->range[i].start, p->range[i].end);
	}
	for (; i < MON_ENCLAVE_MAX_RANGES; i++)
		if (p->range[i].start || p->range[i].end || p->range[i].type ||
		    p->range[i].reserved)
			return false;
	return buffers <= 1 && stacks == 1 && range_type(p, p->entry) == MON_ENCLAVE_PAGES &&
	       (!p->handler || range_type(p, p->handler) == MON_ENCLAVE_PAGES);
}

/* The most that it can own. */
static u64 policy_pages(const struct mon_enclave_policy *p)
{
	u64 pages = TABLE_PAGES;
	u32 i;

	for (i = 0; i < p->nr_ranges; i++)
		if (p->range[i].type == MON_ENCLAVE_PAGES ||
		    p->range[i].type == MON_ENCLAVE_ZERO)
			pages += (p->range[i].end - p->range[i].start) >> PAGE_SHIFT;
	return pages;
}

/* ---- memory ---- */

u32 enclave_range(const struct enclave *e, u64 address)
{
	return range_type(&e->policy, address);
}

/* The lowest page of each stack: one that grows too far ends there, and not in another's. */
static bool is_guard(const struct enclave *e, u64 address)
{
	u64 offset = address - e->policy.stacks;

	return address >= e->policy.stacks &&
	       offset < e->policy.nr_threads * e->policy.stack_size &&
	       offset % e->policy.stack_size < PAGE_SIZE;
}

bool enclave_shares(const struct enclave *e, u64 address, u64 pages)
{
	return e->shared && share_covers(e->id, address >> PAGE_SHIFT, pages);
}

static int touch_locked(struct enclave *e, u64 address)
{
	u32 type = enclave_range(e, address);
	u64 pfn;
	int err;

	if (type == MON_ENCLAVE_SHARED) {
		err = share_touch(e->id, address);
		/* The owner's limit is not for this one's process to see to. */
		return err == NPT_EQUOTA ? NPT_EOWNER : err;
	}
	if (enclave_evicted(e, address))
		return NPT_EBUSY;
	if (type != MON_ENCLAVE_ZERO || is_guard(e, address))
		return NPT_EOWNER;
	return vm_npt_touch(&e->npt, e->id, ALIGN_DOWN(address, PAGE_SIZE),
			    enclave_perm(e, address), &pfn);
}

int enclave_touch(struct enclave *e, u64 address)
{
	int err;

	spin_lock(&e->lock);
	err = touch_locked(e, address);
	spin_unlock(&e->lock);
	/* Another thread was first, or it is there. */
	return err == NPT_EEXIST ? NPT_OK : err;
}

void *enclave_bytes(struct enclave *e, u64 address, u64 len, int *err)
{
	u64 offset = address & (PAGE_SIZE - 1), pfn;

	*err = NPT_EOWNER;
	if (!IS_ALIGNED(address, 8) || offset + len > PAGE_SIZE)
		return NULL;
	*err = enclave_touch(e, address);
	if (*err)
		return NULL;
	/* What it may not write to, nobody does for it. Or another thread has given it back. */
	pfn = vm_npt_usable(&e->npt, e->id, address, EPT_WRITE);
	if (pfn == INVALID_PFN)
		*err = NPT_EOWNER;
	return *err ? NULL : (u8 *)frame_ptr(pfn) + offset;
}

/* ---- create ---- */

/* One entry of the top table, and one for each GiB below it: addresses stay what they are. */
static int tables_make(struct enclave *e)
{
	u64 *table[TABLE_PAGES], pfn, i;
	int err;

	for (i = 0; i < TABLE_PAGES; i++) {
		err = vm_npt_touch(&e->npt, e->id, ENCLAVE_TABLES + i * PAGE_SIZE, EPT_READ, &pfn);
		if (err)
			return err;
		table[i] = frame_ptr(pfn);
	}
	table[0][0] = (ENCLAVE_TABLES + PAGE_SIZE) | PTE_TABLE;
	for (i = 0; i < MON_ENCLAVE_HIGH >> GB_SHIFT; i++)
		table[1][i] = i << GB_SHIFT | PTE_LEAF;
	return NPT_OK;
}

static struct enclave *enclave_alloc(void)
{
	struct enclave *e = NULL;
	u64 pfn = INVALID_PFN;

	spin_lock(&npt_lock);
	if (frame_state_count(FRAME_FREE) > NPT_POOL_RESERVE)
		pfn = frame_get(FRAME_STATE);
	spin_unlock(&npt_lock);
	if (pfn != INVALID_PFN) {
		e = frame_ptr(pfn);
		e->pfn = pfn;
	}
	return e;
}

static void enclave_free(struct enclave *e)
{
	spin_lock(&npt_lock);
	frame_retire(e->pfn);
	spin_unlock(&npt_lock);
}

static int space_make(struct enclave *e, u64 limit)
{
	int err = vm_npt_create(&e->npt);

	if (err)
		return err;
	vm_npt_limit(&e->npt, limit);
	err = tables_make(e);
	/* Nobody was in it: a table or two, and what is below them. */
	while (err && !vm_npt_teardown(&e->npt, e->id, TEARDOWN_FRAMES))
		;
	return err;
}

static s64 create_locked(const struct mon_enclave_make *make)
{
	struct enclave *e;
	u32 slot;

	for (slot = 0; slot < ENCLAVE_MAX && enclaves[slot]; slot++)
		;
	if (slot == ENCLAVE_MAX)
		return -MON_ENOMEM;
	e = enclave_alloc();
	if (!e)
		return -MON_ENOMEM;
	e->id = MON_DOMAIN_ENCLAVE + slot;
	e->serial = ++last_serial;
	e->evict_next = MON_ENCLAVE_LOW;
	e->host_cr3 = make->host_cr3 & CR3_PROCESS;
	e->policy = make->policy;
	if (space_make(e, make->limit)) {
		enclave_free(e);
		return -MON_ENOMEM;
	}
	sha256_init(&e->hash);
	sha256_update(&e->hash, &e->policy, sizeof(e->policy));
	WRITE_ONCE(enclaves[slot], e);
	return e->id;
}

s64 enclave_create(const struct mon_enclave_make *make)
{
	s64 id;

	if (!enclaves_possible())
		return -MON_ENOSYS;
	if (!policy_ok(&make->policy) || make->limit < TABLE_PAGES ||
	    make->limit > policy_pages(&make->policy))
		return -MON_EINVAL;
	if (!domain_begin())
		return -MON_EBUSY;
	spin_lock(&enclaves_lock);
	id = create_locked(make);
	spin_unlock(&enclaves_lock);
	if (id < 0)
		domain_end();
	return id;
}

/* ---- build ---- */

/* The host can write to its page meanwhile: what is measured is the copy. */
static s64 add_locked(struct enclave *e, u64 address, u64 perm, const void *host_page)
{
	u8 *page;
	u64 pfn;
	int err;

	if (e->state != MON_ENCLAVE_BUILDING)
		return -MON_EBUSY;
	err = vm_npt_touch(&e->npt, e->id, address, perm, &pfn);
	if (err)
		return npt_to_errno(err);
	page = frame_ptr(pfn);
	memcpy(page, host_page, PAGE_SIZE);
	sha256_update(&e->hash, &address, sizeof(address));
	sha256_update(&e->hash, &perm, sizeof(perm));
	sha256_update(&e->hash, page, PAGE_SIZE);
	return 0;
}

s64 enclave_add(u64 domain, u64 address, u64 perm, const void *host_page)
{
	struct enclave *e = enclave_of(domain);
	s64 err;

	if (!e)
		return -MON_ENOENT;
	/* To execute only is not on all CPUs. */
	if (enclave_range(e, address) != MON_ENCLAVE_PAGES || !(perm & EPT_READ))
		return -MON_EINVAL;
	spin_lock(&e->lock);
	err = add_locked(e, address, perm, host_page);
	spin_unlock(&e->lock);
	return err;
}

u64 enclave_buffer_range(const struct enclave *e, u64 *pages)
{
	u64 start;
	u32 i;

	*pages = 0;
	for (i = 0; i < e->policy.nr_ranges; i++) {
		if (e->policy.range[i].type != MON_ENCLAVE_BUFFER)
			continue;
		start = e->policy.range[i].start;
		*pages = (e->policy.range[i].end - start) >> PAGE_SHIFT;
		return start;
	}
	return 0;
}

s64 enclave_buffer(u64 domain, u64 page, u64 pfn)
{
	struct enclave *e = enclave_of(domain);
	s64 err = -MON_EBUSY;
	u64 address, pages;

	if (!e)
		return -MON_ENOENT;
	address = enclave_buffer_range(e, &pages) + (page << PAGE_SHIFT);
	if (page >= pages)
		return -MON_EINVAL;
	spin_lock(&e->lock);
	if (e->state == MON_ENCLAVE_BUILDING)
		err = npt_to_errno(vm_npt_borrow(&e->npt, address, pfn));
	spin_unlock(&e->lock);
	return err;
}

static s64 finish_locked(struct enclave *e)
{
	u32 i;

	if (e->state != MON_ENCLAVE_BUILDING)
		return -MON_EBUSY;
	for (i = 0; i < e->policy.nr_threads; i++) {
		if (!e->thread[i])
			e->thread[i] = thread_new(e, i);
		if (!e->thread[i])
			return -MON_ENOMEM;
	}
	sha256_final(&e->hash, e->measurement);
	e->state = MON_ENCLAVE_READY;
	return 0;
}

s64 enclave_finish(u64 domain)
{
	struct enclave *e = enclave_of(domain);
	s64 err;

	if (!e)
		return -MON_ENOENT;
	spin_lock(&e->lock);
	err = finish_locked(e);
	spin_unlock(&e->lock);
	return err;
}

/* ---- destroy, status ---- */

bool enclave_idle(const struct enclave *e)
{
	u32 i;

	for (i = 0; i < e->policy.nr_threads; i++)
		if (e->thread[i] && !thread_idle(e->thread[i]))
			return false;
	return true;
}

/*
 * One step: no thread is entered any more, then no CPU has it, then what it shares ends, then its
 * frames go, and it.
 */
static s64 destroy_step(struct enclave *e)
{
	u32 i;

	spin_lock(&e->lock);
	if (e->state != MON_ENCLAVE_DYING) {
		e->state = MON_ENCLAVE_DYING;
		e->dying_epoch = epoch_now();
	}
	spin_unlock(&e->lock);
	if (!enclave_idle(e) || !epoch_passed(e->dying_epoch))
		return -MON_EAGAIN;
	if (!share_drop(e->id))
		return -MON_EAGAIN;
	if (!vm_npt_teardown(&e->npt, e->id, TEARDOWN_FRAMES))
		return -MON_EAGAIN;
	for (i = 0; i < e->policy.nr_threads; i++)
		if (e->thread[i])
			thread_free(e->thread[i]);
	WRITE_ONCE(enclaves[e->id - MON_DOMAIN_ENCLAVE], NULL);
	enclave_free(e);
	domain_end();
	return 0;
}

s64 enclave_destroy(u64 domain)
{
	struct enclave *e;
	s64 err;

	spin_lock(&enclaves_lock);
	e = enclave_of(domain);
	err = e ? destroy_step(e) : -MON_ENOENT;
	spin_unlock(&enclaves_lock);
	spin_lock(&npt_lock);
	epoch_reap(TEARDOWN_FRAMES);
	spin_unlock(&npt_lock);
	return err;
}

s64 enclave_status(u64 domain, struct mon_enclave_status *status)
{
	struct enclave *e = enclave_of(domain);

	if (!e)
		return -MON_ENOENT;
	spin_lock(&e->lock);
	status->state = e->state;
	status->nr_threads = e->policy.nr_threads;
	status->flags = e->policy.flags;
	status->faulted = e->faulted;
	status->owned = READ_ONCE(e->npt.owned);
	status->limit = READ_ONCE(e->npt.limit);
	status->entries = e->entries;
	status->faults = e->faults;
	status->evicted = e->evicted;
	memcpy(status->measurement, e->measurement, sizeof(status->measurement));
	spin_unlock(&e->lock);
	return 0;
}

s64 enclave_refill(u64 domain, u64 frames)
{
	struct enclave *e = enclave_of(domain);

	if (!e)
		return -MON_ENOENT;
	if (vm_npt_refill(&e->npt, frames, policy_pages(&e->policy) + READ_ONCE(e->records)))
		return -MON_EINVAL;
	return 0;
}

static s64 peek_registers(struct enclave *e, u64 index, void *host_page)
{
	struct mon_enclave_registers registers = { 0 };
	s64 err = -MON_EINVAL;

	spin_lock(&e->lock);
	if (e->state == MON_ENCLAVE_READY && index < e->policy.nr_threads)
		err = thread_registers(e->thread[index], &registers) ? 0 : -MON_EBUSY;
	spin_unlock(&e->lock);
	if (err)
		return err;
	memset(host_page, 0, PAGE_SIZE);
	memcpy(host_page, &registers, sizeof(registers));
	return 0;
}

/* Its measurement says that the host may do so; its keys are others than without. */
s64 enclave_peek(u64 domain, u64 address, void *host_page, bool write)
{
	struct enclave *e = enclave_of(domain);
	u64 pfn;

	if (!e)
		return -MON_ENOENT;
	if (!(e->policy.flags & MON_ENCLAVE_DEBUG))
		return -MON_EPERM;
	if (!IS_ALIGNED(address, PAGE_SIZE) || (write && address >= MON_ENCLAVE_REGISTERS))
		return -MON_EINVAL;
	if (address >= MON_ENCLAVE_REGISTERS)
		return peek_registers(e, (address - MON_ENCLAVE_REGISTERS) >> PAGE_SHIFT,
				      host_page);
	pfn = vm_npt_lookup(&e->npt, e->id, address);
	if (pfn == INVALID_PFN)
		return -MON_EFAULT;
	if (write)
		memcpy(frame_ptr(pfn), host_page, PAGE_SIZE);
	else
		memcpy(host_page, frame_ptr(pfn), PAGE_SIZE);
	return 0;
}
