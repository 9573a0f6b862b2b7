// SPDX-License-Identifier: GPL-2.0-only
/* Lies: in CPUID, in MSRs, and about what is in memory. */
#include <linux/kvm.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "vcpu.h"

#define OTHER 0x4141414141UL
#define MINE 0x1234512345UL
#define HIDDEN_1_ECX (1u << 5 | 1u << 6) /* VMX SMX */
#define HIDDEN_7_EBX (1u << 2 | 1u << 25) /* SGX PT */

#define RDRAND (1u << 30)
#define RDSEED (1u << 18)
#define SUB(n) ((unsigned long)(n) << 40)

static struct kvm_cpuid_entry2 *entry(struct kvm_cpuid2 *c, __u32 leaf, __u32 sub)
{
	for (__u32 i = 0; i < c->nent; i++)
		if (c->entries[i].function == leaf && c->entries[i].index == sub)
			return &c->entries[i];
	memset(&c->entries[c->nent], 0, sizeof(c->entries[0]));
	c->entries[c->nent].function = leaf;
	return &c->entries[c->nent++];
}

static void lie(struct kvm_cpuid2 *c)
{
	entry(c, 1, 0)->ecx |= HIDDEN_1_ECX;
	entry(c, 1, 0)->ecx &= ~RDRAND;
	entry(c, 7, 0)->ebx |= HIDDEN_7_EBX;
	entry(c, 7, 0)->ebx &= ~RDSEED;
	entry(c, 0xd, 2)->eax = 0x40;
	entry(c, 0xd, 2)->ebx = 0x200;
	entry(c, 0x40000000, 0)->ebx = 0x41414141;
	entry(c, 0x80000000, 0)->eax = 0x8000001f;
	entry(c, 0x8000001f, 0)->eax = 2; /* encrypted memory */
	entry(c, 0xa, 0)->eax = 0x41;
	entry(c, 0x80000002, 0)->eax = 0x41414141; /* its name */
}

static void prepare_cpuid(void)
{
	puppet_options.cpuid = lie;
}

/* @arg: leaf, SUB() and 1 << 32 for ECX, EDX; @arg2: bits that are looked at, of both */
static void go_cpuid(const struct attack *a)
{
	print_value(puppet(PUPPET_CPUID, (__u32)a->arg, a->arg >> 40, a->arg >> 32 & 0xff, 0) &
		    (long)a->arg2);
}

static void set_msr(__u32 msr, __u64 value)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} m = { .head.nmsrs = 1, .entry = { .index = msr, .data = value } };

	ioctl(puppet_cpu, KVM_SET_MSRS, &m);
}

/* The guest's own register, which the host writes meanwhile. @arg2: what the guest has there */
static void go_msr(const struct attack *a)
{
	puppet(PUPPET_WRMSR, a->arg, a->arg2, 0, 0);
	set_msr((__u32)a->arg, a->arg2 ^ 0x1000);
	print_value(puppet(PUPPET_RDMSR, a->arg, 0, 0, 0) == (long)a->arg2);
}

/* What the host may answer as it likes. */
static void go_host_msr(const struct attack *a)
{
	set_msr((__u32)a->arg, a->arg2);
	print_value(puppet(PUPPET_RDMSR, a->arg, 0, 0, 0) == (long)a->arg2);
}

/* What it would share memory with the host by. */
static void go_clock(const struct attack *a)
{
	print_value(puppet(PUPPET_WRMSR, a->arg, AREA | 1, 0, 0));
}

const struct attack lie_attacks[] = {
	{ "CPUID: VMX and SMX", prepare_cpuid, go_cpuid, 1UL << 32 | 1, HIDDEN_1_ECX },
	{ "CPUID: SGX and processor trace", prepare_cpuid, go_cpuid, 7,
	  (unsigned long)HIDDEN_7_EBX << 32 },
	{ "CPUID: a hypervisor with services", prepare_cpuid, go_cpuid, 0x40000000,
	  0xffffffffUL << 32 },
	{ "CPUID: encrypted memory", prepare_cpuid, go_cpuid, 0x8000001f, 0xffffffff },
	{ "CPUID: performance counters", prepare_cpuid, go_cpuid, 0xa, 0xff },
	{ "CPUID: RDRAND", prepare_cpuid, go_cpuid, 1UL << 32 | 1, RDRAND },
	{ "CPUID: RDSEED", prepare_cpuid, go_cpuid, 7, (unsigned long)RDSEED << 32 },
	{ "CPUID: size and place of AVX's state", prepare_cpuid, go_cpuid, SUB(2) | 0xd, ~0UL },
	{ "CPUID: the CPU's name, which the host may say", prepare_cpuid, go_cpuid, 0x80000002,
	  0xffffffff },
	{ "MSR: STAR", NULL, go_msr, 0xc0000081, 0x23001000000000 },
	{ "MSR: LSTAR", NULL, go_msr, 0xc0000082, MINE },
	{ "MSR: FMASK", NULL, go_msr, 0xc0000084, 0x47700 },
	{ "MSR: FS base", NULL, go_msr, 0xc0000100, MINE },
	{ "MSR: GS base", NULL, go_msr, 0xc0000101, MINE },
	{ "MSR: GS base of the kernel", NULL, go_msr, 0xc0000102, MINE },
	{ "MSR: SYSENTER_EIP", NULL, go_msr, 0x176, MINE },
	{ "MSR: microcode's revision, which the host may say", NULL, go_host_msr, 0x8b,
	  0x4100000000 },
	{ "MSR: a clock in memory that both see", NULL, go_clock, 0x4b564d01, 0 },
	{}
};

