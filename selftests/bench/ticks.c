// SPDX-License-Identifier: GPL-2.0-only
/* usage: ticks PROGRAM ARGUMENTS...: the time stamp counter's ticks that it took */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <x86intrin.h>

int main(int argc, char **argv)
{
	unsigned long long start;
	int status = 0;
	pid_t pid;

	if (argc < 2)
		return 2;
	start = __rdtsc();
	pid = fork();
	if (!pid) {
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) != pid)
		return 1;
	printf("%llu\n", __rdtsc() - start);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 4;
}
