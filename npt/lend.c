// SPDX-License-Identifier: GPL-2.0-only
/* A junk frame in place of a protected one, for one instruction of the host. */
#include "internal.h"

/*
 * The host writes to what it may only read: it loses its sight of the page, and
 * has to ask for it again. The page stays its owner's, so nothing waits for it.
 */
static void drop_read_only(u64 pfn)
{
	struct frame f = frame_get_info(pfn);

	if (!f.shared || f.peer != DOM_HOST || f.peer_write)
		return;
	host_unmap_shared(pfn);
	frame_unshare(pfn);
}

int host_lend(u64 gpa, u64 junk_pfn)
{
	u64 attr = (junk_pfn << PAGE_SHIFT) | EPT_READ | EPT_WRITE | MT_WB << EPT_MEMTYPE_SHIFT;
	int err;

	spin_lock(&npt_lock);
	drop_read_only(gpa >> PAGE_SHIFT);
	err = npt_map(&host_npt, ALIGN_DOWN(gpa, PAGE_SIZE), attr, 1);
	spin_unlock(&npt_lock);
	return err;
}

/*
 * The leaf is there and is 4 KiB, so nothing is split and nothing can fail. Another
 * CPU of the host's that touched the same frame may have the junk cached still.
 */
void host_unlend(u64 gpa)
{
	spin_lock(&npt_lock);
	MONITOR_BUG_ON(npt_unmap(&host_npt, gpa, PAGE_SIZE) != NPT_OK);
	host_lend_over();
	spin_unlock(&npt_lock);
}
