// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices of QEMU's whose data the monitor carries: --disk ID=KEYFILE, --network ID[,queues=N]. ID
 * is the id= of a -device. The policy says where they are, at the first bus or behind a root port
 * there, or for microvm at which virtio-mmio bus, so that is to be given, too.
 */
#include <ctype.h>
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "disk.h"
#include "monctl.h"
#include "vm_policy.h"

static const char *const drivers[] = {
	[MON_DEVICE_DISK] = "virtio-blk-pci",
	[MON_DEVICE_NETWORK] = "virtio-net-pci",
};

static const char *const mmio_drivers[] = {
	[MON_DEVICE_DISK] = "virtio-blk-device",
	[MON_DEVICE_NETWORK] = "virtio-net-device",
};

/* QEMU's hw/i386/microvm.h: where its virtio-mmio buses are, and how many at most */
#define MICROVM_MMIO 0xfeb00000u
#define MICROVM_BUSES 24
#define MICROVM_BUS "virtio-mmio-bus."

/* Its other names are for whether it has legacy registers, too, which the monitor hides. */
static bool is_driver(const char *name, const char *driver)
{
	size_t len = strlen(driver);

	return !strncmp(name, driver, len) &&
	       (!name[len] || !strcmp(name + len, "-transitional") ||
		!strcmp(name + len, "-non-transitional"));
}

static bool take_disk(struct carried *c, char *argument)
{
	char *equals = strchr(argument, '=');

	if (!equals || equals == argument || !equals[1])
		return !fail("--disk %s: write ID=KEYFILE, with the id= of the -device", argument);
	*equals = '\0';
	c->type = MON_DEVICE_DISK;
	c->id = argument;
	return key_read(equals + 1, c->key);
}

static bool take_network(struct carried *c, char *argument)
{
	char *comma = strchr(argument, ',');
	unsigned long pairs = 1;
	char *end;

	if (comma && !strncmp(comma, ",queues=", 8) && isdigit((unsigned char)comma[8])) {
		pairs = strtoul(comma + 8, &end, 10);
		if (*end || !pairs || pairs > MON_DEVICE_PAIRS_MAX)
			return !fail("--network %s: queues= is 1 to %u", argument,
				     MON_DEVICE_PAIRS_MAX);
		*comma = '\0';
	} else if (comma || !*argument) {
		return !fail("--network %s: write ID or ID,queues=N, with the id= of the -device",
			     argument);
	}
	c->type = MON_DEVICE_NETWORK;
	c->id = argument;
	c->pairs = pairs;
	return true;
}

static struct carried *disk_of(struct carried_list *list, const char *id)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		if (list->device[i].type == MON_DEVICE_DISK && !strcmp(list->device[i].id, id))
			return &list->device[i];
	return NULL;
}

static bool take_opened(struct carried_list *list, char *argument)
{
	char *equals = strchr(argument, '='), *end;
	struct carried *c;

	if (!equals || !isdigit((unsigned char)equals[1]))
		return !fail("--disk-opened %s: write ID=NUMBER, with the ID of a --disk",
			     argument);
	*equals = '\0';
	c = disk_of(list, argument);
	if (!c)
		return !fail("--disk-opened %s: there is no --disk %s=KEYFILE before it", argument,
			     argument);
	errno = 0;
	c->opened = strtoull(equals + 1, &end, 10);
	if (errno || *end)
		return !fail("--disk-opened %s=%s: that is no number below 2^64", argument,
			     equals + 1);
	return true;
}

int carried_option(int argc, char **argv, struct carried_list *list)
{
	bool disk = !strcmp(argv[0], "--disk"), opened = !strcmp(argv[0], "--disk-opened");
	struct carried *c = &list->device[list->nr];

	if (!disk && !opened && strcmp(argv[0], "--network"))
		return 0;
	if (argc < 2) {
		fail("%s needs an argument", argv[0]);
		return -1;
	}
	if (opened)
		return take_opened(list, argv[1]) ? 2 : -1;
	if (list->nr == MON_VM_MAX_DEVICES) {
		fail("the monitor carries at most %d devices of a VM", MON_VM_MAX_DEVICES);
		return -1;
	}
	*c = (struct carried){ .pairs = 1 };
	if (!(disk ? take_disk(c, argv[1]) : take_network(c, argv[1])))
		return -1;
	list->nr++;
	return 2;
}

