// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/device.c core/io/device_state.c core/io/pci.c core/io/virtio.c */
/* needs: core/io/card.c core/io/net.c */
/* needs: core/io/mmio.c core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c core/sha256.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/*
 * Mediated devices on virtio-mmio: the guest's driver at their registers, and a model of QEMU's
 * transport, honest or not, at the same addresses.
 */
#include "device_sim.h"

#define CARD_AT 0xfeb00200u
#define DISK_AT 0xfeb02e00u

/* virtio 1.2, 4.2.2, as in Linux's virtio_mmio.h */
enum {
	MAGIC = 0x00, VERSION = 0x04, DEVICE_ID = 0x08, VENDOR_ID = 0x0c,
	OFFERED = 0x10, OFFERED_SELECT = 0x14, ACCEPTED = 0x20, ACCEPTED_SELECT = 0x24,
	QUEUE_SELECT = 0x30, QUEUE_SIZE_MAX = 0x34, QUEUE_SIZE = 0x38, READY = 0x44,
	NOTIFY = 0x50, INTERRUPT = 0x60, ACKNOWLEDGE = 0x64, STATUS = 0x70,
	DESC = 0x80, AVAIL = 0x90, USED = 0xa0, GENERATION = 0xfc, CONFIG = 0x100,
};

/* ---- QEMU's transport ---- */

static u32 interrupt[2];
static u64 elsewhere; /* accesses that are at none of its registers */

static void mmio_host_write(u32 n, u32 at, u32 value)
{
	struct function *f = &functions[n];
	static const u8 common[] = {
		[ACCEPTED_SELECT] = 0x08, [ACCEPTED] = 0x0c, [STATUS] = 0x14,
		[QUEUE_SELECT] = 0x16, [QUEUE_SIZE] = 0x18, [READY] = 0x1c, [DESC] = 0x20,
		[DESC + 4] = 0x24, [AVAIL] = 0x28, [AVAIL + 4] = 0x2c, [USED] = 0x30,
		[USED + 4] = 0x34,
	};

	if (at == NOTIFY) {
		f->bad += value > (n ? 0 : 1) || !(f->status & 4);
		f->kicks++;
		disk_kicked |= n;
	} else if (at == ACKNOWLEDGE) {
		interrupt[n] &= ~value;
	} else if (at < ARRAY_SIZE(common) && common[at]) {
		host_common_write(f, common[at], value);
	} else {
		f->bad++;
	}
}

static u32 mmio_honest(const struct device_ask *ask)
{
	u32 n = ask->at - DISK_AT < 0x200, at = (u32)(ask->at - (n ? DISK_AT : CARD_AT));

	asks++;
	host_devices();
	if (ask->port || at >= 0x200 || (at < CONFIG && (ask->size != 4 || at % 4))) {
		elsewhere++;
		return ~0u;
	}
	if (ask->write)
		mmio_host_write(n, at, ask->value);
	else if (at == INTERRUPT)
		return interrupt[n];
	else if (at != STATUS && at < CONFIG)
		functions[n].bad++;
	return at == STATUS ? functions[n].status : 0x11223344 + at;
}

/* ---- the guest ---- */

static u64 get(struct device *d, u32 at, u8 size)
{
	return reg_read(d, at, size);
}

static u32 get4(struct device *d, u32 at)
{
	return (u32)reg_read(d, at, 4);
}

static void set4(struct device *d, u32 at, u32 value)
{
	reg_write(d, at, 4, value);
}

static bool mmio_negotiate(struct device *d, u64 features)
{
	set4(d, STATUS, 0);
	set4(d, STATUS, 1);
	set4(d, STATUS, 3);
	set4(d, ACCEPTED_SELECT, 1);
	set4(d, ACCEPTED, features >> 32);
	set4(d, ACCEPTED_SELECT, 0);
	set4(d, ACCEPTED, (u32)features);
	set4(d, STATUS, 11);
	return get4(d, STATUS) & 8;
}

static void mmio_place(struct device *d, u32 n, const struct driver *q)
{
	set4(d, QUEUE_SELECT, n);
	set4(d, QUEUE_SIZE, q->size);
	set4(d, DESC, (u32)q->desc);
	set4(d, DESC + 4, q->desc >> 32);
	set4(d, AVAIL, (u32)q->avail);
	set4(d, AVAIL + 4, q->avail >> 32);
	set4(d, USED, (u32)q->used);
	set4(d, USED + 4, q->used >> 32);
	set4(d, READY, 1);
}

static bool mmio_drive_disk(void)
{
	struct guest_queue unused;

	if (!mmio_negotiate(disk, blk_features() | BIT(32)))
		return false;
	memset(guest, 0, sizeof(guest));
	driver_start(&driver, &unused, QUEUE_AT, GUEST_QUEUE);
	mmio_place(disk, 0, &driver);
	set4(disk, STATUS, 15);
	return get4(disk, STATUS) == 15;
}

