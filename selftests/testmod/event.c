// SPDX-License-Identifier: GPL-2.0-only
/*
 * NMIs and IPIs at a CPU that is doing something, most of it in the monitor.
 * Interrupt messages are written to the APIC by hand.
 */
#include <linux/delay.h>
#include <linux/io.h>
#include <linux/kvm_host.h>
#include <linux/kthread.h>
#include <linux/panic.h>
#include <linux/percpu.h>
#include <linux/reboot.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <linux/string.h>
#include <asm/asm.h>
#include <asm/nmi.h>
#include "hypercall.h"
#include "testmod.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_X2 (1 << 10)
#define APIC_BASE_PA 0xfee00000
#define MSR_X2_ICR 0x830
#define ICR_LOW 0x300
#define ICR_HIGH 0x310
#define ICR_PENDING (1 << 12)
#define ICR_NMI (4 << 8 | 1 << 14)
#define ICR_INIT (5 << 8 | 1 << 14)
#define ICR_STARTUP (6 << 8 | 1 << 14)

static DEFINE_PER_CPU(u64, nmis);
static DEFINE_PER_CPU(u32, answer_to); /* pingpong: APIC identifier of the other CPU */
static void __iomem *apic_page;
static bool counting, pingpong;
static void (*last_deed)(void); /* of the next NMI's handler */

/*
 * Ticks from an NMI to its answer. Without, the next is there before the handler
 * is left, and neither CPU gets anywhere.
 */
#define ANSWER_AFTER 20000

static u64 nmis_of(unsigned int cpu)
{
	return READ_ONCE(*per_cpu_ptr(&nmis, cpu));
}

static void note_apic_id(void *id)
{
	u32 a = 1, b, c = 0, d;

	asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	*(u32 *)id = b >> 24;
}

static void send_ipi(u32 apic_id, u32 icr)
{
	unsigned long flags;
	u32 lo, hi, before;

	local_irq_save(flags);
	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(MSR_APIC_BASE));
	if (lo & APIC_BASE_X2) {
		asm volatile("wrmsr" : : "a"(icr), "d"(apic_id), "c"(MSR_X2_ICR) : "memory");
	} else {
		while (readl(apic_page + ICR_LOW) & ICR_PENDING)
			cpu_relax();
		/* in an NMI this may be in between the kernel's own two writes */
		before = readl(apic_page + ICR_HIGH);
		writel(apic_id << 24, apic_page + ICR_HIGH);
		writel(icr, apic_page + ICR_LOW);
		writel(before, apic_page + ICR_HIGH);
	}
	local_irq_restore(flags);
}

static void send_nmi(u32 apic_id)
{
	send_ipi(apic_id, ICR_NMI);
}

static int on_nmi(unsigned int type, struct pt_regs *regs)
{
	if (READ_ONCE(last_deed))
		last_deed();
	if (!READ_ONCE(counting))
		return NMI_DONE;
	this_cpu_inc(nmis);
	if (READ_ONCE(pingpong)) {
		u64 start = rdtsc();

		while (rdtsc() - start < ANSWER_AFTER)
			cpu_relax();
		send_nmi(this_cpu_read(answer_to));
	}
	return NMI_HANDLED;
}

/* ---- what the target does meanwhile ---- */

struct work {
	const char *what;
	u64 address;
	u64 rounds;
};

