/* SPDX-License-Identifier: GPL-2.0-only */
/* What the programs of this suite share: an enclave with the puppet in it, and TAP. */
#ifndef _ENCLAVE_HOST_H
#define _ENCLAVE_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include "../../uapi/monitor.h"
#include "puppet.h"

#define PUPPET_FILE "/usr/lib/puppet.bin"

/* A puppet, and where this process sees its buffer. */
struct enclave {
	int fd;
	struct puppet_args *args; /* one for each thread, a page each */
	struct mon_enclave_info info;
};

extern int monitor_fd; /* /dev/monitor */

/* The policy of the puppet, to be changed by tests. */
struct mon_enclave_create puppet_policy(void);
/* Its pages, from PUPPET_TEXT on. */
const unsigned char *puppet_bytes(void);
unsigned long puppet_handler(void);
unsigned long puppet_insns(void);
/* An enclave without pages; a descriptor, or -errno. */
int enclave_create(const struct mon_enclave_create *create);
/* -errno, or 0 */
int enclave_add(int fd, unsigned long address, unsigned int perm, const void *from,
		unsigned long pages);
int enclave_add_puppet(int fd);
int enclave_finish(int fd, struct mon_enclave_info *info);
/* All of it; or the program ends. */
void enclave_make(struct enclave *e);
void enclave_make_of(struct enclave *e, const struct mon_enclave_create *create);
void enclave_end(struct enclave *e);
struct mon_enclave_info enclave_status(int fd);
/* How many pages were taken, or -errno. */
long enclave_evict(struct enclave *e, unsigned long pages);

/* MON_IOC_ENCLAVE_RUN once: -errno or enum mon_enclave_exit, values in @value. */
int enclave_run(int fd, unsigned int thread, unsigned int op, unsigned long value[2]);
/* Likewise, but by VMCALL: the monitor's own errors. */
long enclave_call(unsigned int domain, unsigned int thread, unsigned int op,
		  unsigned long value[2]);
/*
 * An order on a thread, to its end: ocalls are answered with one more than their second value,
 * signals are ignored, frames are refilled. -errno or enum mon_enclave_exit.
 */
int order_on(struct enclave *e, unsigned int thread, enum puppet_order order,
	     unsigned long value[2]);
/* On thread 0, with two arguments; what it returned, or ~0 with a diagnosis. */
unsigned long order(struct enclave *e, enum puppet_order order, unsigned long a0,
		    unsigned long a1);

/* TAP */
void plan(unsigned int nr);
void ok(bool good, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void is(unsigned long got, unsigned long wanted, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
int finish(void);

#endif /* _ENCLAVE_HOST_H */
