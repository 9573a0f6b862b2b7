// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions on device memory. KVM cannot read the guest's, so the monitor
 * decodes it and lets KVM emulate one plain MOV at a time, between RAX and the
 * same physical address (see vcpu_present.c). Memory that the host has mapped
 * behind a device address (video memory, a ROM) is accessed right here.
 */
#include "vcpu.h"

#define CS_LONG BIT(13)
#define CS_DB BIT(14)
#define RFLAGS_AC BIT(18)
#define CR0_PE BIT(0)
#define VECTOR_PF 14
#define MMIO_CHUNK 4 /* a CPU in real mode moves no more at a time */

#define APIC_PAGE 0xfee00000ULL
#define APIC_ICR_LOW 0x300
#define APIC_ICR_HIGH 0x310

enum { MMIO_READ, MMIO_WRITE };

/* ---- the guest's linear addresses ---- */

static bool read_entry(void *ctx, u64 gpa, u64 *entry, u32 size)
{
	*entry = 0;
	return vm_read(ctx, gpa, entry, size);
}

static void paging_now(struct guest_paging *p)
{
	u32 i;

	p->cr0 = vmread(GUEST_CR0);
	p->cr3 = vmread(GUEST_CR3);
	p->cr4 = vmread(GUEST_CR4);
	p->efer = vmread(GUEST_IA32_EFER);
	for (i = 0; i < 4; i++)
		p->pdpte[i] = vmread(GUEST_PDPTR0 + 2 * i);
	p->cpl = (vmread(GUEST_SS_AR_BYTES) >> 5) & 3;
	p->ac = vmread(GUEST_RFLAGS) & RFLAGS_AC;
	p->maxphyaddr = (u8)vmx_caps.max_pa_bits;
	p->gbpages = true;
	p->pkru = 0;
	p->pkrs = 0;
}

static int translate(struct vcpu *vcpu, u64 la, u32 access, u64 *gpa, u32 *pf_error)
{
	struct guest_paging paging;

	paging_now(&paging);
	return guest_walk(&paging, la, access, read_entry, vcpu->vm, gpa, pf_error);
}

bool guest_linear(struct vcpu *vcpu, u64 la, u32 access, u64 *gpa)
{
	u32 pf_error = 0;

	switch (translate(vcpu, la, access, gpa, &pf_error)) {
	case WALK_OK:
		return true;
	case WALK_FAULT:
		asm volatile("movq %0, %%cr2" : : "r"(la));
		vcpu->cr2 = la;
		inject_exception(VECTOR_PF, pf_error);
		return false;
	default:
		inject_gp();
		return false;
	}
}

/* As many bytes as can be had; the decoder says whether they suffice. */
static u32 fetch(struct vcpu *vcpu, u64 la, u8 *bytes)
{
	u32 got = 0, pf_error;
	u64 gpa, n;

	while (got < INSN_MAX_LENGTH) {
		if (translate(vcpu, la + got, WALK_EXEC, &gpa, &pf_error))
			break;
		n = min_u64(INSN_MAX_LENGTH - got, PAGE_SIZE - (gpa & (PAGE_SIZE - 1)));
		if (!vm_read(vcpu->vm, gpa, bytes + got, n))
			break;
		got += (u32)n;
	}
	return got;
}

static void context_now(const u64 *gpr, struct insn_ctx *ctx)
{
	u64 ar = vmread(GUEST_CS_AR_BYTES);
	u32 i;

	ctx->mode = INSN_16;
	if ((ar & CS_LONG) && (vmread(VM_ENTRY_CONTROLS) & ENTRY_IA32E_MODE))
		ctx->mode = INSN_64;
	else if (ar & CS_DB)
		ctx->mode = INSN_32;
	memcpy(ctx->regs, gpr, sizeof(ctx->regs));
	ctx->regs[RSP] = vmread(GUEST_RSP);
	ctx->rip = vmread(GUEST_RIP);
	ctx->rflags = vmread(GUEST_RFLAGS);
	for (i = 0; i < INSN_NR_SEGS; i++)
		ctx->seg_base[i] = vmread(GUEST_ES_BASE + 2 * i);
}

