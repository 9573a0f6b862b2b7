// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: vcpu
 *
 * Each attack on an ordinary and then on a confidential guest, both puppet.S, each in a
 * process of its own. Prints "NAME: ORDINARY | CONFIDENTIAL": what came of it, and why the
 * monitor stopped the guest, if it did.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../uapi/monitor.h"
#include "../vm/stop_name.h"
#include "vcpu.h"

bool confidential;

void must(int result, const char *what)
{
	if (result >= 0)
		return;
	printf("%s: %s ", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

void testmod(const char *line)
{
	int fd = open("/sys/kernel/debug/testmod/do", O_WRONLY);

	must(fd, "testmod");
	must((int)write(fd, line, strlen(line)), line);
	close(fd);
}

void print_value(long value)
{
	if (value <= PUPPET_DEAD && value > 2 * PUPPET_DEAD)
		printf("dead ");
	else if ((value & ~0xffL) == PUPPET_EXCEPTION)
		printf("exception %ld ", value & 0xff);
	else
		printf("%#lx ", value);
}

void print_taken(unsigned int vector)
{
	long n = puppet(PUPPET_LOAD, PUPPET_COUNTS + 8 * vector, 0, 0, 0);

	if (n < 0)
		printf("dead ");
	else
		printf("%#x taken %ld ", vector, n);
}

static void play(const struct attack *a)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	int domain;

	alarm(60);
	puppet_options.ordinary = !confidential;
	if (a->prepare)
		a->prepare();
	domain = puppet_start(RAM);
	a->go(a);
	if (confidential && !ioctl(domain, MON_IOC_VM_STATUS, &info) && info.stop)
		printf("%s ", stop_name(info.stop));
	fflush(stdout);
	_exit(0);
}

static void each(const struct attack *a)
{
	for (; a->name; a++) {
		printf("%s: ", a->name);
		for (int round = 0; round < 2; round++) {
			pid_t pid;

			printf(round ? "| " : "");
			fflush(stdout);
			confidential = round;
			pid = fork();
			if (!pid)
				play(a);
			waitpid(pid, NULL, 0);
		}
		puts("");
	}
}

int main(void)
{
	each(event_attacks);
	each(apic_attacks);
	each(lie_attacks);
	each(memory_attacks);
	each(answer_attacks);
	return 0;
}
