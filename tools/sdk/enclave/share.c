// SPDX-License-Identifier: GPL-2.0-only
/* Pages shared with other enclaves and with VMs. */
#include <string.h>
#include "runtime.h"

/* What is not there yet, or is out, is there then. */
static void touch(const volatile char *at, size_t size)
{
	size_t i;

	for (i = 0; i < size; i += MON_PAGE)
		(void)at[i];
}

/* Fewer than a page are none, which the monitor refuses. */
static uint64_t pages_of(size_t size)
{
	return size % MON_PAGE || size / MON_PAGE > MON_ENCLAVE_SHARE_MAX ? 0 : size / MON_PAGE;
}

long mon_share_offer(void *at, size_t size, unsigned int permission, unsigned int to,
		     const struct mon_name *name, uint64_t tag)
{
	struct mon_enclave_offer *o = &mon_thread()->call.offer;
	long answer;

	*o = (struct mon_enclave_offer){
		.address = (unsigned long)at, .pages = pages_of(size), .perm = permission,
		.to = to, .tag = tag, .name = *name,
	};
	do { /* the host may take a page away in between */
		touch(at, o->pages * MON_PAGE);
		answer = mon_vmcall(MON_EC_OFFER, (unsigned long)o, 0, 0);
	} while (answer == -MON_EFAULT);
	return answer;
}

void *mon_share_window(size_t *size)
{
	const struct mon_layout *l = mon_where();

	*size = l->shared_end - l->shared;
	return *size ? (void *)l->shared : NULL;
}

int mon_share_accept(uint64_t id, void *at, size_t size, unsigned int permission,
		     unsigned int from, const struct mon_name *name, uint64_t tag)
{
	struct mon_enclave_accept *a = &mon_thread()->call.accept;

	*a = (struct mon_enclave_accept){
		.id = id, .address = (unsigned long)at, .pages = pages_of(size),
		.perm = permission, .from = from, .tag = tag, .name = *name,
	};
	return mon_vmcall(MON_EC_ACCEPT, (unsigned long)a, 0, 0);
}

int mon_share_end(uint64_t id)
{
	return mon_vmcall(MON_EC_SHARE_END, id, 0, 0);
}
