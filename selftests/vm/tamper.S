/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest of tamper.c: 64 KiB of firmware below 4 GiB, in real mode with
 * segments of 4 GiB. It puts TAMPER_SECRET where registers and memory can hold
 * it, lets the host do what it wants (IN from port 0xe0), and says by bits what
 * has changed (OUT to 0xe4), for ever. Port 0xe8: it was made to run elsewhere;
 * 0xec: it got an exception.
 */
#include "tamper.h"

	.section .rodata
	.globl tamper_firmware, tamper_elsewhere
	.code16
	.balign 16
tamper_firmware:
again:	movl	$TAMPER_SECRET, %eax
	movl	$TAMPER_MEMORY, %ecx
	movl	%eax, %ds:(%ecx)
	movl	%eax, %dr0
	movl	%eax, %cr3
	movd	%eax, %xmm0
	movl	$0x175, %ecx /* IA32_SYSENTER_ESP */
	xorl	%edx, %edx
	wrmsr
	movl	%eax, %ebx
	movl	%eax, %esi
	movl	%eax, %edi
	movl	%eax, %ebp
	movl	%eax, %esp
	movw	$0xe0, %dx
	inl	%dx, %eax
	movl	$TAMPER_SECRET, %eax
	xorl	%ecx, %ecx
	cmpl	%eax, %ebx
	je	1f
	orb	$TAMPER_REGS, %cl
1:	cmpl	%eax, %esi
	je	1f
	orb	$TAMPER_REGS, %cl
1:	cmpl	%eax, %edi
	je	1f
	orb	$TAMPER_REGS, %cl
1:	cmpl	%eax, %ebp
	je	1f
	orb	$TAMPER_REGS, %cl
1:	cmpl	%eax, %esp
	je	1f
	orb	$TAMPER_REGS, %cl
1:	movl	$TAMPER_MEMORY, %edx
	cmpl	%eax, %ds:(%edx)
	je	1f
	orb	$TAMPER_RAM, %cl
1:	movl	%cr3, %edx
	cmpl	%eax, %edx
	je	1f
	orb	$TAMPER_SREGS, %cl
1:	movl	%dr0, %edx
	cmpl	%eax, %edx
	je	1f
	orb	$TAMPER_DEBUG, %cl
1:	movd	%xmm0, %edx
	cmpl	%eax, %edx
	je	1f
	orb	$TAMPER_FPU, %cl
1:	movl	%ecx, %ebx
	movl	$0x175, %ecx
	rdmsr
	cmpl	$TAMPER_SECRET, %eax
	je	1f
	orb	$TAMPER_MSR, %bl
1:	movl	%ebx, %eax
	movw	$0xe4, %dx
	outl	%eax, %dx
	jmp	again

tamper_elsewhere:
	movw	$0xe8, %dx
	outl	%eax, %dx
	hlt

	/* An exception's handler lies in RAM, for it has a segment below 1 MiB. */
start:	cli
	lgdtl	%cs:(gdt_pointer - tamper_firmware)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$8, %bx
	movw	%bx, %ds
	andb	$0xfe, %al
	movl	%eax, %cr0
	movl	%cr4, %eax
	orw	$0x200, %ax /* OSFXSR */
	movl	%eax, %cr4
	movl	$13 * 4, %ecx
	movl	$0x1000, %ds:(%ecx)
	movl	$0x1000, %ecx
	movl	$0x6600ecba, %ds:(%ecx) /* mov $0xec, %dx; out %eax, %dx; hlt */
	movl	$0xfdebf4ef, %ds:4(%ecx)
	jmp	again

	.balign 8
gdt:	.quad	0, 0x00cf93000000ffff /* accessed: firmware cannot be written */
gdt_pointer:
	.word	15
	.long	0xffff0000 + gdt - tamper_firmware

	.org	tamper_firmware + 0xfff0
	jmp	start
	.org	tamper_firmware + 0x10000
	.section .note.GNU-stack,"",@progbits
