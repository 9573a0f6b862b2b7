// SPDX-License-Identifier: GPL-2.0-only
/* The confidential VMs: a part of monctl status, and the table of monctl domains. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "monctl.h"

#define DOMAINS_FILE "/sys/kernel/debug/monitor/domains"
#define VALUE_SIZE 80

static const struct {
	const char *name, *text;
} stops[] = {
#define X(name, text) { #name, text },
	MON_VM_STOPS(X)
#undef X
};

/* The value of " key=" in a line; "?" if there is none. */
static const char *value(const char *line, const char *key, char out[VALUE_SIZE])
{
	const char *at = line;
	size_t n = strlen(key), len;

	strcpy(out, "?");
	while ((at = strstr(at, key))) {
		if ((at == line || at[-1] == ' ') && at[n] == '=') {
			len = strcspn(at + n + 1, "\n ");
			if (len < VALUE_SIZE) {
				memcpy(out, at + n + 1, len);
				out[len] = '\0';
			}
			break;
		}
		at += n;
	}
	return out;
}

static void show_stop(const char *line)
{
	char stop[VALUE_SIZE], detail[VALUE_SIZE];
	unsigned int i;

	value(line, "stop", stop);
	if (!strcmp(stop, "NONE"))
		return;
	for (i = 0; i < sizeof(stops) / sizeof(stops[0]); i++)
		if (!strcmp(stop, stops[i].name))
			printf("  stopped because  %s (%s)\n", stops[i].text,
			       value(line, "detail", detail));
}

static void show_domain(const char *line)
{
	char a[VALUE_SIZE], b[VALUE_SIZE], c[VALUE_SIZE];

	printf("\nConfidential VM  domain %s, process %s, %s\n", value(line, "domain", a),
	       value(line, "pid", b), value(line, "state", c));
	show_stop(line);
	printf("  vCPUs run        %s\n", value(line, "vcpus", a));
	printf("  private frames   %s of %s\n", value(line, "private", a),
	       value(line, "reserved", b));
	printf("  exits            %s, %s of them handled by the host\n", value(line, "exits", a),
	       value(line, "to_host", b));
	printf("  measured launch  %s\n", value(line, "measurement", a));
	printf("  measured since   %s\n", value(line, "runtime", a));
}

static bool add_domain(struct domains *domains, const char *line)
{
	struct domain *item =
		reallocarray(domains->item, domains->nr + 1, sizeof(*domains->item));
	char text[VALUE_SIZE], *copy = strdup(line);

	if (item)
		domains->item = item;
	if (!item || !copy) {
		free(copy);
		fail("out of memory");
		return false;
	}
	item[domains->nr++] = (struct domain){
		.number = strtoul(value(line, "domain", text), NULL, 10),
		.pid = atoi(value(line, "pid", text)),
		.line = copy,
	};
	return true;
}

static bool cannot_read(int err)
{
	if (err == ENOENT && access("/sys/module/monitor", F_OK))
		fail("the module is not loaded (insmod monitor.ko)");
	else if (err == ENOENT)
		fail("the module is loaded, but debugfs is not mounted: "
		     "mount -t debugfs none /sys/kernel/debug");
	else
		fail("cannot read %s: %s%s", DOMAINS_FILE, strerror(err),
		     err == EACCES || err == EPERM ? "; run it as root" : "");
	return false;
}

bool read_domains(struct domains *domains)
{
	FILE *file = fopen(DOMAINS_FILE, "re");
	char *line = NULL;
	size_t size = 0;
	bool good = true;

	*domains = (struct domains){ 0 };
	if (!file)
		return cannot_read(errno);
	while (good && getline(&line, &size, file) > 0)
		good = add_domain(domains, line);
	free(line);
	fclose(file);
	return good;
}

void free_domains(struct domains *domains)
{
	while (domains->nr)
		free(domains->item[--domains->nr].line);
	free(domains->item);
}

void show_domains(void)
{
	struct domains domains;
	unsigned int i;

	if (!read_domains(&domains))
		return;
	for (i = 0; i < domains.nr; i++)
		show_domain(domains.item[i].line);
	free_domains(&domains);
}

/* ---- monctl domains ---- */

static unsigned int shares_of(const struct shares *shares, unsigned int domain)
{
	unsigned int i, n = 0;

	for (i = 0; domain && i < shares->nr; i++)
		n += shares->item[i].owner == domain || shares->item[i].peer == domain;
	return n;
}

static void show_row(const struct domain *d, const struct shares *shares)
{
	char state[VALUE_SIZE], vcpus[VALUE_SIZE], private[VALUE_SIZE], limit[VALUE_SIZE];

	printf("%6u %8d  %-8s %6s %10s %10s %7u\n", d->number, d->pid,
	       value(d->line, "state", state), value(d->line, "vcpus", vcpus),
	       value(d->line, "private", private), value(d->line, "limit", limit),
	       shares_of(shares, d->number));
}

static void show_rows(const struct domains *domains, const struct shares *shares)
{
	unsigned int i;

	if (!domains->nr)
		puts("There is no confidential VM.");
	else
		printf("%6s %8s  %-8s %6s %10s %10s %7s\n", "DOMAIN", "PID", "STATE", "VCPUS",
		       "FRAMES", "LIMIT", "SHARES");
	for (i = 0; i < domains->nr; i++)
		show_row(&domains->item[i], shares);
}

int cmd_domains(int argc, char **argv)
{
	struct domains domains = { 0 };
	struct shares shares;
	bool good;

	if (argc > 1) {
		fail("domains takes no argument (got '%s')", argv[1]);
		return EXIT_USAGE;
	}
	good = read_shares(&shares) && read_domains(&domains);
	if (good)
		show_rows(&domains, &shares);
	free_domains(&domains);
	free(shares.item);
	return good ? 0 : EXIT_CANNOT;
}
