// SPDX-License-Identifier: GPL-2.0-only
/*
 * The configuration space of a mediated device. See pci.h.
 */
#include "pci.h"

#include "virtio.h"

/* PCI Local Bus 3.0, 6.1: dwords of the header */
#define AT_ID 0x00u
#define AT_COMMAND 0x04u /* and status */
#define AT_CLASS 0x08u	 /* and revision */
#define AT_BAR(n) (0x10u + 4 * (n))
#define AT_SUBSYSTEM 0x2cu
#define AT_CAPABILITIES 0x34u
#define AT_INTERRUPT 0x3cu

#define COMMAND_MEMORY 0x0002u
#define COMMAND_MASTER 0x0004u
#define COMMAND_NO_INTX 0x0400u
#define COMMAND_WRITABLE (COMMAND_MEMORY | COMMAND_MASTER | COMMAND_NO_INTX)
#define STATUS_CAPABILITIES 0x0010u

/* As QEMU's */
#define VIRTIO_DEVICES 0x1040u
#define SUBSYSTEM 0x1100u
#define REVISION 1u
#define CLASS_NETWORK 0x020000u
#define CLASS_BLOCK 0x010000u
#define VIRTIO_ID_NETWORK 1

/* 6.8.2 */
#define MSIX_ID 0x11u
#define MSIX_BAR 1u
#define MSIX_WRITABLE 0xc000u /* enable, function mask */

/* virtio 1.2, 4.1.4: a list of these, each 16 bytes; behind notify's is its multiplier */
#define VENDOR_ID 0x09u
#define REGISTERS_BAR 4u
#define AT_FIRST 0x40u
#define AT_NOTIFY 0x70u
#define AT_MULTIPLIER (AT_NOTIFY + 16)

/* In the order in which they are from AT_FIRST on, and the type, which is not that order */
static const struct {
	u8 type;
	u8 bytes;
	u16 offset;
} registers[] = {
	{ 1, 16, PCI_COMMON },
	{ 3, 16, PCI_ISR },
	{ 4, 16, PCI_DEVICE },
	{ 2, 20, PCI_NOTIFY },
};

_Static_assert(AT_FIRST + 16 * (ARRAY_SIZE(registers) - 1) == AT_NOTIFY, "notify is the last");
_Static_assert(AT_MULTIPLIER < PCI_MSIX_AT, "MSI-X is behind them");
_Static_assert(PCI_NOTIFY_STEP * VIRTIO_QUEUES_MAX <= PCI_REGION, "all queues can be notified");

void pci_init(struct pci *pci, u16 virtio_id, u16 vectors, u32 config_size)
{
	MONITOR_BUG_ON(config_size > PCI_REGION);
	*pci = (struct pci){ .virtio_id = virtio_id, .config_size = config_size,
			     .vectors = (u16)min_u64(vectors, PCI_VECTORS_MAX) };
}

static u32 register_bytes(const struct pci *pci, u32 which)
{
	switch (registers[which].offset) {
	case PCI_COMMON:
		return VIRTIO_COMMON_SIZE;
	case PCI_ISR:
		return 1;
	case PCI_DEVICE:
		return pci->config_size;
	default:
		return PCI_NOTIFY_STEP * VIRTIO_QUEUES_MAX;
	}
}

/* register_capability() - dword @at of the capability of one of @registers */
static u32 register_capability(const struct pci *pci, u32 which, u32 at)
{
	u32 next = AT_FIRST + 16 * (which + 1);

	if (which == ARRAY_SIZE(registers) - 1)
		next = pci->vectors ? PCI_MSIX_AT : 0;
	switch (at) {
	case 0:
		return VENDOR_ID | next << 8 | (u32)registers[which].bytes << 16 |
		       (u32)registers[which].type << 24;
	case 4:
		return REGISTERS_BAR;
	case 8:
		return registers[which].offset;
	default:
		return register_bytes(pci, which);
	}
}

