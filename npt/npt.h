/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host's address space (EPT01), the composed ones of its guests (EPT02),
 * and the private ones of protected VMs. These functions take npt_lock
 * themselves.
 */
#ifndef _NPT_NPT_H
#define _NPT_NPT_H

#include "pgtable.h"

#define MTRR_VAR_MAX 16

/*
 * What compositions and VMs leave in the pool, so that the host can always
 * donate (a donation may split leaves of EPT01) and reach its devices.
 */
#ifndef NPT_POOL_RESERVE
#define NPT_POOL_RESERVE 16
#endif

/* Retired frames wiped on the way by a call that may need frames of the pool. */
#define NPT_REAP_BUDGET 16

/**
 * struct mtrr_state - the memory type registers, as read at launch (SDM 12.11)
 * @def_type: IA32_MTRR_DEF_TYPE
 * @fixed: 64K, 16K x2, 4K x8, in address order; types of the first MiB
 * @base: IA32_MTRR_PHYSBASEn
 * @mask: IA32_MTRR_PHYSMASKn
 * @nr_var: variable ranges in use
 * @has_fixed: fixed ranges exist
 */
struct mtrr_state {
	u64 def_type;
	u64 fixed[11];
	u64 base[MTRR_VAR_MAX];
	u64 mask[MTRR_VAR_MAX];
	u32 nr_var;
	bool has_fixed;
};

/**
 * mtrr_type() - memory type of [@pa, @pa + @size) and whether it is uniform
 * @size: a power of two, @pa aligned to it
 * @type: out: type of the first byte; UC if MTRRs are off (SDM 12.11.2.1)
 *
 * True means uniform. False may also be said of a block larger than a page
 * that a variable range covers in part without changing its type.
 */
bool mtrr_type(const struct mtrr_state *mtrr, u64 pa, u64 size, u32 *type);

/**
 * struct npt_config - what host_npt_init() needs to know
 * @mtrr: memory types
 * @max_pa: first physical address the CPU cannot express
 * @max_leaf: 2, or 3 where the CPU has 1 GiB EPT pages
 */
struct npt_config {
	struct mtrr_state mtrr;
	u64 max_pa;
	u32 max_leaf;
};

/**
 * host_npt_init() - build EPT01: identity, every frame below frame_count()
 *
 * All RWX, types from the MTRRs, largest pages with one type; IPAT clear, so
 * the host's PAT keeps working. Frames already claimed (USED, FREE) stay
 * unmapped. MMIO above the table is mapped when touched. Called once, before
 * any guest is entered; also empties the cache of composed spaces.
 * NPT_EPOOL: the pool has too few frames for the tables; nothing was taken.
 */
int __must_check host_npt_init(const struct npt_config *cfg);

extern struct npt host_npt;

enum host_fault {
	HOST_FAULT_RETRY = 0,	  /* mapped now (or already): run the instruction again */
	HOST_FAULT_PROTECTED = 1, /* the frame is not the host's: read zeros, drop writes */
	HOST_FAULT_BEYOND = 2,	  /* no such physical address */
};

/**
 * host_npt_fault() - an EPT violation of the host
 *
 * MMIO is mapped lazily with the largest uniform leaf. The tables for it are
 * bounded (HOST_MMIO_TABLES): when they are used up all lazily made ones are
 * retired and it starts anew, so a host that touches every address takes only
 * its own time. If the pool is empty the answer is RETRY with nothing mapped:
 * the host faults again until an epoch or a donation brings a frame.
 */
enum host_fault host_npt_fault(u64 gpa);
#define HOST_MMIO_TABLES 64

/**
 * host_donate() - take [@pfn, @pfn + @nr) from the host; *@epoch to wait for
 *
 * Validated in full, then: TRANSIT, out of EPT01, every EPT02 dropped.
 */
int __must_check host_donate(u64 pfn, u64 nr, u64 *epoch);
#define HOST_DONATE_MAX 512

