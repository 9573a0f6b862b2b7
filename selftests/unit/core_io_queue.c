// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/guest_queue.c core/io/host_queue.c */
/* cflags: -Wno-unused-parameter */
/*
 * Both ends of a virtqueue: what a sane driver and device do works, through all 65,536 indices;
 * whatever else they write breaks the queue, and nothing more.
 */
#include <pthread.h>

#include "core/io/host_queue.h"
#include "core_io.h"

#define NEXT 1
#define WRITE 2
#define INDIRECT 4

static struct driver driver;
static struct guest_queue queue;
static struct guest_chain chain;

static void start(u16 size)
{
	driver_start(&driver, &queue, 0x10000, size);
}

static void test_enable(void)
{
	struct guest_queue before = { .size = 8, .desc = 0x1000 }, q = before;

	ok(!guest_queue_enable(&q, 0, 0, 0, 0), "no queue without entries");
	ok(!guest_queue_enable(&q, 3, 0, 0, 0), "... of a size that is no power of two");
	ok(!guest_queue_enable(&q, 512, 0, 0, 0), "... larger than offered");
	ok(!guest_queue_enable(&q, 8, 8, 0, 0), "... with descriptors not aligned");
	ok(!guest_queue_enable(&q, 8, 0, 1, 0), "... with an available ring not aligned");
	ok(!guest_queue_enable(&q, 8, 0, 0, 2), "... with a used ring not aligned");
	ok(!guest_queue_enable(&q, 8, ~0ULL << 4, 0, 0), "... that ends behind the last address");
	ok(!memcmp(&q, &before, sizeof(q)), "... and it is as it was");
	ok(guest_queue_enable(&q, 256, ~0ULL << 13, RAM + 2, 4), "the largest, at odd places");
	ok(!guest_queue_take(&q, NULL, &chain) && q.broken, "... where no memory is");
}

static void test_request(void)
{
	u8 text[64], back[64];
	u32 written = 0;

	start(8);
	ok(!guest_queue_waits(&queue, NULL) && !guest_queue_take(&queue, NULL, &chain),
	   "nothing to take");
	memcpy(ram + 0x2000, "header", 6);
	memcpy(ram + 0x3000, "data", 4);
	driver_desc(&driver, 5, 0x2000, 6, NEXT, 2);
	driver_desc(&driver, 2, 0x3000, 4, NEXT, 7);
	driver_desc(&driver, 7, 0x4000, 0, NEXT | WRITE, 1);
	driver_desc(&driver, 1, 0x5000, 10, WRITE, 0);
	driver_give(&driver, 5);
	ok(guest_queue_waits(&queue, NULL), "a request waits");
	ok(guest_queue_take(&queue, NULL, &chain) && chain.head == 5 && chain.to_read == 2 &&
	   chain.to_write == 2 && chain.read_bytes == 10 && chain.write_bytes == 10,
	   "... and is taken");
	ok(guest_chain_read(&chain, NULL, 0, text, 10) && !memcmp(text, "headerdata", 10),
	   "its bytes, from two segments");
	ok(guest_chain_read(&chain, NULL, 5, text, 2) && !memcmp(text, "rd", 2),
	   "... from where they meet");
	ok(!guest_chain_read(&chain, NULL, 5, text, 6), "... not more than there are");
	ok(guest_chain_write(&chain, NULL, 4, "answer", 6) &&
	   !memcmp(ram + 0x5004, "answer", 6), "bytes written, over an empty segment");
	ok(!guest_chain_write(&chain, NULL, 4, "answers", 7) &&
	   vm_read(NULL, 0x500a, back, 1) && !back[0], "... not more than there is room for");
	guest_queue_give(&queue, NULL, chain.head, 10);
	ok(driver_take(&driver, &written) == 5 && written == 10, "given back");
	ok(driver_take(&driver, &written) < 0, "... once");
}

