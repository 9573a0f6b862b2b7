/* SPDX-License-Identifier: GPL-2.0-only */
/* A share as a file: share.c, and how it begins: open.c. */
#ifndef _SHARE_H
#define _SHARE_H

#include <linux/fs.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "monguest.h"

/* A tag's upper half is this module's: the bell of who gave it. */
#define TAG_BELL_SHIFT 32

/**
 * struct share - private_data of the file
 * @lock: of @signalled, @over and @bell
 * @id: the monitor's
 * @slot: where it is in the monitor's table
 * @start: physical address
 * @size: bytes
 * @memory: what was offered; NULL if accepted
 * @window: where, if accepted
 * @bell: the other side's; 0: not known, or none
 * @writable: by mmap() here
 * @signalled: taken from the monitor, and not by the program yet
 * @over: nothing comes any more
 * @end: after release
 */
struct share {
	struct mutex lock; /* what changes after it is a file */
	u64 id;
	u32 slot;
	phys_addr_t start;
	size_t size;
	void *memory;
	struct resource window;
	u32 bell;
	bool writable;
	bool signalled;
	bool over;
	struct delayed_work end;
};

extern const struct file_operations monguest_share_fops;

/* The entry of the monitor's table; -ENOENT if it is over. */
int monguest_share_status(struct share *s, struct mon_guest_share *status);

/* Tells the other side, if that is a VM. */
long monguest_share_signal(struct share *s);

/* Frees @s when the monitor says that the share is over, and what it was made of. */
void monguest_share_end(struct share *s);

#endif /* _SHARE_H */
