// SPDX-License-Identifier: GPL-2.0-only
/* Names, tags and signals of shares, and what of its memory a VM may share or give back. */
#include "grant.h"
#include "hypercall.h"

_Static_assert(EPT_READ == MON_SHARE_READ && EPT_WRITE == MON_SHARE_WRITE, "permissions");
_Static_assert(SHARE_OFFERED == (u32)MON_SHARE_OFFERED && SHARE_LIVE == (u32)MON_SHARE_LIVE &&
	       SHARE_REVOKING == (u32)MON_SHARE_REVOKING, "states of a share");
_Static_assert(SHARE_QUOTA == MON_SHARE_QUOTA && VM_RELEASE_MAX == MON_RELEASE_MAX, "limits");
_Static_assert(DOM_HOST == MON_DOMAIN_HOST && DOM_MONITOR == MON_DOMAIN_MONITOR, "domains");

#define WINDOW_FIRST (BIT(32) >> PAGE_SHIFT)

enum side { OWNER, PEER };

/**
 * struct grant - goes with the share in the same slot
 * @id: of the share; if the slot's share has another one, this is of an earlier share
 * @to: enum mon_share_to
 * @name: whom the owner has named
 * @tag: what each side tells the other
 * @signalled: by the other side, and not taken yet
 */
struct grant {
	u64 id;
	u32 to;
	struct mon_name name;
	u64 tag[2];
	u32 signalled[2];
};

static struct grant grants[SHARE_MAX];
static struct spinlock grants_lock;
static u64 waited; /* an epoch that some VM waits for, or waited */

/* ---- names ---- */

static void name_of(struct vm *vm, struct mon_name *name)
{
	vm_runtime(vm, name->runtime);
	memcpy(name->measurement, vm->measurement, sizeof(name->measurement));
}

/* An enclave's measurement is no VM's name, nor the other way round. */
static bool has_name(u32 dom, u32 to, const struct mon_name *name)
{
	const struct enclave *e = enclave_of(dom);
	struct vm *vm = vm_of_domain(dom);
	struct mon_name own;

	if (to == MON_SHARE_TO_ENCLAVE)
		return e && !memcmp(e->measurement, name->measurement, sizeof(e->measurement));
	if (!vm)
		return false;
	name_of(vm, &own);
	if (memcmp(own.measurement, name->measurement, sizeof(own.measurement)))
		return false;
	return to == MON_SHARE_TO_LAUNCH ||
	       !memcmp(own.runtime, name->runtime, sizeof(own.runtime));
}

static bool is_named(u32 dom, const struct grant *g)
{
	return has_name(dom, g->to, &g->name);
}

void grant_self(struct vm *vm, struct mon_guest_self *self)
{
	self->domain = vm->id;
	self->owned = READ_ONCE(vm->npt.owned);
	self->limit = READ_ONCE(vm->npt.limit);
	name_of(vm, &self->name);
}

/* ---- offer ---- */

/* What the VM itself may do with all of it; 0: it is not its memory, or of two kinds. */
static u32 own_perm(const struct vm *vm, u64 gfn, u64 pages)
{
	u64 limit = NPT_LIMIT >> PAGE_SHIFT;
	u32 i;

	if (!pages || gfn >= limit || pages > limit - gfn)
		return 0;
	for (i = 0; i < vm->policy.nr_ranges; i++)
		if (gfn << PAGE_SHIFT >= vm->policy.range[i].start &&
		    (gfn + pages) << PAGE_SHIFT <= vm->policy.range[i].end)
			return vm_range_perm(vm->policy.range[i].type);
	return 0;
}

/* The share is there for nobody before its grant is: both under the lock. */
static s64 offer_as(const struct share *share, const struct grant *grant)
{
	u64 id = 0;
	int err;

	spin_lock(&grants_lock);
	err = share_offer(share, &id);
	if (!err) {
		grants[share_slot(id)] = *grant;
		grants[share_slot(id)].id = id;
	}
	spin_unlock(&grants_lock);
	return err ? npt_to_errno(err) : (s64)id;
}

s64 grant_offer(struct vm *vm, const struct mon_guest_offer *offer)
{
	struct grant grant = { .to = offer->to, .name = offer->name, .tag[OWNER] = offer->tag };
	struct share share = {
		.owner = vm->id, .owner_npt = &vm->npt, .perm = offer->perm, .gfn = offer->gfn,
		.nr = offer->pages, .owner_perm = own_perm(vm, offer->gfn, offer->pages),
		.peer = offer->to == MON_SHARE_TO_HOST ? (u32)DOM_HOST : (u32)SHARE_ANY,
	};

	if (offer->to > MON_SHARE_TO_ENCLAVE || !offer->pages || !grant_is_perm(offer->perm))
		return -MON_EINVAL;
	if (offer->perm & ~share.owner_perm)
		return -MON_EPERM;
	return offer_as(&share, &grant);
}

