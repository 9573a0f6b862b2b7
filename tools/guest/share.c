// SPDX-License-Identifier: GPL-2.0-only
/*
 * A share as a file. What is shared is mapped without struct page, so nothing
 * but the mappings refers to it, and they hold the file: when it is released the
 * memory is out of use here, and it is freed when the monitor says that it is out
 * of the other side's reach, too.
 */
#include <linux/anon_inodes.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/workqueue.h>
#include "monguest.h"

/* A tag's upper half is this module's: the bell of who gave it. */
#define TAG_BELL_SHIFT 32
#define END_AGAIN msecs_to_jiffies(1)

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

static struct workqueue_struct *endings;

static u64 tag_of(u32 tag)
{
	return (u64)monguest_events_bell() << TAG_BELL_SHIFT | tag;
}

/* The entry of the monitor's table; -ENOENT if it is over. */
static int status_of(struct share *s, struct mon_guest_share *status)
{
	int err = monguest_share_at(s->slot, status);

	if (!err && (status->id != s->id || status->state == MON_SHARE_REVOKING))
		err = -ENOENT;
	if (!err && status->state == MON_SHARE_LIVE && status->other != MON_DOMAIN_HOST)
		s->bell = status->tag >> TAG_BELL_SHIFT;
	return err;
}

static int find_slot(struct share *s)
{
	struct mon_guest_share status;
	int err = 0;

	for (s->slot = 0; err != -ERANGE; s->slot++) {
		err = monguest_share_at(s->slot, &status);
		if (!err && status.id == s->id) {
			s->size = status.pages << PAGE_SHIFT;
			s->writable = status.is_owner || (status.perm & MON_SHARE_WRITE);
			return 0;
		}
	}
	return -ENOENT;
}

/* ---- the end ---- */

static void share_free(struct share *s)
{
	if (s->memory)
		free_pages_exact(s->memory, s->size);
	else
		monguest_window_put(&s->window);
	mutex_destroy(&s->lock);
	kfree(s);
	/* The last reference may go: the module's exit waits for this work. */
	module_put(THIS_MODULE);
}

static void end_step(struct work_struct *work)
{
	struct share *s = container_of(to_delayed_work(work), struct share, end);
	long err = monguest_call(MON_GC_END, s->id, 0, 0);

	/* Once, so that the other side sees that it is over. */
	monguest_events_ring(s->bell);
	s->bell = 0;
	if (err == -EAGAIN) {
		queue_delayed_work(endings, &s->end, END_AGAIN);
		return;
	}
	if (err && err != -ENOENT) {
		/* Somebody may reach it: better lost than used for something else. */
		pr_err("monguest: share %#llx does not end: error %ld; its %zu KiB are lost\n",
		       s->id, -err, s->size >> 10);
		return;
	}
	share_free(s);
}

static void share_end(struct share *s)
{
	__module_get(THIS_MODULE);
	INIT_DELAYED_WORK(&s->end, end_step);
	queue_delayed_work(endings, &s->end, 0);
}

static int share_release(struct inode *inode, struct file *file)
{
	struct share *s = file->private_data;
	struct mon_guest_share status;

	if (!s->over && !s->bell) /* accepted, and never signalled */
		status_of(s, &status);
	share_end(s);
	return 0;
}

/* ---- events ---- */

static void look(struct share *s)
{
	struct mon_guest_share status;
	long got;

	if (s->over)
		return;
	got = monguest_call(MON_GC_TAKE_SIGNAL, s->id, 0, 0);
	if (got == 1)
		s->signalled = true;
	else if (got < 0 && status_of(s, &status))
		s->over = true; /* and not only offered, or with the host */
}

static __poll_t share_poll(struct file *file, poll_table *wait)
{
	struct share *s = file->private_data;
	__poll_t events = 0;

	/* First on the list, then the look: what comes in between wakes. */
	monguest_events_wait(file, wait);
	mutex_lock(&s->lock);
	look(s);
	if (s->signalled)
		events |= EPOLLIN | EPOLLRDNORM;
	if (s->over)
		events |= EPOLLHUP;
	mutex_unlock(&s->lock);
	if (!events)
		monguest_events_expect();
	return events;
}

static long share_signal(struct share *s)
{
	struct mon_guest_share status;
	long err = monguest_call(MON_GC_SIGNAL, s->id, 0, 0);

	if (err)
		return err;
	if (!s->bell) /* accepted since */
		status_of(s, &status);
	monguest_events_ring(s->bell);
	return 0;
}

static long share_take_signal(struct share *s)
{
	long got;

	look(s);
	got = s->signalled ? 1 : s->over ? -ENOENT : 0;
	s->signalled = false;
	return got;
}

static long share_status(struct share *s, void __user *arg)
{
	struct mon_guest_at at = {};
	int err = monguest_copy_in(&at, sizeof(at), MON_GUEST_AT_SIZE_V1, arg);

	if (!err && at.slot)
		err = -EINVAL;
	if (!err)
		err = status_of(s, &at.share);
	if (err)
		return err;
	at.slot = s->slot;
	return monguest_copy_out(arg, &at, sizeof(at));
}