static void work_once(const struct work *w)
{
	u64 ax, bx = 0, cx = 0, dx = 0;
	int fault;

	if (!strcmp(w->what, "cpuid")) {
		ax = 0;
		asm volatile("cpuid" : "+a"(ax), "+b"(bx), "+c"(cx), "+d"(dx));
	} else if (!strcmp(w->what, "sticpuid")) {
		/* the exit is in the shadow of STI */
		ax = 0;
		asm volatile("cli; sti; cpuid" : "+a"(ax), "+b"(bx), "+c"(cx), "+d"(dx));
	} else if (!strcmp(w->what, "sscpuid")) {
		ax = 0;
		asm volatile("mov %%ss, %%ecx; mov %%ecx, %%ss; cpuid"
			     : "+a"(ax), "+b"(bx), "+c"(cx), "+d"(dx));
	} else if (!strcmp(w->what, "vmcall")) {
		ax = MON_HYPERCALL | MON_HC_PING;
		TRY(fault, ax, "vmcall", "+c"(cx) : "D"(0), "S"(0), "d"(0));
	} else if (!strcmp(w->what, "msr")) {
		asm volatile("rdmsr" : "=a"(ax), "=d"(dx) : "c"(0x3a));
	} else if (!strcmp(w->what, "load")) {
		(void)READ_ONCE(*(u64 *)__va(w->address));
	} else if (!strcmp(w->what, "store")) {
		WRITE_ONCE(*(u64 *)__va(w->address), 1);
	} else if (!strcmp(w->what, "sleep")) {
		usleep_range(100, 200);
	} else {
		cpu_relax();
	}
}

static int work_thread(void *arg)
{
	struct work *w = arg;

	while (!kthread_should_stop()) {
		work_once(w);
		WRITE_ONCE(w->rounds, w->rounds + 1);
		cond_resched();
	}
	return 0;
}

static struct task_struct *work_start(struct work *w, unsigned int cpu)
{
	struct task_struct *task;

	if (cpu >= nr_cpu_ids || !cpu_online(cpu))
		return ERR_PTR(-EINVAL);
	task = kthread_create(work_thread, w, "testmod/%u", cpu);
	if (!IS_ERR(task)) {
		kthread_bind(task, cpu);
		wake_up_process(task);
	}
	return task;
}

/* Some while, never twice the same, so that the NMI meets every instruction. */
static void wait_a_bit(unsigned int i)
{
	unsigned int n;

	for (n = 0; n < i * 7 % 211; n++)
		asm volatile("nop");
}

#define ARRIVAL_LOOPS 10000000

static bool arrived(unsigned int cpu, u64 count)
{
	unsigned int i;

	for (i = 0; i < ARRIVAL_LOOPS; i++) {
		if (nmis_of(cpu) >= count)
			return true;
		cpu_relax();
	}
	return false;
}

/*
 * nmi CPU COUNT WORK [ADDRESS]: so many NMIs, each when the one before has
 * come; "sent 100 got 100 late 0 rounds 12345"
 * burst CPU COUNT WORK [ADDRESS]: without waiting; some may become one
 */
static int send_nmis(const struct args *a, bool wait)
{
	struct work w = { .what = a->word[2], .address = a->num[3] };
	unsigned int cpu = a->num[0], i, late = 0;
	struct task_struct *task;
	u64 before;
	u32 id;
	int err;

	err = run_on(a->num[0], note_apic_id, &id);
	if (err)
		return err;
	task = work_start(&w, cpu);
	if (IS_ERR(task))
		return PTR_ERR(task);
	while (READ_ONCE(w.rounds) < 3)
		usleep_range(100, 200);
	before = nmis_of(cpu);
	WRITE_ONCE(counting, true);
	for (i = 0; i < a->num[1]; i++) {
		wait_a_bit(i);
		send_nmi(id);
		if (wait && !arrived(cpu, before + i + 1))
			late++;
		if (raw_smp_processor_id() == cpu || i % 64 == 0)
			cond_resched();
	}
	msleep(5);
	WRITE_ONCE(counting, false);
	kthread_stop(task);
	say("sent %llu got %llu late %u rounds %llu\n", a->num[1], nmis_of(cpu) - before, late,
	    w.rounds);
	return 0;
}

static int do_nmi(const struct args *a)
{
	return send_nmis(a, true);
}

static int do_burst(const struct args *a)
{
	return send_nmis(a, false);
}

/*
 * pingpong 1: an NMI goes to and fro between CPUs 0 and 1 from now on, sent by
 * the handler of the one before: it does not stop for stop_machine(), and if one
 * is lost, it ends. pingpong 0: no more. Both say how many there were.
 */
