// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT02 = EPT12 o EPT01. EPT12 is memory of the host's and may say anything,
 * and something else a moment later; EPT02 is a cache of what it said when a
 * guest last faulted, limited to what the host may reach itself.
 *
 * A walk and what it installs, and the invalidation of an INVEPT, exclude each
 * other by npt_lock: a walk that begins after an INVEPT sees the entries that
 * the host wrote before it, and what an earlier walk installed is dropped.
 */
#include "internal.h"

#ifndef EPT02_SLOTS
#define EPT02_SLOTS 16
#endif

/* EPTP, SDM 26.6.11: WB, walk length 4, no A/D, no supervisor shadow stack. */
#define EPTP_WB_4LEVEL (MT_WB | 3ULL << 3)

/**
 * struct ept02 - the composed space of one EPTP12
 * @eptp12: 0 if the slot is empty (no valid EPTP is 0)
 * @used: when it was last asked for, by a clock of ept02_get()
 * @mapped: has had a leaf since it was made
 * @npt: the tables
 */
struct ept02 {
	u64 eptp12;
	u64 used;
	bool mapped;
	struct npt npt;
};

static struct ept02 slots[EPT02_SLOTS];
static u64 lru_clock;

/* ---- EPT12 ---- */

bool ept02_eptp_valid(u64 eptp12)
{
	return (eptp12 & ~EPT_ADDR) == EPTP_WB_4LEVEL && (eptp12 & EPT_ADDR) < host_max_pa();
}

static bool ept12_is_leaf(u64 entry, u32 level)
{
	return level == 1 || (level <= host_npt.max_leaf && (entry & EPT_LEAF));
}

/* Bits that the CPU wants clear in a present entry (SDM tables 29-1 to 29-6). */
static u64 ept12_reserved(u64 entry, u32 level)
{
	u64 reserved = EPT_ADDR & ~(host_max_pa() - 1);

	if (!ept12_is_leaf(entry, level))
		return reserved | EPT_MEMTYPE | EPT_IPAT | EPT_LEAF;
	/* A leaf's address is aligned to its size. */
	return reserved | (EPT_ADDR & (LEVEL_SIZE(level) - 1));
}

/* SDM 29.3.3.1, for a present entry. */
static bool ept12_misconfigured(u64 entry, u32 level)
{
	if ((entry & (EPT_READ | EPT_WRITE)) == EPT_WRITE)
		return true;
	if (entry & ept12_reserved(entry, level))
		return true;
	return ept12_is_leaf(entry, level) &&
	       !memtype_valid((entry & EPT_MEMTYPE) >> EPT_MEMTYPE_SHIFT);
}

/*
 * In the order of SDM 29.3.3.3: at each entry not present, then misconfigured;
 * the permissions only once the leaf is found.
 */
enum ept02_verdict ept12_walk(u64 eptp12, u64 gpa, u64 access, struct npt_leaf *leaf, u64 *perm12)
{
	u64 perm = EPT_RWX, entry = eptp12;
	const u64 *ptr;
	u32 level;

	*perm12 = 0;
	if (gpa >= NPT_LIMIT)
		return EPT02_VIOLATION;
	for (level = NPT_LEVELS;; level--) {
		ptr = host_ptr((entry & EPT_ADDR) +
			       ((gpa >> LEVEL_SHIFT(level)) & (NPT_ENTRIES - 1)) * sizeof(u64),
			       sizeof(u64));
		if (!ptr)
			return EPT02_REFUSED;
		entry = READ_ONCE(*ptr);
		if (!(entry & EPT_RWX))
			return EPT02_VIOLATION;
		if (ept12_misconfigured(entry, level))
			return EPT02_MISCONFIG;
		perm &= entry;
		if (ept12_is_leaf(entry, level))
			break;
	}
	*perm12 = perm;
	if (!perm || (access & ~perm))
		return EPT02_VIOLATION;
	leaf->entry = (entry & (EPT_ADDR | EPT_MEMTYPE | EPT_IPAT)) | perm;
	leaf->level = level;
	return EPT02_RETRY;
}

/* ---- the cache ---- */

/* Another CPU may be in it: it goes through an epoch. */
static void slot_drop(struct ept02 *slot)
{
	if (!slot->eptp12)
		return;
	npt_destroy(&slot->npt, true);
	*slot = (struct ept02){ 0 };
}

void ept02_drop_all(void)
{
	u32 i;

	for (i = 0; i < EPT02_SLOTS; i++)
		slot_drop(&slots[i]);
}

void ept02_reset(void)
{
	memset(slots, 0, sizeof(slots));
}

static struct ept02 *slot_find(u64 eptp12)
{
	u32 i;

	for (i = 0; i < EPT02_SLOTS; i++) {
		if (slots[i].eptp12 == eptp12)
			return &slots[i];
	}
	return NULL;
}

