// SPDX-License-Identifier: GPL-2.0-only
/* Instructions that exit, or might: on a given CPU, with interrupts off. */
#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/smp.h>
#include <asm/asm.h>
#include <asm/desc.h>
#include <asm/special_insns.h>
#include "hypercall.h"
#include "testmod.h"

/* What run_on() takes along; which fields are used depends. */
struct request {
	u64 in[6];
	u64 out[4];
	int fault;
};

static int request(const struct args *a, unsigned int from, void (*fn)(void *), struct request *r)
{
	unsigned int i;

	for (i = from; i < a->nr && i - from < ARRAY_SIZE(r->in); i++)
		r->in[i - from] = a->num[i];
	return run_on(a->num[0], fn, r);
}

static void answer_value(const struct request *r)
{
	if (r->fault != NO_FAULT)
		say_fault(r->fault);
	else
		say("0x%llx\n", r->out[0]);
}

/* ---- CPUID ---- */

static void cpuid_count_raw(u32 leaf, u32 sub, u32 *v)
{
	asm volatile("cpuid"
		     : "=a"(v[0]), "=b"(v[1]), "=c"(v[2]), "=d"(v[3])
		     : "a"(leaf), "c"(sub));
}

struct cpuid_dump {
	struct {
		u32 leaf, sub, v[4];
	} *entry;
	unsigned int nr;
};

#define CPUID_ENTRIES 512

static void cpuid_range(struct cpuid_dump *d, u32 first, u32 last)
{
	u32 leaf, sub, subs;

	for (leaf = first; leaf - first <= last - first; leaf++) {
		subs = leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd || leaf == 0x14 ||
		       leaf == 0x12 || leaf == 0x1f ? 20 : 1;
		for (sub = 0; sub < subs && d->nr < CPUID_ENTRIES; sub++, d->nr++) {
			d->entry[d->nr].leaf = leaf;
			d->entry[d->nr].sub = sub;
			cpuid_count_raw(leaf, sub, d->entry[d->nr].v);
		}
	}
}

static void cpuid_all(void *arg)
{
	struct cpuid_dump *d = arg;
	u32 v[4];

	cpuid_count_raw(0, 0, v);
	cpuid_range(d, 0, v[0] + 2);
	cpuid_range(d, 0x40000000, 0x40000002);
	cpuid_count_raw(0x80000000, 0, v);
	cpuid_range(d, 0x80000000, v[0] + 1);
	cpuid_range(d, 0xc0000000, 0xc0000001);
	cpuid_range(d, 0xfffffffe, 0xffffffff);
}

/* cpuids CPU: all leaves, and some beyond */
static int do_cpuids(const struct args *a)
{
	struct cpuid_dump d = {};
	unsigned int i;
	int err;

	d.entry = kcalloc(CPUID_ENTRIES, sizeof(*d.entry), GFP_KERNEL);
	if (!d.entry)
		return -ENOMEM;
	err = run_on(a->num[0], cpuid_all, &d);
	for (i = 0; i < d.nr; i++)
		say("%08x %02x: %08x %08x %08x %08x\n", d.entry[i].leaf, d.entry[i].sub,
		    d.entry[i].v[0], d.entry[i].v[1], d.entry[i].v[2], d.entry[i].v[3]);
	kfree(d.entry);
	return err;
}

/* ---- MSRs ---- */

int try_rdmsr(u32 msr, u64 *value)
{
	u64 ax = 0, dx = 0;
	int fault;

	TRY(fault, ax, "rdmsr", "+d"(dx) : "c"(msr));
	*value = (u32)ax | dx << 32;
	return fault;
}

int try_wrmsr(u32 msr, u64 value)
{
	u64 ax = (u32)value, dx = value >> 32;
	int fault;

	TRY(fault, ax, "wrmsr", "+d"(dx) : "c"(msr));
	return fault;
}

static void rdmsr_here(void *arg)
{
	struct request *r = arg;

	r->fault = try_rdmsr(r->in[0], &r->out[0]);
}

static void wrmsr_here(void *arg)
{
	struct request *r = arg;

	r->fault = try_wrmsr(r->in[0], r->in[1]);
	try_rdmsr(r->in[0], &r->out[0]);
}

/* rdmsr CPU MSR */
static int do_rdmsr(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, rdmsr_here, &r);

	if (!err)
		answer_value(&r);
	return err;
}

/* wrmsr CPU MSR VALUE: what can be read from it then */
static int do_wrmsr(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, wrmsr_here, &r);

	if (!err)
		answer_value(&r);
	return err;
}

/* What counts, and so is never twice the same. */
static bool changes(u32 msr)
{
	switch (msr) {
	case 0x10: /* TSC */
	case 0x34: /* SMI count */
	case 0xe7: /* MPERF, APERF */
	case 0xe8:
	case 0x6e0: /* TSC deadline */
	case 0x800 ... 0x8ff: /* x2APIC: timer, ICR, in-service */
	case 0x19c: /* thermal status */
		return true;
	}
	return false;
}

