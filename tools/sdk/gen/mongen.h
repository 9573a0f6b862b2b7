/* SPDX-License-Identifier: GPL-2.0-only */
/* mongen: makes the stubs of an interface (mon_interface.h). */
#ifndef _MONGEN_H
#define _MONGEN_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define TEXT_MAX 128
#define PARAMETERS_MAX 16
#define CALLS_MAX 256

enum kind { NUMBER, IN, OUT, INOUT, STRING };

/**
 * struct parameter - of a function
 * @type: as it is written; of a buffer without its "*"
 * @count: of a buffer's elements, or a string's most characters, as it is written
 * @line: where it stands
 */
struct parameter {
	enum kind kind;
	char type[TEXT_MAX];
	char name[TEXT_MAX];
	char count[TEXT_MAX];
	unsigned int line;
};

/**
 * struct call - a function
 * @ecall: the enclave has it; else the process
 * @length: MON_LENGTH(): the parameter that its value is not above; or ""
 */
struct call {
	bool ecall;
	unsigned int line;
	char type[TEXT_MAX];
	char length[TEXT_MAX];
	char name[TEXT_MAX];
	unsigned int nr;
	struct parameter parameter[PARAMETERS_MAX];
};

struct interface {
	const char *path;
	uint32_t hash;
	unsigned int nr;
	struct call call[CALLS_MAX];
};

/** parse() - does not return if there is an error: it says file, line and what is wrong */
void parse(struct interface *interface, const char *path, const char *text);

/** write_stubs() - all that one side needs */
void write_stubs(FILE *to, const struct interface *interface, bool enclave);

#endif /* _MONGEN_H */
