/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of a mediated disk: a new image, a host's virtio-blk device on it, that is honest, and
 * a guest's driver. The disk in the middle is real, and so is its cipher.
 */
#ifndef _UNIT_BLK_SIM_H
#define _UNIT_BLK_SIM_H

#define ARENA_PAGES 1100
#include "core/disk/internal.h"
#include "core/io/blk.h"
#include "core_io.h"

_Static_assert(BLK_PAGES <= ARENA_PAGES, "the arena");

#define DISK_BLOCKS 400
#define SECTORS (BLOCK / DISK_SECTOR)
#define IMAGE_BLOCKS 976
#ifndef FIRST_PAGE
#define FIRST_PAGE 40 /* it is not the first device */
#endif

#define T_IN 0u
#define T_OUT 1u
#define T_FLUSH 4u
#define T_GET_ID 8u
#define T_DISCARD 11u
#define T_ZERO 13u
#define S_OK 0u
#define S_IOERR 1u
#define S_UNSUPP 2u

static const u8 blk_key[MON_DISK_KEY_SIZE] = "a key of thirty-two bytes, this";
static u8 image[IMAGE_BLOCKS][BLOCK];
static struct blk *blk;
static void *blk_page[320];

u64 cpu_random(void)
{
	return unit_random();
}

static u32 below(u64 n)
{
	return (u32)(unit_random() % n);
}

/* ---- a new image ---- */

static void sim_format(void)
{
	struct mon_disk_super super = {.magic = MON_DISK_MAGIC,
				       .version = MON_DISK_VERSION,
				       .uuid = "sixteen bytes..",
				       .commit = 1,
				       .blocks = DISK_BLOCKS,
				       .flags = MON_DISK_CLEAN};
	struct disk *d = disk_create(blk_page, disk_frames(1, 8), 1);

	check(d && disk_image_blocks(DISK_BLOCKS) == IMAGE_BLOCKS);
	memset(image, 0, sizeof(image));
	memcpy(d->opening.key, blk_key, sizeof(blk_key));
	seal_uuid(d, super.uuid);
	seal_session(d);
	seal_meta(d, MON_DISK_SUPER, 1, &super, 1);
	memcpy(image[MON_DISK_AREA_BLOCKS], &super, BLOCK);
}

/* ---- the host's device ---- */

struct host_req {
	u16 head;
	u32 type;
	u64 sector;
	u32 written;
	u8 *status;
	u32 segments;
	struct driver_desc data[HOST_QUEUE_SIZE];
};

static struct {
	u16 seen, used;
	u32 nr;
	struct host_req req[HOST_QUEUE_SIZE];
	u64 count[T_ZERO + 1];
	u64 interrupts;
} host;

/* What a test lets the host do with a block that it reads or writes, and with what it says */
static void (*host_tamper)(u64 block, u8 *slot, bool read);
static bool (*host_lie)(struct host_req *r);

static u8 *host_page(void)
{
	return arena_memory[FIRST_PAGE];
}

static u16 *host_word(u32 at)
{
	return (u16 *)(host_page() + at);
}

static u8 *host_memory(u64 gpa, u32 len)
{
	u64 at = gpa - ARENA_GPA;

	check(gpa >= ARENA_GPA + FIRST_PAGE * BLOCK && len <= BLK_PAGES * BLOCK &&
	      at + len <= (FIRST_PAGE + BLK_PAGES) * BLOCK);
	return &arena_memory[0][0] + at;
}

/* A request, as QEMU takes it from the queue; one that the monitor has made by the rules */
static void host_take(u16 head)
{
	struct host_req *r = &host.req[host.nr++];
	struct driver_desc desc;
	u16 i = head;
	u32 n = 0;

	*r = (struct host_req){ .head = head };
	do {
		check(i < HOST_QUEUE_SIZE && n <= BLK_PAGES);
		memcpy(&desc, host_page() + i * sizeof(desc), sizeof(desc));
		if (!n) {
			check(desc.len == 16 && !(desc.flags & 2));
			memcpy(&r->type, host_memory(desc.gpa, 16), 4);
			memcpy(&r->sector, host_memory(desc.gpa, 16) + 8, 8);
		} else if (desc.flags & 1) {
			r->data[r->segments++] = desc;
		} else {
			check(desc.len == 1 && (desc.flags & 2));
			r->status = host_memory(desc.gpa, 1);
		}
		if (desc.flags & 2)
			r->written += desc.len;
		i = desc.next;
		n++;
	} while (desc.flags & 1);
	check(r->status && r->segments <= DISK_PIECES);
}

