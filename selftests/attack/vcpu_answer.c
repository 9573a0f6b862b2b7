// SPDX-License-Identifier: GPL-2.0-only
/* Lies in the answers to instructions: how far does one reach? */
#include <byteswap.h>
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include "vcpu.h"

#define PORT 0xf0
#define DEVICE 0x40000000UL
#define BEFORE 0x1122334455667788UL
#define HONEST 0x5a
#define ONES (~0UL)
#define BUFFER (AREA + 0x30000)

static const struct attack *now;
static unsigned int asked, lies;

/* What KVM has to do for the exit is done; what it would enter the guest with can be changed. */
static void complete(struct kvm_regs *r)
{
	puppet_run->immediate_exit = 1;
	ioctl(puppet_cpu, KVM_RUN, 0);
	puppet_run->immediate_exit = 0;
	must(ioctl(puppet_cpu, KVM_GET_REGS, r), "KVM_GET_REGS");
}

static void set(struct kvm_regs *r)
{
	must(ioctl(puppet_cpu, KVM_SET_REGS, r), "KVM_SET_REGS");
	lies++;
}

static unsigned char *io_data(void)
{
	return (unsigned char *)puppet_run + puppet_run->io.data_offset;
}

static int is_asked(void)
{
	if (puppet_run->exit_reason == KVM_EXIT_MMIO && !puppet_run->mmio.is_write) {
		memset(puppet_run->mmio.data, HONEST, sizeof(puppet_run->mmio.data));
		return 1;
	}
	if (puppet_run->exit_reason != KVM_EXIT_IO || puppet_run->io.port != PORT)
		return 0;
	memset(io_data(), HONEST, puppet_run->io.size * puppet_run->io.count);
	return 1;
}

/* ---- an answer with more than was asked for ---- */

static int answer_ones(void)
{
	struct kvm_regs r;

	if (!is_asked())
		return 0;
	complete(&r);
	r.rax = r.rbx = r.rcx = r.rdx = r.rsi = r.rdi = r.rbp = r.r9 = ONES;
	set(&r);
	return 1;
}

/* @arg: command; @arg2: size */
static void go_ask(int (*on_exit)(void), const struct attack *a)
{
	now = a;
	puppet_options.on_exit = on_exit;
	print_value(puppet((unsigned int)a->arg, a->arg == PUPPET_PORT ? PORT : DEVICE, a->arg2,
			   BEFORE, 0));
}

static void go_ones(const struct attack *a)
{
	go_ask(answer_ones, a);
}

/* ---- RIP: no answer at first, or one that is said to be somewhere else ---- */

static int answer_rip(void)
{
	struct kvm_regs r;

	if (!is_asked())
		return 0;
	if (asked++)
		return 1;
	complete(&r);
	r.rax = ONES;
	/* For the guest that shows its registers it is an address. */
	r.rip = confidential ? now->arg : r.rip - 1;
	set(&r);
	return 1;
}

static void go_rip(const struct attack *a)
{
	now = a;
	puppet_options.on_exit = answer_rip;
	print_value(puppet(PUPPET_PORT, PORT, 4, BEFORE, 0));
	printf("asked %u ", asked);
}

/* ---- an answer once more, when the guest has gone on ---- */

static int answer_late(void)
{
	struct kvm_regs r;

	if (is_asked())
		return 1;
	/* The first half of what came of it: the other is still in RAX. */
	if (puppet_run->exit_reason != KVM_EXIT_IO || puppet_run->io.port != PUPPET_OUT || asked++)
		return 0;
	complete(&r);
	r.rax = ONES;
	set(&r);
	return 0;
}

static void go_late(const struct attack *a)
{
	go_ask(answer_late, a);
}

/* ---- an answer to what never was asked: at an exit of the host's own ---- */

#define LIES 20

static void answer_nothing(int by_signal)
{
	struct kvm_regs r;

	if (!by_signal)
		return;
	must(ioctl(puppet_cpu, KVM_GET_REGS, &r), "KVM_GET_REGS");
	/* It was at an instruction that the host has answered. */
	if (confidential && r.rip)
		return;
	r.rax = r.rcx = ONES;
	r.rip += now->arg;
	set(&r);
}

static void ring(int unused)
{
	(void)unused;
}

