/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A vCPU of a confidential VM. Its registers and its VMCS are the monitor's.
 * The host's KVM believes it runs a CPU in real mode that sits at one scratch
 * instruction: at an exit it is shown the operands that the exit needs, and
 * what it answers is taken over only if the instruction asked for it.
 *
 *   vcpu.c         entry, exit dispatch, making
 *   vcpu_switch.c  registers that VMX does not switch
 *   vcpu_present.c what the host is shown, and the pages it is shown it on
 *   vcpu_op.c      instructions that the host answers: CPUID, MSR, port, HLT
 *   vcpu_mmio.c    instructions on device memory
 *   vcpu_fwcfg.c   QEMU's fw_cfg DMA, copied in and measured
 *   vcpu_device.c  devices that the monitor carries data for
 *   vcpu_cr.c      CR0, CR4, XCR0
 */
#ifndef _VMX_VCPU_H
#define _VMX_VCPU_H

#include "../core/guest_walk.h"
#include "../core/insn.h"
#include "../core/io/device.h"
#include "../core/vm.h"
#include "cpu.h"

#define NO_CPU (~0u)
#define NO_APIC_ID (-1)

struct msr_entry {
	u32 index;
	u32 reserved;
	u64 value;
};

/* Registers of the guest that VMX switches by a list (SDM 25.7.2, 25.8.2). */
#define SWITCHED_MSRS 7

enum op_kind {
	OP_NONE = 0,
	OP_CPUID,
	OP_RDMSR,
	OP_WRMSR,
	OP_WAIT,
	OP_PORT,
	OP_MMIO,
	OP_DMA,
	OP_DEVICE, /* none of the guest's: what a device has left to do before the entry */
};

/**
 * struct op - an instruction of the guest that the host has a part in
 * @kind: enum op_kind
 * @asked: the host was shown it, and has to answer by moving RIP past it
 * @length: of the instruction as the host was shown it
 * @port, @size, @in, @string, @rep: I/O instruction
 * @insn: MMIO: decoded
 * @gpa_read, @gpa_write: MMIO: where its operands are
 * @phase: MMIO: MMIO_READ, MMIO_WRITE; DMA: DMA_TO_ASK, DMA_ANSWERED
 * @done: bytes of the operand that the host has answered, or of the DMA
 * @data, @store: operand read or to be stored; what a read-modify-write stores
 * @control, @address, @length_left, @chunk: fw_cfg DMA
 * @device: MMIO, port: one that the monitor carries data for, while the access is under way
 * @access, @ask: of it; @has_ask: the host has to answer @ask
 */
struct op {
	u8 kind;
	bool asked;
	u8 length;
	u8 size;
	bool in;
	bool string;
	bool rep;
	u8 phase;
	u16 port;
	u32 done;
	u64 data;
	u64 store;
	struct mmio_insn insn;
	u64 gpa_read;
	u64 gpa_write;
	u64 control_gpa;
	u32 control;
	u64 address;
	u32 left;
	u32 chunk;
	struct device *device;
	struct device_access access;
	struct device_ask ask;
	bool has_ask;
};

/**
 * struct vcpu - one frame of the monitor
 * @vmptr12: the VMCS by which the host names it
 * @home: CPU that has @vmcs loaded, NO_CPU after VMCLEAR
 * @last_cpu: CPU it ran on last: elsewhere its old translations are flushed
 * @running: a CPU is in it, or in its handlers
 * @gpr: registers while it does not run; RSP is in the VMCS
 * @l1: the host's registers at its VM entry, given back at the exit
 * @reinject: event whose delivery an exit interrupted, to be delivered first
 * @held: event of the host that has to wait for it
 * @apic_id: as the host answered CPUID first, NO_APIC_ID before
 * @guest_msrs, @host_msrs: read by the CPU: 16-byte aligned
 */
