// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/net.c core/io/guest_queue.c core/io/host_queue.c */
/* cflags: -Wno-unused-parameter */
/*
 * The network card in the middle: packets come through as they are, and nothing beside
 * them, neither of the guest's memory to the host nor of the host's header to the guest.
 */
#include "core/io/net.h"
#include "host_side.h"

#define SIZE 32
#define RX_AT 0x10000
#define TX_AT 0x20000
#define RX_BUFFERS 0x40000
#define TX_BUFFERS 0x80000
#define BUFFER 2048
#define MARK 0xa5 /* all of the guest's memory that was not sent */

static struct net net;
static u32 kick;
static struct driver rx, tx;
static struct arena *arena;

/* ---- the host's device ---- */

static struct host_side host_rx, host_tx;

/* host_next() - a buffer that was posted, or NULL */
static u8 *host_next(struct host_side *side, u16 *head, u32 *len)
{
	struct driver_desc desc;
	u8 *at = side_take(side, head, &desc, BUFFER);

	if (at)
		*len = desc.len;
	return at;
}

/* host_send() - a packet of @len bytes for the guest, with a header that means something */
static bool host_send(const u8 *packet, u32 len)
{
	u32 room;
	u16 head;
	u8 *to = host_next(&host_rx, &head, &room);

	if (!to)
		return false;
	memset(to, 0xff, NET_HEADER);
	memcpy(to + NET_HEADER, packet, len);
	side_use(&host_rx, head, NET_HEADER + len);
	return true;
}

/* ---- the guest's driver ---- */

static void guest_post(u16 i, u32 len)
{
	driver_desc(&rx, i, RX_BUFFERS + i * BUFFER, len, 2, 0);
	driver_give(&rx, i);
}

static void guest_send(u16 i, const u8 *packet, u32 len)
{
	u64 at = TX_BUFFERS + i * BUFFER;

	memset(ram + at, 0xee, NET_HEADER);
	memcpy(ram + at + NET_HEADER, packet, len);
	/* In two pieces, as Linux does */
	driver_desc(&tx, 2 * i, at, NET_HEADER, 1, 2 * i + 1);
	driver_desc(&tx, 2 * i + 1, at + NET_HEADER, len, 0, 0);
	driver_give(&tx, 2 * i);
}

static void start(void)
{
	memset(&net, 0, sizeof(net));
	memset(ram, MARK, sizeof(ram));
	memset(arena_memory, 0, sizeof(arena_memory));
	driver_start(&rx, &net.rx, RX_AT, SIZE);
	driver_start(&tx, &net.tx, TX_AT, SIZE);
	check(net_start(&net, arena) == IO_DONE);
	host_rx = (struct host_side){ arena_memory[0], 0, 0 };
	host_tx = (struct host_side){ arena_memory[1], 0, 0 };
}

static void random_packet(u8 *packet, u32 *len)
{
	*len = 1 + unit_random() % NET_FRAME_MAX;
	for (u32 i = 0; i < *len; i++)
		packet[i] = unit_random() % MARK; /* no MARK in it */
}

static void work(void)
{
	u32 n = 0;

	while (net_work(&net, NULL, arena, NET_BUDGET, &kick) == IO_MORE)
		check(n++ < 1000);
}

static void test_sending(void)
{
	u32 n, wrong = 0, leaked = 0, len, got, written;
	u8 packet[NET_FRAME_MAX], *there;
	u16 head;

	start();
	for (n = 0; n < 5000; n++) {
		random_packet(packet, &len);
		guest_send(n % (SIZE / 2), packet, len);
		work();
		wrong += driver_take(&tx, &written) != (int)(n % (SIZE / 2) * 2) || written;
		there = host_next(&host_tx, &head, &got);
		wrong += !there || got != NET_HEADER + len ||
			 memcmp(there + NET_HEADER, packet, len);
		for (u32 i = 0; there && i < NET_HEADER; i++)
			wrong += there[i] != 0;
		side_use(&host_tx, head, 0);
	}
	for (u32 i = 0; i < sizeof(arena_memory); i++)
		leaked += ((u8 *)arena_memory)[i] == MARK;
	ok(!wrong && !net_broken(&net), "5,000 packets are sent, byte for byte");
	ok(!leaked, "... and nothing else of the guest's is there");
}

