/* SPDX-License-Identifier: GPL-2.0-only */
#define MON_HYPERCALL 0x4d4f4e0000000000
#define RETURN 0
#define OCALL 1
#define HANDLED 7

	.macro push_preserved
	.irp r, rbx, rbp, r12, r13, r14, r15
	pushq	%\r
	.endr
	.endm

	.macro pop_preserved
	.irp r, r15, r14, r13, r12, rbp, rbx
	popq	%\r
	.endr
	.endm

	.section .text.start, "ax"
	.globl	start
start:
	/* what was found in registers that should be empty */
	movq	%rax, %r10
	orq	%rbx, %r10
	orq	%rcx, %r10
	orq	%rbp, %r10
	orq	%r8, %r10
	orq	%r9, %r10
	orq	%r11, %r10
	orq	%r12, %r10
	orq	%r13, %r10
	orq	%r14, %r10
	orq	%r15, %r10
	movq	%xmm0, %rax
	orq	%rax, %r10
	movq	%xmm7, %rax
	orq	%rax, %r10
	movq	%xmm15, %rax
	orq	%rax, %r10
	movq	%r10, %rcx
	cld
	call	puppet
	movq	%rax, %rdi
	movabsq	$MON_HYPERCALL + RETURN, %rax
	vmcall
	ud2

	.text
	.globl	handler
handler:
	call	puppet_fault
	movabsq	$MON_HYPERCALL + HANDLED, %rax
	vmcall
	ud2

/* u64 canary(u64 rounds): all registers keep what they have, whatever interrupts */
	.globl	canary
canary:
	push_preserved
	pushq	$0			/* mismatches */
	pushq	%rdi			/* rounds */
	movabsq	$0x0123456789abcdef, %rax
	leaq	1(%rax), %rbx
	leaq	2(%rax), %rcx
	leaq	3(%rax), %rdx
	leaq	4(%rax), %rsi
	leaq	5(%rax), %rdi
	leaq	6(%rax), %rbp
	leaq	8(%rax), %r8
	leaq	9(%rax), %r9
	leaq	10(%rax), %r10
	leaq	11(%rax), %r11
	leaq	12(%rax), %r12
	leaq	13(%rax), %r13
	leaq	14(%rax), %r14
	leaq	15(%rax), %r15
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movq	%r\()8, %xmm\n
	.endr
	movq	%rax, -8(%rsp)
	shrq	$20, %rax		/* canonical */
	wrgsbase %rax
	movq	-8(%rsp), %rax
	/* a sum over all that stands in them: wrong once, wrong in the sum */
1:	movq	%rax, -8(%rsp)
	.irp r, rbx, rcx, rdx, rsi, rdi, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	addq	%\r, -8(%rsp)
	.endr
	movq	%rax, -16(%rsp)
	movq	%rbx, -24(%rsp)
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movq	%xmm\n, %rax
	cmpq	%r8, %rax
	je	2f
	incq	8(%rsp)
2:
	.endr
	rdgsbase %rax
	movq	-16(%rsp), %rbx
	shrq	$20, %rbx
	cmpq	%rbx, %rax
	je	2f
	incq	8(%rsp)
2:	movabsq	$15 * 0x0123456789abcdef + 113, %rbx
	cmpq	%rbx, -8(%rsp)
	je	3f
	incq	8(%rsp)
3:	movq	-16(%rsp), %rax
	movq	-24(%rsp), %rbx
	decq	(%rsp)
	jnz	1b
	popq	%rdi
	popq	%rax
	pop_preserved
	ret

/* u64 keep(void): how many of those that a call preserves one of the process has changed */
	.globl	keep
keep:
	push_preserved
	movq	%rsp, %rbp
	movl	$1, %ebx
	movl	$2, %r12d
	movl	$3, %r13d
	movl	$4, %r14d
	movl	$5, %r15d
	pushq	%rbp
	movabsq	$MON_HYPERCALL + OCALL, %rax
	xorl	%edi, %edi
	xorl	%esi, %esi
	vmcall
	xorl	%eax, %eax
	cmpq	%rbp, (%rsp)
	setne	%al
	.macro kept reg, wanted
	xorl	%ecx, %ecx
	cmpq	$\wanted, \reg
	setne	%cl
	addl	%ecx, %eax
	.endm
	kept	%rbx, 1
	kept	%r12, 2
	kept	%r13, 3
	kept	%r14, 4
	kept	%r15, 5
	addq	$8, %rsp
	pop_preserved
	ret

/* void secret(volatile u64 *until, u64 word): in every register, until told otherwise */
	.globl	secret
secret:
	push_preserved
	.irp r, rax, rbx, rcx, rdx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	movq	%rsi, %\r
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movq	%rsi, %xmm\n
	punpcklqdq %xmm\n, %xmm\n
	.endr
1:	cmpq	$0, (%rdi)
	je	1b
	pop_preserved
	ret

/* u64 leave(u64 how, u64 word): with the word in all registers, those of 16 bytes, too */
	.globl	leave
leave:
	.irp r, rbx, rcx, rdx, rbp, r8, r9, r10, r11, r12, r13, r14, r15
	movq	%rsi, %\r
	.endr
	.irp n, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	movq	%rsi, %xmm\n
	punpcklqdq %xmm\n, %xmm\n
	.endr
	cmpq	$1, %rdi
	movabsq	$MON_HYPERCALL + RETURN, %rax
	jb	1f
	je	2f
	movq	%rsi, %rdi
	ud2
2:	movabsq	$MON_HYPERCALL + OCALL, %rax
	movl	$8, %esi
	movl	$7, %edi
	vmcall
	movabsq	$MON_HYPERCALL + RETURN, %rax
1:	movl	$7, %edi
	vmcall
	ud2

/* void insn(u64 number): one instruction; what comes behind it is one byte, RET */
	.globl	insn
insn:
	shlq	$4, %rdi
	leaq	1f(%rip), %rax
	addq	%rdi, %rax
	xorl	%ecx, %ecx
	xorl	%edx, %edx
	jmp	*%rax
	.macro one insn:vararg
	.balign 16
	\insn
	ret
	.endm
	.balign 16
1:	one	ud2
	one	int3
	one	int $0x80
	one	syscall
	one	sysenter
	one	hlt
	one	cli
	one	inb $0x80, %al
	one	outb %al, $0x80
	one	rdmsr
	one	wrmsr
	one	movq %cr3, %rax
	one	movq %rax, %cr3
	one	movq %rax, %db0
	one	xsetbv
	one	invlpg (%rax)
	one	wbinvd
	one	invd
	one	lgdt (%rsp)
	one	ltr %ax
	one	vmxoff
	one	vmread %rax, %rcx
	one	vmresume
	one	rdpmc
	one	monitor
	one	mwait
	one	swapgs
	one	divl %ecx
	one	movw %cx, %ss
	one	rdtscp
	one	clts
	.balign 16
2:
	/* for the host: puppet.h */
	.section .data.first, "aw"
	.quad	handler
nr_insns: .quad (2b - 1b) / 16
	.section .note.GNU-stack, "", @progbits
