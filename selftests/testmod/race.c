// SPDX-License-Identifier: GPL-2.0-only
/* Two CPUs at the monitor at once, and what a host does to it again and again. */
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kthread.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/fpu/api.h>
#include "hypercall.h"
#include "testmod.h"
#include "vmx.h"

static s64 hypercall4(u64 number, u64 a, u64 b, u64 c, u64 d)
{
	u64 ax = MON_HYPERCALL | number;
	int fault;

	register u64 r10 asm("r10") = d;

	TRY(fault, ax, "vmcall", "+D"(a) : "S"(b), "d"(c), "r"(r10));
	return fault == NO_FAULT ? (s64)ax : -1000 - fault;
}

static s64 hypercall(u64 number, u64 a, u64 b, u64 c)
{
	return hypercall4(number, a, b, c, 0);
}

/* ---- two CPUs, interrupts off ---- */

struct both {
	void (*fn)(void *arg, atomic_t *ready);
	void *arg;
	atomic_t *ready;
	enum { ASKED, BUSY, HERE, DONE } state;
};

static void both_here(void *arg)
{
	struct both *b = arg;

	if (!irq_fpu_usable()) { /* see run_on() */
		WRITE_ONCE(b->state, BUSY);
		return;
	}
	WRITE_ONCE(b->state, HERE);
	b->fn(b->arg, b->ready);
	/* what it has found first */
	smp_store_release(&b->state, DONE);
}

void meet(atomic_t *ready)
{
	atomic_inc(ready);
	while (atomic_read(ready) < 2)
		cpu_relax();
}

static void run_first(void *arg)
{
	struct both *b = arg;
	call_single_data_t csd;

	INIT_CSD(&csd, both_here, &b[1]);
	b[1].state = ASKED;
	smp_call_function_single_async(1, &csd);
	while (READ_ONCE(b[1].state) == ASKED)
		cpu_relax();
	if (READ_ONCE(b[1].state) == BUSY)
		return;
	b[0].fn(b[0].arg, b[0].ready);
	/* the csd is on this stack */
	while (smp_load_acquire(&b[1].state) != DONE)
		cpu_relax();
}

/* Both call meet() once with what they are given, and go on from there together. */
int run_both(void (*fn)(void *arg, atomic_t *ready), void *first, void *second)
{
	atomic_t ready = ATOMIC_INIT(0);
	struct both b[2] = { { fn, first, &ready, ASKED }, { fn, second, &ready, ASKED } };
	int err;

	if (num_online_cpus() < 2)
		return -EINVAL;
	for (;;) {
		err = run_on(0, run_first, b);
		if (err || b[1].state != BUSY)
			return err;
		let_go_on(1);
	}
}

static void wait_loops(u64 n)
{
	while (n--)
		asm volatile("pause");
}

struct call {
	u64 number, a, b, delay;
	s64 result;
	u64 c, d;
};

static void call_here(void *arg, atomic_t *ready)
{
	struct call *c = arg;

	meet(ready);
	wait_loops(c->delay);
	c->result = hypercall4(c->number, c->a, c->b, c->c, c->d);
}

/* together DELAY CALL A B CALL A B: a hypercall on CPU 0 and another on CPU 1, so much later */
static int do_together(const struct args *a)
{
	struct call first = { a->num[1], a->num[2], a->num[3], 0, 0 };
	struct call second = { a->num[4], a->num[5], a->num[6], a->num[0], 0 };
	int err = run_both(call_here, &first, &second);

	if (!err)
		say("%lld %lld\n", first.result, second.result);
	return err;
}

/* ---- an argument that changes while it is read ---- */

struct flip {
	u64 *word;
	u64 value[2];
	struct call *call;
	bool *over;
	u64 rounds;
};

static void flip_here(void *arg, atomic_t *ready)
{
	struct flip *f = arg;

	meet(ready);
	if (f->call) {
		call_here(f->call, ready);
		WRITE_ONCE(*f->over, true);
		return;
	}
	while (!READ_ONCE(*f->over)) {
		WRITE_ONCE(*f->word, f->value[f->rounds & 1]);
		f->rounds++;
	}
}

/* flipping DELAY CALL A B ADDRESS VALUE VALUE [C D]: the word there is now this, now that */
static int do_flipping(const struct args *a)
{
	struct call call = { a->num[1], a->num[2], a->num[3], a->num[0], 0, a->num[7],
			     a->num[8] };
	bool over = false;
	struct flip first = { .call = &call, .over = &over };
	struct flip second = { .word = __va(a->num[4]), .value = { a->num[5], a->num[6] },
			       .over = &over };
	int err;

	if (!pfn_valid(a->num[4] >> PAGE_SHIFT))
		return -ENXIO;
	err = run_both(flip_here, &first, &second);
	if (!err)
		say("%lld\n", call.result);
	return err;
}

/* ---- frames that are taken and given ---- */

#define SETTLE_TRIES 2000

