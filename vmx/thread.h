/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A thread of an enclave on a CPU. Each CPU has one VMCS for all of them: what differs between
 * threads is written at each entry, and nothing that a thread can change is left in it for the
 * next one.
 *
 *  state         to            by
 *  -----------   -----------   ---------------------------------------------------------
 *  IDLE          RUNNING       MON_ENCLAVE_CALL
 *  CALLING       RUNNING       MON_ENCLAVE_ANSWER
 *  INTERRUPTED   RUNNING       MON_ENCLAVE_RESUME
 *  RUNNING       IDLE          MON_EC_RETURN
 *  RUNNING       CALLING       MON_EC_OCALL
 *  RUNNING       INTERRUPTED   an interrupt, an NMI; no frame for what it touched; a permission
 *                              that another CPU may still have
 *  RUNNING       FAULTED       an exception that nobody handles; for good
 *
 * Interrupts are not taken from the APIC by the exit: the host gets them itself, as soon as it runs
 * again behind its hypercall. It sees of its own registers those that a call preserves, and zeros.
 */
#ifndef _VMX_THREAD_H
#define _VMX_THREAD_H

#include "../core/enclave.h"
#include "cpu.h"

enum thread_state {
	THREAD_IDLE = MON_ENCLAVE_THREAD_IDLE,
	THREAD_CALLING = MON_ENCLAVE_THREAD_CALLING,
	THREAD_INTERRUPTED = MON_ENCLAVE_THREAD_INTERRUPTED,
	THREAD_RUNNING = 3,
	THREAD_FAULTED = MON_ENCLAVE_THREAD_FAULTED,
};

/**
 * struct thread - one frame of the monitor
 * @state: enum thread_state, under enclave->lock to leave anything but RUNNING
 * @cpu: RUNNING: where
 * @handling: its exception handler has not ended
 * @xsave_pfn: vector registers while it does not run
 * @gpr, @rip, @rflags, @fs_base, @gs_base, @pending_dbg: likewise; CALLING: those of @gpr that a
 *	call preserves; FAULTED: as at the exception, for a debugger
 * @host_gpr: of the host, those that a call preserves
 * @host_xcr0, @host_lbr: of the host
 */
struct thread {
	struct enclave *enclave;
	u32 index;
	u32 state;
	u32 cpu;
	bool handling;
	u64 pfn;
	u64 xsave_pfn;
	u64 gpr[NR_GPRS];
	u64 rip;
	u64 rflags;
	u64 fs_base;
	u64 gs_base;
	u64 pending_dbg;
	u64 host_gpr[NR_GPRS];
	u64 host_xcr0;
	u64 host_lbr;
};

_Static_assert(sizeof(struct thread) <= PAGE_SIZE, "a thread is one frame");

/** thread_init() - once, before launch */
void thread_init(void);
/** thread_cpu_init() - frames of a CPU, before it launches; NPT_EPOOL */
int thread_cpu_init(struct cpu *cpu);

/**
 * thread_enter() - MON_HC_ENCLAVE_RUN of the host, or of the enclave's process in user mode
 *
 * 0: the thread runs next, and the host's instruction is done. Else -MON_E*: nothing has changed.
 */
s64 thread_enter(struct cpu *cpu, const u64 *arg);
/** thread_may_enter() - may the process that runs now do so? */
bool thread_may_enter(const u64 *arg);

/**
 * thread_leave() - the host runs next, behind its hypercall
 * @next: state of the thread; what it has in registers is kept if it is to go on
 * @a, @b: values that go with @why
 */
void thread_leave(struct cpu *cpu, enum thread_state next, enum mon_enclave_exit why, u64 a, u64 b);

/** thread_exit() - an exit of the thread that runs on this CPU; @full: the whole exit reason */
void thread_exit(struct cpu *cpu, u32 full);
/** thread_interrupt() - the host is to run instead of it */
void thread_interrupt(struct cpu *cpu);
/** thread_entry_failed() - VM entry itself failed with @error */
void thread_entry_failed(struct cpu *cpu, u32 error);

#endif /* _VMX_THREAD_H */
