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
	test_host();
	test_lies();
	test_scribble();
	return unit_end();
}
