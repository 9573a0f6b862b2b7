/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Who may share what with whom: npt/share.h, with the names by which VMs and enclaves know each
 * other, what the two sides tell each other, and the policy of a VM's memory. Errors are
 * -MON_E*, as uapi/guest.h, uapi/enclave.h and uapi/hypercall.h say for each call.
 *
 * Lock order: enclave->lock, grants_lock, vm->lock, npt_lock.
 */
#ifndef _CORE_GRANT_H
#define _CORE_GRANT_H

#include "../npt/share.h"
#include "../uapi/guest.h"
#include "enclave.h"
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

/** grant_waits() - could a VM or an enclave go on if some CPU of the host entered the monitor? */
bool grant_waits(void);

/* ---- of an enclave; enclave_share.c has seen to its own memory ---- */

/** grant_is_name() - does this of enum mon_share_to name a VM or an enclave? */
static inline bool grant_is_name(u32 to)
{
	return to >= MON_SHARE_TO_NAME && to <= MON_SHARE_TO_ENCLAVE;
}

/** grant_is_perm() - is it one that can be offered? */
static inline bool grant_is_perm(u32 perm)
{
	return perm == MON_SHARE_READ || perm == (MON_SHARE_READ | MON_SHARE_WRITE);
}

s64 grant_enclave_offer(struct enclave *e, const struct mon_enclave_offer *offer);
s64 grant_enclave_accept(struct enclave *e, const struct mon_enclave_accept *accept);

/* ---- of the host ---- */

s64 grant_host_offer(const struct mon_host_offer *offer);
s64 grant_host_accept(u64 id);
s64 grant_host_show(u64 slot, struct mon_share_status *out);

#endif /* _CORE_GRANT_H */
