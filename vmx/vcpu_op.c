// SPDX-License-Identifier: GPL-2.0-only
/*
 * Instructions that the host answers: CPUID, RDMSR, WRMSR, HLT, PAUSE, IN, OUT. The
 * guest's state changes only when the answer is there, so an instruction that
 * the host did not answer is simply executed again.
 */
#include "vcpu.h"

#define MSR_APIC_BASE 0x1b
#define MSR_FEAT_CTL 0x3a
#define FEAT_CTL_LOCKED BIT(0)
#define MSR_SPEC_CTRL 0x48
#define MSR_PRED_CMD 0x49
#define MSR_FLUSH_CMD 0x10b
#define MSR_DEBUGCTL 0x1d9
#define MSR_VMX_FIRST 0x480
#define MSR_VMX_LAST 0x493
#define MSR_X2APIC_ICR 0x830
#define MSR_KVM_CLOCK_OLD 0x11
#define MSR_KVM_FIRST 0x4b564d00
#define MSR_KVM_LAST 0x4b564dff
#define VECTOR_GP 13

#define RFLAGS_DF BIT(10)

#define ICR_MODE(v) (((v) >> 8) & 7)
#define ICR_MODE_INIT 5
#define ICR_MODE_STARTUP 6
#define ICR_DEASSERT(v) (!((v) & BIT(14)) && ((v) & BIT(15)))
#define ICR_SHORTHAND(v) (((v) >> 18) & 3)
#define ICR_SELF 1
#define ICR_ALL 2
#define ICR_OTHERS 3

void op_finish(struct vcpu *vcpu)
{
	vcpu->op.kind = OP_NONE;
	vcpu->op.asked = false;
	vcpu->op.device = NULL;
	vcpu->op.has_ask = false;
}

static void skip(struct vcpu *vcpu)
{
	advance_rip();
	op_finish(vcpu);
}

static bool answered(const struct cpu *cpu, const struct vcpu *vcpu)
{
	return vcpu->op.asked && cpu->nested.vmcs12.guest_rip == vcpu->op.length;
}

/* The host may answer an MSR access with #GP, and with nothing else. */
static bool answered_by_gp(struct cpu *cpu)
{
	struct vmcs12 *v = &cpu->nested.vmcs12;
	u32 gp = VECTOR_GP | INTR_TYPE_HARD_EXCEPTION | INTR_INFO_VALID;

	if ((v->vm_entry_intr_info & ~INTR_INFO_ERROR_CODE) != gp)
		return false;
	v->vm_entry_intr_info &= ~INTR_INFO_VALID;
	inject_gp();
	return true;
}

static void show(struct cpu *cpu, struct vcpu *vcpu, u32 reason, struct shown *shown)
{
	shown->reason = reason;
	shown->length = (u32)vmread(VM_EXIT_INSTRUCTION_LEN);
	vcpu->op.length = (u8)shown->length;
	vcpu->op.asked = true;
	present(cpu, vcpu, shown);
}

/* ---- start-up IPIs: what the guest asks of its APIC is noted on the way ---- */

void note_icr(struct vcpu *vcpu, u32 low, u32 dest)
{
	struct vm *vm = vcpu->vm;
	u32 mode = ICR_MODE(low), self = (u32)vcpu->apic_id;
	s64 id = dest;

	if ((mode != ICR_MODE_INIT && mode != ICR_MODE_STARTUP) || ICR_DEASSERT(low) ||
	    ICR_SHORTHAND(low) == ICR_SELF)
		return;
	if (ICR_SHORTHAND(low) == ICR_OTHERS || ICR_SHORTHAND(low) == ICR_ALL)
		id = -1;
	vm_ipi(vm, id, self, mode == ICR_MODE_INIT, (u8)low);
}

/* ---- MSRs ---- */

enum msr_verdict { MSR_HERE, MSR_GP, MSR_HOST };

/* Commands and SPEC_CTRL are the CPU's to judge; the value goes in with the next entry. */
static enum msr_verdict write_speculation(struct vcpu *vcpu, u32 msr, u64 value)
{
	u64 old;

