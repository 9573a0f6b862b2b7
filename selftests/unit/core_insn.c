// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/insn.c */
/*
 * The instruction decoder: a table of encodings, the exact set of opcodes it
 * takes, random bytes, and random instructions that the CPU executes as well.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/insn.h"
#include "unit.h"

#define ARITH 0x8d5ULL /* CF PF AF ZF SF OF */
#define AF 0x10ULL
#define DF 0x400ULL

static u64 below(u64 n)
{
	return unit_random() % n;
}

static bool chance(u32 percent)
{
	return below(100) < percent;
}

/* ---- encodings --------------------------------------------------------- */

#define RD BIT(0)    /* needs_read */
#define WR BIT(1)    /* needs_write */
#define DEST BIT(2)  /* reg_dest */
#define IMM BIT(3)   /* has_imm */
#define HIGH BIT(4)  /* reg_high */
#define LOCK BIT(5)  /* locked */
#define REP BIT(6)   /* rep */
#define LOAD (RD | DEST)

/* The bytes are what GNU as makes of the name; the registers, see fill_ctx(). */
static const struct encoding {
	const char *name;
	u8 mode;
	const char *bytes;
	u8 op, size, reg, reg_size;
	u32 flags;
	u64 imm, linear, linear_src;
} encodings[] = {
#define S(name, mode, bytes, op, size, reg, reg_size, flags, imm, linear, linear_src)        \
	{ name, INSN_##mode, bytes, INSN_##op, size, reg, reg_size, flags, imm, linear, linear_src }
#define E(name, mode, bytes, op, size, reg, reg_size, flags, imm, linear)                    \
	S(name, mode, bytes, op, size, reg, reg_size, flags, imm, linear, 0)
	E("mov %al,(%rdx)", 64, "88 02", MOV, 1, 0, 1, WR, 0, 0x30000002000),
	E("mov %ah,(%rdx)", 64, "88 22", MOV, 1, 0, 1, WR | HIGH, 0, 0x30000002000),
	E("mov %bh,(%rdx)", 64, "88 3a", MOV, 1, 3, 1, WR | HIGH, 0, 0x30000002000),
	E("mov %spl,(%rdx)", 64, "40 88 22", MOV, 1, 4, 1, WR, 0, 0x30000002000),
	E("mov %r12b,(%rdx)", 64, "44 88 22", MOV, 1, 12, 1, WR, 0, 0x30000002000),
	E("mov %eax,(%rdx)", 64, "89 02", MOV, 4, 0, 4, WR, 0, 0x30000002000),
	E("mov %rax,(%rdx)", 64, "48 89 02", MOV, 8, 0, 8, WR, 0, 0x30000002000),
	E("mov %ax,(%rdx)", 64, "66 89 02", MOV, 2, 0, 2, WR, 0, 0x30000002000),
	E("mov (%rdx),%ch", 64, "8a 2a", MOV, 1, 1, 1, LOAD | HIGH, 0, 0x30000002000),
	E("mov (%rdx),%r9d", 64, "44 8b 0a", MOV, 4, 9, 4, LOAD, 0, 0x30000002000),
	E("mov (%edx),%ecx", 64, "67 8b 0a", MOV, 4, 1, 4, LOAD, 0, 0x2000),
	E("mov 0x10(%rsp),%ecx", 64, "8b 4c 24 10", MOV, 4, 1, 4, LOAD, 0, 0x50000004010),
	E("mov -8(%rbp,%rsi,4),%ecx", 64, "8b 4c b5 f8", MOV, 4, 1, 4, LOAD, 0, 0x22000001cff8),
	E("mov 0x12345678(,%r12,8),%ecx", 64, "42 8b 0c e5 78 56 34 12", MOV, 4, 1, 4, LOAD, 0,
	  0x6800123a5678),
	E("mov -16,%ecx", 64, "8b 0c 25 f0 ff ff ff", MOV, 4, 1, 4, LOAD, 0, 0xfffffffffffffff0),
	E("mov 0x0(%r13),%ecx", 64, "41 8b 4d 00", MOV, 4, 1, 4, LOAD, 0, 0xe000000d000),
	E("mov (%r12),%ecx", 64, "41 8b 0c 24", MOV, 4, 1, 4, LOAD, 0, 0xd000000c000),
	E("mov 0x100(%rip),%ecx", 64, "8b 0d 00 01 00 00", MOV, 4, 1, 4, LOAD, 0,
	  0xffffffff81000106),
	E("movl $0x1,0x100(%rip)", 64, "c7 05 00 01 00 00 01 00 00 00", MOV, 4, 0, 4, WR | IMM, 1,
	  0xffffffff8100010a),
	E("mov 0x100(%eip),%ecx", 64, "67 8b 0d 00 01 00 00", MOV, 4, 1, 4, LOAD, 0, 0x81000107),
	E("mov %gs:0x8(%rdx),%ecx", 64, "65 8b 4a 08", MOV, 4, 1, 4, LOAD, 0, 0x30000602008),
	E("mov %fs:(%rdx),%ecx", 64, "64 8b 0a", MOV, 4, 1, 4, LOAD, 0, 0x30000502000),
	E("mov %es:(%rdx),%ecx", 64, "26 8b 0a", MOV, 4, 1, 4, LOAD, 0, 0x30000002000),
	E("movabs 0x1122334455667788,%al", 64, "a0 88 77 66 55 44 33 22 11", MOV, 1, 0, 1, LOAD, 0,
	  0x1122334455667788),
	E("movabs %rax,0x1122334455667788", 64, "48 a3 88 77 66 55 44 33 22 11", MOV, 8, 0, 8, WR,
	  0, 0x1122334455667788),
	E("addr32 mov 0x11223344,%eax", 64, "67 a1 44 33 22 11", MOV, 4, 0, 4, LOAD, 0, 0x11223344),
	E("movb $0x80,(%rdx)", 64, "c6 02 80", MOV, 1, 0, 1, WR | IMM, -128, 0x30000002000),
	E("movw $0x8001,(%rdx)", 64, "66 c7 02 01 80", MOV, 2, 0, 2, WR | IMM, -32767,
	  0x30000002000),
	E("movq $-2,(%rdx)", 64, "48 c7 02 fe ff ff ff", MOV, 8, 0, 8, WR | IMM, -2, 0x30000002000),
	E("movzbl (%rdx),%esi", 64, "0f b6 32", MOV, 1, 6, 4, LOAD, 0, 0x30000002000),
	E("movzbw (%rdx),%si", 64, "66 0f b6 32", MOV, 1, 6, 2, LOAD, 0, 0x30000002000),
	E("movzwq (%rdx),%r8", 64, "4c 0f b7 02", MOV, 2, 8, 8, LOAD, 0, 0x30000002000),
	E("movsbl (%rdx),%esi", 64, "0f be 32", MOVSX, 1, 6, 4, LOAD, 0, 0x30000002000),
	E("movswq (%rdx),%rsi", 64, "48 0f bf 32", MOVSX, 2, 6, 8, LOAD, 0, 0x30000002000),
	E("movslq (%rdx),%rsi", 64, "48 63 32", MOVSX, 4, 6, 8, LOAD, 0, 0x30000002000),
	E("movnti %rax,(%rdx)", 64, "48 0f c3 02", MOV, 8, 0, 8, WR, 0, 0x30000002000),
	E("add %cl,(%rdx)", 64, "00 0a", ADD, 1, 1, 1, RD | WR, 0, 0x30000002000),
	E("add (%rdx),%cl", 64, "02 0a", ADD, 1, 1, 1, LOAD, 0, 0x30000002000),
	E("lock or %ecx,(%rdx)", 64, "f0 09 0a", OR, 4, 1, 4, RD | WR | LOCK, 0, 0x30000002000),
	E("and (%rdx),%rcx", 64, "48 23 0a", AND, 8, 1, 8, LOAD, 0, 0x30000002000),
	E("sub %cx,(%rdx)", 64, "66 29 0a", SUB, 2, 1, 2, RD | WR, 0, 0x30000002000),
	E("xor (%rdx),%ecx", 64, "33 0a", XOR, 4, 1, 4, LOAD, 0, 0x30000002000),
	E("cmp %ecx,(%rdx)", 64, "39 0a", CMP, 4, 1, 4, RD, 0, 0x30000002000),
	E("cmp (%rdx),%ecx", 64, "3b 0a", CMP, 4, 1, 4, LOAD, 0, 0x30000002000),
	E("orb $0x80,(%rdx)", 64, "80 0a 80", OR, 1, 0, 1, RD | WR | IMM, -128, 0x30000002000),
	E("andl $0x7fffffff,(%rdx)", 64, "81 22 ff ff ff 7f", AND, 4, 0, 4, RD | WR | IMM,
	  0x7fffffff, 0x30000002000),
	E("cmpw $0x1234,(%rdx)", 64, "66 81 3a 34 12", CMP, 2, 0, 2, RD | IMM, 0x1234,
	  0x30000002000),
	E("subq $-1,(%rdx)", 64, "48 83 2a ff", SUB, 8, 0, 8, RD | WR | IMM, -1, 0x30000002000),
	E("test %cl,(%rdx)", 64, "84 0a", TEST, 1, 1, 1, RD, 0, 0x30000002000),
	E("testb $0x1,0x4(%rdx)", 64, "f6 42 04 01", TEST, 1, 0, 1, RD | IMM, 1, 0x30000002004),
	E("testl $0x1,0x4(%rdx)", 64, "f7 42 04 01 00 00 00", TEST, 4, 0, 4, RD | IMM, 1,
	  0x30000002004),
	E("xchg %ecx,(%rdx)", 64, "87 0a", XCHG, 4, 1, 4, RD | WR | LOCK, 0, 0x30000002000),
	E("xchg %ch,(%rdx)", 64, "86 2a", XCHG, 1, 1, 1, RD | WR | HIGH | LOCK, 0, 0x30000002000),
	E("lock btsl $0x5,(%rdx)", 64, "f0 0f ba 2a 05", BTS, 4, 0, 4, RD | WR | IMM | LOCK, 5,
	  0x30000002000),
	E("btq $0x3f,(%rdx)", 64, "48 0f ba 22 3f", BT, 8, 0, 8, RD | IMM, 0x3f, 0x30000002000),
	S("movsb %ds:(%rsi),%es:(%rdi)", 64, "a4", MOVS, 1, 0, 1, RD | WR, 0, 0x80000007000,
	  0x70000006000),
	S("rep movsq %gs:(%rsi),%es:(%rdi)", 64, "65 f3 48 a5", MOVS, 8, 0, 8, RD | WR | REP, 0,
	  0x80000007000, 0x70000606000),
	E("rep stos %eax,%es:(%edi)", 64, "67 f3 ab", STOS, 4, 0, 4, WR | REP, 0, 0x7000),
	/* 32 bit: segments count, results wrap at 4 GiB */
	E("mov %eax,(%edx)", 32, "89 02", MOV, 4, 0, 4, WR, 0, 0x402000),
	E("mov %ax,(%edx)", 32, "66 89 02", MOV, 2, 0, 2, WR, 0, 0x402000),
	E("mov 0xfed00000,%eax", 32, "a1 00 00 d0 fe", MOV, 4, 0, 4, LOAD, 0, 0xff100000),
	E("mov 0xfed00000,%ebx", 32, "8b 1d 00 00 d0 fe", MOV, 4, 3, 4, LOAD, 0, 0xff100000),
	E("mov -4(%ebp),%ebx", 32, "8b 5d fc", MOV, 4, 3, 4, LOAD, 0, 0x304ffc),
	E("mov (%esp),%ebx", 32, "8b 1c 24", MOV, 4, 3, 4, LOAD, 0, 0x304000),
	E("mov 0x0(,%ebp,1),%ebx", 32, "8b 1c 2d 00 00 00 00", MOV, 4, 3, 4, LOAD, 0, 0x405000),
	E("mov 0x0(%ebp,%eax,2),%ebx", 32, "8b 5c 45 00", MOV, 4, 3, 4, LOAD, 0, 0x305000),
	E("mov %cs:(%edx),%ebx", 32, "2e 8b 1a", MOV, 4, 3, 4, LOAD, 0, 0x202000),
	E("mov %es:(%edx),%bh", 32, "26 8a 3a", MOV, 1, 3, 1, LOAD | HIGH, 0, 0x102000),
	E("mov %ss:0xffc00000(%edx),%ebx", 32, "36 8b 9a 00 00 c0 ff", MOV, 4, 3, 4, LOAD, 0,
	  0xfff02000),
	E("mov %fs:0xffb00000,%ebx", 32, "64 8b 1d 00 00 b0 ff", MOV, 4, 3, 4, LOAD, 0, 0),
	E("mov (%bx,%si),%eax", 32, "67 8b 00", MOV, 4, 0, 4, LOAD, 0, 0x409000),
	S("rep movsl %ds:(%esi),%es:(%edi)", 32, "f3 a5", MOVS, 4, 0, 4, RD | WR | REP, 0, 0x107000,
	  0x406000),
	/* 16 bit: offsets wrap at 64 KiB */
	E("mov %al,(%bx,%di)", 16, "88 01", MOV, 1, 0, 1, WR, 0, 0x40a000),
	E("mov 0x10(%bp,%si),%ax", 16, "8b 42 10", MOV, 2, 0, 2, LOAD, 0, 0x30b010),
	E("mov -1(%bp,%di),%ax", 16, "8b 43 ff", MOV, 2, 0, 2, LOAD, 0, 0x30bfff),
	E("mov (%si),%ax", 16, "8b 04", MOV, 2, 0, 2, LOAD, 0, 0x406000),
	E("mov 0xc000(%di),%ax", 16, "8b 85 00 c0", MOV, 2, 0, 2, LOAD, 0, 0x403000),
	E("mov 0x1234,%cx", 16, "8b 0e 34 12", MOV, 2, 1, 2, LOAD, 0, 0x401234),
	E("mov 0x0(%bp),%cx", 16, "8b 4e 00", MOV, 2, 1, 2, LOAD, 0, 0x305000),
	E("mov (%bx),%cx", 16, "8b 0f", MOV, 2, 1, 2, LOAD, 0, 0x403000),
	E("mov %es:0x8000(%bp),%cx", 16, "26 8b 8e 00 80", MOV, 2, 1, 2, LOAD, 0, 0x10d000),
	E("mov 0x1234,%al", 16, "a0 34 12", MOV, 1, 0, 1, LOAD, 0, 0x401234),
	E("mov %eax,(%edx)", 16, "67 66 89 02", MOV, 4, 0, 4, WR, 0, 0x402000),
	E("movl $0x12345678,(%si)", 16, "66 c7 04 78 56 34 12", MOV, 4, 0, 4, WR | IMM, 0x12345678,
	  0x406000),
	E("movw $0x8000,(%si)", 16, "c7 04 00 80", MOV, 2, 0, 2, WR | IMM, -32768, 0x406000),
	E("orb $0x1,(%bx)", 16, "80 0f 01", OR, 1, 0, 1, RD | WR | IMM, 1, 0x403000),
	E("rep stos %ax,%es:(%di)", 16, "f3 ab", STOS, 2, 0, 2, WR | REP, 0, 0x107000),
	S("addr32 rep movsl %fs:(%esi),%es:(%edi)", 16, "64 67 66 f3 a5", MOVS, 4, 0, 4,
	  RD | WR | REP, 0, 0x107000, 0x506000),
};

/* Register n is n + 1 in bits 47:40 and n in bits 19:12, so every sum shows its parts. */
static struct insn_ctx fill_ctx(u8 mode)
{
	struct insn_ctx ctx = { .mode = mode, .rip = 0xffffffff81000000 };

	for (u64 i = 0; i < INSN_NR_REGS; i++)
		ctx.regs[i] = (i + 1) << 40 | i << 12;
	for (u64 i = 0; i < INSN_NR_SEGS; i++)
		ctx.seg_base[i] = (i + 1) << 20;
	return ctx;
}

static u32 parse_hex(const char *text, u8 *bytes)
{
	u32 len = 0;

	for (char *end; *text; text = end)
		bytes[len++] = strtoul(text, &end, 16);
	return len;
}

static u32 insn_flags(const struct mmio_insn *insn)
{
	return insn->needs_read * RD | insn->needs_write * WR | insn->reg_dest * DEST |
	       insn->has_imm * IMM | insn->reg_high * HIGH | insn->locked * LOCK |
	       insn->rep * REP;
}

static void test_encodings(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(encodings); i++) {
		const struct encoding *e = &encodings[i];
		struct insn_ctx ctx = fill_ctx(e->mode);
		struct mmio_insn insn = { 0 };
		bool reg_used;
		u8 bytes[32];
		u32 len;
		int ret;

		len = parse_hex(e->bytes, bytes);
		ret = insn_decode_mmio(bytes, len, &ctx, &insn);
		reg_used = !(e->flags & IMM) && e->op != INSN_MOVS;
		ok(ret == INSN_OK && insn.length == len && insn.op == e->op &&
		   insn.size == e->size && insn.reg_size == e->reg_size &&
		   (!reg_used || insn.reg == e->reg) &&
		   (insn_flags(&insn) | (reg_used ? 0 : HIGH)) ==
		   (e->flags | (reg_used ? 0 : HIGH)) &&
		   insn.imm == e->imm && insn.linear == e->linear &&
		   insn.linear_src == e->linear_src, "%d bit: %s", 16 << e->mode, e->name);
	}
}

