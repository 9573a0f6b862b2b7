// SPDX-License-Identifier: GPL-2.0-only
/*
 * I/O bitmaps of the host's guests. Few hypervisors have any: KVM lets no port
 * through. The host's are live memory, so they are copied at each entry.
 */
#include "cpu.h"
#include "../npt/frame.h"

#define BITMAP_PORTS 0x8000u
#define ALL_PORTS 0x10000u

static void copy_live(u64 merged_pa, u64 live_pa)
{
	void *merged = frame_ptr(merged_pa >> PAGE_SHIFT);
	const void *live = host_ptr(live_pa, PAGE_SIZE);

	if (live)
		memcpy(merged, live, PAGE_SIZE);
	else
		memset(merged, 0xff, PAGE_SIZE);
}

void io_bitmap_merge(struct nested *n)
{
	const struct vmcs12 *v = &n->vmcs12;

	if (!(v->cpu_based_vm_exec_control & CPU_USE_IO_BITMAPS))
		return;
	copy_live(n->io_bitmap_pa[0], v->io_bitmap_a);
	copy_live(n->io_bitmap_pa[1], v->io_bitmap_b);
	ports_intercept(n->io_bitmap_pa[0], n->io_bitmap_pa[1]);
}

static bool host_bit(const struct vmcs12 *v, u32 port)
{
	u64 page = port < BITMAP_PORTS ? v->io_bitmap_a : v->io_bitmap_b;
	const u8 *live = host_ptr(page + port % BITMAP_PORTS / 8, 1);

	return !live || (READ_ONCE(*live) & 1u << (port % 8));
}

/* An access that wraps around exits whatever the bitmaps say (SDM 26.1.3). */
bool host_wants_io(const struct nested *n, u64 qualification)
{
	const struct vmcs12 *v = &n->vmcs12;
	u32 first = IO_PORT(qualification), end = first + IO_SIZE(qualification), port;

	if (!(v->cpu_based_vm_exec_control & CPU_USE_IO_BITMAPS))
		return v->cpu_based_vm_exec_control & CPU_UNCOND_IO_EXITING;
	if (end > ALL_PORTS)
		return true;
	for (port = first; port < end; port++)
		if (host_bit(v, port))
			return true;
	return false;
}
