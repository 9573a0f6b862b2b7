// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private spaces of protected domains: wiped frames of the pool, each at one guest
 * page; what they give back, and what they borrow of the host's.
 */
#include "internal.h"

int vm_npt_create(struct npt *npt)
{
	int err = NPT_EPOOL;

	spin_lock(&npt_lock);
	epoch_reap(NPT_REAP_BUDGET);
	if (pool_has(1))
		err = npt_create(npt, 1);
	if (!err)
		npt->limit = ~0ULL;
	spin_unlock(&npt_lock);
	return err;
}

static bool perm_ok(u64 perm)
{
	return perm && !(perm & ~EPT_RWX) && (perm & (EPT_READ | EPT_WRITE)) != EPT_WRITE;
}

/* May a page come there? It takes so many tables. */
static int page_check(const struct npt *npt, u64 gpa, u64 perm, u64 *tables)
{
	struct npt_leaf leaf;

	if (npt->root == INVALID_PFN)
		return NPT_EDOMAIN;
	if (!IS_ALIGNED(gpa, PAGE_SIZE))
		return NPT_EALIGN;
	if (gpa >= NPT_LIMIT)
		return NPT_ERANGE;
	if (!perm_ok(perm))
		return NPT_EINVAL;
	leaf = npt_walk(npt, gpa);
	if (leaf.entry)
		return NPT_EEXIST;
	*tables = leaf.level - 1;
	return NPT_OK;
}

static int touch_locked(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn)
{
	u64 tables;
	int err = page_check(npt, gpa, perm, &tables);

	if (err)
		return err;
	epoch_reap(NPT_REAP_BUDGET);
	if (npt->owned >= npt->limit)
		return NPT_EQUOTA;
	if (!pool_has(tables + 1))
		return NPT_EPOOL;
	*pfn = frame_get_private(dom, gpa >> PAGE_SHIFT);
	/* WB whatever the guest's PAT says: no device sees the page uncached. */
	err = npt_map(npt, gpa,
		      perm | MT_WB << EPT_MEMTYPE_SHIFT | EPT_IPAT | *pfn << PAGE_SHIFT, 1);
	MONITOR_BUG_ON(err);
	npt->owned++;
	return NPT_OK;
}

int vm_npt_touch(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn)
{
	int err;

	if (dom < DOM_FIRST_VM || dom >= DOM_LIMIT)
		return NPT_EDOMAIN;
	spin_lock(&npt_lock);
	err = touch_locked(npt, dom, gpa, perm, pfn);
	spin_unlock(&npt_lock);
	return err;
}

int vm_map_host(struct npt *npt, u64 gpa, u64 pfn, u64 perm)
{
	u64 pa = pfn << PAGE_SHIFT;
	int err;

	if (!host_owns(pa, PAGE_SIZE))
		return NPT_EOWNER;
	if (!pool_has(npt_map_cost(npt, gpa, 1)))
		return NPT_EPOOL;
	err = frame_pin(pfn);
	if (err)
		return err;
	err = npt_map(npt, gpa, pa | perm | MT_WB << EPT_MEMTYPE_SHIFT | EPT_IPAT, 1);
	MONITOR_BUG_ON(err);
	return NPT_OK;
}

int vm_npt_borrow(struct npt *npt, u64 gpa, u64 pfn)
{
	u64 perm = EPT_READ | EPT_WRITE, tables;
	int err;

	if (pfn >= frame_count())
		return NPT_EOWNER;
	spin_lock(&npt_lock);
	err = page_check(npt, gpa, perm, &tables);
	if (!err)
		err = vm_map_host(npt, gpa, pfn, perm);
	spin_unlock(&npt_lock);
	return err;
}

/* The reverse map has to agree: a frame backs one page of one domain. */
static bool is_private(u64 pfn, u32 dom, u64 gpa)
{
	struct frame f = frame_get_info(pfn);

	return f.state == FRAME_PRIVATE && f.owner == dom && f.gfn == gpa >> PAGE_SHIFT;
}

static u64 lookup_locked(const struct npt *npt, u32 dom, u64 gpa, u64 perm)
{
	u64 pfn = INVALID_PFN;
	struct npt_leaf leaf;

	if (npt->root == INVALID_PFN)
		return INVALID_PFN;
	leaf = npt_walk(npt, gpa);
	if (leaf.entry && !(perm & ~leaf.entry))
		pfn = (leaf.entry & EPT_ADDR) >> PAGE_SHIFT;
	return is_private(pfn, dom, gpa) ? pfn : INVALID_PFN;
}

u64 vm_npt_usable(struct npt *npt, u32 dom, u64 gpa, u64 perm)
{
	u64 pfn;

	spin_lock(&npt_lock);
	pfn = lookup_locked(npt, dom, gpa, perm);
	spin_unlock(&npt_lock);
	return pfn;
}

static bool next_locked(const struct npt *npt, u32 dom, u64 *gpa, u64 end, struct npt_leaf *leaf)
{
	u32 step;

	for (step = 0; step < VM_NEXT_STEPS && *gpa < end; step++) {
		*leaf = npt_walk(npt, *gpa);
		if (leaf->entry && is_private((leaf->entry & EPT_ADDR) >> PAGE_SHIFT, dom, *gpa))
			return true;
		*gpa = ALIGN_DOWN(*gpa, LEVEL_SIZE(leaf->level)) + LEVEL_SIZE(leaf->level);
	}
	return false;
}

bool vm_npt_next(struct npt *npt, u32 dom, u64 *gpa, u64 end, struct npt_leaf *leaf)
{
	bool found = false;

	spin_lock(&npt_lock);
	if (npt->root != INVALID_PFN)
		found = next_locked(npt, dom, gpa, end, leaf);
	spin_unlock(&npt_lock);
	return found;
}