static const struct {
	const char *why;
	u8 mode;
	const char *bytes;
	int error;
} refused[] = {
	{ "no bytes", INSN_64, "", INSN_ESHORT },
	{ "prefix only", INSN_64, "48", INSN_ESHORT },
	{ "two-byte escape only", INSN_64, "0f", INSN_ESHORT },
	{ "no ModRM", INSN_64, "89", INSN_ESHORT },
	{ "no SIB", INSN_64, "89 04", INSN_ESHORT },
	{ "half a displacement", INSN_64, "89 80 00 00 00", INSN_ESHORT },
	{ "half an immediate", INSN_64, "c7 00 00 00 00", INSN_ESHORT },
	{ "half an offset", INSN_64, "a1 00 00 00 00 00 00 00", INSN_ESHORT },
	{ "15 prefixes", INSN_64, "66 66 66 66 66 66 66 66 66 66 66 66 66 66 66 89 00",
	  INSN_ETOOLONG },
	{ "16 bytes", INSN_64, "66 66 66 66 66 66 66 66 66 66 66 66 66 89 40 00", INSN_ETOOLONG },
	{ "register operand", INSN_64, "89 c0", INSN_ENOACCESS },
	{ "movzx of a register", INSN_64, "0f b6 c0", INSN_ENOACCESS },
	{ "lock mov", INSN_64, "f0 89 00", INSN_ELOCK },
	{ "lock add to register", INSN_64, "f0 03 00", INSN_ELOCK },
	{ "lock cmp", INSN_64, "f0 39 00", INSN_ELOCK },
	{ "lock test", INSN_64, "f0 85 00", INSN_ELOCK },
	{ "lock bt", INSN_64, "f0 0f ba 20 01", INSN_ELOCK },
	{ "lock movs", INSN_64, "f0 a4", INSN_ELOCK },
	{ "lock stos", INSN_64, "f0 aa", INSN_ELOCK },
	{ "fs and gs", INSN_64, "64 65 89 00", INSN_EPREFIX },
	{ "rep mov", INSN_64, "f3 89 00", INSN_EPREFIX },
	{ "repne movzx", INSN_64, "f2 0f b6 00", INSN_EPREFIX },
	{ "adc", INSN_64, "11 00", INSN_EUNSUPPORTED },
	{ "sbb by immediate", INSN_64, "83 18 01", INSN_EUNSUPPORTED },
	{ "not", INSN_64, "f7 10", INSN_EUNSUPPORTED },
	{ "other test", INSN_64, "f6 08 01", INSN_EUNSUPPORTED },
	{ "mov group 1", INSN_64, "c7 08 00 00 00 00", INSN_EUNSUPPORTED },
	{ "lods", INSN_64, "ac", INSN_EUNSUPPORTED },
	{ "VEX", INSN_64, "c5 f8 28 00", INSN_EUNSUPPORTED },
	{ "EVEX", INSN_64, "62 f1 7c 48 28 00", INSN_EUNSUPPORTED },
	{ "three-byte escape", INSN_64, "0f 38 f0 00", INSN_EUNSUPPORTED },
	{ "16-bit movnti", INSN_64, "66 0f c3 00", INSN_EUNSUPPORTED },
	{ "16-bit movnti by mode", INSN_16, "0f c3 00", INSN_EUNSUPPORTED },
	{ "arpl", INSN_32, "63 00", INSN_EUNSUPPORTED },
	{ "inc, no REX", INSN_32, "48 89 00", INSN_EUNSUPPORTED },
};

