/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the Linux half and the monitor image say to each other: how the image
 * is entered before launch (the gate), and the hypercalls after it.
 * Both sides build this file; it includes nothing.
 *
 * A hypercall is VMCALL at CPL 0 of the host with RAX = MON_HYPERCALL | number,
 * arguments in RDI, RSI, RDX, R10; RAX returns 0 or more, or -MON_E*.
 */
#ifndef _UAPI_HYPERCALL_H
#define _UAPI_HYPERCALL_H

#define MON_ABI_VERSION 1
#define MON_HYPERCALL 0x4d4f4e0000000000ULL /* "MON" */

#define MON_MAX_CPUS 256
#define MON_MAX_CHUNKS 4096
#define MON_MAX_RAM_RANGES 128
#define MON_MAX_POWER_PORTS 4

/* Where the image lives in its own address space: the lower half is all its own. */
#define MON_VA_IMAGE 0x0000100000000000ULL
#define MON_VA_FRAME_TABLE 0x0000110000000000ULL
#define MON_VA_CPU 0x0000120000000000ULL
#define MON_VA_APIC 0x0000130000000000ULL /* this CPU's local APIC, if not in x2APIC mode */
#define MON_VA_DIRECT 0x0000200000000000ULL /* all physical memory */
#define MON_CPU_STRIDE 0x100000ULL
#define MON_CPU_AREA_PAGES 16	/* struct cpu, zero-filled, at the start of the stride */
#define MON_CPU_STACK_PAGES 4	/* ends at +0x40000; unmapped page below */
#define MON_CPU_STACK_TOP 0x40000ULL
#define MON_CPU_IST_TOP 0x60000ULL /* NMI, #MC, #DF: one page each at 0x10000 steps */
#define MON_CPU_IST_STEP 0x10000ULL
#define MON_CPU_NR_IST 3

