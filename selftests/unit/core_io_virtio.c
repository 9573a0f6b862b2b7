// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/virtio.c core/io/guest_queue.c */
/* cflags: -Wno-unused-parameter */
/*
 * The common configuration of a mediated device: what a driver does by the rules (virtio 1.2, 3.1.1
 * and 4.1.4.3) works, and what it does against them is as if it had not done it.
 */
#include "core/io/virtio.h"
#include "core_io.h"

#define QUEUES 2
#define SIZE 128
#define VECTORS 3
#define OFFERED (BIT(9) | BIT(33))

/* Fields, as in virtio_pci_modern.h */
enum {
	OFFERED_SELECT = 0x00, OFFERED_AT = 0x04, ACCEPTED_SELECT = 0x08, ACCEPTED_AT = 0x0c,
	CONFIG_VECTOR = 0x10, NR_QUEUES = 0x12, STATUS = 0x14, GENERATION = 0x15,
	QUEUE_SELECT = 0x16, QUEUE_SIZE = 0x18, QUEUE_VECTOR = 0x1a, QUEUE_ENABLE = 0x1c,
	NOTIFY_OFF = 0x1e, DESC = 0x20, AVAIL = 0x28, USED = 0x30,
};

static struct virtio dev;

static u64 get(u32 offset, u32 size)
{
	return virtio_read(&dev, offset, size);
}

static enum virtio_event set(u32 offset, u32 size, u64 value)
{
	return virtio_write(&dev, offset, size, value);
}

static void reset(void)
{
	virtio_init(&dev, OFFERED, QUEUES, SIZE, VECTORS);
}

static void accept_features(u64 features)
{
	set(ACCEPTED_SELECT, 4, 0);
	set(ACCEPTED_AT, 4, (u32)features);
	set(ACCEPTED_SELECT, 4, 1);
	set(ACCEPTED_AT, 4, features >> 32);
}

static u64 status(void)
{
	return get(STATUS, 1);
}

static enum virtio_event set_status(u32 value)
{
	return set(STATUS, 1, value);
}

/* A queue, as vp_modern_queue_address() */
static void place_queue(u16 n, u16 size, u64 desc, u64 avail, u64 used)
{
	set(QUEUE_SELECT, 2, n);
	set(QUEUE_SIZE, 2, size);
	set(DESC, 4, (u32)desc);
	set(DESC + 4, 4, desc >> 32);
	set(AVAIL, 4, (u32)avail);
	set(AVAIL + 4, 4, avail >> 32);
	set(USED, 4, (u32)used);
	set(USED + 4, 4, used >> 32);
}

/* ---- by the rules ---- */