/* ---- memory slots: what QEMU says is where ---- */

#define A (AREA + 0x20000)
#define B (AREA + 0x21000)
#define PAGE 4096UL

static void set_slot(__u32 slot, __u64 gpa, __u64 size, void *at, __u32 flags)
{
	struct kvm_userspace_memory_region r = { .slot = slot, .guest_phys_addr = gpa,
						 .memory_size = size, .flags = flags,
						 .userspace_addr = (__u64)at };

	must(ioctl(puppet_vm, KVM_SET_USER_MEMORY_REGION, &r), "KVM_SET_USER_MEMORY_REGION");
}

/* All as it was, but for the two pages. */
static void set_pages(void *a, void *b, __u32 flags)
{
	set_slot(0, 0, 0, NULL, 0);
	set_slot(0, 0, A, puppet_memory, 0);
	set_slot(2, A, PAGE, a, flags);
	set_slot(3, B, PAGE, b, flags);
	set_slot(4, B + PAGE, RAM - B - PAGE, puppet_memory + B + PAGE, 0);
}

static void fill(void)
{
	puppet(PUPPET_STORE, A, MINE, 0, 0);
	puppet(PUPPET_STORE, B, MINE + 1, 0, 0);
}

static void look(void)
{
	print_value(puppet(PUPPET_LOAD, A, 0, 0, 0) - (long)MINE);
	print_value(puppet(PUPPET_LOAD, B, 0, 0, 0) - (long)MINE);
}

static void go_swap(const struct attack *a)
{
	(void)a;
	fill();
	set_pages(puppet_memory + B, puppet_memory + A, 0);
	look();
}

static void go_alias(const struct attack *a)
{
	(void)a;
	fill();
	set_pages(puppet_memory + A, puppet_memory + A, 0);
	puppet(PUPPET_STORE, A, MINE + 5, 0, 0);
	look();
}

/* The page of before, when the guest has written to it since. */
static void go_replay(const struct attack *a)
{
	unsigned char *old = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
				  -1, 0);

	(void)a;
	fill();
	memcpy(old, puppet_memory + A, PAGE);
	puppet(PUPPET_STORE, A, MINE + 5, 0, 0);
	set_pages(old, puppet_memory + B, 0);
	look();
}

static void go_readonly(const struct attack *a)
{
	(void)a;
	fill();
	set_pages(puppet_memory + A, puppet_memory + B, KVM_MEM_READONLY);
	puppet(PUPPET_STORE, A, MINE + 5, 0, 0);
	look();
}

/* Where it was told to have memory there is none: a device has the page. */
static void go_hole(const struct attack *a)
{
	(void)a;
	fill();
	set_slot(0, 0, 0, NULL, 0);
	set_slot(0, 0, A, puppet_memory, 0);
	look();
}

/* A page that the guest has not touched yet has something in it. */
static void go_filled(const struct attack *a)
{
	(void)a;
	memset(puppet_memory + A, 0x41, PAGE);
	print_value(puppet(PUPPET_LOAD, A, 0, 0, 0));
}

const struct attack memory_attacks[] = {
	{ "two pages swapped", NULL, go_swap, 0, 0 },
	{ "one page in two places", NULL, go_alias, 0, 0 },
	{ "a page as it was before", NULL, go_replay, 0, 0 },
	{ "memory that is read-only now", NULL, go_readonly, 0, 0 },
	{ "a device where memory was", NULL, go_hole, 0, 0 },
	{ "something in a page before it is used", NULL, go_filled, 0, 0 },
	{}
};
