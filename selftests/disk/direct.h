/* SPDX-License-Identifier: GPL-2.0-only */
/* A disk without the kernel's cache. _GNU_SOURCE is defined by who includes it. */
#ifndef _SELFTESTS_DIRECT_H
#define _SELFTESTS_DIRECT_H

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>

static inline void die(const char *what)
{
	perror(what);
	exit(1);
}

/* A file in memory is not on a device. */
static inline int open_direct(const char *path, int flags)
{
	int fd = open(path, flags | O_DIRECT);

	if (fd < 0 && errno == EINVAL)
		fd = open(path, flags);
	if (fd < 0)
		die(path);
	return fd;
}

#endif /* _SELFTESTS_DIRECT_H */
