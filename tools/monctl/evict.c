// SPDX-License-Identifier: GPL-2.0-only
/* monctl enclaves, monctl evict: what enclaves have, and taking it back. */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "monctl.h"

#define ENCLAVES_FILE "/sys/kernel/debug/monitor/enclaves"

static const char enclaves_help[] =
	"usage: monctl enclaves\n"
	"\n"
	"Each enclave: the number of its domain, its threads and how many of them an exception\n"
	"has ended, the pages of 4 KiB that it owns, may own, and that are evicted, and the first\n"
	"bytes of its measurement.\n";

static const char evict_help[] =
	"usage: monctl evict DOMAIN PAGES\n"
	"\n"
	"Takes up to so many pages of 4 KiB from an enclave: 'monctl enclaves' shows its number\n"
	"and what it has. The monitor seals them, and the kernel can swap them out; they come\n"
	"back when the enclave touches them. Prints how many were taken.\n";

static int show(FILE *file)
{
	unsigned int domain, state, threads, faulted, nr = 0;
	unsigned long long owned, limit, evicted;
	char line[512], measurement[65];

	printf("%-8s %-10s %-10s %10s %10s %10s  %s\n", "domain", "state", "threads", "owned",
	       "limit", "evicted", "measurement");
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "domain=%u state=%u threads=%u faulted=%u owned=%llu limit=%llu "
			   "reserved=%*u evicted=%llu entries=%*u faults=%*u measurement=%64s",
			   &domain, &state, &threads, &faulted, &owned, &limit, &evicted,
			   measurement) != 8)
			return fail("%s: a line is not as expected: %s", ENCLAVES_FILE, line);
		printf("%-8u %-10s %u/%-8u %10llu %10llu %10llu  %.16s...\n", domain,
		       state == MON_ENCLAVE_BUILDING ? "building" : "ready", threads - faulted,
		       threads, owned, limit, evicted, measurement);
		nr++;
	}
	if (!nr)
		printf("no enclaves\n");
	return 0;
}

int cmd_enclaves(int argc, char **argv)
{
	FILE *file;
	int ret;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(enclaves_help, stdout);
		return 0;
	}
	if (argc != 1) {
		fputs(enclaves_help, stderr);
		return EXIT_USAGE;
	}
	file = fopen(ENCLAVES_FILE, "r");
	if (!file)
		return fail("cannot open %s: %s (is the monitor loaded, and debugfs mounted?)",
			    ENCLAVES_FILE, strerror(errno));
	ret = show(file);
	fclose(file);
	return ret;
}

static int evict(unsigned int domain, unsigned long long pages)
{
	struct mon_enclave_evict request = {
		.size = sizeof(request), .domain = domain, .pages = pages,
	};
	int dev = open_device(), err;

	if (dev < 0)
		return EXIT_CANNOT;
	err = ioctl(dev, MON_IOC_ENCLAVE_EVICT, &request) ? errno : 0;
	close(dev);
	switch (err) {
	case 0:
		printf("%llu\n", (unsigned long long)request.pages);
		return 0;
	case ENOENT:
		return fail("there is no enclave with domain %u, or it has no page left: 'monctl "
			    "enclaves' lists them", domain);
	case EBUSY:
		return fail("the enclave with domain %u is still being built: try again", domain);
	case EOPNOTSUPP:
		return fail("this CPU has no AES-NI or no PCLMULQDQ, and nothing is evicted "
			    "unsealed");
	default:
		return fail("cannot evict pages of domain %u: %s", domain, request_error(err));
	}
}

int cmd_evict(int argc, char **argv)
{
	unsigned long long domain, pages;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(evict_help, stdout);
		return 0;
	}
	domain = argc == 3 ? number_of(argv[1]) : 0;
	pages = argc == 3 ? number_of(argv[2]) : 0;
	if (!domain || domain > UINT32_MAX || !pages) {
		fputs(evict_help, stderr);
		return EXIT_USAGE;
	}
	return evict((unsigned int)domain, pages);
}
