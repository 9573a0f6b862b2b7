// SPDX-License-Identifier: GPL-2.0-only
/* Memory and CPUs that come while the system runs: what firmware and drivers do for it. */
#include <linux/acpi.h>
#include <linux/cpumask.h>
#include <linux/ioport.h>
#include <linux/memory_hotplug.h>
#include <linux/string.h>
#include <asm/apic.h>
#include "testmod.h"

/* As a driver of memory has it: what it adds is a child. */
static struct resource devices[4];

static bool device_get(u64 start, u64 size)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices); i++) {
		if (devices[i].parent)
			continue;
		devices[i] = (struct resource){ .name = "testmod", .flags = IORESOURCE_MEM,
						.start = start, .end = start + size - 1 };
		return !insert_resource(&iomem_resource, &devices[i]);
	}
	return false;
}

static void device_put(u64 start)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices); i++)
		if (devices[i].parent && devices[i].start == start)
			remove_resource(&devices[i]);
}

static int add_as_driver(u64 start, u64 size)
{
	int err;

	if (!device_get(start, size))
		return -EBUSY;
	err = add_memory_driver_managed(0, start, size, "System RAM (testmod)", MHP_NONE);
	if (err)
		device_put(start);
	return err;
}

/*
 * memadd START SIZE [driver|own]: as firmware does, as a driver does, or with its struct
 * pages in itself
 */
static int do_memadd(const struct args *a)
{
	const char *how = a->nr > 2 ? a->word[2] : "";

	if (!strcmp(how, "driver"))
		return add_as_driver(a->num[0], a->num[1]);
	return add_memory(0, a->num[0], a->num[1],
			  strcmp(how, "own") ? MHP_NONE : MHP_MEMMAP_ON_MEMORY);
}

/* memremove START SIZE: it has to be offline */
static int do_memremove(const struct args *a)
{
	int err = remove_memory(a->num[0], a->num[1]);

	if (!err)
		device_put(a->num[0]);
	return err;
}

/* The flags of the CPU's entry in the MADT (ACPI 5.2.12.2): 0 and it is a free socket. */
static int madt_enable(u32 apic_id, bool enable)
{
	struct acpi_table_header *madt;
	u8 *at, *end;
	int err = -ENOENT;

	if (ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &madt)))
		return -ENOENT;
	at = (u8 *)madt + sizeof(struct acpi_table_madt);
	for (end = (u8 *)madt + madt->length; at < end && at[1]; at += at[1]) {
		struct acpi_madt_local_apic *apic = (void *)at;

		if (apic->header.type != ACPI_MADT_TYPE_LOCAL_APIC || apic->id != apic_id)
			continue;
		apic->lapic_flags = enable ? ACPI_MADT_ENABLED : 0;
		err = 0;
	}
	acpi_put_table(madt);
	return err;
}

/* socket CPU 0|1: one that is offline was not there all the time, or is */
static int do_socket(const struct args *a)
{
	unsigned int cpu = a->num[0];
	int err;

	if (cpu >= nr_cpu_ids || cpu_online(cpu))
		return -EINVAL;
	err = madt_enable(per_cpu(x86_cpu_to_apicid, cpu), a->num[1]);
	if (!err)
		set_cpu_present(cpu, a->num[1]);
	return err;
}

const struct command hot_commands[] = {
	{ "memadd", 2, do_memadd },
	{ "memremove", 2, do_memremove },
	{ "socket", 2, do_socket },
	{}
};
