// SPDX-License-Identifier: GPL-2.0-only
/*
 * Decoder for the instructions with which guests touch device memory. SDM
 * numbers are of volume 2: chapter 2 for the formats, appendix A for the maps.
 *
 * The bytes are the guest's and may be anything. Whatever is not in the tables
 * is refused by name.
 */
#include "insn.h"

#define FLAG_CF BIT(0)
#define FLAG_PF BIT(2)
#define FLAG_AF BIT(4)
#define FLAG_ZF BIT(6)
#define FLAG_SF BIT(7)
#define FLAG_DF BIT(10)
#define FLAG_OF BIT(11)
#define FLAG_ARITH (FLAG_CF | FLAG_PF | FLAG_AF | FLAG_ZF | FLAG_SF | FLAG_OF)

#define REX_W BIT(3)
#define REX_R BIT(2)
#define REX_X BIT(1)
#define REX_B BIT(0)

#define NO_SEG INSN_NR_SEGS

enum form {
	FORM_MR,     /* memory <- register */
	FORM_RM,     /* register <- memory */
	FORM_MI,     /* memory <- immediate of the operand size, at most 4 bytes */
	FORM_MI8,    /* memory <- immediate byte */
	FORM_AO,     /* accumulator <- absolute offset */
	FORM_OA,     /* absolute offset <- accumulator */
	FORM_STRING, /* RSI and RDI */
};

/* Operations that ModRM.reg selects: A.4.2. */
enum group { GROUP_NONE, GROUP_1, GROUP_3, GROUP_8, GROUP_11 };

static const u8 groups[][8] = {
	[GROUP_1] = { INSN_ADD, INSN_OR, 0, 0, INSN_AND, INSN_SUB, INSN_XOR, INSN_CMP },
	[GROUP_3] = { INSN_TEST },
	[GROUP_8] = { 0, 0, 0, 0, INSN_BT, INSN_BTS, INSN_BTR, INSN_BTC },
	[GROUP_11] = { INSN_MOV },
};

#define ONLY_64BIT BIT(0) /* means something else in other modes */
#define NO_16BIT BIT(1)	  /* "NP" in the SDM, reserved with an operand size of 16 bits */

/**
 * struct opcode - one entry of the maps
 * @op: enum insn_op, 0 with a group or an unsupported opcode
 * @group: enum group that gives the operation
 * @form: enum form
 * @byte: operands are bytes, else they are of the operand size
 * @mem: bytes of memory where these are fewer than the operand size
 * @flags: ONLY_64BIT, NO_16BIT
 */
struct opcode {
	u8 op;
	u8 group;
	u8 form;
	bool byte;
	u8 mem;
	u8 flags;
};

/* The layout of most of the upper half of table A-2. */
#define FOUR(base, name)                                                \
	[(base)] = { .op = (name), .form = FORM_MR, .byte = true },     \
	[(base) + 1] = { .op = (name), .form = FORM_MR },               \
	[(base) + 2] = { .op = (name), .form = FORM_RM, .byte = true }, \
	[(base) + 3] = { .op = (name), .form = FORM_RM }

/* Table A-2. */
static const struct opcode map_one[256] = {
	FOUR(0x00, INSN_ADD),
	FOUR(0x08, INSN_OR),
	FOUR(0x20, INSN_AND),
	FOUR(0x28, INSN_SUB),
	FOUR(0x30, INSN_XOR),
	FOUR(0x38, INSN_CMP),
	[0x63] = { .op = INSN_MOVSX, .form = FORM_RM, .mem = 4, .flags = ONLY_64BIT },
	[0x80] = { .group = GROUP_1, .form = FORM_MI8, .byte = true },
	[0x81] = { .group = GROUP_1, .form = FORM_MI },
	[0x83] = { .group = GROUP_1, .form = FORM_MI8 },
	[0x84] = { .op = INSN_TEST, .form = FORM_MR, .byte = true },
	[0x85] = { .op = INSN_TEST, .form = FORM_MR },
	[0x86] = { .op = INSN_XCHG, .form = FORM_MR, .byte = true },
	[0x87] = { .op = INSN_XCHG, .form = FORM_MR },
	FOUR(0x88, INSN_MOV),
	[0xa0] = { .op = INSN_MOV, .form = FORM_AO, .byte = true },
	[0xa1] = { .op = INSN_MOV, .form = FORM_AO },
	[0xa2] = { .op = INSN_MOV, .form = FORM_OA, .byte = true },
	[0xa3] = { .op = INSN_MOV, .form = FORM_OA },
	[0xa4] = { .op = INSN_MOVS, .form = FORM_STRING, .byte = true },
	[0xa5] = { .op = INSN_MOVS, .form = FORM_STRING },
	[0xaa] = { .op = INSN_STOS, .form = FORM_STRING, .byte = true },
	[0xab] = { .op = INSN_STOS, .form = FORM_STRING },
	[0xc6] = { .group = GROUP_11, .form = FORM_MI8, .byte = true },
	[0xc7] = { .group = GROUP_11, .form = FORM_MI },
	[0xf6] = { .group = GROUP_3, .form = FORM_MI8, .byte = true },
	[0xf7] = { .group = GROUP_3, .form = FORM_MI },
};

