// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: tamper [confidential] ATTACK
 *
 * Runs tamper.S on KVM, and while it waits for the host, does to it what a
 * hostile user of KVM can. Prints what came of it: "changed BITS, seen|unseen",
 * or what else the guest did, and why the monitor stopped it, if it did.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../uapi/hypercall.h"
#include "../../uapi/monitor.h"
#include "stop_name.h"
#include "tamper.h"

#define RAM (16UL << 20)
#define FIRMWARE_BASE 0xffff0000UL
#define FIRMWARE_SIZE 0x10000UL
#define WRONG 0x41414141U

enum { PORT_WAIT = 0xe0, PORT_CHANGED = 0xe4, PORT_ELSEWHERE = 0xe8, PORT_EXCEPTION = 0xec };

extern const unsigned char tamper_firmware[], tamper_elsewhere[];

struct vm {
	int kvm, fd, cpu;
	struct kvm_run *run;
	unsigned char *ram;
	bool seen;
};

static void die(const char *what)
{
	fprintf(stderr, "tamper: %s: %s\n", what, strerror(errno));
	exit(1);
}

static void must(int result, const char *what)
{
	if (result < 0)
		die(what);
}

static void set_slot(int vm, __u32 number, __u64 gpa, size_t size, void *at)
{
	struct kvm_userspace_memory_region region = {
		.slot = number, .guest_phys_addr = gpa, .memory_size = size,
		.userspace_addr = (__u64)at,
	};

	must(ioctl(vm, KVM_SET_USER_MEMORY_REGION, &region), "KVM_SET_USER_MEMORY_REGION");
}

static void *slot(int vm, __u32 number, __u64 gpa, size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("memory");
	set_slot(vm, number, gpa, size, at);
	return at;
}

