// SPDX-License-Identifier: GPL-2.0-only
/* A disk between two virtqueues. See blk.h. */
#include "blk.h"

/* Requests (virtio 1.2, 5.2.6), as the guest makes them and as the host gets them */
#define BLK_IN 0u
#define BLK_OUT 1u
#define BLK_FLUSH 4u
#define BLK_GET_ID 8u
#define BLK_DISCARD 11u
#define BLK_WRITE_ZEROES 13u
#define BLK_HEADER 16u
#define BLK_ID_SIZE 20u
#define BLK_ID "monitor"
#define BLK_MAY_UNMAP BIT(0)
#define STATUS_OK 0
#define STATUS_IOERR 1
#define STATUS_UNSUPP 2

#define F_SEG_MAX BIT(2)
#define F_BLK_SIZE BIT(6)
#define F_FLUSH BIT(9)
#define F_TOPOLOGY BIT(10)
#define F_DISCARD BIT(13)
#define F_WRITE_ZEROES BIT(14)

#define BLK_REQS 32
#define BLK_SEGMENTS (DISK_PIECES + 2) /* of a request to the host: header, data, status */
#define BLK_SLOTS (HOST_QUEUE_SIZE / BLK_SEGMENTS)

/* Pages of the arena */
#define QUEUE_PAGE 0
#define HEADER_PAGE 1
#define DATA_PAGES 2

struct blk_header {
	u32 type;
	u32 reserved;
	u64 sector;
};

/* In the arena, what a request has beside its data */
struct blk_slot {
	struct blk_header header;
	u8 status;
	u8 id[BLK_ID_SIZE];
	u8 unused[64 - BLK_HEADER - 1 - BLK_ID_SIZE];
};

_Static_assert(sizeof(struct blk_slot) * BLK_SLOTS <= PAGE_SIZE, "a page");

/**
 * struct blk_req - a request of the guest's; a frame
 * @req: first, for the disk
 * @blk: whose
 * @used: it is not free
 * @live: the driver has not reset the device since
 */
struct blk_req {
	struct disk_req req;
	struct blk *blk;
	bool used;
	bool live;
	struct guest_chain chain;
};

_Static_assert(sizeof(struct blk_req) <= PAGE_SIZE, "a frame");

/**
 * struct blk - a disk; a frame
 * @vm: of the call that is under way
 * @posted: what each slot of @host is for: of the disk's request, or BLK_KNOCK
 * @missing: page of the arena
 * @gave: something to the guest, in this call; @took: something of the host's
 * @knocking: a request is under way that is for its interrupt only
 */
struct blk {
	struct disk *disk;
	struct arena *arena;
	u32 first_page;
	u32 missing;
	struct vm *vm;
	struct guest_queue queue;
	struct host_queue host;
	u8 posted[BLK_SLOTS];
	bool gave;
	bool took;
	bool knocking;
	struct blk_req *req[BLK_REQS];
};

_Static_assert(sizeof(struct blk) <= PAGE_SIZE, "a frame");
#define BLK_KNOCK 0xffu

/* ---- memory ---- */

u32 blk_frames(void)
{
	return 1 + BLK_REQS + disk_frames(BLK_ENTRIES, BLK_CACHE);
}

struct blk *blk_create(void *const *page, struct arena *arena, u32 first_page)
{
	struct blk *blk = page[0];
	u32 i;

	memset(blk, 0, PAGE_SIZE);
	for (i = 0; i < BLK_REQS; i++) {
		blk->req[i] = page[1 + i];
		memset(blk->req[i], 0, PAGE_SIZE);
		blk->req[i]->blk = blk;
	}
	blk->disk = disk_create(page + 1 + BLK_REQS, disk_frames(BLK_ENTRIES, BLK_CACHE),
				BLK_ENTRIES);
	MONITOR_BUG_ON(!blk->disk);
	disk_own(blk->disk, blk);
	blk->arena = arena;
	blk->first_page = first_page;
	return blk;
}

static void *page_of(struct blk *blk, u32 page)
{
	void *at = arena_page(blk->arena, blk->first_page + page);

	if (!at)
		blk->missing = blk->first_page + page;
	return at;
}

void *disk_slot(struct disk *disk, u32 slot)
{
	return page_of(disk_owner(disk), DATA_PAGES + slot);
}

bool disk_from_guest(struct disk_req *req, u64 at, void *to, u32 len)
{
	struct blk_req *r = (struct blk_req *)req;

	return r->live &&
	       guest_chain_read(&r->chain, r->blk->vm, BLK_HEADER + (u32)at, to, len);
}

