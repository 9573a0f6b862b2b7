/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The configuration space of a mediated device, as the guest sees it (PCI Local Bus 3.0, 6;
 * virtio 1.2, 4.1): constant, but for what software programs. The host's device behind
 * it is QEMU's, which has its registers at the same places of BAR 4, and MSI-X in BAR 1.
 *
 * BAR 4 has 64 bits there and 32 here, so the guest leaves it below 4 GiB, where the
 * host's is, too, as long as nobody writes to the host's BAR 5. Above, SeaBIOS and iPXE would
 * need a window to the registers in the configuration space (VIRTIO_PCI_CAP_PCI_CFG, 4.1.4.9):
 * trusted code for nothing else, since Linux, OVMF and Windows do not use it. There is none.
 *
 * Nor is there PCI Express's capability, power management, an expansion ROM or a second
 * function: software takes it for a conventional device.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_PCI_H
#define _CORE_IO_PCI_H

#include "../../npt/shim.h"

/* BAR 4, in the order of QEMU's virtio-pci */
#define PCI_BAR_SIZE 0x4000u
#define PCI_COMMON 0x0000u
#define PCI_ISR 0x1000u
#define PCI_DEVICE 0x2000u
#define PCI_NOTIFY 0x3000u
#define PCI_NOTIFY_STEP 4u /* notify_off_multiplier */
#define PCI_REGION 0x1000u

/* BAR 1, as QEMU has it for no more vectors than this: the table, then the pending bits */
#define PCI_MSIX_SIZE 0x1000u
#define PCI_MSIX_TABLE 0u
#define PCI_MSIX_PENDING 0x800u
#define PCI_VECTORS_MAX (PCI_MSIX_PENDING / 16)

#define PCI_CONFIG_SIZE 256u
#define PCI_VENDOR 0x1af4u /* virtio's */
#define PCI_MSIX_AT 0x98u /* where the capability is for the guest */

/**
 * struct pci - a function
 * @virtio_id: 1 network, 2 block (virtio 1.2, 5)
 * @vectors: of MSI-X, at most PCI_VECTORS_MAX; 0: it has no MSI-X
 * @config_size: bytes of the device's own configuration
 * @command, @line, @bar, @msix: as the guest has programmed them; of @msix, only
 *	the bits of the message control word that it can write: enable, function mask
 */
struct pci {
	u16 virtio_id;
	u16 vectors;
	u32 config_size;
	u16 command;
	u8 line;
	u32 bar[6];
	u16 msix;
};

/** pci_init() - as after a reset; @vectors above PCI_VECTORS_MAX are not shown */
void pci_init(struct pci *pci, u16 virtio_id, u16 vectors, u32 config_size);

/**
 * pci_read() - @size: 1, 2 or 4 bytes at @reg
 *
 * What lies across a dword is all ones, and so is what lies behind the 256 bytes of a
 * conventional device.
 */
u32 pci_read(const struct pci *pci, u32 reg, u32 size);

/* What the host's function has to be told of a write */
enum pci_write {
	PCI_NOTHING,
	PCI_SAME, /* the same write, at the same place: command, BARs, interrupt line */
	PCI_MSIX, /* the message control word, which the host's function may have elsewhere */
};

enum pci_write pci_write(struct pci *pci, u32 reg, u32 size, u32 value);

/** pci_bar4() - is @gpa in BAR 4, with memory decoding on? @offset: where */
bool pci_bar4(const struct pci *pci, u64 gpa, u32 *offset);

/** pci_bar4_base() - where BAR 4 is; 0: the guest has not placed it, and it is nowhere */
u64 pci_bar4_base(const struct pci *pci);

#endif /* _CORE_IO_PCI_H */
