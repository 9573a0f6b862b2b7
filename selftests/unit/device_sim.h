/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * For tests of mediated devices: a VM with a network card and a disk, its accesses, and what KVM
 * and QEMU make of what they are shown: two virtio functions, honest, that know the rules.
 */
#ifndef _UNIT_DEVICE_SIM_H
#define _UNIT_DEVICE_SIM_H

#define FIRST_PAGE 66 /* of the disk: behind the card's */
#include "blk_sim.h"
#include "core/io/device_state.h"

#define CARD_FUNCTION 0x18
#define DISK_FUNCTION 0x20
#define HOST_MSIX 0x84 /* where QEMU has it */
#define CARD_BAR 0xfebf0000u
#define DISK_BAR 0xfebf4000u
#define CPUS 3

_Static_assert(NET_PAGES == FIRST_PAGE, "the card's part of the arena");

/* ---- frames ---- */

#define POOL 600

struct spinlock npt_lock;
static u8 pool[POOL][PAGE_SIZE] __attribute__((aligned(4096)));
static bool pool_used[POOL];
static u32 pool_size = POOL;

void *frame_ptr(u64 pfn)
{
	check(pfn < POOL && pool_used[pfn]);
	return pool[pfn];
}

u64 frame_get(enum frame_type type)
{
	u32 i;

	check(npt_lock.held && type == FRAME_STATE);
	for (i = 0; i < pool_size; i++) {
		if (!pool_used[i]) {
			pool_used[i] = true;
			memset(pool[i], 0, PAGE_SIZE);
			return i;
		}
	}
	return INVALID_PFN;
}

void frame_put(u64 pfn)
{
	check(npt_lock.held && pfn < POOL && pool_used[pfn]);
	pool_used[pfn] = false;
	memset(pool[pfn], 0x77, PAGE_SIZE); /* who uses it now sees that */
}

void frame_retire(u64 pfn)
{
	frame_put(pfn);
}

static u32 pool_taken(void)
{
	u32 i, n = 0;

	for (i = 0; i < POOL; i++)
		n += pool_used[i];
	return n;
}

/* ---- what the monitor counts ---- */

static u32 counted[MON_CNT_NR];

void count(enum mon_counter counter)
{
	counted[counter]++;
}

/* ---- QEMU's functions ---- */

/**
 * struct function - of QEMU's
 * @config: its configuration space
 * @common: its common configuration, as it was written
 * @queues: how many it has; of a card, two for each pair and one for commands if there are several
 * @enabled: of its queues
 * @refuses: it does not agree to features
 * @resets, @kicks: how often
 * @bad: what it has seen that no driver may do
 */
struct function {
	u8 config[256];
	u8 status;
	u32 select;
	u64 features;
	u16 config_vector;
	u16 queue;
	u16 queues;
	u16 vector[CARD_QUEUES_MAX], size[CARD_QUEUES_MAX];
	u64 place[CARD_QUEUES_MAX][3];
	bool enabled[CARD_QUEUES_MAX];
	bool refuses;
	u32 resets, kicks, bad;
};

static struct vm vm;
static struct function functions[2]; /* the card, the disk */
static u32 host_address;	     /* PCI's */
static u32 host_disk_at;	     /* bus, device, function */
static bool host_idle;		     /* QEMU does nothing now */
static bool disk_kicked;	     /* the disk's queue has not been looked at since */

static void host_reset_function(struct function *f)
{
	f->status = 0;
	f->features = f->select = f->queue = 0;
	memset(f->enabled, 0, sizeof(f->enabled));
	memset(f->place, 0, sizeof(f->place));
	memset(f->size, 0, sizeof(f->size));
	f->config_vector = VIRTIO_NO_VECTOR;
	memset(f->vector, 0xff, sizeof(f->vector));
	f->resets++;
	if (f == &functions[1]) { /* what it has of the disk's is gone */
		disk_kicked = false;
		host.seen = host.used = 0;
		host.nr = 0;
	}
}

/* Are its queues where the monitor has to have them? */
static bool queues_right(const struct function *f)
{
	u32 i;

	for (i = 0; i < f->queues; i++) {
		u32 page = f == &functions[1] ? FIRST_PAGE : i / 2 * NET_PAGES + i % 2;
		u64 at = ARENA_GPA + page * PAGE_SIZE;

		if (!f->enabled[i] || f->size[i] != HOST_QUEUE_SIZE ||
		    f->place[i][0] != at + HOST_DESC_AT || f->place[i][1] != at + HOST_AVAIL_AT ||
		    f->place[i][2] != at + HOST_USED_AT)
			return false;
	}
	return true;
}

