// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: keep N
 *
 * In the guest: fills 4 MiB with secret N, says so, and from then on holds it
 * in registers, too: R12 to R15 and XMM12 to XMM15.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include "secret.h"

#define SIZE (4UL << 20)

int main(int argc, char **argv)
{
	unsigned long long n = argc > 1 ? strtoull(argv[1], NULL, 0) : 0, *words;
	unsigned long i;

	words = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (words == MAP_FAILED)
		return 1;
	for (i = 0; i < SIZE / sizeof(*words); i++)
		words[i] = ~secret_inverted(n, i % SECRET_WORDS);
	puts("KEPT");
	fflush(stdout);
	asm volatile("movq 0(%0), %%r12\n"
		     "movq 8(%0), %%r13\n"
		     "movq 16(%0), %%r14\n"
		     "movq 24(%0), %%r15\n"
		     "movq %%r12, %%xmm12\n"
		     "movq %%r13, %%xmm13\n"
		     "movq %%r14, %%xmm14\n"
		     "movq %%r15, %%xmm15\n"
		     "1: jmp 1b\n"
		     :
		     : "r"(words)
		     : "r12", "r13", "r14", "r15", "xmm12", "xmm13", "xmm14", "xmm15", "memory");
	return 0;
}
