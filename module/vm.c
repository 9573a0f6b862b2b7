// SPDX-License-Identifier: GPL-2.0-only
/*
 * Confidential VMs as the host sees them: a file descriptor, a process, and
 * frames that were given to the monitor for them.
 *
 * A VM is bound to the address space of its process by the address of the
 * topmost page table, since that is what the monitor finds in HOST_CR3 of the
 * VMCS. So that frame must not become another process's while the VM exists:
 * the registered notifier holds a reference to the mm (mm_count), and the table
 * is freed with the last of those (__mmdrop()), well after the process's memory.
 *
 *  the process exits or executes another program
 *	vm_process_gone(): the monitor is told to enter the VM no more
 *  the last descriptor is closed
 *	vm_release(): the VM is destroyed step by step, then the frames come back
 *
 * Either can be first, and KVM's own descriptors may be closed after both: a VMCS
 * of the VM that is loaded on some CPU is the monitor's business.
 *
 * Locks: vms_lock guards the list; vm->lock guards vm->domain, and is the innermost.
 * vm->account (refill.c) is outside of it, and not taken at the end of the process.
 */
#include <linux/anon_inodes.h>
#include <linux/capability.h>
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/list.h>
#include <linux/mm.h>
#include <linux/mmu_notifier.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/pid.h>
#include <linux/sched/mm.h>
#include <linux/sched/task.h>
#include <linux/seq_file.h>
#include <linux/slab.h>
#include "monitor.h"
#include "vm.h"
#include "../uapi/monitor.h"

static LIST_HEAD(vms);
static DEFINE_MUTEX(vms_lock);

static const char *const state_names[] = { "armed", "loading", "running", "stopped", "dying" };
static const char *const stop_names[MON_VM_STOP_NR] = {
#define X(name, text) [MON_VM_STOP_##name] = #name,
	MON_VM_STOPS(X)
#undef X
};

/* ---- the end of a VM ---- */

/* What it was and measured is to be had until the file is closed. */
static void keep_status(struct mon_vm *vm)
{
	mon_hypercall(MON_HC_VM_STATUS, vm->domain, __pa(&vm->last), 0, 0);
	vm->last.state = MON_VM_DYING;
	vm->ending = true;
}

/* One step: 0 when it is gone, -EAGAIN while there is more to do. */
static long destroy_step(void *of)
{
	struct mon_vm *vm = of;
	long err = 0;

	mutex_lock(&vm->lock);
	if (vm->domain && !vm->ending)
		keep_status(vm);
	if (vm->domain)
		err = mon_hypercall(MON_HC_VM_DESTROY, vm->domain, 0, 0, 0);
	if (!err)
		vm->domain = 0; /* the number can be another VM's from now on */
	mutex_unlock(&vm->lock);
	return err;
}

/* The first step is enough to stop it: no CPU enters it any more. */
static void vm_process_gone(struct mmu_notifier *notifier, struct mm_struct *mm)
{
	destroy_step(container_of(notifier, struct mon_vm, notifier));
}

static const struct mmu_notifier_ops notifier_ops = {
	.release = vm_process_gone,
};

/* Each CPU gives up what it holds of the VM when it passes the monitor. */
static long vm_destroy(struct mon_vm *vm)
{
	return mon_all_steps(destroy_step, vm);
}

static void vm_free(struct mon_vm *vm)
{
	mutex_lock(&vms_lock);
	list_del(&vm->list);
	mutex_unlock(&vms_lock);
	put_pid(vm->pid);
	kfree(vm);
}

/*
 * A VM that cannot be destroyed keeps what it has: its frames, the reference
 * that keeps its page table from being reused, and the module.
 */
static int vm_release(struct inode *inode, struct file *file)
{
	struct mon_vm *vm = file->private_data;
	long err;

	if (!vm) /* never became a domain's */
		return 0;
	err = vm_destroy(vm);
	if (err) {
		pr_err(MON_LOG "domain %u is not gone after %u s (error %ld): it stays, and so does this module\n",
		       vm->domain, MON_STEPS_SECONDS, err);
		__module_get(THIS_MODULE);
		return 0;
	}
	mmu_notifier_unregister(&vm->notifier, vm->mm);
	mon_pool_release(vm->frames);
	vm_free(vm);
	return 0;
}

/* ---- status ---- */

/**
 * mon_vm_query() - what the monitor says of a VM, or said when it began to end
 * @vm: the VM
 * @status: filled in; not on the stack, for the monitor gets its physical address
 */
long mon_vm_query(struct mon_vm *vm, struct mon_vm_status *status)
{
	long err = 0;

	memset(status, 0, sizeof(*status));
	mutex_lock(&vm->lock);
	if (vm->ending)
		*status = vm->last;
	else if (vm->domain)
		err = mon_hypercall(MON_HC_VM_STATUS, vm->domain, __pa(status), 0, 0);
	if (!vm->domain)
		status->private_frames = 0;
	mutex_unlock(&vm->lock);
	return err;
}

