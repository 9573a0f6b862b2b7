// SPDX-License-Identifier: GPL-2.0-only
/*
 * VMX instructions one by one. What comes out is text that says nothing of
 * where things lie, so that two runs can be compared line by line.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/sched.h>
#include <linux/string.h>
#include <linux/vmalloc.h>
#include <asm/asm.h>
#include <asm/tlbflush.h>
#include "testmod.h"
#include "vmx.h"

#define MSR_VMX_BASIC 0x480

static struct page *block;
static u8 *operand_pages; /* two for each of two CPUs, not beside each other in physical memory */

u8 *vmx_page(unsigned int nr)
{
	return (u8 *)page_address(block) + nr * PAGE_SIZE;
}

u64 vmx_page_pa(unsigned int nr)
{
	return page_to_phys(block) + nr * PAGE_SIZE;
}

int vmx_number(const char *word, u64 *value)
{
	char name[24], *plus;
	u64 offset = 0;
	unsigned int nr;

	if (*word != 'p')
		return kstrtou64(word, 0, value);
	if (strscpy(name, word + 1, sizeof(name)) < 0)
		return -EINVAL;
	plus = strchr(name, '+');
	if (plus) {
		*plus = 0;
		if (kstrtou64(plus + 1, 0, &offset))
			return -EINVAL;
	}
	if (kstrtouint(name, 10, &nr) || nr >= 1u << PAGE_ORDER)
		return -EINVAL;
	*value = vmx_page_pa(nr) + offset;
	return 0;
}

/* ---- the instructions ---- */

/* Operands cross from one page to another. */
static u64 *operand(u64 first, u64 second)
{
	u64 value[2] = { first, second };

	return memcpy(operand_pages + (raw_smp_processor_id() & 1) * 2 * PAGE_SIZE + PAGE_SIZE - 4,
		      value, sizeof(value));
}

int vmx_read(u64 field, u64 *value)
{
	u64 v = ~0ULL;
	int outcome;

	VMX_INSN(outcome, "vmread %[f], %[v]", [v] "+r"(v) : [f] "r"(field));
	*value = v;
	return outcome;
}

int vmx_write(u64 field, u64 value)
{
	int outcome;

	VMX_INSN(outcome, "vmwrite %[v], %[f]", "+m"(*operand_pages) : [v] "r"(value),
		 [f] "r"(field));
	return outcome;
}

#define WITH_MEMORY(outcome, insn, at) VMX_INSN(outcome, insn " (%[m])", "+m"(*(at)) : [m] "r"(at))

static int pointer_at(const char *what, u64 *at)
{
	int outcome = VMX_OK;

	if (!strcmp(what, "vmxon"))
		WITH_MEMORY(outcome, "vmxon", at);
	else if (!strcmp(what, "vmclear"))
		WITH_MEMORY(outcome, "vmclear", at);
	else if (!strcmp(what, "vmptrld"))
		WITH_MEMORY(outcome, "vmptrld", at);
	else
		WITH_MEMORY(outcome, "vmptrst", at);
	return outcome;
}

int vmx_pointer(const char *what, u64 pa)
{
	return pointer_at(what, operand(pa, 0));
}

const char *vmx_outcome(char *buf, size_t size, int outcome, u64 error)
{
	if (outcome >= VMX_FAULT)
		snprintf(buf, size, "fault %d", outcome - VMX_FAULT);
	else if (outcome == VMX_FAIL)
		snprintf(buf, size, "fail %llu", error);
	else
		snprintf(buf, size, "%s", outcome == VMX_INVALID ? "invalid" : "ok");
	return buf;
}

/* ---- commands: vmx CPU WHAT [OPERAND [OPERAND]] ---- */

struct vmx_request {
	const char *what;
	u64 in[3];
	u64 out, error;
	int outcome;
	bool has_value;
};

static void region(unsigned int nr, u32 flip)
{
	u64 basic = native_read_msr(MSR_VMX_BASIC);

	memset(vmx_page(nr), 0, PAGE_SIZE);
	*(u32 *)vmx_page(nr) = ((u32)basic & 0x7fffffff) ^ flip;
}

/*
 * Behind the kernel's back, for 7.x lets only KVM change CR4 with its own
 * functions. Nothing that these tests do makes it write its shadow.
 */
