// SPDX-License-Identifier: GPL-2.0-only
/*
 * Part of ioctl.c: memory shared with a VM and given back by one, as far as that
 * goes without a VM that runs; and the tables.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "ioctl.h"

#define RW (MON_SHARE_READ | MON_SHARE_WRITE)
#define COUNTS 256

int offer(int domain, unsigned int perm, unsigned long long pages)
{
	struct mon_share_offer o = {
		.size = sizeof(o), .perm = perm, .pages = pages, .tag = 0x123456789abcdef0ULL,
	};

	return ask(domain, MON_IOC_SHARE_OFFER, &o);
}

static int share_status(int share, struct mon_share_info *s)
{
	*s = (struct mon_share_info){ .size = sizeof(*s) };
	return ask(share, MON_IOC_SHARE_STATUS, s);
}

/* How many shares there are; @find: with this number only. */
static unsigned int shares_there(unsigned long long find)
{
	struct mon_share_info s;
	unsigned int slot, n = 0;
	int err = 0;

	for (slot = 0; err != -ERANGE && slot < 10000; slot++) {
		s = (struct mon_share_info){ .size = sizeof(s), .slot = slot };
		err = ask(dev, MON_IOC_SHARE_AT, &s);
		n += !err && (!find || s.id == find);
	}
	return slot < 10000 ? n : ~0U;
}

/* ---- MON_IOC_SHARE_AT ---- */

static void test_at(void)
{
	struct mon_share_info s = { .size = sizeof(s) };

	test_sizes(dev, MON_IOC_SHARE_AT, &s, sizeof(s), MON_SHARE_INFO_SIZE_V1, "share at");
	test_addresses(dev, MON_IOC_SHARE_AT, &s, sizeof(s), "share at");
	is(ask(dev, MON_IOC_SHARE_AT, &s), -ENOENT, "share at: an empty slot");
	s.slot = 100000;
	is(ask(dev, MON_IOC_SHARE_AT, &s), -ERANGE, "share at: behind the last slot");
	s.slot = ~0U;
	is(ask(dev, MON_IOC_SHARE_AT, &s), -ERANGE, "share at: the largest slot there is");
	is(shares_there(0), 0, "share at: nothing is shared");
}

/* ---- MON_IOC_PAGES ---- */

static struct mon_page_count counts[COUNTS];

static int pages(struct mon_pages *p)
{
	memset(counts, 0x55, sizeof(counts));
	*p = (struct mon_pages){
		.size = sizeof(*p), .count = COUNTS, .counts = (__u64)counts,
	};
	return ask(dev, MON_IOC_PAGES, p);
}

/* Frames may move between free and in transit meanwhile, not between these. */
static bool pages_agree(const struct mon_pages *p)
{
	unsigned long long sum[MON_INFO_STATES] = { 0 }, all = 0;
	struct mon_info i = info();
	unsigned int n;

	for (n = 0; n < p->count && n < COUNTS; n++) {
		if (counts[n].state >= MON_INFO_STATES || counts[n].reserved)
			return false;
		sum[counts[n].state] += counts[n].frames;
		all += counts[n].frames;
	}
	return all == i.frames_total && sum[0] == i.frames_by_state[0] &&
	       sum[3] == i.frames_by_state[3] && sum[4] == i.frames_by_state[4] &&
	       sum[5] == i.frames_by_state[5];
}

static void test_pages(void)
{
	struct mon_pages p = { .size = sizeof(p) };
	unsigned int needed;

	test_sizes(dev, MON_IOC_PAGES, &p, sizeof(p), MON_PAGES_SIZE_V1, "pages");
	test_addresses(dev, MON_IOC_PAGES, &p, sizeof(p), "pages");
	is(pages(&p), 0, "pages");
	ok(p.count > 2 && p.count <= COUNTS && pages_agree(&p),
	   "pages: as many of each state as the status says");
	ok(*(unsigned char *)&counts[p.count] == 0x55, "pages: nothing behind the last entry");
	needed = p.count;
	p.count = needed - 1;
	memset(counts, 0x55, sizeof(counts));
	is(ask(dev, MON_IOC_PAGES, &p), -ENOSPC, "pages: too little room");
	ok(p.count == needed && *(unsigned char *)counts == 0x55,
	   "pages: only says how much is needed");
	p.count = 0;
	p.counts = 0;
	is(ask(dev, MON_IOC_PAGES, &p), -ENOSPC, "pages: no room");
	p.counts = 0xffff888000001000ULL;
	is(ask(dev, MON_IOC_PAGES, &p), -EFAULT, "pages: room in the kernel");
	pages(&p);
	p.flags = 1;
	is(ask(dev, MON_IOC_PAGES, &p), -EINVAL, "pages: unknown flag");
	pages(&p);
	p.reserved = 1;
	is(ask(dev, MON_IOC_PAGES, &p), -EINVAL, "pages: padding");
}