/* Table A-3: after 0F. */
static const struct opcode map_two[256] = {
	[0xb6] = { .op = INSN_MOV, .form = FORM_RM, .mem = 1 },
	[0xb7] = { .op = INSN_MOV, .form = FORM_RM, .mem = 2 },
	[0xba] = { .group = GROUP_8, .form = FORM_MI8 },
	[0xbe] = { .op = INSN_MOVSX, .form = FORM_RM, .mem = 1 },
	[0xbf] = { .op = INSN_MOVSX, .form = FORM_RM, .mem = 2 },
	[0xc3] = { .op = INSN_MOV, .form = FORM_MR, .flags = NO_16BIT },
};

/**
 * struct decoder - an instruction being taken apart
 * @pos: bytes consumed
 * @error: the first error; from then on fetches give 0, so that only the end
 *	has to look at it
 * @seg: segment override, or NO_SEG
 * @rep: F2 or F3 was seen
 * @opsize16, @addrsize: 66 and 67 were seen
 * @modrm: the byte
 * @op_size: of the opcode, in bytes
 * @ea: effective address, wrapped to the address size only when it is complete
 * @rip_relative: RIP after the instruction has still to be added to @ea
 */
struct decoder {
	const u8 *bytes;
	u32 len;
	u32 pos;
	int error;
	const struct insn_ctx *ctx;
	u8 rex;
	u8 seg;
	bool rep;
	bool lock;
	bool opsize16;
	bool addrsize;
	u8 modrm;
	u8 op_size;
	u8 addr_size;
	u64 ea;
	bool rip_relative;
};

static void fail(struct decoder *d, int error)
{
	if (!d->error)
		d->error = error;
}

static u64 mask_of(u32 size)
{
	return ~0ULL >> (64 - 8 * size);
}

static u64 sign_extend(u64 value, u32 size)
{
	u32 shift = 64 - 8 * size;

	return (u64)((s64)(value << shift) >> shift);
}

static u64 fetch(struct decoder *d, u32 size)
{
	u64 value = 0;

	for (u32 i = 0; i < size; i++, d->pos++) {
		if (d->pos >= INSN_MAX_LENGTH)
			fail(d, INSN_ETOOLONG);
		else if (d->pos >= d->len)
			fail(d, INSN_ESHORT);
		if (d->error)
			return 0;
		value |= (u64)d->bytes[d->pos] << (8 * i);
	}
	return value;
}

static u64 fetch_signed(struct decoder *d, u32 size)
{
	return sign_extend(fetch(d, size), size);
}

/* 2.1.1: two different prefixes of the segment group have no defined meaning. */
static void override_segment(struct decoder *d, u8 seg)
{
	if (d->seg != NO_SEG && d->seg != seg)
		fail(d, INSN_EPREFIX);
	d->seg = seg;
}

static bool legacy_prefix(struct decoder *d, u8 byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
		override_segment(d, (byte >> 3) & 3);
		return true;
	case 0x64:
	case 0x65:
		override_segment(d, byte - 0x64 + INSN_FS);
		return true;
	case 0x66:
		d->opsize16 = true;
		return true;
	case 0x67:
		d->addrsize = true;
		return true;
	case 0xf0:
		d->lock = true;
		return true;
	case 0xf2:
	case 0xf3:
		d->rep = true;
		return true;
	}
	return false;
}

/*
 * Consume all prefixes and return the byte after them. 2.2.1: a REX that is
 * not the last is ignored.
 */
static u8 decode_prefixes(struct decoder *d)
{
	u8 byte = fetch(d, 1);

	while (!d->error) {
		if (legacy_prefix(d, byte))
			d->rex = 0;
		else if (d->ctx->mode == INSN_64 && (byte & 0xf0) == 0x40)
			d->rex = byte;
		else
			break;
		byte = fetch(d, 1);
	}
	return byte;
}