enum mon_hypercall {
	MON_HC_PING = 0,       /* returns MON_ABI_VERSION; also passes the epoch */
	MON_HC_STATUS = 1,     /* (pa of struct mon_status) */
	MON_HC_CPU_STATUS = 2, /* (cpu, pa of struct mon_cpu_status) */
	MON_HC_DONATE = 3,     /* (pfn, nr): returns nothing until MON_HC_SETTLE */
	MON_HC_SETTLE = 4,     /* (pfn, nr) after every CPU made a hypercall */
	MON_HC_TAKE_BACK = 5,  /* returns a pfn that is the host's again, or -MON_EPOOL */
	/* unload: -MON_EBUSY while a VM lives; -MON_EAGAIN until what it had is wiped, as SETTLE */
	MON_HC_CLOSE = 6,
	MON_HC_LEAVE = 7,      /* after CLOSE: this CPU goes back to native mode */
	MON_HC_VM_CREATE = 8,  /* (pa of struct mon_vm_create): returns a domain id, 2 or more */
	MON_HC_VM_DESTROY = 9, /* (domain): one bounded step; -MON_EAGAIN until done */
	MON_HC_VM_STATUS = 10, /* (domain, pa of struct mon_vm_status) */
	MON_HC_VM_REFILL = 11, /* (domain, frames): it may own as many more, up to its policy's */
	MON_HC_SHARE_OFFER = 12,  /* (pa of struct mon_host_offer): returns an ID */
	MON_HC_SHARE_ACCEPT = 13, /* (ID): of a VM's offer to the host */
	MON_HC_SHARE_TOUCH = 14,  /* (ID, page): returns its pfn, which can be reached now */
	MON_HC_SHARE_END = 15,	  /* (ID): one bounded step; -MON_EAGAIN until done */
	MON_HC_SHARE_AT = 16,	  /* (slot, pa of struct mon_share_status) */
	MON_HC_FRAMES = 17,	  /* (pfn, nr, pa of struct mon_frame[nr]) */
	MON_HC_WAITED = 18, /* returns 1 if a VM waits for CPUs that have not called since */
	MON_HC_VM_KEY = 19, /* (domain, device, pa of 32 bytes, opened): before the VM is entered */
	/* Of enclaves: uapi/enclave.h */
	MON_HC_ENCLAVE_CREATE = 20,   /* (pa of struct mon_enclave_make): returns a domain id */
	MON_HC_ENCLAVE_ADD = 21,      /* (domain, address, MON_ENCLAVE_READ.., pa of a page) */
	MON_HC_ENCLAVE_BUFFER = 22,   /* (domain, page of the buffer, pfn of the host's) */
	MON_HC_ENCLAVE_FINISH = 23,   /* (domain): no more pages; it is measured */
	MON_HC_ENCLAVE_DESTROY = 24,  /* (domain): one bounded step; -MON_EAGAIN until done */
	MON_HC_ENCLAVE_STATUS = 25,   /* (domain, pa of struct mon_enclave_status) */
	MON_HC_ENCLAVE_REFILL = 26,   /* (domain, frames): it may own as many more */
	/*
	 * (domain | thread << 32, enum mon_enclave_op, two values): returns enum mon_enclave_exit,
	 * with values in RSI and RDX; zeros in RCX, RDI and R8 to R11. Also of its process.
	 */
	MON_HC_ENCLAVE_RUN = 27,
	MON_HC_ENCLAVE_PAUSE = 28, /* (domain, 1 or 0): threads are not entered: -MON_EAGAIN */
	/*
	 * (domain, pa of a page, pa of struct mon_enclave_evicted) while it is paused: takes a page
	 * of the monitor's choice. -MON_EAGAIN: a thread runs still, or the search goes on;
	 * -MON_ENOENT: there was none up to the end
	 */
	MON_HC_ENCLAVE_EVICT = 29,
	/* (domain, thread, pa of a page, pa of struct mon_enclave_evicted): what it waits for */
	MON_HC_ENCLAVE_LOAD = 30,
	/*
	 * (domain, address, pa of a page, write): a page of one with MON_ENCLAVE_DEBUG; or, to
	 * read, struct mon_enclave_registers of a thread, and zeros
	 */
	MON_HC_ENCLAVE_PEEK = 31,
	MON_HC_NR,
};

/* Errors: the same numbers as the host's errno, so that the Linux half passes them on. */
#define MON_EPERM 1
#define MON_ENOENT 2
#define MON_EAGAIN 11
#define MON_ENOMEM 12
#define MON_EFAULT 14
#define MON_EBUSY 16
#define MON_EEXIST 17
#define MON_EINVAL 22
#define MON_ERANGE 34
#define MON_ENOSYS 38

/* A refusal or a protected access, counted by name. */
#define MON_COUNTERS(X)                                                          \
	X(PROTECTED_READ, "host read of a protected frame")                      \
	X(PROTECTED_WRITE, "host write to a protected frame")                    \
	X(PROTECTED_FETCH, "host execution from a protected frame")              \
	X(BAD_HYPERCALL, "hypercall refused")                                    \
	X(BAD_MSR, "MSR access refused")                                         \
	X(BAD_CR, "control register write refused")                              \
	X(VMX_FAIL, "VMX instruction failed architecturally")                    \
	X(ENTRY_REFUSED, "VM entry refused: control or address in vmcs12")       \
	X(EPT12_REFUSED, "EPT12 maps a frame that is not the host's")            \
	X(POOL_EMPTY, "monitor frame pool was empty")                            \
	X(NMI_IN_ROOT, "NMI taken in root mode and passed on")                   \
	X(VM_STOPPED, "confidential VM stopped: the host interfered")            \
	X(VM_BAD_EVENT, "event injection refused")                               \
	X(VM_BAD_STATE, "host changed state that is not its own")                \
	X(VM_BAD_INSN, "guest instruction the monitor cannot emulate")           \
	X(GUEST_CALL_REFUSED, "hypercall of a confidential VM refused")          \
	X(WINDOW_REFUSED, "confidential VM touched what is not shared with it (any more)") \
	X(BAD_IO, "string instruction on a port that resets the machine")        \
	X(MCE_IN_ROOT, "machine check taken in root mode and passed on")         \
	X(ENCLAVE_CALL_REFUSED, "call of an enclave refused")                    \
	X(ENCLAVE_FAULTED, "thread of an enclave ended by an exception")         \
	X(BLOCK_REFUSED, "block of a sealed disk that does not verify")          \
	X(DEVICE_STOPPED, "device of a confidential VM stopped: the host interfered")      \
	X(TABLES_EMPTY, "no frame for a table of an ordinary guest")             \
	X(DISK_OLD, "sealed disk was opened less often than its owner knows of")

