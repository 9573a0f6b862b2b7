// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c core/sha256.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/*
 * A mediated disk: a guest's driver on one side, a host's device on the other. What a sane driver
 * asks for it gets; a hostile one breaks its own queue. The host sees no plain text.
 */
#include "blk_sim.h"

static void fill(u8 *to, u32 len, u8 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		to[i] = (u8)(seed + i * 7 + (i >> 8));
}

/* ---- a sane driver and an honest host ---- */

static bool all(const u8 *at, u8 value, u32 len)
{
	while (len && *at == value)
		at++, len--;
	return !len;
}

static u32 find_text(const void *in, u64 size, const u8 *text)
{
	const u8 *at = in;
	u64 i;
	u32 n = 0;

	for (i = 0; i + 16 <= size; i++)
		n += at[i] == text[0] && !memcmp(at + i, text, 16);
	return n;
}

static void test_data(void)
{
	static u8 want[8 * BLOCK];

	sim_start();
	ok(guest_do(T_IN, 0, 8 * BLOCK, 3) == S_OK && all(buffer_of(0), 0, 8 * BLOCK) &&
	   guest[0].written == 8 * BLOCK + 1, "a new disk is zeros");
	ok(all(buffer_of(0) + 8 * BLOCK, UNTOUCHED, BUFFER_SIZE - 8 * BLOCK),
	   "... and nothing behind them is written");
	fill(buffer_of(0), 8 * BLOCK, 3);
	memcpy(want, buffer_of(0), sizeof(want));
	ok(guest_do(T_OUT, 8, 8 * BLOCK, 6) == S_OK && guest[0].written == 1, "8 blocks written");
	memset(buffer_of(0), UNTOUCHED, BUFFER_SIZE);
	ok(guest_do(T_IN, 8, 8 * BLOCK, 5) == S_OK && !memcmp(buffer_of(0), want, sizeof(want)),
	   "... and read back, in other segments");
	fill(buffer_of(0), 3 * DISK_SECTOR, 9);
	memcpy(want + 5 * DISK_SECTOR, buffer_of(0), 3 * DISK_SECTOR);
	ok(guest_do(T_OUT, 13, 3 * DISK_SECTOR, 2) == S_OK, "3 sectors written into one of them");
	ok(guest_do(T_IN, 8, 8 * BLOCK, 1) == S_OK && !memcmp(buffer_of(0), want, sizeof(want)),
	   "... and no other has changed");
	host.count[T_FLUSH] = 0;
	ok(guest_do(T_FLUSH, 0, 0, 1) == S_OK && host.count[T_FLUSH] >= 2 && host.count[T_OUT],
	   "flushed: the host has it");
	ok(!find_text(image, sizeof(image), want) &&
	   !find_text(arena_memory, sizeof(arena_memory), want),
	   "nothing of it is in the image or in the arena");
	ok(find_text(ram, RAM, want), "control: it is in the guest's memory");
	blk_new();
	guest_start(blk_features());
	memset(buffer_of(0), UNTOUCHED, BUFFER_SIZE);
	ok(guest_do(T_IN, 8, 8 * BLOCK, 2) == S_OK && !memcmp(buffer_of(0), want, sizeof(want)),
	   "another monitor reads it from the image");
}

static void range(u64 sector, u32 sectors, u32 flags)
{
	memcpy(buffer_of(0), &sector, 8);
	memcpy(buffer_of(0) + 8, &sectors, 4);
	memcpy(buffer_of(0) + 12, &flags, 4);
}