static void test_driver(void)
{
	struct guest_queue queue = { 0 };
	u64 offered;

	reset();
	ok(!status() && get(NR_QUEUES, 2) == QUEUES, "after a reset: status 0, two queues");
	ok(set_status(0) == VIRTIO_RESET && set_status(1) == VIRTIO_NOTHING &&
	   set_status(3) == VIRTIO_FEATURES && status() == 3, "reset, acknowledged, driven");
	ok(set_status(3) == VIRTIO_NOTHING, "driven once");
	set(OFFERED_SELECT, 4, 1);
	offered = get(OFFERED_AT, 4) << 32;
	set(OFFERED_SELECT, 4, 0);
	offered |= get(OFFERED_AT, 4);
	ok(offered == (OFFERED | BIT(32)), "what it offers, VIRTIO_F_VERSION_1 with it");
	accept_features(BIT(32) | BIT(9));
	ok(set_status(11) == VIRTIO_FEATURES && status() == 11 &&
	   dev.accepted == (BIT(32) | BIT(9)), "features agreed");
	ok(set(CONFIG_VECTOR, 2, 0) == VIRTIO_VECTOR && get(CONFIG_VECTOR, 2) == 0,
	   "a vector for its configuration");
	place_queue(1, 64, 0x1234560, 0x123456789a, 0x2000004);
	ok(set(QUEUE_VECTOR, 2, 2) == VIRTIO_VECTOR && get(QUEUE_VECTOR, 2) == 2,
	   "a queue's vector");
	ok(get(QUEUE_SIZE, 2) == 64 && get(DESC, 8) == 0x1234560 &&
	   get(AVAIL, 4) == 0x3456789a && get(AVAIL + 4, 4) == 0x12 &&
	   get(USED, 8) == 0x2000004 && get(NOTIFY_OFF, 2) == 1, "its size and addresses");
	ok(!virtio_start_queue(&dev, 1, &queue) && !queue.size, "it does not work yet");
	set(QUEUE_ENABLE, 2, 1);
	ok(get(QUEUE_ENABLE, 2) == 1 && set_status(15) == VIRTIO_READY,
	   "enabled; the driver is ready");
	ok(virtio_start_queue(&dev, 1, &queue) && queue.size == 64 && queue.desc == 0x1234560 &&
	   queue.avail == 0x123456789a && queue.used == 0x2000004, "now it does");
	ok(!virtio_start_queue(&dev, 0, &queue), "the other one, which was not enabled, does not");
	set(QUEUE_SELECT, 2, 0);
	ok(get(QUEUE_SIZE, 2) == SIZE && !get(QUEUE_ENABLE, 2) && !get(DESC, 8) &&
	   get(QUEUE_VECTOR, 2) == VIRTIO_NO_VECTOR, "and is as after a reset");
}

static void test_reset(void)
{
	struct virtio fresh;

	reset();
	fresh = dev;
	set_status(3);
	accept_features(BIT(32));
	set_status(11);
	place_queue(1, 8, 0x1000, 0x2000, 0x3000);
	set(QUEUE_VECTOR, 2, 1);
	set(CONFIG_VECTOR, 2, 1);
	set(QUEUE_ENABLE, 2, 1);
	set_status(15);
	virtio_needs_reset(&dev);
	ok(status() == (15 | VIRTIO_NEEDS_RESET), "a device that cannot go on says so");
	set_status(15);
	ok(status() & VIRTIO_NEEDS_RESET, "no driver takes that back");
	ok(set_status(0) == VIRTIO_RESET && !memcmp(&dev, &fresh, sizeof(dev)),
	   "... but by a reset, which leaves nothing");
}

/* ---- against them ---- */

static void test_features(void)
{
	reset();
	set_status(3);
	ok(set_status(11) == VIRTIO_NOTHING && status() == 3,
	   "without VIRTIO_F_VERSION_1: refused");
	accept_features(BIT(32) | BIT(10));
	ok(set_status(11) == VIRTIO_NOTHING && status() == 3, "what is not offered: refused");
	accept_features(BIT(32));
	ok(set_status(11) == VIRTIO_FEATURES, "another try");
	accept_features(BIT(32) | BIT(9));
	ok(dev.accepted == BIT(32), "when agreed they stay");
	ok(set_status(11) == VIRTIO_NOTHING, "agreed once");
	reset();
	set(OFFERED_SELECT, 4, 2);
	set(ACCEPTED_SELECT, 4, ~0u);
	set(ACCEPTED_AT, 4, ~0u);
	ok(!get(OFFERED_AT, 4) && !get(ACCEPTED_AT, 4) && !dev.accepted,
	   "behind the 64th there are none");
}

