/* SPDX-License-Identifier: GPL-2.0-only */
/* Functions for folder.test: 0 or more, or mon_file.h's errors. */
#ifndef _FOLDER_H
#define _FOLDER_H

#include "mon_interface.h"

#define NAME_MAX_LENGTH 100

/* @count times the text, synced. */
MON_ECALL(long, put, MON_STRING(name, NAME_MAX_LENGTH), MON_STRING(text, NAME_MAX_LENGTH),
	  size_t count);
/* How often it is the text; -1000: it is something else. */
MON_ECALL(long, get, MON_STRING(name, NAME_MAX_LENGTH), MON_STRING(text, NAME_MAX_LENGTH));
MON_ECALL(long, drop, MON_STRING(name, NAME_MAX_LENGTH));

#endif /* _FOLDER_H */