static void test_ranges(void)
{
	sim_start();
	fill(buffer_of(0), 4 * BLOCK, 1);
	check(guest_do(T_OUT, 0, 4 * BLOCK, 1) == S_OK);
	range(5, 11, 1);
	ok(guest_do(T_ZERO, 0, 16, 1) == S_OK && guest_do(T_IN, 0, 4 * BLOCK, 1) == S_OK &&
	   all(buffer_of(0) + 5 * DISK_SECTOR, 0, 11 * DISK_SECTOR) &&
	   !all(buffer_of(0), 0, DISK_SECTOR) &&
	   buffer_of(0)[16 * DISK_SECTOR] == (u8)(1 + 16 * DISK_SECTOR * 7 + 32),
	   "sectors zeroed, by their number");
	range(16, 16, 0);
	ok(guest_do(T_DISCARD, 0, 16, 1) == S_OK && guest_do(T_IN, 0, 4 * BLOCK, 1) == S_OK &&
	   all(buffer_of(0) + 2 * BLOCK, 0, 2 * BLOCK), "two blocks discarded");
	range(0, DISK_BLOCKS * SECTORS, 0);
	ok(guest_do(T_ZERO, 0, 16, 1) == S_OK && guest_do(T_IN, 0, 4 * BLOCK, 1) == S_OK &&
	   all(buffer_of(0), 0, 4 * BLOCK), "all of the disk zeroed");
	range(0, 8, 1);
	ok(guest_do(T_DISCARD, 0, 16, 1) == S_UNSUPP, "a discard with a flag");
	range(0, 8, 2);
	ok(guest_do(T_ZERO, 0, 16, 1) == S_UNSUPP, "a zeroing with one that nobody knows");
	range(0, DISK_BLOCKS * SECTORS + 1, 0);
	ok(guest_do(T_ZERO, 0, 16, 1) == S_IOERR, "behind the end");
	range(~0ULL, 2, 0);
	ok(guest_do(T_ZERO, 0, 16, 1) == S_IOERR && guest_do(T_DISCARD, 0, 16, 1) == S_IOERR,
	   "around the end of all numbers");
	ok(guest_do(T_ZERO, 0, 32, 1) == S_IOERR && guest_do(T_DISCARD, 0, 8, 1) == S_IOERR &&
	   guest_do(T_DISCARD, 0, 0, 1) == S_IOERR, "two ranges, half of one, none");
}

static void test_refused(void)
{
	u32 type, wrong = 0;

	sim_start();
	ok(guest_do(T_IN, DISK_BLOCKS * SECTORS - 1, DISK_SECTOR, 1) == S_OK, "the last sector");
	ok(guest_do(T_IN, DISK_BLOCKS * SECTORS, DISK_SECTOR, 1) == S_IOERR &&
	   guest_do(T_OUT, DISK_BLOCKS * SECTORS - 1, 2 * DISK_SECTOR, 1) == S_IOERR,
	   "behind the last one");
	ok(guest_do(T_IN, ~0ULL, 2 * DISK_SECTOR, 1) == S_IOERR &&
	   guest_do(T_OUT, ~0ULL / DISK_SECTOR + 1, DISK_SECTOR, 1) == S_IOERR,
	   "around the end of all numbers");
	ok(guest_do(T_IN, 0, 511, 1) == S_IOERR && guest_do(T_OUT, 0, 513, 2) == S_IOERR &&
	   guest_do(T_IN, 0, 0, 1) == S_IOERR, "no whole sectors, or none");
	memset(buffer_of(0), UNTOUCHED, BUFFER_SIZE);
	ok(guest_do(T_GET_ID, 0, 20, 3) == S_OK && !strcmp((char *)buffer_of(0), "monitor") &&
	   guest[0].written == 21 && buffer_of(0)[20] == UNTOUCHED, "its name, not the host's");
	ok(guest_do(T_GET_ID, 0, 19, 1) == S_UNSUPP && guest_do(T_GET_ID, 0, 512, 1) == S_UNSUPP,
	   "... of its length only");
	for (type = 0; type < 100; type++) {
		if (type <= T_OUT || type == T_FLUSH || type == T_GET_ID || type == T_DISCARD ||
		    type == T_ZERO)
			continue;
		wrong += guest_do(type, 0, DISK_SECTOR, 1) != S_UNSUPP;
	}
	wrong += guest_do(~0u, 0, DISK_SECTOR, 1) != S_UNSUPP;
	ok(!wrong && !blk_broken(blk), "what it cannot do it says so of");
	ok(guest_do(T_FLUSH, ~0ULL, 0, 1) == S_OK && guest_do(T_IN, 0, BLOCK, 1) == S_OK,
	   "and goes on");
}