static bool key_id(const unsigned char *key, unsigned char id[32])
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	bool good = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) &&
		    EVP_DigestUpdate(hash, MON_VM_KEY_ID_INFO, strlen(MON_VM_KEY_ID_INFO)) &&
		    EVP_DigestUpdate(hash, key, MON_VM_KEY_SIZE) &&
		    EVP_DigestFinal_ex(hash, id, NULL);

	EVP_MD_CTX_free(hash);
	return good || !fail("OpenSSL cannot compute SHA-256");
}

/* "3", "0x3", "3.1": QEMU reads a device's number as hexadecimal. */
static bool parse_function(const char *addr, unsigned int *function)
{
	unsigned long device, number = 0;
	char *end;

	device = strtoul(addr, &end, 16);
	if (*end == '.' && isxdigit((unsigned char)end[1]))
		number = strtoul(end + 1, &end, 16);
	*function = 8 * device + number;
	return isxdigit((unsigned char)*addr) && !*end && device < 32 && number < 8;
}

static const struct qemu_device *find(const struct vm_description *vm, const char *id)
{
	unsigned int i;

	for (i = 0; i < vm->nr_qemu_devices; i++)
		if (*id && !strcmp(vm->qemu_device[i].id, id))
			return &vm->qemu_device[i];
	return NULL;
}

static bool at_first_bus(const struct qemu_device *device)
{
	return !*device->bus || !strcmp(device->bus, "pcie.0") || !strcmp(device->bus, "pci.0");
}

static bool place_on_first_bus(const struct qemu_device *device, unsigned int *place)
{
	if (!at_first_bus(device))
		return !fail("-device %s,id=%s: there is no '-device pcie-root-port,id=%s' among "
			     "QEMU's options: add it, or leave out bus=",
			     device->driver, device->id, device->bus);
	return parse_function(device->addr, place) ||
	       !fail("-device %s,id=%s: say where it is: addr=3, or another free number",
		     device->driver, device->id);
}

/* As libvirt has all of them: a port has room for one device, with addr=0x0 or without addr= */
static bool place_behind_port(const struct qemu_device *device, const struct qemu_device *port,
			      unsigned int *place)
{
	unsigned int port_place;

	if (strcmp(port->driver, "pcie-root-port") || !at_first_bus(port))
		return !fail("-device %s,id=%s: bus=%s is a %s%s%s: for the monitor to carry its "
			     "data it has to be at the first bus, without bus=, or behind a "
			     "pcie-root-port that is there", device->driver, device->id,
			     device->bus, port->driver, *port->bus ? " at bus=" : "", port->bus);
	if (!place_on_first_bus(port, &port_place))
		return false;
	if (!parse_function(*device->addr ? device->addr : "0", place) || *place >= 8)
		return !fail("-device %s,id=%s: addr=%s: behind a pcie-root-port there is only "
			     "addr=0", device->driver, device->id, device->addr);
	*place = MON_DEVICE_BEHIND(port_place, *place);
	return true;
}

static bool parse_mmio_bus(const char *bus, unsigned long *number)
{
	size_t len = strlen(MICROVM_BUS);
	char *end;

	if (strncmp(bus, MICROVM_BUS, len) || !isdigit((unsigned char)bus[len]))
		return false;
	*number = strtoul(bus + len, &end, 10);
	return !*end && *number < MICROVM_BUSES;
}

static bool place_on_mmio(const struct vm_description *vm, const struct qemu_device *device,
			  unsigned int *place)
{
	unsigned long bus;

	if (!parse_mmio_bus(device->bus, &bus))
		return !fail("-device %s,id=%s: say where it is: bus=" MICROVM_BUS "0, or another "
			     "free number up to %d", device->driver, device->id,
			     MICROVM_BUSES - 1);
	if (!vm->mmio_modern)
		return !fail("-device %s,id=%s: QEMU makes it one from before virtio 1.0, which "
			     "the monitor cannot drive: add "
			     "-global virtio-mmio.force-legacy=false", device->driver, device->id);
	*place = MICROVM_MMIO + bus * MON_DEVICE_MMIO_SIZE;
	return true;
}

