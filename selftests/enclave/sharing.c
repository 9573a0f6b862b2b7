// SPDX-License-Identifier: GPL-2.0-only
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>
#include "sharing.h"

#define TESTMOD "/sys/kernel/debug/testmod/do"
#define PRIVATE 4 /* state and type of the frames of domains */
#define MEMORY 5
#define FRAMES_MAX 4000

void make_with_window(struct enclave *e, unsigned int product)
{
	struct mon_enclave_create create = puppet_policy();
	struct mon_enclave_policy *p = &create.policy;

	p->product = product;
	p->handler = puppet_handler();
	p->range[p->nr_ranges].start = WINDOW;
	p->range[p->nr_ranges].end = WINDOW + WINDOW_PAGES * PAGE;
	p->range[p->nr_ranges++].type = MON_ENCLAVE_SHARED;
	enclave_make_of(e, &create);
}

static unsigned long testmod(const char *fmt, ...)
	__attribute__((format(printf, 1, 2)));
static unsigned long testmod(const char *fmt, ...)
{
	unsigned long answer = ~0UL;
	char line[128] = "";
	va_list args;
	FILE *file;

	va_start(args, fmt);
	file = fopen(TESTMOD, "w");
	if (file) {
		vfprintf(file, fmt, args);
		fclose(file);
	}
	va_end(args);
	file = fopen(TESTMOD, "r");
	if (file) {
		if (fgets(line, sizeof(line), file))
			answer = strtoul(line, NULL, 0);
		fclose(file);
	}
	return answer;
}

unsigned long frames_of(unsigned int domain, unsigned long *shown)
{
	unsigned long i, frame;

	*shown = 0;
	for (i = 0; i < FRAMES_MAX; i++) {
		frame = testmod("which %d %d %u %lu", PRIVATE, MEMORY, domain, i);
		if (!frame || frame == ~0UL)
			break;
		*shown += testmod("load 8 %#lx", frame) != 0;
		testmod("store 8 %#lx 0x41", frame);
	}
	return i;
}

static unsigned long physical(const void *page)
{
	unsigned long entry = 0;
	int fd = open("/proc/self/pagemap", O_RDONLY);

	if (pread(fd, &entry, sizeof(entry), (unsigned long)page / PAGE * 8) != 8)
		entry = 0;
	close(fd);
	return (entry & ((1UL << 55) - 1)) * PAGE;
}

bool kernel_has_process(void)
{
	volatile unsigned long *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE,
					    MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE | MAP_LOCKED,
					    -1, 0);
	unsigned long read;

	*page = WORD;
	read = testmod("load 8 %#lx", physical((void *)page));
	testmod("store 8 %#lx 0x41", physical((void *)page));
	return read == WORD && *page == 0x41;
}
