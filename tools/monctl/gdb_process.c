// SPDX-License-Identifier: GPL-2.0-only
/* Another process: its enclave's descriptor, and its end, stop and going on. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "gdb.h"
#include "monctl.h"

#define LINK "anon_inode:monitor-enclave"
#define STOP_MS 10000

static int enclave = -1;
static unsigned int nr_threads;

/* ---- its enclave ---- */

/* A descriptor of an enclave's, for this process; -1: it is something else. */
static int take(const struct process *p, int folder, const char *name)
{
	char link[sizeof(LINK) + 1];
	ssize_t n = readlinkat(folder, name, link, sizeof(link));
	int fd;

	if (n != sizeof(LINK) - 1 || memcmp(link, LINK, n))
		return -1;
	fd = (int)syscall(SYS_pidfd_getfd, p->fd, atoi(name), 0);
	if (fd < 0)
		fail("cannot take the descriptor of an enclave from process %d: %s", p->pid,
		     strerror(errno));
	return fd;
}

/*
 * Keeps the first enclave of @domain, or of any (0). True: this is one that fits, and another than
 * that one; dup() and fork() make several of the same.
 */
static bool look_at(int fd, unsigned int domain, struct mon_enclave_info *found)
{
	struct mon_enclave_info info = { .size = sizeof(info) };
	bool fits = fd >= 0 && !ioctl(fd, MON_IOC_ENCLAVE_STATUS, &info) &&
		    (!domain || info.domain == domain) &&
		    (enclave < 0 || info.domain != found->domain);

	if (fits && enclave < 0) {
		enclave = fd;
		*found = info;
	} else if (fd >= 0) {
		close(fd);
	}
	return fits;
}

static unsigned int find(const struct process *p, unsigned int domain,
			 struct mon_enclave_info *found)
{
	unsigned int nr = 0;
	struct dirent *entry;
	char path[64];
	DIR *folder;

	snprintf(path, sizeof(path), "/proc/%d/fd", p->pid);
	folder = opendir(path);
	while (folder && (entry = readdir(folder)))
		nr += look_at(take(p, dirfd(folder), entry->d_name), domain, found);
	if (folder)
		closedir(folder);
	else
		fail("cannot read %s: %s", path, strerror(errno));
	return nr;
}

static bool find_enclave(const struct process *p, unsigned int domain)
{
	struct mon_enclave_info info = { 0 };
	unsigned int nr = find(p, domain, &info);

	if (!nr && domain)
		return !fail("process %d has no enclave with domain %u: 'monctl enclaves' has all",
			     p->pid, domain);
	if (!nr)
		return !fail("process %d has no enclave of the monitor's; one in simulation gdb "
			     "sees by itself: gdb -p %d", p->pid, p->pid);
	if (nr > 1)
		return !fail("process %d has several enclaves: say the domain of one, as 'monctl "
			     "enclaves' shows it", p->pid);
	if (info.state == MON_ENCLAVE_BUILDING)
		return !fail("the enclave of process %d is still being built: try again", p->pid);
	if (!(info.flags & MON_ENCLAVE_DEBUG))
		return !fail("the enclave with domain %u lets nobody look into it: for that it is "
			     "built with .debug = 1 in its MON_ENCLAVE_CONFIG(), which its "
			     "measurement says", info.domain);
	nr_threads = info.nr_threads;
	return true;
}

bool process_open(struct process *process, int pid, unsigned int domain)
{
	process->pid = pid;
	process->fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (process->fd < 0)
		return !fail("there is no process %d: %s", pid, strerror(errno));
	return find_enclave(process, domain);
}

unsigned int target_threads(void)
{
	return nr_threads;
}

bool target_registers(unsigned int thread, struct mon_enclave_registers *registers)
{
	return pread(enclave, registers, sizeof(*registers),
		     (off_t)(MON_ENCLAVE_REGISTERS + thread * 4096ULL)) == sizeof(*registers);
}

static bool is_inside(unsigned long long at, size_t size)
{
	return at < MON_ENCLAVE_HIGH && size <= MON_ENCLAVE_HIGH - at;
}

size_t target_read(unsigned long long at, void *to, size_t size)
{
	ssize_t n = is_inside(at, size) ? pread(enclave, to, size, (off_t)at) : 0;

	return n > 0 ? (size_t)n : 0;
}

bool target_write(unsigned long long at, const void *from, size_t size)
{
	return is_inside(at, size) && pwrite(enclave, from, size, (off_t)at) == (ssize_t)size;
}

/* ---- its tasks ---- */

static bool is_over(const struct process *p, int timeout)
{
	struct pollfd over = { .fd = p->fd, .events = POLLIN };

	return poll(&over, 1, timeout) == 1;
}

/* The letter behind the name, which can have parentheses itself; one that is gone has stopped. */
static bool has_stopped(int tasks, const char *name)
{
	char path[300], line[512];
	const char *state;
	ssize_t n;
	int file;

	snprintf(path, sizeof(path), "%s/stat", name);
	file = openat(tasks, path, O_RDONLY | O_CLOEXEC);
	if (file < 0)
		return true;
	n = read(file, line, sizeof(line) - 1);
	close(file);
	line[n > 0 ? n : 0] = '\0';
	state = strrchr(line, ')');
	return !state || !state[1] || strchr("TtXZ", state[2]);
}

static bool all_stopped(const struct process *p)
{
	struct dirent *entry;
	bool stopped = true;
	char path[64];
	DIR *tasks;

	snprintf(path, sizeof(path), "/proc/%d/task", p->pid);
	tasks = opendir(path);
	while (tasks && stopped && (entry = readdir(tasks)))
		if (isdigit((unsigned char)entry->d_name[0]))
			stopped = has_stopped(dirfd(tasks), entry->d_name);
	if (tasks)
		closedir(tasks);
	return tasks && stopped;
}

bool process_signal(const struct process *process, int signal)
{
	return !syscall(SYS_pidfd_send_signal, process->fd, signal, NULL, 0);
}

/* Nobody is told when another's child stops: so it is looked at, each millisecond. */
bool process_stop(const struct process *process)
{
	int ms;

	if (!process_signal(process, SIGSTOP))
		return !fail("cannot stop process %d: %s", process->pid, strerror(errno));
	for (ms = 0; ms < STOP_MS; ms++) {
		if (all_stopped(process))
			return true;
		if (is_over(process, 1))
			return !fail("process %d is over", process->pid);
	}
	process_signal(process, SIGCONT);
	return !fail("process %d does not stop: one of its tasks waits for something in the kernel",
		     process->pid);
}
