// SPDX-License-Identifier: GPL-2.0-only
/* Runs SQL on a database that the process cannot read. */
#include <string.h>
#include "mon_enclave.h"
#include "mon_sqlite.h"
#include "sql.h"

MON_ENCLAVE_CONFIG(.heap = 16 << 20, .stack = 256 << 10, .threads = 1, .product = 3,
		   .security_version = 1);

static sqlite3 *db;
static sqlite3_stmt *statement;
static char *row; /* of it, as text */
static size_t row_length, row_taken;
static int failed;

int sql_open(const char *name, const uint8_t *pin, size_t size)
{
	if (db || (size && size != sizeof(struct mon_file_pin)))
		return -1;
	return mon_sqlite_open(name, size ? (const void *)pin : NULL, &db) ? -1 : 0;
}

static void end(void)
{
	sqlite3_finalize(statement);
	sqlite3_free(row);
	statement = NULL;
	row = NULL;
}

long sql_begin(const char *text)
{
	const char *rest;

	if (!sqlite3_complete(text))
		return 0;
	end();
	failed = sqlite3_prepare_v2(db, text, -1, &statement, &rest);
	return failed ? -1 : rest - text;
}

static void make_row(void)
{
	sqlite3_str *text = sqlite3_str_new(db);
	int i;

	for (i = 0; i < sqlite3_column_count(statement); i++)
		sqlite3_str_appendf(text, "%s%s", i ? "|" : "", sqlite3_column_text(statement, i));
	sqlite3_str_appendchar(text, 1, '\n');
	row_length = sqlite3_str_length(text);
	row_taken = 0;
	row = sqlite3_str_finish(text);
	failed = !row;
}

static void next_row(void)
{
	int result = statement ? sqlite3_step(statement) : SQLITE_DONE;

	if (result == SQLITE_ROW)
		return make_row();
	failed = result != SQLITE_DONE;
	end();
}

long sql_rows(char *text, size_t size)
{
	size_t n, used = 0;

	while (used < size && !failed) {
		if (!row)
			next_row();
		if (!row)
			break;
		n = row_length - row_taken < size - used ? row_length - row_taken : size - used;
		memcpy(text + used, row + row_taken, n);
		used += n;
		row_taken += n;
		if (row_taken == row_length) {
			sqlite3_free(row);
			row = NULL;
		}
	}
	return used || !failed ? (long)used : -1;
}

long sql_error(char *text, size_t size)
{
	return size ? strlen(sqlite3_snprintf(size, text, "%s", sqlite3_errmsg(db))) : 0;
}

int sql_pin(uint8_t *pin)
{
	return mon_sqlite_pin(db, (void *)pin) ? -1 : 0;
}