static void test_status(void)
{
	u32 value, wrong = 0, before;

	reset();
	set_status(3);
	accept_features(BIT(32));
	ok(set_status(15) == VIRTIO_FEATURES && status() == 11,
	   "DRIVER_OK together with FEATURES_OK");
	reset();
	ok(set_status(7) == VIRTIO_FEATURES && status() == 3, "... and without it");
	reset();
	accept_features(BIT(32));
	set_status(11);
	ok(set_status(1) == VIRTIO_NOTHING && status() == 11, "no bit is taken back");
	ok(set_status(15) == VIRTIO_READY && set_status(15) == VIRTIO_NOTHING, "ready once");
	for (value = 1; value < 256; value++) {
		before = status();
		set_status(value);
		wrong += (status() & before) != before || (status() & ~(15u | VIRTIO_FAILED));
	}
	ok(!wrong && status() == (15 | VIRTIO_FAILED), "nor is a bit set that is not a driver's");
	reset();
	accept_features(BIT(32));
	virtio_needs_reset(&dev);
	set_status(11);
	ok(set_status(15) == VIRTIO_NOTHING && !(status() & 4),
	   "what needs a reset is not started");
}

static void test_queues(void)
{
	static const u16 sizes[] = { 0, 3, 100, 129, 256, 0x8000, 0xffff };
	struct guest_queue queue = { .size = 7 };
	struct virtio before;
	u32 i, wrong = 0;

	reset();
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		set(QUEUE_SIZE, 2, sizes[i]);
		wrong += get(QUEUE_SIZE, 2) != SIZE;
	}
	ok(!wrong, "a size that is none, or larger than offered, is not taken");
	set(QUEUE_ENABLE, 2, 2);
	ok(!get(QUEUE_ENABLE, 2), "1 enables, nothing else");
	place_queue(0, 8, 0x1000, 0x2000, 0x3000);
	set(QUEUE_ENABLE, 2, 1);
	place_queue(0, 16, 0x5000, 0x6000, 0x7000);
	ok(get(QUEUE_SIZE, 2) == 8 && get(DESC, 8) == 0x1000 && get(AVAIL, 8) == 0x2000 &&
	   get(USED, 8) == 0x3000 && get(QUEUE_ENABLE, 2) == 1, "one that is enabled stays");
	set(QUEUE_ENABLE, 2, 0);
	place_queue(0, 16, 0x5000, 0x6000, 0x7000);
	ok(!get(QUEUE_ENABLE, 2) && get(QUEUE_SIZE, 2) == 16 && get(USED, 8) == 0x7000,
	   "... until it is disabled");
	set(QUEUE_ENABLE, 2, 1);
	accept_features(BIT(32));
	set_status(15);
	set_status(15);
	set(QUEUE_ENABLE, 2, 0);
	ok(status() == 15 && get(QUEUE_ENABLE, 2) == 1,
	   "... which is not done any more when the driver is ready");
	reset();
	ok(set(QUEUE_VECTOR, 2, VECTORS) == VIRTIO_NOTHING &&
	   get(QUEUE_VECTOR, 2) == VIRTIO_NO_VECTOR, "a vector that is none");
	before = dev;
	for (i = QUEUES; i < 0x10000; i++) {
		set(QUEUE_SELECT, 2, i);
		place_queue(i, 8, ~0ULL, ~0ULL, ~0ULL);
		set(QUEUE_ENABLE, 2, 1);
		set(QUEUE_VECTOR, 2, 1);
		wrong += get(QUEUE_SIZE, 2) || get(QUEUE_ENABLE, 2) || get(DESC, 8) ||
			 get(NOTIFY_OFF, 2) || get(QUEUE_VECTOR, 2) != VIRTIO_NO_VECTOR ||
			 virtio_start_queue(&dev, i, &queue);
	}
	set(QUEUE_SELECT, 2, 0);
	ok(!wrong && !memcmp(&before, &dev, sizeof(dev)), "queues that do not exist");
	wrong += virtio_start_queue(&dev, ~0u, &queue);
	place_queue(1, 8, 0x1008, 0x2000, 0x3000);
	set(QUEUE_ENABLE, 2, 1);
	wrong += virtio_start_queue(&dev, 1, &queue);
	reset();
	place_queue(1, 8, 0x1000, 0x2000, ~3ULL);
	set(QUEUE_ENABLE, 2, 1);
	ok(!wrong && !virtio_start_queue(&dev, 1, &queue) && queue.size == 7,
	   "one whose parts are not aligned, or wrap around, is not started");
}

