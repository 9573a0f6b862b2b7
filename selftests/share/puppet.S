/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest that does what the host says: 64 KiB of firmware below 4 GiB that enters
 * 64-bit mode, with the first 8 GiB mapped one to one. IN from port 0xe0, nine times:
 * what to do, and four numbers of 64 bits, the lower half first. OUT to 0xe4, twice:
 * what came of it.
 *
 * With GIVER defined it asks for nothing, but gives GIVER pages from 2 MiB on back to
 * the host, and then waits: as a file, that is firmware for QEMU.
 */
#include "puppet.h"

#define BASE 0xffff0000

	.macro	get reg
	inl	%dx, %eax
	movl	%eax, %ecx
	inl	%dx, %eax
	shlq	$32, %rax
	orq	%rcx, %rax
	movq	%rax, \reg
	.endm

	.section .rodata
	.globl puppet_firmware
	.balign 16
puppet_firmware:
	/* All entries accessed and dirty: firmware cannot be written. */
pml4:	.quad	BASE + pdpt - puppet_firmware + 0x23
	.org	pml4 + 4096
pdpt:	.quad	0x0000000e3, 0x0400000e3, 0x0800000e3, 0x0c00000e3
	.quad	0x1000000e3, 0x1400000e3, 0x1800000e3, 0x1c00000e3
	.org	pdpt + 4096

gdt:	.quad	0, 0x00af9b000000ffff
gdt_pointer:
	.word	15
	.long	BASE + gdt - puppet_firmware
idt_pointer:
	.word	4095
	.quad	BASE + idt - puppet_firmware

	/* Each vector is counted. Interrupts return; an exception ends the command. */
	.balign	16
idt:	vector = 0
	.rept	256
	.word	stubs - puppet_firmware + 16 * vector, 8, 0x8e00, 0xffff
	.quad	0
	vector = vector + 1
	.endr
stubs:	vector = 0
	.rept	256
	.balign	16
	pushq	$vector
	jmp	taken
	vector = vector + 1
	.endr

	.code16
start:	cli
	lgdtl	%cs:(gdt_pointer - puppet_firmware)
	movl	$0x20, %eax /* PAE */
	movl	%eax, %cr4
	movl	$(BASE + pml4 - puppet_firmware), %eax
	movl	%eax, %cr3
	movl	$0xc0000080, %ecx /* EFER */
	movl	$0x100, %eax	  /* LME */
	xorl	%edx, %edx
	wrmsr
	movl	$0x80000011, %eax
	movl	%eax, %cr0
	ljmpl	$8, $(BASE + long_mode - puppet_firmware)

	.code64
long_mode:
	xorl	%eax, %eax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movl	$(BASE + idt_pointer - puppet_firmware), %eax
	lidt	(%rax)
	movl	$0x18000, %esp
#ifdef GIVER
	movabsq	$0x4d4f4e0000000009, %rax /* MON_GC_RELEASE */
	movl	$0x200, %edi
	movl	$GIVER, %esi
	vmcall
1:	hlt
	jmp	1b
#endif
next:	movw	$PUPPET_IN, %dx
	inl	%dx, %eax
	movl	%eax, %r8d
	get	%rdi
	get	%rsi
	get	%r9
	get	%r10
	lfence
	rdtsc
	shlq	$32, %rdx
	leaq	(%rax,%rdx), %r12
	movq	%r9, %rdx
	cmpl	$PUPPET_STORE, %r8d
	je	store
	cmpl	$PUPPET_LOAD, %r8d
	je	load
	cmpl	$PUPPET_FILL, %r8d
	je	fill
	cmpl	$PUPPET_COUNT, %r8d
	je	count
	cmpl	$PUPPET_TOUCH, %r8d
	je	touch
	cmpl	$PUPPET_TOOK, %r8d
	je	took
	cmpl	$PUPPET_INVERT, %r8d
	je	invert
	cmpl	$PUPPET_TPR, %r8d
	je	tpr
	cmpl	$PUPPET_LISTEN, %r8d
	je	listen
	cmpl	$PUPPET_CPUID, %r8d
	je	get_cpuid
	cmpl	$PUPPET_RDMSR, %r8d
	je	read_msr
	cmpl	$PUPPET_WRMSR, %r8d
	je	write_msr
	cmpl	$PUPPET_PORT, %r8d
	je	port
	cmpl	$PUPPET_DEVICE, %r8d
	je	device
	cmpl	$PUPPET_INS, %r8d
	je	string
	cmpl	$PUPPET_OUTL, %r8d
	je	out_long
	cmpl	$PUPPET_REGS, %r8d
	je	registers
	cmpl	$PUPPET_CR8, %r8d
	je	write_cr8
	movabsq	$0x4d4f4e0000000000, %rax /* MON_HYPERCALL */
	movl	%r8d, %r8d
	orq	%r8, %rax
	vmcall
	jmp	done
