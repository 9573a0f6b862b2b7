// SPDX-License-Identifier: GPL-2.0-only
/* Sharing between domains: the table of shares, and what maps and unmaps their pages. */
#include "internal.h"
#include "share.h"

static struct share shares[SHARE_MAX];

_Static_assert(SHARE_MAX >> SHARE_SLOT_BITS == 0, "an ID has the slot in its low bits");

void share_init(void)
{
	memset(shares, 0, sizeof(shares));
}

static u64 id_of(const struct share *s)
{
	return (u64)s->use << SHARE_SLOT_BITS | (u64)(s - shares);
}

static struct share *share_of(u64 id)
{
	u64 slot = share_slot(id);

	if (slot >= SHARE_MAX || shares[slot].state == SHARE_FREE || id_of(&shares[slot]) != id)
		return NULL;
	return &shares[slot];
}

static bool overlap(u64 a, u64 nr_a, u64 b, u64 nr_b)
{
	return a < b + nr_b && b < a + nr_a;
}

static bool may_share(u32 dom)
{
	return dom < DOM_PEER_LIMIT && dom != DOM_MONITOR;
}

static bool range_valid(u64 gfn, u64 nr)
{
	return nr && gfn < NPT_LIMIT >> PAGE_SHIFT && nr <= (NPT_LIMIT >> PAGE_SHIFT) - gfn;
}

/* ---- offer, accept ---- */

/*
 * Is part of this in a share, of a VM's own or one that it has accepted? What it has
 * by the one kind is not for the other: the end of each takes away what it finds there.
 */
static bool covers_locked(u32 vm, u64 gfn, u64 nr)
{
	const struct share *s;

	for (s = shares; s < shares + SHARE_MAX; s++) {
		if (s->state != SHARE_FREE && s->owner == vm && overlap(s->gfn, s->nr, gfn, nr))
			return true;
		if (s->state >= SHARE_LIVE && s->peer == vm && overlap(s->peer_gfn, s->nr, gfn, nr))
			return true;
	}
	return false;
}

bool share_covers(u32 vm, u64 gfn, u64 nr)
{
	bool covers;

	spin_lock(&npt_lock);
	covers = covers_locked(vm, gfn, nr);
	spin_unlock(&npt_lock);
	return covers;
}

/*
 * The first free entry, so that walks find what there is soon, unless the owner has enough.
 * There may be more enclaves than entries: theirs are not those of VMs.
 */
static struct share *slot_for(u32 owner)
{
	struct share *slot = NULL;
	u32 i, own = 0, of_enclaves = 0;

	for (i = 0; i < SHARE_MAX; i++) {
		if (shares[i].state == SHARE_FREE) {
			if (!slot)
				slot = &shares[i];
			continue;
		}
		own += shares[i].owner == owner;
		of_enclaves += shares[i].owner >= DOM_FIRST_ENCLAVE;
	}
	if (owner >= DOM_FIRST_ENCLAVE && of_enclaves >= SHARE_ENCLAVES)
		return NULL;
	return own < SHARE_QUOTA ? slot : NULL;
}

static int offer_check(const struct share *offer)
{
	if (!may_share(offer->owner) || offer->owner == offer->peer)
		return NPT_EDOMAIN;
	if (offer->peer != SHARE_ANY && !may_share(offer->peer))
		return NPT_EDOMAIN;
	if (offer->perm != EPT_READ && offer->perm != (EPT_READ | EPT_WRITE))
		return NPT_EINVAL;
	if (offer->perm & ~offer->owner_perm)
		return NPT_EINVAL;
	if (!range_valid(offer->gfn, offer->nr))
		return NPT_ERANGE;
	return NPT_OK;
}

static int offer_locked(const struct share *offer, u64 *id)
{
	struct share *s;
	u32 use;

	if (offer->owner != DOM_HOST && covers_locked(offer->owner, offer->gfn, offer->nr))
		return NPT_EEXIST;
	s = slot_for(offer->owner);
	if (!s)
		return NPT_EQUOTA;
	use = s->use + 1;
	*s = (struct share){
		.state = SHARE_OFFERED, .owner = offer->owner, .peer = offer->peer,
		.perm = offer->perm, .owner_perm = offer->owner_perm, .use = use,
		.owner_npt = offer->owner_npt, .gfn = offer->gfn, .nr = offer->nr,
	};
	*id = id_of(s);
	return NPT_OK;
}

