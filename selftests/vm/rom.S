/* SPDX-License-Identifier: GPL-2.0-only */
/* A network card's option ROM, which says on the firmware's debug port that it runs. */
	.code16
	.globl _start
_start:
	.byte 0x55, 0xaa, 1	/* 512 bytes */
	jmp run
	.org 0x18
	.word pcir
pcir:	/* PCI Firmware 3.0, 5.1.2 */
	.ascii "PCIR"
	.word 0x8086, 0x100e	/* QEMU's e1000 */
	.word 0, 0x18
	.byte 0, 0, 0, 2
	.word 1, 0
	.byte 0, 0x80
	.word 0
run:
	push %si
	push %ax
	push %dx
	mov $0x402, %dx
	mov $text, %si
1:	mov %cs:(%si), %al
	test %al, %al
	jz 2f
	out %al, %dx
	inc %si
	jmp 1b
2:	pop %dx
	pop %ax
	pop %si
	xor %ax, %ax
	lret
text:	.asciz "\nthe host's option ROM runs\n"
	.org 511
	.byte 0			/* what makes the sum of all 0 */
