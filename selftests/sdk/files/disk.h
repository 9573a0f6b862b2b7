/* SPDX-License-Identifier: GPL-2.0-only */
/* In place of the process and its disk: what was not synced may be lost, in part or in pieces. */
#ifndef _DISK_H
#define _DISK_H

#include <stdint.h>
#include <stdlib.h>
#include "file.h"

#define DISK_BLOCKS 2048

enum crash {
	CRASH_KILL,  /* of the process: the cache is still there, and not on the disk */
	CRASH_POWER, /* of the cache, any part was written, in pieces, too */
};

/** struct disk - one file; @stable: on the disk, @cached: what one reads, @fresh: they differ */
struct disk {
	unsigned char stable[DISK_BLOCKS][FILE_BLOCK];
	unsigned char cached[DISK_BLOCKS][FILE_BLOCK];
	bool fresh[DISK_BLOCKS];
	uint64_t blocks;
	bool there;
};

/** disk - that which file_io_open() opens, by any name */
extern struct disk disk;
/** disk_calls - how many writes and syncs are done before all fail; -1: no limit */
extern long disk_calls;
/** disk_failed - one did */
extern bool disk_failed;
/** malloc_fails - one of so many; 0: none */
extern unsigned int malloc_fails;

/** counter - the only one; 0: none yet */
extern struct mon_enclave_counter counter;

void disk_crash(enum crash kind);
unsigned long random_below(unsigned long n);

#endif /* _DISK_H */
