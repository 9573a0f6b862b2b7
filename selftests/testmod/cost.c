// SPDX-License-Identifier: GPL-2.0-only
/* What giving frames to the monitor and taking them back takes, in ticks. */
#include <linux/gfp.h>
#include <linux/mm.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/msr.h>
#include "hypercall.h"
#include "testmod.h"

static long call(u64 nr, u64 a, u64 b)
{
	u64 ax = MON_HYPERCALL | nr, di = a;
	int fault;

	TRY(fault, ax, "vmcall", "+D"(di) : "S"(b));
	return fault == NO_FAULT ? (long)ax : -ENXIO;
}

static void pass(void *unused)
{
	call(MON_HC_PING, 0, 0);
}

/* The frames that come back are those that went last, so the kernel's accounts stay right. */
static int give_and_take(struct page *page, u64 nr, u64 ticks[3])
{
	u64 pfn = page_to_pfn(page), start, i;
	long got;

	start = rdtsc_ordered();
	got = call(MON_HC_DONATE, pfn, nr);
	ticks[0] = rdtsc_ordered() - start;
	if (got)
		return got;
	on_each_cpu(pass, NULL, 1);
	start = rdtsc_ordered();
	got = call(MON_HC_SETTLE, pfn, nr);
	ticks[1] = rdtsc_ordered() - start;
	if (got)
		return got;
	start = rdtsc_ordered();
	for (i = 0; i < nr; i++) {
		got = call(MON_HC_TAKE_BACK, 0, 0);
		if (got < (long)pfn || got >= (long)(pfn + nr))
			return -EIO;
	}
	ticks[2] = rdtsc_ordered() - start;
	return 0;
}

/* cost ORDER: of the second of two rounds, for the first splits large pages for good */
static int cost(const struct args *args)
{
	struct page *page;
	u64 ticks[3];
	int err;

	if (args->num[0] > 9)
		return -EINVAL;
	page = alloc_pages(GFP_KERNEL, args->num[0]);
	if (!page)
		return -ENOMEM;
	err = give_and_take(page, 1ULL << args->num[0], ticks);
	if (!err)
		err = give_and_take(page, 1ULL << args->num[0], ticks);
	if (err) /* some of them may be out: lost */
		return err;
	__free_pages(page, args->num[0]);
	say("donate %llu\nsettle %llu\ntake_back %llu\n", ticks[0], ticks[1], ticks[2]);
	return 0;
}

const struct command cost_commands[] = {
	{ "cost", 1, cost },
	{}
};