static void test_refused(void)
{
	struct mmio_insn insn, before;
	struct insn_ctx ctx;
	u8 bytes[32];

	memset(&before, 0x5a, sizeof(before));
	for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
		u32 len = parse_hex(refused[i].bytes, bytes);
		int ret;

		ctx = fill_ctx(refused[i].mode);
		memcpy(&insn, &before, sizeof(insn));
		ret = insn_decode_mmio(bytes, len, &ctx, &insn);
		ok(ret == refused[i].error && !memcmp(&insn, &before, sizeof(insn)),
		   "refused: %s", refused[i].why);
	}
}

static int decode_rep(u8 mode, u64 rcx, const char *hex, struct mmio_insn *insn)
{
	struct insn_ctx ctx = fill_ctx(mode);
	u8 bytes[16];

	ctx.regs[INSN_RCX] = rcx;
	return insn_decode_mmio(bytes, parse_hex(hex, bytes), &ctx, insn);
}

static void test_rep_count(void)
{
	struct mmio_insn insn;

	ok(decode_rep(INSN_64, 0, "f3 a4", &insn) == INSN_ENOACCESS, "rep with no count");
	ok(decode_rep(INSN_64, 1ULL << 32, "f3 a4", &insn) == INSN_OK, "count in RCX");
	ok(decode_rep(INSN_64, 1ULL << 32, "f3 67 a4", &insn) == INSN_ENOACCESS, "count in ECX");
	ok(decode_rep(INSN_32, 1 << 16, "f3 a4", &insn) == INSN_OK, "count in ECX, 32 bit");
	ok(decode_rep(INSN_16, 1 << 16, "f3 a4", &insn) == INSN_ENOACCESS, "count in CX");
	ok(decode_rep(INSN_64, 0, "a4", &insn) == INSN_OK, "no rep, no count");
}

