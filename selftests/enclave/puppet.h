/* SPDX-License-Identifier: GPL-2.0-only */
/* An enclave that does what it is told; without the SDK, so that tests see the bare interface. */
#ifndef _ENCLAVE_PUPPET_H
#define _ENCLAVE_PUPPET_H

#define PUPPET_TEXT 0x10000000UL
#define PUPPET_TEXT_PAGES 4
#define PUPPET_DATA 0x10010000UL
#define PUPPET_DATA_PAGES 2
#define PUPPET_HEAP 0x20000000UL
#define PUPPET_HEAP_PAGES 1024
#define PUPPET_STACKS 0x28000000UL
#define PUPPET_STACK_SIZE 0x8000UL
#define PUPPET_THREADS 4
#define PUPPET_STACKS_END (PUPPET_STACKS + PUPPET_THREADS * PUPPET_STACK_SIZE)
#define PUPPET_BUFFER 0x30000000UL
#define PUPPET_BUFFER_PAGES 4

#define PUPPET_SECRET 0x5ec4e7ba5eba11edUL
#define PUPPET_WORDS 512 /* of a page that is full of it */

/* Of a thread: its own page of the buffer. */
struct puppet_args {
	unsigned long a[8];
	unsigned char bytes[512];
};

/*
 * ORDER_ADD: a0 + a1
 * ORDER_READ: 8 bytes at a0
 * ORDER_WRITE: a1 to a0
 * ORDER_JUMP: to a0
 * ORDER_OCALLS: a0 of them, each with what the one before answered; returns the last
 * ORDER_CANARY: all registers, for a0 rounds; returns how many had changed
 * ORDER_INSN: instruction number a0
 * ORDER_MONITOR: call number a0; its structure is in bytes, both ways; returns the answer
 * ORDER_TOUCH: a1 pages from a0 on; returns the sum of their first words, then marks them
 * ORDER_TRIM: a1 pages from a0 on
 * ORDER_SPIN: until a0 is not 0
 * ORDER_SECRET: fills a page of heap and all registers; 1 in a2; spins until a0 is not 0
 * ORDER_RECURSE: a0 deep, a KiB each
 * ORDER_CATCH: as ORDER_INSN, or CATCH_* at a1, with the handler: the vector; its error code in a4,
 *	address in a5
 * ORDER_INITIAL: or of all registers as the thread found them, but those that have arguments
 * ORDER_RAW: monitor call a0 with a1 and a2
 * ORDER_COPY: 64 bytes in, to memory of its own, and 64 out
 * ORDER_SELECTORS: or of the data selectors as found; leaves 3 in them
 * ORDER_HIDE: as ORDER_SECRET, but a word that is nowhere else: ~a1
 * ORDER_COUNT: how many words of that page are ~a1
 * ORDER_PROTECT: a1 pages from a0 on to a2
 * ORDER_TAKE: as that, for the page at a0: what it has behind it, ~0 if it changes then
 * ORDER_KEEP: of the registers that a call preserves, how many a call of the process changes
 * ORDER_WATCH: reads at a0, and counts in a2, until a1 is not 0; what is there then
 * ORDER_STATE: what of its registers is not as it has to be, STATE_*
 * ORDER_RENEW: gives the page at a0 back, writes a2 there, and tells thread 1, its a1
 * ORDER_LEAVE: with ~a1 in all registers: a0: 0 returns 7, 1 calls before, 2 UD2
 */
enum puppet_order {
	ORDER_ADD,
	ORDER_READ,
	ORDER_WRITE,
	ORDER_JUMP,
	ORDER_OCALLS,
	ORDER_CANARY,
	ORDER_INSN,
	ORDER_MONITOR,
	ORDER_TOUCH,
	ORDER_TRIM,
	ORDER_SPIN,
	ORDER_SECRET,
	ORDER_RECURSE,
	ORDER_CATCH,
	ORDER_INITIAL,
	ORDER_RAW,
	ORDER_SELECTORS,
	ORDER_HIDE,
	ORDER_COUNT,
	ORDER_LEAVE,
	ORDER_COPY,
	ORDER_KEEP,
	ORDER_PROTECT,
	ORDER_TAKE,
	ORDER_WATCH,
	ORDER_RENEW,
	ORDER_STATE,
};

/* In place of an instruction's number. FILL: counts there, and in a2, until it may not. */
#define CATCH_READ (~0UL)
#define CATCH_WRITE (~1UL) /* the address itself */
#define CATCH_JUMP (~2UL)
#define CATCH_FILL (~3UL)

#define STATE_MXCSR 1
#define STATE_FCW 2
#define STATE_XCR0 4 /* or another than at the first call */
#define STATE_FS_BASE 8
#define STATE_GS_BASE 16
#define STATE_RFLAGS 32
#define STATE_YMM 64

#endif /* _ENCLAVE_PUPPET_H */