static int do_pingpong(const struct args *a)
{
	u32 id[2];
	int err;

	if (a->num[0] && !pingpong) {
		err = run_on(0, note_apic_id, &id[0]);
		if (!err)
			err = run_on(1, note_apic_id, &id[1]);
		if (err)
			return err;
		*per_cpu_ptr(&answer_to, 0) = id[1];
		*per_cpu_ptr(&answer_to, 1) = id[0];
		WRITE_ONCE(counting, true);
		WRITE_ONCE(pingpong, true);
		send_nmi(id[1]);
	} else if (!a->num[0]) {
		WRITE_ONCE(pingpong, false);
		msleep(5);
		WRITE_ONCE(counting, false);
	}
	say("%llu\n", nmis_of(0) + nmis_of(1));
	return 0;
}

/* nmis: how many there were, on all CPUs */
static int do_nmis(const struct args *a)
{
	unsigned int cpu;
	u64 sum = 0;

	for_each_online_cpu(cpu)
		sum += nmis_of(cpu);
	say("%llu\n", sum);
	return 0;
}

/* ---- one NMI at CPU 0, for others ---- */

static u32 first_id;

int nmi_ready(u64 *count)
{
	int err = run_on(0, note_apic_id, &first_id);

	*count = nmis_of(0);
	WRITE_ONCE(counting, true);
	return err;
}

void nmi_to_first(void)
{
	send_nmi(first_id);
}

static void to_first(void *unused)
{
	nmi_to_first();
}

int nmi_do(void (*deed)(void))
{
	u64 before = nmis_of(0);
	int err;

	WRITE_ONCE(last_deed, deed);
	err = run_on(1, to_first, NULL);
	if (!err && !arrived(0, before + 1))
		err = -ETIME;
	WRITE_ONCE(last_deed, NULL);
	return err;
}

u64 nmi_done(void)
{
	WRITE_ONCE(counting, false);
	return nmis_of(0);
}

/* ---- the end, in an NMI ---- */

static void panic_here(void)
{
	panic("testmod");
}

static int end_in_nmi(u64 cpu, void (*deed)(void))
{
	u32 id;
	int err = run_on(cpu, note_apic_id, &id);

	if (err)
		return err;
	WRITE_ONCE(last_deed, deed);
	send_nmi(id);
	return 0;
}

/* nmipanic CPU, nmireset CPU: an NMI there, whose handler does it; what runs is what it meets */
static int do_nmipanic(const struct args *a)
{
	return end_in_nmi(a->num[0], panic_here);
}

static int do_nmireset(const struct args *a)
{
	return end_in_nmi(a->num[0], emergency_restart);
}

/* ---- CPUs that the kernel loses, and does not know it ---- */

static u32 lost_id;

/* Registers that an INIT resets, and no kernel on the way there uses. */
static void leave_traces(void *id)
{
	u64 trace = 0x123450;

	note_apic_id(id);
	asm volatile("mov %0, %%dr0; mov %0, %%dr1; mov %0, %%dr2; mov %0, %%dr3; mov %0, %%cr2"
		     : : "r"(trace));
	asm volatile("mov %0, %%dr6" : : "r"(0xffff0ff1UL));
}

/* Longer than KVM takes to get in or out of a guest; longer than it stays out of one */
#define INSIDE_FOR 20000
#define INSIDE_WITHIN 100000000

static void note_vcpu(void *to)
{
	typeof(kvm_get_running_vcpu) *running = symbol_get(kvm_get_running_vcpu);

	*(struct kvm_vcpu **)to = running ? running() : NULL;
	if (running)
		symbol_put(kvm_get_running_vcpu);
}

/* The CPU is in a guest, and was for a while. */
static int await_inside(const struct kvm_vcpu *vcpu, u64 begin)
{
	u64 since = rdtsc();

	while (rdtsc() - since < INSIDE_FOR) {
		if (READ_ONCE(vcpu->mode) != IN_GUEST_MODE)
			since = rdtsc();
		if (rdtsc() - begin > INSIDE_WITHIN)
			return -ETIME;
		cpu_relax();
	}
	return 0;
}

/*
 * With interrupts off. A guest that is inside for long comes out for a tick of the host's: the
 * next one is far then.
 */
