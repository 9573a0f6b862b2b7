// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/device.c core/io/device_state.c core/io/pci.c core/io/virtio.c */
/* needs: core/io/card.c core/io/net.c */
/* needs: core/io/mmio.c core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c core/sha256.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/*
 * A mediated device and those that do not keep to the rules: CPUs that come in each other's way or
 * are reset, a host that answers anything or never, a guest that does anything.
 */
#include "device_sim.h"

/* ---- two CPUs ---- */

static void test_two_cpus(void)
{
	struct device_access read = { .region = DEVICE_BAR, .size = 1, .offset = 0x14 };
	struct device_access entry = { .region = DEVICE_ENTRY };
	enum device_result result;
	bool answered = false;
	u32 answer = 0, n = 0;

	sim_format();
	vm_probed();
	check(negotiate(disk, blk_features() | BIT(32)));
	cpu_access[1] = (struct device_access){ .region = DEVICE_BAR, .write = true, .size = 1,
						.offset = 0x14, .value = 0 };
	do {
		result = step(disk, 1, &answered, &answer);
		if (result == DEVICE_DONE)
			break;
		n += go(disk, read) == DEVICE_BUSY && go(disk, entry) == DEVICE_DONE;
	} while (n < 1000);
	ok(n && n < 1000 && go(disk, read) == DEVICE_DONE && !cpu_access[0].value,
	   "while one resets it the other tries again, and is entered");
}

/* A CPU is reset amid its access, by another one: that is not the end of the device. */
static void test_given_up(void)
{
	bool answered;
	u32 answer, n, i, wrong = 0;

	sim_format();
	vm_probed();
	for (n = 0; n < 60; n++) {
		check(negotiate(disk, blk_features() | BIT(32)));
		cpu_access[1] = access_of(DEVICE_BAR, true, 1, 0x14, n % 2 ? 0 : 15);
		answered = false;
		for (i = 0; i <= n / 2; i++)
			if (step(disk, 1, &answered, &answer) == DEVICE_DONE)
				break;
		device_give_up(disk, &cpu_access[1]);
		wrong += go(disk, access_of(DEVICE_BAR, false, 1, 0x14, 0)) != DEVICE_DONE;
		if (i <= n / 2)
			continue; /* it was done before */
		wrong += !(cpu_access[0].value & VIRTIO_NEEDS_RESET) ||
			 (cpu_access[0].value & VIRTIO_FEATURES_OK) || device_wants_entry(disk);
	}
	check(negotiate(disk, blk_features() | BIT(32)));
	drive_disk();
	ok(!wrong && disk_do(T_OUT, 0, BLOCK) == S_OK && !functions[1].bad,
	   "a CPU that gives up its access: the device needs a reset, and has it");
	guest_give(0, T_FLUSH, 0, 0, 1);
	memset(arena_mapped, true, sizeof(arena_mapped));
	cpu_access[1] = access_of(DEVICE_BAR, true, 2, PCI_NOTIFY, 0);
	check(device_go(disk, &vm, &cpu_access[1], false, 0, &cpu_ask[1]) == DEVICE_ASK);
	device_give_up(disk, &cpu_access[1]);
	n = functions[1].kicks;
	entries();
	ok(guest_take() == 1 && *status_of(0) == S_OK && functions[1].kicks > n,
	   "... one that was to tell QEMU of something: another CPU does");
	guest[0].state = 0;
	cpu_access[1] = access_of(DEVICE_BAR, true, 2, PCI_NOTIFY, 0);
	check(disk_do(T_OUT, 8, BLOCK) == S_OK);
	guest_give(0, T_FLUSH, 0, 0, 1);
	check(device_go(disk, &vm, &cpu_access[1], false, 0, &cpu_ask[1]) == DEVICE_ASK);
	device_give_up(disk, &cpu_access[1]);
	set_status(disk, 0);
	ok(!status_now(disk) && !functions[1].bad, "... or one that resets it");
}

