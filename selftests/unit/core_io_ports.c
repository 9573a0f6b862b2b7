// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/device.c core/io/device_state.c core/io/pci.c core/io/virtio.c */
/* needs: core/io/card.c core/io/net.c */
/* needs: core/io/mmio.c core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c core/sha256.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/*
 * Mediated devices behind root ports: they are where the guest has put their bus, by whatever
 * writes, in whatever order, and nowhere else.
 */
#include "device_sim.h"

#define PORT 0x08u
#define OTHER_PORT 0x09u
#define ALL_FUNCTIONS 0x10000u
#define NOWHERE ALL_FUNCTIONS

static struct mon_vm_policy port_policy(u32 card_at, u32 disk_at)
{
	struct mon_vm_policy p = good_policy();

	p.device[0].function = card_at;
	p.device[1].function = disk_at;
	return p;
}

static void vm_behind(u32 card_at, u32 disk_at)
{
	const struct mon_vm_policy policy = port_policy(card_at, disk_at);

	vm_of(&policy);
}

/* The guest writes to the configuration of a function; true: it is the monitor's to answer. */
static bool guest_writes(u32 bdf, u32 offset, u8 size, u64 value)
{
	struct device_access access = access_of(DEVICE_CONFIG, true, size, offset, value);

	return device_of_function(&vm, bdf, &access);
}

/* The only place where it is, found as the guest does: by looking; NOWHERE; or more than that */
static u32 place_of(const struct device *d)
{
	u32 bdf, found = NOWHERE;

	for (bdf = 0; bdf < ALL_FUNCTIONS; bdf++)
		if (device_there(bdf) == d)
			found = found == NOWHERE ? bdf : 2 * NOWHERE;
	return found;
}

static bool valid(u32 card_at, u32 disk_at)
{
	const struct mon_vm_policy policy = port_policy(card_at, disk_at);

	return devices_valid(&policy);
}

static void test_policies(void)
{
	ok(MON_DEVICE_BEHIND(0xffu, 0xffu) == 0x1ffff && MON_DEVICE_BEHIND(8u, 1u) == 0x10801,
	   "a place behind a port is as its contract says");
	ok(valid(MON_DEVICE_BEHIND(PORT, 0u), DISK_FUNCTION) &&
	   valid(MON_DEVICE_BEHIND(0xffu, 0xffu), MON_DEVICE_BEHIND(0u, 0u)), "behind any port");
	ok(valid(MON_DEVICE_BEHIND(PORT, 0u), MON_DEVICE_BEHIND(PORT, 1u)) &&
	   valid(MON_DEVICE_BEHIND(PORT, 0u), MON_DEVICE_BEHIND(OTHER_PORT, 0u)) &&
	   valid(MON_DEVICE_BEHIND(PORT, DISK_FUNCTION), DISK_FUNCTION),
	   "two behind one, at one function of two buses");
	ok(!valid(MON_DEVICE_BEHIND(PORT, 0u), MON_DEVICE_BEHIND(PORT, 0u)), "two at one place");
	ok(!valid(0x20000, DISK_FUNCTION) && !valid(0x30000, DISK_FUNCTION) &&
	   !valid(0x80010000, DISK_FUNCTION) && !valid(PORT << 8, DISK_FUNCTION) &&
	   !valid(~0u, DISK_FUNCTION), "bits with no meaning");
}

/* Writes to PORT, by which the bus behind it is made 5, or not changed */
static const struct {
	u32 offset;
	u8 size;
	u64 value;
	bool sets;
} writes[] = {
	{ 0x19, 1, 5, true },	       { 0x18, 2, 0x0500, true },
	{ 0x18, 4, 0x40ff0500, true }, { 0x19, 2, 0xff05, true },
	{ 0x16, 4, 5 << 24, true },    { 0x18, 8, 0x1122334455ff0501, true },
	{ 0x14, 8, 5ULL << 40, true }, { 0x12, 8, 5ULL << 56, true },
	{ 0x18, 1, 5, false },	       { 0x1a, 1, 5, false },
	{ 0x1a, 2, 0x0505, false },    { 0x1c, 4, 0x05050505, false },
	{ 0x17, 2, 0x0505, false },    { 0x14, 4, 0x05050505, false },
	{ 0x119, 1, 5, false },	       { 0x1a, 8, 0x0505050505050505, false },
	{ 0x10, 8, ~0ULL, false },     { 0xfff, 4, ~0ULL, false },
};

static void test_writes(void)
{
	const struct device_access read = access_of(DEVICE_CONFIG, false, 4, 0x18, 0x050505);
	/* Also those of other buses, its own among them */
	static const u32 others[] = { OTHER_PORT, 0, 0x703, 0x108, 0x708, 0x10008, 0xff08,
				      CARD_FUNCTION };
	u32 i, wrong = 0;

	vm_behind(CARD_FUNCTION, MON_DEVICE_BEHIND(PORT, 3u));
	ok(place_of(disk) == NOWHERE && place_of(card) == CARD_FUNCTION,
	   "before its bus has a number it is nowhere");
	for (i = 0; i < ARRAY_SIZE(writes); i++) {
		guest_writes(PORT, 0x19, 1, 7);
		check(place_of(disk) == 0x703);
		check(!guest_writes(PORT, writes[i].offset, writes[i].size, writes[i].value));
		wrong += place_of(disk) != (writes[i].sets ? 0x503 : 0x703);
	}
	ok(!wrong, "writes of any size: the byte counts, where it is among them");
	guest_writes(PORT, 0x19, 1, 7);
	check(!device_of_function(&vm, PORT, &read));
	for (i = 0; i < ARRAY_SIZE(others); i++)
		guest_writes(others[i], 0x19, 1, 5);
	ok(place_of(disk) == 0x703 && place_of(card) == CARD_FUNCTION,
	   "what is read, or written elsewhere, changes nothing");
	guest_writes(PORT, 0x19, 1, 0);
	ok(place_of(disk) == NOWHERE, "bus 0 is not behind a port");
	guest_writes(PORT, 0x18, 4, 0xffff00);
	ok(place_of(disk) == 0xff03, "the last bus");
}

