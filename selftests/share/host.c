// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: host RACE-SECONDS
 *
 * A confidential VM that runs, and its host: what each shares with the other, what the
 * VM gives back, and who goes first at the end. As TAP; needs root and the module.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "puppet.h"

#define PAGE 4096UL
#define WORDS (PAGE / 8)
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)
#define AREA 0x400000UL	      /* what the VM shares */
#define WINDOW 0x100000000UL  /* where it sees what is shared with it */
#define WINDOW_PAGES 4096UL

static unsigned int points, failures;
static int dev, domain;

/* ---- TAP ---- */

static void ok(bool good, const char *name)
{
	points++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", points, name);
}

static void is(long got, long wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("#      got: %ld (%#lx)\n#   wanted: %ld (%#lx)\n", got, got, wanted,
		       wanted);
}

static int ask(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

/* ---- the host ---- */

static struct mon_info info(void)
{
	struct mon_info i = { .size = sizeof(i) };

	ask(dev, MON_IOC_INFO, &i);
	return i;
}

static struct mon_vm_info status(void)
{
	struct mon_vm_info i = { .size = sizeof(i) };

	ask(domain, MON_IOC_VM_STATUS, &i);
	return i;
}

static unsigned long host_frames(void)
{
	return info().frames_by_state[0];
}

/* Every CPU enters the monitor, as they all do sooner or later. */
static void every_cpu_passes(void)
{
	cpu_set_t all, one;
	int i;

	sched_getaffinity(0, sizeof(all), &all);
	for (i = 0; i < CPU_SETSIZE; i++) {
		if (!CPU_ISSET(i, &all))
			continue;
		CPU_ZERO(&one);
		CPU_SET(i, &one);
		sched_setaffinity(0, sizeof(one), &one);
		info();
	}
	sched_setaffinity(0, sizeof(all), &all);
}

static int accept_by(int vm, unsigned long id)
{
	struct mon_share_accept a = { .size = sizeof(a), .id = id };

	return ask(vm, MON_IOC_SHARE_ACCEPT, &a);
}

static int offer_to(int vm, unsigned int perm, unsigned long pages, unsigned long tag)
{
	struct mon_share_offer o = { .size = sizeof(o), .perm = perm, .pages = pages, .tag = tag };

	return ask(vm, MON_IOC_SHARE_OFFER, &o);
}

static int share_status(int share, struct mon_share_info *s)
{
	*s = (struct mon_share_info){ .size = sizeof(*s) };
	return ask(share, MON_IOC_SHARE_STATUS, s);
}

/* @find: 0 for any */
static unsigned int shares_there(unsigned long find)
{
	struct mon_share_info s;
	unsigned int slot, n = 0;
	int err = 0;

	for (slot = 0; err != -ERANGE && slot < 10000; slot++) {
		s = (struct mon_share_info){ .size = sizeof(s), .slot = slot };
		err = ask(dev, MON_IOC_SHARE_AT, &s);
		n += !err && (!find || s.id == find);
	}
	return n;
}

static long collect(void)
{
	struct mon_vm_frames f = { .size = sizeof(f) };
	int err = ask(domain, MON_IOC_VM_COLLECT, &f);

	return err ? err : (long)f.frames;
}

static long refill(unsigned long frames)
{
	struct mon_vm_frames f = { .size = sizeof(f), .frames = frames };

	return ask(domain, MON_IOC_VM_REFILL, &f);
}

static unsigned long *map(int share, unsigned long pages, int prot)
{
	void *p = mmap(NULL, pages * PAGE, prot, MAP_SHARED, share, 0);

	return p == MAP_FAILED ? NULL : p;
}

/* Frames that this peer has mapped of that owner's, as MON_IOC_PAGES says. */
static unsigned long frames_shared(unsigned int owner, unsigned int peer)
{
	static struct mon_page_count counts[256];
	struct mon_pages p = { .size = sizeof(p), .count = 256, .counts = (__u64)counts };
	unsigned long n = 0;

	if (ask(dev, MON_IOC_PAGES, &p))
		return ~0UL;
	while (p.count--)
		if (counts[p.count].owner == owner && counts[p.count].peer == peer)
			n += counts[p.count].frames;
	return n;
}

/* ---- memory that may not be there ---- */

static __thread sigjmp_buf fault;

static void on_fault(int number)
{
	siglongjmp(fault, number);
}

/* 0, or the signal that it raises. */
static int peek(volatile unsigned long *at, unsigned long *value)
{
	int number = sigsetjmp(fault, 1);

	if (!number)
		*value = *at;
	return number;
}

static int poke(volatile unsigned long *at, unsigned long value)
{
	int number = sigsetjmp(fault, 1);

	if (!number)
		*at = value;
	return number;
}

#define BUS (0xdead00000000UL + SIGBUS)

static unsigned long value_at(unsigned long *at)
{
	unsigned long value = 0;
	int number = peek(at, &value);

	return number ? 0xdead00000000UL + number : value;
}

/* ---- the guest ---- */

static long call(unsigned int nr, unsigned long a, unsigned long b, unsigned long c)
{
	return puppet(nr, a, b, c, 0);
}

static void store(unsigned long at, unsigned long value)
{
	puppet(PUPPET_STORE, at, value, 0, 0);
}

static unsigned long load(unsigned long at)
{
	return puppet(PUPPET_LOAD, at, 0, 0, 0);
}

static void fill(unsigned long at, unsigned long value, unsigned long pages)
{
	puppet(PUPPET_FILL, at, value, pages * WORDS, 0);
}

static long guest_offer(unsigned long at, unsigned long pages, unsigned int perm, unsigned long tag)
{
	return puppet_offer(at, pages, perm, MON_SHARE_TO_HOST, NULL, tag);
}

static long guest_end(unsigned long id)
{
	int tries;
	long err = -EAGAIN;

	for (tries = 0; err == -EAGAIN && tries < 1000; tries++) {
		err = call(MON_GC_END, id, 0, 0);
		if (err == -EAGAIN)
			every_cpu_passes();
	}
	return err;
}

static long guest_release(unsigned long at, unsigned long pages)
{
	return call(MON_GC_RELEASE, at / PAGE, pages, 0);
}

/*
 * What comes back first is what became free last. So the frames that the VM has just
 * given back are made free, which the monitor does when it takes a frame: for a page
 * that the VM has not touched before.
 */
static void make_free(void)
{
	static unsigned long fresh = PUPPET_RAM / 2;

	every_cpu_passes();
	load(fresh);
	fresh += PAGE;
}

/* ---- the VM's pages ---- */

static void test_accept(int other)
{
	long id = guest_offer(AREA, 16, RW, 0xabc), own = guest_offer(AREA + 16 * PAGE, 1, RW, 0);
	struct mon_share_info s;
	int share, again;

	ok(id > 0 && own > 0, "the VM offers pages to the host");
	is(accept_by(other, id), -ENOENT, "accept: not by another VM's descriptor");
	is(accept_by(domain, id + 0x10000), -ENOENT, "accept: not what is not offered");
	share = accept_by(domain, id);
	ok(share >= 0 && fcntl(share, F_GETFD) == FD_CLOEXEC, "accept: a close-on-exec file");
	is(share_status(share, &s), 0, "status of the share");
	ok(s.id == (unsigned long)id && s.state == MON_SHARE_LIVE && s.perm == RW &&
	   s.owner == status().domain && s.peer == MON_DOMAIN_HOST && s.pages == 16 &&
	   s.tag == 0xabc, "status: as it was offered");
	again = accept_by(domain, id);
	is(again, -EINVAL, "accept: once only");
	close(share);
	is(shares_there(id), 0, "the close ends it");
	is(guest_end(own), 0, "the VM ends what nobody has accepted");
	is(accept_by(domain, own), -ENOENT, "accept: not what the VM has withdrawn");
}

static void test_map(void)
{
	long id = guest_offer(AREA, 4, RW, 0);
	int share = accept_by(domain, id), pipes[2];
	unsigned long *p = map(share, 4, PROT_READ | PROT_WRITE), *q, copy;
	struct iovec from = { .iov_base = p, .iov_len = 8 };
	struct iovec to = { .iov_base = &copy, .iov_len = 8 };

	store(AREA, 0x1111);
	store(AREA + 3 * PAGE + 8, 0x2222);
	is(value_at(p), 0x1111, "the host reads what the VM wrote");
	is(value_at(&p[3 * WORDS + 1]), 0x2222, "in another page, too");
	is(value_at(&p[2 * WORDS]), 0, "a page that the VM never touched is zeros");
	is(poke(&p[WORDS], 0x3333), 0, "the host writes");
	is(load(AREA + PAGE), 0x3333, "and the VM reads it");
	is(frames_shared(status().domain, MON_DOMAIN_HOST), 4,
	   "pages: four are shared with the host");
	q = map(share, 4, PROT_READ);
	is(value_at(&q[WORDS]), 0x3333, "a second mapping is of the same pages");
	is(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, share, 0) == MAP_FAILED ? errno : 0, EINVAL,
	   "no private mapping");
	is(mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, share, 0) == MAP_FAILED ? errno : 0, EINVAL,
	   "no mapping beyond the end");
	is(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, share, 0) == MAP_FAILED ? errno : 0,
	   EACCES, "no mapping to execute");
	is(mprotect(p, PAGE, PROT_READ | PROT_EXEC) ? errno : 0, EACCES, "none becomes executable");
	is(process_vm_readv(getpid(), &to, 1, &from, 1, 0) < 0 ? errno : 0, EFAULT,
	   "the kernel pins none of it");
	ok(!pipe(pipes) && write(pipes[1], p, 8) == 8 && read(pipes[0], &copy, 8) == 8 &&
	   copy == 0x1111, "system calls that copy take it");
	close(pipes[0]);
	close(pipes[1]);
	close(share);
	is(shares_there(id), 1, "a mapping keeps the share");
	munmap(p, 4 * PAGE);
	munmap(q, 4 * PAGE);
	is(shares_there(id), 0, "the end of the last one ends it");
}