struct vcpu {
	struct vm *vm;
	u32 index;
	u32 home;
	u32 last_cpu;
	bool running;
	u64 vmptr12;
	u64 pfn;
	u64 xsave_pfn;
	struct vmcs vmcs;
	u64 gpr[NR_GPRS];
	u64 cr2;
	u64 dr[4];
	u64 dr6;
	u64 feat_ctl;
	u64 xcr0;
	u32 reinject;
	u32 reinject_code;
	u32 reinject_len;
	u32 held;
	s64 apic_id;
	u32 fwcfg_high;
	u32 icr_dest;
	struct op op;
	struct l1_regs l1;
	u64 host_cr2;
	u64 host_dr[4];
	u64 host_dr6;
	u64 host_xcr0;
	u64 host_lbr_ctl;
	u32 host_pkru;
	struct msr_entry guest_msrs[SWITCHED_MSRS] __attribute__((aligned(16)));
	struct msr_entry host_msrs[SWITCHED_MSRS] __attribute__((aligned(16)));
};

_Static_assert(sizeof(struct vcpu) <= PAGE_SIZE, "a vCPU is one frame");

/* ---- for nested VMX and the exit dispatch ---- */

/** vcpu_init() - once, before launch; NPT_EPOOL */
int vcpu_init(void);

/**
 * vcpu_vmentry() - the host enters a guest: if it is a vCPU of a confidential VM, do it
 *
 * vmcs12's controls, addresses and host state have been checked. False: it is
 * an ordinary guest's.
 */
bool vcpu_vmentry(struct cpu *cpu, const struct l1_regs *l1);
void vcpu_exit(struct cpu *cpu, u32 full);
void vcpu_deliver_events(struct cpu *cpu);
void vcpu_entry_failed(struct cpu *cpu, u32 error);
/** vcpu_vmclear() - the host executed VMCLEAR on @vmptr12: so does the monitor */
void vcpu_vmclear(struct cpu *cpu, u64 vmptr12);
/** vcpu_clear_dying() - VMCLEAR what this CPU has loaded of VMs that are going */
void vcpu_clear_dying(struct cpu *cpu);
/** vcpu_clear_all() - VMCLEAR what this CPU has loaded of any VM: it may not come back for long */
void vcpu_clear_all(struct cpu *cpu);

/* ---- core/guest_call.c ---- */

/** guest_hypercall() - VMCALL of the guest */
void guest_hypercall(struct cpu *cpu, struct vcpu *vcpu);

/* ---- between the files ---- */

/* vcpu_switch.c */
bool vcpu_switch_possible(void);
void vcpu_switch_new(struct vcpu *vcpu);
void vcpu_switch_in(struct cpu *cpu, struct vcpu *vcpu);
void vcpu_switch_out(struct cpu *cpu, struct vcpu *vcpu);
#define DR6_INIT 0xffff0ff0
void set_drs(const u64 dr[4], u64 dr6);

/*
 * vcpu_present.c. present() ends the guest's run, if it was running, and makes
 * the host the next to run; the caller returns at once.
 */
struct shown {
	u32 reason;
	u64 qualification;
	u32 length;
	u32 intr_info;
	u32 intr_code;
	u64 gpa;
	u64 rax, rbx, rcx, rdx;
	bool nmi;
};

void present(struct cpu *cpu, struct vcpu *vcpu, const struct shown *shown);
void present_stop(struct cpu *cpu, struct vcpu *vcpu, enum mon_vm_stop reason, u64 detail);
/** present_nothing() - the host is to run, or to do what it has been asked for otherwise */
void present_nothing(struct cpu *cpu, struct vcpu *vcpu);

/** host_page_there() - as host_page(), but NULL and nothing is presented if it is not mapped */
void *host_page_there(struct cpu *cpu, u64 gpa, bool write);

/**
 * host_page() - the host's own frame behind a page of the guest's, through EPT12
 *
 * NULL: the host has not mapped it; it was presented with a violation there,
 * and the caller returns and tries again at the next entry.
 */
void *host_page(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, bool write);

#define SCRATCH_GPA 0x1000ULL	/* page of QEMU's on which KVM finds the scratch instruction */
#define SCRATCH_DMA 0x1800ULL	/* fw_cfg control structure for QEMU */
#define BOUNCE_GPA 0x10000ULL	/* pages of QEMU's for fw_cfg data */
#define BOUNCE_SIZE 0x10000ULL
#define SCRATCH_SELECTOR 0xf000	/* no SIPI makes it with this base */
#define SCRATCH_INSN_SIZE 16ULL /* longest instruction and one byte */
_Static_assert(SCRATCH_GPA + MON_VM_MAX_VCPUS * SCRATCH_INSN_SIZE <= SCRATCH_DMA, "scratch page");

