// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vmcore secrets N...
 *        vmcore frames FILE
 *
 * In a crash kernel: what can be seen of the one before in /proc/vmcore. How often a
 * word of each secret N stands in the first 64 bytes of a page, and how many pages there
 * are; or how many of the frames in FILE ("first, number" on each line) hold anything
 * in these. Not more of each: a page that is protected is read in hundreds of steps.
 */
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../vm/secret.h"

#define PAGE 4096UL
#define HEAD 64
#define MAX_HEADERS 64
#define MAX_SECRETS 8

static unsigned long long head[HEAD / 8];
static Elf64_Phdr headers[MAX_HEADERS];
static unsigned int nr_headers;
static int core;

static void must(int good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static void open_core(void)
{
	Elf64_Ehdr elf;

	core = open("/proc/vmcore", O_RDONLY);
	must(core >= 0, "/proc/vmcore");
	must(pread(core, &elf, sizeof(elf), 0) == sizeof(elf) && elf.e_phnum <= MAX_HEADERS,
	     "its header");
	nr_headers = elf.e_phnum;
	must(pread(core, headers, nr_headers * sizeof(*headers), elf.e_phoff) ==
		     (ssize_t)(nr_headers * sizeof(*headers)), "its program headers");
}

static void find_secrets(int nr, char **numbers)
{
	unsigned long long inverted[MAX_SECRETS][SECRET_WORDS];
	unsigned long at, found[MAX_SECRETS] = { 0 }, pages = 0;
	unsigned int h, i;
	int n;

	must(nr <= MAX_SECRETS, "too many secrets");
	for (n = 0; n < nr; n++)
		for (i = 0; i < SECRET_WORDS; i++)
			inverted[n][i] = secret_inverted(strtoull(numbers[n], NULL, 0), i);
	for (h = 0; h < nr_headers; h++) {
		if (headers[h].p_type != PT_LOAD)
			continue;
		for (at = 0; at < headers[h].p_filesz; at += PAGE, pages++) {
			must(pread(core, head, HEAD, headers[h].p_offset + at) == HEAD,
			     "reading /proc/vmcore");
			for (n = 0; n < nr; n++)
				found[n] += secret_count(head, HEAD / 8, inverted[n]);
		}
	}
	for (n = 0; n < nr; n++)
		printf("%lu ", found[n]);
	printf("in %lu pages\n", pages);
}

/* Whether a frame is in the file; then its head is read. */
static int read_frame(unsigned long pa)
{
	unsigned int h;

	for (h = 0; h < nr_headers; h++) {
		if (headers[h].p_type != PT_LOAD || pa < headers[h].p_paddr ||
		    pa + PAGE > headers[h].p_paddr + headers[h].p_filesz)
			continue;
		return pread(core, head, HEAD, headers[h].p_offset + pa - headers[h].p_paddr) ==
		       HEAD;
	}
	return 0;
}

static void look_at_frames(const char *path)
{
	unsigned long pfn, nr, i, seen = 0, not_zero = 0;
	static const unsigned long long zeros[HEAD / 8];
	FILE *file = fopen(path, "r");

	must(!!file, path);
	while (fscanf(file, "%lx %lu", &pfn, &nr) == 2) {
		for (i = 0; i < nr; i++) {
			if (!read_frame((pfn + i) * PAGE))
				continue;
			seen++;
			not_zero += !!memcmp(head, zeros, HEAD);
		}
	}
	printf("%lu frames, %lu not zeros\n", seen, not_zero);
}

int main(int argc, char **argv)
{
	if (argc < 3) {
		fputs("usage: vmcore secrets N... | frames FILE\n", stderr);
		return 2;
	}
	open_core();
	if (!strcmp(argv[1], "frames"))
		look_at_frames(argv[2]);
	else
		find_secrets(argc - 2, argv + 2);
	return 0;
}
