// SPDX-License-Identifier: GPL-2.0-only
/* Epochs, and a CPU that caches whatever it can reach. */
#include "frame_world.h"

void proof_epoch_now(void)
{
	u32 cpu = nondet_u32();
	u64 epoch;

	world_any();
	epoch = epoch_now();
	REACH(1, "opened");
	assume(cpu < CPUS);
	claim(epoch > old.latest && latest == epoch, "a new one");
	claim(seen[cpu].epoch < epoch || seen[cpu].epoch == EPOCH_PARKED, "that no CPU has passed");
	claim(epoch_passed(epoch) == (seen[0].epoch == EPOCH_PARKED &&
				      seen[CPUS - 1].epoch == EPOCH_PARKED) || CPUS != 2,
	      "unless all are parked");
	only(0, 0);
	world_check();
}

void proof_epoch_pass(void)
{
	u64 q = any_frame();
	u32 other = nondet_u32();

	world_any();
	this_cpu = nondet_u32();
	assume(this_cpu < CPUS && other < CPUS && other != this_cpu);
	epoch_pass(this_cpu);
	REACH(flushes, "flushed");
	REACH(!flushes && latest, "nothing to flush");
	REACH(old.seen[this_cpu] == EPOCH_PARKED, "came back");
	claim(seen[this_cpu].epoch == latest && latest == old.latest, "passed the latest");
	claim(flushes == (old.seen[this_cpu] != latest), "flushes once, when it has to");
	claim(!flushes || !cached[this_cpu][q], "I19 nothing is left");
	claim(seen[other].epoch == old.seen[other], "the other CPUs' words are theirs");
	only(0, 0);
	world_check();
}

void proof_epoch_park(void)
{
	u64 q = any_frame();

	world_any();
	this_cpu = nondet_u32();
	assume(this_cpu < CPUS);
	epoch_park(this_cpu);
	REACH(old.seen[this_cpu] < latest, "late");
	claim(seen[this_cpu].epoch == EPOCH_PARKED && !cached[this_cpu][q], "I19 nothing is left");
	only(0, 0);
	world_check();
}

void proof_epoch_passed(void)
{
	u64 epoch = nondet_u64();
	u32 cpu = nondet_u32();
	bool yes;

	world_any();
	assume(cpu < CPUS);
	yes = epoch_passed(epoch);
	REACH(yes && epoch, "yes");
	REACH(!yes && epoch <= latest, "no");
	claim(!yes || seen[cpu].epoch >= epoch, "yes means every CPU");
	claim(yes || seen[0].epoch < epoch || seen[CPUS - 1].epoch < epoch || CPUS != 2,
	      "no means one has not");
	unchanged();
}

/* A frame in use may get into a CPU's cache at any time; by I4 and I5 no other can. */
void proof_cpu_caches(void)
{
	u64 q = any_frame();

	world_any();
	this_cpu = nondet_u32();
	assume(this_cpu < CPUS && seen[this_cpu].epoch != EPOCH_PARKED);
	assume(words[q].state != FRAME_FREE && words[q].state != FRAME_TRANSIT);
	cached[this_cpu][q] = 1;
	REACH(words[q].state == FRAME_USED, "a table");
	REACH(words[q].state == FRAME_HOST, "the host's");
	world_check();
}
