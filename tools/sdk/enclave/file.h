/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Of mon_file.h: a tree of blocks, each sealed by itself. A table has the tags of 64 blocks below
 * it, the header that of the highest table. A block is never written to where one of the last
 * sync is; a sync writes the header to the older of its two places, when all else is there.
 *
 *	file.c		what an enclave calls; headers and syncs
 *	file_tree.c	blocks in memory: found, made, written
 *	file_place.c	which blocks of the process's file are free
 *	file_seal.c	cipher
 *	file_io.c	the process's file
 */
#ifndef _FILE_H
#define _FILE_H

#include <stdbool.h>
#include "mon_enclave.h"
#include "mon_file.h"

#define FILE_BLOCK 4096
#define FILE_FAN 64	 /* entries of a table */
#define FILE_DEPTH_MAX 4 /* of tables: MON_FILE_SIZE_MAX */
#define FILE_SLOTS 2	 /* headers, at the begin */
#define FILE_CACHE 64	 /* blocks in memory */

/** struct file_seal - with what a block was sealed */
struct file_seal {
	unsigned char nonce[24];
	unsigned char tag[16];
};

/**
 * struct file_entry - of a table
 * @place: of the block in the process's file, counted in blocks; 0: it is zeros
 * @unused: 0
 */
struct file_entry {
	uint64_t place;
	struct file_seal seal;
	unsigned char unused[16];
};

/**
 * struct file_head - of a file; sealed as a block of level FILE_HEADER
 * @generation: how often it was synced; its slot is @generation % FILE_SLOTS
 * @size: bytes; what is behind in the last block is zeros
 * @depth: levels of tables
 * @root: the table of level @depth
 */
struct file_head {
	uint64_t generation;
	uint64_t size;
	uint64_t depth;
	uint64_t unused[5];
	struct file_entry root;
};

/** struct file_slot - a header as it is in the process's file */
struct file_slot {
	char magic[8];
	struct file_seal seal;
	unsigned char unused[16];
	unsigned char sealed[FILE_BLOCK - 64];
};

#define FILE_MAGIC "MONFILE1"
#define FILE_HEADER 0xff /* its level */

_Static_assert(sizeof(struct file_entry) * FILE_FAN == FILE_BLOCK, "a table is a block");
_Static_assert(sizeof(struct file_slot) == FILE_BLOCK, "a header is a block");
_Static_assert(MON_FILE_SIZE_MAX >> (6 * FILE_DEPTH_MAX) == FILE_BLOCK, "as deep as that");

/**
 * struct file_node - a block in memory
 * @parent: the table above, which stays while this is there; NULL: this is the root
 * @below: how many have this as their parent
 * @level, @index: 0: data, else tables; which one on its level
 * @used: when it was last
 * @dirty: it is not what its entry says
 */
struct file_node {
	struct file_node *parent;
	unsigned int below;
	unsigned int level;
	uint64_t index;
	uint64_t used;
	bool dirty;
	union {
		unsigned char data[FILE_BLOCK];
		struct file_entry entry[FILE_FAN];
	};
};

/**
 * struct file_places - bits of blocks of the process's file
 * @now: in use in the tree as it is
 * @synced: in use after the last sync: not to be written
 * @bits: of each
 * @first: none is free before it
 */
struct file_places {
	uint64_t *now;
	uint64_t *synced;
	uint64_t bits;
	uint64_t first;
};

/**
 * struct mon_file - that is open
 * @lock: of all below it
 * @handle: of the process's file
 * @key: of this name
 * @head: as it will be at the next sync; @synced: its slot's seal after the last
 * @changed: since the last sync
 * @dead: a write failed: what is in memory is of no use any more
 * @mapped: @places is there
 * @counter: MON_FILE_COUNTER(), or 0
 * @clock: counts calls, for struct file_node's used
 * @scratch, @slot: what is being written, or read
 */
struct mon_file {
	struct mon_file *next;
	char name[MON_FILE_NAME_MAX + 1];
	struct mon_mutex lock;
	int handle;
	bool changed;
	bool dead;
	bool mapped;
	unsigned int counter;
	unsigned char key[MON_KEY_SIZE];
	struct file_head head;
	struct file_seal synced;
	struct file_places places;
	uint64_t clock;
	unsigned int nr_nodes;
	struct file_node *node[FILE_CACHE];
	union {
		unsigned char scratch[FILE_BLOCK];
		struct file_slot slot;
	};
};

/* file_seal.c: XAES-256-GCM. Whose block it is follows from the key, which one from its place. */
void file_seal(const unsigned char key[MON_KEY_SIZE], unsigned int level, uint64_t index,
	       void *data, size_t size, struct file_seal *seal);
/** file_unseal() - whether it is that; if not, zeros */
bool file_unseal(const unsigned char key[MON_KEY_SIZE], unsigned int level, uint64_t index,
		 void *data, size_t size, const struct file_seal *seal);
/** file_key() - of the file of that name; 0, or -MON_E* */
int file_key(const char *name, unsigned char key[MON_KEY_SIZE]);

/* file_io.c: 0, or -MON_ENOENT, -MON_EBUSY, -MON_EIO. What was not there to read is zeros. */
int file_io_open(const char *name, bool create, int *handle);
int file_io_read(int handle, uint64_t place, void *block);
int file_io_write(int handle, uint64_t place, const void *block);
int file_io_sync(int handle);
void file_io_close(int handle);
int file_io_remove(const char *name);

/* file_place.c */
/** file_take_place() - one that is free, now and after the last sync; 0, or -MON_ENOMEM */
int file_take_place(struct file_places *places, uint64_t *place);
/** file_mark_place() - it is in use since the last sync; 0; -MON_EPERM: it was already */
int file_mark_place(struct file_places *places, uint64_t place);
void file_leave_place(struct file_places *places, uint64_t place);
/** file_places_synced() - what is in use now is what is not to be written */
void file_places_synced(struct file_places *places);
void file_places_free(struct file_places *places);

/* file_tree.c: 0, or an error of mon_file_open()'s. */
enum file_access {
	FILE_LOOK,    /* what is not there stays so: NULL */
	FILE_MAKE,    /* it is made, of zeros */
	FILE_REPLACE, /* all of it will be written: it is not read */
};

/** file_node() - a block of the file, in memory until the next call */
int file_node(struct mon_file *file, unsigned int level, uint64_t index, enum file_access access,
	      struct file_node **node);
/** file_grow() - deep enough for block @last */
int file_grow(struct mon_file *file, uint64_t last);
/** file_cut() - no data block from @first on */
int file_cut(struct mon_file *file, uint64_t first);
/** file_write_out() - all that is dirty */
int file_write_out(struct mon_file *file);
/** file_map() - find what is in use; once, before anything is written */
int file_map(struct mon_file *file);
void file_forget(struct mon_file *file);

#endif /* _FILE_H */