static void set_vmxe(u64 on)
{
	u64 cr4;

	asm volatile("mov %%cr4, %0" : "=r"(cr4));
	cr4 = on ? cr4 | X86_CR4_VMXE : cr4 & ~(u64)X86_CR4_VMXE;
	asm volatile("mov %0, %%cr4" : : "r"(cr4) : "memory");
}

/* The forms of a memory operand that the others do not use. */
static int vmptrst_form(u64 form, u64 *value)
{
	static u64 here[4];
	u64 *base = here - 3;
	int outcome = VMX_OK;

	memset(here, 0xee, sizeof(here));
	if (form == 0)
		VMX_INSN(outcome, "vmptrst 8(%[b],%[i],8)",
			 "+m"(here) : [b] "r"(base), [i] "r"(2L));
	else if (form == 1)
		VMX_INSN(outcome, "vmptrst %[m]", [m] "+m"(here[0]) : "i"(0));
	else
		VMX_INSN(outcome, "vmptrst %%ds:-8(,%[i],1)", "+m"(here) : [i] "r"(&here[1]));
	*value = here[0];
	return outcome;
}

static void two_words(struct vmx_request *r, bool ept)
{
	u64 *at = operand(r->in[1], r->in[2]);

	if (ept)
		VMX_INSN(r->outcome, "invept (%[m]), %[t]", "+m"(*at) : [m] "r"(at),
			 [t] "r"(r->in[0]));
	else
		VMX_INSN(r->outcome, "invvpid (%[m]), %[t]", "+m"(*at) : [m] "r"(at),
			 [t] "r"(r->in[0]));
}

/* An entry that works is none of these: the guest of the VMCS has no state. */
static void entry(struct vmx_request *r)
{
	u16 ss;

	if (!strcmp(r->what, "vmlaunch")) {
		VMX_INSN(r->outcome, "vmlaunch", "+m"(*operand_pages) : "i"(0));
	} else if (!strcmp(r->what, "vmresume")) {
		VMX_INSN(r->outcome, "vmresume", "+m"(*operand_pages) : "i"(0));
	} else {
		asm volatile("mov %%ss, %0" : "=r"(ss));
		VMX_INSN(r->outcome,
			 "mov %[ss], %%ss\n"
			 "3:	vmlaunch\n" _ASM_EXTABLE_FAULT(3b, 2f),
			 "+m"(*operand_pages) : [ss] "r"(ss));
	}
}

static bool other_insn(struct vmx_request *r)
{
	if (!strcmp(r->what, "vmxoff"))
		VMX_INSN(r->outcome, "vmxoff", "+m"(*operand_pages) : "i"(0));
	else if (!strcmp(r->what, "vmcall"))
		VMX_INSN(r->outcome, "vmcall", "+m"(*operand_pages) : "i"(0));
	else if (!strcmp(r->what, "invept"))
		two_words(r, true);
	else if (!strcmp(r->what, "invvpid"))
		two_words(r, false);
	else if (!strcmp(r->what, "vmlaunch") || !strcmp(r->what, "vmresume") ||
		 !strcmp(r->what, "sslaunch"))
		entry(r);
	else
		return false;
	return true;
}

/* What does not exist is an "ok" without value. */
static void vmx_here(void *arg)
{
	struct vmx_request *r = arg;

	r->has_value = false;
	if (!strcmp(r->what, "vmxe")) {
		set_vmxe(r->in[0]);
	} else if (!strcmp(r->what, "region")) {
		region(r->in[0], r->in[1]);
	} else if (!strcmp(r->what, "poke")) { /* page, offset, value */
		*(u64 *)(vmx_page(r->in[0]) + r->in[1]) = r->in[2];
	} else if (!strcmp(r->what, "vmread")) {
		r->outcome = vmx_read(r->in[0], &r->out);
		r->has_value = r->outcome == VMX_OK;
	} else if (!strcmp(r->what, "vmwrite")) {
		r->outcome = vmx_write(r->in[0], r->in[1]);
	} else if (!strcmp(r->what, "vmptrst")) {
		r->outcome = vmptrst_form(r->in[0], &r->out);
		r->has_value = true;
	} else if (!strncmp(r->what, "at-", 3)) {
		r->outcome = pointer_at(r->what + 3, (u64 *)(uintptr_t)r->in[0]);
	} else if (!other_insn(r)) {
		r->outcome = vmx_pointer(r->what, r->in[0]);
	}
	if (r->outcome == VMX_FAIL)
		vmx_read(F_INSN_ERROR, &r->error);
}