/**
 * mon_vm_call() - call the monitor about a VM that lives
 * @vm: the VM
 * @call: does so; meanwhile the number of the domain stays this VM's
 * @arg: for @call
 *
 * -ENOENT: it does not live.
 */
long mon_vm_call(struct mon_vm *vm, long (*call)(u32 domain, void *arg), void *arg)
{
	long ret = -ENOENT;

	mutex_lock(&vm->lock);
	if (vm->domain && !vm->ending)
		ret = call(vm->domain, arg);
	mutex_unlock(&vm->lock);
	return ret;
}

/* As the caller sees it; 0 if it is no more, for then the number can be another's. */
static pid_t vm_pid(struct mon_vm *vm)
{
	pid_t nr = 0;

	rcu_read_lock();
	if (pid_task(vm->pid, PIDTYPE_TGID))
		nr = pid_vnr(vm->pid);
	rcu_read_unlock();
	return nr;
}

/* Another thread may have collected since the monitor was asked. */
static u64 not_collected(struct mon_vm *vm, const struct mon_vm_status *s)
{
	u64 collected = READ_ONCE(vm->collected);

	return s->returned > collected ? s->returned - collected : 0;
}

static long vm_get_status(struct mon_vm *vm, void __user *arg)
{
	struct mon_vm_status *s;
	struct mon_vm_info info = {};
	long err;

	BUILD_BUG_ON(sizeof(info) % 8);
	err = mon_copy_in(&info, sizeof(info), MON_VM_INFO_SIZE_V1, arg);
	if (err)
		return err;
	if (info.flags)
		return -EINVAL;
	s = kzalloc(sizeof(*s), GFP_KERNEL);
	if (!s)
		return -ENOMEM;
	err = mon_vm_query(vm, s);
	if (!err) {
		info = (struct mon_vm_info){
			.size = info.size,	 .domain = READ_ONCE(vm->domain),
			.pid = vm_pid(vm),	 .state = s->state,
			.stop = s->stop,	 .stop_detail = s->stop_detail,
			.nr_vcpus = s->nr_vcpus, .max_vcpus = vm->max_vcpus,
			.exits = s->exits,	 .exits_to_host = s->exits_to_host,
			.private_frames = s->private_frames, .limit_frames = s->limit,
			.reserved_frames = READ_ONCE(vm->frames),
			.returned_frames = not_collected(vm, s),
		};
		memcpy(info.measurement, s->measurement, sizeof(info.measurement));
		memcpy(info.runtime, s->runtime, sizeof(info.runtime));
	}
	kfree(s);
	return err ? -EIO : mon_copy_out(arg, &info, sizeof(info));
}

static long vm_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct mon_vm *vm = file->private_data;
	void __user *to = (void __user *)arg;

	switch (cmd) {
	case MON_IOC_VM_STATUS:
		return vm_get_status(vm, to);
	case MON_IOC_VM_COLLECT:
		return mon_vm_collect(vm, to);
	case MON_IOC_VM_REFILL:
		return mon_vm_refill(vm, to);
	case MON_IOC_VM_KEY:
		return mon_vm_key(vm, to);
	case MON_IOC_SHARE_ACCEPT:
		return mon_share_accept(vm, to);
	case MON_IOC_SHARE_OFFER:
		return mon_share_offer(vm, to);
	default:
		return -ENOTTY;
	}
}

static const struct file_operations vm_fops = {
	.owner = THIS_MODULE,
	.release = vm_release,
	.unlocked_ioctl = vm_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};

static const char *name_of(const char *const *names, unsigned int nr, unsigned int i)
{
	return i < nr && names[i] ? names[i] : "?";
}

static void vm_show(struct seq_file *m, struct mon_vm *vm, struct mon_vm_status *s)
{
	if (mon_vm_query(vm, s))
		return;
	seq_printf(m, "domain=%u pid=%d state=%s vcpus=%u/%u private=%llu limit=%llu reserved=%llu",
		   READ_ONCE(vm->domain), vm_pid(vm),
		   name_of(state_names, ARRAY_SIZE(state_names), s->state), s->nr_vcpus,
		   vm->max_vcpus, s->private_frames, s->limit, READ_ONCE(vm->frames));
	seq_printf(m, " exits=%llu to_host=%llu stop=%s detail=%#llx", s->exits, s->exits_to_host,
		   name_of(stop_names, MON_VM_STOP_NR, s->stop), s->stop_detail);
	seq_printf(m, " measurement=%*phN runtime=%*phN\n", 32, s->measurement, 32, s->runtime);
}

/* /sys/kernel/debug/monitor/domains: a line for each. */
int mon_vms_show(struct seq_file *m, void *unused)
{
	struct mon_vm_status *s = kzalloc(sizeof(*s), GFP_KERNEL);
	struct mon_vm *vm;

	if (!s)
		return -ENOMEM;
	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, list)
		vm_show(m, vm, s);
	mutex_unlock(&vms_lock);
	kfree(s);
	return 0;
}

unsigned int mon_vm_count(void)
{
	struct mon_vm *vm;
	unsigned int n = 0;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, list)
		n++;
	mutex_unlock(&vms_lock);
	return n;
}

