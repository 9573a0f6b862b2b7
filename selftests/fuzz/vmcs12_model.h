/* SPDX-License-Identifier: GPL-2.0-only */
/* What the host's VMX instructions come to, written down from the SDM. */
#ifndef _FUZZ_VMCS12_MODEL_H
#define _FUZZ_VMCS12_MODEL_H

#include "vmcs12_cpu.h"

/* ---- the model: VMCSs by encoding ---- */

static const struct {
	u32 encoding;
	u32 bits;
} known[] = {
#define VMCS_FIELD(type, name, encoding, member) { encoding, 8 * sizeof(type) },
#include "vmx/vmcs_fields.h"
};

#define FIELDS ARRAY_SIZE(known)
#define NONE (~0ULL)

static struct {
	bool launched;
	u32 revision;
	u64 value[FIELDS];
} model[PAGES];
static bool on, guest_dirty;
static u64 on_pa, current;

/* What an instruction comes to: an exception, or success, CF, or ZF with a number. */
enum { DONE = 0, INVALID = 1000, FAILED = 2000 };

/* The index of a field, and whether it is the high half; or FIELDS. */
static u32 field_at(u64 encoding, bool *high)
{
	u32 i;

	*high = encoding & 1;
	for (i = 0; i < FIELDS; i++)
		if (known[i].encoding == (encoding & ~1ULL) &&
		    (!*high || (known[i].encoding >> 13 & 3) == 1))
			return i;
	return FIELDS;
}

static u64 get(u32 encoding)
{
	bool high;

	return model[current / PAGE_SIZE].value[field_at(encoding, &high)];
}

static int failed(int number)
{
	bool high;

	if (current == NONE)
		return INVALID;
	model[current / PAGE_SIZE].value[field_at(VM_INSTRUCTION_ERROR, &high)] = number;
	return FAILED + number;
}

/* Linear addresses: page 6 is there to be read, page 7 is not there, DATA pages are. */
static int reach(u64 la, u64 len, bool write)
{
	u64 at, i;

	for (i = 0; i < len; i++)
		if ((s64)((la + i) << 16) >> 16 != (s64)(la + i))
			return 13;
	for (i = 0; i < len; i++) {
		at = la + i;
		if (at / PAGE_SIZE < DATA || at / PAGE_SIZE > 6)
			return 14;
		if (at / PAGE_SIZE == 6 && write)
			return 14;
	}
	return DONE;
}

static u64 word_at(u64 la)
{
	u64 word;

	memcpy(&word, (u8 *)memory + la, sizeof(word));
	return word;
}

static bool good_page(u64 pa)
{
	return !(pa & 4095) && pa < THEIRS * PAGE_SIZE;
}

static int model_permitted(void)
{
	if (!on || !(vmcs01[GUEST_IA32_EFER] & BIT(10)) || !(vmcs01[GUEST_CS_AR_BYTES] & BIT(13)))
		return 6;
	return vmcs01[GUEST_SS_AR_BYTES] >> 5 & 3 ? 13 : DONE;
}

static int model_vmxon(u64 la)
{
	int e;

	if (!(vmcs01[CR4_READ_SHADOW] & BIT(13)) || !(vmcs01[GUEST_IA32_EFER] & BIT(10)) ||
	    !(vmcs01[GUEST_CS_AR_BYTES] & BIT(13)))
		return 6;
	if (vmcs01[GUEST_SS_AR_BYTES] >> 5 & 3)
		return 13;
	if (on)
		return failed(15);
	e = reach(la, 8, false);
	if (e)
		return e;
	if (!good_page(word_at(la)) || model[word_at(la) / PAGE_SIZE].revision != REVISION)
		return INVALID;
	on = true;
	on_pa = word_at(la);
	current = NONE;
	return DONE;
}

static void model_put_back(void)
{
	if (current != NONE)
		model[current / PAGE_SIZE].revision = REVISION;
	current = NONE;
}

/* The VMCS that an operand names, or errors: for an address that is bad, for VMXON's region */
static int named(u64 la, int bad, int vmxon, u64 *pa)
{
	int e = reach(la, 8, false);

	if (e)
		return e;
	*pa = word_at(la);
	if (!good_page(*pa))
		return failed(bad);
	return *pa == on_pa ? failed(vmxon) : DONE;
}

