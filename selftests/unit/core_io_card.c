// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/card.c core/io/net.c core/io/guest_queue.c core/io/host_queue.c */
/* cflags: -Wno-unused-parameter -Wno-unused-function */
/*
 * A network card of several pairs: what the driver says of them comes to QEMU, and nothing else;
 * each pair's packets stay in it.
 */
#define ARENA_PAGES 600
#include "core/io/card.h"
#include "host_side.h"

#define SIZE 8
#define QUEUE_AT(n) (0x1000 + (n) * 0x3000)
#define BUFFER 2048u
#define BUFFERS_AT 0x40000
#define BUFFER_AT(queue, i) (BUFFERS_AT + ((queue) * SIZE + (i)) * BUFFER)
#define COMMAND_BUFFER 0x90000
#define F_CONTROL BIT(17)
#define F_PAIRS BIT(22)
#define MARK 0xa5

static struct card card;
static struct net net[MON_DEVICE_PAIRS_MAX];
static struct driver driver[CARD_QUEUES_MAX];
static struct host_side side[CARD_QUEUES_MAX];
static u32 pairs, kicked;

/* ---- QEMU ---- */

/* host_next() - what was posted: its first descriptor; NULL: nothing */
static u8 *host_next(u32 queue, u16 *head, struct driver_desc *desc)
{
	bool any = *side_word(&side[queue], HOST_AVAIL_AT + 2) != side[queue].taken;
	u8 *at = side_take(&side[queue], head, desc, BUFFER);

	check(at || !any); /* it is one of the arena's */
	return at;
}

static void host_use(u32 queue, u16 head, u32 written)
{
	side_use(&side[queue], head, written);
}

/* host_command() - what QEMU is told, 4 bytes; it answers @answer in @written bytes */
static u32 host_command(u8 answer, u32 written)
{
	struct driver_desc desc, last;
	u32 command;
	u16 head;
	u8 *at = host_next(2 * pairs, &head, &desc), *to;

	if (!at)
		return 0;
	check(desc.len == sizeof(command) && desc.flags == 1 && desc.next == head + 1);
	to = side_desc(&side[2 * pairs], desc.next, &last, BUFFER);
	check(to && last.len == 1 && last.flags == 2);
	memcpy(&command, at, sizeof(command));
	*to = answer;
	host_use(2 * pairs, head, written);
	return command;
}

/* ---- the guest ---- */

static void work(void)
{
	kicked = 0;
	while (card_work(&card, NULL, NULL, &kicked) == IO_MORE)
		;
}

static void start_as(u32 nr, u64 accepted)
{
	void *frame[MON_DEVICE_PAIRS_MAX];
	struct guest_queue queue[CARD_QUEUES_MAX] = { 0 };
	u32 i, used = accepted & F_PAIRS ? CARD_QUEUES(nr) : nr > 1 ? 3 : 2;

	memset(&card, 0, sizeof(card));
	memset(net, 0, sizeof(net));
	memset(ram, MARK, sizeof(ram));
	memset(arena_memory, 0, sizeof(arena_memory));
	for (i = 0; i < nr; i++)
		frame[i] = &net[i];
	pairs = nr;
	card_init(&card, nr, frame, 0);
	for (i = 0; i < CARD_QUEUES(nr); i++)
		side[i] = (struct host_side){ arena_memory[card_queue_page(&card, i)], 0, 0 };
	check(card_host_start(&card, NULL) == IO_DONE);
	for (i = 0; i < used; i++)
		driver_start(&driver[i], &queue[i], QUEUE_AT(i), SIZE);
	card_start(&card, accepted, queue);
}

static void start(u32 nr)
{
	start_as(nr, F_CONTROL | F_PAIRS);
}

/* guest_command() - in three pieces, as Linux does; @queue: the driver's number of it */
static void guest_command_at(u32 queue, const void *command, u32 len)
{
	struct driver *d = &driver[queue];

	memcpy(ram + COMMAND_BUFFER, command, len);
	ram[COMMAND_BUFFER + 64] = MARK;
	driver_desc(d, 0, COMMAND_BUFFER, 2, 1, 1);
	driver_desc(d, 1, COMMAND_BUFFER + 2, len - 2, 1, 2);
	driver_desc(d, 2, COMMAND_BUFFER + 64, 1, 2, 0);
	driver_give(d, 0);
	work();
}

