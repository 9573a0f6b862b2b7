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
#define PUPPET_INVERT 0x10007 /* (address, 0, words): each of them */
#define PUPPET_TOOK 0x10006  /* ticks of the time stamp counter that what was before took */

#ifndef __ASSEMBLER__

#define PUPPET_RAM (16UL << 20)
#define PUPPET_DEAD (-100000L) /* it does not run any more */

/* The calling process is armed and gets a VM, of which there is one. Its domain. */
int puppet_start(unsigned long ram);

/* The same, without being armed: an ordinary VM. */
void puppet_start_ordinary(unsigned long ram);

long puppet(unsigned int what, unsigned long a, unsigned long b, unsigned long c, unsigned long d);

struct mon_name;

/* MON_GC_OFFER of pages at an address; to whom: enum mon_share_to; @name NULL: zeros */
long puppet_offer(unsigned long at, unsigned long pages, unsigned int perm, unsigned int to,
		  const struct mon_name *name, unsigned long tag);

#endif /* __ASSEMBLER__ */
#endif
