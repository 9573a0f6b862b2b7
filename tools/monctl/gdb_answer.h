/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the files that answer gdb share: gdb_answer.c requests and memory, gdb_thread.c threads,
 * gdb_register.c registers and their description, gdb_text.c the text of all that.
 */
#ifndef _GDB_ANSWER_H
#define _GDB_ANSWER_H

#include "gdb.h"

#define NO_SUCH "E01"
#define NO_MEMORY "E14"

/* ---- text ---- */

/** struct text - an answer, so far @length of GDB_PACKET_MAX; what has no room is left out */
struct text {
	char *to;
	size_t length;
};

void text_add(struct text *t, const char *what);
void text_add_hex(struct text *t, const void *bytes, size_t size);
void text_print(struct text *t, const char *format, ...)
	__attribute__((__format__(__printf__, 2, 3)));

/** text_number() - a hexadecimal one at @at and @end behind it; moves on. False: it is none */
bool text_number(const char **at, char end, unsigned long long *value);
/** text_bytes() - @digits are exactly @size bytes, to @bytes */
bool text_bytes(const char *digits, unsigned char *bytes, size_t size);
/** text_after() - what is behind that prefix, or NULL */
const char *text_after(const char *request, const char *prefix);

/* ---- threads, which gdb counts from 1 on ---- */

/** thread_current() - whose registers gdb asks for */
unsigned int thread_current(void);
/** thread_choose() - "gID" and "cID"; 0 is any, -1 all */
void thread_choose(const char *text, struct text *answer);
/** thread_list() - all that are shown */
void thread_list(struct text *answer);
/** thread_describe() - what the thread of that number does, for people */
void thread_describe(const char *text, struct text *answer);
/** thread_alive() - whether the thread of that number is shown */
void thread_alive(const char *text, struct text *answer);

/* ---- registers ---- */

/** registers_all() - of the current thread */
void registers_all(struct text *answer);
/** registers_one() - the one of that number */
void registers_one(const char *text, struct text *answer);
/** registers_describe() - "OFFSET,LENGTH" of it: "m" and a part, or "l" and the last one */
void registers_describe(const char *text, struct text *answer);

#endif /* _GDB_ANSWER_H */