/* The one not asked for the longest time, of those in use; NULL: there is none. */
static struct ept02 *slot_oldest(void)
{
	struct ept02 *oldest = NULL;
	u32 i;

	for (i = 0; i < EPT02_SLOTS; i++) {
		if (slots[i].eptp12 && (!oldest || slots[i].used < oldest->used))
			oldest = &slots[i];
	}
	return oldest;
}

static struct ept02 *slot_empty(void)
{
	struct ept02 *slot = slot_find(0);

	if (!slot) {
		slot = slot_oldest();
		slot_drop(slot);
	}
	return slot;
}

static struct ept02 *slot_get(u64 eptp12)
{
	struct ept02 *slot;

	if (!ept02_eptp_valid(eptp12))
		return NULL;
	slot = slot_find(eptp12);
	if (!slot) {
		if (!pool_has(1))
			return NULL;
		slot = slot_empty();
		if (npt_create(&slot->npt, host_npt.max_leaf))
			return NULL;
		slot->eptp12 = eptp12;
	}
	slot->used = ++lru_clock;
	return slot;
}

struct ept02 *ept02_get(u64 eptp12, u64 *eptp02)
{
	struct ept02 *slot;

	spin_lock(&npt_lock);
	epoch_reap(NPT_REAP_BUDGET);
	slot = slot_get(eptp12);
	if (slot)
		*eptp02 = slot->npt.root << PAGE_SHIFT | EPTP_WB_4LEVEL;
	spin_unlock(&npt_lock);
	return slot;
}

/*
 * A space that never had a leaf holds no translation, so of several CPUs that
 * flush for one change only the first one pays.
 */
void ept02_invalidate(u64 eptp12)
{
	u32 i;

	spin_lock(&npt_lock);
	for (i = 0; i < EPT02_SLOTS; i++) {
		if (slots[i].mapped && (!eptp12 || slots[i].eptp12 == eptp12))
			slot_drop(&slots[i]);
	}
	spin_unlock(&npt_lock);
}

/* ---- faults ---- */

/*
 * Puts @attr at @gpa with a leaf of @level, or smaller if a table is in the
 * way. A leaf that is there says what EPT12 said once; it makes room unless it
 * says the same. No epoch: both are the host's own, and until its INVEPT the
 * host has to expect either (SDM 29.4.3.2).
 */
static enum ept02_verdict ept02_install(struct ept02 *slot, u64 gpa, u64 attr, u32 level)
{
	struct npt_leaf old = npt_walk(&slot->npt, gpa);
	u64 mask;
	int err;

	level = min_u64(level, old.level);
	mask = LEVEL_SIZE(level) - 1;
	attr = (attr & ~EPT_ADDR) | (attr & EPT_ADDR & ~mask);
	if (old.level == level && (old.entry & ~EPT_LEAF) == attr)
		return EPT02_RETRY;
	if (!pool_has(old.level - level))
		return EPT02_POOL;
	npt_zap(&slot->npt, gpa);
	err = npt_map(&slot->npt, gpa & ~mask, attr, level);
	MONITOR_BUG_ON(err);
	slot->mapped = true;
	return EPT02_RETRY;
}

static enum ept02_verdict fault_locked(u64 eptp12, u64 gpa, u64 access, u64 *perm12)
{
	struct npt_leaf leaf12, leaf01;
	enum ept02_verdict verdict;
	struct ept02 *slot;
	u64 attr;
	int err;

	verdict = ept12_walk(eptp12, gpa, access, &leaf12, perm12);
	if (verdict != EPT02_RETRY)
		return verdict;
	/* The page itself, down to 4 KiB: EPT01 may have less than all of the leaf. */
	attr = leaf12.entry + (gpa & (LEVEL_SIZE(leaf12.level) - 1) & EPT_ADDR);
	err = host_reach(attr & EPT_ADDR, &leaf01);
	if (err)
		return err == NPT_EPOOL ? EPT02_POOL : EPT02_REFUSED;
	slot = slot_get(eptp12);
	if (!slot)
		return EPT02_POOL;
	return ept02_install(slot, gpa, attr, min_u64(leaf12.level, leaf01.level));
}

/*
 * A space is a cache: the one not used longest goes, be it the one that wants a frame, so
 * that guests get on with any pool. What is retired already comes first.
 */
static void make_room(void)
{
	struct ept02 *oldest = slot_oldest();

	if (oldest && !frames_retired())
		slot_drop(oldest);
}

enum ept02_verdict ept02_fault(u64 eptp12, u64 gpa, u64 access, u64 *perm12)
{
	enum ept02_verdict verdict;

	spin_lock(&npt_lock);
	epoch_reap(NPT_REAP_BUDGET);
	verdict = fault_locked(eptp12, gpa, access, perm12);
	if (verdict == EPT02_POOL)
		make_room();
	spin_unlock(&npt_lock);
	return verdict;
}
