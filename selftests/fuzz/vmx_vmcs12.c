// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/guest_walk.c vmx/vmcs12.c */
/*
 * The host's VMX instructions but entries that work, on VMCSs in its memory: the bytes are
 * instructions and their operands. A model that knows no layout, only encodings, has to agree
 * on every result; and what an entry would be refused for is looked at anew, as the SDM has it.
 *
 * The CPU, its VMCS01 and the host's memory are arrays. Operands are in registers, or in memory
 * behind the host's own tables, where they may cross pages or not be mapped.
 */
#include "vmcs12_model.h"

/* ---- instructions ---- */

enum insn {
	I_VMXON, I_VMXOFF, I_VMCLEAR, I_VMPTRLD, I_VMPTRST, I_VMREAD, I_VMWRITE, I_ENTRY, INSNS
};

#define OPERAND_REG 3 /* RBX: its value, or the address */
#define FIELD_REG 6

static const u32 reasons[] = { EXIT_VMXON, EXIT_VMXOFF, EXIT_VMCLEAR, EXIT_VMPTRLD, EXIT_VMPTRST,
			       EXIT_VMREAD, EXIT_VMWRITE, EXIT_VMLAUNCH };

static int expected(enum insn insn, bool launch, u64 la, u64 field, bool in_memory, u64 *value,
		    unsigned int *how)
{
	int e = insn == I_VMXON ? DONE : model_permitted();

	*how = 0;
	if (e)
		return e;
	switch (insn) {
	case I_VMXON:
		return model_vmxon(la);
	case I_VMXOFF:
		model_put_back();
		on = false;
		return DONE;
	case I_VMCLEAR:
		return model_vmclear(la);
	case I_VMPTRLD:
		return model_vmptrld(la);
	case I_VMPTRST:
		*value = current;
		return reach(la, 8, true);
	case I_VMREAD:
		return model_vmread(field, la, in_memory, value);
	case I_VMWRITE:
		return model_vmwrite(field, la, in_memory, *value);
	default:
		return model_entry(launch, how);
	}
}

/* What came of the instruction, in the words of the model. */
static int outcome(void)
{
	u64 flags = vmcs01[GUEST_RFLAGS] & 0x8d5;

	if (exception)
		return exception;
	if (flags == 0)
		return DONE;
	if (flags == 1)
		return INVALID;
	check(flags == 0x40);
	return FAILED + cpu_now.nested.vmcs12.vm_instruction_error;
}

static void execute(enum insn insn, bool launch, u64 la, u64 field, bool in_memory, u64 value)
{
	u64 wanted_value = value, info = OPERAND_REG << 3 | (u64)FIELD_REG << 28;
	unsigned int how;
	int wanted;

	info |= in_memory ? 2 << 7 | 3 << 15 | BIT(22) | (u64)OPERAND_REG << 23 : BIT(10);
	vmcs01[VM_EXIT_INSTRUCTION_INFO] = info;
	vmcs01[EXIT_QUALIFICATION] = 0;
	vmcs01[GUEST_RFLAGS] = 0x8d7;
	cpu_now.gpr[OPERAND_REG] = in_memory ? la : value;
	cpu_now.gpr[FIELD_REG] = field;
	exception = 0;
	advanced = 0;
	entered = 0;
	wanted = expected(insn, launch, la, field, in_memory, &wanted_value, &how);
	nested_vmx_insn(&cpu_now, insn == I_ENTRY && !launch ? EXIT_VMRESUME : reasons[insn]);
	check(entered == how);
	if (how)
		return;
	if (outcome() != wanted)
		printf("# insn %d: %d, wanted %d\n", insn, outcome(), wanted);
	check(outcome() == wanted);
	check(advanced == (exception ? 0 : 1));
	check(cpu_now.nested.vmxon == on && (!on || cpu_now.nested.vmptr12 == current));
	if (wanted == DONE && (insn == I_VMREAD || insn == I_VMPTRST))
		check((in_memory ? word_at(la) : cpu_now.gpr[OPERAND_REG]) == wanted_value);
}

