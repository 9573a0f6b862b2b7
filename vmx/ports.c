// SPDX-License-Identifier: GPL-2.0-only
/*
 * Ports that reset the machine or put it to sleep, by one byte of what is
 * written. They are the host's as ever; but before one does it, domains' memory
 * is wiped (end.c). All other ports are not looked at.
 */
#include "end.h"
#include "../core/lib.h"
#include "../npt/npt.h"

#define PORT_KEYBOARD 0x64	/* command 0xf0 to 0xfe, even: the reset line is pulsed */
#define PORT_PCI_ADDRESS 0xcf8	/* as 4 bytes at once; else 0xcf9 is the reset control */
#define PORT_PCI_RESET 0xcf9	/* bit 2: reset now */
#define OWN_PORTS 2
#define IO_BITMAP_PORTS 32768u
#define SPIN_TRIES 10000000u /* of a PAUSE, in which a reset has to happen */

static struct mon_power_port port[OWN_PORTS + MON_MAX_POWER_PORTS] = {
	{ PORT_KEYBOARD, 0xf1, 0xf0 },
	{ PORT_PCI_RESET, 0x04, 0x04 },
};

static u32 nr_ports = OWN_PORTS;
static u64 bitmap_pa[2]; /* SDM 25.6.4: ports below 0x8000, and from there */

int ports_init(const struct mon_boot_info *info)
{
	u32 i;

	spin_lock(&npt_lock);
	for (i = 0; i < 2; i++)
		bitmap_pa[i] = frame_get(FRAME_VMX) << PAGE_SHIFT;
	spin_unlock(&npt_lock);
	if (bitmap_pa[1] == INVALID_PFN << PAGE_SHIFT)
		return NPT_EPOOL;
	for (i = 0; i < info->nr_power_ports; i++)
		port[nr_ports++] = info->power_port[i];
	ports_intercept(bitmap_pa[0], bitmap_pa[1]);
	return NPT_OK;
}

void ports_intercept(u64 bitmap_a, u64 bitmap_b)
{
	u32 i;

	for (i = 0; i < nr_ports; i++) {
		u32 n = port[i].port % IO_BITMAP_PORTS;
		u8 *bitmap = frame_ptr((port[i].port < IO_BITMAP_PORTS ? bitmap_a : bitmap_b) >>
				       PAGE_SHIFT);

		bitmap[n / 8] |= 1u << (n % 8);
	}
}

void ports_bitmaps(u64 *bitmap_a, u64 *bitmap_b)
{
	*bitmap_a = bitmap_pa[0];
	*bitmap_b = bitmap_pa[1];
}

static u32 port_in(u16 at, u32 size, u32 value)
{
	u16 word = (u16)value;
	u8 byte = (u8)value;

	switch (size) {
	case 1:
		asm volatile("inb %1, %0" : "=a"(byte) : "Nd"(at));
		return (value & ~0xffu) | byte;
	case 2:
		asm volatile("inw %1, %0" : "=a"(word) : "Nd"(at));
		return (value & ~0xffffu) | word;
	default:
		asm volatile("inl %1, %0" : "=a"(value) : "Nd"(at));
		return value;
	}
}

static void port_out(u16 at, u32 size, u32 value)
{
	switch (size) {
	case 1:
		asm volatile("outb %b0, %1" : : "a"(value), "Nd"(at));
		break;
	case 2:
		asm volatile("outw %w0, %1" : : "a"(value), "Nd"(at));
		break;
	default:
		asm volatile("outl %0, %1" : : "a"(value), "Nd"(at));
	}
}

static bool ends_machine(u16 at, u32 size, u32 value)
{
	u32 i;

	if (at == PORT_PCI_ADDRESS && size == 4)
		return false;
	for (i = 0; i < nr_ports; i++) {
		u16 offset = port[i].port - at;

		if (offset < size && (value >> 8 * offset & port[i].mask) == port[i].match)
			return true;
	}
	return false;
}

static void __noreturn end_by(u16 at, u32 size, u32 value)
{
	u32 i;

	machine_end();
	port_out(at, size, value);
	for (i = 0; i < SPIN_TRIES; i++)
		asm volatile("pause");
	monitor_reset();
}

/* Qualification: SDM table 28-5. Nobody has a reason for a string instruction here. */
void ports_access(struct cpu *cpu)
{
	u64 qualification = vmread(EXIT_QUALIFICATION);
	u32 size = IO_SIZE(qualification);
	u16 at = IO_PORT(qualification);

	if (qualification & IO_STRING) {
		count(MON_CNT_BAD_IO);
		inject_gp();
		return;
	}
	if (qualification & IO_IN) {
		u32 value = port_in(at, size, (u32)cpu->gpr[RAX]);

		cpu->gpr[RAX] = size == 4 ? value : (cpu->gpr[RAX] & ~0xffffffffULL) | value;
	} else {
		if (ends_machine(at, size, (u32)cpu->gpr[RAX]))
			end_by(at, size, (u32)cpu->gpr[RAX]);
		port_out(at, size, (u32)cpu->gpr[RAX]);
	}
	advance_rip();
}
