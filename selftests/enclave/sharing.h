/* SPDX-License-Identifier: GPL-2.0-only */
/* What programs share that test shares: a puppet with a window, and what the host's kernel sees. */
#ifndef _ENCLAVE_SHARING_H
#define _ENCLAVE_SHARING_H

#include "host.h"

#define PAGE 4096UL
#define WINDOW 0x38000000UL
#define WINDOW_PAGES 16
#define AT(page) (PUPPET_HEAP + (page) * PAGE)
#define SEEN(page) (WINDOW + (page) * PAGE)
#define R MON_SHARE_READ
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)
#define WORD 0x5eed0123456789abUL

/* One of this product number, in whose window others' pages appear. */
void make_with_window(struct enclave *e, unsigned int product);

/* How many frames a domain has, and how many of them show the kernel a word; it writes to each. */
unsigned long frames_of(unsigned int domain, unsigned long *shown);

/* Control: a page of this process can be read and written in that way. */
bool kernel_has_process(void);

#endif /* _ENCLAVE_SHARING_H */
