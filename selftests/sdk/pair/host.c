// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: pair PAIR.elf [sim]
 *
 * Two processes, an enclave in each, and a page that both enclaves have. Prints TAP.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "monenclave.h"
#include "pair.h"

#define MON_ENOSYS_ANSWER (-38)

static int points, failed;
static int to_other[2], from_other[2];

static void ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++points, name);
	if (!good)
		printf("# the last error: %s\n", mon_error());
	failed += !good;
}

static struct mon_enclave *open_or_die(const char *path, unsigned int flags)
{
	struct mon_enclave *mon = mon_open(path, flags);

	if (mon)
		return mon;
	printf("Bail out! %s\n", mon_error());
	exit(1);
}

/* The other process: accepts each ID that it reads, answers, and waits for the end. */
static int other(const char *path)
{
	struct mon_enclave *mon = open_or_die(path, 0);
	char text[TEXT_MAX];
	long result;
	uint64_t id;

	while (read(to_other[0], &id, sizeof(id)) == sizeof(id)) {
		if (take(mon, &result, id))
			result = -1001;
		if (!result && (look(mon, &result, 1, text) || strcmp(text, "from the first")))
			result = -1002;
		if (!result && answer(mon, &result, "from the second"))
			result = -1003;
		if (write(from_other[1], &result, sizeof(result)) != sizeof(result))
			return 1;
	}
	mon_close(mon);
	return 0;
}

static long told(uint64_t id)
{
	long result = -1004;

	if (write(to_other[1], &id, sizeof(id)) != sizeof(id) ||
	    read(from_other[0], &result, sizeof(result)) != sizeof(result))
		printf("# the other process does not answer\n");
	return result;
}

static void simulated(const char *path)
{
	struct mon_enclave *mon = open_or_die(path, MON_OPEN_SIM);
	long result = 0;

	printf("TAP version 13\n1..1\n");
	ok(!give(mon, &result, "nobody") && result == MON_ENOSYS_ANSWER,
	   "in simulation there is nobody to share with");
	mon_close(mon);
}

static void shared(const char *path)
{
	struct mon_enclave *mon;
	char text[TEXT_MAX];
	long id = 0, result = 0;
	int status = 1;
	pid_t pid;

	if (pipe(to_other) || pipe(from_other))
		exit(1);
	printf("TAP version 13\n1..7\n");
	fflush(stdout);
	pid = fork();
	if (!pid) {
		close(to_other[1]);
		exit(other(path));
	}
	close(to_other[0]);
	mon = open_or_die(path, 0);
	ok(!give(mon, &id, "from the first") && id > 0, "a page is offered");
	ok(told(id + 1) < 0, "another ID is none");
	ok(!told(id), "the other one accepts, reads and writes");
	ok(!look(mon, &result, 0, text) && !strcmp(text, "from the second"), "and is read here");
	ok(!over(mon, &result, id) && !result, "it is taken back");
	ok(!give(mon, &id, "from the first") && !told(id), "and shared again, in its place");
	close(to_other[1]);
	waitpid(pid, &status, 0);
	ok(!status && !over(mon, &result, id) && result < 0, "the other one's end is its end");
	mon_close(mon);
}

int main(int argc, char **argv)
{
	if (argc < 2)
		return 2;
	if (argc > 2)
		simulated(argv[1]);
	else
		shared(argv[1]);
	return failed != 0;
}
