/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/monitor: how programs on the host ask the monitor for protected domains.
 *
 * The device has mode 0600 and belongs to root. A domain is a file descriptor:
 * it lives as long as a descriptor of it is open, and the module as long as
 * there is a domain.
 *
 * Each request takes a structure that begins with its own size, so that it can
 * grow: a program built with an older header passes fewer bytes, the missing
 * ones count as zero, and only as many come back. For all requests:
 *
 *  EFAULT  the structure is not in memory the caller may use
 *  EINVAL  @size is smaller than the first version of the structure or larger
 *          than 4096; an unknown flag; a reserved field is not zero
 *  E2BIG   @size is larger than this module knows, and what it does not know
 *          is not zero
 *  ENOTTY  there is no such request on this file
 *
 * A request that fails has changed nothing. No address of the kernel or of
 * physical memory is ever returned.
 */
#ifndef _UAPI_MONITOR_H
#define _UAPI_MONITOR_H

#include <linux/ioctl.h>
#include <linux/types.h>
#include "enclave.h"

#define MON_API_VERSION 1
#define MON_DEVICE "/dev/monitor"
#define MON_IOC_MAGIC 0xDC

#define MON_INFO_COUNTERS 32
#define MON_INFO_STATES 8

/**
 * struct mon_info - MON_IOC_INFO
 * @size: in: bytes of this structure the caller has; out: bytes the module has
 * @flags: in: 0
 * @api_version: MON_API_VERSION
 * @abi_version: MON_ABI_VERSION: of the module and the image under it
 * @nr_cpus: CPUs the monitor runs on
 * @nr_domains: domains that live, those being destroyed among them
 * @features: MON_FEATURE_*
 * @vm_policy_version: the MON_VM_POLICY_VERSION that MON_IOC_VM_ARM takes
 * @vm_max_vcpus: most vCPUs of a VM
 * @vm_max_ranges: most ranges of a policy
 * @nr_counters: entries of @counter that are in use, enum mon_counter
 * @reserved: 0
 * @image_hash: SHA-256 of the monitor image
 * @frames_total: 4 KiB frames that the ownership table covers
 * @frames_by_state: frames of each state: host, in transit, free, used by the
 *	monitor, private to a domain, no RAM
 * @counter: refusals and protected accesses since launch, by enum mon_counter
 */
struct mon_info {
	__u32 size;
	__u32 flags;
	__u32 api_version;
	__u32 abi_version;
	__u32 nr_cpus;
	__u32 nr_domains;
	__u32 features;
	__u32 vm_policy_version;
	__u32 vm_max_vcpus;
	__u32 vm_max_ranges;
	__u32 nr_counters;
	__u32 reserved;
	__u8 image_hash[32];
	__u64 frames_total;
	__u64 frames_by_state[MON_INFO_STATES];
	__u64 counter[MON_INFO_COUNTERS];
};

#define MON_INFO_SIZE_V1 sizeof(struct mon_info)

/**
 * struct mon_vm_arm - MON_IOC_VM_ARM
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @pid: in: a process, as the caller sees it
 * @reserved: in: 0
 * @policy: in: what the VM is; its launch measurement begins with it
 */
struct mon_vm_arm {
	__u32 size;
	__u32 flags;
	__s32 pid;
	__u32 reserved;
	struct mon_vm_policy policy;
};

#define MON_VM_ARM_SIZE_V1 sizeof(struct mon_vm_arm)

/**
 * struct mon_vm_info - MON_IOC_VM_STATUS
 * @size: in: bytes of this structure the caller has; out: bytes the module has
 * @flags: in: 0
 * @domain: number of the domain; used again after its end
 * @pid: its process, as the caller sees it; 0 if there is none any more
 * @state: enum mon_vm_state
 * @stop: enum mon_vm_stop
 * @stop_detail: the value that goes with @stop: an exit reason, a vector, an
 *	address as the guest sees it
 * @nr_vcpus: vCPUs that have run
 * @max_vcpus: what the policy allows
 * @private_frames: 4 KiB frames that the VM owns now
 * @reserved_frames: frames given to the monitor for it
 * @exits: of all its vCPUs
 * @exits_to_host: those of them that the host had to handle
 * @measurement: launch measurement, SHA-256; zeros until all firmware is in
 * @runtime: runtime measurement register
 * @limit_frames: 4 KiB frames that the VM may own; less than its policy needs by what the
 *	guest gave back
 * @returned_frames: those of them that MON_IOC_VM_COLLECT would bring back now
 */