/* At whichever step: QEMU's device may be at work, or not, and nobody has seen its answer. */
static void test_given_up_then_reset(void)
{
	u32 n, i, answer, driven = 0, wrong = 0;
	bool answered;

	for (n = 0; n < 40; n++) {
		vm_probed();
		memset(arena_mapped, true, sizeof(arena_mapped));
		check(negotiate(card, BIT(5) | BIT(32)));
		cpu_access[1] = access_of(DEVICE_BAR, true, 1, 0x14, 15);
		answered = false;
		for (i = 0; i <= n; i++)
			if (step(card, 1, &answered, &answer) == DEVICE_DONE)
				break;
		device_give_up(card, &cpu_access[1]);
		driven += functions[0].status == 15;
		set_status(card, 0);
		wrong += functions[0].status != 0;
	}
	ok(driven && driven < n && !wrong, "... whatever the step, a reset resets QEMU's");
}

/* ---- a hostile host ---- */

static u32 nonsense(const struct device_ask *ask)
{
	asks++;
	check(ask->size == 1 || ask->size == 2 || ask->size == 4);
	if (ask->port)
		check(ask->at == 0xcf8 || (ask->at >= 0xcfc && ask->at + ask->size <= 0xd00));
	return below(3) ? (u32)unit_random() : below(2) ? ~0u : honest(ask);
}

/* It answers anything, and writes to queues and headers as it likes. */
static void test_nonsense(void)
{
	u32 round, i, touched = 0, up = 0;

	for (round = 0; round < 200; round++) {
		sim_format();
		vm_probed();
		up += negotiate(disk, blk_features() | BIT(32));
		drive_disk();
		memset(ram + BUFFERS_AT, UNTOUCHED, RAM - BUFFERS_AT);
		host_idle = true;
		host_answer = nonsense;
		for (i = 0; i < 40; i++) {
			guest_give(below(4), below(2) ? T_OUT : T_IN, below(50), 512, 1);
			arena_memory[FIRST_PAGE + below(2)][below(PAGE_SIZE)] = unit_random();
			arena_memory[FIRST_PAGE][HOST_USED_AT + 2] = below(8);
			reg_write(disk, PCI_NOTIFY, 2, 0);
			entries();
			cfg_write(disk, 0x9a, 2, 0xc000);
			cfg_read(disk, 0x98, 4);
			check(reg_read(disk, PCI_ISR, 1) < 256);
		}
		for (i = BUFFERS_AT + 4 * BUFFER_SIZE; i < RAM; i++)
			touched += ram[i] != UNTOUCHED;
	}
	ok(up == 200 && !touched, "a host that answers anything: the guest's memory stays");
}

#define RX_AT 0xd0000
#define TX_AT 0xd4000
#define PACKETS_AT 0xe0000

/* A card with room for a packet */
static void drive_card(void)
{
	struct guest_queue unused;
	struct driver rx, tx;

	check(negotiate(card, BIT(5) | BIT(32)));
	driver_start(&rx, &unused, RX_AT, 32);
	driver_start(&tx, &unused, TX_AT, 32);
	place_queue(card, 0, &rx, 1);
	place_queue(card, 1, &tx, 2);
	set_status(card, 15);
	driver_desc(&rx, 0, PACKETS_AT, 256, 2, 0);
	driver_give(&rx, 0);
}

static bool counts(u32 refused, u32 stopped)
{
	return counted[MON_CNT_BLOCK_REFUSED] == refused &&
	       counted[MON_CNT_DEVICE_STOPPED] == stopped;
}

static void test_counted(void)
{
	u64 at = 64 + 4 + 2 * 254; /* block 0 of a disk this small */
	u32 round;

	sim_format();
	vm_probed();
	check(negotiate(disk, blk_features() | BIT(32)));
	drive_disk();
	check(disk_do(T_OUT, 0, BLOCK) == S_OK && disk_do(T_FLUSH, 0, 0) == S_OK);
	check(disk_do(T_IN, 0, BLOCK) == S_OK);
	ok(counts(0, 0), "of a host that keeps to the rules nothing is counted");
	image[at][7] ^= 1;
	check(disk_do(T_IN, 0, BLOCK) == S_IOERR && disk_do(T_IN, 0, BLOCK) == S_IOERR);
	ok(counts(2, 0), "a block that does not verify is counted, each time");
	for (round = 0; round < 2; round++) {
		arena_memory[FIRST_PAGE][HOST_USED_AT + 2] += 100;
		check(disk_do(T_IN, 0, BLOCK) == S_IOERR);
	}
	ok(counts(2, 1), "a disk that is stopped is counted, once");
	vm_probed();
	drive_card();
	arena_memory[0][HOST_USED_AT + 2] = 100;
	entries();
	entries();
	ok(counts(0, 1) && (status_now(card) & VIRTIO_NEEDS_RESET), "a card, too");
	set_status(card, 0);
	drive_card();
	entries();
	ok(counts(0, 1), "... and when it is reset it may go on");
	arena_memory[1][HOST_USED_AT + 2] = 100;
	reg_write(card, PCI_NOTIFY + PCI_NOTIFY_STEP, 2, 1);
	ok(counts(0, 2), "... until the next time");
	sim_format();
	image[MON_DISK_AREA_BLOCKS][100] ^= 1;
	vm_probed();
	negotiate(disk, blk_features() | BIT(32));
	ok(counts(0, 1), "a disk that cannot be opened");
}

