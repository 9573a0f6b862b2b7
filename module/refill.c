// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a VM gives back, and gets again.
 *
 * The monitor counts what a VM has returned since it was made. Those frames are
 * in its pool, and still among what was reserved for the VM, until they are
 * collected: then they leave the reservation and go back to the host like the
 * frames of a VM that is gone. A refill is the other way round.
 *
 * vm->account is held over all of a request, so that nothing is collected or
 * promised twice. The end of the process does not take it, and the close of the
 * last descriptor comes after all requests.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include "monitor.h"
#include "vm.h"
#include "../uapi/monitor.h"

static long frames_request(struct mon_vm_frames *request, void __user *arg)
{
	long err;

	BUILD_BUG_ON(sizeof(*request) % 8);
	err = mon_copy_in(request, sizeof(*request), MON_VM_FRAMES_SIZE_V1, arg);
	return err ?: request->flags ? -EINVAL : 0;
}

/* What the VM has returned since it was made. Its state, or an error. */
static long returned(struct mon_vm *vm, u64 *frames)
{
	struct mon_vm_status *s = kzalloc(sizeof(*s), GFP_KERNEL);
	long ret;

	if (!s)
		return -ENOMEM;
	ret = mon_vm_query(vm, s) ? -EIO : s->state;
	*frames = max(s->returned, vm->collected); /* it grows only */
	kfree(s);
	return ret;
}

/* The answer is written first: a request that fails has changed nothing. */
static long collect(struct mon_vm *vm, struct mon_vm_frames *request, void __user *arg)
{
	u64 given;
	long err;

	err = returned(vm, &given);
	if (err < 0)
		return err;
	request->frames = given - vm->collected;
	err = mon_copy_out(arg, request, sizeof(*request));
	if (err || given == vm->collected)
		return err;
	WRITE_ONCE(vm->frames, vm->frames - (given - vm->collected));
	mon_pool_release(given - vm->collected);
	WRITE_ONCE(vm->collected, given);
	return 0;
}

/**
 * mon_vm_collect() - MON_IOC_VM_COLLECT
 * @vm: whose descriptor it is
 * @arg: the caller's structure
 */
long mon_vm_collect(struct mon_vm *vm, void __user *arg)
{
	struct mon_vm_frames request = {};
	long err;

	err = frames_request(&request, arg);
	if (err)
		return err;
	mutex_lock(&vm->account);
	err = collect(vm, &request, arg);
	mutex_unlock(&vm->account);
	return err;
}

static long refill_here(u32 domain, void *frames)
{
	return mon_hypercall(MON_HC_VM_REFILL, domain, *(u64 *)frames, 0, 0);
}

/* What is too much is refused before memory is taken for it. */
static long refill(struct mon_vm *vm, u64 frames)
{
	u64 given;
	long err;

	err = returned(vm, &given);
	if (err < 0)
		return err;
	if (err == MON_VM_DYING)
		return -ENOENT;
	if (!frames || frames > given - vm->refilled)
		return -EINVAL;
	if (frames > si_mem_available())
		return -ENOMEM;
	err = mon_pool_reserve(frames);
	if (err)
		return err;
	err = mon_vm_call(vm, refill_here, &frames);
	if (err) {
		mon_pool_release(frames);
		return err == -ENOENT || err == -EINVAL ? err : -EIO;
	}
	vm->refilled += frames;
	WRITE_ONCE(vm->frames, vm->frames + frames);
	return 0;
}

/**
 * mon_vm_refill() - MON_IOC_VM_REFILL
 * @vm: whose descriptor it is
 * @arg: the caller's structure
 */
long mon_vm_refill(struct mon_vm *vm, void __user *arg)
{
	struct mon_vm_frames request = {};
	long err;

	err = frames_request(&request, arg);
	if (err)
		return err;
	mutex_lock(&vm->account);
	err = refill(vm, request.frames);
	mutex_unlock(&vm->account);
	return err;
}
