// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: private-sqlite [--sim] PRIVATE-SQLITE.elf FOLDER DATABASE [PIN]: runs SQL from standard
 * input; then says the database's pin, with which nothing older is taken.
 */
#include <stdio.h>
#include <string.h>
#include "monenclave.h"
#include "sql.h"

static struct mon_enclave *mon;
static char sql[SQL_LENGTH + 1], rows[SQL_LENGTH];

static int fail(const char *why)
{
	long n;

	if (!why && mon && !sql_error(mon, &n, rows, sizeof(rows)))
		fprintf(stderr, "private-sqlite: %.*s\n", (int)n, rows);
	else
		fprintf(stderr, "private-sqlite: %s\n", why ? why : mon_error());
	return 1;
}

/* The statements of what has come so far, up to one without an end. */
static int run(void)
{
	long length, n;

	for (;;) {
		if (sql_begin(mon, &length, sql) || length < 0)
			return fail(NULL);
		if (!length)
			return 0;
		do {
			if (sql_rows(mon, &n, rows, sizeof(rows)) || n < 0)
				return fail(NULL);
			fwrite(rows, 1, n, stdout);
		} while (n);
		fflush(stdout);
		memmove(sql, sql + length, strlen(sql + length) + 1);
	}
}

static int run_all(void)
{
	size_t length = 0;

	while (fgets(sql + length, sizeof(sql) - length, stdin)) {
		if (run())
			return 1;
		length = strlen(sql);
		if (length == SQL_LENGTH)
			return fail("a statement is too long");
	}
	strcpy(sql + length, ";");
	return run();
}

static int print_pin(void)
{
	uint8_t pin[PIN_SIZE];
	int result, i;

	if (sql_pin(mon, &result, pin) || result)
		return fail(NULL);
	for (i = 0; i < PIN_SIZE; i++)
		fprintf(stderr, "%02x", pin[i]);
	fputc('\n', stderr);
	return 0;
}

int main(int argc, char **argv)
{
	int sim = argc > 1 && !strcmp(argv[1], "--sim"), result;
	uint8_t pin[PIN_SIZE];
	size_t n = 0;

	argc -= sim;
	argv += sim;
	if (argc != 4 && argc != 5)
		return fail("usage: [--sim] PRIVATE-SQLITE.elf FOLDER DATABASE [PIN]");
	if (argc == 5 && strlen(argv[4]) != 2 * PIN_SIZE)
		return fail("a pin has 48 digits");
	while (argc == 5 && n < PIN_SIZE && sscanf(argv[4] + 2 * n, "%2hhx", &pin[n]) == 1)
		n++;
	mon = mon_open(argv[1], sim ? MON_OPEN_SIM : 0);
	if (!mon || mon_set_folder(mon, argv[2]))
		return fail(NULL);
	if (sql_open(mon, &result, argv[3], pin, n) || result)
		return fail(NULL);
	return run_all() || print_pin();
}
