/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The registers of a mediated device on virtio-mmio (virtio 1.2, 4.2.2, version 2), for a
 * machine without PCI. Nearly all of them are registers of PCI's (pci.h, BAR 4) at other places,
 * so the guest's accesses are translated to those before they are answered, and what QEMU's
 * device is asked for is translated back. It is at the same address as the guest's.
 *
 * There is no MSI-X: the interrupt's line is that of QEMU's device, which has to be told that it
 * was seen. So what the guest reads and writes for that is passed on.
 *
 * Lock order: the device's lock is held.
 */
#ifndef _CORE_IO_MMIO_H
#define _CORE_IO_MMIO_H

#include "virtio.h"

#define MMIO_ACKNOWLEDGE 4u /* behind PCI_ISR, where PCI has nothing */

/**
 * mmio_to_bar() - what the guest's access is in BAR 4
 * @offset, @size: of its access; then of the one to BAR 4
 *
 * Return: false: BAR 4 has no such register, and nothing has changed.
 */
bool mmio_to_bar(u32 *offset, u8 *size);

/** mmio_from_bar() - where QEMU's device has what is at @offset of BAR 4; 0: nowhere */
u32 mmio_from_bar(u32 offset, u8 *size);

/** mmio_read() - of a register that BAR 4 does not have */
u32 mmio_read(const struct virtio *virtio, u16 virtio_id, u32 offset, u8 size);

#endif /* _CORE_IO_MMIO_H */