struct mon_vm_info {
	__u32 size;
	__u32 flags;
	__u32 domain;
	__s32 pid;
	__u32 state;
	__u32 stop;
	__u64 stop_detail;
	__u32 nr_vcpus;
	__u32 max_vcpus;
	__u64 private_frames;
	__u64 reserved_frames;
	__u64 exits;
	__u64 exits_to_host;
	__u8 measurement[32];
	__u8 runtime[32];
	__u64 limit_frames;
	__u64 returned_frames;
};

#define MON_VM_INFO_SIZE_V1 136 /* without @limit_frames and what follows */

/**
 * struct mon_vm_frames - MON_IOC_VM_COLLECT, MON_IOC_VM_REFILL
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @frames: COLLECT: out: 4 KiB frames that came back; REFILL: in: how many more the VM may own
 */
struct mon_vm_frames {
	__u32 size;
	__u32 flags;
	__u64 frames;
};

#define MON_VM_FRAMES_SIZE_V1 sizeof(struct mon_vm_frames)

/**
 * struct mon_share_accept - MON_IOC_SHARE_ACCEPT
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @id: in: what the VM of this descriptor has offered to the host (MON_IOC_SHARE_AT)
 */
struct mon_share_accept {
	__u32 size;
	__u32 flags;
	__u64 id;
};

#define MON_SHARE_ACCEPT_SIZE_V1 sizeof(struct mon_share_accept)

/**
 * struct mon_vm_key - MON_IOC_VM_KEY
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @device: in: which of the policy's devices
 * @reserved: in: 0
 * @key: in: of the disk
 * @opened: in: refuse an image that was opened to write less often; 0: any
 */
struct mon_vm_key {
	__u32 size;
	__u32 flags;
	__u32 device;
	__u32 reserved;
	__u8 key[MON_VM_KEY_SIZE];
	__u64 opened;
};

#define MON_VM_KEY_SIZE_V1 48 /* without @opened */

/**
 * struct mon_enclave_create - MON_IOC_ENCLAVE_CREATE
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @frames: in: 4 KiB frames that it may own: its pages, what it touches of its ZERO ranges, and
 *	two more
 * @policy: in: what it is; its measurement begins with it
 */
struct mon_enclave_create {
	__u32 size;
	__u32 flags;
	__u64 frames;
	struct mon_enclave_policy policy;
};

#define MON_ENCLAVE_CREATE_SIZE_V1 sizeof(struct mon_enclave_create)

/**
 * struct mon_enclave_add - MON_IOC_ENCLAVE_ADD
 * @size: in: bytes of this structure
 * @perm: in: MON_ENCLAVE_READ, with MON_ENCLAVE_WRITE or MON_ENCLAVE_EXEC or both
 * @address: in: in the enclave, page aligned
 * @source: in: address of what is copied in, page aligned
 * @pages: in: how many
 * @added: out: how many were added, on errors, too
 */
struct mon_enclave_add {
	__u32 size;
	__u32 perm;
	__u64 address;
	__u64 source;
	__u64 pages;
	__u64 added;
};

#define MON_ENCLAVE_ADD_SIZE_V1 sizeof(struct mon_enclave_add)

/**
 * struct mon_enclave_run - MON_IOC_ENCLAVE_RUN
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @thread: in: number of the thread
 * @op: in: MON_ENCLAVE_CALL, MON_ENCLAVE_ANSWER; MON_ENCLAVE_RESUME: go on after EINTR
 * @exit: out: enum mon_enclave_exit: MON_ENCLAVE_RETURNED, _OCALL, _NEEDS_FRAME (with a value of
 *	1: MON_IOC_ENCLAVE_REFILL, then MON_ENCLAVE_RESUME) or _FAULTED
 * @reserved: in: 0
 * @value: in: CALL: the two arguments; ANSWER: the answer first. out: the two values of @exit
 */
