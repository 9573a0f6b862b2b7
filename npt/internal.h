/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files of npt/ tell each other, under npt_lock but for the epochs.
 */
#ifndef _NPT_INTERNAL_H
#define _NPT_INTERNAL_H

#include "npt.h"
#include "ghost.h"

static inline void npt_assert_locked(void)
{
	MONITOR_BUG_ON(!__atomic_load_n(&npt_lock.held, __ATOMIC_RELAXED));
}

/** epoch_init() - no epoch is open, and @nr_cpus CPUs take part */
void epoch_init(u32 nr_cpus);

/** host_max_pa() - first physical address the CPU cannot express; a power of two */
u64 host_max_pa(void);

/** host_reach() - the leaf of EPT01 that maps @pa, made for MMIO if need be */
int __must_check host_reach(u64 pa, struct npt_leaf *leaf);

/** ept02_drop_all() - no composed space is left, nor a translation of one after an epoch */
void ept02_drop_all(void);

/** ept02_reset() - no composed space is there yet */
void ept02_reset(void);

/**
 * host_map_shared() - a private frame appears in EPT01 at its own address, never executable
 *
 * NPT_EBUSY: a junk frame is lent there for an instruction of the host, or some CPU
 * may have one cached.
 */
int __must_check host_map_shared(u64 pfn, bool write);

/** host_unmap_shared() - the leaf of host_map_shared() goes */
void host_unmap_shared(u64 pfn);

/** host_lend_over() - a junk frame was taken away: all have to flush before another is there */
void host_lend_over(void);

/** vm_reach() - the private frame at @gpa, made of zeros if need be; under npt_lock */
int __must_check vm_reach(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn);

/**
 * vm_map_host() - a page of the host's in a VM's space: pinned for as long as the leaf is there
 *
 * NPT_EOWNER, NPT_EPOOL, NPT_EBUSY (pinned too often). Nothing is mapped at @gpa.
 */
int __must_check vm_map_host(struct npt *npt, u64 gpa, u64 pfn, u64 perm);

/** pool_has() - can @nr frames be taken and the host's reserve stay? */
static inline bool pool_has(u64 nr)
{
	return frame_state_count(FRAME_FREE) >= nr + NPT_POOL_RESERVE;
}

#endif /* _NPT_INTERNAL_H */
