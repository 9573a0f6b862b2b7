// SPDX-License-Identifier: GPL-2.0-only
/* A junk frame in place of a protected one, for one instruction of the host. */
#include "npt.h"

int host_lend(u64 gpa, u64 junk_pfn)
{
	u64 attr = (junk_pfn << PAGE_SHIFT) | EPT_READ | EPT_WRITE | MT_WB << EPT_MEMTYPE_SHIFT;
	int err;

	spin_lock(&npt_lock);
	err = npt_map(&host_npt, ALIGN_DOWN(gpa, PAGE_SIZE), attr, 1);
	spin_unlock(&npt_lock);
	return err;
}

/* The leaf is there and is 4 KiB, so nothing is split and nothing can fail. */
void host_unlend(u64 gpa)
{
	spin_lock(&npt_lock);
	MONITOR_BUG_ON(npt_unmap(&host_npt, gpa, PAGE_SIZE) != NPT_OK);
	spin_unlock(&npt_lock);
}