/* Domains: the host, the monitor, VMs from 2 on, enclaves from MON_DOMAIN_ENCLAVE on. */
#define MON_DOMAIN_HOST 0u
#define MON_DOMAIN_MONITOR 1u
#define MON_DOMAIN_ENCLAVE 32u
#define MON_DOMAIN_NONE 0xffffffffu

#define MON_SHARE_READ 1u
#define MON_SHARE_WRITE 2u
#define MON_SHARE_QUOTA 16u /* for each owner */

/* What a share is doing. */
enum mon_share_state {
	MON_SHARE_OFFERED = 1,	/* the peer has not accepted yet */
	MON_SHARE_LIVE = 2,
	MON_SHARE_REVOKING = 3, /* being ended: some CPU may still reach a page */
};

enum mon_counter {
#define X(name, text) MON_CNT_##name,
	MON_COUNTERS(X)
#undef X
	MON_CNT_NR
};

/* Why a launch was refused. */
#define MON_LAUNCH_ERRORS(X)                                                                     \
	X(OK, "launched", "")                                                                       \
	X(NO_VMX, "CPU has no VT-x", "use a CPU with Intel VT-x, or give the virtual machine nested VMX") \
	X(LOCKED_OFF, "VT-x is locked off in IA32_FEATURE_CONTROL", "enable VT-x in the firmware setup") \
	X(IN_USE, "VT-x is in use by another hypervisor", "stop all VMs and unload other hypervisors")     \
	X(NO_EPT, "CPU lacks EPT with 4 levels, write-back tables and INVEPT", "no remedy on this CPU")  \
	X(NO_UNRESTRICTED, "CPU lacks unrestricted guest", "no remedy on this CPU")                  \
	X(NO_MSR_BITMAP, "CPU lacks MSR bitmaps or secondary controls", "no remedy on this CPU")     \
	X(NO_VPID, "CPU lacks VPID with INVVPID", "no remedy on this CPU")                          \
	X(NO_CONTROL, "CPU lacks a required VMX control", "no remedy on this CPU")                  \
	X(CR0, "unknown or unsupported bits in CR0", "this kernel is newer than the monitor: update the monitor") \
	X(CR4, "unknown or unsupported bits in CR4", "this kernel is newer than the monitor: update the monitor") \
	X(NO_MEMORY, "out of memory", "free memory and try again")                                  \
	X(VMXON_FAILED, "VMXON failed", "see the detail value")                                     \
	X(ENTRY_FAILED, "first VM entry failed", "see the detail value; report it")                 \
	X(DIFFERENT_CPUS, "CPUs differ in VMX capabilities", "no remedy on this machine")           \
	X(BAD_BOOT_INFO, "the module and its image disagree", "rebuild the module")                 \
	X(CPU_CHANGE, "a CPU came online or went offline meanwhile", "try again")                    \
	X(PADDR, "RAM beyond what the monitor's direct map covers", "report this machine")             \
	X(UNKNOWN_CPU, "the firmware has a CPU that this kernel does not use, so nobody could watch it", "boot without nr_cpus=, possible_cpus= and disable_cpu_apicid=, or disable it in the firmware setup") \
	X(OFFLINE_CPU, "a CPU is offline and cannot be brought online, so nobody could watch it", "'echo on > /sys/devices/system/cpu/smt/control' if sibling threads are off, else disable it in the firmware setup")

