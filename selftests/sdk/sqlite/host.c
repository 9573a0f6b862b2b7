// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: sqlite-bench [--sim] SQLITE-BENCH.elf FOLDER: SQLite in an enclave, and the same SQLite by
 * itself with an ordinary file in that folder, locked once and with its journal in memory as well;
 * figures, in ticks of the time stamp counter.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <x86intrin.h>
#include "bench.h"
#include "monenclave.h"
#include "workload.h"

static const char *const names[STEPS] = { STEP_NAMES };

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "sqlite-bench: %s: %s\n", what, why);
	return 1;
}

static int natively(const char *folder)
{
	static const char settings[] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=MEMORY";
	unsigned long long begin;
	unsigned int i;
	char path[512];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/native", folder);
	if (sqlite3_open(path, &db) || sqlite3_exec(db, settings, NULL, NULL, NULL))
		return fail(path, sqlite3_errmsg(db));
	for (i = 0; i < STEPS; i++) {
		begin = __rdtsc();
		if (workload(db, i))
			return fail(names[i], sqlite3_errmsg(db));
		printf("sqlite.native.%s %llu\n", names[i], __rdtsc() - begin);
	}
	sqlite3_close(db);
	return 0;
}

static int in_enclave(struct mon_enclave *mon)
{
	unsigned long long begin;
	unsigned int i;
	int error;

	for (i = 0; i < STEPS; i++) {
		begin = __rdtsc();
		if (bench(mon, &error, i))
			return fail(names[i], mon_error());
		if (error)
			return fail(names[i], sqlite3_errstr(error));
		printf("sqlite.enclave.%s %llu\n", names[i], __rdtsc() - begin);
	}
	return 0;
}

int main(int argc, char **argv)
{
	int sim = argc > 1 && !strcmp(argv[1], "--sim");
	struct mon_enclave *mon;

	if (argc != 3 + sim)
		return fail("usage", "sqlite-bench [--sim] SQLITE-BENCH.elf FOLDER");
	mon = mon_open(argv[sim + 1], sim ? MON_OPEN_SIM : 0);
	if (!mon || mon_set_folder(mon, argv[sim + 2]))
		return fail(argv[sim + 1], mon_error());
	return natively(argv[sim + 2]) || in_enclave(mon);
}