static void test_read_only(void)
{
	long id = guest_offer(AREA, 2, MON_SHARE_READ, 0);
	int share = accept_by(domain, id);
	unsigned long *p = map(share, 2, PROT_READ);

	store(AREA, 0x4444);
	is(value_at(p), 0x4444, "to read only: the host reads");
	ok(!map(share, 2, PROT_READ | PROT_WRITE) && errno == EACCES,
	   "to read only: no mapping to write");
	is(mprotect(p, PAGE, PROT_READ | PROT_WRITE) ? errno : 0, EACCES,
	   "to read only: none becomes writable");
	is(poke(p, 1), SIGSEGV, "to read only: a write is an error");
	is(load(AREA), 0x4444, "to read only: the VM's page is as it was");
	munmap(p, 2 * PAGE);
	close(share);
	is(shares_there(0), 0, "to read only: it has ended");
}

/* The VM ends it, gives the pages back, and gets them again. */
static void test_given_back(void)
{
	long id = guest_offer(AREA, 32, RW, 0);
	int share = accept_by(domain, id);
	unsigned long *p = map(share, 32, PROT_READ | PROT_WRITE), before, i, bus = 0;
	unsigned long limit = status().limit_frames, reserved = status().reserved_frames;
	struct mon_share_info s;

	fill(AREA, 0x5555555555555555, 32);
	for (i = 0; i < 16; i++)
		poke(&p[i * WORDS], 0x6666);
	is(guest_release(AREA, 16), -EBUSY, "what is shared cannot be given back");
	is(guest_end(id), 0, "the VM ends the share");
	is(share_status(share, &s), -ENOENT, "status: it is over");
	is(value_at(p), 0, "what was mapped reads as zeros");
	is(poke(p, 0x7777), 0, "and is written to in vain");
	is(load(AREA), 0x6666, "the VM has what there was");
	is(value_at(&p[20 * WORDS]), BUS, "what was not mapped raises SIGBUS");
	before = host_frames();
	is(guest_release(AREA, 32), 0, "the VM gives the pages back");
	ok(status().limit_frames == limit - 32 && status().returned_frames == 32 &&
	   status().reserved_frames == reserved, "status: 32 frames to collect");
	make_free();
	is(collect(), 32, "they are collected");
	is(collect(), 0, "once");
	ok(status().returned_frames == 0 && status().reserved_frames == reserved - 32,
	   "status: nothing to collect");
	ok(host_frames() >= before + 32, "the host has them");
	for (i = 0; i < 32; i++)
		bus += value_at(&p[i * WORDS]) == BUS;
	is(bus, 32, "no process has one of them mapped any more");
	is(refill(33), -EINVAL, "refill: not more than were given back");
	is(refill(16), 0, "refill: half of them");
	is(refill(17), -EINVAL, "refill: not more than the rest");
	is(refill(16), 0, "refill: the rest");
	is(refill(1), -EINVAL, "refill: no more");
	ok(status().limit_frames == limit && status().reserved_frames == reserved,
	   "status: all as before");
	is(puppet(PUPPET_COUNT, AREA, 0, 32 * WORDS, 0), 32 * WORDS, "the VM has zeros there");
	munmap(p, 32 * PAGE);
	close(share);
}

