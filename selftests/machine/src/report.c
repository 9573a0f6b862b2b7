// SPDX-License-Identifier: GPL-2.0-only
/*
 * Run a command inside the test machine and hand its output and its status to
 * whoever started the machine, by the debug port 0xe9: unlike a serial port it
 * costs no emulated time, and the kernel's log goes elsewhere.
 *
 * usage: report NONCE COMMAND...
 *
 * Sent: NONCE " begin\n", the output, NONCE " end STATUS TICKS TOTAL\n",
 * ticks being those of the TSC during the command and since the machine started.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

#define PORT 0xe9

static int child_exited[2];

static void on_child(int signal)
{
	int saved = errno;
	ssize_t ignored = write(child_exited[1], "", 1);

	(void)signal;
	(void)ignored;
	errno = saved;
}

static void send(const char *data, size_t size)
{
	outsb(PORT, data, size);
}

/* Returns whether there may be more. */
static int forward(int fd)
{
	char data[16384];
	ssize_t size = read(fd, data, sizeof(data));

	if (size > 0)
		send(data, size);
	return size > 0 || (size < 0 && errno == EINTR);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_child, .sa_flags = SA_NOCLDSTOP };
	struct pollfd fds[2];
	char line[128];
	uint64_t start, end;
	int out[2], status, open_output = 1;
	pid_t pid;

	if (argc < 3) {
		fputs("usage: report NONCE COMMAND...\n", stderr);
		return 2;
	}
	if (ioperm(PORT, 1, 1) || pipe2(out, O_CLOEXEC) ||
	    pipe2(child_exited, O_CLOEXEC | O_NONBLOCK)) {
		perror("report");
		return 1;
	}
	sigaction(SIGCHLD, &action, NULL);

	snprintf(line, sizeof(line), "%s begin\n", argv[1]);
	send(line, strlen(line));
	start = __rdtsc();

	pid = fork();
	if (pid < 0) {
		perror("report: fork");
		return 1;
	}
	if (!pid) {
		ioperm(PORT, 1, 0);
		setsid();
		dup2(out[1], 1);
		dup2(out[1], 2);
		execvp(argv[2], argv + 2);
		fprintf(stderr, "%s: %s\n", argv[2], strerror(errno));
		_exit(errno == ENOENT ? 127 : 126);
	}
	close(out[1]);

	/*
	 * The command is over when its process ends; a background child that
	 * still holds the pipe does not matter.
	 */
	fds[0] = (struct pollfd){ .fd = child_exited[0], .events = POLLIN };
	fds[1] = (struct pollfd){ .fd = out[0], .events = POLLIN };
	for (;;) {
		if (poll(fds, open_output ? 2 : 1, -1) < 0)
			continue;
		if (fds[0].revents) {
			char drain[16];

			while (read(child_exited[0], drain, sizeof(drain)) > 0)
				;
			if (waitpid(pid, &status, WNOHANG) == pid)
				break;
		}
		if (open_output && fds[1].revents)
			open_output = forward(out[0]);
	}
	fcntl(out[0], F_SETFL, O_NONBLOCK);
	while (open_output && forward(out[0]))
		;

	status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	end = __rdtsc();
	snprintf(line, sizeof(line), "%s end %d %llu %llu\n", argv[1], status,
		 (unsigned long long)(end - start), (unsigned long long)end);
	send(line, strlen(line));
	return 0;
}