/* ---- inputs ---- */

static const struct {
	u32 encoding;
	u64 value;
} good_vmcs[] = {
	{ PIN_BASED_VM_EXEC_CONTROL, 0x56 },	{ CPU_BASED_VM_EXEC_CONTROL, 0xb6206172 },
	{ SECONDARY_VM_EXEC_CONTROL, 0xa3 },	{ VM_EXIT_CONTROLS, 0x3f7fff },
	{ VM_ENTRY_CONTROLS, 0xd3ff },		{ EPT_POINTER, 0x901e },
	{ VIRTUAL_PROCESSOR_ID, 1 },		{ IO_BITMAP_A, 0x9000 },
	{ IO_BITMAP_B, 0x9000 },		{ MSR_BITMAP, 0x9000 },
	{ VIRTUAL_APIC_PAGE_ADDR, 0x9000 },	{ APIC_ACCESS_ADDR, 0x9000 },
	{ VMCS_LINK_POINTER, ~0ULL },		{ HOST_CR0, 0x80050033 },
	{ HOST_CR4, 0x26b0 },			{ HOST_IA32_PAT, 0x7040600070406 },
	{ HOST_IA32_EFER, 0xd01 },		{ HOST_CS_SELECTOR, 0x10 },
	{ HOST_TR_SELECTOR, 0x40 },
};

static void settings(void)
{
	memset(&vmx_caps, 0, sizeof(vmx_caps));
	vmx_caps.revision = REVISION;
	vmx_caps.max_pa_bits = PA_BITS;
	nested_caps[CAP_TRUE_PIN] = 0x7f00000016;
	nested_caps[CAP_TRUE_CPU] = 0xfff9fffe04006172;
	nested_caps[CAP_CPU2] = 0x0010a4ef00000000;
	nested_caps[CAP_TRUE_EXIT] = 0x7fffff00036ffb;
	nested_caps[CAP_TRUE_ENTRY] = 0xffff000011fb;
	nested_caps[CAP_MISC] = 4 << 16 | BIT(6);
	nested_caps[CAP_CR0_FIXED0] = 0x80000021;
	nested_caps[CAP_CR0_FIXED1] = 0xffffffff;
	nested_caps[CAP_CR4_FIXED0] = 0x2000;
	nested_caps[CAP_CR4_FIXED1] = 0x3727ff;
}

/* The host's own tables, and a CPU in 64-bit mode at CPL 0. */
static void begin(void)
{
	u64 (*table)[512] = (void *)memory, i;

	memset(memory, 0, sizeof(memory));
	memset(model, 0, sizeof(model));
	memset(&cpu_now, 0, sizeof(cpu_now));
	memset(vmcs01, 0, sizeof(vmcs01));
	table[0][0] = 0x1003;
	table[1][0] = 0x2003;
	table[2][0] = 0x3003;
	for (i = DATA; i < 7; i++)
		table[3][i] = i << 12 | (i == 6 ? 1 : 3);
	vmcs01[GUEST_CR0] = 0x80050033;
	vmcs01[GUEST_CR4] = 0x20a0;
	vmcs01[CR4_READ_SHADOW] = 0x2000;
	vmcs01[GUEST_IA32_EFER] = 0xd01;
	vmcs01[GUEST_CS_AR_BYTES] = 0xa09b;
	vmcs01[CR0_READ_SHADOW] = 0x20;
	cpu_now.nested.vmptr12 = NO_VMPTR;
	cpu_now.nested.vmcs02.pa = 1;
	on = false;
	current = NONE;
}

static void pointer(enum insn insn, u64 pa)
{
	memcpy(memory[DATA], &pa, sizeof(pa));
	execute(insn, false, DATA * PAGE_SIZE, 0, true, 0);
}

