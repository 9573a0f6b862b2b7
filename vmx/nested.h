/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * VMX for the host: its guests (L2) run on vmcs02, composed from the host's
 * vmcs12. Nothing of vmcs12 reaches vmcs02 unchecked.
 *
 *   nested_insn.c    VMX instructions but entries; flags and error numbers
 *   nested_operand.c their memory operands
 *   nested_inv.c     INVEPT, INVVPID, the use of VPIDs
 *   nested_shadow.c  the hardware shadow VMCS: VMREAD and VMWRITE without exits
 *   nested_entry.c   VMLAUNCH, VMRESUME
 *   check.c          consistency checks of vmcs12 (SDM 27.2, 27.3)
 *   vmcs02.c         vmcs12 to vmcs02 and back
 *   nested_msr.c     MSR bitmap and MSR lists
 *   nested_exit.c    who gets an exit of L2, and reflection to the host
 *   nested_caps.c    capability MSRs
 */
#ifndef _VMX_NESTED_H
#define _VMX_NESTED_H

#include "vmcs12.h"

struct cpu;

/*
 * The fields a hypervisor touches on nearly every exit. They are kept in
 * vmcs12 at all times, all others of the guest's state only once somebody asks
 * (nested_sync_guest()), and are what the shadow VMCS carries. Chosen so that
 * kvm_intel has no VMREAD or VMWRITE exit in CPUID, HLT, I/O, MMIO and
 * interrupt exits, nor in an exit to user space: a kernel with a random offset
 * in its stacks comes back from there with another RSP.
 */
#define HOT_GUEST_FIELDS(X)                                             \
	X(GUEST_RIP, guest_rip)                                         \
	X(GUEST_RSP, guest_rsp)                                         \
	X(GUEST_RFLAGS, guest_rflags)                                   \
	X(GUEST_CR0, guest_cr0)                                         \
	X(GUEST_CR3, guest_cr3)                                         \
	X(GUEST_CR4, guest_cr4)                                         \
	X(GUEST_CS_BASE, guest_cs_base)                                 \
	X(GUEST_CS_AR_BYTES, guest_cs_ar_bytes)                         \
	X(GUEST_SS_AR_BYTES, guest_ss_ar_bytes)                         \
	X(GUEST_INTERRUPTIBILITY_INFO, guest_interruptibility_info)     \
	X(GUEST_INTR_STATUS, guest_intr_status)

/* Followed like the controls that are not hot: DIRTY_CONTROL. */
#define HOT_CONTROL_FIELDS(X)                                           \
	X(CPU_BASED_VM_EXEC_CONTROL, cpu_based_vm_exec_control)         \
	X(EXCEPTION_BITMAP, exception_bitmap)                           \
	X(CR0_READ_SHADOW, cr0_read_shadow)                             \
	X(CR4_READ_SHADOW, cr4_read_shadow)                             \
	X(PLE_WINDOW, ple_window)

/* Written at each entry, changed or not; HOST_RSP, which may be anything, at each exit. */
#define HOT_ENTRY_FIELDS(X)                                             \
	X(VM_ENTRY_INTR_INFO, vm_entry_intr_info)                       \
	X(VM_ENTRY_EXCEPTION_ERROR_CODE, vm_entry_exception_error_code) \
	X(VM_ENTRY_INSTRUCTION_LEN, vm_entry_instruction_len)           \
	X(TPR_THRESHOLD, tpr_threshold)                                 \
	X(VMX_PREEMPTION_TIMER_VALUE, vmx_preemption_timer_value)       \
	X(HOST_RSP, host_rsp)

#define HOT_INFO_FIELDS(X)                                              \
	X(VM_EXIT_REASON, vm_exit_reason)                               \
	X(EXIT_QUALIFICATION, exit_qualification)                       \
	X(VM_EXIT_INTR_INFO, vm_exit_intr_info)                         \
	X(VM_EXIT_INTR_ERROR_CODE, vm_exit_intr_error_code)             \
	X(IDT_VECTORING_INFO, idt_vectoring_info)                       \
	X(IDT_VECTORING_ERROR_CODE, idt_vectoring_error_code)           \
	X(VM_EXIT_INSTRUCTION_LEN, vm_exit_instruction_len)             \
	X(VM_EXIT_INSTRUCTION_INFO, vm_exit_instruction_info)           \
	X(GUEST_PHYSICAL_ADDRESS, guest_physical_address)               \
	X(GUEST_LINEAR_ADDRESS, guest_linear_address)

