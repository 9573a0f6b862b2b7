// SPDX-License-Identifier: GPL-2.0-only
/*
 * Monotonic counters of enclaves, each with 32 bytes that belong to its value. They are the
 * monitor's memory, and end with it.
 *
 * Lock order: counters_lock is innermost.
 */
#include "enclave.h"
#include "lib.h"

#define COUNTERS 256

/**
 * struct owner - whose it is; enclaves with the same one share it
 * @id: signer, or of one without, its measurement
 * @is_signed: which of both
 * @number: of its counters
 */
struct owner {
	u8 id[32];
	u32 is_signed;
	u32 product;
	u32 flags;
	u32 number;
};

/** struct counter - @security_version: the highest that has advanced it; @value: 0: it is free */
struct counter {
	struct owner owner;
	u32 security_version;
	u64 value;
	u8 data[MON_ENCLAVE_COUNTER_DATA];
};

static struct counter counters[COUNTERS];
static struct spinlock counters_lock;

static void owner_of(struct enclave *e, u32 number, struct owner *owner)
{
	static const u8 none[32];

	memset(owner, 0, sizeof(*owner));
	enclave_signer(e, owner->id);
	owner->is_signed = !!memcmp(owner->id, none, sizeof(none));
	if (!owner->is_signed)
		memcpy(owner->id, e->measurement, sizeof(owner->id));
	owner->product = e->policy.product;
	owner->flags = e->policy.flags;
	owner->number = number;
}

/* That of @owner, else one that is free, else NULL. */
static struct counter *find(const struct owner *owner)
{
	struct counter *free = NULL;
	u32 i;

	for (i = 0; i < COUNTERS; i++) {
		if (!counters[i].value)
			free = free ? free : &counters[i];
		else if (!memcmp(&counters[i].owner, owner, sizeof(*owner)))
			return &counters[i];
	}
	return free;
}

static void read_out(const struct counter *c, struct mon_enclave_counter *to)
{
	to->value = c ? c->value : 0;
	memset(to->data, 0, sizeof(to->data));
	if (to->value)
		memcpy(to->data, c->data, sizeof(to->data));
}

static s64 advance(struct counter *c, const struct owner *owner, u32 security_version,
		   const struct mon_enclave_counter *to)
{
	if (!c)
		return -MON_ENOMEM;
	if (to->value <= c->value)
		return -MON_ERANGE;
	if (c->value && security_version < c->security_version)
		return -MON_EPERM;
	c->owner = *owner;
	c->security_version = security_version;
	c->value = to->value;
	memcpy(c->data, to->data, sizeof(c->data));
	return 0;
}

s64 enclave_counter(struct enclave *e, struct mon_enclave_counter *counter)
{
	struct owner owner;
	struct counter *c;
	s64 err = 0;

	if (counter->number >= MON_ENCLAVE_COUNTERS || counter->op > MON_ENCLAVE_COUNTER_ADVANCE)
		return -MON_EINVAL;
	owner_of(e, counter->number, &owner);
	spin_lock(&counters_lock);
	c = find(&owner);
	if (counter->op == MON_ENCLAVE_COUNTER_ADVANCE)
		err = advance(c, &owner, e->policy.security_version, counter);
	else
		read_out(c, counter);
	spin_unlock(&counters_lock);
	return err;
}
