// SPDX-License-Identifier: GPL-2.0-only
/*
 * How this machine is reset and put to sleep, as firmware has it: told to the
 * monitor while it still believes the kernel.
 */
#include <linux/acpi.h>
#include <linux/kernel.h>
#include <asm/msr.h>
#include "monitor.h"

#define SLP_EN_BYTE 1	/* of PM1 control (ACPI 4.8.3.2.1): bit 13 starts the sleep */
#define SLP_EN_MASK 0x20

static void add(struct mon_boot_info *info, u64 port, u8 mask, u8 match)
{
	if (!port || port > U16_MAX || info->nr_power_ports == MON_MAX_POWER_PORTS)
		return;
	info->power_port[info->nr_power_ports++] = (struct mon_power_port){ port, mask, match };
}

static void add_pm1_control(struct mon_boot_info *info, const struct acpi_generic_address *reg)
{
	if (reg->address && reg->space_id == ACPI_ADR_SPACE_SYSTEM_IO)
		add(info, reg->address + SLP_EN_BYTE, SLP_EN_MASK, SLP_EN_MASK);
}

/* 0x64 and 0xcf9 the monitor knows itself. Another one is for nothing but resets. */
static void add_reset_register(struct mon_boot_info *info)
{
	const struct acpi_generic_address *reg = &acpi_gbl_FADT.reset_register;

	if (!(acpi_gbl_FADT.flags & ACPI_FADT_RESET_REGISTER) ||
	    reg->space_id != ACPI_ADR_SPACE_SYSTEM_IO || reg->address == 0x64 ||
	    reg->address == 0xcf9)
		return;
	add(info, reg->address, 0, 0);
}

/**
 * mon_power_ports() - fill in the power ports of the boot information
 * @info: what the monitor is told at launch
 *
 * Without ACPI there are none.
 */
void mon_power_ports(struct mon_boot_info *info)
{
	if (acpi_disabled)
		return;
	add_pm1_control(info, &acpi_gbl_FADT.xpm1a_control_block);
	add_pm1_control(info, &acpi_gbl_FADT.xpm1b_control_block);
	add_reset_register(info);
}

/**
 * mon_map_apic() - the local APIC, where the monitor reaches it
 *
 * It cannot be moved after launch. Each CPU has its own at this address; MTRRs make it
 * uncacheable.
 *
 * Return: 0 or -errno.
 */
int mon_map_apic(void)
{
	u32 low, high;

	rdmsr(MSR_IA32_APICBASE, low, high); /* its name for 64 bits changes with the kernel */
	return mon_map(MON_VA_APIC, (u64)high << 32 | (low & PAGE_MASK), PAGE_SIZE, true, false);
}
