/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Decoding and finishing a guest instruction that touches emulated memory.
 *
 * KVM cannot fetch the instruction of a confidential VM, so the monitor decodes
 * it and hands KVM plain loads and stores. How a caller goes about it:
 *
 *	1. insn_decode_mmio() with what hardware had in its registers at the exit;
 *	   translate ->linear (and ->linear_src) for ->size bytes. Another vCPU may
 *	   have rewritten the instruction since it faulted: go on only if an
 *	   address found is that of the exit. Inject the #PF of the other side of
 *	   a MOVS before touching the device.
 *	2. if ->needs_read: fetch ->size bytes, from ->linear_src for MOVS, else
 *	   from ->linear.
 *	3. mmio_insn_complete() on a copy of the registers.
 *	4. if ->needs_write: write ->size bytes of *@store_value to ->linear.
 *	5. take the registers over and resume at mmio_insn_next_rip(). One round of
 *	   a REP is done at a time; until the last the RIP stays where it is.
 *
 * Left to the caller: the trap of RFLAGS.TF, RFLAGS.RF, interrupt shadows, and
 * operands that cross a page.
 */
#ifndef _CORE_INSN_H
#define _CORE_INSN_H

#include "../npt/shim.h"

#define INSN_MAX_LENGTH 15

/* Why no instruction was made out; the guest's state is untouched. */
enum insn_error {
	INSN_OK = 0,
	INSN_ESHORT,	   /* the bytes given end within the instruction */
	INSN_ETOOLONG,	   /* more than 15 bytes: #GP */
	INSN_EUNSUPPORTED, /* an opcode that is not in the tables */
	INSN_EPREFIX,	   /* reserved or contradicting prefixes */
	INSN_ELOCK,	   /* LOCK on what cannot be locked: #UD */
	INSN_ENOACCESS,	   /* touches no memory: a register operand, REP with count 0 */
};

/* CS.D and CS.L: default operand and address size. */
enum insn_mode { INSN_16, INSN_32, INSN_64 };

/* Encoding order of SDM 2A table 2-2 and 3-1. */
enum insn_reg {
	INSN_RAX,
	INSN_RCX,
	INSN_RDX,
	INSN_RBX,
	INSN_RSP,
	INSN_RBP,
	INSN_RSI,
	INSN_RDI,
	INSN_NR_REGS = 16,
};

enum insn_seg { INSN_ES, INSN_CS, INSN_SS, INSN_DS, INSN_FS, INSN_GS, INSN_NR_SEGS };

/**
 * struct insn_ctx - the guest as it was when the instruction started
 * @mode: enum insn_mode
 * @regs: in the order of enum insn_reg, then R8 to R15
 * @rip: of the instruction
 * @rflags: not needed to decode; kept with @regs for mmio_insn_complete()
 * @seg_base: in the order of enum insn_seg; in 64-bit mode only FS and GS are used
 */
struct insn_ctx {
	u8 mode;
	u64 regs[INSN_NR_REGS];
	u64 rip;
	u64 rflags;
	u64 seg_base[INSN_NR_SEGS];
};

enum insn_op {
	INSN_NONE,
	INSN_MOV, /* MOV, MOVZX, MOVNTI; loads are zero-extended to @reg_size */
	INSN_MOVSX,
	INSN_ADD,
	INSN_OR,
	INSN_AND,
	INSN_SUB,
	INSN_XOR,
	INSN_CMP,
	INSN_TEST,
	INSN_BT,
	INSN_BTS,
	INSN_BTR,
	INSN_BTC,
	INSN_XCHG,
	INSN_MOVS,
	INSN_STOS,
};

/**
 * struct mmio_insn - one instruction with one memory operand (MOVS: two)
 * @length: in bytes
 * @op: enum insn_op
 * @size: bytes of memory read, written or both: 1, 2, 4 or 8
 * @reg: number of the register operand, if there is no immediate
 * @reg_size: bytes of @reg that take part; 1 and 2 leave the rest of it alone,
 *	4 clears its upper half
 * @reg_high: @reg is AH, CH, DH or BH, and numbered as RAX, RCX, RDX or RBX
 * @reg_dest: the result goes to @reg, memory is only read
 * @has_imm: the operand besides memory is @imm, not @reg
 * @needs_read: the completion needs the old contents of memory
 * @needs_write: the completion yields a value to be written
 * @locked: LOCK prefix or XCHG: the guest expects read and write to be one
 * @rep: repeat prefix: RCX counts
 * @addr_size: bytes of RSI, RDI and RCX that MOVS, STOS and REP use
 * @mode: enum insn_mode, of the context
 * @imm: immediate, sign-extended
 * @linear: address of the memory operand; of the destination, for MOVS
 * @linear_src: address of the source of MOVS
 */
struct mmio_insn {
	u8 length;
	u8 op;
	u8 size;
	u8 reg;
	u8 reg_size;
	bool reg_high;
	bool reg_dest;
	bool has_imm;
	bool needs_read;
	bool needs_write;
	bool locked;
	bool rep;
	u8 addr_size;
	u8 mode;
	u64 imm;
	u64 linear;
	u64 linear_src;
};

/**
 * insn_decode_mmio() - make out the instruction at @ctx->rip
 * @bytes: its bytes, as many as could be fetched; those after it are not looked at
 * @len: how many
 * @out: written only when INSN_OK is returned
 *
 * Return: INSN_OK or the enum insn_error that says why not. INSN_ENOACCESS
 * means that the bytes are not those that caused the exit: run it again.
 */
int __must_check insn_decode_mmio(const u8 *bytes, u32 len, const struct insn_ctx *ctx,
				  struct mmio_insn *out);

/**
 * mmio_insn_store_value() - what a write without a read will write
 *
 * For a caller that sends the write before it completes: MOV to memory, STOS.
 */
u64 mmio_insn_store_value(const struct mmio_insn *insn, const u64 regs[INSN_NR_REGS]);

/**
 * mmio_insn_complete() - work out the effects of the instruction
 * @data: what was read, if @insn->needs_read; bits above @insn->size are ignored
 * @regs: brought up to date
 * @rflags: brought up to date; flags the SDM calls undefined get some value
 * @store_value: what to write, if @insn->needs_write, else 0
 */
void mmio_insn_complete(const struct mmio_insn *insn, u64 data, u64 regs[INSN_NR_REGS],
			u64 *rflags, u64 *store_value);

/**
 * mmio_insn_next_rip() - where to go on
 * @regs: after mmio_insn_complete()
 * @rip: of the instruction
 */
u64 mmio_insn_next_rip(const struct mmio_insn *insn, const u64 regs[INSN_NR_REGS], u64 rip);

#endif /* _CORE_INSN_H */
