// SPDX-License-Identifier: GPL-2.0-only
/*
 * In a confidential VM: each call of the monitor with arguments that it must refuse,
 * and once with good ones. The answers are in the kernel's log: "calls: ok 1 - ...".
 * With the parameter "peer" it takes an offer of another VM's to this one instead, with
 * "steal" one that is not to this one, and with "release" it really gives a page back.
 */
#include <linux/delay.h>
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/string.h>
#include "uapi/guest.h"

#define FIRMWARE_PFN 0xfffffULL	/* the last page below 4 GiB */
#define DEVICE_PFN 0xfed00ULL	/* HPET */
#define PFN_4G 0x100000ULL
#define WINDOW_PFN 0x900000ULL
#define WINDOW_PAGES 512
#define SLOTS 528
#define LIMIT_PFN (1ULL << 36)
#define ANY_REFUSAL LONG_MAX

static bool peer;
module_param(peer, bool, 0);
static bool release;
module_param(release, bool, 0);
static unsigned long steal;
module_param(steal, ulong, 0);

static void *page, *pages; /* arguments; two to offer */
static unsigned int points;

static void ok(bool good, const char *name, long got)
{
	points++;
	pr_info("calls: %sok %u - %s%s\n", good ? "" : "not ", points, name, good ? "" : ":");
	if (!good)
		pr_info("calls: # got %ld\n", got);
}

static void is(const char *name, long got, long wanted)
{
	ok(wanted == ANY_REFUSAL ? got < 0 : got == wanted, name, got);
}

static long vmcall(u64 rax, u64 rdi, u64 rsi, u64 rdx)
{
	long ret = rax;

	asm volatile("vmcall" : "+a"(ret) : "D"(rdi), "S"(rsi), "d"(rdx) : "memory");
	return ret;
}

static long call(u64 nr, u64 a, u64 b, u64 c)
{
	return vmcall(MON_HYPERCALL | nr, a, b, c);
}

static u64 pfn_of(void *virtual)
{
	return virt_to_phys(virtual) >> PAGE_SHIFT;
}

static long offer(u64 pfn, u64 nr, u32 perm, u32 to)
{
	struct mon_guest_offer *o = page;
	struct mon_guest_self *self = page;
	struct mon_name name;

	call(MON_GC_SELF, virt_to_phys(page), 0, 0);
	name = self->name;
	*o = (struct mon_guest_offer){ .gfn = pfn, .pages = nr, .perm = perm, .to = to,
				       .tag = 0x746167, .name = name };
	return call(MON_GC_OFFER, virt_to_phys(page), 0, 0);
}

static long offer_host(u64 pfn, u64 nr, u32 perm)
{
	return offer(pfn, nr, perm, MON_SHARE_TO_HOST);
}

static long end_share(long id)
{
	unsigned int tries;
	long err = -MON_EAGAIN;

	/* Some CPU of the host has not flushed yet. */
	for (tries = 0; err == -MON_EAGAIN && tries < 5000; tries++) {
		err = call(MON_GC_END, id, 0, 0);
		if (err == -MON_EAGAIN)
			usleep_range(1000, 2000);
	}
	return err;
}

static bool settled(void)
{
	unsigned int tries;

	for (tries = 0; tries < 5000; tries++) {
		if (!call(MON_GC_SETTLED, 0, 0, 0))
			return true;
		usleep_range(1000, 2000);
	}
	return false;
}

/* Shares of this VM's and offers to it. */
static unsigned int shares(void)
{
	unsigned int slot, n = 0;

	for (slot = 0; slot < SLOTS; slot++)
		n += !call(MON_GC_SHARE_AT, slot, virt_to_phys(page), 0);
	return n;
}

static u64 limit_now(void)
{
	call(MON_GC_SELF, virt_to_phys(page), 0, 0);
	return ((struct mon_guest_self *)page)->limit;
}

/* ---- one VM ---- */

static void test_numbers(void)
{
	is("a ping is answered", call(MON_GC_PING, 0, 0, 0), MON_ABI_VERSION);
	is("there is no call behind the last", call(MON_GC_NR, 0, 0, 0), -MON_ENOSYS);
	is("nor with all bits set", call(0xffffffff, 0, 0, 0), -MON_ENOSYS);
	is("nor one of KVM's", vmcall(5, 0, 0, 0), -MON_ENOSYS);
}

