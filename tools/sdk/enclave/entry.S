/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an enclave's threads begin. At the entry: RDI, RSI from the process, RDX the thread, RSP
 * = its page; MON_HANDLER_OFFSET behind it, exceptions: RDI = struct mon_enclave_fault.
 */
#define MON_HYPERCALL_ASM 0x4d4f4e0000000000 /* MON_HYPERCALL, which is a C number */

/* For debuggers: a register was saved in struct mon_enclave_fault, whose address is in R12. */
	.macro	saved number, offset
	.cfi_escape 0x10, \number, 3, 0x7c, 0x80 | (\offset & 0x7f), \offset >> 7
	.endm

	.cfi_sections .debug_frame
	.section .text.mon_entry, "ax", @progbits
	.globl	mon_entry
	.type	mon_entry, @function
	.balign	64
mon_entry:
	.cfi_startproc
	.cfi_undefined rip		/* nobody has called it */
	cld
	xorl	%ebp, %ebp
	call	mon_enter
	movl	$0, %edi		/* MON_EC_RETURN */
	movq	%rax, %rsi
	call	mon_vmcall
	ud2
	.cfi_endproc
	.size	mon_entry, . - mon_entry

	.globl	mon_handler
	.type	mon_handler, @function
	.balign	64			/* MON_HANDLER_OFFSET */
mon_handler:
	.cfi_startproc
	.cfi_signal_frame
	cld
	movq	%rdi, %r12
	.cfi_escape 0x0f, 4, 0x7c, 0xb0, 0, 6	/* the stack: its RSP */
	saved	0, 16			/* as DWARF counts: RAX, RDX, RCX, RBX, RSI, RDI, RBP */
	saved	1, 32
	saved	2, 24
	saved	3, 40
	saved	4, 64
	saved	5, 72
	saved	6, 56
	.irp	number, 8, 9, 10, 11, 12, 13, 14, 15
	saved	\number, (16 + 8 * \number)
	.endr
	saved	16, 144			/* RIP */
	andq	$-64, %rsp
	subq	$512, %rsp
	fxsave64 (%rsp)
	movq	%rsp, %rbx
	call	mon_exception
	fxrstor64 (%rbx)
	movl	$7, %edi		/* MON_EC_HANDLED */
	call	mon_vmcall
	ud2
	.cfi_endproc
	.size	mon_handler, . - mon_handler

	/* long mon_vmcall(call, a, b, c); in simulation, a function of the process's library */
	.text
	.globl	mon_vmcall
	.type	mon_vmcall, @function
	.balign	16
mon_vmcall:
	.cfi_startproc
	movq	mon_enclave_note + 24 + 40(%rip), %rax
	testq	%rax, %rax
	jnz	1f
	movabsq	$MON_HYPERCALL_ASM, %rax
	orq	%rdi, %rax
	movq	%rsi, %rdi
	movq	%rdx, %rsi
	movq	%rcx, %rdx
	vmcall
	ret
1:	jmp	*%rax
	.cfi_endproc
	.size	mon_vmcall, . - mon_vmcall
	.section .note.GNU-stack, "", @progbits
