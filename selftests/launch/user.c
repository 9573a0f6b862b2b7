// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions in user mode: "user NAME" prints "ok" or the signal.
 * "user ram MB" keeps that much memory changing until it is killed.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void on_signal(int number)
{
	printf("signal %d\n", number);
	fflush(stdout);
	_exit(0);
}

static void ram(size_t size)
{
	volatile unsigned char *p = malloc(size);
	size_t i;

	while (p)
		for (i = 0; i < size; i += 512)
			p[i]++;
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "";
	unsigned long magic = 0x4d4f4e0000000000UL;

	signal(SIGILL, on_signal);
	signal(SIGSEGV, on_signal);
	signal(SIGBUS, on_signal);
	if (!strcmp(name, "vmcall"))
		asm volatile("vmcall" : "+a"(magic) : : "memory");
	else if (!strcmp(name, "cpuid"))
		asm volatile("cpuid" : "+a"(magic) : : "rbx", "rcx", "rdx");
	else if (!strcmp(name, "xsetbv"))
		asm volatile("xsetbv" : : "a"(3), "c"(0), "d"(0));
	else if (!strcmp(name, "vmxoff"))
		asm volatile("vmxoff");
	else if (!strcmp(name, "invd"))
		asm volatile("invd");
	else if (!strcmp(name, "rdmsr"))
		asm volatile("rdmsr" : : "c"(0x3a) : "rax", "rdx");
	else if (!strcmp(name, "cr0"))
		asm volatile("mov %%cr0, %0" : "=r"(magic));
	else if (!strcmp(name, "ram"))
		ram((size_t)atoi(argv[2]) << 20);
	else
		return 2;
	puts("ok");
	return 0;
}
