// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts that the CPU is to deliver by itself: the host writes what it likes into the
 * virtual-APIC page, and KVM makes guest interrupt status of it (RVI).
 */
#include <linux/kvm.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include "vcpu.h"

#define STACK_TOP 0x30000UL
#define APIC_ISR 0x100
#define APIC_IRR 0x200

static unsigned int vector, asked;

static void prepare_apic(void)
{
	puppet_options.irqchip = 1;
}

static __u32 *apic_word(struct kvm_lapic_state *apic, unsigned int base)
{
	return (__u32 *)(apic->regs + base + vector / 32 * 16);
}

static void request(void)
{
	struct kvm_lapic_state apic;

	must(ioctl(puppet_cpu, KVM_GET_LAPIC, &apic), "KVM_GET_LAPIC");
	*apic_word(&apic, APIC_IRR) |= 1U << vector % 32;
	must(ioctl(puppet_cpu, KVM_SET_LAPIC, &apic), "KVM_SET_LAPIC");
}

static void request_once(int signal)
{
	if (!signal && !asked++)
		request();
}

static void listen(void)
{
	puppet(PUPPET_LISTEN, STACK_TOP, 3, 0, 0);
	print_taken(vector);
}

static void start(const struct attack *a)
{
	vector = (unsigned int)a->arg;
	puppet_options.idle = request_once;
	puppet(PUPPET_STORE, STACK_TOP - 8, 0, 0, 0);
}

/* What became of the request: the page as the CPU would leave it. */
static void print_page(void)
{
	struct kvm_lapic_state apic;

	must(ioctl(puppet_cpu, KVM_GET_LAPIC, &apic), "KVM_GET_LAPIC");
	printf("IRR %u ISR %u ", *apic_word(&apic, APIC_IRR) >> vector % 32 & 1,
	       *apic_word(&apic, APIC_ISR) >> vector % 32 & 1);
}

static void go_request(const struct attack *a)
{
	start(a);
	listen();
	print_page();
}

/* While the guest has interrupts off; then it has them on, and KVM is not entered meanwhile. */
static void go_off(const struct attack *a)
{
	start(a);
	request();
	print_taken(vector);
	puppet(PUPPET_CR8, 0, 0, 0, 0);
	print_taken(vector);
}

/* While the guest's TPR (@arg2) is above it; then it goes down, with interrupts on. */
static void go_above(const struct attack *a)
{
	start(a);
	puppet(PUPPET_CR8, a->arg2, 0, 0, 0);
	listen();
	puppet(PUPPET_CR8, 0, 0, 0, 0);
	print_taken(vector);
}

/* Without an interrupt controller of KVM's a guest's CR8 is an exit. */
static void go_cr8(const struct attack *a)
{
	print_value(puppet(PUPPET_CR8, a->arg, 0, 0, 0));
}

const struct attack apic_attacks[] = {
	{ "CR8, kept from the guest", NULL, go_cr8, 5, 0 },
	{ "virtual APIC: a device's interrupt", prepare_apic, go_request, 0x40, 0 },
	{ "virtual APIC: interrupts off", prepare_apic, go_off, 0x40, 0 },
	{ "virtual APIC: TPR above", prepare_apic, go_above, 0x40, 4 },
	{ "virtual APIC: TPR below", prepare_apic, go_above, 0x40, 3 },
	{ "virtual APIC: the vector of a system call", prepare_apic, go_request, 0x80, 0 },
	{ "virtual APIC: the vector of a system call, interrupts off", prepare_apic, go_off,
	  0x80, 0 },
	{ "virtual APIC: the vector of a system call, TPR above", prepare_apic, go_above, 0x80, 8 },
	{ "virtual APIC: the vector of #AC", prepare_apic, go_request, 0x11, 0 },
	{ "virtual APIC: the vector of #MC", prepare_apic, go_request, 0x12, 0 },
	{ "virtual APIC: vector 31", prepare_apic, go_request, 0x1f, 0 },
	/* Of priority class 0: the CPU does not deliver it either. */
	{ "virtual APIC: the vector of #PF", prepare_apic, go_request, 0xe, 0 },
	{}
};