bool disk_to_guest(struct disk_req *req, u64 at, const void *from, u32 len)
{
	struct blk_req *r = (struct blk_req *)req;

	return r->live && guest_chain_write(&r->chain, r->blk->vm, (u32)at, from, len);
}

/* ---- the guest's side ---- */

static void give(struct blk *blk, struct blk_req *r, u8 status)
{
	u32 last = r->chain.write_bytes - 1, written = r->req.op == DISK_READ ? last + 1 : 1;

	if (r->live) {
		if (!guest_chain_write(&r->chain, blk->vm, last, &status, 1))
			blk->queue.broken = true;
		guest_queue_give(&blk->queue, blk->vm, r->chain.head, written);
		blk->gave = true;
	}
	r->used = false;
}

static void give_finished(struct blk *blk)
{
	struct disk_req *req;

	while ((req = disk_reap(blk->disk)))
		give(blk, (struct blk_req *)req, req->failed ? STATUS_IOERR : STATUS_OK);
}

static bool whole_sectors(struct blk_req *r, u32 bytes)
{
	r->req.sectors = bytes / DISK_SECTOR;
	return bytes % DISK_SECTOR == 0;
}

/* One range (5.2.6.2): that is all that the configuration allows. */
static u8 parse_range(struct blk_req *r, struct vm *vm, u32 may)
{
	struct {
		u64 sector;
		u32 sectors;
		u32 flags;
	} range;

	if (r->chain.read_bytes != BLK_HEADER + sizeof(range) ||
	    !guest_chain_read(&r->chain, vm, BLK_HEADER, &range, sizeof(range)))
		return STATUS_IOERR;
	if (range.flags & ~may)
		return STATUS_UNSUPP;
	r->req.sector = range.sector;
	r->req.sectors = range.sectors;
	return STATUS_OK;
}

/* STATUS_OK: the disk is asked. */
static u8 parse(struct blk_req *r, struct vm *vm)
{
	struct guest_chain *chain = &r->chain;
	struct blk_header header;

	if (!guest_chain_read(chain, vm, 0, &header, sizeof(header)))
		return STATUS_IOERR;
	r->req.sector = header.sector;
	r->req.sectors = 0;
	switch (header.type) {
	case BLK_IN:
		r->req.op = DISK_READ;
		return whole_sectors(r, chain->write_bytes - 1) ? STATUS_OK : STATUS_IOERR;
	case BLK_OUT:
		r->req.op = DISK_WRITE;
		return whole_sectors(r, chain->read_bytes - BLK_HEADER) ? STATUS_OK : STATUS_IOERR;
	case BLK_FLUSH:
		r->req.op = DISK_FLUSH;
		return STATUS_OK;
	case BLK_DISCARD:
		r->req.op = DISK_DISCARD;
		return parse_range(r, vm, 0);
	case BLK_WRITE_ZEROES:
		r->req.op = DISK_ZERO;
		return parse_range(r, vm, BLK_MAY_UNMAP);
	default:
		return STATUS_UNSUPP;
	}
}

static bool answer_id(struct blk_req *r, struct vm *vm)
{
	static const char id[BLK_ID_SIZE] = BLK_ID;
	struct blk_header header;

	return guest_chain_read(&r->chain, vm, 0, &header, sizeof(header)) &&
	       header.type == BLK_GET_ID && r->chain.write_bytes == BLK_ID_SIZE + 1 &&
	       guest_chain_write(&r->chain, vm, 0, id, BLK_ID_SIZE);
}

static void take_one(struct blk *blk, struct blk_req *r)
{
	u8 status;

	r->used = r->live = true;
	/* Room for a header, and for a status: without these there is no answer. */
	if (r->chain.read_bytes < BLK_HEADER || !r->chain.write_bytes) {
		blk->queue.broken = true;
		r->used = false;
		return;
	}
	status = parse(r, blk->vm);
	if (status == STATUS_UNSUPP && answer_id(r, blk->vm)) {
		r->req.op = DISK_READ;
		give(blk, r, STATUS_OK);
	} else if (status != STATUS_OK) {
		r->req.op = DISK_FLUSH;
		give(blk, r, status);
	} else if (!disk_submit(blk->disk, &r->req)) {
		give(blk, r, STATUS_IOERR);
	}
}

static struct blk_req *free_req(struct blk *blk)
{
	u32 i;

	for (i = 0; i < BLK_REQS; i++)
		if (!blk->req[i]->used)
			return blk->req[i];
	return NULL;
}

static void take_requests(struct blk *blk)
{
	struct blk_req *r = free_req(blk);
	u32 n;

	for (n = 0; n < BLK_REQS && r; n++, r = free_req(blk)) {
		if (!guest_queue_take(&blk->queue, blk->vm, &r->chain))
			break;
		take_one(blk, r);
	}
}