/** host_settle() - after the epoch: wiped and into the pool */
int __must_check host_settle(u64 pfn, u64 nr);

/**
 * host_take_back() - one free frame back to the host, mapped in EPT01; *@pfn
 *
 * NPT_EPOOL: none is free. NPT_EBUSY: the host touches it just now, on another
 * CPU, and is lent a junk frame for that instruction; or some CPU has not flushed
 * since one was lent, and could go on with it where the frame should be.
 */
int __must_check host_take_back(u64 *pfn);

/**
 * host_lend() - put @junk_pfn in place of a protected frame in EPT01, for one instruction
 *
 * NPT_EEXIST: another CPU is at it; run the instruction again. NPT_EPOOL.
 */
int __must_check host_lend(u64 gpa, u64 junk_pfn);

/** host_unlend() - take the leaf of host_lend() away; the caller flushes this CPU */
void host_unlend(u64 gpa);

/*
 * ---- composition: EPT02 = EPT12 o EPT01, only what the host owns ----
 *
 * A table for each EPTP12 in use, in a small cache shared by all CPUs. An
 * INVEPT of the host drops it whole: new root, old tables retired through an
 * epoch. A donation drops all.
 */
struct ept02;

/**
 * ept02_get() - find or make the composed space of an EPTP12
 * @eptp12: validated by the caller (ept02_eptp_valid())
 * @eptp02: out: value for the VMCS (root address, WB, 4 levels, no A/D)
 *
 * NULL if the pool is down to its reserve, or @eptp12 is not valid. The pointer
 * stays valid until the next ept02_get() or epoch of this CPU: ask again at
 * every VM entry.
 */
struct ept02 *ept02_get(u64 eptp12, u64 *eptp02);

/** ept02_eptp_valid() - WB, 4 levels, no A/D, no reserved bits, below max_pa (SDM 29.3.3) */
bool ept02_eptp_valid(u64 eptp12);

enum ept02_verdict {
	EPT02_RETRY,	 /* mapped: enter the guest again */
	EPT02_VIOLATION, /* the host's own tables do not allow it: reflect */
	EPT02_MISCONFIG, /* the host's own entry is malformed: reflect */
	EPT02_REFUSED,	 /* the host mapped what it does not own */
	EPT02_POOL,	 /* no frame for a table: one space was dropped, or others wait */
};

/**
 * ept02_fault() - an EPT violation or misconfiguration in EPT02
 * @eptp12: as given to ept02_get()
 * @gpa: guest-physical address of the host's guest
 * @access: EPT_READ, EPT_WRITE, EPT_EXEC: what was tried
 * @perm12: out, for VIOLATION: AND of the permissions on the EPT12 walk, 0 if
 *          not present (bits 5:3 of the exit qualification)
 *
 * Every EPT12 entry is fetched once and every table address goes through the
 * gate. Leaves: level = the smaller of EPT12's and EPT01's, permission = AND,
 * memory type and IPAT from EPT12, address unchanged (EPT01 is identity).
 * Host MMIO that EPT01 has not mapped yet is mapped on the way.
 */
enum ept02_verdict ept02_fault(u64 eptp12, u64 gpa, u64 access, u64 *perm12);

/**
 * ept12_walk() - one walk of the host's tables; what ept02_fault() uses
 * @leaf: out, when RETRY is returned: permissions (AND of the walk), memory
 *        type, IPAT and address of the leaf, nothing else, and its level
 *
 * Execute-only is taken as supported. Whether the host owns what the leaf
 * points to is not asked here. Takes no lock.
 */
enum ept02_verdict ept12_walk(u64 eptp12, u64 gpa, u64 access, struct npt_leaf *leaf, u64 *perm12);

/** ept02_invalidate() - the host executed INVEPT; 0 means all EPTP12s */
void ept02_invalidate(u64 eptp12);

/*
 * ---- private spaces of protected VMs ----
 */

/** vm_npt_create() - an empty private space */
int __must_check vm_npt_create(struct npt *npt);

