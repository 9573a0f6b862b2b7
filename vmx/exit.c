// SPDX-License-Identifier: GPL-2.0-only
/* Exits: who left, and who answers. */
#include "end.h"
#include "thread.h"
#include "vcpu.h"
#include "../core/lib.h"
#include "../npt/npt.h"

#define CPUID_1_OSXSAVE BIT(27)
#define CPUID_1_SMX BIT(6)
#define CPUID_7_OSPKE BIT(4)
#define CPUID_7_PT BIT(25)
#define CPUID_D1_PT BIT(8) /* of XSS */
#define CR0_ET BIT(4)
#define CR0_NE BIT(5)
#define CR0_NW BIT(29)
#define CR0_CD BIT(30)
#define CR4_MCE BIT(6)
#define CR4_OSXSAVE BIT(18)
#define CR4_PKE BIT(22)

/*
 * CPUID as on the bare machine. Two bits mirror CR4, which in root mode is not
 * the host's (SDM vol 2, CPUID); SMX and processor trace are not offered. The hypervisor bit stays
 * clear: KVM takes slower paths when it sees one (vmx.c, fast MMIO).
 */
void host_cpuid(struct cpu *cpu)
{
	u32 leaf = (u32)cpu->gpr[RAX];
	u32 a = leaf, b, c = (u32)cpu->gpr[RCX], d;
	u64 cr4 = vmread(GUEST_CR4);
	u32 sub = c;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	if (leaf == 1)
		c = (c & ~(u32)(CPUID_1_OSXSAVE | CPUID_1_SMX)) |
		    (cr4 & CR4_OSXSAVE ? CPUID_1_OSXSAVE : 0);
	if (leaf == 7 && sub == 0) {
		b &= ~(u32)CPUID_7_PT;
		c = (c & ~(u32)CPUID_7_OSPKE) | (cr4 & CR4_PKE ? CPUID_7_OSPKE : 0);
	}
	if (leaf == 0xd && sub == 1)
		c &= ~(u32)CPUID_D1_PT;
	cpu->gpr[RAX] = a;
	cpu->gpr[RBX] = b;
	cpu->gpr[RCX] = c;
	cpu->gpr[RDX] = d;
	advance_rip();
}

/* CPL 0 is checked before the exit (SDM 26.1.1), but not by every emulator. */
static void host_xsetbv(struct cpu *cpu)
{
	u64 value = (u32)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;

	if (!((vmread(GUEST_SS_AR_BYTES) >> 5) & 3) &&
	    xsetbv_safe((u32)cpu->gpr[RCX], value))
		advance_rip();
	else
		inject_gp();
}

static void host_rdmsr(struct cpu *cpu)
{
	u64 value = 0;

	if (!host_msr_read(cpu, (u32)cpu->gpr[RCX], &value)) {
		count(MON_CNT_BAD_MSR);
		inject_gp();
		return;
	}
	cpu->gpr[RAX] = (u32)value;
	cpu->gpr[RDX] = value >> 32;
	advance_rip();
}

static void host_wrmsr(struct cpu *cpu)
{
	u64 value = (u32)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;

	if (!host_msr_write(cpu, (u32)cpu->gpr[RCX], value)) {
		count(MON_CNT_BAD_MSR);
		inject_gp();
		return;
	}
	advance_rip();
}

/* WBINVD instead: INVD would drop the monitor's own dirty lines. */
static void host_invd(void)
{
	asm volatile("wbinvd" : : : "memory");
	advance_rip();
}

/*
 * INIT: architectural reset state, waiting for a SIPI (SDM 10.4.7, table 10-1).
 * The CPU stays the monitor's guest, so it sees protected memory no more than before.
 * It may never come back, so nobody waits for it: not for its flush, nor for a VMCS
 * that it has loaded. An INIT in a guest is an exit of the guest instead.
 */
void host_init_signal(struct cpu *cpu)
{
	static const u64 no_breakpoints[4];
	u64 cr0 = vmread(GUEST_CR0);
	u32 signature, b, c, d;

	host_step_done(cpu);
	cpu->events = 0;
	nested_reset(cpu);
	vcpu_clear_all(cpu);
	vmcs_write_reset_state();
	vmwrite(GUEST_CR0, (cr0 & (CR0_CD | CR0_NW)) | CR0_ET | CR0_NE);
	vmwrite(CR0_READ_SHADOW, CR0_ET);
	host_set_cr4(0);
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_WAIT_SIPI);
	set_drs(no_breakpoints, DR6_INIT);
	asm volatile("movq %0, %%cr2" : : "r"(0ULL));
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	cpuid(1, 0, &signature, &b, &c, &d);
	cpu->gpr[RDX] = signature;
	epoch_park(cpu->index);
	cpu->waits_for_sipi = true;
}

