// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: debugged [--sim] DEBUGGED.elf
 *
 * Says "waits" whenever it waits for a line: in the enclave's call, while another thread of its own
 * turns in the enclave, and when that has crashed.
 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include "debugged.h"
#include "monenclave.h"

int waits(void)
{
	puts("waits");
	fflush(stdout);
	while (getchar() != '\n')
		if (feof(stdin))
			return -1;
	return 0;
}

static void *turner(void *arg)
{
	int result;

	if (turn(arg, &result))
		fprintf(stderr, "debugged: %s\n", mon_error());
	else
		printf("%d\n", result);
	return NULL;
}

static void wait_while_it_turns(struct mon_enclave *mon)
{
	int result = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, turner, mon);
	while (!turns(mon, &result) && !result)
		;
	waits();
	pthread_join(thread, NULL);
}

int main(int argc, char **argv)
{
	unsigned int flags = argc > 1 && !strcmp(argv[1], "--sim") ? MON_OPEN_SIM : 0;
	struct mon_enclave *mon = mon_open(argv[argc - 1], flags);
	int result;

	if (!mon || work(mon, &result, 21)) {
		fprintf(stderr, "debugged: %s\n", mon_error());
		return 1;
	}
	printf("%d\n", result);
	wait_while_it_turns(mon);
	if (!crash(mon, &result, 77))
		return 1;
	waits();
	return 0;
}
