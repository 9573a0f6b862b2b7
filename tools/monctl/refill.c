// SPDX-License-Identifier: GPL-2.0-only
/*
 * monctl refill: lets a VM have memory again that it gave back. Only who has the
 * VM's descriptor may ask for that, so it is borrowed from the process that has it:
 * the one that "monctl run" leaves behind.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "monctl.h"

#define VM_LINK "anon_inode:monitor-vm"

static const char help[] =
	"usage: monctl refill DOMAIN PAGES\n"
	"\n"
	"Lets a confidential VM own so many pages of 4 KiB more, out of those that it gave\n"
	"back: 'monctl domains' shows its number and what it may own. The memory is taken\n"
	"from the host at once, and the VM can have it by making its balloon smaller.\n";

unsigned long long number_of(const char *text)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 0);
	return errno || *end || end == text || text[0] == '-' ? 0 : n;
}

/* A copy of the descriptor if it is that VM's, or -1. */
static int borrow(int pid, int fd, unsigned int domain)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	int process = pidfd_open(pid, 0), vm;

	if (process < 0)
		return -1;
	vm = pidfd_getfd(process, fd, 0);
	close(process);
	if (vm >= 0 && (ioctl(vm, MON_IOC_VM_STATUS, &info) || info.domain != domain)) {
		close(vm);
		vm = -1;
	}
	return vm;
}

/* The VM's descriptor, borrowed from this process, or -1: it has none of it. */
static int find_in(const char *pid, unsigned int domain)
{
	char path[32], link[sizeof(VM_LINK)];
	struct dirent *entry;
	int vm = -1;
	ssize_t n;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (vm < 0 && fds && (entry = readdir(fds))) {
		n = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link));
		if (n == sizeof(VM_LINK) - 1 && !memcmp(link, VM_LINK, sizeof(VM_LINK) - 1))
			vm = borrow(atoi(pid), atoi(entry->d_name), domain);
	}
	if (fds)
		closedir(fds);
	return vm;
}

static int find_vm(unsigned int domain)
{
	struct dirent *entry;
	DIR *processes = opendir("/proc");
	int vm = -1;

	while (vm < 0 && processes && (entry = readdir(processes)))
		if (number_of(entry->d_name))
			vm = find_in(entry->d_name, domain);
	if (processes)
		closedir(processes);
	return vm;
}

static int refill(unsigned int domain, unsigned long long pages)
{
	struct mon_vm_frames request = { .size = sizeof(request), .frames = pages };
	int dev = open_device(), vm;

	if (dev < 0)
		return EXIT_CANNOT;
	close(dev);
	vm = find_vm(domain);
	if (vm < 0)
		return fail("no process has a confidential VM with domain %u: 'monctl domains' "
			    "lists them", domain);
	if (!ioctl(vm, MON_IOC_VM_REFILL, &request))
		return 0;
	if (errno == EINVAL)
		return fail("domain %u has not given back %llu pages: 'monctl domains' shows what "
			    "it may own", domain, pages);
	if (errno == ENOMEM)
		return fail("the host has not %llu pages of free memory", pages);
	return fail("cannot refill domain %u: %s", domain, request_error(errno));
}

int cmd_refill(int argc, char **argv)
{
	unsigned long long domain, pages;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return 0;
	}
	domain = argc == 3 ? number_of(argv[1]) : 0;
	pages = argc == 3 ? number_of(argv[2]) : 0;
	if (!domain || domain > UINT32_MAX || !pages) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	return refill(domain, pages);
}