static int await_guest(const struct kvm_vcpu *vcpu)
{
	u64 begin = rdtsc();
	int err = await_inside(vcpu, begin);

	while (!err && READ_ONCE(vcpu->mode) == IN_GUEST_MODE) {
		if (rdtsc() - begin > INSIDE_WITHIN)
			return -ETIME;
		cpu_relax();
	}
	return err ?: await_inside(vcpu, begin);
}

static int init_in_guest(u64 cpu)
{
	struct kvm_vcpu *vcpu;
	unsigned long flags;
	int err = run_on(cpu, note_vcpu, &vcpu);

	if (err || !vcpu)
		return err ?: -ENXIO;
	local_irq_save(flags);
	err = await_guest(vcpu);
	if (!err)
		send_ipi(lost_id, ICR_INIT);
	local_irq_restore(flags);
	return err;
}

/* init CPU [WORK]: an INIT at a CPU that does that, or is in a guest; the last that it does */
static int do_init(const struct args *a)
{
	static struct work w;
	struct task_struct *task;
	int err;

	err = run_on(a->num[0], leave_traces, &lost_id);
	if (err || a->nr == 1)
		return err ?: init_in_guest(a->num[0]);
	w.what = kstrdup(a->word[1], GFP_KERNEL);
	task = w.what ? work_start(&w, a->num[0]) : ERR_PTR(-ENOMEM);
	if (IS_ERR(task))
		return PTR_ERR(task);
	while (READ_ONCE(w.rounds) < 3)
		cond_resched();
	send_ipi(lost_id, ICR_INIT);
	return 0;
}

#define CHANGES 1000

/* With interrupts off: an enclave that counts there is running just now. */
static int await_count(const u64 *word)
{
	u64 begin = rdtsc(), was = READ_ONCE(*word), n = 0;

	while (n < CHANGES) {
		n += READ_ONCE(*word) != was;
		was = READ_ONCE(*word);
		if (rdtsc() - begin > INSIDE_WITHIN)
			return -ETIME;
	}
	return 0;
}

/* initat CPU ADDRESS: an INIT at a CPU while the word there changes; the last that it does */
static int do_initat(const struct args *a)
{
	unsigned long flags;
	int err = run_on(a->num[0], leave_traces, &lost_id);

	if (err)
		return err;
	local_irq_save(flags);
	err = await_count(__va(a->num[1]));
	if (!err)
		send_ipi(lost_id, ICR_INIT);
	local_irq_restore(flags);
	return err;
}

/* A page below 1 MiB that no kernel uses: they leave all of it to the firmware. */
#define STARTUP_VECTOR 8

#define STARTUP_FOUND 0x100 /* in that page: what it found in its registers */

asm(".pushsection .rodata\n"
	".globl startup_code, startup_end\n"
	"startup_code:\n"
	"	.code16\n"
	"	movw %cs, %ax\n"
	"	movw %ax, %ds\n"
	"	movl %edx, 0x100\n"
	"	movl %cr2, %eax; movl %eax, 0x104\n"
	"	movl %dr0, %eax; movl %eax, 0x108\n"
	"	movl %dr1, %eax; movl %eax, 0x10c\n"
	"	movl %dr2, %eax; movl %eax, 0x110\n"
	"	movl %dr3, %eax; movl %eax, 0x114\n"
	"	movl %dr6, %eax; movl %eax, 0x118\n"
	"1:	xorl %eax, %eax\n"
	"	cpuid\n"
	"	jmp 1b\n"
	"	.code64\n"
	"startup_end:\n"
	".popsection");

/* startup: a SIPI at that CPU, which has it execute CPUID for ever */
static int do_startup(const struct args *a)
{
	memcpy(__va(STARTUP_VECTOR << PAGE_SHIFT), startup_code, startup_end - startup_code);
	send_ipi(lost_id, ICR_STARTUP | STARTUP_VECTOR);
	return 0;
}

/* cpuid_eax() is not in the same header of all kernels. */
static u32 cpu_signature(void)
{
	u32 eax = 1;

	asm volatile("cpuid" : "+a"(eax) : : "ebx", "ecx", "edx");
	return eax;
}