/* A chain of the guest's, by hand: what the disk says, and whether the queue is broken */
static u32 by_hand(u16 head, bool *broken)
{
	guest[head / GUEST_DESCS].state = 1;
	*status_of(0) = 0xff;
	driver_give(&driver, head);
	check(settle());
	guest_take();
	*broken = blk_broken(blk);
	return *status_of(0);
}

static void hand_header(u32 type, u64 sector)
{
	struct guest_header header = { .type = type, .sector = sector };

	memcpy(ram + header_at(0), &header, sizeof(header));
}

static void test_layouts(void)
{
	bool broken;

	sim_start();
	fill(buffer_of(0), BLOCK, 5);
	hand_header(T_OUT, 0);
	driver_desc(&driver, 0, header_at(0), 7, 1, 1);
	driver_desc(&driver, 1, header_at(0) + 7, 9, 1, 2);
	driver_desc(&driver, 2, BUFFERS_AT, BLOCK, 1, 3);
	driver_desc(&driver, 3, header_at(0) + 32, 1, 2, 0);
	ok(by_hand(0, &broken) == S_OK && !broken, "a header in two segments");
	memmove(ram + BUFFERS_AT + 16, ram + BUFFERS_AT, BLOCK);
	memcpy(ram + BUFFERS_AT, ram + header_at(0), 16);
	driver_desc(&driver, 0, BUFFERS_AT, 16 + BLOCK, 1, 1);
	driver_desc(&driver, 1, header_at(0) + 32, 1, 2, 0);
	ok(by_hand(0, &broken) == S_OK && !broken, "header and data in one");
	hand_header(T_IN, 0);
	memset(buffer_of(0), UNTOUCHED, BUFFER_SIZE);
	driver_desc(&driver, 0, header_at(0), 16, 1, 1);
	driver_desc(&driver, 1, BUFFERS_AT, BLOCK + 1, 2, 0);
	by_hand(0, &broken);
	ok(!broken && buffer_of(0)[0] == 5 && buffer_of(0)[BLOCK] == S_OK &&
	   buffer_of(0)[BLOCK + 1] == UNTOUCHED && guest[0].written == BLOCK + 1,
	   "data and status in one");
}

/* ---- a hostile driver ---- */

static void bad_chain(const char *name)
{
	bool broken;
	u32 status = by_hand(0, &broken);

	ok(broken && status == 0xff, "%s: the queue is broken", name);
	blk_stop(blk);
	guest_start(blk_features());
	check(guest_do(T_IN, 0, BLOCK, 1) == S_OK && !blk_broken(blk));
	hand_header(T_IN, 0);
}

