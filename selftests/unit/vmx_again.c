// SPDX-License-Identifier: GPL-2.0-only
/* cflags: -Wno-unused-parameter */
/*
 * Behind any exit of an ordinary guest this CPU has passed an epoch, and what vmcs02 points to may
 * have become somebody else's. It is entered again only if that was asked for since; else the
 * host is.
 */
#include "npt/shim.h"
#define vmread cpu_vmread
#define vmwrite cpu_vmwrite
#include "vmx/vmcs.h"
#undef vmread
#undef vmwrite

static u64 vmcs[0x8000];

static u64 vmread(enum vmcs_field field)
{
	return vmcs[field];
}

static void vmwrite(enum vmcs_field field, u64 value)
{
	vmcs[field] = value;
}

#include "vmx/end.h"
#include "vmx/thread.h"
#include "vmx/vcpu.h"
#include "unit.h"

static struct cpu cpu_now;
static bool passed, asked, owned, host_asks;
static u32 injected;

struct vmx_caps vmx_caps;
struct monitor monitor;
struct npt host_npt;
u32 machine_ending;

/* ---- no threads of enclaves here ---- */

void thread_exit(struct cpu *cpu, u32 full)
{
}

void thread_interrupt(struct cpu *cpu)
{
}

void thread_entry_failed(struct cpu *cpu, u32 error)
{
}

void epoch_pass(u32 cpu)
{
	passed = true;
	asked = false;
}

bool vmcs02_refresh(struct cpu *cpu)
{
	asked = true;
	return owned;
}

void vmcs_load(struct cpu *cpu, struct vmcs *now) { cpu->current = now; }
void vmcs_clear(struct cpu *cpu, struct vmcs *v) {}
void vmcs02_save_hot(struct nested *n) {}
void shadow_store(struct cpu *cpu) {}
void vpid_flush_at_exit(const struct vmcs12 *v) {}
u32 msr_list_load(struct cpu *cpu, u64 pa, u32 n) { return 0; }
u32 msr_list_store(struct cpu *cpu, u64 pa, u32 n) { return 0; }
bool host_wants_msr(const struct nested *n, u32 msr, bool write) { return host_asks; }
bool host_wants_io(const struct nested *n, u64 qualification) { return host_asks; }
bool guest_msr_read(struct cpu *cpu, u32 msr, u64 *value) { return true; }
bool guest_msr_write(struct cpu *cpu, u32 msr, u64 value) { return true; }
void ports_access(struct cpu *cpu) {}
u64 operand_reg(struct cpu *cpu, u32 reg) { return 0; }
void *host_ptr(u64 pa, u64 len) { return NULL; }
enum host_fault host_npt_fault(u64 gpa) { return HOST_FAULT_RETRY; }

enum ept02_verdict ept02_fault(u64 eptp12, u64 gpa, u64 access, u64 *perm12)
{
	return host_asks ? EPT02_VIOLATION : EPT02_RETRY;
}

void mcheck_take(struct cpu *cpu) {}
void advance_rip(void) {}
void inject_exception(u32 vector, s64 code) { injected = vector; }
void count(enum mon_counter counter) {}
u64 host_cr4(void) { return BIT(6); }
void host_set_cr4(u64 value) {}

