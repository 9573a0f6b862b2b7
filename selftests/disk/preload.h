/* SPDX-License-Identifier: GPL-2.0-only */
/* What is preloaded into programs to log what they write to their image. */
#ifndef _SELFTESTS_PRELOAD_H
#define _SELFTESTS_PRELOAD_H

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* Does the name of the file end so? Without an end it does not. */
static inline bool file_ends(int fd, const char *end)
{
	char link[64], path[4096];
	ssize_t n;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	n = readlink(link, path, sizeof(path) - 1);
	if (!end || n < (ssize_t)strlen(end))
		return false;
	path[n] = 0;
	return !strcmp(path + n - strlen(end), end);
}

#endif /* _SELFTESTS_PRELOAD_H */
