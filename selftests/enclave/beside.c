// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enclaves beside each other, processes that are not an enclave's, and its process's debugger.
 * Prints a line for each test point: 0 if it is good, and its name.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>
#include "host.h"

#define PAGE 4096UL
#define ONLY_ONE 0x38000000UL /* a range that the first enclave has, and the others have not */
#define IS_SIGILL(status) (WIFSIGNALED(status) && WTERMSIG(status) == SIGILL)

__attribute__((format(printf, 2, 3)))
static void point(bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	printf("%d ", !good);
	vprintf(fmt, args);
	putchar('\n');
	va_end(args);
}

/* The puppet with another product number, and perhaps one range more. */
static void make(struct enclave *e, unsigned int product, bool more)
{
	struct mon_enclave_create c = puppet_policy();

	c.policy.handler = puppet_handler();
	c.policy.product = product;
	if (more) {
		c.policy.range[5].start = ONLY_ONE;
		c.policy.range[5].end = ONLY_ONE + PAGE;
		c.policy.range[5].type = MON_ENCLAVE_ZERO;
		c.policy.nr_ranges = 6;
	}
	e->fd = enclave_create(&c);
	if (e->fd < 0 || enclave_add_puppet(e->fd) || enclave_finish(e->fd, &e->info)) {
		perror("enclave");
		exit(1);
	}
	e->args = mmap(NULL, PUPPET_BUFFER_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd,
		       0);
}

static long monitor_call(struct enclave *e, unsigned int call, void *bytes, size_t size)
{
	long answer;

	memcpy(e->args->bytes, bytes, size);
	answer = (long)order(e, ORDER_MONITOR, call, 0);
	memcpy(bytes, e->args->bytes, size);
	return answer;
}

static void memory(struct enclave *a, struct enclave *b)
{
	order(a, ORDER_WRITE, ONLY_ONE, 0x77);
	order(a, ORDER_WRITE, PUPPET_HEAP, 0x78);
	point(order(a, ORDER_READ, ONLY_ONE, 0) == 0x77,
	      "memory: control, an enclave reads its own");
	point(order(b, ORDER_CATCH, CATCH_READ, ONLY_ONE) == 14, "memory: another's is not there");
	point(order(b, ORDER_READ, PUPPET_HEAP, 0) == 0,
	      "memory: an address of both is not one page");
	point(order(b, ORDER_CATCH, CATCH_READ, (unsigned long)b->args) == 14,
	      "memory: nor is its process's");
}

static void registers(struct enclave *a, struct enclave *b)
{
	point(order(a, ORDER_SELECTORS, 0, 0) == 0, "selectors: zeros at first");
	point(order(b, ORDER_SELECTORS, 0, 0) == 0, "selectors: none of the one before");
	point(order(a, ORDER_LEAVE, 0, 0x1234) == 7, "registers: left full");
	point(order(b, ORDER_INITIAL, 0, 0) == 0, "registers: none of the one before");
	point(order(a, ORDER_INITIAL, 0, 0) == 0, "registers: none of its own last call");
}

static void keys(struct enclave *a, struct enclave *b, struct enclave *a2)
{
	struct mon_enclave_key key[4] = { { .label = { 1 } }, { .label = { 1 } },
					  { .label = { 1 } }, { .label = { 2 } } };
	struct enclave *of[4] = { a, b, a2, a };
	unsigned int i, failed = 0;

	for (i = 0; i < 4; i++)
		failed += !!monitor_call(of[i], MON_EC_KEY, &key[i], sizeof(key[i]));
	point(!failed && !memcmp(key[0].key, key[2].key, 32), "keys: control, of the same enclave");
	point(memcmp(key[0].key, key[1].key, 32) != 0, "keys: not of another");
	point(memcmp(key[0].key, key[3].key, 32) != 0, "keys: not by another label");
}

