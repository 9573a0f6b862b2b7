// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enclaves as the host sees them: a file descriptor, a buffer, and frames that were given to the
 * monitor for them. With the last descriptor and mapping the enclave is destroyed, step by step;
 * then the frames come back.
 *
 * The number of a domain is another one's when this one is gone: so a request is made only while
 * the file is open, and @domain is 0 after the system has begun to go down.
 */
#include <linux/anon_inodes.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/sched/mm.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include <linux/vmalloc.h>
#include "enclave.h"
#include "monitor.h"
#include "../uapi/monitor.h"

LIST_HEAD(mon_enclaves);
DEFINE_MUTEX(mon_enclaves_lock); /* the list, and that none of it goes */

/* ---- the end ---- */

static long destroy_step(void *e)
{
	return mon_hypercall(MON_HC_ENCLAVE_DESTROY, ((struct mon_enclave *)e)->domain, 0, 0, 0);
}

static long enclave_destroy(struct mon_enclave *e)
{
	long err = e->domain ? mon_all_steps(destroy_step, e) : 0;

	if (!err)
		WRITE_ONCE(e->domain, 0);
	return err;
}

static void enclave_free(struct mon_enclave *e)
{
	mon_enclave_evict_free(e);
	vfree(e->buffer);
	mmdrop(e->mm);
	kfree(e);
}

/* One that cannot be destroyed keeps what it has: its frames, its buffer, and the module. */
static int enclave_release(struct inode *inode, struct file *file)
{
	struct mon_enclave *e = file->private_data;
	long err;

	if (!e) /* never became a domain's */
		return 0;
	mutex_lock(&mon_enclaves_lock);
	err = enclave_destroy(e);
	if (!err)
		list_del(&e->list);
	mutex_unlock(&mon_enclaves_lock);
	if (err) {
		pr_err(MON_LOG "enclave %u is not gone after %u s (error %ld): it stays, and so does this module\n",
		       e->domain, MON_STEPS_SECONDS, err);
		__module_get(THIS_MODULE);
		return 0;
	}
	mon_pool_release(e->frames);
	enclave_free(e);
	return 0;
}

/**
 * mon_enclaves_destroy() - the system goes down: all of them, though their files are open
 *
 * Returns the error of one that cannot be destroyed.
 */
long mon_enclaves_destroy(void)
{
	struct mon_enclave *e;
	long err = 0;

	mutex_lock(&mon_enclaves_lock);
	list_for_each_entry(e, &mon_enclaves, list)
		err = enclave_destroy(e) ?: err;
	mutex_unlock(&mon_enclaves_lock);
	return err;
}

unsigned int mon_enclave_count(void)
{
	struct mon_enclave *e;
	unsigned int n = 0;

	mutex_lock(&mon_enclaves_lock);
	list_for_each_entry(e, &mon_enclaves, list)
		n++;
	mutex_unlock(&mon_enclaves_lock);
	return n;
}

/* ---- requests ---- */

static long enclave_info(struct mon_enclave *e, struct mon_enclave_info *info)
{
	struct mon_enclave_status *s = kzalloc(sizeof(*s), GFP_KERNEL);
	long err;

	if (!s)
		return -ENOMEM;
	info->domain = READ_ONCE(e->domain);
	err = mon_hypercall(MON_HC_ENCLAVE_STATUS, info->domain, __pa(s), 0, 0);
	if (!err) {
		info->flags = s->flags;
		info->state = s->state;
		info->nr_threads = s->nr_threads;
		info->faulted = s->faulted;
		info->owned = s->owned;
		info->limit = s->limit;
		info->entries = s->entries;
		info->faults = s->faults;
		info->evicted = s->evicted;
		memcpy(info->measurement, s->measurement, sizeof(info->measurement));
	}
	kfree(s);
	return err ? -EIO : 0;
}

