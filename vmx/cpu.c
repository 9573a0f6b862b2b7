// SPDX-License-Identifier: GPL-2.0-only
/* Small services that every exit handler uses. */
#include "cpu.h"
#include "../core/lib.h"
#include "../npt/npt.h"

void vmcs_load(struct cpu *cpu, struct vmcs *vmcs)
{
	bool failed;

	if (cpu->current == vmcs) {
		cpu->launched = vmcs->launched;
		return;
	}
	asm volatile("vmptrld %1" : "=@ccbe"(failed) : "m"(vmcs->pa) : "memory");
	MONITOR_BUG_ON(failed);
	cpu->current = vmcs;
	cpu->launched = vmcs->launched;
}

void vmcs_clear(struct cpu *cpu, struct vmcs *vmcs)
{
	bool failed;

	asm volatile("vmclear %1" : "=@ccbe"(failed) : "m"(vmcs->pa) : "memory");
	MONITOR_BUG_ON(failed);
	vmcs->launched = false;
	if (cpu->current == vmcs)
		cpu->current = NULL;
}

int vmcs_init(struct vmcs *vmcs)
{
	u64 pfn;

	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_VMX);
	spin_unlock(&npt_lock);
	if (pfn == INVALID_PFN)
		return NPT_EPOOL;
	*(u32 *)frame_ptr(pfn) = vmx_caps.revision;
	vmcs->pa = pfn << PAGE_SHIFT;
	vmcs->launched = false;
	return NPT_OK;
}

/* SDM 26.3.3: an instruction that completes ends blocking by STI and by MOV SS. */
void advance_rip(void)
{
	u64 blocking = vmread(GUEST_INTERRUPTIBILITY_INFO);
	u64 rip = vmread(GUEST_RIP) + vmread(VM_EXIT_INSTRUCTION_LEN);
	bool code64 = vmread(GUEST_CS_AR_BYTES) & BIT(13);

	vmwrite(GUEST_RIP, code64 ? rip : (u32)rip);
	if (blocking & (INTR_STATE_STI | INTR_STATE_MOV_SS))
		vmwrite(GUEST_INTERRUPTIBILITY_INFO,
			blocking & ~(INTR_STATE_STI | INTR_STATE_MOV_SS));
}

void inject_exception(u32 vector, s64 error_code)
{
	u32 info = vector | INTR_TYPE_HARD_EXCEPTION | INTR_INFO_VALID;

	/* Real mode delivers no error codes (SDM 27.2.1.3). */
	if (error_code >= 0 && (vmread(GUEST_CR0) & 1)) {
		info |= INTR_INFO_ERROR_CODE;
		vmwrite(VM_ENTRY_EXCEPTION_ERROR_CODE, (u32)error_code);
	}
	vmwrite(VM_ENTRY_INTR_INFO, info);
}

u64 rdmsr(u32 msr)
{
	u32 lo, hi;

	asm volatile("rdmsr" : "=a"(lo), "=d"(hi) : "c"(msr));
	return lo | (u64)hi << 32;
}

void wrmsr(u32 msr, u64 value)
{
	asm volatile("wrmsr" : : "c"(msr), "a"((u32)value), "d"((u32)(value >> 32)) : "memory");
}

u64 cpu_random(void)
{
	u64 value;
	bool ok = false;
	u32 i;

	for (i = 0; i < 1000 && !ok; i++)
		asm volatile("rdrand %0" : "=r"(value), "=@ccc"(ok));
	MONITOR_BUG_ON(!ok); /* SDM vol 1, 7.3.17.1: ten times is enough for a CPU that works */
	return value;
}

void count(enum mon_counter counter)
{
	__atomic_fetch_add(&monitor.counter[counter], 1, __ATOMIC_RELAXED);
}

void *frame_ptr(u64 pfn)
{
	return (void *)(MON_VA_DIRECT + (pfn << PAGE_SHIFT));
}

void npt_flush_local(void)
{
	struct {
		u64 eptp, reserved;
	} all_ept = { 0, 0 };
	struct {
		u64 vpid, la;
	} all_vpid = { 0, 0 };
	bool failed;

	asm volatile("invept %1, %2" : "=@ccbe"(failed) : "m"(all_ept), "r"(2ULL) : "memory");
	MONITOR_BUG_ON(failed);
	asm volatile("invvpid %1, %2" : "=@ccbe"(failed) : "m"(all_vpid), "r"(2ULL) : "memory");
	MONITOR_BUG_ON(failed);
}
