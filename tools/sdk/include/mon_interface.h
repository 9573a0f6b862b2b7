/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The words of an interface: what a process and its enclave call each other by. An interface is a
 * header with one MON_ECALL() or MON_OCALL() for each function; mongen makes the stubs of it.
 *
 *	MON_ECALL(int, count_add, MON_IN(const uint8_t *, buf, n), size_t n,
 *		  MON_OUT(uint64_t *, total, 1));
 *
 * Who is called writes an ordinary function: int count_add(const uint8_t *buf, size_t n, uint64_t
 * *total). Who calls gets 0 or an error from it, and the function's value by a pointer, that may
 * be NULL: int count_add([struct mon_enclave *mon,] int *mon_result, ...).
 *
 * MON_IN	(type *, name, count): copied in: count elements; a number, a parameter, a constant
 * MON_OUT	zeros at first, copied out
 * MON_INOUT	both
 * MON_STRING	(name, max): const char *, with at most max characters before its zero
 * MON_LENGTH	(type, parameter), as the type of the function: negative, or not above that
 *		parameter; what else the other side says becomes an error
 *
 * All other parameters are numbers. A pointer inside of a structure means nothing over there.
 */
#ifndef _MON_INTERFACE_H
#define _MON_INTERFACE_H

#include <stddef.h>
#include <stdint.h>

struct mon_enclave;

#define MON_PARAMETERS(...) MON_PARAMETERS_##__VA_OPT__(SOME)(__VA_ARGS__)
#define MON_PARAMETERS_() void
#define MON_PARAMETERS_SOME(...) __VA_ARGS__

#define MON_CALLED(type, name, ...) type name(MON_PARAMETERS(__VA_ARGS__))

#ifdef MON_IN_ENCLAVE
#define MON_ECALL MON_CALLED
#define MON_OCALL(type, name, ...) int name(MON_OUT(type *, mon_result, 1), ##__VA_ARGS__)
#else
#define MON_ECALL(type, name, ...) \
	int name(struct mon_enclave *mon, MON_OUT(type *, mon_result, 1), ##__VA_ARGS__)
#define MON_OCALL MON_CALLED
#endif

#define MON_IN(type, name, count) type name
#define MON_OUT(type, name, count) type name
#define MON_INOUT(type, name, count) type name
#define MON_STRING(name, max) const char *name
#define MON_LENGTH(type, max) type

/**
 * enum mon_call_status - what became of a call; who calls from an enclave gets it as it is
 * @MON_CALL_DONE: the function was called
 * @MON_CALL_UNKNOWN: there is no such function
 * @MON_CALL_INTERFACE: the two sides were made from different interfaces
 * @MON_CALL_TOO_LONG: the buffers do not fit into the thread's part of the shared memory
 * @MON_CALL_BAD: an argument breaks its rule: NULL, or a string without its end
 * @MON_CALL_NO_MEMORY: no memory for a private copy
 * @MON_CALL_LIED: the value is beyond its MON_LENGTH()
 * @MON_CALL_REFUSED: the other side gave an answer that is none of these
 */
enum mon_call_status {
	MON_CALL_DONE = 0,
	MON_CALL_UNKNOWN = -1,
	MON_CALL_INTERFACE = -2,
	MON_CALL_TOO_LONG = -3,
	MON_CALL_BAD = -4,
	MON_CALL_NO_MEMORY = -5,
	MON_CALL_LIED = -6,
	MON_CALL_REFUSED = -7,
};

#endif /* _MON_INTERFACE_H */
