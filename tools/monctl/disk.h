/* SPDX-License-Identifier: GPL-2.0-only */
/* Sealed disks, as uapi/disk.h has them: what the commands "monctl disk ..." share. */
#ifndef _MONCTL_DISK_H
#define _MONCTL_DISK_H

#include <openssl/evp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include "uapi/disk.h"

#define BLOCK MON_DISK_BLOCK
#define LEAF_DATA MON_DISK_LEAF_DATA
#define DISK_NOWHERE (~0ULL)

/* Exit status of check and export: something is damaged or lost. */
#define EXIT_DAMAGED 3

/* ---- disk_layout.c: where is what; nothing here reads or writes. In blocks. ---- */

/** disk_image_blocks() - how large an image has to be for so many blocks of the guest's */
uint64_t disk_image_blocks(uint64_t blocks);

/** disk_leaves() - how many leaves have something to say of so many blocks */
uint64_t disk_leaves(uint64_t blocks);

/** disk_leaf_of() - which leaf has the seal of a block; *@i: which of its seals */
uint64_t disk_leaf_of(uint64_t block, unsigned int *i);

/** disk_leaf_first() - the first block that a leaf has the seal of */
uint64_t disk_leaf_first(uint64_t leaf);

/** disk_leaf_seals() - how many seals of a leaf are in use in a disk of so many blocks */
unsigned int disk_leaf_seals(uint64_t leaf, uint64_t blocks);

/** disk_data_at() - where a block of the guest's is */
uint64_t disk_data_at(uint64_t block);

/** disk_meta_at() - where a leaf, node or root is, in slot 0 or 1 */
uint64_t disk_meta_at(enum mon_disk_kind kind, uint64_t index, unsigned int slot);

/** disk_super_wrong() - what no superblock of this area may say, though it verifies; or NULL */
const char *disk_super_wrong(const struct mon_disk_super *super, unsigned int area);

/* ---- disk_key.c: what fails says so on standard error ---- */

bool key_read(const char *path, unsigned char key[MON_DISK_KEY_SIZE]);
bool key_make(const char *path, unsigned char key[MON_DISK_KEY_SIZE]);

/* ---- disk_crypto.c ---- */

#define DISK_SESSIONS 16

/**
 * struct disk_crypto - keys of one disk's sessions
 * @key: of the disk
 * @uuid: of the disk
 * @session: those that were used last, each with the cipher that has its key
 */
struct disk_crypto {
	unsigned char key[MON_DISK_KEY_SIZE];
	unsigned char uuid[16];
	struct {
		uint64_t number;
		uint64_t used;
		EVP_CIPHER_CTX *cipher;
	} session[DISK_SESSIONS];
	uint64_t uses;
};

void crypto_init(struct disk_crypto *c, const unsigned char *key, const unsigned char *uuid);
void crypto_end(struct disk_crypto *c);

/** crypto_session_key() - HKDF; false: OpenSSL cannot */
bool crypto_session_key(const struct disk_crypto *c, uint64_t session,
			unsigned char key[MON_DISK_KEY_SIZE]);

/** crypto_encrypt() - a block of the guest's, in place; @seal has all but the tag, and gets it */
bool crypto_encrypt(struct disk_crypto *c, uint64_t index, struct mon_disk_seal *seal,
		    unsigned char *data);

/** crypto_decrypt() - a block of the guest's; false: it is not the one of the seal */
bool crypto_decrypt(struct disk_crypto *c, uint64_t index, const struct mon_disk_seal *seal,
		    const unsigned char *from, unsigned char *to);

/** crypto_sign() - the tag of any other block, which begins with its seal */
bool crypto_sign(struct disk_crypto *c, enum mon_disk_kind kind, uint64_t index, void *block);

/** crypto_verify() - is that block's seal right? */
bool crypto_verify(struct disk_crypto *c, enum mon_disk_kind kind, uint64_t index,
		   const void *block);

/* ---- disk_image.c, disk_make.c, disk_nbd.c: raw, block devices, and qcow2 by qemu-nbd ---- */

