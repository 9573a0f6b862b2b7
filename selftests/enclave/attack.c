// SPDX-License-Identifier: GPL-2.0-only
/*
 * An enclave that is attacked: says its domain; at each line of its standard input it does what
 * command() says. The end of its input is its end.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "host.h"

#define PAGE 4096UL
/*
 * The first word of secret 11 (vm/secret.h), inverted, and not computed here: what a compiler keeps
 * on the way would be the word itself, and be found.
 */
#define INVERTED 0x33f93ce9ad140bc7UL

static void on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		exit(1);
}

static struct enclave victim;
static unsigned long *held;

static void *keep_secret(void *unused)
{
	unsigned long value[2];

	(void)unused;
	on_cpu(1);
	order_on(&victim, 1, ORDER_HIDE, value);
	return NULL;
}

static volatile struct puppet_args *args_of(unsigned int thread)
{
	return (void *)((char *)victim.args + thread * PAGE);
}

/* Until it is hidden. */
static long hide(pthread_t *keeper)
{
	volatile struct puppet_args *args = args_of(1);
	int err;

	args->a[0] = 0;
	args->a[1] = INVERTED;
	args->a[2] = 0;
	err = pthread_create(keeper, NULL, keep_secret, NULL);
	while (!err && !args->a[2])
		sched_yield();
	return err;
}

static void *watch(void *unused)
{
	unsigned long value[2];

	(void)unused;
	on_cpu(1);
	order_on(&victim, 1, ORDER_WATCH, value);
	return NULL;
}

static unsigned long physical(volatile void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	unsigned long entry = 0;

	if (pread(fd, &entry, sizeof(entry), (unsigned long)at / PAGE * sizeof(entry)) < 0)
		exit(1);
	close(fd);
	return (entry & ((1UL << 55) - 1)) * PAGE;
}

/* Where thread 1 counts, on CPU 1, while it reads the page with the secret, until told. */
static long watched(void)
{
	volatile struct puppet_args *args = args_of(1);
	pthread_t watcher;

	args->a[0] = PUPPET_HEAP;
	args->a[1] = 0;
	args->a[2] = 0;
	if (pthread_create(&watcher, NULL, watch, NULL))
		return 0;
	while (!args->a[2])
		sched_yield();
	return (long)physical(&args->a[0]);
}

/* An ordinary process with the same words, that nothing protects. */
static void hold(void)
{
	volatile unsigned long inverted = INVERTED;
	unsigned int i;

	held = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE,
		    -1, 0);
	for (i = 0; i < PUPPET_WORDS; i++)
		((volatile unsigned long *)held)[i] = ~inverted;
}

/*
 * "hide": thread 1 spins on CPU 1, with the secret; "end": until now. "count": words of it that
 * are still there. "args T A B": of a thread. "hold": this process has it, too. "watch": watched().
 */
static long command(const char *line)
{
	static pthread_t keeper;
	unsigned long a, b;
	unsigned int t;

	if (!strcmp(line, "hide\n"))
		return hide(&keeper);
	if (!strcmp(line, "end\n")) {
		args_of(1)->a[0] = 1;
		return pthread_join(keeper, NULL);
	}
	if (!strcmp(line, "watch\n"))
		return watched();
	if (!strcmp(line, "hold\n")) {
		hold();
		return 0;
	}
	if (sscanf(line, "args %u %lu %lu", &t, &a, &b) == 3) {
		args_of(t)->a[0] = a;
		args_of(t)->a[1] = b ? INVERTED : 0;
		return 0;
	}
	return (long)order(&victim, ORDER_COUNT, 0, INVERTED);
}

int main(void)
{
	char *line = NULL;
	size_t size = 0;

	on_cpu(0);
	enclave_make(&victim);
	printf("%u\n", victim.info.domain);
	fflush(stdout);
	while (getline(&line, &size, stdin) > 0) {
		printf("%ld\n", command(line));
		fflush(stdout);
	}
	return 0;
}