static void test_self(void)
{
	struct mon_guest_self *self = page;

	is("self: across two pages", call(MON_GC_SELF, virt_to_phys(page) + PAGE_SIZE - 8, 0, 0),
	   -MON_EFAULT);
	is("self: into a device", call(MON_GC_SELF, DEVICE_PFN << PAGE_SHIFT, 0, 0), -MON_EFAULT);
	is("self: into firmware", call(MON_GC_SELF, FIRMWARE_PFN << PAGE_SHIFT, 0, 0), -MON_EFAULT);
	is("self: at no address", call(MON_GC_SELF, ~0ULL << PAGE_SHIFT, 0, 0), -MON_EFAULT);
	is("self: answered", call(MON_GC_SELF, virt_to_phys(page), 0, 0), 0);
	ok(self->domain >= 2 && !self->reserved && self->owned && self->owned <= self->limit &&
	   memchr_inv(&self->name, 0, sizeof(self->name)), "self: makes sense", self->domain);
}

static void test_window(void)
{
	is("window: over RAM", call(MON_GC_WINDOW, pfn_of(page), 1, 0), -MON_EINVAL);
	is("window: below 4 GiB", call(MON_GC_WINDOW, 0xc0000, 16, 0), -MON_EINVAL);
	is("window: across 4 GiB", call(MON_GC_WINDOW, PFN_4G - 1, 2, 0), -MON_EINVAL);
	is("window: too large", call(MON_GC_WINDOW, WINDOW_PFN, MON_WINDOW_PAGES_MAX + 1, 0),
	   -MON_EINVAL);
	is("window: larger than a number", call(MON_GC_WINDOW, WINDOW_PFN, ~0ULL, 0), -MON_EINVAL);
	is("window: across the end", call(MON_GC_WINDOW, LIMIT_PFN - 1, 2, 0), -MON_EINVAL);
	is("window: behind the end", call(MON_GC_WINDOW, ~0ULL, 1, 0), -MON_EINVAL);
	is("window: a good one", call(MON_GC_WINDOW, WINDOW_PFN, MON_WINDOW_PAGES_MAX, 0), 0);
	is("window: another", call(MON_GC_WINDOW, WINDOW_PFN, WINDOW_PAGES, 0), 0);
}

static void test_offer(void)
{
	u64 pfn = pfn_of(pages);
	long id;

	is("offer: no permission", offer_host(pfn, 1, 0), -MON_EINVAL);
	is("offer: to write only", offer_host(pfn, 1, MON_SHARE_WRITE), -MON_EINVAL);
	is("offer: to execute", offer_host(pfn, 1, 7), -MON_EINVAL);
	is("offer: to nobody there is", offer(pfn, 1, MON_SHARE_READ, 4), -MON_EINVAL);
	is("offer: no pages", offer_host(pfn, 0, MON_SHARE_READ), ANY_REFUSAL);
	is("offer: a device", offer_host(DEVICE_PFN, 1, MON_SHARE_READ), -MON_EPERM);
	is("offer: no address", offer_host(~0ULL, 1, MON_SHARE_READ), -MON_EPERM);
	is("offer: more than there is", offer_host(pfn, ~0ULL, MON_SHARE_READ), -MON_EPERM);
	is("offer: past the end of RAM", offer_host(pfn, PFN_4G, MON_SHARE_READ), -MON_EPERM);
	is("offer: the window", offer_host(WINDOW_PFN, 1, MON_SHARE_READ), -MON_EPERM);
	is("offer: firmware to write", offer_host(FIRMWARE_PFN, 1, 3), -MON_EPERM);
	is("offer: a structure across two pages",
	   call(MON_GC_OFFER, virt_to_phys(page) + PAGE_SIZE - 8, 0, 0), -MON_EFAULT);
	is("offer: a structure in a device", call(MON_GC_OFFER, DEVICE_PFN << PAGE_SHIFT, 0, 0),
	   -MON_EFAULT);
	ok(!shares(), "offer: none of that is a share", shares());
	id = offer_host(FIRMWARE_PFN, 1, MON_SHARE_READ);
	ok(id >= 0, "offer: firmware to read", id);
	is("end: of an offer", end_share(id), 0);
	is("end: once more", end_share(id), -MON_ENOENT);
}