static void host_data(const struct host_req *r)
{
	u64 block = r->sector / SECTORS;
	u32 i, k;

	check(r->sector % SECTORS == 0);
	for (i = 0; i < r->segments; i++) {
		u8 *at = host_memory(r->data[i].gpa, r->data[i].len);

		check(r->data[i].len % BLOCK == 0);
		check(!(r->data[i].flags & 2) == (r->type == T_OUT));
		for (k = 0; k < r->data[i].len; k += BLOCK, block++) {
			check(block < IMAGE_BLOCKS);
			if (r->type == T_IN)
				memcpy(at + k, image[block], BLOCK);
			else
				memcpy(image[block], at + k, BLOCK);
			if (host_tamper)
				host_tamper(block, at + k, r->type == T_IN);
		}
	}
}

static void host_use(u32 head, u32 written)
{
	u32 entry[2] = { head, written };

	memcpy(host_page() + HOST_USED_AT + 4 + host.used++ % HOST_QUEUE_SIZE * 8, entry, 8);
	*host_word(HOST_USED_AT + 2) = host.used;
	host.interrupts += !(*host_word(HOST_AVAIL_AT) & 1); /* 2.7.7 */
}

/* Take what is new. */
static void host_look(void)
{
	while (host.seen != *host_word(HOST_AVAIL_AT + 2))
		host_take(*host_word(HOST_AVAIL_AT + 4 + host.seen++ % HOST_QUEUE_SIZE * 2));
}

/* Be done with one, in any order; false: there is none */
static bool host_one(void)
{
	struct host_req r;
	u32 which;

	if (!host.nr)
		return false;
	which = below(host.nr);
	r = host.req[which];
	host.req[which] = host.req[--host.nr];
	check(r.type <= T_ZERO);
	host.count[r.type]++;
	if (host_lie && host_lie(&r))
		return true;
	if (r.type == T_IN || r.type == T_OUT)
		host_data(&r);
	else if (r.type == T_GET_ID)
		memcpy(host_memory(r.data[0].gpa, 20), "a disk of the host's", 20);
	*r.status = 0;
	host_use(r.head, r.written);
	return true;
}

static bool host_work(void)
{
	host_look();
	return host_one();
}

/* ---- the disk ---- */

static u64 blk_calls;

/* Until there is nothing to do but wait for the host. */
static void blk_run(void)
{
	enum io_result result;
	bool kick = false;
	u32 n = 0;

	do {
		check(n++ < 100000);
		blk_calls++;
		result = blk_work(blk, NULL, &kick);
		if (result == IO_AGAIN && arena_lazy)
			arena_mapped[blk_missing(blk)] = true;
	} while (result == IO_MORE || (result == IO_AGAIN && arena_lazy));
}

/* Until nobody has anything to do; false: it takes too long */
static bool settle(void)
{
	u32 n = 0;

	for (blk_run(); host_work(); blk_run())
		if (n++ > 20000)
			return false;
	return true;
}

static void host_reset(void)
{
	enum io_result result;

	host.seen = host.used = 0;
	host.nr = 0;
	result = blk_host_start(blk, false);
	if (result == IO_AGAIN) {
		arena_mapped[blk_missing(blk)] = true;
		result = blk_host_start(blk, false);
	}
	check(result == IO_DONE);
}

