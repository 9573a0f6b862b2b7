// SPDX-License-Identifier: GPL-2.0-only
/* Enclaves entered by the kernel itself, and what it then has in its registers. */
#include <linux/linkage.h>
#include <linux/mm.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include <asm/special_insns.h>
#include "hypercall.h"
#include "enclave.h"
#include "run.h"
#include "testmod.h"
#include "vmx.h"

#define NR_SSE 16
#define GPR_MARK 0x1122334455660000ULL
#define ENTRY_TRIES 10000
#define MASK_ALL 15 /* CR8: no interrupt */

/* All of them as the structure says, VMCALL, and back; with 32 registers of 64 bytes if it can. */
asm(".pushsection .text\n"
	".globl enclave_vmcall\n"
	".type enclave_vmcall, @function\n"
	"enclave_vmcall:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	push %rsi; push %rdi\n"
	"	mov %rdi, %rax\n"
	"	test %rsi, %rsi\n"
	"	jz 1f\n"
	"	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	vmovdqu64 128+64*\\n(%rax), %zmm\\n\n"
	"	.endr\n"
	"	jmp 2f\n"
	"1:	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movups 128+64*\\n(%rax), %xmm\\n\n"
	"	.endr\n"
	"2:	mov 8(%rax), %rcx; mov 16(%rax), %rdx; mov 24(%rax), %rbx\n"
	"	mov 40(%rax), %rbp; mov 48(%rax), %rsi; mov 56(%rax), %rdi\n"
	"	mov 64(%rax), %r8; mov 72(%rax), %r9; mov 80(%rax), %r10; mov 88(%rax), %r11\n"
	"	mov 96(%rax), %r12; mov 104(%rax), %r13; mov 112(%rax), %r14\n"
	"	mov 120(%rax), %r15; mov (%rax), %rax\n"
	"	vmcall\n"
	"	xchg %rax, (%rsp)\n"
	"	mov %rcx, 8(%rax); mov %rdx, 16(%rax); mov %rbx, 24(%rax)\n"
	"	mov %rbp, 40(%rax); mov %rsi, 48(%rax); mov %rdi, 56(%rax)\n"
	"	mov %r8, 64(%rax); mov %r9, 72(%rax); mov %r10, 80(%rax); mov %r11, 88(%rax)\n"
	"	mov %r12, 96(%rax); mov %r13, 104(%rax); mov %r14, 112(%rax)\n"
	"	mov %r15, 120(%rax)\n"
	"	pop (%rax)\n"
	"	pop %rsi\n"
	"	test %rsi, %rsi\n"
	"	jz 1f\n"
	"	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31\n"
	"	vmovdqu64 %zmm\\n, 128+64*\\n(%rax)\n"
	"	.endr\n"
	"	jmp 2f\n"
	"1:	.irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15\n"
	"	movups %xmm\\n, 128+64*\\n(%rax)\n"
	"	.endr\n"
	"2:	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	" ASM_RET "\n"
	".size enclave_vmcall, . - enclave_vmcall\n"
	".popsection");

static void fill(struct run *run)
{
	unsigned int i;

	for (i = 0; i < NR_GPRS; i++)
		run->r.gpr[i] = GPR_MARK + i;
	run->r.gpr[RAX] = MON_HYPERCALL | MON_HC_ENCLAVE_RUN;
	run->r.gpr[RDI] = run->arg[0];
	run->r.gpr[RSI] = run->arg[1];
	run->r.gpr[RDX] = run->arg[2];
	run->r.gpr[R10] = run->arg[3];
	memset(run->r.vector, VECTOR_MARK, sizeof(run->r.vector));
}

static void compare(struct run *run, bool avx512)
{
	static const u8 zeros[] = { RCX, RDI, R8, R9, R10, R11 };
	static const u8 kept[] = { RBX, RBP, R12, 13, 14, 15 };
	unsigned int i, bytes = avx512 ? VECTOR_BYTES : 16;

	for (i = 0; i < ARRAY_SIZE(zeros); i++)
		if (run->r.gpr[zeros[i]])
			run->zeros |= 1 << zeros[i];
	for (i = 0; i < ARRAY_SIZE(kept); i++)
		if (run->r.gpr[kept[i]] != GPR_MARK + kept[i])
			run->kept |= 1 << kept[i];
	for (i = 0; i < (avx512 ? NR_VECTOR_REGISTERS : NR_SSE); i++)
		if (memchr_inv(run->r.vector[i], VECTOR_MARK, bytes))
			run->vectors |= 1ULL << i;
}