static void test_shares(void)
{
	struct mon_guest_share *s = page;
	u64 pfn = pfn_of(pages);
	long id = offer(pfn, 2, 3, MON_SHARE_TO_NAME);
	unsigned int slot;

	ok(id >= 0, "offer: two pages", id);
	is("offer: both again", offer_host(pfn, 2, MON_SHARE_READ), -MON_EEXIST);
	is("offer: the second again", offer_host(pfn + 1, 1, MON_SHARE_READ), -MON_EEXIST);
	is("accept: one's own offer", call(MON_GC_ACCEPT, id, WINDOW_PFN, 0), ANY_REFUSAL);
	is("accept: no such share", call(MON_GC_ACCEPT, id + 1, WINDOW_PFN, 0), -MON_ENOENT);
	is("accept: no number", call(MON_GC_ACCEPT, ~0ULL, WINDOW_PFN, 0), -MON_ENOENT);
	is("end: no such share", call(MON_GC_END, id + (1 << 16), 0, 0), -MON_ENOENT);
	is("end: no number", call(MON_GC_END, ~0ULL, 0, 0), -MON_ENOENT);
	is("signal: nobody has accepted", call(MON_GC_SIGNAL, id, 0, 0), -MON_ENOENT);
	is("signal: no such share", call(MON_GC_SIGNAL, ~0ULL, 0, 0), -MON_ENOENT);
	is("take a signal: nobody has accepted", call(MON_GC_TAKE_SIGNAL, id, 0, 0), -MON_ENOENT);
	is("take a signal: no such share", call(MON_GC_TAKE_SIGNAL, ~0ULL, 0, 0), -MON_ENOENT);
	is("table: behind the end", call(MON_GC_SHARE_AT, SLOTS, virt_to_phys(page), 0),
	   -MON_ERANGE);
	is("table: far behind", call(MON_GC_SHARE_AT, ~0ULL, virt_to_phys(page), 0), -MON_ERANGE);
	for (slot = 0; slot < SLOTS; slot++)
		if (!call(MON_GC_SHARE_AT, slot, virt_to_phys(page), 0))
			break;
	ok(s->id == id && s->state == MON_SHARE_OFFERED && s->perm == 3 && s->is_owner == 1 &&
	   s->other == MON_DOMAIN_NONE && s->gfn == pfn && s->pages == 2 && !s->tag &&
	   !memchr_inv(&s->name, 0, sizeof(s->name)), "table: the share, unchanged", slot);
	is("table: into a device", call(MON_GC_SHARE_AT, slot, DEVICE_PFN << PAGE_SHIFT, 0),
	   -MON_EFAULT);
	is("table: a free slot", call(MON_GC_SHARE_AT, (slot + 1) % SLOTS, virt_to_phys(page), 0),
	   -MON_ENOENT);
	is("release: shared", call(MON_GC_RELEASE, pfn + 1, 1, 0), -MON_EBUSY);
	is("end: the two pages", end_share(id), 0);
}

static void test_quota(void)
{
	long id[MON_SHARE_QUOTA];
	unsigned int i, good = 0;
	void *many = alloc_pages_exact(PAGE_SIZE * (MON_SHARE_QUOTA + 1), GFP_KERNEL);

	if (!many)
		return ok(false, "quota: memory", 0);
	for (i = 0; i < MON_SHARE_QUOTA; i++) {
		id[i] = offer_host(pfn_of(many) + i, 1, 3);
		good += id[i] >= 0;
	}
	is("quota: so many shares", good, MON_SHARE_QUOTA);
	is("quota: one more", offer_host(pfn_of(many) + i, 1, 3), -MON_EBUSY);
	is("quota: the table has them", shares(), MON_SHARE_QUOTA);
	for (i = 0, good = 0; i < MON_SHARE_QUOTA; i++)
		good += !end_share(id[i]);
	is("quota: all end", good, MON_SHARE_QUOTA);
	free_pages_exact(many, PAGE_SIZE * (MON_SHARE_QUOTA + 1));
}

