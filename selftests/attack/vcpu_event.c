// SPDX-License-Identifier: GPL-2.0-only
/* Events at a guest that listens with interrupts on. */
#include <errno.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include "vcpu.h"

#define STACK_TOP 0x30000UL /* of pages that exist */
#define NEW_STACK (AREA + 0x10000)

#define FIRST(a) ((unsigned int)((a)->arg & 0xff))
#define SECOND(a) ((unsigned int)((a)->arg >> 8 & 0xff))

static const struct attack *now;
static unsigned int asked, signals;

static void interrupt(unsigned int vector)
{
	struct kvm_interrupt irq = { .irq = vector };

	/* Refused while another one is on its way: then once more, later. */
	if (ioctl(puppet_cpu, KVM_INTERRUPT, &irq) && errno != EEXIST)
		must(-1, "KVM_INTERRUPT");
}

/* The exit is over only at the next entry: then events can be set. */
static void complete(void)
{
	puppet_run->immediate_exit = 1;
	ioctl(puppet_cpu, KVM_RUN, 0);
	puppet_run->immediate_exit = 0;
}

/* The guest waits so many times, and @idle is called; then how often it took the first vector. */
static void listen(const struct attack *a, void (*idle)(int signal), unsigned int times)
{
	now = a;
	puppet_options.idle = idle;
	puppet(PUPPET_STORE, STACK_TOP - 8, 0, 0, 0);
	puppet(PUPPET_LISTEN, STACK_TOP, times, 0, 0);
	print_taken(FIRST(a));
}

static void inject_one(int signal)
{
	if (!signal && !asked++)
		interrupt(FIRST(now));
}

static void go_interrupt(const struct attack *a)
{
	listen(a, inject_one, 3);
}

/* @arg2: error code and 1 << 32, if there is to be one */
static void inject_exception(int signal)
{
	struct kvm_vcpu_events e;

	if (signal || asked++)
		return;
	complete();
	must(ioctl(puppet_cpu, KVM_GET_VCPU_EVENTS, &e), "KVM_GET_VCPU_EVENTS");
	e.exception.injected = 1;
	e.exception.nr = FIRST(now);
	e.exception.has_error_code = now->arg2 >> 32;
	e.exception.error_code = (__u32)now->arg2;
	must(ioctl(puppet_cpu, KVM_SET_VCPU_EVENTS, &e), "KVM_SET_VCPU_EVENTS");
}

static void go_exception(const struct attack *a)
{
	listen(a, inject_exception, 3);
}

static void inject_nmis(int signal)
{
	if (!signal && asked++ < now->arg2)
		must(ioctl(puppet_cpu, KVM_NMI), "KVM_NMI");
}

static void go_nmi(const struct attack *a)
{
	listen(a, inject_nmis, 5);
}

/*
 * Two interrupts, the second while the first is being delivered: onto a stack that is not
 * there yet, when the monitor has no frame left. KVM is entered again and again then.
 */
static void again(int unused)
{
	(void)unused;
}

static void tick(void)
{
	struct itimerval soon = { .it_value.tv_usec = 20000 };

	must(setitimer(ITIMER_REAL, &soon, NULL), "setitimer");
}

static void inject_two(int signal)
{
	if (!signal && !asked++) {
		testmod("drain");
		interrupt(FIRST(now));
		tick();
	} else if (signal && !signals++) {
		interrupt(SECOND(now));
		tick();
	} else if (signal) {
		testmod("refund");
	}
}

/* An ordinary guest is not held up. */
static void inject_both(int signal)
{
	if (!signal && ++asked < 3)
		interrupt(asked == 1 ? FIRST(now) : SECOND(now));
}

static void go_two(const struct attack *a)
{
	struct sigaction action = { .sa_handler = again };

	now = a;
	sigaction(SIGALRM, &action, NULL);
	puppet_options.idle = confidential ? inject_two : inject_both;
	puppet(PUPPET_LISTEN, NEW_STACK, 4, 0, 0);
	testmod("refund");
	print_taken(FIRST(a));
	print_taken(SECOND(a));
}

#define CODE(n) (1UL << 32 | (n))

const struct attack event_attacks[] = {
	{ "a device's interrupt", NULL, go_interrupt, 0x40, 0 },
	{ "an interrupt at the vector of a system call", NULL, go_interrupt, 0x80, 0 },
	{ "an interrupt at the vector of #DE", NULL, go_interrupt, 0, 0 },
	{ "an interrupt at the vector of #DF", NULL, go_interrupt, 8, 0 },
	{ "an interrupt at the vector of #GP", NULL, go_interrupt, 13, 0 },
	{ "an interrupt at the vector of #PF", NULL, go_interrupt, 14, 0 },
	{ "an interrupt at the vector of #MC", NULL, go_interrupt, 18, 0 },
	{ "an interrupt at vector 31", NULL, go_interrupt, 31, 0 },
	{ "#DE", NULL, go_exception, 0, 0 },
	{ "#DB", NULL, go_exception, 1, 0 },
	{ "#UD", NULL, go_exception, 6, 0 },
	{ "#NM", NULL, go_exception, 7, 0 },
	{ "#DF", NULL, go_exception, 8, CODE(0) },
	{ "#SS", NULL, go_exception, 12, CODE(0) },
	{ "#GP", NULL, go_exception, 13, CODE(0) },
	{ "#GP with a code of the host's", NULL, go_exception, 13, CODE(0x1234) },
	{ "#PF with a code of the host's", NULL, go_exception, 14, CODE(0x7) },
	{ "#AC", NULL, go_exception, 17, CODE(0) },
	{ "#MC", NULL, go_exception, 18, 0 },
	{ "an NMI", NULL, go_nmi, 2, 1 },
	{ "NMIs, one behind the other", NULL, go_nmi, 2, 3 },
	{ "an interrupt while another is delivered", NULL, go_two, 0x5040, 0 },
	{ "the vector of a system call while an interrupt is delivered", NULL, go_two, 0x8040, 0 },
	{ "the vector of #PF while an interrupt is delivered", NULL, go_two, 0x0e40, 0 },
	{}
};
