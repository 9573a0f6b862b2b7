/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads of enclaves, which run when and where a test says so. After npt_sim.h. */
#ifndef _UNIT_THREAD_SIM_H
#define _UNIT_THREAD_SIM_H

#include "core/enclave.h"

struct thread {
	u64 pfn;
	bool busy;
	u32 cpu;
};

static u32 threads_left = ~0u; /* that can be made */

struct thread *thread_new(struct enclave *e, u32 index)
{
	struct thread *t;
	u64 pfn;

	(void)e;
	(void)index;
	if (!threads_left)
		return NULL;
	threads_left--;
	lock();
	pfn = frame_get(FRAME_STATE);
	unlock();
	t = frame_ptr(pfn);
	t->pfn = pfn;
	return t;
}

void thread_free(struct thread *t)
{
	lock();
	frame_retire(t->pfn);
	unlock();
}

bool thread_idle(const struct thread *t)
{
	return !t->busy;
}

bool thread_registers(const struct thread *t, struct mon_enclave_registers *out)
{
	if (t->busy)
		return false;
	out->state = MON_ENCLAVE_THREAD_CALLING;
	out->rip = t->pfn;
	return true;
}

bool thread_passed(const struct thread *t, u64 epoch)
{
	return !t->busy || epoch_passed_by(t->cpu, epoch);
}

#endif /* _UNIT_THREAD_SIM_H */