static int model_vmclear(u64 la)
{
	u64 pa;
	int e = named(la, 2, 3, &pa);

	if (e != DONE)
		return e;
	model[pa / PAGE_SIZE].launched = false;
	if (pa == current)
		model_put_back();
	return DONE;
}

static int model_vmptrld(u64 la)
{
	u64 pa;
	int e = named(la, 9, 10, &pa);

	if (e != DONE)
		return e;
	if (model[pa / PAGE_SIZE].revision != REVISION)
		return failed(11);
	if (pa != current) {
		model_put_back();
		current = pa;
		guest_dirty = true;
	}
	return DONE;
}

static int model_vmread(u64 encoding, u64 la, bool memory_form, u64 *value)
{
	bool high;
	u32 i = field_at(encoding, &high);
	int e;

	if (current == NONE)
		return INVALID;
	if (i == FIELDS)
		return failed(12);
	*value = model[current / PAGE_SIZE].value[i] >> (high ? 32 : 0);
	e = memory_form ? reach(la, 8, true) : DONE;
	return e;
}

static int model_vmwrite(u64 encoding, u64 la, bool memory_form, u64 value)
{
	bool high;
	u32 i = field_at(encoding, &high);
	u64 *at;
	int e;

	if (current == NONE)
		return INVALID;
	e = memory_form ? reach(la, 8, false) : DONE;
	if (e)
		return e;
	if (memory_form)
		value = word_at(la);
	if (i == FIELDS)
		return failed(12);
	if ((encoding >> 10 & 3) == 1)
		return failed(13);
	at = &model[current / PAGE_SIZE].value[i];
	*at = high ? (*at & 0xffffffff) | value << 32 :
	      known[i].bits == 64 ? value : value & (BIT(known[i].bits) - 1);
	if ((encoding >> 10 & 3) == 2)
		guest_dirty = true;
	return DONE;
}

/* ---- the model: entries, SDM 27.2 and 27.3.1 ---- */

static bool control(u32 encoding, int cap)
{
	u32 v = get(encoding), must = nested_caps[cap], may = nested_caps[cap] >> 32;

	return !(must & ~v) && !(v & ~may);
}

static bool list(u32 address, u32 number)
{
	u64 pa = get(address), n = get(number), last = pa + n * 16 - 1;

	return !n || (n <= 512 && !(pa & 15) && !(pa >> PA_BITS) && !(last >> PA_BITS));
}

static bool list_is_host(u32 address, u32 number)
{
	u64 n = get(number);

	return !n || (get(address) + n * 16 <= THEIRS * PAGE_SIZE && get(address) + n * 16 > n);
}

static u32 second(void)
{
	return get(CPU_BASED_VM_EXEC_CONTROL) >> 31 ? get(SECONDARY_VM_EXEC_CONTROL) : 0;
}

static bool model_controls(void)
{
	u32 cpu = get(CPU_BASED_VM_EXEC_CONTROL), cpu2 = second(), must, may;
	bool good = control(PIN_BASED_VM_EXEC_CONTROL, CAP_TRUE_PIN) &&
		    control(CPU_BASED_VM_EXEC_CONTROL, CAP_TRUE_CPU) &&
		    control(VM_EXIT_CONTROLS, CAP_TRUE_EXIT) &&
		    control(VM_ENTRY_CONTROLS, CAP_TRUE_ENTRY);

	must = nested_caps[CAP_CPU2];
	may = nested_caps[CAP_CPU2] >> 32;
	good = good && !(must & ~cpu2) && !(cpu2 & ~may) && get(CR3_TARGET_COUNT) <= 4;
	if (cpu2 & BIT(5)) /* VPID */
		good = good && get(VIRTUAL_PROCESSOR_ID);
	if (cpu2 & BIT(1)) /* EPT: write-back, 4 levels, no flags of accesses */
		good = good && (get(EPT_POINTER) & 0xfff) == 0x1e && !(get(EPT_POINTER) >> PA_BITS);
	else
		good = good && !(cpu2 & BIT(7)); /* unrestricted guest */
	if (get(VM_EXIT_CONTROLS) & BIT(22)) /* save the timer */
		good = good && (get(PIN_BASED_VM_EXEC_CONTROL) & BIT(6));
	good = good && list(VM_EXIT_MSR_STORE_ADDR, VM_EXIT_MSR_STORE_COUNT) &&
	       list(VM_EXIT_MSR_LOAD_ADDR, VM_EXIT_MSR_LOAD_COUNT) &&
	       list(VM_ENTRY_MSR_LOAD_ADDR, VM_ENTRY_MSR_LOAD_COUNT);
	if (cpu & BIT(25))
		good = good && good_page(get(IO_BITMAP_A)) && good_page(get(IO_BITMAP_B));
	if (cpu & BIT(28))
		good = good && good_page(get(MSR_BITMAP));
	if (cpu & BIT(21))
		good = good && good_page(get(VIRTUAL_APIC_PAGE_ADDR));
	if (cpu2 & BIT(0))
		good = good && good_page(get(APIC_ACCESS_ADDR));
	return good && list_is_host(VM_EXIT_MSR_STORE_ADDR, VM_EXIT_MSR_STORE_COUNT) &&
	       list_is_host(VM_EXIT_MSR_LOAD_ADDR, VM_EXIT_MSR_LOAD_COUNT);
}

