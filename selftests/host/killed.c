// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: killed TIMES MICROSECONDS SEED COMMAND...
 *
 * So many times: starts a command, kills it and all it has started at a random moment below so
 * many microseconds, and waits until no VM has memory any more and the host has what it had
 * before. Prints how often there was a VM with memory, and how often something was left.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STATUS "/sys/kernel/debug/monitor/status"
#define SECONDS_TO_SETTLE 20

static unsigned long long seed;

static unsigned long draw(unsigned long below)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed % below;
}

static long value(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (!at) {
		fprintf(stderr, "no '%s' in " STATUS "\n", name);
		exit(1);
	}
	return atol(at + strlen(name));
}

struct frames {
	long private; /* that belong to a VM */
	long pool; /* that the monitor has for none */
};

static struct frames frames_now(void)
{
	static char text[65536];
	int file = open(STATUS, O_RDONLY);
	ssize_t n, len = 0;

	while ((n = read(file, text + len, sizeof(text) - 1 - len)) > 0)
		len += n;
	text[len] = 0;
	close(file);
	return (struct frames){
		value(text, "\nframes private: "),
		value(text, "\nframes free: ") + value(text, "\nframes transit: "),
	};
}

static void sleep_for(unsigned long microseconds)
{
	struct timespec t = { microseconds / 1000000, microseconds % 1000000 * 1000 };

	nanosleep(&t, NULL);
}

static pid_t start(char **command)
{
	pid_t pid = fork();

	if (pid)
		return pid;
	setpgid(0, 0);
	if (freopen("/dev/null", "w", stdout) && freopen("/dev/null", "w", stderr))
		execvp(command[0], command);
	_exit(127);
}

/* settles() - no VM has memory any more, and the host has again what it gave for it */
static int settles(long pool)
{
	int i;

	for (i = 0; i < SECONDS_TO_SETTLE * 100; i++) {
		struct frames now = frames_now();

		if (!now.private && now.pool <= pool)
			return 1;
		sleep_for(10000);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int i, times, status, had = 0, stayed = 0;
	long pool;

	if (argc < 5) {
		fputs("usage: killed TIMES MICROSECONDS SEED COMMAND...\n", stderr);
		return 2;
	}
	times = atoi(argv[1]);
	pool = frames_now().pool;
	seed = strtoull(argv[3], NULL, 0) * 2 + 1;
	for (i = 0; i < times; i++) {
		pid_t pid = start(argv + 4);

		sleep_for(draw(strtoul(argv[2], NULL, 0)));
		had += frames_now().private > 0;
		kill(-pid, SIGKILL);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
			fprintf(stderr, "cannot run %s\n", argv[4]);
			return 1;
		}
		stayed += !settles(pool);
	}
	printf("%d killed, %d had memory, %d left something\n", times, had, stayed);
	return 0;
}
