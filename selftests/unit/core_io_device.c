// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/device.c core/io/device_state.c core/io/pci.c core/io/virtio.c */
/* needs: core/io/card.c core/io/net.c */
/* needs: core/io/mmio.c core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c core/sha256.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/*
 * A mediated device as a whole: what the guest's accesses come to at a model of QEMU's device that
 * keeps to the rules, and by which phases.
 */
#include "device_sim.h"
#include "host_side.h"

/* ---- policies, frames, keys ---- */

static bool valid(const struct mon_vm_policy *p)
{
	return devices_valid(p);
}

static void test_policies(void)
{
	struct mon_vm_policy p = good_policy(), q;

	ok(valid(&p), "a card and a disk");
	q = p;
	q.nr_devices = MON_VM_MAX_DEVICES + 1;
	ok(!valid(&q), "too many");
	q = p;
	q.reserved = 1;
	ok(!valid(&q), "what is reserved");
	q = p;
	q.nr_devices = 1;
	ok(!valid(&q), "something behind the last");
	q = p;
	q.device[1].function = CARD_FUNCTION;
	ok(!valid(&q), "two at one place");
	q = p;
	q.device[1].function = 256;
	ok(!valid(&q), "one on another bus");
	q = p;
	q.device[1].type = 3;
	ok(!valid(&q), "one of no type");
	q = p;
	q.device[0].key_id[31] = 1;
	ok(!valid(&q), "a card with a key");
	q = p;
	q.device[0].type |= MON_DEVICE_PAIRS(MON_DEVICE_PAIRS_MAX);
	ok(valid(&q), "a card of eight pairs");
	q.device[0].type += MON_DEVICE_PAIRS_STEP;
	ok(!valid(&q), "... of nine");
	q = p;
	q.device[0].type |= MON_DEVICE_PAIRS(2) | MON_DEVICE_MMIO;
	q.device[0].function = 0xfeb00000;
	ok(!valid(&q), "... of two on virtio-mmio");
	q.device[0].type &= ~MON_DEVICE_PAIRS_MASK;
	ok(valid(&q), "... of one");
	q = p;
	q.device[1].type |= MON_DEVICE_PAIRS(2);
	ok(!valid(&q), "a disk with pairs");
	q = p;
	q.range[0].end = MON_VM_ARENA + 2 * MON_VM_ARENA_DEVICE - PAGE_SIZE;
	ok(!valid(&q), "no memory behind which the arena is");
	q.range[0].end += PAGE_SIZE;
	ok(valid(&q), "... just enough");
	q.range[0].start = MON_VM_ARENA + PAGE_SIZE;
	q.range[0].end = 64 << 20;
	ok(!valid(&q), "... that begins in the arena");
	q.range[0].start = 0;
	q.range[0].type = MON_RANGE_FIRMWARE;
	ok(!valid(&q), "... of another kind");
	memset(&q, 0, sizeof(q));
	ok(valid(&q), "no devices, no memory needed");
}

static void test_frames(void)
{
	u32 n, wrong = 0, needed;

	vm_new();
	needed = pool_taken();
	devices_retire(&vm);
	ok(!pool_taken() && needed > 100, "%u frames, all given back", needed);
	for (n = 0; n < needed; n++) {
		pool_size = n;
		vm.policy = good_policy();
		wrong += devices_create(&vm) != NPT_EPOOL || pool_taken();
	}
	pool_size = POOL;
	ok(!wrong, "with any number less there are none, and none is lost");
}

static void test_keys(void)
{
	u8 other[MON_VM_KEY_SIZE] = "another one of thirty-two bytes";

	vm_new();
	ok(device_set_key(&vm, 1, other, 0) == -MON_EINVAL, "another disk's key is refused");
	ok(device_set_key(&vm, 0, blk_key, 0) == -MON_EINVAL, "a card has none");
	ok(device_set_key(&vm, 2, blk_key, 0) == -MON_EINVAL &&
	   device_set_key(&vm, ~0ULL, blk_key, 0) == -MON_EINVAL, "what is not there has none");
	ok(!device_set_key(&vm, 1, blk_key, 0), "its own is taken");
}

/* How often the disk's key is in @size bytes */
static u32 keys_in(const void *in, u64 size)
{
	const u8 *at = in;
	u32 n = 0;
	u64 i;

	for (i = 0; i + MON_VM_KEY_SIZE <= size; i++)
		n += at[i] == blk_key[0] && !memcmp(at + i, blk_key, MON_VM_KEY_SIZE);
	return n;
}