/* ---- one instruction ---- */

static bool is_private(struct vcpu *vcpu, u64 gpa, bool write)
{
	u32 type = vm_range_type(vcpu->vm, gpa);

	return type && !(write && type == MON_RANGE_FIRMWARE);
}

static bool crosses_page(u64 la, u32 size)
{
	return (la & (PAGE_SIZE - 1)) + size > PAGE_SIZE;
}

/* Both operands' addresses, before the device is touched. False: the guest goes on. */
static bool find_operands(struct vcpu *vcpu, u64 gpa)
{
	struct op *op = &vcpu->op;
	const struct mmio_insn *insn = &op->insn;
	u64 source = insn->op == INSN_MOVS ? insn->linear_src : insn->linear;

	op->gpa_read = op->gpa_write = ~0ULL;
	if (insn->needs_write && !guest_linear(vcpu, insn->linear, WALK_WRITE, &op->gpa_write))
		return false;
	if (insn->needs_read && !guest_linear(vcpu, source, WALK_READ, &op->gpa_read))
		return false;
	/* The other operand of a device's is never a shared page. */
	if (vm_in_window(vcpu->vm, op->gpa_write) || vm_in_window(vcpu->vm, op->gpa_read)) {
		count(MON_CNT_WINDOW_REFUSED);
		inject_gp();
		return false;
	}
	/* Another vCPU may have rewritten the instruction since: then it runs again. */
	return op->gpa_read == gpa || op->gpa_write == gpa;
}

static bool finish(struct vcpu *vcpu, u64 *gpr)
{
	struct op *op = &vcpu->op;
	u64 rflags = vmread(GUEST_RFLAGS), rip, store, regs[NR_GPRS];
	u64 blocking = vmread(GUEST_INTERRUPTIBILITY_INFO);

	memcpy(regs, gpr, sizeof(regs));
	regs[RSP] = vmread(GUEST_RSP);
	mmio_insn_complete(&op->insn, op->data, regs, &rflags, &store);
	rip = mmio_insn_next_rip(&op->insn, regs, vmread(GUEST_RIP));
	memcpy(gpr, regs, sizeof(regs));
	vmwrite(GUEST_RSP, regs[RSP]);
	vmwrite(GUEST_RFLAGS, rflags);
	vmwrite(GUEST_RIP, rip);
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, blocking & ~(INTR_STATE_STI | INTR_STATE_MOV_SS));
	op_finish(vcpu);
	return true;
}

bool mmio_start(struct cpu *cpu, struct vcpu *vcpu, u64 gpa)
{
	struct op *op = &vcpu->op;
	u8 bytes[INSN_MAX_LENGTH] = { 0 };
	struct insn_ctx ctx;
	u32 got;
	int err;

	context_now(cpu->gpr, &ctx);
	got = fetch(vcpu, ctx.mode == INSN_64 ? ctx.rip : (u32)(ctx.seg_base[INSN_CS] + ctx.rip),
		    bytes);
	err = insn_decode_mmio(bytes, got, &ctx, &op->insn);
	if (err == INSN_ENOACCESS)
		return true;
	if (err || crosses_page(op->insn.linear, op->insn.size) ||
	    (op->insn.op == INSN_MOVS && crosses_page(op->insn.linear_src, op->insn.size))) {
		u64 detail;

		memcpy(&detail, bytes, sizeof(detail));
		count(MON_CNT_VM_BAD_INSN);
		present_stop(cpu, vcpu, MON_VM_STOP_BAD_INSN, detail);
		return false;
	}
	if (!find_operands(vcpu, gpa))
		return true;
	op->kind = OP_MMIO;
	op->phase = op->insn.needs_read ? MMIO_READ : MMIO_WRITE;
	op->asked = false;
	op->done = 0;
	op->data = 0;
	if (op->phase == MMIO_WRITE)
		op->data = mmio_insn_store_value(&op->insn, ctx.regs);
	return mmio_step(cpu, vcpu);
}

