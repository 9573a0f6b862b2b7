/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Boot sector of the Bochs test machine.
 *
 * Bochs has put everything else into memory before the first instruction: the
 * kernel, the initramfs, and at PARAMS the page tables, the kernel's
 * boot_params and its command line (see "run"). What is left is to ask the
 * BIOS for the memory map and to enter the kernel by the 64-bit boot protocol.
 *
 * Memory is loaded only once, so a second start means that the machine was
 * reset: it is turned off then. Before, it says how often two patterns of 8 bytes
 * are in memory, each 8 digits. They stand inverted here, not to be found themselves.
 */
	.set PAGE_TABLES, PARAMS
	.set PAGE_TABLES5, PARAMS + 0x6000	/* the same with 5 levels; empty: not wanted */
	.set BOOT_PARAMS, PARAMS + 0x8000
	.set ENTRY,       PARAMS + 0xa000	/* address of the kernel's entry */
	.set STARTED,     PARAMS + 0xa008	/* written here */
	.set MEMORY_END,  PARAMS + 0xa00c
	.set PATTERNS,    PARAMS + 0xa010
	.set OUTPUT, 0xe9

	.set E820_COUNT, BOOT_PARAMS + 0x1e8
	.set E820_TABLE, BOOT_PARAMS + 0x2d0
	.set E820_MAX, 128
	.set BUFFER, 0x8000			/* the memory map, in low memory */

	.code16
	.globl _start
_start:
	ljmp	$0, $1f
1:	cli
	xorw	%ax, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	movw	$0x7c00, %sp

	movw	$BUFFER, %di
	xorl	%ebx, %ebx
	xorw	%bp, %bp
next_range:
	movl	$0xe820, %eax
	movl	$20, %ecx
	movl	$0x534d4150, %edx		/* "SMAP" */
	int	$0x15
	jc	map_done
	addw	$20, %di
	incw	%bp
	cmpw	$E820_MAX, %bp
	je	map_done
	testl	%ebx, %ebx
	jnz	next_range
map_done:
	movw	$0x2401, %ax			/* enable A20 */
	int	$0x15
	cli
	movb	$0xff, %al			/* mask the interrupt controllers */
	outb	%al, $0x21
	outb	%al, $0xa1

	lgdt	gdt_pointer
	movl	%cr0, %eax
	orb	$1, %al
	movl	%eax, %cr0
	ljmpl	$0x8, $protected

	.code32
protected:
	movw	$0x18, %ax
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss

	incl	STARTED
	cmpl	$1, STARTED
	jne	started_again

	movl	$BUFFER, %esi
	movl	$E820_TABLE, %edi
	movzwl	%bp, %ecx
	movb	%cl, E820_COUNT
	imull	$5, %ecx
	cld
	rep movsl

	/* As the kernel's decompressor does it: 5 levels of page tables where the CPU has them. */
	xorl	%eax, %eax
	cpuid
	movl	$0x20, %esi			/* CR4.PAE */
	movl	$PAGE_TABLES, %edi
	cmpl	$7, %eax
	jb	1f
	cmpl	$0, PAGE_TABLES5
	je	1f
	movl	$7, %eax
	xorl	%ecx, %ecx
	cpuid
	btl	$16, %ecx
	jnc	1f
	btsl	$12, %esi			/* CR4.LA57 */
	movl	$PAGE_TABLES5, %edi
1:	movl	%esi, %cr4
	movl	%edi, %cr3
	movl	$0xc0000080, %ecx		/* EFER.LME */
	rdmsr
	btsl	$8, %eax
	wrmsr
	movl	%cr0, %eax
	btsl	$31, %eax
	movl	%eax, %cr0
	ljmpl	$0x10, $long_mode

started_again:
	movl	$PATTERNS, %esi
	call	search
	call	search
	movw	$0x8900, %dx
	movl	$shutdown, %esi
	movl	$8, %ecx
	rep outsb
	hlt

/* Pattern at ESI, which moves on. */
search:
	lodsl
	notl	%eax
	movl	%eax, %ebx
	lodsl
	notl	%eax
	xorl	%edi, %edi
	xorl	%ebp, %ebp
1:	cmpl	%ebx, (%edi)
	jne	2f
	cmpl	%eax, 4(%edi)
	jne	2f
	incl	%ebp
2:	addl	$8, %edi
	cmpl	MEMORY_END, %edi
	jb	1b
	movl	$8, %ecx
3:	roll	$4, %ebp
	movl	%ebp, %eax
	andb	$15, %al
	cmpb	$10, %al			/* '0' to '9', 'A' to 'F' */
	sbbb	$0x69, %al
	das
	outb	%al, $OUTPUT
	loop	3b
	movb	$'\n', %al
	outb	%al, $OUTPUT
	ret

	.code64
long_mode:
	movl	$BOOT_PARAMS, %esi
	jmp	*ENTRY

shutdown:
	.ascii	"Shutdown"

	.balign 8
gdt:
	.quad	0
	.quad	0x00cf9b000000ffff		/* 0x08: 32-bit code */
	.quad	0x00af9b000000ffff		/* 0x10: __BOOT_CS, 64-bit code */
	.quad	0x00cf93000000ffff		/* 0x18: __BOOT_DS */
gdt_pointer:
	.word	. - gdt - 1
	.long	gdt

	.org	510
	.word	0xaa55
