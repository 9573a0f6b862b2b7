// SPDX-License-Identifier: GPL-2.0-only
/*
 * VM entries. A guest whose only instruction is HLT is entered again and again
 * with one thing changed, and the answer says what became of it: a failed
 * instruction, a failed entry or an exit, and what is then in the registers of
 * guest and host that was not there before.
 *
 * No change can do harm: the guest has an EPT of its own frames, a timer that
 * ends it, and the task priority keeps interrupts away. What of the host's
 * state would not survive its change is left alone.
 */
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/objtool.h>
#include <asm/debugreg.h>
#include <asm/desc.h>
#include <asm/linkage.h>
#include <asm/msr.h>
#include <asm/segment.h>
#include <asm/tlbflush.h>
#include "testmod.h"
#include "vmx.h"

#define MAX_FIELDS 160

struct field {
	u32 encoding;
	u64 value;
};

struct vmcs {
	struct field field[MAX_FIELDS];
	unsigned int nr;
};

static u64 *at(struct vmcs *v, u32 encoding)
{
	unsigned int i;

	for (i = 0; i < v->nr; i++)
		if (v->field[i].encoding == encoding)
			return &v->field[i].value;
	if (WARN_ON(v->nr == MAX_FIELDS))
		return &v->field[0].value;
	v->field[v->nr] = (struct field){ encoding, 0 };
	return &v->field[v->nr++].value;
}

static void set(struct vmcs *v, u32 encoding, u64 value)
{
	*at(v, encoding) = value;
}

/* ---- the guests ---- */

enum { EFER_LONG = 1 << 8 | 1 << 10 };
#define CR0_NE_ET 0x30
#define EPT_RWX_WB 0x37
#define EPTP_WB_4 0x1e

/* SDM 25.6: what is 1 in the controls, besides what has to be. */
#define PIN_BASE (1 << 0 | 1 << 3 | 1 << 6) /* interrupts, NMIs, the timer */
#define CPU_BASE (1u << 7 | 1u << 25 | 1u << 28 | 1u << 31) /* HLT, I/O and MSR bitmaps */
#define CPU2_BASE (1 << 1 | 1 << 5)			     /* EPT, VPID */
#define CPU2_UNRESTRICTED (1 << 7)
#define EXIT_BASE (1 << 2 | 1 << 9 | 1 << 18 | 1 << 19 | 1 << 20 | 1 << 21)
#define ENTRY_BASE (1 << 2 | 1 << 14 | 1 << 15)
#define ENTRY_LONG (1 << 9)

static u32 must_be(u32 wanted, u32 true_msr)
{
	return wanted | (u32)native_read_msr(true_msr);
}

static void controls(struct vmcs *v)
{
	set(v, F_PIN, must_be(PIN_BASE, 0x48d));
	set(v, F_CPU, must_be(CPU_BASE, 0x48e));
	set(v, F_CPU2, CPU2_BASE);
	set(v, F_EXIT, must_be(EXIT_BASE, 0x48f));
	set(v, F_ENTRY, must_be(ENTRY_BASE, 0x490));
	set(v, F_EXCEPTION_BITMAP, ~0u);
	set(v, F_VPID, 1);
	set(v, F_EPT_POINTER, vmx_page_pa(PAGE_EPT) | EPTP_WB_4);
	set(v, F_IO_BITMAP_A, vmx_page_pa(PAGE_IO_A));
	set(v, F_IO_BITMAP_B, vmx_page_pa(PAGE_IO_B));
	set(v, F_MSR_BITMAP, vmx_page_pa(PAGE_MSR_BITMAP));
	set(v, F_VIRTUAL_APIC, vmx_page_pa(PAGE_VAPIC));
	set(v, F_APIC_ACCESS, vmx_page_pa(PAGE_APIC_ACCESS));
	set(v, F_POSTED_DESC, vmx_page_pa(PAGE_POSTED));
	set(v, F_PML_ADDRESS, vmx_page_pa(PAGE_PML));
	set(v, F_VMREAD_BITMAP, vmx_page_pa(PAGE_VMREAD_BITMAP));
	set(v, F_VMWRITE_BITMAP, vmx_page_pa(PAGE_VMWRITE_BITMAP));
	set(v, F_EPTP_LIST, vmx_page_pa(PAGE_EPTP_LIST));
	set(v, F_VE_INFO, vmx_page_pa(PAGE_VE_INFO));
	set(v, F_EXIT_STORE_ADDR, vmx_page_pa(PAGE_STORE));
	set(v, F_EXIT_LOAD_ADDR, vmx_page_pa(PAGE_LOAD));
	set(v, F_ENTRY_LOAD_ADDR, vmx_page_pa(PAGE_ENTRY));
	set(v, F_LINK_POINTER, ~0ULL);
	set(v, F_TIMER, 0x1000);
	set(v, F_TSC_MULTIPLIER, 1ULL << 48);
}

