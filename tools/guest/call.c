// SPDX-License-Identifier: GPL-2.0-only
/* VMCALL: the contract is in uapi/guest.h. */
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mutex.h>
#include <linux/string.h>
#include <asm/asm.h>
#include "monguest.h"

static_assert(MON_EPERM == EPERM && MON_ENOENT == ENOENT && MON_EAGAIN == EAGAIN &&
	      MON_ENOMEM == ENOMEM && MON_EFAULT == EFAULT && MON_EBUSY == EBUSY &&
	      MON_EEXIST == EEXIST && MON_EINVAL == EINVAL && MON_ERANGE == ERANGE);

/* A structure for the monitor must lie within one page. */
static DEFINE_MUTEX(page_lock);
static void *page;

/* Who is not in a confidential VM may get #UD. */
long monguest_call(u64 nr, u64 a, u64 b, u64 c)
{
	long rax = MON_HYPERCALL | nr;

	asm volatile("1:	vmcall\n"
		     "	jmp 3f\n"
		     "2:	movq %[nodev], %%rax\n"
		     "3:\n"
		     _ASM_EXTABLE(1b, 2b)
		     : "+a"(rax)
		     : "D"(a), "S"(b), "d"(c), [nodev] "i"(-ENODEV)
		     : "memory");
	return rax;
}

int monguest_self(struct mon_guest_self *self)
{
	long err;

	mutex_lock(&page_lock);
	memset(page, 0, sizeof(*self));
	err = monguest_call(MON_GC_SELF, virt_to_phys(page), 0, 0);
	memcpy(self, page, sizeof(*self));
	mutex_unlock(&page_lock);
	return err;
}

long monguest_offer(const struct mon_guest_offer *offer)
{
	long id;

	mutex_lock(&page_lock);
	memcpy(page, offer, sizeof(*offer));
	id = monguest_call(MON_GC_OFFER, virt_to_phys(page), 0, 0);
	mutex_unlock(&page_lock);
	return id;
}

int monguest_share_at(u32 slot, struct mon_guest_share *share)
{
	long err;

	mutex_lock(&page_lock);
	err = monguest_call(MON_GC_SHARE_AT, slot, virt_to_phys(page), 0);
	if (!err)
		memcpy(share, page, sizeof(*share));
	mutex_unlock(&page_lock);
	return err;
}

/*
 * The monitor's host asks by VMCALL, too, with other meanings of the same numbers,
 * and gets the same answer to a ping. What it gets for MON_GC_SELF begins with the
 * version, 1, and a VM's domain is 2 or more.
 */
int monguest_call_init(void)
{
	struct mon_guest_self self;
	int err = -ENODEV;

	page = (void *)get_zeroed_page(GFP_KERNEL);
	if (!page)
		return -ENOMEM;
	if (monguest_call(MON_GC_PING, 0, 0, 0) == MON_ABI_VERSION)
		err = monguest_self(&self);
	if (!err && self.domain <= MON_DOMAIN_MONITOR)
		err = -ENODEV;
	if (err)
		monguest_call_exit();
	return err;
}

void monguest_call_exit(void)
{
	free_page((unsigned long)page);
	page = NULL;
}