enum mon_launch_error {
#define X(name, text, remedy) MON_LAUNCH_##name,
	MON_LAUNCH_ERRORS(X)
#undef X
	MON_LAUNCH_NR
};

struct mon_range {
	unsigned long long start;
	unsigned long long end;
};

struct mon_chunk {
	unsigned long long pfn;
	unsigned long long nr;
};

/**
 * struct mon_power_port - a byte of I/O space that resets the machine, or puts it to sleep
 * @port: its address
 * @mask, @match: it does so if (byte & @mask) == @match
 */
struct mon_power_port {
	unsigned short port;
	unsigned char mask;
	unsigned char match;
};

/**
 * struct mon_boot_info - made by the Linux half while it is still trusted
 * @abi: MON_ABI_VERSION
 * @nr_cpus: CPUs that will launch; all that are online
 * @frame_table_frames: entries in the table mapped at MON_VA_FRAME_TABLE
 * @nr_chunks: entries of @chunk
 * @nr_claimed: the first chunks are in use (image, tables, areas); the rest is the pool
 * @nr_ram: entries of @ram
 * @root_pa: the monitor's top page table; for HOST_CR3
 * @image_hash: SHA-256 of the image, for the status only
 * @power_port: what firmware says of it (ACPI's FADT); a @mask and @match of 0 is any write
 */
struct mon_boot_info {
	unsigned int abi;
	unsigned int nr_cpus;
	unsigned long long frame_table_frames;
	unsigned int nr_chunks;
	unsigned int nr_claimed;
	unsigned int nr_ram;
	unsigned int nr_power_ports;
	unsigned long long root_pa;
	unsigned char image_hash[32];
	struct mon_power_port power_port[MON_MAX_POWER_PORTS];
	struct mon_range ram[MON_MAX_RAM_RANGES];
	struct mon_chunk chunk[MON_MAX_CHUNKS];
};

struct mon_desc_ptr {
	unsigned short pad[3];
	unsigned short limit;
	unsigned long long base;
} __attribute__((packed));

/**
 * struct mon_native - a CPU in native mode: what the gate saves and restores
 * @gpr: RAX RCX RDX RBX RSP RBP RSI RDI R8..R15, the order of the instruction set
 * @rip: where a leaving CPU goes on
 */
struct mon_native {
	unsigned long long gpr[16];
	unsigned long long rip, rflags, cr0, cr3, cr4;
	unsigned long long fs_base, gs_base;
	struct mon_desc_ptr gdt, idt;
	unsigned short es, ss, ds, fs, gs, ldt, tr, cs;
};

enum mon_gate_op {
	MON_GATE_INIT = 0,   /* arg: physical address of mon_boot_info; once */
	MON_GATE_CHECK = 1,  /* arg: cpu index; no side effect */
	/* arg: cpu index; returns 0 as the host's first step in VMX non-root */
	MON_GATE_LAUNCH = 2,
};

/**
 * struct mon_gate - data page of one CPU's gate
 * @monitor_cr3: the monitor's tables
 * @op: enum mon_gate_op
 * @arg: of @op
 * @detail: out: the value that goes with an error
 * @nmi: NMIs that came while the gate was passed; the caller raises them again
 * @cpu: index of this CPU
 * @entry: gate_main() of the image
 * @code: address of the gate's code in both address spaces
 * @native: saved by the gate
 * @gdt, @idt: in force while CR3 changes; the gate fills them in
 * @gdt_copy: the host's GDT, copied by the module (its address is not mapped here)
 * @stack: the gate's own
 *
 * The gate's code page and this page are mapped at one address in both address
 * spaces, so that CR3 can change between them, and an NMI can come at any time.
 * gate(struct mon_gate *) returns enum mon_launch_error.
 */
