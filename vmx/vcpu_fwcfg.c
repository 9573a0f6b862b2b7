// SPDX-License-Identifier: GPL-2.0-only
/*
 * fw_cfg DMA (QEMU docs/specs/fw_cfg): the guest's command stays in the guest.
 * QEMU is given commands of its own, in its own pages, a chunk at a time; what
 * it puts there is copied in and goes into the runtime measurement. Nothing is
 * ever copied out.
 */
#include "vcpu.h"

#define DMA_ERROR BIT(0)
#define DMA_READ BIT(1)
#define DMA_SKIP BIT(2)
#define DMA_SELECT BIT(3)
#define DMA_WRITE BIT(4)
#define DMA_KEY(control) ((u16)((control) >> 16))

/* Big endian, as everything of fw_cfg. */
struct dma_command {
	u32 control;
	u32 length;
	u64 address;
} __attribute__((packed));

static bool finish(struct vcpu *vcpu, u32 result)
{
	u32 be = __builtin_bswap32(result);

	vm_write(vcpu->vm, vcpu->op.control_gpa, &be, sizeof(be));
	advance_rip();
	op_finish(vcpu);
	return true;
}

bool fwcfg_dma_start(struct cpu *cpu, struct vcpu *vcpu, u32 low)
{
	struct op *op = &vcpu->op;
	struct dma_command command;

	op->kind = OP_DMA;
	op->asked = false;
	op->control_gpa = (u64)vcpu->fwcfg_high << 32 | low;
	vcpu->fwcfg_high = 0;
	if (!vm_read(vcpu->vm, op->control_gpa, &command, sizeof(command))) {
		advance_rip();
		op_finish(vcpu);
		return true;
	}
	op->control = __builtin_bswap32(command.control);
	op->left = __builtin_bswap32(command.length);
	op->address = __builtin_bswap64(command.address);
	if (op->control & DMA_WRITE)
		return finish(vcpu, DMA_ERROR);
	if (op->control & DMA_SELECT)
		vm_item_select(vcpu->vm, DMA_KEY(op->control));
	return fwcfg_dma_step(cpu, vcpu);
}

/* Ask QEMU for the next chunk, once all pages it takes are there to be reached. */
bool fwcfg_dma_step(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	bool read = op->control & DMA_READ;
	struct shown shown = { .reason = EXIT_IO_INSTRUCTION, .length = 1 };
	struct dma_command command;
	u8 *scratch;
	u64 gpa;

	op->asked = false;
	op->phase = DMA_TO_ASK;
	op->chunk = read ? (u32)min_u64(op->left, BOUNCE_SIZE) : op->left;
	for (gpa = BOUNCE_GPA; read && gpa < BOUNCE_GPA + op->chunk; gpa += PAGE_SIZE)
		if (!host_page(cpu, vcpu, gpa, true))
			return false;
	scratch = host_page(cpu, vcpu, SCRATCH_DMA, true);
	if (!scratch)
		return false;
	command.control = __builtin_bswap32(op->control);
	command.length = __builtin_bswap32(op->chunk);
	command.address = __builtin_bswap64(BOUNCE_GPA);
	memcpy(scratch + (SCRATCH_DMA & (PAGE_SIZE - 1)), &command, sizeof(command));
	shown.rax = __builtin_bswap32((u32)SCRATCH_DMA);
	shown.qualification = 3 | (u64)FWCFG_DMA_LOW << 16;
	op->length = 1;
	op->asked = true;
	present(cpu, vcpu, &shown);
	return false;
}

static bool take_chunk(struct cpu *cpu, struct vcpu *vcpu, bool *again)
{
	struct op *op = &vcpu->op;
	u64 done, n;
	u8 *page;

	for (done = 0; done < op->chunk; done += n) {
		n = min_u64(op->chunk - done, PAGE_SIZE);
		page = host_page(cpu, vcpu, BOUNCE_GPA + done, false);
		*again = !page;
		if (!page || !vm_write(vcpu->vm, op->address + done, page, n))
			return false;
	}
	return true;
}

/* Measured is what the guest has: its own copy, page by page. */
static bool measure_chunk(struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	u64 done, n;
	u8 *page;
	int err;

	for (done = 0; done < op->chunk; done += n) {
		u64 gpa = op->address + done;

		n = min_u64(op->chunk - done, PAGE_SIZE - (gpa & (PAGE_SIZE - 1)));
		page = vm_page(vcpu->vm, gpa, true, &err);
		if (!page)
			return false;
		vm_item_data(vcpu->vm, page + (gpa & (PAGE_SIZE - 1)), n);
	}
	return true;
}

bool fwcfg_dma_answer(struct cpu *cpu, struct vcpu *vcpu)
{
	struct op *op = &vcpu->op;
	bool again = false;
	u32 result;
	u8 *scratch;

	/* If the host has unmapped a page meanwhile it is asked to map it, no more. */
	op->phase = DMA_ANSWERED;
	scratch = host_page(cpu, vcpu, SCRATCH_DMA, true);
	if (!scratch)
		return false;
	memcpy(&result, scratch + (SCRATCH_DMA & (PAGE_SIZE - 1)), sizeof(result));
	if (__builtin_bswap32(result) & DMA_ERROR)
		return finish(vcpu, DMA_ERROR);
	if (op->control & DMA_READ) {
		if (!take_chunk(cpu, vcpu, &again))
			return again ? false : finish(vcpu, DMA_ERROR);
		if (!measure_chunk(vcpu))
			return finish(vcpu, DMA_ERROR);
	}
	op->address += op->chunk;
	op->left -= op->chunk;
	op->control &= ~(u32)DMA_SELECT;
	if (!op->left)
		return finish(vcpu, 0);
	return fwcfg_dma_step(cpu, vcpu);
}
