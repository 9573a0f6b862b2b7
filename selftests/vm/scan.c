// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: scan PID TEXT
 *
 * Root looks for TEXT in all memory of a process, and prints how often it is there.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHUNK (1UL << 20)

static unsigned long count(int mem, unsigned long start, unsigned long end, const char *text)
{
	static char buf[CHUNK + 256];
	size_t overlap = strlen(text) - 1, n;
	unsigned long found = 0;

	for (; start < end; start += CHUNK) {
		size_t want = end - start < CHUNK + overlap ? end - start : CHUNK + overlap;
		char *p = buf;
		ssize_t got = pread(mem, buf, want, (off_t)start);

		for (n = got > 0 ? (size_t)got : 0; (p = memmem(p, n - (p - buf), text, overlap + 1)); p++)
			found++;
	}
	return found;
}

int main(int argc, char **argv)
{
	unsigned long start, end, found = 0, bytes = 0;
	char path[64], line[512];
	FILE *maps;
	int mem;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "/proc/%s/mem", argv[1]);
	mem = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%s/maps", argv[1]);
	maps = fopen(path, "r");
	if (mem < 0 || !maps) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx r", &start, &end) != 2 || strstr(line, "[v"))
			continue;
		found += count(mem, start, end, argv[2]);
		bytes += end - start;
	}
	printf("found %lu in %lu MB\n", found, bytes >> 20);
	return 0;
}
