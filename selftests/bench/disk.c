// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: disk DEVICE read|write|flush SIZE COUNT
 *
 * In the guest: so many accesses of SIZE bytes, past its page cache, prints ticks for each; 4 KiB
 * at places in no order, more than that one behind the other. flush: of 4 KiB just written.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <linux/fs.h>
#include <unistd.h>
#include <x86intrin.h>

#define BLOCK 4096UL

static unsigned long place(unsigned long i, unsigned long size, unsigned long bytes)
{
	unsigned long places = bytes / size;

	return (size == BLOCK ? i * 7919 % places : i % places) * size;
}

int main(int argc, char **argv)
{
	unsigned long size = argc == 5 ? strtoul(argv[3], NULL, 0) : 0, bytes, i;
	unsigned long count = argc == 5 ? strtoul(argv[4], NULL, 0) : 0;
	bool flush, read;
	unsigned long long start, ticks = 0;
	void *data;
	int fd;

	if (!size || !count)
		return 2;
	read = !strcmp(argv[2], "read");
	flush = !strcmp(argv[2], "flush");
	data = aligned_alloc(BLOCK, size);
	fd = open(argv[1], O_RDWR | O_DIRECT);
	if (fd < 0 || !data || ioctl(fd, BLKGETSIZE64, &bytes)) {
		perror(argv[1]);
		return 1;
	}
	memset(data, 0x5a, size);
	for (i = 0; i < count; i++) {
		off_t at = place(i, size, bytes);

		start = __rdtsc();
		if ((read ? pread(fd, data, size, at) : pwrite(fd, data, size, at)) !=
		    (ssize_t)size)
			return 1;
		if (flush)
			start = __rdtsc();
		if (flush && fdatasync(fd))
			return 1;
		ticks += __rdtsc() - start;
	}
	if (argv[2][0] == 'w' && fdatasync(fd))
		return 1;
	printf("ticks %llu\n", ticks / count);
	return 0;
}
