// SPDX-License-Identifier: GPL-2.0-only
/* pread() and pwrite() of the memory of an enclave that lets its host do that, and of registers. */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/uaccess.h>
#include "enclave.h"
#include "monitor.h"

/* Of one page: how many bytes, or an error. To change some of it all is fetched first. */
static ssize_t part(struct mon_enclave *e, void *page, char __user *user, size_t size, u64 at,
		    bool write)
{
	size_t offset = offset_in_page(at), n = min_t(size_t, size, PAGE_SIZE - offset);
	long err = mon_hypercall(MON_HC_ENCLAVE_PEEK, READ_ONCE(e->domain), at - offset, __pa(page),
				 0);

	if (!err && write) {
		if (copy_from_user(page + offset, user, n))
			return -EFAULT;
		err = mon_hypercall(MON_HC_ENCLAVE_PEEK, READ_ONCE(e->domain), at - offset,
				    __pa(page), 1);
	} else if (!err && copy_to_user(user, page + offset, n)) {
		return -EFAULT;
	}
	return err ? (err == -EPERM || err == -EBUSY ? err : -EIO) : n;
}

static ssize_t move(struct file *file, char __user *user, size_t size, loff_t *at, bool write)
{
	void *page = (void *)__get_free_page(GFP_KERNEL);
	ssize_t done = 0, n = 0;

	if (!page)
		return -ENOMEM;
	while (done < size) {
		n = part(file->private_data, page, user + done, size - done, *at, write);
		if (n < 0)
			break;
		done += n;
		*at += n;
		cond_resched();
	}
	free_page((unsigned long)page);
	return done ?: n;
}

/** mon_enclave_read() - pread() */
ssize_t mon_enclave_read(struct file *file, char __user *to, size_t size, loff_t *at)
{
	return move(file, to, size, at, false);
}

/** mon_enclave_write() - pwrite() */
ssize_t mon_enclave_write(struct file *file, const char __user *from, size_t size, loff_t *at)
{
	return move(file, (char __user *)from, size, at, true);
}