struct mon_enclave_run {
	__u32 size;
	__u32 flags;
	__u32 thread;
	__u32 op;
	__u32 exit;
	__u32 reserved;
	__u64 value[2];
};

#define MON_ENCLAVE_RUN_SIZE_V1 sizeof(struct mon_enclave_run)

/**
 * struct mon_enclave_info - MON_IOC_ENCLAVE_STATUS
 * @size: in: bytes of this structure the caller has; out: bytes the module has
 * @flags: in: 0; out: of the policy
 * @domain: number of the domain; used again after its end
 * @state: enum mon_enclave_state
 * @nr_threads: of the policy
 * @faulted: threads that are never entered again
 * @owned: 4 KiB frames it owns now
 * @limit: and may own
 * @measurement: zeros before MON_IOC_ENCLAVE_FINISH
 * @entries: of all threads
 * @faults: pages made at their first touch, and exceptions
 * @evicted: pages that are out (MON_IOC_ENCLAVE_EVICT)
 */
struct mon_enclave_info {
	__u32 size;
	__u32 flags;
	__u32 domain;
	__u32 state;
	__u32 nr_threads;
	__u32 faulted;
	__u64 owned;
	__u64 limit;
	__u8 measurement[32];
	__u64 entries;
	__u64 faults;
	__u64 evicted;
};

#define MON_ENCLAVE_INFO_SIZE_V1 sizeof(struct mon_enclave_info)

/**
 * struct mon_enclave_evict - MON_IOC_ENCLAVE_EVICT
 * @size: in: bytes of this structure
 * @domain: in: number of the enclave's
 * @pages: in: how many to take at most; out: how many were
 */
struct mon_enclave_evict {
	__u32 size;
	__u32 domain;
	__u64 pages;
};

#define MON_ENCLAVE_EVICT_SIZE_V1 sizeof(struct mon_enclave_evict)

#define MON_SHARE_OFFER_PAGES_MAX 1024

/**
 * struct mon_share_offer - MON_IOC_SHARE_OFFER
 * @size: in: bytes of this structure
 * @perm: in: what the VM may do: MON_SHARE_READ, or MON_SHARE_READ | MON_SHARE_WRITE
 * @pages: in: 1 to MON_SHARE_OFFER_PAGES_MAX
 * @tag: in: the VM gets it as it is
 */
struct mon_share_offer {
	__u32 size;
	__u32 perm;
	__u64 pages;
	__u64 tag;
};

#define MON_SHARE_OFFER_SIZE_V1 sizeof(struct mon_share_offer)

/**
 * struct mon_share_info - MON_IOC_SHARE_AT, MON_IOC_SHARE_STATUS
 * @size: in: bytes of this structure the caller has; out: bytes the module has
 * @slot: in, for MON_IOC_SHARE_AT: place in the table; for MON_IOC_SHARE_STATUS: 0
 * @id: the share's number, never used again
 * @state: enum mon_share_state
 * @perm: MON_SHARE_READ, MON_SHARE_WRITE: of the peer
 * @owner: domain whose pages they are; MON_DOMAIN_HOST is 0
 * @peer: domain that sees them; MON_DOMAIN_NONE: offered to a VM or an enclave by its
 *	name, and not accepted yet
 * @pages: length
 * @tag: what the owner gave with it, if the host is the peer; else 0
 */
struct mon_share_info {
	__u32 size;
	__u32 slot;
	__u64 id;
	__u32 state;
	__u32 perm;
	__u32 owner;
	__u32 peer;
	__u64 pages;
	__u64 tag;
};

#define MON_SHARE_INFO_SIZE_V1 sizeof(struct mon_share_info)

/**
 * struct mon_page_count - frames that have all this in common
 * @owner: domain
 * @state: place in @frames_by_state of struct mon_info
 * @type: 0 none, 1 image, 2 page table, 3 VMX, 4 state, 5 guest memory
 * @peer: domain that has them mapped, too; MON_DOMAIN_NONE: nobody
 * @frames: how many
 */
struct mon_page_count {
	__u32 owner;
	__u16 state;
	__u16 type;
	__u32 peer;
	__u32 reserved;
	__u64 frames;
};