static void host_sipi(struct cpu *cpu)
{
	cpu->waits_for_sipi = false;
	vmcs_write_sipi(vmread(EXIT_QUALIFICATION) & 0xff);
}

void fatal(const char *what, u32 reason)
{
	monitor_print("\nmonitor: ");
	monitor_print(what);
	monitor_print(" reason ");
	monitor_print_hex(reason);
	monitor_print(" qualification ");
	monitor_print_hex(vmread(EXIT_QUALIFICATION));
	monitor_print(" rip ");
	monitor_print_hex(vmread(GUEST_RIP));
	monitor_print(" gpa ");
	monitor_print_hex(vmread(GUEST_PHYSICAL_ADDRESS));
	monitor_print("\n");
	monitor_reset();
}

/*
 * An exit that happened while an event was being delivered: deliver it again
 * (SDM 25.9.3, 28.2.4), unless the handler has something of its own to inject.
 */
static void requeue_event(void)
{
	u64 info = vmread(IDT_VECTORING_INFO);

	if (!(info & INTR_INFO_VALID) || (vmread(VM_ENTRY_INTR_INFO) & INTR_INFO_VALID))
		return;
	if (info & INTR_INFO_ERROR_CODE)
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, vmread(IDT_VECTORING_ERROR_CODE));
	vmwrite(VM_ENTRY_INSTRUCTION_LEN, vmread(VM_EXIT_INSTRUCTION_LEN));
	/* A re-injected NMI blocks NMIs itself; blocking would make the entry fail. */
	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI)
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			vmread(GUEST_INTERRUPTIBILITY_INFO) & ~INTR_STATE_NMI);
	vmwrite(VM_ENTRY_INTR_INFO, info & ~(u64)INTR_INFO_UNBLOCK_NMI & ~0x7ffff000ULL);
}

static void host_exit(struct cpu *cpu, u32 reason)
{
	switch (reason) {
	case EXIT_CPUID:
		host_cpuid(cpu);
		break;
	case EXIT_VMCALL:
		host_hypercall(cpu);
		break;
	case EXIT_MSR_READ:
		host_rdmsr(cpu);
		break;
	case EXIT_MSR_WRITE:
		host_wrmsr(cpu);
		break;
	case EXIT_CR_ACCESS:
		host_cr_access(cpu);
		break;
	case EXIT_IO_INSTRUCTION:
		ports_access(cpu);
		break;
	case EXIT_XSETBV:
		host_xsetbv(cpu);
		break;
	case EXIT_INVD:
		host_invd();
		break;
	case EXIT_EPT_VIOLATION:
		host_ept_violation(cpu);
		requeue_event();
		break;
	case EXIT_MONITOR_TRAP_FLAG:
		host_step_done(cpu);
		break;
	case EXIT_VMCLEAR ... EXIT_VMXON:
	case EXIT_INVEPT:
	case EXIT_INVVPID:
		nested_vmx_insn(cpu, reason);
		break;
	case EXIT_GETSEC:
	case EXIT_SEAMCALL:
	case EXIT_TDCALL:
	case EXIT_REASONS ... EXIT_REASON_BASIC: /* of an instruction newer than this list */
		inject_ud();
		break;
	case EXIT_INIT_SIGNAL:
		host_init_signal(cpu);
		break;
	case EXIT_SIPI_SIGNAL:
		host_sipi(cpu);
		break;
	case EXIT_EXCEPTION_NMI: /* of all of them only a machine check */
		events_add(cpu, EVENT_MCE);
		requeue_event();
		break;
	case EXIT_TRIPLE_FAULT:
		/* What the machine would do by itself. */
		fatal("host shut down (triple fault)", reason);
		break;
	default:
		fatal("exit of the host that was not asked for", reason);
	}
}

