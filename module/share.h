/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MODULE_SHARE_H
#define _MODULE_SHARE_H

#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/types.h>

/**
 * struct share - behind a descriptor
 * @id: the monitor's number
 * @live: that number is there; else the file never got a descriptor
 * @perm: of the peer
 * @pages: length
 * @tag: of an offer
 * @block: the host's pages; NULL: they are a VM's
 * @mapping: finds all its mappings; the inode is all anonymous files'
 */
struct share {
	u64 id;
	bool live;
	u32 perm;
	u64 pages;
	u64 tag;
	void *block;
	struct address_space mapping;
};

/* share_pages.c */
extern const struct vm_operations_struct mon_vm_pages_ops, mon_host_pages_ops;
void mon_share_unmap(struct share *share);

#endif /* _MODULE_SHARE_H */