int vm_reach(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn)
{
	*pfn = lookup_locked(npt, dom, gpa, 0);
	return *pfn == INVALID_PFN ? touch_locked(npt, dom, gpa, perm, pfn) : NPT_OK;
}

void vm_npt_limit(struct npt *npt, u64 limit)
{
	spin_lock(&npt_lock);
	npt->limit = limit;
	spin_unlock(&npt_lock);
}

int vm_npt_refill(struct npt *npt, u64 frames, u64 max)
{
	int err = NPT_ERANGE;

	spin_lock(&npt_lock);
	if (npt->limit <= max && frames <= max - npt->limit) {
		npt->limit += frames;
		err = NPT_OK;
	}
	spin_unlock(&npt_lock);
	return err;
}

/* The domain's own pages, none of them shared, or nothing: *@present of them are there. */
static int range_check(const struct npt *npt, u32 dom, u64 gpa, u64 nr, u64 *present)
{
	struct npt_leaf leaf;
	u64 pfn, i;

	if (npt->root == INVALID_PFN)
		return NPT_EDOMAIN;
	if (!IS_ALIGNED(gpa, PAGE_SIZE))
		return NPT_EALIGN;
	if (!nr || nr > VM_RELEASE_MAX || gpa >= NPT_LIMIT ||
	    nr > (NPT_LIMIT - gpa) >> PAGE_SHIFT)
		return NPT_ERANGE;
	*present = 0;
	for (i = 0; i < nr; i++, gpa += PAGE_SIZE) {
		leaf = npt_walk(npt, gpa);
		if (!leaf.entry)
			continue;
		pfn = (leaf.entry & EPT_ADDR) >> PAGE_SHIFT;
		if (!is_private(pfn, dom, gpa))
			return NPT_EOWNER;
		if (frame_get_info(pfn).shared)
			return NPT_EBUSY;
		++*present;
	}
	return NPT_OK;
}

static int release_locked(struct npt *npt, u32 dom, u64 gpa, u64 nr)
{
	u64 present, pfn, i;
	int err = range_check(npt, dom, gpa, nr, &present);

	if (err)
		return err;
	if (npt->limit < nr || npt->limit - nr < npt->owned - present)
		return NPT_EQUOTA;
	for (i = 0; i < nr; i++, gpa += PAGE_SIZE) {
		pfn = lookup_locked(npt, dom, gpa, 0);
		if (pfn == INVALID_PFN)
			continue;
		npt_zap(npt, gpa);
		frame_retire(pfn);
	}
	npt->owned -= present;
	npt->limit -= nr;
	return NPT_OK;
}

int vm_npt_release(struct npt *npt, u32 dom, u64 gpa, u64 nr)
{
	int err;

	spin_lock(&npt_lock);
	err = release_locked(npt, dom, gpa, nr);
	spin_unlock(&npt_lock);
	return err;
}

static int protect_locked(struct npt *npt, u32 dom, u64 gpa, u64 nr, u64 perm, u64 *epoch)
{
	int err = perm_ok(perm) ? NPT_OK : NPT_EINVAL;
	bool narrower = false;
	u64 present;

	if (!err)
		err = range_check(npt, dom, gpa, nr, &present);
	if (err)
		return err;
	for (; nr; nr--, gpa += PAGE_SIZE)
		if (npt_walk(npt, gpa).entry && npt_protect(npt, gpa, perm))
			narrower = true;
	if (narrower)
		*epoch = epoch_now();
	return NPT_OK;
}

int vm_npt_protect(struct npt *npt, u32 dom, u64 gpa, u64 nr, u64 perm, u64 *epoch)
{
	int err;

	spin_lock(&npt_lock);
	err = protect_locked(npt, dom, gpa, nr, perm, epoch);
	spin_unlock(&npt_lock);
	return err;
}

static void leaf_release(struct npt *npt, u64 entry, u32 dom)
{
	u64 pfn = (entry & EPT_ADDR) >> PAGE_SHIFT;
	struct frame f = frame_get_info(pfn);

	if (f.state == FRAME_HOST) {
		frame_unpin(pfn);
		return;
	}
	MONITOR_BUG_ON(f.state != FRAME_PRIVATE || f.owner != dom);
	frame_retire(pfn);
	npt->owned--;
}

/* Releases what is below a table, entry by entry, while *@budget lasts. */
static bool table_empty(struct npt *npt, u64 table, u32 level, u32 dom, u64 *budget)
{
	u64 *entries = frame_ptr(table);
	u64 i, entry, below;

	for (i = 0; i < NPT_ENTRIES; i++) {
		entry = entries[i];
		if (!entry)
			continue;
		below = (entry & EPT_ADDR) >> PAGE_SHIFT;
		if (level > 1 && !table_empty(npt, below, level - 1, dom, budget))
			return false;
		if (!*budget)
			return false;
		--*budget;
		WRITE_ONCE(entries[i], 0);
		ghost_removed(below, 1);
		if (level > 1)
			frame_retire(below);
		else
			leaf_release(npt, entry, dom);
	}
	return true;
}

bool vm_npt_teardown(struct npt *npt, u32 dom, u64 budget)
{
	bool gone;

	spin_lock(&npt_lock);
	if (npt->root != INVALID_PFN) {
		npt->generation++;
		if (table_empty(npt, npt->root, NPT_LEVELS, dom, &budget) && budget) {
			frame_retire(npt->root);
			npt->root = INVALID_PFN;
		}
	}
	gone = npt->root == INVALID_PFN;
	spin_unlock(&npt_lock);
	return gone;
}
