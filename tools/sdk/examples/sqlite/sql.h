/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _SQL_H
#define _SQL_H

#include "mon_interface.h"

#define NAME_LENGTH 64
#define SQL_LENGTH 32000
#define PIN_SIZE 24

/* Open a database; with a pin of it, only if it is not older. 0, or -1: sql_error(). */
MON_ECALL(int, sql_open, MON_STRING(name, NAME_LENGTH), MON_IN(const uint8_t *, pin, size),
	  size_t size);

/* The first statement of a text; its bytes, or 0: it has no end yet, or -1: sql_error(). */
MON_ECALL(long, sql_begin, MON_STRING(text, SQL_LENGTH));

/* What comes next of its rows, as text; 0: nothing more; -1: sql_error(). */
MON_ECALL(MON_LENGTH(long, size), sql_rows, MON_OUT(char *, text, size), size_t size);

MON_ECALL(MON_LENGTH(long, size), sql_error, MON_OUT(char *, text, size), size_t size);

/* Which state the database is in, for sql_open(); 0 or -1. */
MON_ECALL(int, sql_pin, MON_OUT(uint8_t *, pin, PIN_SIZE));

#endif /* _SQL_H */