/* What the APIC has asserted already comes though CR8 is raised (SDM 10.9): it is taken first. */
static unsigned long mask_all(void)
{
	unsigned long before;

	asm volatile("mov %%cr8, %0; sti; nop; mov %1, %%cr8; cli"
		     : "=&r"(before)
		     : "r"((unsigned long)MASK_ALL)
		     : "memory");
	return before;
}

/* Interrupts are off; the enclave is left when one comes, if they are not masked. */
void run_here(struct run *run)
{
	bool avx512 = boot_cpu_has(X86_FEATURE_AVX512F);
	unsigned long before = 0;

	fill(run);
	kernel_fpu_begin();
	if (run->masked)
		before = mask_all();
	if (run->before)
		run->before(run);
	enclave_vmcall(&run->r, avx512 && !run->sse_only);
	if (run->after)
		run->after(run);
	if (run->masked)
		asm volatile("mov %0, %%cr8" : : "r"(before) : "memory");
	kernel_fpu_end();
	compare(run, avx512);
}

/* "EXIT VALUE VALUE", and what is in registers that should not be */
void say_run(const struct run *run)
{
	const struct registers *r = &run->r;

	if ((s64)r->gpr[RAX] < 0)
		say("%lld\n", (s64)r->gpr[RAX]);
	else if (run->zeros || run->kept || run->vectors)
		say("%lld: not zero %#llx, not kept %#llx, vectors %#llx\n", r->gpr[RAX],
		    run->zeros, run->kept, run->vectors);
	else
		say("%lld %#llx %#llx\n", r->gpr[RAX], r->gpr[RSI], r->gpr[RDX]);
}

static struct run runs[2];

struct run *run_of(unsigned int n, const u64 *arg)
{
	memset(&runs[n], 0, sizeof(runs[n]));
	memcpy(runs[n].arg, arg, sizeof(runs[n].arg));
	return &runs[n];
}

static void run_ipi(void *arg)
{
	run_here(arg);
}

int run_on_first(struct run *run)
{
	run->masked = 1;
	return run_on(0, run_ipi, run);
}

/* run CPU DOMAIN|THREAD OP A B [masked] */
static int do_run(const struct args *a)
{
	struct run *run = run_of(0, a->num + 1);
	int err;

	run->masked = a->nr > 5;
	err = run_on(a->num[0], run_ipi, run);
	if (!err)
		say_run(run);
	return err;
}

/* ---- two CPUs ---- */

static s64 hypercall4(u64 number, const u64 *arg)
{
	u64 ax = MON_HYPERCALL | number, a = arg[0], b = arg[1], c = arg[2];

	register u64 r10 asm("r10") = arg[3];

	asm volatile("vmcall" : "+a"(ax), "+D"(a), "+S"(b), "+d"(c), "+r"(r10) : : "rcx", "r8",
		     "r9", "r11", "memory");
	return (s64)ax;
}

static s64 hypercall(u64 number, u64 a, u64 b)
{
	u64 ax = MON_HYPERCALL | number;

	asm volatile("vmcall" : "+a"(ax), "+D"(a), "+S"(b) : : "rcx", "rdx", "r8", "r9", "r10",
		     "r11", "memory");
	return (s64)ax;
}

/* What the other CPU does while the first is in the enclave, masked; @deed ends that. */
struct other {
	struct run *run;
	void (*deed)(struct other *other);
	const u64 *call;
	u64 word, rounds, again;
	u64 entries;
	s64 last;
};

static u64 entries_of(u64 domain)
{
	const struct mon_enclave_status *s = (const void *)vmx_page(PAGE_SPARE);

	return hypercall(MON_HC_ENCLAVE_STATUS, (u32)domain, vmx_page_pa(PAGE_SPARE)) ? 0 :
		s->entries;
}

