// SPDX-License-Identifier: GPL-2.0-only
/* Counters that the monitor keeps. */
#include <string.h>
#include "runtime.h"

static int ask(struct mon_enclave_counter *c)
{
	struct mon_enclave_counter *at = &mon_thread()->call.counter;
	long error;

	*at = *c;
	error = mon_vmcall(MON_EC_COUNTER, (unsigned long)at, 0, 0);
	*c = *at;
	return error;
}

int mon_counter(unsigned int number, uint64_t *value, unsigned char data[MON_ENCLAVE_COUNTER_DATA])
{
	struct mon_enclave_counter c = {.number = number, .op = MON_ENCLAVE_COUNTER_READ};
	int error = ask(&c);

	if (error)
		return error;
	*value = c.value;
	memcpy(data, c.data, sizeof(c.data));
	return 0;
}

int mon_counter_advance(unsigned int number, uint64_t value,
			const unsigned char data[MON_ENCLAVE_COUNTER_DATA])
{
	struct mon_enclave_counter c = {
		.number = number, .op = MON_ENCLAVE_COUNTER_ADVANCE, .value = value};

	memcpy(c.data, data, sizeof(c.data));
	return ask(&c);
}
