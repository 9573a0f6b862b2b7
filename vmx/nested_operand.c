// SPDX-License-Identifier: GPL-2.0-only
/*
 * Operands of the host's VMX instructions, from the instruction information of
 * the exit (SDM 28.2.5, tables 28-13 and 28-14).
 *
 * The host is in 64-bit mode and at CPL 0; the callers have seen to it.
 */
#include "cpu.h"
#include "../core/guest_walk.h"
#include "../npt/frame.h"

#define INFO_SCALE(i) ((i) & 3)
#define INFO_ADDRESS_SIZE(i) (((i) >> 7) & 7)
#define INFO_SEGMENT(i) (((i) >> 15) & 7)
#define INFO_INDEX(i) (((i) >> 18) & 15)
#define INFO_NO_INDEX BIT(22)
#define INFO_BASE(i) (((i) >> 23) & 15)
#define INFO_NO_BASE BIT(27)
enum { SEG_ES, SEG_CS, SEG_SS, SEG_DS, SEG_FS, SEG_GS };
enum { ADDRESS_16, ADDRESS_32, ADDRESS_64 };

#define RFLAGS_AC BIT(18)
#define VECTOR_SS 12
#define VECTOR_GP 13
#define VECTOR_PF 14

u64 operand_reg(struct cpu *cpu, u32 reg)
{
	return reg == RSP ? vmread(GUEST_RSP) : cpu->gpr[reg];
}

void operand_reg_set(struct cpu *cpu, u32 reg, u64 value)
{
	if (reg == RSP)
		vmwrite(GUEST_RSP, value);
	else
		cpu->gpr[reg] = value;
}

/*
 * In 64-bit mode only FS and GS have a base, and no segment has a limit. The
 * displacement is the exit qualification, with RIP added if it is relative.
 */
static u64 operand_address(struct cpu *cpu, u64 info)
{
	u64 la = vmread(EXIT_QUALIFICATION);

	if (!(info & INFO_NO_BASE))
		la += operand_reg(cpu, INFO_BASE(info));
	if (!(info & INFO_NO_INDEX))
		la += operand_reg(cpu, INFO_INDEX(info)) << INFO_SCALE(info);
	if (INFO_ADDRESS_SIZE(info) == ADDRESS_32)
		la = (u32)la;
	if (INFO_SEGMENT(info) == SEG_FS)
		la += vmread(GUEST_FS_BASE);
	else if (INFO_SEGMENT(info) == SEG_GS)
		la += vmread(GUEST_GS_BASE);
	return la;
}

/* A table in memory that is not the host's reads as zeros, as for the host itself. */
static bool read_table(void *ctx, u64 pa, u64 *entry, u32 size)
{
	const void *ptr = host_ptr(pa, size);

	(void)ctx;
	if (!ptr)
		*entry = 0;
	else
		*entry = size == 4 ? READ_ONCE(*(const u32 *)ptr) : READ_ONCE(*(const u64 *)ptr);
	return true;
}

static void inject_page_fault(u64 la, u32 error)
{
	/* CR2 is not in the VMCS: the host's is the CPU's. */
	asm volatile("movq %0, %%cr2" : : "r"(la));
	inject_exception(VECTOR_PF, error);
}

/* Protection keys of user pages are not looked at: the access is the kernel's own. */
static bool translate(u64 la, u32 access, u64 *pa)
{
	struct guest_paging paging = {
		.cr0 = vmread(GUEST_CR0),
		.cr3 = vmread(GUEST_CR3),
		.cr4 = vmread(GUEST_CR4),
		.efer = vmread(GUEST_IA32_EFER),
		.ac = vmread(GUEST_RFLAGS) & RFLAGS_AC,
		.maxphyaddr = vmx_caps.max_pa_bits,
		.gbpages = true,
	};
	u32 error = 0;

	switch (guest_walk(&paging, la, access, read_table, NULL, pa, &error)) {
	case WALK_OK:
		return true;
	case WALK_FAULT:
		inject_page_fault(la, error);
		return false;
	default:
		inject_gp();
		return false;
	}
}

/**
 * struct span - an operand in physical memory, in one or two pages
 */
struct span {
	u64 pa[2];
	u32 len[2];
};

static bool operand_span(struct cpu *cpu, u32 len, u32 access, struct span *span)
{
	u64 info = vmread(VM_EXIT_INSTRUCTION_INFO), cr4 = vmread(GUEST_CR4);
	u64 la = operand_address(cpu, info);

	if (!canonical(la, cr4) || !canonical(la + len - 1, cr4)) {
		inject_exception(INFO_SEGMENT(info) == SEG_SS ? VECTOR_SS : VECTOR_GP, 0);
		return false;
	}
	span->len[0] = min_u64(len, PAGE_SIZE - (la & (PAGE_SIZE - 1)));
	span->len[1] = len - span->len[0];
	if (!translate(la, access, &span->pa[0]))
		return false;
	return !span->len[1] || translate(la + span->len[0], access, &span->pa[1]);
}

bool operand_read(struct cpu *cpu, void *buf, u32 len)
{
	struct span span;
	u8 *to = buf;
	u32 i;

	if (!operand_span(cpu, len, WALK_READ, &span))
		return false;
	for (i = 0; i < 2 && span.len[i]; i++) {
		const void *from = host_ptr(span.pa[i], span.len[i]);

		if (from)
			memcpy(to, from, span.len[i]);
		else
			memset(to, 0, span.len[i]);
		to += span.len[i];
	}
	return true;
}

bool operand_write(struct cpu *cpu, const void *buf, u32 len)
{
	const u8 *from = buf;
	struct span span;
	u32 i;

	if (!operand_span(cpu, len, WALK_WRITE, &span))
		return false;
	for (i = 0; i < 2 && span.len[i]; i++) {
		void *to = host_ptr(span.pa[i], span.len[i]);

		if (to)
			memcpy(to, from, span.len[i]);
		from += span.len[i];
	}
	return true;
}