	if (msr != MSR_SPEC_CTRL)
		return wrmsr_safe(msr, value) ? MSR_HERE : MSR_GP;
	if (!rdmsr_safe(msr, &old) || !wrmsr_safe(msr, value))
		return MSR_GP;
	wrmsr(msr, old);
	vcpu->guest_msrs[SWITCHED_MSRS - 1].value = value;
	return MSR_HERE;
}

static enum msr_verdict msr_write(struct vcpu *vcpu, u32 msr, u64 value)
{
	switch (msr) {
	case MSR_SPEC_CTRL:
	case MSR_PRED_CMD:
	case MSR_FLUSH_CMD:
		return write_speculation(vcpu, msr, value);
	case MSR_DEBUGCTL: /* no branch records, no tracing */
		return MSR_HERE;
	case MSR_XSS:
		return value ? MSR_GP : MSR_HERE;
	case MSR_FEAT_CTL: /* the firmware locks it, as QEMU tells it to */
		if (vcpu->feat_ctl & FEAT_CTL_LOCKED)
			return MSR_GP;
		vcpu->feat_ctl = value;
		return MSR_HERE;
	case MSR_KVM_CLOCK_OLD ... MSR_KVM_CLOCK_OLD + 1:
	case MSR_VMX_FIRST ... MSR_VMX_LAST:
	case MSR_KVM_FIRST ... MSR_KVM_LAST:
		return MSR_GP;
	case MSR_X2APIC_ICR:
		note_icr(vcpu, (u32)value, (u32)(value >> 32));
		return MSR_HOST;
	default:
		return MSR_HOST;
	}
}

static enum msr_verdict msr_read(struct vcpu *vcpu, u32 msr, u64 *value)
{
	*value = 0;
	switch (msr) {
	case MSR_SPEC_CTRL:
		*value = vcpu->guest_msrs[SWITCHED_MSRS - 1].value;
		return vcpu->guest_msrs[SWITCHED_MSRS - 1].index ? MSR_HERE : MSR_GP;
	case MSR_FEAT_CTL:
		*value = vcpu->feat_ctl;
		return MSR_HERE;
	case MSR_DEBUGCTL:
	case MSR_XSS:
		return MSR_HERE;
	case MSR_KVM_CLOCK_OLD ... MSR_KVM_CLOCK_OLD + 1:
	case MSR_VMX_FIRST ... MSR_VMX_LAST:
	case MSR_KVM_FIRST ... MSR_KVM_LAST:
		return MSR_GP;
	default:
		return MSR_HOST;
	}
}

static bool msr_start(struct cpu *cpu, struct vcpu *vcpu, bool write)
{
	u32 msr = (u32)cpu->gpr[RCX];
	u64 value = (u32)cpu->gpr[RAX] | cpu->gpr[RDX] << 32;
	struct shown shown = { .rcx = msr };

	switch (write ? msr_write(vcpu, msr, value) : msr_read(vcpu, msr, &value)) {
	case MSR_GP:
		inject_gp();
		return true;
	case MSR_HERE:
		if (!write) {
			cpu->gpr[RAX] = (u32)value;
			cpu->gpr[RDX] = value >> 32;
		}
		advance_rip();
		return true;
	case MSR_HOST:
		break;
	}
	if (write) {
		shown.rax = (u32)value;
		shown.rdx = value >> 32;
	}
	vcpu->op.kind = write ? OP_WRMSR : OP_RDMSR;
	show(cpu, vcpu, write ? EXIT_MSR_WRITE : EXIT_MSR_READ, &shown);
	return false;
}

static bool msr_resume(struct cpu *cpu, struct vcpu *vcpu)
{
	bool read = vcpu->op.kind == OP_RDMSR;

	if (answered(cpu, vcpu)) {
		if (read) {
			vcpu->gpr[RAX] = (u32)cpu->gpr[RAX];
			vcpu->gpr[RDX] = (u32)cpu->gpr[RDX];
		}
		skip(vcpu);
		return true;
	}
	answered_by_gp(cpu);
	op_finish(vcpu);
	return true;
}

/* ---- CPUID, HLT ---- */

static bool cpuid_start(struct cpu *cpu, struct vcpu *vcpu)
{
	struct shown shown = { .rax = (u32)cpu->gpr[RAX], .rcx = (u32)cpu->gpr[RCX] };

	vcpu->op.kind = OP_CPUID;
	show(cpu, vcpu, EXIT_CPUID, &shown);
	return false;
}

