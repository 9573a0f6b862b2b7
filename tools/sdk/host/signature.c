// SPDX-License-Identifier: GPL-2.0-only
/* The signature beside an enclave's file, made by monsign. Who believes it is the monitor. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "internal.h"

int mon_signature_read(struct mon_enclave *mon)
{
	struct mon_enclave_signature *s = malloc(sizeof(*s));
	char *path = NULL;
	FILE *file = NULL;
	int error = 0;

	mon->signature = s;
	if (!s || asprintf(&path, "%s.sig", mon->path) < 0)
		return mon_fail("no memory");
	file = fopen(path, "re");
	if (!file && errno == ENOENT) {
		free(s);
		mon->signature = NULL;
	} else if (!file || fread(s, sizeof(*s), 1, file) != 1 || getc(file) != EOF) {
		error = mon_fail("%s: is not a signature of monsign's", path);
	}
	if (file)
		fclose(file);
	free(path);
	return error;
}

long mon_serve_signature(const struct mon_enclave *mon, void *slice, size_t room)
{
	if (!mon->signature)
		return -MON_ENOENT;
	if (room < sizeof(*mon->signature))
		return -MON_EINVAL;
	memcpy(slice, mon->signature, sizeof(*mon->signature));
	return 0;
}
