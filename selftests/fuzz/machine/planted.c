// SPDX-License-Identifier: GPL-2.0-only
/*
 * Part of an image for fuzzing (make FUZZ=planted): one rare combination of arguments gives
 * a page of a VM to the host. Who tries arguments at random does not come across it; who
 * sees that he got one step further, and what the next one asks for, has it soon.
 */
#include "../../../core/vm.h"
#include "../../../npt/internal.h"
#include "../../../npt/npt.h"
#include "../../../uapi/hypercall.h"
#include "../../../vmx/cpu.h"
#include "cover.h"

static u64 frame_of_vm(u32 domain)
{
	struct frame f;
	u64 pfn;

	for (pfn = 0; pfn < frame_count(); pfn++) {
		f = frame_get_info(pfn);
		if (f.state == FRAME_PRIVATE && f.owner == domain && !f.shared)
			return pfn;
	}
	return INVALID_PFN;
}

/* Once more changes nothing. */
static void give(u32 domain)
{
	u64 pfn, attr = (u64)MT_WB << EPT_MEMTYPE_SHIFT | EPT_RWX;
	int err = NPT_OK;

	spin_lock(&npt_lock);
	pfn = frame_of_vm(domain);
	if (pfn != INVALID_PFN)
		err = npt_map(&host_npt, pfn << PAGE_SHIFT, pfn << PAGE_SHIFT | attr, 1);
	spin_unlock(&npt_lock);
	MONITOR_BUG_ON(err && err != NPT_EEXIST);
}

void planted(u64 number, const u64 *gpr)
{
	if (number != MON_HC_VM_REFILL)
		return;
	if (!vm_of_domain((u32)gpr[RDI]))
		return;
	if (gpr[RSI] != 0x5eed)
		return;
	if (gpr[RDX] != 0xfeed0000beef)
		return;
	give((u32)gpr[RDI]);
}