static void blk_new(void)
{
	u32 i;

	check(blk_frames() <= ARRAY_SIZE(blk_page));
	for (i = 0; i < blk_frames(); i++)
		memset(blk_page[i], 0x55, BLOCK);
	memset(&host.count, 0, sizeof(host.count));
	blk = blk_create(blk_page, NULL, FIRST_PAGE);
	host_reset();
	blk_open(blk, blk_key, 0);
	check(settle());
}

static void sim_memory(void)
{
	u32 i;

	for (i = 0; i < ARRAY_SIZE(blk_page); i++)
		check(!posix_memalign(&blk_page[i], BLOCK, BLOCK));
}

/* ---- the guest's driver ---- */

#define QUEUE_AT 0x10000
#define HEADERS_AT 0x14000
#define BUFFERS_AT 0x20000 /* of each request: 40 KiB */
#define BUFFER_SIZE 0xa000
#define GUEST_QUEUE 128
#define GUEST_REQS 16
#define GUEST_DESCS (GUEST_QUEUE / GUEST_REQS)
#define UNTOUCHED 0xaa

static struct driver driver;

/**
 * struct guest_req - of the guest's driver
 * @state: 0: free; 1: given to the device; 2: back
 * @written: bytes, as the device says
 */
struct guest_req {
	u32 state;
	u32 written;
};

static struct guest_req guest[GUEST_REQS];

struct guest_header {
	u32 type;
	u32 reserved;
	u64 sector;
};

static u8 *buffer_of(u32 i)
{
	return ram + BUFFERS_AT + i * BUFFER_SIZE;
}

static u64 header_at(u32 i)
{
	return HEADERS_AT + i * 64;
}

/* Behind the header; 0xff: not written */
static u8 *status_of(u32 i)
{
	return ram + header_at(i) + 32;
}

/* Request @i: @len bytes in @parts segments of no nice sizes, then the status */
static void guest_give(u32 i, u32 type, u64 sector, u32 len, u32 parts)
{
	struct guest_header header = { .type = type, .sector = sector };
	u16 flags = type == T_IN || type == T_GET_ID ? 2 : 0, d = i * GUEST_DESCS;
	u64 at = BUFFERS_AT + i * BUFFER_SIZE;
	u32 k, part;

	check(parts && parts <= GUEST_DESCS - 2 && len <= BUFFER_SIZE);
	memcpy(ram + header_at(i), &header, sizeof(header));
	*status_of(i) = 0xff;
	driver_desc(&driver, d, header_at(i), sizeof(header), 1, d + 1);
	for (k = 0, d++; k < parts; k++, d++) {
		part = k + 1 < parts ? below(len / parts + 1) : len;
		driver_desc(&driver, d, at, part, flags | 1, d + 1);
		at += part;
		len -= part;
	}
	driver_desc(&driver, d, header_at(i) + 32, 1, 2, 0);
	guest[i].state = 1;
	driver_give(&driver, i * GUEST_DESCS);
}

/* What has come back; value: how many */
static u32 guest_take(void)
{
	u32 n = 0, written;
	int head;

	for (; (head = driver_take(&driver, &written)) >= 0; n++) {
		check(head % GUEST_DESCS == 0 && guest[head / GUEST_DESCS].state == 1);
		guest[head / GUEST_DESCS] = (struct guest_req){ 2, written };
	}
	return n;
}

/* Its status, or 0xff: it does not come back */
static u32 guest_do(u32 type, u64 sector, u32 len, u32 parts)
{
	guest_give(0, type, sector, len, parts);
	check(settle());
	guest_take();
	if (guest[0].state != 2)
		return 0xff;
	guest[0].state = 0;
	return *status_of(0);
}

static void guest_start(u64 features)
{
	struct guest_queue queue;

	memset(guest, 0, sizeof(guest));
	driver_start(&driver, &queue, QUEUE_AT, GUEST_QUEUE);
	blk_start(blk, features, &queue);
}

/* A new disk, a new image, a new driver */
static void sim_start(void)
{
	sim_format();
	memset(ram, UNTOUCHED, sizeof(ram));
	blk_new();
	check(blk_state(blk) == DISK_RUNNING);
	guest_start(blk_features());
}

#endif /* _UNIT_BLK_SIM_H */