static long enclave_status(struct mon_enclave *e, void __user *arg, bool finish)
{
	struct mon_enclave_info info = {};
	u32 size;
	long err;

	BUILD_BUG_ON(sizeof(info) % 8);
	err = mon_copy_in(&info, sizeof(info), MON_ENCLAVE_INFO_SIZE_V1, arg);
	if (err)
		return err;
	if (info.flags)
		return -EINVAL;
	size = info.size;
	if (finish)
		err = mon_hypercall(MON_HC_ENCLAVE_FINISH, READ_ONCE(e->domain), 0, 0, 0);
	if (err)
		return err == -EBUSY || err == -ENOMEM ? err : -EIO;
	info = (struct mon_enclave_info){ .size = size };
	err = enclave_info(e, &info);
	return err ?: mon_copy_out(arg, &info, sizeof(info));
}

static long enclave_refill(struct mon_enclave *e, void __user *arg)
{
	struct mon_vm_frames request = {};
	long err;

	err = mon_copy_in(&request, sizeof(request), MON_VM_FRAMES_SIZE_V1, arg);
	if (err)
		return err;
	if (request.flags || !request.frames)
		return -EINVAL;
	if (request.frames > si_mem_available())
		return -ENOMEM;
	mutex_lock(&e->account);
	err = mon_pool_reserve(request.frames);
	if (!err) {
		err = mon_hypercall(MON_HC_ENCLAVE_REFILL, READ_ONCE(e->domain), request.frames, 0,
				    0);
		if (err)
			mon_pool_release(request.frames);
		else
			e->frames += request.frames;
		if (err && err != -EINVAL)
			err = -EIO;
	}
	mutex_unlock(&e->account);
	return err;
}

static long enclave_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mon_enclave *e = file->private_data;
	void __user *to = (void __user *)arg;

	switch (cmd) {
	case MON_IOC_ENCLAVE_RUN:
		return mon_enclave_run(e, to);
	case MON_IOC_ENCLAVE_ADD:
		return mon_enclave_add(e, to);
	case MON_IOC_ENCLAVE_FINISH:
		return enclave_status(e, to, true);
	case MON_IOC_ENCLAVE_STATUS:
		return enclave_status(e, to, false);
	case MON_IOC_ENCLAVE_REFILL:
		return enclave_refill(e, to);
	default:
		return -ENOTTY;
	}
}

/* A private mapping would be a copy; the enclave would not see what is written to it. */
static int enclave_mmap(struct file *file, struct vm_area_struct *vma)
{
	struct mon_enclave *e = file->private_data;

	if (!(vma->vm_flags & VM_SHARED) || !e->buffer)
		return -EINVAL;
	if (vma->vm_flags & VM_EXEC)
		return -EACCES;
	return remap_vmalloc_range(vma, e->buffer, vma->vm_pgoff);
}

static const struct file_operations enclave_fops = {
	.owner = THIS_MODULE,
	.mmap = enclave_mmap,
	.read = mon_enclave_read,
	.write = mon_enclave_write,
	.release = enclave_release,
	.unlocked_ioctl = enclave_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = default_llseek,
};

/* ---- making ---- */

static long make_domain(struct mon_enclave *e, const struct mon_enclave_create *request)
{
	struct mon_enclave_make *make = kzalloc(sizeof(*make), GFP_KERNEL);
	long id;

	if (!make)
		return -ENOMEM;
	make->limit = request->frames;
	make->host_cr3 = __pa(e->mm->pgd);
	make->policy = request->policy;
	id = mon_hypercall(MON_HC_ENCLAVE_CREATE, __pa(make), 0, 0, 0);
	kfree(make);
	if (id > 0)
		e->domain = id;
	if (id > 0 || id == -EINVAL || id == -ENOMEM || id == -EBUSY)
		return min(id, 0L);
	return id == -MON_ENOSYS ? -EOPNOTSUPP : -EIO;
}

static long make_buffer(struct mon_enclave *e)
{
	u64 at;
	long err = 0;

	for (at = 0; at < e->buffer_size && !err; at += PAGE_SIZE)
		err = mon_hypercall(MON_HC_ENCLAVE_BUFFER, e->domain, at >> PAGE_SHIFT,
				    vmalloc_to_pfn(e->buffer + at), 0);
	return err ? -EIO : 0;
}

