/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The way into and out of VMX non-root operation, and the exceptions of root
 * mode. No policy. GS base is struct cpu. Host RFLAGS are free: the guest's
 * are in the VMCS.
 *
 * An NMI in root mode only sets a flag. The flag is looked at by the last
 * instruction but one before an entry; an NMI that comes behind it finds RIP
 * in the window and sends it back (so none is late, and none needs the VMCS).
 * Root mode never executes IRET: it would end the blocking of NMIs that the
 * interrupted guest may be under (SDM 26.3.3, 6.7.1).
 */
#include "asm-offsets.h"

#define EVENT_NMI 1
#define EVENT_MCE 2
#define EVENT_MCE_IN_ROOT 4
#define MSR_MCG_STATUS 0x17a
#define RIPV 1
#define MCIP 4

	.macro save_gprs
	movq	%rax, %gs:CPU_GPR + 0 * 8
	movq	%rcx, %gs:CPU_GPR + 1 * 8
	movq	%rdx, %gs:CPU_GPR + 2 * 8
	movq	%rbx, %gs:CPU_GPR + 3 * 8
	movq	%rbp, %gs:CPU_GPR + 5 * 8
	movq	%rsi, %gs:CPU_GPR + 6 * 8
	movq	%rdi, %gs:CPU_GPR + 7 * 8
	movq	%r8, %gs:CPU_GPR + 8 * 8
	movq	%r9, %gs:CPU_GPR + 9 * 8
	movq	%r10, %gs:CPU_GPR + 10 * 8
	movq	%r11, %gs:CPU_GPR + 11 * 8
	movq	%r12, %gs:CPU_GPR + 12 * 8
	movq	%r13, %gs:CPU_GPR + 13 * 8
	movq	%r14, %gs:CPU_GPR + 14 * 8
	movq	%r15, %gs:CPU_GPR + 15 * 8
	.endm

	.text
	.globl	vmx_exit, vmx_enter
vmx_exit:
	save_gprs
	movq	%gs:0, %rdi
	call	handle_exit
vmx_enter:
	movq	%gs:CPU_GPR + 0 * 8, %rax
	movq	%gs:CPU_GPR + 1 * 8, %rcx
	movq	%gs:CPU_GPR + 2 * 8, %rdx
	movq	%gs:CPU_GPR + 3 * 8, %rbx
	movq	%gs:CPU_GPR + 5 * 8, %rbp
	movq	%gs:CPU_GPR + 6 * 8, %rsi
	movq	%gs:CPU_GPR + 7 * 8, %rdi
	movq	%gs:CPU_GPR + 8 * 8, %r8
	movq	%gs:CPU_GPR + 9 * 8, %r9
	movq	%gs:CPU_GPR + 10 * 8, %r10
	movq	%gs:CPU_GPR + 11 * 8, %r11
	movq	%gs:CPU_GPR + 12 * 8, %r12
	movq	%gs:CPU_GPR + 13 * 8, %r13
	movq	%gs:CPU_GPR + 14 * 8, %r14
	movq	%gs:CPU_GPR + 15 * 8, %r15
	cmpb	$0, %gs:CPU_LAUNCHED
	je	1f
	cmpb	$0, %gs:CPU_EVENTS
resume_window:
	jne	events_pending
	vmresume
resume_window_end:
	jmp	entry_failed
1:	cmpb	$0, %gs:CPU_EVENTS
launch_window:
	jne	events_pending
	vmlaunch
launch_window_end:
entry_failed:
	save_gprs
	movq	%gs:0, %rdi
	call	handle_entry_failure
	jmp	vmx_enter
events_pending:
	save_gprs
	movq	%gs:0, %rdi
	call	handle_events
	jmp	vmx_enter

/* Return from an exception without IRET: everything but RIP, RSP and RFLAGS is as it was. */
	.macro return_without_iret
	movq	16 + 24(%rsp), %rax		/* RSP at the interruption */
	subq	$24, %rax
	movq	8(%rsp), %rdx
	movq	%rdx, (%rax)			/* RAX */
	movq	16 + 16(%rsp), %rdx
	movq	%rdx, 8(%rax)			/* RFLAGS */
	movq	16 + 0(%rsp), %rdx
	movq	%rdx, 16(%rax)			/* RIP */
	movq	(%rsp), %rdx
	movq	%rax, %rsp
	popq	%rax
	popfq
	ret
	.endm

	/* stack: RIP CS RFLAGS RSP SS; IST */
	.macro event_stub flag
	pushq	%rax
	movl	machine_ending(%rip), %eax
	decl	%eax
	js	9f
	cmpl	%gs:CPU_INDEX, %eax
	jne	park			/* another CPU ends the machine */
9:	pushq	%rdx				/* an NMI and a machine check may meet here */
	orb	$(\flag), %gs:CPU_EVENTS
	.if (\flag) == EVENT_NMI
	cmpb	$0, %gs:CPU_IN_VMX
	jne	1f
	movq	%gs:CPU_GATE, %rax
	incq	GATE_NMI(%rax)
	.endif
