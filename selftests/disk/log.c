// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded: what a program writes to the file that $DISK_LOG_OF is the end of the name of, and
 * when it flushes, into the file $DISK_LOG. A record is an offset and a size, 8 bytes
 * each, and so many bytes; size 0: a flush.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "preload.h"

static bool is_logged(int fd)
{
	return file_ends(fd, getenv("DISK_LOG_OF"));
}

static void log_record(uint64_t at, const void *data, uint64_t size)
{
	int fd = open(getenv("DISK_LOG"), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	uint64_t head[2] = { at, size };

	if (write(fd, head, sizeof(head)) != sizeof(head) ||
	    (size && write(fd, data, size) != (ssize_t)size))
		abort();
	close(fd);
}

ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
	ssize_t (*real)(int fd, const void *data, size_t size, off_t at) =
		dlsym(RTLD_NEXT, "pwrite");
	ssize_t n = real(fd, data, size, at);

	if (n > 0 && is_logged(fd))
		log_record(at, data, n);
	return n;
}

/* QEMU's programs have these. */
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	return pwrite(fd, data, size, at);
}

ssize_t pwritev64(int fd, const struct iovec *iov, int nr, off64_t at)
{
	ssize_t n = syscall(SYS_pwritev, fd, iov, nr, at, 0L), done = 0, part = 0;
	int i;

	if (!is_logged(fd))
		return n;
	for (i = 0; i < nr && done < n; i++, done += part) {
		part = iov[i].iov_len;
		if (part > n - done)
			part = n - done;
		log_record(at + done, iov[i].iov_base, part);
	}
	return n;
}

int fdatasync(int fd)
{
	if (is_logged(fd))
		log_record(0, NULL, 0);
	return 0;
}
