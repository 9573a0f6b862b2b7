// SPDX-License-Identifier: GPL-2.0-only
/* Counters in simulation: as the monitor's, but this process's, and gone with it. */
#include <pthread.h>
#include <string.h>
#include "sim.h"

#define COUNTERS 64

struct owner {
	unsigned char signer[32];
	unsigned char measurement[32];
	unsigned int product;
	unsigned int flags;
	unsigned int number;
};

static struct {
	struct owner owner;
	unsigned int security_version;
	unsigned long long value;
	unsigned char data[MON_ENCLAVE_COUNTER_DATA];
} counters[COUNTERS];

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static struct owner owner_of(const struct mon_sim *sim, unsigned int number)
{
	static const unsigned char none[32];
	struct owner owner;

	memset(&owner, 0, sizeof(owner));
	memcpy(owner.signer, sim->signer, sizeof(owner.signer));
	if (!memcmp(sim->signer, none, sizeof(none)))
		memcpy(owner.measurement, sim->measurement, sizeof(owner.measurement));
	owner.product = sim->image.policy.product;
	owner.flags = sim->image.policy.flags;
	owner.number = number;
	return owner;
}

/* Of @owner, or a free one; COUNTERS: there is none. */
static unsigned int find(const struct owner *owner)
{
	unsigned int i, free = COUNTERS;

	for (i = 0; i < COUNTERS; i++) {
		if (!counters[i].value)
			free = free == COUNTERS ? i : free;
		else if (!memcmp(&counters[i].owner, owner, sizeof(*owner)))
			return i;
	}
	return free;
}

static long advance(unsigned int i, const struct owner *owner, unsigned int security_version,
		    const struct mon_enclave_counter *c)
{
	if (i == COUNTERS)
		return -MON_ENOMEM;
	if (c->value <= counters[i].value)
		return -MON_ERANGE;
	if (counters[i].value && security_version < counters[i].security_version)
		return -MON_EPERM;
	counters[i].owner = *owner;
	counters[i].security_version = security_version;
	counters[i].value = c->value;
	memcpy(counters[i].data, c->data, sizeof(c->data));
	return 0;
}

long mon_sim_count(const struct mon_sim *sim, struct mon_enclave_counter *c)
{
	struct owner owner = owner_of(sim, c->number);
	unsigned int i;
	long error = 0;

	if (c->number >= MON_ENCLAVE_COUNTERS || c->op > MON_ENCLAVE_COUNTER_ADVANCE)
		return -MON_EINVAL;
	pthread_mutex_lock(&lock);
	i = find(&owner);
	if (c->op == MON_ENCLAVE_COUNTER_ADVANCE) {
		error = advance(i, &owner, sim->image.policy.security_version, c);
	} else {
		c->value = i < COUNTERS ? counters[i].value : 0;
		memset(c->data, 0, sizeof(c->data));
		if (c->value)
			memcpy(c->data, counters[i].data, sizeof(c->data));
	}
	pthread_mutex_unlock(&lock);
	return error;
}