struct mon_gate {
	unsigned long long monitor_cr3;
	unsigned long long op;
	unsigned long long arg;
	unsigned long long detail;
	unsigned long long nmi;
	unsigned long long cpu;
	unsigned long long entry;
	unsigned long long code;
	unsigned long long gdt[4];
	unsigned long long idt[6];
	struct mon_native native;
	unsigned char gdt_copy[128];
	unsigned char stack[4096 - 18 * 8 - 128 - sizeof(struct mon_native)];
};

/**
 * struct mon_status - MON_HC_STATUS
 */
struct mon_status {
	unsigned int abi;
	unsigned int nr_cpus;
	unsigned long long frames_by_state[8];
	unsigned long long frames_by_type[8];
	unsigned long long frames_total;
	unsigned long long counter[32];
	unsigned int nr_counters;
	unsigned int nr_domains;
	unsigned int debug;
	unsigned int features; /* MON_FEATURE_* */
};

/* What a range of a VM's guest-physical memory is; all else is the device's (MMIO). */
enum mon_vm_range_type {
	MON_RANGE_RAM = 1,	    /* private, zeros at start */
	MON_RANGE_FIRMWARE = 2,	    /* private, copied in and measured, not writable */
	MON_RANGE_FIRMWARE_RAM = 3, /* likewise, but writable: shadowed firmware below 1 MiB */
};

/*
 * A device whose data the monitor carries: a function of virtio-pci at its place, on bus 0 or
 * behind a PCI Express root port there, or with MON_DEVICE_MMIO registers of virtio-mmio at their
 * address. What the host has at another place gets no byte of the guest's memory.
 */
enum mon_vm_device_type {
	MON_DEVICE_DISK = 1,	/* virtio-blk; its image is sealed (uapi/disk.h) */
	MON_DEVICE_NETWORK = 2, /* virtio-net */
	MON_DEVICE_MMIO = 0x100, /* with one of them: its place is an address */
};

/* With MON_DEVICE_NETWORK, not MON_DEVICE_MMIO: it has n queue pairs, as many as QEMU's card */
#define MON_DEVICE_PAIRS(n) (((n) - 1) * MON_DEVICE_PAIRS_STEP)
#define MON_DEVICE_NR_PAIRS(type) (((type) & MON_DEVICE_PAIRS_MASK) / MON_DEVICE_PAIRS_STEP + 1)
#define MON_DEVICE_PAIRS_STEP 0x10000u
#define MON_DEVICE_PAIRS_MASK 0x70000u
#define MON_DEVICE_PAIRS_MAX 8u

#define MON_VM_MAX_RANGES 8
#define MON_VM_MAX_VCPUS 16
#define MON_VM_MAX_DEVICES 4
#define MON_DEVICE_BEHIND_PORT 0x10000u
#define MON_DEVICE_BEHIND(port, function) (MON_DEVICE_BEHIND_PORT | (port) << 8 | (function))
#define MON_DEVICE_MMIO_SIZE 0x200u /* bytes of registers */
#define MON_VM_POLICY_VERSION 2

#define MON_VM_KEY_SIZE 32
#define MON_VM_KEY_ID_INFO "monitor-disk-key-id-1" /* without its final zero */

/* Where, in guest-physical memory, QEMU's own frames are the arena of such devices. */
#define MON_VM_ARENA 0x100000ULL
#define MON_VM_ARENA_DEVICE 0x400000ULL /* bytes for each */