struct nbd_handle;

/**
 * struct image - an image that is open
 * @path: for messages
 * @size: in bytes, as a guest has it
 * @fd: -1: by @nbd
 * @device: a block device, whose size is what it is
 * @server: qemu-nbd's process
 * @error: why the last call failed
 */
struct image {
	const char *path;
	uint64_t size;
	int fd;
	bool device;
	struct nbd_handle *nbd;
	int server;
	char error[200];
};

/* Format: "raw", "qcow2", or NULL: by the name. What fails says so on standard error. */
bool image_open(struct image *image, const char *path, const char *format, bool write);
bool image_create(struct image *image, const char *path, const char *format, uint64_t size);
bool image_resize(struct image *image, const char *format, uint64_t size);
bool image_format(const char *path, const char *asked, bool *qcow2);

/** image_close() - false: what was written may not be there; standard error says so */
bool image_close(struct image *image);

/* What fails leaves the reason in @error. */
bool image_read(struct image *image, void *to, size_t size, uint64_t at);
bool image_write(struct image *image, const void *from, size_t size, uint64_t at);
bool image_flush(struct image *image);

/** image_data() - the first range from @at on that may be other than zeros; or *@start: @size */
bool image_data(struct image *image, uint64_t at, uint64_t *start, uint64_t *end);

/** image_plain_path() - what QEMU takes for no option and no protocol; to be freed */
char *image_plain_path(const char *path);

/** image_end_with() - of a new process: it is killed when its parent ends */
void image_end_with(pid_t parent);

bool nbd_open(struct image *image, const char *file, bool write);
bool nbd_end(struct image *image);
bool nbd_read(struct image *image, void *to, size_t size, uint64_t at);
bool nbd_write(struct image *image, const void *from, size_t size, uint64_t at);
bool nbd_sync(struct image *image);
bool nbd_data(struct image *image, uint64_t at, uint64_t *start, uint64_t *end);

/* ---- disk_open.c, disk_tree.c: a sealed disk ---- */

/**
 * struct disk_area - what was found in a superblock area
 * @super: the superblock
 * @record: all of its records
 * @sealed: the superblock and its journal verify
 * @whole: and what is above each record, too
 * @why: why it is not
 */
struct disk_area {
	struct mon_disk_super super;
	struct mon_disk_record *record;
	bool sealed;
	bool whole;
	char why[200];
};

/**
 * struct disk - a sealed disk that is open
 * @super: that counts
 * @record: its records, in the order of their blocks
 * @root, @node, @leaf: those loaded last
 * @root_index, @node_index, @leaf_index: which, or DISK_NOWHERE
 * @root_dirty, @node_dirty, @leaf_dirty: changed since the last commit
 * @session: of what is written
 * @count: of the last seal
 * @settled: leaves below were written in this commit: they must not be again
 * @why: what is wrong
 */
struct disk {
	struct image image;
	struct disk_crypto crypto;
	struct disk_area area[2];
	struct mon_disk_super super;
	struct mon_disk_record *record;
	struct mon_disk_node root;
	struct mon_disk_node node;
	struct mon_disk_leaf leaf;
	uint64_t root_index;
	uint64_t node_index;
	uint64_t leaf_index;
	bool root_dirty;
	bool node_dirty;
	bool leaf_dirty;
	uint64_t session;
	uint64_t count;
	uint64_t settled;
	char why[512];
};

/**
 * disk_find() - which superblock counts, in an image that is open
 *
 * Return: false: none; @why says the reason. One that is sealed but not whole is taken if there
 * is no better one: see disk_whole().
 */
bool disk_find(struct disk *disk, const unsigned char *key);

/** disk_whole() - is the superblock that counts whole? */
bool disk_whole(const struct disk *disk);

/** disk_open() - image_open() and disk_find(); what fails says so on standard error */
bool disk_open(struct disk *disk, const char *path, const char *format, const char *key,
	       bool write);

/** disk_fits() - is the image as large as the disk needs it? Says so if not */
bool disk_fits(const struct disk *disk);