/* Its list of capabilities is a ring, or points anywhere. */
static void test_capabilities(void)
{
	u32 i, wrong = 0;
	u64 before;

	for (i = 0; i < 256; i++) {
		vm_probed();
		memset(functions[1].config + 0x40, 0, 0xc0);
		functions[1].config[0x34] = i;
		memset(functions[1].config + (i & 0xfc), below(2) ? i : 9, below(2) ? 4 : 1);
		functions[1].config[(i & 0xfc) + 1] = i;
		before = asks;
		cfg_write(disk, 0x9a, 2, 0x8000);
		wrong += asks - before > 2 * 48 + 6;
	}
	ok(!wrong, "a list of capabilities without an end is left");
	vm_probed();
	functions[1].config[0x34] = 0;
	before = asks;
	cfg_write(disk, 0x9a, 2, 0x8000);
	ok(asks - before == 2, "one that is empty, too");
}

/* It never answers: what it is asked for stays the same, and nothing else happens. */
static void test_no_answer(void)
{
	struct device_access access = { .region = DEVICE_BAR, .write = true, .size = 1,
					.offset = 0x14, .value = 3 };
	struct device_ask first = { 0 };
	u32 n, same = 0;

	sim_format();
	vm_probed();
	set_status(disk, 1);
	cpu_access[1] = access;
	for (n = 0; n < 1000; n++) {
		check(device_go(disk, &vm, &cpu_access[1], false, ~0u, &cpu_ask[1]) == DEVICE_ASK);
		if (!n)
			first = cpu_ask[1];
		same += !memcmp(&first, &cpu_ask[1], sizeof(first));
	}
	ok(same == 1000, "a host that never answers is asked for the same");
	/* It answers, but does nothing. */
	host_idle = true;
	for (n = 0; n < 5000; n++) {
		bool answered = cpu_access[1].asked;
		u32 answer = answered ? host_answer(&cpu_ask[1]) : 0;
		enum device_result result = device_go(disk, &vm, &cpu_access[1], answered, answer,
						      &cpu_ask[1]);

		check(result == DEVICE_ASK || result == DEVICE_PAGE);
		if (result == DEVICE_PAGE)
			arena_mapped[(cpu_ask[1].at - ARENA_GPA) / PAGE_SIZE] = true;
	}
	ok(!cpu_ask[1].write && cpu_ask[1].at == DISK_BAR + 0x14,
	   "one that does nothing is looked at, an exit each time");
}

/* ---- a hostile guest ---- */

static struct device_access random_access(void)
{
	static const u16 regions[] = { PCI_COMMON, PCI_ISR, PCI_DEVICE, PCI_NOTIFY };
	struct device_access a = { .write = below(2), .value = unit_random() };

	a.size = 1 << below(4);
	if (below(8) == 0) {
		a.region = DEVICE_CONFIG;
		a.size = 1 << below(3);
		a.offset = below(below(2) ? 256 : 64);
		a.offset -= a.offset % a.size;
		if (a.offset >= 0x04 && a.offset < 0x28)
			a.write = false; /* else the model does not see what is asked for */
		return a;
	}
	a.region = DEVICE_BAR;
	a.offset = regions[below(4)] + below(below(3) ? 0x40 : 0x1000);
	return a;
}