static void go_nothing(const struct attack *a)
{
	struct itimerval often = { { 0, 20000 }, { 0, 20000 } };
	struct sigaction action = { .sa_handler = ring };
	long count = 1024;

	now = a;
	puppet_options.idle = answer_nothing;
	puppet(PUPPET_FILL, BUFFER, 7, 1024, 0);
	sigaction(SIGALRM, &action, NULL);
	must(setitimer(ITIMER_REAL, &often, NULL), "setitimer");
	/* Some come where they do no harm. */
	for (unsigned int round = 0; count == 1024 && lies < LIES && round < 1000; round++)
		count = puppet(PUPPET_COUNT, BUFFER, 7, 1024, 0);
	printf(count == 1024 && lies >= LIES ? "whole " : "not whole ");
	often.it_interval.tv_usec = often.it_value.tv_usec = 0;
	setitimer(ITIMER_REAL, &often, NULL);
}

/* ---- a string: one answer for all of it ---- */

static int answer_string(void)
{
	struct kvm_regs r;

	if (!is_asked())
		return 0;
	asked++;
	complete(&r);
	r.rcx = 0;
	r.rdi = BUFFER + 0x800;
	r.rax = ONES;
	set(&r);
	return 1;
}

static void go_string(const struct attack *a)
{
	(void)a;
	puppet_options.on_exit = answer_string;
	puppet(PUPPET_FILL, BUFFER, 0, 512, 0);
	print_value(puppet(PUPPET_INS, PORT, BUFFER, 16, 0) - (long)BUFFER);
	print_value(puppet(PUPPET_LOAD, BUFFER + 16, 0, 0, 0));
}

/* ---- fw_cfg: more than was asked for, and to another place ---- */

#define DMA_PORT 0x518
#define COMMAND (AREA + 0x40000)

static struct {
	__u32 control, length;
	__u64 address;
} __attribute__((packed)) *command;

/* Where the command is in the host's memory is what the guest writes to the port. */
static int answer_dma(void)
{
	if (puppet_run->exit_reason != KVM_EXIT_IO || puppet_run->io.port != DMA_PORT)
		return 0;
	command = (void *)(puppet_memory + bswap_32(*(__u32 *)io_data()));
	memset(puppet_memory + bswap_64(command->address), 0x41, 4096);
	command->length = bswap_32(4096);
	command->address = bswap_64(BUFFER + 0x800);
	command->control = bswap_32((__u32)now->arg);
	return 1;
}

static void go_dma(const struct attack *a)
{
	now = a;
	puppet_options.on_exit = answer_dma;
	puppet(PUPPET_FILL, BUFFER, 0, 512, 0);
	/* Read 8 bytes of what is selected. */
	puppet(PUPPET_STORE, COMMAND, bswap_32(2) | (__u64)bswap_32(8) << 32, 0, 0);
	puppet(PUPPET_STORE, COMMAND + 8, bswap_64(BUFFER), 0, 0);
	puppet(PUPPET_OUTL, DMA_PORT, bswap_32(COMMAND), 0, 0);
	print_value(puppet(PUPPET_LOAD, BUFFER, 0, 0, 0));
	print_value(puppet(PUPPET_COUNT, BUFFER + 8, 0, 511, 0));
	print_value(puppet(PUPPET_LOAD, COMMAND, 0, 0, 0));
}

const struct attack answer_attacks[] = {
	{ "IN of 1 byte", NULL, go_ones, PUPPET_PORT, 1 },
	{ "IN of 2 bytes", NULL, go_ones, PUPPET_PORT, 2 },
	{ "IN of 4 bytes", NULL, go_ones, PUPPET_PORT, 4 },
	{ "load of 1 byte", NULL, go_ones, PUPPET_DEVICE, 1 },
	{ "load of 2 bytes", NULL, go_ones, PUPPET_DEVICE, 2 },
	{ "load of 4 bytes", NULL, go_ones, PUPPET_DEVICE, 4 },
	{ "load of 8 bytes", NULL, go_ones, PUPPET_DEVICE, 8 },
	{ "no answer", NULL, go_rip, 0, 0 },
	{ "an answer beyond the instruction", NULL, go_rip, 5, 0 },
	{ "an answer far away", NULL, go_rip, 0x1234, 0 },
	{ "an answer once more", NULL, go_late, PUPPET_PORT, 4 },
	{ "an answer to nothing", NULL, go_nothing, 0, 0 },
	{ "an answer of one byte to nothing", NULL, go_nothing, 1, 0 },
	{ "one answer for a string", NULL, go_string, 0, 0 },
	{ "fw_cfg: more than asked for, elsewhere", NULL, go_dma, 0, 0 },
	{ "fw_cfg: an error", NULL, go_dma, 1, 0 },
	{}
};
