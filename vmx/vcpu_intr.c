// SPDX-License-Identifier: GPL-2.0-only
/*
 * Virtual-interrupt delivery (SDM 30.2) for the vCPUs of confidential VMs.
 *
 * The CPU would deliver any vector that the host has put into the virtual-APIC page, so
 * it is not asked to: the host's request is evaluated here, and what comes of it is an
 * injection like the host's others. EOI and the rest of the APIC are exits. A notification
 * of posted interrupts is one, too: the host takes the requests out of its descriptor itself.
 */
#include "vcpu.h"
#include "../npt/npt.h"

#define VAPIC_TPR 0x80
#define VAPIC_PPR 0xa0
#define VAPIC_ISR 0x100
#define VAPIC_IRR 0x200
#define CLASS(vector) ((vector) >> 4)

/* @base is of 8 words, 16 bytes apart (SDM 30.1.1). */
static u32 *vapic_word(void *page, u32 base, u32 vector)
{
	return page + base + vector / 32 * 16;
}

static u32 highest_request(void *page)
{
	u32 vector, word;

	for (vector = 256; vector; vector -= 32) {
		word = READ_ONCE(*vapic_word(page, VAPIC_IRR, vector - 32));
		if (word)
			return vector - 1 - (u32)__builtin_clz(word);
	}
	return 0;
}

static void deliver(struct vmcs12 *v, void *page, u32 vector)
{
	u32 bit = 1u << vector % 32;

	__atomic_fetch_or(vapic_word(page, VAPIC_ISR, vector), bit, __ATOMIC_RELAXED);
	__atomic_fetch_and(vapic_word(page, VAPIC_IRR, vector), ~bit, __ATOMIC_RELAXED);
	WRITE_ONCE(*vapic_word(page, VAPIC_PPR, 0), vector & 0xf0);
	v->guest_intr_status = (u16)(vector << 8 | highest_request(page));
	vmwrite(VM_ENTRY_INTR_INFO, vector | INTR_TYPE_EXT | INTR_INFO_VALID);
}

bool vcpu_delivers(const struct vmcs12 *v)
{
	return (v->cpu_based_vm_exec_control & CPU_TPR_SHADOW) &&
	       (vmcs12_cpu2(v) & CPU2_VIRT_INTR_DELIVERY);
}

bool vcpu_virtual_interrupt(struct vmcs12 *v)
{
	u32 rvi = v->guest_intr_status & 0xff, svi = v->guest_intr_status >> 8, tpr;
	void *page = host_ptr(v->virtual_apic_page_addr, PAGE_SIZE);

	if (!vcpu_delivers(v) || !page || CLASS(rvi) <= CLASS(svi) ||
	    (v->cpu_based_vm_exec_control & CPU_INTR_WINDOW_EXITING))
		return true;
	tpr = READ_ONCE(*vapic_word(page, VAPIC_TPR, 0)) & 0xff;
	if (CLASS(rvi) <= CLASS(tpr)) {
		vmwrite(TPR_THRESHOLD, CLASS(rvi));
		return true;
	}
	if (!host_event_known(rvi | INTR_TYPE_EXT))
		return false;
	if (host_event_ok(rvi | INTR_TYPE_EXT) && !(vmread(VM_ENTRY_INTR_INFO) & INTR_INFO_VALID))
		deliver(v, page, rvi);
	else
		vmwrite(CPU_BASED_VM_EXEC_CONTROL,
			vmread(CPU_BASED_VM_EXEC_CONTROL) | CPU_INTR_WINDOW_EXITING);
	return true;
}