static void test_release(void)
{
	u64 pfn = pfn_of(pages), limit = limit_now();

	memset(pages, 0x5a, 2 * PAGE_SIZE);
	is("release: no pages", call(MON_GC_RELEASE, pfn, 0, 0), -MON_EINVAL);
	is("release: too many", call(MON_GC_RELEASE, pfn, MON_RELEASE_MAX + 1, 0), -MON_EINVAL);
	is("release: firmware", call(MON_GC_RELEASE, FIRMWARE_PFN, 1, 0), -MON_EPERM);
	is("release: a device", call(MON_GC_RELEASE, DEVICE_PFN, 1, 0), -MON_EPERM);
	is("release: the window", call(MON_GC_RELEASE, WINDOW_PFN, 1, 0), -MON_EPERM);
	is("release: no address", call(MON_GC_RELEASE, ~0ULL, 2, 0), -MON_EPERM);
	ok(settled(), "release: so there is nothing to settle", 0);
	ok(limit_now() == limit && !memchr_inv(pages, 0x5a, 2 * PAGE_SIZE),
	   "release: nothing of that has changed anything", limit);
}

/* From here on the VM may own a page less than it has. */
static void test_released(void)
{
	u64 pfn = pfn_of(pages), limit = limit_now();

	memset(pages, 0x5a, 2 * PAGE_SIZE);
	is("release: a page", call(MON_GC_RELEASE, pfn + 1, 1, 0), 0);
	is("release: the limit", limit_now(), limit - 1);
	ok(!memchr_inv(pages, 0x5a, PAGE_SIZE) && !memchr_inv(pages + PAGE_SIZE, 0, PAGE_SIZE),
	   "release: that page is made of zeros, the other is as it was", 0);
}

/* ---- a page given back, and another CPU that writes there ---- */

/* Each round the writer writes the round's number to where it wrote before. */
static struct {
	unsigned int round, written;
	bool last;
} writer;

static int writer_thread(void *unused)
{
	unsigned int *word = pages, done = 0, now;

	while (!READ_ONCE(writer.last)) {
		now = smp_load_acquire(&writer.round); /* of lost_one() */
		if (now != done) {
			WRITE_ONCE(*word, now);
			smp_store_release(&writer.written, now); /* for lost_one() */
			done = now;
		}
		cond_resched();
	}
	return 0;
}

static bool lost_one(unsigned int round)
{
	smp_store_release(&writer.round, round); /* for writer_thread() */
	while (smp_load_acquire(&writer.written) != round) /* of writer_thread() */
		cond_resched();
	return READ_ONCE(*(unsigned int *)pages) != round;
}

/* How often what the other CPU writes is lost. */
static unsigned int losses(unsigned int rounds, bool settle)
{
	static unsigned int round;
	unsigned int lost = 0;

	for (; rounds; rounds--) {
		if (call(MON_GC_RELEASE, pfn_of(pages), 1, 0) || (settle && !settled()))
			return UINT_MAX;
		lost += lost_one(++round);
	}
	return lost;
}

static void test_two_cpus(void)
{
	struct task_struct *thread = kthread_create(writer_thread, NULL, "writer");
	unsigned int lost;

	if (IS_ERR(thread) || num_online_cpus() < 2)
		return ok(false, "release: another CPU", PTR_ERR_OR_ZERO(thread));
	get_task_struct(thread);
	kthread_bind(thread, 1);
	wake_up_process(thread);
	set_cpus_allowed_ptr(current, cpumask_of(0));
	lost_one(UINT_MAX);
	lost = losses(50, false);
	ok(lost && lost <= 50, "release: what another CPU writes at once may be lost", lost);
	is("release: once it is settled nothing is", losses(50, true), 0);
	WRITE_ONCE(writer.last, true);
	kthread_stop(thread);
	put_task_struct(thread);
}

static void test_one(void)
{
	test_numbers();
	test_self();
	test_window();
	test_offer();
	test_shares();
	test_quota();
	test_release();
	is("window: none", call(MON_GC_WINDOW, 0, 0, 0), 0);
	ok(!shares(), "no share is left", shares());
}

/* ---- two VMs ---- */