/* One frame, two shares one after the other; who has the first mapped does not get the second. */
static void test_again(void)
{
	long first = guest_offer(AREA, 2, RW, 0), second;
	int share = accept_by(domain, first), share2;
	unsigned long *p = map(share, 2, PROT_READ | PROT_WRITE), *q;

	poke(p, 0x8888);
	is(guest_end(first), 0, "a share ends");
	second = guest_offer(AREA, 2, RW, 0);
	ok(second > 0 && second != first, "its pages are offered again, by another number");
	share2 = accept_by(domain, second);
	q = map(share2, 2, PROT_READ | PROT_WRITE);
	is(value_at(q), 0x8888, "the second share has them");
	is(value_at(p), BUS, "a mapping of the first one does not");
	close(share);
	munmap(p, 2 * PAGE);
	is(value_at(q), 0x8888, "the first one's end changes nothing");
	munmap(q, 2 * PAGE);
	close(share2);
	is(shares_there(0), 0, "both are over");
}

/* A child keeps what its parent had mapped. */
static void test_fork(void)
{
	long id = guest_offer(AREA, 2, RW, 0);
	int share = accept_by(domain, id), result;
	unsigned long *p = map(share, 2, PROT_READ | PROT_WRITE);
	pid_t pid;

	poke(p, 0x9999);
	fflush(stdout);
	pid = fork();
	if (!pid) {
		usleep(300000);
		_exit(value_at(p) != 0x9999 || poke(&p[WORDS], 0xaaaa));
	}
	munmap(p, 2 * PAGE);
	close(share);
	is(shares_there(id), 1, "a child's mapping keeps the share");
	waitpid(pid, &result, 0);
	is(result, 0, "a child uses it");
	is(load(AREA + PAGE), 0xaaaa, "and the VM sees what it wrote");
	is(shares_there(id), 0, "it ends with the child");
}

