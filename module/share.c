// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host shares with VMs: a file descriptor each, to be mapped. Closing the
 * last one ends the share. What the mappings are made of is in share_pages.c.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include "monitor.h"
#include "share.h"
#include "vm.h"
#include "../uapi/monitor.h"

static void change_flags(struct vm_area_struct *vma, vm_flags_t set, vm_flags_t clear)
{
#ifdef HAVE_VM_FLAGS_MOD
	vm_flags_mod(vma, set, clear);
#else
	vma->vm_flags = (vma->vm_flags | set) & ~clear;
#endif
}

/* A private mapping would be a copy; whoever writes to it would not know. */
static int share_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct share *share = file->private_data;
	bool writes = share->block || (share->perm & MON_SHARE_WRITE);

	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff >= share->pages ||
	    vma_pages(vma) > share->pages - vma->vm_pgoff)
		return -EINVAL;
	if ((vma->vm_flags & VM_EXEC) || (!writes && (vma->vm_flags & VM_WRITE)))
		return -EACCES;
	change_flags(vma, VM_DONTEXPAND | (share->block ? 0 : VM_PFNMAP | VM_IO | VM_DONTDUMP),
		     VM_MAYEXEC | (writes ? 0 : VM_MAYWRITE));
	vma->vm_ops = share->block ? &mon_host_pages_ops : &mon_vm_pages_ops;
	return 0;
}

static long share_status(struct share *share, void __user *arg)
{
	struct mon_share_info info = {};
	long err;

	err = mon_copy_in(&info, sizeof(info), MON_SHARE_INFO_SIZE_V1, arg);
	if (err)
		return err;
	if (info.slot)
		return -EINVAL;
	err = mon_share_by_id(share->id, &info);
	info.slot = 0;
	return err ?: mon_copy_out(arg, &info, sizeof(info));
}

static long share_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	switch (cmd) {
	case MON_IOC_SHARE_STATUS:
		return share_status(file->private_data, (void __user *)arg);
	default:
		return -ENOTTY;
	}
}

static long end_step(void *share)
{
	return mon_hypercall(MON_HC_SHARE_END, ((struct share *)share)->id, 0, 0, 0);
}

/* -ENOENT: the other side ended it, or is gone. */
static long share_end(struct share *share)
{
	long err = mon_all_steps(end_step, share);

	return err == -ENOENT ? 0 : err;
}

/* There is no mapping any more: each holds the file. */
static int share_release(struct inode *inode, struct file *file)
{
	struct share *share = file->private_data;
	long err = 0;

	file->f_mapping = inode->i_mapping;
	if (!share->block)
		mon_share_unmap(share);
	if (share->live)
		err = share_end(share);
	if (err)
		pr_err(MON_LOG "share %#llx has not ended after %u s (error %ld)%s\n", share->id,
		       MON_STEPS_SECONDS, err, share->block ? ": its memory is lost" : "");
	if (share->block && !err)
		free_pages_exact(share->block, share->pages << PAGE_SHIFT);
	kfree(share);
	return 0;
}

