// SPDX-License-Identifier: GPL-2.0-only
/* What an enclave can do, by what it is stopped, and what becomes of its threads. */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include <unistd.h>
#include "host.h"

#define PAGE 4096UL
#define PF 14UL
#define GP 13UL
#define EVICTIONS 10

static struct puppet_args *args_of(struct enclave *e, unsigned int thread)
{
	return (struct puppet_args *)((char *)e->args + thread * PAGE);
}

/* ---- calls ---- */

static void test_calls(void)
{
	unsigned long value[2] = { ORDER_ADD, PUPPET_BUFFER };
	struct enclave e;

	enclave_make(&e);
	is(order(&e, ORDER_INITIAL, 0, 0), 0, "a thread begins with empty registers");
	is(order(&e, ORDER_ADD, 40, 2), 42, "it is called, and returns");
	is(order(&e, ORDER_OCALLS, 5, 0), 5, "it calls its process, five times");
	is(order(&e, ORDER_KEEP, 0, 0), 0, "which keeps what a call preserves");
	e.args->a[0] = 20;
	e.args->a[1] = 3;
	ok(enclave_call(e.info.domain, 0, MON_ENCLAVE_CALL, value) == MON_ENCLAVE_RETURNED &&
	   value[0] == 23 && !value[1], "it is called without a system call");
	value[0] = ORDER_OCALLS;
	value[1] = PUPPET_BUFFER;
	e.args->a[0] = 1;
	is(enclave_run(e.fd, 1, MON_ENCLAVE_CALL, value), MON_ENCLAVE_OCALL, "thread 1 calls");
	is(enclave_run(e.fd, 1, MON_ENCLAVE_CALL, value), -EINVAL, "it waits for no call");
	is(enclave_run(e.fd, 1, MON_ENCLAVE_RESUME, value), -EINVAL, "nor is it interrupted");
	is(order(&e, ORDER_ADD, 1, 1), 2, "thread 0 is called meanwhile");
	value[0] = 77;
	is(enclave_run(e.fd, 1, MON_ENCLAVE_ANSWER, value), MON_ENCLAVE_RETURNED, "an answer");
	is(value[0], 77, "is what the call returns");
	is(enclave_run(e.fd, 1, MON_ENCLAVE_ANSWER, value), -EINVAL, "an idle one wants none");
	is(enclave_run(e.fd, PUPPET_THREADS, MON_ENCLAVE_CALL, value), -EINVAL, "no such thread");
	is(order(&e, ORDER_SELECTORS, 0, 0), 0, "selectors are null at first");
	is(order(&e, ORDER_SELECTORS, 0, 0), 0, "and not what was left in them");
	enclave_end(&e);
}

/* One in the call of another: each has its own, and comes back where it was. */
static void test_chain(void)
{
	unsigned long value[2] = { ORDER_OCALLS, PUPPET_BUFFER };
	struct enclave a, b;
	int why;

	enclave_make(&a);
	enclave_make(&b);
	a.args->a[0] = 1;
	why = enclave_run(a.fd, 0, MON_ENCLAVE_CALL, value);
	is(order(&b, ORDER_CANARY, 10, 0), 0, "another enclave runs within a call of the first");
	value[0] = 5;
	ok(why == MON_ENCLAVE_OCALL &&
	   enclave_run(a.fd, 0, MON_ENCLAVE_ANSWER, value) == MON_ENCLAVE_RETURNED &&
	   value[0] == 5, "and the first goes on");
	enclave_end(&a);
	enclave_end(&b);
}

/* ---- memory ---- */

static void test_memory(void)
{
	struct enclave e;
	unsigned long owned;

	enclave_make(&e);
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP, 300), 0, "the heap is zeros");
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP, 300), 300, "and has what was written to it");
	owned = enclave_status(e.fd).owned;
	is(order(&e, ORDER_TRIM, PUPPET_HEAP, 200), 0, "200 pages are given back");
	is(owned - enclave_status(e.fd).owned, 200, "and not its own any more");
	is(enclave_status(e.fd).limit, 400, "nor may it own as many again");
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP, 300), 100, "what comes there is zeros");
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP, 700), 300, "more than it may own: it is refilled");
	is(order(&e, ORDER_TRIM, PUPPET_HEAP + 1, 1), -EINVAL, "trim: within a page");
	is(order(&e, ORDER_TRIM, PUPPET_HEAP, 0), -EINVAL, "trim: nothing");
	is(order(&e, ORDER_TRIM, PUPPET_HEAP, MON_ENCLAVE_TRIM_MAX + 1), -EINVAL, "trim: too much");
	is(order(&e, ORDER_TRIM, PUPPET_STACKS, 4), -EINVAL, "trim: a stack");
	is(order(&e, ORDER_TRIM, PUPPET_TEXT, 1), -EINVAL, "trim: the text");
	is(order(&e, ORDER_TRIM, PUPPET_BUFFER, 1), -EINVAL, "trim: the buffer");
	is(order(&e, ORDER_TRIM, PUPPET_HEAP + (PUPPET_HEAP_PAGES - 1) * PAGE, 2), -EINVAL,
	   "trim: over the end");
	is(order(&e, ORDER_TRIM, -PAGE, 2), -EINVAL, "trim: around the end of all");
	is(order(&e, ORDER_RECURSE, 20, 0), 210, "a stack is deep enough");
	enclave_end(&e);
}