static void guest_set_pairs(u16 n)
{
	const u8 command[4] = { 4, 0, n & 0xff, n >> 8 };

	guest_command_at(2 * pairs, command, sizeof(command));
}

/* The answer that the driver has; -1: none */
static int answer_at(u32 queue)
{
	u32 written;

	work();
	if (driver_take(&driver[queue], &written) != 0 || written != 1)
		return -1;
	return ram[COMMAND_BUFFER + 64];
}

static bool use_pairs(u16 n)
{
	guest_set_pairs(n);
	return host_command(0, 1) == (4u | (u32)n << 16) && answer_at(2 * pairs) == 0;
}

/* A packet from the guest to the host and one back, by one pair: do they come by the same one? */
static bool carries(u32 pair)
{
	u32 rx = 2 * pair, tx = rx + 1, written, i, others = 0;
	struct driver_desc desc;
	u8 packet[100], *at;
	u16 head;

	memset(packet, 1 + (int)pair, sizeof(packet));
	memcpy(ram + BUFFER_AT(tx, 0) + NET_HEADER, packet, sizeof(packet));
	driver_desc(&driver[tx], 0, BUFFER_AT(tx, 0), NET_HEADER + sizeof(packet), 0, 0);
	driver_give(&driver[tx], 0);
	driver_desc(&driver[rx], 0, BUFFER_AT(rx, 0), BUFFER, 2, 0);
	driver_give(&driver[rx], 0);
	at = host_next(rx, &head, &desc);
	if (!at)
		return false;
	memcpy(at + NET_HEADER, packet, sizeof(packet));
	host_use(rx, head, NET_HEADER + sizeof(packet));
	work();
	if (driver_take(&driver[rx], &written) || written != NET_HEADER + sizeof(packet) ||
	    memcmp(ram + BUFFER_AT(rx, 0) + NET_HEADER, packet, sizeof(packet)))
		return false;
	for (i = 1; i < 2 * pairs; i += 2)
		if (i != tx && host_next(i, &head, &desc))
			others++;
	at = host_next(tx, &head, &desc);
	if (others || !at || driver_take(&driver[tx], &written) ||
	    memcmp(at + NET_HEADER, packet, sizeof(packet)))
		return false;
	host_use(tx, head, 0);
	return kicked == (BIT(rx) | BIT(tx));
}

/* ---- tests ---- */

static void test_pairs(void)
{
	u32 nr, pair, n, wrong = 0;

	for (nr = 2; nr <= MON_DEVICE_PAIRS_MAX; nr++) {
		start(nr);
		wrong += !carries(0) || carries(1);
		start(nr);
		wrong += !use_pairs(nr);
		for (n = 0; n < 300; n++) {
			pair = unit_random() % nr;
			wrong += !carries(pair);
		}
	}
	ok(!wrong, "2 to 8 pairs: one at first, then each has its own packets and no other's");
	start(1);
	ok(carries(0) && card_features(&card) == (BIT(5) | BIT(16)), "a card of one has no others");
	start(4);
	check(use_pairs(4) && use_pairs(2));
	ok(carries(1) && !carries(2), "fewer again");
}

static u32 packets_given(void)
{
	u32 i, n = 0;

	for (i = 0; i < pairs; i++)
		n += net[i].tx.given + net[i].rx.given;
	return n;
}

/* How long the host's interrupts wait does not depend on how many pairs there are. */
static void test_bounded(void)
{
	u32 i, before, most = 0;
	struct driver_desc desc;
	enum io_result result;
	u16 head;

	start(8);
	check(use_pairs(8));
	for (i = 0; i < 8 * SIZE; i++) {
		u32 rx = i / SIZE * 2, tx = rx + 1;

		driver_desc(&driver[rx], i % SIZE, BUFFER_AT(rx, i % SIZE), BUFFER, 2, 0);
		driver_give(&driver[rx], i % SIZE);
		check(host_next(rx, &head, &desc));
		host_use(rx, head, 100);
		driver_desc(&driver[tx], i % SIZE, BUFFER_AT(tx, i % SIZE), 100, 0, 0);
		driver_give(&driver[tx], i % SIZE);
	}
	do {
		before = packets_given();
		result = card_work(&card, NULL, NULL, &kicked);
		if (packets_given() - before > most)
			most = packets_given() - before;
	} while (result == IO_MORE);
	ok(most <= 2 * NET_BUDGET && packets_given() == 16 * SIZE,
	   "eight pairs: no more packets at once than one has (%u), and none is left", most);
}