/* ---- all of the region ---- */

static u32 width(u32 offset)
{
	static const u8 start[][2] = {
		{ OFFERED_SELECT, 4 }, { OFFERED_AT, 4 }, { ACCEPTED_SELECT, 4 },
		{ ACCEPTED_AT, 4 }, { CONFIG_VECTOR, 2 }, { NR_QUEUES, 2 }, { STATUS, 1 },
		{ GENERATION, 1 }, { QUEUE_SELECT, 2 }, { QUEUE_SIZE, 2 }, { QUEUE_VECTOR, 2 },
		{ QUEUE_ENABLE, 2 }, { NOTIFY_OFF, 2 }, { DESC, 8 }, { AVAIL, 8 }, { USED, 8 },
	};
	u32 i;

	for (i = 0; i < ARRAY_SIZE(start); i++)
		if (start[i][0] == offset)
			return start[i][1];
	return 0;
}

static void test_widths(void)
{
	static const u8 read_only[] = { OFFERED_AT, NR_QUEUES, GENERATION, NOTIFY_OFF };
	u32 offset, size, i, wrong = 0, written = 0;
	struct virtio before;

	reset();
	accept_features(BIT(32));
	place_queue(0, 8, ~0ULL, ~0ULL, ~0ULL);
	dev.generation = 0xff;
	before = dev;
	for (offset = 0; offset < 0x2000; offset++) {
		for (size = 0; size <= 16; size++) {
			if (width(offset) == size && size)
				continue;
			if (size == 4 && offset >= DESC && offset < USED + 8 && offset % 4 == 0)
				continue;
			wrong += get(offset, size) != 0 ||
				 set(offset, size, ~0ULL) != VIRTIO_NOTHING;
		}
	}
	ok(!wrong && !memcmp(&before, &dev, sizeof(dev)),
	   "a part of a field, more than one, behind the last: 0, and nothing is written");
	for (i = 0; i < ARRAY_SIZE(read_only); i++)
		written += set(read_only[i], width(read_only[i]), 0) != VIRTIO_NOTHING;
	ok(!written && !memcmp(&before, &dev, sizeof(dev)), "what is the device's is not written");
}

static void test_random(void)
{
	u32 n, wrong = 0, ready = 0, agreed = 0;
	bool was_ready = false;

	reset();
	for (n = 0; n < 2000000; n++) {
		u32 offset = unit_random() % 0x40, size = 1u << unit_random() % 4;
		u64 value = unit_random() % 3 ? unit_random() % 40 : unit_random();
		enum virtio_event event;

		if (unit_random() % 4 == 0)
			accept_features(unit_random() % 4 ? BIT(32) : unit_random());
		event = set(offset, size, value);
		agreed += event == VIRTIO_FEATURES && (status() & 8);
		ready += event == VIRTIO_READY;
		if (event == VIRTIO_RESET)
			was_ready = false;
		wrong += event == VIRTIO_READY && (was_ready || !(status() & 8));
		was_ready |= event == VIRTIO_READY;
		wrong += (status() & 8) && ((dev.accepted & ~dev.offered) ||
					    !(dev.accepted & BIT(32)));
		wrong += (status() & 4) && !(status() & 8);
		for (u32 i = 0; i < QUEUES; i++)
			wrong += !dev.queue[i].size || dev.queue[i].size > SIZE ||
				 (dev.queue[i].size & (dev.queue[i].size - 1)) ||
				 (dev.queue[i].vector >= VECTORS &&
				  dev.queue[i].vector != VIRTIO_NO_VECTOR);
	}
	ok(!wrong && ready > 100 && agreed > 100,
	   "2,000,000 writes at random: %u times ready, with features that are offered", ready);
}

int main(void)
{
	test_driver();
	test_reset();
	test_features();
	test_status();
	test_queues();
	test_widths();
	test_random();
	return unit_end();
}