static void zeros(struct vmcs *v)
{
	static const u32 fields[] = {
		F_EXIT_STORE_COUNT, F_EXIT_LOAD_COUNT, F_ENTRY_LOAD_COUNT, F_PF_MASK, F_PF_MATCH,
		F_CR3_TARGETS, F_ENTRY_INTR_INFO, F_ENTRY_ERROR_CODE, F_ENTRY_INSN_LEN,
		F_TPR_THRESHOLD, F_PLE_GAP, F_PLE_WINDOW, F_TSC_OFFSET, F_XSS_BITMAP, F_CR0_MASK,
		F_CR4_MASK, F_CR0_SHADOW, F_CR4_SHADOW, F_CR3_TARGET0, F_CR3_TARGET0 + 2,
		F_CR3_TARGET0 + 4, F_CR3_TARGET0 + 6, F_INTERRUPTIBILITY, F_ACTIVITY,
		F_PENDING_DEBUG, F_GUEST_DEBUGCTL, F_GUEST_SYSENTER_CS, F_GUEST_SYSENTER_ESP,
		F_GUEST_SYSENTER_EIP, F_GUEST_PML_INDEX, F_GUEST_INTR_STATUS, F_GUEST_IDTR_LIMIT,
		F_GUEST_PDPTR0, F_GUEST_PDPTR0 + 2, F_GUEST_PDPTR0 + 4, F_GUEST_PDPTR0 + 6,
		F_SMBASE,
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(fields); i++)
		set(v, fields[i], 0);
}

static void segments(struct vmcs *v, u32 code, u32 data, u32 limit, u64 base)
{
	unsigned int i;

	for (i = 0; i < 6; i++) {
		set(v, F_GUEST_ES + 2 * i, 8);
		set(v, F_GUEST_ES_LIMIT + 2 * i, limit);
		set(v, F_GUEST_ES_AR + 2 * i, i == 1 ? code : data);
		set(v, F_GUEST_ES_BASE + 2 * i, base);
	}
	set(v, F_GUEST_LDTR, 0);
	set(v, F_GUEST_LDTR_LIMIT, 0xffff);
	set(v, F_GUEST_LDTR_AR, 0x10000);
	set(v, F_GUEST_LDTR_BASE, 0);
	set(v, F_GUEST_TR, 16);
	set(v, F_GUEST_TR_LIMIT, 0x67);
	set(v, F_GUEST_TR_AR, 0x8b);
	set(v, F_GUEST_TR_BASE, 0);
	set(v, F_GUEST_GDTR_BASE, 0);
	set(v, F_GUEST_GDTR_LIMIT, 0xffff);
	set(v, F_GUEST_IDTR_BASE, 0);
}

static void guest_common(struct vmcs *v)
{
	controls(v);
	zeros(v);
	set(v, F_GUEST_CR4, X86_CR4_VMXE);
	set(v, F_GUEST_DR7, 0x400);
	set(v, F_GUEST_RFLAGS, 2);
	set(v, F_GUEST_RSP, vmx_page_pa(PAGE_CODE) + 0x800);
	set(v, F_GUEST_RIP, vmx_page_pa(PAGE_CODE));
	set(v, F_GUEST_CR3, vmx_page_pa(PAGE_PML4));
	set(v, F_GUEST_PAT, native_read_msr(MSR_IA32_CR_PAT));
	set(v, F_GUEST_PERF_GLOBAL, 0);
	set(v, F_GUEST_EFER, native_read_msr(MSR_EFER) & ~EFER_LONG);
}

static void guest_long(struct vmcs *v)
{
	guest_common(v);
	segments(v, 0xa09b, 0xc093, ~0u, 0);
	set(v, F_GUEST_CR0, X86_CR0_PE | X86_CR0_PG | CR0_NE_ET);
	set(v, F_GUEST_CR4, X86_CR4_VMXE | X86_CR4_PAE);
	set(v, F_GUEST_EFER, native_read_msr(MSR_EFER) | EFER_LONG);
	*at(v, F_ENTRY) |= ENTRY_LONG;
}

static void guest_pae(struct vmcs *v)
{
	guest_common(v);
	segments(v, 0xc09b, 0xc093, ~0u, 0);
	set(v, F_GUEST_CR0, X86_CR0_PE | X86_CR0_PG | CR0_NE_ET);
	set(v, F_GUEST_CR4, X86_CR4_VMXE | X86_CR4_PAE);
	set(v, F_GUEST_PDPTR0, vmx_page_pa(PAGE_PD) | 1);
}

