/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an enclave's file says of it, and where all of it lies: for the loader and the runtime.
 */
#ifndef _MON_IMAGE_H
#define _MON_IMAGE_H

#include "uapi/enclave.h"

#define MON_PAGE 4096ULL
#define MON_NOTE_NAME "MON-ENCLAVE" /* 12 bytes with its zero */
#define MON_NOTE_TYPE 1
#define MON_HANDLER_OFFSET 64 /* behind the entry: where exceptions go */

/**
 * struct mon_enclave_config - MON_ENCLAVE_CONFIG(); 0: the default
 * @heap: bytes for malloc(); 1 MiB
 * @stack: bytes of each thread's stack, a power of two; 64 KiB
 * @threads: how many calls can be inside at once; 4
 * @buffer_pages: shared memory for the arguments of one call; 16 pages
 * @product, @security_version: see struct mon_enclave_policy
 * @debug: 1: the host can read and write it
 * @exceptions: 1: mon_on_exception() is used
 * @simulation: 0; for the library
 * @shared_pages: room for what others share with it: mon_share_accept(); none
 */
struct mon_enclave_config {
	unsigned long long heap;
	unsigned long long stack;
	unsigned int threads;
	unsigned int buffer_pages;
	unsigned int product;
	unsigned int security_version;
	unsigned int debug;
	unsigned int exceptions;
	unsigned long long simulation;
	unsigned long long shared_pages;
};

struct mon_enclave_note {
	unsigned int name_size;
	unsigned int size;
	unsigned int type;
	char name[12];
	struct mon_enclave_config config;
};

#define MON_HEAP_MAX (16ULL << 30)
#define MON_STACK_MIN (4 * MON_PAGE)
#define MON_STACK_MAX (16ULL << 20)
#define MON_SHARED_PAGES_MAX (1ULL << 20)

/** struct mon_layout - addresses: first byte, and first byte behind */
struct mon_layout {
	unsigned long long heap, heap_end;
	unsigned long long stacks, stacks_end;
	unsigned long long stack;
	unsigned long long buffer, buffer_end;
	unsigned long long slice; /* of the buffer, for each thread */
	unsigned int threads;
	unsigned long long shared, shared_end; /* the same: there is none */
};

#define MON_ALIGN(value, to) (((value) + (to) - 1) / (to) * (to))

/** mon_layout() - behind an image that ends at @end: a page of nothing, heap, stacks, ... */
static inline void mon_layout(const struct mon_enclave_config *c, unsigned long long end,
			      struct mon_layout *l)
{
	l->stack = c->stack ? c->stack : 64 << 10;
	l->threads = c->threads ? c->threads : 4;
	l->slice = (c->buffer_pages ? c->buffer_pages : 16) * MON_PAGE;
	l->heap = MON_ALIGN(end, MON_PAGE) + MON_PAGE;
	l->heap_end = l->heap + MON_ALIGN(c->heap ? c->heap : 1 << 20, MON_PAGE);
	l->stacks = MON_ALIGN(l->heap_end, l->stack);
	l->stacks_end = l->stacks + l->threads * l->stack;
	l->buffer = l->stacks_end + MON_PAGE;
	l->buffer_end = l->buffer + l->threads * l->slice;
	l->shared = l->buffer_end + MON_PAGE;
	l->shared_end = l->shared + c->shared_pages * MON_PAGE;
}

/* Calls that the runtime makes for itself: the first of the two values, above all numbers. */
#define MON_OCALL_OWN 0xffffffff00000000ULL
#define MON_OCALL_YIELD (MON_OCALL_OWN | 1) /* nothing to do but wait */
#define MON_OCALL_PRINT (MON_OCALL_OWN | 2) /* (length): text in the slice */
#define MON_OCALL_DIED (MON_OCALL_OWN | 3)  /* (page | vector): an exception; it ends */
#define MON_OCALL_FILE (MON_OCALL_OWN | 4)  /* struct mon_file_request in the slice */
#define MON_OCALL_SIGNATURE (MON_OCALL_OWN | 5) /* struct mon_enclave_signature into the slice: 0 */

enum mon_file_op {
	MON_FILE_OPEN,	 /* behind it a name, of @size bytes: a handle */
	MON_FILE_READ,	 /* bytes, which are behind it then */
	MON_FILE_WRITE,	 /* what is behind it: bytes */
	MON_FILE_SYNC,
	MON_FILE_CLOSE,
	MON_FILE_REMOVE, /* as MON_FILE_OPEN: 0 */
};

/** struct mon_file_request - what the enclave asks of a file; the answer is negative: -MON_E* */
struct mon_file_request {
	unsigned int op;
	unsigned int handle;
	unsigned int size;
	unsigned int create; /* MON_FILE_OPEN: 1: if it is not there */
	unsigned long long offset;
};

#endif /* _MON_IMAGE_H */
