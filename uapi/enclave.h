/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Enclaves: what one is, what it says to the monitor, and what comes back to the process.
 *
 * An enclave is a domain without a kernel: code and data of its own, at addresses of its own
 * (linear and guest-physical are the same), at CPL 3. It sees its ranges, and nothing of the
 * process but the buffer they share. All between MON_ENCLAVE_LOW and MON_ENCLAVE_HIGH.
 *
 * A thread is entered at @entry of its policy with RDI and RSI as the process gives them, RDX =
 * its number, RSP and FS base = its page, RFLAGS = 2, zeros in all other registers and the
 * initial state in the vector registers. That page is the last of its stack; the first of each
 * stack is never there.
 *
 * An enclave calls the monitor by VMCALL: RAX = MON_HYPERCALL | number, arguments in RDI, RSI,
 * RDX. RAX returns 0 or more, or -MON_E*. RCX, RDX, RSI, RDI and R8 to R11 are zero afterwards if
 * the process ran meanwhile, else as before. Structures are in memory that began as zeros
 * (MON_ENCLAVE_ZERO), 8-byte aligned, within one page.
 */
#ifndef _UAPI_ENCLAVE_H
#define _UAPI_ENCLAVE_H

#include "guest.h"

#define MON_ENCLAVE_POLICY_VERSION 1
#define MON_ENCLAVE_LOW 0x10000ULL
#define MON_ENCLAVE_HIGH 0x800000000ULL /* 32 GiB */
#define MON_ENCLAVE_MAX_RANGES 8
#define MON_ENCLAVE_MAX_THREADS 64
#define MON_ENCLAVE_BUFFER_PAGES_MAX 1024

/* What a range of an enclave's addresses is; where none is, nothing is. */
enum mon_enclave_range_type {
	MON_ENCLAVE_PAGES = 1,	/* copied in and measured, page by page, each with its permission */
	MON_ENCLAVE_ZERO = 2,	/* to read and write: made of zeros when it is touched */
	MON_ENCLAVE_BUFFER = 3, /* the process's pages, for both to read and write; one at most */
	MON_ENCLAVE_SHARED = 4, /* where what others share with it appears, and nothing else */
};

/**
 * struct mon_enclave_policy - what an enclave is; the first thing its measurement covers
 * @version: MON_ENCLAVE_POLICY_VERSION
 * @nr_ranges: entries of @range that are used; the others are zero
 * @nr_threads: 1 to MON_ENCLAVE_MAX_THREADS
 * @flags: MON_ENCLAVE_DEBUG or 0
 * @range: page aligned, ascending, not overlapping; @end is the first byte behind
 * @entry: where a thread begins
 * @handler: where it goes on after an exception, or 0
 * @stacks: the first thread's stack; all of them in one ZERO range
 * @stack_size: bytes of each, with the page that is not there and the thread's page; 4 pages or
 *	more
 * @product: number of what it is, among all of its maker's
 * @security_version: raised when a hole was closed
 * @reserved: 0
 *
 * Measurement = SHA-256 of this structure, then for each page added, in this order: its address,
 * its permission (8 bytes each, little endian), its 4096 bytes.
 */
struct mon_enclave_policy {
	unsigned int version;
	unsigned int nr_ranges;
	unsigned int nr_threads;
	unsigned int flags;
	struct {
		unsigned long long start;
		unsigned long long end;
		unsigned int type;
		unsigned int reserved;
	} range[MON_ENCLAVE_MAX_RANGES];
	unsigned long long entry;
	unsigned long long handler;
	unsigned long long stacks;
	unsigned long long stack_size;
	unsigned int product;
	unsigned int security_version;
	unsigned long long reserved[4];
};

/*
 * The host may read and write its memory and read its threads' registers: for developers. In the
 * measurement like all else.
 */
#define MON_ENCLAVE_DEBUG 1u

#define MON_ENCLAVE_READ 1u
#define MON_ENCLAVE_WRITE 2u
#define MON_ENCLAVE_EXEC 4u

