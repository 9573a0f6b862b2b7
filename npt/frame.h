/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The page ownership table: one word for every physical frame.
 *
 *  state     owner    who may reach it        leaves the state by
 *  -------   ------   ---------------------   ------------------------------
 *  HOST      host     host, its guests        frame_host_donate
 *  TRANSIT   monitor  nobody                  frame_transit_settle (epoch passed)
 *  FREE      monitor  monitor (wiped)         frame_get, frame_free_return
 *  USED      monitor  monitor, for @type      frame_put
 *  PRIVATE   a VM     that VM, at one gfn,    frame_put, when not shared
 *                     and at most one peer
 *
 * A frame that has left HOST is out of EPT01, and is not used by anybody
 * before every CPU has passed the epoch that the donation opened: until then
 * some CPU may still hold a translation to it.
 *
 * Lock order: npt_lock only; every function below that changes a word is
 * called with it held (and stops the monitor if it is not), except
 * frame_table_init() and frame_claim_boot(), which run before there is a peer.
 */
#ifndef _NPT_FRAME_H
#define _NPT_FRAME_H

#include "shim.h"

enum domain_id {
	DOM_HOST = 0,
	DOM_MONITOR = 1,
	DOM_FIRST_VM = 2,
	DOM_FIRST_ENCLAVE = 32,
	DOM_LIMIT = 4096,
};

enum frame_state {
	FRAME_HOST = 0,
	FRAME_TRANSIT = 1,
	FRAME_FREE = 2,
	FRAME_USED = 3,
	FRAME_PRIVATE = 4,
	FRAME_HOLE = 5, /* no RAM behind it: never donated, never passes the gate */
	FRAME_STATES,
};

enum frame_type {
	FRAME_NONE = 0,
	FRAME_IMAGE = 1, /* monitor text, data, boot tables, per-CPU areas */
	FRAME_TABLE = 2, /* a nested page table of EPT01, EPT02 or a VM */
	FRAME_VMX = 3,	 /* VMXON region, VMCS, bitmap */
	FRAME_STATE = 4, /* vCPU or domain state */
	FRAME_GUEST = 5, /* memory of a VM */
	FRAME_TYPES,
};

/* A refused request names one of these; 0 is success. */
enum npt_error {
	NPT_OK = 0,
	NPT_ERANGE = 1,	 /* frame number or length outside the table */
	NPT_EOWNER = 2,	 /* frame is not the caller's */
	NPT_ESTATE = 3,	 /* frame is in the wrong state for the verb */
	NPT_EALIGN = 4,	 /* address or size not aligned */
	NPT_EPOOL = 5,	 /* no free frame: the host has to donate more */
	NPT_EBUSY = 6,	 /* in transit, or still referred to */
	NPT_EEXIST = 7,	 /* something is mapped there already */
	NPT_ENOENT = 8,	 /* nothing is mapped there */
	NPT_EDOMAIN = 9, /* no such domain */
	NPT_EINVAL = 10, /* argument outside its enum */
	NPT_EQUOTA = 11, /* the domain has as many of these as it may have */
};

#define GFN_BITS 36
#define DOM_PEER_LIMIT 128 /* only domains below it can be shared with: 7 bits */
#ifndef NPT_MAX_CPUS
#define NPT_MAX_CPUS 256
#endif

/**
 * struct frame - one entry of the ownership table, 8 bytes
 * @state: enum frame_state
 * @type: enum frame_type, FRAME_NONE unless USED or PRIVATE
 * @owner: enum domain_id
 * @retired: TRANSIT by frame_retire(): epoch_reap() frees it, nobody else
 * @peer: PRIVATE and shared: enum domain_id of who maps it besides its owner
 * @peer_write: the peer may write
 * @shared: @peer has exactly one leaf that maps it; without, none
 * @gfn: PRIVATE: the guest frame it backs; HOST: how often it is pinned;
 *       TRANSIT: the epoch it waits for (low 36 bits), or if @retired the next
 *       frame of its batch; FREE: pfn of the next free frame. Links end with 0:
 *       frame 0 never leaves the host.
 */