/**
 * struct mon_pages - MON_IOC_PAGES
 * @size: in: bytes of this structure
 * @flags: in: 0
 * @count: in: entries that @counts has room for; out: entries there are
 * @reserved: in: 0
 * @counts: in: address of an array of struct mon_page_count, filled in
 */
struct mon_pages {
	__u32 size;
	__u32 flags;
	__u32 count;
	__u32 reserved;
	__u64 counts;
};

#define MON_PAGES_SIZE_V1 sizeof(struct mon_pages)

/**
 * define MON_IOC_INFO - what the monitor is, and what it has counted
 *
 * On /dev/monitor, with a struct mon_info. Returns 0.
 *
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_INFO _IO(MON_IOC_MAGIC, 0x00)

/**
 * define MON_IOC_VM_ARM - the next VM of a process becomes a confidential VM
 *
 * On /dev/monitor, with a struct mon_vm_arm. Returns a new file descriptor,
 * close-on-exec, that is the domain. From here on the first VM that KVM enters
 * for the process is this domain's, from before its first instruction. "The
 * process" is an address space: its threads share it, its children do not, and
 * execve() ends it, so arm after the last execve().
 *
 * Memory for the whole VM is taken from the host at once. When the last
 * descriptor is closed, the VM is destroyed, its memory is wiped and comes
 * back; the close waits for that. When the process exits or executes another
 * program, the VM stops at once and the memory waits for the close.
 *
 *  EPERM   the caller lacks CAP_SYS_ADMIN
 *  EINVAL  also: the policy breaks a rule of struct mon_vm_policy; @pid is not
 *          a positive number
 *  ESRCH   no such process, or it has no memory (a kernel thread, a zombie)
 *  EEXIST  the process has a domain already
 *  ENOMEM  the host has not enough free memory for the VM, or the monitor has
 *          as many VMs as it can hold
 *  EMFILE, ENFILE  no file descriptor is free
 *  EINTR   a signal came; try again
 *  EBUSY   the monitor is being unloaded
 *  EIO     the monitor gives no frames back; the kernel's log says more
 *  EOPNOTSUPP  the monitor has no confidential VMs, or the policy has devices and the CPU has
 *          no AES-NI, PCLMULQDQ, or RDRAND
 */
#define MON_IOC_VM_ARM _IO(MON_IOC_MAGIC, 0x10)

/**
 * define MON_IOC_VM_STATUS - what a VM is doing, and its measurements
 *
 * On a descriptor from MON_IOC_VM_ARM, with a struct mon_vm_info. Returns 0.
 *
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_VM_STATUS _IO(MON_IOC_MAGIC, 0x11)

/**
 * define MON_IOC_SHARE_AT - who shares what with whom
 *
 * On /dev/monitor, with a struct mon_share_info. Returns 0. Ask for each slot from 0
 * on until ERANGE.
 *
 *  ENOENT  nothing is in this slot
 *  ERANGE  the last slot was before this one
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_SHARE_AT _IO(MON_IOC_MAGIC, 0x01)

/**
 * define MON_IOC_PAGES - how many frames each domain has, of which kind
 *
 * On /dev/monitor, with a struct mon_pages. Returns 0. Looks at every frame, one
 * call of the monitor for 512 of them; frames may change hands meanwhile.
 *
 *  ENOSPC  @counts has too little room; @count says how much is needed, and
 *          nothing else was written
 *  EINTR   a signal came that ends the process
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_PAGES _IO(MON_IOC_MAGIC, 0x02)

/**
 * define MON_IOC_VM_COLLECT - take back what the guest gave back
 *
 * On a descriptor from MON_IOC_VM_ARM, with a struct mon_vm_frames. Returns 0. The
 * frames come back wiped, and are the host's free memory again. None is an answer, too.
 *
 *  ENOMEM  the kernel is out of memory
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_VM_COLLECT _IO(MON_IOC_MAGIC, 0x12)

/**
 * define MON_IOC_VM_REFILL - let a VM own more again, that gave memory back
 *
 * On a descriptor from MON_IOC_VM_ARM, with a struct mon_vm_frames. Returns 0.
 * The memory is taken from the host at once.
 *
 *  EINVAL  also: @frames is 0, or the VM would own more than the policy needs
 *  ENOENT  the VM is gone
 *  ENOMEM  the host has not enough free memory
 *  EINTR, EIO  as for MON_IOC_VM_ARM
 */