static void guest_real(struct vmcs *v)
{
	guest_common(v);
	segments(v, 0x9b, 0x93, 0xffff, vmx_page_pa(PAGE_CODE));
	set(v, F_GUEST_CR0, CR0_NE_ET);
	set(v, F_GUEST_RIP, 0);
	set(v, F_GUEST_RSP, 0x800);
	set(v, F_GUEST_CR3, 0);
	*at(v, F_CPU2) |= CPU2_UNRESTRICTED;
}

/* Without EPT: the CPU walks the guest's tables, which map all memory to itself. */
static void guest_noept(struct vmcs *v)
{
	guest_long(v);
	*at(v, F_CPU2) &= ~(1ULL << 1);
}

static void guest_vm86(struct vmcs *v)
{
	unsigned int i;

	guest_pae(v);
	segments(v, 0xf3, 0xf3, 0xffff, 0x10000);
	for (i = 0; i < 6; i++)
		set(v, F_GUEST_ES + 2 * i, 0x1000);
	set(v, F_GUEST_RFLAGS, 0x20002);
	set(v, F_GUEST_RIP, 0);
	set(v, F_GUEST_RSP, 0x800);
}

static const struct {
	const char *name;
	void (*make)(struct vmcs *v);
} guests[] = {
	{ "long", guest_long }, { "pae", guest_pae },	{ "real", guest_real },
	{ "noept", guest_noept }, { "vm86", guest_vm86 },
};

static u64 guest_code; /* 8 bytes, instead of HLT */

/* Its tables: 1 GiB to itself in 2 MiB pages; EPT for the three kinds of frames it has. */
static void fill_pages(void)
{
	u64 *ept_pml4 = (u64 *)vmx_page(PAGE_EPT), *ept_pt = (u64 *)vmx_page(PAGE_EPT + 3), pa;
	unsigned int i;

	memset(vmx_page(PAGE_CODE), 0xf4, PAGE_SIZE);
	if (guest_code)
		memcpy(vmx_page(PAGE_CODE), &guest_code, sizeof(guest_code));
	for (i = PAGE_PML4; i < PAGE_IO_A; i++)
		memset(vmx_page(i), 0, PAGE_SIZE);
	*(u64 *)vmx_page(PAGE_PML4) = vmx_page_pa(PAGE_PDPT) | 3;
	*(u64 *)vmx_page(PAGE_PDPT) = vmx_page_pa(PAGE_PD) | 3;
	for (i = 0; i < 512; i++)
		((u64 *)vmx_page(PAGE_PD))[i] = ((u64)i << 21) | 0x83;
	pa = vmx_page_pa(PAGE_CODE);
	ept_pml4[(pa >> 39) & 511] = vmx_page_pa(PAGE_EPT + 1) | 7;
	((u64 *)vmx_page(PAGE_EPT + 1))[(pa >> 30) & 511] = vmx_page_pa(PAGE_EPT + 2) | 7;
	((u64 *)vmx_page(PAGE_EPT + 2))[(pa >> 21) & 511] = vmx_page_pa(PAGE_EPT + 3) | 7;
	for (i = PAGE_CODE; i < PAGE_EPT; i++)
		ept_pt[(vmx_page_pa(i) >> 12) & 511] = vmx_page_pa(i) | EPT_RWX_WB;
}

/* ---- the host ---- */

struct host {
	u64 cr0, cr3, cr4, efer, pat, fs, gs, sysenter_cs, sysenter_esp, sysenter_eip;
	struct desc_ptr gdt, idt;
	u64 tr_base;
};

static u64 tss_base(const struct desc_ptr *gdt)
{
	const struct ldttss_desc *d = (const void *)(gdt->address + GDT_ENTRY_TSS * 8);

	return d->base0 | (u64)d->base1 << 16 | (u64)d->base2 << 24 | (u64)d->base3 << 32;
}

static u64 real_cr4(void)
{
	u64 v;

	asm volatile("mov %%cr4, %0" : "=r"(v));
	return v;
}

static void host_read(struct host *h)
{
	h->cr0 = read_cr0();
	h->cr3 = __read_cr3();
	h->cr4 = real_cr4();
	h->efer = native_read_msr(MSR_EFER);
	h->pat = native_read_msr(MSR_IA32_CR_PAT);
	h->fs = native_read_msr(MSR_FS_BASE);
	h->gs = native_read_msr(MSR_GS_BASE);
	h->sysenter_cs = native_read_msr(MSR_IA32_SYSENTER_CS);
	h->sysenter_esp = native_read_msr(MSR_IA32_SYSENTER_ESP);
	h->sysenter_eip = native_read_msr(MSR_IA32_SYSENTER_EIP);
	native_store_gdt(&h->gdt);
	store_idt(&h->idt);
	h->tr_base = tss_base(&h->gdt);
}

