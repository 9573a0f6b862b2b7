// SPDX-License-Identifier: GPL-2.0-only
/* Confidential VMs: their making, memory and end. */
#include "vm.h"
#include "domain.h"
#include "../npt/share.h"
#include "io/device.h"

static struct vm *vms[VM_MAX];
static struct spinlock vms_lock;
static u32 nr_vms;

bool vm_any(void)
{
	return READ_ONCE(nr_vms);
}

struct vm *vm_at(u32 slot)
{
	return READ_ONCE(vms[slot]);
}

struct vm *vm_of_process(u64 host_cr3)
{
	struct vm *vm, *found = NULL;
	u32 i;

	for (i = 0; i < VM_MAX && !found; i++) {
		vm = READ_ONCE(vms[i]);
		if (vm && vm->host_cr3 == (host_cr3 & CR3_PROCESS))
			found = vm;
	}
	return found;
}

bool vm_hold(u32 dom)
{
	const struct vm *vm;

	spin_lock(&vms_lock);
	vm = vm_of_domain(dom);
	if (vm && vm->state != MON_VM_DYING)
		return true;
	spin_unlock(&vms_lock);
	return false;
}

void vm_unhold(void)
{
	spin_unlock(&vms_lock);
}

void vm_stop(struct vm *vm, enum mon_vm_stop reason, u64 detail)
{
	spin_lock(&vm->lock);
	if (vm->state < MON_VM_STOPPED) {
		vm->state = MON_VM_STOPPED;
		vm->stop = reason;
		vm->stop_detail = detail;
	}
	spin_unlock(&vm->lock);
}

/* ---- memory ---- */

u32 vm_range_type(const struct vm *vm, u64 gpa)
{
	u32 i;

	for (i = 0; i < vm->policy.nr_ranges; i++)
		if (gpa >= vm->policy.range[i].start && gpa < vm->policy.range[i].end)
			return vm->policy.range[i].type;
	return 0;
}

u32 vm_range_perm(u32 type)
{
	if (!type)
		return 0;
	return type == MON_RANGE_FIRMWARE ? EPT_READ | EPT_EXEC : EPT_RWX;
}

u8 *vm_page(struct vm *vm, u64 gpa, bool write, int *err)
{
	u32 perm = vm_range_perm(vm_range_type(vm, gpa));
	u64 pfn;

	*err = NPT_EOWNER;
	if (!perm || (write && !(perm & EPT_WRITE)))
		return NULL;
	gpa = ALIGN_DOWN(gpa, PAGE_SIZE);
	spin_lock(&vm->lock);
	*err = NPT_OK;
	pfn = vm_npt_lookup(&vm->npt, vm->id, gpa);
	if (pfn == INVALID_PFN)
		*err = vm_npt_touch(&vm->npt, vm->id, gpa, perm, &pfn);
	spin_unlock(&vm->lock);
	return *err ? NULL : frame_ptr(pfn);
}

bool vm_read(struct vm *vm, u64 gpa, void *buf, u64 len)
{
	u64 offset = gpa & (PAGE_SIZE - 1), n = min_u64(len, PAGE_SIZE - offset);
	int err;
	u8 *page;

	for (; len; gpa += n, buf = (u8 *)buf + n, len -= n, n = min_u64(len, PAGE_SIZE)) {
		page = vm_page(vm, gpa, false, &err);
		if (!page)
			return false;
		memcpy(buf, page + (gpa & (PAGE_SIZE - 1)), n);
	}
	return true;
}

bool vm_write(struct vm *vm, u64 gpa, const void *buf, u64 len)
{
	u64 offset = gpa & (PAGE_SIZE - 1), n = min_u64(len, PAGE_SIZE - offset);
	int err;
	u8 *page;

	for (; len; gpa += n, buf = (const u8 *)buf + n, len -= n, n = min_u64(len, PAGE_SIZE)) {
		page = vm_page(vm, gpa, true, &err);
		if (!page)
			return false;
		memcpy(page + (gpa & (PAGE_SIZE - 1)), buf, n);
	}
	return true;
}