static void reports(struct enclave *a, struct enclave *b)
{
	struct mon_enclave_report report = { .data = "hello" }, copy;
	unsigned int bit, believed = 0;

	memcpy(report.target, b->info.measurement, 32);
	monitor_call(a, MON_EC_REPORT, &report, sizeof(report));
	copy = report;
	point(monitor_call(b, MON_EC_VERIFY, &copy, sizeof(copy)) == 0, "reports: control");
	copy = report;
	point(monitor_call(a, MON_EC_VERIFY, &copy, sizeof(copy)) == -MON_EPERM,
	      "reports: for another are not believed");
	for (bit = 0; bit < sizeof(report) * 8; bit += 13) {
		copy = report;
		((unsigned char *)&copy)[bit / 8] ^= 1 << bit % 8;
		believed += monitor_call(b, MON_EC_VERIFY, &copy, sizeof(copy)) != -MON_EPERM;
	}
	point(!believed, "reports: with a bit flipped are not believed");
	copy = report;
	memcpy(copy.target, a->info.measurement, 32);
	point(monitor_call(a, MON_EC_VERIFY, &copy, sizeof(copy)) == -MON_EPERM,
	      "reports: of another target, with the old seal");
}

/* ---- VMCALL in user mode ---- */

static long user_call(unsigned long number, unsigned int domain)
{
	register unsigned long r10 asm("r10") = 0;
	long ret = (long)(MON_HYPERCALL + number);
	unsigned long rdi = domain, rsi = 0, rdx = 0;

	asm volatile("vmcall" : "+a"(ret), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10)
		     : : "rcx", "r8", "r9", "r11", "memory", "cc");
	return ret;
}

/* What thread 0 returns in the end. */
static unsigned long behind_interrupts(unsigned int domain, long why, unsigned long returned)
{
	unsigned long value[2] = { returned };

	while (why == MON_ENCLAVE_INTERRUPTED)
		why = enclave_call(domain, 0, MON_ENCLAVE_RESUME, value);
	return why == MON_ENCLAVE_RETURNED ? value[0] : 0;
}

/* A child, of one memory with the process or not. */
static bool is_sigill(unsigned long number, unsigned int domain, bool own_memory)
{
	int status;
	pid_t pid = own_memory ? fork() : vfork();

	if (!pid) {
		user_call(number, domain);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return IS_SIGILL(status);
}

static void user_mode(struct enclave *a)
{
	unsigned long value[2] = { ORDER_ADD, PUPPET_BUFFER };
	unsigned int number, allowed = 0;
	long why;

	a->args->a[0] = 40;
	a->args->a[1] = 2;
	why = enclave_call(a->info.domain, 0, MON_ENCLAVE_CALL, value);
	point(behind_interrupts(a->info.domain, why, value[0]) == 42,
	      "user mode: control, the enclave's process");
	point(is_sigill(MON_HC_ENCLAVE_RUN, a->info.domain, true), "user mode: another process");
	for (number = 0; number < MON_HC_NR + 2; number++)
		if (number != MON_HC_ENCLAVE_RUN)
			allowed += !is_sigill(number, a->info.domain, false);
	point(!allowed, "user mode: all other hypercalls");
	point(is_sigill(MON_HC_ENCLAVE_RUN | 1UL << 40, a->info.domain, false),
	      "user mode: a number of more than 32 bits");
	point(is_sigill(MON_HC_ENCLAVE_RUN, 0, false) && is_sigill(MON_HC_ENCLAVE_RUN, 2, false) &&
	      is_sigill(MON_HC_ENCLAVE_RUN, 63, false) && is_sigill(MON_HC_ENCLAVE_RUN, ~0u, false),
	      "user mode: domains that are none of its");
}

/* ---- a debugger of its process ---- */

extern const char call_begin[], call_end[];

/* The call, an instruction before it, and some behind it: the trap may come one later. */
static __attribute__((noinline)) unsigned long traced_call(unsigned int domain)
{
	register unsigned long r10 asm("r10") = PUPPET_BUFFER;
	unsigned long rdi = domain, rsi = MON_ENCLAVE_CALL, rdx = ORDER_ADD;
	unsigned long rax = MON_HYPERCALL | MON_HC_ENCLAVE_RUN;

	asm volatile("call_begin: nop\n	vmcall\ncall_end: nop\n	nop\n	nop\n"
		     : "+a"(rax), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10)
		     : : "rcx", "r8", "r9", "r11", "memory", "cc");
	return behind_interrupts(domain, (long)rax, rsi);
}

