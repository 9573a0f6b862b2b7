// SPDX-License-Identifier: GPL-2.0-only
/* Exits of a thread of an enclave: calls, exceptions, memory that it touches. */
#include "thread.h"

#define VECTOR_BP 3
#define VECTOR_OF 4
#define VECTOR_UD 6
#define VECTOR_GP 13
#define VECTOR_PF 14
#define PF_PRESENT BIT(0)
#define PF_WRITE BIT(1)
#define PF_USER BIT(2)
#define PF_FETCH BIT(4)
#define RFLAGS_FIXED 2
#define RFLAGS_OWN 0x240dd5ULL /* CF PF AF ZF SF TF DF OF AC ID */
#define RED_ZONE 128
#define USER_ADDRESSES BIT(47)

static void needs_page(struct cpu *cpu, u64 address)
{
	struct thread *t = cpu->thread;

	t->enclave->wanted[t->index] = address;
	thread_leave(cpu, THREAD_INTERRUPTED, MON_ENCLAVE_NEEDS_PAGE,
		     enclave_evicted(t->enclave, address), 0);
}

/* The memory at @address cannot be had now: @err of enclave_touch(). */
static void needs(struct cpu *cpu, int err, u64 address)
{
	if (err == NPT_EBUSY) {
		needs_page(cpu, address);
		return;
	}
	if (err == NPT_EPOOL)
		count(MON_CNT_POOL_EMPTY);
	thread_leave(cpu, THREAD_INTERRUPTED, MON_ENCLAVE_NEEDS_FRAME, err == NPT_EQUOTA, 0);
}

/* ---- exceptions ---- */

static void faulted(struct cpu *cpu, u32 vector, u64 address)
{
	count(MON_CNT_ENCLAVE_FAULTED);
	thread_leave(cpu, THREAD_FAULTED, MON_ENCLAVE_FAULTED, vector,
		     ALIGN_DOWN(address, PAGE_SIZE));
}

/* The handler goes on below what may be in use of the stack. */
static void to_handler(struct cpu *cpu, struct mon_enclave_fault *f, u64 f_at)
{
	u64 rsp = vmread(GUEST_RSP);

	memcpy(f->gpr, cpu->gpr, sizeof(f->gpr));
	f->gpr[RSP] = rsp;
	f->rip = vmread(GUEST_RIP);
	f->rflags = vmread(GUEST_RFLAGS);
	cpu->gpr[RDI] = f_at;
	vmwrite(GUEST_RSP, ALIGN_DOWN(rsp - RED_ZONE, 16) - 8);
	vmwrite(GUEST_RIP, cpu->thread->enclave->policy.handler);
	vmwrite(GUEST_RFLAGS, RFLAGS_FIXED);
	cpu->thread->handling = true;
}

static u64 fault_at(const struct thread *t)
{
	return enclave_stack_page(t->enclave, t->index) + MON_ENCLAVE_FAULT_OFFSET;
}

static void fault(struct cpu *cpu, u32 vector, u32 error_code, u64 address)
{
	struct thread *t = cpu->thread;
	struct enclave *e = t->enclave;
	u64 at = fault_at(t);
	struct mon_enclave_fault *f;
	int err;

	__atomic_fetch_add(&e->faults, 1, __ATOMIC_RELAXED);
	if (!e->policy.handler || t->handling) {
		faulted(cpu, vector, address);
		return;
	}
	f = enclave_bytes(e, at, sizeof(*f), &err);
	if (!f) {
		needs(cpu, err, at);
		return;
	}
	f->vector = vector;
	f->error_code = error_code;
	f->address = address;
	to_handler(cpu, f, at);
}

/* INT3 and INTO are traps: what follows them is next. */
static void exception(struct cpu *cpu)
{
	u32 info = (u32)vmread(VM_EXIT_INTR_INFO), vector = info & INTR_INFO_VECTOR;
	u32 code = 0;

	if ((info & INTR_INFO_TYPE) == INTR_TYPE_NMI || vector == VECTOR_MC) {
		events_add(cpu, vector == VECTOR_MC ? EVENT_MCE : EVENT_NMI);
		thread_interrupt(cpu);
		return;
	}
	if (info & INTR_INFO_ERROR_CODE)
		code = (u32)vmread(VM_EXIT_INTR_ERROR_CODE);
	if (vector == VECTOR_BP || vector == VECTOR_OF)
		advance_rip();
	fault(cpu, vector, code, vector == VECTOR_PF ? vmread(EXIT_QUALIFICATION) : 0);
}

/* 0: the thread goes on as the structure says. */
static s64 handled(struct cpu *cpu)
{
	struct thread *t = cpu->thread;
	const struct mon_enclave_fault *f;
	struct mon_enclave_fault copy;
	int err;

	if (!t->handling)
		return -MON_EINVAL;
	f = enclave_bytes(t->enclave, fault_at(t), sizeof(*f), &err);
	if (!f)
		return err == NPT_EBUSY ? -MON_EAGAIN : -MON_ENOMEM;
	memcpy(&copy, f, sizeof(copy));
	if (copy.rip >= USER_ADDRESSES)
		return -MON_EINVAL;
	memcpy(cpu->gpr, copy.gpr, sizeof(cpu->gpr));
	vmwrite(GUEST_RSP, copy.gpr[RSP]);
	vmwrite(GUEST_RIP, copy.rip);
	vmwrite(GUEST_RFLAGS, (copy.rflags & RFLAGS_OWN) | RFLAGS_FIXED);
	t->handling = false;
	return 0;
}