/* Registers of 16-bit addressing keep their upper parts; IP does not leave 32 bits. */
static void test_narrow_completion(void)
{
	u64 regs[INSN_NR_REGS] = {
		[INSN_RCX] = 0x10001, [INSN_RSI] = 0x2ffff, [INSN_RDI] = 0x3fffe
	};
	struct mmio_insn insn;
	u64 value, flags = 0;

	check(decode_rep(INSN_16, 0x10001, "f3 66 a5", &insn) == INSN_OK);
	mmio_insn_complete(&insn, 0x1122334455667788, regs, &flags, &value);
	ok(value == 0x55667788 && regs[INSN_RCX] == 0x10000 && regs[INSN_RSI] == 0x20003 &&
	   regs[INSN_RDI] == 0x30002, "16-bit string registers");
	ok(mmio_insn_next_rip(&insn, regs, 0xfffe) == 0x10001, "count in CX is used up");
	ok(mmio_insn_next_rip(&insn, regs, 0xfffffffe) == 1, "RIP wraps at 32 bits");
	regs[INSN_RCX] = 1;
	ok(mmio_insn_next_rip(&insn, regs, 0x1234) == 0x1234, "rep stays");
	check(decode_rep(INSN_64, 1, "a4", &insn) == INSN_OK);
	ok(mmio_insn_next_rip(&insn, regs, 0xfffffffe) == 0xffffffff, "RIP has 64 bits");
}