/* SDM 1, 3.6: REX.W wins over 66; each of 66 and 67 picks the other size. */
static void decode_sizes(struct decoder *d, const struct opcode *opcode)
{
	static const u8 address_size[3][2] = { { 2, 4 }, { 4, 2 }, { 8, 4 } };
	bool op16 = (d->ctx->mode == INSN_16) != d->opsize16;

	d->addr_size = address_size[d->ctx->mode][d->addrsize];
	if (opcode->byte)
		d->op_size = 1;
	else if (d->rex & REX_W)
		d->op_size = 8;
	else
		d->op_size = op16 ? 2 : 4;
}

static const struct opcode *decode_opcode(struct decoder *d)
{
	const struct opcode *opcode;
	u8 byte = decode_prefixes(d);

	if (byte == 0x0f)
		opcode = &map_two[fetch(d, 1)];
	else
		opcode = &map_one[byte];

	if (!opcode->op && !opcode->group)
		fail(d, INSN_EUNSUPPORTED);
	if (opcode->flags & ONLY_64BIT && d->ctx->mode != INSN_64)
		fail(d, INSN_EUNSUPPORTED);
	if (opcode->flags & NO_16BIT && (d->ctx->mode == INSN_16 || d->opsize16))
		fail(d, INSN_EUNSUPPORTED);
	/* 2.1.1: F2 and F3 are reserved but for string instructions. */
	if (d->rep && opcode->form != FORM_STRING)
		fail(d, INSN_EPREFIX);
	return opcode;
}

static u64 reg_at(const struct decoder *d, u8 field, u8 rex_bit)
{
	return d->ctx->regs[field | (d->rex & rex_bit ? 8 : 0)];
}

/* Base and index by ModRM.rm, table 2-1; the second of one register adds 0. */
static void decode_ea16(struct decoder *d)
{
	static const u8 base[8] = { INSN_RBX, INSN_RBX, INSN_RBP, INSN_RBP,
				    INSN_RSI, INSN_RDI, INSN_RBP, INSN_RBX };
	u8 mod = d->modrm >> 6, rm = d->modrm & 7;
	const u64 *regs = d->ctx->regs;

	if (mod == 0 && rm == 6) {
		d->ea = fetch(d, 2);
		return;
	}
	d->ea = regs[base[rm]];
	if (rm < 4)
		d->ea += regs[rm & 1 ? INSN_RDI : INSN_RSI];
	if (mod)
		d->ea += fetch_signed(d, mod);
	if (base[rm] == INSN_RBP && d->seg == NO_SEG)
		d->seg = INSN_SS;
}

/* Table 2-3. Returns the base, for the displacement and the default segment. */
static u8 decode_sib(struct decoder *d)
{
	u8 sib = fetch(d, 1);
	u8 index = (sib >> 3) & 7;

	/* Index 4 is none; R12 can be one (2.2.1.2). */
	if (index != 4 || d->rex & REX_X)
		d->ea = reg_at(d, index, REX_X) << (sib >> 6);
	return sib & 7;
}

/* Tables 2-2 and 2-3; 2.2.1.6 for RIP-relative. */
static void decode_ea32(struct decoder *d)
{
	u8 mod = d->modrm >> 6, rm = d->modrm & 7;
	u8 base = rm == 4 ? decode_sib(d) : rm;

	if (mod == 0 && base == 5) {
		d->ea += fetch_signed(d, 4);
		d->rip_relative = rm == 5 && d->ctx->mode == INSN_64;
		return;
	}
	d->ea += reg_at(d, base, REX_B);
	if (mod)
		d->ea += fetch_signed(d, mod == 1 ? 1 : 4);
	if ((base == INSN_RSP || base == INSN_RBP) && d->seg == NO_SEG)
		d->seg = INSN_SS;
}

static void decode_modrm(struct decoder *d, const struct opcode *opcode, struct mmio_insn *insn)
{
	u8 reg;

	d->modrm = fetch(d, 1);
	reg = (d->modrm >> 3) & 7;
	if (opcode->group)
		insn->op = groups[opcode->group][reg];
	if (!insn->op)
		fail(d, INSN_EUNSUPPORTED);
	if (d->modrm >> 6 == 3)
		fail(d, INSN_ENOACCESS);

	/* Without REX byte registers 4 to 7 are AH, CH, DH and BH (table 3-1). */
	if (d->op_size == 1 && !d->rex && reg >= 4) {
		insn->reg = reg - 4;
		insn->reg_high = true;
	} else {
		insn->reg = reg | (d->rex & REX_R ? 8 : 0);
	}

	if (d->addr_size == 2)
		decode_ea16(d);
	else
		decode_ea32(d);
}

