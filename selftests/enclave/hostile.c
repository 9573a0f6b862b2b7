// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a process does to an enclave with its kernel's help.
 *
 * hostile map ADDRESS [VALUE]: a frame in this process's own page table, by testmod: what user mode
 *	reads there, once it has stored the value
 * hostile close: a thread is in an enclave, without the kernel, while another closes it: why it
 *	was left, and what becomes of it then
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "host.h"

#define PAGE 4096UL
#define GONE 1000L /* the instruction is none any more */

static int map(const char *address, const char *value)
{
	int fd = open("/sys/kernel/debug/testmod/do", O_RDWR);
	off_t at = (off_t)(strtoul(address, NULL, 0) & ~(PAGE - 1));
	volatile unsigned long *word;

	word = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, at);
	if (word == MAP_FAILED) {
		perror("mmap");
		return 1;
	}
	if (value)
		*word = strtoul(value, NULL, 0);
	printf("%#lx\n", *word);
	return 0;
}

/* ---- closed by another thread ---- */

static sigjmp_buf gone;

static void on_sigill(int signal)
{
	(void)signal;
	siglongjmp(gone, 1);
}

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	sched_setaffinity(0, sizeof(set), &set);
}

/* Never through the module: it holds no reference to the file. */
static void *inside(void *arg)
{
	unsigned int domain = *(unsigned int *)arg;
	unsigned long value[2] = { ORDER_WATCH, PUPPET_BUFFER };
	static volatile long last, why;

	on_cpu(1);
	last = enclave_call(domain, 0, MON_ENCLAVE_CALL, value);
	for (why = last; why == MON_ENCLAVE_INTERRUPTED || why == -MON_EAGAIN; ) {
		last = why;
		if (sigsetjmp(gone, 1))
			why = GONE;
		else
			why = enclave_call(domain, 0, MON_ENCLAVE_RESUME, value);
	}
	printf("left %ld then %s\n", last, why == GONE ? "gone" : why == -MON_EBUSY ? "busy" :
	       "entered");
	return NULL;
}

static int close_it(void)
{
	struct sigaction action = { .sa_handler = on_sigill };
	volatile struct puppet_args *args;
	unsigned int domain;
	struct enclave e;
	pthread_t thread;

	sigaction(SIGILL, &action, NULL);
	on_cpu(0);
	enclave_make(&e);
	args = e.args;
	args->a[0] = PUPPET_DATA;
	args->a[1] = 0;
	args->a[2] = 0;
	domain = e.info.domain;
	pthread_create(&thread, NULL, inside, &domain);
	while (args->a[2] < 1000)
		sched_yield();
	enclave_end(&e);
	pthread_join(thread, NULL);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "map"))
		return map(argv[2], argv[3]);
	return argc == 2 && !strcmp(argv[1], "close") ? close_it() : 2;
}
