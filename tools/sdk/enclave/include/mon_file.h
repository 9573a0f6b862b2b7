/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Files, in a folder of the process's (mon_set_folder()), that only this enclave can read or make.
 * What was synced is there after a crash; amid a sync, that or what was before it. Who keeps the
 * folder can remove a file, or give back all of an older one: see mon_file_pin().
 */
#ifndef _MON_FILE_H
#define _MON_FILE_H

#include <stddef.h>
#include <stdint.h>

struct mon_file;

#define MON_EIO 5 /* the process did not do it */

#define MON_FILE_NAME_MAX 64 /* bytes, without the zero; not ".", ".." or with a '/' */
#define MON_FILE_SIZE_MAX (64ULL << 30)

#define MON_FILE_CREATE 1u /* if it is not there */
/*
 * mon_counter() @number is the pin: each sync advances it, and nothing older than it is opened,
 * nor is a file made once it was advanced. A counter is for one file, ever.
 */
#define MON_FILE_COUNTER(number) (((number) + 1u) << 8)

/**
 * struct mon_file_pin - which state of a file
 * @generation: how often it was synced
 * @tag: of all that is in it
 */
struct mon_file_pin {
	uint64_t generation;
	unsigned char tag[16];
};

/**
 * mon_file_open() - one that is there, or with MON_FILE_CREATE an empty one
 * @newest: NULL, or what mon_file_pin() said once: nothing older is taken, nor another of that age
 *
 * 0; -MON_ENOENT; -MON_EPERM: not this enclave's, not of this name, damaged, or older than @newest;
 * -MON_EBUSY: it is open; -MON_EINVAL: no name for a file; -MON_ENOMEM; -MON_EIO.
 */
int mon_file_open(const char *name, unsigned int flags, const struct mon_file_pin *newest,
		  struct mon_file **file);

/**
 * mon_file_read() - bytes from @offset on, less than @size only at its end; or as mon_file_open()
 *
 * -MON_EPERM: what is there was damaged, or is of another time or place.
 */
long mon_file_read(struct mon_file *file, void *data, size_t size, uint64_t offset);

/**
 * mon_file_write() - all of it, or an error, with which the file is as it was after the last sync
 *
 * What is between the old end and @offset is zeros. After an error nothing but closing works.
 */
int mon_file_write(struct mon_file *file, const void *data, size_t size, uint64_t offset);

/** mon_file_truncate() - shorter, or longer by zeros; as mon_file_write() */
int mon_file_truncate(struct mon_file *file, uint64_t size);

/** mon_file_sync() - all that was written is to be there after a crash; as mon_file_write() */
int mon_file_sync(struct mon_file *file);

uint64_t mon_file_size(const struct mon_file *file);

/** mon_file_pin() - of the last sync; to be kept where the process cannot set it back */
void mon_file_pin(const struct mon_file *file, struct mon_file_pin *pin);

/** mon_file_close() - without a sync: what was written since the last is lost. NULL is fine. */
void mon_file_close(struct mon_file *file);

/** mon_file_remove() - 0, -MON_ENOENT or -MON_EIO; -MON_EBUSY: it is open */
int mon_file_remove(const char *name);

#endif /* _MON_FILE_H */
