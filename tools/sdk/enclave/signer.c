// SPDX-License-Identifier: GPL-2.0-only
/* Who has signed the enclave, and keys that all enclaves of that signer and product have. */
#include <stdlib.h>
#include <string.h>
#include "runtime.h"

/* What the monitor reads is in one page. */
#define ROOM (sizeof(struct mon_enclave_signature) + MON_PAGE)

static int show(struct mon_enclave_signature *s, unsigned char signer[32])
{
	const struct mon_layout *l = mon_where();
	struct mon_enclave_report report;
	static const unsigned char nobody[64];
	long error = mon_call_process(MON_OCALL_SIGNATURE, 0);

	if (error)
		return error == -MON_ENOENT ? -MON_ENOENT : -MON_EINVAL;
	if (l->slice < sizeof(*s))
		return -MON_EINVAL;
	memcpy(s, (void *)(l->buffer + mon_thread_number() * l->slice), sizeof(*s));
	error = mon_vmcall(MON_EC_SIGNER, (unsigned long)s, 0, 0);
	if (!error)
		error = mon_report(nobody, nobody, &report);
	if (!error)
		memcpy(signer, report.signer, sizeof(report.signer));
	return error;
}

int mon_signer(unsigned char signer[32])
{
	unsigned char *room = malloc(ROOM);
	int error;

	if (!room)
		return -MON_ENOMEM;
	error = show((void *)MON_ALIGN((uintptr_t)room, MON_PAGE), signer);
	free(room);
	return error;
}

int mon_signer_key_of(const char kind[8], const void *label, size_t size,
		      unsigned int security_version, unsigned char key[MON_KEY_SIZE])
{
	struct mon_enclave_signer_key *k = &mon_thread()->call.signer_key;
	long error;

	memset(k, 0, sizeof(*k));
	error = mon_label(k->label, kind, label, size);
	if (error)
		return error;
	k->security_version = security_version;
	error = mon_vmcall(MON_EC_SIGNER_KEY, (unsigned long)k, 0, 0);
	memcpy(key, k->key, MON_KEY_SIZE);
	mon_wipe(k, sizeof(*k));
	return error;
}

int mon_signer_key(const void *label, size_t size, unsigned int security_version,
		   unsigned char key[MON_KEY_SIZE])
{
	char kind[8] = {'m', 'o', 'n', 'k', 'e', 'y', '1', 0};

	kind[7] = size;
	return mon_signer_key_of(kind, label, size, security_version, key);
}
