// SPDX-License-Identifier: GPL-2.0-only
/*
 * Preloaded into QEMU: a log of its writes to the file that $POWER_OF is the end of the name
 * of, of its flushes, and of what it writes to a pipe ".../con.out", the guest's console, in the
 * order in which all that is done. $POWER_LOG is the log, which is appended to. The $POWER_KILL-th
 * write is done by half, and QEMU is killed; "f" and a number: in place of that flush.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include "power.h"
#include "preload.h"

#define BLOCK 4096

/* One write at a time: so the log has all that was done when QEMU is killed, in order. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t nr_writes, nr_done, nr_flushes, kill_write, kill_flush;
static int log_fd = -1;

static bool ends(int fd, const char *end)
{
	return log_fd >= 0 && file_ends(fd, end);
}

static void put(const void *data, size_t size)
{
	if (syscall(SYS_write, log_fd, data, size) != (ssize_t)size)
		abort();
}

/* @size bytes of what is in @iov */
static void log_event(uint32_t kind, uint64_t at, const struct iovec *iov, size_t size)
{
	struct power_event event = { .kind = kind, .size = size, .at = at };
	size_t part;

	put(&event, sizeof(event));
	for (; size; size -= part, iov++) {
		part = iov->iov_len < size ? iov->iov_len : size;
		put(iov->iov_base, part);
	}
}

__attribute__((constructor)) static void begin(void)
{
	const char *path = getenv("POWER_LOG"), *count = getenv("POWER_KILL");

	if (!path || !strstr(program_invocation_short_name, "qemu"))
		return;
	log_fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (log_fd < 0)
		abort();
	if (count && *count == 'f')
		kill_flush = strtoull(count + 1, NULL, 0);
	else if (count)
		kill_write = strtoull(count, NULL, 0);
	log_event(POWER_START, 0, NULL, 0);
}

static ssize_t write_part(int fd, const struct iovec *iov, off_t at, size_t size)
{
	size_t done = 0, part;

	for (; done < size; done += part, iov++) {
		part = iov->iov_len < size - done ? iov->iov_len : size - done;
		if (syscall(SYS_pwrite64, fd, iov->iov_base, part, at + done) != (ssize_t)part)
			abort();
	}
	return size;
}

static ssize_t logged_write(int fd, const struct iovec *iov, int nr, off_t at)
{
	size_t size = 0;
	bool last;
	int i;

	for (i = 0; i < nr; i++)
		size += iov[i].iov_len;
	pthread_mutex_lock(&lock);
	last = ++nr_writes == kill_write;
	if (last)
		size = size / 2 / BLOCK * BLOCK;
	write_part(fd, iov, at, size);
	if (size)
		log_event(POWER_WRITE, at, iov, size);
	if (last)
		raise(SIGKILL);
	__atomic_store_n(&nr_done, nr_writes, __ATOMIC_SEQ_CST);
	pthread_mutex_unlock(&lock);
	return size;
}

ssize_t pwritev64(int fd, const struct iovec *iov, int nr, off64_t at)
{
	if (ends(fd, getenv("POWER_OF")))
		return logged_write(fd, iov, nr, at);
	return syscall(SYS_pwritev, fd, iov, nr, at, 0L);
}

ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };

	if (ends(fd, getenv("POWER_OF")))
		return logged_write(fd, &iov, 1, at);
	return syscall(SYS_pwrite64, fd, data, size, at);
}

int fdatasync(int fd)
{
	uint64_t before;
	int status;

	if (!ends(fd, getenv("POWER_OF")))
		return syscall(SYS_fdatasync, fd);
	before = __atomic_load_n(&nr_done, __ATOMIC_SEQ_CST);
	pthread_mutex_lock(&lock);
	if (++nr_flushes == kill_flush)
		raise(SIGKILL);
	status = syscall(SYS_fdatasync, fd);
	if (!status)
		log_event(POWER_FLUSH, before, NULL, 0);
	pthread_mutex_unlock(&lock);
	return status;
}

ssize_t writev(int fd, const struct iovec *iov, int nr)
{
	bool console = ends(fd, "/con.out");
	ssize_t n;

	if (!console)
		return syscall(SYS_writev, fd, iov, nr);
	pthread_mutex_lock(&lock);
	n = syscall(SYS_writev, fd, iov, nr);
	if (n > 0)
		log_event(POWER_CONSOLE, 0, iov, n);
	pthread_mutex_unlock(&lock);
	return n;
}

ssize_t write(int fd, const void *data, size_t size)
{
	struct iovec iov = { .iov_base = (void *)data, .iov_len = size };

	return writev(fd, &iov, 1);
}
