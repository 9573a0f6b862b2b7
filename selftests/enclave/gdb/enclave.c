// SPDX-License-Identifier: GPL-2.0-only
/* Something for a debugger to find. */
#include "debugged.h"
#include "mon_enclave.h"

MON_ENCLAVE_CONFIG(.heap = 64 << 10, .threads = 3, .exceptions = 1, .debug = DEBUG);

static volatile int shelf = 40;

static int __attribute__((__noinline__)) look(int step)
{
	volatile int doubled = 2 * step;
	int answer;

	if (waits(&answer))
		return -1;
	return doubled + shelf;
}

int work(int step)
{
	volatile int kept = look(step);

	return kept;
}

static volatile int rounds, told;

int turn(void)
{
	do {
		rounds++;
	} while (!told);
	return told;
}

int turns(void)
{
	return rounds != 0;
}

static int __attribute__((__noinline__)) put(volatile int *at, int value)
{
	*at = value;
	return *at;
}

int crash(int value)
{
	volatile int kept = put((int *)8, value);

	return kept;
}
