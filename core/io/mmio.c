// SPDX-License-Identifier: GPL-2.0-only
/* The registers of a mediated device on virtio-mmio. See mmio.h. */
#include "mmio.h"

#include "pci.h"

/* virtio 1.2, 4.2.2; each is 4 bytes */
#define MAGIC 0x00u
#define VERSION 0x04u
#define DEVICE_ID 0x08u
#define VENDOR_ID 0x0cu
#define QUEUE_SIZE_MAX 0x34u
#define QUEUE_NOTIFY 0x50u
#define CONFIG 0x100u /* of the device's own, of any size */

/* Those that BAR 4 has, too: where, and of how many bytes */
static const struct {
	u8 at;
	u8 size;
	u16 bar;
} registers[] = {
	{ 0x10, 4, PCI_COMMON + COMMON_OFFERED },
	{ 0x14, 4, PCI_COMMON + COMMON_OFFERED_SELECT },
	{ 0x20, 4, PCI_COMMON + COMMON_ACCEPTED },
	{ 0x24, 4, PCI_COMMON + COMMON_ACCEPTED_SELECT },
	{ 0x30, 2, PCI_COMMON + COMMON_QUEUE_SELECT },
	{ 0x38, 2, PCI_COMMON + COMMON_QUEUE_SIZE },
	{ 0x44, 2, PCI_COMMON + COMMON_QUEUE_ENABLE },
	{ QUEUE_NOTIFY, 2, PCI_NOTIFY },
	{ 0x60, 1, PCI_ISR },
	{ 0x64, 1, PCI_ISR + MMIO_ACKNOWLEDGE },
	{ 0x70, 1, PCI_COMMON + COMMON_STATUS },
	{ 0x80, 4, PCI_COMMON + COMMON_QUEUE_DESC },
	{ 0x84, 4, PCI_COMMON + COMMON_QUEUE_DESC + 4 },
	{ 0x90, 4, PCI_COMMON + COMMON_QUEUE_AVAIL },
	{ 0x94, 4, PCI_COMMON + COMMON_QUEUE_AVAIL + 4 },
	{ 0xa0, 4, PCI_COMMON + COMMON_QUEUE_USED },
	{ 0xa4, 4, PCI_COMMON + COMMON_QUEUE_USED + 4 },
	{ 0xfc, 1, PCI_COMMON + COMMON_GENERATION },
};

bool mmio_to_bar(u32 *offset, u8 *size)
{
	u32 i;

	if (*offset >= CONFIG) {
		*offset += PCI_DEVICE - CONFIG;
		return true;
	}
	for (i = 0; i < ARRAY_SIZE(registers); i++) {
		if (registers[i].at != *offset || *size != 4)
			continue;
		*offset = registers[i].bar;
		*size = registers[i].size;
		return true;
	}
	return false;
}

u32 mmio_from_bar(u32 offset, u8 *size)
{
	u32 i;

	if (offset - PCI_DEVICE < PCI_REGION)
		return offset - PCI_DEVICE + CONFIG;
	*size = 4;
	if (offset >= PCI_NOTIFY) /* of any queue */
		return QUEUE_NOTIFY;
	for (i = 0; i < ARRAY_SIZE(registers); i++)
		if (registers[i].bar == offset)
			return registers[i].at;
	return 0;
}

u32 mmio_read(const struct virtio *virtio, u16 virtio_id, u32 offset, u8 size)
{
	if (size != 4)
		return 0;
	switch (offset) {
	case MAGIC:
		return 0x74726976; /* "virt" */
	case VERSION:
		return 2;
	case DEVICE_ID:
		return virtio_id;
	case VENDOR_ID:
		return PCI_VENDOR;
	case QUEUE_SIZE_MAX:
		return virtio->queue_select < virtio->queues ? virtio->queue_size : 0;
	default:
		return 0;
	}
}