/* On success the file owns @e. Nothing can fail behind make_buffer(). */
static long enclave_make(struct mon_enclave *e, const struct mon_enclave_create *request)
{
	struct file *file;
	long err;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile("monitor-enclave", &enclave_fops, NULL, O_RDWR);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto out_fd;
	file->f_mode |= FMODE_LSEEK | FMODE_PREAD | FMODE_PWRITE; /* at addresses */
	err = mon_pool_reserve(e->frames);
	if (err)
		goto out_file;
	err = make_domain(e, request);
	if (err)
		goto out_pool;
	err = make_buffer(e);
	if (err)
		goto out_domain;
	mutex_lock(&mon_enclaves_lock);
	list_add_tail(&e->list, &mon_enclaves);
	mutex_unlock(&mon_enclaves_lock);
	file->private_data = e;
	fd_install(fd, file);
	return fd;

out_domain:
	enclave_destroy(e);
out_pool:
	mon_pool_release(e->frames);
out_file:
	fput(file);
out_fd:
	put_unused_fd(fd);
	return err;
}

/**
 * mon_enclave_create() - MON_IOC_ENCLAVE_CREATE
 * @arg: the caller's structure
 */
long mon_enclave_create(void __user *arg)
{
	struct mon_enclave_create request = {};
	struct mon_enclave *e;
	long ret;

	BUILD_BUG_ON(sizeof(request) % 8);
	ret = mon_copy_in(&request, sizeof(request), MON_ENCLAVE_CREATE_SIZE_V1, arg);
	if (ret)
		return ret;
	if (request.flags || !request.frames)
		return -EINVAL;
	if (request.frames > si_mem_available())
		return -ENOMEM;
	e = kzalloc(sizeof(*e), GFP_KERNEL);
	if (!e)
		return -ENOMEM;
	mutex_init(&e->account);
	mon_enclave_evict_init(e);
	e->mm = current->mm;
	mmgrab(e->mm);
	e->frames = mon_enclave_frames(&request.policy, request.frames);
	e->buffer_size = mon_enclave_buffer_size(&request.policy);
	if (e->buffer_size)
		e->buffer = vmalloc_user(e->buffer_size);
	ret = !e->buffer_size || e->buffer ? enclave_make(e, &request) : -ENOMEM;
	if (ret < 0)
		enclave_free(e);
	return ret;
}

/**
 * mon_enclave_evict_request() - MON_IOC_ENCLAVE_EVICT
 * @arg: the caller's structure
 */
long mon_enclave_evict_request(void __user *arg)
{
	struct mon_enclave_evict request = {};
	struct mon_enclave *e;
	long ret;

	BUILD_BUG_ON(sizeof(request) % 8);
	ret = mon_copy_in(&request, sizeof(request), MON_ENCLAVE_EVICT_SIZE_V1, arg);
	if (ret)
		return ret;
	if (!request.pages || request.pages > MON_ENCLAVE_HIGH >> PAGE_SHIFT)
		return -EINVAL;
	ret = -ENOENT;
	mutex_lock(&mon_enclaves_lock);
	list_for_each_entry(e, &mon_enclaves, list)
		if (e->domain && e->domain == request.domain)
			ret = mon_enclave_evict(e, request.pages);
	mutex_unlock(&mon_enclaves_lock);
	if (ret < 0)
		return ret == -ENOENT || ret == -ENOMEM || ret == -EINTR || ret == -EBUSY ? ret :
		       ret == -MON_ENOSYS ? -EOPNOTSUPP : -EIO;
	request.pages = ret;
	return mon_copy_out(arg, &request, sizeof(request));
}

/* /sys/kernel/debug/monitor/enclaves: a line for each. */
int mon_enclaves_show(struct seq_file *m, void *unused)
{
	struct mon_enclave_info info;
	struct mon_enclave *e;

	mutex_lock(&mon_enclaves_lock);
	list_for_each_entry(e, &mon_enclaves, list) {
		memset(&info, 0, sizeof(info));
		if (enclave_info(e, &info))
			continue;
		seq_printf(m, "domain=%u state=%u threads=%u faulted=%u owned=%llu limit=%llu reserved=%llu",
			   info.domain, info.state, info.nr_threads, info.faulted, info.owned,
			   info.limit, e->frames);
		seq_printf(m, " evicted=%llu entries=%llu faults=%llu measurement=%*phN\n",
			   info.evicted, info.entries, info.faults, 32, info.measurement);
	}
	mutex_unlock(&mon_enclaves_lock);
	return 0;
}
