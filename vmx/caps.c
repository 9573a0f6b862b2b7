// SPDX-License-Identifier: GPL-2.0-only
/* What this CPU can do (SDM appendix A), and whether that is enough. */
#include "caps.h"
#include "cpu.h"

struct vmx_caps vmx_caps;

#define MSR_FEAT_CTL 0x3a
#define FEAT_CTL_LOCKED BIT(0)
#define FEAT_CTL_VMX_OUTSIDE_SMX BIT(2)
#define MSR_VMX_PIN 0x481
#define MSR_VMX_CPU 0x482
#define MSR_VMX_EXIT 0x483
#define MSR_VMX_ENTRY 0x484
#define MSR_VMX_MISC 0x485
#define MSR_VMX_CR0_FIXED0 0x486
#define MSR_VMX_CR4_FIXED0 0x488
#define MSR_VMX_VMCS_ENUM 0x48a
#define MSR_VMX_CPU2 0x48b
#define MSR_VMX_EPT_VPID 0x48c
#define MSR_VMX_TRUE_PIN 0x48d
#define MSR_TME_ACTIVATE 0x982
#define CPUID_7_TME BIT(13)
#define CPUID_1_PCLMULQDQ BIT(1)
#define CPUID_1_SSE4_1 BIT(19)
#define CPUID_1_AES BIT(25)
#define CPUID_1_RDRAND BIT(30)
#define CRYPTO (CPUID_1_PCLMULQDQ | CPUID_1_SSE4_1 | CPUID_1_AES | CPUID_1_RDRAND)
#define BASIC_TRUE_CONTROLS BIT(55)
#define MISC_WAIT_FOR_SIPI BIT(8)
#define MISC_VMWRITE_ANY BIT(29)

#define EPT_CAP_EXEC_ONLY BIT(0)
#define EPT_CAP_4_LEVELS BIT(6)
#define EPT_CAP_WB BIT(14)
#define EPT_CAP_2M BIT(16)
#define EPT_CAP_1G BIT(17)
#define EPT_CAP_INVEPT BIT(20)
#define EPT_CAP_INVEPT_ALL BIT(26)
#define VPID_CAP_INVVPID BIT(32)
#define VPID_CAP_INVVPID_ALL BIT(42)

#define NEED_EPT (EPT_CAP_4_LEVELS | EPT_CAP_WB | EPT_CAP_2M | EPT_CAP_INVEPT | EPT_CAP_INVEPT_ALL)
#define NEED_VPID (VPID_CAP_INVVPID | VPID_CAP_INVVPID_ALL)

static inline u32 may_be_1(u64 cap)
{
	return (u32)(cap >> 32);
}

/* The TRUE_ MSRs say which of the "default 1" controls can be 0 (SDM A.3.1). */
static void read_msrs(struct vmx_caps *caps)
{
	u32 shift;

	caps->basic = rdmsr(MSR_VMX_BASIC);
	shift = caps->basic & BASIC_TRUE_CONTROLS ? MSR_VMX_TRUE_PIN - MSR_VMX_PIN : 0;
	caps->revision = (u32)caps->basic & 0x7fffffff;
	caps->pin = rdmsr(MSR_VMX_PIN + shift);
	caps->cpu = rdmsr(MSR_VMX_CPU + shift);
	caps->exit = rdmsr(MSR_VMX_EXIT + shift);
	caps->entry = rdmsr(MSR_VMX_ENTRY + shift);
	caps->misc = rdmsr(MSR_VMX_MISC);
	caps->cr0_fixed0 = rdmsr(MSR_VMX_CR0_FIXED0);
	caps->cr0_fixed1 = rdmsr(MSR_VMX_CR0_FIXED0 + 1);
	caps->cr4_fixed0 = rdmsr(MSR_VMX_CR4_FIXED0);
	caps->cr4_fixed1 = rdmsr(MSR_VMX_CR4_FIXED0 + 1);
	caps->vmcs_enum = rdmsr(MSR_VMX_VMCS_ENUM);
	if (may_be_1(caps->cpu) & CPU_SECONDARY_CONTROLS)
		caps->cpu2 = rdmsr(MSR_VMX_CPU2);
	if (may_be_1(caps->cpu2) & (CPU2_ENABLE_EPT | CPU2_ENABLE_VPID))
		caps->ept_vpid = rdmsr(MSR_VMX_EPT_VPID);
}