static void host_state(struct vmcs *v, const struct host *h)
{
	unsigned int i;

	for (i = 0; i < 6; i++)
		set(v, F_HOST_ES + 2 * i, 0);
	set(v, F_HOST_CS, __KERNEL_CS);
	set(v, F_HOST_SS, __KERNEL_DS);
	set(v, F_HOST_TR, GDT_ENTRY_TSS * 8);
	set(v, F_HOST_PAT, h->pat);
	set(v, F_HOST_EFER, h->efer);
	set(v, F_HOST_PERF_GLOBAL, 0);
	set(v, F_HOST_SYSENTER_CS, h->sysenter_cs);
	set(v, F_HOST_CR0, h->cr0);
	set(v, F_HOST_CR3, h->cr3);
	set(v, F_HOST_CR4, h->cr4);
	set(v, F_HOST_FS_BASE, h->fs);
	set(v, F_HOST_GS_BASE, h->gs);
	set(v, F_HOST_TR_BASE, h->tr_base);
	set(v, F_HOST_GDTR_BASE, h->gdt.address);
	set(v, F_HOST_IDTR_BASE, h->idt.address);
	set(v, F_HOST_SYSENTER_ESP, h->sysenter_esp);
	set(v, F_HOST_SYSENTER_EIP, h->sysenter_eip);
	set(v, F_HOST_RIP, (u64)vmx_host_rip);
}

static void write_msr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

/* What the exit has loaded and is not as the kernel wants it; limits are always changed. */
static void host_restore(const struct host *h)
{
	asm volatile("mov %0, %%cr0" : : "r"(h->cr0));
	asm volatile("mov %0, %%cr4" : : "r"(h->cr4));
	asm volatile("mov %0, %%cr3" : : "r"(h->cr3) : "memory");
	write_msr(MSR_EFER, h->efer);
	write_msr(MSR_IA32_CR_PAT, h->pat);
	write_msr(MSR_IA32_SYSENTER_CS, h->sysenter_cs);
	native_load_gdt(&h->gdt);
	native_load_idt(&h->idt);
	invalidate_tss_limit();
}

/* ---- one entry ---- */

/*
 * Zero if the entry came back as an exit, else the flags: CF 1, ZF 2. The
 * guest begins with registers of zeros: where its RIP is turned it may use them,
 * and what it touches must not depend on where this host has its memory.
 */
int vmx_enter(bool launch);
asm(".pushsection .text\n"
	".globl vmx_enter, vmx_host_rip\n"
	".type vmx_enter, @function\n"
	"vmx_enter:\n"
	"	push %rbx\n"
	"	push %rbp\n"
	"	push %r12\n"
	"	push %r13\n"
	"	push %r14\n"
	"	push %r15\n"
	"	mov $0x6c14, %eax\n" /* HOST_RSP */
	"	vmwrite %rsp, %rax\n"
	"	xor %ebx, %ebx\n"
	"	xor %ecx, %ecx\n"
	"	xor %edx, %edx\n"
	"	xor %esi, %esi\n"
	"	xor %ebp, %ebp\n"
	"	xor %r8d, %r8d\n"
	"	xor %r9d, %r9d\n"
	"	xor %r10d, %r10d\n"
	"	xor %r11d, %r11d\n"
	"	xor %r12d, %r12d\n"
	"	xor %r13d, %r13d\n"
	"	xor %r14d, %r14d\n"
	"	xor %r15d, %r15d\n"
	"	test %edi, %edi\n"
	"	mov $0, %edi\n"
	"	jz 1f\n"
	"	vmlaunch\n"
	"	jmp 2f\n"
	"1:	vmresume\n"
	"2:	setc %al\n"
	"	setz %cl\n"
	"	movzbl %al, %eax\n"
	"	movzbl %cl, %ecx\n"
	"	lea (%rax,%rcx,2), %eax\n"
	"	jmp 3f\n"
	"vmx_host_rip:\n" /* only the CPU comes here */
	"	endbr64\n" /* not needed; but objtool wants one where an address is taken */
	"	xor %eax, %eax\n"
	"3:	pop %r15\n"
	"	pop %r14\n"
	"	pop %r13\n"
	"	pop %r12\n"
	"	pop %rbp\n"
	"	pop %rbx\n"
	"	" ASM_RET
	".size vmx_enter, . - vmx_enter\n"
	".popsection");
