// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: share
 *
 * Ticks that sharing and giving back takes, as lines "key value": two VMs, and the host with
 * one of them, with two domains there and with twelve. What a guest's call takes is measured in
 * the guest. Needs root and the module, and a machine with one CPU for exact figures.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "../share/puppet.h"

#define PAGE 4096UL
#define MIB (1UL << 20)
#define GIB (1UL << 30)
#ifndef BIG
#define BIG GIB			/* the largest share */
#endif
#define OWNER_RAM (BIG + 16 * MIB)
#define AREA (4 * MIB)		/* what the owner shares */
#define WINDOW 0x100000000UL	/* where the peer sees it */
#define BLOCK 512UL		/* pages of 2 MiB */
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)
#ifndef IDLE
#define IDLE 10 /* further domains */
#endif
#define TO_OTHER MON_SHARE_TO_LAUNCH

static int dev;

static void die(const char *what, long value)
{
	fprintf(stderr, "share: %s: %ld (%s)\n", what, value,
		strerror((int)(value < 0 ? -value : 0)));
	exit(1);
}

static void must(long value, const char *what)
{
	if (value < 0)
		die(what, value);
}

static void say(const char *key, unsigned long value)
{
	printf("share.%s %lu\n", key, value);
	fflush(stdout);
}

/* ---- the other VM is another process's ---- */

struct order {
	unsigned int what;
	unsigned long a, b, c, d;
};

static int to_peer[2], from_peer[2];
static struct mon_name peer_name; /* its launch measurement */

static void peer(void)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	struct order o;
	long result[2];
	int domain;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	domain = puppet_start(PUPPET_RAM);
	must(puppet(MON_GC_PING, 0, 0, 0, 0), "the other VM");
	must(ioctl(domain, MON_IOC_VM_STATUS, &info) ? -errno : 0, "MON_IOC_VM_STATUS");
	if (write(from_peer[1], info.measurement, sizeof(info.measurement)) < 0)
		exit(1);
	while (read(to_peer[0], &o, sizeof(o)) == sizeof(o)) {
		result[0] = puppet(o.what, o.a, o.b, o.c, o.d);
		result[1] = puppet(PUPPET_TOOK, 0, 0, 0, 0);
		if (write(from_peer[1], result, sizeof(result)) != sizeof(result))
			break;
	}
	exit(0);
}

static unsigned long took(void)
{
	return (unsigned long)puppet(PUPPET_TOOK, 0, 0, 0, 0);
}

/* Has the peer do it; the ticks that it took. */
static unsigned long peer_does(unsigned int what, unsigned long a, unsigned long b, unsigned long c)
{
	struct order o = { what, a, b, c, 0 };
	long result[2] = { -EIO, 0 };

	if (write(to_peer[1], &o, sizeof(o)) != sizeof(o) ||
	    read(from_peer[0], result, sizeof(result)) != sizeof(result))
		die("the other VM", -errno);
	must(result[0], "the other VM");
	return (unsigned long)result[1];
}

/* ---- between the VMs ---- */

static unsigned long offered(unsigned long pages, unsigned int to)
{
	long id = puppet_offer(AREA, pages, RW, to, &peer_name, 0);

	must(id, "offer");
	return (unsigned long)id;
}

static unsigned long own_end(unsigned long id)
{
	unsigned long ticks = 0;
	long err;

	do {
		err = puppet(MON_GC_END, id, 0, 0, 0);
		ticks += took();
	} while (err == -EAGAIN);
	must(err, "end");
	return ticks;
}

/* What is left is the last one of some; a timer's interrupt is in one of them at most. */
static unsigned long least_offer(unsigned long pages, unsigned long *id)
{
	unsigned long least = ~0UL, ticks, i;

	for (i = 0; i < 3; i++) {
		if (i)
			own_end(*id);
		*id = offered(pages, TO_OTHER);
		ticks = took();
		if (ticks < least)
			least = ticks;
	}
	return least;
}

/* Offer, accept, touch and end, of so many pages that their owner has touched before. */
static void between_vms(const char *with, unsigned long pages)
{
	char key[64];
	unsigned long id, touched;

	snprintf(key, sizeof(key), "%s.offer.%lu", with, pages);
	say(key, least_offer(pages, &id));
	snprintf(key, sizeof(key), "%s.accept.%lu", with, pages);
	say(key, peer_does(MON_GC_ACCEPT, id, WINDOW / PAGE, 0));
	touched = pages < BLOCK ? pages : BLOCK;
	snprintf(key, sizeof(key), "%s.touch.%lu", with, pages);
	say(key, peer_does(PUPPET_TOUCH, WINDOW, 1, touched));
	snprintf(key, sizeof(key), "%s.end.%lu", with, pages);
	say(key, own_end(id));
}