/* ---- the host's pages ---- */

static void test_host_pages(void)
{
	int share = offer_to(domain, RW, 3, 0xcafe), ro = offer_to(domain, MON_SHARE_READ, 1, 0);
	unsigned long *p = map(share, 3, PROT_READ | PROT_WRITE);
	unsigned long *q = map(ro, 1, PROT_READ | PROT_WRITE), before = host_frames();
	struct mon_share_info s, t;

	share_status(share, &s);
	share_status(ro, &t);
	is(call(MON_GC_WINDOW, WINDOW / PAGE, WINDOW_PAGES, 0), 0, "the VM has a window");
	is(call(MON_GC_ACCEPT, s.id, WINDOW / PAGE, 0), 0, "it accepts what the host offers");
	is(call(MON_GC_ACCEPT, t.id, WINDOW / PAGE + 8, 0), 0, "and something to read");
	share_status(share, &s);
	is(s.state, MON_SHARE_LIVE, "status: live");
	poke(p, 0xbbbb);
	poke(q, 0xcccc);
	is(load(WINDOW), 0xbbbb, "it reads what the host wrote");
	is(load(WINDOW + 8 * PAGE), 0xcccc, "in the other one, too");
	store(WINDOW + 2 * PAGE, 0xdddd);
	is(value_at(&p[2 * WORDS]), 0xdddd, "the host reads what it wrote");
	is(load(WINDOW + PAGE), 0, "what nobody wrote is zeros");
	ok(host_frames() == before, "the frames are the host's all the time");
	munmap(q, PAGE);
	close(ro);
	is(shares_there(t.id), 0, "the host ends one");
	is(guest_end(s.id), 0, "the VM ends the other");
	is(share_status(share, &s), -ENOENT, "status: it is over");
	is(value_at(&p[2 * WORDS]), 0xdddd, "the host has its pages");
	munmap(p, 3 * PAGE);
	close(share);
	is(call(MON_GC_WINDOW, 0, 0, 0), 0, "nothing is in the window");
}