1:	leaq	resume_window(%rip), %rax
	cmpq	%rax, 16(%rsp)
	jb	2f
	leaq	resume_window_end(%rip), %rax
	cmpq	%rax, 16(%rsp)
	jb	3f
2:	leaq	launch_window(%rip), %rax
	cmpq	%rax, 16(%rsp)
	jb	4f
	leaq	launch_window_end(%rip), %rax
	cmpq	%rax, 16(%rsp)
	jae	4f
3:	leaq	events_pending(%rip), %rax
	movq	%rax, 16(%rsp)
4:	return_without_iret
	.endm

	.globl	nmi_stub, mce_stub
nmi_stub:
	event_stub EVENT_NMI

	/*
	 * The next one would shut the CPU down while this one is in progress. So it is the host's
	 * from here on (mcheck.c), and done as far as the CPU is concerned. There is no going back
	 * without RIPV, or behind another that the host has not handled yet; one that comes then
	 * finds the same, before it does harm to this stack.
	 */
mce_stub:
	pushq	%rax
	pushq	%rcx
	pushq	%rdx
	movl	$MSR_MCG_STATUS, %ecx
	rdmsr
	testb	$MCIP, %gs:CPU_MCG_STATUS
	jz	1f
	movl	$MCIP, %eax
1:	movq	%rax, %gs:CPU_MCG_STATUS
	xorl	%eax, %eax
	xorl	%edx, %edx
	wrmsr
	testb	$RIPV, %gs:CPU_MCG_STATUS
	popq	%rdx
	popq	%rcx
	popq	%rax
	jz	exception_stubs + 16 * 18
	event_stub EVENT_MCE | EVENT_MCE_IN_ROOT

park:
	andq	$-16, %rsp
	call	machine_park

/*
 * Any other exception: #GP of a RDMSR, WRMSR or XSETBV made for the host has a
 * fixup; all else is a bug of the monitor. Every stub is 16 bytes long.
 */
	.globl	exception_stubs
	.balign 16
exception_stubs:
	vector = 0
	.rept 32
	.balign 16
	.if (vector == 8) || ((vector >= 10) && (vector <= 14)) || (vector == 17) || (vector == 21)
	.else
	pushq	$0
	.endif
	pushq	$vector
	jmp	exception_common
	vector = vector + 1
	.endr

exception_common:
	pushq	%rax
	cmpq	$13, 8(%rsp)
	jne	1f
	leaq	fixup_table(%rip), %rax
2:	cmpq	$0, (%rax)
	je	1f
	pushq	%rcx
	movq	(%rax), %rcx
	cmpq	%rcx, 8 + 24(%rsp)
	popq	%rcx
	je	3f
	addq	$16, %rax
	jmp	2b
3:	movq	8(%rax), %rax
	movq	24 + 24(%rsp), %rsp
	jmp	*%rax
1:	popq	%rax
	movq	%rsp, %rdi
	andq	$-16, %rsp
	call	handle_root_exception

	.macro fixup insn fault
	.pushsection .rodata.fixup, "a"
	.quad	\insn, \fault
	.popsection
	.endm

	/* bool rdmsr_safe(u32 msr, u64 *value) */
	.globl	rdmsr_safe
rdmsr_safe:
	movl	%edi, %ecx
10:	rdmsr
	movl	%eax, (%rsi)
	movl	%edx, 4(%rsi)
	movl	$1, %eax
	ret
	fixup	10b, fail_false

	/* bool wrmsr_safe(u32 msr, u64 value) */
	.globl	wrmsr_safe
wrmsr_safe:
	movl	%edi, %ecx
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
20:	wrmsr
	movl	$1, %eax
	ret
	fixup	20b, fail_false

	/* bool xsetbv_safe(u32 index, u64 value) */
	.globl	xsetbv_safe
xsetbv_safe:
	movl	%edi, %ecx
	movl	%esi, %eax
	movq	%rsi, %rdx
	shrq	$32, %rdx
30:	xsetbv
	movl	$1, %eax
	ret
	fixup	30b, fail_false

fail_false:
	xorl	%eax, %eax
	ret

	/* u64 call_on_stack(u64 (*fn)(struct cpu *), struct cpu *cpu, u64 stack_top) */
	.globl	call_on_stack
call_on_stack:
	pushq	%rbp
	movq	%rsp, %rbp
	movq	%rdx, %rsp
	movq	%rdi, %rax
	movq	%rsi, %rdi
	call	*%rax
	movq	%rbp, %rsp
	popq	%rbp
	ret

	/* first entry into the host: void enter_host(u64 stack_top) */
	.globl	enter_host
enter_host:
	movq	%rdi, %rsp
	jmp	vmx_enter

	.section .note.GNU-stack, "", @progbits
