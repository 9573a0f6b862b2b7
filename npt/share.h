/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Sharing: pages of one domain in the space of another.
 *
 *  state      who reaches the pages            leaves the state by
 *  --------   ------------------------------   -----------------------------
 *  FREE       -                                share_offer
 *  OFFERED    the owner                        share_accept, share_end
 *  LIVE       the owner; the peer, each page   share_end, share_drop
 *             from its first touch on
 *  REVOKING   the owner; the peer, what is     share_end, share_drop: no leaf is
 *             left                             left and every CPU has flushed
 *
 * A share is a range and one entry, however long it is: the peer's leaves are
 * made when it touches them. A private frame has at most one peer, so shares of
 * one owner do not overlap; those of the host may, its frames count their pins.
 * A peer cannot pass on what is shared with it: only PRIVATE and HOST frames of
 * the owner are ever mapped, and never executable.
 *
 * All functions take npt_lock. A space that is named in a share outlives it:
 * share_drop() comes before vm_npt_teardown().
 */
#ifndef _NPT_SHARE_H
#define _NPT_SHARE_H

#include "npt.h"

#ifndef SHARE_MAX
#define SHARE_QUOTA 16 /* for each owner, so that none uses up another's */
#define SHARE_ENCLAVES (SHARE_QUOTA * 16) /* for all enclaves together */
#define SHARE_MAX (SHARE_QUOTA * 17 + SHARE_ENCLAVES) /* the host, 16 VMs, enclaves */
#endif
#ifndef SHARE_ENCLAVES
#define SHARE_ENCLAVES SHARE_MAX
#endif
#define SHARE_SLOT_BITS 16 /* of an ID: the entry's place in the table */
#define SHARE_ANY DOM_MONITOR /* offered to a VM that the owner named in another way */

enum share_state {
	SHARE_FREE = 0,
	SHARE_OFFERED = 1,
	SHARE_LIVE = 2,
	SHARE_REVOKING = 3,
};

/**
 * struct share - one entry
 * @state: enum share_state
 * @owner, @peer: domains; @peer is SHARE_ANY until one accepts
 * @perm: EPT_READ, and EPT_WRITE
 * @owner_perm: with what a page is made that the owner has not touched yet
 * @owner_npt, @peer_npt: their spaces; host_npt for the host
 * @gfn: first page in the owner's space; of the host: first frame
 * @nr: pages
 * @peer_gfn: first page in the peer's space; the host sees frames at their own address
 * @cursor: REVOKING: pages before it have no leaf of the peer's
 * @epoch: REVOKING: to wait for once @cursor is @nr; 0 before
 * @use: raised each time the entry is used anew, so that an old ID finds nothing
 */
struct share {
	u32 state;
	u32 owner;
	u32 peer;
	u32 perm;
	u32 owner_perm;
	u32 use;
	struct npt *owner_npt;
	struct npt *peer_npt;
	u64 gfn;
	u64 nr;
	u64 peer_gfn;
	u64 cursor;
	u64 epoch;
};

/** share_init() - no share is there; before launch */
void share_init(void);

/**
 * share_offer() - an owner offers [@gfn, @gfn + @nr) of its space
 * @offer: @owner, @owner_npt, @peer or SHARE_ANY, @perm, @owner_perm, @gfn, @nr
 * @id: out: names the share from now on
 *
 * before: FREE      after: OFFERED. Touches no page: the cost does not depend on @nr.
 * NPT_EDOMAIN (@owner or @peer cannot share), NPT_EINVAL (@perm is not R or RW,
 * or more than @owner_perm), NPT_ERANGE, NPT_EEXIST (a VM has shared part of it
 * already, or has it by a share), NPT_EQUOTA (the owner has as many as it may; or the
 * enclaves have).
 */
int __must_check share_offer(const struct share *offer, u64 *id);

/**
 * share_accept() - the peer takes what it was offered
 * @peer: domain that accepts; the caller has compared its name if the offer was to SHARE_ANY
 * @gfn: where in its space; the caller has seen that nothing else is there, and lets
 *       nothing but share_touch() map there. Host: ignored
 *
 * before: OFFERED      after: LIVE. NPT_ENOENT (no such share), NPT_EDOMAIN (not
 * offered to @peer), NPT_ESTATE, NPT_ERANGE, NPT_EEXIST (another share is there, or
 * the peer has offered part of it).
 */
int __must_check share_accept(u64 id, u32 peer, struct npt *peer_npt, u64 gfn);

/**
 * share_touch() - a VM touches a page that is shared with it
 *
 * Maps it. NPT_ENOENT: no LIVE share is there. NPT_EEXIST: it is mapped already.
 * NPT_EOWNER: of the host's, and given away since. NPT_EPOOL.
 */
int __must_check share_touch(u32 peer, u64 gpa);

/**
 * share_touch_host() - the host wants to reach page @index of a share with it
 * @pfn: out: the frame, which is in EPT01 from now on
 *
 * NPT_ENOENT, NPT_EDOMAIN (not the host's), NPT_ESTATE, NPT_ERANGE, NPT_EBUSY
 * (ask again), NPT_EPOOL.
 */
int __must_check share_touch_host(u64 id, u64 index, u64 *pfn);

/**
 * share_end() - owner or peer ends a share: one bounded step
 * @by: who asks
 *
 * before: OFFERED (owner only), LIVE, REVOKING      after: FREE, or REVOKING and
 * NPT_EBUSY: ask again. Once FREE no CPU has a translation of the peer's left.
 * NPT_ENOENT (no such share: so says a call after the last), NPT_EDOMAIN.
 */
int __must_check share_end(u64 id, u32 by);
#ifndef SHARE_STEP
#define SHARE_STEP 512
#endif

/**
 * share_drop() - end all shares of a domain that goes: one bounded step
 *
 * True when none is left. Nothing is offered or accepted for @dom any more.
 */
bool share_drop(u32 dom);

/** share_covers() - is a page of [@gfn, @gfn + @nr) of a VM in a share, as owner's or peer's? */
bool share_covers(u32 vm, u64 gfn, u64 nr);

/** share_at() - copy of an entry below SHARE_MAX, and its ID; false if it is FREE */
bool share_at(u32 slot, struct share *copy, u64 *id);

/** share_slot() - the entry that has, or had, this ID; SHARE_MAX or more: none */
static inline u64 share_slot(u64 id)
{
	return id & (BIT(SHARE_SLOT_BITS) - 1);
}

#endif /* _NPT_SHARE_H */
