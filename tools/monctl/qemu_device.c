// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's -device, in both of its forms: driver,key=value,... and, since 6.2, JSON, which libvirt
 * writes. Whether a confidential VM can have it, and what monctl has to know of it.
 */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "monctl.h"
#include "vm_policy.h"

static const struct {
	const char *prefix, *why;
} refused[] = {
	{ "vfio-", "a real device would write to its memory" },
	{ "virtio-balloon", "memory cannot be taken from it while it runs" },
	{ "virtio-mem", "memory cannot be added while it runs" },
	{ "virtio-pmem", "memory cannot be added to it" },
	{ "pc-dimm", "memory cannot be added to it: use -m" },
	{ "nvdimm", "memory cannot be added to it: use -m" },
	{ "ivshmem", "memory cannot be shared with it: ivshmem-doorbell is for interrupts" },
	{ "intel-iommu", "what its devices reach is the monitor's to say" },
};

/* It has a page of the host's, too, but as a device: no more than any other of QEMU's. */
#define DEVICE_DOORBELL "ivshmem-doorbell"

/* Registers in other places, none that the monitor knows, or none without an IOMMU */
static const char *const unfit[] = { "page-per-vq", "disable-modern", "iommu_platform" };

static bool is_off(const char *value)
{
	static const char *const off[] = { "off", "no", "false", "n" };
	unsigned int i;

	for (i = 0; i < sizeof(off) / sizeof(off[0]); i++)
		if (!strcmp(value, off[i]))
			return true;
	return false;
}

/* Of a property that is given twice, QEMU takes the last. */
static void set_flag(struct qemu_device *device, const char *key, const char *value)
{
	unsigned int i;

	if (!strcmp(key, "mq"))
		device->mq = !is_off(value);
	for (i = 0; i < sizeof(unfit) / sizeof(unfit[0]); i++) {
		if (strcmp(unfit[i], key))
			continue;
		if (!is_off(value))
			device->unfit = unfit[i];
		else if (device->unfit == unfit[i])
			device->unfit = NULL;
	}
}

static bool set(struct qemu_device *device, const char *key, const char *value)
{
	const struct {
		const char *key;
		char *to;
		size_t size;
	} keys[] = {
		{ "driver", device->driver, sizeof(device->driver) },
		{ "id", device->id, sizeof(device->id) },
		{ "addr", device->addr, sizeof(device->addr) },
		{ "bus", device->bus, sizeof(device->bus) },
	};
	unsigned int i;

	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (strcmp(keys[i].key, key))
			continue;
		if (strlen(value) >= keys[i].size)
			return !fail("-device: %s=%s is too long: use %zu characters at most", key,
				     value, keys[i].size - 1);
		strcpy(keys[i].to, value);
	}
	set_flag(device, key, value);
	return true;
}

static bool read_pairs(struct qemu_device *device, const char *argument)
{
	const char *implied = "driver";
	struct pair p;

	for (; next_pair(&argument, implied, &p); implied = NULL)
		if (!set(device, p.key, p.value))
			return false;
	return true;
}

/* A number is the device and function in one, as in "addr": 8 for "addr": "1.0". */
static bool set_json(struct qemu_device *device, const char *key, const json_t *value)
{
	char place[sizeof(device->addr)];

	if (json_is_string(value))
		return set(device, key, json_string_value(value));
	if (json_is_boolean(value))
		set_flag(device, key, json_is_true(value) ? "on" : "off");
	if (!json_is_integer(value) || strcmp(key, "addr"))
		return true;
	snprintf(place, sizeof(place), "%x.%x", (unsigned int)json_integer_value(value) >> 3,
		 (unsigned int)json_integer_value(value) & 7);
	return set(device, key, place);
}

static bool read_json(struct qemu_device *device, const char *argument)
{
	json_error_t error;
	json_t *object = json_loads(argument, JSON_REJECT_DUPLICATES, &error), *value;
	const char *key;
	bool good = true;

	if (!object)
		return !fail("-device %s is not understood: it is no JSON: %s", argument,
			     error.text);
	json_object_foreach(object, key, value)
		good = good && set_json(device, key, value);
	json_decref(object);
	return good;
}

bool parse_device(struct vm_description *vm, const char *argument)
{
	struct qemu_device *device = &vm->qemu_device[vm->nr_qemu_devices];
	unsigned int i;

	if (vm->nr_qemu_devices == MAX_QEMU_DEVICES)
		return !fail("more than %d times -device", MAX_QEMU_DEVICES);
	if (!(*argument == '{' ? read_json(device, argument) : read_pairs(device, argument)))
		return false;
	if (!*device->driver)
		return !fail("-device %s is not understood: it names no driver", argument);
	vm->nr_qemu_devices++;
	for (i = 0; i < sizeof(refused) / sizeof(refused[0]); i++)
		if (!strncmp(device->driver, refused[i].prefix, strlen(refused[i].prefix)) &&
		    strcmp(device->driver, DEVICE_DOORBELL))
			return !fail("-device %s cannot be used with a confidential VM: %s",
				     device->driver, refused[i].why);
	return true;
}

/* "driver.property=value", or "driver=...,property=...,value=..."; the last of several counts. */
bool parse_global(struct vm_description *vm, const char *argument)
{
	static const char mmio[] = "virtio-mmio.force-legacy=";
	bool about = true, off = false;
	struct pair p;

	if (!strncmp(argument, mmio, strlen(mmio))) {
		vm->mmio_modern = is_off(argument + strlen(mmio));
		return true;
	}
	while (next_pair(&argument, NULL, &p)) {
		if (!strcmp(p.key, "value"))
			off = is_off(p.value);
		else
			about = about && (!strcmp(p.value, "virtio-mmio") ||
					  !strcmp(p.value, "force-legacy"));
	}
	if (about)
		vm->mmio_modern = off;
	return true;
}
