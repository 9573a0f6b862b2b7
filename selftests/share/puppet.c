// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "puppet.h"

#define FIRMWARE_BASE 0xffff0000UL
#define FIRMWARE_SIZE 0x10000UL
#define SCRATCH 0x10000UL /* in the VM: structures of its calls */

extern const unsigned char puppet_firmware[];

struct puppet_options puppet_options;
int puppet_vm, puppet_cpu;
unsigned int puppet_said;
struct kvm_run *puppet_run;
unsigned char *puppet_memory;

static void must(int result, const char *what)
{
	if (result >= 0)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static void *slot(int vm, __u32 number, __u64 gpa, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct kvm_userspace_memory_region region = {
		.slot = number, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (__u64)at,
	};

	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
	return at;
}

static void set_cpuid(int kvm)
{
	struct kvm_cpuid2 *c = calloc(1, sizeof(*c) + 128 * sizeof(c->entries[0]));

	c->nent = 128;
	must(ioctl(kvm, KVM_GET_SUPPORTED_CPUID, c), "KVM_GET_SUPPORTED_CPUID");
	if (puppet_options.cpuid)
		puppet_options.cpuid(c);
	must(ioctl(puppet_cpu, KVM_SET_CPUID2, c), "KVM_SET_CPUID2");
	free(c);
}

static int arm(unsigned long ram)
{
	struct mon_vm_arm a = {
		.size = sizeof(a),
		.pid = getpid(),
		.policy = {
			.version = MON_VM_POLICY_VERSION,
			.max_vcpus = 1,
			.nr_ranges = 2,
			.range = {
				{ .start = 0, .end = ram, .type = MON_RANGE_RAM },
				{ .start = FIRMWARE_BASE, .end = FIRMWARE_BASE + FIRMWARE_SIZE,
				  .type = MON_RANGE_FIRMWARE },
			},
		},
	};
	int dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC), domain;

	must(dev, MON_DEVICE);
	domain = ioctl(dev, MON_IOC_VM_ARM, &a);
	must(domain, "MON_IOC_VM_ARM");
	close(dev);
	return domain;
}

int puppet_start(unsigned long ram)
{
	int domain = puppet_options.ordinary ? -1 : arm(ram), vm;
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);

	must(kvm, "/dev/kvm");
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	must(vm, "KVM_CREATE_VM");
	ioctl(vm, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	if (puppet_options.irqchip)
		must(ioctl(vm, KVM_CREATE_IRQCHIP, 0), "KVM_CREATE_IRQCHIP");
	puppet_memory = slot(vm, 0, 0, ram);
	memcpy(slot(vm, 1, FIRMWARE_BASE, FIRMWARE_SIZE), puppet_firmware, FIRMWARE_SIZE);
	puppet_vm = vm;
	puppet_cpu = ioctl(vm, KVM_CREATE_VCPU, 0);
	must(puppet_cpu, "KVM_CREATE_VCPU");
	set_cpuid(kvm);
	puppet_run = mmap(NULL, (size_t)ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
			  PROT_READ | PROT_WRITE, MAP_SHARED, puppet_cpu, 0);
	must(puppet_run == MAP_FAILED ? -1 : 0, "struct kvm_run");
	return domain;
}

long puppet(unsigned int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d)
{
	const __u32 in[] = { what, a, a >> 32, b, b >> 32, c, c >> 32, d, d >> 32 };
	unsigned int nr_in = 0, nr_out = 0;
	__u32 out[2], *data;

	puppet_said = 0;
	while (nr_out < 2) {
		if (ioctl(puppet_cpu, KVM_RUN, 0)) {
			if (errno == EINTR) {
				if (puppet_options.idle)
					puppet_options.idle(1);
				continue;
			}
			return PUPPET_DEAD - errno;
		}
		if (puppet_options.on_exit && puppet_options.on_exit())
			continue;
		if (puppet_run->exit_reason != KVM_EXIT_IO)
			return PUPPET_DEAD - 1000 - puppet_run->exit_reason;
		data = (__u32 *)((char *)puppet_run + puppet_run->io.data_offset);
		if (puppet_run->io.port == PUPPET_IN && nr_in < 9)
			*data = in[nr_in++];
		else if (puppet_run->io.port == PUPPET_IN && puppet_options.idle)
			puppet_options.idle(0);
		else if (puppet_run->io.port == PUPPET_OUT)
			puppet_said |= out[nr_out++] = *data;
		else
			return PUPPET_DEAD - 2000 - puppet_run->io.port;
	}
	return (long)(out[0] | (unsigned long)out[1] << 32);
}

long puppet_offer(unsigned long at, unsigned long pages, unsigned int perm, unsigned int to,
		  const struct mon_name *name, unsigned long tag)
{
	struct mon_guest_offer offer = {
		.gfn = at >> 12, .pages = pages, .perm = perm, .to = to, .tag = tag,
	};
	unsigned long words[sizeof(offer) / 8], i;

	if (name)
		offer.name = *name;
	memcpy(words, &offer, sizeof(offer));
	for (i = 0; i < sizeof(offer) / 8; i++)
		puppet(PUPPET_STORE, SCRATCH + 8 * i, words[i], 0, 0);
	return puppet(MON_GC_OFFER, SCRATCH, 0, 0, 0);
}