static bool cpuid_resume(struct cpu *cpu, struct vcpu *vcpu)
{
	u32 r[4] = { (u32)cpu->gpr[RAX], (u32)cpu->gpr[RBX], (u32)cpu->gpr[RCX],
		     (u32)cpu->gpr[RDX] };

	if (!answered(cpu, vcpu)) {
		op_finish(vcpu);
		return true;
	}
	cpuid_filter(vcpu, (u32)vcpu->gpr[RAX], (u32)vcpu->gpr[RCX], r);
	vcpu->gpr[RAX] = r[0];
	vcpu->gpr[RBX] = r[1];
	vcpu->gpr[RCX] = r[2];
	vcpu->gpr[RDX] = r[3];
	skip(vcpu);
	return true;
}

/* HLT, PAUSE: the guest lets others run, and goes on behind it. */
static bool wait_start(struct cpu *cpu, struct vcpu *vcpu, u32 reason)
{
	struct shown shown = { 0 };

	vcpu->op.kind = OP_WAIT;
	show(cpu, vcpu, reason, &shown);
	return false;
}

/* ---- ports ---- */

static u64 size_mask(u32 size)
{
	return size >= 8 ? ~0ULL : BIT(8 * size) - 1;
}

static u64 address_mask(void)
{
	static const u64 masks[] = { 0xffff, 0xffffffff, ~0ULL, ~0ULL };

	return masks[(vmread(VM_EXIT_INSTRUCTION_INFO) >> 7) & 3];
}

/* One element of INS or OUTS at a time; the guest comes again for the next. */
static bool string_operand(struct cpu *cpu, struct vcpu *vcpu, bool *done)
{
	struct op *op = &vcpu->op;
	u64 la = vmread(GUEST_LINEAR_ADDRESS);

	*done = false;
	if (op->rep && !(cpu->gpr[RCX] & address_mask())) {
		advance_rip();
		*done = true;
		return true;
	}
	if (((la & (PAGE_SIZE - 1)) + op->size) > PAGE_SIZE)
		return false;
	if (!guest_linear(vcpu, la, op->in ? WALK_WRITE : WALK_READ, &op->gpa_write)) {
		*done = true;
		return true;
	}
	return op->in || vm_read(vcpu->vm, op->gpa_write, &op->data, op->size);
}

static void string_advance(const struct op *op, u64 *gpr)
{
	u64 mask = address_mask(), *index = &gpr[op->in ? RDI : RSI];
	u64 step = vmread(GUEST_RFLAGS) & RFLAGS_DF ? (u64)-op->size : op->size;

	*index = (*index & ~mask) | ((*index + step) & mask);
	if (op->rep)
		gpr[RCX] = (gpr[RCX] & ~mask) | ((gpr[RCX] - 1) & mask);
}

static bool port_show(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	struct shown shown = { .rax = op->in ? 0 : op->data };

	/* Operand in DX, not a string: bits 6:4 clear */
	shown.qualification = (op->size - 1u) | (op->in ? IO_IN : 0) | (u64)op->port << 16;
	show(cpu, vcpu, EXIT_IO_INSTRUCTION, &shown);
	return false;
}

static void answer_in(u64 *rax, const struct op *op, u64 data)
{
	u64 mask = size_mask(op->size);

	*rax = op->size == 4 ? data & mask : (*rax & ~mask) | (data & mask);
}

static bool port_done(struct cpu *cpu, struct vcpu *vcpu, u64 data)
{
	u64 *gpr = gpr_now(cpu, vcpu);
	struct op *op = &vcpu->op;

	if (op->in && op->string && !vm_write(vcpu->vm, op->gpa_write, &data, op->size)) {
		present_stop(cpu, vcpu, MON_VM_STOP_BAD_MEMORY, op->gpa_write);
		return false;
	}
	if (op->in && !op->string)
		answer_in(&gpr[RAX], op, data);
	if (op->string)
		string_advance(op, gpr);
	if (op->string && op->rep && (gpr[RCX] & address_mask()))
		op_finish(vcpu);
	else
		skip(vcpu);
	return true;
}

