/* SPDX-License-Identifier: GPL-2.0-only */
/* The CPU, its VMCS01 and the host's memory, for vmx/ in user space: arrays. */
#ifndef _FUZZ_VMCS12_CPU_H
#define _FUZZ_VMCS12_CPU_H

#include "fuzz.h"
#include "npt/shim.h"

#define read_cr4 cpu_read_cr4
#define vmread cpu_vmread
#define vmwrite cpu_vmwrite
#include "vmx/vcpu.h"
#undef read_cr4
#undef vmread
#undef vmwrite

/* ---- the CPU and the memory ---- */

#define PAGES 24 /* of the host's; those from THEIRS on are somebody else's */
#define THEIRS 20
#define TABLES 0 /* four pages: the host's tables */
#define DATA 4	 /* linear address of page n is n pages, if it is mapped */
#define REVISION 0x12
#define PA_BITS 36

static u8 memory[PAGES][PAGE_SIZE] __attribute__((__aligned__(4096)));
static u64 vmcs01[0x8000];
static struct cpu cpu_now;
static int exception;
static unsigned int advanced, entered;

struct vmx_caps vmx_caps;
struct monitor monitor;
struct spinlock npt_lock;
u64 nested_caps[0x12], perf_global_mask = 0xff;

static u64 vmread(enum vmcs_field field)
{
	return vmcs01[field];
}

static void vmwrite(enum vmcs_field field, u64 value)
{
	vmcs01[field] = value;
}

static u64 read_cr4(void)
{
	return vmcs01[GUEST_CR4];
}

u64 host_cr4(void)
{
	return (vmcs01[GUEST_CR4] & ~CR4_HOST_OWNED) | (vmcs01[CR4_READ_SHADOW] & CR4_HOST_OWNED);
}

bool host_owns(u64 pa, u64 len)
{
	return len && pa < THEIRS * PAGE_SIZE && len <= THEIRS * PAGE_SIZE - pa;
}

void *host_ptr(u64 pa, u64 len)
{
	return host_owns(pa, len) ? (u8 *)memory + pa : NULL;
}

void monitor_bug(const char *what)
{
	printf("# bug: %s\n", what);
	abort();
}

void inject_exception(u32 vector, s64 code)
{
	exception = vector;
}

void advance_rip(void)
{
	advanced++;
}

void count(enum mon_counter counter) {}
void vmcs_load(struct cpu *cpu, struct vmcs *vmcs) {}
void vmcs_clear(struct cpu *cpu, struct vmcs *vmcs) {}
int vmcs_init(struct vmcs *vmcs) { return 0; }
u64 frame_get(enum frame_type type) { return 1; }
void *frame_ptr(u64 pfn) { return memory[0]; }
int shadow_init(struct cpu *cpu) { return 0; }
void shadow_start(struct cpu *cpu) {}
void shadow_stop(struct cpu *cpu) {}
void shadow_fetch(struct cpu *cpu) {}
void shadow_store(struct cpu *cpu) {}
void shadow_widen(struct cpu *cpu) {}
void shadow_narrow(struct cpu *cpu) {}
void vmcs02_init(struct cpu *cpu) {}
void nested_sync_guest(struct cpu *cpu) {}
void nested_invept(struct cpu *cpu) {}
void nested_invvpid(struct cpu *cpu) {}
bool vm_any(void) { return false; }
bool vcpu_vmentry(struct cpu *cpu, const struct l1_regs *l1) { return false; }
void vcpu_vmclear(struct cpu *cpu, u64 pa) {}
u32 msr_list_load(struct cpu *cpu, u64 pa, u32 n) { return 0; }

bool ept02_eptp_valid(u64 eptp)
{
	return (eptp & 0xfff) == 0x1e && !(eptp >> PA_BITS);
}

u32 hot_index(u32 encoding)
{
	return HOT_NR;
}

void vmcs02_prepare(struct cpu *cpu, const struct l1_regs *l1)
{
	entered = 1;
	cpu->nested.dirty = 0;
	cpu->nested.vmcs12.launch_state = VMCS12_LAUNCHED;
}

void nested_entry_exit(struct cpu *cpu, u32 reason, u64 qualification)
{
	entered = 2;
}

static u64 cr2;

#include "vmx/check.c"
#undef CR0_PE
#undef CR0_WP
#undef CR0_PG
#undef CR4_PAE
#undef EFER_LMA
/* It loads CR2. */
#define asm
#define volatile(...) cr2 = la
#include "vmx/nested_operand.c"
#undef volatile
#undef asm
#undef RFLAGS_AC
#include "vmx/nested_insn.c"
#include "vmx/nested_entry.c"

#endif /* _FUZZ_VMCS12_CPU_H */
