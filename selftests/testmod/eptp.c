// SPDX-License-Identifier: GPL-2.0-only
/*
 * Many EPT pointers: a guest that copies 8 bytes from one of its addresses, which each
 * space maps to a frame of its own, to another. What the frame of space N has is N.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/barrier.h>
#include "hypercall.h"
#include "testmod.h"
#include "vmx.h"

#define SPACES 80 /* the monitor keeps 16 composed spaces */
#define EPT_RWX 7
#define EPT_RWX_WB 0x37
#define EPTP_WB_4 0x1e
#define READ_AT PAGE_VE_INFO /* nothing else in the guest's EPT is there */
#define RESULT (vmx_page(PAGE_CODE) + 0x800)

struct space {
	struct page *table[4]; /* from the top */
	struct page *data;
};

static struct space spaces[SPACES];

static void *table(struct space *s, unsigned int i)
{
	return page_address(s->table[i]);
}

static void map(struct space *s, unsigned int page, u64 pa)
{
	((u64 *)table(s, 3))[(vmx_page_pa(page) >> PAGE_SHIFT) & 511] = pa | EPT_RWX_WB;
}

static void fill_space(struct space *s, u64 number)
{
	u64 at = vmx_page_pa(PAGE_CODE);
	unsigned int i;

	for (i = 0; i < 4; i++)
		memset(table(s, i), 0, PAGE_SIZE);
	for (i = 0; i < 3; i++)
		((u64 *)table(s, i))[(at >> (39 - 9 * i)) & 511] =
			page_to_phys(s->table[i + 1]) | EPT_RWX;
	for (i = PAGE_CODE; i < PAGE_EPT; i++)
		map(s, i, vmx_page_pa(i));
	*(u64 *)page_address(s->data) = number;
	map(s, READ_AT, page_to_phys(s->data));
}

static int make_spaces(void)
{
	unsigned int i, j;

	for (i = 0; i < SPACES; i++) {
		for (j = 0; j < 5; j++) {
			struct page **page = j < 4 ? &spaces[i].table[j] : &spaces[i].data;

			if (!*page)
				*page = alloc_page(GFP_KERNEL | __GFP_ZERO);
			if (!*page)
				return -ENOMEM;
		}
		fill_space(&spaces[i], i);
	}
	return 0;
}

void eptp_exit(void)
{
	unsigned int i, j;

	for (i = 0; i < SPACES; i++) {
		for (j = 0; j < 4; j++)
			if (spaces[i].table[j])
				__free_page(spaces[i].table[j]);
		if (spaces[i].data)
			__free_page(spaces[i].data);
	}
}

/* movabs READ_AT, %rax; movabs %rax, RESULT; hlt */
static void guest_code(void)
{
	u8 *code = vmx_page(PAGE_CODE);
	u64 from = vmx_page_pa(READ_AT), to = vmx_page_pa(PAGE_CODE) + 0x800;

	memcpy(code, "\x48\xa1", 2);
	memcpy(code + 2, &from, sizeof(from));
	memcpy(code + 10, "\x48\xa3", 2);
	memcpy(code + 12, &to, sizeof(to));
	code[20] = 0xf4;
}

/* HOST_RSP and the rest stay. */
static void enter_space(unsigned int n)
{
	*(u64 *)RESULT = ~0ULL;
	vmx_write(F_EPT_POINTER, page_to_phys(spaces[n].table[0]) | EPTP_WB_4);
	vmx_write(F_GUEST_RIP, vmx_page_pa(PAGE_CODE));
}

static void invept_all(void)
{
	static const u64 none[2];
	int outcome;

	VMX_INSN(outcome, "invept (%[m]), %[t]", "+m"(*(u64 *)RESULT) : [m] "r"(none),
		 [t] "r"(2UL));
	(void)outcome;
}

static u64 copied(void)
{
	return READ_ONCE(*(u64 *)RESULT);
}

static s64 call(u64 number, u64 a, u64 b)
{
	u64 ax = MON_HYPERCALL | number;
	int fault;

	TRY(fault, ax, "vmcall", "+D"(a) : "S"(b));
	return fault == NO_FAULT ? (s64)ax : -1000 - fault;
}

/* ---- eptps CPU ROUNDS: in no order, each entry in another space ---- */

/*
 * @old: a space that was changed without INVEPT was as before
 * @none: entries in a space that the monitor had no frames for: what it drops can be used
 * again only when the other CPU has been in it, which is seen to behind each ROUNDS_AT_ONCE
 */
struct churn {
	u64 round, wrong, wrong_changed, wrong_maybe, old, none;
	unsigned int n;
};

#define CHANGE_EVERY 16
#define ROUNDS_AT_ONCE 32

static bool is_change(u64 round)
{
	return round % CHANGE_EVERY == 0;
}

static bool is_flushed(u64 round)
{
	return round % (2 * CHANGE_EVERY) == 0;
}

