// SPDX-License-Identifier: GPL-2.0-only
/*
 * Private spaces of protected VMs: wiped frames of the pool, each at one guest
 * page, and windows of host memory.
 */
#include "internal.h"

int vm_npt_create(struct npt *npt)
{
	int err = NPT_EPOOL;

	spin_lock(&npt_lock);
	epoch_reap(NPT_REAP_BUDGET);
	if (pool_has(1))
		err = npt_create(npt, 1);
	spin_unlock(&npt_lock);
	return err;
}

static int page_check(const struct npt *npt, u64 gpa, u64 perm)
{
	if (npt->root == INVALID_PFN)
		return NPT_EDOMAIN;
	if (!IS_ALIGNED(gpa, PAGE_SIZE))
		return NPT_EALIGN;
	if (gpa >= NPT_LIMIT)
		return NPT_ERANGE;
	if (!perm || (perm & ~EPT_RWX) || (perm & (EPT_READ | EPT_WRITE)) == EPT_WRITE)
		return NPT_EINVAL;
	if (npt_walk(npt, gpa).entry)
		return NPT_EEXIST;
	return NPT_OK;
}

static int touch_locked(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn)
{
	int err = page_check(npt, gpa, perm);

	if (err)
		return err;
	epoch_reap(NPT_REAP_BUDGET);
	if (!pool_has(npt_map_cost(npt, gpa, 1) + 1))
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

/* The reverse map has to agree: a frame backs one page of one domain. */
static bool is_private(u64 pfn, u32 dom, u64 gpa)
{
	struct frame f = frame_get_info(pfn);

	return f.state == FRAME_PRIVATE && f.owner == dom && f.gfn == gpa >> PAGE_SHIFT;
}

static u64 lookup_locked(const struct npt *npt, u32 dom, u64 gpa)
{
	u64 pfn = INVALID_PFN;
	struct npt_leaf leaf;

	if (npt->root == INVALID_PFN)
		return INVALID_PFN;
	leaf = npt_walk(npt, gpa);
	if (leaf.entry)
		pfn = (leaf.entry & EPT_ADDR) >> PAGE_SHIFT;
	return is_private(pfn, dom, gpa) ? pfn : INVALID_PFN;
}

u64 vm_npt_lookup(struct npt *npt, u32 dom, u64 gpa)
{
	u64 pfn;

	spin_lock(&npt_lock);
	pfn = lookup_locked(npt, dom, gpa);
	spin_unlock(&npt_lock);
	return pfn;
}

int vm_reach(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn)
{
	*pfn = lookup_locked(npt, dom, gpa);
	return *pfn == INVALID_PFN ? touch_locked(npt, dom, gpa, perm, pfn) : NPT_OK;
}

static int share_locked(struct npt *npt, u64 gpa, u64 hpa, u64 attr)
{
	int err = page_check(npt, gpa, attr & EPT_RWX);

	if (err)
		return err;
	if (!host_owns(hpa, PAGE_SIZE))
		return NPT_EOWNER;
	epoch_reap(NPT_REAP_BUDGET);
	if (!pool_has(npt_map_cost(npt, gpa, 1)))
		return NPT_EPOOL;
	err = frame_pin(hpa >> PAGE_SHIFT);
	if (err)
		return err;
	err = npt_map(npt, gpa, attr | hpa, 1);
	MONITOR_BUG_ON(err);
	return NPT_OK;
}

int vm_npt_share_host(struct npt *npt, u64 gpa, u64 hpa, u64 attr)
{
	int err;

	if (!IS_ALIGNED(hpa, PAGE_SIZE))
		return NPT_EALIGN;
	if (attr & ~(EPT_READ | EPT_WRITE | EPT_MEMTYPE | EPT_IPAT) ||
	    !memtype_valid((attr & EPT_MEMTYPE) >> EPT_MEMTYPE_SHIFT))
		return NPT_EINVAL;
	spin_lock(&npt_lock);
	err = share_locked(npt, gpa, hpa, attr);
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
