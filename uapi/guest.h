/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a confidential VM says to the monitor: VMCALL at CPL 0 in 64-bit mode with
 * RAX = MON_HYPERCALL | number and arguments in RDI, RSI, RDX, R10. RAX returns 0 or more,
 * or -MON_E*. No other register changes. A caller at another level gets #UD.
 *
 * An argument "gpa" is the guest-physical address of a structure in the VM's own
 * RAM, within one page. A call that is refused has changed nothing.
 *
 * Who is not in a confidential VM gets #UD, or the error of the hypervisor there
 * is; MON_GC_PING tells.
 */
#ifndef _UAPI_GUEST_H
#define _UAPI_GUEST_H

#include "hypercall.h"

/**
 * enum mon_guest_call - the calls
 * @MON_GC_PING: (): returns MON_ABI_VERSION
 * @MON_GC_SELF: (gpa of struct mon_guest_self): who the VM is
 * @MON_GC_WINDOW: (gfn, pages): where shares with the VM are to appear. Not below
 *	4 GiB, not over the VM's own memory, MON_WINDOW_PAGES_MAX pages at most; 0
 *	pages: nowhere any more. What is there and not shared is no device: a touch of it is #GP.
 *	EBUSY: a share is in the window there is; EINVAL
 * @MON_GC_OFFER: (gpa of struct mon_guest_offer): offer pages; returns an ID. Touches no
 *	page: a share of any length is one entry.
 *	EPERM: not all of it is RAM or firmware of the VM, or not with that permission;
 *	EEXIST: part of it is shared already; EBUSY: MON_SHARE_QUOTA shares of the VM's
 *	own are there; EINVAL
 * @MON_GC_ACCEPT: (ID, gfn, tag): take what was offered, to appear from page @gfn on.
 *	ENOENT: there is no such offer to this VM; EINVAL: not within the window, or
 *	accepted before; EEXIST: another share is there
 * @MON_GC_END: (ID): end a share, as its owner or its peer. EAGAIN: call again, more
 *	is to be done or some CPU has not flushed yet; ENOENT: there is none (any more)
 * @MON_GC_SHARE_AT: (slot, gpa of struct mon_guest_share): an entry of the table, if
 *	it is the VM's, or offered to it. ENOENT: not so; ERANGE: there is no such slot
 * @MON_GC_SIGNAL: (ID): set the signal of the other side. The host is asked for an
 *	interrupt in another way, and may lose or forge that: what is true is here.
 *	ENOENT: no live share of the VM's with another VM
 * @MON_GC_TAKE_SIGNAL: (ID): returns 1 if the other side has signalled since the last
 *	call, and 0 if not. ENOENT: as for MON_GC_SIGNAL
 * @MON_GC_RELEASE: (gfn, pages): give RAM back to the host, wiped; 1 to
 *	MON_RELEASE_MAX pages. The VM may own as many pages less: what it touches there
 *	later is made of zeros, if it owns less than it may, else it waits until the host
 *	lets it own more (struct mon_guest_self).
 *	Other vCPUs may reach what was there before until MON_GC_SETTLED says 0.
 *	EPERM: not all of it is RAM; EBUSY: part of it is shared, or would be needed
 *	for what the VM owns elsewhere; EINVAL
 * @MON_GC_SETTLED: (): 0: no vCPU reaches any more what was there before MON_GC_RELEASE,
 *	so what is written there now is not lost. EAGAIN: call again, some CPU has not flushed yet
 * @MON_GC_DISK_OPENED: (number of a device in the VM's policy): returns how often that disk was
 *	opened to write, with this time. Whoever is told so by the guest, and gives that number
 *	with the key the next time (MON_IOC_VM_KEY), gets no image from before.
 *	ENOENT: no such disk; EAGAIN: it is not open (yet)
 */
enum mon_guest_call {
	MON_GC_PING = 0,
	MON_GC_SELF = 1,
	MON_GC_WINDOW = 2,
	MON_GC_OFFER = 3,
	MON_GC_ACCEPT = 4,
	MON_GC_END = 5,
	MON_GC_SHARE_AT = 6,
	MON_GC_SIGNAL = 7,
	MON_GC_TAKE_SIGNAL = 8,
	MON_GC_RELEASE = 9,
	MON_GC_SETTLED = 10,
	MON_GC_DISK_OPENED = 11,
	MON_GC_NR,
};

#define MON_WINDOW_PAGES_MAX (1u << 18) /* 1 GiB: the host reserves the tables for it */
#define MON_RELEASE_MAX 512u

/**
 * struct mon_name - by which a VM is known: what it was started from
 * @measurement: launch measurement: policy and firmware
 * @runtime: runtime measurement register: kernel, command line, initrd and all else that
 *	was read through fw_cfg
 */
struct mon_name {
	unsigned char measurement[32];
	unsigned char runtime[32];
};

/**
 * struct mon_guest_self - MON_GC_SELF
 * @domain: number of the VM's domain
 * @reserved: 0
 * @owned: pages it owns now
 * @limit: pages it may own
 * @name: by which others offer to it
 */
struct mon_guest_self {
	unsigned int domain;
	unsigned int reserved;
	unsigned long long owned;
	unsigned long long limit;
	struct mon_name name;
};

/* To whom an offer is. */
enum mon_share_to {
	MON_SHARE_TO_HOST = 0,
	MON_SHARE_TO_NAME = 1,	 /* the first VM with this name that accepts */
	MON_SHARE_TO_LAUNCH = 2, /* likewise, whatever its runtime register says: any kernel */
	MON_SHARE_TO_ENCLAVE = 3, /* the first enclave with this measurement (uapi/enclave.h) */
};

/**
 * struct mon_guest_offer - MON_GC_OFFER
 * @gfn, @pages: what is offered, within one range of the VM's policy
 * @perm: MON_SHARE_READ, or MON_SHARE_READ | MON_SHARE_WRITE
 * @to: enum mon_share_to
 * @tag: the other side gets it as it is
 * @name: with MON_SHARE_TO_NAME and _LAUNCH; its @measurement alone with _ENCLAVE
 */
struct mon_guest_offer {
	unsigned long long gfn;
	unsigned long long pages;
	unsigned int perm;
	unsigned int to;
	unsigned long long tag;
	struct mon_name name;
};

/**
 * struct mon_guest_share - MON_GC_SHARE_AT
 * @id: of the share
 * @state: enum mon_share_state
 * @perm: MON_SHARE_READ, MON_SHARE_WRITE: of the peer
 * @is_owner: the VM offered it; else it is, or may become, the peer
 * @other: number of the other side's domain: 0 the host, MON_DOMAIN_NONE nobody yet, from
 *	MON_DOMAIN_ENCLAVE on an enclave
 * @gfn: first page as the VM sees it; 0 where it was not accepted yet
 * @pages: length
 * @tag: given by the other side
 * @name: the other side's; zeros if it is the host, or nobody yet; of an enclave, @measurement
 */
struct mon_guest_share {
	unsigned long long id;
	unsigned int state;
	unsigned int perm;
	unsigned int is_owner;
	unsigned int other;
	unsigned long long gfn;
	unsigned long long pages;
	unsigned long long tag;
	struct mon_name name;
};

#endif /* _UAPI_GUEST_H */
