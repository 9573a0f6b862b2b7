// SPDX-License-Identifier: GPL-2.0-only
/* monctl status: the domains. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "monctl.h"
#include "uapi/hypercall.h"

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

void show_domains(void)
{
	FILE *file = fopen(DOMAINS_FILE, "re");
	char *line = NULL;
	size_t size = 0;

	if (!file)
		return;
	while (getline(&line, &size, file) > 0)
		show_domain(line);
	free(line);
	fclose(file);
}