/* ---- measurement ---- */

static bool is_firmware(u32 type)
{
	return type == MON_RANGE_FIRMWARE || type == MON_RANGE_FIRMWARE_RAM;
}

/* Another CPU may have stopped it meanwhile, or destroy it: that stays. */
static void move_on(struct vm *vm, enum mon_vm_state from, enum mon_vm_state to)
{
	spin_lock(&vm->lock);
	if (vm->state == from)
		vm->state = to;
	spin_unlock(&vm->lock);
}

void vm_load_begin(struct vm *vm)
{
	move_on(vm, MON_VM_ARMED, MON_VM_LOADING);
	sha256_init(&vm->hash);
	sha256_update(&vm->hash, &vm->policy, sizeof(vm->policy));
	vm->load_range = 0;
	vm->load_gpa = vm->policy.range[0].start;
}

bool vm_load_next(struct vm *vm, u64 *gpa)
{
	const struct mon_vm_policy *p = &vm->policy;

	while (vm->load_range < p->nr_ranges &&
	       (!is_firmware(p->range[vm->load_range].type) ||
		vm->load_gpa >= p->range[vm->load_range].end)) {
		vm->load_range++;
		if (vm->load_range < p->nr_ranges)
			vm->load_gpa = p->range[vm->load_range].start;
	}
	if (vm->load_range == p->nr_ranges) {
		sha256_final(&vm->hash, vm->measurement);
		move_on(vm, MON_VM_LOADING, MON_VM_RUNNING);
		return false;
	}
	*gpa = vm->load_gpa;
	return true;
}

/* The host can write to its page meanwhile: what is measured is the copy. */
int vm_load_page(struct vm *vm, const void *host_page)
{
	u64 gpa = vm->load_gpa;
	int err;
	u8 *page;

	page = vm_page(vm, gpa, false, &err);
	if (!page)
		return err;
	memcpy(page, host_page, PAGE_SIZE);
	sha256_update(&vm->hash, &gpa, sizeof(gpa));
	sha256_update(&vm->hash, page, PAGE_SIZE);
	vm->load_gpa += PAGE_SIZE;
	return NPT_OK;
}

void vm_runtime(struct vm *vm, u8 digest[32])
{
	struct sha256 extend, item;
	u8 last[32];

	spin_lock(&vm->lock);
	memcpy(digest, vm->runtime, sizeof(vm->runtime));
	if (vm->item_bytes) {
		item = vm->item;
		sha256_final(&item, last);
		sha256_init(&extend);
		sha256_update(&extend, vm->runtime, sizeof(vm->runtime));
		sha256_update(&extend, last, sizeof(last));
		sha256_final(&extend, digest);
	}
	spin_unlock(&vm->lock);
}

void vm_item_end(struct vm *vm)
{
	u8 digest[32];

	vm_runtime(vm, digest);
	spin_lock(&vm->lock);
	memcpy(vm->runtime, digest, sizeof(vm->runtime));
	vm->item_bytes = 0;
	spin_unlock(&vm->lock);
}

void vm_item_select(struct vm *vm, u16 key)
{
	vm_item_end(vm);
	vm->item_key = key;
}

void vm_item_data(struct vm *vm, const void *data, u64 len)
{
	spin_lock(&vm->lock);
	if (!vm->item_bytes) {
		sha256_init(&vm->item);
		sha256_update(&vm->item, &vm->item_key, sizeof(vm->item_key));
	}
	sha256_update(&vm->item, data, len);
	vm->item_bytes += len;
	spin_unlock(&vm->lock);
}

/* ---- start-up of application processors ---- */

static void startup_one(struct vm *vm, u32 id, bool init, u8 vector)
{
	if (init) {
		vm->startup[id] = STARTUP_INIT;
	} else if (vm->startup[id] != STARTUP_NONE) {
		vm->startup[id] = STARTUP_SIPI;
		vm->startup_vector[id] = vector;
	}
}

