// SPDX-License-Identifier: GPL-2.0-only
/*
 * Interrupts between VMs, carried by the host: QEMU's device ivshmem-doorbell.
 *
 * Nothing is believed of it. An interrupt, whoever made it, only wakes those who
 * poll, and they ask the monitor, which alone keeps the signals, whether there is
 * one. So a forged interrupt costs some calls of the monitor, no more than the
 * host's timer interrupts cost; a lost or late one costs the time until the timer
 * below wakes the pollers; a wrong number in the device's register means that
 * somebody else is woken. The device's memory is not mapped at all.
 */
#include <linux/interrupt.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/timer.h>
#include <linux/wait.h>
#include "monguest.h"

#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110
#define IVSHMEM_BAR 0
#define IVSHMEM_IV_POSITION 8
#define IVSHMEM_DOORBELL 12
#define IVSHMEM_SIZE 16
#define IVSHMEM_PEER_SHIFT 16
#define IVSHMEM_PEERS_MAX 0xffffu

/* Between two looks without an interrupt. */
#define PERIOD_WITH_DEVICE HZ
#define PERIOD_WITHOUT_DEVICE (HZ / 50)

static DECLARE_WAIT_QUEUE_HEAD(pollers);
static DEFINE_SPINLOCK(lock); /* the two below, and that the device stays */
static void __iomem *registers;
static u32 own_bell;

static void wake(struct timer_list *unused)
{
	wake_up_all(&pollers);
}

static DEFINE_TIMER(look_again, wake);

static irqreturn_t interrupt(int irq, void *unused)
{
	wake_up_all(&pollers);
	return IRQ_HANDLED;
}

u32 monguest_events_bell(void)
{
	return READ_ONCE(own_bell);
}

void monguest_events_ring(u32 bell)
{
	unsigned long flags;

	if (!bell || bell - 1 > IVSHMEM_PEERS_MAX)
		return;
	spin_lock_irqsave(&lock, flags);
	if (registers)
		iowrite32((bell - 1) << IVSHMEM_PEER_SHIFT, registers + IVSHMEM_DOORBELL);
	spin_unlock_irqrestore(&lock, flags);
}

void monguest_events_wait(struct file *file, poll_table *wait)
{
	poll_wait(file, &pollers, wait);
}

/* Somebody is about to sleep. */
void monguest_events_expect(void)
{
	if (!timer_pending(&look_again))
		mod_timer(&look_again, jiffies + (monguest_events_bell() ? PERIOD_WITH_DEVICE :
								  PERIOD_WITHOUT_DEVICE));
}

static void device_set(void __iomem *bar, u32 bell)
{
	unsigned long flags;

	spin_lock_irqsave(&lock, flags);
	registers = bar;
	WRITE_ONCE(own_bell, bell);
	spin_unlock_irqrestore(&lock, flags);
}

static int device_start(struct pci_dev *dev)
{
	void __iomem *bar;
	u32 position;
	int err;

	bar = pci_iomap(dev, IVSHMEM_BAR, IVSHMEM_SIZE);
	if (!bar)
		return -ENOMEM;
	position = ioread32(bar + IVSHMEM_IV_POSITION);
	err = position > IVSHMEM_PEERS_MAX ? -ENXIO : 0;
	if (!err)
		err = pci_alloc_irq_vectors(dev, 1, 1, PCI_IRQ_MSIX);
	if (err < 0)
		goto out_bar;
	err = request_irq(pci_irq_vector(dev, 0), interrupt, 0, "monguest", &pollers);
	if (err)
		goto out_vectors;
	pci_set_drvdata(dev, (void __force *)bar);
	device_set(bar, position + 1);
	dev_info(&dev->dev, "events between VMs: this one is number %u\n", position);
	return 0;

out_vectors:
	pci_free_irq_vectors(dev);
out_bar:
	pci_iounmap(dev, bar);
	return err;
}

static int device_probe(struct pci_dev *dev, const struct pci_device_id *id)
{
	int err;

	if (monguest_events_bell())
		return -EBUSY; /* one is enough */
	if (pci_resource_len(dev, IVSHMEM_BAR) < IVSHMEM_SIZE || !dev->msix_cap)
		return -ENODEV; /* ivshmem-plain */
	err = pci_enable_device(dev);
	if (err)
		return err;
	pci_set_master(dev);
	err = device_start(dev);
	if (err) {
		dev_err(&dev->dev, "no events between VMs by this device: error %d\n", -err);
		pci_disable_device(dev);
	}
	return err;
}

static void device_remove(struct pci_dev *dev)
{
	void __iomem *bar = (void __iomem __force *)pci_get_drvdata(dev);

	device_set(NULL, 0);
	free_irq(pci_irq_vector(dev, 0), &pollers);
	pci_free_irq_vectors(dev);
	pci_iounmap(dev, bar);
	pci_disable_device(dev);
}

static const struct pci_device_id device_ids[] = {
	{ PCI_DEVICE(IVSHMEM_VENDOR, IVSHMEM_DEVICE) },
	{}
};
MODULE_DEVICE_TABLE(pci, device_ids);

static struct pci_driver driver = {
	.name = "monguest",
	.id_table = device_ids,
	.probe = device_probe,
	.remove = device_remove,
};

int monguest_events_init(void)
{
	return pci_register_driver(&driver);
}

void monguest_events_exit(void)
{
	pci_unregister_driver(&driver);
	/* Nobody polls any more. */
	timer_delete_sync(&look_again);
}
