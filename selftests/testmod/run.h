/* SPDX-License-Identifier: GPL-2.0-only */
/* A thread of an enclave that the kernel enters itself: enclave.c, enclave_state.c. */
#ifndef _TESTMOD_RUN_H
#define _TESTMOD_RUN_H

#include <linux/types.h>

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, NR_GPRS = 16 };
#define VECTOR_BYTES 64
#define NR_VECTOR_REGISTERS 32
#define VECTOR_MARK 0x5c

struct registers {
	u64 gpr[NR_GPRS];
	u8 vector[NR_VECTOR_REGISTERS][VECTOR_BYTES];
};

struct run {
	u64 arg[4];
	u64 masked;
	u64 sse_only;
	/* just before the hypercall, and just behind it; with interrupts off */
	void (*before)(struct run *run);
	void (*after)(struct run *run);
	struct registers r;
	u64 zeros, kept, vectors; /* of what should be so, one bit for each that is not */
};

/* The Nth of two, with these arguments, and nothing else. */
struct run *run_of(unsigned int n, const u64 *arg);
void run_here(struct run *run);
/* On CPU 0, masked. */
int run_on_first(struct run *run);
/* "EXIT VALUE VALUE", and what is in registers that should not be */
void say_run(const struct run *run);

#endif /* _TESTMOD_RUN_H */