/* An access that ends thread 1. The answer is the exception, and the page it names. */
static void stopped(enum puppet_order what, unsigned long a0, unsigned long vector,
		    unsigned long page, const char *name)
{
	unsigned long value[2];
	struct mon_enclave_create create = puppet_policy();
	struct enclave e;
	int why;

	enclave_make_of(&e, &create); /* without a handler */
	args_of(&e, 1)->a[0] = a0;
	args_of(&e, 1)->a[1] = 0;
	why = order_on(&e, 1, what, value);
	ok(why == MON_ENCLAVE_FAULTED && value[0] == vector && value[1] == page, "%s", name);
	if (why != MON_ENCLAVE_FAULTED || value[0] != vector || value[1] != page)
		printf("# exit %d, vector %lu, page %#lx\n", why, value[0], value[1]);
	ok(enclave_run(e.fd, 1, MON_ENCLAVE_CALL, value) == -EBUSY &&
	   enclave_run(e.fd, 1, MON_ENCLAVE_RESUME, value) == -EBUSY &&
	   enclave_status(e.fd).faulted == 1 && order(&e, ORDER_ADD, 1, 2) == 3,
	   "the thread is never entered again, and others go on");
	enclave_end(&e);
}

static void test_stopped(void)
{
	static unsigned long mine = 1;
	unsigned long here = (unsigned long)&mine;

	stopped(ORDER_READ, 0, PF, 0, "it reads at address 0");
	stopped(ORDER_READ, here, PF, here & -PAGE, "it reads memory of its process");
	stopped(ORDER_READ, PUPPET_HEAP - 8, PF, PUPPET_HEAP - PAGE, "it reads below its heap");
	stopped(ORDER_READ, MON_ENCLAVE_HIGH, PF, MON_ENCLAVE_HIGH, "it reads its page table");
	stopped(ORDER_READ, 1UL << 46, PF, 1UL << 46, "it reads beyond all there is");
	stopped(ORDER_READ, 1UL << 63, GP, 0, "an address that is none");
	stopped(ORDER_WRITE, PUPPET_TEXT, PF, PUPPET_TEXT, "it writes to its text");
	stopped(ORDER_JUMP, PUPPET_HEAP, PF, PUPPET_HEAP, "it jumps to its heap");
	stopped(ORDER_JUMP, PUPPET_DATA, PF, PUPPET_DATA, "to its data");
	stopped(ORDER_JUMP, PUPPET_BUFFER, PF, PUPPET_BUFFER, "to the buffer");
	stopped(ORDER_RECURSE, 100, PF, PUPPET_STACKS + PUPPET_STACK_SIZE,
		"its stack ends at a page that is not there");
}

/* ---- exceptions ---- */

static const unsigned char vector_of[] = {
	6, 3, 13, 6, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13, 13,
	0xff, 0xff, 0xff, 13, 6, 6, 13, 0, 13, 6, 13,
};

static void test_exceptions(void)
{
	unsigned long i, vector, right = 0;
	struct enclave e;

	enclave_make(&e);
	is(puppet_insns(), sizeof(vector_of), "instructions that an enclave may not execute");
	for (i = 0; i < sizeof(vector_of); i++) {
		vector = order(&e, ORDER_CATCH, i, 0);
		/* VMX instructions: which of the two comes first is not the same on all CPUs. */
		if (vector == vector_of[i] ||
		    (vector_of[i] == 0xff && (vector == 6 || vector == 13)))
			right++;
		else
			printf("# instruction %lu: vector %lu\n", i, vector);
	}
	is(right, sizeof(vector_of), "each is an exception that its handler gets");
	is(order(&e, ORDER_CATCH, CATCH_READ, 0x1000), PF, "so is an access to what is not there");
	is(order(&e, ORDER_CATCH, CATCH_READ, PUPPET_HEAP), ~0UL, "what is there is none");
	is(order(&e, ORDER_RAW, MON_EC_HANDLED, 0), -EINVAL, "no exception is none to end");
	is(order(&e, ORDER_CANARY, 10, 0), 0, "and the thread is what it was");
	is(enclave_status(e.fd).faulted, 0, "no thread was lost");
	enclave_end(&e);
}

/* ---- interrupts, signals, threads ---- */

static void nothing(int signal)
{
	(void)signal;
}

static void alarms(bool on)
{
	struct itimerval timer = { { 0, on ? 2000 : 0 }, { 0, on ? 2000 : 0 } };
	struct sigaction action = { .sa_handler = nothing };

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}