int share_offer(const struct share *offer, u64 *id)
{
	int err = offer_check(offer);

	if (err)
		return err;
	spin_lock(&npt_lock);
	err = offer_locked(offer, id);
	spin_unlock(&npt_lock);
	return err;
}

/* What is offered to a VM by its name is never the host's. */
static bool offered_to(const struct share *s, u32 peer)
{
	return s->peer == SHARE_ANY ? peer != DOM_HOST : s->peer == peer;
}

static int accept_locked(u64 id, u32 peer, struct npt *peer_npt, u64 gfn)
{
	struct share *s = share_of(id);

	if (!s)
		return NPT_ENOENT;
	if (!may_share(peer) || peer == s->owner || !offered_to(s, peer))
		return NPT_EDOMAIN;
	if (s->state != SHARE_OFFERED)
		return NPT_ESTATE;
	if (peer != DOM_HOST && !range_valid(gfn, s->nr))
		return NPT_ERANGE;
	if (peer != DOM_HOST && covers_locked(peer, gfn, s->nr))
		return NPT_EEXIST;
	s->state = SHARE_LIVE;
	s->peer = peer;
	s->peer_npt = peer_npt;
	s->peer_gfn = gfn;
	return NPT_OK;
}

int share_accept(u64 id, u32 peer, struct npt *peer_npt, u64 gfn)
{
	int err;

	spin_lock(&npt_lock);
	err = accept_locked(id, peer, peer_npt, gfn);
	spin_unlock(&npt_lock);
	return err;
}

/* ---- the peer touches a page ---- */

static int map_from_vm(const struct share *s, u64 index, u64 gpa)
{
	u64 pfn;
	int err;

	/* Also for the owner's page and its tables, if it has not touched it yet. */
	if (!pool_has(npt_map_cost(s->peer_npt, gpa, 1) + NPT_LEVELS))
		return NPT_EPOOL;
	err = vm_reach(s->owner_npt, s->owner, (s->gfn + index) << PAGE_SHIFT, s->owner_perm, &pfn);
	if (err)
		return err;
	err = frame_share(pfn, s->peer, s->perm & EPT_WRITE);
	MONITOR_BUG_ON(err);
	err = npt_map(s->peer_npt, gpa,
		      pfn << PAGE_SHIFT | s->perm | MT_WB << EPT_MEMTYPE_SHIFT | EPT_IPAT, 1);
	MONITOR_BUG_ON(err);
	return NPT_OK;
}

static int touch_locked(u32 peer, u64 gpa)
{
	u64 gfn = gpa >> PAGE_SHIFT, index;
	const struct share *s;
	u32 i;

	for (i = 0; i < SHARE_MAX; i++) {
		s = &shares[i];
		if (s->state != SHARE_LIVE || s->peer != peer || gfn < s->peer_gfn ||
		    gfn - s->peer_gfn >= s->nr)
			continue;
		if (npt_walk(s->peer_npt, gpa).entry)
			return NPT_EEXIST;
		epoch_reap(NPT_REAP_BUDGET);
		index = gfn - s->peer_gfn;
		gpa = gfn << PAGE_SHIFT;
		if (s->owner == DOM_HOST)
			return vm_map_host(s->peer_npt, gpa, s->gfn + index, s->perm);
		return map_from_vm(s, index, gpa);
	}
	return NPT_ENOENT;
}

int share_touch(u32 peer, u64 gpa)
{
	int err;

	if (peer == DOM_HOST || gpa >= NPT_LIMIT)
		return NPT_ENOENT;
	spin_lock(&npt_lock);
	err = touch_locked(peer, gpa);
	spin_unlock(&npt_lock);
	return err;
}

static int touch_host_locked(u64 id, u64 index, u64 *pfn)
{
	const struct share *s = share_of(id);
	int err;

	if (!s)
		return NPT_ENOENT;
	if (s->peer != DOM_HOST)
		return NPT_EDOMAIN;
	if (s->state != SHARE_LIVE)
		return NPT_ESTATE;
	if (index >= s->nr)
		return NPT_ERANGE;
	epoch_reap(NPT_REAP_BUDGET);
	err = vm_reach(s->owner_npt, s->owner, (s->gfn + index) << PAGE_SHIFT, s->owner_perm, pfn);
	if (err || frame_get_info(*pfn).shared)
		return err;
	err = host_map_shared(*pfn, s->perm & EPT_WRITE);
	if (err)
		return err;
	err = frame_share(*pfn, DOM_HOST, s->perm & EPT_WRITE);
	MONITOR_BUG_ON(err);
	return NPT_OK;
}

