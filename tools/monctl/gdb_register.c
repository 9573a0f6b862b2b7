// SPDX-License-Identifier: GPL-2.0-only
/* Registers in gdb's order, and the description that tells gdb of it. */
#include <string.h>
#include "gdb_answer.h"

struct reg {
	const char *name;
	const char *type;
	unsigned int bits;
	size_t at;
};

#define NOWHERE (~(size_t)0)
#define GPR(name, type, n)                                                      \
	{ name, type, 64, offsetof(struct mon_enclave_registers, gpr) + 8 * (n) }
#define LATER(name, type, bits) { name, type, bits, NOWHERE }
#define FIELD(name, type, bits, field)                                          \
	{ name, type, bits, offsetof(struct mon_enclave_registers, field) }

/* gdb refuses a description of this CPU without all of "core". */
static const struct reg core[] = {
	GPR("rax", "int64", 0), GPR("rbx", "int64", 3), GPR("rcx", "int64", 1),
	GPR("rdx", "int64", 2), GPR("rsi", "int64", 6), GPR("rdi", "int64", 7),
	GPR("rbp", "data_ptr", 5), GPR("rsp", "data_ptr", 4), GPR("r8", "int64", 8),
	GPR("r9", "int64", 9), GPR("r10", "int64", 10), GPR("r11", "int64", 11),
	GPR("r12", "int64", 12), GPR("r13", "int64", 13), GPR("r14", "int64", 14),
	GPR("r15", "int64", 15), FIELD("rip", "code_ptr", 64, rip),
	FIELD("eflags", "int32", 32, rflags), LATER("cs", "int32", 32), LATER("ss", "int32", 32),
	LATER("ds", "int32", 32), LATER("es", "int32", 32), LATER("fs", "int32", 32),
	LATER("gs", "int32", 32), LATER("st0", "i387_ext", 80), LATER("st1", "i387_ext", 80),
	LATER("st2", "i387_ext", 80), LATER("st3", "i387_ext", 80), LATER("st4", "i387_ext", 80),
	LATER("st5", "i387_ext", 80), LATER("st6", "i387_ext", 80), LATER("st7", "i387_ext", 80),
	LATER("fctrl", "int", 32), LATER("fstat", "int", 32), LATER("ftag", "int", 32),
	LATER("fiseg", "int", 32), LATER("fioff", "int", 32), LATER("foseg", "int", 32),
	LATER("fooff", "int", 32), LATER("fop", "int", 32),
};

static const struct reg segments[] = {
	FIELD("fs_base", "int", 64, fs_base),
	FIELD("gs_base", "int", 64, gs_base),
};

#define NR_CORE (sizeof(core) / sizeof(core[0]))
#define NR_SEGMENTS (sizeof(segments) / sizeof(segments[0]))
#define NR_REGS (NR_CORE + NR_SEGMENTS)

static const struct reg *reg(size_t n)
{
	return n < NR_CORE ? &core[n] : &segments[n - NR_CORE];
}

/* What the monitor does not say is "x", which gdb shows as <unavailable>. */
static void add_reg(struct text *t, const struct mon_enclave_registers *r, const struct reg *reg)
{
	size_t i;

	if (reg->at != NOWHERE) {
		text_add_hex(t, (const char *)r + reg->at, reg->bits / 8);
		return;
	}
	for (i = 0; i < reg->bits / 4; i++)
		text_add(t, "x");
}

static void registers(size_t from, size_t nr, struct text *answer)
{
	struct mon_enclave_registers r;
	size_t i;

	if (!target_registers(thread_current() - 1, &r)) {
		text_add(answer, "E.the thread runs");
		return;
	}
	for (i = from; i < from + nr; i++)
		add_reg(answer, &r, reg(i));
}

void registers_all(struct text *answer)
{
	registers(0, NR_REGS, answer);
}

void registers_one(const char *text, struct text *answer)
{
	unsigned long long n;

	if (text_number(&text, '\0', &n) && n < NR_REGS)
		registers(n, 1, answer);
	else
		text_add(answer, NO_SUCH);
}

static void add_feature(struct text *t, const char *name, size_t from, size_t nr)
{
	size_t i;

	text_print(t, "<feature name=\"org.gnu.gdb.i386.%s\">", name);
	for (i = from; i < from + nr; i++)
		text_print(t, "<reg name=\"%s\" bitsize=\"%u\" type=\"%s\"/>", reg(i)->name,
			   reg(i)->bits, reg(i)->type);
	text_add(t, "</feature>");
}

static void describe(struct text *xml)
{
	text_add(xml, "<?xml version=\"1.0\"?><!DOCTYPE target SYSTEM \"gdb-target.dtd\"><target>"
		 "<architecture>i386:x86-64</architecture>");
	add_feature(xml, "core", 0, NR_CORE);
	add_feature(xml, "segments", NR_CORE, NR_SEGMENTS);
	text_add(xml, "</target>");
}

void registers_describe(const char *text, struct text *answer)
{
	char bytes[GDB_PACKET_MAX + 1];
	struct text xml = { .to = bytes };
	unsigned long long offset, length;

	describe(&xml);
	if (!text_number(&text, ',', &offset) || !text_number(&text, '\0', &length) ||
	    offset > xml.length) {
		text_add(answer, NO_SUCH);
		return;
	}
	if (length > GDB_PACKET_MAX - 1)
		length = GDB_PACKET_MAX - 1;
	text_add(answer, length < xml.length - offset ? "m" : "l");
	if (length < xml.length - offset)
		bytes[offset + length] = '\0';
	text_add(answer, bytes + offset);
}
