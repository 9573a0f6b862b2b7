// SPDX-License-Identifier: GPL-2.0-only
/* What a mediated device is: a disk or a network card, its making and its end. See device.h. */
#include "device_state.h"
#include "../sha256.h"

#define VIRTIO_NETWORK 1
#define VIRTIO_BLOCK 2
#define FUNCTIONS 256
#define SECONDARY_BUS 0x19u /* PCI-to-PCI Bridge 1.2, 3.2.5.3 */

static bool is_disk(const struct device *d)
{
	return d->type == MON_DEVICE_DISK;
}

/* ---- at work ---- */

static void count_lies(struct device *d)
{
	bool stopped = is_disk(d) ? blk_state(d->blk) == DISK_STOPPED : card_fault(&d->card);

	for (; is_disk(d) && d->bad < blk_bad(d->blk); d->bad++)
		count(MON_CNT_BLOCK_REFUSED);
	if (stopped && !d->stopped)
		count(is_disk(d) && blk_is_old(d->blk) ? MON_CNT_DISK_OLD : MON_CNT_DEVICE_STOPPED);
	d->stopped = stopped;
}

enum io_result device_work(struct device *d, struct vm *vm, u32 *kick)
{
	enum io_result result;
	bool kicks = false;

	if (is_disk(d)) {
		result = blk_work(d->blk, vm, &kicks);
		*kick |= kicks;
	} else {
		result = card_work(&d->card, vm, NULL, kick);
	}
	count_lies(d);
	if (d->started && (is_disk(d) ? blk_broken(d->blk) : card_broken(&d->card)))
		virtio_needs_reset(&d->virtio);
	return result;
}

u32 device_missing(const struct device *d)
{
	return is_disk(d) ? blk_missing(d->blk) : card_missing(&d->card);
}

bool device_host_busy(const struct device *d)
{
	return is_disk(d) && blk_host_busy(d->blk);
}

void device_note_active(struct device *d)
{
	bool work = d->kick || !is_disk(d) || blk_host_busy(d->blk);

	WRITE_ONCE(d->active, !d->owner && d->started && work);
}

bool device_wants_entry(const struct device *d)
{
	return READ_ONCE(d->active);
}

/* ---- states ---- */

bool device_sets_up_early(const struct device *d)
{
	return is_disk(d) ? blk_state(d->blk) != DISK_RUNNING :
			    d->card.nr_pairs > 1 && (d->virtio.status & VIRTIO_FEATURES_OK);
}

void device_open(struct device *d)
{
	if (!d->has_key || blk_state(d->blk) != DISK_CLOSED)
		return;
	blk_open(d->blk, d->key, d->opened);
	memset(d->key, 0, sizeof(d->key)); /* once is enough */
	d->has_key = false;
}

enum io_result device_opened(const struct device *d)
{
	if (!is_disk(d))
		return IO_DONE;
	switch (blk_state(d->blk)) {
	case DISK_RUNNING:
		return IO_DONE;
	case DISK_OPENING:
		return IO_MORE;
	default:
		return IO_AGAIN;
	}
}

bool device_start(struct device *d)
{
	struct guest_queue queue[VIRTIO_QUEUES_MAX] = { 0 };
	u32 i, needed = is_disk(d) ? 1 : 2; /* more than one pair no driver has to use */

	for (i = 0; i < d->virtio.queues; i++)
		if ((i < needed || d->virtio.queue[i].enabled) &&
		    !virtio_start_queue(&d->virtio, i, &queue[i]))
			return false;
	if (is_disk(d))
		blk_start(d->blk, d->virtio.accepted, queue);
	else
		card_start(&d->card, d->virtio.accepted, queue);
	d->started = true;
	return true;
}

void device_stop(struct device *d)
{
	if (is_disk(d) && d->started)
		blk_stop(d->blk);
	d->started = false;
}

bool device_config(const struct device *d, u32 offset, u32 size, u64 *value)
{
	*value = ~0ULL >> (64 - 8 * size);
	if (offset + size > d->pci.config_size)
		return true;
	if (!is_disk(d))
		return card_config(&d->card, offset, size, value);
	blk_config(d->blk, offset, value, size);
	return true;
}

/* ---- QEMU's device, set up ---- */

static u64 host_features(const struct device *d)
{
	return VIRTIO_F_VERSION_1 | (is_disk(d) ? blk_host_features() : card_features(&d->card));
}

static u32 queue_page(const struct device *d, u32 queue)
{
	return is_disk(d) ? blk_host_queue(d->blk) : card_queue_page(&d->card, queue);
}