static void host_status(struct function *f, u8 value)
{
	u64 known = BIT(32) | (f == &functions[1] ? BIT(9) : BIT(5) | BIT(16)) |
		    (f->queues > 2 ? BIT(17) | BIT(22) : 0);

	if (!value) {
		host_reset_function(f);
		return;
	}
	f->bad += (value & f->status) != f->status;
	if ((value & 8) && (f->refuses || (f->features & ~known) || !(f->features & BIT(32))))
		value &= ~8;
	if ((value & 4) && (!(f->status & 8) || !queues_right(f)))
		f->bad++;
	f->status = value;
}

static void host_common_write(struct function *f, u32 at, u32 value)
{
	u16 q = f->queue % CARD_QUEUES_MAX;

	switch (at) {
	case 0x08:
		f->select = value;
		break;
	case 0x0c:
		f->bad += f->select > 1 || (f->status & 8);
		f->features |= (u64)value << 32 * (f->select & 1);
		break;
	case 0x10:
		f->config_vector = value;
		break;
	case 0x14:
		host_status(f, value);
		break;
	case 0x16:
		f->queue = value;
		break;
	case 0x18:
		f->size[q] = value;
		break;
	case 0x1a:
		f->vector[q] = value;
		break;
	case 0x1c:
		f->enabled[q] = value == 1;
		break;
	case 0x20 ... 0x34:
		f->place[q][(at - 0x20) / 8] |= (u64)value << 8 * (at % 8);
		break;
	default:
		f->bad++;
	}
}

/* One of the disk's requests; it looks for new ones when it was told that there are. */
static void host_devices(void)
{
	if (host_idle || !(functions[1].status & 4))
		return;
	if (disk_kicked)
		host_look();
	disk_kicked = false;
	host_one();
}

static u32 host_memory_access(const struct device_ask *ask)
{
	u32 card = ask->at - CARD_BAR < PCI_BAR_SIZE;
	struct function *f = &functions[!card];
	u32 at = (u32)(ask->at - (card ? CARD_BAR : DISK_BAR));

	if (at >= PCI_BAR_SIZE) {
		f->bad++; /* the guest has put its BAR somewhere else */
		return ~0u;
	}
	if (ask->write && at < PCI_ISR)
		host_common_write(f, at, ask->value);
	else if (ask->write && at - PCI_NOTIFY == 4 * ask->value && (f->status & 4))
		f->kicks++, disk_kicked |= !card;
	host_devices();
	if (at == 0x14)
		return f->status;
	if (at == 0x12)
		return f->queues;
	return at < PCI_DEVICE ? 1 : 0x11223344 + at;
}

static u32 host_port_access(const struct device_ask *ask)
{
	u32 function = host_address >> 8 & 0xffff, reg = (host_address & 0xfc) + (ask->at & 3);
	struct function *f = &functions[function == host_disk_at];
	u32 value = 0;

	if (ask->at == 0xcf8) {
		check(ask->write && ask->size == 4);
		check(ask->value == vm.pci_address ||
		      ((ask->value & BIT(31)) && !(ask->value & 0x7f000003)));
		host_address = ask->value;
		return 0;
	}
	check(ask->at >= 0xcfc && ask->at + ask->size <= 0xd00);
	check(function == host_disk_at || function == CARD_FUNCTION);
	if (ask->write)
		memcpy(f->config + reg, &ask->value, ask->size);
	else
		memcpy(&value, f->config + reg, ask->size);
	return value;
}

static void functions_new(void)
{
	u32 i;

	memset(functions, 0, sizeof(functions));
	for (i = 0; i < 2; i++) {
		u8 *c = functions[i].config;

		functions[i].queues = i ? 1 : 2;
		host_reset_function(&functions[i]);
		c[0x34] = 0x98; /* MSI-X is not the first, and not where the guest sees it */
		c[0x98] = 9;
		c[0x99] = HOST_MSIX;
		c[HOST_MSIX] = 0x11;
		c[HOST_MSIX + 1] = 0;
	}
}

/* ---- the guest's accesses ---- */

static struct device_access cpu_access[CPUS];
static struct device_ask cpu_ask[CPUS];
static struct device *card, *disk;

static u64 asks; /* of the host, in all */
static u32 (*host_answer)(const struct device_ask *ask);

static u32 honest(const struct device_ask *ask)
{
	asks++;
	check(ask->size == 1 || ask->size == 2 || ask->size == 4);
	check(ask->size == 4 || !ask->write || !(ask->value >> 8 * ask->size));
	return ask->port ? host_port_access(ask) : host_memory_access(ask);
}