s64 grant_enclave_offer(struct enclave *e, const struct mon_enclave_offer *offer)
{
	struct grant grant = { .to = offer->to, .name = offer->name, .tag[OWNER] = offer->tag };
	struct share share = {
		.owner = e->id, .owner_npt = &e->npt, .peer = SHARE_ANY, .perm = offer->perm,
		.owner_perm = offer->perm, .gfn = offer->address >> PAGE_SHIFT,
		.nr = offer->pages,
	};

	return offer_as(&share, &grant);
}

s64 grant_host_offer(const struct mon_host_offer *offer)
{
	struct grant grant = { .to = MON_SHARE_TO_HOST, .tag[OWNER] = offer->tag };
	struct share share = {
		.owner = DOM_HOST, .owner_npt = &host_npt, .owner_perm = EPT_RWX,
		.peer = offer->domain, .perm = offer->perm, .gfn = offer->pfn, .nr = offer->nr,
	};
	s64 id;

	if (offer->pfn >= frame_count() || offer->nr > frame_count() - offer->pfn)
		return -MON_ERANGE;
	if (!vm_hold(offer->domain))
		return -MON_ENOENT;
	id = offer_as(&share, &grant);
	vm_unhold();
	return id;
}

/* ---- accept ---- */

static bool window_valid(const struct vm *vm, u64 gfn, u64 pages)
{
	u64 start = gfn << PAGE_SHIFT, end = (gfn + pages) << PAGE_SHIFT;
	u32 i;

	if (!pages)
		return true;
	if (pages > MON_WINDOW_PAGES_MAX || gfn < WINDOW_FIRST ||
	    gfn > (NPT_LIMIT >> PAGE_SHIFT) - pages)
		return false;
	for (i = 0; i < vm->policy.nr_ranges; i++)
		if (start < vm->policy.range[i].end && vm->policy.range[i].start < end)
			return false;
	return true;
}

/*
 * A window with a share in it stays where it is. A vCPU that faults meanwhile finds
 * the old window, the new one or none.
 */
s64 grant_window(struct vm *vm, u64 gfn, u64 pages)
{
	s64 err = 0;

	if (!window_valid(vm, gfn, pages))
		return -MON_EINVAL;
	spin_lock(&grants_lock);
	if (share_covers(vm->id, vm->window_gfn, vm->window_pages)) {
		err = -MON_EBUSY;
	} else {
		WRITE_ONCE(vm->window_pages, 0);
		WRITE_ONCE(vm->window_gfn, gfn);
		WRITE_ONCE(vm->window_pages, pages);
	}
	spin_unlock(&grants_lock);
	return err;
}

/* The share with this ID and its grant, which the caller changes under grants_lock. */
static struct grant *grant_of(u64 id, struct share *share)
{
	u64 found;

	if (!share_at((u32)share_slot(id), share, &found) || found != id)
		return NULL;
	return grants[share_slot(id)].id == id ? &grants[share_slot(id)] : NULL;
}

static s64 accept_locked(struct vm *vm, u64 id, u64 gfn, u64 tag)
{
	struct share s;
	struct grant *g = grant_of(id, &s);
	int err;

	if (!g || (s.peer == SHARE_ANY ? !is_named(vm->id, g) : s.peer != vm->id))
		return -MON_ENOENT;
	if (gfn < vm->window_gfn || gfn - vm->window_gfn >= vm->window_pages ||
	    s.nr > vm->window_pages - (gfn - vm->window_gfn))
		return -MON_EINVAL;
	err = share_accept(id, vm->id, &vm->npt, gfn);
	if (!err)
		g->tag[PEER] = tag;
	return npt_to_errno(err);
}

s64 grant_accept(struct vm *vm, u64 id, u64 gfn, u64 tag)
{
	s64 err;

	spin_lock(&grants_lock);
	err = accept_locked(vm, id, gfn, tag);
	spin_unlock(&grants_lock);
	return err;
}

/* The host carries the ID: it could be of another offer than the one that is meant. */
static s64 enclave_accept_locked(struct enclave *e, const struct mon_enclave_accept *accept)
{
	struct share s;
	const struct grant *g = grant_of(accept->id, &s);

	if (!g || s.peer != SHARE_ANY || !is_named(e->id, g))
		return -MON_ENOENT;
	if (!has_name(s.owner, accept->from, &accept->name) || s.nr != accept->pages ||
	    s.perm != accept->perm || g->tag[OWNER] != accept->tag)
		return -MON_EPERM;
	return npt_to_errno(share_accept(accept->id, e->id, &e->npt,
					 accept->address >> PAGE_SHIFT));
}

s64 grant_enclave_accept(struct enclave *e, const struct mon_enclave_accept *accept)
{
	s64 err;

	spin_lock(&grants_lock);
	err = enclave_accept_locked(e, accept);
	spin_unlock(&grants_lock);
	return err;
}

s64 grant_host_accept(u64 id)
{
	return npt_to_errno(share_accept(id, DOM_HOST, &host_npt, 0));
}

s64 grant_end(u32 dom, u64 id)
{
	int err = share_end(id, dom);

	if (err == NPT_EBUSY && dom != DOM_HOST)
		WRITE_ONCE(waited, epoch_latest());
	return npt_to_errno(err);
}

bool grant_waits(void)
{
	return !epoch_passed(READ_ONCE(waited));
}

/* ---- who shares what ---- */

