// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VMX capabilities that the host is offered (SDM appendix A): what is on
 * this list, and the CPU has. What future CPUs bring stays off until it is put
 * here, next to the code that knows how to deal with it.
 *
 * Left out on purpose: IPI virtualization, page-modification logging, VMFUNC, shadow VMCSs,
 * #VE, PT, ENCLS, mode-based execute control, CET state, SMM and dual-monitor treatment, a
 * host that is not in 64-bit mode.
 */
#include "cpu.h"

u64 nested_caps[0x12];
u64 perf_global_mask;

#define OFFER_PIN \
	(PIN_EXT_INTR_EXITING | PIN_NMI_EXITING | PIN_VIRTUAL_NMIS | PIN_PREEMPTION_TIMER | \
	 PIN_POSTED_INTR)
#define OFFER_CPU                                                                                  \
	(CPU_INTR_WINDOW_EXITING | CPU_USE_TSC_OFFSETTING | CPU_HLT_EXITING | CPU_INVLPG_EXITING | \
	 CPU_MWAIT_EXITING | CPU_RDPMC_EXITING | CPU_RDTSC_EXITING | CPU_CR3_LOAD_EXITING |        \
	 CPU_CR3_STORE_EXITING | CPU_CR8_LOAD_EXITING | CPU_CR8_STORE_EXITING | CPU_TPR_SHADOW |   \
	 CPU_NMI_WINDOW_EXITING | CPU_MOV_DR_EXITING | CPU_UNCOND_IO_EXITING |                     \
	 CPU_USE_IO_BITMAPS | CPU_MONITOR_TRAP_FLAG | CPU_USE_MSR_BITMAPS | CPU_MONITOR_EXITING |  \
	 CPU_PAUSE_EXITING | CPU_SECONDARY_CONTROLS)
#define OFFER_CPU2                                                                           \
	(CPU2_VIRT_APIC_ACCESSES | CPU2_ENABLE_EPT | CPU2_DESC_EXITING |                     \
	 CPU2_ENABLE_RDTSCP | CPU2_ENABLE_VPID | CPU2_WBINVD_EXITING |                       \
	 CPU2_UNRESTRICTED_GUEST | CPU2_PAUSE_LOOP_EXITING | CPU2_RDRAND_EXITING |           \
	 CPU2_VIRT_X2APIC | CPU2_APIC_REGISTER_VIRT | CPU2_VIRT_INTR_DELIVERY |              \
	 CPU2_ENABLE_INVPCID | CPU2_RDSEED_EXITING | CPU2_ENABLE_XSAVES | CPU2_TSC_SCALING | \
	 CPU2_USR_WAIT_PAUSE)
#define OFFER_EXIT                                                                           \
	(EXIT_SAVE_DEBUG_CONTROLS | EXIT_HOST_ADDR_SPACE_SIZE | EXIT_ACK_INTR |              \
	 EXIT_SAVE_PAT | EXIT_LOAD_PAT | EXIT_SAVE_EFER | EXIT_LOAD_EFER |                   \
	 EXIT_SAVE_PREEMPTION_TIMER)
#define OFFER_ENTRY \
	(ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_IA32E_MODE | ENTRY_LOAD_PAT | ENTRY_LOAD_EFER)

/* SDM A.2 to A.5: controls that are 1 for software that does not read the TRUE_ MSRs. */
#define DEFAULT1_PIN 0x16u
#define DEFAULT1_CPU 0x0401e172u
#define DEFAULT1_EXIT 0x36dffu
#define DEFAULT1_ENTRY 0x11ffu

#define BASIC_SIZE_SHIFT 32
#define BASIC_MEMTYPE_WB (6ULL << 50)
#define BASIC_INS_OUTS BIT(54)
#define BASIC_TRUE_CONTROLS BIT(55)

#define MISC_TIMER_RATE GENMASK(4, 0)
#define MISC_STORE_LMA BIT(5)
#define MISC_CR3_TARGETS GENMASK(24, 16)

/* SDM A.10; WB and 4 levels are all that ept02_eptp_valid() takes. */
#define OFFER_EPT_VPID                                                              \
	(BIT(0) /* execute-only */ | BIT(6) /* 4 levels */ | BIT(14) /* WB */ |     \
	 BIT(16) /* 2 MiB */ | BIT(17) /* 1 GiB */ | BIT(20) | BIT(25) | BIT(26) |  \
	 BIT(32) | BIT(40) | BIT(41) | BIT(42) | BIT(43))
/* These are executed by the monitor with what the CPU has. */
#define EPT_VPID_ALWAYS \
	(BIT(20) | BIT(25) | BIT(26) | BIT(32) | BIT(40) | BIT(41) | BIT(42) | BIT(43))

#define CR4_SMXE BIT(14)

