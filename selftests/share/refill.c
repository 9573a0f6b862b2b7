// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: refill PID FRAMES
 *
 * Lets the VM of a process own so many frames more. Only who has the domain's
 * descriptor can: PID, the helper of "monctl run", lends it.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "../../uapi/monitor.h"

static int domain_of(const char *pid)
{
	char path[64], link[64];
	int fd, pidfd;
	ssize_t n;

	pidfd = (int)syscall(SYS_pidfd_open, atoi(pid), 0U);
	for (fd = 0; fd < 64; fd++) {
		snprintf(path, sizeof(path), "/proc/%s/fd/%d", pid, fd);
		n = readlink(path, link, sizeof(link) - 1);
		if (n <= 0)
			continue;
		link[n] = '\0';
		if (strstr(link, "monitor-vm"))
			return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0U);
	}
	return -1;
}

int main(int argc, char **argv)
{
	struct mon_vm_frames request = { .size = sizeof(request) };

	if (argc != 3)
		return 2;
	request.frames = strtoull(argv[2], NULL, 0);
	if (ioctl(domain_of(argv[1]), MON_IOC_VM_REFILL, &request)) {
		perror("refill");
		return 1;
	}
	return 0;
}
