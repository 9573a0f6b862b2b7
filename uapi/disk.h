/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A sealed disk: what the monitor writes to a disk image, and monctl reads and writes too.
 * Everything is little endian, in blocks of 4 KiB of the image as the guest's device has
 * it: a raw file, a qcow2, a block device. The host sees and may change all of it.
 *
 *	block 0		superblock area 0: a superblock, and up to 15 blocks of journal
 *	block 16	superblock area 1
 *	block 32	nothing; for wrapped keys
 *	block 63	what is written before the first flush; nobody reads it
 *	block 64	chunk 0, chunk 1, ...
 *
 * A chunk is 32768 blocks (128 MiB), of which 32256 are the guest's:
 *
 *	2	slots of a root (in each 254th chunk; else nothing)
 *	2	slots of the chunk's node
 *	2 * 254	slots of its 254 leaves
 *	32256	data: 127 blocks for each leaf, 125 for the last
 *
 * The last chunk ends behind the disk's last block. A leaf has a seal for each of its
 * blocks. A node has a word for each of its leaves, a root for each of its nodes, and the
 * superblock for each root: which seal it has, and in which of its two slots it is. So the
 * superblock says what every block of the image must be. Seals and words of what is behind
 * the disk's last block are 0: the disk may grow.
 *
 * Seals
 * -----
 * All of it is AES-256-GCM. The key is of a session, from one opening of the disk to its
 * closing: HKDF-SHA256 of the disk's key, with the uuid as salt and "monitor-disk-1" and
 * the session's number, 8 bytes, as info. That number is drawn at random, so that an older
 * image which is opened again does not have the same key used twice. The nonce is 4 zero
 * bytes and the count of the seal in its session, 8 bytes, big endian; counts begin with 1
 * and none is used twice. So session and count name one block for ever. Additional data is
 * struct mon_disk_place, and for all but data the whole block without its seal; these are not
 * encrypted.
 *
 * Commits
 * -------
 * 1. The leaves, nodes and roots that change are written to their other slots, and the
 *    superblock, with a record for each block of data that changes, to the other area.
 * 2. The image is flushed.
 * 3. Data is written to its places.
 * 4. The image is flushed. Now the guest's own flush is done, and the next commit may begin.
 *
 * Between 1 and 2 all may get to the disk in any order, the superblock first. So one counts only
 * if it is whole: it, its journal, and the leaf, the node and the root above each of its
 * records verify. A crash before 2 leaves the whole superblock before, and all that belongs to it.
 * One behind it leaves a superblock whose records say which blocks of data may be old; with
 * the record's seal they can be read. A block of 4 KiB is written wholly or not at all: where
 * the host's storage tears one, that block is lost, and reading it is an error.
 *
 * So of a disk that was not closed, or seems so, who has the image can choose for each block of
 * the last commit if it is new or as it was before; who has an older image, that one as a whole.
 *
 * Who opens a disk to write flushes before it: what it finds may be in a cache of the host's only,
 * and its own writes go over what a cut would lead back to. As QEMU flushes nothing if nothing was
 * written since it was started, block 63 is written first, with anything. The first commit has
 * no record and flushes before its superblock, even if it changes nothing: for each record
 * of the superblock before, the leaf gets the seal that verifies, or MON_DISK_LOST.
 *
 * A commit that changes a leaf, a node or a root which is above none of its records flushes
 * before it writes its superblock, too. And data that was never written before may be written
 * before that flush, and then has no record: that is how monctl imports.
 */
#ifndef _UAPI_MON_DISK_H
#define _UAPI_MON_DISK_H

#include <linux/types.h>

#define MON_DISK_MAGIC 0x314b5349444e4f4dULL /* "MONDISK1" */
#define MON_DISK_VERSION 1
#define MON_DISK_KEY_INFO "monitor-disk-1"
#define MON_DISK_KEY_SIZE 32

#define MON_DISK_BLOCK 4096
#define MON_DISK_AREA_BLOCKS 16
#define MON_DISK_TOUCHED 63
#define MON_DISK_FIRST_CHUNK 64
#define MON_DISK_CHUNK_BLOCKS 32768
#define MON_DISK_LEAF_DATA 127 /* seals in a leaf */
#define MON_DISK_FANOUT 254    /* words in a node or root */
#define MON_DISK_CHUNK_HEAD (4 + 2 * MON_DISK_FANOUT)
#define MON_DISK_CHUNK_DATA (MON_DISK_CHUNK_BLOCKS - MON_DISK_CHUNK_HEAD)
#define MON_DISK_ROOTS 128 /* 3.9 TiB */
#define MON_DISK_BLOCKS_MAX ((__u64)MON_DISK_ROOTS * MON_DISK_FANOUT * MON_DISK_CHUNK_DATA)

