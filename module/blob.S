/* SPDX-License-Identifier: GPL-2.0-only */
	.section .rodata, "a"
	.globl monitor_image_start, monitor_image_end, monitor_image_sha256
	.balign 4096
monitor_image_start:
	.incbin "monitor.elf"
monitor_image_end:
	.balign 64
monitor_image_sha256:
	.incbin "monitor.elf.sha256bin"
	.section .note.GNU-stack, "", @progbits