void handle_exit(struct cpu *cpu)
{
	u32 full = (u32)vmread(VM_EXIT_REASON);
	u32 reason = full & EXIT_REASON_BASIC, counted = min_u64(reason, EXIT_REASONS - 1);

	if (unlikely(READ_ONCE(machine_ending)))
		machine_park();
	if (reason == EXIT_MCE_DURING_ENTRY ||
	    (reason == EXIT_EXCEPTION_NMI && exit_by_machine_check()))
		mcheck_take(cpu);
	epoch_pass(cpu->index);
	/* Nobody was entered, and nothing has changed (SDM 27.9): as if it had come before. */
	if (reason == EXIT_MCE_DURING_ENTRY) {
		events_add(cpu, EVENT_MCE);
		if (!cpu->vcpu && !cpu->thread && cpu->current != &cpu->vmcs01)
			nested_entry_again(cpu);
		return;
	}
	if (!(full & EXIT_REASON_ENTRY_FAILURE))
		cpu->current->launched = true;
	if (cpu->vcpu) {
		cpu->guest_exits[counted]++;
		vcpu_exit(cpu, full);
	} else if (cpu->thread) {
		cpu->guest_exits[counted]++;
		thread_exit(cpu, full);
	} else if (cpu->current != &cpu->vmcs01) {
		cpu->guest_exits[counted]++;
		nested_guest_exit(cpu, full);
	} else if (full & EXIT_REASON_ENTRY_FAILURE) {
		fatal("entry of the host failed", full);
	} else {
		cpu->host_exits[counted]++;
		vmwrite(VM_ENTRY_INTR_INFO, 0);
		host_exit(cpu, reason);
	}
	cpu->launched = cpu->current->launched;
}

static bool host_can_take_event(void)
{
	return !(vmread(VM_ENTRY_INTR_INFO) & INTR_INFO_VALID) &&
	       vmread(GUEST_ACTIVITY_STATE) != ACTIVITY_WAIT_SIPI;
}

/*
 * NMIs are not intercepted, so the host's own blocking is the CPU's: one that
 * came in root mode may be delivered at once. Blocking by STI or MOV SS would
 * fail the entry; it covers one instruction, which then comes after the NMI.
 * If something is being injected already, MTF exits right behind it.
 */
void handle_events(struct cpu *cpu)
{
	u64 blocking = INTR_STATE_STI | INTR_STATE_MOV_SS;
	bool mce;

	if (cpu->events & EVENT_MCE_IN_ROOT) {
		events_clear(cpu, EVENT_MCE_IN_ROOT);
		count(MON_CNT_MCE_IN_ROOT);
	}
	if (cpu->current != &cpu->vmcs01) {
		if (cpu->events & EVENT_NMI)
			count(MON_CNT_NMI_IN_ROOT);
		if (cpu->vcpu)
			vcpu_deliver_events(cpu);
		else if (cpu->thread)
			thread_interrupt(cpu); /* and again, for the host */
		else
			nested_deliver_events(cpu);
		cpu->launched = cpu->current->launched;
		return;
	}
	if (!host_can_take_event()) {
		if (vmread(GUEST_ACTIVITY_STATE) == ACTIVITY_WAIT_SIPI)
			cpu->events = cpu->mcg_status = 0;
		else
			host_step_request(cpu);
		return;
	}
	mce = READ_ONCE(cpu->events) & EVENT_MCE;
	if (!mce)
		blocking |= INTR_STATE_NMI;
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, vmread(GUEST_INTERRUPTIBILITY_INFO) & ~blocking);
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
	if (mce) {
		events_clear(cpu, EVENT_MCE);
		if (!(host_cr4() & CR4_MCE))
			fatal("machine check, and the host's CR4.MCE is clear", VECTOR_MC);
		inject_exception(VECTOR_MC, INJECT_NO_CODE);
	} else {
		events_clear(cpu, EVENT_NMI);
		count(MON_CNT_NMI_IN_ROOT);
		vmwrite(VM_ENTRY_INTR_INFO, 2 | INTR_TYPE_NMI | INTR_INFO_VALID);
	}
}

void handle_entry_failure(struct cpu *cpu)
{
	u64 error = vmread(VM_INSTRUCTION_ERROR);

	if (cpu->current != &cpu->vmcs01) {
		if (cpu->vcpu)
			vcpu_entry_failed(cpu, (u32)error);
		else if (cpu->thread)
			thread_entry_failed(cpu, (u32)error);
		else
			nested_entry_failed(cpu, (u32)error);
		cpu->launched = cpu->current->launched;
		return;
	}
	/* The very first entry: the host is native yet, and is told. */
	if (!cpu->vmcs01.launched)
		launch_failed(cpu, error);
	fatal("VM entry of the host failed, error", (u32)error);
}

void handle_root_exception(const u64 *frame)
{
	monitor_print("\nmonitor: exception in root mode, vector ");
	monitor_print_hex(frame[0]);
	monitor_print(" code ");
	monitor_print_hex(frame[1]);
	monitor_print(" rip ");
	monitor_print_hex(frame[2]);
	monitor_print(" rsp ");
	monitor_print_hex(frame[5]);
	asm volatile("movq %%cr2, %0" : "=r"(frame));
	monitor_print(" cr2 ");
	monitor_print_hex((u64)frame);
	monitor_bug("exception");
}
