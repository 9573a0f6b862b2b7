// SPDX-License-Identifier: GPL-2.0-only
/*
 * Registers of the CPU that a hostile kernel sets before it enters an enclave, and what it finds
 * in them afterwards. What it finds is said first, then how the thread was left.
 */
#include <linux/hw_breakpoint.h>
#include <linux/kdebug.h>
#include <linux/module.h>
#include <linux/perf_event.h>
#include <linux/string.h>
#include <asm/cpufeature.h>
#include <asm/ptrace.h>
#include "run.h"
#include "testmod.h"

#define USER_ADDRESSES (1UL << 47)

static u64 number, wanted, found, old;
static const struct run *last;

static int run_between(const u64 *arg, void (*before)(struct run *), void (*after)(struct run *))
{
	struct run *run = run_of(0, arg);

	run->before = before;
	run->after = after;
	last = run;
	return run_on_first(run);
}

static int say_found(int err)
{
	if (!err) {
		say("%#llx ", found);
		say_run(last);
	}
	return err;
}

/* ---- MSRs ---- */

static void msr_before(struct run *run)
{
	if (try_rdmsr(number, &old) != NO_FAULT || try_wrmsr(number, wanted) != NO_FAULT)
		old = ~wanted;
	try_rdmsr(number, &wanted); /* some bits may not have been taken */
}

static void msr_after(struct run *run)
{
	try_rdmsr(number, &found);
	found ^= wanted;
	try_wrmsr(number, old);
}

/* runmsr MSR VALUE DOMAIN|THREAD OP A B: what it took; the bits that have changed meanwhile */
static int do_runmsr(const struct args *a)
{
	int err;

	number = a->num[0];
	wanted = a->num[1];
	err = run_between(a->num + 2, msr_before, msr_after);
	if (!err)
		say("%#llx ", wanted);
	return say_found(err);
}

/* ---- CR4 ---- */

static void cr4_before(struct run *run)
{
	old = get_cr(4);
	set_cr(4, old ^ wanted);
	wanted = get_cr(4);
}

static void cr4_after(struct run *run)
{
	found = get_cr(4) ^ wanted;
	set_cr(4, old);
}

/* runcr4 BITS DOMAIN|THREAD OP A B: with these bits turned; those that have changed meanwhile */
static int do_runcr4(const struct args *a)
{
	wanted = a->num[0];
	return say_found(run_between(a->num + 1, cr4_before, cr4_after));
}

/* ---- XCR0 ---- */

#define ALL_ZMM(insn)                                                                        \
	".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27," \
	"28,29,30,31\n"                                                                      \
	insn "\n"                                                                            \
	".endr\n"

static void zmm_load(const struct registers *r)
{
	asm volatile(ALL_ZMM("vmovdqu64 64*\\n(%0), %%zmm\\n") : : "r"(r->vector) : "memory");
}

static void zmm_store(struct registers *r)
{
	asm volatile(ALL_ZMM("vmovdqu64 %%zmm\\n, 64*\\n(%0)") : : "r"(r->vector) : "memory");
}

static void xcr0_before(struct run *run)
{
	zmm_load(&run->r);
	old = read_xcr0();
	write_xcr(0, wanted);
}

static void xcr0_after(struct run *run)
{
	found = read_xcr0();
	write_xcr(0, old);
	zmm_store(&run->r);
}

/* runxcr0 VALUE DOMAIN|THREAD OP A B: what XCR0 is then; vectors of 64 bytes, all the same */
static int do_runxcr0(const struct args *a)
{
	struct run *run = run_of(0, a->num + 1);

	if (!boot_cpu_has(X86_FEATURE_AVX512F))
		return -EOPNOTSUPP;
	wanted = a->num[0];
	last = run;
	run->sse_only = 1;
	run->before = xcr0_before;
	run->after = xcr0_after;
	return say_found(run_on_first(run));
}

/* ---- x87, MXCSR ---- */

static u32 mxcsr, old_mxcsr;
static u16 fcw, old_fcw;

static void fpu_before(struct run *run)
{
	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(old_mxcsr), "=m"(old_fcw));
	asm volatile("ldmxcsr %0; fldcw %1" : : "m"(mxcsr), "m"(fcw));
}

static void fpu_after(struct run *run)
{
	u32 then;
	u16 word;

	asm volatile("stmxcsr %0; fnstcw %1" : "=m"(then), "=m"(word));
	found = (then ^ mxcsr) | (u64)(word ^ fcw) << 32;
	asm volatile("ldmxcsr %0; fldcw %1" : : "m"(old_mxcsr), "m"(old_fcw));
}

/* runfpu MXCSR FCW DOMAIN|THREAD OP A B: the bits that have changed meanwhile */
static int do_runfpu(const struct args *a)
{
	mxcsr = a->num[0];
	fcw = a->num[1];
	return say_found(run_between(a->num + 2, fpu_before, fpu_after));
}

/* ---- traps: single steps, and breakpoints by the kernel's own interface ---- */