enum mon_enclave_state {
	MON_ENCLAVE_BUILDING = 0, /* pages can be added */
	MON_ENCLAVE_READY = 1,	  /* measured; its threads can be entered */
	MON_ENCLAVE_DYING = 2,
};

/**
 * enum mon_enclave_op - MON_HC_ENCLAVE_RUN: how a thread is entered
 * @MON_ENCLAVE_CALL: one that is idle, with two arguments
 * @MON_ENCLAVE_ANSWER: one that has made a call of the process, with the answer
 * @MON_ENCLAVE_RESUME: one that was interrupted, or waits for a frame
 */
enum mon_enclave_op {
	MON_ENCLAVE_CALL = 0,
	MON_ENCLAVE_ANSWER = 1,
	MON_ENCLAVE_RESUME = 2,
};

/**
 * enum mon_enclave_exit - MON_HC_ENCLAVE_RUN: why a thread was left
 * @MON_ENCLAVE_RETURNED: it is idle again; value 0 is what it returned
 * @MON_ENCLAVE_OCALL: it calls the process; values 0 and 1 are for it. Then MON_ENCLAVE_ANSWER
 * @MON_ENCLAVE_INTERRUPTED: the host has something to do; value 0 is 1: every CPU that runs a
 *	thread of the enclave has to enter the monitor once. Then MON_ENCLAVE_RESUME
 * @MON_ENCLAVE_NEEDS_FRAME: it touched memory that the monitor has no frame for, or more than
 *	the enclave may own (value 0: 1). Then MON_ENCLAVE_RESUME
 * @MON_ENCLAVE_FAULTED: an exception that the enclave has not handled; the thread is never
 *	entered again. Value 0 is its vector, value 1 the page it concerns, or 0
 * @MON_ENCLAVE_NEEDS_PAGE: it touched a page that is out: the one with the number in value 0.
 *	MON_HC_ENCLAVE_LOAD, then MON_ENCLAVE_RESUME
 */
enum mon_enclave_exit {
	MON_ENCLAVE_RETURNED = 0,
	MON_ENCLAVE_OCALL = 1,
	MON_ENCLAVE_INTERRUPTED = 2,
	MON_ENCLAVE_NEEDS_FRAME = 3,
	MON_ENCLAVE_FAULTED = 4,
	MON_ENCLAVE_NEEDS_PAGE = 5,
};

/*
 * The process that made the enclave may enter it by itself, without a system call: VMCALL in user
 * mode with RAX = MON_HYPERCALL | MON_HC_ENCLAVE_RUN and its arguments. What returns is what that
 * hypercall returns; only RBX, RBP, RSP and R12 to R15 are preserved, and the vector registers.
 * MON_ENCLAVE_NEEDS_FRAME is for MON_IOC_ENCLAVE_RUN to see to. In another process it is #UD.
 */

