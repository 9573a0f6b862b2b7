// SPDX-License-Identifier: GPL-2.0-only
/*
 * Extended page tables, 4 levels (SDM 29.3.2). CPUs walk them while they
 * change: an entry is written whole, and a table is filled before it is linked.
 */
#include "internal.h"

struct slot {
	u64 *entry;
	u32 level;
};

static u64 *entry_ptr(u64 table, u64 gpa, u32 level)
{
	u64 *entries = frame_ptr(table);

	return &entries[(gpa >> LEVEL_SHIFT(level)) & (NPT_ENTRIES - 1)];
}

static u64 entry_pfn(u64 entry)
{
	return (entry & EPT_ADDR) >> PAGE_SHIFT;
}

static bool is_leaf(u64 entry, u32 level)
{
	return level == 1 || (entry & EPT_LEAF);
}

static void entry_store(u64 *entry, u64 value)
{
	__atomic_store_n(entry, value, __ATOMIC_RELEASE);
}

static void entry_clear(u64 *entry, u32 level)
{
	u64 old = *entry;

	entry_store(entry, 0);
	ghost_removed(entry_pfn(old), is_leaf(old, level) ? LEVEL_SIZE(level) >> PAGE_SHIFT : 1);
}

/* The entry where the walk for @gpa ends: empty, a leaf, or at level @stop. */
static struct slot slot_find(const struct npt *npt, u64 gpa, u32 stop)
{
	struct slot s = { entry_ptr(npt->root, gpa, NPT_LEVELS), NPT_LEVELS };

	while (s.level > stop && *s.entry && !is_leaf(*s.entry, s.level)) {
		s.level--;
		s.entry = entry_ptr(entry_pfn(*s.entry), gpa, s.level);
	}
	return s;
}

int npt_create(struct npt *npt, u32 max_leaf)
{
	u64 root;

	if (!max_leaf || max_leaf >= NPT_LEVELS)
		return NPT_EINVAL;
	root = frame_get(FRAME_TABLE);
	if (root == INVALID_PFN)
		return NPT_EPOOL;
	*npt = (struct npt){ .root = root, .max_leaf = max_leaf };
	return NPT_OK;
}

struct npt_leaf npt_walk(const struct npt *npt, u64 gpa)
{
	struct slot s;

	if (gpa >= NPT_LIMIT)
		return (struct npt_leaf){ 0, NPT_LEVELS };
	s = slot_find(npt, gpa, 1);
	return (struct npt_leaf){ *s.entry, s.level };
}

u64 npt_map_cost(const struct npt *npt, u64 gpa, u32 level)
{
	struct slot s = slot_find(npt, gpa, level);

	return *s.entry ? 0 : s.level - level;
}

/* What the CPU would call misconfigured is not written (SDM 29.3.3.1). */
static int leaf_check(const struct npt *npt, u64 gpa, u64 attr, u32 level)
{
	if (!level || level > npt->max_leaf)
		return NPT_EINVAL;
	if (gpa >= NPT_LIMIT)
		return NPT_ERANGE;
	if (!IS_ALIGNED(gpa | (attr & EPT_ADDR), LEVEL_SIZE(level)))
		return NPT_EALIGN;
	if (attr & ~(EPT_RWX | EPT_MEMTYPE | EPT_IPAT | EPT_ADDR))
		return NPT_EINVAL;
	if (!(attr & EPT_RWX) || (attr & (EPT_READ | EPT_WRITE)) == EPT_WRITE)
		return NPT_EINVAL;
	if (!memtype_valid((attr & EPT_MEMTYPE) >> EPT_MEMTYPE_SHIFT))
		return NPT_EINVAL;
	return NPT_OK;
}

int npt_map(struct npt *npt, u64 gpa, u64 attr, u32 level)
{
	int err = leaf_check(npt, gpa, attr, level);
	struct slot s;
	u64 table;

	npt_assert_locked();
	if (err)
		return err;
	s = slot_find(npt, gpa, level);
	if (*s.entry)
		return NPT_EEXIST;
	if (frame_state_count(FRAME_FREE) < s.level - level)
		return NPT_EPOOL;
	while (s.level > level) {
		table = frame_get(FRAME_TABLE);
		entry_store(s.entry, table << PAGE_SHIFT | EPT_RWX);
		s.level--;
		s.entry = entry_ptr(table, gpa, s.level);
	}
	entry_store(s.entry, attr | (level > 1 ? EPT_LEAF : 0));
	return NPT_OK;
}