/* ---- many threads ---- */

#define THREADS 4

struct racer {
	long id;
	unsigned long *at;
	unsigned int over, started, got, won, wrong;
};

static void *accept_thread(void *arg)
{
	struct racer *r = arg;
	int share;

	__atomic_fetch_add(&r->started, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&r->started, __ATOMIC_SEQ_CST) < THREADS)
		sched_yield();
	share = accept_by(domain, r->id);
	if (share >= 0)
		__atomic_fetch_add(&r->won, 1, __ATOMIC_SEQ_CST);
	else if (share != -EINVAL && share != -ENOENT)
		__atomic_fetch_add(&r->wrong, 1, __ATOMIC_SEQ_CST);
	__atomic_fetch_sub(&r->over, 1, __ATOMIC_SEQ_CST);
	while (__atomic_load_n(&r->over, __ATOMIC_SEQ_CST))
		sched_yield();
	if (share >= 0)
		close(share);
	return NULL;
}

static void *collect_thread(void *arg)
{
	struct racer *r = arg;
	long n = collect();

	if (n >= 0)
		__atomic_fetch_add(&r->got, n, __ATOMIC_SEQ_CST);
	else
		__atomic_fetch_add(&r->wrong, 1, __ATOMIC_SEQ_CST);
	n = refill(4);
	if (!n)
		__atomic_fetch_add(&r->won, 1, __ATOMIC_SEQ_CST);
	else if (n != -EINVAL)
		__atomic_fetch_add(&r->wrong, 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void all_threads(void *(*run)(void *), struct racer *r)
{
	pthread_t thread[THREADS];
	int i;

	for (i = 0; i < THREADS; i++)
		pthread_create(&thread[i], NULL, run, r);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
}

static void test_threads(void)
{
	unsigned long reserved = status().reserved_frames, limit = status().limit_frames;
	int rounds, once = 0, exact = 0, wrong = 0;

	for (rounds = 0; rounds < 10; rounds++) {
		struct racer accept = { .id = guest_offer(AREA, 1, RW, 0), .over = THREADS };
		struct racer account = { 0 };

		all_threads(accept_thread, &accept);
		once += accept.won == 1;
		fill(AREA, 1, 12);
		guest_release(AREA, 12);
		all_threads(collect_thread, &account);
		exact += account.got == 12 && account.won == 3;
		wrong += accept.wrong + account.wrong;
	}
	is(once, rounds, "threads: an offer is accepted once");
	is(exact, rounds, "threads: what is given back is collected once, and refilled once");
	is(wrong, 0, "threads: each error is a documented one");
	ok(status().reserved_frames == reserved && status().limit_frames == limit,
	   "threads: all as before");
}

/* ---- a frame comes back that a process writes to all the time ---- */

#define RACE_PAGES 64
#define MARK 0xfeedfeedfeedfeedUL

static void *writer_thread(void *arg)
{
	struct racer *r = arg;
	unsigned long i = 0;

	while (!__atomic_load_n(&r->over, __ATOMIC_ACQUIRE)) {
		if (!poke(&r->at[i % RACE_PAGES * WORDS + 7], MARK))
			__atomic_fetch_add(&r->won, 1, __ATOMIC_RELAXED);
		i++;
	}
	return NULL;
}

/* Whoever gets such a frame now finds it changed under its hands. */
static unsigned long marks_in_new_memory(void)
{
	unsigned long words = 4UL << 17, i, n = 0, round; /* 4 MiB */
	unsigned long *p = mmap(NULL, words * 8, PROT_READ | PROT_WRITE,
				MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	for (round = 0; round < 3; round++) {
		for (i = 7; i < words; i += WORDS)
			n += p[i] == MARK;
		usleep(1000);
	}
	munmap(p, words * 8);
	return n;
}

static void test_stale(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long marks = 0, writes = 0, rounds = 0;
	int errors = 0;

	while (time(NULL) < end || !rounds) {
		struct racer r = { .id = guest_offer(AREA, RACE_PAGES, RW, 0) };
		int share = accept_by(domain, r.id);
		pthread_t thread[2];

		r.at = map(share, RACE_PAGES, PROT_READ | PROT_WRITE);
		errors += !r.at;
		pthread_create(&thread[0], NULL, writer_thread, &r);
		pthread_create(&thread[1], NULL, writer_thread, &r);
		while (__atomic_load_n(&r.won, __ATOMIC_RELAXED) < 2 * RACE_PAGES)
			sched_yield();
		errors += guest_end(r.id) != 0;
		errors += guest_release(AREA, RACE_PAGES) != 0;
		make_free();
		errors += collect() != RACE_PAGES;
		marks += marks_in_new_memory();
		__atomic_store_n(&r.over, 1, __ATOMIC_RELEASE);
		pthread_join(thread[0], NULL);
		pthread_join(thread[1], NULL);
		errors += refill(RACE_PAGES) != 0;
		munmap(r.at, RACE_PAGES * PAGE);
		close(share);
		writes += r.won;
		rounds++;
	}
	printf("# %lu rounds, %lu writes\n", rounds, writes);
	is(errors, 0, "given back under the hands of writers: nothing fails");
	is(marks, 0, "no frame that came back is written to");
}

/* ---- the end ---- */

static void test_end(void)
{
	long id = guest_offer(AREA, 8, RW, 0);
	int share = accept_by(domain, id), offered = offer_to(domain, RW, 2, 0);
	unsigned long *p = map(share, 8, PROT_READ | PROT_WRITE), *q;
	struct mon_share_info s;

	q = map(offered, 2, PROT_READ | PROT_WRITE);
	share_status(offered, &s);
	call(MON_GC_WINDOW, WINDOW / PAGE, WINDOW_PAGES, 0);
	call(MON_GC_ACCEPT, s.id, WINDOW / PAGE, 0);
	poke(p, 0xeeee);
	store(WINDOW, 0xffff);
	is(value_at(p), 0xeeee, "the VM's page is mapped");
	is(value_at(q), 0xffff, "and the host's");
	close(domain);
	is(info().nr_domains, 0, "the VM is gone");
	is(shares_there(0), 0, "its shares are, too");
	ok(!value_at(p) || value_at(p) == BUS, "the VM's page is not there");
	is(value_at(q), 0xffff, "the host's page is there");
	is(share_status(share, &s), -ENOENT, "status of what the VM shared: over");
	is(share_status(offered, &s), -ENOENT, "status of what the host shared: over");
	munmap(p, 8 * PAGE);
	munmap(q, 2 * PAGE);
	close(share);
	close(offered);
	ok(puppet(PUPPET_LOAD, AREA, 0, 0, 0) <= PUPPET_DEAD, "the VM runs no more");
}

/* Another VM, armed and never run. */
static int other_vm(pid_t *pid)
{
	struct mon_vm_arm a = { .size = sizeof(a) };

	fflush(stdout);
	*pid = fork();
	if (!*pid)
		for (;;)
			pause();
	a.pid = *pid;
	a.policy.version = MON_VM_POLICY_VERSION;
	a.policy.max_vcpus = 1;
	a.policy.nr_ranges = 1;
	a.policy.range[0].end = PUPPET_RAM;
	a.policy.range[0].type = MON_RANGE_RAM;
	return ask(dev, MON_IOC_VM_ARM, &a);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_fault };
	unsigned long before;
	int other;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	sigaction(SIGBUS, &action, NULL);
	sigaction(SIGSEGV, &action, NULL);
	dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC);
	other = other_vm(&pid);
	before = host_frames();
	domain = puppet_start(PUPPET_RAM);
	is(call(MON_GC_PING, 0, 0, 0), MON_ABI_VERSION, "the VM runs and knows the monitor");
	test_accept(other);
	close(other);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	test_map();
	test_read_only();
	test_given_back();
	test_again();
	test_fork();
	test_host_pages();
	test_threads();
	test_stale(argc > 1 ? atoi(argv[1]) : 5);
	test_end();
	ok(host_frames() + 64 > before, "all frames are the host's again");
	printf("1..%u\n", points);
	return failures != 0;
}
