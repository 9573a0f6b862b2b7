// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: mcheck TIMES SEED spin|cpuid
 *
 * So many machine checks, one after another, on all CPUs (a port that only the test machine's
 * emulator has), each at a random moment while it spins, or executes CPUID.
 */
#include <cpuid.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>

#define PORT 0x8a18
#define SOONEST 1000
#define SPAN 30000
#define HANDLED 4000000 /* ticks: by then all CPUs have met in the kernel's handler, and left it */

static unsigned long long now(void)
{
	return __builtin_ia32_rdtsc();
}

int main(int argc, char **argv)
{
	unsigned int i, times, eax, ebx, ecx, edx, cpuid;
	unsigned long long until;

	if (argc != 4) {
		fputs("usage: mcheck TIMES SEED spin|cpuid\n", stderr);
		return 2;
	}
	if (iopl(3)) {
		perror("iopl");
		return 1;
	}
	times = atoi(argv[1]);
	srand(atoi(argv[2]));
	cpuid = !strcmp(argv[3], "cpuid");
	for (i = 0; i < times; i++) {
		outl(SOONEST + rand() % SPAN, PORT);
		for (until = now() + HANDLED; now() < until;)
			if (cpuid)
				__get_cpuid(1, &eax, &ebx, &ecx, &edx);
	}
	return 0;
}