static void test_many(void)
{
	u32 i, wrong = 0, written;

	start(256);
	for (i = 0; i < 70000; i++) {
		u16 head = unit_random() % 256;

		driver_desc(&driver, head, 0x2000, i % 1000, WRITE, 0);
		driver_give(&driver, head);
		wrong += !guest_queue_take(&queue, NULL, &chain) || chain.head != head ||
			 chain.write_bytes != i % 1000;
		guest_queue_give(&queue, NULL, head, i);
		wrong += driver_take(&driver, &written) != head || written != i;
	}
	ok(!wrong, "70,000 requests, one after another: the indices wrap");
}

/* refused() - it is broken: nothing is taken or given any more. And a new one for the next test. */
static void refused(const char *name)
{
	bool taken = guest_queue_take(&queue, NULL, &chain), broken = queue.broken;
	u32 written;

	driver_desc(&driver, 0, 0x2000, 1, 0, 0);
	driver_give(&driver, 0);
	guest_queue_give(&queue, NULL, 0, 0);
	ok(!taken && broken && !guest_queue_take(&queue, NULL, &chain) &&
	   driver_take(&driver, &written) < 0, "%s: the queue is broken", name);
	start(8);
}

static void test_bad(void)
{
	u16 head = 8;

	start(8);
	driver_desc(&driver, 0, 0x2000, 1, NEXT, 0);
	driver_give(&driver, 0);
	refused("a descriptor that follows itself");
	driver_desc(&driver, 0, 0x2000, 1, NEXT, 8);
	driver_give(&driver, 0);
	refused("one that does not exist follows");
	driver_desc(&driver, 0, 0x2000, 16, INDIRECT, 0);
	driver_give(&driver, 0);
	refused("a table of descriptors, not offered");
	driver_desc(&driver, 0, 0x2000, 1, NEXT | WRITE, 1);
	driver_desc(&driver, 1, 0x2000, 1, 0, 0);
	driver_give(&driver, 0);
	refused("to be read behind to be written");
	driver_desc(&driver, 0, 0x2000, GUEST_CHAIN_BYTES + 1, 0, 0);
	driver_give(&driver, 0);
	refused("too long");
	driver_desc(&driver, 0, 0x2000, GUEST_CHAIN_BYTES, NEXT, 1);
	driver_desc(&driver, 1, 0x2000, 1, 0, 0);
	driver_give(&driver, 0);
	refused("too long together");
	driver_desc(&driver, 0, ~0ULL, 2, 0, 0);
	driver_give(&driver, 0);
	refused("behind the last address");
	memcpy(ram + driver.avail + 4, &head, 2);
	driver.given = 1;
	memcpy(ram + driver.avail + 2, &driver.given, 2);
	refused("a head that does not exist");
	driver.given = 9;
	memcpy(ram + driver.avail + 2, &driver.given, 2);
	refused("more requests than entries");
}

/* ---- a request's own table ---- */

#define TABLE_AT 0x6000

static void entry(u32 i, u32 len, u16 flags, u16 next)
{
	const struct driver table = { .desc = TABLE_AT };

	driver_desc(&table, (u16)i, 0x2000 + i * 16, len, flags, next);
}

/* Its table has @bytes; @flags: of the one descriptor that names it */
static void give_table(u64 at, u32 bytes, u16 flags)
{
	queue.indirect = true;
	driver_desc(&driver, 3, at, bytes, INDIRECT | flags, 0);
	driver_give(&driver, 3);
}

/* Of @nr in a row, the last one is to be written. */
static void row(u32 nr)
{
	u32 i;

	for (i = 0; i < nr; i++)
		entry(i, 16, i + 1 < nr ? NEXT : WRITE, (u16)(i + 1));
}

static void test_table(void)
{
	u8 text[32];

	start(8);
	memcpy(ram + 0x2000, "0123456789abcdef", 16);
	entry(0, 16, NEXT, 40);
	entry(40, 16, NEXT, 2);
	memcpy(ram + 0x2000 + 40 * 16, "ABCDEFGHIJKLMNOP", 16);
	entry(2, 5, WRITE, 0);
	give_table(TABLE_AT, 41 * 16, WRITE);
	ok(guest_queue_take(&queue, NULL, &chain) && chain.head == 3 && chain.to_read == 2 &&
	   chain.to_write == 1 && chain.read_bytes == 32 && chain.write_bytes == 5,
	   "a request in a table of its own");
	ok(guest_chain_read(&chain, NULL, 0, text, 32) &&
	   !memcmp(text, "0123456789abcdefABCDEFGHIJKLMNOP", 32), "... its bytes");
	row(GUEST_CHAIN_MAX);
	give_table(TABLE_AT, GUEST_CHAIN_MAX * 16, 0);
	ok(guest_queue_take(&queue, NULL, &chain) && chain.to_read == GUEST_CHAIN_MAX - 1 &&
	   chain.to_write == 1, "the longest, longer than the queue");
}