static void steal_here(void *arg)
{
	u64 pfn = *(u64 *)arg, i;
	s64 err = hypercall(MON_HC_DONATE, pfn, 1, 0);

	for (i = 0; !err && i < SETTLE_TRIES; i++) {
		err = hypercall(MON_HC_SETTLE, pfn, 1, 0);
		if (!err)
			break;
		err = err == -MON_EAGAIN || err == -MON_EBUSY ? 0 : err;
	}
	*(s64 *)arg = err ? err : i == SETTLE_TRIES;
}

static void pass_here(void *unused)
{
	hypercall(MON_HC_PING, 0, 0, 0);
}

static void settle_here(void *arg)
{
	*(s64 *)arg = hypercall(MON_HC_SETTLE, *(u64 *)arg, 1, 0);
}

/*
 * steal ADDRESS: gives this frame to the monitor, whoever uses it, while the other
 * CPU does what it does. It is never freed, for it does not come back.
 */
static int do_steal(const struct args *a)
{
	u64 pfn = a->num[0] >> PAGE_SHIFT, result = pfn;
	int err;

	if (!pfn_valid(pfn))
		return -ENXIO;
	get_page(pfn_to_page(pfn));
	err = run_on(0, steal_here, &result);
	if (!err && result == 1) { /* The other one sleeps: it has to be asked. */
		result = pfn;
		err = run_on(1, pass_here, NULL) ?: run_on(0, settle_here, &result);
	}
	if (!err)
		say("%lld\n", (s64)result);
	return err;
}

#define EARLY_TRIES 100

struct early {
	u64 pfn;
	bool *over;
	unsigned int settled;
};

/* CPU 1 is in no exit of the monitor's meanwhile, nor gets an interrupt. */
static void early_here(void *arg, atomic_t *ready)
{
	struct early *e = arg;
	unsigned int i;

	meet(ready);
	if (!e->pfn) {
		while (!READ_ONCE(*e->over))
			cpu_relax();
		return;
	}
	if (!hypercall(MON_HC_DONATE, e->pfn, 1, 0))
		for (i = 0; i < EARLY_TRIES; i++)
			e->settled += !hypercall(MON_HC_SETTLE, e->pfn, 1, 0);
	WRITE_ONCE(*e->over, true);
}

/* early ADDRESS: gives a frame, and settles it before the other CPU can have flushed */
static int do_early(const struct args *a)
{
	bool over = false;
	struct early e[2] = { { a->num[0] >> PAGE_SHIFT, &over, 0 }, { 0, &over, 0 } };
	int err = run_both(early_here, &e[0], &e[1]);

	if (!err)
		say("settled %u of %u\n", e[0].settled, EARLY_TRIES);
	return err;
}

/* ---- what a CPU has cached of a frame that is given meanwhile ---- */

struct stale {
	u64 pfn;
	struct stale *other;
	bool warm, given, passed;
	u64 reads, early, value;
};

/* CPU 1: no exit until it is told; then one, then a last look. */
static void stale_reads(struct stale *s)
{
	const u64 *word = __va(s->pfn << PAGE_SHIFT);
	u64 was = READ_ONCE(*word);

	WRITE_ONCE(s->warm, true);
	while (!READ_ONCE(s->given))
		s->reads += READ_ONCE(*word) == was;
	pass_here(NULL);
	s->value = READ_ONCE(*word);
	/* with the value */
	smp_store_release(&s->passed, true);
}

static void stale_here(void *arg, atomic_t *ready)
{
	struct stale *s = arg, *o = s->other;
	unsigned int i;

	meet(ready);
	if (!o) {
		stale_reads(s);
		return;
	}
	while (!READ_ONCE(o->warm))
		cpu_relax();
	if (!hypercall(MON_HC_DONATE, s->pfn, 1, 0))
		for (i = 0; i < EARLY_TRIES; i++)
			s->early += !hypercall(MON_HC_SETTLE, s->pfn, 1, 0);
	WRITE_ONCE(o->given, true);
	/* then the value is there */
	while (!smp_load_acquire(&o->passed))
		cpu_relax();
	s->value = hypercall(MON_HC_SETTLE, s->pfn, 1, 0);
}

/*
 * stale ADDRESS: CPU 1 reads a frame again and again, which CPU 0 gives and tries to settle: how
 * often it could, while the other still read what was there; how often that one did; what it
 * reads behind an exit; and what comes of settling then
 */
static int do_stale(const struct args *a)
{
	struct stale s[2] = { { .pfn = a->num[0] >> PAGE_SHIFT, .other = &s[1] },
			      { .pfn = a->num[0] >> PAGE_SHIFT } };
	int err = run_both(stale_here, &s[0], &s[1]);

	if (!err)
		say("early %llu reads %llu then %#llx settled %lld\n", s[0].early, s[1].reads,
		    s[1].value, (s64)s[0].value);
	return err;
}

static LIST_HEAD(drained);

/* drain: takes back all that the monitor has free, whoever was promised it */
static int do_drain(const struct args *a)
{
	unsigned int tries, n = 0;
	s64 pfn;

	for (tries = 0; tries < 4; tries++) {
		for (;;) {
			pfn = hypercall(MON_HC_TAKE_BACK, 0, 0, 0);
			if (pfn < 0)
				break;
			list_add(&pfn_to_page(pfn)->lru, &drained);
			n++;
			cond_resched();
		}
		on_each_cpu(pass_here, NULL, 1);
	}
	say("%u\n", n);
	return 0;
}