/* The guest's queue that is QEMU's of this number: a driver of one pair has another last one. */
static u32 guests_queue(const struct device *d, u32 queue)
{
	if (is_disk(d) || queue < 2 * d->card.nr_pairs)
		return queue;
	return card_control(&d->card, d->virtio.accepted);
}

#define BEFORE_QUEUES 11
#define FOR_A_QUEUE 10
_Static_assert(BEFORE_QUEUES + VIRTIO_QUEUES_MAX * FOR_A_QUEUE < 256, "struct device_access's pc");

static void queue_step(const struct device *d, u32 queue, u32 n, bool vectors,
		       struct set_up_step *step)
{
	u64 page = arena_gpa(NULL, queue_page(d, queue));
	u64 desc = page + HOST_DESC_AT, avail = page + HOST_AVAIL_AT, used = page + HOST_USED_AT;
	u32 vector = vectors ? d->virtio.queue[guests_queue(d, queue)].vector : VIRTIO_NO_VECTOR;
	const struct set_up_step steps[FOR_A_QUEUE] = {
		{ true, 2, COMMON_QUEUE_SELECT, queue },
		{ true, 2, COMMON_QUEUE_SIZE, HOST_QUEUE_SIZE },
		{ true, 2, COMMON_QUEUE_VECTOR, vector },
		{ true, 4, COMMON_QUEUE_DESC, (u32)desc },
		{ true, 4, COMMON_QUEUE_DESC + 4, (u32)(desc >> 32) },
		{ true, 4, COMMON_QUEUE_AVAIL, (u32)avail },
		{ true, 4, COMMON_QUEUE_AVAIL + 4, (u32)(avail >> 32) },
		{ true, 4, COMMON_QUEUE_USED, (u32)used },
		{ true, 4, COMMON_QUEUE_USED + 4, (u32)(used >> 32) },
		{ true, 2, COMMON_QUEUE_ENABLE, 1 },
	};

	*step = steps[n];
}

/*
 * virtio 1.2, 3.1.1. Before it agrees to features a card has QEMU's do so, and no more than say how
 * many queues it has then: the number of the queue for commands depends on it. At work it would
 * interrupt a driver that is not ready.
 */
bool set_up_step(const struct device *d, u32 n, bool vectors, struct set_up_step *step)
{
	u64 features = host_features(d);
	bool counts = !is_disk(d) && !vectors;
	u32 seen = VIRTIO_ACKNOWLEDGE, driver = seen | VIRTIO_DRIVER,
	    agreed = driver | VIRTIO_FEATURES_OK,
	    vector = vectors ? d->virtio.config_vector : VIRTIO_NO_VECTOR;
	const struct set_up_step before[BEFORE_QUEUES] = {
		{ true, 1, COMMON_STATUS, 0 },
		{ false, 1, COMMON_STATUS, 0 },
		{ true, 1, COMMON_STATUS, seen },
		{ true, 1, COMMON_STATUS, driver },
		{ true, 4, COMMON_ACCEPTED_SELECT, 0 },
		{ true, 4, COMMON_ACCEPTED, (u32)features },
		{ true, 4, COMMON_ACCEPTED_SELECT, 1 },
		{ true, 4, COMMON_ACCEPTED, (u32)(features >> 32) },
		{ true, 1, COMMON_STATUS, agreed },
		{ false, 1, COMMON_STATUS, agreed },
		{ !counts, 2, counts ? COMMON_QUEUES : COMMON_CONFIG_VECTOR,
		  counts ? d->virtio.queues : vector },
	};
	u32 queues = counts ? 0 : d->virtio.queues * FOR_A_QUEUE;

	if (n < BEFORE_QUEUES)
		*step = before[n];
	else if (n < BEFORE_QUEUES + queues)
		queue_step(d, (n - BEFORE_QUEUES) / FOR_A_QUEUE, (n - BEFORE_QUEUES) % FOR_A_QUEUE,
			   vectors, step);
	else
		*step = (struct set_up_step){ true, 1, COMMON_STATUS, agreed | VIRTIO_DRIVER_OK };
	return n < BEFORE_QUEUES + queues + !counts;
}

enum io_result device_queues_clear(struct device *d, bool vectors, u32 *page)
{
	enum io_result result =
		is_disk(d) ? blk_host_start(d->blk, !vectors) : card_host_start(&d->card, NULL);

	*page = device_missing(d);
	return result;
}

/* ---- making, end ---- */

static u32 arena_pages(u32 type)
{
	return (u8)type == MON_DEVICE_DISK ? BLK_PAGES : CARD_PAGES(MON_DEVICE_NR_PAIRS(type));
}

