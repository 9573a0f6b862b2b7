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
#include "hypercall.h"

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
};

#define MON_VM_INFO_SIZE_V1 sizeof(struct mon_vm_info)

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
 *  EOPNOTSUPP  the monitor has no confidential VMs
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

#endif /* _UAPI_MONITOR_H */