/** disk_close() - false: see image_close() */
bool disk_close(struct disk *disk);

enum disk_found { DISK_THERE, DISK_UNWRITTEN, DISK_BAD };

/**
 * disk_seek() - load a leaf, and what is above it
 * @end: the first leaf for which something else is to be found, as far as is known
 *
 * Return: DISK_UNWRITTEN: never written, and @leaf is zeros. DISK_BAD: @why says the reason.
 */
enum disk_found disk_seek(struct disk *disk, uint64_t leaf, uint64_t *end);

enum disk_block {
	BLOCK_UNWRITTEN, /* zeros */
	BLOCK_GOOD,
	BLOCK_BEFORE, /* as it was before the last commit */
	BLOCK_LOST,   /* from here on there is nothing to read */
	BLOCK_BAD,
	BLOCK_UNREADABLE,
};

/** disk_record_of() - the record of a block, or NULL */
const struct mon_disk_record *disk_record_of(const struct disk *disk, uint64_t block);

/**
 * disk_read() - all blocks of the leaf that is loaded
 * @data: gets LEAF_DATA blocks; zeros for what cannot be read
 * @state: gets one for each
 */
void disk_read(struct disk *disk, unsigned char *data, enum disk_block state[LEAF_DATA]);

/** disk_block_why() - what is wrong with a block in that state */
const char *disk_block_why(enum disk_block state);

/* ---- disk_write.c; what fails says so on standard error ---- */

/** disk_begin() - a session to write */
bool disk_begin(struct disk *disk);

/** disk_format() - the first superblock of a new disk, in an image that is open; not yet written */
bool disk_format(struct disk *disk, const unsigned char *key, uint64_t blocks);

/** disk_move() - disk_seek(), after what was changed elsewhere is written */
bool disk_move(struct disk *disk, uint64_t leaf);

/**
 * disk_put() - write those of the loaded leaf's blocks that have no seal and are not zeros
 * @data: LEAF_DATA blocks; is overwritten
 * @written: is increased by what was written, in blocks
 */
bool disk_put(struct disk *disk, unsigned char *data, uint64_t *written);

/** disk_writable() - is nothing wrong with a disk that shall be changed? Says so if not */
bool disk_writable(const struct disk *disk);

/** disk_commit() - all of it is on the disk, or nothing */
bool disk_commit(struct disk *disk, bool clean);

/** disk_recover() - put into the leaves what the records say, and commit */
bool disk_recover(struct disk *disk);

/* ---- disk_progress.c ---- */

/** progress() - show on a terminal how far something is; @all 0: clear the line */
void progress(const char *what, uint64_t done, uint64_t all);

/* ---- disk.c ---- */

/**
 * struct disk_args - what the user has asked for
 * @path: what is not an option
 * @from: format of what is read, or of the only image
 * @to: format of what is written
 */
struct disk_args {
	const char *path[2];
	const char *key;
	const char *from;
	const char *to;
	bool new_key;
	bool resume;
	bool quick;
	bool salvage;
	uint64_t commit;
};

/** disk_size() - "20G" in blocks; 0: it is none, and standard error says why */
uint64_t disk_size(const char *text);

/** disk_get_key() - the key's file is read, or made where --new-key asks for it */
bool disk_get_key(const struct disk_args *args, unsigned char key[MON_DISK_KEY_SIZE]);

/** disk_new() - a new image with a new disk in it, of so many blocks; not yet written */
bool disk_new(struct disk *disk, const struct disk_args *args, const char *path, uint64_t blocks);

/** zeros() - are these bytes, a multiple of 8, all 0? */
bool zeros(const void *data, size_t size);

int disk_create(const struct disk_args *args);
int disk_import(const struct disk_args *args);
int disk_export(const struct disk_args *args);
int disk_check(const struct disk_args *args);
int disk_info(const struct disk_args *args);
int disk_resize(const struct disk_args *args);
int disk_bench(const struct disk_args *args);

#endif /* _MONCTL_DISK_H */
