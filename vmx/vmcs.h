/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The VMCS as the SDM defines it: encodings, control bits, exit reasons
 * (SDM vol 3, chapters 25 to 28, appendices A to C). Architecture only.
 */
#ifndef _VMX_VMCS_H
#define _VMX_VMCS_H

#include "../npt/shim.h"

enum vmcs_field {
#define VMCS_FIELD(type, name, encoding, member) name = encoding,
#include "vmcs_fields.h"
};

/* Encoding: bit 0 high half, 9:1 index, 11:10 type, 14:13 width (SDM 25.11.2). */
#define VMCS_FIELD_WIDTH(e) (((e) >> 13) & 3)
#define VMCS_FIELD_TYPE(e) (((e) >> 10) & 3)
#define VMCS_FIELD_INDEX(e) (((e) >> 1) & 0x1ff)
enum { VMCS_WIDTH_16, VMCS_WIDTH_64, VMCS_WIDTH_32, VMCS_WIDTH_NATURAL };
enum { VMCS_TYPE_CONTROL, VMCS_TYPE_READ_ONLY, VMCS_TYPE_GUEST, VMCS_TYPE_HOST };

/* Pin-based controls */
#define PIN_EXT_INTR_EXITING BIT(0)
#define PIN_NMI_EXITING BIT(3)
#define PIN_VIRTUAL_NMIS BIT(5)
#define PIN_PREEMPTION_TIMER BIT(6)
#define PIN_POSTED_INTR BIT(7)

/* Primary processor-based controls */
#define CPU_INTR_WINDOW_EXITING BIT(2)
#define CPU_USE_TSC_OFFSETTING BIT(3)
#define CPU_HLT_EXITING BIT(7)
#define CPU_INVLPG_EXITING BIT(9)
#define CPU_MWAIT_EXITING BIT(10)
#define CPU_RDPMC_EXITING BIT(11)
#define CPU_RDTSC_EXITING BIT(12)
#define CPU_CR3_LOAD_EXITING BIT(15)
#define CPU_CR3_STORE_EXITING BIT(16)
#define CPU_TERTIARY_CONTROLS BIT(17)
#define CPU_CR8_LOAD_EXITING BIT(19)
#define CPU_CR8_STORE_EXITING BIT(20)
#define CPU_TPR_SHADOW BIT(21)
#define CPU_NMI_WINDOW_EXITING BIT(22)
#define CPU_MOV_DR_EXITING BIT(23)
#define CPU_UNCOND_IO_EXITING BIT(24)
#define CPU_USE_IO_BITMAPS BIT(25)
#define CPU_MONITOR_TRAP_FLAG BIT(27)
#define CPU_USE_MSR_BITMAPS BIT(28)
#define CPU_MONITOR_EXITING BIT(29)
#define CPU_PAUSE_EXITING BIT(30)
#define CPU_SECONDARY_CONTROLS BIT(31)

/* Secondary processor-based controls */
#define CPU2_VIRT_APIC_ACCESSES BIT(0)
#define CPU2_ENABLE_EPT BIT(1)
#define CPU2_DESC_EXITING BIT(2)
#define CPU2_ENABLE_RDTSCP BIT(3)
#define CPU2_VIRT_X2APIC BIT(4)
#define CPU2_ENABLE_VPID BIT(5)
#define CPU2_WBINVD_EXITING BIT(6)
#define CPU2_UNRESTRICTED_GUEST BIT(7)
#define CPU2_APIC_REGISTER_VIRT BIT(8)
#define CPU2_VIRT_INTR_DELIVERY BIT(9)
#define CPU2_PAUSE_LOOP_EXITING BIT(10)
#define CPU2_RDRAND_EXITING BIT(11)
#define CPU2_ENABLE_INVPCID BIT(12)
#define CPU2_ENABLE_VMFUNC BIT(13)
#define CPU2_SHADOW_VMCS BIT(14)
#define CPU2_ENCLS_EXITING BIT(15)
#define CPU2_RDSEED_EXITING BIT(16)
#define CPU2_ENABLE_PML BIT(17)
#define CPU2_EPT_VIOLATION_VE BIT(18)
#define CPU2_PT_CONCEAL_VMX BIT(19)
#define CPU2_ENABLE_XSAVES BIT(20)
#define CPU2_MODE_BASED_EXEC BIT(22)
#define CPU2_TSC_SCALING BIT(25)
#define CPU2_USR_WAIT_PAUSE BIT(26)