struct msr_dump {
	struct {
		u32 msr;
		int fault;
		u64 value;
	} *entry;
	unsigned int nr;
	u32 first, count;
};

/* Runs with interrupts off: a part at a time. */
static void msrs_here(void *arg)
{
	struct msr_dump *d = arg;
	u32 i;

	d->nr = 0;
	for (i = 0; i < d->count; i++) {
		u32 msr = d->first + i;

		if (changes(msr))
			continue;
		d->entry[d->nr].msr = msr;
		d->entry[d->nr].fault = try_rdmsr(msr, &d->entry[d->nr].value);
		if (d->entry[d->nr].fault != NO_FAULT || d->entry[d->nr].value)
			d->nr++;
	}
}

#define MSR_PART 1024

/* msrs CPU FIRST COUNT: all that fault or are not 0 */
static int do_msrs(const struct args *a)
{
	struct msr_dump d = {};
	u64 done;
	unsigned int i;
	int err = 0;

	d.entry = kcalloc(MSR_PART, sizeof(*d.entry), GFP_KERNEL);
	if (!d.entry)
		return -ENOMEM;
	for (done = 0; !err && done < a->num[2]; done += d.count) {
		d.first = a->num[1] + done;
		d.count = min_t(u64, a->num[2] - done, MSR_PART);
		err = run_on(a->num[0], msrs_here, &d);
		for (i = 0; i < d.nr; i++) {
			say("%08x: ", d.entry[i].msr);
			if (d.entry[i].fault != NO_FAULT)
				say_fault(d.entry[i].fault);
			else
				say("0x%llx\n", d.entry[i].value);
		}
	}
	kfree(d.entry);
	return err;
}

/* ---- XSETBV ---- */

u64 read_xcr0(void)
{
	u32 lo, hi;

	asm volatile("xgetbv" : "=a"(lo), "=d"(hi) : "c"(0));
	return lo | (u64)hi << 32;
}

int write_xcr(u32 index, u64 value)
{
	u64 ax = (u32)value, dx = value >> 32;
	int fault;

	TRY(fault, ax, "xsetbv", "+d"(dx) : "c"(index));
	return fault;
}

static void xsetbv_here(void *arg)
{
	struct request *r = arg;
	u64 old = read_xcr0();

	r->fault = write_xcr(r->in[0], r->in[1]);
	r->out[0] = read_xcr0();
	write_xcr(0, old);
}

/* xsetbv CPU INDEX VALUE: XCR0 after it; then as it was */
static int do_xsetbv(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, xsetbv_here, &r);

	if (!err)
		answer_value(&r);
	return err;
}

/* ---- control registers: behind the back of the kernel's own accessors ---- */

u64 get_cr(unsigned int cr)
{
	u64 v;

	switch (cr) {
	case 0:
		asm volatile("mov %%cr0, %0" : "=r"(v));
		break;
	case 3:
		asm volatile("mov %%cr3, %0" : "=r"(v));
		break;
	default:
		asm volatile("mov %%cr4, %0" : "=r"(v));
	}
	return v;
}

int set_cr(unsigned int cr, u64 v)
{
	u64 ax = 0;
	int fault;

	if (cr == 0)
		TRY(fault, ax, "mov %[v], %%cr0", [v] "+r"(v) : "m"(ax));
	else
		TRY(fault, ax, "mov %[v], %%cr4", [v] "+r"(v) : "m"(ax));
	return fault;
}

/* in: which register, what to turn, whether it stays; out: what has turned */
static void cr_here(void *arg)
{
	struct request *r = arg;
	u64 old = get_cr(r->in[0]);

	r->fault = set_cr(r->in[0], old ^ r->in[1]);
	r->out[0] = get_cr(r->in[0]) ^ old;
	if (!r->in[2] && set_cr(r->in[0], old) != NO_FAULT) {
		/* PCIDE can only be set while the PCID is 0 */
		u64 cr3 = get_cr(3);

		asm volatile("mov %0, %%cr3" : : "r"(cr3 & ~0xfffULL) : "memory");
		set_cr(r->in[0], old);
		asm volatile("mov %0, %%cr3" : : "r"(cr3) : "memory");
	}
}

/* cr CPU 0|4 BITS [STAY]: turn these bits; which have turned; then as it was */
static int do_cr(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, cr_here, &r);

	if (!err)
		answer_value(&r);
	return err;
}

static void crread_here(void *arg)
{
	struct request *r = arg;

	r->out[0] = get_cr(r->in[0]);
	r->fault = NO_FAULT;
}

/* crread CPU 0|4 */
static int do_crread(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, crread_here, &r);

	if (!err)
		answer_value(&r);
	return err;
}