/* What a driver does, one step behind the other, by whichever CPU */
static struct device_access next_access(void)
{
	static const struct {
		u32 offset;
		u8 size;
		u64 value;
	} steps[] = {
		{ 0x14, 1, 0 }, { 0x14, 1, 3 }, { 0x08, 4, 1 }, { 0x0c, 4, 1 }, { 0x14, 1, 11 },
		{ 0x16, 2, 0 }, { 0x18, 2, 64 }, { 0x20, 8, QUEUE_AT },
		{ 0x28, 8, QUEUE_AT + 0x1000 }, { 0x30, 8, QUEUE_AT + 0x2000 }, { 0x1c, 2, 1 },
		{ 0x14, 1, 15 }, { PCI_NOTIFY, 2, 0 }, { PCI_NOTIFY, 2, 0 }, { PCI_NOTIFY, 2, 0 },
	};
	static u32 at;
	u32 i = at++ % ARRAY_SIZE(steps);

	if (steps[i].offset == 0x20)
		memset(ram + QUEUE_AT, 0, 0x4000);
	return (struct device_access){ .region = DEVICE_BAR, .write = true, .size = steps[i].size,
				       .offset = steps[i].offset, .value = steps[i].value };
}

/* All CPUs do anything, in any order; QEMU's function is used by the rules all the time. */
static void test_random_guest(void)
{
	bool answered[CPUS] = { false }, under_way[CPUS] = { false };
	u32 answer[CPUS] = { 0 }, n, cpu, done = 0, busy = 0, ready = 0, resets;
	enum device_result result;

	sim_format();
	vm_probed();
	resets = functions[1].resets;
	for (n = 0; n < 400000; n++) {
		cpu = below(CPUS);
		if (!under_way[cpu]) {
			cpu_access[cpu] = below(10) == 0 ?
				(struct device_access){ .region = DEVICE_ENTRY } :
				below(4) ? next_access() : random_access();
			answered[cpu] = false;
			under_way[cpu] = true;
			if (below(3) == 0)
				ram[QUEUE_AT + below(0x2000)] = unit_random();
		}
		result = step(disk, cpu, &answered[cpu], &answer[cpu]);
		under_way[cpu] = result != DEVICE_DONE && result != DEVICE_BUSY;
		done += result == DEVICE_DONE;
		busy += result == DEVICE_BUSY;
		ready += disk->started;
	}
	ok(done > 10000 && busy > 1000 && ready > 1000 && functions[1].resets > resets + 100 &&
	   !functions[1].bad,
	   "a guest that does anything on %u CPUs: %u accesses, %u to be tried again, %u resets",
	   CPUS, done, busy, functions[1].resets - resets);
}

/* ---- all of them, and a card of three pairs ---- */

#define PAIRS 3
#define CARD_QUEUE_AT(n) (0x10000u + (n) * 0x3000u)

/* Rings of 8, all of one descriptor: a packet, or command 3 with its answer behind it */
static void card_rings(void)
{
	static const u8 command[] = { 4, 0, PAIRS, 0 };
	struct driver_desc *desc;
	u32 n, i;

	memcpy(ram + PACKETS_AT, command, sizeof(command));
	for (n = 0; n < CARD_QUEUES(PAIRS); n++) {
		desc = (struct driver_desc *)(ram + CARD_QUEUE_AT(n));
		memset(desc, 0, 0x3000);
		for (i = 0; i < 8; i++)
			desc[i] = (struct driver_desc){ PACKETS_AT + 256, 256, n % 2 ? 0 : 2, 0 };
		if (n == 2 * PAIRS) {
			desc[0] = (struct driver_desc){ PACKETS_AT, 4, 1, 1 };
			desc[1] = (struct driver_desc){ PACKETS_AT + 4, 1, 2, 0 };
		}
	}
}

static struct device_access card_access(u32 at)
{
	static const struct {
		u32 offset;
		u8 size;
		u64 value;
	} first[] = {
		{ 0x14, 1, 0 }, { 0x14, 1, 3 }, { 0x08, 4, 0 }, { 0x0c, 4, BIT(17) | BIT(22) },
		{ 0x08, 4, 1 }, { 0x0c, 4, 1 }, { 0x14, 1, 11 },
	}, queue[] = {
		{ 0x16, 2, 0 }, { 0x18, 2, 8 }, { 0x20, 8, 0 }, { 0x28, 8, 0x1000 },
		{ 0x30, 8, 0x2000 }, { 0x1c, 2, 1 },
	};
	u32 n = CARD_QUEUES(PAIRS), q;