/* Low half: must be 1; high half: may be 1, and includes what must. */
static u64 control_cap(u64 hardware, u32 offer, u32 must)
{
	u32 low = (u32)hardware | must, may = (u32)(hardware >> 32);

	return low | (u64)((offer | low) & may) << 32;
}

static void controls_init(void)
{
	u32 perf_exit = vmx_caps.perf_global ? EXIT_LOAD_PERF_GLOBAL_CTRL : 0;
	u32 perf_entry = vmx_caps.perf_global ? ENTRY_LOAD_PERF_GLOBAL_CTRL : 0;
	u32 exit_must = EXIT_HOST_ADDR_SPACE_SIZE;

	nested_caps[CAP_TRUE_PIN] = control_cap(vmx_caps.pin, OFFER_PIN, 0);
	nested_caps[CAP_TRUE_CPU] = control_cap(vmx_caps.cpu, OFFER_CPU, 0);
	nested_caps[CAP_TRUE_EXIT] =
		control_cap(vmx_caps.exit, OFFER_EXIT | perf_exit, exit_must);
	nested_caps[CAP_TRUE_ENTRY] = control_cap(vmx_caps.entry, OFFER_ENTRY | perf_entry, 0);
	nested_caps[CAP_PIN] = nested_caps[CAP_TRUE_PIN] | DEFAULT1_PIN;
	nested_caps[CAP_CPU] = nested_caps[CAP_TRUE_CPU] | DEFAULT1_CPU;
	nested_caps[CAP_EXIT] = nested_caps[CAP_TRUE_EXIT] | DEFAULT1_EXIT;
	nested_caps[CAP_ENTRY] = nested_caps[CAP_TRUE_ENTRY] | DEFAULT1_ENTRY;
	nested_caps[CAP_CPU2] = control_cap(vmx_caps.cpu2, OFFER_CPU2, 0);
}

#define MSR_PERF_CAPABILITIES 0x345
#define PERF_CAP_METRICS BIT(15)
#define PERF_GLOBAL_METRICS BIT(48)
#define CPUID_1_PDCM BIT(15)

/* SDM 20.2.3 and CPUID leaf 0xa: general counters, fixed counters, metrics. */
static u64 perf_global_bits(void)
{
	u32 a, b, c, d;
	u64 mask, cap;

	if (!vmx_caps.perf_global)
		return 0;
	cpuid(0xa, 0, &a, &b, &c, &d);
	mask = BIT((a >> 8) & 0x1f) - 1;
	mask |= ((BIT(d & 0x1f) - 1) | ((a & 0xff) >= 5 ? c & 0xffff : 0)) << 32;
	cpuid(1, 0, &a, &b, &c, &d);
	if ((c & CPUID_1_PDCM) && rdmsr_safe(MSR_PERF_CAPABILITIES, &cap) &&
	    (cap & PERF_CAP_METRICS))
		mask |= PERF_GLOBAL_METRICS;
	return mask;
}

void nested_caps_init(void)
{
	controls_init();
	perf_global_mask = perf_global_bits();
	/* The CPU's own revision: since 7.x Linux makes its VMXON regions at boot, before us. */
	nested_caps[CAP_BASIC] = vmx_caps.revision | PAGE_SIZE << BASIC_SIZE_SHIFT |
				 BASIC_MEMTYPE_WB | BASIC_TRUE_CONTROLS |
				 (vmx_caps.basic & BASIC_INS_OUTS);
	nested_caps[CAP_MISC] =
		vmx_caps.misc & (MISC_TIMER_RATE | MISC_STORE_LMA | MISC_ACTIVITY_HLT |
				 MISC_ACTIVITY_SHUTDOWN | MISC_CR3_TARGETS | MISC_VMWRITE_ANY);
	nested_caps[CAP_CR0_FIXED0] = vmx_caps.cr0_fixed0;
	nested_caps[CAP_CR0_FIXED1] = vmx_caps.cr0_fixed1;
	nested_caps[CAP_CR4_FIXED0] = vmx_caps.cr4_fixed0;
	nested_caps[CAP_CR4_FIXED1] = vmx_caps.cr4_fixed1 & ~CR4_SMXE;
	nested_caps[CAP_VMCS_ENUM] = VMCS12_MAX_INDEX << 1;
	nested_caps[CAP_EPT_VPID] = (vmx_caps.ept_vpid | EPT_VPID_ALWAYS) & OFFER_EPT_VPID;
}

bool nested_msr_read(u32 msr, u64 *value)
{
	u32 index = msr - MSR_VMX_BASIC;

	/* IA32_VMX_VMFUNC exists only where VMFUNC is offered (SDM A.11). */
	if (index >= CAP_VMFUNC)
		return false;
	*value = nested_caps[index];
	return true;
}
