// SPDX-License-Identifier: GPL-2.0-only
/* What gdb asks, and what it is told. */
#include <string.h>
#include "gdb_answer.h"

#define SIGNAL_TRAP 5

/* If there were no such request, gdb would write a breakpoint into the text itself. */
#define NO_BREAKPOINTS "E.an exception ends a thread of an enclave: no breakpoints in it"
#define NO_STEPS "E.an enclave cannot be stepped"
#define NO_WRITES "E.registers of an enclave cannot be changed"

static void read_memory(const char *text, struct text *answer)
{
	unsigned char bytes[GDB_PACKET_MAX / 2];
	unsigned long long at, size;

	if (!text_number(&text, ',', &at) || !text_number(&text, '\0', &size)) {
		text_add(answer, NO_SUCH);
		return;
	}
	size = target_read(at, bytes, size < sizeof(bytes) ? size : sizeof(bytes));
	if (size)
		text_add_hex(answer, bytes, size);
	else
		text_add(answer, NO_MEMORY);
}

static void write_memory(const char *text, struct text *answer)
{
	unsigned char bytes[GDB_PACKET_MAX / 2];
	unsigned long long at, size;

	if (!text_number(&text, ',', &at) || !text_number(&text, ':', &size) ||
	    size > sizeof(bytes) || !text_bytes(text, bytes, size))
		text_add(answer, NO_SUCH);
	else
		text_add(answer, target_write(at, bytes, size) ? "OK" : NO_MEMORY);
}

/* What is not known here is answered with nothing: gdb does without. */
static void question(const char *q, struct text *answer)
{
	const char *description = text_after(q, "Xfer:features:read:target.xml:");
	const char *thread = text_after(q, "ThreadExtraInfo,");

	if (text_after(q, "Supported"))
		text_print(answer, "PacketSize=%x;qXfer:features:read+", GDB_PACKET_MAX);
	else if (description)
		registers_describe(description, answer);
	else if (thread)
		thread_describe(thread, answer);
	else if (!strcmp(q, "fThreadInfo"))
		thread_list(answer);
	else if (!strcmp(q, "sThreadInfo"))
		text_add(answer, "l");
	else if (!strcmp(q, "C"))
		text_print(answer, "QC%x", thread_current());
	else if (!strcmp(q, "Attached"))
		text_add(answer, "1");
}

/* Those that ask, change nothing but memory, or are refused. */
static void say(char request, const char *text, struct text *answer)
{
	switch (request) {
	case 'g':
		registers_all(answer);
		break;
	case 'p':
		registers_one(text, answer);
		break;
	case 'm':
		read_memory(text, answer);
		break;
	case 'M':
		write_memory(text, answer);
		break;
	case 'H':
		thread_choose(text, answer);
		break;
	case 'T':
		thread_alive(text, answer);
		break;
	case 'q':
		question(text, answer);
		break;
	case 'c': /* from another address on */
	case 'C':
	case 'G':
	case 'P':
		text_add(answer, NO_WRITES);
		break;
	case 's':
	case 'S':
		text_add(answer, NO_STEPS);
		break;
	case 'z':
	case 'Z':
		text_add(answer, NO_BREAKPOINTS);
		break;
	}
}

enum gdb_next gdb_answer(const char *request, char answer[GDB_PACKET_MAX + 1])
{
	struct text text = { .to = answer };

	answer[0] = '\0';
	if (!strcmp(request, "c"))
		return GDB_GO_ON;
	if (*request == 'k')
		return GDB_KILL;
	if (*request == '?')
		gdb_stopped(SIGNAL_TRAP, answer);
	else if (*request == 'D')
		text_add(&text, "OK");
	else if (*request)
		say(*request, request + 1, &text);
	return *request == 'D' ? GDB_DETACH : GDB_ANSWER;
}
