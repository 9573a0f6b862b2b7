// SPDX-License-Identifier: GPL-2.0-only
/*
 * Epochs: has every CPU flushed since a translation was removed?
 */
#include "internal.h"

#define EPOCH_PARKED (~0ULL)

/* A CPU writes its own word only; a line each, since each exit reads it. */
static struct {
	u64 epoch;
} __attribute__((__aligned__(64))) seen[NPT_MAX_CPUS];
static u64 latest;
static u32 nr_seen;

void epoch_init(u32 nr_cpus)
{
	MONITOR_BUG_ON(!nr_cpus || nr_cpus > NPT_MAX_CPUS);
	nr_seen = nr_cpus;
	latest = 0;
	memset(seen, 0, sizeof(seen));
}

u64 epoch_latest(void)
{
	return __atomic_load_n(&latest, __ATOMIC_ACQUIRE);
}

/*
 * The caller's removal is visible to every CPU that sees the new number, and
 * a number is never used twice: a CPU may have read the old one before the
 * removal and not published it yet.
 */
u64 epoch_now(void)
{
	return __atomic_add_fetch(&latest, 1, __ATOMIC_SEQ_CST);
}

static void flush(u32 cpu)
{
	u64 mark = ghost_mark();

	npt_flush_local();
	ghost_flushed(cpu, mark);
}

/*
 * The number is read before the flush and published after it: whatever was
 * removed before the epoch was opened is flushed when the others read it.
 * Publishing is also a full barrier, so that a CPU which comes back from
 * epoch_park() asks the gate only after the others can see that it is back.
 */
void epoch_pass(u32 cpu)
{
	u64 now = epoch_latest();

	if (likely(seen[cpu].epoch == now))
		return;
	flush(cpu);
	__atomic_store_n(&seen[cpu].epoch, now, __ATOMIC_SEQ_CST);
}

void epoch_park(u32 cpu)
{
	flush(cpu);
	__atomic_store_n(&seen[cpu].epoch, EPOCH_PARKED, __ATOMIC_SEQ_CST);
}

bool epoch_passed_by(u32 cpu, u64 wanted)
{
	return __atomic_load_n(&seen[cpu].epoch, __ATOMIC_SEQ_CST) >= wanted;
}

bool epoch_passed(u64 wanted)
{
	u32 cpu;

	for (cpu = 0; cpu < nr_seen; cpu++) {
		if (!epoch_passed_by(cpu, wanted))
			return false;
	}
	return true;
}
