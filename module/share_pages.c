// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pages behind a mapping of what is shared.
 *
 * Pages of the host's that were offered to a VM are ordinary pages, held until the
 * monitor has said that the share is over.
 *
 * Pages of a VM's are the monitor's: the host learns of each which frame it is when a
 * process touches it, and is not told when the share ends. The VM may end it, give the
 * page back, and the frame returns through MON_HC_TAKE_BACK while a process still has
 * it mapped; it would then read and write whatever the kernel uses the page for next.
 * This is why it does not:
 *
 *  - A frame that a process may have mapped is in handed_out, from before the mapping.
 *  - MON_HC_SHARE_TOUCH names a frame only while the share lives, and the frame cannot
 *    leave the VM as long as it does. So a frame that comes back, or is seen in another
 *    share, belongs to a share that is over for good: all of that one's mappings
 *    are taken away, and the frames of it forgotten (share_over()).
 *  - That is done before the page is freed, or mapped for the other share, and under
 *    handed_lock, which is held from MON_HC_SHARE_TOUCH until the frame is mapped. So
 *    either the touch was first, and the mapping is found; or the frame was on its way
 *    back, and the touch did not return it.
 *  - Nobody else holds the page: a mapping of frame numbers (VM_PFNMAP) is not
 *    pinned by get_user_pages(), and who looks up its frames, as KVM does, is told by
 *    its MMU notifier.
 *
 * Until then what is mapped is harmless: the monitor has nothing but a page of zeros
 * there, or what a VM shares with the host now.
 *
 * Locks: the caller's mmap_lock, then handed_lock; pool.c's, then handed_lock. The
 * mapping's own locks are inside it.
 */
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/mutex.h>
#include <linux/sched/signal.h>
#include <linux/xarray.h>
#include "monitor.h"
#include "share.h"

#define TOUCH_TRIES 100

static DEFINE_XARRAY(handed_out); /* frame number: share whose mappings may have it */
static DEFINE_MUTEX(handed_lock);

/* ---- pages of a VM's ---- */

static void share_over(struct share *share)
{
	struct share *of;
	unsigned long pfn;

	lockdep_assert_held(&handed_lock);
	unmap_mapping_range(&share->mapping, 0, 0, 1);
	xa_for_each(&handed_out, pfn, of)
		if (of == share)
			xa_erase(&handed_out, pfn);
}

/**
 * mon_share_frame_back() - this frame is the host's again, and about to be freed
 * @pfn: of the frame
 *
 * From here on no process has it mapped.
 */
void mon_share_frame_back(u64 pfn)
{
	struct share *share;

	mutex_lock(&handed_lock);
	share = xa_load(&handed_out, pfn);
	if (share)
		share_over(share);
	mutex_unlock(&handed_lock);
}

/**
 * mon_share_unmap() - the file of a share of a VM's pages is being closed
 * @share: the share
 */
void mon_share_unmap(struct share *share)
{
	mutex_lock(&handed_lock);
	share_over(share);
	mutex_unlock(&handed_lock);
}

static int hand_out(struct share *share, u64 pfn)
{
	struct share *before = xa_load(&handed_out, pfn);

	if (before == share)
		return 0;
	if (before)
		share_over(before);
	return xa_err(xa_store(&handed_out, pfn, share, GFP_KERNEL));
}

/* -EAGAIN and -ENOMEM: of the monitor, and may pass. */
static long touch(struct share *share, struct vm_fault *vmf, vm_fault_t *ret)
{
	long pfn;

	mutex_lock(&handed_lock);
	pfn = mon_hypercall(MON_HC_SHARE_TOUCH, share->id, vmf->pgoff, 0, 0);
	if (pfn >= 0)
		*ret = hand_out(share, pfn) ? VM_FAULT_OOM :
					      vmf_insert_pfn(vmf->vma, vmf->address, pfn);
	mutex_unlock(&handed_lock);
	return min(pfn, 0L);
}

/*
 * A monitor without frames may have some once every CPU has passed, or gets a few; a
 * VM that owns as much as it may will not make the page before it is refilled, and
 * the process is not to wait for that.
 */
static vm_fault_t vm_pages_fault(struct vm_fault *vmf)
{
	struct share *share = vmf->vma->vm_file->private_data;
	vm_fault_t ret = VM_FAULT_SIGBUS;
	unsigned int tries;
	long err = -EAGAIN;

	for (tries = 0; tries < TOUCH_TRIES && !fatal_signal_pending(current); tries++) {
		err = touch(share, vmf, &ret);
		if (err != -EAGAIN && (err != -ENOMEM || tries > 2))
			break;
		mon_every_cpu_passes();
		if (err == -ENOMEM && tries && mon_pool_help())
			break;
	}
	return err == -EAGAIN ? VM_FAULT_NOPAGE : ret;
}

const struct vm_operations_struct mon_vm_pages_ops = { .fault = vm_pages_fault };

/* ---- pages of the host's ---- */

static vm_fault_t host_pages_fault(struct vm_fault *vmf)
{
	struct share *share = vmf->vma->vm_file->private_data;

	if (vmf->pgoff >= share->pages)
		return VM_FAULT_SIGBUS;
	vmf->page = virt_to_page(share->block + (vmf->pgoff << PAGE_SHIFT));
	get_page(vmf->page);
	return 0;
}

const struct vm_operations_struct mon_host_pages_ops = { .fault = host_pages_fault };
