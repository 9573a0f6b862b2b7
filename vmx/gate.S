/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate between the host in native mode and the monitor: here CR3 changes,
 * so code and data (struct mon_gate, one page for each CPU) are at one address
 * in both address spaces. Built twice, byte for byte the same: into the module,
 * whose text the host executes, and into the image, whose copy the monitor maps
 * at the module's address. Root mode never executes a page of the host.
 *
 * An NMI can come at any instruction. While the data page's own stack is in
 * use, its own GDT and IDT are loaded as well, so an NMI is counted there and
 * raised again later. Interrupts are off, RDI is the data page throughout.
 */
#include "asm-offsets.h"

#define CR0_WP (1 << 16)
/*
 * What stays on: VME to SMXE less PGE, then FSGSBASE, OSXSAVE, SMEP, SMAP, PKE. Without PGE and
 * PCIDE no translation of the host survives the CR3 load. CET would use the host's shadow stack,
 * PKS its keys, FRED its entry points; LASS keeps ring 0 from the monitor's half of the addresses.
 */
#define CR4_ROOT 0x757f7f
#define MSR_FS_BASE 0xc0000100
#define MSR_GS_BASE 0xc0000101
#define GATE_END 4096

/* Marks for objtool, which add no byte: module/gate.S. */
#ifndef GATE_RETURN
#define GATE_CALL_NEAR
#define GATE_CALL_FAR
#define GATE_RETURN
#define GATE_HANDLER
#endif

	.section .gate, "ax"
	.globl	gate_page, gate_page_end
	.balign 4096
gate_page:
	endbr64
	movq	%rbx, NATIVE_GPR + 3 * 8(%rdi)
	movq	%rbp, NATIVE_GPR + 5 * 8(%rdi)
	movq	%r12, NATIVE_GPR + 12 * 8(%rdi)
	movq	%r13, NATIVE_GPR + 13 * 8(%rdi)
	movq	%r14, NATIVE_GPR + 14 * 8(%rdi)
	movq	%r15, NATIVE_GPR + 15 * 8(%rdi)
	movq	%rdi, NATIVE_GPR + 7 * 8(%rdi)
	popq	NATIVE_RIP(%rdi)
	movq	%rsp, NATIVE_GPR + 4 * 8(%rdi)
	pushfq
	popq	NATIVE_RFLAGS(%rdi)
	movq	%cr0, %rax
	movq	%rax, NATIVE_CR0(%rdi)
	movq	%cr3, %rax
	movq	%rax, NATIVE_CR3(%rdi)
	movq	%cr4, %rax
	movq	%rax, NATIVE_CR4(%rdi)
	sgdt	NATIVE_GDT(%rdi)
	sidt	NATIVE_IDT(%rdi)
	movw	%es, NATIVE_ES(%rdi)
	movw	%cs, NATIVE_CS(%rdi)
	movw	%ss, NATIVE_SS(%rdi)
	movw	%ds, NATIVE_DS(%rdi)
	movw	%fs, NATIVE_FS(%rdi)
	movw	%gs, NATIVE_GS(%rdi)
	sldt	NATIVE_LDT(%rdi)
	str	NATIVE_TR(%rdi)
	movl	$MSR_FS_BASE, %ecx
	rdmsr
	movl	%eax, NATIVE_FS_BASE(%rdi)
	movl	%edx, NATIVE_FS_BASE + 4(%rdi)
	movl	$MSR_GS_BASE, %ecx
	rdmsr
	movl	%eax, NATIVE_GS_BASE(%rdi)
	movl	%edx, NATIVE_GS_BASE + 4(%rdi)

	leaq	GATE_END(%rdi), %rsp
	GATE_CALL_NEAR
	call	gate_tables
	movl	NATIVE_CR4(%rdi), %eax
	andl	$CR4_ROOT, %eax
	movq	%rax, %cr4
	movq	GATE_MONITOR_CR3(%rdi), %rax
	movq	%rax, %cr3

	pushq	%rdi
	GATE_CALL_FAR
	call	*GATE_ENTRY(%rdi)
	popq	%rdi
	movq	%rax, NATIVE_GPR(%rdi)
	jmp	gate_to_native

/*
 * gate_leave(struct mon_gate *): CR3 is the monitor's, VMX is off, @native
 * says where to go. The address is that of the gate's mapping, not the image's.
 */
	.globl	gate_leave
gate_leave:
	leaq	GATE_END(%rdi), %rsp