STACK_FRAME_NON_STANDARD(vmx_enter);

/* ---- what came of it ---- */

enum { EXIT_EXCEPTION = 0, EXIT_INTERRUPT = 1, EXIT_EPT_VIOLATION = 48, EXIT_EPT_MISCONFIG = 49 };
#define ENTRY_FAILURE (1u << 31)

struct result {
	unsigned int flags;
	u64 error, reason, qualification, intr_info, idt_info, gpa, activity;
	u64 entry_info;
	struct field changed[8];
	unsigned int nr_changed;
	u64 cr0, cr4, efer, pat, gs, rflags, dr7, debugctl; /* of the host, right behind */
};

/* @page: of its VMCS; @ready: to be there together with another CPU, and so much later */
struct entry_request {
	unsigned int page;
	atomic_t *ready;
	u64 later;
	struct vmcs vmcs;
	struct host host;
	struct result result;
};

static u64 field_now(u32 encoding)
{
	u64 value;

	vmx_read(encoding, &value);
	return value;
}

static bool is_guest_state(u32 encoding)
{
	return ((encoding >> 10) & 3) == 2 && encoding != F_TIMER;
}

static void read_result(struct entry_request *q)
{
	struct result *r = &q->result;
	unsigned int i;
	u64 now;

	r->reason = field_now(F_EXIT_REASON);
	r->qualification = field_now(F_QUALIFICATION);
	r->intr_info = field_now(F_EXIT_INTR_INFO);
	r->idt_info = field_now(F_IDT_INFO);
	r->gpa = field_now(F_GUEST_PHYSICAL);
	r->entry_info = field_now(F_ENTRY_INTR_INFO);
	for (i = 0; i < q->vmcs.nr && r->nr_changed < ARRAY_SIZE(r->changed); i++) {
		if (!is_guest_state(q->vmcs.field[i].encoding))
			continue;
		if (vmx_read(q->vmcs.field[i].encoding, &now) == VMX_OK &&
		    now != q->vmcs.field[i].value)
			r->changed[r->nr_changed++] =
				(struct field){ q->vmcs.field[i].encoding, now };
	}
}

static void read_host(struct result *r)
{
	r->cr0 = read_cr0();
	r->cr4 = real_cr4();
	r->efer = native_read_msr(MSR_EFER);
	r->pat = native_read_msr(MSR_IA32_CR_PAT);
	r->gs = native_read_msr(MSR_GS_BASE);
	r->rflags = native_save_fl();
	r->debugctl = native_read_msr(MSR_IA32_DEBUGCTLMSR);
	asm volatile("mov %%dr7, %0" : "=r"(r->dr7));
}

static void write_cr8(u64 v)
{
	asm volatile("mov %0, %%cr8" : : "r"(v));
}

/* In an interrupt already; one more may come. */
static void take_interrupt(void)
{
	write_cr8(0);
	local_irq_enable();
	cpu_relax();
	local_irq_disable();
	write_cr8(15);
}

/*
 * On the CPU that is in VMX operation, interrupts off. Each VMWRITE can be an exit: all of them
 * take longer than it is from one tick to the next.
 */
static void enter_here(void *arg)
{
	struct entry_request *q = arg;
	struct result *r = &q->result;
	unsigned int i;

	memset(r, 0, sizeof(*r));
	vmx_pointer("vmclear", vmx_page_pa(q->page));
	vmx_pointer("vmptrld", vmx_page_pa(q->page));
	for (i = 0; i < q->vmcs.nr; i++)
		vmx_write(q->vmcs.field[i].encoding, q->vmcs.field[i].value);
	take_interrupt();
	if (q->ready)
		meet(q->ready);
	for (i = 0; i < q->later; i++)
		asm volatile("pause");
	r->flags = vmx_enter(true);
	if (!r->flags) {
		read_host(r);
		host_restore(&q->host);
	}
	write_cr8(0);
	if (!r->flags)
		read_result(q);
	else if (r->flags == 2)
		vmx_read(F_INSN_ERROR, &r->error);
}

/* A page of the block is said by its number: the block lies elsewhere next time. */
static void say_address(const char *name, u64 value)
{
	u64 first = vmx_page_pa(0);

	if (value >= first && value - first < PAGE_SIZE << PAGE_ORDER)
		say(" %s p%llu+%#llx", name, (value - first) / PAGE_SIZE, value % PAGE_SIZE);
	else
		say(" %s %#llx", name, value);
}

static void say_unequal(const char *name, u64 value, u64 wanted)
{
	if (value != wanted)
		say(" host-%s%#llx", name, value ^ wanted);
}