/* msix_capability() - its dword @at; the last of the list */
static u32 msix_capability(const struct pci *pci, u32 at)
{
	if (!pci->vectors)
		return 0;
	switch (at) {
	case 0:
		return MSIX_ID | (u32)(pci->msix | (pci->vectors - 1)) << 16;
	case 4:
		return PCI_MSIX_TABLE | MSIX_BAR;
	default:
		return PCI_MSIX_PENDING | MSIX_BAR;
	}
}

static u32 dword(const struct pci *pci, u32 at)
{
	switch (at) {
	case AT_ID:
		return PCI_VENDOR | (VIRTIO_DEVICES + pci->virtio_id) << 16;
	case AT_COMMAND:
		return pci->command | STATUS_CAPABILITIES << 16;
	case AT_CLASS:
		return REVISION |
		       (pci->virtio_id == VIRTIO_ID_NETWORK ? CLASS_NETWORK : CLASS_BLOCK) << 8;
	case AT_BAR(MSIX_BAR):
		return pci->bar[MSIX_BAR]; /* all flags 0: memory, 32 bits, not prefetchable */
	case AT_BAR(REGISTERS_BAR):
		return pci->bar[REGISTERS_BAR];
	case AT_SUBSYSTEM:
		return PCI_VENDOR | SUBSYSTEM << 16;
	case AT_CAPABILITIES:
		return AT_FIRST;
	case AT_INTERRUPT:
		return pci->line | 1 << 8; /* INTA */
	case AT_FIRST ... AT_MULTIPLIER - 1:
		return register_capability(pci, (at - AT_FIRST) / 16, at % 16);
	case AT_MULTIPLIER:
		return PCI_NOTIFY_STEP;
	case PCI_MSIX_AT ... PCI_MSIX_AT + 11:
		return msix_capability(pci, at - PCI_MSIX_AT);
	default:
		return 0;
	}
}

/* bits() - those of @size bytes */
static u32 bits(u32 size)
{
	return size >= 4 ? ~0u : (1u << (8 * size)) - 1;
}

/* exists() - 1, 2 or 4 bytes within one dword */
static bool exists(u32 reg, u32 size)
{
	return (size == 1 || size == 2 || size == 4) && reg < PCI_CONFIG_SIZE &&
	       reg % 4 + size <= 4;
}

u32 pci_read(const struct pci *pci, u32 reg, u32 size)
{
	if (!exists(reg, size))
		return bits(size);
	return dword(pci, reg & ~3u) >> (8 * (reg % 4)) & bits(size);
}

enum pci_write pci_write(struct pci *pci, u32 reg, u32 size, u32 value)
{
	u32 at = reg & ~3u, shift = 8 * (reg % 4), mask, all;

	if (!exists(reg, size))
		return PCI_NOTHING;
	mask = bits(size) << shift;
	all = (dword(pci, at) & ~mask) | (value << shift & mask);
	/* In the dwords that have a half or a byte to write, was it that? */
	if (at == AT_COMMAND && (mask & 0xffff)) {
		pci->command = all & COMMAND_WRITABLE;
		return PCI_SAME;
	}
	if (at == AT_INTERRUPT && (mask & 0xff)) {
		pci->line = (u8)all;
		return PCI_SAME;
	}
	if (at == PCI_MSIX_AT && (mask >> 16) && pci->vectors) {
		pci->msix = all >> 16 & MSIX_WRITABLE;
		return PCI_MSIX;
	}
	if (at != AT_BAR(MSIX_BAR) && at != AT_BAR(REGISTERS_BAR))
		return PCI_NOTHING;
	/* The bits that are always 0 are its size (6.2.5.1). */
	pci->bar[(at - AT_BAR(0)) / 4] =
		all & ~((at == AT_BAR(MSIX_BAR) ? PCI_MSIX_SIZE : PCI_BAR_SIZE) - 1);
	return PCI_SAME;
}

u64 pci_bar4_base(const struct pci *pci)
{
	return pci->bar[REGISTERS_BAR];
}

bool pci_bar4(const struct pci *pci, u64 gpa, u32 *offset)
{
	u64 base = pci_bar4_base(pci);

	if (!(pci->command & COMMAND_MEMORY) || !base || gpa - base >= PCI_BAR_SIZE)
		return false;
	*offset = (u32)(gpa - base);
	return true;
}
