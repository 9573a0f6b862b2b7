// SPDX-License-Identifier: GPL-2.0-only
/* In a confidential VM: a program may not call the monitor. As TAP. */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../uapi/guest.h"

static void call(unsigned long nr)
{
	unsigned long rax = MON_HYPERCALL | nr;

	asm volatile("vmcall" : "+a"(rax) : "D"(0UL), "S"(0UL), "d"(0UL) : "memory");
}

int main(void)
{
	static const unsigned long numbers[] = { MON_GC_PING, MON_GC_SELF, MON_GC_RELEASE,
						 MON_GC_NR };
	unsigned int i, failed = 0;
	int status;

	printf("TAP version 13\n1..%zu\n", sizeof(numbers) / sizeof(numbers[0]));
	for (i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		fflush(stdout);
		if (!fork()) {
			call(numbers[i]);
			_exit(0);
		}
		if (wait(&status) < 0 || !WIFSIGNALED(status) || WTERMSIG(status) != SIGILL) {
			failed++;
			printf("not ");
		}
		printf("ok %u - call %lu in user mode is SIGILL\n", i + 1, numbers[i]);
	}
	return failed != 0;
}
