/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the runtime have together. */
#ifndef _RUNTIME_H
#define _RUNTIME_H

#include "mon_enclave.h"
#include "mon_message.h"

/**
 * struct mon_thread - on a thread's page, behind its stack; FS base is its address
 * @canary: where compilers look for it, at 40
 * @fault: MON_ENCLAVE_FAULT_OFFSET; then, by 8 bytes each, the monitor's structure
 */
struct mon_thread {
	uint64_t self;
	uint64_t unused[4];
	uint64_t canary;
	uint32_t number;
	uint32_t unused2;
	union { /* for the monitor: in memory that began as zeros */
		struct mon_enclave_self self;
		struct mon_enclave_report report;
		struct mon_enclave_key key;
		struct mon_enclave_signer_key signer_key;
		struct mon_enclave_counter counter;
		struct mon_enclave_offer offer;
		struct mon_enclave_accept accept;
	} call __attribute__((__aligned__(8)));
};

/** mon_thread() - that which runs */
struct mon_thread *mon_thread(void);

/** mon_where() - of this enclave */
const struct mon_layout *mon_where(void);

/** mon_label() - for the monitor: @kind, then @label; 0, or -MON_EINVAL: more than MON_LABEL_MAX */
int mon_label(unsigned char to[32], const char kind[8], const void *label, size_t size);

/**
 * mon_key_of() - a key of the runtime's own, by who the enclave is
 * @kind: so that none is one of mon_key()'s
 * @size: at most MON_LABEL_MAX
 */
int mon_key_of(const char kind[8], const void *label, size_t size, unsigned char key[MON_KEY_SIZE]);

/** mon_signer_key_of() - likewise by signer and product, of @security_version or a later one */
int mon_signer_key_of(const char kind[8], const void *label, size_t size,
		      unsigned int security_version, unsigned char key[MON_KEY_SIZE]);

/** mon_call_process() - one value of its answer; both go to the process as they are */
long mon_call_process(uint64_t a, uint64_t b);

extern const struct mon_interface mon_interface;
extern char mon_image_end[];

#endif /* _RUNTIME_H */
