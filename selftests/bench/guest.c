// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: guest [confidential] TEST COUNT [TEST COUNT]...
 *
 * Runs guest.S on KVM and prints, for each, the ticks that one of COUNT took,
 * without what an empty test takes. TEST: cpuid, touch. With "confidential" its
 * VM is armed by the ioctls of uapi/monitor.h.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../uapi/monitor.h"

#define RAM (16UL << 20)
#define FIRMWARE_BASE 0xffff0000UL
#define FIRMWARE_SIZE 0x10000UL

enum { PORT_TEST = 0xe0, PORT_COUNT = 0xe4, PORT_TICKS = 0xe8 };

extern const unsigned char guest_firmware[], guest_firmware_end[];

static void die(const char *what)
{
	fprintf(stderr, "guest: %s: %s\n", what, strerror(errno));
	exit(1);
}

/* Populated, and in small pages: what is measured is KVM's fault, not the host's. */
static void *slot(int vm, __u32 number, __u64 gpa, size_t size)
{
	struct kvm_userspace_memory_region region = {
		.slot = number, .guest_phys_addr = gpa, .memory_size = size,
	};
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("memory");
	madvise(at, size, MADV_NOHUGEPAGE);
	memset(at, 0, size);
	region.userspace_addr = (__u64)at;
	if (ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region))
		die("KVM_SET_USER_MEMORY_REGION");
	return at;
}

struct vcpu {
	int fd;
	struct kvm_run *run;
};

static struct vcpu start(void)
{
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC), vm = ioctl(kvm, KVM_CREATE_VM, 0);
	struct vcpu v;

	if (vm < 0)
		die("KVM_CREATE_VM");
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	slot(vm, 0, 0, RAM);
	memcpy(slot(vm, 1, FIRMWARE_BASE, FIRMWARE_SIZE), guest_firmware, FIRMWARE_SIZE);
	v.fd = ioctl(vm, KVM_CREATE_VCPU, 0);
	if (v.fd < 0)
		die("KVM_CREATE_VCPU");
	v.run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0), PROT_READ | PROT_WRITE,
		     MAP_SHARED, v.fd, 0);
	if (v.run == MAP_FAILED)
		die("struct kvm_run");
	return v;
}

/* What the guest says when it has done a test. */
static __u32 ticks_of(struct vcpu v, __u32 test, __u32 count)
{
	__u32 *data;

	for (;;) {
		if (ioctl(v.fd, KVM_RUN, 0)) {
			if (errno == EINTR)
				continue;
			die("KVM_RUN");
		}
		if (v.run->exit_reason != KVM_EXIT_IO) {
			fprintf(stderr, "guest: exit reason %u\n", v.run->exit_reason);
			exit(1);
		}
		data = (__u32 *)((char *)v.run + v.run->io.data_offset);
		switch (v.run->io.port) {
		case PORT_TEST:
			*data = test;
			break;
		case PORT_COUNT:
			*data = count;
			break;
		case PORT_TICKS:
			return *data;
		}
	}
}

static void measure(int argc, char **argv)
{
	struct vcpu v = start();
	__u32 test, count, empty;
	int i;

	ticks_of(v, 0, 1);
	empty = ticks_of(v, 0, 1);
	for (i = 0; i + 1 < argc; i += 2) {
		test = !strcmp(argv[i], "cpuid") ? 1 : 2;
		count = (__u32)strtoul(argv[i + 1], NULL, 0);
		printf("%s %u\n", argv[i], (ticks_of(v, test, count) - empty) / count);
		fflush(stdout);
	}
}

static int arm(pid_t pid)
{
	struct mon_vm_arm a = {
		.size = sizeof(a),
		.pid = pid,
		.policy = {
			.version = MON_VM_POLICY_VERSION,
			.max_vcpus = 1,
			.nr_ranges = 2,
			.range = {
				{ .start = 0, .end = RAM, .type = MON_RANGE_RAM },
				{ .start = FIRMWARE_BASE, .end = FIRMWARE_BASE + FIRMWARE_SIZE,
				  .type = MON_RANGE_FIRMWARE },
			},
		},
	};
	int dev = open("/dev/monitor", O_RDWR | O_CLOEXEC);

	return dev < 0 ? -1 : ioctl(dev, MON_IOC_VM_ARM, &a);
}

static void show_stop(int domain)
{
	struct mon_vm_info info = { .size = sizeof(info) };

	if (!ioctl(domain, MON_IOC_VM_STATUS, &info) && info.stop)
		fprintf(stderr, "guest: the monitor stopped it: %u, %#llx\n", info.stop,
			(unsigned long long)info.stop_detail);
}

int main(int argc, char **argv)
{
	int status, domain = -1;
	pid_t pid;

	if (argc < 3)
		return 2;
	if (strcmp(argv[1], "confidential")) {
		measure(argc - 1, argv + 1);
		return 0;
	}
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		raise(SIGSTOP);
		measure(argc - 2, argv + 2);
		exit(0);
	}
	if (waitpid(pid, &status, WUNTRACED) == pid)
		domain = arm(pid);
	if (domain < 0)
		die("arm");
	kill(pid, SIGCONT);
	waitpid(pid, &status, 0);
	show_stop(domain);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}
