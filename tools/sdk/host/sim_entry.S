/* SPDX-License-Identifier: GPL-2.0-only */
/* Between the stacks of a process and of an enclave in simulation. */
	.macro	save
	pushq	%rbx
	pushq	%rbp
	pushq	%r12
	pushq	%r13
	pushq	%r14
	pushq	%r15
	.endm

	.macro	restore_and_return
	popq	%r15
	popq	%r14
	popq	%r13
	popq	%r12
	popq	%rbp
	popq	%rbx
	ret
	.endm

	.text
	/* (&host_sp, sp, entry, a, b, number) */
	.globl	mon_sim_start
	.type	mon_sim_start, @function
mon_sim_start:
	save
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	movq	%rdx, %rax
	movq	%rcx, %rdi
	movq	%r8, %rsi
	movq	%r9, %rdx
	jmp	*%rax

	/* (&host_sp, sp, answer) */
	.globl	mon_sim_go_on
	.type	mon_sim_go_on, @function
mon_sim_go_on:
	save
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	movq	%rdx, %rax
	restore_and_return

	/* (&enclave_sp, host_sp): back to who called one of the two above */
	.globl	mon_sim_leave
	.type	mon_sim_leave, @function
mon_sim_leave:
	save
	movq	%rsp, (%rdi)
	movq	%rsi, %rsp
	xorl	%eax, %eax
	restore_and_return

	/* likewise, with RSP already so */
	.globl	mon_sim_fell
	.type	mon_sim_fell, @function
mon_sim_fell:
	cld
	movl	$1, %eax
	restore_and_return

	.section .note.GNU-stack, "", @progbits