/* Reading is done: is there something to write? */
static bool next_phase(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	u64 regs[NR_GPRS], rflags = vmread(GUEST_RFLAGS), store = 0;

	if (op->phase == MMIO_WRITE || !op->insn.needs_write)
		return finish(vcpu, gpr_now(cpu, vcpu));
	memcpy(regs, gpr_now(cpu, vcpu), sizeof(regs));
	regs[RSP] = vmread(GUEST_RSP);
	mmio_insn_complete(&op->insn, op->data, regs, &rflags, &store);
	op->phase = MMIO_WRITE;
	op->done = 0;
	op->store = store;
	return mmio_step(cpu, vcpu);
}

static u64 *operand(struct op *op)
{
	/* What a read-modify-write read is needed once more, for registers and flags. */
	return op->phase == MMIO_WRITE && op->insn.needs_read ? &op->store : &op->data;
}

static bool private_operand(struct vcpu *vcpu, u64 gpa)
{
	struct op *op = &vcpu->op;

	if (op->phase == MMIO_WRITE)
		return vm_write(vcpu->vm, gpa, operand(op), op->insn.size);
	return vm_read(vcpu->vm, gpa, &op->data, op->insn.size);
}

/* SDM 10.12: INIT and SIPI leave through here on their way to the host's APIC. */
static void note_apic_write(struct vcpu *vcpu, u64 gpa, u64 value)
{
	if (gpa == APIC_PAGE + APIC_ICR_HIGH)
		vcpu->icr_dest = (u32)value >> 24;
	else if (gpa == APIC_PAGE + APIC_ICR_LOW)
		note_icr(vcpu, (u32)value, vcpu->icr_dest);
}

/* MOV between AL, AX or EAX and a 16-bit offset, in real mode (SDM vol 2, MOV). */
static u32 write_scratch(u8 *code, bool write, u32 size, u64 gpa)
{
	u32 n = 0;

	if (size == 4)
		code[n++] = 0x66;
	code[n++] = (u8)(0xa0 | (write ? 2 : 0) | (size > 1));
	code[n++] = (u8)gpa;
	code[n++] = (gpa >> 8) & 0xf;
	return n;
}

/**
 * struct mov - what KVM is to emulate
 * @gpa, @size, @write, @value: the access, and what is written
 * @perm12: the host's permissions there
 * @reason: of the exit that KVM sees
 */
struct mov {
	u64 gpa;
	u32 size;
	bool write;
	u32 value;
	u32 reason;
	u64 perm12;
};

static void mov_show(struct cpu *cpu, struct vcpu *vcpu, const struct mov *mov)
{
	struct op *op = &vcpu->op;
	u64 gpa = mov->gpa;
	struct shown shown = { .reason = mov->reason, .gpa = gpa,
			       .rax = mov->write ? mov->value : 0 };
	u8 *page = host_page(cpu, vcpu, SCRATCH_GPA, true);

	if (!page)
		return;
	shown.length = write_scratch(page + (scratch_insn(vcpu) & (PAGE_SIZE - 1)), mov->write,
				     mov->size, gpa);
	if (mov->reason == EXIT_APIC_ACCESS)
		shown.qualification = (gpa & (PAGE_SIZE - 1)) |
				      (mov->write ? APIC_ACCESS_WRITE : 0);
	else if (mov->reason == EXIT_EPT_VIOLATION)
		shown.qualification = (mov->write ? EPT_QUAL_WRITE : EPT_QUAL_READ) |
				      mov->perm12 << EPT_QUAL_PERM_SHIFT | EPT_QUAL_LINEAR_VALID |
				      EPT_QUAL_TRANSLATED;
	op->length = (u8)shown.length;
	op->asked = true;
	present(cpu, vcpu, &shown);
}

static u32 reason_of(enum ept02_verdict verdict)
{
	return verdict == EPT02_MISCONFIG ? EXIT_EPT_MISCONFIG : EXIT_EPT_VIOLATION;
}

void mmio_ask(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, u32 size, bool write, u32 value)
{
	struct mov mov = { .gpa = gpa, .size = size, .write = write, .value = value };
	struct npt_leaf leaf;

	mov.reason = reason_of(ept12_walk(cpu->nested.vmcs12.ept_pointer, gpa,
					  write ? EPT_WRITE : EPT_READ, &leaf, &mov.perm12));
	mov_show(cpu, vcpu, &mov);
}

