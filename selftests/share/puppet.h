/* SPDX-License-Identifier: GPL-2.0-only */
/* A guest that does what the host says, and what the host says. */
#ifndef SELFTESTS_SHARE_PUPPET_H
#define SELFTESTS_SHARE_PUPPET_H

#define PUPPET_IN 0xe0
#define PUPPET_OUT 0xe4

/* Below: a call of the monitor. */
#define PUPPET_STORE 0x10001 /* (address, value) */
#define PUPPET_LOAD 0x10002  /* (address): the value */
#define PUPPET_FILL 0x10003  /* (address, value, words) */
#define PUPPET_COUNT 0x10004 /* (address, value, words): how many of them have this value */
#define PUPPET_TOUCH 0x10005 /* (address, value, pages): store a byte in each */
#define PUPPET_TOOK 0x10006  /* ticks of the time stamp counter that what was before took */
#define PUPPET_TPR 0x10007   /* (address, pages): writes CR8, touches a page, and so on */
#define PUPPET_LISTEN 0x10008 /* (stack, times): interrupts on, IN from PUPPET_IN so often */
#define PUPPET_CPUID 0x10009 /* (leaf, subleaf, 0): EBX:EAX; 1: EDX:ECX */
#define PUPPET_RDMSR 0x1000a /* (number) */
#define PUPPET_WRMSR 0x1000b /* (number, value) */
#define PUPPET_INVERT 0x1000c /* (address, 0, words): each of them */
#define PUPPET_PORT 0x1000d /* (port, size, before): RAX that was this before, behind an IN */
#define PUPPET_DEVICE 0x1000e /* (address, size, before): likewise, behind a load */
#define PUPPET_INS 0x1000f /* (port, address, bytes): where REP INSB has come; what is left << 32 */
#define PUPPET_OUTL 0x10010 /* (port, value) */
#define PUPPET_REGS 0x10011 /* (address, device): what is there, inverted, into registers; a load */
#define PUPPET_CR8 0x10012 /* (value): written with interrupts on */

/* In its memory: how often each vector was taken, 8 bytes each. */
#define PUPPET_COUNTS 0x20000
/* What comes of a command that an exception has ended: this and the vector. */
#define PUPPET_EXCEPTION 0x7e000000

#ifndef __ASSEMBLER__

#define PUPPET_RAM (16UL << 20)
#define PUPPET_DEAD (-100000L) /* it does not run any more */

struct kvm_cpuid2;
struct kvm_run;

/*
 * To be set before puppet_start(): an ordinary guest; one with an interrupt controller of
 * KVM's. @idle: called when the guest asks for what it was not given (0), or a signal came (1).
 * @cpuid: may change what the guest is told. @on_exit: has it dealt with this exit of KVM's?
 */
struct puppet_options {
	int ordinary, irqchip;
	void (*idle)(int signal);
	void (*cpuid)(struct kvm_cpuid2 *c);
	int (*on_exit)(void);
};

extern struct puppet_options puppet_options;
extern int puppet_vm, puppet_cpu;  /* KVM's descriptors */
extern struct kvm_run *puppet_run;
extern unsigned char *puppet_memory; /* what KVM takes for its memory: slot 0, from 0 on */
extern unsigned int puppet_said;  /* the last word of it, if it did not live to say two */

/* The calling process is armed and gets a VM, of which there is one. Its domain. */
int puppet_start(unsigned long ram);

long puppet(unsigned int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

struct mon_name;

/* MON_GC_OFFER of pages at an address; to whom: enum mon_share_to; @name NULL: zeros */
long puppet_offer(unsigned long at, unsigned long pages, unsigned int perm, unsigned int to,
		  const struct mon_name *name, unsigned long tag);

#endif /* __ASSEMBLER__ */
#endif