#define HOT_RW_FIELDS(X) HOT_GUEST_FIELDS(X) HOT_CONTROL_FIELDS(X) HOT_ENTRY_FIELDS(X)
#define HOT_FIELDS(X) HOT_RW_FIELDS(X) HOT_INFO_FIELDS(X)

/* Guest state that is not hot, not switched by a control, and not PDPTEs: all CPUs have it. */
#define GUEST_FIELDS(X)                                               \
	X(GUEST_ES_SELECTOR, guest_es_selector)                       \
	X(GUEST_CS_SELECTOR, guest_cs_selector)                       \
	X(GUEST_SS_SELECTOR, guest_ss_selector)                       \
	X(GUEST_DS_SELECTOR, guest_ds_selector)                       \
	X(GUEST_FS_SELECTOR, guest_fs_selector)                       \
	X(GUEST_GS_SELECTOR, guest_gs_selector)                       \
	X(GUEST_LDTR_SELECTOR, guest_ldtr_selector)                   \
	X(GUEST_TR_SELECTOR, guest_tr_selector)                       \
	X(GUEST_ES_LIMIT, guest_es_limit)                             \
	X(GUEST_CS_LIMIT, guest_cs_limit)                             \
	X(GUEST_SS_LIMIT, guest_ss_limit)                             \
	X(GUEST_DS_LIMIT, guest_ds_limit)                             \
	X(GUEST_FS_LIMIT, guest_fs_limit)                             \
	X(GUEST_GS_LIMIT, guest_gs_limit)                             \
	X(GUEST_LDTR_LIMIT, guest_ldtr_limit)                         \
	X(GUEST_TR_LIMIT, guest_tr_limit)                             \
	X(GUEST_GDTR_LIMIT, guest_gdtr_limit)                         \
	X(GUEST_IDTR_LIMIT, guest_idtr_limit)                         \
	X(GUEST_ES_AR_BYTES, guest_es_ar_bytes)                       \
	X(GUEST_DS_AR_BYTES, guest_ds_ar_bytes)                       \
	X(GUEST_FS_AR_BYTES, guest_fs_ar_bytes)                       \
	X(GUEST_GS_AR_BYTES, guest_gs_ar_bytes)                       \
	X(GUEST_LDTR_AR_BYTES, guest_ldtr_ar_bytes)                   \
	X(GUEST_TR_AR_BYTES, guest_tr_ar_bytes)                       \
	X(GUEST_ES_BASE, guest_es_base)                               \
	X(GUEST_SS_BASE, guest_ss_base)                               \
	X(GUEST_DS_BASE, guest_ds_base)                               \
	X(GUEST_FS_BASE, guest_fs_base)                               \
	X(GUEST_GS_BASE, guest_gs_base)                               \
	X(GUEST_LDTR_BASE, guest_ldtr_base)                           \
	X(GUEST_TR_BASE, guest_tr_base)                               \
	X(GUEST_GDTR_BASE, guest_gdtr_base)                           \
	X(GUEST_IDTR_BASE, guest_idtr_base)                           \
	X(GUEST_ACTIVITY_STATE, guest_activity_state)                 \
	X(GUEST_SYSENTER_CS, guest_sysenter_cs)                       \
	X(GUEST_SYSENTER_ESP, guest_sysenter_esp)                     \
	X(GUEST_SYSENTER_EIP, guest_sysenter_eip)                     \
	X(GUEST_PENDING_DBG_EXCEPTIONS, guest_pending_dbg_exceptions)

enum hot_field {
#define X(name, member) HOT_##name,
	HOT_FIELDS(X)
#undef X
	HOT_NR
};

#define HOT_GUEST_ALL (BIT(HOT_GUEST_INTR_STATUS + 1) - 1)
#define HOT_CONTROL_ALL ((BIT(HOT_PLE_WINDOW + 1) - 1) & ~HOT_GUEST_ALL)