static void test_signals(void)
{
	unsigned long value[2] = { ORDER_SPIN, PUPPET_BUFFER };
	struct enclave e;
	int why;

	enclave_make(&e);
	alarms(true);
	why = enclave_run(e.fd, 0, MON_ENCLAVE_CALL, value);
	is(why, -EINTR, "a signal interrupts a thread that spins");
	is(enclave_run(e.fd, 0, MON_ENCLAVE_CALL, value), -EINVAL, "it is not idle");
	e.args->a[0] = 1;
	do {
		why = enclave_run(e.fd, 0, MON_ENCLAVE_RESUME, value);
	} while (why == -EINTR);
	is(why, MON_ENCLAVE_RETURNED, "it goes on");
	is(order(&e, ORDER_CANARY, 20000, 0), 0, "under signals all registers are kept");
	alarms(false);
	printf("# %llu entries\n", enclave_status(e.fd).entries);
	enclave_end(&e);
}

struct work {
	struct enclave *e;
	unsigned int thread;
	unsigned long result;
	enum puppet_order order;
};

static void *canary(void *arg)
{
	struct work *w = arg;
	unsigned long value[2];

	args_of(w->e, w->thread)->a[0] = 10000;
	w->result = order_on(w->e, w->thread, ORDER_CANARY, value) == MON_ENCLAVE_RETURNED ?
			    value[0] : ~0UL;
	return NULL;
}

static void test_threads(void)
{
	struct work work[PUPPET_THREADS];
	pthread_t thread[PUPPET_THREADS];
	unsigned long value[2] = { ORDER_SPIN, PUPPET_BUFFER + PAGE };
	struct enclave e;
	unsigned int i;

	enclave_make(&e);
	for (i = 0; i < PUPPET_THREADS; i++) {
		work[i] = (struct work){ .e = &e, .thread = i, .result = 1 };
		pthread_create(&thread[i], NULL, canary, &work[i]);
	}
	for (i = 0; i < PUPPET_THREADS; i++) {
		pthread_join(thread[i], NULL);
		is(work[i].result, 0, "thread %u of %u at once has its own registers", i,
		   PUPPET_THREADS);
	}
	/* Thread 0 sees what thread 1 waits for. */
	args_of(&e, 1)->a[0] = 0;
	alarms(true);
	while (enclave_run(e.fd, 1, MON_ENCLAVE_CALL, value) != -EINTR)
		;
	alarms(false);
	is(order(&e, ORDER_WRITE, PUPPET_BUFFER + PAGE, 1), 0, "one thread tells another");
	value[0] = 0;
	is(enclave_run(e.fd, 1, MON_ENCLAVE_RESUME, value), MON_ENCLAVE_RETURNED, "and it hears");
	enclave_end(&e);
}

/* ---- memory that is taken back, and comes again ---- */

static void test_evict(void)
{
	unsigned long value[2] = { ORDER_OCALLS, PUPPET_BUFFER };
	struct mon_enclave_evict bad = { .size = sizeof(bad), .pages = 1 };
	struct enclave e;
	long all;
	int why;

	enclave_make(&e);
	is(ioctl(monitor_fd, MON_IOC_ENCLAVE_EVICT, &bad) ? errno : 0, ENOENT, "evict: none");
	bad.domain = e.info.domain;
	bad.pages = 0;
	is(ioctl(monitor_fd, MON_IOC_ENCLAVE_EVICT, &bad) ? errno : 0, EINVAL, "evict: nothing");
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP, 100), 0, "a heap");
	all = enclave_evict(&e, 1000);
	ok(all > 100 && all < 120 && (long)enclave_status(e.fd).evicted == all,
	   "all its pages are taken: %ld", all);
	is(enclave_evict(&e, 10), -ENOENT, "then there is none");
	is(order(&e, ORDER_ADD, 4, 5), 9, "it runs: its code comes back, and its stack");
	ok(enclave_status(e.fd).evicted < (unsigned long)all && enclave_status(e.fd).evicted >= 100,
	   "but not its heap");
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP, 50), 50, "which has what it had");
	is(order(&e, ORDER_TRIM, PUPPET_HEAP + 60 * PAGE, 10), 0, "some it gives back");
	is(order(&e, ORDER_TOUCH, PUPPET_HEAP + 50 * PAGE, 50), 40, "those are zeros");
	e.args->a[0] = 1;
	why = enclave_run(e.fd, 0, MON_ENCLAVE_CALL, value);
	enclave_evict(&e, 1000);
	value[0] = 12;
	ok(why == MON_ENCLAVE_OCALL &&
	   enclave_run(e.fd, 0, MON_ENCLAVE_ANSWER, value) == MON_ENCLAVE_RETURNED &&
	   value[0] == 12, "it does not notice when it happens during a call of its process");
	enclave_evict(&e, 1000);
	is(order(&e, ORDER_CATCH, 0, 0), 6, "nor where an exception goes");
	enclave_end(&e);
}

static unsigned long rounds_begun;
static bool evictions_done;