static void mmio_notify_disk(void)
{
	set4(disk, NOTIFY, 0);
}

static u32 mmio_disk_do(u32 type, u64 sector, u32 len)
{
	return disk_do_by(mmio_notify_disk, type, sector, len);
}

static struct mon_vm_policy mmio_policy(void)
{
	struct mon_vm_policy p = good_policy();

	p.device[0].type |= MON_DEVICE_MMIO;
	p.device[0].function = CARD_AT;
	p.device[1].type |= MON_DEVICE_MMIO;
	p.device[1].function = DISK_AT;
	return p;
}

static void mmio_new(void)
{
	const struct mon_vm_policy policy = mmio_policy();

	sim_format();
	vm_of(&policy);
	host_answer = mmio_honest;
	interrupt[0] = interrupt[1] = 0;
	elsewhere = 0;
	check(!device_set_key(&vm, 1, blk_key, 0));
}

/* QEMU's devices have seen nothing that no driver may do. */
static bool by_the_rules(void)
{
	return !functions[0].bad && !functions[1].bad && !elsewhere;
}

/* ---- policies ---- */

static bool valid_at(u32 type, u32 place)
{
	struct mon_vm_policy p = mmio_policy();

	p.nr_ranges = 2;
	p.range[1].start = 0xfff00000;
	p.range[1].end = 1ULL << 32;
	p.range[1].type = MON_RANGE_FIRMWARE;
	p.device[1].type = type;
	p.device[1].function = place;
	return devices_valid(&p);
}

static void test_policies(void)
{
	const u32 mmio_disk = MON_DEVICE_DISK | MON_DEVICE_MMIO;
	struct mon_vm_policy p = mmio_policy();

	ok(valid_at(mmio_disk, DISK_AT) && valid_at(mmio_disk, CARD_AT + 0x200) &&
	   valid_at(mmio_disk, CARD_AT - 0x200), "a card and a disk, also side by side");
	ok(valid_at(mmio_disk, 64 << 20) && valid_at(mmio_disk, 0xffeffe00),
	   "... right behind memory, right before the firmware");
	ok(!valid_at(mmio_disk, (64 << 20) - 0x200) && !valid_at(mmio_disk, 0xfff00000) &&
	   !valid_at(mmio_disk, 0xfffffe00) && !valid_at(mmio_disk, 0), "not where memory is");
	p.range[0].start = PAGE_SIZE;
	p.device[1].function = 0;
	ok(!devices_valid(&p), "nor at 0, whatever is there");
	ok(!valid_at(mmio_disk, DISK_AT + 1) && !valid_at(mmio_disk, DISK_AT + 0x100) &&
	   !valid_at(mmio_disk, ~0u), "not between two places");
	ok(!valid_at(mmio_disk, CARD_AT), "two at one place");
	ok(valid_at(MON_DEVICE_DISK, 8) && !valid_at(MON_DEVICE_DISK, DISK_AT) &&
	   !valid_at(mmio_disk, 8) && !valid_at(mmio_disk, MON_DEVICE_BEHIND(8u, 0u)),
	   "a place is one of PCI or an address, as the type says");
	ok(!valid_at(MON_DEVICE_MMIO, DISK_AT) && !valid_at(mmio_disk | 0x200, DISK_AT) &&
	   !valid_at(3 | MON_DEVICE_MMIO, DISK_AT), "one of no type");
	p = mmio_policy();
	p.device[0].key_id[0] = 1;
	ok(!devices_valid(&p), "a card with a key");
}

static void test_places(void)
{
	u32 i, offset, wrong = 0;

	mmio_new();
	for (i = 0; i < 0x3000; i++) {
		u32 at = 0xfeb00000 + i;
		const struct device *d = at - CARD_AT < 0x200 ? card :
					 at - DISK_AT < 0x200 ? disk : NULL;

		wrong += device_at(&vm, at, &offset) != d ||
			 (d && offset != at - (d == card ? CARD_AT : DISK_AT));
		wrong += device_at(&vm, at | 1ULL << 32, &offset) || device_at(&vm, i, &offset);
	}
	ok(!wrong, "they are at their addresses, and nowhere else");
	for (i = 0; i < 0x10000; i++)
		wrong += !!device_there(i);
	ok(!wrong, "no function of PCI is one");
}

/* ---- by the rules ---- */

