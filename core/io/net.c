// SPDX-License-Identifier: GPL-2.0-only
/*
 * A pair of queues of a network card. See net.h.
 */
#include "net.h"

/* Pages of the arena: two queues, then slots to receive into, then to send from. */
#define RX_QUEUE 0
#define TX_QUEUE 1
#define RX_SLOTS 2
#define SLOTS_PER_PAGE ((u32)PAGE_SIZE / NET_SLOT_SIZE)
#define TX_SLOTS (RX_SLOTS + NET_SLOTS / SLOTS_PER_PAGE)
#define NUM_BUFFERS_AT 10

static u32 slot_page(const struct net *net, u32 slots, u32 slot)
{
	return net->first_page + slots + slot / SLOTS_PER_PAGE;
}

static u32 slot_offset(u32 slot)
{
	return slot % SLOTS_PER_PAGE * NET_SLOT_SIZE;
}

static void *page_of(struct net *net, struct arena *arena, u32 page)
{
	void *at = arena_page(arena, page);

	if (!at)
		net->missing = page;
	return at;
}

static void post(struct net *net, struct arena *arena, struct host_queue *queue, void *page,
		 u32 slot, u32 len)
{
	bool rx = queue == &net->host_rx;
	struct host_segment segment = {
		.gpa = arena_gpa(arena, slot_page(net, rx ? RX_SLOTS : TX_SLOTS, slot)) +
		       slot_offset(slot),
		.len = len,
		.write = rx,
	};

	host_queue_post(queue, page, slot, &segment, 1);
}

enum io_result net_start(struct net *net, struct arena *arena)
{
	void *rx = page_of(net, arena, net->first_page + RX_QUEUE);
	void *tx = page_of(net, arena, net->first_page + TX_QUEUE);
	u32 slot;

	if (!rx || !tx)
		return IO_AGAIN;
	host_queue_init(&net->host_rx, rx, NET_SLOTS, 1);
	host_queue_init(&net->host_tx, tx, NET_SLOTS, 1);
	net->holds = false;
	for (slot = 0; slot < NET_SLOTS; slot++)
		post(net, arena, &net->host_rx, rx, slot, NET_HEADER + NET_FRAME_MAX);
	return IO_DONE;
}

/* ---- to the host ---- */

static bool fetch_packet(struct guest_chain *chain, struct vm *vm, u8 *to, u32 *len)
{
	*len = chain->read_bytes;
	if (*len <= NET_HEADER || *len > NET_HEADER + NET_FRAME_MAX || chain->to_write)
		return false;
	memset(to, 0, NET_HEADER);
	return guest_chain_read(chain, vm, NET_HEADER, to + NET_HEADER, *len - NET_HEADER);
}

/* send_one() - the guest has it back as soon as it is copied */
static enum io_result send_one(struct net *net, struct vm *vm, struct arena *arena, void *queue,
			       u32 slot)
{
	u8 *page = page_of(net, arena, slot_page(net, TX_SLOTS, slot));
	struct guest_chain chain;
	u32 len;

	if (!page)
		return IO_AGAIN;
	if (!guest_queue_take(&net->tx, vm, &chain))
		return IO_DONE;
	if (fetch_packet(&chain, vm, page + slot_offset(slot), &len))
		post(net, arena, &net->host_tx, queue, slot, len);
	else
		net->tx.broken = true;
	guest_queue_give(&net->tx, vm, chain.head, 0);
	return IO_MORE;
}

static enum io_result send(struct net *net, struct vm *vm, struct arena *arena, u32 budget,
			   u32 *kick)
{
	void *queue = page_of(net, arena, net->first_page + TX_QUEUE);
	enum io_result result = IO_MORE;
	u16 before = net->host_tx.given;
	u32 n, written;
	int slot;

	if (!queue)
		return IO_AGAIN;
	for (n = 0; n < NET_SLOTS; n++)
		if (host_queue_take(&net->host_tx, queue, &written) < 0)
			break;
	for (n = 0; n < budget && result == IO_MORE; n++) {
		slot = host_queue_free_slot(&net->host_tx);
		/* Without one it goes on when the host has sent something. */
		result = slot < 0 ? IO_DONE : send_one(net, vm, arena, queue, (u32)slot);
	}
	if (net->host_tx.given != before && host_queue_wants_kick(queue))
		*kick |= BIT(TX_QUEUE);
	return result;
}

/* ---- from the host ---- */

/*
 * deliver() - a packet that the host has left in a slot
 *
 * The header is the monitor's own. Too short, or too long for the guest's buffer: lost.
 */
static void deliver(struct net *net, struct vm *vm, const u8 *from, u32 len)
{
	u8 header[NET_HEADER] = { [NUM_BUFFERS_AT] = 1 };
	struct guest_chain chain;

	if (!guest_queue_take(&net->rx, vm, &chain))
		return;
	if (len <= NET_HEADER || len > chain.write_bytes) {
		net->dropped++;
		len = 0;
	} else if (chain.to_read || !guest_chain_write(&chain, vm, 0, header, NET_HEADER) ||
		   !guest_chain_write(&chain, vm, NET_HEADER, from + NET_HEADER,
				      len - NET_HEADER)) {
		net->rx.broken = true;
	}
	guest_queue_give(&net->rx, vm, chain.head, len);
}

/* Taken from the host's queue it stays until its page is there. */
static bool take_packet(struct net *net, void *queue)
{
	int slot;

	if (net->holds)
		return true;
	slot = host_queue_take(&net->host_rx, queue, &net->held_len);
	net->holds = slot >= 0;
	net->held = (u32)slot;
	return net->holds;
}

static enum io_result receive_one(struct net *net, struct vm *vm, struct arena *arena, void *queue)
{
	u8 *page;

	if (!guest_queue_waits(&net->rx, vm) || !take_packet(net, queue))
		return IO_DONE;
	page = page_of(net, arena, slot_page(net, RX_SLOTS, net->held));
	if (!page)
		return IO_AGAIN;
	net->holds = false;
	deliver(net, vm, page + slot_offset(net->held), net->held_len);
	post(net, arena, &net->host_rx, queue, net->held, NET_HEADER + NET_FRAME_MAX);
	return IO_MORE;
}

static enum io_result receive(struct net *net, struct vm *vm, struct arena *arena, u32 budget,
			      u32 *kick)
{
	void *queue = page_of(net, arena, net->first_page + RX_QUEUE);
	enum io_result result = IO_MORE;
	u16 before = net->host_rx.given;
	u32 n;

	if (!queue)
		return IO_AGAIN;
	for (n = 0; n < budget && result == IO_MORE; n++)
		result = receive_one(net, vm, arena, queue);
	if (net->host_rx.given != before && host_queue_wants_kick(queue))
		*kick |= BIT(RX_QUEUE);
	return result;
}

enum io_result net_work(struct net *net, struct vm *vm, struct arena *arena, u32 budget, u32 *kick)
{
	enum io_result sent = send(net, vm, arena, budget, kick), received;

	if (sent == IO_AGAIN)
		return sent;
	received = receive(net, vm, arena, budget, kick);
	return received == IO_DONE ? sent : received;
}

u32 net_missing(const struct net *net)
{
	return net->missing;
}

bool net_fault(const struct net *net)
{
	return net->host_rx.fault || net->host_tx.fault;
}

bool net_broken(const struct net *net)
{
	return net->rx.broken || net->tx.broken || net_fault(net);
}
