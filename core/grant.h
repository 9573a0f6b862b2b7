/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may share what with whom: npt/share.h, with the names by which VMs know each
 * other, what the two sides tell each other, and the policy of a VM's memory. Errors are
 * -MON_E*, as uapi/guest.h and uapi/hypercall.h say for each call.
 *
 * Lock order: grants_lock, vm->lock, npt_lock.
 */
#ifndef _CORE_GRANT_H
#define _CORE_GRANT_H

#include "../npt/share.h"
#include "../uapi/guest.h"
#include "vm.h"

/* ---- of a VM ---- */

/** grant_self() - who the VM is, as it may tell others */
void grant_self(struct vm *vm, struct mon_guest_self *self);
s64 grant_window(struct vm *vm, u64 gfn, u64 pages);
s64 grant_offer(struct vm *vm, const struct mon_guest_offer *offer);
s64 grant_accept(struct vm *vm, u64 id, u64 gfn, u64 tag);
s64 grant_end(u32 dom, u64 id);
s64 grant_show(struct vm *vm, u64 slot, struct mon_guest_share *out);
s64 grant_signal(const struct vm *vm, u64 id);
s64 grant_take_signal(const struct vm *vm, u64 id);
s64 grant_release(struct vm *vm, u64 gfn, u64 pages);
s64 grant_settled(struct vm *vm);

/** grant_waits() - is there a VM that could go on if some CPU of the host entered the monitor? */
bool grant_waits(void);

/* ---- of the host ---- */

s64 grant_host_offer(const struct mon_host_offer *offer);
s64 grant_host_accept(u64 id);
s64 grant_host_show(u64 slot, struct mon_share_status *out);

#endif /* _CORE_GRANT_H */
