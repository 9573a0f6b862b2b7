// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks. The process decides who runs, so it can keep anybody from ever getting one; it cannot
 * let two in.
 */
#include "mon_enclave.h"

#define SPINS 1000

int mon_trylock(struct mon_mutex *mutex)
{
	return !__atomic_exchange_n(&mutex->locked, 1, __ATOMIC_ACQUIRE);
}

static void relax(unsigned int *spins)
{
	if (++*spins % SPINS)
		__builtin_ia32_pause();
	else
		mon_yield();
}

void mon_lock(struct mon_mutex *mutex)
{
	unsigned int spins = 0;

	while (!mon_trylock(mutex))
		relax(&spins);
}

void mon_unlock(struct mon_mutex *mutex)
{
	__atomic_store_n(&mutex->locked, 0, __ATOMIC_RELEASE);
}

void mon_wait(struct mon_condition *condition, struct mon_mutex *mutex)
{
	unsigned int turn = __atomic_load_n(&condition->turn, __ATOMIC_ACQUIRE), spins = 0;

	mon_unlock(mutex);
	while (__atomic_load_n(&condition->turn, __ATOMIC_ACQUIRE) == turn)
		relax(&spins);
	mon_lock(mutex);
}

void mon_wake(struct mon_condition *condition)
{
	__atomic_fetch_add(&condition->turn, 1, __ATOMIC_RELEASE);
}