static void set_revision(u32 page, u32 revision)
{
	if (page * PAGE_SIZE == current)
		return;
	memcpy(memory[page], &revision, sizeof(revision));
	model[page].revision = revision;
}

static void good(void)
{
	u32 i;

	set_revision(10, REVISION);
	pointer(I_VMPTRLD, 10 * PAGE_SIZE);
	for (i = 0; i < ARRAY_SIZE(good_vmcs); i++)
		execute(I_VMWRITE, false, 0, good_vmcs[i].encoding, false, good_vmcs[i].value);
}

/* A page or an address at the end of one. */
static u64 some_address(u64 word)
{
	u64 pa = (word & 31) * PAGE_SIZE;

	return word >> 8 & 7 ? pa : pa + (word >> 16 & 0xffff);
}

static u64 some_value(u64 word, u64 field)
{
	bool high;
	u32 i = field_at(field, &high);

	if (word & 1 && i < FIELDS && current != NONE) /* a bit of what it is */
		return model[current / PAGE_SIZE].value[i] ^ BIT(word >> 1 & 63);
	if (word & 2)
		return some_address(word >> 2);
	return fuzz_word();
}

static u64 some_field(u64 word)
{
	u32 at = (word >> 4) % FIELDS;
	u64 field = known[at].encoding;

	switch (word & 15) {
	case 0:
		return fuzz_word();
	case 1: /* the next one with a high half */
		while ((known[at].encoding >> 13 & 3) != 1)
			at = (at + 1) % FIELDS;
		return known[at].encoding | 1;
	case 2:
		return (word >> 16) & 0x7fff;
	default:
		return field;
	}
}

static void step(void)
{
	u64 word = fuzz_word(), field = some_field(fuzz_word());
	u64 la = DATA * PAGE_SIZE + (word >> 16 & 0x3fff);
	enum insn insn = word % INSNS;
	bool in_memory;

	switch (word >> 4 & 15) {
	case 0:
		set_revision(8 + (word >> 16) % 11, word >> 32 & 1 ? REVISION : word >> 33);
		return;
	case 1 ... 6: /* one that could be entered, but for a field */
		good();
		execute(I_VMWRITE, false, 0, field, false, some_value(fuzz_word(), field));
		execute(I_ENTRY, word >> 10 & 1, 0, 0, false, 0);
		return;
	case 7:
		vmcs01[GUEST_INTERRUPTIBILITY_INFO] = word >> 16 & 2;
		vmcs01[GUEST_SS_AR_BYTES] = word >> 20 & 31 ? 0 : 0x60;
		vmcs01[CR4_READ_SHADOW] = word >> 25 & 15 ? 0x2000 : 0;
		vmcs01[GUEST_CS_AR_BYTES] = word >> 30 & 31 ? 0xa09b : 0xc09b;
		return;
	}
	if (insn == I_VMXOFF && word >> 16 & 31)
		insn = I_ENTRY;
	if (!on)
		insn = I_VMXON;
	if (insn <= I_VMPTRLD && insn != I_VMXOFF && word >> 8 & 3) {
		pointer(insn, some_address(word >> 12));
		return;
	}
	in_memory = insn < I_VMREAD || word >> 8 & 1;
	if (in_memory && word >> 9 & 1)
		la = fuzz_word();
	execute(insn, word >> 10 & 1, la, field, in_memory, some_value(fuzz_word(), field));
	if (insn == I_VMWRITE)
		execute(I_VMREAD, false, 0, field & ~1ULL, false, 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	fuzz_data = data;
	fuzz_left = size;
	settings();
	begin();
	set_revision(8, REVISION);
	pointer(I_VMXON, 8 * PAGE_SIZE);
	good();
	execute(I_ENTRY, true, 0, 0, false, 0);
	check(entered == 1);
	while (fuzz_left)
		step();
	return 0;
}
