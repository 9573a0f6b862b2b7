// SPDX-License-Identifier: GPL-2.0-only
/*
 * A confidential VM that is hostile to the host and to others: calls of all kinds, with
 * arguments that are allowed and such that never are, again and again; it shares all it may,
 * ends it, and gives all its memory back. Says how many calls were made, and how long the
 * longest took, in ticks: all that time the CPU is in root mode.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include "../../uapi/guest.h"
#include "../../uapi/monitor.h"
#include "../share/puppet.h"

#define RAM (16UL << 20)
#define AREA 0x400000UL
#define AREA_PAGES 0xc00UL
#define SCRATCH 0x10000UL

static unsigned long calls, refused, longest;
static const char *of = "nothing", *name;

/* What came of the last call, and how long it took */
static long counted(long result)
{
	unsigned long took = (unsigned long)puppet(PUPPET_TOOK, 0, 0, 0, 0);

	calls++;
	refused += result < 0;
	if (took > longest) {
		longest = took;
		of = name;
	}
	return result;
}

static long call(unsigned int number, unsigned long a, unsigned long b, unsigned long c)
{
	return counted(puppet(number, a, b, c, 0));
}

static long offer(unsigned long at, unsigned long pages)
{
	return counted(puppet_offer(at, pages, MON_SHARE_READ | MON_SHARE_WRITE,
				    MON_SHARE_TO_HOST, NULL, 0));
}

/* What is never allowed, of each call. */
static void nonsense(void)
{
	static const unsigned long values[] = { 0, 1, ~0UL, 1UL << 36, 1UL << 52, AREA / 4096 };
	unsigned int n, i, j;

	name = "nonsense";
	for (n = 0; n < MON_GC_NR + 2; n++)
		for (i = 0; i < sizeof(values) / sizeof(values[0]); i++)
			for (j = 0; j < sizeof(values) / sizeof(values[0]); j++)
				if (n != MON_GC_RELEASE || values[j] != 1)
					call(n, values[i], values[j], values[j]);
}

static void share_all(void)
{
	unsigned long pages = AREA_PAGES / MON_SHARE_QUOTA, i;
	long id[MON_SHARE_QUOTA + 1];

	name = "an offer";
	for (i = 0; i <= MON_SHARE_QUOTA; i++)
		id[i] = offer(AREA + i * pages * 4096, pages);
	name = "a share's end";
	for (i = 0; i <= MON_SHARE_QUOTA; i++)
		call(MON_GC_END, (unsigned long)id[i], 0, 0);
}

/* All of it touched, then given back. */
static void give_all_back(void)
{
	unsigned long at;

	puppet(PUPPET_TOUCH, AREA, 1, AREA_PAGES, 0);
	name = "giving back";
	for (at = 0; at < AREA_PAGES; at += MON_RELEASE_MAX)
		call(MON_GC_RELEASE, AREA / 4096 + at, MON_RELEASE_MAX, 0);
	/* It may not have them again. */
	call(MON_GC_RELEASE, AREA / 4096, MON_RELEASE_MAX, 0);
}

int main(void)
{
	unsigned int i;

	puppet_start(RAM);
	puppet(PUPPET_STORE, SCRATCH, 0, 0, 0);
	for (i = 0; i < 4; i++) {
		nonsense();
		share_all();
	}
	name = "a question";
	for (i = 0; i < 500; i++)
		call(MON_GC_SHARE_AT, i % 64, SCRATCH, 0);
	give_all_back();
	printf("%lu calls, %lu refused, longest %lu: %s\n", calls, refused, longest, of);
	return 0;
}