static int new_cpu(struct vm *v, unsigned long number, struct kvm_run **run)
{
	int fd = ioctl(v->fd, KVM_CREATE_VCPU, number);

	must(fd, "KVM_CREATE_VCPU");
	*run = mmap(NULL, (size_t)ioctl(v->kvm, KVM_GET_VCPU_MMAP_SIZE, 0),
		    PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (*run == MAP_FAILED)
		die("struct kvm_run");
	return fd;
}

/* Runs a vCPU up to its next exit to this program; its port, or minus the reason. */
static int run(int cpu, struct kvm_run *run)
{
	while (ioctl(cpu, KVM_RUN, 0))
		if (errno != EINTR)
			return -1000 - errno;
	return run->exit_reason == KVM_EXIT_IO ? run->io.port : -(int)run->exit_reason;
}

/* Is the secret in what KVM gave? */
static void look(struct vm *v, const void *at, size_t size)
{
	const __u32 secret = TAMPER_SECRET;

	if (memmem(at, size, &secret, sizeof(secret)))
		v->seen = true;
}

/* ---- attacks ---- */

static void attack_nothing(struct vm *v)
{
	(void)v;
}

static void attack_regs(struct vm *v)
{
	struct kvm_regs r;

	must(ioctl(v->cpu, KVM_GET_REGS, &r), "KVM_GET_REGS");
	look(v, &r, sizeof(r));
	r.rbx = WRONG;
	r.rsi = WRONG;
	r.rdi = WRONG;
	r.rbp = WRONG;
	r.rsp = WRONG;
	must(ioctl(v->cpu, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static void attack_rip(struct vm *v)
{
	struct kvm_regs r;

	/* the exit is over only at the next entry: then RIP can be set */
	v->run->immediate_exit = 1;
	ioctl(v->cpu, KVM_RUN, 0);
	v->run->immediate_exit = 0;
	must(ioctl(v->cpu, KVM_GET_REGS, &r), "KVM_GET_REGS");
	r.rip = (__u64)(tamper_elsewhere - tamper_firmware);
	must(ioctl(v->cpu, KVM_SET_REGS, &r), "KVM_SET_REGS");
}

static void attack_sregs(struct vm *v)
{
	struct kvm_sregs s;

	must(ioctl(v->cpu, KVM_GET_SREGS, &s), "KVM_GET_SREGS");
	look(v, &s, sizeof(s));
	s.cr3 = WRONG & ~0xfffU;
	must(ioctl(v->cpu, KVM_SET_SREGS, &s), "KVM_SET_SREGS");
}

static void attack_debugregs(struct vm *v)
{
	struct kvm_debugregs d;

	must(ioctl(v->cpu, KVM_GET_DEBUGREGS, &d), "KVM_GET_DEBUGREGS");
	look(v, &d, sizeof(d));
	d.db[0] = WRONG;
	must(ioctl(v->cpu, KVM_SET_DEBUGREGS, &d), "KVM_SET_DEBUGREGS");
}

static void attack_fpu(struct vm *v)
{
	struct kvm_fpu f;

	must(ioctl(v->cpu, KVM_GET_FPU, &f), "KVM_GET_FPU");
	look(v, &f, sizeof(f));
	memset(f.xmm, 0x41, sizeof(f.xmm));
	must(ioctl(v->cpu, KVM_SET_FPU, &f), "KVM_SET_FPU");
}

static void attack_msrs(struct vm *v)
{
	struct {
		struct kvm_msrs head;
		struct kvm_msr_entry entry;
	} m = { .head.nmsrs = 1, .entry.index = 0x175 };

	must(ioctl(v->cpu, KVM_GET_MSRS, &m), "KVM_GET_MSRS");
	look(v, &m.entry.data, sizeof(m.entry.data));
	m.entry.data = WRONG;
	must(ioctl(v->cpu, KVM_SET_MSRS, &m), "KVM_SET_MSRS");
}

static void attack_memory(struct vm *v)
{
	look(v, v->ram, RAM);
	memset(v->ram + TAMPER_MEMORY, 0x41, 4);
}

static void attack_slot(struct vm *v)
{
	set_slot(v->fd, 0, 0, 0, v->ram);
	v->ram = slot(v->fd, 0, 0, RAM);
}

static void attack_exception(struct vm *v)
{
	struct kvm_vcpu_events e;

	v->run->immediate_exit = 1;
	ioctl(v->cpu, KVM_RUN, 0);
	v->run->immediate_exit = 0;
	must(ioctl(v->cpu, KVM_GET_VCPU_EVENTS, &e), "KVM_GET_VCPU_EVENTS");
	e.exception.injected = 1;
	e.exception.nr = 13;
	must(ioctl(v->cpu, KVM_SET_VCPU_EVENTS, &e), "KVM_SET_VCPU_EVENTS");
}

static void attack_step(struct vm *v)
{
	struct kvm_guest_debug d = { .control = KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP };

	must(ioctl(v->cpu, KVM_SET_GUEST_DEBUG, &d), "KVM_SET_GUEST_DEBUG");
}

/* A second vCPU is made to run, though the guest has not started it. */
static void attack_start(struct vm *v)
{
	struct kvm_mp_state state = { .mp_state = KVM_MP_STATE_RUNNABLE };
	struct kvm_run *second;
	int cpu = new_cpu(v, 1, &second), port;

	if (ioctl(cpu, KVM_SET_MP_STATE, &state) && errno != EINVAL)
		die("KVM_SET_MP_STATE");
	port = run(cpu, second);
	printf("second %s, ", port == PORT_WAIT ? "runs" : "does not run");
}

static const struct attack {
	const char *name;
	void (*go)(struct vm *v);
} attacks[] = {
	{ "nothing", attack_nothing }, { "regs", attack_regs }, { "rip", attack_rip },
	{ "sregs", attack_sregs }, { "debugregs", attack_debugregs }, { "fpu", attack_fpu },
	{ "msrs", attack_msrs }, { "memory", attack_memory }, { "slot", attack_slot },
	{ "exception", attack_exception }, { "step", attack_step }, { "start", attack_start },
	{ "many", attack_start }, {}
};

static void report(struct vm *v, int port)
{
	const char *data = (const char *)v->run + v->run->io.data_offset;

	switch (port) {
	case PORT_CHANGED:
		printf("changed %u, %s\n", *(const __u32 *)data, v->seen ? "seen" : "unseen");
		break;
	case PORT_ELSEWHERE:
		puts("runs elsewhere");
		break;
	case PORT_EXCEPTION:
		puts("takes the exception");
		break;
	default:
		if (port == -KVM_EXIT_MMIO)
			puts("uses what is no memory");
		else
			printf("does not go on (%d)\n", port);
	}
}

static void play(const struct attack *attack)
{
	struct vm v = { .kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC) };
	int port, steps = 0;

	v.fd = ioctl(v.kvm, KVM_CREATE_VM, 0);
	must(v.fd, "KVM_CREATE_VM");
	ioctl(v.fd, KVM_SET_TSS_ADDR, 0xfffbd000UL);
	v.ram = slot(v.fd, 0, 0, RAM);
	memcpy(slot(v.fd, 1, FIRMWARE_BASE, FIRMWARE_SIZE), tamper_firmware, FIRMWARE_SIZE);
	v.cpu = new_cpu(&v, 0, &v.run);
	/* The second round: all that KVM does once it has done. */
	for (int round = 0; round < 2; round++)
		do
			port = run(v.cpu, v.run);
		while (port == PORT_CHANGED);
	if (port != PORT_WAIT) {
		printf("does not begin (%d)\n", port);
		exit(1);
	}
	attack->go(&v);
	for (;;) {
		port = run(v.cpu, v.run);
		if (port == -KVM_EXIT_DEBUG)
			steps++;
		else if (port != PORT_WAIT)
			break;
	}
	if (steps > 1) /* one is the end of IN, where KVM steps itself */
		printf("stepped, ");
	report(&v, port);
	fflush(stdout);
}

static int arm(pid_t pid, unsigned int vcpus)
{
	struct mon_vm_arm a = {
		.size = sizeof(a),
		.pid = pid,
		.policy = {
			.version = MON_VM_POLICY_VERSION,
			.max_vcpus = vcpus,
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

static int play_confidential(const struct attack *attack)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	pid_t pid = fork();
	int status, domain = -1;

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		raise(SIGSTOP);
		play(attack);
		/* alive until the monitor was asked */
		raise(SIGSTOP);
		_exit(0);
	}
	if (waitpid(pid, &status, WUNTRACED) == pid)
		domain = arm(pid, strcmp(attack->name, "many") ? 2 : 1);
	must(domain, "arm");
	kill(pid, SIGCONT);
	waitpid(pid, &status, WUNTRACED);
	must(ioctl(domain, MON_IOC_VM_STATUS, &info), "MON_IOC_VM_STATUS");
	if (info.stop)
		printf("stopped %s\n", stop_name(info.stop));
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return 0;
}

int main(int argc, char **argv)
{
	bool confidential = argc == 3 && !strcmp(argv[1], "confidential");
	const struct attack *attack;

	if (argc != 2 + confidential)
		return 2;
	for (attack = attacks; attack->name; attack++)
		if (!strcmp(attack->name, argv[argc - 1]))
			break;
	if (!attack->name)
		return 2;
	alarm(60);
	if (confidential)
		return play_confidential(attack);
	play(attack);
	return 0;
}