/* All that is there, as soon as it is used again. */
static void *evictions(void *arg)
{
	struct work *w = arg;
	unsigned long i, seen = 0;
	long pages;

	for (i = 0; i < EVICTIONS; i++) {
		while (__atomic_load_n(&rounds_begun, __ATOMIC_ACQUIRE) == seen)
			sched_yield();
		seen = __atomic_load_n(&rounds_begun, __ATOMIC_ACQUIRE);
		pages = enclave_evict(w->e, 1000);
		w->result += pages > 0 ? (unsigned long)pages : 0;
	}
	__atomic_store_n(&evictions_done, true, __ATOMIC_RELEASE);
	return NULL;
}

static void test_evict_running(void)
{
	struct enclave e;
	struct work work = { .e = &e };
	unsigned long bad = 0;
	pthread_t thread;

	enclave_make(&e);
	order(&e, ORDER_TOUCH, PUPPET_HEAP, 20);
	pthread_create(&thread, NULL, evictions, &work);
	while (!__atomic_load_n(&evictions_done, __ATOMIC_ACQUIRE)) {
		__atomic_fetch_add(&rounds_begun, 1, __ATOMIC_RELEASE);
		bad += order(&e, ORDER_CANARY, 500, 0) ||
		       order(&e, ORDER_TOUCH, PUPPET_HEAP, 20) != 20;
	}
	pthread_join(thread, NULL);
	ok(!bad && work.result > 40, "it runs while %lu pages are taken from it", work.result);
	enclave_end(&e);
}

/* ---- how it may use what it has ---- */

#define R MON_ENCLAVE_READ
#define RW (R | MON_ENCLAVE_WRITE)
#define RX (R | MON_ENCLAVE_EXEC)
#define ALLOWED ~0UL /* ORDER_CATCH: no exception */
#define RETURN 0xc3UL /* the instruction */
#define PF_USER 4UL
#define PF_WRITTEN (PF_USER | 3)
#define PF_FETCHED (PF_USER | 0x11)
#define AT(page) (PUPPET_HEAP + (page) * PAGE)

static unsigned long protect(struct enclave *e, unsigned long at, unsigned long pages,
			     unsigned long perm)
{
	e->args->a[2] = perm;
	return order(e, ORDER_PROTECT, at, pages);
}

/* Is the access an exception with this error code, at this address? */
static bool caught(struct enclave *e, unsigned long how, unsigned long at, unsigned long code)
{
	return order(e, ORDER_CATCH, how, at) == PF && e->args->a[4] == code &&
	       e->args->a[5] == at;
}

static void test_protect(void)
{
	struct enclave e;

	enclave_make(&e);
	order(&e, ORDER_TOUCH, AT(0), 4);
	is(protect(&e, AT(1), 2, R), 0, "two pages of its heap to be read only");
	ok(caught(&e, CATCH_WRITE, AT(1), PF_WRITTEN) &&
	   caught(&e, CATCH_WRITE, AT(2), PF_WRITTEN),
	   "a write to them is an exception that its handler gets");
	ok(order(&e, ORDER_READ, AT(1), 0) == 1 && order(&e, ORDER_READ, AT(2), 0) == 1,
	   "they have what they had");
	ok(order(&e, ORDER_CATCH, CATCH_WRITE, AT(0)) == ALLOWED &&
	   order(&e, ORDER_CATCH, CATCH_WRITE, AT(3)) == ALLOWED, "and those beside are as before");
	is(order(&e, ORDER_RAW, MON_EC_SELF, AT(1)), -EFAULT, "nor does the monitor write there");
	is(protect(&e, AT(1), 1, RW), 0, "to read and write again");
	ok(order(&e, ORDER_CATCH, CATCH_WRITE, AT(1)) == ALLOWED &&
	   order(&e, ORDER_READ, AT(1), 0) == AT(1), "then it is written to");
	order(&e, ORDER_WRITE, AT(3), RETURN);
	ok(caught(&e, CATCH_JUMP, AT(3), PF_FETCHED), "it cannot jump to what it has written");
	is(protect(&e, AT(3), 1, RX), 0, "to read and execute");
	ok(order(&e, ORDER_CATCH, CATCH_JUMP, AT(3)) == ALLOWED &&
	   caught(&e, CATCH_WRITE, AT(3), PF_WRITTEN), "then it can, but write no more");
	is(protect(&e, AT(10), 2, R), 0, "pages that are not there yet");
	ok(order(&e, ORDER_READ, AT(10), 0) == 0 && caught(&e, CATCH_WRITE, AT(10), PF_WRITTEN),
	   "are made so");
	/* What the CPU finds is that nothing is there; then the page is. */
	ok(caught(&e, CATCH_WRITE, AT(11), PF_WRITTEN), "by a write, too");
	is(order(&e, ORDER_TRIM, AT(10), 2), 0, "given back");
	ok(order(&e, ORDER_CATCH, CATCH_WRITE, AT(10)) == ALLOWED, "they begin anew");
	is(protect(&e, PUPPET_DATA + PAGE, 1, R), 0, "a page that was measured");
	ok(caught(&e, CATCH_WRITE, PUPPET_DATA + PAGE, PF_WRITTEN), "is to be read only");
	protect(&e, AT(12), 1, RX);
	ok(enclave_evict(&e, 1000) > 4 && caught(&e, CATCH_WRITE, AT(3), PF_WRITTEN) &&
	   order(&e, ORDER_CATCH, CATCH_JUMP, AT(3)) == ALLOWED,
	   "what was out comes back as it was");
	ok(caught(&e, CATCH_WRITE, AT(12), PF_WRITTEN), "and what was not made is made so");
	enclave_evict(&e, 1000);
	is(protect(&e, AT(0), 4, R), 0, "pages that are out");
	ok(caught(&e, CATCH_WRITE, AT(0), PF_WRITTEN) &&
	   caught(&e, CATCH_JUMP, AT(3), PF_FETCHED) &&
	   order(&e, ORDER_READ, AT(0), 0) == AT(0), "come back as it says");
	enclave_end(&e);
}