/* LMSW and CLTS reach CR0 by another way. */
static void lmsw_here(void *arg)
{
	struct request *r = arg;
	u64 old = get_cr(0), ax = 0, v = old ^ r->in[0];
	u64 msw;

	TRY(r->fault, ax, "lmsw %w[v]", [v] "+r"(v) : "m"(ax));
	r->out[0] = get_cr(0) ^ old;
	asm volatile("smsw %0" : "=r"(msw));
	r->out[1] = (u16)(msw ^ get_cr(0));
	set_cr(0, old);
}

/* lmsw CPU BITS: which have turned, and SMSW against CR0 */
static int do_lmsw(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, lmsw_here, &r);

	if (!err && r.fault == NO_FAULT)
		say("0x%llx 0x%llx\n", r.out[0], r.out[1]);
	else if (!err)
		say_fault(r.fault);
	return err;
}

/* ---- hypercalls ---- */

static void vmcall_here(void *arg)
{
	struct request *q = arg;
	u64 ax = q->in[0], bx = 0x1111, di = q->in[1], si = q->in[2], dx = q->in[3], cx = 0;
	bool enclave = q->in[0] == (MON_HYPERCALL | MON_HC_ENCLAVE_RUN);

	register u64 r8 asm("r8") = 0;
	register u64 r9 asm("r9") = 0;
	register u64 r10 asm("r10") = q->in[4];
	register u64 r11 asm("r11") = 0;

	TRY(q->fault, ax, "vmcall", "+b"(bx), "+D"(di), "+r"(r10), "+S"(si), "+d"(dx), "+c"(cx),
	    "+r"(r8), "+r"(r9), "+r"(r11) :);
	q->out[0] = ax;
	if (q->fault == NO_FAULT && !enclave &&
	    (bx != 0x1111 || di != q->in[1] || r10 != q->in[4] || si != q->in[2] ||
	     dx != q->in[3] || cx || r8 || r9 || r11))
		q->out[0] = 0xbadbadbad;
}

/* vmcall CPU RAX [RDI RSI RDX R10]: RAX after it, as a signed number */
static int do_vmcall(const struct args *a)
{
	struct request r = {};
	int err = request(a, 1, vmcall_here, &r);

	if (err)
		return err;
	if (r.fault != NO_FAULT)
		say_fault(r.fault);
	else
		say("%lld\n", (s64)r.out[0]);
	return 0;
}

/* ---- instructions without operands ---- */

static const char *insn_name;

static void insn_here(void *arg)
{
	struct request *r = arg;
	u64 ax = 0, cx = 0;

#define INSN(name, text)                                                          \
	do {                                                                      \
		if (!strcmp(insn_name, name)) {                                   \
			ax = 0;                                                   \
			cx = 0;                                                   \
			TRY(r->fault, ax, text, "+c"(cx) : "b"(0), "d"(0));       \
			return;                                                   \
		}                                                                 \
	} while (0)
	INSN("invd", "invd");
	INSN("wbinvd", "wbinvd");
	INSN("getsec", "getsec");
	INSN("vmxoff", "vmxoff");
	INSN("vmlaunch", "vmlaunch");
	INSN("vmresume", "vmresume");
	INSN("vmfunc", "vmfunc");
	INSN("vmread", "vmread %%rax, %%rcx");
	INSN("rsm", "rsm");
	INSN("rdtscp", "rdtscp");
	INSN("pause", "pause");
	INSN("clts", "clts");
	INSN("rdrand", "rdrand %%rcx");
	INSN("rdpmc", "rdpmc");
#undef INSN
	r->fault = -2;
}

/* insn CPU NAME: "ok" or the fault */
static int do_insn(const struct args *a)
{
	struct request r = {};
	int err;

	insn_name = a->word[1];
	err = run_on(a->num[0], insn_here, &r);
	if (err)
		return err;
	if (r.fault == -2)
		return -ENOENT;
	if (r.fault == NO_FAULT)
		say("ok\n");
	else
		say_fault(r.fault);
	return 0;
}

/* triplefault: no IDT, then an exception */
static int do_triple(const struct args *a)
{
	struct desc_ptr none = {};

	local_irq_disable();
	asm volatile("lidt %0\n\tint3" : : "m"(none));
	return 0;
}

const struct command cpu_commands[] = {
	{ "cpuids", 1, do_cpuids }, { "rdmsr", 2, do_rdmsr },	{ "wrmsr", 3, do_wrmsr },
	{ "msrs", 3, do_msrs },	    { "xsetbv", 3, do_xsetbv }, { "cr", 3, do_cr },
	{ "crread", 2, do_crread }, { "lmsw", 2, do_lmsw },	{ "vmcall", 2, do_vmcall },
	{ "insn", 2, do_insn },	    { "triplefault", 0, do_triple }, {}
};
