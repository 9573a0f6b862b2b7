// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "folder.h"
#include "mon_enclave.h"
#include "mon_file.h"

MON_ENCLAVE_CONFIG(.threads = 2, .buffer_pages = 1); /* a block does not fit */

long put(const char *name, const char *text, size_t count)
{
	const size_t n = strlen(text);
	struct mon_file *file;
	long error = mon_file_open(name, MON_FILE_CREATE, NULL, &file);
	size_t i;

	if (error)
		return error;
	error = mon_file_truncate(file, 0);
	for (i = 0; i < count && !error; i++)
		error = mon_file_write(file, text, n, i * n);
	if (!error)
		error = mon_file_sync(file);
	mon_file_close(file);
	return error;
}

static long compare(struct mon_file *file, const char *text)
{
	const size_t n = strlen(text), count = mon_file_size(file) / n;
	char part[NAME_MAX_LENGTH];
	size_t i;

	for (i = 0; i < count; i++) {
		long error = mon_file_read(file, part, n, i * n);

		if (error < 0)
			return error;
		if (error != (long)n || memcmp(part, text, n))
			return -1000;
	}
	return count;
}

long get(const char *name, const char *text)
{
	struct mon_file *file;
	long result = mon_file_open(name, 0, NULL, &file);

	if (result)
		return result;
	result = compare(file, text);
	mon_file_close(file);
	return result;
}

long drop(const char *name)
{
	return mon_file_remove(name);
}
