// SPDX-License-Identifier: GPL-2.0-only
/* Exceptions of an enclave in simulation: signals, made into what the monitor would do. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include "sim.h"

#define STACK_SIZE (64 << 10)

__thread struct sim_thread *mon_sim_current;

static const int signals[] = { SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGTRAP };
static struct sigaction before[sizeof(signals) / sizeof(signals[0])];

/* In the order of struct mon_enclave_fault. */
static const int registers[16] = { REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
				   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
				   REG_R12, REG_R13, REG_R14, REG_R15 };

static void give_to_handler(struct sim_thread *t, greg_t *r)
{
	struct mon_enclave_fault *f = t->fault;
	unsigned int i;

	memset(f, 0, sizeof(*f));
	f->vector = t->vector;
	f->error_code = r[REG_ERR];
	f->address = t->vector == 14 ? r[REG_CR2] : 0;
	for (i = 0; i < 16; i++)
		f->gpr[i] = r[registers[i]];
	f->rip = r[REG_RIP];
	f->rflags = r[REG_EFL];
	r[REG_RSP] -= 128;
	r[REG_RDI] = (greg_t)f;
	r[REG_RIP] = t->handler;
	t->handling = 1;
}

static void restore(struct sim_thread *t, greg_t *r)
{
	unsigned int i;

	for (i = 0; i < 16; i++)
		r[registers[i]] = t->fault->gpr[i];
	r[REG_RIP] = t->fault->rip;
	t->restoring = 0;
	t->handling = 0;
}

static void end(struct sim_thread *t, greg_t *r)
{
	r[REG_RSP] = (greg_t)t->host_sp;
	r[REG_RIP] = (greg_t)mon_sim_fell;
}

static void handle(int signal, siginfo_t *info, void *context)
{
	greg_t *r = ((ucontext_t *)context)->uc_mcontext.gregs;
	struct sim_thread *t = mon_sim_current;
	unsigned int i;

	(void)info;
	if (!t || !t->inside) {
		for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
			if (signals[i] == signal)
				sigaction(signal, &before[i], NULL);
		return; /* and it happens again */
	}
	if (t->restoring) {
		restore(t, r);
		return;
	}
	t->vector = r[REG_TRAPNO];
	t->page = t->vector == 14 ? r[REG_CR2] & -MON_PAGE : 0;
	if (t->handler && !t->handling)
		give_to_handler(t, r);
	else
		end(t, r);
}

/* On the enclave's stack. An exception is done by another, which changes all registers. */
__attribute__((__target__("general-regs-only"))) long
mon_sim_hook(unsigned long call, unsigned long a, unsigned long b, unsigned long c)
{
	struct sim_thread *t = mon_sim_current;

	if (call == MON_EC_HANDLED && t->handling) {
		t->restoring = 1;
		__asm__ volatile("ud2" : : : "memory");
	}
	t->call = call;
	t->a = a;
	t->b = b;
	t->c = c;
	return mon_sim_leave(&t->enclave_sp, t->host_sp);
}

static void install(void)
{
	struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK };
	unsigned int i;

	for (i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, &before[i]);
}

int mon_sim_catch(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	static __thread unsigned char stack[STACK_SIZE];
	static __thread bool done;
	stack_t new = { .ss_sp = stack, .ss_size = sizeof(stack) }, old;

	pthread_once(&once, install);
	if (done)
		return 0;
	if (sigaltstack(NULL, &old) || (old.ss_flags & SS_DISABLE && sigaltstack(&new, NULL)))
		return mon_fail("the simulation has no stack for signals");
	done = true;
	return 0;
}
