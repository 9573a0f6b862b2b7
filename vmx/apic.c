// SPDX-License-Identifier: GPL-2.0-only
/* The local APIC of this CPU, which is the host's: root mode looks, and at the end sends. */
#include "cpu.h"

#define MSR_APIC_BASE 0x1b
#define APIC_BASE_ENABLED BIT(11)
#define APIC_BASE_X2APIC BIT(10)
/* SDM 12.8.4: the interrupt request register, eight times 32 bits */
#define MSR_X2APIC_IRR 0x820
#define APIC_IRR 0x200
#define APIC_STEP 0x10
#define IRR_WORDS 8
#define MSR_X2APIC_ICR 0x830
#define APIC_ICR_LOW 0x300

bool interrupt_waits(void)
{
	u64 base = rdmsr(MSR_APIC_BASE);
	u32 i, waits = 0;

	if (!(base & APIC_BASE_ENABLED))
		return true; /* nobody can tell */
	for (i = 0; i < IRR_WORDS; i++) {
		if (base & APIC_BASE_X2APIC)
			waits |= (u32)rdmsr(MSR_X2APIC_IRR + i);
		else
			waits |= READ_ONCE(*(u32 *)(MON_VA_APIC + APIC_IRR + i * APIC_STEP));
	}
	return waits;
}

void ipi_others(u32 icr)
{
	u64 base = rdmsr(MSR_APIC_BASE);

	if (!(base & APIC_BASE_ENABLED))
		return;
	if (base & APIC_BASE_X2APIC)
		wrmsr(MSR_X2APIC_ICR, icr);
	else
		WRITE_ONCE(*(u32 *)(MON_VA_APIC + APIC_ICR_LOW), icr);
}