static void test_protect_bad(void)
{
	static const struct {
		unsigned long at, pages, perm;
		const char *name;
	} bad[] = {
		{ AT(0), 1, 0, "not even to read" },
		{ AT(0), 1, MON_ENCLAVE_WRITE, "to write only" },
		{ AT(0), 1, MON_ENCLAVE_EXEC, "to execute only" },
		{ AT(0), 1, RW | RX, "to write and execute" },
		{ AT(0), 1, RW | 8, "more than there is" },
		{ AT(0), 1, R | 1UL << 63, "very much more" },
		{ AT(0) + 8, 1, R, "within a page" },
		{ AT(0), 0, R, "nothing" },
		{ AT(0), MON_ENCLAVE_PROTECT_MAX + 1, R, "too much" },
		{ AT(0), 1UL << 52, R, "all, once around" },
		{ AT(PUPPET_HEAP_PAGES - 1), 2, R, "over the end" },
		{ AT(-1), 2, R, "from before its beginning" },
		{ -PAGE, 2, R, "around the end of all" },
		{ PUPPET_STACKS, 1, RW, "the end of a stack" },
		{ PUPPET_STACKS + PAGE, 1, R, "a stack" },
		{ PUPPET_STACKS_END - PAGE, 1, RX, "a thread's page" },
		{ PUPPET_BUFFER, 1, R, "the buffer" },
		{ PUPPET_TEXT, PUPPET_DATA_PAGES + 16, R, "two ranges" },
		{ MON_ENCLAVE_HIGH, 1, RW, "the page tables" },
		{ MON_ENCLAVE_HIGH + (1UL << 30), 1, RW, "what the monitor keeps" },
		{ 0, 1, RW, "where nothing is" },
	};
	struct enclave e;
	unsigned int i;

	enclave_make(&e);
	order(&e, ORDER_TOUCH, AT(0), 2);
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		is(protect(&e, bad[i].at, bad[i].pages, bad[i].perm), -EINVAL, "protect: %s",
		   bad[i].name);
	ok(order(&e, ORDER_CATCH, CATCH_WRITE, AT(0)) == ALLOWED &&
	   caught(&e, CATCH_JUMP, AT(0), PF_FETCHED), "and nothing has changed");
	is(protect(&e, AT(0), MON_ENCLAVE_PROTECT_MAX, R), 0, "protect: as much as it may be");
	ok(caught(&e, CATCH_WRITE, AT(0), PF_WRITTEN) &&
	   caught(&e, CATCH_WRITE, AT(MON_ENCLAVE_PROTECT_MAX - 1), PF_WRITTEN) &&
	   order(&e, ORDER_CATCH, CATCH_WRITE, AT(MON_ENCLAVE_PROTECT_MAX)) == ALLOWED,
	   "from the first to the last");
	enclave_end(&e);
}

static void on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
}

/* On the other CPU. */
static void *obey(void *arg)
{
	struct work *w = arg;
	unsigned long value[2];

	on_cpu(1);
	if (order_on(w->e, w->thread, w->order, value) == MON_ENCLAVE_RETURNED)
		w->result = value[0];
	return NULL;
}

/* Thread 0, by system calls or without. */
static unsigned long take(struct enclave *e, bool direct)
{
	unsigned long value[2] = { ORDER_TAKE, PUPPET_BUFFER };
	unsigned int op = MON_ENCLAVE_CALL;
	long why;

	if (!direct)
		return order(e, ORDER_TAKE, AT(0), 0);
	e->args->a[0] = AT(0);
	while ((why = enclave_call(e->info.domain, 0, op, value)) == MON_ENCLAVE_INTERRUPTED)
		op = MON_ENCLAVE_RESUME;
	return why == MON_ENCLAVE_RETURNED ? value[0] : ~0UL;
}