/* VM-exit controls */
#define EXIT_SAVE_DEBUG_CONTROLS BIT(2)
#define EXIT_HOST_ADDR_SPACE_SIZE BIT(9)
#define EXIT_LOAD_PERF_GLOBAL_CTRL BIT(12)
#define EXIT_ACK_INTR BIT(15)
#define EXIT_SAVE_PAT BIT(18)
#define EXIT_LOAD_PAT BIT(19)
#define EXIT_SAVE_EFER BIT(20)
#define EXIT_LOAD_EFER BIT(21)
#define EXIT_SAVE_PREEMPTION_TIMER BIT(22)
#define EXIT_CLEAR_BNDCFGS BIT(23)
#define EXIT_PT_CONCEAL BIT(24)
#define EXIT_CLEAR_RTIT_CTL BIT(25)
#define EXIT_LOAD_CET BIT(28)

/* VM-entry controls */
#define ENTRY_LOAD_DEBUG_CONTROLS BIT(2)
#define ENTRY_IA32E_MODE BIT(9)
#define ENTRY_SMM BIT(10)
#define ENTRY_DEACT_DUAL_MONITOR BIT(11)
#define ENTRY_LOAD_PERF_GLOBAL_CTRL BIT(13)
#define ENTRY_LOAD_PAT BIT(14)
#define ENTRY_LOAD_EFER BIT(15)
#define ENTRY_LOAD_BNDCFGS BIT(16)
#define ENTRY_PT_CONCEAL BIT(17)
#define ENTRY_LOAD_RTIT_CTL BIT(18)
#define ENTRY_LOAD_CET BIT(20)

/* Interruption information (entry, exit and IDT-vectoring have one layout) */
#define INTR_INFO_VECTOR 0xffu
#define INTR_INFO_TYPE (7u << 8)
#define INTR_INFO_ERROR_CODE (1u << 11)
#define INTR_INFO_UNBLOCK_NMI (1u << 12)
#define INTR_INFO_RESERVED 0x7ffff000u
#define INTR_INFO_VALID (1u << 31)
#define INTR_TYPE_EXT (0u << 8)
#define INTR_TYPE_NMI (2u << 8)
#define INTR_TYPE_HARD_EXCEPTION (3u << 8)
#define INTR_TYPE_SOFT_INTR (4u << 8)
#define INTR_TYPE_PRIV_SW_EXCEPTION (5u << 8)
#define INTR_TYPE_SOFT_EXCEPTION (6u << 8)
#define INTR_TYPE_OTHER (7u << 8)
#define VECTOR_MC 18
#define INTR_INFO_MC (VECTOR_MC | INTR_TYPE_HARD_EXCEPTION | INTR_INFO_VALID)

/* Guest interruptibility and activity */
#define INTR_STATE_STI BIT(0)
#define INTR_STATE_MOV_SS BIT(1)
#define INTR_STATE_SMI BIT(2)
#define INTR_STATE_NMI BIT(3)
enum { ACTIVITY_ACTIVE, ACTIVITY_HLT, ACTIVITY_SHUTDOWN, ACTIVITY_WAIT_SIPI };

#define SEG_AR_UNUSABLE BIT(16)

