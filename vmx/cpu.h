/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the monitor keeps for each CPU, and the few functions every exit
 * handler uses. A handler runs with interrupts off, on this CPU's own stack.
 */
#ifndef _VMX_CPU_H
#define _VMX_CPU_H

#include "../npt/shim.h"
#include "../uapi/hypercall.h"
#include "caps.h"
#include "vmcs.h"

enum { RAX, RCX, RDX, RBX, RSP, RBP, RSI, RDI, R8, R9, R10, R11, R12, R13, R14, R15, NR_GPRS };

/**
 * struct vmcs - a VMCS of the monitor's own
 * @pa: its frame
 * @launched: VMLAUNCH has succeeded since the last VMCLEAR
 */
struct vmcs {
	u64 pa;
	bool launched;
};

#define EVENT_NMI 1
#define EVENT_MCE 2
#define EVENT_MCE_IN_ROOT 4 /* besides: for the counter */
#define STEP_LEAVES 4
#define MTRR_SHADOWS 64

struct thread;
struct vcpu;

#include "nested.h"

/**
 * struct cpu - one per CPU, at MON_VA_CPU + index * MON_CPU_STRIDE
 * @self: its own address, at GS:0
 * @gpr: registers of what was interrupted; RSP is in the VMCS and only mirrored
 *       for the decoder
 * @launched: launched flag of the current VMCS, for the entry stub
 * @events: EVENT_NMI, EVENT_MCE that came in root mode; the entry stub looks last
 * @in_vmx: between VMXON and VMXOFF
 * @index: CPU number of the monitor, 0 to nr_cpus - 1
 * @current: VMCS loaded on this CPU: vmcs01, vmcs02 or a vCPU's
 * @vmcs01: of the host
 * @vmxon_pa: VMXON region
 * @mcg_status: IA32_MCG_STATUS as the host has it (mcheck.c)
 * @gate: this CPU's gate page, for leaving
 * @waits_for_sipi: nothing runs on it before one comes
 * @parked: it has left VMX operation, and does nothing any more (end.c)
 * @in_guest: the last exit came from a guest of the host (L2), not the host
 * @vcpu: vCPU of a confidential VM whose registers are in this CPU, or NULL
 * @thread: of an enclave, whose registers are in this CPU, or NULL
 * @enclave_vmcs: what threads run on; @enclave_vmcs_made: it is written but for them
 * @xsave_pfn: the host's vector registers while a thread runs
 * @step: EPT01 leaves lent to the host for one instruction, see host_step.c
 * @host_exits, @guest_exits: by basic exit reason
 */
struct cpu {
	struct cpu *self;
	u64 gpr[NR_GPRS];
	u8 launched;
	u8 events;
	u8 in_vmx;
	u8 in_guest;
	bool waits_for_sipi;
	bool parked;
	u32 index;
	struct vmcs *current;
	struct vmcs vmcs01;
	u64 vmxon_pa;
	u64 mcg_status;
	struct mon_gate *gate;
	u64 mtrr_shadow[MTRR_SHADOWS];
	u64 host_exits[EXIT_REASONS];
	u64 guest_exits[EXIT_REASONS];
	u64 guest_exits_to_host;
	struct {
		u64 gpa[STEP_LEAVES];
		u32 nr;
		u8 for_event;
		u64 junk_pfn;
	} step;
	struct vcpu *vcpu;
	struct thread *thread;
	struct vmcs enclave_vmcs;
	bool enclave_vmcs_made;
	u64 xsave_pfn;
	struct nested nested;
	u64 gdt[16];
	u64 tss[14];
	struct {
		u64 lo, hi;
	} idt[32];
};

/*
 * An NMI or a machine check sets its bit between any two instructions (entry.S): each of these is
 * one, or what came in between would be lost.
 */
static inline void events_add(struct cpu *cpu, u8 events)
{
	asm volatile("orb %1, %0" : "+m"(cpu->events) : "iq"(events));
}

