/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * SQLite in an enclave, for one thread. A database is a file of mon_file.h: what was committed is
 * there after a crash, and what was not, is not.
 */
#ifndef _MON_SQLITE_H
#define _MON_SQLITE_H

#include "mon_file.h"
#include "sqlite3.h"

/**
 * mon_sqlite_open() - sqlite3_open(), and what a database of mon_file.h needs
 * @newest: NULL: it is made if it is not there; or what mon_sqlite_pin() said once: nothing older
 *	    is taken
 *
 * SQLITE_AUTH: not this enclave's, damaged or too old; SQLITE_BUSY: it is open; SQLITE_MISUSE:
 * .threads of MON_ENCLAVE_CONFIG() is not 1; or as sqlite3_open(). The first time, half of the heap
 * becomes SQLite's.
 */
int mon_sqlite_open(const char *name, const struct mon_file_pin *newest, struct sqlite3 **db);

/** mon_sqlite_pin() - mon_file_pin() of the last transaction; SQLITE_OK, or an error */
int mon_sqlite_pin(struct sqlite3 *db, struct mon_file_pin *pin);

#endif /* _MON_SQLITE_H */