static void test_key_is_gone(void)
{
	sim_format();
	vm_probed();
	ok(keys_in(pool, sizeof(pool)) == 1, "the key is with the monitor");
	check(negotiate(disk, blk_features() | BIT(32)));
	ok(!keys_in(pool, sizeof(pool)) && !keys_in(arena_memory, sizeof(arena_memory)) &&
	   !keys_in(image, sizeof(image)), "... until the disk is open, and then nowhere");
	set_status(disk, 0);
	ok(negotiate(disk, blk_features() | BIT(32)), "the next driver does not need it");
}

static bool opens(u64 opened)
{
	vm_probed();
	check(!device_set_key(&vm, 1, blk_key, opened));
	return negotiate(disk, blk_features() | BIT(32));
}

static void test_opened(void)
{
	s64 first, old = counted[MON_CNT_DISK_OLD], stopped = counted[MON_CNT_DEVICE_STOPPED];

	sim_format();
	vm_probed();
	ok(device_disk_opened(&vm, 1) == -MON_EAGAIN, "how often a disk was opened: not yet known");
	ok(device_disk_opened(&vm, 0) == -MON_ENOENT && device_disk_opened(&vm, 2) == -MON_ENOENT &&
	   device_disk_opened(&vm, ~0ULL) == -MON_ENOENT, "what is no disk never is");
	check(opens(0));
	first = device_disk_opened(&vm, 1);
	ok(first > 0 && opens((u64)first) && device_disk_opened(&vm, 1) == first + 1,
	   "each time is counted, and who knows of the last has it opened");
	ok(counted[MON_CNT_DISK_OLD] == old, "(none was too old)");
	ok(!opens((u64)first + 2) && counted[MON_CNT_DISK_OLD] == old + 1 &&
	   counted[MON_CNT_DEVICE_STOPPED] == stopped &&
	   device_disk_opened(&vm, 1) == -MON_EAGAIN, "who knows of one more has not");
	ok(!opens(~0ULL) && opens((u64)first + 1), "that changes nothing");
}

/* ---- by the rules ---- */

static void test_probe(void)
{
	u32 offset;

	vm_probed();
	ok(!memcmp(functions[0].config + 0x20, (u8[]){ 0, 0, 0xbf, 0xfe }, 4) &&
	   !memcmp(functions[1].config + 0x20, (u8[]){ 0, 0x40, 0xbf, 0xfe }, 4) &&
	   functions[1].config[4] == 6, "QEMU's BARs and command are the guest's");
	ok(device_at(&vm, CARD_BAR + 0x10, &offset) == card && offset == 0x10 &&
	   device_at(&vm, DISK_BAR, &offset) == disk && !offset &&
	   !device_at(&vm, DISK_BAR + PCI_BAR_SIZE, &offset) && !device_at(&vm, 0, &offset),
	   "registers are where the guest put them");
	ok(!device_there(DISK_FUNCTION + 0x100) && !device_there(0),
	   "functions, too");
	ok(cfg_read(disk, 0x98, 1) == 0x11 && cfg_read(disk, 0x9a, 2) == 1, "MSI-X at its place");
	cfg_write(disk, 0x9a, 2, 0xc000);
	ok(functions[1].config[HOST_MSIX + 3] == 0xc0 && host_address == vm.pci_address,
	   "... is enabled at QEMU's, which has the guest's address behind that");
	cfg_write(disk, 0x9a, 2, 0x8000);
	ok(functions[1].config[HOST_MSIX + 3] == 0x80 && cfg_read(disk, 0x9a, 2) == 0x8001,
	   "... again, without looking for it");
	cfg_write(disk, 0x2c, 4, 0);
	cfg_write(disk, 0x34, 1, 0);
	ok(cfg_read(disk, 0x2c, 4) == 0x11001af4 && functions[1].config[0x34] == 0x98,
	   "what cannot be written is not for QEMU either");
}

/* Where there is nothing to read the guest gets zeros, and the host is asked for nothing. */
static void test_nothing_there(void)
{
	static const struct {
		u32 offset;
		u8 size;
	} nothing[] = { { PCI_NOTIFY, 2 }, { PCI_NOTIFY, 8 }, { PCI_ISR + 1, 1 }, { PCI_ISR, 2 },
			{ PCI_ISR, 8 }, { PCI_COMMON + VIRTIO_COMMON_SIZE, 4 },
			{ PCI_COMMON + 0x15, 8 }, { PCI_BAR_SIZE - 1, 8 } };
	u32 i, n = 0;
	u64 before;

	vm_probed();
	before = asks;
	for (i = 0; i < ARRAY_SIZE(nothing); i++)
		n += !reg_read(disk, nothing[i].offset, nothing[i].size);
	reg_write(disk, PCI_ISR, 1, 1);
	reg_write(disk, PCI_ISR + MMIO_ACKNOWLEDGE, 1, 1);
	ok(n == ARRAY_SIZE(nothing) && asks == before, "where nothing is: zeros");
	ok(reg_read(disk, PCI_ISR, 1) == 1 && asks == before + 1, "the interrupt status is QEMU's");
}