static void say_host(struct entry_request *q)
{
	const struct result *r = &q->result;

	say_unequal("cr0^", r->cr0, q->host.cr0);
	say_unequal("cr4^", r->cr4, q->host.cr4);
	say_unequal("efer^", r->efer, q->host.efer);
	say_unequal("pat^", r->pat, q->host.pat);
	say_unequal("gs^", r->gs, q->host.gs);
	say_unequal("dr7^", r->dr7, 0x400);
	say_unequal("debugctl^", r->debugctl, 0);
	if (r->rflags & (X86_EFLAGS_IF | X86_EFLAGS_DF))
		say(" host-rflags %#llx", r->rflags);
}

static void say_result(struct entry_request *q)
{
	const struct result *r = &q->result;
	u32 basic = r->reason & 0xffff;
	unsigned int i;

	if (r->flags) {
		if (r->flags == 2)
			say("fail %llu\n", r->error);
		else
			say("invalid\n");
		return;
	}
	say("exit %u%s", basic, r->reason & ENTRY_FAILURE ? " entry" : "");
	say_address("q", r->qualification);
	if (basic == EXIT_EPT_VIOLATION || basic == EXIT_EPT_MISCONFIG)
		say_address("gpa", r->gpa);
	if (basic == EXIT_EXCEPTION)
		say(" info %#llx", r->intr_info);
	if (!(r->reason & ENTRY_FAILURE) && r->idt_info >> 31)
		say(" idt %#llx", r->idt_info);
	if (r->entry_info >> 31)
		say(" again %#llx", r->entry_info);
	for (i = 0; i < r->nr_changed; i++) {
		say(" %#x", r->changed[i].encoding);
		say_address("=", r->changed[i].value);
	}
	say_host(q);
	say("\n");
}

/* An interrupt that came between is taken afterwards, and the guest gets another chance. */
static int enter_on(u64 cpu, struct entry_request *q)
{
	unsigned int chances = 5;
	int err;

	do {
		err = run_on(cpu, enter_here, q);
	} while (!err && q->result.reason == EXIT_INTERRUPT && --chances);
	if (!err)
		say_result(q);
	cond_resched();
	return err;
}

/* ---- commands ---- */

static void prepare_here(void *arg)
{
	struct entry_request *q = arg;

	host_read(&q->host);
	host_state(&q->vmcs, &q->host);
}

static int prepare(u64 cpu, const char *guest, struct entry_request *q)
{
	unsigned int i;

	fill_pages();
	q->page = PAGE_VMCS;
	q->vmcs.nr = 0;
	for (i = 0; i < ARRAY_SIZE(guests); i++) {
		if (strcmp(guests[i].name, guest))
			continue;
		guests[i].make(&q->vmcs);
		return run_on(cpu, prepare_here, q);
	}
	return -ENOENT;
}

/* @PLACE=VALUE: 8 bytes in a page of the block: the guest's tables, its EPT, its code */
static int change_page(char *word)
{
	char *op = strchr(word, '=');
	u64 at, value, first = vmx_page_pa(0);

	if (!op)
		return -EINVAL;
	*op = 0;
	if (vmx_number(word, &at) || vmx_number(op + 1, &value) || at - first < PAGE_SIZE ||
	    at - first > (PAGE_SIZE << PAGE_ORDER) - sizeof(value))
		return -EINVAL;
	memcpy(vmx_page(0) + (at - first), &value, sizeof(value));
	return 0;
}

/* FIELD=VALUE, FIELD^BITS, FIELD|BITS, FIELD&~BITS as FIELD-BITS */
static int change(struct vmcs *v, char *word)
{
	char *op = strpbrk(word, "=^|-"), how;
	u64 value;
	u32 field;

	if (*word == '@')
		return change_page(word + 1);
	if (!op)
		return -EINVAL;
	how = *op;
	*op = 0;
	if (kstrtou32(word, 0, &field) || vmx_number(op + 1, &value))
		return -EINVAL;
	if (how == '=')
		set(v, field, value);
	else if (how == '^')
		*at(v, field) ^= value;
	else if (how == '|')
		*at(v, field) |= value;
	else
		*at(v, field) &= ~value;
	return 0;
}

/* enter CPU GUEST [CHANGE]... */
static int do_enter(const struct args *a)
{
	struct entry_request *q = kvzalloc(sizeof(*q), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!q)
		return -ENOMEM;
	err = prepare(a->num[0], a->word[1], q);
	for (i = 2; !err && i < a->nr; i++)
		err = change(&q->vmcs, (char *)a->word[i]);
	if (!err)
		err = enter_on(a->num[0], q);
	kvfree(q);
	return err;
}