/* The one hot field that only CPUs with virtual-interrupt delivery have. */
static inline bool hot_exists(enum vmcs_field field)
{
	return field != GUEST_INTR_STATUS || vmx_caps.virt_intr;
}

/* What the shadow VMCS of this CPU holds. */
struct shadow_copy {
#define X(name, member) u64 member;
	HOT_FIELDS(X)
#undef X
};

/* Parts of vmcs12 that were written since vmcs02 last followed. */
#define DIRTY_CONTROL 1u
#define DIRTY_GUEST 2u
#define DIRTY_HOST 4u
#define DIRTY_ALL (DIRTY_CONTROL | DIRTY_GUEST | DIRTY_HOST)

#define NO_VMPTR (~0ULL)

/**
 * struct nested - virtual VMX of one CPU
 * @vmxon: the host has executed VMXON
 * @shadow_on: the shadow VMCS is linked to vmcs01 and holds the hot fields
 * @shadow_wide: and GUEST_FIELDS, too
 * @dirty: DIRTY_*: checks to be made, and fields to be written to vmcs02
 * @hot_changed: hot guest fields that vmcs02 has to be told, by enum hot_field
 * @guest_stale: vmcs02 has newer values of the guest fields that are not hot
 * @exit_controls: VM-exit controls of vmcs12 at the exit that left @guest_stale
 * @exit_ept: that guest used EPT, so PDPTEs belong to its state
 * @events_later: EVENT_* that could not be delivered at this entry
 * @vmxon_ptr: region of the host's VMXON
 * @vmptr12: current VMCS of the host, or NO_VMPTR
 * @vmcs02: what ordinary guests run on, one per CPU
 * @shadow: the hardware shadow VMCS
 * @msr_bitmap_pa: merged MSR bitmap of vmcs02
 * @io_bitmap_pa: merged I/O bitmaps of vmcs02, for a host that has its own
 * @empty_ept_pa: a root without entries, for when the pool has no frame for EPT02
 * @eptp02: EPT pointer in vmcs02
 * @refused: the consistency check that failed last, for the status
 * @vcpu: current vmcs12 belongs to a vCPU of a confidential VM
 * @copy: contents of @shadow
 * @vmcs12: contents of the current VMCS; written back at VMCLEAR and VMPTRLD
 */
struct nested {
	bool vmxon;
	bool shadow_on;
	bool shadow_wide;
	bool guest_stale;
	bool exit_ept;
	u8 dirty;
	u8 events_later;
	u32 hot_changed;
	u32 exit_controls;
	u64 vmxon_ptr;
	u64 vmptr12;
	struct vmcs vmcs02;
	struct vmcs shadow;
	u64 msr_bitmap_pa;
	u64 io_bitmap_pa[2];
	u64 empty_ept_pa;
	u64 eptp02;
	const char *refused;
	struct vcpu *vcpu;
	struct shadow_copy copy;
	struct vmcs12 vmcs12;
};

/* Use VMCS shadowing where the CPU has it; tests clear it before launch. */
extern bool nested_use_shadow;

/* ---- for the exit dispatch ---- */

/** nested_cpu_init() - frames and state, before launch; NPT_EPOOL */
int nested_cpu_init(struct cpu *cpu);

/** nested_vmx_insn() - an exit of the host for a VMX instruction (reasons 19 to 27, 50, 53) */
void nested_vmx_insn(struct cpu *cpu, u32 reason);

/** nested_guest_exit() - an exit of a guest (vmcs02 is current); @full: the whole exit reason */
void nested_guest_exit(struct cpu *cpu, u32 full);

/** nested_deliver_events() - cpu->events came in root mode while vmcs02 was about to be entered */
void nested_deliver_events(struct cpu *cpu);

/** nested_entry_again() - an entry of vmcs02 came to nothing, and is tried once more */
void nested_entry_again(struct cpu *cpu);

/** nested_entry_failed() - VMLAUNCH or VMRESUME of vmcs02 itself failed with @error */
void nested_entry_failed(struct cpu *cpu, u32 error);

/** nested_reset() - INIT or unload: virtual VMX operation ends; vmcs01 is current then */
void nested_reset(struct cpu *cpu);

