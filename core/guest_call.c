// SPDX-License-Identifier: GPL-2.0-only
/*
 * Calls of a confidential VM: a dense table. What a call refuses has a name, and
 * has changed nothing. Structures are in the VM's own memory, within one page; each is
 * fetched or stored once.
 */
#include "../vmx/vcpu.h"
#include "debug.h"
#include "grant.h"

static bool within_page(u64 gpa, u64 len)
{
	return (gpa & (PAGE_SIZE - 1)) + len <= PAGE_SIZE;
}

static s64 give(struct vm *vm, u64 gpa, const void *from, u64 len)
{
	return within_page(gpa, len) && vm_write(vm, gpa, from, len) ? 0 : -MON_EFAULT;
}

static s64 gc_ping(struct vm *vm, const u64 *arg)
{
	return MON_ABI_VERSION;
}

static s64 gc_self(struct vm *vm, const u64 *arg)
{
	struct mon_guest_self self = { 0 };

	grant_self(vm, &self);
	return give(vm, arg[0], &self, sizeof(self));
}

static s64 gc_window(struct vm *vm, const u64 *arg)
{
	return grant_window(vm, arg[0], arg[1]);
}

static s64 gc_offer(struct vm *vm, const u64 *arg)
{
	struct mon_guest_offer offer;

	if (!within_page(arg[0], sizeof(offer)) || !vm_read(vm, arg[0], &offer, sizeof(offer)))
		return -MON_EFAULT;
	return grant_offer(vm, &offer);
}

static s64 gc_accept(struct vm *vm, const u64 *arg)
{
	return grant_accept(vm, arg[0], arg[1], arg[2]);
}

static s64 gc_end(struct vm *vm, const u64 *arg)
{
	return grant_end(vm->id, arg[0]);
}

static s64 gc_share_at(struct vm *vm, const u64 *arg)
{
	struct mon_guest_share share = { 0 };
	s64 err = grant_show(vm, arg[0], &share);

	return err ? err : give(vm, arg[1], &share, sizeof(share));
}

static s64 gc_signal(struct vm *vm, const u64 *arg)
{
	return grant_signal(vm, arg[0]);
}

static s64 gc_take_signal(struct vm *vm, const u64 *arg)
{
	return grant_take_signal(vm, arg[0]);
}

static s64 gc_release(struct vm *vm, const u64 *arg)
{
	return grant_release(vm, arg[0], arg[1]);
}

static s64 gc_settled(struct vm *vm, const u64 *arg)
{
	(void)arg;
	return grant_settled(vm);
}

static s64 gc_disk_opened(struct vm *vm, const u64 *arg)
{
	return device_disk_opened(vm, arg[0]);
}

static s64 (*const calls[MON_GC_NR])(struct vm *vm, const u64 *arg) = {
	[MON_GC_PING] = gc_ping,	 [MON_GC_SELF] = gc_self,
	[MON_GC_WINDOW] = gc_window,	 [MON_GC_OFFER] = gc_offer,
	[MON_GC_ACCEPT] = gc_accept,	 [MON_GC_END] = gc_end,
	[MON_GC_SHARE_AT] = gc_share_at, [MON_GC_SIGNAL] = gc_signal,
	[MON_GC_RELEASE] = gc_release,	 [MON_GC_TAKE_SIGNAL] = gc_take_signal,
	[MON_GC_SETTLED] = gc_settled,	 [MON_GC_DISK_OPENED] = gc_disk_opened,
};

/* To ask again, or that a slot has nothing for the VM, is an answer. */
static bool refused(u64 number, s64 result)
{
	return result < 0 && result != -MON_EAGAIN &&
	       !(number == MON_GC_SHARE_AT && result == -MON_ENOENT);
}

/* KVM's own hypercalls, without the magic number, are not there: their users ask CPUID first. */
void guest_hypercall(struct cpu *cpu, struct vcpu *vcpu)
{
	u64 number = cpu->gpr[RAX] ^ MON_HYPERCALL;
	u64 arg[4] = { cpu->gpr[RDI], cpu->gpr[RSI], cpu->gpr[RDX], cpu->gpr[R10] };
	s64 result = -MON_ENOSYS;

	if (number <= 0xffffffff && ((vmread(GUEST_SS_AR_BYTES) >> 5) & 3)) {
		count(MON_CNT_GUEST_CALL_REFUSED);
		inject_ud();
		return;
	}
	if (number < MON_GC_NR)
		result = calls[number](vcpu->vm, arg);
	if (refused(number, result))
		count(MON_CNT_GUEST_CALL_REFUSED);
	debug_check(DEBUG_GUEST | number);
	cpu->gpr[RAX] = (u64)result;
	advance_rip();
}
