/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A disk: the guest's virtio-blk requests (virtio 1.2, 5.2) on one side, a sealed disk
 * (core/disk/) in the middle, and the queue of the host's virtio-blk device on the other.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_BLK_H
#define _CORE_IO_BLK_H

#include "../disk/disk.h"
#include "arena.h"
#include "guest_queue.h"
#include "host_queue.h"

#define BLK_ENTRIES 512 /* dirty blocks: 2 MiB */
#define BLK_CACHE 64	/* frames of cache: of the tree */
/* Of the arena: a queue, headers and status, slots */
#define BLK_PAGES (2 + DISK_ARENA_SLOTS(BLK_ENTRIES))
#define BLK_CONFIG_SIZE 60 /* struct virtio_blk_config up to write zeroes */

struct blk;

/** blk_frames() - how many private frames it takes */
u32 blk_frames(void);

/**
 * blk_create() - in blk_frames() frames
 * @page: where they are
 * @arena, @first_page: BLK_PAGES of the arena
 */
struct blk *blk_create(void *const *page, struct arena *arena, u32 first_page);

/**
 * blk_features() - what is offered to the guest, beside VIRTIO_F_VERSION_1: FLUSH, BLK_SIZE,
 *	SEG_MAX, TOPOLOGY, DISCARD, WRITE_ZEROES, INDIRECT_DESC
 * blk_host_features() - what is asked of the host's device: FLUSH
 */
u64 blk_features(void);
u64 blk_host_features(void);

/** blk_open() - begin to open: the host's device is ready, its queue empty; @opened: disk_open() */
void blk_open(struct blk *blk, const u8 key[MON_DISK_KEY_SIZE], u64 opened);
/** blk_opened() - how often, with this time, of a disk that runs */
u64 blk_opened(const struct blk *blk);
/** blk_is_old() - it was not, since it was opened less often before than it had to be */
bool blk_is_old(const struct blk *blk);

/**
 * blk_host_start() - the host's device was reset: its queue is empty
 *
 * What is posted is lost, so nothing may be (blk_host_busy()). @quiet: it is not to interrupt, for
 * without a vector it would by its pin. IO_AGAIN: a page is missing.
 */
enum io_result blk_host_start(struct blk *blk, bool quiet);

/** blk_host_queue() - where the host's device has its queue: page of the arena */
u32 blk_host_queue(const struct blk *blk);

/** blk_start() - the driver is ready, with these features; @queue: its */
void blk_start(struct blk *blk, u64 accepted, const struct guest_queue *queue);

/** blk_stop() - the driver has reset the device: no request is answered, what they began goes on */
void blk_stop(struct blk *blk);

/** blk_host_busy() - is the host's device at work for it? */
bool blk_host_busy(const struct blk *blk);

/**
 * blk_work() - what there is to do, on both sides: bounded by DISK_STEP
 * @vm: the guest
 * @kick: out: the host's device has to be told that there is something in its queue
 *
 * IO_AGAIN: blk_missing() is not mapped by the host; nothing is lost.
 */
enum io_result blk_work(struct blk *blk, struct vm *vm, bool *kick);
u32 blk_missing(const struct blk *blk);

/** blk_config() - @len bytes at @offset of the configuration (5.2.4): capacity and so on */
void blk_config(const struct blk *blk, u32 offset, void *to, u32 len);

enum disk_state blk_state(const struct blk *blk);
/** blk_bad() - how many blocks did not verify */
u64 blk_bad(const struct blk *blk);

/** blk_broken() - does the guest's driver have to reset the device? */
bool blk_broken(const struct blk *blk);

#endif /* _CORE_IO_BLK_H */