/**
 * struct mon_vm_policy - what a VM is; the first thing its launch measurement covers
 * @version: MON_VM_POLICY_VERSION
 * @nr_ranges: entries of @range that are used; the others are zero
 * @max_vcpus: 1 to MON_VM_MAX_VCPUS
 * @flags: 0
 * @range: page aligned, ascending, not overlapping; @end is the first byte behind
 * @nr_devices: entries of @device that are used; the others are zero. If there is one, a range
 *	of RAM has all of the arena: MON_VM_ARENA_DEVICE for each of them, from MON_VM_ARENA on.
 * @device: enum mon_vm_device_type and MON_DEVICE_PAIRS(); its place; of a disk, SHA-256 of
 *	MON_VM_KEY_ID_INFO and its key, else zeros. A place has device and function number as in
 *	PCI, 8 * device + function: of bus 0 (0 to 255), or MON_DEVICE_BEHIND(port, function) of the
 *	bus behind the bridge that is function @port of bus 0, whose number is what the guest's
 *	software gives it. With MON_DEVICE_MMIO it is a multiple of MON_DEVICE_MMIO_SIZE and in none
 *	of the ranges.
 *
 * Launch measurement = SHA-256 of this structure, then of each page of each
 * FIRMWARE and FIRMWARE_RAM range in order: its address (8 bytes, little
 * endian), its 4096 bytes.
 */
struct mon_vm_policy {
	unsigned int version;
	unsigned int nr_ranges;
	unsigned int max_vcpus;
	unsigned int flags;
	struct {
		unsigned long long start;
		unsigned long long end;
		unsigned int type;
		unsigned int reserved;
	} range[MON_VM_MAX_RANGES];
	unsigned int nr_devices;
	unsigned int reserved;
	struct {
		unsigned int type;
		unsigned int function;
		unsigned char key_id[32];
	} device[MON_VM_MAX_DEVICES];
};

/**
 * struct mon_vm_create - MON_HC_VM_CREATE
 * @host_cr3: top page table of the process that will run it
 */
struct mon_vm_create {
	unsigned long long host_cr3;
	struct mon_vm_policy policy;
};

enum mon_vm_state {
	MON_VM_ARMED = 0,   /* waits for the first VM entry of its process */
	MON_VM_LOADING = 1, /* firmware is being copied in and measured */
	MON_VM_RUNNING = 2,
	MON_VM_STOPPED = 3, /* shut down, or the host interfered: never entered again */
	MON_VM_DYING = 4,
};

/* Why a VM was stopped. */
#define MON_VM_STOPS(X)                                                  \
	X(NONE, "not stopped")                                           \
	X(SHUTDOWN, "the guest shut down (triple fault)")                \
	X(BAD_EVENT, "the host injected an event that it may not inject") \
	X(BAD_START, "the host started a vCPU where the guest did not ask") \
	X(BAD_INSN, "the guest used an instruction on a device that the monitor cannot emulate") \
	X(BAD_MEMORY, "the guest used memory that its policy does not have") \
	X(ENTRY_FAILED, "VM entry failed")                               \
	X(UNEXPECTED_EXIT, "an exit that the monitor does not handle")   \
	X(TOO_MANY_VCPUS, "more vCPUs than the policy allows")           \
	X(NO_FRAMES, "the host has not donated enough frames")           \
	X(NO_TPR_SHADOW, "the guest used CR8, and the host's VM entry has no TPR shadow")

enum mon_vm_stop {
#define X(name, text) MON_VM_STOP_##name,
	MON_VM_STOPS(X)
#undef X
	MON_VM_STOP_NR
};

/**
 * struct mon_vm_status - MON_HC_VM_STATUS
 * @state: enum mon_vm_state
 * @stop: enum mon_vm_stop
 * @nr_vcpus: that have been entered
 * @private_frames: frames it owns
 * @measurement: launch measurement; zeros before MON_VM_RUNNING
 * @runtime: runtime measurement register: SHA-256 extended with each fw_cfg item as read
 * @exits, @exits_to_host: of all its vCPUs
 * @limit: frames it may own: what its policy needs, less what it gave back
 * @returned: frames it gave back since it was made (MON_GC_RELEASE)
 */
