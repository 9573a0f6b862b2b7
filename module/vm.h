/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MODULE_VM_H
#define _MODULE_VM_H

#include <linux/list.h>
#include <linux/mm_types.h>
#include <linux/mmu_notifier.h>
#include <linux/mutex.h>
#include <linux/types.h>
#include "../uapi/hypercall.h"

/**
 * struct mon_vm - a confidential VM, made by vm.c
 * @list: in the list of all
 * @notifier: tells of the end of @mm
 * @mm: the address space it is bound to
 * @pid: whose that is
 * @max_vcpus: by its policy
 * @lock: guards @domain, @ending and @last
 * @domain: 0: not yet, or no more
 * @ending: MON_HC_VM_DESTROY was called
 * @last: its status when it began to end
 * @account: guards what follows; the outer lock of the two
 * @frames: given to the monitor for it, and not back yet
 * @collected: of those it returned, these are the host's again
 * @refilled: these it may own again
 */
struct mon_vm {
	struct list_head list;
	struct mmu_notifier notifier;
	struct mm_struct *mm;
	struct pid *pid;
	u32 max_vcpus;
	struct mutex lock; /* @domain, @ending, @last */
	u32 domain;
	bool ending;
	struct mon_vm_status last;
	struct mutex account; /* the frames */
	u64 frames;
	u64 collected;
	u64 refilled;
};

/* policy.c */
bool mon_policy_valid(const struct mon_vm_policy *p);
u64 mon_policy_frames(const struct mon_vm_policy *p);

/* vm.c */
long mon_vm_query(struct mon_vm *vm, struct mon_vm_status *status);
long mon_vm_call(struct mon_vm *vm, long (*call)(u32 domain, void *arg), void *arg);

/* refill.c */
long mon_vm_collect(struct mon_vm *vm, void __user *arg);
long mon_vm_refill(struct mon_vm *vm, void __user *arg);

/* disk.c */
long mon_vm_key(struct mon_vm *vm, void __user *arg);

/* share.c */
long mon_share_accept(struct mon_vm *vm, void __user *arg);
long mon_share_offer(struct mon_vm *vm, void __user *arg);

#endif /* _MODULE_VM_H */