/**
 * mon_vms_destroy() - the system goes down: all of them, though their files are open
 *
 * Returns the error of one that cannot be destroyed.
 */
long mon_vms_destroy(void)
{
	struct mon_vm *vm;
	long err = 0;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, list)
		err = vm_destroy(vm) ?: err;
	mutex_unlock(&vms_lock);
	return err;
}

/* ---- arming ---- */

/* The caller has CAP_SYS_ADMIN, which is more than looking into the process takes. */
static struct mm_struct *mm_of(pid_t nr, struct pid **pid)
{
	struct task_struct *task;
	struct mm_struct *mm;

	*pid = find_get_pid(nr);
	if (!*pid)
		return NULL;
	task = get_pid_task(*pid, PIDTYPE_TGID);
	mm = task ? get_task_mm(task) : NULL;
	if (task)
		put_task_struct(task);
	if (!mm)
		put_pid(*pid);
	return mm;
}

/* From here on another request for the same process finds it. */
static int vm_list(struct mon_vm *new)
{
	struct mon_vm *vm;
	int err = 0;

	mutex_lock(&vms_lock);
	list_for_each_entry(vm, &vms, list)
		if (vm->mm == new->mm)
			err = -EEXIST;
	if (!err)
		list_add_tail(&new->list, &vms);
	mutex_unlock(&vms_lock);
	return err;
}

static long vm_create(struct mon_vm *vm, const struct mon_vm_policy *policy)
{
	struct mon_vm_create *create = kzalloc(sizeof(*create), GFP_KERNEL);
	long id;

	if (!create)
		return -ENOMEM;
	create->host_cr3 = __pa(vm->mm->pgd);
	create->policy = *policy;
	mutex_lock(&vm->lock);
	id = mon_hypercall(MON_HC_VM_CREATE, __pa(create), 0, 0, 0);
	if (id > 0)
		vm->domain = id;
	mutex_unlock(&vm->lock);
	kfree(create);
	if (id > 0)
		return 0;
	return id == -MON_ENOSYS ? -EOPNOTSUPP : id ?: -EIO;
}

/*
 * On success the file owns @vm. Nothing can fail behind vm_create(). The caller
 * holds the mm's users, so the notifier's release cannot run before all is done.
 */
static int vm_make(struct mon_vm *vm, const struct mon_vm_policy *policy)
{
	struct file *file;
	long err;
	int fd;

	fd = get_unused_fd_flags(O_CLOEXEC);
	if (fd < 0)
		return fd;
	file = anon_inode_getfile("monitor-vm", &vm_fops, NULL, O_RDWR);
	err = PTR_ERR_OR_ZERO(file);
	if (err)
		goto out_fd;
	err = mon_pool_reserve(vm->frames);
	if (err)
		goto out_file;
	vm->notifier.ops = &notifier_ops;
	err = mmu_notifier_register(&vm->notifier, vm->mm);
	if (err)
		goto out_pool;
	err = vm_create(vm, policy);
	if (err)
		goto out_notifier;
	file->private_data = vm;
	fd_install(fd, file);
	mon_hurry_start();
	return fd;

out_notifier:
	mmu_notifier_unregister(&vm->notifier, vm->mm);
out_pool:
	mon_pool_release(vm->frames);
out_file:
	fput(file);
out_fd:
	put_unused_fd(fd);
	return err;
}

static int arm_mm(struct mm_struct *mm, struct pid *pid, const struct mon_vm_policy *policy)
{
	struct mon_vm *vm = kzalloc(sizeof(*vm), GFP_KERNEL);
	int ret;

	if (!vm)
		return -ENOMEM;
	mutex_init(&vm->lock);
	mutex_init(&vm->account);
	vm->mm = mm;
	vm->pid = get_pid(pid);
	vm->frames = mon_policy_frames(policy);
	vm->max_vcpus = policy->max_vcpus;
	ret = vm_list(vm);
	if (ret) {
		put_pid(vm->pid);
		kfree(vm);
		return ret;
	}
	ret = vm_make(vm, policy);
	if (ret < 0)
		vm_free(vm);
	return ret;
}

int mon_vm_arm(void __user *arg)
{
	struct mon_vm_arm request;
	struct mm_struct *mm;
	struct pid *pid;
	int ret;

	BUILD_BUG_ON(sizeof(request) % 8);
	ret = mon_copy_in(&request, sizeof(request), MON_VM_ARM_SIZE_V1, arg);
	if (ret)
		return ret;
	if (request.flags || request.reserved || request.pid <= 0 ||
	    !mon_policy_valid(&request.policy))
		return -EINVAL;
	if (!capable(CAP_SYS_ADMIN))
		return -EPERM;
	if (mon_policy_frames(&request.policy) > si_mem_available())
		return -ENOMEM;
	mm = mm_of(request.pid, &pid);
	if (!mm)
		return -ESRCH;
	ret = arm_mm(mm, pid, &request.policy);
	put_pid(pid);
	mmput(mm);
	return ret;
}