static void test_disk(void)
{
	u64 capacity = 0, interrupts = host.interrupts;

	sim_format();
	vm_probed();
	ok(!reg_read(disk, PCI_DEVICE, 8), "before it is open it has no capacity");
	set_status(disk, 1);
	set_status(disk, 3);
	ok(reg_read(disk, PCI_DEVICE, 8) == DISK_BLOCKS * SECTORS,
	   "a driver reads it before it accepts features, as OVMF's does");
	ok(negotiate(disk, blk_features() | BIT(32)), "features agreed: the disk is open");
	capacity = reg_read(disk, PCI_DEVICE, 8);
	ok(capacity == DISK_BLOCKS * SECTORS &&
	   reg_read(disk, PCI_DEVICE, 4) == (u32)capacity && !reg_read(disk, PCI_DEVICE + 4, 4),
	   "... with a capacity");
	ok(reg_read(disk, PCI_DEVICE + 60, 4) == ~0u && reg_read(disk, PCI_DEVICE + 56, 8) == ~0ULL,
	   "behind its configuration there is nothing");
	ok(functions[1].vector[0] == VIRTIO_NO_VECTOR && host.interrupts == interrupts,
	   "... and nobody was interrupted meanwhile, nor by a pin");
	drive_disk();
	ok(status_now(disk) == 15 && functions[1].status == 15 && functions[1].vector[0] == 1 &&
	   functions[1].config_vector == 0, "driven: QEMU's has the guest's vectors");
	test_requests(disk_do);
	ok(host.interrupts > interrupts, "... and are used");
	ok(!device_wants_entry(disk), "nothing to look for when QEMU has nothing");
	set_status(disk, 0);
	ok(!functions[1].status && !status_now(disk), "a reset resets QEMU's");
	ok(negotiate(disk, blk_features() | BIT(32)), "another driver");
	drive_disk();
	memset(buffer_of(0), 0, 2 * BLOCK);
	ok(disk_do(T_IN, 8, 2 * BLOCK) == S_OK, "... reads");
	ok(!functions[1].bad, "QEMU's has seen nothing against the rules");
}

static void test_reset_at_work(void)
{
	u32 i, round, touched = 0, wrong = 0;

	sim_format();
	vm_probed();
	for (round = 0; round < 30; round++) {
		check(negotiate(disk, blk_features() | BIT(32)));
		drive_disk();
		host_idle = true;
		for (i = 0; i < GUEST_REQS; i++) {
			guest_give(i, i % 4 == 3 ? T_FLUSH : T_OUT, round * 64 + i * 3,
				   i % 4 == 3 ? 0 : 3 * 512, 1);
			if (below(2))
				reg_write(disk, PCI_NOTIFY, 2, 0);
		}
		reg_write(disk, PCI_NOTIFY, 2, 0);
		host_idle = false;
		for (i = below(12); i; i--)
			host_devices();
		/* All of it is the guest's again when the reset is done. */
		set_status(disk, 0);
		memset(ram, UNTOUCHED, sizeof(ram));
		entries();
		for (i = 0; i < RAM; i++)
			touched += ram[i] != UNTOUCHED;
		wrong += status_now(disk) || functions[1].status || functions[1].bad;
		check(negotiate(disk, blk_features() | BIT(32)));
		drive_disk();
		wrong += disk_do(T_OUT, 0, BLOCK) != S_OK || disk_do(T_FLUSH, 0, 0) != S_OK;
		set_status(disk, 0);
	}
	ok(!touched && !wrong, "30 resets amid requests: nothing is written behind them");
}

