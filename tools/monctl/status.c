// SPDX-License-Identifier: GPL-2.0-only
/*
 * monctl status. Reading (a struct status from the kernel) and showing are
 * apart: what is read from is going to change.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "monctl.h"
#include "uapi/hypercall.h"

#define STATUS_FILE "/sys/kernel/debug/monitor/status"
#define MODULE_FOLDER "/sys/module/monitor"
#define MAX_NAMES 48
#define NAME_SIZE 40

enum who { HOST, GUEST, NR_WHO };

struct named {
	char name[NAME_SIZE];
	unsigned long long n;
};

struct list {
	struct named item[MAX_NAMES];
	unsigned int nr;
};

struct cpu {
	unsigned long long exits[NR_WHO][MON_NR_EXIT_REASONS];
	unsigned long long guest_exits_to_host;
};

struct status {
	unsigned int nr_cpus;
	char image[2 * 32 + 1];
	char shadowing[4];
	struct list states, types, counters;
	struct {
		char what[NAME_SIZE], how[64];
	} flush[MON_FLUSH_NR];
	unsigned int nr_flushes;
	struct cpu cpu[MON_MAX_CPUS];
};

/* ---- reading ---- */

static bool add(struct list *list, const char *name, unsigned long long n)
{
	struct named *item = &list->item[list->nr];

	if (list->nr == MAX_NAMES || strlen(name) >= sizeof(item->name))
		return false;
	strcpy(item->name, name);
	item->n = n;
	list->nr++;
	return true;
}

static bool parse_flush(struct status *s, const char *line)
{
	if (s->nr_flushes == MON_FLUSH_NR ||
	    sscanf(line, "flush %39[^:]: %63[^\n]", s->flush[s->nr_flushes].what,
		   s->flush[s->nr_flushes].how) != 2)
		return false;
	s->nr_flushes++;
	return true;
}

/* A line of the file; one that this program does not know is passed over. */
static bool parse_line(struct status *s, const char *line)
{
	unsigned int cpu, reason;
	unsigned long long n;
	char name[NAME_SIZE];

	if (sscanf(line, "cpus: %u", &s->nr_cpus) == 1)
		return s->nr_cpus <= MON_MAX_CPUS;
	if (sscanf(line, "image: %64s", s->image) == 1 ||
	    sscanf(line, "vmcs shadowing: %3s", s->shadowing) == 1)
		return true;
	if (!strncmp(line, "flush ", 6))
		return parse_flush(s, line);
	if (sscanf(line, "frames of type %39[^:]: %llu", name, &n) == 2)
		return add(&s->types, name, n);
	if (sscanf(line, "frames %39[^:]: %llu", name, &n) == 2)
		return add(&s->states, name, n);
	if (sscanf(line, "count %39[^:]: %llu", name, &n) == 2)
		return add(&s->counters, name, n);
	if (sscanf(line, "cpu %u %39s exit %u: %llu", &cpu, name, &reason, &n) == 4) {
		if (cpu >= MON_MAX_CPUS || reason >= MON_NR_EXIT_REASONS)
			return false;
		s->cpu[cpu].exits[strcmp(name, "guest") ? HOST : GUEST][reason] = n;
		return true;
	}
	if (sscanf(line, "cpu %u guest exits passed to host: %llu", &cpu, &n) == 2) {
		if (cpu >= MON_MAX_CPUS)
			return false;
		s->cpu[cpu].guest_exits_to_host = n;
	}
	return true;
}

static int read_status(struct status *s)
{
	char line[256];
	bool good = true;
	FILE *f = fopen(STATUS_FILE, "re");

	if (!f)
		return -errno;
	while (good && fgets(line, sizeof(line), f))
		good = parse_line(s, line);
	if (ferror(f))
		good = false;
	fclose(f);
	return good && s->nr_cpus ? 0 : -EPROTO;
}

/* ---- showing ---- */

static void show_list(const char *title, const struct list *list)
{
	unsigned int i;

	printf("\n%s\n", title);
	for (i = 0; i < list->nr; i++)
		printf("  %-12s %10llu\n", list->item[i].name, list->item[i].n);
}

