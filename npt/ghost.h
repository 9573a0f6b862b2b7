/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a CPU may still have cached, for an image that checks itself (make DEBUG=1): an
 * emulator forgives a flush that is missing, silicon does not. Nothing in the one that is
 * shipped.
 */
#ifndef _NPT_GHOST_H
#define _NPT_GHOST_H

#include "shim.h"

#ifdef NPT_GHOST
/** ghost_removed() - a translation to these frames was taken away or narrowed */
void ghost_removed(u64 pfn, u64 nr);
/** ghost_mark() - before a flush: what has been removed by now is covered by it */
u64 ghost_mark(void);
/** ghost_flushed() - the CPU has flushed since ghost_mark() said @mark */
void ghost_flushed(u32 cpu, u64 mark);
/** ghost_reused() - the frame is going to be used anew: no CPU may have it cached */
void ghost_reused(u64 pfn);
/** ghost_share_cut() - a leaf of the share's peer was taken away */
void ghost_share_cut(u32 slot);
/** ghost_share_over() - the share is said to be over: no CPU may have a page of it cached */
void ghost_share_over(u32 slot);
#else
static inline void ghost_removed(u64 pfn, u64 nr)
{
	(void)pfn;
	(void)nr;
}

static inline u64 ghost_mark(void)
{
	return 0;
}

static inline void ghost_flushed(u32 cpu, u64 mark)
{
	(void)cpu;
	(void)mark;
}

static inline void ghost_reused(u64 pfn)
{
	(void)pfn;
}

static inline void ghost_share_cut(u32 slot)
{
	(void)slot;
}

static inline void ghost_share_over(u32 slot)
{
	(void)slot;
}
#endif

#endif /* _NPT_GHOST_H */