static bool may_see(struct vm *vm, const struct share *s, const struct grant *g)
{
	return s->owner == vm->id || s->peer == vm->id ||
	       (s->peer == SHARE_ANY && is_named(vm->id, g));
}

static void show_other(u32 dom, struct mon_guest_share *out)
{
	const struct enclave *e = enclave_of(dom);
	struct vm *vm = vm_of_domain(dom);

	out->other = dom == SHARE_ANY ? MON_DOMAIN_NONE : dom;
	if (vm)
		name_of(vm, &out->name);
	else if (e)
		memcpy(out->name.measurement, e->measurement, sizeof(e->measurement));
}

static s64 show_locked(struct vm *vm, u32 slot, struct mon_guest_share *out)
{
	struct share s;
	u64 id;

	if (!share_at(slot, &s, &id) || grants[slot].id != id || !may_see(vm, &s, &grants[slot]))
		return -MON_ENOENT;
	out->id = id;
	out->state = s.state;
	out->perm = s.perm;
	out->is_owner = s.owner == vm->id;
	out->gfn = out->is_owner ? s.gfn : s.peer_gfn;
	out->pages = s.nr;
	out->tag = grants[slot].tag[out->is_owner ? PEER : OWNER];
	show_other(out->is_owner ? s.peer : s.owner, out);
	return 0;
}

s64 grant_show(struct vm *vm, u64 slot, struct mon_guest_share *out)
{
	s64 err;

	if (slot >= SHARE_MAX)
		return -MON_ERANGE;
	spin_lock(&grants_lock);
	err = show_locked(vm, (u32)slot, out);
	spin_unlock(&grants_lock);
	return err;
}

s64 grant_host_show(u64 slot, struct mon_share_status *out)
{
	struct share s;
	u64 id;

	if (slot >= SHARE_MAX)
		return -MON_ERANGE;
	if (!share_at((u32)slot, &s, &id))
		return -MON_ENOENT;
	out->id = id;
	out->state = s.state;
	out->perm = s.perm;
	out->owner = s.owner;
	out->peer = s.peer == SHARE_ANY ? MON_DOMAIN_NONE : s.peer;
	out->pages = s.nr;
	spin_lock(&grants_lock);
	if (s.peer == DOM_HOST && grants[slot].id == id)
		out->tag = grants[slot].tag[OWNER];
	spin_unlock(&grants_lock);
	return 0;
}

/* ---- signals ---- */

/* The VM's side of a live share with another VM; NULL: it has none. */
static struct grant *grant_of_two(const struct vm *vm, u64 id, enum side *side)
{
	struct share s;
	struct grant *g = grant_of(id, &s);

	if (!g || s.state != SHARE_LIVE || !vm_of_domain(s.owner) || !vm_of_domain(s.peer) ||
	    (s.owner != vm->id && s.peer != vm->id))
		return NULL;
	*side = s.owner == vm->id ? OWNER : PEER;
	return g;
}

s64 grant_signal(const struct vm *vm, u64 id)
{
	struct grant *g;
	enum side side;

	spin_lock(&grants_lock);
	g = grant_of_two(vm, id, &side);
	if (g)
		g->signalled[side == OWNER ? PEER : OWNER] = 1;
	spin_unlock(&grants_lock);
	return g ? 0 : -MON_ENOENT;
}

s64 grant_take_signal(const struct vm *vm, u64 id)
{
	s64 was = -MON_ENOENT;
	struct grant *g;
	enum side side;

	spin_lock(&grants_lock);
	g = grant_of_two(vm, id, &side);
	if (g) {
		was = g->signalled[side];
		g->signalled[side] = 0;
	}
	spin_unlock(&grants_lock);
	return was;
}

/* ---- giving memory back ---- */

/*
 * An offer that another vCPU makes of the same pages at this moment is of pages that
 * are not there: they are made of zeros when they are touched.
 */
s64 grant_release(struct vm *vm, u64 gfn, u64 pages)
{
	int err;

	if (!pages || pages > MON_RELEASE_MAX)
		return -MON_EINVAL;
	if (own_perm(vm, gfn, pages) != EPT_RWX)
		return -MON_EPERM;
	if (share_covers(vm->id, gfn, pages))
		return -MON_EBUSY;
	err = vm_npt_release(&vm->npt, vm->id, gfn << PAGE_SHIFT, pages);
	if (err == NPT_EBUSY)
		return -MON_EBUSY;
	if (err)
		return npt_to_errno(err);
	__atomic_fetch_add(&vm->returned, pages, __ATOMIC_RELAXED);
	spin_lock(&grants_lock);
	vm->released = epoch_latest();
	spin_unlock(&grants_lock);
	return 0;
}

/*
 * All CPUs, not only those of its vCPUs: one that was between two runs of a vCPU may
 * enter the next with what it has cached in the last.
 */
s64 grant_settled(struct vm *vm)
{
	s64 err = 0;

	spin_lock(&grants_lock);
	if (!epoch_passed(vm->released)) {
		WRITE_ONCE(waited, vm->released);
		err = -MON_EAGAIN;
	}
	spin_unlock(&grants_lock);
	return err;
}
