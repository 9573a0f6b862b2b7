// SPDX-License-Identifier: GPL-2.0-only
#include "../../uapi/enclave.h"
#include "puppet.h"

typedef unsigned long u64;

u64 canary(u64 rounds);
void secret(volatile u64 *until, u64 word);
void insn(u64 number);
u64 keep(void);
u64 leave(u64 how, u64 word);

static u64 recover[PUPPET_THREADS]; /* where to go on behind an exception; 0: nowhere */
static struct caught {
	u64 vector, error_code, address;
} caught[PUPPET_THREADS];

static u64 monitor3(u64 number, u64 a, u64 b, u64 c)
{
	u64 rax = MON_HYPERCALL | number;

	asm volatile("vmcall" : "+a"(rax), "+D"(a), "+S"(b), "+d"(c) : : "rcx", "r8", "r9", "r10",
		     "r11", "memory");
	return rax;
}

static u64 monitor(u64 number, u64 a, u64 b)
{
	return monitor3(number, a, b, 0);
}

static u64 ocalls(u64 nr)
{
	u64 i, last = 0;

	for (i = 0; i < nr; i++)
		last = monitor(MON_EC_OCALL, i, last);
	return last;
}

static u64 call(volatile struct puppet_args *args, u64 thread)
{
	u64 at = PUPPET_HEAP + (PUPPET_HEAP_PAGES - 1 - thread) * 4096, i, answer;
	unsigned char *copy = (unsigned char *)at;

	for (i = 0; i < sizeof(args->bytes); i++)
		copy[i] = args->bytes[i];
	answer = monitor(args->a[0], (u64)copy, 0);
	for (i = 0; i < sizeof(args->bytes); i++)
		args->bytes[i] = copy[i];
	return answer;
}

static u64 touch(u64 at, u64 pages)
{
	u64 sum = 0;

	for (; pages; pages--, at += 4096) {
		sum += *(volatile u64 *)at;
		*(volatile u64 *)at = 1;
	}
	return sum;
}

static u64 spin(volatile u64 *until)
{
	u64 rounds = 0;

	while (!*until)
		rounds++;
	return rounds;
}

static void hide(volatile u64 *until, u64 word)
{
	volatile u64 *page = (u64 *)PUPPET_HEAP;
	u64 i;

	for (i = 0; i < PUPPET_WORDS; i++)
		page[i] = word;
	until[2] = 1;
	secret(until, word);
}

static u64 count(u64 word)
{
	const volatile u64 *page = (u64 *)PUPPET_HEAP;
	u64 i, n = 0;

	for (i = 0; i < PUPPET_WORDS; i++)
		n += page[i] == word;
	return n;
}

static __attribute__((noinline)) u64 recurse(u64 depth)
{
	volatile u64 kib[128];

	kib[depth % 128] = depth;
	return depth ? recurse(depth - 1) + kib[depth % 128] : 0;
}

/* The exception takes it behind the label, with the registers that a call preserves. */
static u64 catch(u64 which, u64 at, volatile struct puppet_args *args, u64 thread)
{
	caught[thread] = (struct caught){ ~0UL, 0, 0 };
	asm volatile("leaq 1f(%%rip), %%rax\n"
		     "	movq %%rax, %[recover]\n"
		     "	movq %%rsp, %%rbx\n"
		     "	cmpq $-1, %[which]\n"
		     "	jne 2f\n"
		     "	movq (%[at]), %%rax\n"
		     "	jmp 1f\n"
		     "2:	cmpq $-2, %[which]\n"
		     "	jne 2f\n"
		     "	movq %[at], (%[at])\n"
		     "	jmp 1f\n"
		     "2:	cmpq $-3, %[which]\n"
		     "	jne 2f\n"
		     "	call *%[at]\n"
		     "	jmp 1f\n"
		     "2:	cmpq $-4, %[which]\n"
		     "	jne 3f\n"
		     "2:	incq (%[at])\n"
		     "	incq %[count]\n"
		     "	jmp 2b\n"
		     "3:	movq %[which], %%rdi\n"
		     "	call insn\n"
		     "1:	movq %%rbx, %%rsp\n"
		     : [recover] "=m"(recover[thread]), [count] "+m"(args->a[2])
		     : [which] "r"(which), [at] "r"(at)
		     : "rax", "rbx", "rcx", "rdx", "rdi", "rsi", "r8", "r9", "r10", "r11",
		       "memory", "cc");
	recover[thread] = 0;
	args->a[4] = caught[thread].error_code;
	args->a[5] = caught[thread].address;
	return caught[thread].vector;
}

/* An exception that nobody waits for comes again in here, and ends the thread. */
void puppet_fault(struct mon_enclave_fault *f)
{
	u64 thread = (f->gpr[4] - PUPPET_STACKS) / PUPPET_STACK_SIZE;

	if (thread >= PUPPET_THREADS || !recover[thread]) {
		if (f->vector == 14)
			*(volatile u64 *)f->address;
		asm volatile("ud2");
	}
	caught[thread] = (struct caught){ f->vector, f->error_code, f->address };
	f->rip = recover[thread];
}

