// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an enclave costs, in ticks: lines "key value", each the least of some batches, for the
 * host's timer interrupts come in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>
#include "../enclave/host.h"

#define BATCHES 20
#define CALLS 50
#define PAGES 50

static struct enclave e;

/* A call without system calls, to its end; ocalls are answered. */
static void direct(enum puppet_order order)
{
	unsigned long value[2] = { order, PUPPET_BUFFER };
	unsigned int op = MON_ENCLAVE_CALL;
	long why;

	while ((why = enclave_call(e.info.domain, 0, op, value)) != MON_ENCLAVE_RETURNED) {
		if (why != MON_ENCLAVE_OCALL && why != MON_ENCLAVE_INTERRUPTED)
			exit(1);
		op = why == MON_ENCLAVE_OCALL ? MON_ENCLAVE_ANSWER : MON_ENCLAVE_RESUME;
	}
}

static void ioctls(enum puppet_order order)
{
	unsigned long value[2];

	if (order_on(&e, 0, order, value) != MON_ENCLAVE_RETURNED)
		exit(1);
}

static unsigned long least(void (*call)(enum puppet_order), enum puppet_order order)
{
	unsigned long best = ~0UL, ticks, i, batch;

	for (batch = 0; batch < BATCHES; batch++) {
		ticks = __rdtsc();
		for (i = 0; i < CALLS; i++)
			call(order);
		ticks = (__rdtsc() - ticks) / CALLS;
		if (ticks < best)
			best = ticks;
	}
	return best;
}

/* Each batch touches pages of its own. */
static unsigned long touch(void)
{
	unsigned long best = ~0UL, ticks, batch;

	for (batch = 0; batch < BATCHES / 2; batch++) {
		e.args->a[0] = PUPPET_HEAP + batch * PAGES * 4096;
		e.args->a[1] = PAGES;
		ticks = __rdtsc();
		direct(ORDER_TOUCH);
		ticks = (__rdtsc() - ticks) / PAGES;
		if (ticks < best)
			best = ticks;
	}
	return best;
}

/* All pages of the heap that touch() has made go out, and come back one by one. */
static void evict(void)
{
	unsigned long ticks = __rdtsc();
	long pages = enclave_evict(&e, PAGES * BATCHES / 2);

	if (pages < PAGES)
		exit(1);
	printf("enclave.evict %llu\n", (__rdtsc() - ticks) / pages);
	order(&e, ORDER_ADD, 0, 0);
	e.args->a[0] = PUPPET_HEAP;
	e.args->a[1] = PAGES;
	ticks = __rdtsc();
	ioctls(ORDER_TOUCH);
	printf("enclave.load %llu\n", (__rdtsc() - ticks) / PAGES);
}

/* Both ways, of a page that is there: one of the two is narrower. */
static unsigned long protect(unsigned long call)
{
	unsigned long best = ~0UL, ticks, batch, i;

	e.args->a[0] = PUPPET_HEAP;
	e.args->a[1] = 1;
	for (batch = 0; batch < BATCHES; batch++) {
		ticks = __rdtsc();
		for (i = 0; i < CALLS; i++) {
			e.args->a[2] = i % 2 ? MON_ENCLAVE_READ | MON_ENCLAVE_WRITE :
					       MON_ENCLAVE_READ;
			direct(ORDER_PROTECT);
		}
		ticks = (__rdtsc() - ticks) / CALLS;
		if (ticks < best)
			best = ticks;
	}
	return best - call;
}

int main(void)
{
	unsigned long call;

	enclave_make(&e);
	call = least(direct, ORDER_INITIAL);
	printf("enclave.call %lu\n", call);
	printf("enclave.call.ioctl %lu\n", least(ioctls, ORDER_INITIAL));
	printf("enclave.call.64 %lu\n", least(direct, ORDER_COPY));
	e.args->a[0] = 10;
	printf("enclave.ocall %lu\n", (least(direct, ORDER_OCALLS) - call) / 10);
	printf("enclave.touch %lu\n", touch());
	printf("enclave.protect %lu\n", protect(call));
	evict();
	enclave_end(&e);
	return 0;
}