store:	movq	%rsi, (%rdi)
	xorl	%eax, %eax
	jmp	done
load:	movq	(%rdi), %rax
	jmp	done
fill:	movq	%rsi, %rax
	movq	%rdx, %rcx
	rep stosq
	xorl	%eax, %eax
	jmp	done
count:	xorl	%eax, %eax
	movq	%rdx, %rcx
1:	cmpq	%rsi, (%rdi)
	jne	2f
	incq	%rax
2:	addq	$8, %rdi
	decq	%rcx
	jnz	1b
	jmp	done
invert:	notq	(%rdi)
	addq	$8, %rdi
	decq	%rdx
	jnz	invert
	xorl	%eax, %eax
	jmp	done
touch:	movb	%sil, (%rdi)
	addq	$4096, %rdi
	decq	%rdx
	jnz	touch
	xorl	%eax, %eax
	jmp	done
	/* The address of the first page in which CR8 is found, of pages never touched before. */
tpr:	movl	$5, %eax
	movq	%rax, %cr8
	movq	0x80(%rdi), %rcx
	movl	$6, %eax
	movq	%rax, %cr8
	movq	0x80(%rdi), %rcx
	movq	%rdi, %rax
	testq	%rcx, %rcx
	jnz	1f
	movl	$20, %ecx
2:	wbinvd /* an exit that only the monitor sees */
	loop	2b
	addq	$4096, %rdi
	decq	%rsi
	jnz	tpr
	xorl	%eax, %eax
1:	jmp	done
listen:	movq	%rdi, %rsp
	movw	$PUPPET_IN, %dx
	sti
1:	inl	%dx, %eax
	decq	%rsi
	jnz	1b
	cli
	xorl	%eax, %eax
	jmp	done
write_cr8:
	sti
	nop
	movq	%rdi, %cr8
	nop
	cli
	xorl	%eax, %eax
	jmp	done
get_cpuid:
	movl	%edi, %eax
	movl	%esi, %ecx
	movl	%r9d, %r9d
	cpuid
	testq	%r9, %r9
	jz	1f
	movl	%ecx, %eax
	movl	%edx, %ebx
1:	movl	%eax, %eax
	shlq	$32, %rbx
	orq	%rbx, %rax
	jmp	done
read_msr:
	movl	%edi, %ecx
	rdmsr
	shlq	$32, %rdx
	orq	%rdx, %rax
	jmp	done
write_msr:
	movl	%edi, %ecx
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
	wrmsr
	xorl	%eax, %eax
	jmp	done
port:	movq	%r9, %rax
	movl	%edi, %edx
	cmpl	$2, %esi
	je	2f
	ja	4f
	inb	%dx, %al
	jmp	done
2:	inw	%dx, %ax
	jmp	done
4:	inl	%dx, %eax
	jmp	done
device:	movq	%r9, %rax
	cmpl	$2, %esi
	je	2f
	jb	1f
	cmpl	$4, %esi
	je	4f
	movq	(%rdi), %rax
	jmp	done
1:	movb	(%rdi), %al
	jmp	done
2:	movw	(%rdi), %ax
	jmp	done
4:	movl	(%rdi), %eax
	jmp	done
string:	movl	%edi, %edx
	movq	%rsi, %rdi
	movq	%r9, %rcx
	cld
	rep insb
	movq	%rcx, %rax
	shlq	$32, %rax
	orq	%rdi, %rax
	jmp	done
registers:
	movq	(%rdi), %rbx
	notq	%rbx
	movq	%rbx, %rbp
	movq	%rbx, %r11
	movq	%rbx, %r14
	movq	%rbx, %r15
	movb	(%rsi), %al
	xorl	%eax, %eax
	jmp	done
out_long:
	movl	%edi, %edx
	movl	%esi, %eax
	outl	%eax, %dx
	xorl	%eax, %eax
	jmp	done
taken:	xchgq	%rax, (%rsp)
	incq	PUPPET_COUNTS(,%rax,8)
	cmpq	$32, %rax
	jb	1f
2:	popq	%rax
	iretq
1:	cmpq	$2, %rax /* NMI */
	je	2b
	movl	$0x18000, %esp
	orq	$PUPPET_EXCEPTION, %rax
done:	movq	%rax, %r14
	rdtsc
	shlq	$32, %rdx
	leaq	(%rax,%rdx), %r13
	subq	%r12, %r13
	movq	%r14, %rax
	jmp	answer
took:	movq	%r13, %rax
answer:	movw	$PUPPET_OUT, %dx
	outl	%eax, %dx
	shrq	$32, %rax
	outl	%eax, %dx
	jmp	next

	.code16
	.org	puppet_firmware + 0xfff0
	jmp	start
	.org	puppet_firmware + 0x10000
	.section .note.GNU-stack,"",@progbits