struct frame {
	u64 state : 3;
	u64 type : 3;
	u64 owner : 12;
	u64 retired : 1;
	u64 peer : 7;
	u64 peer_write : 1;
	u64 shared : 1;
	u64 gfn : GFN_BITS;
};

_Static_assert(sizeof(struct frame) == 8, "one word per frame");
_Static_assert(FRAME_STATES <= 8 && FRAME_TYPES <= 8, "3 bits each");

/**
 * struct ram_range - a range of RAM as the host's firmware map has it
 * @start: first byte
 * @end: first byte behind it
 */
struct ram_range {
	u64 start;
	u64 end;
};

/**
 * frame_table_init() - make every frame inside a RAM range HOST, others HOLE
 * @table: zeroed array of @nr_frames entries
 * @nr_frames: frames covered, from frame 0
 * @ram: ranges, sorted, page aligned
 * @nr_ram: their number
 * @nr_cpus: CPUs that take part in epochs
 */
void frame_table_init(struct frame *table, u64 nr_frames, const struct ram_range *ram, u32 nr_ram,
		      u32 nr_cpus);

/** frame_count() - frames covered by the table */
u64 frame_count(void);

/** frame_get_info() - copy of one entry; HOLE for a frame outside the table (no lock needed) */
struct frame frame_get_info(u64 pfn);

/** frame_state_count() - exact number of frames in a state (kept as a counter) */
u64 frame_state_count(enum frame_state state);

/** frame_type_count() - exact number of USED or PRIVATE frames of a type */
u64 frame_type_count(enum frame_type type);

/**
 * host_owns() - THE GATE: may the host use these bytes of RAM?
 * @pa: physical address that came from outside
 * @len: bytes, at least 1
 *
 * True if every frame touched is HOST. What it says stays true until this CPU
 * passes its next epoch (epoch_pass()), since a donation is not complete
 * before that. Takes no lock; bounded to HOST_OWNS_MAX frames.
 */
bool host_owns(u64 pa, u64 len);
#define HOST_OWNS_MAX 1024

/**
 * host_ptr() - the gate, and the monitor's address of the bytes
 *
 * Returns NULL unless host_owns(). The host can change what is behind it at
 * any time: fetch once.
 */
void *host_ptr(u64 pa, u64 len);

/**
 * frame_claim_boot() - HOST to USED at initialization, before any epoch
 * @pfn: first frame
 * @nr: frames
 * @type: what they are
 *
 * before: HOST      after: USED(@type), owner monitor
 */
int __must_check frame_claim_boot(u64 pfn, u64 nr, enum frame_type type);

/**
 * frame_host_check() - would frame_host_donate() take [@pfn, @pfn + @nr)?
 *
 * NPT_ERANGE, NPT_EOWNER (not the host's), NPT_ESTATE (a hole), NPT_EBUSY
 * (pinned), in this order, for the first frame that is not fit.
 */
int __must_check frame_host_check(u64 pfn, u64 nr);

/**
 * frame_pin() - something of the monitor's names this HOST frame: no donation
 *
 * before: HOST      after: HOST, pinned once more; frame_host_donate() refuses
 * it with NPT_EBUSY until as many frame_unpin(). The host's use is not narrowed.
 */
int __must_check frame_pin(u64 pfn);

/** frame_unpin() - undo one frame_pin() */
void frame_unpin(u64 pfn);

/**
 * frame_share() - a peer is about to map a private page
 * @pfn: PRIVATE
 * @peer: below DOM_PEER_LIMIT, not its owner and not the monitor
 * @write: the peer's leaf has EPT_WRITE
 *
 * before: PRIVATE, not shared      after: PRIVATE, shared with @peer
 * NPT_ESTATE (not PRIVATE), NPT_EDOMAIN (@peer), NPT_EBUSY (shared already).
 */
int __must_check frame_share(u64 pfn, u32 peer, bool write);

/**
 * frame_unshare() - the peer's leaf is gone
 *
 * before: PRIVATE, shared      after: PRIVATE, not shared. A CPU of the peer's
 * may have a translation yet: the frame changes hands by frame_retire() only.
 */
