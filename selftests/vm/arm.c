// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: arm MEGABYTES VCPUS PROGRAM ARGUMENTS...
 *
 * The ioctls without monctl: arms PROGRAM's process (QEMU, q35 with 256 KiB of
 * SeaBIOS) between its execve() and its first instruction, waits for it, and
 * prints what the domain says of itself.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/types.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../uapi/monitor.h"

static void range(struct mon_vm_policy *p, __u64 start, __u64 end, __u32 type)
{
	p->range[p->nr_ranges].start = start;
	p->range[p->nr_ranges].end = end;
	p->range[p->nr_ranges++].type = type;
}

static int arm(pid_t pid, unsigned long mb, unsigned int vcpus)
{
	struct mon_vm_arm a = { .size = sizeof(a), .pid = pid };
	int dev = open("/dev/monitor", O_RDWR | O_CLOEXEC);

	a.policy.version = MON_VM_POLICY_VERSION;
	a.policy.max_vcpus = vcpus;
	range(&a.policy, 0, 0xa0000, MON_RANGE_RAM);
	range(&a.policy, 0xc0000, 0xe0000, MON_RANGE_RAM);
	range(&a.policy, 0xe0000, 0x100000, MON_RANGE_FIRMWARE_RAM);
	range(&a.policy, 0x100000, mb << 20, MON_RANGE_RAM);
	range(&a.policy, 0xfffc0000, 0x100000000ULL, MON_RANGE_FIRMWARE);
	return dev < 0 ? -1 : ioctl(dev, MON_IOC_VM_ARM, &a);
}

static void hex(const char *name, const __u8 *bytes)
{
	printf("%s ", name);
	for (int i = 0; i < 32; i++)
		printf("%02x", bytes[i]);
	printf("\n");
}

int main(int argc, char **argv)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	int status, domain;
	pid_t pid;

	if (argc < 4)
		return 2;
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		execvp(argv[3], argv + 3);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	domain = arm(pid, strtoul(argv[1], NULL, 10), atoi(argv[2]));
	if (domain < 0) {
		fprintf(stderr, "arm: %s\n", strerror(errno));
		kill(pid, SIGKILL);
		return 3;
	}
	ptrace(PTRACE_DETACH, pid, 0, 0);
	waitpid(pid, &status, 0);
	if (ioctl(domain, MON_IOC_VM_STATUS, &info))
		fprintf(stderr, "arm: status: %s\n", strerror(errno));
	printf("stop %u vcpus %u frames %llu\n", info.stop, info.nr_vcpus,
	       (unsigned long long)info.private_frames);
	hex("launch", info.measurement);
	hex("runtime", info.runtime);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}