/* found: what that CPU found in EDX, less its signature; CR2, DR0 to DR3, DR6 */
static int do_found(const struct args *a)
{
	const u32 *r = __va((STARTUP_VECTOR << PAGE_SHIFT) + STARTUP_FOUND);

	say("%#x %#x %#x %#x %#x %#x %#x\n", r[0] - cpu_signature(), r[1], r[2], r[3], r[4], r[5],
	    r[6]);
	return 0;
}

static void count_ipi(void *count)
{
	++*(u64 *)count;
}

/* ipi CPU COUNT WORK [ADDRESS]: function calls by IPI */
static int do_ipi(const struct args *a)
{
	struct work w = { .what = a->word[2], .address = a->num[3] };
	struct task_struct *task;
	u64 i, got = 0;
	int err = 0;

	task = work_start(&w, a->num[0]);
	if (IS_ERR(task))
		return PTR_ERR(task);
	/* else all might have been sent before it has begun */
	while (READ_ONCE(w.rounds) < 3)
		cond_resched();
	for (i = 0; !err && i < a->num[1]; i++) {
		wait_a_bit(i);
		err = run_on(a->num[0], count_ipi, &got);
		cond_resched();
	}
	kthread_stop(task);
	say("sent %llu got %llu rounds %llu\n", a->num[1], got, w.rounds);
	return err;
}

/* ---- two CPUs at once, interrupts off ---- */

struct duel {
	u64 to, from;
	atomic_t *ready;
	unsigned int rounds;
	bool done;
};

static void duel_here(void *arg)
{
	struct duel *d = arg;
	unsigned int i;

	atomic_inc(d->ready);
	while (atomic_read(d->ready) < 2)
		cpu_relax();
	for (i = 0; i < d->rounds; i++) {
		void *to = __va(d->to), *from = __va(d->from);

		asm volatile("movsb" : "+D"(to), "+S"(from) : : "memory");
	}
	WRITE_ONCE(d->done, true);
}

/* duel ROUNDS A B: one CPU copies a byte from A to B, the other from B to A */
static int do_duel(const struct args *a)
{
	atomic_t ready = ATOMIC_INIT(0);
	struct duel d[2] = { { a->num[1], a->num[2], &ready, a->num[0], false },
			     { a->num[2], a->num[1], &ready, a->num[0], false } };
	call_single_data_t csd;
	unsigned long flags;
	unsigned int other;
	unsigned int i;

	if (num_online_cpus() < 2)
		return -EINVAL;
	preempt_disable();
	other = cpumask_any_but(cpu_online_mask, smp_processor_id());
	INIT_CSD(&csd, duel_here, &d[1]);
	smp_call_function_single_async(other, &csd);
	local_irq_save(flags);
	duel_here(&d[0]);
	local_irq_restore(flags);
	preempt_enable();
	for (i = 0; i < 1000 && !READ_ONCE(d[1].done); i++)
		msleep(1);
	say("%s\n", d[0].done && d[1].done ? "done" : "stuck");
	return 0;
}

const struct command event_commands[] = {
	{ "nmi", 3, do_nmi },	{ "burst", 3, do_burst }, { "pingpong", 1, do_pingpong },
	{ "nmis", 0, do_nmis }, { "ipi", 3, do_ipi },	  { "duel", 3, do_duel },
	{ "init", 1, do_init },	{ "initat", 2, do_initat }, { "startup", 0, do_startup },
	{ "found", 0, do_found },
	{ "nmipanic", 1, do_nmipanic }, { "nmireset", 1, do_nmireset },
	{}
};

int event_init(void)
{
	int err;

	apic_page = ioremap(APIC_BASE_PA, PAGE_SIZE);
	if (!apic_page)
		return -ENOMEM;
	err = register_nmi_handler(NMI_LOCAL, on_nmi, 0, "testmod");
	if (err)
		iounmap(apic_page);
	return err;
}

void event_exit(void)
{
	WRITE_ONCE(pingpong, false);
	msleep(5);
	unregister_nmi_handler(NMI_LOCAL, "testmod");
	iounmap(apic_page);
}
