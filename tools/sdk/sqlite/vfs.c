// SPDX-License-Identifier: GPL-2.0-only
/*
 * SQLite's files, as files of mon_file.h. After a crash those are as they were synced last, so no
 * journal is stored: SQLite has it in memory (journal_mode=MEMORY), to roll back by while it runs.
 * That is right if a file is synced between transactions only; and it is. SQLite's pager syncs a
 * database when the last page of a transaction was written (sqlite3PagerCommitPhaseOne()) and
 * when the old pages are all back (pager_playback()), and sqlite3_backup_step() when a copy is
 * whole. It does not where it writes pages before that, for want of memory (pagerStress()), nor
 * where it rolls back a part (pagerPlaybackSavepoint()). With each, under any PRAGMA synchronous,
 * comes SQLITE_FCNTL_SYNC; and behind a commit, which may have cut the file shorter since,
 * SQLITE_FCNTL_COMMIT_PHASETWO.
 *
 * Where a file cannot be written nothing but closing works any more (mon_file.h), so nobody sees
 * what SQLite then cannot roll back, either. Of two databases that one transaction writes, a crash
 * can leave one as it was.
 */
#include <stdlib.h>
#include <string.h>
#include "mon_enclave.h"
#include "mon_sqlite.h"

#define ATOM 64 /* bytes; SQLite's memory is in powers of two of these */

/**
 * struct database - an open one; SQLite opens no other files
 * @dirty: written, and not synced
 */
struct database {
	sqlite3_file base;
	struct mon_file *file;
	int dirty;
};

static const struct mon_file_pin *wanted; /* of who opens now */

static struct database *database(sqlite3_file *file)
{
	return (struct database *)file;
}

/* 0, or SQLite's name for @error. */
static int result(long error, int otherwise)
{
	switch (error) {
	case 0:
		return SQLITE_OK;
	case -MON_EPERM:
		return SQLITE_IOERR_DATA;
	case -MON_ENOMEM:
		return SQLITE_IOERR_NOMEM;
	default:
		return otherwise;
	}
}

static int vfs_close(sqlite3_file *file)
{
	mon_file_close(database(file)->file);
	return SQLITE_OK;
}

static int vfs_read(sqlite3_file *file, void *data, int size, sqlite3_int64 offset)
{
	long n = mon_file_read(database(file)->file, data, size, offset);

	if (n < 0)
		return result(n, SQLITE_IOERR_READ);
	if (n == size)
		return SQLITE_OK;
	memset((char *)data + n, 0, size - n);
	return SQLITE_IOERR_SHORT_READ;
}

static int vfs_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 offset)
{
	struct database *d = database(file);

	d->dirty = 1;
	return result(mon_file_write(d->file, data, size, offset), SQLITE_IOERR_WRITE);
}

static int vfs_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	struct database *d = database(file);

	d->dirty = 1;
	return result(mon_file_truncate(d->file, size), SQLITE_IOERR_TRUNCATE);
}

static int vfs_sync(sqlite3_file *file, int flags)
{
	struct database *d = database(file);
	int error;

	if (!d->dirty)
		return SQLITE_OK;
	error = mon_file_sync(d->file);
	d->dirty = error != 0;
	return result(error, SQLITE_IOERR_FSYNC);
}

static int vfs_size(sqlite3_file *file, sqlite3_int64 *size)
{
	*size = mon_file_size(database(file)->file);
	return SQLITE_OK;
}

/* mon_file_open() lets nobody else in. */
static int vfs_lock(sqlite3_file *file, int lock)
{
	return SQLITE_OK;
}

static int vfs_reserved(sqlite3_file *file, int *reserved)
{
	*reserved = 0;
	return SQLITE_OK;
}

/* Of PRAGMAs, that which would have a journal as a file, or none. */
static int pragma(char **argument)
{
	if (sqlite3_stricmp(argument[1], "journal_mode") || !argument[2] ||
	    !sqlite3_stricmp(argument[2], "memory"))
		return SQLITE_NOTFOUND;
	argument[0] = sqlite3_mprintf("journals are in memory");
	return SQLITE_ERROR;
}

static int vfs_control(sqlite3_file *file, int what, void *argument)
{
	switch (what) {
	case SQLITE_FCNTL_SYNC:
	case SQLITE_FCNTL_COMMIT_PHASETWO:
		return vfs_sync(file, 0);
	case SQLITE_FCNTL_PRAGMA:
		return pragma(argument);
	default:
		return SQLITE_NOTFOUND;
	}
}

static int vfs_sector(sqlite3_file *file)
{
	return 4096;
}