struct debug_registers {
	unsigned long at[4], control;
};

static struct debug_registers before, behind;
static bool stepping;
static unsigned int steps, hits, inside;

static void note_trap(const struct pt_regs *regs)
{
	inside += regs->ip < USER_ADDRESSES;
}

static int on_debug(struct notifier_block *nb, unsigned long event, void *data)
{
	struct die_args *args = data;

	if (event != DIE_DEBUG || !stepping)
		return NOTIFY_DONE;
	steps++;
	note_trap(args->regs);
	return NOTIFY_STOP;
}

static struct notifier_block debug_nb = { .notifier_call = on_debug, .priority = 1000 };

static void on_breakpoint(struct perf_event *event, struct perf_sample_data *data,
			  struct pt_regs *regs)
{
	hits++;
	note_trap(regs);
}

static void trap_flag(bool on)
{
	unsigned long flags;

	asm volatile("pushf; pop %0" : "=r"(flags));
	flags = on ? flags | X86_EFLAGS_TF : flags & ~X86_EFLAGS_TF;
	asm volatile("push %0; popf" : : "r"(flags) : "cc", "memory");
}

static void registers_read(struct debug_registers *r)
{
	asm volatile("mov %%dr0, %0; mov %%dr1, %1; mov %%dr2, %2; mov %%dr3, %3; mov %%dr7, %4"
		     : "=r"(r->at[0]), "=r"(r->at[1]), "=r"(r->at[2]), "=r"(r->at[3]),
		       "=r"(r->control));
}

static void debug_before(struct run *run)
{
	registers_read(&before);
	if (stepping)
		trap_flag(true);
}

static void debug_after(struct run *run)
{
	trap_flag(false);
	registers_read(&behind);
}

static u64 plain_word;

/* What an enclave does that the kernel traps, but outside. */
static noinline __noclone void plain(void)
{
	READ_ONCE(plain_word);
}

static void plain_ipi(void *unused)
{
	debug_before(NULL);
	plain();
	debug_after(NULL);
}

static struct perf_event *__percpu *breakpoint(unsigned long at, u32 type)
{
	struct perf_event_attr attr;

	hw_breakpoint_init(&attr);
	attr.bp_addr = at;
	attr.bp_type = type;
	attr.bp_len = type == HW_BREAKPOINT_X ? sizeof(long) : HW_BREAKPOINT_LEN_8;
	return register_wide_hw_breakpoint(&attr, on_breakpoint, NULL);
}

/* IS_ERR() of such a pointer has other names in other kernels. */
static bool is_breakpoint(struct perf_event *__percpu *bp)
{
	return !IS_ERR_VALUE((unsigned long)bp);
}

static int run_traced(const struct args *a)
{
	return a->num[1] ? run_between(a->num + 1, debug_before, debug_after) :
			   run_on(0, plain_ipi, NULL);
}

static int run_stepped(const struct args *a)
{
	int err = register_die_notifier(&debug_nb);

	if (err)
		return err;
	stepping = true;
	err = run_traced(a);
	stepping = false;
	unregister_die_notifier(&debug_nb);
	return err;
}

static int run_broken(const struct args *a)
{
	unsigned long insn = a->num[1] ? a->num[5] : (unsigned long)plain;
	unsigned long word = a->num[1] ? a->num[6] : (unsigned long)&plain_word;
	struct perf_event *__percpu *execution = breakpoint(insn, HW_BREAKPOINT_X);
	struct perf_event *__percpu *data = breakpoint(word, HW_BREAKPOINT_RW);
	int err = -EIO;

	if (is_breakpoint(execution) && is_breakpoint(data))
		err = run_traced(a);
	if (is_breakpoint(execution))
		unregister_wide_hw_breakpoint(execution);
	if (is_breakpoint(data))
		unregister_wide_hw_breakpoint(data);
	return err;
}

/*
 * runtraced step|break DOMAIN|THREAD OP A B [INSTRUCTION WORD]: single steps, or a breakpoint on
 * execution and one on 8 bytes of data. Control: DOMAIN 0: a function of the kernel's, that reads a
 * word. "steps N hits N inside N changed 0", then how the thread was left
 */
static int do_runtraced(const struct args *a)
{
	bool step = !strcmp(a->word[0], "step");
	int err;

	steps = 0;
	hits = 0;
	inside = 0;
	err = step ? run_stepped(a) : run_broken(a);
	if (err)
		return err;
	say("steps %u hits %u inside %u changed %u ", steps, hits, inside,
	    !!memcmp(&before, &behind, sizeof(before)));
	if (a->num[1])
		say_run(last);
	return 0;
}

const struct command enclave_state_commands[] = {
	{ "runmsr", 6, do_runmsr },	{ "runcr4", 5, do_runcr4 }, { "runxcr0", 5, do_runxcr0 },
	{ "runfpu", 6, do_runfpu },	{ "runtraced", 5, do_runtraced },
	{}
};