/**
 * struct mon_disk_seal - what a block must be
 * @tag: AES-256-GCM's tag
 * @session: by whose key
 * @count: of the seal in that session: the nonce. 0: nothing was ever written, the block is zeros.
 *	MON_DISK_LOST: what was written is lost.
 */
struct mon_disk_seal {
	__u8 tag[16];
	__u64 session;
	__u64 count;
};

#define MON_DISK_LOST (~0ULL)

/* What a seal is of */
enum mon_disk_kind {
	MON_DISK_DATA = 1, /* @index: the guest's block */
	MON_DISK_LEAF,	   /* @index: counted through all chunks */
	MON_DISK_NODE,	   /* @index: the chunk */
	MON_DISK_ROOT,	   /* @index: the chunk, divided by 254 */
	MON_DISK_SUPER,	   /* @index: 0 or 1, the area */
	MON_DISK_JOURNAL,  /* @index: 1 to 15, the block of the area */
};

/**
 * struct mon_disk_place - additional data of every seal: so nothing can be moved
 * @uuid: the disk's
 * @kind: enum mon_disk_kind
 * @reserved: 0
 * @index: which of its kind
 */
struct mon_disk_place {
	__u8 uuid[16];
	__u32 kind;
	__u32 reserved;
	__u64 index;
};

/**
 * struct mon_disk_word - which leaf, node or root
 * @session: of its seal
 * @count: of its seal, shifted left by one; the lowest bit is its slot. 0: all below is zeros,
 *	and was never written
 */
struct mon_disk_word {
	__u64 session;
	__u64 count;
};

/**
 * struct mon_disk_leaf - the seals of 127 blocks
 * @seal: of this block
 * @data: one for each block of the guest's
 */
struct mon_disk_leaf {
	struct mon_disk_seal seal;
	struct mon_disk_seal data[MON_DISK_LEAF_DATA];
};

/**
 * struct mon_disk_node - a node or a root
 * @seal: of this block
 * @word: one for each leaf, or for each node
 */
struct mon_disk_node {
	struct mon_disk_seal seal;
	struct mon_disk_word word[MON_DISK_FANOUT];
};

/**
 * struct mon_disk_record - a block of data that a commit changes
 * @block: the guest's number of it
 * @before: its seal before that commit
 */
struct mon_disk_record {
	__u64 block;
	struct mon_disk_seal before;
};

#define MON_DISK_SUPER_RECORDS 48
#define MON_DISK_JOURNAL_RECORDS 101
#define MON_DISK_RECORDS_MAX \
	(MON_DISK_SUPER_RECORDS + (MON_DISK_AREA_BLOCKS - 1) * MON_DISK_JOURNAL_RECORDS)

#define MON_DISK_CLEAN (1 << 0) /* closed: no record, and nothing was written since */

/**
 * struct mon_disk_super - the superblock of one commit
 * @seal: of this block
 * @magic: MON_DISK_MAGIC
 * @version: MON_DISK_VERSION
 * @flags: MON_DISK_CLEAN, or 0
 * @uuid: of the disk, random
 * @commit: counts from 1; the area is its lowest bit. Of two superblocks that are whole the
 *	larger one counts.
 * @blocks: size for the guest, in blocks of 4 KiB
 * @opened: how often it was opened to write; what a counter outside of the image is compared with
 * @records: how many, 0 to MON_DISK_RECORDS_MAX, in ascending order of @block; those that are not
 *	here are in the journal
 * @reserved: 0
 * @root: a word for each root
 * @record: the first of them
 * @reserved2: 0
 */
struct mon_disk_super {
	struct mon_disk_seal seal;
	__u64 magic;
	__u32 version;
	__u32 flags;
	__u8 uuid[16];
	__u64 commit;
	__u64 blocks;
	__u64 opened;
	__u32 records;
	__u32 reserved;
	struct mon_disk_word root[MON_DISK_ROOTS];
	struct mon_disk_record record[MON_DISK_SUPER_RECORDS];
	__u8 reserved2[32];
};

/**
 * struct mon_disk_journal - more records of a superblock
 * @seal: of this block: the superblock's session, and its count and the block's number in the
 *	area together
 * @record: those behind the ones in the superblock and the blocks before
 * @reserved: 0
 */
struct mon_disk_journal {
	struct mon_disk_seal seal;
	struct mon_disk_record record[MON_DISK_JOURNAL_RECORDS];
	__u8 reserved[24];
};

#endif