/**
 * vm_npt_touch() - give @dom a wiped private frame at @gpa (4 KiB), with @perm; *@pfn
 *
 * NPT_EDOMAIN, NPT_EALIGN, NPT_ERANGE, NPT_EINVAL (@perm), NPT_EEXIST, NPT_EQUOTA (it owns
 * as many as it may), NPT_EPOOL.
 */
int __must_check vm_npt_touch(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn);

/** vm_npt_usable() - the private frame behind @gpa if @perm is allowed there, or INVALID_PFN */
u64 vm_npt_usable(struct npt *npt, u32 dom, u64 gpa, u64 perm);

/** vm_npt_lookup() - the private frame behind @gpa, or INVALID_PFN */
static inline u64 vm_npt_lookup(struct npt *npt, u32 dom, u64 gpa)
{
	return vm_npt_usable(npt, dom, gpa, 0);
}

/**
 * vm_npt_borrow() - a page of the host's at @gpa, to read and write, until the space goes
 *
 * before: HOST      after: HOST, pinned until vm_npt_teardown()
 * NPT_EDOMAIN, NPT_EALIGN, NPT_ERANGE, NPT_EEXIST, NPT_EOWNER (@pfn is not the host's), NPT_EBUSY
 * (it is pinned too often), NPT_EPOOL.
 */
int __must_check vm_npt_borrow(struct npt *npt, u64 gpa, u64 pfn);

/**
 * vm_npt_next() - the first private page of @dom's at *@gpa or behind it, below @end
 * @leaf: out: what maps it
 *
 * True: it is at *@gpa. False: there is none before *@gpa, where the search has stopped: after
 * VM_NEXT_STEPS tables and pages, or at @end.
 */
bool vm_npt_next(struct npt *npt, u32 dom, u64 *gpa, u64 end, struct npt_leaf *leaf);
#define VM_NEXT_STEPS 512

/** vm_npt_limit() - how many frames the domain may own from now on; a new space has no limit */
void vm_npt_limit(struct npt *npt, u64 limit);

/** vm_npt_refill() - the domain may own @frames more, but not more than @max: NPT_ERANGE */
int __must_check vm_npt_refill(struct npt *npt, u64 frames, u64 max);

/**
 * vm_npt_release() - @dom gives @nr pages from @gpa on back; they are retired, and its limit sinks
 *
 * before: each PRIVATE(@dom) and not shared, or not touched   after: none of them is mapped
 * NPT_EDOMAIN, NPT_EALIGN, NPT_ERANGE (more than VM_RELEASE_MAX, too), NPT_EOWNER (a page
 * of somebody else's is there), NPT_EBUSY (shared), NPT_EQUOTA (it would own more than it may).
 */
int __must_check vm_npt_release(struct npt *npt, u32 dom, u64 gpa, u64 nr);
#define VM_RELEASE_MAX 512

/**
 * vm_npt_protect() - @nr pages of @dom from @gpa on get the permission @perm
 * @epoch: out: to wait for, if what some page was is wider; else as it was
 *
 * before: each PRIVATE(@dom) and not shared, or not touched   after: as before; those that are
 * mapped are mapped with @perm, at the same frames
 * A CPU that had less may fault once, with what was: then it finds what is. NPT_EINVAL (@perm),
 * else as vm_npt_release(), but no NPT_EQUOTA.
 */
int __must_check vm_npt_protect(struct npt *npt, u32 dom, u64 gpa, u64 nr, u64 perm, u64 *epoch);

/**
 * vm_npt_teardown() - retire up to @budget frames of the VM; true when none is left
 *
 * Tables count as frames. When true, @npt has no root (INVALID_PFN), and a
 * further call says true again. Restartable; the domain has been stopped on
 * every CPU (an epoch has passed), and shares nothing any more (share_drop()). What it has borrowed
 * of the host's is pinned no longer.
 */
bool vm_npt_teardown(struct npt *npt, u32 dom, u64 budget);

#endif /* _NPT_NPT_H */