static void test_accepted(const struct mon_guest_share *s)
{
	u64 pfn = pfn_of(pages);
	long id = s->id;

	is("accept: in the window", call(MON_GC_ACCEPT, id, WINDOW_PFN, 0), 0);
	is("accept: again", call(MON_GC_ACCEPT, id, WINDOW_PFN, 0), ANY_REFUSAL);
	is("window: elsewhere, with a share in it", call(MON_GC_WINDOW, WINDOW_PFN + 512, 512, 0),
	   -MON_EBUSY);
	is("window: none, with a share in it", call(MON_GC_WINDOW, 0, 0, 0), -MON_EBUSY);
	is("offer: what is shared with it", offer_host(WINDOW_PFN, 1, MON_SHARE_READ), -MON_EPERM);
	is("release: what is shared with it", call(MON_GC_RELEASE, WINDOW_PFN, 1, 0), -MON_EPERM);
	is("self: into what is shared with it",
	   call(MON_GC_SELF, WINDOW_PFN << PAGE_SHIFT, 0, 0), -MON_EFAULT);
	is("offer: its own, meanwhile", end_share(offer_host(pfn, 1, MON_SHARE_READ)), 0);
	is("signal: the other side", call(MON_GC_SIGNAL, id, 0, 0), 0);
	is("end: as the peer", end_share(id), 0);
	is("end: once more", call(MON_GC_END, id, 0, 0), -MON_ENOENT);
	is("signal: after the end", call(MON_GC_SIGNAL, id, 0, 0), -MON_ENOENT);
}

static void test_two(void)
{
	struct mon_guest_share s = { 0 };
	unsigned int slot;

	is("window: a good one", call(MON_GC_WINDOW, WINDOW_PFN, WINDOW_PAGES, 0), 0);
	for (slot = 0; slot < SLOTS; slot++)
		if (!call(MON_GC_SHARE_AT, slot, virt_to_phys(page), 0))
			s = *(struct mon_guest_share *)page;
	ok(s.state == MON_SHARE_OFFERED && !s.is_owner && !s.gfn && s.other >= 2,
	   "table: the offer of the other VM", s.state);
	is("accept: outside of the window", call(MON_GC_ACCEPT, s.id, WINDOW_PFN - 1, 0),
	   -MON_EINVAL);
	is("accept: past the end of it",
	   call(MON_GC_ACCEPT, s.id, WINDOW_PFN + WINDOW_PAGES - s.pages + 1, 0), -MON_EINVAL);
	is("accept: over RAM", call(MON_GC_ACCEPT, s.id, pfn_of(page), 0), -MON_EINVAL);
	is("end: an offer of the other's", call(MON_GC_END, s.id, 0, 0), ANY_REFUSAL);
	is("signal: before", call(MON_GC_SIGNAL, s.id, 0, 0), -MON_ENOENT);
	is("take a signal: before", call(MON_GC_TAKE_SIGNAL, s.id, 0, 0), -MON_ENOENT);
	test_accepted(&s);
	is("window: none", call(MON_GC_WINDOW, 0, 0, 0), 0);
}

/* ---- a VM with another name ---- */

static void test_steal(void)
{
	is("window: a good one", call(MON_GC_WINDOW, WINDOW_PFN, WINDOW_PAGES, 0), 0);
	ok(!shares(), "table: nothing is for this VM", shares());
	is("accept: not for this VM", call(MON_GC_ACCEPT, steal, WINDOW_PFN, 0), -MON_ENOENT);
	is("end: not this VM's", call(MON_GC_END, steal, 0, 0), ANY_REFUSAL);
	is("signal: not this VM's", call(MON_GC_SIGNAL, steal, 0, 0), -MON_ENOENT);
	is("take a signal: not this VM's", call(MON_GC_TAKE_SIGNAL, steal, 0, 0), -MON_ENOENT);
	ok(!shares(), "table: still nothing", shares());
	is("window: none", call(MON_GC_WINDOW, 0, 0, 0), 0);
}

static int __init calls_init(void)
{
	page = (void *)get_zeroed_page(GFP_KERNEL);
	pages = alloc_pages_exact(2 * PAGE_SIZE, GFP_KERNEL | __GFP_ZERO);
	if (!page || !pages)
		return -ENOMEM;
	if (release) {
		test_released();
		test_two_cpus();
	}
	if (steal)
		test_steal();
	else if (peer)
		test_two();
	else if (!release)
		test_one();
	pr_info("calls: 1..%u\n", points);
	free_pages_exact(pages, 2 * PAGE_SIZE);
	free_page((unsigned long)page);
	return 0;
}

static void __exit calls_exit(void)
{
}

module_init(calls_init);
module_exit(calls_exit);
MODULE_DESCRIPTION("What a confidential VM must not be able to ask");
MODULE_LICENSE("GPL");