static u64 linear_address(const struct decoder *d, u8 seg, u64 ea)
{
	ea &= mask_of(d->addr_size);
	if (d->ctx->mode != INSN_64)
		return (ea + d->ctx->seg_base[seg]) & mask_of(4);
	if (seg == INSN_FS || seg == INSN_GS)
		ea += d->ctx->seg_base[seg];
	return ea;
}

static void decode_string(struct decoder *d, struct mmio_insn *insn)
{
	const u64 *regs = d->ctx->regs;
	u8 seg = d->seg == NO_SEG ? INSN_DS : d->seg;

	/* The destination is ES whatever the prefix says. */
	insn->linear = linear_address(d, INSN_ES, regs[INSN_RDI]);
	if (insn->op == INSN_MOVS)
		insn->linear_src = linear_address(d, seg, regs[INSN_RSI]);
	insn->rep = d->rep;
	if (d->rep && !(regs[INSN_RCX] & mask_of(d->addr_size)))
		fail(d, INSN_ENOACCESS);
}

static void decode_operands(struct decoder *d, const struct opcode *opcode,
			    struct mmio_insn *insn)
{
	u8 form = opcode->form;

	insn->op = opcode->op;
	insn->reg_size = d->op_size;
	insn->size = opcode->mem ? min_u64(opcode->mem, d->op_size) : d->op_size;
	insn->addr_size = d->addr_size;
	insn->mode = d->ctx->mode;

	if (form == FORM_STRING) {
		decode_string(d, insn);
		return;
	}
	if (form == FORM_AO || form == FORM_OA)
		d->ea = fetch(d, d->addr_size);
	else
		decode_modrm(d, opcode, insn);
	insn->reg_dest = form == FORM_RM || form == FORM_AO;
	insn->has_imm = form == FORM_MI || form == FORM_MI8;
	if (insn->has_imm)
		insn->imm = fetch_signed(d, form == FORM_MI8 ? 1 : min_u64(d->op_size, 4));
	if (d->rip_relative)
		d->ea += d->ctx->rip + d->pos;
	insn->linear = linear_address(d, d->seg == NO_SEG ? INSN_DS : d->seg, d->ea);
}

static bool only_sets_flags(u8 op)
{
	return op == INSN_CMP || op == INSN_TEST || op == INSN_BT;
}

static bool only_moves(u8 op)
{
	return op == INSN_MOV || op == INSN_STOS;
}

static void derive_access(struct decoder *d, struct mmio_insn *insn)
{
	insn->needs_read = insn->reg_dest || !only_moves(insn->op);
	insn->needs_write = !insn->reg_dest && !only_sets_flags(insn->op);
	insn->locked = d->lock || insn->op == INSN_XCHG;

	/* LOCK is for what reads and writes one operand, and is #UD elsewhere. */
	if (d->lock && (!insn->needs_read || !insn->needs_write || insn->op == INSN_MOVS))
		fail(d, INSN_ELOCK);
}

int insn_decode_mmio(const u8 *bytes, u32 len, const struct insn_ctx *ctx,
		     struct mmio_insn *out)
{
	struct decoder d = { .bytes = bytes, .len = len, .ctx = ctx, .seg = NO_SEG };
	const struct opcode *opcode = decode_opcode(&d);
	struct mmio_insn insn = { 0 };

	if (d.error)
		return d.error;
	decode_sizes(&d, opcode);
	decode_operands(&d, opcode, &insn);
	derive_access(&d, &insn);
	if (d.error)
		return d.error;
	insn.length = d.pos;
	*out = insn;
	return INSN_OK;
}

static u64 read_reg(const struct mmio_insn *insn, const u64 regs[INSN_NR_REGS])
{
	return (insn->reg_high ? regs[insn->reg] >> 8 : regs[insn->reg]) &
	       mask_of(insn->reg_size);
}

/* SDM 1, 3.4.1.1: writing 4 bytes clears the upper 4, writing fewer does not. */
static void write_reg(u64 *reg, u64 value, u32 size)
{
	u64 mask = size == 4 ? ~0ULL : mask_of(size);

	*reg = (*reg & ~mask) | (value & mask_of(size));
}

static void write_dest(const struct mmio_insn *insn, u64 regs[INSN_NR_REGS], u64 value)
{
	u64 *reg = &regs[insn->reg];

	if (insn->reg_high)
		*reg = (*reg & ~0xff00ULL) | (value & 0xff) << 8;
	else
		write_reg(reg, value, insn->reg_size);
}

/* The operand that is not memory. */
static u64 other_operand(const struct mmio_insn *insn, const u64 regs[INSN_NR_REGS])
{
	u64 value = insn->has_imm ? insn->imm : read_reg(insn, regs);

	return value & mask_of(insn->size);
}