static inline void events_clear(struct cpu *cpu, u8 events)
{
	asm volatile("andb %1, %0" : "+m"(cpu->events) : "iq"((u8)~events));
}

static inline u8 events_take(struct cpu *cpu)
{
	u8 events = 0;

	asm volatile("xchgb %0, %1" : "+q"(events), "+m"(cpu->events));
	return events;
}

static inline struct cpu *this_cpu(void)
{
	struct cpu *cpu;

	asm("movq %%gs:0, %0" : "=r"(cpu));
	return cpu;
}

/** cpuid() - of the CPU itself, not as the host sees it */
static inline void cpuid(u32 leaf, u32 sub, u32 *a, u32 *b, u32 *c, u32 *d)
{
	asm volatile("cpuid" : "=a"(*a), "=b"(*b), "=c"(*c), "=d"(*d) : "a"(leaf), "c"(sub));
}

/** vmcs_load() - make a VMCS current on this CPU (VMPTRLD), if it is not */
void vmcs_load(struct cpu *cpu, struct vmcs *vmcs);

/** vmcs_init() - new VMCS in a fresh frame: revision written, VMCLEARed; NPT_EPOOL */
int vmcs_init(struct vmcs *vmcs);

/** vmcs_clear() - VMCLEAR; it is then current nowhere */
void vmcs_clear(struct cpu *cpu, struct vmcs *vmcs);

/** advance_rip() - skip the instruction that exited; ends blocking by STI and MOV SS */
void advance_rip(void);

/** inject_exception() - queue a hardware exception (no error code if @error_code < 0) */
void inject_exception(u32 vector, s64 error_code);
#define INJECT_NO_CODE (-1)
#define inject_ud() inject_exception(6, INJECT_NO_CODE)
#define inject_gp() inject_exception(13, 0)

/** rdmsr_safe(), wrmsr_safe() - false if the CPU raised #GP */
bool rdmsr_safe(u32 msr, u64 *value);
bool wrmsr_safe(u32 msr, u64 value);
u64 rdmsr(u32 msr);
void wrmsr(u32 msr, u64 value);

bool xsetbv_safe(u32 index, u64 value);

/** interrupt_waits() - has this CPU's APIC one that root mode keeps from the host? */
bool interrupt_waits(void);

/** ipi_others() - write this to the interrupt command register; nothing, if the APIC is off */
void ipi_others(u32 icr);

/** count() - count a refusal by name (shared counter, atomic) */
void count(enum mon_counter counter);

/**
 * handle_exit() - C entry from the exit stub; on return the stub enters @current
 */
void handle_exit(struct cpu *cpu);

/** handle_events() - NMI or #MC came in root mode: pass it on before the next entry */
void handle_events(struct cpu *cpu);

/** handle_entry_failure() - VMLAUNCH or VMRESUME itself failed (SDM 27.8) */
void handle_entry_failure(struct cpu *cpu);

/** nested_deliver_events() - cpu->events before an entry into a guest: an exit of it, or its own */
void nested_deliver_events(struct cpu *cpu);

/** nested_entry_failed() - VMfail of vmcs02: the host sees it as its own (SDM 31.4) */
void nested_entry_failed(struct cpu *cpu, u32 error);

/** exit_by_machine_check() - of whatever is current; the exit reason is EXIT_EXCEPTION_NMI */
static inline bool exit_by_machine_check(void)
{
	return (vmread(VM_EXIT_INTR_INFO) & ~INTR_INFO_RESERVED) == INTR_INFO_MC;
}

/** mcheck_launch(), mcheck_leave() - IA32_MCG_STATUS comes from the host, and goes back */
void mcheck_launch(struct cpu *cpu);
void mcheck_leave(struct cpu *cpu);

/** mcheck_take() - one was an exit: it is the host's, and the CPU is ready for the next */
void mcheck_take(struct cpu *cpu);

/** fatal() - what the host has done, or has come to it, ends the machine */
void fatal(const char *what, u32 reason) __attribute__((__noreturn__));

