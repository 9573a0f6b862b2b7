// SPDX-License-Identifier: GPL-2.0-only
/* A call into an enclave, and those that it makes meanwhile. */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include "internal.h"

#define TOLD -100 /* mon_error() says more than a status can */
#define ENDED 2	  /* of mon_enclave.busy: never entered again */

/**
 * struct death - an exception that the enclave's runtime has told of, before it ended
 * @value: page | vector
 */
struct death {
	bool told;
	uint64_t value;
};

static __thread struct mon_enclave *caller;

struct mon_enclave *mon_caller(void)
{
	return caller;
}

static int find_idle(const struct mon_enclave *mon)
{
	unsigned int i, ended = 0;

	for (i = 0; i < mon->layout.threads; i++) {
		if (!mon->busy[i])
			return i;
		ended += mon->busy[i] == ENDED;
	}
	return ended == mon->layout.threads ? -2 : -1;
}

/* Waits for one; but not inside of a call by the enclave, which might wait for itself. */
static int take_thread(struct mon_enclave *mon)
{
	int i;

	pthread_mutex_lock(&mon->lock);
	for (i = find_idle(mon); i == -1 && caller != mon; i = find_idle(mon))
		pthread_cond_wait(&mon->idle, &mon->lock);
	if (i >= 0)
		mon->busy[i] = 1;
	pthread_mutex_unlock(&mon->lock);
	if (i == -2)
		return mon_fail("%s: all of its %u threads were ended by exceptions; open it again",
				mon->path, mon->layout.threads);
	if (i == -1)
		return mon_fail("%s: all of its %u threads are in calls; raise .threads", mon->path,
				mon->layout.threads);
	return i;
}

static void put_thread(struct mon_enclave *mon, unsigned int thread, int busy)
{
	pthread_mutex_lock(&mon->lock);
	mon->busy[thread] = busy;
	pthread_cond_broadcast(&mon->idle);
	pthread_mutex_unlock(&mon->lock);
}

void mon_ecall_begin(struct mon_message *m, struct mon_enclave *mon, size_t numbers)
{
	int thread;

	mon_message_init(m, NULL, 0, 0);
	thread = mon ? take_thread(mon) : mon_fail("there is no enclave: NULL");
	if (thread < 0) {
		m->error = TOLD;
		return;
	}
	mon_message_init(m, mon->buffer + thread * mon->layout.slice, mon->layout.slice, numbers);
	m->enclave = mon;
	m->thread = thread;
}

static void print(const struct mon_message *m, uint64_t length)
{
	char text[512];

	if (!(m->enclave->flags & MON_OPEN_PRINT) || length > sizeof(text))
		return;
	memcpy(text, m->slice, length);
	fwrite(text, 1, length, stderr);
}

/* Of the enclave's runtime. */
static int64_t serve_own(const struct mon_message *m, const uint64_t value[2], struct death *death)
{
	switch (value[0]) {
	case MON_OCALL_YIELD:
		sched_yield();
		return 0;
	case MON_OCALL_PRINT:
		print(m, value[1]);
		return 0;
	case MON_OCALL_DIED:
		death->told = true;
		death->value = value[1];
		return 0;
	case MON_OCALL_FILE:
		return mon_serve_file(m->enclave, m->slice, m->room);
	case MON_OCALL_SIGNATURE:
		return mon_serve_signature(m->enclave, m->slice, m->room);
	}
	return MON_CALL_UNKNOWN;
}

static int64_t serve(const struct mon_message *m, const struct mon_interface *interface,
		     const uint64_t value[2], struct death *death)
{
	struct mon_enclave *before = caller;
	struct mon_message answer;
	int64_t result;

	if (value[0] >= MON_OCALL_OWN)
		return serve_own(m, value, death);
	if (value[0] >> 32 != interface->hash)
		return MON_CALL_INTERFACE;
	if ((uint32_t)value[0] >= interface->nr)
		return MON_CALL_UNKNOWN;
	mon_message_init(&answer, m->slice, m->room, 0);
	caller = m->enclave;
	result = interface->serve[(uint32_t)value[0]](&answer);
	caller = before;
	return result;
}