int share_touch_host(u64 id, u64 index, u64 *pfn)
{
	int err;

	spin_lock(&npt_lock);
	err = touch_host_locked(id, index, pfn);
	spin_unlock(&npt_lock);
	return err;
}

/* ---- the end of a share ---- */

/* Pages from @index on that one empty entry, found at this level, stands for. */
static u64 skipped(u64 gfn, u64 index, u32 level)
{
	u64 at = (gfn + index) << PAGE_SHIFT;

	return (ALIGN_DOWN(at, LEVEL_SIZE(level)) + LEVEL_SIZE(level) - at) >> PAGE_SHIFT;
}

static void unmap_one(const struct share *s, u64 gpa, u64 pfn)
{
	if (s->peer == DOM_HOST)
		host_unmap_shared(pfn);
	else
		npt_zap(s->peer_npt, gpa);
	if (s->owner == DOM_HOST)
		frame_unpin(pfn);
	else
		frame_unshare(pfn);
	ghost_share_cut((u32)(s - shares));
}

/*
 * Takes away the peer's leaf for page @cursor, if there is one. The host has
 * leaves where the owner has them. Returns the pages done.
 */
static u64 unmap_next(const struct share *s)
{
	bool host = s->peer == DOM_HOST;
	u64 gfn = host ? s->gfn : s->peer_gfn, gpa = (gfn + s->cursor) << PAGE_SHIFT;
	struct npt_leaf leaf = npt_walk(host ? s->owner_npt : s->peer_npt, gpa);
	u64 pfn = (leaf.entry & EPT_ADDR) >> PAGE_SHIFT;

	if (!leaf.entry)
		return skipped(gfn, s->cursor, leaf.level);
	if (!host || frame_get_info(pfn).shared)
		unmap_one(s, gpa, pfn);
	return 1;
}

/* True: the entry is FREE. The epoch is opened behind the last removal. */
static bool revoke_step(struct share *s)
{
	u32 budget;

	if (s->state == SHARE_LIVE) {
		s->state = SHARE_REVOKING;
		s->cursor = 0;
		s->epoch = 0;
	}
	if (s->state == SHARE_REVOKING) {
		for (budget = SHARE_STEP; budget && s->cursor < s->nr; budget--)
			s->cursor += unmap_next(s);
		if (s->cursor < s->nr)
			return false;
		if (!s->epoch)
			s->epoch = epoch_now();
		if (!epoch_passed(s->epoch))
			return false;
		ghost_share_over((u32)(s - shares));
	}
	s->state = SHARE_FREE;
	return true;
}

static int end_locked(u64 id, u32 by)
{
	struct share *s = share_of(id);

	if (!s)
		return NPT_ENOENT;
	if (by != s->owner && (by != s->peer || s->state == SHARE_OFFERED))
		return NPT_EDOMAIN;
	return revoke_step(s) ? NPT_OK : NPT_EBUSY;
}

int share_end(u64 id, u32 by)
{
	int err;

	spin_lock(&npt_lock);
	err = end_locked(id, by);
	spin_unlock(&npt_lock);
	return err;
}

/* An offer to @dom that was not accepted goes, too: the number can be another's later. */
bool share_drop(u32 dom)
{
	bool more = false;
	u32 i;

	spin_lock(&npt_lock);
	for (i = 0; i < SHARE_MAX && !more; i++) {
		if (shares[i].state != SHARE_FREE &&
		    (shares[i].owner == dom || shares[i].peer == dom))
			more = !revoke_step(&shares[i]);
	}
	spin_unlock(&npt_lock);
	return !more;
}

bool share_at(u32 slot, struct share *copy, u64 *id)
{
	bool used;

	if (slot >= SHARE_MAX)
		return false;
	spin_lock(&npt_lock);
	*copy = shares[slot];
	*id = id_of(&shares[slot]);
	used = copy->state != SHARE_FREE;
	spin_unlock(&npt_lock);
	return used;
}
