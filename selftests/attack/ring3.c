// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX instructions in user mode, in 64-bit code and in that of 32 bits (CS.L = 0): says of
 * each which signal ends it. RAX is what a hypercall of the kernel's has there.
 */
#define _GNU_SOURCE
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>
#include "../../uapi/hypercall.h"

#define USER32_CS 0x23

/* Memory operands: (RDX), (EDX) */
static const struct {
	const char *name;
	unsigned char code[6];
} insns[] = {
	{ "nop", { 0x90 } },
	{ "vmcall", { 0x0f, 0x01, 0xc1 } },
	{ "vmlaunch", { 0x0f, 0x01, 0xc2 } },
	{ "vmresume", { 0x0f, 0x01, 0xc3 } },
	{ "vmxoff", { 0x0f, 0x01, 0xc4 } },
	{ "vmfunc", { 0x0f, 0x01, 0xd4 } },
	{ "vmxon", { 0xf3, 0x0f, 0xc7, 0x32 } },
	{ "vmclear", { 0x66, 0x0f, 0xc7, 0x32 } },
	{ "vmptrld", { 0x0f, 0xc7, 0x32 } },
	{ "vmptrst", { 0x0f, 0xc7, 0x3a } },
	{ "vmread", { 0x0f, 0x78, 0xc8 } },
	{ "vmwrite", { 0x0f, 0x79, 0xc8 } },
	{ "invept", { 0x66, 0x0f, 0x38, 0x80, 0x0a } },
	{ "invvpid", { 0x66, 0x0f, 0x38, 0x81, 0x0a } },
	{ "getsec", { 0x0f, 0x37 } },
};

/* Code, and the operand's page behind it; then an exit with status 0, as 32-bit code, too. */
static unsigned char *place(const unsigned char *code)
{
	static const unsigned char exit_0[] = {
		0xb8, 1, 0, 0, 0, /* mov $1, %eax */
		0x31, 0xdb,	  /* xor %ebx, %ebx */
		0xcd, 0x80,	  /* int $0x80 */
	};
	unsigned char *at = mmap(NULL, 8192, PROT_READ | PROT_WRITE | PROT_EXEC,
				 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	unsigned int n;

	memset(at, 0x90, 16);
	for (n = 0; n < 6 && code[n]; n++)
		at[n] = code[n];
	memcpy(at + 16, exit_0, sizeof(exit_0));
	return at;
}

static void run(const unsigned char *code, int compat)
{
	unsigned char *at = place(code);
	struct {
		unsigned int offset;
		unsigned short cs;
	} __attribute__((packed)) to = { (unsigned int)(unsigned long)at, USER32_CS };

	if (compat)
		asm volatile("ljmp *%0" : : "m"(to), "a"(MON_HYPERCALL), "c"(1UL),
			     "d"(at + 4096), "D"(0UL), "S"(0UL));
	else
		asm volatile("jmp *%0" : : "r"(at), "a"(MON_HYPERCALL), "c"(1UL),
			     "d"(at + 4096), "D"(0UL), "S"(0UL));
}

int main(void)
{
	unsigned int i;
	int compat, status;

	for (compat = 0; compat < 2; compat++)
		for (i = 0; i < sizeof(insns) / sizeof(insns[0]); i++) {
			pid_t pid = fork();

			if (!pid) {
				run(insns[i].code, compat);
				_exit(1);
			}
			waitpid(pid, &status, 0);
			printf("%s%s: %s\n", insns[i].name, compat ? " in 32-bit code" : "",
			       WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : "goes on");
		}
	return 0;
}
