// SPDX-License-Identifier: GPL-2.0-only
#include <stddef.h>
#include "workload.h"

#define ROWS 10000
#define ROWS_AT_ONCE 100 /* in a transaction */

static sqlite3_int64 key_of(unsigned int row)
{
	return row * 2654435761u % 1000003;
}

static int run(sqlite3 *db, const char *text)
{
	return sqlite3_exec(db, text, NULL, NULL, NULL);
}

static int prepare(sqlite3 *db, const char *text, sqlite3_stmt **statement)
{
	return sqlite3_prepare_v2(db, text, -1, statement, NULL);
}

static int insert_some(sqlite3 *db, sqlite3_stmt *statement, unsigned int from)
{
	int error = run(db, "BEGIN");
	unsigned int row;

	for (row = from; !error && row < from + ROWS_AT_ONCE; row++) {
		sqlite3_bind_int64(statement, 1, key_of(row));
		sqlite3_bind_int64(statement, 2, row);
		error = sqlite3_step(statement) != SQLITE_DONE;
		sqlite3_reset(statement);
	}
	return error ? error : run(db, "COMMIT");
}

static int insert(sqlite3 *db)
{
	static const char text[] = "INSERT INTO t VALUES(?1, ?2, printf('row %08d of %d', ?2, ?1))";
	sqlite3_stmt *statement = NULL;
	unsigned int row;
	int error = run(db, "CREATE TABLE t(key INTEGER, row INTEGER, text TEXT);"
			    "CREATE INDEX i ON t(key)");

	if (!error)
		error = prepare(db, text, &statement);
	for (row = 0; !error && row < ROWS; row += ROWS_AT_ONCE)
		error = insert_some(db, statement, row);
	sqlite3_finalize(statement);
	return error;
}

static int lookup(sqlite3 *db)
{
	sqlite3_stmt *statement;
	unsigned int row;
	int error = prepare(db, "SELECT row, length(text) FROM t WHERE key = ?1", &statement);

	for (row = 0; !error && row < ROWS; row++) {
		sqlite3_bind_int64(statement, 1, key_of(row));
		error = sqlite3_step(statement) != SQLITE_ROW ||
			sqlite3_column_int64(statement, 0) != row;
		sqlite3_reset(statement);
	}
	sqlite3_finalize(statement);
	return error;
}

static int sum(sqlite3 *db)
{
	static const char text[] = "SELECT sum(n), count(*) FROM (SELECT key % 100 AS k,"
				   "count(*) AS n, max(text) FROM t GROUP BY k ORDER BY 3)";
	sqlite3_stmt *statement;
	int error = prepare(db, text, &statement);

	if (!error)
		error = sqlite3_step(statement) != SQLITE_ROW ||
			sqlite3_column_int(statement, 0) != ROWS ||
			sqlite3_column_int(statement, 1) != 100;
	sqlite3_finalize(statement);
	return error;
}

int workload(sqlite3 *db, unsigned int step)
{
	static int (*const steps[STEPS])(sqlite3 *db) = { insert, lookup, sum };

	return step < STEPS ? steps[step](db) : SQLITE_MISUSE;
}