static void test_bad_table(void)
{
	start(8);
	row(GUEST_CHAIN_MAX + 1);
	give_table(TABLE_AT, (GUEST_CHAIN_MAX + 1) * 16, 0);
	refused("a table with one descriptor more");
	row(2);
	give_table(TABLE_AT, 32, NEXT);
	refused("another descriptor behind the table");
	give_table(TABLE_AT, 33, 0);
	refused("a table that ends in a descriptor");
	give_table(TABLE_AT, 0, 0);
	refused("a table of nothing");
	give_table(TABLE_AT, 16, 0);
	refused("the next one is behind the table");
	give_table(RAM - 16, 32, 0);
	refused("a table where no memory is");
	give_table(~0ULL - 15, 32, 0);
	refused("a table behind the last address");
	entry(0, 32, INDIRECT, 0);
	give_table(TABLE_AT, 32, 0);
	refused("a table in a table");
	entry(0, 1, NEXT, 0);
	give_table(TABLE_AT, 32, 0);
	refused("a table whose descriptor follows itself");
}

/* Everywhere, with pieces of all sizes: the place that is kept of the last copy changes nothing. */
static void test_places(void)
{
	u8 want[2048], got[2048];
	u32 i, at, len, wrong = 0;

	start(8);
	for (i = 0; i < sizeof(want); i++)
		want[i] = ram[0x2000 + i] = (u8)(i * 7 + (i >> 8));
	row(100);
	give_table(TABLE_AT, 100 * 16, 0);
	ok(guest_queue_take(&queue, NULL, &chain), "a request of many pieces");
	for (i = 0; i < 20000; i++) {
		at = (u32)(unit_random() % (99 * 16));
		len = (u32)(unit_random() % (99 * 16 - at)) % 100;
		memset(got, 0, len);
		wrong += !guest_chain_read(&chain, NULL, at, got, len) ||
			 memcmp(got, want + at, len);
		if (i % 5 == 0)
			wrong += !guest_chain_write(&chain, NULL, i % 16, got, 0);
	}
	ok(!wrong, "20,000 of its parts, in no order");
}

/* ---- the host's end ---- */

static u8 page[PAGE_SIZE] __attribute__((aligned(4096)));
static struct host_queue host;

#define AVAIL_IDX (*(volatile u16 *)(page + HOST_AVAIL_AT + 2))
#define AVAIL_RING ((volatile u16 *)(page + HOST_AVAIL_AT + 4))
#define USED_IDX (*(volatile u16 *)(page + HOST_USED_AT + 2))
#define USED_RING ((volatile u32 *)(page + HOST_USED_AT + 4))

static void use(u32 head, u32 written)
{
	u32 at = USED_IDX % HOST_QUEUE_SIZE;

	USED_RING[2 * at] = head;
	USED_RING[2 * at + 1] = written;
	USED_IDX = USED_IDX + 1;
}

static void post(u32 slot, u32 len)
{
	struct host_segment segment[3] = { { 0x1000, 16, false }, { 0x2000, len, true },
					   { 0x3000, 1, true } };

	host_queue_post(&host, page, slot, segment, 3);
}

