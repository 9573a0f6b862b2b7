// SPDX-License-Identifier: GPL-2.0-only
/* monctl pages: how much memory each domain has, and what it is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "monctl.h"

#define TRIES 8

static const char *const state_names[] = { "host", "in transit", "free",
					   "in use", "private", "no memory" };
static const char *const type_names[] = { "-",	 "image", "page table",
					  "VMX", "state", "guest memory" };

static const char *name_of(const char *const *names, unsigned int nr, unsigned int i)
{
	return i < nr ? names[i] : "?";
}

#define NAME(names, i) name_of(names, sizeof(names) / sizeof(names[0]), i)

/* What there is can become more between two requests. */
static struct mon_page_count *read_counts(int dev, unsigned int *nr)
{
	struct mon_pages request = { .size = sizeof(request), .count = 64 };
	struct mon_page_count *counts = NULL;
	unsigned int tries;

	for (tries = 0; tries < TRIES; tries++) {
		free(counts);
		counts = calloc(request.count, sizeof(*counts));
		if (!counts) {
			fail("out of memory");
			return NULL;
		}
		request.counts = (unsigned long)counts;
		if (!ioctl(dev, MON_IOC_PAGES, &request)) {
			*nr = request.count;
			return counts;
		}
		if (errno != ENOSPC)
			break;
		request.count += 16;
	}
	fail("cannot ask whose the memory is: %s", request_error(errno));
	free(counts);
	return NULL;
}

static int compare(unsigned int a, unsigned int b)
{
	return (a > b) - (a < b);
}

static int in_order(const void *left, const void *right)
{
	const struct mon_page_count *a = left, *b = right;
	int order = compare(a->owner, b->owner);

	order = order ? order : compare(a->type, b->type);
	order = order ? order : compare(a->state, b->state);
	return order ? order : compare(a->peer, b->peer);
}

static void show_sum(const char *name, unsigned long long frames)
{
	char size[SIZE_TEXT];

	printf("%-12s %-14s %-12s %-12s %10llu %12s\n", name, "", "", "", frames,
	       human_size(frames, size));
}

static void show_count(const struct mon_page_count *c)
{
	char owner[DOMAIN_TEXT], peer[DOMAIN_TEXT], size[SIZE_TEXT];

	printf("%-12s %-14s %-12s %-12s %10llu %12s\n", domain_name(c->owner, owner),
	       NAME(type_names, c->type), NAME(state_names, c->state),
	       domain_name(c->peer, peer), (unsigned long long)c->frames,
	       human_size(c->frames, size));
}

static void show(const struct mon_page_count *counts, unsigned int nr)
{
	unsigned long long all = 0, own = 0;
	unsigned int i, rows = 0;

	printf("%-12s %-14s %-12s %-12s %10s %12s\n", "OWNER", "TYPE", "STATE", "SHARED WITH",
	       "FRAMES", "SIZE");
	for (i = 0; i < nr; i++) {
		show_count(&counts[i]);
		own += counts[i].frames;
		rows++;
		if (i + 1 < nr && counts[i + 1].owner == counts[i].owner)
			continue;
		if (rows > 1)
			show_sum("  together", own);
		all += own;
		own = 0;
		rows = 0;
	}
	show_sum("all", all);
}

int cmd_pages(int argc, char **argv)
{
	struct mon_page_count *counts;
	unsigned int nr;
	int dev;

	if (argc > 1) {
		fail("pages takes no argument (got '%s')", argv[1]);
		return EXIT_USAGE;
	}
	dev = open_device();
	if (dev < 0)
		return EXIT_CANNOT;
	counts = read_counts(dev, &nr);
	close(dev);
	if (!counts)
		return EXIT_CANNOT;
	qsort(counts, nr, sizeof(*counts), in_order);
	show(counts, nr);
	free(counts);
	return 0;
}
