// SPDX-License-Identifier: GPL-2.0-only
#include "domain.h"

static struct spinlock lock;
static u32 nr;
static bool closed;

bool domain_begin(void)
{
	bool open;

	spin_lock(&lock);
	open = !closed;
	nr += open;
	spin_unlock(&lock);
	return open;
}

void domain_end(void)
{
	spin_lock(&lock);
	nr--;
	spin_unlock(&lock);
}

u32 domain_count(void)
{
	return READ_ONCE(nr);
}

bool domains_close(void)
{
	bool none;

	spin_lock(&lock);
	none = !nr;
	if (none)
		WRITE_ONCE(closed, true);
	spin_unlock(&lock);
	return none;
}

bool domains_closed(void)
{
	return READ_ONCE(closed);
}
