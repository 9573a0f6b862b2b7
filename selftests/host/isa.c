// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: isa ROUNDS
 *
 * What newer CPUs have for user mode, each in use across CPUID, which exits, and
 * sched_yield(), so that others run meanwhile. A line for each: "NAME: ok", "NAME: absent" where
 * the CPU or the kernel has it not, or what was wrong.
 */
#include <cpuid.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define PAGE 4096UL
#define OK NULL
#define ABSENT "absent"

#define LEAF7_ECX_UMIP (1u << 2)
#define LEAF7_ECX_OSPKE (1u << 4)
#define LEAF7_ECX_WAITPKG (1u << 5)
#define LEAF7_ECX_RDPID (1u << 22)
#define HWCAP2_FSGSBASE 2
#define UMIP_GDT_BASE 0xfffffffffffe0000UL /* what Linux makes SGDT answer */
#define ARCH_ENABLE_TAGGED_ADDR 0x4002
#define ARCH_SHSTK_ENABLE 0x5001
#define ARCH_SHSTK_SHSTK 1UL
#define SEGV_KEY 4	/* SEGV_PKUERR */
#define SEGV_CONTROL 10 /* SEGV_CPERR */

static unsigned long rounds;

static void between(void)
{
	unsigned int a, b, c, d;

	__cpuid(0, a, b, c, d);
	sched_yield();
}

static unsigned int leaf7_ecx(void)
{
	unsigned int a, b, c = 0, d;

	__get_cpuid_count(7, 0, &a, &b, &c, &d);
	return c;
}

/* ---- vector registers: XSAVE's components ---- */

struct vectors {
	uint64_t v[32][8];
	uint64_t k[8];
};

#define ALL16 "0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15"
#define ALL32 ALL16 ",16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31"
#define BETWEEN "xorl %%eax, %%eax; cpuid; movl $24, %%eax; syscall;" /* sched_yield */
#define CLOBBERED "rax", "rbx", "rcx", "rdx", "r11", "memory"

static void through_zmm(const struct vectors *in, struct vectors *out)
{
	asm volatile(".irp n," ALL32 "; vmovdqu64 64 * \\n(%0), %%zmm\\n; .endr;"
		     ".irp n,1,2,3,4,5,6,7; kmovq 2048 + 8 * \\n(%0), %%k\\n; .endr;" BETWEEN
		     ".irp n," ALL32 "; vmovdqu64 %%zmm\\n, 64 * \\n(%1); .endr;"
		     ".irp n,1,2,3,4,5,6,7; kmovq %%k\\n, 2048 + 8 * \\n(%1); .endr;"
		     "vzeroupper"
		     :
		     : "r"(in), "r"(out)
		     : CLOBBERED);
}

static void through_ymm(const struct vectors *in, struct vectors *out)
{
	asm volatile(".irp n," ALL16 "; vmovdqu 64 * \\n(%0), %%ymm\\n; .endr;" BETWEEN
		     ".irp n," ALL16 "; vmovdqu %%ymm\\n, 64 * \\n(%1); .endr;"
		     "vzeroupper"
		     :
		     : "r"(in), "r"(out)
		     : CLOBBERED);
}

static void fill(struct vectors *v)
{
	uint64_t *p = v->v[0];
	unsigned int i;

	for (i = 0; i < sizeof(*v) / 8; i++)
		p[i] = 0x9e3779b97f4a7c15UL * (i + 1 + (uint64_t)getpid());
}

static const char *avx512(void)
{
	struct vectors in, out;
	unsigned long i;

	if (!__builtin_cpu_supports("avx512bw"))
		return ABSENT;
	fill(&in);
	for (i = 0; i < rounds; i++) {
		memset(&out, 0, sizeof(out));
		out.k[0] = in.k[0];
		through_zmm(&in, &out);
		if (memcmp(&in, &out, sizeof(in)))
			return "registers have changed";
	}
	return OK;
}

static const char *avx(void)
{
	struct vectors in, out;
	unsigned long i, n;

	if (!__builtin_cpu_supports("avx"))
		return ABSENT;
	fill(&in);
	for (i = 0; i < rounds; i++) {
		memset(&out, 0, sizeof(out));
		through_ymm(&in, &out);
		for (n = 0; n < 16; n++)
			if (memcmp(in.v[n], out.v[n], 32))
				return "registers have changed";
	}
	return OK;
}

/* ---- what may fault: in a child, which ends with the code of its SIGSEGV ---- */

static void on_fault(int number, siginfo_t *info, void *context)
{
	(void)number;
	(void)context;
	_exit(info->si_code);
}