void vm_ipi(struct vm *vm, s64 dest, u32 self, bool init, u8 vector)
{
	u32 id;

	spin_lock(&vm->lock);
	for (id = 0; id < VM_APIC_IDS; id++)
		if (dest < 0 ? id != self : id == (u64)dest)
			startup_one(vm, id, init, vector);
	spin_unlock(&vm->lock);
}

/*
 * A vCPU whose APIC ID is not known yet may use any SIPI with its vector: the
 * host says which vCPU is which, the guest where it begins.
 */
bool vm_take_startup(struct vm *vm, s64 id, u8 vector)
{
	bool found = false;
	u32 i;

	spin_lock(&vm->lock);
	for (i = 0; i < VM_APIC_IDS && !found; i++) {
		if ((id >= 0 && i != (u64)id) || vm->startup[i] != STARTUP_SIPI ||
		    vm->startup_vector[i] != vector)
			continue;
		vm->startup[i] = STARTUP_NONE;
		found = true;
	}
	spin_unlock(&vm->lock);
	return found;
}

/* ---- create, destroy ---- */

static bool policy_ok(const struct mon_vm_policy *p)
{
	u64 end = 0;
	u32 i;

	if (p->version != MON_VM_POLICY_VERSION || p->flags || !p->max_vcpus ||
	    p->max_vcpus > MON_VM_MAX_VCPUS || !p->nr_ranges || p->nr_ranges > MON_VM_MAX_RANGES)
		return false;
	for (i = 0; i < p->nr_ranges; i++) {
		if (p->range[i].type < MON_RANGE_RAM || p->range[i].type > MON_RANGE_FIRMWARE_RAM ||
		    p->range[i].reserved || p->range[i].start < end ||
		    p->range[i].start >= p->range[i].end || p->range[i].end > NPT_LIMIT ||
		    !IS_ALIGNED(p->range[i].start | p->range[i].end, PAGE_SIZE))
			return false;
		end = p->range[i].end;
	}
	for (; i < MON_VM_MAX_RANGES; i++)
		if (p->range[i].start || p->range[i].end || p->range[i].type ||
		    p->range[i].reserved)
			return false;
	return devices_valid(p);
}

static u64 policy_pages(const struct mon_vm_policy *p)
{
	u64 pages = 0;
	u32 i;

	for (i = 0; i < p->nr_ranges; i++)
		pages += (p->range[i].end - p->range[i].start) >> PAGE_SHIFT;
	return pages;
}

static s64 slot_for(u64 cr3)
{
	s64 slot = -MON_ENOMEM;
	u32 i;

	for (i = 0; i < VM_MAX; i++) {
		if (vms[i] && vms[i]->host_cr3 == cr3)
			return -MON_EEXIST;
		if (!vms[i] && slot < 0)
			slot = i;
	}
	return slot;
}

static s64 create_locked(const struct mon_vm_create *args)
{
	s64 slot = slot_for(args->host_cr3 & CR3_PROCESS);
	struct vm *vm;
	u64 pfn;

	if (slot < 0)
		return slot;
	spin_lock(&npt_lock);
	pfn = frame_get(FRAME_STATE);
	spin_unlock(&npt_lock);
	if (pfn == INVALID_PFN)
		return -MON_ENOMEM;
	vm = frame_ptr(pfn);
	vm->pfn = pfn;
	vm->id = DOM_FIRST_VM + (u32)slot;
	vm->host_cr3 = args->host_cr3 & CR3_PROCESS;
	vm->policy = args->policy;
	if (devices_create(vm) || vm_npt_create(&vm->npt)) {
		devices_retire(vm);
		spin_lock(&npt_lock);
		frame_put(pfn);
		spin_unlock(&npt_lock);
		return -MON_ENOMEM;
	}
	vm_npt_limit(&vm->npt, policy_pages(&vm->policy));
	WRITE_ONCE(vms[slot], vm);
	nr_vms++;
	return vm->id;
}