/* The monitor is amid a request, for which the host is not needed, when another CPU resets. */
static void test_reset_amid_step(void)
{
	bool answered = false;
	u32 answer = 0, i, touched = 0;

	sim_format();
	vm_probed();
	check(negotiate(disk, blk_features() | BIT(32)));
	drive_disk();
	check(disk_do(T_IN, 0, BLOCK) == S_OK);
	for (i = 0; i < GUEST_REQS; i++)
		guest_give(i, T_IN, 0, BUFFER_SIZE, 1);
	cpu_access[1] = access_of(DEVICE_BAR, true, 2, PCI_NOTIFY, 0);
	check(step(disk, 1, &answered, &answer) == DEVICE_YIELD);
	set_status(disk, 0);
	memset(ram, UNTOUCHED, sizeof(ram));
	check(step(disk, 1, &answered, &answer) == DEVICE_DONE);
	check(negotiate(disk, blk_features() | BIT(32)));
	drive_disk();
	check(disk_do(T_OUT, 0, 512) == S_OK && disk_do(T_FLUSH, 0, 0) == S_OK);
	for (i = BUFFERS_AT + BUFFER_SIZE; i < RAM; i++)
		touched += ram[i] != UNTOUCHED;
	ok(!touched, "... nor is what the monitor was amid");
}

/* The card's side of QEMU: one packet of what was sent, and one to be received */
static bool card_packet(struct host_side *side, u8 *packet, u32 len, bool write)
{
	struct driver_desc desc;
	u16 head;
	u8 *at = side_take(side, &head, &desc, 0);

	if (!at)
		return false;
	check(desc.gpa + desc.len <= ARENA_GPA + NET_PAGES * PAGE_SIZE);
	if (write)
		memcpy(at, packet, len);
	else
		memcpy(packet, at, desc.len);
	side_use(side, head, write ? len : 0);
	return true;
}

#define RX_AT 0xd0000
#define TX_AT 0xd4000
#define PACKETS_AT 0xe0000

static void test_card(void)
{
	struct host_side host_rx = { arena_memory[0], 0, 0 }, host_tx = { arena_memory[1], 0, 0 };
	struct driver rx, tx;
	struct guest_queue unused;
	u8 packet[200];
	u32 i, n = 0, written, kicks;

	vm_probed();
	ok(reg_read(card, PCI_DEVICE, 1) == 0x44 && reg_read(card, PCI_DEVICE + 4, 2) == 0x5348 &&
	   reg_read(card, PCI_DEVICE + 6, 2) == 0x534a, "its address and status are QEMU's");
	ok(reg_read(card, PCI_DEVICE + 8, 4) == ~0u && reg_read(card, PCI_DEVICE, 8) == ~0ULL &&
	   reg_read(card, PCI_DEVICE + 6, 4) == ~0u, "... and nothing else");
	ok(negotiate(card, BIT(32) | BIT(5)), "features agreed");
	driver_start(&rx, &unused, RX_AT, 32);
	driver_start(&tx, &unused, TX_AT, 32);
	place_queue(card, 0, &rx, 1);
	place_queue(card, 1, &tx, 2);
	set_status(card, 15);
	ok(functions[0].status == 15 && !functions[0].bad && functions[0].vector[1] == 2 &&
	   device_wants_entry(card), "driven");
	for (i = 0; i < 200; i++) {
		driver_desc(&rx, i % 32, PACKETS_AT + i % 32 * 256, 256, 2, 0);
		driver_give(&rx, i % 32);
		memset(packet, i, sizeof(packet));
		n += card_packet(&host_rx, packet, sizeof(packet), true);
		entries();
		n += driver_take(&rx, &written) == (int)(i % 32) && written == 200 &&
		     ram[PACKETS_AT + i % 32 * 256 + 199] == (u8)i;
		driver_desc(&tx, i % 32, PACKETS_AT + i % 32 * 256, 150, 0, 0);
		driver_give(&tx, i % 32);
		kicks = functions[0].kicks;
		reg_write(card, PCI_NOTIFY + PCI_NOTIFY_STEP, 2, 1);
		n += functions[0].kicks > kicks;
		n += card_packet(&host_tx, packet, 0, false) && packet[149] == (u8)i && !packet[0];
		n += driver_take(&tx, &written) == (int)(i % 32);
	}
	ok(n == 1000 && !functions[0].bad, "200 packets each way, QEMU told of each");
	set_status(card, 0);
	ok(!functions[0].status && !device_wants_entry(card), "reset");
}

