/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The attacker of the tests: root with a kernel module. A command is a line
 * written to /sys/kernel/debug/testmod/do; the answer is read from there.
 * Numbers are decimal, or hexadecimal with 0x.
 */
#ifndef _TESTMOD_H
#define _TESTMOD_H

#include <linux/atomic.h>
#include <linux/types.h>
#include <asm/asm.h>

#define MAX_ARGS 12

/* @word: of the arguments that are no numbers; then the number is 0. */
struct args {
	unsigned int nr;
	u64 num[MAX_ARGS];
	const char *word[MAX_ARGS];
};

struct command {
	const char *name;
	unsigned int min_args;
	int (*run)(const struct args *args);
};

extern const struct command memory_commands[], search_commands[], cpu_commands[], event_commands[];
extern const struct command vmx_commands[], vmx_entry_commands[], cost_commands[];
extern const struct command race_commands[], eptp_commands[], hot_commands[], enclave_commands[];
extern const struct command enclave_state_commands[];

/* event.c: code for a CPU in real mode */
extern const u8 startup_code[], startup_end[];

/* Adds to the answer. */
__printf(1, 2) void say(const char *format, ...);

/* A caught exception is an answer, not an error: "fault 13". */
#define NO_FAULT (-1)
void say_fault(int vector);

int run_on(u64 cpu, void (*fn)(void *), void *arg);
void let_go_on(u64 cpu);

/* On CPUs 0 and 1, interrupts off; each calls meet() before what is to happen at once. */
int run_both(void (*fn)(void *arg, atomic_t *ready), void *first, void *second);
void meet(atomic_t *ready);

/*
 * event.c: NMIs at CPU 0 are testmod's from nmi_ready() to nmi_done(), which both have how many
 * there were. nmi_do(): one whose handler does that; from CPU 1.
 */
int nmi_ready(u64 *count);
void nmi_to_first(void);
int nmi_do(void (*deed)(void));
u64 nmi_done(void);

/* cpu.c: behind the back of the kernel's own accessors; NO_FAULT, or the vector */
int try_rdmsr(u32 msr, u64 *value);
int try_wrmsr(u32 msr, u64 value);
u64 get_cr(unsigned int cr);
int set_cr(unsigned int cr, u64 v);
u64 read_xcr0(void);
int write_xcr(u32 index, u64 value);

struct registers;
/* enclave.c: in assembly */
void enclave_vmcall(struct registers *r, u64 avx512);

int memory_init(void);
void memory_exit(void);
int event_init(void);
void event_exit(void);
int vmx_init(void);
void vmx_exit(void);
void eptp_exit(void);

/*
 * TRY() - an instruction under an exception table
 * @fault: out: vector of the exception it raised, or NO_FAULT
 * @ax: in and out: RAX
 * @...: further operands: outputs (one at least), a colon, inputs
 */
#define TRY(fault, ax, insn, ...)                                           \
	do {                                                                \
		unsigned int _caught;                                       \
		asm volatile("movl $1, %[caught]\n"                         \
			     "1:	" insn "\n"                                    \
			     "xorl %[caught], %[caught]\n"                  \
			     "2:\n" _ASM_EXTABLE_FAULT(1b, 2b)              \
			     : [caught] "=&r"(_caught), "+a"(ax), __VA_ARGS__ \
			     : "memory", "cc");                             \
		(fault) = _caught ? (int)(ax) : NO_FAULT;                   \
	} while (0)

#endif /* _TESTMOD_H */