static void pair_here(void *arg, atomic_t *ready)
{
	struct other *o = arg;
	unsigned int i;

	meet(ready);
	if (!o->deed) {
		run_here(o->run);
		return;
	}
	for (i = 0; i < ENTRY_TRIES && entries_of(o->run->arg[0]) == o->entries; i++)
		cpu_relax();
	for (i = 0; i < 1000; i++)
		cpu_relax();
	o->deed(o);
}

static int pair(const struct args *a, struct other *second)
{
	struct other first = { .run = run_of(0, a->num) };

	first.run->masked = 1;
	second->run = first.run;
	second->entries = entries_of(a->num[0]);
	return run_both(pair_here, &first, second);
}

static void destroy_deed(struct other *o)
{
	for (; o->rounds; o->rounds--) {
		o->last = hypercall(MON_HC_ENCLAVE_DESTROY, (u32)o->run->arg[0], 0);
		o->again += o->last == -MON_EAGAIN;
	}
	WRITE_ONCE(*(u64 *)__va(o->word), 1);
}

/*
 * rundestroy DOMAIN|THREAD OP A B ADDRESS N: N times while it runs; then 1 is stored there, for
 * the enclave to end; how often it was "again"
 */
static int do_rundestroy(const struct args *a)
{
	struct other second = { .deed = destroy_deed, .word = a->num[4], .rounds = a->num[5] };
	int err = pair(a, &second);

	if (!err) {
		say("%llu ", second.again);
		say_run(&runs[0]);
	}
	return err;
}

static void call_deed(struct other *o)
{
	o->last = hypercall4(o->call[0], o->call + 1);
	WRITE_ONCE(*(u64 *)__va(o->word), 1);
}

/*
 * runcall DOMAIN|THREAD OP A B ADDRESS CALL [A B C D]: a hypercall by the other CPU while it runs,
 * and what is answered; then as rundestroy
 */
static int do_runcall(const struct args *a)
{
	struct other second = { .deed = call_deed, .word = a->num[4], .call = a->num + 5 };
	int err = pair(a, &second);

	if (!err) {
		say("%lld ", second.last);
		say_run(&runs[0]);
	}
	return err;
}

static void nmi_deed(struct other *o)
{
	nmi_to_first();
}

/* runnmi DOMAIN|THREAD OP A B: an NMI, and nothing else, comes while it runs */
static int do_runnmi(const struct args *a)
{
	struct other second = { .deed = nmi_deed };
	u64 before;
	int err = nmi_ready(&before);

	if (err)
		return err;
	err = pair(a, &second);
	if (!err) {
		say("%llu ", nmi_done() - before);
		say_run(&runs[0]);
	}
	return err;
}

static void run_too(struct other *o)
{
	run_here(&runs[1]);
	WRITE_ONCE(*(u64 *)__va(o->word), 1);
}

/* runtwice DOMAIN|THREAD OP A B ADDRESS: the same by the other CPU; then 1 is stored there */
static int do_runtwice(const struct args *a)
{
	struct other second = { .deed = run_too, .word = a->num[4] };
	int err;

	run_of(1, a->num);
	err = pair(a, &second);
	if (!err) {
		say("%lld ", (s64)runs[1].r.gpr[RAX]);
		say_run(&runs[0]);
	}
	return err;
}

static struct run in_nmi;

static void nmirun_deed(void)
{
	in_nmi.r.gpr[RAX] = hypercall(MON_HC_ENCLAVE_RUN, in_nmi.arg[0], in_nmi.arg[1]);
}

/* nmirun DOMAIN|THREAD OP: by the handler of an NMI; what it is told */
static int do_nmirun(const struct args *a)
{
	u64 before;
	int err;

	in_nmi = (struct run){ .arg = { a->num[0], a->num[1] } };
	err = nmi_ready(&before);
	if (err)
		return err;
	err = nmi_do(nmirun_deed);
	nmi_done();
	if (!err)
		say("%lld\n", (s64)in_nmi.r.gpr[RAX]);
	return err;
}

const struct command enclave_commands[] = {
	{ "run", 5, do_run }, { "rundestroy", 6, do_rundestroy }, { "runnmi", 4, do_runnmi },
	{ "runtwice", 5, do_runtwice }, { "runcall", 6, do_runcall }, { "nmirun", 2, do_nmirun },
	{}
};