static void test_receiving(void)
{
	const u8 header[NET_HEADER] = { [10] = 1 };
	u32 n, wrong = 0, len, written;
	u8 packet[NET_FRAME_MAX];

	start();
	for (n = 0; n < SIZE; n++)
		guest_post(n, BUFFER);
	for (n = 0; n < 5000; n++) {
		const u8 *to = ram + RX_BUFFERS + n % SIZE * BUFFER;

		random_packet(packet, &len);
		wrong += !host_send(packet, len);
		work();
		wrong += driver_take(&rx, &written) != (int)(n % SIZE) ||
			 written != NET_HEADER + len || memcmp(to, header, NET_HEADER) ||
			 memcmp(to + NET_HEADER, packet, len) ||
			 (n < SIZE && to[NET_HEADER + len] != MARK);
		guest_post(n % SIZE, BUFFER);
	}
	ok(!wrong && !net_broken(&net),
	   "5,000 packets are received, byte for byte, with our header");
}

static void test_flow(void)
{
	u8 packet[NET_FRAME_MAX] = { 1 };
	u32 n, written, len;
	u16 head;

	start();
	for (n = 0; host_send(packet, 100); n++)
		;
	work();
	ok(n == NET_SLOTS && driver_take(&rx, &written) < 0,
	   "without a buffer of the guest's packets wait");
	guest_post(3, BUFFER);
	work();
	ok(driver_take(&rx, &written) == 3 && written == 112 && host_send(packet, 100),
	   "... one comes with one buffer");
	guest_post(4, 50);
	work();
	ok(driver_take(&rx, &written) == 4 && !written && net.dropped == 1,
	   "a buffer that is too short: the packet is lost");
	for (n = 0; n < NET_SLOTS + 3; n++) {
		guest_send(n % (SIZE / 2), packet, 60);
		work();
	}
	for (n = 0; driver_take(&tx, &written) >= 0; n++)
		;
	ok(n == NET_SLOTS, "the host sends nothing: what has no slot waits");
	check(host_next(&host_tx, &head, &len));
	side_use(&host_tx, head, 0);
	work();
	ok(driver_take(&tx, &written) >= 0 && driver_take(&tx, &written) < 0,
	   "... and goes on with a slot");
}

/* What is no packet breaks the queue, and nothing of it is with the host. */
static void test_no_packets(void)
{
	static const u32 lens[] = { 0, 1, NET_HEADER, NET_HEADER + NET_FRAME_MAX + 1, 2 * BUFFER,
				    0x40000 };
	u32 i, k, wrong = 0, len;
	u16 head;

	for (i = 0; i <= ARRAY_SIZE(lens); i++) {
		start();
		driver_desc(&tx, 0, RX_BUFFERS, i < ARRAY_SIZE(lens) ? lens[i] : 100,
			    i < ARRAY_SIZE(lens) ? 0 : 1, 1);
		driver_desc(&tx, 1, TX_BUFFERS, 100, 2, 0); /* the last has one to write to */
		driver_give(&tx, 0);
		work();
		wrong += !net.tx.broken || host_next(&host_tx, &head, &len);
		for (k = 0; k < sizeof(arena_memory); k++)
			wrong += ((u8 *)arena_memory)[k] == MARK;
	}
	ok(!wrong, "%u things that are no packet to be sent", i);
	for (i = 0; i < 2; i++) {
		u8 packet[NET_FRAME_MAX] = { 1 };

		start();
		driver_desc(&rx, 0, i ? RX_BUFFERS : RAM - 50, i ? 0 : BUFFER, i ? 1 : 2, 1);
		driver_desc(&rx, 1, RX_BUFFERS, BUFFER, 2, 0);
		driver_give(&rx, 0);
		check(host_send(packet, 100));
		work();
		wrong += !net.rx.broken;
	}
	ok(!wrong, "nor can be received into what is no memory, or is to be read");
}