/* ---- the exact set ------------------------------------------------------ */

/* Opcodes with a ModRM whose memory form is taken, by /reg; from the SDM's summary. */
static bool in_the_set(bool two, u8 opcode, u8 reg, u8 mode)
{
	if (two) {
		switch (opcode) {
		case 0xb6: case 0xb7: case 0xbe: case 0xbf:
			return true;
		case 0xc3:
			return mode != INSN_16;
		case 0xba:
			return reg >= 4;
		}
		return false;
	}
	switch (opcode) {
	case 0x00 ... 0x03: case 0x08 ... 0x0b: case 0x20 ... 0x23: case 0x28 ... 0x2b:
	case 0x30 ... 0x33: case 0x38 ... 0x3b: case 0x84 ... 0x8b: case 0xa0 ... 0xa5:
	case 0xaa: case 0xab:
		return true;
	case 0x63:
		return mode == INSN_64;
	case 0x80: case 0x81: case 0x83:
		return reg != 2 && reg != 3;
	case 0xc6: case 0xc7: case 0xf6: case 0xf7:
		return reg == 0;
	}
	return false;
}

static bool is_prefix(u8 byte, u8 mode)
{
	return (mode == INSN_64 && byte >> 4 == 4) ||
	       (byte && strchr("\x26\x2e\x36\x3e\x64\x65\x66\x67\xf0\xf2\xf3", byte));
}

static void test_set(void)
{
	u32 bad = 0, taken = 0;

	for (u32 i = 0; i < 3 * 2 * 256 * 8; i++) {
		u8 mode = i >> 12, opcode = i >> 3, reg = i & 7;
		struct insn_ctx ctx = fill_ctx(mode);
		bool two = i >> 11 & 1, expected;
		u8 bytes[16] = { 0 };
		struct mmio_insn insn;
		int ret;

		if (!two && (opcode == 0x0f || is_prefix(opcode, mode)))
			continue;
		bytes[0] = 0x0f;
		bytes[two] = opcode;
		bytes[two + 1] = reg << 3;
		ret = insn_decode_mmio(bytes, sizeof(bytes), &ctx, &insn);
		expected = in_the_set(two, opcode, reg, mode);
		taken += ret == INSN_OK;
		bad += ret != (expected ? INSN_OK : INSN_EUNSUPPORTED);
	}
	ok(!bad, "opcodes: exactly the set, %u taken", taken);
}

/* ---- memory next to the edge -------------------------------------------- */

#define DATA_SIZE 4096ULL

/* One page below 2 GiB between two that fault. */
static u8 *guarded_page(int prot)
{
	u8 *p = mmap(NULL, 3 * DATA_SIZE, PROT_NONE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);

	check(p != MAP_FAILED);
	check(!mprotect(p + DATA_SIZE, DATA_SIZE, prot));
	return p + DATA_SIZE;
}

/* ---- random bytes ------------------------------------------------------- */

static u32 random_bytes(u8 *bytes)
{
	static const u8 common[] = "\x66\x67\xf2\xf3\xf0\x48\x41\x0f\x0f\x65\xa5\xc7\x81\xba\xb6";
	u32 len = below(18);

	for (u32 i = 0; i < len; i++)
		bytes[i] = chance(25) ? common[below(sizeof(common) - 1)] : unit_random();
	return len;
}

static bool sane(const struct mmio_insn *insn, u32 len)
{
	u64 limit = insn->mode == INSN_64 ? ~0ULL : 0xffffffff;

	return insn->length && insn->length <= 15 && insn->length <= len && insn->op &&
	       insn->op <= INSN_STOS && strchr("\1\2\4\10", insn->size) &&
	       strchr("\1\2\4\10", insn->reg_size) && insn->size <= insn->reg_size &&
	       insn->reg < (insn->mode == INSN_64 ? 16 : 8) &&
	       (insn->needs_read || insn->needs_write) && insn->linear <= limit &&
	       insn->linear_src <= limit;
}

static bool same_insn(const struct mmio_insn *a, const struct mmio_insn *b)
{
	return !memcmp(a, b, offsetof(struct mmio_insn, mode) + 1) && a->imm == b->imm &&
	       a->linear == b->linear && a->linear_src == b->linear_src;
}

/* Never looks beyond its bytes or its end, and a part of it is not an instruction. */
static void test_random_bytes(void)
{
	u8 *edge = guarded_page(PROT_READ | PROT_WRITE) + DATA_SIZE;
	struct mmio_insn insn, again;
	u32 decoded = 0, bad = 0;
	u64 value, rflags;
	u8 bytes[20];

	for (u32 i = 0; i < 1000000; i++) {
		struct insn_ctx ctx = fill_ctx(below(3));
		u32 len = random_bytes(bytes), cut;

		memcpy(edge - len, bytes, len);
		if (insn_decode_mmio(edge - len, len, &ctx, &insn))
			continue;
		decoded++;
		bad += !sane(&insn, len);
		bad += insn_decode_mmio(bytes, insn.length, &ctx, &again) != INSN_OK;
		bad += !same_insn(&insn, &again);
		cut = below(insn.length);
		memcpy(edge - cut, bytes, cut);
		bad += insn_decode_mmio(edge - cut, cut, &ctx, &again) != INSN_ESHORT;
		rflags = unit_random();
		mmio_insn_complete(&insn, unit_random(), ctx.regs, &rflags, &value);
	}
	ok(decoded > 50000 && !bad, "random bytes: %u decoded, %u bad", decoded, bad);
}

/* ---- against the CPU ---------------------------------------------------- */

/*
 * Copied into a page that is writable and executable. Loads the registers, runs
 * the 16 bytes at native_insn, stores the registers. The stack pointer is a
 * register like the others.
 */