static bool is_canonical(u32 encoding)
{
	s64 la = get(encoding);

	return la >> 47 == 0 || la >> 47 == -1;
}

static bool is_pat(u64 pat)
{
	u32 i;

	for (i = 0; i < 64; i += 8)
		if ((pat >> i & 0xff) > 7 || !(0xf3 >> (pat >> i & 7) & 1))
			return false;
	return true;
}

static bool model_host(void)
{
	static const u32 addresses[] = {
		HOST_IA32_SYSENTER_ESP, HOST_IA32_SYSENTER_EIP, HOST_RIP, HOST_FS_BASE,
		HOST_GS_BASE, HOST_TR_BASE, HOST_GDTR_BASE, HOST_IDTR_BASE,
	};
	u64 cr0 = get(HOST_CR0), cr4 = get(HOST_CR4), efer = get(HOST_IA32_EFER);
	u32 exit = get(VM_EXIT_CONTROLS), i;
	bool good = (cr0 & 0x80000021) == 0x80000021 && !(cr0 >> 32) &&
		    (cr4 & 0x2020) == 0x2020 && !(cr4 & ~nested_caps[CAP_CR4_FIXED1]) &&
		    !(get(HOST_CR3) >> PA_BITS);

	for (i = 0; i < ARRAY_SIZE(addresses); i++)
		good = good && is_canonical(addresses[i]);
	for (i = HOST_ES_SELECTOR; i <= HOST_TR_SELECTOR; i += 2)
		good = good && !(get(i) & 7);
	good = good && get(HOST_CS_SELECTOR) && get(HOST_TR_SELECTOR);
	if (exit & BIT(19))
		good = good && is_pat(get(HOST_IA32_PAT));
	if (exit & BIT(12))
		good = good && !(get(HOST_IA32_PERF_GLOBAL_CTRL) & ~0xffULL);
	if (exit & BIT(21))
		good = good && !(efer & ~0xd01ULL) && (efer & 0x500) == 0x500;
	return good;
}

static bool model_guest(void)
{
	u64 link = get(VMCS_LINK_POINTER);

	if (get(GUEST_ACTIVITY_STATE) > 1)
		return false;
	return link == ~0ULL || (good_page(link) && link != current &&
				 model[link / PAGE_SIZE].revision == REVISION);
}

/* @how: 1 an entry, 2 an exit because of the guest's state */
static int model_entry(bool launch, unsigned int *how)
{
	*how = 0;
	if (current == NONE)
		return INVALID;
	if (vmcs01[GUEST_INTERRUPTIBILITY_INFO] & 2)
		return failed(26);
	if (launch == model[current / PAGE_SIZE].launched)
		return failed(launch ? 4 : 5);
	if (!model_controls())
		return failed(7);
	if (!model_host())
		return failed(8);
	*how = guest_dirty && !model_guest() ? 2 : 1;
	if (*how == 1) {
		guest_dirty = false;
		model[current / PAGE_SIZE].launched = true;
	}
	return DONE;
}

#endif /* _FUZZ_VMCS12_MODEL_H */