/* ---- memory ---- */

static void ept_violation(struct cpu *cpu)
{
	u64 gpa = vmread(GUEST_PHYSICAL_ADDRESS), qualification = vmread(EXIT_QUALIFICATION);
	u64 mapped_as = qualification >> EPT_QUAL_PERM_SHIFT & EPT_RWX;
	u64 access = qualification & EPT_RWX;
	struct enclave *e = cpu->thread->enclave;
	u32 code = PF_USER | (qualification & EPT_QUAL_WRITE ? PF_WRITE : 0) |
		   (qualification & EPT_QUAL_FETCH ? PF_FETCH : 0) | (mapped_as ? PF_PRESENT : 0);
	int err = mapped_as ? NPT_EOWNER : enclave_touch(e, gpa);

	/* Allowed since: the violation itself has dropped what the CPU had (SDM 29.4.3.1). */
	if (mapped_as && vm_npt_usable(&e->npt, e->id, gpa, access) != INVALID_PFN)
		return;
	switch (err) {
	case NPT_OK:
		__atomic_fetch_add(&e->faults, 1, __ATOMIC_RELAXED);
		break;
	case NPT_EPOOL:
	case NPT_EQUOTA:
	case NPT_EBUSY:
		needs(cpu, err, gpa);
		break;
	default:
		fault(cpu, VECTOR_PF, code, gpa);
	}
}

/* ---- calls ---- */

static void answer(struct cpu *cpu, s64 result)
{
	if (result < 0)
		count(MON_CNT_ENCLAVE_CALL_REFUSED);
	cpu->gpr[RAX] = (u64)result;
	advance_rip();
}

/* Takes something from others. */
static void narrow(struct cpu *cpu, u64 number, const u64 *arg)
{
	struct thread *t = cpu->thread;
	s64 err = enclave_call(t->enclave, t->index, number, arg);

	epoch_pass(cpu->index);
	if (err == -MON_ENOMEM)
		needs(cpu, NPT_EPOOL, arg[0]);
	else if (err == -MON_EAGAIN)
		thread_leave(cpu, THREAD_INTERRUPTED, MON_ENCLAVE_INTERRUPTED, 1, 0);
	else
		answer(cpu, err);
}

static void call(struct cpu *cpu)
{
	u64 number = cpu->gpr[RAX] ^ MON_HYPERCALL;
	u64 arg[3] = { cpu->gpr[RDI], cpu->gpr[RSI], cpu->gpr[RDX] };
	s64 err;

	switch (number) {
	case MON_EC_RETURN:
		thread_leave(cpu, THREAD_IDLE, MON_ENCLAVE_RETURNED, arg[0], 0);
		break;
	case MON_EC_OCALL:
		advance_rip();
		thread_leave(cpu, THREAD_CALLING, MON_ENCLAVE_OCALL, arg[0], arg[1]);
		break;
	case MON_EC_TRIM:
	case MON_EC_PROTECT:
	case MON_EC_SHARE_END:
		narrow(cpu, number, arg);
		break;
	case MON_EC_HANDLED:
		err = handled(cpu);
		if (err == -MON_EAGAIN)
			needs_page(cpu, fault_at(cpu->thread));
		else if (err)
			answer(cpu, err);
		break;
	default:
		err = enclave_call(cpu->thread->enclave, cpu->thread->index, number, arg);
		if (err == -MON_EAGAIN) /* its structure is out: then the same call again */
			needs_page(cpu, arg[0]);
		else
			answer(cpu, err);
	}
}

void thread_interrupt(struct cpu *cpu)
{
	thread_leave(cpu, THREAD_INTERRUPTED, MON_ENCLAVE_INTERRUPTED, 0, 0);
}

void thread_exit(struct cpu *cpu, u32 full)
{
	if (full & EXIT_REASON_ENTRY_FAILURE) {
		faulted(cpu, VECTOR_GP, 0);
		return;
	}
	switch (full & EXIT_REASON_BASIC) {
	case EXIT_VMCALL:
		call(cpu);
		break;
	case EXIT_EXTERNAL_INTERRUPT:
		thread_interrupt(cpu);
		break;
	case EXIT_EXCEPTION_NMI:
		exception(cpu);
		break;
	case EXIT_EPT_VIOLATION:
		ept_violation(cpu);
		break;
	case EXIT_CPUID:
		host_cpuid(cpu);
		break;
	case EXIT_INIT_SIGNAL:
		thread_interrupt(cpu);
		host_init_signal(cpu);
		break;
	case EXIT_VMCLEAR ... EXIT_VMXON:
	case EXIT_INVEPT:
	case EXIT_INVVPID:
		fault(cpu, VECTOR_UD, 0, 0);
		break;
	default: /* what needs another privilege level */
		fault(cpu, VECTOR_GP, 0, 0);
	}
}

void thread_entry_failed(struct cpu *cpu, u32 error)
{
	(void)error;
	faulted(cpu, VECTOR_GP, 0);
}
