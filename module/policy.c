// SPDX-License-Identifier: GPL-2.0-only
/* What a VM is to be: whether that can be, and the memory it takes. */
#include <linux/bits.h>
#include <linux/mm.h>
#include <linux/pgtable.h>
#include <linux/string.h>
#include "monitor.h"
#include "vm.h"
#include "../uapi/guest.h"

#define FRAMES_FIXED 64	   /* the VM's state, bitmaps, tables of its devices */
#define FRAMES_PER_VCPU 16 /* its VMCS, state, and what a shadow of it needs */
#define FRAMES_PER_DEVICE 320 /* a disk's cache of its tree, requests, what is dirty */
#define GPA_BITS 48
/* A window that is not aligned needs one more of each level. */
#define WINDOW_TABLES ((MON_WINDOW_PAGES_MAX >> (PMD_SHIFT - PAGE_SHIFT)) + 1 + 2 + 2)

/**
 * mon_policy_valid() - does a policy keep the rules?
 * @p: the policy
 *
 * The monitor checks all this again: here it is checked so that nothing is given in vain.
 */
bool mon_policy_valid(const struct mon_vm_policy *p)
{
	u64 end = 0;
	u32 i;

	if (p->version != MON_VM_POLICY_VERSION || p->flags || !p->nr_ranges ||
	    p->nr_ranges > MON_VM_MAX_RANGES || !p->max_vcpus || p->max_vcpus > MON_VM_MAX_VCPUS)
		return false;
	for (i = 0; i < p->nr_ranges; i++) {
		if (p->range[i].type < MON_RANGE_RAM ||
		    p->range[i].type > MON_RANGE_FIRMWARE_RAM || p->range[i].reserved)
			return false;
		if (!PAGE_ALIGNED(p->range[i].start | p->range[i].end) || p->range[i].start < end ||
		    p->range[i].end <= p->range[i].start || p->range[i].end > BIT_ULL(GPA_BITS))
			return false;
		end = p->range[i].end;
	}
	return !memchr_inv(&p->range[i], 0, (MON_VM_MAX_RANGES - i) * sizeof(p->range[0])) &&
	       p->nr_devices <= MON_VM_MAX_DEVICES && !p->reserved;
}

/**
 * mon_policy_frames() - all frames that a VM can ever own
 * @p: its policy
 *
 * Also the tables for what is shared with it, wherever it has its window.
 */
u64 mon_policy_frames(const struct mon_vm_policy *p)
{
	u64 frames = FRAMES_FIXED + FRAMES_PER_VCPU * p->max_vcpus + WINDOW_TABLES +
		     FRAMES_PER_DEVICE * p->nr_devices;
	u32 i;

	for (i = 0; i < p->nr_ranges; i++) {
		u64 start = p->range[i].start, end = p->range[i].end;

		frames += ((end - start) >> PAGE_SHIFT) + mon_tables(start, end, PMD_SHIFT) +
			  mon_tables(start, end, PUD_SHIFT) + mon_tables(start, end, PGDIR_SHIFT);
	}
	return frames;
}