static u64 selectors(void)
{
	u64 ds, es, fs, gs;

	asm volatile("mov %%ds, %0; mov %%es, %1; mov %%fs, %2; mov %%gs, %3"
		     : "=r"(ds), "=r"(es), "=r"(fs), "=r"(gs));
	asm volatile("mov %0, %%ds; mov %0, %%es; mov %0, %%fs; mov %0, %%gs" : : "r"(3));
	return ds | es | fs | gs;
}

static u64 take(const volatile u64 *at, u64 perm)
{
	u64 refused = monitor3(MON_EC_PROTECT, (u64)at, 1, perm), found = *at, i;

	for (i = 0; i < 20000 && !refused; i++)
		refused = *at ^ found;
	return refused ? ~0UL : found;
}

static u64 watch(const volatile u64 *at, volatile struct puppet_args *args)
{
	while (!args->a[1]) {
		*at;
		args->a[2]++;
	}
	return *at;
}

static u64 renew(volatile u64 *at, u64 value, volatile struct puppet_args *args)
{
	u64 refused = monitor(MON_EC_TRIM, (u64)at, 1);

	*at = value;
	((volatile struct puppet_args *)((u64)args + 4096))->a[1] = 1;
	return refused;
}

#define RFLAGS_STATUS 0x8d5UL
#define MXCSR_INITIAL 0x1f80
#define FCW_INITIAL 0x37f

/* RDTSC is one of what a host could have made an exception. */
static u64 state(u64 thread)
{
	static u64 first_xcr0;
	u64 fs, gs, flags, ymm;
	unsigned int mxcsr, lo, hi;
	unsigned short fcw;
	u64 xcr0;

	asm volatile("pushf; pop %0" : "=r"(flags));
	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(mxcsr), "=m"(fcw));
	asm volatile("rdfsbase %0; rdgsbase %1" : "=r"(fs), "=r"(gs));
	asm volatile("rdtsc" : "=a"(lo), "=d"(hi));
	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	xcr0 = lo | (u64)hi << 32;
	asm volatile("vextractf128 $1, %%ymm0, %%xmm1; vmovq %%xmm1, %0" : "=r"(ymm) : : "xmm1");
	if (!first_xcr0)
		first_xcr0 = xcr0;
	return (mxcsr != MXCSR_INITIAL ? STATE_MXCSR : 0) | (fcw != FCW_INITIAL ? STATE_FCW : 0) |
	       (xcr0 != first_xcr0 ? STATE_XCR0 : 0) | (gs ? STATE_GS_BASE : 0) |
	       (fs != PUPPET_STACKS + (thread + 1) * PUPPET_STACK_SIZE - 4096 ? STATE_FS_BASE : 0) |
	       ((flags & ~RFLAGS_STATUS) != 2 ? STATE_RFLAGS : 0) | (ymm ? STATE_YMM : 0);
}

static u64 copy(volatile struct puppet_args *args)
{
	u64 own[8], i;

	for (i = 0; i < 8; i++)
		own[i] = args->a[i];
	for (i = 0; i < 8; i++)
		((volatile u64 *)args->bytes)[i] = ~own[i];
	return 0;
}

u64 puppet(u64 order, volatile struct puppet_args *args, u64 thread, u64 found)
{
	switch (order) {
	case ORDER_ADD:
		return args->a[0] + args->a[1];
	case ORDER_READ:
		return *(volatile u64 *)args->a[0];
	case ORDER_WRITE:
		*(volatile u64 *)args->a[0] = args->a[1];
		return 0;
	case ORDER_JUMP:
		((void (*)(void))args->a[0])();
		return 0;
	case ORDER_OCALLS:
		return ocalls(args->a[0]);
	case ORDER_CANARY:
		return canary(args->a[0]);
	case ORDER_INSN:
		insn(args->a[0]);
		return 0;
	case ORDER_MONITOR:
		return call(args, thread);
	case ORDER_TOUCH:
		return touch(args->a[0], args->a[1]);
	case ORDER_TRIM:
		return monitor(MON_EC_TRIM, args->a[0], args->a[1]);
	case ORDER_SPIN:
		return spin(&args->a[0]);
	case ORDER_SECRET:
		hide(&args->a[0], PUPPET_SECRET);
		return 0;
	case ORDER_RECURSE:
		return recurse(args->a[0]);
	case ORDER_CATCH:
		return catch(args->a[0], args->a[1], args, thread);
	case ORDER_INITIAL:
		return found;
	case ORDER_RAW:
		return monitor(args->a[0], args->a[1], args->a[2]);
	case ORDER_SELECTORS:
		return selectors();
	case ORDER_COPY:
		return copy(args);
	case ORDER_PROTECT:
		return monitor3(MON_EC_PROTECT, args->a[0], args->a[1], args->a[2]);
	case ORDER_TAKE:
		return take((u64 *)args->a[0], args->a[2]);
	case ORDER_WATCH:
		return watch((u64 *)args->a[0], args);
	case ORDER_RENEW:
		return renew((u64 *)args->a[0], args->a[2], args);
	case ORDER_STATE:
		return state(thread);
	case ORDER_KEEP:
		return keep();
	case ORDER_HIDE:
		hide(&args->a[0], ~args->a[1]);
		return 0;
	case ORDER_COUNT:
		return count(~args->a[1]);
	case ORDER_LEAVE:
		return leave(args->a[0], ~args->a[1]);
	}
	return ~0UL;
}