/**
 * enum mon_enclave_call - calls of an enclave
 * @MON_EC_RETURN: (value): the thread is done; does not return
 * @MON_EC_OCALL: (a, b): the process is to do something; returns its answer: any number, for it
 *	is the host's word
 * @MON_EC_SELF: (struct mon_enclave_self): who the enclave is
 * @MON_EC_REPORT: (struct mon_enclave_report): fill in and seal for the enclave named @target
 * @MON_EC_VERIFY: (struct mon_enclave_report): was it made under this monitor, for this enclave?
 *	EPERM: no
 * @MON_EC_KEY: (struct mon_enclave_key): a key that no other gets
 * @MON_EC_TRIM: (address, pages): give memory back, wiped; 1 to MON_ENCLAVE_TRIM_MAX pages of one
 *	ZERO range, not those of stacks. It may own as many pages less. From now on no thread has
 *	what was there; what comes there next is to read and write. EBUSY: one is in a share
 * @MON_EC_PROTECT: (address, pages, permission): from now on no thread uses these pages otherwise:
 *	MON_ENCLAVE_READ, and WRITE or EXEC, not both. 1 to MON_ENCLAVE_PROTECT_MAX pages of one
 *	PAGES or ZERO range, not those of stacks. One that is not there yet, or is out, has it when
 *	it comes. EINVAL, EBUSY (one is in a share): nothing was changed
 * @MON_EC_SIGNER: (struct mon_enclave_signature): from now on its signer is that one, in reports
 *	and for keys. EPERM: it is no signature of this enclave
 * @MON_EC_SIGNER_KEY: (struct mon_enclave_signer_key): a key that only enclaves of the same signer
 *	and product get, of this security version or a later one. EPERM: it has no signer, or a
 *	lower version
 * @MON_EC_COUNTER: (struct mon_enclave_counter): what a counter is, or a higher value for it.
 *	ERANGE: it is not higher; EPERM: an enclave of a higher security version has advanced it;
 *	ENOMEM: the monitor has no more
 * @MON_EC_HANDLED: (): the exception handler is done: go on as its struct mon_enclave_fault says.
 *	EINVAL: there was no exception
 * @MON_EC_OFFER: (struct mon_enclave_offer): offer pages to a VM or an enclave; returns an ID, for
 *	the process to carry. Until the share has ended the pages stay, as they are.
 *	EFAULT: one is not there just now: it is to be touched, and asked again; EPERM: the enclave
 *	may not use one of them so; EEXIST: one is in a share already, or two are; EBUSY:
 *	MON_SHARE_QUOTA shares of its own are there, or all enclaves have as many as there can be;
 *	ENOENT: there are so many enclaves that this one cannot share; EINVAL
 * @MON_EC_ACCEPT: (struct mon_enclave_accept): take what was offered. ENOENT: there is no such
 *	offer to this enclave (any more), or as for MON_EC_OFFER; EPERM: it is not what is expected,
 *	or not by whom; EEXIST: another share is there; EINVAL: not within one SHARED range
 * @MON_EC_SHARE_END: (ID): end a share, as its owner or its peer. Behind it nobody but the owner
 *	has the pages. ENOENT: there is none (any more)
 */
enum mon_enclave_call {
	MON_EC_RETURN = 0,
	MON_EC_OCALL = 1,
	MON_EC_SELF = 2,
	MON_EC_REPORT = 3,
	MON_EC_VERIFY = 4,
	MON_EC_KEY = 5,
	MON_EC_TRIM = 6,
	MON_EC_HANDLED = 7,
	MON_EC_PROTECT = 8,
	MON_EC_SIGNER = 9,
	MON_EC_SIGNER_KEY = 10,
	MON_EC_COUNTER = 11,
	MON_EC_OFFER = 12,
	MON_EC_ACCEPT = 13,
	MON_EC_SHARE_END = 14,
	MON_EC_NR,
};

#define MON_ENCLAVE_TRIM_MAX 512u
#define MON_ENCLAVE_PROTECT_MAX 512u
#define MON_ENCLAVE_SHARE_MAX 512u

/**
 * struct mon_enclave_self - MON_EC_SELF
 * @measurement: of the enclave
 * @buffer, @buffer_size: what it shares with the process; 0: nothing
 * @thread: number of the thread
 * @flags: of the policy
 * @owned, @limit: pages it owns, and may own
 */
struct mon_enclave_self {
	unsigned char measurement[32];
	unsigned long long buffer;
	unsigned long long buffer_size;
	unsigned int thread;
	unsigned int flags;
	unsigned long long owned;
	unsigned long long limit;
};

/**
 * struct mon_enclave_report - MON_EC_REPORT, MON_EC_VERIFY
 * @target: in: measurement of the enclave that is to believe it
 * @data: in: anything
 * @measurement, @flags, @product, @security_version: out: of who made it
 * @version: out: MON_ENCLAVE_POLICY_VERSION
 * @image_hash: out: of the monitor's image, as the host has said at launch
 * @signer: out: of who made it; zeros: none
 * @seal: out: HMAC-SHA256 of all before, by a key that only the monitor has
 */
struct mon_enclave_report {
	unsigned char target[32];
	unsigned char data[64];
	unsigned char measurement[32];
	unsigned int version;
	unsigned int flags;
	unsigned int product;
	unsigned int security_version;
	unsigned char image_hash[32];
	unsigned char signer[32];
	unsigned char seal[32];
};