gate_to_native:
	GATE_CALL_NEAR
	call	gate_tables
	movq	NATIVE_CR3(%rdi), %rax
	movabsq	$~((1 << 63) | 0xfff), %rcx
	movq	%rax, %rbx
	andq	%rcx, %rbx
	movq	%rbx, %cr3

	/* The host's TSS is marked busy in a read-only alias of its GDT. */
	lgdt	NATIVE_GDT(%rdi)
	movq	NATIVE_CR0(%rdi), %rcx
	movq	%rcx, %rbx
	andq	$~CR0_WP, %rbx
	movq	%rbx, %cr0
	movq	NATIVE_GDT_BASE(%rdi), %rdx
	movzwl	NATIVE_TR(%rdi), %ebx
	andb	$~2, 5(%rdx, %rbx)
	ltr	%bx
	movq	%rcx, %cr0
	lldt	NATIVE_LDT(%rdi)

	/* PCIDE may only be set while CR3[11:0] is 0 (SDM 4.10.1); then the full CR3. */
	movq	NATIVE_CR4(%rdi), %rbx
	movq	%rbx, %cr4
	movq	%rax, %cr3

	movw	NATIVE_SS(%rdi), %ss
	movw	NATIVE_DS(%rdi), %ds
	movw	NATIVE_ES(%rdi), %es
	movw	NATIVE_FS(%rdi), %fs
	movw	NATIVE_GS(%rdi), %gs
	movl	$MSR_FS_BASE, %ecx
	movl	NATIVE_FS_BASE(%rdi), %eax
	movl	NATIVE_FS_BASE + 4(%rdi), %edx
	wrmsr
	movl	$MSR_GS_BASE, %ecx
	movl	NATIVE_GS_BASE(%rdi), %eax
	movl	NATIVE_GS_BASE + 4(%rdi), %edx
	wrmsr
	lidt	NATIVE_IDT(%rdi)

	movq	NATIVE_GPR + 4 * 8(%rdi), %rsp
	pushq	NATIVE_RIP(%rdi)
	pushq	NATIVE_RFLAGS(%rdi)
	movq	NATIVE_GPR + 0 * 8(%rdi), %rax
	movq	NATIVE_GPR + 1 * 8(%rdi), %rcx
	movq	NATIVE_GPR + 2 * 8(%rdi), %rdx
	movq	NATIVE_GPR + 3 * 8(%rdi), %rbx
	movq	NATIVE_GPR + 5 * 8(%rdi), %rbp
	movq	NATIVE_GPR + 6 * 8(%rdi), %rsi
	movq	NATIVE_GPR + 8 * 8(%rdi), %r8
	movq	NATIVE_GPR + 9 * 8(%rdi), %r9
	movq	NATIVE_GPR + 10 * 8(%rdi), %r10
	movq	NATIVE_GPR + 11 * 8(%rdi), %r11
	movq	NATIVE_GPR + 12 * 8(%rdi), %r12
	movq	NATIVE_GPR + 13 * 8(%rdi), %r13
	movq	NATIVE_GPR + 14 * 8(%rdi), %r14
	movq	NATIVE_GPR + 15 * 8(%rdi), %r15
	movq	NATIVE_GPR + 7 * 8(%rdi), %rdi
	popfq
	GATE_RETURN
	ret
	int3

/* Load the data page's GDT (same selectors as the host's) and IDT (NMI only). */
gate_tables:
	movabsq	$0x00af9b000000ffff, %rax
	movq	%rax, GATE_GDT + 16(%rdi)
	movabsq	$0x00cf93000000ffff, %rax
	movq	%rax, GATE_GDT + 24(%rdi)
	leaq	gate_nmi(%rip), %rax
	movq	%rax, %rdx
	andl	$0xffff, %eax
	orl	$(0x10 << 16), %eax
	movl	%eax, GATE_IDT + 32(%rdi)
	movl	%edx, %eax
	andl	$0xffff0000, %eax
	orl	$0x8e00, %eax
	movl	%eax, GATE_IDT + 36(%rdi)
	shrq	$32, %rdx
	movq	%rdx, GATE_IDT + 40(%rdi)
	subq	$16, %rsp
	movw	$(4 * 8 - 1), 6(%rsp)
	leaq	GATE_GDT(%rdi), %rax
	movq	%rax, 8(%rsp)
	lgdt	6(%rsp)
	movw	$(3 * 16 - 1), 6(%rsp)
	leaq	GATE_IDT(%rdi), %rax
	movq	%rax, 8(%rsp)
	lidt	6(%rsp)
	addq	$16, %rsp
	GATE_RETURN
	ret
	int3

gate_nmi:
	GATE_HANDLER
	pushq	%rax
	movq	%rsp, %rax
	andq	$-4096, %rax
	incq	GATE_NMI(%rax)
	popq	%rax
	iretq
	.balign 4096, 0xcc /* int3; a branch over it would lead out of the section */
gate_page_end:
	.section .note.GNU-stack, "", @progbits