static const struct file_operations share_fops = {
	.owner = THIS_MODULE,
	.mmap = share_mmap,
	.release = share_release,
	.unlocked_ioctl = share_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

/* Nothing is ever read into it or written back. */
static const struct address_space_operations no_operations;

/* @share is the file's from here on, also on failure. */
static struct file *share_file(struct share *share)
{
	struct file *file = anon_inode_getfile("monitor-share", &share_fops, share, O_RDWR);

	if (IS_ERR(file)) {
		if (share->block)
			free_pages_exact(share->block, share->pages << PAGE_SHIFT);
		kfree(share);
		return file;
	}
	address_space_init_once(&share->mapping);
	share->mapping.host = file_inode(file);
	share->mapping.a_ops = &no_operations;
	file->f_mapping = &share->mapping;
	return file;
}

/* @make has the monitor make it. Nothing can fail behind that. */
static long share_open(struct mon_vm *vm, struct share *share, long (*make)(u32 domain, void *arg))
{
	struct file *file = share_file(share);
	long err;
	int fd;

	if (IS_ERR(file))
		return PTR_ERR(file);
	fd = get_unused_fd_flags(O_CLOEXEC);
	err = fd < 0 ? fd : mon_vm_call(vm, make, share);
	if (!err) {
		share->live = true;
		fd_install(fd, file);
		return fd;
	}
	if (fd >= 0)
		put_unused_fd(fd);
	fput(file);
	return err;
}

/* ---- the requests ---- */

/* The share is named by a number that anybody can make up: it must be this VM's. */
static long accept_here(u32 domain, void *arg)
{
	struct mon_share_info info = {};
	struct share *share = arg;
	long err;

	err = mon_share_by_id(share->id, &info);
	if (err)
		return err;
	if (info.owner != domain || info.peer != MON_DOMAIN_HOST)
		return -ENOENT;
	share->perm = info.perm;
	share->pages = info.pages;
	err = mon_hypercall(MON_HC_SHARE_ACCEPT, share->id, 0, 0, 0);
	return !err || err == -ENOENT || err == -EINVAL ? err : -EIO;
}

/**
 * mon_share_accept() - MON_IOC_SHARE_ACCEPT
 * @vm: whose descriptor it is
 * @arg: the caller's structure
 */
long mon_share_accept(struct mon_vm *vm, void __user *arg)
{
	struct mon_share_accept request = {};
	struct share *share;
	long err;

	BUILD_BUG_ON(sizeof(request) % 8);
	err = mon_copy_in(&request, sizeof(request), MON_SHARE_ACCEPT_SIZE_V1, arg);
	if (err)
		return err;
	if (request.flags)
		return -EINVAL;
	share = kzalloc(sizeof(*share), GFP_KERNEL);
	if (!share)
		return -ENOMEM;
	share->id = request.id;
	return share_open(vm, share, accept_here);
}

static long offer_here(u32 domain, void *arg)
{
	struct mon_host_offer *offer = kzalloc(sizeof(*offer), GFP_KERNEL);
	struct share *share = arg;
	long id;

	if (!offer)
		return -ENOMEM;
	*offer = (struct mon_host_offer){
		.domain = domain, .perm = share->perm, .pfn = __pa(share->block) >> PAGE_SHIFT,
		.nr = share->pages, .tag = share->tag,
	};
	id = mon_hypercall(MON_HC_SHARE_OFFER, __pa(offer), 0, 0, 0);
	kfree(offer);
	if (id < 0)
		return id == -ENOENT || id == -EBUSY ? id : -EIO;
	share->id = id;
	return 0;
}

static int offer_request(struct mon_share_offer *request, void __user *arg)
{
	int err;

	BUILD_BUG_ON(sizeof(*request) % 8);
	err = mon_copy_in(request, sizeof(*request), MON_SHARE_OFFER_SIZE_V1, arg);
	if (err)
		return err;
	if ((request->perm | MON_SHARE_WRITE) != (MON_SHARE_READ | MON_SHARE_WRITE) ||
	    !request->pages || request->pages > MON_SHARE_OFFER_PAGES_MAX)
		return -EINVAL;
	return 0;
}

/**
 * mon_share_offer() - MON_IOC_SHARE_OFFER
 * @vm: whose descriptor it is
 * @arg: the caller's structure
 */
long mon_share_offer(struct mon_vm *vm, void __user *arg)
{
	struct mon_share_offer request = {};
	struct share *share;
	int err;

	err = offer_request(&request, arg);
	if (err)
		return err;
	share = kzalloc(sizeof(*share), GFP_KERNEL);
	if (!share)
		return -ENOMEM;
	share->perm = request.perm;
	share->pages = request.pages;
	share->tag = request.tag;
	share->block = alloc_pages_exact(share->pages << PAGE_SHIFT,
					 GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!share->block) {
		kfree(share);
		return -ENOMEM;
	}
	return share_open(vm, share, offer_here);
}