/* ---- the host's side ---- */

static u64 gpa_of(const struct blk *blk, u32 page)
{
	return arena_gpa(blk->arena, blk->first_page + page);
}

static struct host_segment part_of_slot(const struct blk *blk, u32 slot, u64 offset, u32 len,
					bool write)
{
	u64 at = gpa_of(blk, HEADER_PAGE) + slot * sizeof(struct blk_slot);

	return (struct host_segment){ .gpa = at + offset, .len = len, .write = write };
}

static void post(struct blk *blk, void *queue, struct blk_slot *slots, u32 slot, u32 type,
		 u64 sector, struct host_segment *segments, u32 count)
{
	slots[slot].header = (struct blk_header){ .type = type, .sector = sector };
	slots[slot].status = STATUS_IOERR;
	segments[0] = part_of_slot(blk, slot, offsetof(struct blk_slot, header), BLK_HEADER, false);
	segments[count++] = part_of_slot(blk, slot, offsetof(struct blk_slot, status), 1, true);
	host_queue_post(&blk->host, queue, slot, segments, count);
}

/* Slots in a row are one segment; the disk has seen to it that there are not more. */
static u32 data_segments(const struct blk *blk, const struct disk_io *io,
			 struct host_segment *segments)
{
	u32 i, n = 0;

	for (i = 0; i < io->count; i++) {
		if (i && io->slot[i] == io->slot[i - 1] + 1) {
			segments[n - 1].len += MON_DISK_BLOCK;
			continue;
		}
		MONITOR_BUG_ON(n == DISK_PIECES);
		segments[n++] = (struct host_segment){
			.gpa = gpa_of(blk, DATA_PAGES + io->slot[i]),
			.len = MON_DISK_BLOCK,
			.write = io->op == DISK_HOST_READ,
		};
	}
	return n;
}

static bool post_all(struct blk *blk, void *queue, struct blk_slot *slots)
{
	static const u32 types[] = { [DISK_HOST_READ] = BLK_IN, [DISK_HOST_WRITE] = BLK_OUT,
				     [DISK_HOST_FLUSH] = BLK_FLUSH };
	struct host_segment segments[BLK_SEGMENTS];
	struct disk_io io;
	bool any = false;
	int slot;

	while ((slot = host_queue_free_slot(&blk->host)) >= 0 &&
	       disk_host_next(blk->disk, &io)) {
		u32 n = data_segments(blk, &io, segments + 1);

		blk->posted[slot] = io.id;
		post(blk, queue, slots, (u32)slot, types[io.op],
		     io.block * (MON_DISK_BLOCK / DISK_SECTOR), segments, 1 + n);
		any = true;
	}
	return any;
}

/*
 * The guest has been given something that no completion of the host's brought: without
 * an interrupt it might not look. So the host is asked for what nobody wants to know.
 */
static bool knock(struct blk *blk, void *queue, struct blk_slot *slots)
{
	struct host_segment segments[BLK_SEGMENTS];
	int slot = host_queue_free_slot(&blk->host);

	if (blk->knocking || slot < 0 || !guest_queue_wants_interrupt(&blk->queue, blk->vm))
		return false;
	blk->knocking = true;
	blk->posted[slot] = BLK_KNOCK;
	segments[1] = part_of_slot(blk, (u32)slot, offsetof(struct blk_slot, id), BLK_ID_SIZE,
				   true);
	post(blk, queue, slots, (u32)slot, BLK_GET_ID, 0, segments, 2);
	return true;
}

static void take_completions(struct blk *blk, void *queue, const struct blk_slot *slots)
{
	u32 written, n;
	int slot;

	for (n = 0; n < BLK_SLOTS; n++) {
		slot = host_queue_take(&blk->host, queue, &written);
		if (slot < 0)
			break;
		blk->took = true;
		if (blk->posted[slot] == BLK_KNOCK)
			blk->knocking = false;
		else
			disk_host_done(blk->disk, blk->posted[slot],
				       READ_ONCE(slots[slot].status) == STATUS_OK,
				       written ? written - 1 : 0);
	}
	if (blk->host.fault) /* nothing comes any more */
		disk_host_done(blk->disk, BLK_KNOCK, false, 0);
}

/* ---- both ---- */

static enum io_result result_of(struct blk *blk, enum disk_more more)
{
	if (more == DISK_AGAIN)
		return IO_AGAIN;
	if (more == DISK_MORE)
		return IO_MORE;
	return free_req(blk) && guest_queue_waits(&blk->queue, blk->vm) ? IO_MORE : IO_DONE;
}