static void test_hostile_chains(void)
{
	bool broken;
	u32 i;

	sim_start();
	hand_header(T_IN, 0);
	driver_desc(&driver, 0, header_at(0), 16, 1, 1);
	driver_desc(&driver, 1, BUFFERS_AT, 512, 3, 1);
	bad_chain("a loop");
	driver_desc(&driver, 0, header_at(0), 16, 4, 0);
	bad_chain("a table of descriptors");
	driver_desc(&driver, 0, header_at(0), 15, 1, 1);
	driver_desc(&driver, 1, header_at(0) + 32, 1, 2, 0);
	bad_chain("a short header");
	driver_desc(&driver, 0, header_at(0), 16, 0, 0);
	bad_chain("no room for a status");
	driver_desc(&driver, 0, header_at(0), 16, 1, 1);
	driver_desc(&driver, 1, BUFFERS_AT, 0, 2, 0);
	bad_chain("... or none of a length");
	driver_desc(&driver, 0, header_at(0), 16, 1, 1);
	driver_desc(&driver, 1, BUFFERS_AT, 512, 3, 2);
	driver_desc(&driver, 2, RAM, 1, 2, 0);
	bad_chain("a status where no memory is");
	driver_desc(&driver, 0, RAM - 8, 16, 1, 1);
	driver_desc(&driver, 1, header_at(0) + 32, 1, 2, 0);
	ok(by_hand(0, &broken) == S_IOERR && !broken, "a header that is not there: an error");
	hand_header(T_OUT, 0);
	driver_desc(&driver, 0, header_at(0), 16, 1, 1);
	driver_desc(&driver, 1, RAM - 100, 512, 1, 2);
	driver_desc(&driver, 2, header_at(0) + 32, 1, 2, 0);
	ok(by_hand(0, &broken) == S_IOERR && !broken, "data that is not there: an error");
	hand_header(T_IN, 0);
	driver_desc(&driver, 1, ARENA_GPA, 512, 3, 2);
	ok(by_hand(0, &broken) == S_IOERR && !broken, "nor is the arena the guest's");
	driver_desc(&driver, 1, 0, GUEST_CHAIN_BYTES - 512, 3, 2);
	ok(by_hand(0, &broken) == S_IOERR && !broken, "256 MiB: more than the disk has");
	for (i = 0; i < GUEST_QUEUE; i++)
		driver_desc(&driver, i, header_at(0), i ? 0 : 16, 3, (i + 1) % GUEST_QUEUE);
	driver_desc(&driver, 0, header_at(0), 16, 1, 1);
	bad_chain("all descriptors in a ring");
}

/* A driver that writes at random: no bug of ours, a bounded time, no plain text for the host. */
static void test_random_driver(void)
{
	static u8 secret[16] = "not for the host";
	u32 n, i, broken = 0, found = 0, done = 0, written;

	sim_start();
	for (n = 0; n < 3000; n++) {
		if (blk_broken(blk)) {
			broken++;
			blk_stop(blk);
			guest_start(blk_features());
			for (i = 0; i < GUEST_REQS; i++)
				memcpy(buffer_of(i) + below(64) * 512, secret, 16);
		}
		for (i = 0; i < 4; i++)
			guest_give(below(GUEST_REQS), below(2) ? T_OUT : below(14),
				   below(DISK_BLOCKS * SECTORS + 8), below(20) * 512, 1 + below(6));
		for (i = below(6); i; i--)
			ram[QUEUE_AT + below(2) * PAGE_SIZE + below(300)] = unit_random();
		for (i = below(3); i; i--)
			ram[HEADERS_AT + below(GUEST_REQS * 64)] = below(2) ? below(14) : 0;
		blk_run();
		host_work();
		while (driver_take(&driver, &written) >= 0)
			done++;
		if (n % 100 == 0)
			found += find_text(arena_memory, sizeof(arena_memory), secret) +
				 find_text(image, sizeof(image), secret);
	}
	ok(broken > 100 && done > 100 && blk_state(blk) == DISK_RUNNING,
	   "a driver that writes at random: %u requests done, broken %u times", done, broken);
	ok(!found, "... nothing of its memory is with the host");
}

/* ---- a reset ---- */

static void test_reset(void)
{
	u32 i, touched = 0;

	sim_start();
	fill(buffer_of(0), 4 * BLOCK, 77);
	check(guest_do(T_OUT, 0, 4 * BLOCK, 1) == S_OK && guest_do(T_FLUSH, 0, 0, 1) == S_OK);
	blk_new();
	guest_start(blk_features());
	for (i = 0; i < 8; i++)
		guest_give(i, T_IN, 0, 4 * BLOCK, 2);
	blk_run();
	ok(blk_host_busy(blk), "reads are at the host");
	blk_stop(blk);
	memset(ram, UNTOUCHED, sizeof(ram));
	check(settle());
	for (i = 0; i < RAM; i++)
		touched += ram[i] != UNTOUCHED;
	ok(!touched && !blk_host_busy(blk),
	   "the driver resets the device: what comes back then is given to nobody");
	host_reset();
	guest_start(0);
	ok(guest_do(T_IN, 0, 4 * BLOCK, 3) == S_OK && buffer_of(0)[1] == 84, "and starts it again");
	host.count[T_FLUSH] = 0;
	ok(guest_do(T_OUT, 0, 512, 1) == S_OK && host.count[T_FLUSH],
	   "without VIRTIO_BLK_F_FLUSH a write is on the medium when it is done");
}

