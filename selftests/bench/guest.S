/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The measured guest: 64 KiB of firmware below 4 GiB. Asks the host what to do
 * (IN from port 0xe0: the test, from 0xe4: how often), does it, and tells the
 * ticks of the time stamp counter that it took (OUT to 0xe8), for ever.
 */
	.section .rodata
	.globl guest_firmware, guest_firmware_end
	.code16
	.balign 16
guest_firmware:
1:	movw	$0xe0, %dx
	inl	%dx, %eax
	movl	%eax, %ebp
	movw	$0xe4, %dx
	inl	%dx, %eax
	movl	%eax, %ecx
	lfence
	rdtsc
	movl	%eax, %edi
	cmpl	$1, %ebp
	je	3f
	cmpl	$2, %ebp
	je	5f

	/* 0: nothing, for what the rest of this takes */
2:	rdtsc
	subl	%edi, %eax
	movw	$0xe8, %dx
	outl	%eax, %dx
	jmp	1b

	/* 1: CPUID, %ecx times */
3:	movl	%ecx, %esi
4:	xorl	%eax, %eax
	cpuid
	decl	%esi
	jnz	4b
	jmp	2b

	/* 2: one byte of each of %ecx pages, from 2 MiB on */
5:	movl	$0x200000, %esi
6:	movb	%al, %ds:(%esi)
	addl	$0x1000, %esi
	decl	%ecx
	jnz	6b
	jmp	2b

	/* Real mode with segments of 4 GiB */
7:	cli
	lgdtl	%cs:(gdt_pointer - guest_firmware)
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	movw	$8, %bx
	movw	%bx, %ds
	andb	$0xfe, %al
	movl	%eax, %cr0
	jmp	1b

	.balign 8
gdt:	.quad	0, 0x00cf93000000ffff /* accessed: firmware cannot be written */
gdt_pointer:
	.word	15
	.long	0xffff0000 + gdt - guest_firmware

	.org	guest_firmware + 0xfff0
	jmp	7b
	.org	guest_firmware + 0x10000
guest_firmware_end:
	.section .note.GNU-stack,"",@progbits