__asm__(".pushsection .text\n"
	"native_start:\n"
	"	push %rbx; push %rbp; push %r12; push %r13; push %r14; push %r15\n"
	"	mov %rsp, native_host(%rip)\n"
	"	pushq native_flags(%rip); popfq\n"
	"	mov native_regs(%rip), %rax;	mov native_regs+8(%rip), %rcx\n"
	"	mov native_regs+16(%rip), %rdx; mov native_regs+24(%rip), %rbx\n"
	"	mov native_regs+32(%rip), %rsp; mov native_regs+40(%rip), %rbp\n"
	"	mov native_regs+48(%rip), %rsi; mov native_regs+56(%rip), %rdi\n"
	"	mov native_regs+64(%rip), %r8;	mov native_regs+72(%rip), %r9\n"
	"	mov native_regs+80(%rip), %r10; mov native_regs+88(%rip), %r11\n"
	"	mov native_regs+96(%rip), %r12; mov native_regs+104(%rip), %r13\n"
	"	mov native_regs+112(%rip), %r14; mov native_regs+120(%rip), %r15\n"
	"native_insn:\n"
	"	.fill 16, 1, 0x90\n"
	"	mov %rax, native_regs(%rip);	mov %rcx, native_regs+8(%rip)\n"
	"	mov %rdx, native_regs+16(%rip); mov %rbx, native_regs+24(%rip)\n"
	"	mov %rsp, native_regs+32(%rip); mov %rbp, native_regs+40(%rip)\n"
	"	mov %rsi, native_regs+48(%rip); mov %rdi, native_regs+56(%rip)\n"
	"	mov %r8, native_regs+64(%rip);	mov %r9, native_regs+72(%rip)\n"
	"	mov %r10, native_regs+80(%rip); mov %r11, native_regs+88(%rip)\n"
	"	mov %r12, native_regs+96(%rip); mov %r13, native_regs+104(%rip)\n"
	"	mov %r14, native_regs+112(%rip); mov %r15, native_regs+120(%rip)\n"
	"	mov native_host(%rip), %rsp\n"
	"	pushfq; popq native_flags(%rip)\n"
	"	cld\n"
	"	pop %r15; pop %r14; pop %r13; pop %r12; pop %rbp; pop %rbx\n"
	"	ret\n"
	".balign 64\n"
	"native_regs: .fill 16, 8\n"
	"native_flags: .quad 0\n"
	"native_host: .quad 0\n"
	"native_end:\n"
	".popsection\n");

extern const u8 native_start[], native_insn[], native_regs[], native_flags[], native_end[];

static u8 *code, *data;
static u64 gs_base;

static void native_run(const u8 *bytes, u32 len, u64 regs[INSN_NR_REGS], u64 *rflags)
{
	u8 *slot = code + (native_insn - native_start);
	u64 *code_regs = (u64 *)(code + (native_regs - native_start));
	u64 *code_flags = (u64 *)(code + (native_flags - native_start));

	memset(slot, 0x90, 16);
	memcpy(slot, bytes, len);
	memcpy(code_regs, regs, 8 * INSN_NR_REGS);
	*code_flags = *rflags;
	((void (*)(void))(void *)code)();
	memcpy(regs, code_regs, 8 * INSN_NR_REGS);
	*rflags = *code_flags;
}

enum { K_MODRM, K_IMM, K_IMM8, K_OFFSET, K_STRING };

/* Forms to draw from. @ext is ModRM.reg, -1 if that is a register. */
static const struct form {
	const char *name;
	u8 escape, opcode;
	bool byte;
	u8 mem; /* bytes, 0: operand size */
	int ext;
	u8 kind;
	bool lockable;
	u64 undefined; /* flags */
} forms[] = {
#define ALU_FORMS(name, base, group, lock, undef)                                    \
	{ name " rm8,r8", 0, base, true, 0, -1, K_MODRM, lock, undef },             \
	{ name " rm,r", 0, base + 1, false, 0, -1, K_MODRM, lock, undef },          \
	{ name " r8,rm8", 0, base + 2, true, 0, -1, K_MODRM, false, undef },        \
	{ name " r,rm", 0, base + 3, false, 0, -1, K_MODRM, false, undef },         \
	{ name " rm8,imm8", 0, 0x80, true, 0, group, K_IMM, lock, undef },          \
	{ name " rm,imm", 0, 0x81, false, 0, group, K_IMM, lock, undef },           \
	{ name " rm,imm8", 0, 0x83, false, 0, group, K_IMM8, lock, undef }
	ALU_FORMS("add", 0x00, 0, true, 0),
	ALU_FORMS("or", 0x08, 1, true, AF),
	ALU_FORMS("and", 0x20, 4, true, AF),
	ALU_FORMS("sub", 0x28, 5, true, 0),
	ALU_FORMS("xor", 0x30, 6, true, AF),
	ALU_FORMS("cmp", 0x38, 7, false, 0),
	{ "movsxd", 0, 0x63, false, 4, -1, K_MODRM, false, 0 },
	{ "test rm8,r8", 0, 0x84, true, 0, -1, K_MODRM, false, AF },
	{ "test rm,r", 0, 0x85, false, 0, -1, K_MODRM, false, AF },
	{ "xchg rm8,r8", 0, 0x86, true, 0, -1, K_MODRM, true, 0 },
	{ "xchg rm,r", 0, 0x87, false, 0, -1, K_MODRM, true, 0 },
	{ "mov rm8,r8", 0, 0x88, true, 0, -1, K_MODRM, false, 0 },
	{ "mov rm,r", 0, 0x89, false, 0, -1, K_MODRM, false, 0 },
	{ "mov r8,rm8", 0, 0x8a, true, 0, -1, K_MODRM, false, 0 },
	{ "mov r,rm", 0, 0x8b, false, 0, -1, K_MODRM, false, 0 },
	{ "mov al,moffs", 0, 0xa0, true, 0, -1, K_OFFSET, false, 0 },
	{ "mov ax,moffs", 0, 0xa1, false, 0, -1, K_OFFSET, false, 0 },
	{ "mov moffs,al", 0, 0xa2, true, 0, -1, K_OFFSET, false, 0 },
	{ "mov moffs,ax", 0, 0xa3, false, 0, -1, K_OFFSET, false, 0 },
	{ "movsb", 0, 0xa4, true, 0, -1, K_STRING, false, 0 },
	{ "movs", 0, 0xa5, false, 0, -1, K_STRING, false, 0 },
	{ "stosb", 0, 0xaa, true, 0, -1, K_STRING, false, 0 },
	{ "stos", 0, 0xab, false, 0, -1, K_STRING, false, 0 },
	{ "mov rm8,imm8", 0, 0xc6, true, 0, 0, K_IMM, false, 0 },
	{ "mov rm,imm", 0, 0xc7, false, 0, 0, K_IMM, false, 0 },
	{ "test rm8,imm8", 0, 0xf6, true, 0, 0, K_IMM, false, AF },
	{ "test rm,imm", 0, 0xf7, false, 0, 0, K_IMM, false, AF },
	{ "movzx r,rm8", 0x0f, 0xb6, false, 1, -1, K_MODRM, false, 0 },
	{ "movzx r,rm16", 0x0f, 0xb7, false, 2, -1, K_MODRM, false, 0 },
	{ "movsx r,rm8", 0x0f, 0xbe, false, 1, -1, K_MODRM, false, 0 },
	{ "movsx r,rm16", 0x0f, 0xbf, false, 2, -1, K_MODRM, false, 0 },
	{ "bt", 0x0f, 0xba, false, 0, 4, K_IMM8, false, ARITH & ~0x41 },
	{ "bts", 0x0f, 0xba, false, 0, 5, K_IMM8, true, ARITH & ~0x41 },
	{ "btr", 0x0f, 0xba, false, 0, 6, K_IMM8, true, ARITH & ~0x41 },
	{ "btc", 0x0f, 0xba, false, 0, 7, K_IMM8, true, ARITH & ~0x41 },
	{ "movnti", 0x0f, 0xc3, false, 0, -1, K_MODRM, false, 0 },
};