/* ---- with the host ---- */

static void with_host(int domain)
{
	struct mon_share_accept accept = {
		.size = sizeof(accept), .id = offered(BLOCK, MON_SHARE_TO_HOST),
	};
	unsigned long start = __rdtsc(), i;
	volatile char *at;
	int fd = ioctl(domain, MON_IOC_SHARE_ACCEPT, &accept);

	must(fd < 0 ? -errno : 0, "MON_IOC_SHARE_ACCEPT");
	say("host.accept", __rdtsc() - start);
	at = mmap(NULL, BLOCK * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	must(at == MAP_FAILED ? -errno : 0, "mmap");
	start = __rdtsc();
	for (i = 0; i < BLOCK; i++)
		at[i * PAGE] = 1;
	say("host.touch", (__rdtsc() - start) / BLOCK);
	start = __rdtsc();
	munmap((void *)at, BLOCK * PAGE);
	close(fd);
	say("host.end", (__rdtsc() - start) / BLOCK);
}

/* ---- giving back ---- */

static void giving_back(int domain)
{
	struct mon_vm_frames frames = { .size = sizeof(frames) };
	unsigned long start;

	must(puppet(MON_GC_RELEASE, AREA / PAGE, BLOCK, 0, 0), "release");
	say("release", took() / BLOCK);
	start = __rdtsc();
	must(ioctl(domain, MON_IOC_VM_COLLECT, &frames) ? -errno : 0, "MON_IOC_VM_COLLECT");
	if (frames.frames != BLOCK)
		die("frames collected", (long)frames.frames);
	say("collect", (__rdtsc() - start) / BLOCK);
	start = __rdtsc();
	must(ioctl(domain, MON_IOC_VM_REFILL, &frames) ? -errno : 0, "MON_IOC_VM_REFILL");
	say("refill", (__rdtsc() - start) / BLOCK);
}

/* ---- other domains ---- */

static pid_t idle[IDLE];

static void start_idle(unsigned int i)
{
	struct mon_vm_arm arm = {
		.size = sizeof(arm),
		.policy = { .version = MON_VM_POLICY_VERSION, .nr_ranges = 1, .max_vcpus = 1,
			    .range = { { .start = 0, .end = MIB, .type = MON_RANGE_RAM } } },
	};

	idle[i] = fork();
	if (!idle[i]) {
		close_range(3, ~0U, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	arm.pid = idle[i];
	must(ioctl(dev, MON_IOC_VM_ARM, &arm) < 0 ? -errno : 0, "MON_IOC_VM_ARM");
}

/* ---- the end of a VM ---- */

/* All that was reserved for it comes back, what it had touched and what not. */
static void destruction(int domain)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	unsigned long start;

	must(puppet(PUPPET_TOUCH, AREA, 1, BIG / 4 / PAGE, 0), "touch");
	must(ioctl(domain, MON_IOC_VM_STATUS, &info) ? -errno : 0, "MON_IOC_VM_STATUS");
	start = __rdtsc();
	close(domain);
	say("destroy", (__rdtsc() - start) / info.reserved_frames);
}

int main(void)
{
	unsigned int i;
	int domain;
	pid_t pid;

	if (pipe2(to_peer, O_CLOEXEC) || pipe2(from_peer, O_CLOEXEC))
		die("pipe", -errno);
	pid = fork();
	if (!pid)
		peer();
	if (read(from_peer[0], peer_name.measurement, sizeof(peer_name.measurement)) < 0)
		die("the other VM", -errno);
	dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC);
	domain = puppet_start(OWNER_RAM);
	must(puppet(PUPPET_TOUCH, AREA, 1, BLOCK, 0), "touch");
	say("touch-own", took() / BLOCK);
	peer_does(MON_GC_WINDOW, WINDOW / PAGE, BIG / PAGE, 0);
	peer_does(MON_GC_PING, 0, 0, 0);
	between_vms("warm", 1);
	between_vms("2", 1);
	between_vms("2", BLOCK);
	between_vms("2", BIG / PAGE);
	with_host(domain);
	for (i = 0; i < IDLE; i++)
		start_idle(i);
	between_vms("12", 1);
	between_vms("12", BLOCK);
	giving_back(domain);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	destruction(domain);
	return 0;
}
