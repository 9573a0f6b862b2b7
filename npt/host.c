// SPDX-License-Identifier: GPL-2.0-only
/*
 * EPT01, the host's space: every address is its own, less what the host gave
 * away. In it are exactly the HOST frames and the holes of the ownership
 * table, and above the table the MMIO that the host has touched.
 */
#include "internal.h"
#include "share.h"

struct npt host_npt;

static struct npt_config config;
static u64 mmio_tables; /* made by host_reach() and not recycled since */
static u64 lend_epoch;	/* opened behind the junk frame that was taken away last */

u64 host_max_pa(void)
{
	return config.max_pa;
}

static u64 table_end(void)
{
	return frame_count() << PAGE_SHIFT;
}

static u64 mmio_end(void)
{
	return min_u64(config.max_pa, NPT_LIMIT);
}

static bool host_state(u32 state)
{
	return state == FRAME_HOST || state == FRAME_HOLE;
}

/* RWX, IPAT clear: EPT says what the MTRRs said, and the host's PAT has its say too. */
static bool leaf_attr(u64 pa, u32 level, u64 *attr)
{
	bool uniform;
	u32 type;

	uniform = mtrr_type(&config.mtrr, pa, LEVEL_SIZE(level), &type);
	*attr = EPT_RWX | (u64)type << EPT_MEMTYPE_SHIFT | pa;
	return uniform;
}

/* Is the block RAM of the host throughout, or a hole throughout? */
static bool block_one_kind(u64 pa, u64 size)
{
	u64 pfn = pa >> PAGE_SHIFT, end = (pa + size) >> PAGE_SHIFT;
	u32 state = frame_get_info(pfn).state;

	if (end > frame_count() || !host_state(state))
		return false;
	while (++pfn < end) {
		if (frame_get_info(pfn).state != state)
			return false;
	}
	return true;
}

/*
 * The level of the largest leaf that begins at @pa, 0 if the frame is not the
 * host's; @attr: what to map.
 */
static u32 ram_level(u64 pa, u64 *attr)
{
	u32 level;

	for (level = config.max_leaf; level; level--) {
		if (!IS_ALIGNED(pa, LEVEL_SIZE(level)))
			continue;
		if (leaf_attr(pa, level, attr) && block_one_kind(pa, LEVEL_SIZE(level)))
			break;
	}
	return level;
}

/*
 * Tables below the root that build() takes: a block of level n + 1 whose first
 * leaf is of level n or less has a table of level n.
 */
static u64 build_cost(void)
{
	u64 pa, attr, cost = 0;
	u32 leaf, level;

	for (pa = 0; pa < table_end(); pa += LEVEL_SIZE(leaf)) {
		leaf = ram_level(pa, &attr);
		if (!leaf)
			leaf = 1;
		for (level = leaf; level < NPT_LEVELS; level++)
			cost += IS_ALIGNED(pa, LEVEL_SIZE(level + 1));
	}
	return cost;
}

/* A frame of the monitor's gets its table too: npt_restore() needs it one day. */
static void build(void)
{
	u64 pa, attr = 0;
	u32 leaf;
	int err;

	for (pa = 0; pa < table_end(); pa += LEVEL_SIZE(leaf)) {
		leaf = ram_level(pa, &attr);
		if (leaf) {
			err = npt_map(&host_npt, pa, attr, leaf);
		} else {
			leaf = 1;
			err = npt_map(&host_npt, pa, EPT_RWX | pa, 1);
			npt_zap(&host_npt, pa);
		}
		MONITOR_BUG_ON(err);
	}
}

static int config_check(const struct npt_config *cfg)
{
	if (!cfg->max_leaf || cfg->max_leaf >= NPT_LEVELS || cfg->mtrr.nr_var > MTRR_VAR_MAX)
		return NPT_EINVAL;
	if (cfg->max_pa < LEVEL_SIZE(cfg->max_leaf) || cfg->max_pa > BIT(52) ||
	    (cfg->max_pa & (cfg->max_pa - 1)))
		return NPT_EINVAL;
	if (table_end() > min_u64(cfg->max_pa, NPT_LIMIT))
		return NPT_ERANGE;
	return NPT_OK;
}

int host_npt_init(const struct npt_config *cfg)
{
	int err = config_check(cfg);

	if (err)
		return err;
	spin_lock(&npt_lock);
	config = *cfg;
	mmio_tables = 0;
	err = NPT_EPOOL;
	if (build_cost() + 1 <= frame_state_count(FRAME_FREE)) {
		err = npt_create(&host_npt, cfg->max_leaf);
		MONITOR_BUG_ON(err);
		build();
		ept02_reset();
		share_init();
		lend_epoch = 0;
	}
	spin_unlock(&npt_lock);
	return err;
}

/* ---- MMIO above the table ---- */

/*
 * The largest leaf around @pa that has one type, up to level @top, where a
 * walk found nothing. It is MMIO throughout: every frame below the table's end
 * has a leaf or a table of its own, and the end of all is a power of two.
 */