static void test_config(void)
{
	u64 value = 0xffff;

	start(5);
	ok(card_config_size(&card) == 10 && card_config(&card, 8, 2, &value) && value == 5,
	   "the driver reads how many there are");
	value = 0xff;
	ok(card_config(&card, 9, 1, &value) && !value, "... also by bytes");
	ok(!card_config(&card, 4, 4, &value) && !card_config(&card, 0, 1, &value),
	   "address and status are QEMU's");
	value = 0xffffffff;
	ok(card_config(&card, 6, 4, &value) && value == 0xffffffff &&
	   card_config(&card, 0, 8, &value), "... but not across, nor all at once");
}

static void test_commands(void)
{
	static const u8 others[][6] = { { 0, 0, 1 }, { 1, 1, 2, 3, 4, 5 }, { 4, 1, 2, 0 },
					{ 4, 0, 0, 0 }, { 4, 0, 5, 0 }, { 4, 0, 2, 1 },
					{ 4, 0, 2, 0, 0 }, { 4, 0, 2 }, { 5, 0, 0, 0 } };
	static const u8 lens[] = { 3, 6, 4, 4, 4, 4, 5, 3, 4 };
	u32 i, told, wrong = 0;

	start(4);
	for (i = 0; i < ARRAY_SIZE(others); i++) {
		guest_command_at(8, others[i], lens[i]);
		wrong += kicked != BIT(8);
		told = host_command(0, 1);
		wrong += told != 0xff || answer_at(8) != 1 || card.in_use != 1;
	}
	ok(!wrong, "%u others: QEMU gets one that nobody knows, the driver is refused", i);
	guest_set_pairs(3);
	ok(host_command(1, 1) && answer_at(8) == 1 && card.in_use == 1,
	   "what QEMU refuses is refused");
	guest_set_pairs(3);
	ok(host_command(0, 0) && answer_at(8) == 1 && card.in_use == 1,
	   "... as is what it says nothing of");
	guest_set_pairs(3);
	ok(host_command(77, 1) && answer_at(8) == 1, "the host's byte does not reach the driver");
	guest_set_pairs(2);
	ok(answer_at(8) == -1 && !card_broken(&card), "QEMU does not answer: the driver waits");
	guest_set_pairs(3);
	ok(host_command(0, 1) == (4 | 2 << 16) && answer_at(8) == 0 && card.in_use == 2,
	   "... and the next one waits behind that");
	work();
	ok(host_command(0, 1) == (4 | 3 << 16) && answer_at(8) == 0 && card.in_use == 3,
	   "... until its turn");
}

static void test_old_drivers(void)
{
	start_as(4, 0);
	ok(carries(0) && !card_broken(&card), "a driver that knows one pair has one");
	start_as(4, F_CONTROL);
	guest_command_at(2, (const u8[]){ 1, 0, 1 }, 3);
	ok(host_command(0, 1) == 0xff && answer_at(2) == 1,
	   "one with the queue for commands has it where it is then");
	ok(carries(0), "... and one pair");
}

/* A device that looks at its queues anyway says so (2.7.10). */
static void test_not_told(void)
{
	start(2);
	check(use_pairs(2));
	side[3].page[HOST_USED_AT] = 1;
	ok(!carries(1) && kicked == BIT(2), "QEMU is not told when it does not want to be");
	side[3].page[HOST_USED_AT] = 0xfe;
	ok(carries(1), "... until it does");
}