u64 mmio_insn_store_value(const struct mmio_insn *insn, const u64 regs[INSN_NR_REGS])
{
	return other_operand(insn, regs);
}

/*
 * SDM 1, 3.4.3.1. @carries: the carry or borrow out of each bit; @overflow: its
 * top bit is OF.
 */
static void set_arith_flags(u64 *rflags, u64 result, u32 size, u64 carries, u64 overflow)
{
	u32 top = 8 * size - 1;
	u64 flags = 0;

	if (carries >> top & 1)
		flags |= FLAG_CF;
	if (!(__builtin_popcount(result & 0xff) & 1))
		flags |= FLAG_PF;
	if (carries & BIT(3))
		flags |= FLAG_AF;
	if (!(result & mask_of(size)))
		flags |= FLAG_ZF;
	if (result >> top & 1)
		flags |= FLAG_SF;
	if (overflow >> top & 1)
		flags |= FLAG_OF;
	*rflags = (*rflags & ~FLAG_ARITH) | flags;
}

static u64 bit_test(u8 op, u64 a, u64 offset, u32 size, u64 *rflags)
{
	u64 bit = BIT(offset & (8 * size - 1));

	/* Only CF is defined; ZF is said to stay, and the others do (BT). */
	*rflags = (*rflags & ~FLAG_CF) | (a & bit ? FLAG_CF : 0);
	if (op == INSN_BTS)
		return a | bit;
	if (op == INSN_BTR)
		return a & ~bit;
	return op == INSN_BTC ? a ^ bit : a;
}

/* @a is the destination. */
static u64 compute(u8 op, u64 a, u64 b, u32 size, u64 *rflags)
{
	u64 result, carries = 0, overflow = 0;

	switch (op) {
	case INSN_ADD:
		result = a + b;
		carries = (a & b) | ((a | b) & ~result);
		overflow = (a ^ result) & (b ^ result);
		break;
	case INSN_SUB:
	case INSN_CMP:
		result = a - b;
		carries = (~a & b) | ((~a | b) & result);
		overflow = (a ^ b) & (a ^ result);
		break;
	case INSN_OR:
		result = a | b;
		break;
	case INSN_XOR:
		result = a ^ b;
		break;
	case INSN_AND:
	case INSN_TEST:
		result = a & b;
		break;
	default:
		return bit_test(op, a, b, size, rflags);
	}
	set_arith_flags(rflags, result, size, carries, overflow);
	return result & mask_of(size);
}

static void advance_string(const struct mmio_insn *insn, u64 regs[INSN_NR_REGS], u64 rflags)
{
	u64 step = rflags & FLAG_DF ? -(u64)insn->size : insn->size;
	u32 size = insn->addr_size;

	write_reg(&regs[INSN_RDI], regs[INSN_RDI] + step, size);
	if (insn->op == INSN_MOVS)
		write_reg(&regs[INSN_RSI], regs[INSN_RSI] + step, size);
	if (insn->rep)
		write_reg(&regs[INSN_RCX], regs[INSN_RCX] - 1, size);
}

void mmio_insn_complete(const struct mmio_insn *insn, u64 data, u64 regs[INSN_NR_REGS],
			u64 *rflags, u64 *store_value)
{
	u64 other = other_operand(insn, regs);
	u64 result;

	data &= mask_of(insn->size);
	switch (insn->op) {
	case INSN_MOV:
		result = insn->reg_dest ? data : other;
		break;
	case INSN_MOVSX:
		result = sign_extend(data, insn->size);
		break;
	case INSN_XCHG:
		result = other;
		write_dest(insn, regs, data);
		break;
	case INSN_MOVS:
		result = data;
		advance_string(insn, regs, *rflags);
		break;
	case INSN_STOS:
		result = other;
		advance_string(insn, regs, *rflags);
		break;
	default:
		if (insn->reg_dest)
			result = compute(insn->op, other, data, insn->size, rflags);
		else
			result = compute(insn->op, data, other, insn->size, rflags);
	}
	/* CMP has a form with reg_dest that writes no register. */
	if (insn->reg_dest && !only_sets_flags(insn->op))
		write_dest(insn, regs, result);
	*store_value = insn->needs_write ? result : 0;
}

u64 mmio_insn_next_rip(const struct mmio_insn *insn, const u64 regs[INSN_NR_REGS], u64 rip)
{
	if (insn->rep && regs[INSN_RCX] & mask_of(insn->addr_size))
		return rip;
	rip += insn->length;
	return insn->mode == INSN_64 ? rip : rip & mask_of(4);
}