static u32 judge(const struct vmx_caps *caps, u64 *detail)
{
	u32 cpu = may_be_1(caps->cpu), cpu2 = may_be_1(caps->cpu2);
	u32 need_exit = EXIT_HOST_ADDR_SPACE_SIZE | EXIT_SAVE_DEBUG_CONTROLS | EXIT_SAVE_EFER |
			EXIT_LOAD_EFER | EXIT_SAVE_PAT | EXIT_LOAD_PAT;
	u32 need_entry = ENTRY_IA32E_MODE | ENTRY_LOAD_DEBUG_CONTROLS | ENTRY_LOAD_EFER |
			 ENTRY_LOAD_PAT;

	*detail = caps->cpu;
	if (!(cpu & CPU_SECONDARY_CONTROLS) || !(cpu & CPU_USE_MSR_BITMAPS))
		return MON_LAUNCH_NO_MSR_BITMAP;
	/* A control the monitor wants off must not be one that has to be 1. */
	if ((u32)caps->cpu & (CPU_CR3_LOAD_EXITING | CPU_CR3_STORE_EXITING) ||
	    !(cpu & CPU_MONITOR_TRAP_FLAG) || !(cpu & CPU_USE_IO_BITMAPS))
		return MON_LAUNCH_NO_CONTROL;
	/* Where a CPU goes after an INIT (exit.c). */
	*detail = caps->misc;
	if (!(caps->misc & MISC_WAIT_FOR_SIPI))
		return MON_LAUNCH_NO_CONTROL;
	*detail = caps->ept_vpid;
	if (!(cpu2 & CPU2_ENABLE_EPT) || (caps->ept_vpid & NEED_EPT) != NEED_EPT)
		return MON_LAUNCH_NO_EPT;
	if (!(cpu2 & CPU2_ENABLE_VPID) || (caps->ept_vpid & NEED_VPID) != NEED_VPID)
		return MON_LAUNCH_NO_VPID;
	*detail = caps->cpu2;
	if (!(cpu2 & CPU2_UNRESTRICTED_GUEST))
		return MON_LAUNCH_NO_UNRESTRICTED;
	*detail = caps->exit;
	if ((may_be_1(caps->exit) & need_exit) != need_exit)
		return MON_LAUNCH_NO_CONTROL;
	*detail = caps->entry;
	if ((may_be_1(caps->entry) & need_entry) != need_entry)
		return MON_LAUNCH_NO_CONTROL;
	return MON_LAUNCH_OK;
}

static bool has_perf_global(void)
{
	u32 a, b, c, d;

	cpuid(0, 0, &a, &b, &c, &d);
	if (a < 0xa)
		return false;
	cpuid(0xa, 0, &a, &b, &c, &d);
	return (a & 0xff) >= 2;
}

static u32 max_pa_bits(void)
{
	u32 a, b, c, d, bits;
	u64 tme = 0;

	cpuid(0x80000008, 0, &a, &b, &c, &d);
	bits = a & 0xff;
	cpuid(7, 0, &a, &b, &c, &d);
	if (c & CPUID_7_TME)
		rdmsr_safe(MSR_TME_ACTIVATE, &tme);
	return physical_bits(bits, tme);
}

u32 vmx_caps_read(struct vmx_caps *caps, u64 *detail)
{
	u32 a, b, c, d;
	u64 feat_ctl;

	cpuid(1, 0, &a, &b, &c, &d);
	*detail = c;
	if (!(c & BIT(5)))
		return MON_LAUNCH_NO_VMX;
	caps->crypto = (c & CRYPTO) == CRYPTO;
	feat_ctl = rdmsr(MSR_FEAT_CTL);
	*detail = feat_ctl;
	if ((feat_ctl & FEAT_CTL_LOCKED) && !(feat_ctl & FEAT_CTL_VMX_OUTSIDE_SMX))
		return MON_LAUNCH_LOCKED_OFF;
	read_msrs(caps);
	caps->max_pa_bits = max_pa_bits();
	caps->shadow_vmcs = (may_be_1(caps->cpu2) & CPU2_SHADOW_VMCS) &&
			    (caps->misc & MISC_VMWRITE_ANY);
	caps->ept_1g = caps->ept_vpid & EPT_CAP_1G;
	caps->perf_global = has_perf_global() &&
			    (may_be_1(caps->exit) & EXIT_LOAD_PERF_GLOBAL_CTRL) &&
			    (may_be_1(caps->entry) & ENTRY_LOAD_PERF_GLOBAL_CTRL);
	caps->tsc_scaling = may_be_1(caps->cpu2) & CPU2_TSC_SCALING;
	caps->preemption_timer = may_be_1(caps->pin) & PIN_PREEMPTION_TIMER;
	caps->virt_intr = may_be_1(caps->cpu2) & CPU2_VIRT_INTR_DELIVERY;
	return judge(caps, detail);
}