/** nested_msr_read() - capability MSRs 0x480 to 0x491; false: #GP */
bool nested_msr_read(u32 msr, u64 *value);

/* ---- between the files of nested VMX ---- */

static inline u32 vmcs12_cpu2(const struct vmcs12 *v)
{
	return v->cpu_based_vm_exec_control & CPU_SECONDARY_CONTROLS ?
		       v->secondary_vm_exec_control :
		       0;
}

static inline bool vmcs12_has_ept(const struct vmcs12 *v)
{
	return vmcs12_cpu2(v) & CPU2_ENABLE_EPT;
}

#define MISC_ACTIVITY_HLT BIT(6)
#define MISC_ACTIVITY_SHUTDOWN BIT(7)
#define MISC_VMWRITE_ANY BIT(29)

/* Index into nested_caps: MSR number less MSR_VMX_BASIC. */
enum nested_cap {
	CAP_BASIC,
	CAP_PIN,
	CAP_CPU,
	CAP_EXIT,
	CAP_ENTRY,
	CAP_MISC,
	CAP_CR0_FIXED0,
	CAP_CR0_FIXED1,
	CAP_CR4_FIXED0,
	CAP_CR4_FIXED1,
	CAP_VMCS_ENUM,
	CAP_CPU2,
	CAP_EPT_VPID,
	CAP_TRUE_PIN,
	CAP_TRUE_CPU,
	CAP_TRUE_EXIT,
	CAP_TRUE_ENTRY,
	CAP_VMFUNC,
};

/* Bits that IA32_PERF_GLOBAL_CTRL of this CPU has (SDM 20.2.3). */
extern u64 perf_global_mask;

#define CR4_LA57_BIT 12

/** canonical() - is @la a linear address under @cr4? (SDM vol 1, 3.3.7.1) */
static inline bool canonical(u64 la, u64 cr4)
{
	u32 shift = cr4 & BIT(CR4_LA57_BIT) ? 64 - 57 : 64 - 48;

	return (u64)((s64)(la << shift) >> shift) == la;
}

/** fixed_ok() - is a control register possible in VMX operation? (SDM A.7, A.8) */
static inline bool fixed_ok(u64 value, u64 fixed0, u64 fixed1)
{
	return (value & fixed0) == fixed0 && !(value & ~fixed1);
}

/** pat_valid() - eight memory types (SDM 12.12.2) */
static inline bool pat_valid(u64 pat)
{
	u32 i;

	for (i = 0; i < 8; i++, pat >>= 8) {
		if ((pat & 0xff) > 7 || (pat & 0xff) == 2 || (pat & 0xff) == 3)
			return false;
	}
	return true;
}

static inline u64 read_cr4(void)
{
	u64 cr4;

	asm volatile("movq %%cr4, %0" : "=r"(cr4));
	return cr4;
}

/* Results of a VMX instruction (SDM 31.2). vmcs01 is current; RIP moves on. */
void vmx_succeed(void);
void vmx_fail_invalid(void);
void vmx_fail(struct cpu *cpu, enum vm_instruction_error error);

/** operand_read() - read a memory operand of the host's instruction; false: exception injected */
bool operand_read(struct cpu *cpu, void *buf, u32 len);
/** operand_write() - likewise */
bool operand_write(struct cpu *cpu, const void *buf, u32 len);
u64 operand_reg(struct cpu *cpu, u32 reg);
void operand_reg_set(struct cpu *cpu, u32 reg, u64 value);

void nested_invept(struct cpu *cpu);
void nested_invvpid(struct cpu *cpu);
/** vpid02() - hardware VPID for a vmcs12; flushes what must not be seen */
u16 vpid02(const struct vmcs12 *v);
/** vpid_flush_at_exit() - a host that does not use VPIDs finds no old translation of its own */
void vpid_flush_at_exit(const struct vmcs12 *v);