static void test_probe(void)
{
	u64 offered, before;

	mmio_new();
	before = asks;
	ok(get4(disk, MAGIC) == 0x74726976 && get4(disk, VERSION) == 2 &&
	   get4(disk, DEVICE_ID) == 2 && get4(card, DEVICE_ID) == 1 &&
	   get4(disk, VENDOR_ID) == 0x1af4, "a disk and a card of version 2");
	set4(disk, OFFERED_SELECT, 1);
	offered = (u64)get4(disk, OFFERED) << 32;
	set4(disk, OFFERED_SELECT, 0);
	offered |= get4(disk, OFFERED);
	ok(offered == (blk_features() | BIT(32)), "the disk offers what the monitor can");
	set4(card, QUEUE_SELECT, 1);
	ok(get4(card, QUEUE_SIZE_MAX) == HOST_QUEUE_SIZE && !get4(card, READY), "queues");
	set4(card, QUEUE_SIZE, 8);
	ok(get4(card, QUEUE_SIZE_MAX) == HOST_QUEUE_SIZE, "... whose maximum stays");
	set4(card, QUEUE_SELECT, 2);
	ok(!get4(card, QUEUE_SIZE_MAX), "... and no more of them");
	ok(asks == before && !get4(disk, GENERATION), "QEMU is asked for none of it");
}

static void test_disk(void)
{
	u64 capacity;

	mmio_new();
	ok(!get(disk, CONFIG, 8), "before it is open it has no capacity");
	ok(mmio_negotiate(disk, blk_features() | BIT(32)), "features agreed: the disk is open");
	capacity = get4(disk, CONFIG) | (u64)get4(disk, CONFIG + 4) << 32;
	ok(capacity == DISK_BLOCKS * SECTORS && get(disk, CONFIG, 8) == capacity,
	   "... with a capacity");
	ok(get4(disk, CONFIG + 60) == ~0u && get4(disk, CONFIG + 0xfc) == ~0u &&
	   get(disk, CONFIG + 0xff, 8) == ~0ULL, "behind its configuration there is nothing");
	ok(mmio_drive_disk() && functions[1].status == 15, "driven");
	test_requests(mmio_disk_do);
	set4(disk, STATUS, 0);
	ok(!functions[1].status && !get4(disk, STATUS), "a reset resets QEMU's");
	ok(mmio_drive_disk() && mmio_disk_do(T_IN, 8, BLOCK) == S_OK, "another driver reads");
	ok(by_the_rules(), "QEMU's has seen nothing against the rules");
}

#define RX_AT 0xd0000
#define TX_AT 0xd4000
#define PACKETS_AT 0xe0000

static void test_card(void)
{
	struct driver rx, tx;
	struct guest_queue unused;
	u32 written, kicks;
	u16 idx;

	mmio_new();
	ok(get(card, CONFIG, 1) == 0x44 && get(card, CONFIG + 4, 2) == 0x3448 &&
	   get4(card, CONFIG) == 0x11223444, "its address is QEMU's");
	ok(get4(card, CONFIG + 8) == ~0u && get(card, CONFIG, 8) == ~0ULL, "... and nothing else");
	check(mmio_negotiate(card, BIT(32) | BIT(5)));
	driver_start(&rx, &unused, RX_AT, 32);
	driver_start(&tx, &unused, TX_AT, 32);
	mmio_place(card, 0, &rx);
	mmio_place(card, 1, &tx);
	set4(card, STATUS, 15);
	ok(functions[0].status == 15 && device_wants_entry(card), "driven");
	driver_desc(&tx, 0, PACKETS_AT, 150, 0, 0);
	driver_give(&tx, 0);
	kicks = functions[0].kicks;
	set4(card, NOTIFY, 1);
	memcpy(&idx, arena_memory[1] + HOST_AVAIL_AT + 2, 2);
	ok(functions[0].kicks > kicks && idx == 1 && driver_take(&tx, &written) == 0,
	   "a packet is sent");
	interrupt[0] = 0xfffffff3;
	ok(get4(card, INTERRUPT) == 0xf3, "the interrupt status is QEMU's");
	set4(card, ACKNOWLEDGE, 0xffffff01);
	ok(interrupt[0] == 0xfffffff2, "... which is told that it was seen");
	set4(card, STATUS, 0);
	ok(!functions[0].status && !device_wants_entry(card) && by_the_rules(), "reset");
}

static void test_disabled(void)
{
	struct driver q = { .size = 8, .desc = QUEUE_AT, .avail = QUEUE_AT + 0x1000,
			    .used = QUEUE_AT + 0x2000 };

	mmio_new();
	check(mmio_negotiate(disk, blk_features() | BIT(32)));
	mmio_place(disk, 0, &q);
	set4(disk, READY, 0);
	ok(!get4(disk, READY), "a queue is given up before the driver is ready");
	set4(disk, STATUS, 15);
	ok((get4(disk, STATUS) & VIRTIO_NEEDS_RESET) && !device_wants_entry(disk),
	   "... without one it does not start");
	check(mmio_drive_disk());
	set4(disk, READY, 0);
	ok(get4(disk, READY) == 1 && mmio_disk_do(T_IN, 0, BLOCK) == S_OK,
	   "behind that it is not given up without a reset");
}