_Static_assert(BLK_PAGES * PAGE_SIZE <= MON_VM_ARENA_DEVICE, "the arena of a disk");
_Static_assert(CARD_PAGES(MON_DEVICE_PAIRS_MAX) * PAGE_SIZE <= MON_VM_ARENA_DEVICE,
	       "the arena of a network card");
_Static_assert(CARD_QUEUES_MAX <= VIRTIO_QUEUES_MAX, "queues of a network card");

static bool arena_in_ram(const struct mon_vm_policy *p)
{
	u64 end = MON_VM_ARENA + p->nr_devices * MON_VM_ARENA_DEVICE;
	u32 i;

	for (i = 0; i < p->nr_ranges; i++)
		if (p->range[i].type == MON_RANGE_RAM && p->range[i].start <= MON_VM_ARENA &&
		    p->range[i].end >= end)
			return true;
	return !p->nr_devices;
}

static bool all_zeros(const void *from, u64 len)
{
	const u8 *byte = from;

	while (len && !*byte)
		byte++, len--;
	return !len;
}

static bool function_valid(u32 function)
{
	return function < FUNCTIONS || function >> 16 == MON_DEVICE_BEHIND_PORT >> 16;
}

/* No part of it is memory then, for ranges are of whole pages. */
static bool mmio_valid(const struct mon_vm_policy *p, u32 address)
{
	u32 i;

	for (i = 0; i < p->nr_ranges; i++)
		if (address >= p->range[i].start && address < p->range[i].end)
			return false;
	return address && IS_ALIGNED(address, MON_DEVICE_MMIO_SIZE);
}

static bool device_valid(const struct mon_vm_policy *p, u32 i)
{
	u32 type = p->device[i].type, place = p->device[i].function, j;

	if (type & MON_DEVICE_MMIO ? !mmio_valid(p, place) : !function_valid(place))
		return false;
	for (j = 0; j < i; j++)
		if (p->device[j].function == place)
			return false;
	if (type == MON_DEVICE_DISK || type == (MON_DEVICE_DISK | MON_DEVICE_MMIO))
		return true;
	return (type == (MON_DEVICE_NETWORK | MON_DEVICE_MMIO) ||
		(type & ~MON_DEVICE_PAIRS_MASK) == MON_DEVICE_NETWORK) &&
	       all_zeros(p->device[i].key_id, sizeof(p->device[i].key_id));
}

bool devices_valid(const struct mon_vm_policy *p)
{
	u32 i;

	if (p->nr_devices > MON_VM_MAX_DEVICES || p->reserved || !arena_in_ram(p))
		return false;
	for (i = 0; i < p->nr_devices; i++)
		if (!device_valid(p, i))
			return false;
	return all_zeros(&p->device[i], (MON_VM_MAX_DEVICES - i) * sizeof(p->device[0]));
}

/* npt_lock is held. */
static void frames_put(struct device *d, void (*put)(u64 pfn))
{
	u32 i = d->nr_frames;

	/* The first one has the list. */
	while (i--)
		put(d->pfn[i]);
}

static struct device *frames_get(u32 nr, void **page)
{
	struct device *d = NULL;
	u64 pfn;
	u32 i;

	spin_lock(&npt_lock);
	for (i = 0; i < nr; i++) {
		pfn = frame_get(FRAME_STATE);
		if (pfn == INVALID_PFN)
			break;
		if (!d)
			d = frame_ptr(pfn);
		page[i] = frame_ptr(pfn);
		d->pfn[i] = pfn;
		d->nr_frames = i + 1;
	}
	if (d && i < nr) {
		frames_put(d, frame_put);
		d = NULL;
	}
	spin_unlock(&npt_lock);
	return d;
}

static void set_place(struct device *d, u32 type, u32 function)
{
	d->port = NO_PORT;
	if (type & MON_DEVICE_MMIO) {
		d->mmio = function;
		function = MON_DEVICE_BEHIND_PORT; /* of PCI, none */
	} else if (function & MON_DEVICE_BEHIND_PORT) {
		d->port = (u8)(function >> 8);
	}
	d->function = function & (MON_DEVICE_BEHIND_PORT | 0xff);
}

static struct device *create(u32 type, u32 first_page)
{
	u32 pairs = MON_DEVICE_NR_PAIRS(type), queues = CARD_QUEUES(pairs);
	void *page[DEVICE_FRAMES_MAX];
	struct device *d;