/* One thread takes from another on another CPU the right to write, while it does so. */
static void test_protect_two(void)
{
	volatile struct puppet_args *args;
	unsigned long i, right = 0, found;
	struct work work;
	struct enclave e;
	pthread_t thread;

	enclave_make(&e);
	args = args_of(&e, 1);
	on_cpu(0);
	for (i = 0; i < 6; i++) {
		work = (struct work){ &e, 1, 0, ORDER_CATCH }; /* writes for as long as it may */
		protect(&e, AT(0), 1, RW);
		args->a[0] = CATCH_FILL;
		args->a[1] = AT(0);
		args->a[2] = 0;
		pthread_create(&thread, NULL, obey, &work);
		while (args->a[2] < 1000)
			sched_yield();
		e.args->a[2] = R;
		found = take(&e, i % 2);
		pthread_join(thread, NULL);
		right += found != ~0UL && work.result == PF && args->a[4] == PF_WRITTEN &&
			 args->a[5] == AT(0) && order(&e, ORDER_READ, AT(0), 0) == found;
		if (right != i + 1)
			printf("# round %lu: %#lx, %lu, %#lx at %#lx\n", i, found, work.result,
			       args->a[4], args->a[5]);
	}
	is(right, 6, "another thread writes no more once the call has returned");
	enclave_end(&e);
}

/* One gives a page back that another has just read on another CPU, and makes it anew. */
static void test_trim_two(void)
{
	volatile struct puppet_args *args;
	unsigned long i, right = 0, limit;
	struct work work;
	struct enclave e;
	pthread_t thread;

	enclave_make(&e);
	args = args_of(&e, 1);
	on_cpu(0);
	limit = enclave_status(e.fd).limit;
	for (i = 0; i < 6; i++) {
		work = (struct work){ &e, 1, ~0UL, ORDER_WATCH };
		order(&e, ORDER_WRITE, AT(0), 1000);
		args->a[0] = AT(0);
		args->a[1] = 0;
		args->a[2] = 0;
		pthread_create(&thread, NULL, obey, &work);
		while (!args->a[2])
			sched_yield();
		e.args->a[2] = 2000 + i;
		order(&e, ORDER_RENEW, AT(0), 0);
		pthread_join(thread, NULL);
		right += work.result == 2000 + i;
		if (right != i + 1)
			printf("# round %lu: %lu\n", i, work.result);
	}
	is(right, 6, "a page given back and made anew is one page to all threads");
	is(limit - enclave_status(e.fd).limit, 6, "and each was given back once");
	enclave_end(&e);
}

/* ---- what its host may see ---- */

static void test_debug(void)
{
	struct mon_enclave_create create = puppet_policy();
	unsigned long words[2] = { 0x1234, 0x5678 }, got[2] = { 0 }, at;
	struct enclave e;

	enclave_make(&e);
	is(order(&e, ORDER_WRITE, PUPPET_HEAP, 0x77), 0, "an enclave keeps something");
	ok(pread(e.fd, got, 8, PUPPET_HEAP) == -1 && errno == EPERM && !got[0], "its host reads");
	ok(pwrite(e.fd, words, 8, PUPPET_HEAP) == -1 && errno == EPERM, "or writes");
	is(order(&e, ORDER_READ, PUPPET_HEAP, 0), 0x77, "it cannot");
	enclave_end(&e);
	create.policy.flags = MON_ENCLAVE_DEBUG;
	enclave_make_of(&e, &create);
	order(&e, ORDER_WRITE, PUPPET_HEAP + PAGE - 8, 0x77);
	order(&e, ORDER_WRITE, PUPPET_HEAP + PAGE, 0x88);
	ok(pread(e.fd, got, 16, PUPPET_HEAP + PAGE - 8) == 16 && got[0] == 0x77 && got[1] == 0x88,
	   "one that lets it: it reads");
	ok(pwrite(e.fd, words, 16, PUPPET_HEAP + PAGE - 8) == 16, "and writes");
	ok(order(&e, ORDER_READ, PUPPET_HEAP + PAGE - 8, 0) == 0x1234 &&
	   order(&e, ORDER_READ, PUPPET_HEAP + PAGE, 0) == 0x5678, "and it has that");
	ok(pread(e.fd, got, 8, PUPPET_HEAP + 9 * PAGE) == -1 && errno == EIO, "what is not there");
	ok(pread(e.fd, got, 8, PUPPET_BUFFER) == -1 && errno == EIO, "nor its own");
	at = MON_ENCLAVE_REGISTERS + create.policy.nr_threads * PAGE;
	ok(pread(e.fd, got, 8, at) == -1 && errno == EIO, "nor the monitor's");
	enclave_end(&e);
}

#define RSP 4

/* Of thread 1: 0, or -errno. */
static int registers(struct enclave *e, struct mon_enclave_registers *r)
{
	ssize_t n = pread(e->fd, r, sizeof(*r), MON_ENCLAVE_REGISTERS + PAGE);

	return n == sizeof(*r) ? 0 : n < 0 ? -errno : -EIO;
}