static void test_pairs(void)
{
	const u64 features = BIT(32) | BIT(5) | BIT(16) | BIT(17) | BIT(22);
	struct driver queue[5];
	struct guest_queue unused;
	u64 before;
	u32 i;

	vm_of_card(2);
	ok(reg_read(card, 0x12, 2) == 5 && cfg_read(card, PCI_MSIX_AT + 2, 2) == 5 &&
	   reg_read(card, PCI_DEVICE + 8, 2) == 2,
	   "two pairs: five queues, a vector for each and one more");
	functions[0].queues = 7;
	ok(!negotiate(card, features) && (status_now(card) & VIRTIO_NEEDS_RESET),
	   "QEMU has three pairs: no features are agreed to");
	functions[0].queues = 2;
	ok(!negotiate(card, features), "... nor if it has one");
	functions[0].queues = 5;
	before = asks;
	ok(negotiate(card, features), "... two: they are");
	ok(functions[0].status == 11 && !functions[0].enabled[0] && asks - before < 20,
	   "... and QEMU's has no queue that it could interrupt for before the driver is ready");
	for (i = 0; i < 5; i++) {
		driver_start(&queue[i], &unused, RX_AT + i * 0x3000, 32);
		place_queue(card, (u16)i, &queue[i], (u16)(i + 1));
	}
	set_status(card, 15);
	for (i = 0; i < 5; i++)
		functions[0].bad += functions[0].vector[i] != i + 1;
	ok(functions[0].status == 15 && !functions[0].bad && functions[0].features == features,
	   "driven, each queue with its vector");
	memcpy(ram + PACKETS_AT, (const u8[]){ 4, 0, 2, 0 }, 4);
	driver_desc(&queue[4], 0, PACKETS_AT, 4, 1, 1);
	driver_desc(&queue[4], 1, PACKETS_AT + 4, 1, 2, 0);
	driver_give(&queue[4], 0);
	reg_write(card, PCI_NOTIFY + 4 * PCI_NOTIFY_STEP, 2, 4);
	ok(functions[0].kicks == 1 &&
	   !memcmp(arena_memory[CARD_PAGES(2) - 1] + 3584, ram + PACKETS_AT, 4),
	   "QEMU is told of a command");
	check(negotiate(card, BIT(32) | BIT(17)));
	for (i = 0; i < 3; i++)
		place_queue(card, (u16)i, &queue[i], (u16)(i + 1));
	set_status(card, 15);
	ok(functions[0].status == 15 && functions[0].vector[4] == 3,
	   "a driver of one pair with that queue has its vector");
	set_status(card, 0);
	check(negotiate(card, BIT(32)));
	place_queue(card, 0, &queue[0], 1);
	set_status(card, 15);
	ok(status_now(card) & VIRTIO_NEEDS_RESET, "a driver without a queue to send from: none");
	set_status(card, 0);
	check(negotiate(card, BIT(32)));
	place_queue(card, 0, &queue[0], 1);
	place_queue(card, 1, &queue[1], 2);
	set_status(card, 15);
	ok(status_now(card) == 15 && device_wants_entry(card),
	   "... with one pair of the two: driven");
}

/* ---- what cannot be ---- */

static void test_not_open(void)
{
	sim_format();
	vm_new();
	probe(disk, DISK_BAR);
	ok(!negotiate(disk, blk_features() | BIT(32)), "a disk without a key does not agree");
	sim_format();
	image[MON_DISK_AREA_BLOCKS][100] ^= 1;
	vm_probed();
	ok(!negotiate(disk, blk_features() | BIT(32)) && !reg_read(disk, PCI_DEVICE, 8),
	   "one that does not verify, neither");
	sim_format();
	ok(!negotiate(disk, blk_features() | BIT(32)), "... nor later");
	drive_disk();
	ok(!(status_now(disk) & 4), "... nor is it driven");
	vm_probed();
	functions[1].refuses = true;
	ok(!negotiate(disk, blk_features() | BIT(32)) && (status_now(disk) & VIRTIO_NEEDS_RESET),
	   "QEMU's does not agree: it needs a reset");
	functions[1].refuses = false;
	ok(negotiate(disk, blk_features() | BIT(32)), "... and works behind that");
	place_queue(disk, 0, &(struct driver){ .size = 8, .desc = 8 }, 0);
	set_status(disk, 15);
	ok((status_now(disk) & VIRTIO_NEEDS_RESET) && !device_wants_entry(disk),
	   "a queue that makes no sense: it needs a reset");
	set_status(disk, 0);
	check(negotiate(disk, blk_features() | BIT(32)));
	drive_disk();
	driver_desc(&driver, 0, 0, 16, 4, 0);
	driver_give(&driver, 0);
	reg_write(disk, PCI_NOTIFY, 2, 0);
	ok(status_now(disk) & VIRTIO_NEEDS_RESET, "a request that makes no sense: likewise");
}

int main(void)
{
	sim_memory();
	test_policies();
	test_frames();
	test_keys();
	test_key_is_gone();
	test_opened();
	test_probe();
	test_nothing_there();
	test_disk();
	test_reset_at_work();
	test_reset_amid_step();
	test_card();
	test_pairs();
	test_not_open();
	return unit_end();
}