/* An instruction being put together, and the registers that make it hit @data. */
struct made {
	const struct form *form;
	u8 bytes[24];
	u32 len;
	u8 rex;
	bool opsize16, addr32, gs, rep;
	bool hopeless; /* index and base are one register */
	u32 size;     /* of the memory operand */
	u64 target;   /* offset to be hit, segment base taken off */
	u32 rip_disp; /* where a RIP-relative displacement is to be filled in, or 0 */
	u64 regs[INSN_NR_REGS];
};

static void put(struct made *m, u64 value, u32 size)
{
	memcpy(m->bytes + m->len, &value, size);
	m->len += size;
}

/* What a register or sum is worth as an address: with 67 the upper half is noise. */
static u64 as_address(const struct made *m, u64 value)
{
	return m->addr32 ? (u32)value | unit_random() << 32 : value;
}

/* With 66, MOVSXD reads 2 bytes on Intel's CPUs (SDM 2B) and 4 on AMD's. */
static bool differs_by_vendor(const struct form *f)
{
	return f->opcode == 0x63 && !__builtin_cpu_is("intel");
}

static void make_prefixes(struct made *m)
{
	const struct form *f = m->form;
	bool lock = f->lockable && chance(20);
	u8 seg;

	m->rex = chance(60) ? 0x40 | below(16) : 0;
	m->opsize16 = chance(25) && f->opcode != 0xc3 && !differs_by_vendor(f);
	m->addr32 = chance(20);
	m->gs = chance(20);
	m->rep = f->kind == K_STRING && chance(50);
	seg = m->gs ? 0x65 : "\x26\x2e\x36\x3e"[below(4)];
	if (chance(10)) {
		put(m, 0x40 | below(16), 1); /* not the last prefix: void */
		put(m, seg, 1);
	}
	for (u32 first = below(4), i = 0; i < 4; i++) {
		switch ((first + i) % 4) {
		case 0:
			put(m, 0x66, m->opsize16);
			break;
		case 1:
			put(m, 0x67, m->addr32);
			break;
		case 2:
			put(m, seg, m->gs || chance(10));
			break;
		case 3:
			put(m, m->rep ? 0xf2 + below(2) : 0xf0, m->rep || lock);
		}
	}
	put(m, m->rex, m->rex != 0);
}

static u32 operand_size(const struct made *m)
{
	if (m->form->byte)
		return 1;
	if (m->rex & 8)
		return 8;
	return m->opsize16 ? 2 : 4;
}

/* Pick mod, rm and SIB freely, then the base or the displacement to fit. */
static void make_modrm(struct made *m)
{
	u8 mod = below(3), rm = below(8), base = rm;
	s64 disp = mod == 1 ? (int8_t)unit_random() : (int32_t)unit_random();
	u64 rest = m->target;

	put(m, mod << 6 | (m->form->ext < 0 ? below(8) : (u32)m->form->ext) << 3 | rm, 1);
	if (rm == 4) {
		u8 sib = unit_random(), index = (sib >> 3 & 7) | (m->rex & 2 ? 8 : 0);

		put(m, sib, 1);
		base = sib & 7;
		if (index != 4) {
			if (mod == 0 && base == 5)
				m->regs[index] = as_address(m, below(1000));
			else
				m->hopeless = index == (base | (m->rex & 1 ? 8 : 0));
			rest -= m->regs[index] << (sib >> 6);
		}
	}
	if (mod == 0 && base == 5) {
		if (rm == 5)
			m->rip_disp = m->len;
		put(m, rest, 4);
		return;
	}
	if (mod)
		put(m, disp, mod == 1 ? 1 : 4);
	m->regs[base | (m->rex & 1 ? 8 : 0)] = as_address(m, rest - (mod ? disp : 0));
}

static void make_operand(struct made *m)
{
	u32 op_size = operand_size(m);

	switch (m->form->kind) {
	case K_STRING:
		m->regs[INSN_RSI] = as_address(m, m->target);
		m->regs[INSN_RDI] = as_address(m, (u64)data + 512 + below(3000));
		m->regs[INSN_RCX] = as_address(m, 1 + below(8));
		return;
	case K_OFFSET:
		put(m, m->target, m->addr32 ? 4 : 8);
		return;
	}
	make_modrm(m);
	if (m->form->kind == K_IMM)
		put(m, unit_random(), op_size > 4 ? 4 : op_size);
	if (m->form->kind == K_IMM8)
		put(m, unit_random(), 1);
}