static bool find_place(const struct vm_description *vm, const struct qemu_device *device,
		       unsigned int *place)
{
	const struct qemu_device *port = find(vm, device->bus);

	if (vm->machine == MACHINE_MICROVM)
		return place_on_mmio(vm, device, place);
	return port ? place_behind_port(device, port, place) : place_on_first_bus(device, place);
}

/* How many queues its -netdev has, only QEMU knows: with others the guest's driver has no card. */
static bool may_have_pairs(const struct vm_description *vm, const struct qemu_device *device,
			   unsigned int pairs)
{
	if (pairs == 1)
		return true;
	if (vm->machine == MACHINE_MICROVM)
		return !fail("--network %s,queues=%u: on virtio-mmio a card has one: leave it out",
			     device->id, pairs);
	return device->mq ||
	       !fail("-device %s,id=%s: for %u queues add mq=on,vectors=%u, and queues=%u to its "
		     "-netdev", device->driver, device->id, pairs, 2 * pairs + 2, pairs);
}

static bool carry(struct vm_description *vm, const struct carried *c)
{
	bool mmio = vm->machine == MACHINE_MICROVM;
	const char *driver = (mmio ? mmio_drivers : drivers)[c->type];
	struct mon_vm_policy *p = &vm->policy;
	const struct qemu_device *device = find(vm, c->id);
	unsigned int function = 0, i;

	if (!device)
		return !fail("there is no '-device ...,id=%s' among QEMU's options", c->id);
	if (!is_driver(device->driver, driver))
		return !fail("-device %s,id=%s: for the monitor to carry its data it has to be %s",
			     device->driver, c->id, driver);
	if (device->unfit)
		return !fail("-device %s,id=%s: the monitor cannot carry its data with %s=on: "
			     "leave that out", device->driver, c->id, device->unfit);
	if (!may_have_pairs(vm, device, c->pairs) || !find_place(vm, device, &function))
		return false;
	for (i = 0; i < p->nr_devices; i++)
		if (p->device[i].function == function)
			return !fail("-device %s,id=%s is named twice", device->driver, c->id);
	p->device[p->nr_devices].type = c->type | (mmio ? MON_DEVICE_MMIO : 0) |
					MON_DEVICE_PAIRS(c->pairs);
	p->device[p->nr_devices].function = function;
	return (c->type != MON_DEVICE_DISK ||
		key_id(c->key, p->device[p->nr_devices].key_id)) && ++p->nr_devices;
}

static bool is_carried(const struct carried_list *list, const char *id)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		if (!strcmp(list->device[i].id, id))
			return true;
	return false;
}

/* SeaBIOS waits for a disk for ever, so better say why before. */
static void tell_what_is_not(const struct vm_description *vm, const struct carried_list *list)
{
	unsigned int i;

	for (i = 0; i < vm->nr_qemu_devices; i++) {
		const struct qemu_device *device = &vm->qemu_device[i];

		if (!strncmp(device->driver, "virtio-", 7) && !is_carried(list, device->id))
			fprintf(stderr,
				"monctl: -device %s%s%s: the guest cannot use it, for it "
				"reaches none of its memory; a disk needs --disk, a network card --network\n",
				device->driver, *device->id ? ",id=" : "", device->id);
	}
}

/* Debian 12's does so without the monitor, too, and its guest waits for the disk for ever. */
static void tell_of_ioapic(const struct vm_description *vm, const struct carried_list *list)
{
	if (list->nr && vm->machine == MACHINE_MICROVM && !vm->one_ioapic)
		fprintf(stderr, "monctl: -M microvm: if the guest waits for its devices for ever, "
				"add ioapic2=off: QEMU 7.2 loses interrupts of its second I/O APIC\n");
}

bool vm_carry(struct vm_description *vm, const struct carried_list *list)
{
	unsigned int i;

	for (i = 0; i < list->nr; i++)
		if (!carry(vm, &list->device[i]))
			return false;
	if (vm->ram < MON_VM_ARENA + list->nr * MON_VM_ARENA_DEVICE)
		return !fail("-m: too little memory for %u devices", list->nr);
	tell_what_is_not(vm, list);
	tell_of_ioapic(vm, list);
	return true;
}