/* Not of a guest. */
#define NOT_HERE(name, ...) void name(__VA_ARGS__) { abort(); }
NOT_HERE(machine_park, void)
NOT_HERE(vcpu_exit, struct cpu *cpu, u32 full)
NOT_HERE(vcpu_deliver_events, struct cpu *cpu)
NOT_HERE(vcpu_entry_failed, struct cpu *cpu, u32 error)
NOT_HERE(vcpu_clear_all, struct cpu *cpu)
NOT_HERE(nested_entry_failed, struct cpu *cpu, u32 error)
NOT_HERE(nested_reset, struct cpu *cpu)
NOT_HERE(nested_vmx_insn, struct cpu *cpu, u32 reason)
NOT_HERE(host_step_request, struct cpu *cpu)
NOT_HERE(host_step_done, struct cpu *cpu)
NOT_HERE(host_hypercall, struct cpu *cpu)
NOT_HERE(host_cr_access, struct cpu *cpu)
NOT_HERE(host_ept_violation, struct cpu *cpu)
NOT_HERE(vmcs_write_reset_state, void)
NOT_HERE(vmcs_write_sipi, u64 vector)
NOT_HERE(epoch_park, u32 cpu)
NOT_HERE(set_drs, const u64 dr[4], u64 dr6)
NOT_HERE(monitor_print, const char *s)
NOT_HERE(monitor_print_hex, u64 value)
NOT_HERE(monitor_reset, void)
NOT_HERE(monitor_bug, const char *what)
NOT_HERE(launch_failed, struct cpu *cpu, u64 detail)
bool host_msr_read(struct cpu *cpu, u32 msr, u64 *value) { abort(); }
bool host_msr_write(struct cpu *cpu, u32 msr, u64 value) { abort(); }
bool xsetbv_safe(u32 index, u64 value) { abort(); }

#include "vmx/exit.c"
#define requeue_event nested_requeue_event
#include "vmx/nested_exit.c"

/* left() - by this exit, on to whoever is entered next; is it wrong? */
static bool left(u32 full, u64 bitmap, bool ept)
{
	struct cpu *cpu = &cpu_now;
	struct nested *n = &cpu->nested;

	memset(cpu, 0, sizeof(*cpu));
	memset(vmcs, 0, sizeof(vmcs));
	n->vmptr12 = NO_VMPTR;
	n->vmcs12.exception_bitmap = (u32)bitmap;
	n->vmcs12.cpu_based_vm_exec_control = ept ? CPU_SECONDARY_CONTROLS : 0;
	n->vmcs12.secondary_vm_exec_control = ept ? CPU2_ENABLE_EPT : 0;
	cpu->current = &n->vmcs02;
	vmcs[VM_EXIT_REASON] = full;
	vmcs[EXIT_QUALIFICATION] = QUALIFICATION_TO_CR4;
	if ((full & EXIT_REASON_BASIC) == EXIT_EXCEPTION_NMI)
		vmcs[VM_EXIT_INTR_INFO] = INTR_INFO_MC;
	passed = asked = false;
	handle_exit(cpu);
	if (cpu->events)
		handle_events(cpu);
	if (cpu->events || !passed)
		return true;
	return cpu->current == &cpu->vmcs01 ? false : !asked || !owned;
}

/* How many of all exits there are go wrong. */
static int all(u32 flags)
{
	u32 reason, way;
	int wrong = 0;

	for (reason = 0; reason < EXIT_REASONS + 2; reason++)
		for (way = 0; way < 8; way++) {
			host_asks = way & 1;
			owned = way & 2;
			wrong += left(reason | flags, way & 4 ? BIT(VECTOR_MC) : 0, way & 1);
		}
	return wrong;
}

/* ends_up() - an exit that the monitor keeps to itself: is the guest entered again? */
static bool ends_up(u32 reason)
{
	host_asks = false;
	return !left(reason, 0, true) && cpu_now.current == &cpu_now.nested.vmcs02;
}

int main(void)
{
	ok(!all(0), "exits: the guest is entered again only if that was asked for");
	ok(!all(EXIT_REASON_ENTRY_FAILURE), "entries that failed: likewise");
	owned = true;
	ok(ends_up(EXIT_EPT_VIOLATION) && ends_up(EXIT_MSR_READ) && ends_up(EXIT_CR_ACCESS),
	   "control: some exits are the monitor's own");
	ok(ends_up(EXIT_EXCEPTION_NMI) && ends_up(EXIT_MCE_DURING_ENTRY),
	   "... machine checks among them, if the host does not want them");
	owned = false;
	left(EXIT_MCE_DURING_ENTRY, 0, true);
	ok(cpu_now.current == &cpu_now.vmcs01 && injected == VECTOR_MC,
	   "a machine check at the entry of one whose page was given away: the host has both");
	return unit_end();
}
