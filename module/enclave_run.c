// SPDX-License-Identifier: GPL-2.0-only
/* A thread of an enclave, for as long as it has nothing for the process. */
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <asm/asm.h>
#include "enclave.h"
#include "monitor.h"
#include "../uapi/monitor.h"

/* The monitor keeps what a call preserves; what else is in registers is the enclave's, or zero. */
static long enter(u64 thread, u64 op, u64 value[2])
{
	register u64 r10 asm("r10") = value[1];
	u64 rsi = op, rdx = value[0];
	long ret = MON_HYPERCALL | MON_HC_ENCLAVE_RUN;

	asm volatile("1: vmcall\n"
		     "	jmp 3f\n"
		     "2:	mov %[nxio], %%rax\n"
		     "3:\n" _ASM_EXTABLE(1b, 2b)
		     : "+a"(ret), "+D"(thread), "+S"(rsi), "+d"(rdx), "+r"(r10)
		     : [nxio] "i"(-ENXIO)
		     : "rcx", "r8", "r9", "r11", "memory", "cc");
	if (ret >= 0) {
		value[0] = rsi;
		value[1] = rdx;
	}
	return ret;
}

/* Why a thread was left, for something that this side sees to: 0, and it can go on. */
static long see_to(struct mon_enclave *e, u32 thread, long why, const u64 value[2])
{
	switch (why) {
	case MON_ENCLAVE_INTERRUPTED:
		if (signal_pending(current))
			return -EINTR;
		if (value[0])
			mon_every_cpu_passes();
		cond_resched();
		return 0;
	case MON_ENCLAVE_NEEDS_FRAME:
		return mon_pool_help() ? -ENOMEM : 0;
	default:
		return mon_enclave_load(e, thread, value[0]);
	}
}

static bool for_this_side(long why, const u64 value[2])
{
	return why == MON_ENCLAVE_INTERRUPTED || why == MON_ENCLAVE_NEEDS_PAGE ||
	       (why == MON_ENCLAVE_NEEDS_FRAME && !value[0]);
}

static long run(struct mon_enclave *e, struct mon_enclave_run *r)
{
	u64 thread = READ_ONCE(e->domain) | (u64)r->thread << 32, op = r->op;
	long why, err;

	for (;;) {
		why = enter(thread, op, r->value);
		if (why == -EAGAIN) { /* none is entered just now */
			if (fatal_signal_pending(current) ||
			    (op == MON_ENCLAVE_RESUME && signal_pending(current)))
				return -EINTR;
			cond_resched();
			continue;
		}
		if (!for_this_side(why, r->value))
			break;
		op = MON_ENCLAVE_RESUME;
		err = see_to(e, r->thread, why, r->value);
		if (err)
			return err == -EINTR || err == -ENOMEM ? err : -EIO;
	}
	if (why < 0)
		return why == -EBUSY || why == -EINVAL ? why : -EIO;
	r->exit = why;
	return 0;
}

/**
 * mon_enclave_run() - MON_IOC_ENCLAVE_RUN
 * @e: whose descriptor it is
 * @arg: the caller's structure
 */
long mon_enclave_run(struct mon_enclave *e, void __user *arg)
{
	struct mon_enclave_run r = {};
	long err;

	BUILD_BUG_ON(sizeof(r) % 8);
	err = mon_copy_in(&r, sizeof(r), MON_ENCLAVE_RUN_SIZE_V1, arg);
	if (err)
		return err;
	if (r.flags || r.reserved || r.op > MON_ENCLAVE_RESUME)
		return -EINVAL;
	err = run(e, &r);
	return err ?: mon_copy_out(arg, &r, sizeof(r));
}
