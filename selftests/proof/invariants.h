/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What holds of the ownership table, the page tables and the shares between
 * any two verbs of npt/, under npt_lock. One text for the model checker, the
 * unit tests, the fuzzers and an image that checks itself: no allocation, no
 * library, and only what npt/ says in its headers.
 *
 * Who includes invariants.c may say before what a broken invariant does.
 * Predicates take one word, leaf, share or change, so that a model checker can
 * ask about any one of them; inv_check() asks about all there are.
 */
#ifndef _PROOF_INVARIANTS_H
#define _PROOF_INVARIANTS_H

#include "../../npt/internal.h"
#include "../../npt/share.h"

#ifndef INVARIANT
#define INVARIANT(cond, what)                            \
	do {                                             \
		if (unlikely(!(cond)))                   \
			monitor_bug("invariant " what);  \
	} while (0)
#endif

enum inv_kind { INV_EPT01, INV_EPT02, INV_VM };

/**
 * struct inv_space - an address space that CPUs may run on
 * @kind: whose it is; exactly one is INV_EPT01
 * @dom: DOM_HOST, or the VM
 * @npt: its tables; no root (INVALID_PFN): passed over
 */
struct inv_space {
	enum inv_kind kind;
	u32 dom;
	const struct npt *npt;
};

/**
 * struct inv_world - everything there is, besides the ownership table
 * @spaces: all of them; a VM that is not in them is dead and has nothing
 * @nr_spaces: their number
 * @shares: the table of shares
 * @nr_shares: entries, free ones too
 * @used_shares: entries up to the last that is not free; inv_check() counts them
 * @lent: junk frames that may be in EPT01 just now (host_lend())
 * @leaves, @tables: room for inv_check(), frame_count() entries each
 * @lent_now, @owned, @owned_all, @hosts: of inv_check()
 */
struct inv_world {
	const struct inv_space *spaces;
	u32 nr_spaces;
	const struct share *shares;
	u32 nr_shares;
	u32 used_shares;
	u32 lent;
	u32 *leaves;
	u8 *tables;
	u32 lent_now;
	u64 owned;
	u64 owned_all;
	u64 hosts;
};

/** inv_word() - I1, I2, I3: an entry of the ownership table for itself */
void inv_word(u64 pfn, struct frame f);

/** inv_link() - I10: what a FREE or retired frame names is one of its kind */
void inv_link(struct frame f);

/** inv_table() - I5, I10: a frame that an entry, or a space, names as a table */
void inv_table(struct frame f);

/** inv_entry() - what the CPU would call misconfigured, or too wide, is in no table */
void inv_entry(u64 entry, u32 level);

/**
 * inv_page() - I4, I5, I6, I7, I11: one page that a leaf of @space maps
 * @gpa: where; @pfn: the frame; @entry: the leaf
 */
void inv_page(const struct inv_world *w, const struct inv_space *space, u64 gpa, u64 pfn,
	      u64 entry);

/** inv_shared() - I3, I4: a shared frame has a share that says so */
void inv_shared(const struct inv_world *w, struct frame f);

/** inv_share() - a share for itself */
void inv_share(const struct share *s);

/** inv_shares_apart() - two shares do not claim the same page of a VM's space, in any role */
void inv_shares_apart(const struct share *a, const struct share *b);

/**
 * inv_change() - one verb made @after of @before: hands change in this order only
 * @wiped: the frame has nothing but zeros
 * @cached: some CPU may still have a translation to it
 */
void inv_change(struct frame before, struct frame after, bool wiped, bool cached);

/** inv_cached() - I19: a CPU may still have a translation of @dom's to a frame */
void inv_cached(const struct inv_world *w, struct frame f, u32 dom);

/** inv_check() - all of it, over the whole world; with npt_lock held */
void inv_check(struct inv_world *w);

#endif /* _PROOF_INVARIANTS_H */
