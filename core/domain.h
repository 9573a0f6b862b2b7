/* SPDX-License-Identifier: GPL-2.0-only */
/* How many protected domains there are, and whether there may be more: for unloading. */
#ifndef _CORE_DOMAIN_H
#define _CORE_DOMAIN_H

#include "../npt/shim.h"

/* CR3: address bits, less bit 12 that tells the halves of page-table isolation apart. */
#define CR3_PROCESS (GENMASK(51, 13))

/** domain_begin() - one is about to be made; false: none is any more */
bool __must_check domain_begin(void);
/** domain_end() - it was not made after all, or is gone */
void domain_end(void);

/** domain_count() - VMs and enclaves, those that die among them */
u32 domain_count(void);

/** domains_close() - from here none is made; false, and nothing changed: there is one */
bool domains_close(void);
/** domains_closed() - has domains_close() succeeded? (no lock) */
bool domains_closed(void);

#endif /* _CORE_DOMAIN_H */