/* ---- interrupts, which are the host's: of what it has completed ---- */

static void test_interrupts(void)
{
	u16 no_interrupt = 1;
	u64 before;
	u32 i, n = 0;

	sim_start();
	check(guest_do(T_OUT, 0, BLOCK, 1) == S_OK && guest_do(T_IN, 0, BLOCK, 1) == S_OK);
	host.count[T_IN] = 0;
	for (i = 0; i < 100; i++) {
		before = host.interrupts;
		check(guest_do(i % 2 ? T_IN : T_GET_ID, 0, i % 2 ? BLOCK : 20, 1) == S_OK);
		n += host.interrupts == before + 1;
	}
	ok(n == 100 && !host.count[T_IN],
	   "what the host had nothing to do with: it is asked for something, to interrupt");
	memcpy(ram + driver.avail, &no_interrupt, 2);
	before = host.interrupts;
	check(guest_do(T_GET_ID, 0, 20, 1) == S_OK);
	ok(host.interrupts == before, "... but not when the driver wants none");
}

/* A device that looks at its queue anyway says so (virtio 1.2, 2.7.10). */
static void test_not_told(void)
{
	bool told[3];
	u32 i;

	sim_format();
	blk_new();
	guest_start(blk_features());
	for (i = 0; i < 3; i++) {
		*host_word(HOST_USED_AT) = i == 1; /* its flags */
		guest_give(0, T_IN, i * 8, BLOCK, 1);
		check(blk_work(blk, NULL, &told[i]) == IO_DONE && settle() && guest_take() == 1);
	}
	ok(told[0] && !told[1] && told[2], "the host is not told when it does not want to be");
}

/* ---- a host that maps pages late ---- */

static void test_mapped_late(void)
{
	static u8 want[6 * BLOCK];
	bool kick = false;
	u32 i, n = 0;

	sim_format();
	memset(ram, UNTOUCHED, sizeof(ram));
	memset(arena_mapped, 0, sizeof(arena_mapped));
	arena_lazy = true;
	blk_new();
	check(blk_state(blk) == DISK_RUNNING);
	guest_start(blk_features());
	fill(buffer_of(0), sizeof(want), 8);
	memcpy(want, buffer_of(0), sizeof(want));
	ok(guest_do(T_OUT, 4, sizeof(want), 3) == S_OK && guest_do(T_FLUSH, 0, 0, 1) == S_OK,
	   "a host that maps pages when it is told");
	for (i = 0; i < 200; i++) { /* ... and unmaps them again */
		memset(arena_mapped, 0, sizeof(arena_mapped));
		memset(buffer_of(0), UNTOUCHED, sizeof(want));
		n += guest_do(T_IN, 4, sizeof(want), 3) == S_OK &&
		     !memcmp(buffer_of(0), want, sizeof(want));
		memset(arena_mapped, 0, sizeof(arena_mapped));
		n += guest_do(T_OUT, 4, sizeof(want), 2) == S_OK;
	}
	ok(n == 400, "... and takes them away: all reads and writes are done");
	arena_lazy = false;
	guest_give(0, T_OUT, 0, BLOCK, 1);
	for (n = 0, i = FIRST_PAGE; i < FIRST_PAGE + BLK_PAGES; i++) {
		arena_missing = i;
		n += blk_work(blk, NULL, &kick) == IO_AGAIN && blk_missing(blk) == i;
	}
	arena_missing = ~0u;
	check(settle());
	ok(n >= 2 && guest_take() == 1 && *status_of(0) == S_OK,
	   "one page that never comes: it waits");
}

int main(void)
{
	sim_memory();
	test_data();
	test_ranges();
	test_refused();
	test_layouts();
	test_hostile_chains();
	test_random_driver();
	test_reset();
	test_interrupts();
	test_not_told();
	test_mapped_late();
	return unit_end();
}
