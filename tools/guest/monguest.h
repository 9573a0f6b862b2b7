/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of monguest.ko are to each other. */
#ifndef _MONGUEST_H
#define _MONGUEST_H

#include <linux/device.h>
#include <linux/ioport.h>
#include <linux/miscdevice.h>
#include <linux/poll.h>
#include <linux/types.h>
#include "uapi/monguest.h"

/* call.c: what the monitor is asked. Errors are its own, as -errno. */
int monguest_call_init(void);
void monguest_call_exit(void);
long monguest_call(u64 nr, u64 a, u64 b, u64 c);
int monguest_self(struct mon_guest_self *self);
long monguest_offer(const struct mon_guest_offer *offer);
int monguest_share_at(u32 slot, struct mon_guest_share *share);

/* window.c: where accepted shares appear */
int monguest_window_init(void);
void monguest_window_exit(void);
u64 monguest_window_pages(void);
int monguest_window_get(struct resource *part, u64 pages);
void monguest_window_put(struct resource *part);

/*
 * doorbell.c: interrupts between VMs, by QEMU's ivshmem-doorbell. A bell is a
 * VM's number there plus one; 0: it has none.
 */
int monguest_events_init(void);
void monguest_events_exit(void);
u32 monguest_events_bell(void);
void monguest_events_ring(u32 bell);
void monguest_events_wait(struct file *file, poll_table *wait);
void monguest_events_expect(void);

/* share.c */
int monguest_shares_init(void);
void monguest_shares_exit(void);
long monguest_share_offer(void __user *arg);
long monguest_share_accept(void __user *arg);

/* disk.c */
extern struct device_attribute dev_attr_disk_opened;

/* balloon.c */
extern struct device_attribute dev_attr_balloon;
int monguest_balloon_init(void);
u64 monguest_balloon_pages(void);

/* main.c: structures that begin with their size */
int monguest_copy_in(void *to, size_t size, size_t min, const void __user *from);
int monguest_copy_out(void __user *to, void *from, size_t size);

#endif /* _MONGUEST_H */