/* The operand, or as much of it as a MOV in real mode has. */
static bool operand_show(struct cpu *cpu, struct vcpu *vcpu, struct mov *mov)
{
	struct op *op = &vcpu->op;

	mov->size = (u32)min_u64(op->insn.size - op->done, MMIO_CHUNK);
	if (mov->write) {
		mov->value = (u32)(*operand(op) >> (8 * op->done));
		mov->value &= mov->size == 4 ? ~0U : BIT(8 * mov->size) - 1;
		note_apic_write(vcpu, mov->gpa, mov->value);
	}
	mov_show(cpu, vcpu, mov);
	return false;
}

/*
 * The host maps a page of its own at the guest's APIC, where APIC accesses are to exit
 * (SDM 30.4): KVM does once interrupts are delivered by the CPU.
 */
static bool apic_access(struct cpu *cpu, const struct npt_leaf *leaf, u64 gpa)
{
	const struct vmcs12 *v = &cpu->nested.vmcs12;
	u64 in_leaf = ALIGN_DOWN(gpa & (LEVEL_SIZE(leaf->level) - 1), PAGE_SIZE);

	return (vmcs12_cpu2(v) & CPU2_VIRT_APIC_ACCESSES) &&
	       (leaf->entry & EPT_ADDR) + in_leaf == v->apic_access_addr;
}

/* Memory of the host's behind a device address: read or written in place. */
static bool host_memory(struct vcpu *vcpu, const struct npt_leaf *leaf, u64 gpa, bool write)
{
	struct op *op = &vcpu->op;
	u64 pa = (leaf->entry & EPT_ADDR) + (gpa & (LEVEL_SIZE(leaf->level) - 1));
	void *p = host_ptr(pa, op->insn.size);

	if (!p)
		return false;
	if (write)
		memcpy(p, operand(op), op->insn.size);
	else
		memcpy(&op->data, p, op->insn.size);
	return true;
}

bool mmio_device_done(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;

	if (op->phase == MMIO_READ)
		op->data = op->access.value;
	op->device = NULL;
	return next_phase(cpu, vcpu);
}

bool mmio_step(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	bool write = op->phase == MMIO_WRITE;
	u64 gpa = write ? op->gpa_write : op->gpa_read;
	struct mov mov = { .write = write };
	enum ept02_verdict verdict;
	struct npt_leaf leaf;
	bool done;

	op->asked = false;
	if (is_private(vcpu, gpa, write)) {
		if (!private_operand(vcpu, gpa)) {
			present_stop(cpu, vcpu, MON_VM_STOP_BAD_MEMORY, gpa);
			return false;
		}
		return next_phase(cpu, vcpu);
	}
	if (device_mmio(cpu, vcpu, gpa, write, *operand(op), &done))
		return done && mmio_device_done(cpu, vcpu);
	gpa += op->done;
	mov.gpa = gpa;
	verdict = ept12_walk(cpu->nested.vmcs12.ept_pointer, gpa, write ? EPT_WRITE : EPT_READ,
			     &leaf, &mov.perm12);
	mov.reason = reason_of(verdict);
	if (verdict == EPT02_RETRY && apic_access(cpu, &leaf, gpa))
		mov.reason = EXIT_APIC_ACCESS;
	else if (verdict == EPT02_RETRY && !op->done && host_memory(vcpu, &leaf, gpa, write))
		return next_phase(cpu, vcpu);
	return operand_show(cpu, vcpu, &mov);
}

bool mmio_answer(struct cpu *cpu, struct vcpu *vcpu, u64 rax)
{
	struct op *op = &vcpu->op;
	u32 size = (u32)min_u64(op->insn.size - op->done, MMIO_CHUNK);

	if (op->phase == MMIO_READ)
		op->data |= (rax & (size == 4 ? ~0U : BIT(8 * size) - 1)) << (8 * op->done);
	op->done += size;
	if (op->done < op->insn.size)
		return mmio_step(cpu, vcpu);
	return next_phase(cpu, vcpu);
}