/* A bit for each of the general registers that has it. */
static unsigned int which(const struct mon_enclave_registers *r, unsigned long word)
{
	unsigned int i, bits = 0;

	for (i = 0; i < 16; i++)
		bits |= (r->gpr[i] == word) << i;
	return bits;
}

static bool is_at(const struct mon_enclave_registers *r, unsigned int state)
{
	return r->state == state && r->rip - PUPPET_TEXT < PUPPET_TEXT_PAGES * PAGE &&
	       r->gpr[RSP] - PUPPET_STACKS < 2 * PUPPET_STACK_SIZE && r->rflags & 2;
}

/* Thread 1 calls the process, with the word in all registers. */
static void call_full(struct enclave *e)
{
	unsigned long value[2] = { ORDER_LEAVE, PUPPET_BUFFER + PAGE };

	args_of(e, 1)->a[0] = 1;
	args_of(e, 1)->a[1] = ~PUPPET_SECRET;
	if (enclave_run(e->fd, 1, MON_ENCLAVE_CALL, value) != MON_ENCLAVE_OCALL)
		printf("# it does not call\n");
}

/*
 * Likewise it runs, until it is told otherwise. Now and then an interrupt stops it: then they are
 * all there, and never some of them.
 */
static void test_registers_running(struct enclave *e)
{
	volatile struct puppet_args *args = args_of(e, 1);
	unsigned long busy = 0, whole = 0, tries;
	struct work work = { e, 1, 0, ORDER_SECRET };
	struct mon_enclave_registers r;
	pthread_t thread;
	int err;

	args->a[0] = 0;
	args->a[2] = 0;
	pthread_create(&thread, NULL, obey, &work);
	while (!args->a[2])
		sched_yield();
	for (tries = 0; tries < 1000000 && !(busy && whole && tries >= 1000); tries++) {
		err = registers(e, &r);
		busy += err == -EBUSY;
		whole += !err && is_at(&r, MON_ENCLAVE_THREAD_INTERRUPTED) &&
			 which(&r, PUPPET_SECRET) == 0xff6f; /* not RSP, RDI */
	}
	args->a[0] = 1;
	pthread_join(thread, NULL);
	ok(busy && whole && busy + whole == tries, "of a thread that runs: none");
	printf("# of %lu tries it ran at %lu, was interrupted at %lu\n", tries, busy, whole);
}

static void test_registers(void)
{
	struct mon_enclave_create create = puppet_policy();
	unsigned long value[2] = { 0 };
	struct mon_enclave_registers r, none = { 0 };
	struct enclave e;

	enclave_make(&e);
	call_full(&e);
	memset(&r, 0xaa, sizeof(r));
	ok(registers(&e, &r) == -EPERM && r.state == 0xaaaaaaaa, "registers: its host has none");
	enclave_end(&e);
	create.policy.flags = MON_ENCLAVE_DEBUG;
	enclave_make_of(&e, &create);
	ok(!registers(&e, &r) && !memcmp(&r, &none, sizeof(r)), "one that lets it: zeros if idle");
	call_full(&e);
	ok(!registers(&e, &r) && is_at(&r, MON_ENCLAVE_THREAD_CALLING) &&
	   which(&r, PUPPET_SECRET) == 0xf028 && which(&r, 0) == 0x0fc7,
	   "in a call: what that preserves, and zeros");
	ok(pwrite(e.fd, &r, 8, MON_ENCLAVE_REGISTERS + PAGE) == -1 && errno == EIO,
	   "not to be written");
	is(enclave_run(e.fd, 1, MON_ENCLAVE_ANSWER, value), MON_ENCLAVE_RETURNED, "it goes on");
	test_registers_running(&e);
	args_of(&e, 1)->a[0] = 2;
	args_of(&e, 1)->a[1] = PUPPET_SECRET;
	ok(order_on(&e, 1, ORDER_LEAVE, value) == MON_ENCLAVE_FAULTED && !registers(&e, &r) &&
	   is_at(&r, MON_ENCLAVE_THREAD_FAULTED) && which(&r, ~PUPPET_SECRET) == 0xffee,
	   "at the exception that has ended it");
	enclave_end(&e);
}

/* ---- who it is ---- */

static unsigned long monitor(struct enclave *e, unsigned long number, void *bytes, size_t len)
{
	unsigned long answer;

	memcpy(e->args->bytes, bytes, len);
	answer = order(e, ORDER_MONITOR, number, 0);
	memcpy(bytes, e->args->bytes, len);
	return answer;
}

/* One that differs in what it says it is. */
static void make_product(struct enclave *e, unsigned int product)
{
	struct mon_enclave_create create = puppet_policy();

	create.policy.product = product;
	create.policy.handler = puppet_handler();
	enclave_make_of(e, &create);
}