s64 vm_create(const struct mon_vm_create *args)
{
	s64 id;

	if (!policy_ok(&args->policy) || !(args->host_cr3 & CR3_PROCESS))
		return -MON_EINVAL;
	if (args->policy.nr_devices && !crypto_possible())
		return -MON_ENOSYS;
	if (!domain_begin())
		return -MON_EBUSY;
	spin_lock(&vms_lock);
	id = create_locked(args);
	spin_unlock(&vms_lock);
	if (id < 0)
		domain_end();
	return id;
}

static bool all_idle(const struct vm *vm)
{
	u32 i;

	for (i = 0; i < vm->nr_vcpus; i++)
		if (!vcpu_idle(vm->vcpu[i]))
			return false;
	return true;
}

/*
 * One step: no vCPU is entered any more, then no CPU has one loaded or a
 * pointer to the VM, then what it shares ends, then its frames go, some at a time, and last itself.
 */
static s64 destroy_step(struct vm *vm)
{
	u32 i;

	spin_lock(&vm->lock);
	if (vm->state != MON_VM_DYING) {
		vm->state = MON_VM_DYING;
		vm->dying_epoch = epoch_now();
	}
	spin_unlock(&vm->lock);
	if (!all_idle(vm) || !epoch_passed(vm->dying_epoch))
		return -MON_EAGAIN;
	if (!share_drop(vm->id))
		return -MON_EAGAIN;
	if (!vm_npt_teardown(&vm->npt, vm->id, 512))
		return -MON_EAGAIN;
	for (i = 0; i < vm->nr_vcpus; i++)
		vcpu_free(vm->vcpu[i]);
	devices_retire(vm);
	WRITE_ONCE(vms[vm->id - DOM_FIRST_VM], NULL);
	nr_vms--;
	spin_lock(&npt_lock);
	frame_retire(vm->pfn);
	spin_unlock(&npt_lock);
	domain_end();
	return 0;
}

s64 vm_destroy(u32 id)
{
	struct vm *vm;
	s64 err;

	spin_lock(&vms_lock);
	vm = vm_of_domain(id);
	err = vm ? destroy_step(vm) : -MON_ENOENT;
	spin_unlock(&vms_lock);
	spin_lock(&npt_lock);
	epoch_reap(512);
	spin_unlock(&npt_lock);
	return err;
}

s64 vm_status(u32 id, struct mon_vm_status *status)
{
	struct vm *vm;

	spin_lock(&vms_lock);
	vm = vm_of_domain(id);
	if (vm) {
		status->state = vm->state;
		status->stop = vm->stop;
		status->stop_detail = vm->stop_detail;
		status->nr_vcpus = vm->nr_vcpus;
		status->private_frames = READ_ONCE(vm->npt.owned);
		status->limit = READ_ONCE(vm->npt.limit);
		status->returned = READ_ONCE(vm->returned);
		status->exits = vm->exits;
		status->exits_to_host = vm->exits_to_host;
		memcpy(status->measurement, vm->measurement, sizeof(status->measurement));
		vm_runtime(vm, status->runtime);
	}
	spin_unlock(&vms_lock);
	return vm ? 0 : -MON_ENOENT;
}

s64 vm_refill(u32 id, u64 frames)
{
	struct vm *vm;
	int err;

	if (!vm_hold(id))
		return -MON_ENOENT;
	vm = vm_of_domain(id);
	err = vm_npt_refill(&vm->npt, frames, policy_pages(&vm->policy));
	vm_unhold();
	return err ? -MON_EINVAL : 0;
}

s64 vm_set_key(u32 id, u64 device, const u8 key[MON_VM_KEY_SIZE], u64 opened)
{
	s64 err = -MON_EBUSY;
	struct vm *vm;

	if (!vm_hold(id))
		return -MON_ENOENT;
	vm = vm_of_domain(id);
	if (vm->state == MON_VM_ARMED)
		err = device_set_key(vm, device, key, opened);
	vm_unhold();
	return err;
}
