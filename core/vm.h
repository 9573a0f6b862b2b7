/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A confidential VM: its policy, its private memory, its measurement, its
 * vCPUs. Vendor-neutral; how a vCPU runs is vmx/vcpu*.c.
 *
 *  state     to        by
 *  -------   -------   -------------------------------------------------------
 *  ARMED     LOADING   the first VM entry of the process it was armed for
 *  LOADING   RUNNING   all firmware copied in and measured
 *  any       STOPPED   vm_stop(): shut down, or the host interfered
 *  any       DYING     vm_destroy(); then gone, in bounded steps
 *
 * Lock order: vms_lock, vm->lock, npt_lock.
 */
#ifndef _CORE_VM_H
#define _CORE_VM_H

#include "../npt/npt.h"
#include "../uapi/hypercall.h"
#include "sha256.h"

#define VM_MAX 16
#define VM_APIC_IDS 64
#define PAGES_MEASURED_PER_ENTRY 64

struct vcpu;
struct device;

/* What the guest asked of a vCPU through its APIC (SDM 10.4.4.1). */
enum startup_state { STARTUP_NONE, STARTUP_INIT, STARTUP_SIPI };

/**
 * struct vm - one frame of the monitor
 * @id: domain
 * @host_cr3: top page table of its process, without PCID and the user half's bit
 * @hash: launch measurement in the making
 * @load_range, @load_gpa: how far the firmware has been copied in
 * @runtime: extended with each fw_cfg item the guest read
 * @item: fw_cfg item being read through the data port
 * @startup, @startup_vector: by APIC ID
 * @device: those of its policy
 * @pci_address: what the guest has written to PCI's address port
 * @pci_ecam: where it has placed the configuration space of PCI Express; 0: nowhere
 * @window_gfn, @window_pages: where shares appear; written under grants_lock
 * @returned: pages it gave back
 * @released: epoch of the last that it gave back; under grants_lock
 * @dying_epoch: CPUs may hold a pointer to it until this has passed
 */
struct vm {
	u32 id;
	u32 state;
	u32 stop;
	u32 nr_vcpus;
	u64 stop_detail;
	u64 host_cr3;
	struct spinlock lock;
	struct mon_vm_policy policy;
	struct npt npt;
	struct sha256 hash;
	u32 load_range;
	u64 load_gpa;
	u8 measurement[32];
	u8 runtime[32];
	struct sha256 item;
	u64 item_bytes;
	u16 item_key;
	u8 startup[VM_APIC_IDS];
	u8 startup_vector[VM_APIC_IDS];
	struct vcpu *vcpu[MON_VM_MAX_VCPUS];
	struct device *device[MON_VM_MAX_DEVICES];
	u32 pci_address;
	u64 pci_ecam;
	u64 window_gfn;
	u64 window_pages;
	u64 returned;
	u64 released;
	u64 exits;
	u64 exits_to_host;
	u64 dying_epoch;
	u64 pfn;
};

_Static_assert(sizeof(struct vm) <= PAGE_SIZE, "a VM is one frame");

/** vm_any() - is there a VM at all? (no lock) */
bool vm_any(void);

/** vm_of_process() - the VM armed for the process with this HOST_CR3, or NULL */
struct vm *vm_of_process(u64 host_cr3);

/** vm_stop() - it is never entered again; the first reason stays */
void vm_stop(struct vm *vm, enum mon_vm_stop reason, u64 detail);

/** vm_range_type() - enum mon_vm_range_type of an address, 0 if it is a device's */
u32 vm_range_type(const struct vm *vm, u64 gpa);

/** vm_range_perm() - EPT permissions of the VM in such a range; 0 for 0 */
u32 vm_range_perm(u32 type);

/** vm_in_window() - is there a share at @gpa, or nothing, but no device? */
static inline bool vm_in_window(const struct vm *vm, u64 gpa)
{
	u64 pages = READ_ONCE(vm->window_pages), gfn = READ_ONCE(vm->window_gfn);

	return gpa >> PAGE_SHIFT >= gfn && (gpa >> PAGE_SHIFT) - gfn < pages;
}

/**
 * vm_page() - the private page at @gpa, made of zeros if it was not touched yet
 * @write: false is enough to read; firmware cannot be written
 *
 * NULL: not private, not writable, or there is no frame for it (*@err: NPT_EOWNER,
 * NPT_EPOOL, NPT_EQUOTA).
 */
u8 *vm_page(struct vm *vm, u64 gpa, bool write, int *err);

/** vm_read(), vm_write() - private memory of the guest; false: some of it is not */
bool vm_read(struct vm *vm, u64 gpa, void *buf, u64 len);
bool vm_write(struct vm *vm, u64 gpa, const void *buf, u64 len);

/** vm_load_begin() - ARMED to LOADING: the policy is measured first */
void vm_load_begin(struct vm *vm);
/** vm_load_next() - address of the next firmware page; false: all done, RUNNING */
bool vm_load_next(struct vm *vm, u64 *gpa);
/** vm_load_page() - copy in and measure the page that vm_load_next() named */
int vm_load_page(struct vm *vm, const void *host_page);

/** vm_runtime() - the runtime register as if the item that is being read had ended */
void vm_runtime(struct vm *vm, u8 digest[32]);

/** vm_item_*() - runtime measurement: bytes of one fw_cfg item, then the next */
void vm_item_select(struct vm *vm, u16 key);
void vm_item_data(struct vm *vm, const void *data, u64 len);
void vm_item_end(struct vm *vm);

/** vm_ipi() - the guest sent INIT or SIPI; @dest: APIC ID, or -1 all but @self */
void vm_ipi(struct vm *vm, s64 dest, u32 self, bool init, u8 vector);
/** vm_take_startup() - may a vCPU start at this vector now? @id: APIC ID, -1 if not known */
bool vm_take_startup(struct vm *vm, s64 id, u8 vector);

/* hypercalls; errors are -MON_E* */
s64 vm_create(const struct mon_vm_create *args);
s64 vm_destroy(u32 id);
s64 vm_status(u32 id, struct mon_vm_status *status);
s64 vm_refill(u32 id, u64 frames);
/** vm_set_key() - of one of its disks, opened so often at least; -MON_EBUSY: it has begun */
s64 vm_set_key(u32 id, u64 device, const u8 key[MON_VM_KEY_SIZE], u64 opened);

/**
 * vm_at() - the VM in a slot below VM_MAX, or NULL (no lock)
 *
 * Good until this CPU's next epoch: a VM goes only after all have passed one.
 */
struct vm *vm_at(u32 slot);

/** vm_of_domain() - likewise by its domain; NULL: not a VM */
static inline struct vm *vm_of_domain(u32 dom)
{
	if (dom < DOM_FIRST_VM || dom >= DOM_FIRST_VM + VM_MAX)
		return NULL;
	return vm_at(dom - DOM_FIRST_VM);
}

/** vm_hold() - the VM does not begin to die before vm_unhold(); false: it has, or is none */
bool vm_hold(u32 dom);
void vm_unhold(void);

/*
 * ---- what the vendor's side does for a vCPU ----
 */

/** vcpu_free() - frames of a vCPU that no CPU has loaded */
void vcpu_free(struct vcpu *vcpu);
/** vcpu_idle() - it is loaded on no CPU and running on none */
bool vcpu_idle(const struct vcpu *vcpu);

#endif /* _CORE_VM_H */