static s64 give(u64 pfn)
{
	unsigned int tries;
	s64 err = hypercall(MON_HC_DONATE, pfn, 1, 0);

	for (tries = 0; !err && tries < 100; tries++) {
		on_each_cpu(pass_here, NULL, 1);
		err = hypercall(MON_HC_SETTLE, pfn, 1, 0);
		if (err != -MON_EAGAIN && err != -MON_EBUSY)
			return err;
		err = 0;
	}
	return err ? err : -MON_EAGAIN;
}

/* refund: gives them back; how many it was rid of, and how many contained anything */
static int do_refund(const struct args *a)
{
	struct page *page, *next;
	unsigned int n = 0, dirty = 0;

	list_for_each_entry_safe(page, next, &drained, lru) {
		list_del(&page->lru);
		dirty += !!memchr_inv(page_address(page), 0, PAGE_SIZE);
		n += !give(page_to_pfn(page));
		cond_resched();
	}
	say("%u %u\n", n, dirty);
	return 0;
}

/* storm CALL A B COUNT: both CPUs, one call behind the other; how many said no, on each */
struct storm {
	u64 number, a, b, count, refused;
};

static void storm_here(void *arg, atomic_t *ready)
{
	struct storm *s = arg;
	u64 i;

	meet(ready);
	for (i = 0; i < s->count; i++)
		s->refused += hypercall(s->number, s->a, s->b, 0) < 0;
}

static int do_storm(const struct args *a)
{
	struct storm s[2] = { { a->num[0], a->num[1], a->num[2], a->num[3], 0 } };
	int err;

	s[1] = s[0];
	err = run_both(storm_here, &s[0], &s[1]);
	if (!err)
		say("%llu %llu\n", s[0].refused, s[1].refused);
	return err;
}

/* ---- whose a frame is ---- */

static u8 *frames_buffer(void)
{
	return vmx_page(PAGE_SPARE);
}

/* which STATE TYPE OWNER [N]: address of the Nth such frame of the ownership table, or 0 */
static int do_which(const struct args *a)
{
	const struct mon_frame *f = (const void *)frames_buffer();
	u64 pfn, skip = a->nr > 3 ? a->num[3] : 0;
	unsigned int i, nr;

	for (pfn = 0;; pfn += nr) {
		nr = MON_FRAMES_MAX;
		while (nr && hypercall(MON_HC_FRAMES, pfn, nr, vmx_page_pa(PAGE_SPARE)))
			nr /= 2;
		if (!nr)
			break;
		for (i = 0; i < nr; i++)
			if (f[i].state == a->num[0] && f[i].type == a->num[1] &&
			    f[i].owner == a->num[2] && !f[i].flags && !skip--) {
				say("%#llx\n", (pfn + i) << PAGE_SHIFT);
				return 0;
			}
		cond_resched();
	}
	say("0\n");
	return 0;
}

/* counter N: of enum mon_counter */
static int do_counter(const struct args *a)
{
	const struct mon_status *status = (const void *)vmx_page(PAGE_SPARE + 1);
	s64 err = hypercall(MON_HC_STATUS, vmx_page_pa(PAGE_SPARE + 1), 0, 0);

	if (err || a->num[0] >= ARRAY_SIZE(status->counter))
		return -EINVAL;
	say("%llu\n", status->counter[a->num[0]]);
	return 0;
}

/* page N: address of a page of the block that VMCSs point to */
static int do_page(const struct args *a)
{
	if (a->num[0] >= 1u << PAGE_ORDER)
		return -EINVAL;
	say("%#llx\n", vmx_page_pa(a->num[0]));
	return 0;
}

/* toptable N: there is a copy of the kernel's top page table, as if of another process */
static int do_toptable(const struct args *a)
{
	unsigned long cr3;

	if (a->num[0] >= 1u << PAGE_ORDER)
		return -EINVAL;
	asm volatile("mov %%cr3, %0" : "=r"(cr3));
	memcpy(vmx_page(a->num[0]), __va(cr3 & PTE_PFN_MASK), PAGE_SIZE);
	return 0;
}

/* pin CPU: who asks stays on this CPU */
static int do_pin(const struct args *a)
{
	if (a->num[0] >= nr_cpu_ids)
		return -EINVAL;
	return set_cpus_allowed_ptr(current, cpumask_of(a->num[0]));
}

const struct command race_commands[] = {
	{ "together", 7, do_together }, { "flipping", 7, do_flipping },
	{ "steal", 1, do_steal },	{ "early", 1, do_early },
	{ "stale", 1, do_stale },
	{ "drain", 0, do_drain },	{ "refund", 0, do_refund },
	{ "storm", 4, do_storm },	{ "which", 3, do_which },
	{ "counter", 1, do_counter },	{ "page", 1, do_page },
	{ "toptable", 1, do_toptable }, { "pin", 1, do_pin },
	{}
};
