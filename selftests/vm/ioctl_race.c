// SPDX-License-Identifier: GPL-2.0-only
/* Part of ioctl.c: many threads on the same descriptors, while the VM's process dies. */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>
#include "ioctl.h"

#define THREADS 6

static struct {
	int domain;
	unsigned int over;
	unsigned int strange;
	unsigned int offers;
} race;

static void note(int ret, const char *what)
{
	if (ret >= 0 || documented(ret))
		return;
	__atomic_fetch_add(&race.strange, 1, __ATOMIC_RELAXED);
	printf("# undocumented: %s: %s\n", what, strerror(-ret));
}

static void use_share(int share)
{
	struct mon_share_info s = { .size = sizeof(s) };
	char *p = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, share, 0);
	int copy = dup(share);

	__atomic_fetch_add(&race.offers, 1, __ATOMIC_RELAXED);
	if (p != MAP_FAILED)
		p[PAGE] = 1;
	close(share);
	note(ask(copy, MON_IOC_SHARE_STATUS, &s), "share status");
	/* what is a share of somebody else, too */
	struct mon_share_accept a = { .size = sizeof(a), .id = s.id };
	int ret = ask(race.domain, MON_IOC_SHARE_ACCEPT, &a);

	if (ret != -ENOENT)
		note(-EDOM, "accept");
	close(copy);
	if (p != MAP_FAILED) {
		p[0] = 1;
		munmap(p, 2 * PAGE);
	}
}

static void *one_thread(void *unused)
{
	(void)unused;
	while (!__atomic_load_n(&race.over, __ATOMIC_ACQUIRE)) {
		struct mon_vm_frames f = { .size = sizeof(f), .frames = 1 };
		struct mon_vm_info i = { .size = sizeof(i) };
		int share = offer(race.domain, 3, 2);

		note(share, "offer");
		if (share >= 0)
			use_share(share);
		note(ask(race.domain, MON_IOC_VM_COLLECT, &f), "collect");
		f.frames = 1;
		note(ask(race.domain, MON_IOC_VM_REFILL, &f), "refill");
		note(ask(race.domain, MON_IOC_VM_STATUS, &i), "status");
	}
	return NULL;
}

static void one_round(void)
{
	pthread_t thread[THREADS];
	pid_t pid = start();
	int i, n = 0;

	race.domain = arm(pid);
	race.over = 0;
	for (i = 0; i < THREADS; i++)
		n += !pthread_create(&thread[n], NULL, one_thread, NULL);
	usleep(200000);
	stop(pid);
	usleep(100000);
	__atomic_store_n(&race.over, 1, __ATOMIC_RELEASE);
	for (i = 0; i < n; i++)
		pthread_join(thread[i], NULL);
	close(race.domain);
}

void test_races(unsigned int seconds)
{
	time_t end = time(NULL) + seconds;
	unsigned long long before;
	unsigned int rounds = 0;

	one_round();
	before = host_frames();
	for (; time(NULL) < end; rounds++)
		one_round();
	printf("# %u rounds, %u offers\n", rounds, race.offers);
	ok(race.offers > 10, "races: shares were made");
	is(race.strange, 0, "races: each error is a documented one");
	is(info().nr_domains, 0, "races: no domain is left");
	ok(host_frames() + 4 * (rounds + 1) > before, "races: the host has the frames it had");
}