#define MON_IOC_VM_REFILL _IO(MON_IOC_MAGIC, 0x13)

/**
 * define MON_IOC_VM_KEY - give a VM the key of one of its disks
 *
 * On a descriptor from MON_IOC_VM_ARM, with a struct mon_vm_key, before QEMU runs. Returns 0. The
 * monitor wipes the key with the VM; whoever calls this has seen it.
 *
 *  EINVAL  also: the policy has no such disk, or its key is another one
 *  EBUSY   the VM has begun
 *  ENOENT  the VM is gone
 *  ENOMEM
 *  EIO     the monitor does not take it
 */
#define MON_IOC_VM_KEY _IO(MON_IOC_MAGIC, 0x16)

/**
 * define MON_IOC_SHARE_ACCEPT - take what a VM has offered to the host
 *
 * On a descriptor from MON_IOC_VM_ARM, with a struct mon_share_accept. Returns a new
 * file descriptor, close-on-exec: mmap() it, shared, to reach the pages; for writing
 * only if the VM allows it, and never to execute. The VM may end the share at any time.
 * From then on a page reads as zeros, and what is written there is lost; or the access
 * raises SIGBUS. So does one to a page that the VM has not made yet, while it owns as
 * much as it may (MON_IOC_VM_REFILL). System calls for direct I/O do not take such
 * memory, and it is not in core dumps. When the last descriptor and mapping are gone
 * the share is ended. The domain does not live on by it.
 *
 * mmap() fails with EINVAL (private, or beyond the end) or EACCES (more than allowed).
 *
 *  ENOENT  the VM has no such offer to the host, or is gone
 *  EINVAL  also: accepted before
 *  EMFILE, ENFILE, ENOMEM
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_SHARE_ACCEPT _IO(MON_IOC_MAGIC, 0x14)

/**
 * define MON_IOC_SHARE_OFFER - offer memory of the host's to a VM
 *
 * On a descriptor from MON_IOC_VM_ARM, with a struct mon_share_offer. Returns a new
 * file descriptor, close-on-exec: mmap() it, shared, to reach the pages, which begin
 * as zeros; for reading and writing, whatever the VM may. When the last descriptor and
 * mapping are gone the share is ended. mmap() fails as for MON_IOC_SHARE_ACCEPT.
 *
 *  EINVAL  also: @perm or @pages is not one of those named
 *  ENOENT  the VM is gone
 *  ENOMEM  there is no such block of memory free
 *  EBUSY   the host has MON_SHARE_QUOTA shares of its own
 *  EMFILE, ENFILE
 *  EIO     the monitor does not take it
 */
#define MON_IOC_SHARE_OFFER _IO(MON_IOC_MAGIC, 0x15)

/**
 * define MON_IOC_SHARE_STATUS - is the share there yet, or still
 *
 * On a descriptor from MON_IOC_SHARE_ACCEPT or MON_IOC_SHARE_OFFER, with a struct
 * mon_share_info. Returns 0.
 *
 *  EINVAL  also: @slot is not 0
 *  ENOENT  it is over
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_SHARE_STATUS _IO(MON_IOC_MAGIC, 0x20)

/**
 * define MON_IOC_ENCLAVE_CREATE - an enclave without pages yet
 *
 * On /dev/monitor, with a struct mon_enclave_create. Returns a new file descriptor,
 * close-on-exec, that is the domain: mmap() it, shared, from offset 0 on, to reach the buffer,
 * which begins as zeros. When the last descriptor and mapping are gone the enclave is destroyed,
 * its memory is wiped and comes back. If its policy has MON_ENCLAVE_DEBUG, pread() and pwrite()
 * reach its memory, at its own addresses, in pages that are there (else EIO), and pread() its
 * threads' registers, at MON_ENCLAVE_REGISTERS (EBUSY: the thread runs); of another one they are
 * EPERM.
 *
 *  EINVAL  also: the policy breaks a rule of struct mon_enclave_policy; @frames is 0
 *  ENOMEM  the host has not enough free memory, or the monitor has as many enclaves as it can hold
 *  EBUSY   the monitor is being unloaded
 *  EOPNOTSUPP  the CPU lacks XSAVE, FSGSBASE, RDRAND or 1 GiB pages
 *  EMFILE, ENFILE, EINTR, EIO  as for MON_IOC_VM_ARM
 */