static long share_ioctl(struct file *file, unsigned int request, unsigned long arg)
{
	struct share *s = file->private_data;
	long ret = -ENOTTY;

	mutex_lock(&s->lock);
	if (request == MON_GUEST_IOC_SIGNAL)
		ret = share_signal(s);
	else if (request == MON_GUEST_IOC_TAKE_SIGNAL)
		ret = share_take_signal(s);
	else if (request == MON_GUEST_IOC_STATUS)
		ret = share_status(s, (void __user *)arg);
	mutex_unlock(&s->lock);
	return ret;
}

/* ---- memory ---- */

static int permitted(const struct share *s, unsigned long flags)
{
	return (flags & VM_EXEC) || (!s->writable && (flags & VM_WRITE)) ? -EPERM : 0;
}

static int share_mprotect(struct vm_area_struct *vma, unsigned long start, unsigned long end,
			  unsigned long flags)
{
	return permitted(vma->vm_file->private_data, flags);
}

static const struct vm_operations_struct share_vm_ops = {
	.mprotect = share_mprotect,
};

/* Cached as all memory: the monitor's tables say so whatever is asked for. */
static int share_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct share *s = file->private_data;
	size_t size = vma->vm_end - vma->vm_start;
	int err = permitted(s, vma->vm_flags);

	if (err)
		return err;
	if (!(vma->vm_flags & VM_SHARED) || vma->vm_pgoff || size > s->size)
		return -EINVAL;
	vma->vm_ops = &share_vm_ops;
	return remap_pfn_range(vma, vma->vm_start, PHYS_PFN(s->start), size, vma->vm_page_prot);
}

static const struct file_operations share_fops = {
	.owner = THIS_MODULE,
	.release = share_release,
	.poll = share_poll,
	.unlocked_ioctl = share_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = share_mmap,
};

/* ---- making one ---- */

static struct share *share_new(void)
{
	struct share *s = kzalloc(sizeof(*s), GFP_KERNEL);

	if (s)
		mutex_init(&s->lock);
	return s;
}

/* The monitor knows of the share: if there can be no file, it ends again. */
static long share_open(struct share *s, int fd)
{
	struct file *file = ERR_PTR(-ENOENT);

	if (!find_slot(s))
		file = anon_inode_getfile("[monguest]", &share_fops, s, O_RDWR);
	if (IS_ERR(file)) {
		put_unused_fd(fd);
		share_end(s);
		return PTR_ERR(file);
	}
	fd_install(fd, file);
	return fd;
}

static int offer_share(struct share *s, const struct mon_guest_new *new)
{
	struct mon_guest_offer offer = { .perm = new->perm, .to = new->to, .name = new->name };
	long id;

	s->size = new->pages << PAGE_SHIFT;
	s->memory = alloc_pages_exact(s->size, GFP_KERNEL | __GFP_ZERO | __GFP_NOWARN);
	if (!s->memory)
		return -ENOMEM;
	s->start = virt_to_phys(s->memory);
	offer.gfn = PHYS_PFN(s->start);
	offer.pages = new->pages;
	offer.tag = new->to == MON_SHARE_TO_HOST ? new->tag : tag_of(new->tag);
	id = monguest_offer(&offer);
	if (id < 0) {
		free_pages_exact(s->memory, s->size);
		return id;
	}
	s->id = id;
	return 0;
}

long monguest_share_offer(void __user *arg)
{
	struct mon_guest_new new = {};
	struct share *s;
	int err, fd;

	err = monguest_copy_in(&new, sizeof(new), MON_GUEST_NEW_SIZE_V1, arg);
	if (err)
		return err;
	if (!new.pages || new.pages > MON_GUEST_PAGES_MAX)
		return -EINVAL;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	s = share_new();
	err = s ? offer_share(s, &new) : -ENOMEM;
	if (!err)
		return share_open(s, fd);
	kfree(s);
	put_unused_fd(fd);
	return err;
}

static int accept_share(struct share *s, const struct mon_guest_take *take)
{
	long err;

	s->id = take->id;
	err = find_slot(s);
	if (!err)
		err = monguest_window_get(&s->window, PFN_UP(s->size));
	if (err)
		return err;
	s->start = s->window.start;
	err = monguest_call(MON_GC_ACCEPT, s->id, PHYS_PFN(s->start), tag_of(take->tag));
	if (err) {
		monguest_window_put(&s->window);
		return err;
	}
	/* Who offered it waits for this; a host does not. */
	share_signal(s);
	return 0;
}

long monguest_share_accept(void __user *arg)
{
	struct mon_guest_take take = {};
	struct share *s;
	int err, fd;

	err = monguest_copy_in(&take, sizeof(take), MON_GUEST_TAKE_SIZE_V1, arg);
	if (err)
		return err;
	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	s = share_new();
	err = s ? accept_share(s, &take) : -ENOMEM;
	if (!err)
		return share_open(s, fd);
	kfree(s);
	put_unused_fd(fd);
	return err;
}

int monguest_shares_init(void)
{
	endings = alloc_ordered_workqueue("monguest", 0);
	return endings ? 0 : -ENOMEM;
}

/* Each share that is not over holds the module: there is none. */
void monguest_shares_exit(void)
{
	destroy_workqueue(endings);
}
