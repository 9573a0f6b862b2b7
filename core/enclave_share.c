// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an enclave shares with another one or with a VM: grant.h says with whom, npt/share.h how.
 *
 * What it offers is there when it does, and stays: it is not evicted, given back or protected
 * while it is in a share. So no page of it is ever made for a peer, and its permission is known.
 */
#include "grant.h"
#include "hypercall.h"

_Static_assert(MON_ENCLAVE_SHARE_MAX == VM_RELEASE_MAX, "as for all that names pages");

static bool may_offer(const struct enclave *e, const struct mon_enclave_offer *offer)
{
	u32 type = enclave_type_of(e, offer->address, offer->pages);

	return (type == MON_ENCLAVE_PAGES || type == MON_ENCLAVE_ZERO) &&
	       IS_ALIGNED(offer->address, PAGE_SIZE) && grant_is_name(offer->to) &&
	       grant_is_perm(offer->perm);
}

static s64 offer_locked(struct enclave *e, const struct mon_enclave_offer *offer)
{
	u64 at, end = offer->address + (offer->pages << PAGE_SHIFT);
	s64 id;

	for (at = offer->address; at < end; at += PAGE_SIZE) {
		if (vm_npt_usable(&e->npt, e->id, at, offer->perm) != INVALID_PFN)
			continue;
		return vm_npt_lookup(&e->npt, e->id, at) == INVALID_PFN ? -MON_EFAULT : -MON_EPERM;
	}
	id = grant_enclave_offer(e, offer);
	if (id > 0)
		e->shared = true;
	return id;
}

s64 enclave_offer(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_offer offer;
	s64 id;

	(void)thread;
	memcpy(&offer, at, sizeof(offer));
	if (!may_offer(e, &offer))
		return -MON_EINVAL;
	spin_lock(&e->lock);
	id = offer_locked(e, &offer);
	spin_unlock(&e->lock);
	return id;
}

s64 enclave_accept(struct enclave *e, u32 thread, void *at)
{
	struct mon_enclave_accept accept;

	(void)thread;
	memcpy(&accept, at, sizeof(accept));
	if (enclave_type_of(e, accept.address, accept.pages) != MON_ENCLAVE_SHARED ||
	    !IS_ALIGNED(accept.address, PAGE_SIZE) || !grant_is_name(accept.from))
		return -MON_EINVAL;
	return grant_enclave_accept(e, &accept);
}
