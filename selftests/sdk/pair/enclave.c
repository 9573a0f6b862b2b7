// SPDX-License-Identifier: GPL-2.0-only
/* An enclave that shares a page with another one of its kind. */
#include <string.h>
#include "mon_enclave.h"
#include "pair.h"

#define TAG 1
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)

MON_ENCLAVE_CONFIG(.threads = 1, .shared_pages = 2);

static char page[MON_PAGE] __attribute__((__aligned__(MON_PAGE)));

static struct mon_name own_name(void)
{
	struct mon_name name = { { 0 }, { 0 } };
	struct mon_enclave_self self;

	if (!mon_self(&self))
		memcpy(name.measurement, self.measurement, sizeof(name.measurement));
	return name;
}

long give(const char *text)
{
	struct mon_name name = own_name();

	memcpy(page, text, strlen(text) + 1);
	return mon_share_offer(page, sizeof(page), RW, MON_SHARE_TO_ENCLAVE, &name, TAG);
}

long take(uint64_t id)
{
	struct mon_name name = own_name();
	size_t size;
	char *window = mon_share_window(&size);

	if (!window || size != 2 * MON_PAGE)
		return -1000;
	return mon_share_accept(id, window + MON_PAGE, MON_PAGE, RW, MON_SHARE_TO_ENCLAVE, &name,
				TAG);
}

long look(int window, char *text)
{
	size_t size;
	char *taken = mon_share_window(&size) + MON_PAGE;

	memcpy(text, window ? taken : page, TEXT_MAX - 1);
	return 0;
}

long answer(const char *text)
{
	size_t size;
	char *taken = mon_share_window(&size) + MON_PAGE;

	memcpy(taken, text, strlen(text) + 1);
	return 0;
}

long over(uint64_t id)
{
	return mon_share_end(id);
}