bool op_port_done(struct cpu *cpu, struct vcpu *vcpu)
{
	return port_done(cpu, vcpu, vcpu->op.access.value);
}

/* Ports with a meaning for the monitor: fw_cfg, PCI configuration. True: done here. */
static bool port_here(struct cpu *cpu, struct vcpu *vcpu, bool *runs_on)
{
	struct op *op = &vcpu->op;

	if (device_port(cpu, vcpu, runs_on))
		return true;
	if (op->in)
		return false;
	if (op->port == FWCFG_SELECT && op->size == 2)
		vm_item_select(vcpu->vm, (u16)op->data);
	if (op->port == FWCFG_DMA_HIGH && op->size == 4) {
		vcpu->fwcfg_high = __builtin_bswap32((u32)op->data);
		skip(vcpu);
		*runs_on = true;
		return true;
	}
	if (op->port == FWCFG_DMA_LOW && op->size == 4) {
		*runs_on = fwcfg_dma_start(cpu, vcpu, __builtin_bswap32((u32)op->data));
		return true;
	}
	return false;
}

static bool port_start(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	bool done = false, runs_on = true;
	struct op *op = &vcpu->op;

	op->kind = OP_PORT;
	op->size = IO_SIZE(qualification);
	op->in = qualification & IO_IN;
	op->string = qualification & IO_STRING;
	op->rep = qualification & IO_REP;
	op->port = IO_PORT(qualification);
	op->data = cpu->gpr[RAX] & size_mask(op->size);
	if (op->string && !string_operand(cpu, vcpu, &done)) {
		present_stop(cpu, vcpu, MON_VM_STOP_BAD_INSN, vmread(GUEST_LINEAR_ADDRESS));
		return false;
	}
	if (done) {
		op_finish(vcpu);
		return true;
	}
	if (port_here(cpu, vcpu, &runs_on))
		return runs_on;
	return port_show(cpu, vcpu);
}

static bool port_resume(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	u64 data = cpu->gpr[RAX] & size_mask(op->size);

	if (!answered(cpu, vcpu)) {
		op_finish(vcpu);
		return true;
	}
	if (op->in && op->port == FWCFG_DATA)
		vm_item_data(vcpu->vm, &data, op->size);
	return port_done(cpu, vcpu, data);
}

/* ---- dispatch ---- */

bool op_start(struct cpu *cpu, struct vcpu *vcpu, u32 reason)
{
	switch (reason) {
	case EXIT_CPUID:
		return cpuid_start(cpu, vcpu);
	case EXIT_HLT:
	case EXIT_PAUSE:
		return wait_start(cpu, vcpu, reason);
	case EXIT_MSR_READ:
		return msr_start(cpu, vcpu, false);
	case EXIT_MSR_WRITE:
		return msr_start(cpu, vcpu, true);
	default:
		return port_start(cpu, vcpu);
	}
}

bool op_resume(struct cpu *cpu, struct vcpu *vcpu)
{
	switch (vcpu->op.kind) {
	case OP_CPUID:
		return cpuid_resume(cpu, vcpu);
	case OP_RDMSR:
	case OP_WRMSR:
		return msr_resume(cpu, vcpu);
	case OP_PORT:
		if (vcpu->op.device)
			return device_resume(cpu, vcpu, answered(cpu, vcpu)) &&
			       op_port_done(cpu, vcpu);
		return port_resume(cpu, vcpu);
	case OP_DEVICE:
		if (!device_resume(cpu, vcpu, answered(cpu, vcpu)))
			return false;
		op_finish(vcpu);
		return true;
	case OP_MMIO:
		if (vcpu->op.device)
			return device_resume(cpu, vcpu, answered(cpu, vcpu)) &&
			       mmio_device_done(cpu, vcpu);
		if (answered(cpu, vcpu))
			return mmio_answer(cpu, vcpu, cpu->gpr[RAX]);
		return mmio_step(cpu, vcpu);
	case OP_DMA:
		if (answered(cpu, vcpu) || vcpu->op.phase == DMA_ANSWERED)
			return fwcfg_dma_answer(cpu, vcpu);
		return fwcfg_dma_step(cpu, vcpu);
	default: /* OP_WAIT */
		if (answered(cpu, vcpu))
			skip(vcpu);
		op_finish(vcpu);
		return true;
	}
}
