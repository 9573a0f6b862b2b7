// SPDX-License-Identifier: GPL-2.0-only
/* usage: counter [--sim] COUNTER.elf FILE [STEP] */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "counter.h"
#include "monenclave.h"

static const char *path;

long load(void *state, size_t size)
{
	FILE *file = fopen(path, "re");
	long n;

	if (!file)
		return errno == ENOENT ? 0 : -1;
	n = fread(state, 1, size, file);
	fclose(file);
	return n;
}

int save(const void *state, size_t size)
{
	FILE *file = fopen(path, "we");
	int good = file && fwrite(state, 1, size, file) == size;

	return file && !fclose(file) && good ? 0 : -1;
}

int main(int argc, char **argv)
{
	unsigned int flags = argc > 1 && !strcmp(argv[1], "--sim") ? MON_OPEN_SIM : 0;
	struct mon_enclave *mon;
	uint64_t total;
	int result;

	argv += flags ? 2 : 1;
	argc -= flags ? 2 : 1;
	if (argc < 2) {
		fputs("usage: counter [--sim] COUNTER.elf FILE [STEP]\n", stderr);
		return 2;
	}
	path = argv[1];
	mon = mon_open(argv[0], flags);
	if (!mon || counter_add(mon, &result, argc > 2 ? strtoul(argv[2], NULL, 0) : 1, &total)) {
		fprintf(stderr, "counter: %s\n", mon_error());
		mon_close(mon);
		return 1;
	}
	mon_close(mon);
	if (result) {
		fprintf(stderr, "counter: %s is not what this enclave has sealed\n", path);
		return 1;
	}
	printf("%" PRIu64 "\n", total);
	return 0;
}