/* Each vCPU's own: KVM reads it while another vCPU may be at a device, too. */
static inline u64 scratch_insn(const struct vcpu *vcpu)
{
	return SCRATCH_GPA + vcpu->index * SCRATCH_INSN_SIZE;
}

/* The registers are in the CPU while the vCPU runs, in its frame while not. */
static inline u64 *gpr_now(struct cpu *cpu, struct vcpu *vcpu)
{
	return cpu->vcpu ? cpu->gpr : vcpu->gpr;
}

/* vcpu_op.c: true: the guest goes on; false: an exit was presented */
/** note_icr() - the guest writes its interrupt command register */
void note_icr(struct vcpu *vcpu, u32 low, u32 dest);
bool op_start(struct cpu *cpu, struct vcpu *vcpu, u32 reason);
bool op_resume(struct cpu *cpu, struct vcpu *vcpu);
void op_finish(struct vcpu *vcpu);
/** op_port_done() - a device of the monitor's has answered a port access */
bool op_port_done(struct cpu *cpu, struct vcpu *vcpu);

/* vcpu_mmio.c */
bool mmio_start(struct cpu *cpu, struct vcpu *vcpu, u64 gpa);
bool mmio_step(struct cpu *cpu, struct vcpu *vcpu);
bool mmio_answer(struct cpu *cpu, struct vcpu *vcpu, u64 rax);
/** mmio_ask() - let the host make an access of 1, 2 or 4 bytes as the guest's CPU */
void mmio_ask(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, u32 size, bool write, u32 value);
/** mmio_device_done() - a device of the monitor's has answered */
bool mmio_device_done(struct cpu *cpu, struct vcpu *vcpu);
/** guest_linear() - translate; false: #PF or the like was injected */
bool guest_linear(struct vcpu *vcpu, u64 la, u32 access, u64 *gpa);

/*
 * vcpu_device.c. True: the device's part is done, and what was read is in op.access.value; else
 * an exit was presented.
 */
bool device_resume(struct cpu *cpu, struct vcpu *vcpu, bool answered);
/** device_mmio() - false: there is no such device; else *@done: what is said above */
bool device_mmio(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, bool write, u64 value, bool *done);
/** device_port() - false: no port of such a device; else *@runs_on: does the guest go on? */
bool device_port(struct cpu *cpu, struct vcpu *vcpu, bool *runs_on);
/** device_drop() - the vCPU is reset, amid an access perhaps */
void device_drop(struct vcpu *vcpu);
/** devices_before_entry() - what was completed meanwhile; false: an exit was presented */
bool devices_before_entry(struct cpu *cpu, struct vcpu *vcpu);

/* vcpu_fwcfg.c */
#define FWCFG_SELECT 0x510
#define FWCFG_DATA 0x511
#define FWCFG_DMA_HIGH 0x514
#define FWCFG_DMA_LOW 0x518
enum { DMA_TO_ASK, DMA_ANSWERED };
bool fwcfg_dma_start(struct cpu *cpu, struct vcpu *vcpu, u32 low);
bool fwcfg_dma_step(struct cpu *cpu, struct vcpu *vcpu);
bool fwcfg_dma_answer(struct cpu *cpu, struct vcpu *vcpu);

/* vcpu.c */
/** host_event_known() - may the host inject this at some time? */
bool host_event_known(u32 info);
/** host_event_ok() - and now? The vCPU's VMCS is current. */
bool host_event_ok(u32 info);

/* vcpu_intr.c */
/** vcpu_delivers() - does the host leave it to the CPU to deliver interrupts? */
bool vcpu_delivers(const struct vmcs12 *v);
/**
 * vcpu_virtual_interrupt() - then inject what is due, or wait for the moment
 *
 * At each entry, and when such a moment has come. False: a vector that the host may not inject.
 */
bool vcpu_virtual_interrupt(struct vmcs12 *v);

/* vcpu_cr.c, vcpu_cpuid.c */
void vcpu_cr_access(struct cpu *cpu, struct vcpu *vcpu);
void vcpu_xsetbv(struct cpu *cpu, struct vcpu *vcpu);
void vcpu_cr_reset(void);
void cpuid_filter(struct vcpu *vcpu, u32 leaf, u32 sub, u32 regs[4]);

#endif /* _VMX_VCPU_H */