/* One step of a CPU's access: the host does what it is asked for, and the monitor hears of it */
static enum device_result step(struct device *d, u32 cpu, bool *answered, u32 *answer)
{
	enum device_result result = device_go(d, &vm, &cpu_access[cpu], *answered, *answer,
					      &cpu_ask[cpu]);

	check(!d->lock.held && !npt_lock.held);
	*answered = result == DEVICE_ASK;
	if (result == DEVICE_ASK) {
		*answer = host_answer(&cpu_ask[cpu]);
		if (cpu_ask[cpu].size < 4) /* as vmx/vcpu_device.c */
			*answer &= (1u << 8 * cpu_ask[cpu].size) - 1;
	} else if (result == DEVICE_PAGE) {
		u64 page = (cpu_ask[cpu].at - ARENA_GPA) / PAGE_SIZE;

		check(page < ARENA_PAGES);
		arena_mapped[page] = true;
	} else if (result == DEVICE_YIELD) {
		host_devices();
	}
	return result;
}

static enum device_result go(struct device *d, struct device_access access)
{
	enum device_result result;
	bool answered = false;
	u32 answer = 0, n = 0;

	cpu_access[0] = access;
	do
		result = step(d, 0, &answered, &answer);
	while (result != DEVICE_DONE && result != DEVICE_BUSY && n++ < 20000);
	check(n < 20000);
	return result;
}

static struct device_access access_of(u8 region, bool write, u8 size, u32 offset, u64 value)
{
	return (struct device_access){ .region = region, .write = write, .size = size,
				       .offset = offset, .value = value };
}

/* One that no other CPU is in the way of; what it reads */
static u64 at_once(struct device *d, u8 region, bool write, u8 size, u32 offset, u64 value)
{
	check(go(d, access_of(region, write, size, offset, value)) == DEVICE_DONE);
	return cpu_access[0].value;
}

static u64 reg_read(struct device *d, u32 offset, u8 size)
{
	return at_once(d, DEVICE_BAR, false, size, offset, ~0ULL);
}

static void reg_write(struct device *d, u32 offset, u8 size, u64 value)
{
	at_once(d, DEVICE_BAR, true, size, offset, value);
}

/* The port of the address is the guest's as well: QEMU has what it has written there. */
static void point_at(const struct device *d, u32 reg)
{
	vm.pci_address = (u32)BIT(31) | d->function << 8 | (reg & 0xfc);
	host_address = vm.pci_address;
}

static u32 cfg_read(struct device *d, u32 reg, u8 size)
{
	point_at(d, reg);
	return (u32)at_once(d, DEVICE_CONFIG, false, size, reg, 0);
}

static void cfg_write(struct device *d, u32 reg, u8 size, u32 value)
{
	point_at(d, reg);
	at_once(d, DEVICE_CONFIG, true, size, reg, value);
}

/* The guest is entered, as often as there is a reason to look before. */
static void entries(void)
{
	u32 n;

	for (n = 0; n < 40; n++) {
		if (device_wants_entry(card))
			at_once(card, DEVICE_ENTRY, false, 0, 0, 0);
		if (device_wants_entry(disk))
			at_once(disk, DEVICE_ENTRY, false, 0, 0, 0);
		host_devices();
	}
}

/* ---- its driver ---- */

static u8 status_now(struct device *d)
{
	return (u8)reg_read(d, 0x14, 1);
}

static void set_status(struct device *d, u8 value)
{
	reg_write(d, 0x14, 1, value);
}

static void probe(struct device *d, u32 bar)
{
	cfg_write(d, 0x20, 4, bar);
	cfg_write(d, 0x14, 4, 0xfebe0000);
	cfg_write(d, 0x04, 2, 6);
}

static bool negotiate(struct device *d, u64 features)
{
	set_status(d, 0);
	set_status(d, 1);
	set_status(d, 3);
	reg_write(d, 0x08, 4, 0);
	reg_write(d, 0x0c, 4, (u32)features);
	reg_write(d, 0x08, 4, 1);
	reg_write(d, 0x0c, 4, features >> 32);
	set_status(d, 11);
	return status_now(d) & 8;
}

static void place_queue(struct device *d, u16 n, const struct driver *q, u16 vector)
{
	reg_write(d, 0x16, 2, n);
	reg_write(d, 0x18, 2, q->size);
	reg_write(d, 0x20, 8, q->desc);
	reg_write(d, 0x28, 8, q->avail);
	reg_write(d, 0x30, 8, q->used);
	reg_write(d, 0x1a, 2, vector);
	reg_write(d, 0x1c, 2, 1);
}

static void drive_disk(void)
{
	struct guest_queue unused;

	memset(guest, 0, sizeof(guest));
	driver_start(&driver, &unused, QUEUE_AT, GUEST_QUEUE);
	place_queue(disk, 0, &driver, 1);
	reg_write(disk, 0x10, 2, 0);
	set_status(disk, 15);
}

