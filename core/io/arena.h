/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The arena: pages of the host's, in which a VM's devices find queues and data. The
 * frames QEMU allocated for the guest's memory are behind the guest's private ones; the
 * arena is a piece of them, at an address where the guest itself has private memory.
 */
#ifndef _CORE_IO_ARENA_H
#define _CORE_IO_ARENA_H

#include "../../npt/shim.h"

struct arena;

/** arena_gpa() - where the host's device finds page @index */
u64 arena_gpa(const struct arena *arena, u32 index);

/**
 * arena_page() - where the monitor finds it, until it leaves root mode (vendor interface)
 *
 * Return: NULL: the host has not mapped it. Whoever asked changes nothing, says IO_AGAIN, and is
 * called again once the host has.
 */
void *arena_page(struct arena *arena, u32 index);

/* What a device's work came to */
enum io_result {
	IO_DONE,  /* there is nothing left that can be done now */
	IO_MORE,  /* enough for one exit: call again */
	IO_AGAIN, /* a page of the arena is not mapped: call again when it is */
};

#endif /* _CORE_IO_ARENA_H */