/* Ends with 100 if @fn could not begin; it does not return. */
static int in_child(void (*fn)(void *), void *arg)
{
	struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO};
	int status = 0;
	pid_t pid = fork();

	if (!pid) {
		sigaction(SIGSEGV, &action, NULL);
		fn(arg);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void store(void *page)
{
	*(volatile char *)page = 1;
	_exit(0);
}

static const char *pku(void)
{
	unsigned long i;
	char *page;
	int key;

	if (!(leaf7_ecx() & LEAF7_ECX_OSPKE))
		return ABSENT;
	key = pkey_alloc(0, 0);
	page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (key < 0 || pkey_mprotect(page, PAGE, PROT_READ | PROT_WRITE, key))
		return "no key";
	if (in_child(store, page))
		return "a store with the key's right faults";
	pkey_set(key, PKEY_DISABLE_WRITE);
	for (i = 0; i < rounds; i++) {
		between();
		if (pkey_get(key) != PKEY_DISABLE_WRITE)
			return "PKRU has changed";
	}
	return in_child(store, page) == SEGV_KEY ? OK : "a store without the right does not fault";
}

/* ---- user mode's own: shadow stack ---- */

static inline long raw_prctl(unsigned long code, unsigned long arg)
{
	long ret = SYS_arch_prctl;

	asm volatile("syscall" : "+a"(ret) : "D"(code), "S"(arg) : "rcx", "r11", "memory");
	return ret;
}

static void landed(void)
{
	_exit(0);
}

static void __attribute__((noinline)) returns(unsigned long n)
{
	while (n--)
		between();
	asm volatile("");
}

static void __attribute__((noinline)) returns_elsewhere(void)
{
	void **frame = __builtin_frame_address(0);

	between();
	*(void *volatile *)(frame + 1) = landed;
}

/* From where it is turned on there is no way back: these functions never return. */
static void shadowed(void *elsewhere)
{
	if (raw_prctl(ARCH_SHSTK_ENABLE, ARCH_SHSTK_SHSTK))
		_exit(100);
	returns(rounds);
	if (elsewhere)
		returns_elsewhere();
	_exit(0);
}

static const char *shstk(void)
{
	int status = in_child(shadowed, NULL);

	if (status == 100)
		return ABSENT;
	if (status)
		return "an honest return faults";
	return in_child(shadowed, "") == SEGV_CONTROL ? OK : "a forged return does not fault";
}

/* ---- others ---- */

static const char *fsgsbase(void)
{
	unsigned long i, base;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_FSGSBASE))
		return ABSENT;
	for (i = 0; i < rounds; i++) {
		asm volatile("wrgsbase %0" : : "r"(0x123456789000UL + i));
		between();
		asm volatile("rdgsbase %0" : "=r"(base));
		if (base != 0x123456789000UL + i)
			return "GS base has changed";
	}
	return OK;
}

static const char *umip(void)
{
	struct {
		uint16_t limit;
		uint64_t base;
	} __attribute__((packed)) gdt = {0, 0};

	if (!(leaf7_ecx() & LEAF7_ECX_UMIP))
		return ABSENT;
	asm volatile("sgdt %0" : "=m"(gdt));
	return gdt.base == UMIP_GDT_BASE ? OK : "SGDT tells where the GDT is";
}

static const char *la57(void)
{
	volatile unsigned long *p = mmap((void *)(1UL << 50), PAGE, PROT_READ | PROT_WRITE,
					 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	unsigned long i;

	if ((unsigned long)p != 1UL << 50)
		return ABSENT;
	for (i = 0; i < rounds; i++) {
		*p = i;
		between();
		if (*p != i)
			return "memory has changed";
	}
	return OK;
}

static const char *lam(void)
{
	static volatile int here;
	volatile int *tagged = (volatile int *)((unsigned long)&here | 0x2aUL << 57);

	if (raw_prctl(ARCH_ENABLE_TAGGED_ADDR, 6))
		return ABSENT;
	*tagged = 1;
	between();
	return *tagged == 1 && here == 1 ? OK : "a tagged address is another one";
}

static const char *waitpkg(void)
{
	unsigned long i;

	if (!(leaf7_ecx() & LEAF7_ECX_WAITPKG))
		return ABSENT;
	for (i = 0; i < rounds; i++)
		asm volatile("tpause %%ecx" : : "c"(1), "a"(0), "d"(0) : "cc");
	return OK;
}

static const char *rdpid(void)
{
	unsigned long i, id;

	if (!(leaf7_ecx() & LEAF7_ECX_RDPID))
		return ABSENT;
	for (i = 0; i < rounds; i++) {
		between();
		asm volatile("rdpid %0" : "=r"(id));
		if ((id & 0xfff) != (unsigned long)sched_getcpu())
			return "it names another CPU";
	}
	return OK;
}

static const struct {
	const char *name;
	const char *(*fn)(void);
} uses[] = {
	{"avx", avx},	  {"avx512", avx512},	  {"pku", pku},	  {"shstk", shstk},
	{"umip", umip},	  {"fsgsbase", fsgsbase}, {"la57", la57}, {"lam", lam},
	{"rdpid", rdpid}, {"waitpkg", waitpkg},
};

int main(int argc, char **argv)
{
	int wrong = 0;
	unsigned int i;

	rounds = argc > 1 ? strtoul(argv[1], NULL, 0) : 1;
	for (i = 0; i < sizeof(uses) / sizeof(uses[0]); i++) {
		const char *what = uses[i].fn();

		wrong |= what && strcmp(what, ABSENT);
		printf("%s: %s\n", uses[i].name, what ?: "ok");
		fflush(stdout);
	}
	return wrong;
}