static void test_host(void)
{
	const struct driver_desc *desc = (void *)page;
	u32 i, wrong = 0, written = 0;
	int slot;

	host_queue_init(&host, page, 42, 3);
	ok(host_queue_take(&host, page, &written) < 0 && !host.fault, "nothing is done");
	for (i = 0; (slot = host_queue_free_slot(&host)) >= 0; i++)
		post(slot, 100);
	ok(i == 42 && AVAIL_IDX == 42, "all slots are posted");
	ok(desc[3].gpa == 0x1000 && desc[3].flags == NEXT && desc[3].next == 4 &&
	   desc[4].len == 100 && desc[4].flags == (NEXT | WRITE) && desc[4].next == 5 &&
	   desc[5].flags == WRITE && AVAIL_RING[1] == 3, "... as a device reads them");
	use(3 * 17, 101);
	ok(host_queue_take(&host, page, &written) == 17 && written == 101, "one is done");
	ok(host_queue_free_slot(&host) == 17, "... and its slot is free");
	post(17, 100);
	for (i = 0; i < 70000; i++) {
		u32 which = unit_random() % 42;

		use(3 * which, which);
		wrong += host_queue_take(&host, page, &written) != (int)which || written != which;
		post(which, 100);
		wrong += AVAIL_RING[(u16)(AVAIL_IDX - 1) % HOST_QUEUE_SIZE] != 3 * which;
	}
	ok(!wrong && !host.fault, "70,000 of them, in no order: the indices wrap");
}

static void lie(const char *name, enum host_queue_fault fault, u32 head, u32 written, u16 jump)
{
	u32 got = 0;

	host_queue_init(&host, page, 4, 3);
	post(1, 100);
	use(head, written);
	USED_IDX = USED_IDX + jump;
	ok(host_queue_take(&host, page, &got) < 0 && host.fault == fault && host.posted == 2 &&
	   host_queue_free_slot(&host) < 0, "%s: the queue is broken", name);
}

static void test_lies(void)
{
	u32 got;

	lie("more used than posted", HOST_QUEUE_JUMP, 3, 0, 1);
	lie("an index that went back", HOST_QUEUE_JUMP, 3, 0, (u16)-2);
	lie("used what is not posted", HOST_QUEUE_HEAD, 6, 0, 0);
	lie("used what does not exist", HOST_QUEUE_HEAD, 12, 0, 0);
	lie("used a number that is none", HOST_QUEUE_HEAD, ~0u, 0, 0);
	lie("used what is not a head", HOST_QUEUE_HEAD, 4, 0, 0);
	lie("wrote more than there is room for", HOST_QUEUE_LENGTH, 3, 102, 0);
	host_queue_init(&host, page, 4, 3);
	post(1, 100);
	use(3, 0);
	check(host_queue_take(&host, page, &got) == 1);
	post(2, 100);
	use(3, 0);
	ok(host_queue_take(&host, page, &got) < 0 && host.fault == HOST_QUEUE_HEAD,
	   "used twice: the queue is broken");
}

static volatile int stop;

static void *scribble(void *arg)
{
	u32 seed = 1;

	while (!stop) {
		seed = seed * 1664525 + 1013904223;
		page[seed % PAGE_SIZE] = seed >> 16;
	}
	return NULL;
}

/* Another CPU writes everywhere: what is taken was posted, and fits. */
static void test_scribble(void)
{
	u32 i, taken = 0, faults = 0, wrong = 0, written = 0;
	pthread_t thread;

	check(!pthread_create(&thread, NULL, scribble, NULL));
	for (i = 0; i < 300000; i++) {
		u64 posted;
		int slot;

		if (!(i % 16) || host.fault) {
			faults += host.fault != HOST_QUEUE_GOOD;
			host_queue_init(&host, page, 42, 3);
		}
		slot = host_queue_free_slot(&host);
		if (slot >= 0)
			post(slot, 100);
		USED_IDX = host.taken + 1;
		posted = host.posted;
		slot = host_queue_take(&host, page, &written);
		taken += slot >= 0;
		wrong += slot >= 0 && (!(posted & BIT(slot)) || written > 101);
	}
	stop = 1;
	pthread_join(thread, NULL);
	ok(taken && faults && !wrong, "another CPU writes to it (%u taken, %u times broken)", taken,
	   faults);
}

int main(void)
{
	test_enable();
	test_request();
	test_many();
	test_bad();
	test_table();
	test_bad_table();
	test_places();
	test_host();
	test_lies();
	test_scribble();
	return unit_end();
}
