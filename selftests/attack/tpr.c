// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: tpr [steal]
 *
 * A confidential VM writes its CR8 and touches new pages of its memory in turn, on CPU 1.
 * The CPU writes CR8 into a page of the host's that KVM named at the entry, past any EPT.
 * With "steal" the host gives that page to the monitor meanwhile, and so to the next page
 * that the guest touches. Says "page N" if CR8 is in a page of the guest's, "none",
 * or "dead": the guest does not run any more; and what is in KVM's page.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "../../uapi/monitor.h"
#include "../share/puppet.h"

#define FIRST 0x100000UL
#define PAGES 2500

static int runs, stage;
static long outcome;

static void ask(const char *line, char *answer, size_t size)
{
	int fd = open("/sys/kernel/debug/testmod/do", O_RDWR);
	ssize_t n = -1;

	if (fd >= 0 && write(fd, line, strlen(line)) > 0)
		n = pread(fd, answer, size - 1, 0);
	answer[n > 0 ? n : 0] = 0;
	close(fd);
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(2);
}

static void wait_for(int *what, int value)
{
	while (__atomic_load_n(what, __ATOMIC_ACQUIRE) != value)
		usleep(100);
}

static void *guest(void *unused)
{
	(void)unused;
	on_cpu(1);
	/* CR8 is in KVM's page, and KVM's VMCS on this CPU */
	puppet(PUPPET_TPR, FIRST - 0x1000, 1, 0, 0);
	__atomic_store_n(&runs, 1, __ATOMIC_RELEASE);
	wait_for(&stage, 1);
	__atomic_store_n(&runs, 2, __ATOMIC_RELEASE);
	outcome = puppet(PUPPET_TPR, FIRST, PAGES, 0, 0);
	return NULL;
}

/* Once the guest is at it. */
static void steal(int domain, unsigned long page)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	char line[64], answer[64];

	while (info.private_frames < 50 && !ioctl(domain, MON_IOC_VM_STATUS, &info))
		;
	snprintf(line, sizeof(line), "steal %#lx", page);
	ask(line, answer, sizeof(answer));
	printf("steal %s", answer);
}

int main(int argc, char **argv)
{
	char answer[64], line[64];
	unsigned long page = 0;
	pthread_t thread;
	int domain;

	(void)argv;
	puppet_options.irqchip = 1;
	domain = puppet_start(PUPPET_RAM);
	on_cpu(0);
	if (pthread_create(&thread, NULL, guest, NULL))
		return 2;
	wait_for(&runs, 1);
	ask("vmx 1 vmread 0x2012", answer, sizeof(answer));
	if (sscanf(answer, "ok 0x%lx", &page) != 1)
		return 2;
	snprintf(line, sizeof(line), "load 4 %#lx", page + 0x80);
	ask(line, answer, sizeof(answer));
	printf("CR8 %s", answer);
	__atomic_store_n(&stage, 1, __ATOMIC_RELEASE);
	wait_for(&runs, 2);
	if (argc > 1)
		steal(domain, page);
	pthread_join(thread, NULL);
	/* The host that took the page has lost the guest; half an answer is enough. */
	if (outcome > 0 || puppet_said)
		printf("page %lu\n", (puppet_said - FIRST) >> 12);
	else
		puts(outcome ? "dead" : "none");
	return 0;
}
