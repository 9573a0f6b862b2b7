// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: samples CPU HERTZ SECONDS
 *
 * Has the kernel take samples of a CPU, as "perf record -e cpu-clock" does; prints how many.
 */
#include <linux/perf_event.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#define DATA_PAGES 64

int main(int argc, char **argv)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.sample_type = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN,
		.freq = 1,
	};
	struct perf_event_mmap_page *page;
	unsigned long samples = 0;
	char *at, *end;
	int event;

	if (argc != 4) {
		fputs("usage: samples CPU HERTZ SECONDS\n", stderr);
		return 2;
	}
	attr.sample_freq = atoi(argv[2]);
	event = syscall(SYS_perf_event_open, &attr, -1, atoi(argv[1]), -1, 0);
	page = mmap(NULL, (1 + DATA_PAGES) * 4096, PROT_READ | PROT_WRITE, MAP_SHARED, event, 0);
	if (event < 0 || page == MAP_FAILED) {
		perror("perf_event_open");
		return 1;
	}
	sleep(atoi(argv[3]));
	ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
	at = (char *)page + page->data_offset;
	end = at + (page->data_head < page->data_size ? page->data_head : page->data_size);
	while (at + sizeof(struct perf_event_header) <= end) {
		const struct perf_event_header *header = (void *)at;

		samples += header->type == PERF_RECORD_SAMPLE;
		if (!header->size)
			break;
		at += header->size;
	}
	printf("%lu\n", samples);
	return 0;
}
