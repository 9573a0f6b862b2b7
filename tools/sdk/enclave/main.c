// SPDX-License-Identifier: GPL-2.0-only
/* Calls from the process, and to it. */
#include <stdlib.h>
#include <string.h>
#include "runtime.h"

_Static_assert(offsetof(struct mon_thread, canary) == 40, "where compilers look for it");
_Static_assert(offsetof(struct mon_enclave_note, config.simulation) == 24 + 40, "as in entry.S");
_Static_assert(sizeof(struct mon_thread) <= MON_ENCLAVE_FAULT_OFFSET, "there is the monitor's");
_Static_assert(MON_HYPERCALL == 0x4d4f4e0000000000ULL && !MON_EC_RETURN && MON_EC_HANDLED == 7,
	       "as in entry.S");
_Static_assert(offsetof(struct mon_enclave_fault, gpr) == 16 &&
	       offsetof(struct mon_enclave_fault, rip) == 144, "as in entry.S");

/* Stacks are as large as they are aligned, and a thread's page is at the end of its stack. */
struct mon_thread *mon_thread(void)
{
	unsigned long stack = mon_enclave_note.config.stack, sp;

	__asm__ volatile("movq %%rsp, %0" : "=r"(sp));
	stack = stack ? stack : 64 << 10;
	return (struct mon_thread *)((sp | (stack - 1)) + 1 - MON_PAGE);
}

unsigned int mon_thread_number(void)
{
	return mon_thread()->number;
}

/* The same from each thread: whoever is second writes the same. */
const struct mon_layout *mon_where(void)
{
	static struct mon_layout where;

	if (!__atomic_load_n(&where.threads, __ATOMIC_ACQUIRE)) {
		struct mon_layout now;

		mon_layout(&mon_enclave_note.config, (unsigned long)mon_image_end, &now);
		where.heap = now.heap;
		where.heap_end = now.heap_end;
		where.stacks = now.stacks;
		where.stacks_end = now.stacks_end;
		where.stack = now.stack;
		where.buffer = now.buffer;
		where.buffer_end = now.buffer_end;
		where.slice = now.slice;
		where.shared = now.shared;
		where.shared_end = now.shared_end;
		__atomic_store_n(&where.threads, now.threads, __ATOMIC_RELEASE);
	}
	return &where;
}

static void begin(struct mon_message *m, size_t numbers)
{
	const struct mon_layout *l = mon_where();

	mon_message_init(m, (void *)(l->buffer + mon_thread()->number * l->slice), l->slice,
			 numbers);
}

/* A number of the process is no index, not even for a CPU that guesses. */
static size_t bounded(size_t index, size_t nr)
{
	size_t mask;

	__asm__ volatile("cmpq %2, %1; sbbq %0, %0" : "=r"(mask) : "r"(index), "r"(nr) : "cc");
	return index & mask;
}

/* By mon_entry; the canary of this frame is not there yet. */
__attribute__((__optimize__("no-stack-protector"))) long mon_enter(uint64_t a, uint64_t b,
								   uint64_t number)
{
	struct mon_thread *thread = mon_thread();
	uint32_t nr = a;
	struct mon_message m;

	thread->self = (uint64_t)thread;
	thread->number = number;
	if (!thread->canary)
		mon_random(&thread->canary, sizeof(thread->canary));
	if (a >> 32 != mon_interface.hash)
		return MON_CALL_INTERFACE;
	if (b || nr >= mon_interface.nr)
		return MON_CALL_UNKNOWN;
	begin(&m, 0);
	return mon_interface.serve[bounded(nr, mon_interface.nr)](&m);
}

long mon_call_process(uint64_t a, uint64_t b)
{
	return mon_vmcall(MON_EC_OCALL, a, b, 0);
}

void mon_ocall_begin(struct mon_message *m, size_t numbers)
{
	begin(m, numbers);
}

void mon_ocall_send(struct mon_message *m, const struct mon_interface *interface, uint32_t number,
		    void *numbers, size_t size)
{
	long answer;

	if (!m->error) {
		memcpy(m->slice, numbers, size);
		answer = mon_call_process((uint64_t)interface->hash << 32 | number, 0);
		if (answer)
			m->error = answer < 0 && answer >= MON_CALL_REFUSED ? answer
									    : MON_CALL_REFUSED;
	}
	mon_collect(m, numbers, size);
}

int mon_ocall_end(struct mon_message *m, const char *name)
{
	(void)name;
	return m->error;
}

void mon_yield(void)
{
	mon_call_process(MON_OCALL_YIELD, 0);
}
