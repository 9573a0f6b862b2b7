/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where an enclave's threads begin. At the entry: RDI, RSI from the process, RDX the thread, RSP
 * = its page; MON_HANDLER_OFFSET behind it, exceptions: RDI = struct mon_enclave_fault.
 */
#define MON_HYPERCALL_ASM 0x4d4f4e0000000000 /* MON_HYPERCALL, which is a C number */

	.section .text.mon_entry, "ax", @progbits
	.globl	mon_entry
	.type	mon_entry, @function
	.balign	64
mon_entry:
	cld
	xorl	%ebp, %ebp
	call	mon_enter
	movl	$0, %edi		/* MON_EC_RETURN */
	movq	%rax, %rsi
	call	mon_vmcall
	ud2
	.size	mon_entry, . - mon_entry

	.globl	mon_handler
	.type	mon_handler, @function
	.balign	64			/* MON_HANDLER_OFFSET */
mon_handler:
	cld
	andq	$-64, %rsp
	subq	$512, %rsp
	fxsave64 (%rsp)
	movq	%rsp, %rbx
	call	mon_exception
	fxrstor64 (%rbx)
	movl	$7, %edi		/* MON_EC_HANDLED */
	call	mon_vmcall
	ud2
	.size	mon_handler, . - mon_handler

	/* long mon_vmcall(call, a, b, c); in simulation, a function of the process's library */
	.text
	.globl	mon_vmcall
	.type	mon_vmcall, @function
	.balign	16
mon_vmcall:
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
	.size	mon_vmcall, . - mon_vmcall
	.section .note.GNU-stack, "", @progbits
