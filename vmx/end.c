// SPDX-License-Identifier: GPL-2.0-only
/*
 * The end of the machine, where the monitor sees it coming: memory survives a
 * reset and a sleep, the monitor does not. So no CPU runs anybody any more, what
 * domains had in memory is wiped, and caches are written back: a reset drops
 * them, and what they covered would be there again (SDM 12.11).
 *
 * One CPU ends the machine; the others park in root mode for good. If one does
 * not, the machine stands still instead: the host has lost it either way.
 */
#include "end.h"
#include "vcpu.h"
#include "../core/enclave.h"
#include "../core/lib.h"
#include "../npt/npt.h"

/* SDM 12.6.1: all excluding self, assert */
#define ICR_INIT 0xc4500U
#define ICR_NMI 0xc4400U

#define PARK_TRIES 100000000U /* of a PAUSE: a second or more, where an exit takes microseconds */

u32 machine_ending; /* 0, or the index of the CPU that does it and 1 */

static bool wiped;

static void wbinvd(void)
{
	asm volatile("wbinvd" : : : "memory");
}

static void __noreturn halt(void)
{
	for (;;)
		asm volatile("cli; hlt");
}

static bool others_parked(const struct cpu *self)
{
	u32 i;

	for (i = 0; i < monitor.nr_cpus; i++) {
		const struct cpu *cpu = cpu_of(i);

		if (cpu != self && !READ_ONCE(cpu->parked) && !READ_ONCE(cpu->waits_for_sipi))
			return false;
	}
	return true;
}

static bool wait_for_others(const struct cpu *self)
{
	u32 tries;

	for (tries = 0; tries < PARK_TRIES; tries++) {
		if (others_parked(self))
			return true;
		asm volatile("pause");
	}
	return false;
}

/*
 * INIT makes an exit of whatever guest a CPU is in, and waits where it is in
 * root mode (SDM 26.2, 24.8). One that is stuck there, behind a lock of a CPU
 * that found a bug, is reached by an NMI. If the host's APIC is off nobody parks.
 */
static bool stop_others(const struct cpu *self)
{
	if (others_parked(self))
		return true;
	ipi_others(ICR_INIT);
	if (wait_for_others(self))
		return true;
	ipi_others(ICR_NMI);
	return wait_for_others(self);
}

/* What this CPU still has of a guest: in its VMCSs, its registers as saved, and its caches. */
static void forget_guests(struct cpu *cpu)
{
	if (cpu->in_vmx) {
		vcpu_clear_all(cpu);
		vmcs_clear(cpu, &cpu->nested.vmcs02);
		if (cpu->enclave_vmcs_made)
			vmcs_clear(cpu, &cpu->enclave_vmcs);
		vmcs_clear(cpu, &cpu->vmcs01);
	}
	memset(cpu->gpr, 0, sizeof(cpu->gpr));
	wrmsr_safe(MSR_MCG_STATUS, 0); /* else the next machine check would shut it down */
	wbinvd();
}

static void leave_vmx(struct cpu *cpu)
{
	if (cpu->in_vmx)
		vmxoff();
	cpu->in_vmx = 0;
}

/* With VMXOFF an INIT that waits comes through: all has to be done before. */
void machine_park(void)
{
	struct cpu *cpu = this_cpu();

	forget_guests(cpu);
	WRITE_ONCE(cpu->parked, true);
	leave_vmx(cpu);
	halt();
}

/* Each stack up to what is in use of it; without a call, which would be in use. */
static void wipe_stacks(const struct cpu *self)
{
	u64 words, at;
	u32 i;

	for (i = 0; i < monitor.nr_cpus; i++) {
		u64 top = (u64)cpu_of(i) + MON_CPU_STACK_TOP;

		at = top - MON_CPU_STACK_PAGES * PAGE_SIZE;
		words = (top - at) / 8;
		if (cpu_of(i) == self)
			asm volatile("movq %%rsp, %0; subq %1, %0; shrq $3, %0"
				     : "=&r"(words) : "r"(at) : "cc");
		if (words > (top - at) / 8) /* on another stack: of an exception */
			words = (top - at) / 8;
		asm volatile("rep stosq" : "+D"(at), "+c"(words) : "a"(0) : "memory");
	}
}

void machine_end(void)
{
	struct cpu *cpu = this_cpu();
	u32 me = cpu->index + 1, before = __sync_val_compare_and_swap(&machine_ending, 0, me);

	if (before == me) /* by a fault on the way: nothing is known to be wiped */
		halt();
	if (before)
		machine_park();
	if (!stop_others(cpu)) {
		monitor_print("\nmonitor: CPUs do not stop, so the machine does\n");
		halt();
	}
	forget_guests(cpu);
	leave_vmx(cpu);
	frames_wipe();
	enclave_wipe();
	enclave_evict_wipe();
	wipe_stacks(cpu);
	wbinvd();
	wiped = true;
}

/* With no descriptor tables any exception is a triple fault, which resets the machine. */
void monitor_reset(void)
{
	struct {
		u16 limit;
		u64 base;
	} __attribute__((packed)) none = { 0, 0 };

	if (!wiped && (this_cpu()->in_vmx || machine_ending))
		machine_end();
	asm volatile("lidt %0; int3" : : "m"(none));
	halt();
}
