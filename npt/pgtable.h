/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Extended page tables of the monitor's own making: EPT01, EPT02 and those of
 * protected VMs. 4 levels (SDM 29.3.2). All of it under npt_lock.
 */
#ifndef _NPT_PGTABLE_H
#define _NPT_PGTABLE_H

#include "frame.h"

#define EPT_READ BIT(0)
#define EPT_WRITE BIT(1)
#define EPT_EXEC BIT(2)
#define EPT_RWX (EPT_READ | EPT_WRITE | EPT_EXEC)
#define EPT_MEMTYPE_SHIFT 3
#define EPT_MEMTYPE GENMASK(5, 3)
#define EPT_IPAT BIT(6)
#define EPT_LEAF BIT(7)
#define EPT_ACCESSED BIT(8)
#define EPT_DIRTY BIT(9)
#define EPT_ADDR GENMASK(51, 12)

enum memtype { MT_UC = 0, MT_WC = 1, MT_WT = 4, MT_WP = 5, MT_WB = 6 };

/* Level of an entry: 1 maps 4 KiB, 2 maps 2 MiB, 3 maps 1 GiB, 4 only points. */
#ifndef NPT_LEVELS
#define NPT_LEVELS 4
#endif
#ifndef NPT_INDEX_BITS
#define NPT_INDEX_BITS 9
#endif
#define LEVEL_SHIFT(level) (PAGE_SHIFT + NPT_INDEX_BITS * ((level) - 1))
#define LEVEL_SIZE(level) BIT(LEVEL_SHIFT(level))
#define NPT_ENTRIES BIT(NPT_INDEX_BITS)
#define NPT_LIMIT LEVEL_SIZE(NPT_LEVELS + 1) /* first address that 4 levels cannot reach */

/* SDM 29.3.3.1: 2, 3 and 7 are reserved. */
static inline bool memtype_valid(u64 type)
{
	return type <= MT_WB && type != 2 && type != 3;
}

/**
 * struct npt - one nested address space
 * @root: frame of the top table
 * @max_leaf: largest leaf level the CPU has (2, or 3 with 1 GiB pages)
 * @generation: raised whenever a translation is removed or narrowed
 * @owned: private frames of the domain whose space it is, exactly
 * @limit: how many it may own
 */
struct npt {
	u64 root;
	u32 max_leaf;
	u64 generation;
	u64 owned;
	u64 limit;
};

/**
 * struct npt_leaf - what a walk found
 * @entry: the entry as it stands, 0 if nothing is mapped
 * @level: level at which the walk ended
 */
struct npt_leaf {
	u64 entry;
	u32 level;
};

int __must_check npt_create(struct npt *npt, u32 max_leaf);

/**
 * npt_walk() - look up one address; reads the tables only
 */
struct npt_leaf npt_walk(const struct npt *npt, u64 gpa);

/** npt_map_cost() - frames that npt_map() of a leaf of @level would take now */
u64 npt_map_cost(const struct npt *npt, u64 gpa, u32 level);

/**
 * npt_map() - install one leaf
 * @gpa: guest-physical address, aligned to the level
 * @attr: EPT_READ.. | memory type | EPT_IPAT | @hpa (aligned to the level)
 * @level: 1 to max_leaf
 *
 * NPT_EINVAL for attributes that the CPU would call misconfigured,
 * NPT_EEXIST if a leaf or a table is in the way, NPT_EPOOL without free
 * frames; neither changes a translation.
 */
int __must_check npt_map(struct npt *npt, u64 gpa, u64 attr, u32 level);

/**
 * npt_unmap() - remove [@gpa, @gpa + @len), splitting larger leaves
 *
 * Every large leaf that the range touches is split down to 4 KiB, so that
 * npt_restore() of any part finds its tables. Splits allocate first: NPT_EPOOL
 * leaves everything as it was. The caller opens an epoch if it removed
 * something that a CPU can have cached. Tables that become empty are kept.
 * Addresses that are not mapped are passed over.
 */
int __must_check npt_unmap(struct npt *npt, u64 gpa, u64 len);

/**
 * npt_restore() - identity-map [@gpa, @gpa + @len) again after npt_unmap()
 *
 * Cannot fail: the tables are still there. @attr without address.
 */
void npt_restore(struct npt *npt, u64 gpa, u64 len, u64 attr);

/**
 * npt_zap() - remove the leaf that maps @gpa, whole, if there is one
 *
 * For spaces that are a cache and can fault the rest of a large leaf in again.
 */
void npt_zap(struct npt *npt, u64 gpa);

/**
 * npt_protect() - the leaf that maps @gpa gets another permission, and stays what it is
 * @perm: one that the CPU takes
 *
 * True: it is narrower, so a CPU may still have what it was. There is a leaf.
 */
bool npt_protect(struct npt *npt, u64 gpa, u64 perm);

/**
 * npt_prune() - remove all leaves at and above @first, and the tables wholly there
 * @first: no leaf crosses it
 * @retire: as for npt_destroy()
 */
void npt_prune(struct npt *npt, u64 first, bool retire);

/**
 * npt_destroy() - free all table frames of a space that no CPU can use any more
 * @retire: a CPU may still walk it: frames go through an epoch
 *
 * The frames that leaves point to are not touched. @npt has no root then:
 * INVALID_PFN. Bounded by the number of tables.
 */
void npt_destroy(struct npt *npt, bool retire);

#endif /* _NPT_PGTABLE_H */