static void test_unmapped(void)
{
	u8 packet[NET_FRAME_MAX] = { 1 };
	struct net before;
	u32 page, same = 0;

	start();
	guest_send(0, packet, 60);
	for (page = 0; page < 2; page++) {
		arena_missing = page;
		before = net;
		/* The other queue may go on. */
		same += net_work(&net, NULL, arena, NET_BUDGET, &kick) == IO_AGAIN &&
			(page || !memcmp(&before, &net, sizeof(net)));
	}
	arena_missing = ~0u;
	work();
	ok(same == 1 || same == 2, "a queue that the host has not mapped: again, when it has");
	ok(host_tx.page[HOST_AVAIL_AT + 2] == 1, "... and nothing is lost or sent twice");
}

/* An honest host maps what is missing, when it is told which: all packets come through. */
static void map_until(enum io_result (*work)(void))
{
	u32 n = 0;

	while (work() == IO_AGAIN) {
		check(n++ < NET_PAGES && !arena_mapped[net_missing(&net)]);
		arena_mapped[net_missing(&net)] = true;
	}
}

static enum io_result net_starts(void)
{
	return net_start(&net, arena);
}

static enum io_result net_works(void)
{
	return net_work(&net, NULL, arena, NET_BUDGET, &kick);
}

static void test_mapped_late(void)
{
	u32 n, wrong = 0, len, written;
	u8 packet[NET_FRAME_MAX];
	u16 head;

	start();
	arena_lazy = true;
	map_until(net_starts);
	for (n = 0; n < 3 * NET_SLOTS; n++) {
		guest_post(n % SIZE, BUFFER);
		random_packet(packet, &len);
		check(host_send(packet, len));
		map_until(net_works);
		wrong += driver_take(&rx, &written) != (int)(n % SIZE) ||
			 written != NET_HEADER + len ||
			 memcmp(ram + RX_BUFFERS + n % SIZE * BUFFER + NET_HEADER, packet, len);
		guest_send(n % (SIZE / 2), packet, len);
		map_until(net_works);
		wrong += driver_take(&tx, &written) < 0 || !host_next(&host_tx, &head, &len);
		side_use(&host_tx, head, 0);
	}
	arena_lazy = false;
	ok(!wrong && !net.dropped, "pages that the host maps when it is told: no packet is lost");
}

/* The host writes at random where it can: what the guest has not posted stays. */
static void test_random_host(void)
{
	u32 n, broken = 0, touched = 0, len, i;
	u8 packet[NET_FRAME_MAX];

	start();
	for (n = 0; n < 3000; n++) {
		if (net_broken(&net)) {
			broken++;
			start();
		}
		for (i = 0; i < 4; i++)
			guest_post(i, BUFFER);
		random_packet(packet, &len);
		guest_send(n % 8, packet, len);
		host_send(packet, len);
		for (i = unit_random() % 4; i; i--)
			arena_memory[unit_random() % 3][unit_random() % PAGE_SIZE] = unit_random();
		net_work(&net, NULL, arena, NET_BUDGET, &kick);
		for (i = RX_BUFFERS + 4 * BUFFER; i < TX_BUFFERS; i++)
			touched += ram[i] != MARK;
	}
	ok(broken, "a host that writes anything anywhere breaks queues (%u times)", broken);
	ok(!touched, "... and none of the guest's memory that was not posted");
}

static void test_random_guest(void)
{
	u32 n, broken = 0;

	start();
	for (n = 0; n < 20000; n++) {
		u64 at = unit_random() % 2 ? RX_AT : TX_AT;

		if (net_broken(&net)) {
			broken++;
			start();
		}
		ram[at + unit_random() % 3 * PAGE_SIZE + unit_random() % 600] = unit_random();
		net_work(&net, NULL, arena, NET_BUDGET, &kick);
	}
	ok(broken, "so does a guest, to itself (%u times)", broken);
}

int main(void)
{
	test_sending();
	test_receiving();
	test_flow();
	test_no_packets();
	test_unmapped();
	test_mapped_late();
	test_random_host();
	test_random_guest();
	return unit_end();
}
