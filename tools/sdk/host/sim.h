/* SPDX-License-Identifier: GPL-2.0-only */
/* Simulation: an enclave's threads are this process's, on stacks of their own. */
#ifndef _MON_SIM_H
#define _MON_SIM_H

#include "internal.h"

enum sim_state { SIM_IDLE, SIM_CALLS, SIM_ENDED };

/**
 * struct sim_thread - of an enclave
 * @host_sp, @enclave_sp: of the two sides, while the other runs
 * @call, @a, @b, @c: what it has called by
 * @inside: it runs
 * @handling: an exception; @restoring: it is done
 * @vector, @page: of that which has ended it
 * @fault: where the monitor would write it
 */
struct sim_thread {
	void *host_sp;
	void *enclave_sp;
	unsigned long call, a, b, c;
	int inside;
	int handling;
	int restoring;
	enum sim_state state;
	unsigned long vector, page;
	unsigned long handler;
	struct mon_enclave_fault *fault;
};

/**
 * struct mon_sim - an enclave in simulation
 * @memory, @size: all its addresses
 * @signer: MON_EC_SIGNER; zeros: none
 */
struct mon_sim {
	struct mon_image image;
	unsigned char measurement[32];
	unsigned char signer[32];
	unsigned char *memory;
	size_t size;
	struct sim_thread thread[MON_ENCLAVE_MAX_THREADS];
};

/* Of sim_entry.S: 0 when it calls, 1 when an exception has ended it. */
int mon_sim_start(void **host_sp, void *sp, unsigned long entry, unsigned long a, unsigned long b,
		  unsigned long number);
int mon_sim_go_on(void **host_sp, void *sp, unsigned long answer);
long mon_sim_leave(void **enclave_sp, void *host_sp);
void mon_sim_fell(void);

/* Of sim_counter.c: MON_EC_COUNTER. */
long mon_sim_count(const struct mon_sim *sim, struct mon_enclave_counter *c);

/* Of sim_fault.c. */
extern __thread struct sim_thread *mon_sim_current;
long mon_sim_hook(unsigned long call, unsigned long a, unsigned long b, unsigned long c);
/** mon_sim_catch() - exceptions of this thread from now on; 0, or -1 */
int mon_sim_catch(void);

#endif /* _MON_SIM_H */