/* ---- MON_IOC_VM_COLLECT, MON_IOC_VM_REFILL ---- */

static int frames(int domain, unsigned long cmd, unsigned long long n)
{
	struct mon_vm_frames f = { .size = sizeof(f), .frames = n };
	int ret = ask(domain, cmd, &f);

	return !ret && cmd == MON_IOC_VM_COLLECT ? (int)f.frames : ret;
}

static void test_frames(int domain)
{
	unsigned long long before = host_frames();
	struct mon_vm_frames f = { .size = sizeof(f), .flags = 1 };

	is(ask(domain, MON_IOC_VM_COLLECT, &f), -EINVAL, "collect: unknown flag");
	is(ask(domain, MON_IOC_VM_REFILL, &f), -EINVAL, "refill: unknown flag");
	f.flags = 0;
	test_sizes(domain, MON_IOC_VM_COLLECT, &f, sizeof(f), MON_VM_FRAMES_SIZE_V1, "collect");
	test_addresses(domain, MON_IOC_VM_COLLECT, &f, sizeof(f), "collect");
	test_sizes(domain, MON_IOC_VM_REFILL, &f, sizeof(f), MON_VM_FRAMES_SIZE_V1, "refill");
	test_addresses(domain, MON_IOC_VM_REFILL, &f, sizeof(f), "refill");
	is(frames(domain, MON_IOC_VM_COLLECT, 77), 0, "collect: the VM gave nothing back");
	is(frames(domain, MON_IOC_VM_REFILL, 0), -EINVAL, "refill: no frame");
	is(frames(domain, MON_IOC_VM_REFILL, 1), -EINVAL, "refill: more than the policy needs");
	is(frames(domain, MON_IOC_VM_REFILL, 1ULL << 40), -EINVAL, "refill: far more");
	is(frames(domain, MON_IOC_VM_REFILL, ~0ULL), -EINVAL, "refill: as much as can be said");
	ok(host_frames() == before, "collect, refill: nothing was taken or came back");
}

/* ---- MON_IOC_SHARE_ACCEPT: there is nothing to accept ---- */

static int accept_id(int domain, unsigned long long id)
{
	struct mon_share_accept a = { .size = sizeof(a), .id = id };

	return ask(domain, MON_IOC_SHARE_ACCEPT, &a);
}

static void test_accept(int domain)
{
	struct mon_share_accept a = { .size = sizeof(a) };
	int share = offer(domain, RW, 1);
	struct mon_share_info s;

	share_status(share, &s);
	test_sizes(domain, MON_IOC_SHARE_ACCEPT, &a, sizeof(a), MON_SHARE_ACCEPT_SIZE_V1, "accept");
	test_addresses(domain, MON_IOC_SHARE_ACCEPT, &a, sizeof(a), "accept");
	a.flags = 1;
	is(ask(domain, MON_IOC_SHARE_ACCEPT, &a), -EINVAL, "accept: unknown flag");
	is(accept_id(domain, 0), -ENOENT, "accept: number 0");
	is(accept_id(domain, s.id), -ENOENT, "accept: what the host offers itself");
	is(accept_id(domain, s.id + 0x10000), -ENOENT, "accept: what is not offered yet");
	is(accept_id(domain, ~0ULL), -ENOENT, "accept: the largest number there is");
	close(share);
	is(accept_id(domain, s.id), -ENOENT, "accept: what is over");
}

/* ---- MON_IOC_SHARE_OFFER ---- */