static void enter_both_here(void *arg, atomic_t *ready)
{
	struct entry_request *q = arg;

	q->ready = ready;
	enter_here(q);
}

static int prepare_both(const struct args *a, struct entry_request *q)
{
	unsigned int cpu, i;
	int err = 0;

	for (cpu = 0; !err && cpu < 2; cpu++) {
		err = prepare(cpu, a->word[1], &q[cpu]);
		for (i = 2; !err && cpu && i < a->nr; i++) {
			/* change() takes the word apart */
			char word[2][64];

			strscpy(word[0], a->word[i], sizeof(word[0]));
			strscpy(word[1], a->word[i], sizeof(word[1]));
			err = change(&q[0].vmcs, word[0]) ?: change(&q[1].vmcs, word[1]);
		}
	}
	return err;
}

/* ---- one guest again and again ---- */

static struct entry_request *loop_request[2];

static u64 enter_again(struct entry_request *q)
{
	u64 reason;

	for (;;) {
		if (vmx_enter(false))
			return ~0ULL;
		host_restore(&q->host);
		reason = field_now(F_EXIT_REASON);
		if (reason != EXIT_INTERRUPT)
			return reason;
		take_interrupt();
	}
}

/* On this CPU, until *@over: what vmx_entry_loop() has loaded here. */
void vmx_entry_loop_here(void *arg, const bool *over, void (*before)(u64 round, void *arg),
			 void (*after)(u64 round, u64 reason, void *arg))
{
	struct entry_request *q = loop_request[raw_smp_processor_id() & 1];
	u64 round;

	write_cr8(15);
	for (round = 0; !READ_ONCE(*over); round++) {
		before(round, arg);
		after(round, enter_again(q), arg);
	}
	write_cr8(0);
}

struct loop {
	u64 count;
	void (*before)(u64 round, void *arg);
	void (*after)(u64 round, u64 reason, void *arg);
	void *arg;
	struct entry_request *q;
	bool over;
};

static void loop_after(u64 round, u64 reason, void *arg)
{
	struct loop *l = arg;

	l->after(round, reason, l->arg);
	l->over = round + 1 >= l->count;
}

static void loop_before(u64 round, void *arg)
{
	struct loop *l = arg;

	l->before(round, l->arg);
}

static void loop_here(void *arg)
{
	struct loop *l = arg;

	loop_request[raw_smp_processor_id() & 1] = l->q;
	enter_here(l->q);
	if (l->count)
		vmx_entry_loop_here(l, &l->over, loop_before, loop_after);
}

/*
 * vmx_entry_loop() - the guest "long" with other @code, on a CPU, once and then so many times
 * @page: of its VMCS, which stays loaded
 */
int vmx_entry_loop(u64 cpu, unsigned int page, u64 count, void (*code)(void),
		   void (*before)(u64 round, void *arg),
		   void (*after)(u64 round, u64 reason, void *arg), void *arg)
{
	static struct entry_request request[2];
	struct loop l = { count, before, after, arg, &request[cpu & 1], false };
	int err = prepare(cpu, "long", l.q);

	l.q->page = page;
	code();
	return err ?: run_on(cpu, loop_here, &l);
}

/*
 * enterboth PAGE[+LATER] GUEST [CHANGE]...: entries on CPUs 0 and 1 at once; CPU 1's VMCS
 * is this page, which may be that of CPU 0. What became of CPU 0's, then of CPU 1's.
 */
static int do_enterboth(const struct args *a)
{
	struct entry_request *q = kvcalloc(2, sizeof(*q), GFP_KERNEL);
	unsigned int i;
	const char *later = strchr(a->word[0], '+');
	int err;

	if (!q)
		return -ENOMEM;
	err = prepare_both(a, q);
	if (!err)
		err = sscanf(a->word[0], "%u", &q[1].page) == 1 ? 0 : -EINVAL;
	if (!err && later)
		err = kstrtou64(later + 1, 0, &q[1].later);
	if (!err)
		err = run_both(enter_both_here, &q[0], &q[1]);
	for (i = 0; !err && i < 2; i++)
		say_result(&q[i]);
	kvfree(q);
	return err;
}

/*
 * Bits that must not be turned, for what would come of it is not the guest's
 * end but the host's, or depends on what lies in memory. The timer is what ends
 * a guest; lists of MSRs are tried by hand.
 */