/* A request to its end: its status; 0xff: it has none */
static u32 disk_do_by(void (*notify)(void), u32 type, u64 sector, u32 len)
{
	u32 n;

	guest_give(0, type, sector, len, 2);
	notify();
	for (n = 0; n < 50 && guest[0].state == 1; n++) {
		entries();
		guest_take();
	}
	if (guest[0].state != 2)
		return 0xff;
	guest[0].state = 0;
	return *status_of(0);
}

static void notify_disk(void)
{
	reg_write(disk, PCI_NOTIFY, 2, 0);
}

static u32 disk_do(u32 type, u64 sector, u32 len)
{
	return disk_do_by(notify_disk, type, sector, len);
}

/* What a disk that is driven does: three points. */
static void test_requests(u32 (*request)(u32 type, u64 sector, u32 len))
{
	u32 i, n = 0;

	for (i = 0; i < 2 * BLOCK; i++)
		buffer_of(0)[i] = (u8)(i * 13 + 7);
	ok(request(T_OUT, 8, 2 * BLOCK) == S_OK && request(T_FLUSH, 0, 0) == S_OK,
	   "written and flushed");
	memset(buffer_of(0), 0, 2 * BLOCK);
	ok(request(T_IN, 8, 2 * BLOCK) == S_OK && buffer_of(0)[1] == 20, "and read");
	for (i = 0; i < 300; i++) {
		u32 type = i % 3 ? T_OUT : i % 2 ? T_IN : T_FLUSH;

		n += request(type, i * 8, type == T_FLUSH ? 0 : BLOCK) == S_OK;
	}
	ok(n == 300 && !functions[1].bad && functions[1].kicks, "300 more");
}

/* ---- a VM ---- */

static void key_id(const u8 *key, u8 *id)
{
	struct sha256 hash;

	sha256_init(&hash);
	sha256_update(&hash, MON_VM_KEY_ID_INFO, sizeof(MON_VM_KEY_ID_INFO) - 1);
	sha256_update(&hash, key, MON_VM_KEY_SIZE);
	sha256_final(&hash, id);
}

static struct device *device_there(u32 bdf)
{
	const struct device_access read = { .size = 4 };

	return device_of_function(&vm, bdf, &read);
}

static struct mon_vm_policy good_policy(void)
{
	struct mon_vm_policy p = { .nr_ranges = 1, .nr_devices = 2 };

	p.range[0].end = 64 << 20;
	p.range[0].type = MON_RANGE_RAM;
	p.device[0].type = MON_DEVICE_NETWORK;
	p.device[0].function = CARD_FUNCTION;
	p.device[1].type = MON_DEVICE_DISK;
	p.device[1].function = DISK_FUNCTION;
	key_id(blk_key, p.device[1].key_id);
	return p;
}

static void vm_of(const struct mon_vm_policy *policy)
{
	devices_retire(&vm);
	memset(&vm, 0, sizeof(vm));
	memset(&host.count, 0, sizeof(host.count));
	memset(counted, 0, sizeof(counted));
	memset(ram, UNTOUCHED, sizeof(ram));
	memset(arena_memory, 0, sizeof(arena_memory));
	memset(arena_mapped, 0, sizeof(arena_mapped));
	arena_lazy = true;
	host_answer = honest;
	host_idle = false;
	functions_new();
	vm.policy = *policy;
	check(devices_valid(&vm.policy) && devices_create(&vm) == NPT_OK);
	card = vm.device[0];
	disk = vm.device[1];
	host_disk_at = DISK_FUNCTION;
}

static void vm_new(void)
{
	const struct mon_vm_policy policy = good_policy();

	vm_of(&policy);
	check(device_there(CARD_FUNCTION) == card && device_there(DISK_FUNCTION) == disk);
}

/* ... with its key, both functions found by the guest */
static void vm_probed(void)
{
	vm_new();
	check(!device_set_key(&vm, 1, blk_key, 0));
	probe(card, CARD_BAR);
	probe(disk, DISK_BAR);
}

/* A VM with a card of so many pairs alone, which the guest has found */
static void vm_of_card(u32 pairs)
{
	struct mon_vm_policy p = good_policy();

	p.nr_devices = 1;
	memset(&p.device[1], 0, sizeof(p.device[1]));
	p.device[0].type |= MON_DEVICE_PAIRS(pairs);
	vm_of(&p);
	functions[0].queues = CARD_QUEUES(pairs);
	probe(card, CARD_BAR);
}

#endif /* _UNIT_DEVICE_SIM_H */
