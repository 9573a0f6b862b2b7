// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an enclave costs, in ticks: lines "key value", each the least of some batches, for the
 * host's timer interrupts come in between.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>
#include "../enclave/sharing.h"

#define BATCHES 20
#define CALLS 50
#define PAGES 50

static struct enclave e;

/* A call without system calls, to its end: what it returns. Ocalls are answered. */
static unsigned long direct_in(const struct enclave *which, enum puppet_order order)
{
	unsigned long value[2] = { order, PUPPET_BUFFER };
	unsigned int op = MON_ENCLAVE_CALL;
	long why;

	while ((why = enclave_call(which->info.domain, 0, op, value)) != MON_ENCLAVE_RETURNED) {
		if (why != MON_ENCLAVE_OCALL && why != MON_ENCLAVE_INTERRUPTED)
			exit(1);
		op = why == MON_ENCLAVE_OCALL ? MON_ENCLAVE_ANSWER : MON_ENCLAVE_RESUME;
	}
	return value[0];
}

static void direct(enum puppet_order order)
{
	direct_in(&e, order);
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

/* ---- a page that another enclave has, too ---- */

static struct enclave taker;

/* What it answers; @least is what it took, if that is less. */
static unsigned long timed(unsigned long *least, struct enclave *which, enum puppet_order order,
			   unsigned long a0, unsigned long a1)
{
	unsigned long ticks, answer;

	which->args->a[0] = a0;
	which->args->a[1] = a1;
	ticks = __rdtsc();
	answer = direct_in(which, order);
	ticks = __rdtsc() - ticks;
	if (ticks < *least)
		*least = ticks;
	return answer;
}

static unsigned long offered(unsigned long *least)
{
	struct mon_enclave_offer offer = {
		.address = PUPPET_HEAP, .pages = 1, .perm = RW, .to = MON_SHARE_TO_ENCLAVE,
	};

	memcpy(offer.name.measurement, taker.info.measurement, sizeof(taker.info.measurement));
	memcpy(e.args->bytes, &offer, sizeof(offer));
	return timed(least, &e, ORDER_MONITOR, MON_EC_OFFER, 0);
}

static unsigned long accepted(unsigned long *least, unsigned long id)
{
	struct mon_enclave_accept accept = {
		.id = id, .address = WINDOW, .pages = 1, .perm = RW, .from = MON_SHARE_TO_ENCLAVE,
	};

	memcpy(accept.name.measurement, e.info.measurement, sizeof(e.info.measurement));
	memcpy(taker.args->bytes, &accept, sizeof(accept));
	return timed(least, &taker, ORDER_MONITOR, MON_EC_ACCEPT, 0);
}

static void share(unsigned long call)
{
	unsigned long offer = ~0UL, accept = ~0UL, touch = ~0UL, end = ~0UL, none = ~0UL, i, id;

	make_with_window(&taker, 2);
	for (i = 0; i < BATCHES; i++) {
		timed(&none, &taker, ORDER_MONITOR, MON_EC_NR, 0);
		id = offered(&offer);
		if (accepted(&accept, id) || timed(&touch, &taker, ORDER_READ, WINDOW, 0) != 1 ||
		    timed(&end, &e, ORDER_RAW, MON_EC_SHARE_END, id))
			exit(1);
	}
	printf("enclave.share.offer %lu\n", offer - none);
	printf("enclave.share.accept %lu\n", accept - none);
	printf("enclave.share.touch %lu\n", touch - call);
	printf("enclave.share.end %lu\n", end - call);
	enclave_end(&taker);
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
	share(call);
	evict();
	enclave_end(&e);
	return 0;
}
