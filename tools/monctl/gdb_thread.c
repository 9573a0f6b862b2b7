// SPDX-License-Identifier: GPL-2.0-only
/* The enclave's threads, as gdb sees them. */
#include <stdio.h>
#include <string.h>
#include "gdb_answer.h"

/* As gdb counts. */
static unsigned int current;

/* Somebody is in it. */
static bool is_used(unsigned int thread)
{
	struct mon_enclave_registers r;

	return thread && thread <= target_threads() &&
	       (!target_registers(thread - 1, &r) || r.state != MON_ENCLAVE_THREAD_IDLE);
}

static bool has_registers(unsigned int thread)
{
	struct mon_enclave_registers r;

	return is_used(thread) && target_registers(thread - 1, &r);
}

static unsigned int first(bool (*fits)(unsigned int thread))
{
	unsigned int i;

	for (i = 1; i <= target_threads(); i++)
		if (fits(i))
			return i;
	return 1;
}

/* gdb wants one at least. */
static bool is_shown(unsigned int thread)
{
	return is_used(thread) || thread == first(is_used);
}

static bool thread_of(const char *text, unsigned int *thread)
{
	unsigned long long value;

	if (!text_number(&text, '\0', &value) || value > target_threads())
		return false;
	*thread = (unsigned int)value;
	return true;
}

void gdb_begin(void)
{
	current = first(has_registers);
}

void gdb_stopped(unsigned int signal, char answer[GDB_PACKET_MAX + 1])
{
	if (!has_registers(current))
		gdb_begin();
	snprintf(answer, GDB_PACKET_MAX, "T%02xthread:%x;", signal, current);
}

unsigned int thread_current(void)
{
	return current;
}

void thread_choose(const char *text, struct text *answer)
{
	unsigned int thread = 0;

	if ((*text != 'g' && *text != 'c') ||
	    (strcmp(text + 1, "-1") && !thread_of(text + 1, &thread))) {
		text_add(answer, NO_SUCH);
		return;
	}
	if (*text == 'g' && thread)
		current = thread;
	text_add(answer, "OK");
}

void thread_list(struct text *answer)
{
	unsigned int i, nr = 0;

	for (i = 1; i <= target_threads(); i++)
		if (is_shown(i))
			text_print(answer, "%c%x", nr++ ? ',' : 'm', i);
}

static const char *name_of(unsigned int state)
{
	switch (state) {
	case MON_ENCLAVE_THREAD_IDLE:
		return "idle";
	case MON_ENCLAVE_THREAD_CALLING:
		return "calls the process";
	case MON_ENCLAVE_THREAD_INTERRUPTED:
		return "interrupted";
	case MON_ENCLAVE_THREAD_FAULTED:
		return "ended by an exception";
	}
	return "?";
}

void thread_describe(const char *text, struct text *answer)
{
	struct mon_enclave_registers r;
	const char *name = "runs";
	unsigned int thread;

	if (!thread_of(text, &thread) || !thread) {
		text_add(answer, NO_SUCH);
		return;
	}
	if (target_registers(thread - 1, &r))
		name = name_of(r.state);
	text_add_hex(answer, name, strlen(name));
}

void thread_alive(const char *text, struct text *answer)
{
	unsigned int thread;

	text_add(answer, thread_of(text, &thread) && is_shown(thread) ? "OK" : NO_SUCH);
}