/* The kernel gives names for programs; people get the sentence. */
static void show_counters(const struct list *list)
{
	static const struct {
		const char *name, *text;
	} texts[] = {
#define X(name, text) { #name, text },
		MON_COUNTERS(X)
#undef X
	};
	unsigned int i, j, shown = 0;

	printf("\nRefused, or out of the ordinary\n");
	for (i = 0; i < list->nr; i++) {
		const char *text = list->item[i].name;

		if (!list->item[i].n)
			continue;
		for (j = 0; j < sizeof(texts) / sizeof(texts[0]); j++)
			if (!strcmp(texts[j].name, text))
				text = texts[j].text;
		printf("  %10llu  %s\n", list->item[i].n, text);
		shown++;
	}
	if (!shown)
		printf("  nothing\n");
}

#define CPUS_PER_TABLE 8

static void show_table(const struct status *s, enum who who, unsigned int first, unsigned int end)
{
	unsigned int reason, cpu;

	printf("  %-32s", "");
	for (cpu = first; cpu < end; cpu++)
		printf(" %7s%-3u", "CPU ", cpu);
	printf("\n");
	for (reason = 0; reason < MON_NR_EXIT_REASONS; reason++) {
		const char *name = exit_reason_name(reason);
		unsigned long long sum = 0;

		for (cpu = first; cpu < end; cpu++)
			sum += s->cpu[cpu].exits[who][reason];
		if (!sum)
			continue;
		printf("  %2u %-29s", reason, name ? name : "?");
		for (cpu = first; cpu < end; cpu++)
			printf(" %10llu", s->cpu[cpu].exits[who][reason]);
		printf("\n");
	}
}

static void show_exits(const struct status *s, enum who who, const char *title)
{
	unsigned long long sum = 0, passed = 0;
	unsigned int cpu, reason;

	for (cpu = 0; cpu < s->nr_cpus; cpu++) {
		passed += s->cpu[cpu].guest_exits_to_host;
		for (reason = 0; reason < MON_NR_EXIT_REASONS; reason++)
			sum += s->cpu[cpu].exits[who][reason];
	}
	printf("\n%s: %llu", title, sum);
	if (who == GUEST && sum)
		printf(", of which %llu went on to the host", passed);
	printf("\n");
	for (cpu = 0; sum && cpu < s->nr_cpus; cpu += CPUS_PER_TABLE)
		show_table(s, who, cpu,
			   cpu + CPUS_PER_TABLE < s->nr_cpus ? cpu + CPUS_PER_TABLE : s->nr_cpus);
}

static void show_flushes(const struct status *s)
{
	unsigned int i;

	printf("\nFlushed where a confidential VM and the host meet\n");
	for (i = 0; i < s->nr_flushes; i++)
		printf("  %-18s %s\n", s->flush[i].what, s->flush[i].how);
}

static void show(const struct status *s)
{
	printf("Launched         yes, on %u CPU%s\n", s->nr_cpus, s->nr_cpus == 1 ? "" : "s");
	printf("Image            %s\n", s->image);
	printf("VMCS shadowing   %s\n", s->shadowing);
	show_list("Frames (4 KiB) by owner or state", &s->states);
	show_list("Frames of the monitor by use", &s->types);
	show_flushes(s);
	show_counters(&s->counters);
	show_exits(s, HOST, "Exits of the host");
	show_exits(s, GUEST, "Exits of its guests");
}

int cmd_status(int argc, char **argv)
{
	struct status *s;
	int err;

	if (argc > 1) {
		fail("status takes no argument (got '%s')", argv[1]);
		return EXIT_USAGE;
	}
	s = calloc(1, sizeof(*s));
	if (!s)
		return fail("out of memory");
	err = read_status(s);
	if (!err) {
		show(s);
		show_domains();
	}
	free(s);
	switch (err) {
	case 0:
		return 0;
	case -ENOENT:
		if (!access(MODULE_FOLDER, F_OK))
			return fail("the module is loaded, but debugfs is not mounted: "
				    "mount -t debugfs none /sys/kernel/debug");
		printf("Launched         no\n");
		return EXIT_CANNOT;
	case -EACCES:
	case -EPERM:
		return fail("reading the monitor's status needs root");
	case -EPROTO:
		return fail("%s has lines that this monctl does not understand: "
			    "are module and tools of one version?", STATUS_FILE);
	default:
		return fail("%s: %s", STATUS_FILE, strerror(-err));
	}
}