/* A pointer to a page is said by the page's number. */
static void say_value(u64 value)
{
	u64 first = vmx_page_pa(0);

	if (value >= first && value - first < PAGE_SIZE << PAGE_ORDER)
		say(" p%llu", (value - first) / PAGE_SIZE);
	else
		say(" %#llx", value);
}

static int do_vmx(const struct args *a)
{
	struct vmx_request r = { .what = a->word[1] };
	char buf[24];
	unsigned int i;
	int err;

	for (i = 0; i < 3 && i + 2 < a->nr; i++) {
		err = vmx_number(a->word[i + 2], &r.in[i]);
		if (err)
			return err;
	}
	err = run_on(a->num[0], vmx_here, &r);
	if (err)
		return err;
	say("%s", vmx_outcome(buf, sizeof(buf), r.outcome, r.error));
	if (r.has_value)
		say_value(r.out);
	say("\n");
	return 0;
}

/* ---- all fields ---- */

#define FIELDS_AT_ONCE 128
#define PATTERN 0x5aa5c33c69961ee1ULL

struct field_result {
	int read, write;
	u64 read_error, write_error, ones, pattern;
};

struct fields {
	u64 first;
	struct field_result field[FIELDS_AT_ONCE];
};

static void one_field(u64 encoding, struct field_result *f)
{
	u64 before;

	f->read = vmx_read(encoding, &before);
	if (f->read == VMX_FAIL)
		vmx_read(F_INSN_ERROR, &f->read_error);
	f->write = vmx_write(encoding, ~0ULL);
	if (f->write == VMX_FAIL)
		vmx_read(F_INSN_ERROR, &f->write_error);
	if (f->read != VMX_OK || f->write != VMX_OK)
		return;
	vmx_read(encoding, &f->ones);
	vmx_write(encoding, PATTERN);
	vmx_read(encoding, &f->pattern);
	vmx_write(encoding, before);
}

static void fields_here(void *arg)
{
	struct fields *f = arg;
	unsigned int i;

	for (i = 0; i < FIELDS_AT_ONCE; i++)
		one_field(f->first + i, &f->field[i]);
}

static void say_field(u64 encoding, const struct field_result *f)
{
	char read[24], write[24];

	if (f->read == VMX_FAIL && f->read_error == 12 && f->write == VMX_FAIL &&
	    f->write_error == 12)
		return;
	say("field %#llx: read %s, write %s", encoding,
	    vmx_outcome(read, sizeof(read), f->read, f->read_error),
	    vmx_outcome(write, sizeof(write), f->write, f->write_error));
	if (f->read == VMX_OK && f->write == VMX_OK)
		say(", of ones %#llx, pattern %s", f->ones,
		    f->pattern == (f->ones & PATTERN) ? "kept" : "lost");
	say("\n");
}

/* vmxfields CPU FIRST COUNT: which encodings exist in the current VMCS, and keep what is written */
static int do_vmxfields(const struct args *a)
{
	struct fields *f = kvzalloc(sizeof(*f), GFP_KERNEL);
	unsigned int i;
	u64 done;
	int err = 0;

	if (!f)
		return -ENOMEM;
	for (done = 0; !err && done < a->num[2]; done += FIELDS_AT_ONCE) {
		memset(f, 0, sizeof(*f));
		f->first = a->num[1] + done;
		err = run_on(a->num[0], fields_here, f);
		for (i = 0; i < FIELDS_AT_ONCE; i++)
			say_field(f->first + i, &f->field[i]);
		cond_resched();
	}
	kvfree(f);
	return err;
}

const struct command vmx_commands[] = {
	{ "vmx", 2, do_vmx },
	{ "vmxfields", 3, do_vmxfields },
	{}
};

int vmx_init(void)
{
	block = alloc_pages(GFP_KERNEL | __GFP_ZERO, PAGE_ORDER);
	if (!block)
		return -ENOMEM;
	operand_pages = vzalloc(4 * PAGE_SIZE);
	if (operand_pages)
		return 0;
	__free_pages(block, PAGE_ORDER);
	return -ENOMEM;
}

void vmx_exit(void)
{
	vfree(operand_pages);
	__free_pages(block, PAGE_ORDER);
}