struct mon_vm_status {
	unsigned int state;
	unsigned int stop;
	unsigned int nr_vcpus;
	unsigned int reserved;
	unsigned long long private_frames;
	unsigned char measurement[32];
	unsigned char runtime[32];
	unsigned long long exits;
	unsigned long long exits_to_host;
	unsigned long long stop_detail;
	unsigned long long limit;
	unsigned long long returned;
};

/**
 * struct mon_host_offer - MON_HC_SHARE_OFFER: frames of the host's for a VM
 * @domain: the VM
 * @perm: MON_SHARE_READ, or MON_SHARE_READ | MON_SHARE_WRITE
 * @pfn, @nr: the frames, one behind the other
 * @tag: the VM gets it as it is
 */
struct mon_host_offer {
	unsigned int domain;
	unsigned int perm;
	unsigned long long pfn;
	unsigned long long nr;
	unsigned long long tag;
};

/**
 * struct mon_share_status - MON_HC_SHARE_AT
 * @id: of the share
 * @state: enum mon_share_state
 * @perm: MON_SHARE_READ, MON_SHARE_WRITE: of the peer
 * @owner, @peer: domains; @peer is MON_DOMAIN_NONE while only who has a certain name can accept
 * @pages: its length
 * @tag: given by the owner, if the host is the peer; else 0
 *
 * Where in a VM's memory the pages are is not said. -MON_ENOENT: the slot is empty;
 * -MON_ERANGE: the last slot was before it.
 */
struct mon_share_status {
	unsigned long long id;
	unsigned int state;
	unsigned int perm;
	unsigned int owner;
	unsigned int peer;
	unsigned long long pages;
	unsigned long long tag;
};

#define MON_FRAMES_MAX 512u
#define MON_FRAME_SHARED 1u	  /* @peer has it mapped */
#define MON_FRAME_PEER_WRITES 2u
#define MON_FRAME_PINNED 4u	  /* the host's, and mapped by a VM */

/**
 * struct mon_frame - MON_HC_FRAMES: one frame of the ownership table
 * @state, @type: as in struct mon_status
 * @flags: MON_FRAME_*
 * @peer: domain, with MON_FRAME_SHARED
 * @owner: domain
 *
 * Up to MON_FRAMES_MAX in a call. Which page of a VM a frame backs is not said.
 */
struct mon_frame {
	unsigned char state;
	unsigned char type;
	unsigned char flags;
	unsigned char reserved;
	unsigned short owner;
	unsigned short peer;
};

#define MON_FEATURE_SHADOW_VMCS 1u
#define MON_FEATURE_1G_PAGES 2u
#define MON_FEATURE_ENCLAVES 4u
/* What is flushed between a confidential VM and the host; what should be, and this CPU cannot */
#define MON_FEATURE_FLUSHED(flush) (1u << (8 + (flush)))
#define MON_FEATURE_UNFLUSHED(flush) (1u << (16 + (flush)))

#define MON_FLUSHES(X)                    \
	X(PREDICTORS, "branch predictors") \
	X(L1D, "L1 data cache")            \
	X(BUFFERS, "CPU buffers")

enum mon_flush {
#define X(name, text) MON_FLUSH_##name,
	MON_FLUSHES(X)
#undef X
	MON_FLUSH_NR
};

#define MON_NR_EXIT_REASONS 80

/**
 * struct mon_cpu_status - MON_HC_CPU_STATUS
 * @host_exits: exits of the host by basic exit reason
 * @guest_exits: exits of its guests, likewise
 */
struct mon_cpu_status {
	unsigned long long host_exits[MON_NR_EXIT_REASONS];
	unsigned long long guest_exits[MON_NR_EXIT_REASONS];
	unsigned long long guest_exits_to_host;
};

#endif /* _UAPI_HYPERCALL_H */