static u64 pick_offset(const struct made *m)
{
	u64 last = DATA_SIZE - m->size;
	u64 offset = chance(20) ? last : below(last + 1);

	if (m->form->kind == K_STRING)
		return 512 + below(3000);
	/* A locked access across a cache line is slow at best. */
	return m->form->lockable ? offset & ~(u64)(m->size - 1) : offset;
}

static void make(struct made *m)
{
	memset(m, 0, sizeof(*m));
	m->form = &forms[below(ARRAY_SIZE(forms))];
	for (u32 i = 0; i < INSN_NR_REGS; i++)
		m->regs[i] = chance(20) ? below(4) - 2 : unit_random();
	make_prefixes(m);
	put(m, m->form->escape, m->form->escape != 0);
	put(m, m->form->opcode, 1);
	m->size = operand_size(m);
	if (m->form->mem && m->form->mem < m->size)
		m->size = m->form->mem;
	m->target = (u64)data + pick_offset(m) - (m->gs ? gs_base : 0);
	make_operand(m);
	if (m->rip_disp) {
		u32 disp = m->target - ((u64)code + (native_insn - native_start) + m->len);

		memcpy(m->bytes + m->rip_disp, &disp, 4);
	}
}

static bool inside(u64 linear, u32 size)
{
	return linear >= (u64)data && linear + size <= (u64)data + DATA_SIZE;
}

/* All rounds of m, as a monitor would do it, on memory that stands for data. */
static bool emulate(const struct made *m, struct insn_ctx *ctx, u8 *memory)
{
	struct mmio_insn insn;
	u64 rip, value, early;

	for (u32 round = 0; round < 8; round++) {
		u64 read = unit_random();

		if (insn_decode_mmio(m->bytes, m->len, ctx, &insn) || insn.length != m->len ||
		    insn.size != m->size || !inside(insn.linear, insn.size))
			return false;
		if (insn.op == INSN_MOVS && !inside(insn.linear_src, insn.size))
			return false;
		if (insn.needs_read)
			memcpy(&read, memory + (insn.op == INSN_MOVS ? insn.linear_src :
						insn.linear) - (u64)data, insn.size);
		early = mmio_insn_store_value(&insn, ctx->regs);
		mmio_insn_complete(&insn, read, ctx->regs, &ctx->rflags, &value);
		if (insn.needs_write)
			memcpy(memory + insn.linear - (u64)data, &value, insn.size);
		if ((insn.needs_write && !insn.needs_read && early != value) ||
		    (!insn.needs_write && value) || (insn.size < 8 && value >> 8 * insn.size))
			return false;
		rip = mmio_insn_next_rip(&insn, ctx->regs, ctx->rip);
		if (rip != ctx->rip)
			return rip == ctx->rip + m->len;
	}
	return false;
}

static void explain(const struct made *m, const struct insn_ctx *cpu, const struct insn_ctx *ours)
{
	printf("# %s:", m->form->name);
	for (u32 i = 0; i < m->len; i++)
		printf(" %02x", m->bytes[i]);
	printf("\n# rflags %llx, decoder %llx\n", (unsigned long long)cpu->rflags,
	       (unsigned long long)ours->rflags);
	for (u32 i = 0; i < INSN_NR_REGS; i++)
		if (cpu->regs[i] != ours->regs[i])
			printf("# r%u: %llx, decoder %llx\n", i, (unsigned long long)cpu->regs[i],
			       (unsigned long long)ours->regs[i]);
}

/* One instruction by the CPU and by the decoder from the same state. */
static bool same_effect(const struct made *m)
{
	static u8 memory[DATA_SIZE];
	struct insn_ctx cpu = { .mode = INSN_64 }, ours;
	u64 compare = (ARITH | DF) & ~m->form->undefined;
	bool good;

	for (u32 i = 0; i < INSN_NR_SEGS; i++)
		cpu.seg_base[i] = unit_random();
	cpu.seg_base[INSN_GS] = gs_base;
	cpu.rip = (u64)code + (native_insn - native_start);
	cpu.rflags = 0x202 | (unit_random() & (ARITH | DF));
	memcpy(cpu.regs, m->regs, sizeof(cpu.regs));
	ours = cpu;
	/* Now and then equal operands, for ZF. */
	for (u32 i = 0; i < DATA_SIZE; i += 8)
		*(u64 *)(data + i) = chance(10) ? m->regs[i / 8 % 16] : unit_random();
	memcpy(memory, data, DATA_SIZE);

	native_run(m->bytes, m->len, cpu.regs, &cpu.rflags);
	good = emulate(m, &ours, memory) && !memcmp(cpu.regs, ours.regs, sizeof(cpu.regs)) &&
	       !((cpu.rflags ^ ours.rflags) & compare) && !memcmp(data, memory, DATA_SIZE);
	if (!good)
		explain(m, &cpu, &ours);
	return good;
}

static void test_against_cpu(void)
{
	u32 done[ARRAY_SIZE(forms)] = { 0 }, least = ~0U, bad = 0;
	struct made m;

	data = guarded_page(PROT_READ | PROT_WRITE);
	code = guarded_page(PROT_READ | PROT_WRITE | PROT_EXEC);
	memcpy(code, native_start, native_end - native_start);
	gs_base = 0x12345678;
	check(!syscall(SYS_arch_prctl, ARCH_SET_GS, gs_base));

	for (u32 i = 0; i < 400000 && bad < 10; i++) {
		make(&m);
		if (m.len > INSN_MAX_LENGTH || m.hopeless)
			continue;
		bad += !same_effect(&m);
		done[m.form - forms]++;
	}
	for (u32 i = 0; i < ARRAY_SIZE(forms); i++)
		least = done[i] < least ? done[i] : least;
	ok(!bad && least > 1000, "same effect as on the CPU: %u of each of %zu forms, %u bad",
	   least, ARRAY_SIZE(forms), bad);
}

int main(void)
{
	test_encodings();
	test_refused();
	test_rep_count();
	test_narrow_completion();
	test_set();
	test_random_bytes();
	test_against_cpu();
	return unit_end();
}