/**
 * struct mon_enclave_key - MON_EC_KEY
 * @label: in: chosen by the enclave; another label, another key
 * @key: out: the same each time for the same measurement and label, until the monitor is unloaded
 */
struct mon_enclave_key {
	unsigned char label[32];
	unsigned char key[32];
};

#define MON_LMS_TYPE 6	   /* LMS_SHA256_M32_H10 */
#define MON_LMS_OTS_TYPE 3 /* LMOTS_SHA256_N32_W4 */
#define MON_LMS_HEIGHT 10  /* 1,024 signatures by a key */
#define MON_LMS_CHAINS 67

/** struct mon_lms_key - a public key, as in RFC 8554, 5.3; numbers are big endian */
struct mon_lms_key {
	unsigned char type[4];
	unsigned char ots_type[4];
	unsigned char id[16];
	unsigned char root[32];
};

/** struct mon_lms_signature - as in RFC 8554, 5.4 */
struct mon_lms_signature {
	unsigned char leaf[4];
	unsigned char ots_type[4];
	unsigned char random[32];
	unsigned char chain[MON_LMS_CHAINS][32];
	unsigned char type[4];
	unsigned char path[MON_LMS_HEIGHT][32];
};

#define MON_SIGNED_TEXT "monitor-signer-1" /* then the measurement: what is signed */
#define MON_SIGNED_TEXT_SIZE 16

/**
 * struct mon_enclave_signature - MON_EC_SIGNER; and a file beside the enclave's
 * @key: whose SHA-256 is the signer
 * @signature: by it, of MON_SIGNED_TEXT and the enclave's measurement
 * @reserved: 0
 */
struct mon_enclave_signature {
	struct mon_lms_key key;
	struct mon_lms_signature signature;
	unsigned char reserved[4];
};

/**
 * struct mon_enclave_signer_key - MON_EC_SIGNER_KEY
 * @label: in: chosen by the enclave; another label, another key
 * @security_version: in: at most that of the enclave
 * @reserved: in: 0
 * @key: out: the same for all enclaves of a signer and product that may have it, and are alike in
 *	MON_ENCLAVE_DEBUG, until the monitor is unloaded
 */
struct mon_enclave_signer_key {
	unsigned char label[32];
	unsigned int security_version;
	unsigned int reserved;
	unsigned char key[32];
};

#define MON_ENCLAVE_COUNTERS 8u
#define MON_ENCLAVE_COUNTER_DATA 32

enum mon_enclave_counter_op {
	MON_ENCLAVE_COUNTER_READ = 0,
	MON_ENCLAVE_COUNTER_ADVANCE = 1,
};

/**
 * struct mon_enclave_counter - MON_EC_COUNTER
 * @number: in: which one, below MON_ENCLAVE_COUNTERS. Enclaves of one signer and product, that are
 *	alike in MON_ENCLAVE_DEBUG, have the same ones; of one that has shown no signer all that
 *	have its measurement
 * @op: in: enum mon_enclave_counter_op
 * @value: in or out: it never becomes lower until the monitor is unloaded; 0: there is none yet
 * @data: in or out: goes with the value
 */
struct mon_enclave_counter {
	unsigned int number;
	unsigned int op;
	unsigned long long value;
	unsigned char data[MON_ENCLAVE_COUNTER_DATA];
};

/**
 * struct mon_enclave_offer - MON_EC_OFFER
 * @address, @pages: what is offered: 1 to MON_ENCLAVE_SHARE_MAX pages of one PAGES or ZERO range,
 *	not those of stacks
 * @perm: MON_SHARE_READ, or MON_SHARE_READ | MON_SHARE_WRITE
 * @to: enum mon_share_to, but not the host; the first with the name gets it
 * @tag: for who accepts to tell one offer from another
 * @name: of the VM; of an enclave, its @measurement
 */
struct mon_enclave_offer {
	unsigned long long address;
	unsigned long long pages;
	unsigned int perm;
	unsigned int to;
	unsigned long long tag;
	struct mon_name name;
};

/**
 * struct mon_enclave_accept - MON_EC_ACCEPT
 * @id: of the share, as the process says
 * @address: where it is to appear, within one SHARED range
 * @pages, @perm, @tag: what the offer has to be
 * @from: as @to of an offer: how its owner is named
 * @name: by whom the offer has to be
 */