static u64 left_alone(u32 field)
{
	u64 in_memory = GENMASK_ULL(boot_cpu_data.x86_phys_bits - 1, 12 + PAGE_ORDER);

	switch (field) {
	case F_HOST_RSP:
	case F_HOST_SYSENTER_CS:
	case F_EXIT_STORE_COUNT:
	case F_EXIT_LOAD_COUNT:
	case F_ENTRY_LOAD_COUNT:
		return ~0ULL;
	case F_EXIT: /* acknowledge interrupts: one that is taken would be lost */
		return 1 << 15;
	case F_HOST_CR3:
		return in_memory | GENMASK_ULL(11 + PAGE_ORDER, 0);
	case F_HOST_CR4:
		return X86_CR4_PCIDE;
	case F_HOST_EFER:
		return 1 << 11;
	case F_HOST_ES ... F_HOST_TR:
		return ~7ULL;
	case F_HOST_FS_BASE ... F_HOST_SYSENTER_EIP:
	case F_HOST_RIP:
		return GENMASK_ULL(46, 0);
	case F_IO_BITMAP_A ... F_PML_ADDRESS:
	case F_VIRTUAL_APIC ... F_POSTED_DESC:
	case F_EPT_POINTER:
	case F_EPTP_LIST ... F_VE_INFO:
		return in_memory;
	}
	return 0;
}

static unsigned int width(u32 field)
{
	switch (field >> 13 & 3) {
	case 0:
		return 16;
	case 2:
		return 32;
	default:
		return 64;
	}
}

/* Without EPT a guest that goes astray goes through the host's memory, and writes to it. */
static bool leads_astray(const char *guest, u32 field)
{
	return !strcmp(guest, "noept") &&
	       (field == F_GUEST_RIP || field == F_GUEST_CR3 || field == F_GUEST_CS_BASE);
}

static int flip_field(u64 cpu, struct entry_request *q, const char *guest, u64 *value, u32 field)
{
	u64 skip = leads_astray(guest, field) ? ~0ULL : left_alone(field), before = *value;
	unsigned int bit;
	int err = 0;

	for (bit = 0; !err && bit < width(field); bit++) {
		if (skip & BIT_ULL(bit))
			continue;
		*value = before ^ BIT_ULL(bit);
		say("%s %#06x^%u: ", guest, field, bit);
		err = enter_on(cpu, q);
	}
	*value = before;
	return err;
}

/* flip CPU GUEST FIRST LAST: each bit of each field of these, one after the other */
static int do_flip(const struct args *a)
{
	struct entry_request *q = kvzalloc(sizeof(*q), GFP_KERNEL);
	unsigned int i;
	int err;

	if (!q)
		return -ENOMEM;
	err = prepare(a->num[0], a->word[1], q);
	for (i = 0; !err && i < q->vmcs.nr; i++) {
		struct field *f = &q->vmcs.field[i];

		if (f->encoding >= a->num[2] && f->encoding <= a->num[3])
			err = flip_field(a->num[0], q, a->word[1], &f->value, f->encoding);
	}
	kvfree(q);
	return err;
}

/* events CPU GUEST: all kinds of events to inject, well-formed or not */
static int do_events(const struct args *a)
{
	static const u8 vectors[] = { 0, 1, 2, 3, 4, 6, 8, 13, 14, 18, 31, 32, 255 };
	static const u32 flags[] = { 0, 1 << 11, 1 << 12, 1 << 30 };
	struct entry_request *q = kvzalloc(sizeof(*q), GFP_KERNEL);
	unsigned int type, i, k, len;
	int err;
	u32 info;

	if (!q)
		return -ENOMEM;
	err = prepare(a->num[0], a->word[1], q);
	for (type = 0; type < 8; type++)
		for (i = 0; i < ARRAY_SIZE(vectors); i++)
			for (k = 0; k < ARRAY_SIZE(flags); k++)
				for (len = 0; !err && len < 32; len += 15) {
					info = 1u << 31 | flags[k] | type << 8 | vectors[i];
					set(&q->vmcs, F_ENTRY_INTR_INFO, info);
					set(&q->vmcs, F_ENTRY_INSN_LEN, len ? len - 14 : 0);
					say("%s event %#x length %u: ", a->word[1], info,
					    len ? len - 14 : 0);
					err = enter_on(a->num[0], q);
				}
	kvfree(q);
	return err;
}

/* code BYTES: what guests execute from now on; 0: HLT */
static int do_code(const struct args *args)
{
	guest_code = args->num[0];
	return 0;
}

const struct command vmx_entry_commands[] = {
	{ "code", 1, do_code },
	{ "enter", 2, do_enter },
	{ "enterboth", 2, do_enterboth },
	{ "flip", 4, do_flip },
	{ "events", 2, do_events },
	{}
};
