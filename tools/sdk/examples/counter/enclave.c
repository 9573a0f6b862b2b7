// SPDX-License-Identifier: GPL-2.0-only
/* A counter that nobody but itself can set; its file is sealed. */
#include <string.h>
#include "counter.h"
#include "mon_enclave.h"

MON_ENCLAVE_CONFIG(.heap = 256 << 10, .threads = 2, .product = 1, .security_version = 1);

static struct mon_mutex lock;

/* No file yet is a counter of 0; so who removes the file sets it back. */
static int load_count(uint64_t *count)
{
	unsigned char blob[STATE_MAX];
	long size;

	if (load(&size, blob, sizeof(blob)) || size < 0)
		return -1;
	*count = 0;
	if (!size)
		return 0;
	if (size != MON_SEAL_OVERHEAD + sizeof(*count))
		return -1;
	return mon_unseal(blob, size, "counter", 7, count) == sizeof(*count) ? 0 : -1;
}

static int save_count(uint64_t count)
{
	unsigned char blob[MON_SEAL_OVERHEAD + sizeof(count)];
	int saved;

	if (mon_seal(&count, sizeof(count), "counter", 7, blob))
		return -1;
	return save(&saved, blob, sizeof(blob)) || saved ? -1 : 0;
}

int counter_add(size_t step, uint64_t *total)
{
	uint64_t count;
	int result;

	mon_lock(&lock);
	result = load_count(&count);
	if (!result) {
		count += step;
		result = save_count(count);
	}
	if (!result)
		*total = count;
	mon_unlock(&lock);
	return result;
}