/* ---- against them ---- */

static void test_widths(void)
{
	static const u8 sizes[] = { 1, 2, 8 };
	u32 at, i, wrong = 0;
	u64 before;

	mmio_new();
	check(mmio_drive_disk());
	before = asks;
	for (at = 0; at < CONFIG; at++) {
		for (i = 0; i < ARRAY_SIZE(sizes); i++) {
			wrong += !!get(disk, at, sizes[i]);
			reg_write(disk, at, sizes[i], 0);
		}
		if (at % 4) {
			wrong += !!get(disk, at, 4);
			set4(disk, at, 0);
		}
	}
	ok(!wrong && asks == before && get4(disk, STATUS) == 15,
	   "registers are of 4 bytes, read and written whole");
	set4(disk, INTERRUPT, 1);
	set4(disk, CONFIG, 1);
	set4(disk, MAGIC, 1);
	ok(!get4(disk, ACKNOWLEDGE) && !get4(disk, NOTIFY) && !get4(disk, 0xb0) && asks == before,
	   "what is only read is not written, nor the other way round");
}

/* A guest that does anything: QEMU's devices are used by the rules all the time. */
static void test_random_guest(void)
{
	static const u8 likely[] = {
		OFFERED_SELECT, ACCEPTED, ACCEPTED_SELECT, QUEUE_SELECT, QUEUE_SIZE, READY, NOTIFY,
		ACKNOWLEDGE, STATUS, DESC, DESC + 4, AVAIL, AVAIL + 4, USED, USED + 4,
	};
	static const u8 states[] = { 0, 1, 3, 11, 15, 15 };
	u32 n, up = 0, at, resets;

	mmio_new();
	resets = functions[1].resets;
	for (n = 0; n < 100000; n++) {
		struct device *d = below(2) ? card : disk;

		if (below(400) == 0)
			up += mmio_drive_disk();
		at = below(4) ? likely[below(ARRAY_SIZE(likely))] : below(0x200);
		if (below(3) == 0)
			reg_read(d, at, (u8)(1u << below(4)));
		else
			reg_write(d, at, below(8) ? 4 : (u8)(1u << below(4)),
				  at == STATUS ? states[below(6)] :
				  below(2) ? below(4) : unit_random());
		if (below(16) == 0)
			entries();
	}
	ok(up > 100 && functions[1].resets > resets + 100 && by_the_rules(),
	   "a guest that does anything: its disk is driven %u times", up);
}

static u32 nonsense(const struct device_ask *ask)
{
	check(!ask->port && ask->at - CARD_AT < DISK_AT + 0x200 - CARD_AT);
	return below(3) ? (u32)unit_random() : below(2) ? ~0u : mmio_honest(ask);
}

/* A host that answers anything, and writes to queues as it likes */
static void test_hostile_host(void)
{
	u32 round, i, touched = 0, up = 0;

	for (round = 0; round < 100; round++) {
		mmio_new();
		up += mmio_drive_disk();
		memset(ram + BUFFERS_AT, UNTOUCHED, RAM - BUFFERS_AT);
		host_idle = true;
		host_answer = nonsense;
		for (i = 0; i < 40; i++) {
			guest_give(below(4), below(2) ? T_OUT : T_IN, below(50), 512, 1);
			arena_memory[FIRST_PAGE + below(2)][below(PAGE_SIZE)] = unit_random();
			arena_memory[FIRST_PAGE][HOST_USED_AT + 2] = below(8);
			set4(disk, NOTIFY, 0);
			entries();
			check(get4(disk, INTERRUPT) < 256 && get4(disk, MAGIC) == 0x74726976 &&
			      get4(disk, VERSION) == 2 && get4(disk, DEVICE_ID) == 2);
		}
		for (i = BUFFERS_AT + 4 * BUFFER_SIZE; i < RAM; i++)
			touched += ram[i] != UNTOUCHED;
	}
	ok(up == 100 && !touched, "a host that answers anything: the guest's memory stays");
	mmio_new();
	functions[1].refuses = true;
	ok(!mmio_negotiate(disk, blk_features() | BIT(32)) &&
	   (get4(disk, STATUS) & VIRTIO_NEEDS_RESET), "one whose device does not agree");
	functions[1].refuses = false;
	ok(mmio_drive_disk(), "... and does, later");
}

int main(void)
{
	sim_memory();
	test_policies();
	test_places();
	test_probe();
	test_disk();
	test_card();
	test_disabled();
	test_widths();
	test_random_guest();
	test_hostile_host();
	return unit_end();
}