/** handle_root_exception() - an exception that root mode has no answer to */
void handle_root_exception(const u64 *frame) __attribute__((__noreturn__));

/* Exits of the host (L1), one file each. They advance RIP or inject an exception. */
void host_cr_access(struct cpu *cpu);

/* MCE, VMXE and SMXE: the host has its own of them in the read shadow. vmcs01 is current. */
#define CR4_HOST_OWNED (BIT(6) | BIT(13) | BIT(14))
u64 host_cr4(void);
void host_set_cr4(u64 value);

void host_ept_violation(struct cpu *cpu);
void host_step_done(struct cpu *cpu);
bool host_step_active(const struct cpu *cpu);

/** host_step_request() - cpu->events have to wait for one instruction */
void host_step_request(struct cpu *cpu);

/** host_msr_read() - RDMSR by the host or for its guest; false: #GP */
bool host_msr_read(struct cpu *cpu, u32 msr, u64 *value);
bool host_msr_write(struct cpu *cpu, u32 msr, u64 value);

/* Registers that also launch looks at, for the CPU would write to memory by them. */
#define MSR_MCG_STATUS 0x17a
#define MSR_PEBS_ENABLE 0x3f1
#define MSR_RTIT_CTL 0x570
#define MSR_XSS 0xda0
#define XSS_PT BIT(8)
#define MSR_HW_FEEDBACK_CONFIG 0x17d1

/** monitor_msr_bitmap() - what the host may not reach (SDM 25.6.9), 4 KiB */
const u8 *monitor_msr_bitmap(void);
void monitor_msr_bitmap_init(void);

/** host_hypercall() - VMCALL of the host */
void host_hypercall(struct cpu *cpu);

/** host_init_signal() - INIT: this CPU waits for a SIPI. vmcs01 is current */
void host_init_signal(struct cpu *cpu);

/** host_cpuid() - CPUID as the host (or, for the features, its guest, or an enclave) sees it */
void host_cpuid(struct cpu *cpu);

/* launch.c: called by the gate, through it */
u64 gate_main(struct mon_gate *gate);
void cpu_leave(struct cpu *cpu) __attribute__((__noreturn__));
void launch_failed(struct cpu *cpu, u64 detail) __attribute__((__noreturn__));

/** vmxoff() - leave VMX operation; no VMCS is loaded any more */
void vmxoff(void);

/*
 * ports.c: what of I/O space resets the machine. ports_intercept() adds it to bitmaps that
 * are frames of the monitor, ports_bitmaps() gives those that have nothing else.
 */
int ports_init(const struct mon_boot_info *info);
void ports_intercept(u64 bitmap_a, u64 bitmap_b);
void ports_bitmaps(u64 *bitmap_a, u64 *bitmap_b);
/** ports_access() - the host, or a guest it lets, has executed an I/O instruction there */
void ports_access(struct cpu *cpu);

/** vmcs_write_reset_state() - guest state after RESET or INIT, but CR0, CR4 and activity */
void vmcs_write_reset_state(void);
/** vmcs_write_sipi() - where a SIPI starts a CPU */
void vmcs_write_sipi(u64 vector);

/**
 * vmcs_write_common_controls() - exit and entry of who begins in 64-bit mode; no MSR lists, and no
 * filters of page faults or CR3
 */
void vmcs_write_common_controls(void);

/** vmcs_write_host_state() - host-state area of the current VMCS: the same in all of them */
void vmcs_write_host_state(const struct cpu *cpu);

static inline struct cpu *cpu_of(u32 index)
{
	return (struct cpu *)(MON_VA_CPU + index * MON_CPU_STRIDE);
}

/**
 * struct monitor - what all CPUs share, set up once
 */
struct monitor {
	u32 nr_cpus;
	u64 root_pa;
	u64 msr_bitmap_pa;
	u64 counter[MON_CNT_NR];
	u8 image_hash[32];
	bool initialized;
};

extern struct monitor monitor;

#endif /* _VMX_CPU_H */
