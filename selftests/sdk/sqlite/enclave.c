// SPDX-License-Identifier: GPL-2.0-only
#include "bench.h"
#include "mon_enclave.h"
#include "mon_sqlite.h"
#include "workload.h"

MON_ENCLAVE_CONFIG(.heap = 16 << 20, .stack = 256 << 10, .threads = 1);

int bench(unsigned int step)
{
	static sqlite3 *db;
	int error = db ? SQLITE_OK : mon_sqlite_open("database", NULL, &db);

	return error ? error : workload(db, step);
}
