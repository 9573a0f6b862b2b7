/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A pair of queues of a network card (card.h): packets are copied between the guest's buffers and
 * the arena. No offloads are offered, so what stands before a packet (virtio 1.2, 5.1.6) is always
 * the same, and none of the host's reaches the guest, nor the guest's the host.
 *
 * What the host sends may be lost, forged or seen by anybody, as on any network.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_NET_H
#define _CORE_IO_NET_H

#include "arena.h"
#include "guest_queue.h"
#include "host_queue.h"

#define NET_HEADER 12
#define NET_FRAME_MAX 1518 /* Ethernet with a VLAN's tag, without its checksum */
#define NET_SLOTS 64
#define NET_SLOT_SIZE 2048
#define NET_PAGES (2 + 2 * NET_SLOTS * NET_SLOT_SIZE / (u32)PAGE_SIZE)
#define NET_BUDGET 32 /* packets in one step and direction: 48 KiB copied */

/**
 * struct net - a pair of queues
 * @rx, @tx: the guest's
 * @host_rx, @host_tx: the host's
 * @first_page: of NET_PAGES in the arena
 * @missing: after IO_AGAIN, the page of the arena
 * @holds, @held, @held_len: a packet of the host's was taken, in this slot, whose page is missing
 * @dropped: packets that the guest had no room for, or that are too short
 */
struct net {
	struct guest_queue rx, tx;
	struct host_queue host_rx, host_tx;
	u32 first_page;
	u32 missing;
	bool holds;
	u32 held;
	u32 held_len;
	u64 dropped;
};

/** net_start() - the guest's driver is ready; all buffers to receive into are posted */
enum io_result net_start(struct net *net, struct arena *arena);

/**
 * net_work() - what both sides have left to do; after the guest's kick, and before it runs on
 *
 * A queue that is broken, on either side, stands still.
 *
 * @budget: packets in each direction
 * @kick: bit 0 is set if the host's device has to be told of buffers to receive into, bit 1 of
 *	packets
 */
enum io_result net_work(struct net *net, struct vm *vm, struct arena *arena, u32 budget, u32 *kick);

/** net_missing() - after IO_AGAIN: which page of the arena the host has to map */
u32 net_missing(const struct net *net);

/** net_fault() - has the host broken a rule since net_start()? */
bool net_fault(const struct net *net);

/** net_broken() - does the device need a reset? */
bool net_broken(const struct net *net);

#endif /* _CORE_IO_NET_H */
