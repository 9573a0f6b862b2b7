/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MODULE_ENCLAVE_H
#define _MODULE_ENCLAVE_H

#include <linux/hashtable.h>
#include <linux/idr.h>
#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include "../uapi/enclave.h"

/**
 * struct mon_enclave - an enclave, made by enclave.c
 * @list: in the list of all
 * @domain: 0: not yet, or no more
 * @mm: of the process that may enter it by itself; kept, for its page table must not be another's
 * @frames: given to the monitor for it
 * @buffer: what it shares with who maps the file, or NULL
 * @buffer_size: bytes of that
 * @account: guards @frames
 * @entries, @looked: how often it had been entered when that was looked at, and when that was first
 *	so; under mon_enclaves_lock (enclave_shrink.c)
 * @evict_lock: guards what follows (enclave_evict.c)
 * @out: pages that are out, by their number
 * @slots: of @store that are used
 * @store: where they are, or NULL
 */
struct mon_enclave {
	struct list_head list;
	u32 domain;
	struct mm_struct *mm;
	u64 frames;
	void *buffer;
	u64 buffer_size;
	struct mutex account; /* @frames */
	u64 entries;
	unsigned long looked;
	struct mutex evict_lock; /* what follows */
	DECLARE_HASHTABLE(out, 6);
	struct ida slots;
	struct file *store;
};

/* enclave.c: all of them */
extern struct list_head mon_enclaves;
extern struct mutex mon_enclaves_lock;

/* enclave_run.c */
long mon_enclave_run(struct mon_enclave *e, void __user *arg);

/* enclave_evict.c */
void mon_enclave_evict_init(struct mon_enclave *e);
void mon_enclave_evict_free(struct mon_enclave *e);
long mon_enclave_evict(struct mon_enclave *e, u64 pages);
long mon_enclave_load(struct mon_enclave *e, u32 thread, u64 number);

/* enclave_debug.c */
ssize_t mon_enclave_read(struct file *file, char __user *to, size_t size, loff_t *at);
ssize_t mon_enclave_write(struct file *file, const char __user *from, size_t size, loff_t *at);

/* enclave_build.c */
long mon_enclave_add(struct mon_enclave *e, void __user *arg);
u64 mon_enclave_frames(const struct mon_enclave_policy *p, u64 limit);
u64 mon_enclave_buffer_size(const struct mon_enclave_policy *p);

#endif /* _MODULE_ENCLAVE_H */