static u32 mmio_level(u64 pa, u32 top, u64 *attr)
{
	u32 level;
	u64 base;

	for (level = min_u64(top, config.max_leaf);; level--) {
		base = ALIGN_DOWN(pa, LEVEL_SIZE(level));
		if (leaf_attr(base, level, attr))
			return level;
	}
}

/*
 * All lazily made mappings go, and their tables through an epoch. The leaves
 * alone need none: what comes back is the same identity.
 */
static void mmio_recycle(void)
{
	if (!mmio_tables)
		return;
	npt_prune(&host_npt, table_end(), true);
	mmio_tables = 0;
}

static int mmio_map(u64 pa)
{
	u64 attr, cost;
	u32 level;
	int err;

	level = mmio_level(pa, npt_walk(&host_npt, pa).level, &attr);
	cost = npt_map_cost(&host_npt, pa, level);
	if (mmio_tables + cost > HOST_MMIO_TABLES) {
		mmio_recycle();
		level = mmio_level(pa, npt_walk(&host_npt, pa).level, &attr);
		cost = npt_map_cost(&host_npt, pa, level);
	}
	err = npt_map(&host_npt, attr & EPT_ADDR, attr, level);
	if (!err)
		mmio_tables += cost;
	else
		mmio_recycle();
	return err;
}

int host_reach(u64 pa, struct npt_leaf *leaf)
{
	int err;

	if (pa >= mmio_end())
		return NPT_ERANGE;
	if (pa < table_end() && !host_state(frame_get_info(pa >> PAGE_SHIFT).state))
		return NPT_EOWNER;
	*leaf = npt_walk(&host_npt, pa);
	if (leaf->entry)
		return NPT_OK;
	MONITOR_BUG_ON(pa < table_end());
	epoch_reap(NPT_REAP_BUDGET);
	err = mmio_map(pa);
	*leaf = npt_walk(&host_npt, pa);
	return err;
}

enum host_fault host_npt_fault(u64 gpa)
{
	struct npt_leaf leaf;
	int err;

	spin_lock(&npt_lock);
	err = host_reach(gpa, &leaf);
	spin_unlock(&npt_lock);
	switch (err) {
	case NPT_ERANGE:
		return HOST_FAULT_BEYOND;
	case NPT_EOWNER:
		return HOST_FAULT_PROTECTED;
	default:
		return HOST_FAULT_RETRY;
	}
}

void host_lend_over(void)
{
	lend_epoch = epoch_now();
}

/* ---- what a VM shares with the host ---- */

/* A private frame was donated, or claimed at launch: its 4 KiB table is there. */
int host_map_shared(u64 pfn, bool write)
{
	u64 pa = pfn << PAGE_SHIFT, attr;

	if (npt_walk(&host_npt, pa).entry || !epoch_passed(lend_epoch))
		return NPT_EBUSY;
	leaf_attr(pa, 1, &attr);
	attr &= ~(EPT_ADDR | EPT_RWX);
	npt_restore(&host_npt, pa, PAGE_SIZE, attr | EPT_READ | (write ? EPT_WRITE : 0));
	return NPT_OK;
}

void host_unmap_shared(u64 pfn)
{
	npt_zap(&host_npt, pfn << PAGE_SHIFT);
}

/* ---- verbs of the host ---- */

/* Last the epoch: what it waits for is that the removals before it are seen. */
static int donate_locked(u64 pfn, u64 nr, u64 *epoch)
{
	int err = frame_host_check(pfn, nr);

	if (err)
		return err;
	err = npt_unmap(&host_npt, pfn << PAGE_SHIFT, nr << PAGE_SHIFT);
	if (err)
		return err;
	ept02_drop_all();
	err = frame_host_donate(pfn, nr, epoch);
	MONITOR_BUG_ON(err);
	return NPT_OK;
}

int host_donate(u64 pfn, u64 nr, u64 *epoch)
{
	int err;

	if (nr > HOST_DONATE_MAX)
		return NPT_ERANGE;
	spin_lock(&npt_lock);
	err = donate_locked(pfn, nr, epoch);
	spin_unlock(&npt_lock);
	return err;
}

int host_settle(u64 pfn, u64 nr)
{
	int err;

	if (nr > HOST_DONATE_MAX)
		return NPT_ERANGE;
	spin_lock(&npt_lock);
	err = frame_transit_settle(pfn, nr);
	spin_unlock(&npt_lock);
	return err;
}

static int take_back_locked(u64 *pfn)
{
	u64 pa = frame_free_first() << PAGE_SHIFT, attr;
	int err;

	if (frame_free_first() != INVALID_PFN &&
	    (npt_walk(&host_npt, pa).entry || !epoch_passed(lend_epoch)))
		return NPT_EBUSY;
	err = frame_free_return(pfn);
	if (err)
		return err;
	leaf_attr(pa, 1, &attr);
	npt_restore(&host_npt, pa, PAGE_SIZE, attr & ~EPT_ADDR);
	return NPT_OK;
}

int host_take_back(u64 *pfn)
{
	int err;

	spin_lock(&npt_lock);
	err = take_back_locked(pfn);
	epoch_reap(NPT_REAP_BUDGET); /* for the next call: the host wants them all back */
	spin_unlock(&npt_lock);
	return err;
}
