// SPDX-License-Identifier: GPL-2.0-only
/* Calls of the monitor, and of the CPU for random numbers. */
#include <stdlib.h>
#include <string.h>
#include "runtime.h"

#define RDRAND_TRIES 100

/* Before there is a canary, too. */
__attribute__((__optimize__("no-stack-protector"))) void mon_random(void *data, size_t size)
{
	unsigned char *to = data;
	unsigned long value;
	unsigned int tries;
	unsigned char good;
	size_t i;

	while (size) {
		for (tries = 0, good = 0; !good; tries++) {
			if (tries == RDRAND_TRIES)
				abort();
			__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(good) : : "cc");
		}
		for (i = 0; i < sizeof(value) && size; i++, size--)
			*to++ = value >> (8 * i);
	}
}

void mon_wipe(void *data, size_t size)
{
	memset(data, 0, size);
	__asm__ volatile("" : : "r"(data) : "memory");
}

int mon_equal(const void *a, const void *b, size_t size)
{
	const volatile unsigned char *x = a, *y = b;
	unsigned char differ = 0;

	while (size--)
		differ |= *x++ ^ *y++;
	return !differ;
}

static long ask(enum mon_enclave_call call, void *argument)
{
	return mon_vmcall(call, (unsigned long)argument, 0, 0);
}

int mon_self(struct mon_enclave_self *self)
{
	struct mon_thread *thread = mon_thread();
	long error = ask(MON_EC_SELF, &thread->call.self);

	*self = thread->call.self;
	return error;
}

int mon_report(const unsigned char target[32], const unsigned char data[64],
	       struct mon_enclave_report *report)
{
	struct mon_enclave_report *r = &mon_thread()->call.report;
	long error;

	memset(r, 0, sizeof(*r));
	memcpy(r->target, target, sizeof(r->target));
	memcpy(r->data, data, sizeof(r->data));
	error = ask(MON_EC_REPORT, r);
	*report = *r;
	return error;
}

int mon_verify(const struct mon_enclave_report *report)
{
	struct mon_enclave_report *r = &mon_thread()->call.report;

	*r = *report;
	return ask(MON_EC_VERIFY, r);
}

int mon_protect(void *at, size_t size, unsigned int permission)
{
	const size_t most = MON_ENCLAVE_PROTECT_MAX * MON_PAGE;
	char *from = at;
	size_t part;
	long error;

	if (!size || size % MON_PAGE)
		return -MON_EINVAL;
	for (; size; size -= part, from += part) {
		part = size < most ? size : most;
		error = mon_vmcall(MON_EC_PROTECT, (unsigned long)from, part / MON_PAGE,
				   permission);
		if (error)
			return error;
	}
	return 0;
}

int mon_label(unsigned char to[32], const char kind[8], const void *label, size_t size)
{
	if (size > MON_LABEL_MAX)
		return -MON_EINVAL;
	memset(to, 0, 8 + MON_LABEL_MAX);
	memcpy(to, kind, 8);
	memcpy(to + 8, label, size);
	return 0;
}

int mon_key_of(const char kind[8], const void *label, size_t size, unsigned char key[MON_KEY_SIZE])
{
	struct mon_enclave_key *k = &mon_thread()->call.key;
	long error = mon_label(k->label, kind, label, size);

	if (error)
		return error;
	memset(k->key, 0, sizeof(k->key));
	error = ask(MON_EC_KEY, k);
	memcpy(key, k->key, MON_KEY_SIZE);
	mon_wipe(k, sizeof(*k));
	return error;
}

/* A label and a longer one that ends with zeros are different by their length. */
int mon_key(const void *label, size_t size, unsigned char key[MON_KEY_SIZE])
{
	char kind[8] = { 'm', 'o', 'n', 'k', 'e', 'y', '1', 0 };

	kind[7] = size;
	return mon_key_of(kind, label, size, key);
}