static void test_offer_refused(int domain)
{
	struct mon_share_offer o = { .size = sizeof(o), .perm = RW, .pages = 1 };
	static const struct {
		unsigned int perm;
		unsigned long long pages;
		const char *name;
	} wrong[] = {
		{ 0, 1, "offer: for nothing" },
		{ MON_SHARE_WRITE, 1, "offer: to write only" },
		{ 4, 1, "offer: to execute" },
		{ 7, 1, "offer: to read, write and execute" },
		{ ~0U, 1, "offer: all bits" },
		{ RW, 0, "offer: no page" },
		{ RW, MON_SHARE_OFFER_PAGES_MAX + 1, "offer: a page too many" },
		{ RW, 1ULL << 52, "offer: more pages than there are addresses" },
		{ RW, ~0ULL, "offer: as many as can be said" },
	};
	unsigned int i;

	test_sizes(domain, MON_IOC_SHARE_OFFER, &o, sizeof(o), MON_SHARE_OFFER_SIZE_V1, "offer");
	test_addresses(domain, MON_IOC_SHARE_OFFER, &o, sizeof(o), "offer");
	for (i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		is(offer(domain, wrong[i].perm, wrong[i].pages), -EINVAL, wrong[i].name);
	is(shares_there(0), 0, "offer: nothing is offered");
}

static void test_offer_granted(int domain)
{
	struct mon_share_info s, at = { .size = sizeof(at) };
	int share = offer(domain, MON_SHARE_READ, 3);

	ok(share >= 0 && fcntl(share, F_GETFD) == FD_CLOEXEC, "offer: a descriptor, close-on-exec");
	is(share_status(share, &s), 0, "share status");
	ok(s.size == sizeof(s) && !s.slot && s.id && s.state == MON_SHARE_OFFERED &&
	   s.perm == MON_SHARE_READ && s.owner == MON_DOMAIN_HOST && s.pages == 3 &&
	   s.peer == status(domain).domain && !s.tag, "share status: as it was offered");
	is(shares_there(s.id), 1, "share at: it is there");
	for (; ask(dev, MON_IOC_SHARE_AT, &at) == -ENOENT; at.slot++)
		at.size = sizeof(at);
	s.slot = at.slot;
	ok(!memcmp(&s, &at, sizeof(s)), "share at: says the same");
	s = (struct mon_share_info){ .size = sizeof(s) };
	test_sizes(share, MON_IOC_SHARE_STATUS, &s, sizeof(s), MON_SHARE_INFO_SIZE_V1,
		   "share status");
	test_addresses(share, MON_IOC_SHARE_STATUS, &s, sizeof(s), "share status");
	s.slot = 1;
	is(ask(share, MON_IOC_SHARE_STATUS, &s), -EINVAL, "share status: a slot");
	test_numbers(share, SHARE, "share");
	close(share);
	is(shares_there(0), 0, "the last close ends it");
}

/* ---- mmap() ---- */

static int map(int share, size_t size, int prot, int flags, off_t at)
{
	void *p = mmap(NULL, size, prot, flags, share, at);

	if (p == MAP_FAILED)
		return -errno;
	munmap(p, size);
	return 0;
}

static void test_map_refused(int share)
{
	is(map(share, 3 * PAGE, PROT_READ, MAP_SHARED, 0), 0, "map: to read");
	is(map(share, 4 * PAGE, PROT_READ, MAP_SHARED, 0), -EINVAL, "map: a page too many");
	is(map(share, PAGE, PROT_READ, MAP_SHARED, 3 * PAGE), -EINVAL, "map: behind the end");
	is(map(share, PAGE, PROT_READ, MAP_SHARED, 1L << 62), -EINVAL, "map: far behind the end");
	is(map(share, PAGE, PROT_READ, MAP_SHARED, 2 * PAGE), 0, "map: the last page");
	is(map(share, PAGE, PROT_READ, MAP_PRIVATE, 0), -EINVAL, "map: private");
	is(map(share, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, 0), -EACCES, "map: to execute");
}

static void test_map(int domain)
{
	int share = offer(domain, MON_SHARE_READ, 3), pipes[2];
	char *p = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, share, 0), *again;
	struct mon_share_info s;
	unsigned long i, sum = 0;
	char byte = 0;

	share_status(share, &s);
	test_map_refused(share);
	ok(p != MAP_FAILED, "map: to write, whatever the VM may");
	for (i = 0; i < 3 * PAGE; i++)
		sum += p[i];
	ok(!sum, "its pages begin as zeros");
	memset(p, 0x5a, 3 * PAGE);
	again = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, share, 2 * PAGE);
	ok(again != MAP_FAILED && again[0] == 0x5a, "a second mapping is of the same pages");
	is(mprotect(p, PAGE, PROT_READ | PROT_EXEC) ? -errno : 0, -EACCES,
	   "no mapping becomes executable");
	is(mremap(p, 3 * PAGE, 4 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED ? -errno : 0, -EFAULT,
	   "no mapping grows");
	ok(!pipe(pipes) && write(pipes[1], p + PAGE, 1) == 1 && read(pipes[0], &byte, 1) == 1 &&
	   byte == 0x5a, "system calls take it");
	close(pipes[0]);
	close(pipes[1]);
	munmap(again, PAGE);
	close(share);
	is(shares_there(s.id), 1, "it lives on in a mapping");
	munmap(p + PAGE, PAGE);
	is(shares_there(s.id), 1, "and in a part of one");
	munmap(p, 3 * PAGE);
	is(shares_there(s.id), 0, "the end of the last mapping ends it");
}

