/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What generated stubs are made of, on both sides. A message is, in the thread's slice of the
 * shared buffer, a structure with all numbers, and behind it the buffers in their order. Where
 * each is follows from the lengths; so no offset and no pointer is ever read from there.
 */
#ifndef _MON_MESSAGE_H
#define _MON_MESSAGE_H

#include "mon_interface.h"

#define MON_PARTS_MAX 8

/**
 * struct mon_message - a call, on the side of who calls or who is called
 * @slice, @room: of the shared buffer
 * @used: of it, by the call's structure and the buffers so far
 * @error: the first, enum mon_call_status; what comes after it does nothing
 * @nr_parts, @part: buffers: on the called side private copies; @back: they go back, too
 * @enclave, @thread: for the process's library
 */
struct mon_message {
	unsigned char *slice;
	size_t room;
	size_t used;
	int error;
	unsigned int nr_parts;
	struct {
		void *data;
		size_t at;
		size_t size;
		int back;
	} part[MON_PARTS_MAX];
	struct mon_enclave *enclave;
	unsigned int thread;
};

/** struct mon_interface - what can be called on this side; made by mongen */
struct mon_interface {
	int (*const *serve)(struct mon_message *m);
	const char *name;
	uint32_t hash;
	uint32_t nr;
};

void mon_message_init(struct mon_message *m, void *slice, size_t room, size_t numbers);

/* Who calls. Each is of @count elements of @size bytes. */
void mon_put_in(struct mon_message *m, const void *data, size_t count, size_t size);
void mon_put_out(struct mon_message *m, void *data, size_t count, size_t size);
void mon_put_inout(struct mon_message *m, void *data, size_t count, size_t size);
size_t mon_put_string(struct mon_message *m, const char *string, size_t max);
/** mon_collect() - the answer: @numbers is read once, buffers go back; on an error, zeros */
int mon_collect(struct mon_message *m, void *numbers, size_t size);
/** mon_lied() - @error is that of MON_LENGTH(), and all that came is zeros */
void mon_lied(struct mon_message *m);

/* Who is called: private copies, or NULL after an error. */
void mon_take(struct mon_message *m, void *numbers, size_t size);
void *mon_take_in(struct mon_message *m, size_t count, size_t size);
void *mon_take_out(struct mon_message *m, size_t count, size_t size);
void *mon_take_inout(struct mon_message *m, size_t count, size_t size);
char *mon_take_string(struct mon_message *m, size_t length, size_t max);
/** mon_give() - answer, and wipe and free the copies; returns @error */
int mon_give(struct mon_message *m, const void *numbers, size_t size);

/* Of the process's library: a call into an enclave. The last returns 0 or -1: mon_error(). */
void mon_ecall_begin(struct mon_message *m, struct mon_enclave *mon, size_t numbers);
void mon_ecall_send(struct mon_message *m, const struct mon_interface *interface, uint32_t number,
		    void *numbers, size_t size);
int mon_ecall_end(struct mon_message *m, const char *name);

/* Of the enclave's runtime: a call of the process. The last returns enum mon_call_status. */
void mon_ocall_begin(struct mon_message *m, size_t numbers);
void mon_ocall_send(struct mon_message *m, const struct mon_interface *interface, uint32_t number,
		    void *numbers, size_t size);
int mon_ocall_end(struct mon_message *m, const char *name);

/* A parameter that is a number: of 8 bytes at most, and no pointer or structure. */
#define MON_NUMBER(type)                                                                      \
	_Static_assert(sizeof(type) <= 8 && __builtin_classify_type(*(type *)8) != 5 &&       \
			       __builtin_classify_type(*(type *)8) < 10,                      \
		       #type " is not a number: use MON_IN(), MON_OUT() or MON_INOUT()")

/* What a compiler has left between the members of structures does not go out. */
#define MON_CLEAR_PADDING(data, count)                                   \
	do {                                                             \
		size_t mon_i;                                            \
									 \
		for (mon_i = 0; mon_i < (count); mon_i++)                \
			__builtin_clear_padding(&(data)[mon_i]);         \
	} while (0)

#endif /* _MON_MESSAGE_H */
