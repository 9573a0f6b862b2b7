// SPDX-License-Identifier: GPL-2.0-only
/*
 * A share as a file. What is shared is mapped without struct page, so nothing
 * but the mappings refers to it, and they hold the file: when it is released the
 * memory is out of use here, and it is freed when the monitor says that it is out
 * of the other side's reach, too.
 */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include "share.h"

#define END_AGAIN msecs_to_jiffies(1)

static struct workqueue_struct *endings;

/* The entry of the monitor's table; -ENOENT if it is over. */
int monguest_share_status(struct share *s, struct mon_guest_share *status)
{
	int err = monguest_share_at(s->slot, status);

	if (!err && (status->id != s->id || status->state == MON_SHARE_REVOKING))
		err = -ENOENT;
	if (!err && status->state == MON_SHARE_LIVE && status->other != MON_DOMAIN_HOST &&
	    status->other < MON_DOMAIN_ENCLAVE)
		s->bell = status->tag >> TAG_BELL_SHIFT;
	return err;
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

void monguest_share_end(struct share *s)
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
		monguest_share_status(s, &status);
	monguest_share_end(s);
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
	else if (got < 0 && monguest_share_status(s, &status))
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

long monguest_share_signal(struct share *s)
{
	struct mon_guest_share status;
	long err = monguest_call(MON_GC_SIGNAL, s->id, 0, 0);

	if (err)
		return err;
	if (!s->bell) /* accepted since */
		monguest_share_status(s, &status);
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
		err = monguest_share_status(s, &at.share);
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
		ret = monguest_share_signal(s);
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

const struct file_operations monguest_share_fops = {
	.owner = THIS_MODULE,
	.release = share_release,
	.poll = share_poll,
	.unlocked_ioctl = share_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.mmap = share_mmap,
};

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