static int vfs_characteristics(sqlite3_file *file)
{
	return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = vfs_close,
	.xRead = vfs_read,
	.xWrite = vfs_write,
	.xTruncate = vfs_truncate,
	.xSync = vfs_sync,
	.xFileSize = vfs_size,
	.xLock = vfs_lock,
	.xUnlock = vfs_lock,
	.xCheckReservedLock = vfs_reserved,
	.xFileControl = vfs_control,
	.xSectorSize = vfs_sector,
	.xDeviceCharacteristics = vfs_characteristics,
};

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *got)
{
	struct database *d = database(file);
	int error;

	memset(d, 0, sizeof(*d));
	if (!(flags & SQLITE_OPEN_MAIN_DB) || !name)
		return SQLITE_CANTOPEN;
	error = mon_file_open(name, flags & SQLITE_OPEN_CREATE ? MON_FILE_CREATE : 0, wanted,
			      &d->file);
	if (error)
		return error == -MON_EPERM   ? SQLITE_AUTH
		       : error == -MON_EBUSY ? SQLITE_BUSY
					     : result(error, SQLITE_CANTOPEN);
	d->base.pMethods = &methods;
	if (got)
		*got = flags;
	return SQLITE_OK;
}

/* Of journals; there are none. */
static int vfs_delete(sqlite3_vfs *vfs, const char *name, int durable)
{
	return SQLITE_IOERR_DELETE_NOENT;
}

static int vfs_access(sqlite3_vfs *vfs, const char *name, int flags, int *found)
{
	*found = 0;
	return SQLITE_OK;
}

static int vfs_full_name(sqlite3_vfs *vfs, const char *name, int size, char *full)
{
	if (strlen(name) >= (size_t)size)
		return SQLITE_CANTOPEN;
	memcpy(full, name, strlen(name) + 1);
	return SQLITE_OK;
}

static int vfs_random(sqlite3_vfs *vfs, int size, char *data)
{
	mon_random(data, size);
	return size;
}

static int vfs_sleep(sqlite3_vfs *vfs, int us)
{
	mon_yield();
	return 0;
}

/* There is no clock but the host's word, so 'now' is NULL: who believes it passes it as a value. */
static int vfs_now(sqlite3_vfs *vfs, sqlite3_int64 *ms)
{
	return SQLITE_ERROR;
}

int sqlite3_os_init(void)
{
	static sqlite3_vfs vfs = {
		.iVersion = 2,
		.szOsFile = sizeof(struct database),
		.mxPathname = MON_FILE_NAME_MAX + 8, /* for "-journal" */
		.zName = "mon_file",
		.xOpen = vfs_open,
		.xDelete = vfs_delete,
		.xAccess = vfs_access,
		.xFullPathname = vfs_full_name,
		.xRandomness = vfs_random,
		.xSleep = vfs_sleep,
		.xCurrentTimeInt64 = vfs_now,
	};

	return sqlite3_vfs_register(&vfs, 1);
}

int sqlite3_os_end(void)
{
	return SQLITE_OK;
}

/* Its own memory: malloc() looks at each block, and SQLite has many. */
static int begin(void)
{
	const struct mon_enclave_config *c = &mon_enclave_note.config;
	unsigned long long size = (c->heap ? c->heap : 1 << 20) / 2;
	static void *memory;

	if (c->threads != 1)
		return SQLITE_MISUSE;
	if (memory)
		return SQLITE_OK;
	if (size > 1 << 30)
		size = 1 << 30;
	memory = malloc(size);
	if (!memory)
		return SQLITE_NOMEM;
	return sqlite3_config(SQLITE_CONFIG_HEAP, memory, (int)size, ATOM);
}

int mon_sqlite_open(const char *name, const struct mon_file_pin *newest, struct sqlite3 **db)
{
	static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY";
	int flags = SQLITE_OPEN_READWRITE | (newest ? 0 : SQLITE_OPEN_CREATE), error = begin();

	*db = NULL;
	if (error)
		return error;
	wanted = newest;
	error = sqlite3_open_v2(name, db, flags, NULL);
	wanted = NULL;
	if (!error)
		error = sqlite3_db_config(*db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	return error ? error : sqlite3_exec(*db, settings, NULL, NULL, NULL);
}

int mon_sqlite_pin(struct sqlite3 *db, struct mon_file_pin *pin)
{
	sqlite3_file *file = NULL;
	int error = sqlite3_file_control(db, "main", SQLITE_FCNTL_FILE_POINTER, &file);

	if (error)
		return error;
	if (!file || file->pMethods != &methods)
		return SQLITE_MISUSE;
	mon_file_pin(database(file)->file, pin);
	return SQLITE_OK;
}