/* ---- limits ---- */

static void test_quota(int domain)
{
	int share[MON_SHARE_QUOTA + 1], i, good = 0;

	for (i = 0; i <= (int)MON_SHARE_QUOTA; i++) {
		share[i] = offer(domain, RW, 1);
		good += share[i] >= 0;
	}
	is(good, MON_SHARE_QUOTA, "offers up to the quota");
	is(share[MON_SHARE_QUOTA], -EBUSY, "one more is refused");
	is(shares_there(0), MON_SHARE_QUOTA, "share at: all of them");
	for (i = 0; i < good; i++)
		close(share[i]);
	is(shares_there(0), 0, "none is left");
	for (i = 0; i < 40; i++) {
		good = offer(domain, RW, MON_SHARE_OFFER_PAGES_MAX);
		if (good < 0)
			break;
		close(good);
	}
	is(i, 40, "the largest offer, often: its memory comes back each time");
}

static void test_no_descriptor(int domain)
{
	struct rlimit none = { 0, 0 };
	pid_t pid;
	int result;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_NOFILE, &none);
		_exit(-offer(domain, RW, 1));
	}
	waitpid(pid, &result, 0);
	is(-WEXITSTATUS(result), -EMFILE, "offer: without a free descriptor");
	is(shares_there(0), 0, "offer: then there is no share");
}

/* ---- who goes first ---- */

static void test_process_gone(pid_t pid, int domain)
{
	int share = offer(domain, RW, 2), tries;
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, share, 0);
	struct mon_share_info s;

	p[0] = 1;
	stop(pid);
	for (tries = 0; tries < 1000 && status(domain).state != MON_VM_DYING; tries++)
		usleep(10000);
	is(offer(domain, RW, 1), -ENOENT, "offer: to a VM that is gone");
	is(accept_id(domain, 1), -ENOENT, "accept: of a VM that is gone");
	is(frames(domain, MON_IOC_VM_REFILL, 1), -ENOENT, "refill: a VM that is gone");
	is(frames(domain, MON_IOC_VM_COLLECT, 0), 0, "collect: of a VM that is gone");
	close(domain);
	is(info().nr_domains, 0, "the domain is gone before its share");
	is(share_status(share, &s), -ENOENT, "share status: it is over");
	p[PAGE] = 2;
	ok(p[0] == 1 && p[PAGE] == 2, "its memory is there still");
	is(syscall(SYS_delete_module, "monitor", O_NONBLOCK) ? -errno : 0, -EAGAIN,
	   "the module stays while it is there");
	close(share);
	munmap(p, 2 * PAGE);
	is(shares_there(0), 0, "nothing is shared");
}

void test_shares(void)
{
	unsigned long long before = host_frames();
	pid_t pid = start();
	int domain = arm(pid);

	test_at();
	test_pages();
	test_frames(domain);
	test_accept(domain);
	test_offer_refused(domain);
	test_offer_granted(domain);
	test_map(domain);
	test_quota(domain);
	test_no_descriptor(domain);
	test_process_gone(pid, domain);
	ok(host_frames() + 4 > before, "shares: the host has the frames it had");
}