#define MON_IOC_ENCLAVE_CREATE _IO(MON_IOC_MAGIC, 0x30)

/**
 * define MON_IOC_ENCLAVE_ADD - copy pages in
 *
 * On a descriptor from MON_IOC_ENCLAVE_CREATE, with a struct mon_enclave_add. Returns 0.
 *
 *  EINVAL  also: @perm, or an address is not one of those named, or not in a range of pages
 *  EEXIST  there is a page already
 *  EBUSY   the enclave is finished, or owns as much as it may
 *  EINTR   a signal came: go on from @added
 *  ENOMEM, EIO
 */
#define MON_IOC_ENCLAVE_ADD _IO(MON_IOC_MAGIC, 0x31)

/**
 * define MON_IOC_ENCLAVE_FINISH - no more pages: it is measured, and can run
 *
 * On a descriptor from MON_IOC_ENCLAVE_CREATE, with a struct mon_enclave_info, which is filled in
 * as by MON_IOC_ENCLAVE_STATUS. Returns 0.
 *
 *  EBUSY   it is finished already
 *  ENOMEM, EIO
 */
#define MON_IOC_ENCLAVE_FINISH _IO(MON_IOC_MAGIC, 0x32)

/**
 * define MON_IOC_ENCLAVE_RUN - enter a thread, until it returns, calls, faults or wants more memory
 *
 * On a descriptor from MON_IOC_ENCLAVE_CREATE, with a struct mon_enclave_run. Returns 0. Interrupts
 * and the scheduler are served meanwhile.
 *
 *  EINTR   a signal came: call again with MON_ENCLAVE_RESUME
 *  EINVAL  also: there is no such thread; or @op is not what it waits for
 *  EBUSY   the enclave is not finished; the thread is running, or has faulted
 *  ENOMEM  the kernel is out of memory: call again with MON_ENCLAVE_RESUME
 *  EIO
 */
#define MON_IOC_ENCLAVE_RUN _IO(MON_IOC_MAGIC, 0x33)

/**
 * define MON_IOC_ENCLAVE_STATUS - what an enclave is doing, and its measurement
 *
 * On a descriptor from MON_IOC_ENCLAVE_CREATE, with a struct mon_enclave_info. Returns 0.
 *
 *  EIO     the monitor gives no answer
 */
#define MON_IOC_ENCLAVE_STATUS _IO(MON_IOC_MAGIC, 0x34)

/**
 * define MON_IOC_ENCLAVE_REFILL - let it own more
 *
 * On a descriptor from MON_IOC_ENCLAVE_CREATE, with a struct mon_vm_frames. Returns 0. The memory
 * is taken from the host at once.
 *
 *  EINVAL  also: @frames is 0, or it could own more than its ranges have
 *  ENOMEM, EINTR, EIO  as for MON_IOC_VM_ARM
 */
#define MON_IOC_ENCLAVE_REFILL _IO(MON_IOC_MAGIC, 0x35)

/**
 * define MON_IOC_ENCLAVE_EVICT - take memory of an enclave back
 *
 * On /dev/monitor, with a struct mon_enclave_evict. Returns 0. The pages are sealed by the monitor
 * and kept in memory that can be swapped out; a thread that touches one waits until it is back.
 * Which pages they are is the monitor's choice.
 *
 *  EINVAL  also: @pages is 0
 *  ENOENT  there is no such enclave, or it has no page left
 *  EBUSY   it is not finished
 *  EOPNOTSUPP  the CPU has no AES-NI, or no PCLMULQDQ
 *  ENOMEM, EINTR, EIO
 */
#define MON_IOC_ENCLAVE_EVICT _IO(MON_IOC_MAGIC, 0x36)

#endif /* _UAPI_MONITOR_H */