/** shadow_init() - once: the bitmaps, and this CPU's shadow VMCS; NPT_EPOOL */
int shadow_init(struct cpu *cpu);
/** shadow_start() - link the shadow VMCS to vmcs01 (current) and fill it from vmcs12 */
void shadow_start(struct cpu *cpu);
void shadow_stop(struct cpu *cpu);
/** shadow_fetch() - what the host wrote to the shadow VMCS goes to vmcs12; leaves it current */
void shadow_fetch(struct cpu *cpu);
/** shadow_store() - vmcs12 to the shadow VMCS; leaves it current */
void shadow_store(struct cpu *cpu);
/** shadow_widen() - GUEST_FIELDS are in the shadow VMCS, too; vmcs01 is current before and after */
void shadow_widen(struct cpu *cpu);
/** shadow_narrow() - and no longer: what the host wrote goes to vmcs12; likewise */
void shadow_narrow(struct cpu *cpu);
/** hot_index() - enum hot_field of an encoding, HOT_NR if it is not hot */
u32 hot_index(u32 encoding);

/* nested_entry.c: VMLAUNCH and VMRESUME of the host */
void nested_vmentry(struct cpu *cpu, bool launch);

/*
 * check.c. Each says true if the check is passed; the name of a failed one is
 * left in nested.refused, and counted.
 */
bool nested_controls_ok(struct nested *n);
bool nested_addresses_ok(struct nested *n);
bool nested_host_state_ok(struct nested *n);
bool nested_guest_state_ok(struct nested *n, u64 *qualification);

/**
 * struct l1_regs - registers of the host that a VM entry or exit may leave alone
 */
struct l1_regs {
	u64 efer;
	u64 pat;
	u64 perf_global;
	u64 dr7;
	u64 debugctl;
};

/** vmcs02_init() - constant fields, at the host's VMXON; returns with vmcs01 current */
void vmcs02_init(struct cpu *cpu);
/** vmcs02_prepare() - make vmcs02 current and what vmcs12 says; checks have passed */
void vmcs02_prepare(struct cpu *cpu, const struct l1_regs *l1);
/** vmcs02_refresh() - what may have changed under vmcs02 at any exit; false: not enterable now */
bool vmcs02_refresh(struct cpu *cpu);
/** vmcs02_save_hot() - hot guest state to vmcs12, at an exit (vmcs02 is current) */
void vmcs02_save_hot(struct nested *n);
/** nested_sync_guest() - all guest state to vmcs12; vmcs01 is current before and after */
void nested_sync_guest(struct cpu *cpu);

/** io_bitmap_merge() - likewise, if the host has I/O bitmaps */
void io_bitmap_merge(struct nested *n);
/** host_wants_io() - does the host intercept this I/O instruction of its guest? */
bool host_wants_io(const struct nested *n, u64 qualification);
/** msr_bitmap_merge() - vmcs02's bitmap from the host's live one and the monitor's */
void msr_bitmap_merge(struct nested *n);
/** host_wants_msr() - does the host intercept this access of its guest? */
bool host_wants_msr(const struct nested *n, u32 msr, bool write);
/** guest_msr_read() - RDMSR by whoever is in the current VMCS; false: #GP */
bool guest_msr_read(struct cpu *cpu, u32 msr, u64 *value);
bool guest_msr_write(struct cpu *cpu, u32 msr, u64 value);
/*
 * MSR lists of vmcs12 (SDM 27.4, 28.4, 28.6), on the VMCS that is current:
 * vmcs02 for the guest's registers, vmcs01 for the host's.
 * Return 0, or the number of the entry that failed, from 1.
 */
u32 msr_list_load(struct cpu *cpu, u64 pa, u32 count);
u32 msr_list_store(struct cpu *cpu, u64 pa, u32 count);

/**
 * nested_reflect() - L2 has exited to the host (vmcs02, or another VMCS of a
 * guest, is current; exit information of vmcs12 is filled in)
 * @reason: whole exit reason
 * @nmi: the exit was caused by an NMI, which now blocks others
 */
void nested_reflect(struct cpu *cpu, u32 reason, bool nmi);

/**
 * nested_enter_host() - the host goes on at vmcs12's HOST_RIP
 * @now: its registers that a VM exit may leave alone
 *
 * Exit information and guest state are in vmcs12.
 */
void nested_enter_host(struct cpu *cpu, const struct l1_regs *now, bool nmi_blocked);

/** nested_entry_exit() - VM entry failed at the guest's state: an exit that saves none of it */
void nested_entry_exit(struct cpu *cpu, u32 reason, u64 qualification);

#endif /* _VMX_NESTED_H */