static void test_two_ports(void)
{
	vm_behind(MON_DEVICE_BEHIND(PORT, 0u), MON_DEVICE_BEHIND(OTHER_PORT, 0u));
	guest_writes(PORT, 0x18, 4, 0x010100);
	guest_writes(OTHER_PORT, 0x18, 4, 0x020200);
	ok(place_of(card) == 0x100 && place_of(disk) == 0x200, "two ports, each its bus");
	guest_writes(OTHER_PORT, 0x19, 1, 1);
	ok(place_of(card) == 0x100 && place_of(disk) == NOWHERE, "one bus: the policy's first");
	guest_writes(PORT, 0x19, 1, 2);
	ok(place_of(card) == 0x200 && place_of(disk) == 0x100, "exchanged");
	vm_behind(MON_DEVICE_BEHIND(PORT, 0u), MON_DEVICE_BEHIND(PORT, 9u));
	guest_writes(PORT, 0x19, 1, 4);
	ok(place_of(card) == 0x400 && place_of(disk) == 0x409, "two behind one");
	/* A port that is a device: its guest never sees a bridge there. */
	vm_behind(PORT, MON_DEVICE_BEHIND(PORT, 0u));
	ok(guest_writes(PORT, 0x19, 1, 4) && place_of(disk) == NOWHERE, "a port that is none");
}

/* Any order of writes, by what was written last */
static void test_orders(void)
{
	u32 n, wrong = 0, bus[2] = { 0 };

	vm_behind(MON_DEVICE_BEHIND(PORT, 0u), MON_DEVICE_BEHIND(OTHER_PORT, 0u));
	for (n = 0; n < 200000; n++) {
		u32 port = below(2), offset = 0x10 + below(16), at;
		u8 size = (u8)(1u << below(4));
		u64 value = unit_random() & 0x0303030303030303;

		guest_writes(PORT + port, offset, size, value);
		if (offset <= 0x19 && 0x19 < offset + size)
			bus[port] = value >> 8 * (0x19 - offset) & 0xff;
		at = below(4) << 8;
		wrong += device_there(at) != (at && at == bus[0] << 8 ? card :
					      at && at == bus[1] << 8 ? disk : NULL);
	}
	ok(!wrong, "%u writes in any order", n);
}

/* What QEMU is told is told to its function where the guest has its bus. */
static void test_disk(void)
{
	sim_format();
	vm_behind(CARD_FUNCTION, MON_DEVICE_BEHIND(PORT, 0u));
	check(!device_set_key(&vm, 1, blk_key, 0));
	guest_writes(PORT, 0x18, 4, 0x010100);
	host_disk_at = 0x100;
	probe(disk, DISK_BAR);
	ok(functions[1].config[4] == 6 && functions[1].config[0x22] == 0xbf,
	   "command and BAR are written to QEMU's behind the port");
	cfg_write(disk, 0x9a, 2, 0x8000);
	ok(functions[1].config[HOST_MSIX + 3] == 0x80, "MSI-X, too");
	check(negotiate(disk, blk_features() | BIT(32)));
	drive_disk();
	ok(disk_do(T_OUT, 8, BLOCK) == S_OK && disk_do(T_FLUSH, 0, 0) == S_OK, "it works");
	guest_writes(PORT, 0x19, 1, 9);
	host_disk_at = 0x900;
	ok(disk_do(T_IN, 8, BLOCK) == S_OK, "... with its bus renumbered meanwhile");
	cfg_write(disk, 0x04, 2, 2);
	ok(functions[1].config[4] == 2 && !functions[1].bad, "... and is told so there");
	guest_writes(PORT, 0x19, 1, 0);
	ok(disk_do(T_IN, 8, BLOCK) == S_OK && place_of(disk) == NOWHERE,
	   "its registers stay where the guest has put them");
}

/* Another CPU renumbers the bus amid a write to the device's configuration. */
static void test_amid_write(void)
{
	u32 n, at, wrong = 0;

	for (n = 0; n < 6; n++) {
		bool answered = false;
		u32 answer = 0, i = 0;

		vm_behind(CARD_FUNCTION, MON_DEVICE_BEHIND(PORT, 0u));
		guest_writes(PORT, 0x19, 1, 1);
		host_disk_at = 0x100;
		point_at(disk, 4);
		cpu_access[1] = access_of(DEVICE_CONFIG, true, 2, 4, 6);
		while (step(disk, 1, &answered, &answer) == DEVICE_ASK) {
			at = cpu_ask[1].value >> 8 & 0xffff;
			if (cpu_ask[1].at == 0xcf8)
				wrong += at != 0x100 && at != 0x200;
			if (i++ == n)
				guest_writes(PORT, 0x19, 1, 2);
			host_disk_at = host_address >> 8 & 0xffff;
		}
		wrong += i != 3;
	}
	ok(!wrong, "a bus renumbered amid a write: it goes to the one or the other");
}

int main(void)
{
	sim_memory();
	test_policies();
	test_writes();
	test_two_ports();
	test_orders();
	test_disk();
	test_amid_write();
	return unit_end();
}