static void test_self(void)
{
	struct mon_enclave_self self = { .thread = ~0U };
	struct enclave e;

	enclave_make(&e);
	is(monitor(&e, MON_EC_SELF, &self, sizeof(self)), 0, "who it is");
	ok(!memcmp(self.measurement, e.info.measurement, 32) && self.buffer == PUPPET_BUFFER &&
	   self.buffer_size == PUPPET_BUFFER_PAGES * PAGE && self.limit == 600 && !self.thread &&
	   self.owned && self.owned < self.limit, "is what its process is told");
	is(order(&e, ORDER_RAW, MON_EC_SELF, PUPPET_BUFFER), -EFAULT, "not into the buffer");
	is(order(&e, ORDER_RAW, MON_EC_SELF, PUPPET_TEXT), -EFAULT, "nor the text");
	is(order(&e, ORDER_RAW, MON_EC_SELF, PUPPET_HEAP + 4), -EFAULT, "nor between two words");
	is(order(&e, ORDER_RAW, MON_EC_SELF, PUPPET_HEAP + PAGE - 8), -EFAULT, "nor two pages");
	is(order(&e, ORDER_RAW, MON_EC_SELF, 1UL << 63), -EFAULT, "nor nowhere");
	is(order(&e, ORDER_RAW, MON_EC_NR, 0), -MON_ENOSYS, "there is no such call");
	is(order(&e, ORDER_RAW, 1UL << 32, 0), -MON_ENOSYS, "nor such a number");
	enclave_end(&e);
}

static void test_keys(void)
{
	struct mon_enclave_key one = { "label", "" }, three = { "other", "" };
	struct mon_enclave_key two = one, four = one;
	struct enclave a, b, c;

	enclave_make(&a);
	enclave_make(&b);
	make_product(&c, 7);
	ok(!monitor(&a, MON_EC_KEY, &one, sizeof(one)) && memcmp(one.key, three.key, 32), "a key");
	ok(!monitor(&b, MON_EC_KEY, &two, sizeof(two)) && !memcmp(one.key, two.key, 32),
	   "the same enclave has the same key");
	ok(!monitor(&a, MON_EC_KEY, &three, sizeof(three)) && memcmp(one.key, three.key, 32),
	   "another one by another label");
	ok(!monitor(&c, MON_EC_KEY, &four, sizeof(four)) && memcmp(one.key, four.key, 32),
	   "another enclave another one");
	ok(memcmp(a.info.measurement, c.info.measurement, 32) &&
	   !memcmp(a.info.measurement, b.info.measurement, 32), "as their measurements are");
	enclave_end(&a);
	enclave_end(&b);
	enclave_end(&c);
}

static void test_reports(void)
{
	struct mon_enclave_report report = { .data = "nonce" }, copy;
	unsigned long byte, refused = 0;
	struct enclave a, b;

	enclave_make(&a);
	make_product(&b, 9);
	memcpy(report.target, b.info.measurement, 32);
	is(monitor(&a, MON_EC_REPORT, &report, sizeof(report)), 0, "a report for another enclave");
	ok(!memcmp(report.measurement, a.info.measurement, 32) && !report.product &&
	   !strcmp((char *)report.data, "nonce"), "says who made it");
	copy = report;
	is(monitor(&b, MON_EC_VERIFY, &copy, sizeof(copy)), 0, "and is believed there");
	copy = report;
	is(monitor(&a, MON_EC_VERIFY, &copy, sizeof(copy)), -EPERM, "not by who it is not for");
	for (byte = 0; byte < sizeof(report); byte += 5) {
		copy = report;
		((unsigned char *)&copy)[byte] ^= 1 << byte % 8;
		refused += monitor(&b, MON_EC_VERIFY, &copy, sizeof(copy)) == (unsigned long)-EPERM;
	}
	is(refused, (sizeof(report) + 4) / 5, "nor with a bit changed, anywhere");
	enclave_end(&a);
	enclave_end(&b);
}

/* On CPU 0, registers full, until there is something to read: how often it was entered. */
static int storm(void)
{
	struct pollfd input = { .fd = 0, .events = POLLIN };
	unsigned long bad = 0;
	struct enclave e;
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(0, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		return 1;
	enclave_make(&e);
	puts("begins");
	fflush(stdout);
	do {
		bad += order(&e, ORDER_CANARY, 2000, 0);
	} while (!poll(&input, 1, 0));
	printf("%lu %llu\n", bad, enclave_status(e.fd).entries);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "storm"))
		return storm();
	plan(15 + 2 + 16 + 22 + 7 + 4 + 6 + 12 + 1 + 21 + 24 + 1 + 2 + 10 + 7 + 9 + 5 + 5);
	test_calls();
	test_chain();
	test_memory();
	test_stopped();
	test_exceptions();
	test_signals();
	test_threads();
	test_evict();
	test_evict_running();
	test_protect();
	test_protect_bad();
	test_protect_two();
	test_trim_two();
	test_debug();
	test_registers();
	test_self();
	test_keys();
	test_reports();
	return finish();
}