/* Replaces a large leaf by a table that says the same; the pool has a frame. */
static void split(struct slot s)
{
	u64 leaf = *s.entry, table = frame_get(FRAME_TABLE);
	u64 *entries, i;

	MONITOR_BUG_ON(table == INVALID_PFN);
	entries = frame_ptr(table);
	if (s.level == 2)
		leaf &= ~EPT_LEAF;
	for (i = 0; i < NPT_ENTRIES; i++)
		entries[i] = leaf + (i << LEVEL_SHIFT(s.level - 1));
	entry_store(s.entry, table << PAGE_SHIFT | EPT_RWX);
}

/*
 * Tables needed to have [@gpa, @end) in 4 KiB leaves: one in each level-2
 * block, and one more where the walk enters a block of a higher level.
 */
static u64 split_cost(const struct npt *npt, u64 gpa, u64 end)
{
	struct npt_leaf leaf;
	u64 addr, cost = 0;
	u32 level;

	for (addr = gpa; addr < end; addr = ALIGN_DOWN(addr, LEVEL_SIZE(2)) + LEVEL_SIZE(2)) {
		leaf = npt_walk(npt, addr);
		if (!leaf.entry || leaf.level == 1)
			continue;
		cost++;
		for (level = 3; level <= leaf.level; level++)
			cost += addr == gpa || IS_ALIGNED(addr, LEVEL_SIZE(level));
	}
	return cost;
}

int npt_unmap(struct npt *npt, u64 gpa, u64 len)
{
	struct slot s;
	u64 end;

	npt_assert_locked();
	if (!IS_ALIGNED(gpa | len, PAGE_SIZE))
		return NPT_EALIGN;
	if (!len || gpa >= NPT_LIMIT || len > NPT_LIMIT - gpa)
		return NPT_ERANGE;
	end = gpa + len;
	if (frame_state_count(FRAME_FREE) < split_cost(npt, gpa, end))
		return NPT_EPOOL;
	while (gpa < end) {
		s = slot_find(npt, gpa, 1);
		if (*s.entry && s.level > 1) {
			split(s);
			continue;
		}
		if (*s.entry) {
			entry_clear(s.entry, s.level);
			npt->generation++;
		}
		gpa = ALIGN_DOWN(gpa, LEVEL_SIZE(s.level)) + LEVEL_SIZE(s.level);
	}
	return NPT_OK;
}

void npt_restore(struct npt *npt, u64 gpa, u64 len, u64 attr)
{
	u64 end = gpa + len;
	struct slot s;

	npt_assert_locked();
	for (; gpa < end; gpa += PAGE_SIZE) {
		s = slot_find(npt, gpa, 1);
		MONITOR_BUG_ON(s.level != 1 || *s.entry);
		entry_store(s.entry, attr | gpa);
	}
}

void npt_zap(struct npt *npt, u64 gpa)
{
	struct slot s = slot_find(npt, gpa, 1);

	npt_assert_locked();
	if (!*s.entry)
		return;
	entry_clear(s.entry, s.level);
	npt->generation++;
}

bool npt_protect(struct npt *npt, u64 gpa, u64 perm)
{
	struct slot s = slot_find(npt, gpa, 1);
	u64 old = *s.entry;

	npt_assert_locked();
	MONITOR_BUG_ON(!old);
	entry_store(s.entry, (old & ~EPT_RWX) | perm);
	if (!(old & EPT_RWX & ~perm))
		return false;
	ghost_removed(entry_pfn(old), LEVEL_SIZE(s.level) >> PAGE_SHIFT);
	npt->generation++;
	return true;
}

static void table_release(u64 table, bool retire)
{
	if (retire)
		frame_retire(table);
	else
		frame_put(table);
}

/*
 * As npt_prune(), for one table of @level whose first entry maps @base. The
 * leaves of a 4 KiB table that goes as a whole need no look: it is the level
 * with almost all of the tables.
 */
static void prune_table(u64 table, u32 level, u64 base, u64 first, bool retire)
{
	u64 *entries = frame_ptr(table);
	u64 i, start, entry;

	for (i = 0; i < NPT_ENTRIES; i++) {
		start = base + (i << LEVEL_SHIFT(level));
		entry = entries[i];
		if (!entry || start + LEVEL_SIZE(level) <= first)
			continue;
		if (!is_leaf(entry, level) && (level > 2 || start < first))
			prune_table(entry_pfn(entry), level - 1, start, first, retire);
		if (start < first)
			continue;
		entry_clear(&entries[i], level);
		if (!is_leaf(entry, level))
			table_release(entry_pfn(entry), retire);
	}
}

void npt_prune(struct npt *npt, u64 first, bool retire)
{
	npt_assert_locked();
	prune_table(npt->root, NPT_LEVELS, 0, first, retire);
	npt->generation++;
}

void npt_destroy(struct npt *npt, bool retire)
{
	npt_prune(npt, 0, retire);
	table_release(npt->root, retire);
	npt->root = INVALID_PFN;
}