static void test_broken_guest(void)
{
	start(2);
	driver_desc(&driver[4], 0, COMMAND_BUFFER, 4, 0, 0);
	driver_give(&driver[4], 0);
	work();
	ok(card_broken(&card) && !host_command(0, 1), "nowhere to answer to: it needs a reset");
	start(2);
	driver_desc(&driver[4], 0, RAM - 2, 4, 1, 1);
	driver_desc(&driver[4], 1, COMMAND_BUFFER, 1, 2, 0);
	driver_give(&driver[4], 0);
	work();
	ok(card_broken(&card) && !host_command(0, 1), "a command that is not in memory, likewise");
	start(2);
	driver_desc(&driver[4], 0, COMMAND_BUFFER, 4, 1, 1);
	driver_desc(&driver[4], 1, RAM + 64, 1, 2, 0);
	driver_give(&driver[4], 0);
	work();
	check(host_command(0, 1));
	work();
	ok(card_broken(&card), "... or whose answer is not");
}

static void test_lies(void)
{
	start(2);
	guest_set_pairs(2);
	host_use(4, 1, 1);
	ok(answer_at(4) == -1 && card_fault(&card) && card_broken(&card),
	   "QEMU uses what is no command: a fault");
	start(2);
	guest_set_pairs(2);
	host_use(4, 0, 2);
	ok(answer_at(4) == -1 && card_fault(&card), "... or writes more than the answer");
	start(2);
	guest_set_pairs(2);
	host_use(4, 0, 1);
	host_use(4, 0, 1);
	ok(answer_at(4) == -1 && card_fault(&card), "... or answers twice");
}

/* None is mapped at first: each is told of, once, and nothing is lost. */
static void test_mapped_late(void)
{
	u32 n = 0, result;

	start(3);
	arena_lazy = true;
	memset(arena_mapped, 0, sizeof(arena_mapped));
	while (card_host_start(&card, NULL) == IO_AGAIN) {
		check(n++ < CARD_PAGES(3) && !arena_mapped[card_missing(&card)]);
		arena_mapped[card_missing(&card)] = true;
	}
	ok(n == 7, "the queues' seven pages, to begin with");
	arena_mapped[card_queue_page(&card, 6)] = false;
	memcpy(ram + COMMAND_BUFFER, (const u8[]){ 4, 0, 3, 0 }, 4);
	driver_desc(&driver[6], 0, COMMAND_BUFFER, 4, 1, 1);
	driver_desc(&driver[6], 1, COMMAND_BUFFER + 64, 1, 2, 0);
	driver_give(&driver[6], 0);
	result = card_work(&card, NULL, NULL, &kicked);
	ok(result == IO_AGAIN && card_missing(&card) == card_queue_page(&card, 6),
	   "a command whose page is not there any more waits");
	arena_lazy = false;
	work();
	ok(host_command(0, 1) == (4 | 3 << 16) && answer_at(6) == 0, "... and is not lost");
	guest_set_pairs(2);
	arena_missing = card_queue_page(&card, 6);
	check(card_host_start(&card, NULL) == IO_AGAIN);
	guest_set_pairs(1);
	arena_missing = ~0u;
	work();
	ok(answer_at(6) == -1 && !card_broken(&card),
	   "a reset that waits for a page: the command before it is still QEMU's");
}

/* The host writes anything to the page with the commands' queue. */
static void test_random_host(void)
{
	u32 n, i, faults = 0, touched = 0;
	u8 *page;

	start(2);
	for (n = 0; n < 20000; n++) {
		if (card_broken(&card)) {
			faults++;
			start(2);
		}
		page = side[4].page;
		if (!card.waits)
			guest_set_pairs(1 + unit_random() % 2);
		for (i = unit_random() % 4; i; i--)
			page[HOST_USED_AT + unit_random() % 16] = unit_random();
		work();
		check(card.in_use && card.in_use <= 2);
	}
	for (i = COMMAND_BUFFER + 65; i < RAM; i++)
		touched += ram[i] != MARK;
	ok(faults && !touched, "a host that writes anything breaks the card (%u times), no more",
	   faults);
}

int main(void)
{
	test_pairs();
	test_bounded();
	test_config();
	test_commands();
	test_old_drivers();
	test_not_told();
	test_broken_guest();
	test_lies();
	test_mapped_late();
	test_random_host();
	return unit_end();
}
