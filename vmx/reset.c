// SPDX-License-Identifier: GPL-2.0-only
/* Guest state after RESET or INIT (SDM table 10-1), in the current VMCS. */
#include "cpu.h"

#define AR_RESET_DATA 0x93
#define AR_RESET_CODE 0x9b
#define AR_RESET_LDT 0x82
#define AR_RESET_TSS 0x8b

static void segment(enum vmcs_field selector, u64 base, u32 ar)
{
	u32 index = selector - GUEST_ES_SELECTOR;

	vmwrite(selector, base ? 0xf000 : 0);
	vmwrite(GUEST_ES_BASE + index, base);
	vmwrite(GUEST_ES_LIMIT + index, 0xffff);
	vmwrite(GUEST_ES_AR_BYTES + index, ar);
}

void vmcs_write_reset_state(void)
{
	segment(GUEST_ES_SELECTOR, 0, AR_RESET_DATA);
	segment(GUEST_CS_SELECTOR, 0xffff0000, AR_RESET_CODE);
	segment(GUEST_SS_SELECTOR, 0, AR_RESET_DATA);
	segment(GUEST_DS_SELECTOR, 0, AR_RESET_DATA);
	segment(GUEST_FS_SELECTOR, 0, AR_RESET_DATA);
	segment(GUEST_GS_SELECTOR, 0, AR_RESET_DATA);
	segment(GUEST_LDTR_SELECTOR, 0, AR_RESET_LDT);
	segment(GUEST_TR_SELECTOR, 0, AR_RESET_TSS);
	vmwrite(GUEST_GDTR_BASE, 0);
	vmwrite(GUEST_GDTR_LIMIT, 0xffff);
	vmwrite(GUEST_IDTR_BASE, 0);
	vmwrite(GUEST_IDTR_LIMIT, 0xffff);
	vmwrite(GUEST_CR3, 0);
	vmwrite(GUEST_IA32_EFER, 0);
	vmwrite(VM_ENTRY_CONTROLS, vmread(VM_ENTRY_CONTROLS) & ~ENTRY_IA32E_MODE);
	vmwrite(GUEST_RFLAGS, 2);
	vmwrite(GUEST_RIP, 0xfff0);
	vmwrite(GUEST_RSP, 0);
	vmwrite(GUEST_DR7, 0x400);
	vmwrite(GUEST_INTERRUPTIBILITY_INFO, 0);
	vmwrite(GUEST_PENDING_DBG_EXCEPTIONS, 0);
	vmwrite(VM_ENTRY_INTR_INFO, 0);
}

/* SDM 10.4.4.2: a SIPI starts at its vector's page. */
void vmcs_write_sipi(u64 vector)
{
	vmwrite(GUEST_CS_SELECTOR, vector << 8);
	vmwrite(GUEST_CS_BASE, vector << 12);
	vmwrite(GUEST_RIP, 0);
	vmwrite(GUEST_ACTIVITY_STATE, ACTIVITY_ACTIVE);
}