	if (at < ARRAY_SIZE(first))
		return access_of(DEVICE_BAR, true, first[at].size, first[at].offset,
				 at == 3 && below(3) == 0 ? below(2) * BIT(17) : first[at].value);
	at -= ARRAY_SIZE(first);
	q = at / ARRAY_SIZE(queue);
	at %= ARRAY_SIZE(queue);
	if (q < n)
		return access_of(DEVICE_BAR, true, queue[at].size, queue[at].offset,
				 !at ? q : queue[at].value +
					   (queue[at].size == 8 ? CARD_QUEUE_AT(q) : 0));
	if (q == n)
		return access_of(DEVICE_BAR, true, 1, 0x14, 15);
	return access_of(DEVICE_BAR, true, 2, PCI_NOTIFY + below(n) * PCI_NOTIFY_STEP, below(n));
}

static u32 mostly_honest(const struct device_ask *ask)
{
	return below(5000) ? honest(ask) : nonsense(ask);
}

/* What guest and host have in memory, and which pages of the arena are there */
static void card_memory(void)
{
	u32 queue = below(CARD_QUEUES(PAIRS));
	u8 *page = arena_memory[card_queue_page(&card->card, queue)];
	u16 *avail = (u16 *)(ram + CARD_QUEUE_AT(queue) + 0x1000), *used = avail + 0x800, seen;

	if ((u16)(avail[1] - used[1]) < 8)
		avail[1]++;
	if (below(5000) == 0)
		ram[CARD_QUEUE_AT(queue) + below(0x2000)] = unit_random();
	memcpy(&seen, page + HOST_USED_AT + 2, 2);
	if (below(4) == 0 && memcmp(&seen, page + HOST_AVAIL_AT + 2, 2)) {
		u32 entry[] = { 0, queue == 2 * PAIRS ? 1 : queue % 2 ? 0 : 100 };

		memcpy(entry, page + HOST_AVAIL_AT + 4 + seen % HOST_QUEUE_SIZE * 2, 2);
		memcpy(page + HOST_USED_AT + 4 + seen++ % HOST_QUEUE_SIZE * 8, entry, 8);
		memcpy(page + HOST_USED_AT + 2, &seen, 2);
		if (queue == 2 * PAIRS)
			page[3840] = below(4) == 0;
	}
	if (below(5000) == 0)
		page[HOST_USED_AT + below(100)] = unit_random();
	if (below(50) == 0)
		arena_mapped[below(CARD_PAGES(PAIRS))] = false;
}

static void test_random_card(void)
{
	bool answered[CPUS] = { false }, under_way[CPUS] = { false };
	u32 answer[CPUS] = { 0 }, n, cpu, at = 0, used = 0, several = 0, broken = 0, given_up = 0;
	enum device_result result;

	vm_of_card(PAIRS);
	host_answer = mostly_honest;
	for (n = 0; n < 2000000; n++) {
		cpu = below(CPUS);
		card_memory();
		if (!under_way[cpu]) {
			if (at > 300)
				at = 0;
			if (!at)
				card_rings();
			cpu_access[cpu] = below(10) == 0 ? access_of(DEVICE_ENTRY, false, 0, 0, 0) :
					  below(300) ? card_access(at++) : random_access();
			answered[cpu] = false;
			under_way[cpu] = true;
		}
		if (below(3000) == 0) {
			device_give_up(card, &cpu_access[cpu]);
			under_way[cpu] = false;
			given_up++;
			continue;
		}
		result = step(card, cpu, &answered[cpu], &answer[cpu]);
		under_way[cpu] = result != DEVICE_DONE;
		used += card->started;
		several += card->started && card->card.in_use > 1;
		broken += card->started && (card->virtio.status & VIRTIO_NEEDS_RESET);
		check(card->card.in_use <= PAIRS);
	}
	ok(used > 10000 && several > 1000 && broken > 1000 && given_up > 100,
	   "a card, with all against all: %u times driven, %u by several pairs, %u broken", used,
	   several, broken);
}

int main(void)
{
	sim_memory();
	test_two_cpus();
	test_given_up();
	test_given_up_then_reset();
	test_nonsense();
	test_counted();
	test_capabilities();
	test_no_answer();
	test_random_guest();
	test_random_card();
	return unit_end();
}