	MONITOR_BUG_ON(blk_frames() >= DEVICE_FRAMES_MAX);
	d = frames_get(1 + ((u8)type == MON_DEVICE_DISK ? blk_frames() : pairs), page);
	if (!d)
		return NULL;
	d->type = (u8)type;
	d->first_page = first_page;
	if (is_disk(d)) {
		d->blk = blk_create(page + 1, NULL, first_page);
		pci_init(&d->pci, VIRTIO_BLOCK, 2, BLK_CONFIG_SIZE);
		virtio_init(&d->virtio, VIRTIO_F_VERSION_1 | blk_features(), 1, GUEST_QUEUE_MAX, 2);
	} else {
		card_init(&d->card, pairs, page + 1, first_page);
		pci_init(&d->pci, VIRTIO_NETWORK, (u16)(1 + queues), card_config_size(&d->card));
		virtio_init(&d->virtio, VIRTIO_F_VERSION_1 | card_features(&d->card), (u16)queues,
			    HOST_QUEUE_SIZE, (u16)(1 + queues));
	}
	return d;
}

void devices_retire(struct vm *vm)
{
	u32 i;

	spin_lock(&npt_lock);
	for (i = 0; i < vm->policy.nr_devices; i++) {
		if (vm->device[i])
			frames_put(vm->device[i], frame_retire);
		vm->device[i] = NULL;
	}
	spin_unlock(&npt_lock);
}

int devices_create(struct vm *vm)
{
	u32 i, page = 0, type;

	for (i = 0; i < vm->policy.nr_devices; i++) {
		type = vm->policy.device[i].type;
		vm->device[i] = create(type, page);
		if (!vm->device[i]) {
			devices_retire(vm);
			return NPT_EPOOL;
		}
		set_place(vm->device[i], type, vm->policy.device[i].function);
		page += arena_pages(type);
	}
	return NPT_OK;
}

/* ---- of a VM ---- */

/* The guest is trusted with its buses: of two that it has put to one place, the first is there. */
struct device *device_of_function(const struct vm *vm, u32 bdf, const struct device_access *access)
{
	u32 i, bus, byte = SECONDARY_BUS - access->offset;
	struct device *d;

	for (i = 0; i < vm->policy.nr_devices; i++) {
		d = vm->device[i];
		if (READ_ONCE(d->function) == bdf)
			return d;
		if (d->port != bdf || !access->write || byte >= access->size)
			continue;
		bus = (u8)(access->value >> 8 * byte);
		WRITE_ONCE(d->function,
			   (u8)d->function | (bus ? bus << 8 : MON_DEVICE_BEHIND_PORT));
	}
	return NULL;
}

static bool is_at(const struct device *d, u64 gpa, u32 *offset)
{
	if (!d->mmio)
		return pci_bar4(&d->pci, gpa, offset);
	*offset = (u32)(gpa - d->mmio);
	return gpa - d->mmio < MON_DEVICE_MMIO_SIZE;
}

struct device *device_at(const struct vm *vm, u64 gpa, u32 *offset)
{
	u32 i;

	for (i = 0; i < vm->policy.nr_devices; i++)
		if (is_at(vm->device[i], gpa, offset))
			return vm->device[i];
	return NULL;
}

static bool key_is(const u8 *key, const u8 *key_id)
{
	struct sha256 hash;
	u8 id[32];

	sha256_init(&hash);
	sha256_update(&hash, MON_VM_KEY_ID_INFO, sizeof(MON_VM_KEY_ID_INFO) - 1);
	sha256_update(&hash, key, MON_VM_KEY_SIZE);
	sha256_final(&hash, id);
	return !memcmp(id, key_id, sizeof(id));
}

/* NULL: there is none, or it is no disk. */
static struct device *disk_of(const struct vm *vm, u64 index)
{
	if (index >= vm->policy.nr_devices || !is_disk(vm->device[index]))
		return NULL;
	return vm->device[index];
}

s64 device_set_key(struct vm *vm, u64 index, const u8 key[MON_VM_KEY_SIZE], u64 opened)
{
	struct device *d = disk_of(vm, index);

	if (!d || !key_is(key, vm->policy.device[index].key_id))
		return -MON_EINVAL;
	spin_lock(&d->lock);
	memcpy(d->key, key, MON_VM_KEY_SIZE);
	d->opened = opened;
	d->has_key = true;
	spin_unlock(&d->lock);
	return 0;
}

s64 device_disk_opened(const struct vm *vm, u64 index)
{
	struct device *d = disk_of(vm, index);
	s64 opened = -MON_EAGAIN;

	if (!d)
		return -MON_ENOENT;
	spin_lock(&d->lock);
	if (blk_state(d->blk) == DISK_RUNNING)
		opened = (s64)(blk_opened(d->blk) & ~BIT(63));
	spin_unlock(&d->lock);
	return opened;
}