/* Now and then the space has another frame since: with INVEPT, and without */
static void churn_before(u64 unused, void *arg)
{
	struct churn *c = arg;

	/* What changes is the space of the round before: the monitor has it still. */
	if (!is_change(c->round)) {
		c->n = (u32)(c->round * 1103515245 + 12345) / 65536 % SPACES;
	} else {
		map(&spaces[c->n], READ_AT, page_to_phys(spaces[(c->n + 1) % SPACES].data));
		if (is_flushed(c->round))
			invept_all();
	}
	enter_space(c->n);
}

static void churn_after(u64 unused, u64 reason, void *arg)
{
	struct churn *c = arg;
	bool old = reason == 12 && copied() == c->n;
	bool new = reason == 12 && copied() == (c->n + 1) % SPACES;

	if (reason == 48 && copied() == ~0ULL)
		c->none++;
	else if (!is_change(c->round))
		c->wrong += !old;
	else if (is_flushed(c->round))
		c->wrong_changed += !new;
	else
		c->wrong_maybe += !new && !old;
	c->old += is_change(c->round) && !is_flushed(c->round) && old;
	if (is_change(c->round)) {
		map(&spaces[c->n], READ_AT, page_to_phys(spaces[c->n].data));
		invept_all();
	}
	c->round++;
}

static void ping(void *unused)
{
	call(MON_HC_PING, 0, 0);
}

static int do_eptps(const struct args *a)
{
	struct churn c = {};
	int err = make_spaces();

	while (!err && c.round < a->num[1]) {
		err = vmx_entry_loop(a->num[0], PAGE_VMCS, ROUNDS_AT_ONCE, guest_code,
				     churn_before, churn_after, &c);
		on_each_cpu(ping, NULL, 1);
		on_each_cpu(ping, NULL, 1);
		cond_resched();
	}
	if (!err)
		say("wrong %llu %llu %llu old %llu none %llu\n", c.wrong, c.wrong_changed,
		    c.wrong_maybe, c.old, c.none);
	return err;
}

/* ---- eptpsteal: CPU 1 runs in spaces that map a frame, CPU 0 gives it away meanwhile ---- */

struct robbed {
	bool settled, over;
	u64 before, kept, violations, stale;
	s64 donated;
	bool was_settled;
};

static void robbed_before(u64 round, void *arg)
{
	struct robbed *r = arg;

	/* What is entered from now on is entered after it was. */
	r->was_settled = smp_load_acquire(&r->settled);
	enter_space(round % SPACES);
}

static void robbed_after(u64 round, u64 reason, void *arg)
{
	struct robbed *r = arg;

	if (!r->was_settled) {
		r->before += reason == 12 && copied() == 0x5ec4e7;
		return;
	}
	r->violations += reason == 48;
	r->stale += reason != 48 || copied() != ~0ULL;
	if (r->violations + r->stale > 2 * SPACES)
		WRITE_ONCE(r->over, true);
}

static void rob(struct robbed *r, u64 pfn)
{
	u64 tries;

	while (READ_ONCE(r->before) < SPACES)
		cpu_relax();
	r->donated = call(MON_HC_DONATE, pfn, 1);
	for (tries = 0; !r->donated && tries < 1000000; tries++) {
		s64 err = call(MON_HC_SETTLE, pfn, 1);

		if (err != -MON_EAGAIN && err != -MON_EBUSY) {
			r->donated = err;
			break;
		}
	}
	/* Goes with the load in robbed_before(). */
	smp_store_release(&r->settled, true);
	while (!READ_ONCE(r->over))
		cpu_relax();
}

struct robber {
	struct robbed *r;
	u64 pfn;
	unsigned int cpu;
};

static void rob_here(void *arg, atomic_t *ready)
{
	struct robber *b = arg;

	meet(ready);
	if (!b->cpu)
		rob(b->r, b->pfn);
	else
		vmx_entry_loop_here(b->r, &b->r->over, robbed_before, robbed_after);
}

static int do_eptpsteal(const struct args *a)
{
	struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);
	struct robbed r = {};
	struct robber b[2] = { { &r, 0, 0 }, { &r, 0, 1 } };
	unsigned int i;
	int err = page ? make_spaces() : -ENOMEM;

	if (err)
		return err;
	*(u64 *)page_address(page) = 0x5ec4e7;
	for (i = 0; i < SPACES; i++)
		map(&spaces[i], READ_AT, page_to_phys(page));
	b[0].pfn = page_to_pfn(page);
	err = vmx_entry_loop(1, PAGE_LINK, 0, guest_code, NULL, NULL, NULL);
	if (!err)
		err = run_both(rob_here, &b[0], &b[1]);
	/* The frame is the monitor's now, and never the kernel's again. */
	if (!err)
		say("donated %lld read %s stale %llu\n", r.donated, r.before ? "yes" : "no",
		    r.stale);
	return err;
}

const struct command eptp_commands[] = {
	{ "eptps", 2, do_eptps },
	{ "eptpsteal", 0, do_eptpsteal },
	{}
};