enum io_result blk_work(struct blk *blk, struct vm *vm, bool *kick)
{
	void *queue = page_of(blk, QUEUE_PAGE);
	struct blk_slot *slots = page_of(blk, HEADER_PAGE);
	enum disk_more more;

	if (!queue || !slots)
		return IO_AGAIN;
	blk->vm = vm;
	blk->took = false;
	take_completions(blk, queue, slots);
	give_finished(blk);
	take_requests(blk);
	more = disk_step(blk->disk, DISK_STEP);
	give_finished(blk);
	*kick = post_all(blk, queue, slots);
	if (blk->gave && !blk->took)
		*kick |= knock(blk, queue, slots);
	*kick = *kick && host_queue_wants_kick(queue);
	blk->gave = false;
	return result_of(blk, more);
}

u32 blk_missing(const struct blk *blk)
{
	return blk->missing;
}

/* ---- states ---- */

u64 blk_features(void)
{
	return F_SEG_MAX | F_BLK_SIZE | F_FLUSH | F_TOPOLOGY | F_DISCARD | F_WRITE_ZEROES |
	       VIRTIO_F_INDIRECT_DESC;
}

u64 blk_host_features(void)
{
	return F_FLUSH;
}

void blk_open(struct blk *blk, const u8 key[MON_DISK_KEY_SIZE], u64 opened)
{
	disk_open(blk->disk, key, opened, true);
}

u64 blk_opened(const struct blk *blk)
{
	return disk_super(blk->disk)->opened;
}

bool blk_is_old(const struct blk *blk)
{
	return disk_why(blk->disk) == DISK_WHY_ROLLED_BACK;
}

enum io_result blk_host_start(struct blk *blk, bool quiet)
{
	void *queue = page_of(blk, QUEUE_PAGE);

	if (!queue)
		return IO_AGAIN;
	host_queue_init(&blk->host, queue, BLK_SLOTS, BLK_SEGMENTS);
	if (quiet)
		host_queue_quiet(queue);
	blk->knocking = false;
	return IO_DONE;
}

u32 blk_host_queue(const struct blk *blk)
{
	return blk->first_page + QUEUE_PAGE;
}

void blk_start(struct blk *blk, u64 accepted, const struct guest_queue *queue)
{
	blk->queue = *queue;
	blk->queue.indirect = accepted & VIRTIO_F_INDIRECT_DESC;
	disk_write_back(blk->disk, accepted & F_FLUSH);
}

void blk_stop(struct blk *blk)
{
	u32 i;

	memset(&blk->queue, 0, sizeof(blk->queue));
	for (i = 0; i < BLK_REQS; i++)
		blk->req[i]->live = false;
}

bool blk_host_busy(const struct blk *blk)
{
	return blk->host.posted && !blk->host.fault;
}

enum disk_state blk_state(const struct blk *blk)
{
	return disk_state(blk->disk);
}

u64 blk_bad(const struct blk *blk)
{
	return disk_stats(blk->disk)->bad;
}

bool blk_broken(const struct blk *blk)
{
	return blk->queue.broken;
}

/* ---- its configuration (5.2.4) ---- */

struct blk_config {
	u64 capacity;
	u32 size_max;
	u32 seg_max;
	u8 geometry[4];
	u32 blk_size;
	u8 physical_block_exp;
	u8 alignment_offset;
	u16 min_io_size;
	u32 opt_io_size;
	u8 writeback;
	u8 unused0;
	u16 num_queues;
	u32 max_discard_sectors;
	u32 max_discard_seg;
	u32 discard_sector_alignment;
	u32 max_write_zeroes_sectors;
	u32 max_write_zeroes_seg;
	u8 write_zeroes_may_unmap;
	u8 unused1[3];
} __attribute__((packed));

_Static_assert(sizeof(struct blk_config) == BLK_CONFIG_SIZE, "virtio 1.2, 5.2.4");

void blk_config(const struct blk *blk, u32 offset, void *to, u32 len)
{
	u32 per_block = MON_DISK_BLOCK / DISK_SECTOR;
	struct blk_config config = {
		.seg_max = GUEST_CHAIN_MAX - 2,
		.blk_size = DISK_SECTOR,
		.physical_block_exp = 3,
		.min_io_size = (u16)per_block,
		.num_queues = 1,
		.max_discard_sectors = ~0u,
		.max_discard_seg = 1,
		.discard_sector_alignment = per_block,
		.max_write_zeroes_sectors = ~0u,
		.max_write_zeroes_seg = 1,
		.write_zeroes_may_unmap = 1,
	};

	if (blk_state(blk) == DISK_RUNNING)
		config.capacity = disk_super(blk->disk)->blocks * per_block;
	memcpy(to, (u8 *)&config + offset, len);
}