static const char *exception_name(unsigned int vector)
{
	static const char *const names[] = {
		[0] = "a division by zero",
		[1] = "a trap for a debugger",
		[3] = "a breakpoint",
		[6] = "an undefined instruction; abort() is one",
		[13] = "a protection fault",
		[14] = "an access to memory that is not there, or not to be used so",
		[16] = "a floating-point error",
		[17] = "an access that is not aligned",
		[19] = "a vector floating-point error",
	};

	return vector < sizeof(names) / sizeof(names[0]) && names[vector] ? names[vector]
									  : "an exception";
}

static int fail_by(const struct mon_message *m, const uint64_t value[2], const struct death *death)
{
	uint64_t page = death->told ? death->value & -MON_PAGE : value[1];
	unsigned int vector = death->told ? death->value & 0xff : value[0];
	const struct mon_layout *l = &m->enclave->layout;
	const char *where = "";

	if (page >= l->stacks && page < l->stacks_end && !((page - l->stacks) % l->stack))
		where = ", the end of a stack: raise .stack";
	else if (page == l->heap_end)
		where = ", the end of the heap";
	else if (vector == 14 && page < MON_PAGE * 16)
		where = ", a NULL pointer";
	if (!page && vector != 14)
		return mon_fail("%s: thread %u was ended by exception %u, %s", m->enclave->path,
				m->thread, vector, exception_name(vector));
	return mon_fail("%s: thread %u was ended by exception %u, %s, in the page at %#" PRIx64 "%"
												"s",
			m->enclave->path, m->thread, vector, exception_name(vector), page, where);
}

/* Until it returns: a status, or TOLD. */
static int run(struct mon_message *m, const struct mon_interface *interface, uint32_t number)
{
	struct mon_enclave_run r = { .size = sizeof(r),
				     .thread = m->thread,
				     .op = MON_ENCLAVE_CALL,
				     .value = { (uint64_t)interface->hash << 32 | number } };
	struct death death = { 0 };
	uint64_t value[2];

	for (;;) {
		if (mon_run(m->enclave, &r))
			return TOLD;
		value[0] = r.value[0];
		value[1] = r.value[1];
		if (r.exit != MON_ENCLAVE_OCALL)
			break;
		r.value[0] = serve(m, interface, value, &death);
		r.value[1] = 0;
		r.op = MON_ENCLAVE_ANSWER;
	}
	if (r.exit == MON_ENCLAVE_RETURNED)
		return (int64_t)value[0] <= 0 && (int64_t)value[0] >= MON_CALL_REFUSED
			       ? (int)value[0]
			       : MON_CALL_REFUSED;
	fail_by(m, value, &death);
	return TOLD;
}

void mon_ecall_send(struct mon_message *m, const struct mon_interface *interface, uint32_t number,
		    void *numbers, size_t size)
{
	if (!m->error) {
		memcpy(m->slice, numbers, size);
		m->error = run(m, interface, number);
		if (m->error == TOLD) {
			put_thread(m->enclave, m->thread, ENDED);
			m->enclave = NULL;
		}
	}
	mon_collect(m, numbers, size);
}

int mon_ecall_end(struct mon_message *m, const char *name)
{
	static const char *const texts[] = {
		[-MON_CALL_UNKNOWN] = "the enclave has no such function",
		[-MON_CALL_INTERFACE] = "the enclave was built from another interface; build both "
					"again",
		[-MON_CALL_TOO_LONG] = "its buffers are longer than the shared memory; raise "
				       ".buffer_pages",
		[-MON_CALL_BAD] = "a buffer is NULL, or a string longer than its bound",
		[-MON_CALL_NO_MEMORY] = "the enclave has no memory left for it; raise .heap",
		[-MON_CALL_LIED] = "its value is above its bound",
		[-MON_CALL_REFUSED] = "the enclave gave an answer that is none",
	};

	if (m->enclave)
		put_thread(m->enclave, m->thread, 0);
	if (!m->error)
		return 0;
	return m->error == TOLD ? -1 : mon_fail("%s(): %s", name, texts[-m->error]);
}
