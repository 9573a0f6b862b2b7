/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A network card: pairs of queues (net.h), each of which is one of QEMU's, and if there
 * are several the queue by which the driver says how many it uses (virtio 1.2, 5.1.6.5.5).
 *
 * Of that queue's commands the monitor knows this one alone, and passes the number on. For any
 * other QEMU gets one that no card knows: it refuses it, and it is QEMU that interrupts the guest.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_CARD_H
#define _CORE_IO_CARD_H

#include "../../uapi/hypercall.h"
#include "net.h"

#define CARD_QUEUES_MAX (2 * MON_DEVICE_PAIRS_MAX + 1)
#define CARD_QUEUES(pairs) (2 * (pairs) + ((pairs) > 1)) /* rx and tx of each, then control */
#define CARD_PAGES(pairs) ((pairs) * NET_PAGES + ((pairs) > 1))

/**
 * struct card - the card
 * @nr_pairs: how many it has
 * @in_use: of how many packets are carried: those that QEMU has agreed to
 * @pair: each in a frame of its own
 * @control, @host_control: the queue for commands, the guest's and the host's
 * @waits: QEMU has a command
 * @head, @answer, @asked: by which the guest knows it, where the answer goes, for how many pairs it
 *	is; 0: it is another
 * @missing: after IO_AGAIN, the page of the arena
 */
struct card {
	u32 nr_pairs;
	u32 in_use;
	struct net *pair[MON_DEVICE_PAIRS_MAX];
	struct guest_queue control;
	struct host_queue host_control;
	bool waits;
	u16 head;
	u32 asked;
	u64 answer;
	u32 first_page;
	u32 missing;
};

/**
 * card_init() - with @nr_pairs pairs, each in a frame
 * @frame: zeros
 * @first_page: of CARD_PAGES(@nr_pairs) in the arena
 */
void card_init(struct card *card, u32 nr_pairs, void *const *frame, u32 first_page);

/** card_features() - what is offered to the guest, and asked of QEMU's, beside VERSION_1 */
u64 card_features(const struct card *card);

/** card_config_size() - bytes of its configuration (5.1.4) */
u32 card_config_size(const struct card *card);

/** card_config() - a part of it; false: it is not the monitor's, but QEMU's */
bool card_config(const struct card *card, u32 offset, u32 size, u64 *value);

/** card_queue_page() - where QEMU has its queue of this number: page of the arena */
u32 card_queue_page(const struct card *card, u32 queue);

/** card_host_start() - QEMU's was reset: all buffers to receive into are posted */
enum io_result card_host_start(struct card *card, struct arena *arena);

/** card_control() - the number of the guest's queue for commands, with these features (5.1.2) */
u32 card_control(const struct card *card, u64 accepted);

/**
 * card_start() - the guest's driver is ready, with these features
 * @queue: the guest's, CARD_QUEUES(); of size 0 if it is not enabled
 */
void card_start(struct card *card, u64 accepted, const struct guest_queue *queue);

/**
 * card_work() - what both sides have left to do; for all pairs together NET_BUDGET
 * @kick: a bit for each queue of QEMU's that has something new
 */
enum io_result card_work(struct card *card, struct vm *vm, struct arena *arena, u32 *kick);

/** card_missing() - after IO_AGAIN: which page of the arena the host has to map */
u32 card_missing(const struct card *card);

/** card_fault() - has the host broken a rule since card_host_start()? */
bool card_fault(const struct card *card);

/** card_broken() - does the device need a reset? */
bool card_broken(const struct card *card);

#endif /* _CORE_IO_CARD_H */
