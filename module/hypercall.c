// SPDX-License-Identifier: GPL-2.0-only
#include <linux/jiffies.h>
#include <linux/sched.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include "monitor.h"

/* Without a monitor VMCALL is #UD: -ENXIO. Under another hypervisor it is that one's error. */
long mon_hypercall(enum mon_hypercall nr, u64 a, u64 b, u64 c, u64 d)
{
	register u64 r10 asm("r10") = d;
	long ret = MON_HYPERCALL | nr;

	asm volatile("1: vmcall\n"
		     "	jmp 3f\n"
		     "2:	mov %[nxio], %%rax\n"
		     "3:\n" _ASM_EXTABLE(1b, 2b)
		     : "+a"(ret)
		     : "D"(a), "S"(b), "d"(c), "r"(r10), [nxio] "i"(-ENXIO)
		     : "memory", "cc");
	return ret;
}

static void ping(void *unused)
{
	mon_hypercall(MON_HC_PING, 0, 0, 0, 0);
}

/* An epoch ends when every CPU has entered the monitor once. */
int mon_every_cpu_passes(void)
{
	on_each_cpu(ping, NULL, 1);
	return 0;
}

/**
 * mon_all_steps() - what the monitor does in bounded steps, to its end or MON_STEPS_SECONDS
 * @step: makes one; -EAGAIN: there is more, and all CPUs have to pass
 * @of: for @step
 */
long mon_all_steps(long (*step)(void *of), void *of)
{
	unsigned long deadline = jiffies + MON_STEPS_SECONDS * HZ;
	long err = step(of);

	while (err == -EAGAIN && time_before(jiffies, deadline)) {
		mon_every_cpu_passes();
		cond_resched();
		err = step(of);
	}
	return err;
}