struct mon_enclave_accept {
	unsigned long long id;
	unsigned long long address;
	unsigned long long pages;
	unsigned int perm;
	unsigned int from;
	unsigned long long tag;
	struct mon_name name;
};

/**
 * struct mon_enclave_fault - an exception, on the thread's page at MON_ENCLAVE_FAULT_OFFSET
 * @vector, @error_code: of the exception; an access to what is not there, or not to be used so, is
 *	14 (#PF), with an error code as by a table (SDM 4.7)
 * @address: of such an access
 * @gpr: RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15 at the exception, and to go on with
 * @rip, @rflags: likewise; of RFLAGS only status, DF, AC, TF and ID are taken
 *
 * The handler gets the address of this in RDI, RSP 128 bytes or more below what was interrupted,
 * and all other registers as they were. The vector registers are as they were, too; it has to
 * preserve those it uses. An exception in it ends the thread.
 */
struct mon_enclave_fault {
	unsigned int vector;
	unsigned int error_code;
	unsigned long long address;
	unsigned long long gpr[16];
	unsigned long long rip;
	unsigned long long rflags;
};

#define MON_ENCLAVE_FAULT_OFFSET 2048

/**
 * struct mon_enclave_make - MON_HC_ENCLAVE_CREATE
 * @limit: frames it may own
 * @host_cr3: top page table of the process that may enter it without its kernel, or 0
 */
struct mon_enclave_make {
	unsigned long long limit;
	unsigned long long host_cr3;
	struct mon_enclave_policy policy;
};

/**
 * struct mon_enclave_status - MON_HC_ENCLAVE_STATUS
 * @state: enum mon_enclave_state
 * @nr_threads: of the policy
 * @flags: of the policy
 * @faulted: threads that are never entered again
 * @owned, @limit: frames
 * @measurement: zeros while it is being built
 * @entries: of all its threads
 * @faults: pages made, and exceptions
 * @evicted: pages that the host has taken, and not loaded again
 */
struct mon_enclave_status {
	unsigned int state;
	unsigned int nr_threads;
	unsigned int flags;
	unsigned int faulted;
	unsigned long long owned;
	unsigned long long limit;
	unsigned char measurement[32];
	unsigned long long entries;
	unsigned long long faults;
	unsigned long long evicted;
};

/**
 * struct mon_enclave_evicted - MON_HC_ENCLAVE_EVICT, MON_HC_ENCLAVE_LOAD: goes with 4096 bytes
 * @number: by which the page is known until it is loaded; never used again
 * @tag: of AES-256-GCM
 */
struct mon_enclave_evicted {
	unsigned long long number;
	unsigned char tag[16];
};

/* What a thread does while it runs nowhere. */
enum mon_enclave_thread_state {
	MON_ENCLAVE_THREAD_IDLE = 0,	    /* its registers are zeros */
	MON_ENCLAVE_THREAD_CALLING = 1,	    /* the process; those that a call changes are zeros */
	MON_ENCLAVE_THREAD_INTERRUPTED = 2, /* or waits for a frame or a page */
	MON_ENCLAVE_THREAD_FAULTED = 4,	    /* at an exception, for good */
};

/**
 * struct mon_enclave_registers - MON_HC_ENCLAVE_PEEK at MON_ENCLAVE_REGISTERS, a page for a thread
 * @state: enum mon_enclave_thread_state
 * @reserved: 0
 * @gpr: RAX RCX RDX RBX RSP RBP RSI RDI R8 to R15
 *
 * Of an enclave with MON_ENCLAVE_DEBUG, and to read only. EBUSY: the thread runs.
 */
struct mon_enclave_registers {
	unsigned int state;
	unsigned int reserved;
	unsigned long long gpr[16];
	unsigned long long rip;
	unsigned long long rflags;
	unsigned long long fs_base;
	unsigned long long gs_base;
};

#define MON_ENCLAVE_REGISTERS MON_ENCLAVE_HIGH

#endif /* _UAPI_ENCLAVE_H */