static __attribute__((noinline)) void own_code(void)
{
	asm volatile("nop");
}

/*
 * A child, whose memory is the process's, so it may enter the enclave; it stops, and ends with 42
 * if the enclave has added.
 */
static int child_of(void *domain)
{
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	kill(getpid(), SIGSTOP);
	own_code();
	_exit((int)traced_call((unsigned int)(unsigned long)domain));
}

static pid_t traced(unsigned int domain)
{
	static char stack[65536] __attribute__((aligned(16)));
	pid_t pid = clone(child_of, stack + sizeof(stack), CLONE_VM | SIGCHLD,
			  (void *)(unsigned long)domain);
	int status;

	waitpid(pid, &status, 0);
	return pid;
}

static unsigned long rip_of(pid_t pid)
{
	struct user_regs_struct regs;

	ptrace(PTRACE_GETREGS, pid, NULL, &regs);
	return regs.rip;
}

static int steps(pid_t pid, unsigned int *inside)
{
	int status = 0;
	bool counts = false;
	unsigned long rip;

	*inside = 0;
	for (;;) {
		ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL);
		waitpid(pid, &status, 0);
		if (!WIFSTOPPED(status))
			return status;
		rip = rip_of(pid);
		if (rip == (unsigned long)call_begin)
			counts = true;
		else if (rip >= (unsigned long)call_end && rip <= (unsigned long)call_end + 2)
			break;
		if (counts)
			++*inside;
	}
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, &status, 0);
	return status;
}

static void breakpoint(pid_t pid, unsigned long at, unsigned long dr7)
{
	ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[0]), at);
	if (ptrace(PTRACE_POKEUSER, pid, offsetof(struct user, u_debugreg[7]), dr7))
		perror("DR7");
}

/* How often it hits; how the child ends. */
static unsigned int hits(unsigned int domain, unsigned long at, unsigned long dr7, int *status)
{
	pid_t pid = traced(domain);
	unsigned int n = 0;

	breakpoint(pid, at, dr7);
	for (;;) {
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		waitpid(pid, status, 0);
		if (!WIFSTOPPED(*status))
			return n;
		n++;
	}
}

#define DR7_EXEC 1UL
#define DR7_DATA (1UL | 0xfUL << 16) /* 4 bytes, read or written */

static bool added(int status)
{
	return WIFEXITED(status) && WEXITSTATUS(status) == 42;
}

static void debugger(struct enclave *a)
{
	unsigned int inside, n;
	int status;

	a->args->a[0] = 40;
	a->args->a[1] = 2;
	status = steps(traced(a->info.domain), &inside);
	point(added(status) && inside == 2, "single steps: the enclave is one instruction (%u)",
	      inside);
	n = hits(a->info.domain, (unsigned long)own_code, DR7_EXEC, &status);
	point(n == 1 && added(status), "breakpoints: control, on the process's own code");
	n = hits(a->info.domain, PUPPET_TEXT, DR7_EXEC, &status);
	point(!n && added(status), "breakpoints: on the enclave's code");
	n = hits(a->info.domain, (unsigned long)call_end, DR7_EXEC, &status);
	point(n == 1 && added(status), "breakpoints: control, behind the call");
	n = hits(a->info.domain, PUPPET_BUFFER, DR7_DATA, &status);
	point(!n && added(status), "breakpoints: on what the enclave reads");
}

int main(void)
{
	struct enclave a, b, a2;
	cpu_set_t first;

	setvbuf(stdout, NULL, _IOLBF, 0);
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	if (sched_setaffinity(0, sizeof(first), &first))
		return 1;
	make(&a, 1, true);
	make(&b, 2, false);
	make(&a2, 1, true);
	memory(&a, &b);
	registers(&a, &b);
	keys(&a, &b, &a2);
	reports(&a, &b);
	user_mode(&a);
	debugger(&a);
	return 0;
}