void frame_unshare(u64 pfn);

/**
 * frame_host_donate() - the host gives frames to the pool
 *
 * before: all HOST   after: all TRANSIT, waiting for *@epoch, unmapped from EPT01
 * All or nothing. The caller (npt.c) has taken them out of EPT01 before it
 * drops the lock, and drops every EPT02.
 */
int __must_check frame_host_donate(u64 pfn, u64 nr, u64 *epoch);

/**
 * frame_transit_settle() - every CPU has passed the epoch: wipe, into the pool
 *
 * before: TRANSIT   after: FREE
 * NPT_EBUSY while a CPU has not passed. All or nothing.
 */
int __must_check frame_transit_settle(u64 pfn, u64 nr);

/**
 * frame_free_return() - give a free frame back to the host
 *
 * before: FREE   after: HOST (wiped). The caller maps it in EPT01.
 */
int __must_check frame_free_return(u64 *pfn);

/** frame_free_first() - the frame that leaves the pool next, or INVALID_PFN */
u64 frame_free_first(void);

/**
 * frame_get() - take a wiped frame from the pool for the monitor itself
 *
 * before: FREE   after: USED(@type). Returns INVALID_PFN if the pool is empty.
 */
u64 frame_get(enum frame_type type);

/**
 * frame_get_private() - take a wiped frame from the pool for a VM's page
 *
 * before: FREE   after: PRIVATE(@dom, @gfn)
 */
u64 frame_get_private(u32 dom, u64 gfn);

/**
 * frame_put() - wipe a USED or PRIVATE frame and put it back into the pool
 *
 * before: USED, or PRIVATE and not shared   after: FREE. The caller knows that no CPU can
 * still reach it (its tables were never entered, or an epoch has passed); else
 * it calls frame_retire().
 */
void frame_put(u64 pfn);

/**
 * frame_retire() - as frame_put(), but a CPU may still hold a translation
 *
 * before: USED, or PRIVATE and not shared   after: TRANSIT for a new epoch; wiped and FREE
 * once epoch_reap() finds the epoch passed. Never fails.
 */
void frame_retire(u64 pfn);

/**
 * frames_wipe() - the machine ends: zeros in all that domains had, or may have had
 *
 * before: no other CPU does anything any more, and this one is not in VMX operation
 * after: PRIVATE, TRANSIT, and USED for state or by VMX: zeros; the words as they were.
 * FREE is wiped already. Takes no lock, for its holder may have been stopped.
 */
void frames_wipe(void);

/**
 * epoch_reap() - wipe and free up to @budget retired frames whose epoch passed
 */
void epoch_reap(u32 budget);

/** frames_retired() - do any wait for epoch_reap() yet, with what was in them? */
bool frames_retired(void);

/**
 * epoch_now() - the epoch that a removal done now has to wait for
 *
 * Opens it: every CPU flushes at its next epoch_pass(). Ask once for each
 * removal, after it, and keep the answer. Takes no lock.
 */
u64 epoch_now(void);

/**
 * epoch_pass() - this CPU enters the monitor: it holds no stale translation
 * @cpu: index below nr_cpus
 *
 * Flushes this CPU if an epoch was opened since its last pass. Takes no lock.
 */
void epoch_pass(u32 cpu);

/**
 * epoch_park() - this CPU leaves the guests behind (offline, waiting for SIPI)
 * @cpu: index below nr_cpus
 *
 * Flushes. Nobody waits for the CPU until its next epoch_pass(), before which
 * it enters no guest and keeps no answer of host_owns(). Takes no lock.
 */
void epoch_park(u32 cpu);

/** epoch_latest() - the epoch opened last, 0 if none was */
u64 epoch_latest(void);

/** epoch_passed_by() - has this CPU passed @epoch? */
bool epoch_passed_by(u32 cpu, u64 epoch);

/** epoch_passed() - have all CPUs passed @epoch? */
bool epoch_passed(u64 epoch);

extern struct spinlock npt_lock;

#endif /* _NPT_FRAME_H */
