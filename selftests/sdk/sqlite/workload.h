/* SPDX-License-Identifier: GPL-2.0-only */
/* What SQLite does in an enclave and natively, for comparison. */
#ifndef _WORKLOAD_H
#define _WORKLOAD_H

#include "sqlite3.h"

#define STEPS 3
#define STEP_NAMES "insert", "lookup", "sum"

/* SQLITE_OK, or an error; also if what comes out is wrong. In this order. */
int workload(sqlite3 *db, unsigned int step);

#endif /* _WORKLOAD_H */
