/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sealed disk (uapi/disk.h): between a guest's requests and a block device of the host's.
 *
 * Who uses it holds one lock for each disk around every call. It submits requests of the
 * guest, calls disk_step() as long as that says DISK_MORE, hands what disk_host_next() gives
 * to the host, reports completions by disk_host_done(), and takes what is finished by
 * disk_reap(). The host may complete in any order, or never, and lie: what it says and what
 * is in the arena is believed only if it verifies.
 *
 *  state     to        by
 *  -------   -------   -------------------------------------------------------
 *  OPENING   RUNNING   the superblock found, what a crash left settled
 *  RUNNING   CLOSING   disk_close(): what is dirty is written
 *  CLOSING   CLOSED    the superblock says so
 *  any       STOPPED   the host failed or lied: disk_why(); all requests fail
 */
#ifndef _CORE_DISK_H
#define _CORE_DISK_H

#include "../../npt/shim.h"
#include "../../uapi/disk.h"

#define DISK_SECTOR 512
#define DISK_REQS 64	/* of a guest at a time */
#define DISK_RUN 256	/* blocks of a host's request */
#define DISK_PIECES 4	/* of a host's request: slots that follow each other */
#define DISK_READS 8	/* reads of data at the host at a time */
#define DISK_READ_SLOTS 480 /* of all of these together */
#define DISK_METAS 16	/* reads and writes of leaves, nodes, roots, superblocks */
#define DISK_WRITES 8	/* writes of data */
#define DISK_STEP 65536 /* bytes to encrypt, decrypt or verify in a step, about */
#define DISK_ENTRIES_MAX MON_DISK_RECORDS_MAX

/* What else the arena has, beside a slot of 4 KiB for each dirty block. */
#define DISK_ARENA_SLOTS(entries) ((entries) + DISK_READ_SLOTS + DISK_METAS)

enum disk_state { DISK_OPENING, DISK_RUNNING, DISK_CLOSING, DISK_CLOSED, DISK_STOPPED };

enum disk_why {
	DISK_WHY_NONE,
	DISK_WHY_COMPLETION, /* of what the host was not asked for, or twice */
	DISK_WHY_LENGTH,     /* of another length */
	DISK_WHY_READ,	     /* of what the disk cannot go on without */
	DISK_WHY_WRITE,
	DISK_WHY_FLUSH,
	DISK_WHY_SUPER,	      /* none verifies, or none that does is whole */
	DISK_WHY_VERSION,     /* a superblock that verifies says what this code does not know */
	DISK_WHY_ROLLED_BACK, /* opened less often than the owner knows of */
	DISK_WHY_TREE,	      /* a leaf, node or root to be changed does not verify */
};

enum disk_op { DISK_READ, DISK_WRITE, DISK_FLUSH, DISK_DISCARD, DISK_ZERO };

/**
 * struct disk_req - a request of a guest
 * @op: enum disk_op
 * @sector, @sectors: where, for all but DISK_FLUSH
 * @failed: when it is finished: it was not done, or not wholly
 * @done, @waits, @run, @at, @first, @end, @need: the engine's
 */
struct disk_req {
	u8 op;
	bool failed;
	bool done;
	bool waits;
	u8 run;
	u32 sectors;
	u64 sector;
	u64 at;
	u64 first;
	u64 end;
	u64 need;
};

enum disk_host_op { DISK_HOST_READ, DISK_HOST_WRITE, DISK_HOST_FLUSH };

/**
 * struct disk_io - what the host is asked for
 * @op: enum disk_host_op
 * @id: for disk_host_done()
 * @count: blocks of 4 KiB
 * @block: of the image, the first
 * @slot: of the arena, one for each block: DISK_PIECES at most, each of slots in a row
 */
struct disk_io {
	u8 op;
	u8 id;
	u16 count;
	u64 block;
	u16 slot[DISK_RUN];
};

/**
 * struct disk_stats - what was counted since disk_open()
 * @sealed: blocks of data and others
 * @commits: to the superblock
 * @bad: blocks of data that did not verify
 * @lost: blocks that recovery marked as lost
 */
struct disk_stats {
	u64 sealed;
	u64 commits;
	u64 bad;
	u64 lost;
};

struct disk;

/**
 * disk_create() - a disk in @nr private frames
 * @page: where they are
 * @entries: how many dirty blocks it holds, 1 to DISK_ENTRIES_MAX
 *
 * Return: NULL: too few frames. What the disk itself does not need is cache: eight at least.
 */
struct disk *disk_create(void *const *page, u32 nr, u32 entries);

/** disk_frames() - how many frames for so many dirty blocks and frames of cache */
u32 disk_frames(u32 entries, u32 cache);

/**
 * disk_open() - begin to open
 * @opened: refuse a disk that was opened less often than this
 * @write_back: the guest has negotiated VIRTIO_BLK_F_FLUSH; else each write ends with a commit
 */
void disk_open(struct disk *disk, const u8 key[MON_DISK_KEY_SIZE], u64 opened, bool write_back);

/** disk_write_back() - as disk_open() says; of what is finished from now on */
void disk_write_back(struct disk *disk, bool write_back);

/** disk_close() - begin to close; requests that are not finished are */
void disk_close(struct disk *disk);

/** disk_idle() - nothing else to do: write what is dirty */
void disk_idle(struct disk *disk);

/** disk_submit() - false: it is not one, or there are DISK_REQS, or the disk is not RUNNING */
bool disk_submit(struct disk *disk, struct disk_req *req);

/** disk_reap() - a request that is finished, or NULL */
struct disk_req *disk_reap(struct disk *disk);

enum disk_more { DISK_IDLE, DISK_MORE, DISK_AGAIN };

/**
 * disk_step() - do what can be done
 * @budget: bytes to encrypt, decrypt or verify, exceeded by three blocks at most
 *
 * Return: DISK_IDLE: until a request or a completion. DISK_AGAIN: at the first slot that is not
 * there; what needs it is as it was, and all goes on when it is there.
 */
enum disk_more disk_step(struct disk *disk, s64 budget);

/** disk_missing() - after DISK_AGAIN: the slot */
u32 disk_missing(const struct disk *disk);

/** disk_host_next() - the next request for the host; false: none now */
bool disk_host_next(struct disk *disk, struct disk_io *io);

/**
 * disk_host_done() - the host says that it has done, or has failed
 * @bytes: that it says it has written to the arena
 */
void disk_host_done(struct disk *disk, u32 id, bool ok, u64 bytes);

enum disk_state disk_state(const struct disk *disk);
enum disk_why disk_why(const struct disk *disk);
const struct mon_disk_super *disk_super(const struct disk *disk);
const struct disk_stats *disk_stats(const struct disk *disk);

/** disk_image_blocks() - how large the host's device must be for a disk of so many blocks */
u64 disk_image_blocks(u64 blocks);

/* ---- what the user of this defines ---- */

/** disk_own() - remember for whoever uses it what it is of; disk_owner() says it again */
void disk_own(struct disk *disk, void *owner);
void *disk_owner(const struct disk *disk);

/**
 * disk_slot() - where a slot of the arena is; its contents change at any time
 *
 * Return: NULL: the host has taken it away. Else it stays until disk_step() returns.
 */
void *disk_slot(struct disk *disk, u32 slot);

/* disk_from_guest(), disk_to_guest() - @len bytes at @at of the request's data; false: no such */
bool disk_from_guest(struct disk_req *req, u64 at, void *to, u32 len);
bool disk_to_guest(struct disk_req *req, u64 at, const void *from, u32 len);

#endif /* _CORE_DISK_H */