/* Basic exit reasons (SDM appendix C) */
enum exit_reason {
	EXIT_EXCEPTION_NMI = 0,
	EXIT_EXTERNAL_INTERRUPT = 1,
	EXIT_TRIPLE_FAULT = 2,
	EXIT_INIT_SIGNAL = 3,
	EXIT_SIPI_SIGNAL = 4,
	EXIT_INTERRUPT_WINDOW = 7,
	EXIT_NMI_WINDOW = 8,
	EXIT_TASK_SWITCH = 9,
	EXIT_CPUID = 10,
	EXIT_GETSEC = 11,
	EXIT_HLT = 12,
	EXIT_INVD = 13,
	EXIT_INVLPG = 14,
	EXIT_RDPMC = 15,
	EXIT_RDTSC = 16,
	EXIT_RSM = 17,
	EXIT_VMCALL = 18,
	EXIT_VMCLEAR = 19,
	EXIT_VMLAUNCH = 20,
	EXIT_VMPTRLD = 21,
	EXIT_VMPTRST = 22,
	EXIT_VMREAD = 23,
	EXIT_VMRESUME = 24,
	EXIT_VMWRITE = 25,
	EXIT_VMXOFF = 26,
	EXIT_VMXON = 27,
	EXIT_CR_ACCESS = 28,
	EXIT_DR_ACCESS = 29,
	EXIT_IO_INSTRUCTION = 30,
	EXIT_MSR_READ = 31,
	EXIT_MSR_WRITE = 32,
	EXIT_INVALID_GUEST_STATE = 33,
	EXIT_MSR_LOAD_FAIL = 34,
	EXIT_MWAIT = 36,
	EXIT_MONITOR_TRAP_FLAG = 37,
	EXIT_MONITOR = 39,
	EXIT_PAUSE = 40,
	EXIT_MCE_DURING_ENTRY = 41,
	EXIT_TPR_BELOW_THRESHOLD = 43,
	EXIT_APIC_ACCESS = 44,
	EXIT_VIRTUALIZED_EOI = 45,
	EXIT_GDTR_IDTR = 46,
	EXIT_LDTR_TR = 47,
	EXIT_EPT_VIOLATION = 48,
	EXIT_EPT_MISCONFIG = 49,
	EXIT_INVEPT = 50,
	EXIT_RDTSCP = 51,
	EXIT_PREEMPTION_TIMER = 52,
	EXIT_INVVPID = 53,
	EXIT_WBINVD = 54,
	EXIT_XSETBV = 55,
	EXIT_APIC_WRITE = 56,
	EXIT_RDRAND = 57,
	EXIT_INVPCID = 58,
	EXIT_VMFUNC = 59,
	EXIT_ENCLS = 60,
	EXIT_RDSEED = 61,
	EXIT_PML_FULL = 62,
	EXIT_XSAVES = 63,
	EXIT_XRSTORS = 64,
	EXIT_UMWAIT = 67,
	EXIT_TPAUSE = 68,
	EXIT_BUS_LOCK = 74,
	EXIT_NOTIFY = 75,
	EXIT_SEAMCALL = 76,
	EXIT_TDCALL = 77,
	EXIT_REASONS = 80,
};

#define EXIT_REASON_BASIC 0xffffu
#define EXIT_REASON_ENTRY_FAILURE BIT(31)

/* Qualification of an I/O instruction (SDM table 28-5) */
#define IO_SIZE(q) (((q) & 7) + 1)
#define IO_IN BIT(3)
#define IO_STRING BIT(4)
#define IO_REP BIT(5)
#define IO_PORT(q) (((q) >> 16) & 0xffff)

/* Qualification of an APIC access: the offset, and how (SDM table 28-6) */
#define APIC_ACCESS_WRITE (1 << 12)

/* EPT violation qualification (SDM table 28-7) */
#define EPT_QUAL_READ BIT(0)
#define EPT_QUAL_WRITE BIT(1)
#define EPT_QUAL_FETCH BIT(2)
#define EPT_QUAL_PERM_SHIFT 3
#define EPT_QUAL_LINEAR_VALID BIT(7)
#define EPT_QUAL_TRANSLATED BIT(8)

/* VM-instruction error numbers (SDM 31.4) */
enum vm_instruction_error {
	VMXERR_VMCALL_IN_ROOT = 1,
	VMXERR_VMCLEAR_ADDRESS = 2,
	VMXERR_VMCLEAR_VMXON_POINTER = 3,
	VMXERR_VMLAUNCH_NOT_CLEAR = 4,
	VMXERR_VMRESUME_NOT_LAUNCHED = 5,
	VMXERR_ENTRY_CONTROLS = 7,
	VMXERR_ENTRY_HOST_STATE = 8,
	VMXERR_VMPTRLD_ADDRESS = 9,
	VMXERR_VMPTRLD_VMXON_POINTER = 10,
	VMXERR_VMPTRLD_REVISION = 11,
	VMXERR_UNSUPPORTED_FIELD = 12,
	VMXERR_READ_ONLY_FIELD = 13,
	VMXERR_VMXON_IN_ROOT = 15,
	VMXERR_ENTRY_MOV_SS = 26,
	VMXERR_INVALID_OPERAND = 28,
};

static inline u64 vmread(enum vmcs_field field)
{
	u64 value;

	asm volatile("vmread %1, %0" : "=rm"(value) : "r"((u64)field) : "cc");
	return value;
}

/* A VMWRITE of a field the monitor chose can only fail by a bug of its own. */
static inline void vmwrite(enum vmcs_field field, u64 value)
{
	bool failed;

	asm volatile("vmwrite %2, %1" : "=@ccbe"(failed) : "r"((u64)field), "rm"(value));
	MONITOR_BUG_ON(failed);
}

/* Likewise, of a field that this CPU is known to have: for where each tick counts. */
static inline void vmwrite_known(enum vmcs_field field, u64 value)
{
	asm volatile("vmwrite %1, %0" : : "r"((u64)field), "rm"(value) : "cc");
}

#endif /* _VMX_VMCS_H */
