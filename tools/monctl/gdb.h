/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * gdb's remote serial protocol, for an enclave that lets its host look into it. gdb_packet.c cuts
 * bytes into requests, gdb_answer.c answers them, gdb_process.c is the process and its enclave.
 *
 * What comes from gdb is checked as if anybody had sent it.
 */
#ifndef _GDB_H
#define _GDB_H

#include <stdbool.h>
#include <stddef.h>
#include "uapi/enclave.h"

#define GDB_PACKET_MAX 4096

/**
 * struct gdb_in - a request that is coming
 * @text: of it, so far @length bytes; then a zero
 * @part: what comes next
 * @sum, @wanted: of the bytes; as gdb says
 */
struct gdb_in {
	char text[GDB_PACKET_MAX + 1];
	size_t length;
	enum { GDB_OUTSIDE, GDB_INSIDE, GDB_SUM, GDB_SUM_LAST } part;
	unsigned char sum;
	int wanted;
};

enum gdb_event {
	GDB_NOTHING,
	GDB_REQUEST,   /* in->text */
	GDB_DAMAGED,   /* ask for it again */
	GDB_AGAIN,     /* the last answer is asked for again */
	GDB_INTERRUPT, /* stop the process */
};

/** gdb_byte() - one more byte of gdb's */
enum gdb_event gdb_byte(struct gdb_in *in, unsigned char byte);

#define GDB_FRAME_MAX (GDB_PACKET_MAX + 4)

/** gdb_frame() - an answer as it is sent; its length. It has none of the characters $ # } * */
size_t gdb_frame(char out[GDB_FRAME_MAX + 1], const char *answer);

enum gdb_next {
	GDB_ANSWER,  /* it stays as it is */
	GDB_GO_ON,   /* the process does, and the answer comes when it stops */
	GDB_DETACH,  /* it goes on, and that is all */
	GDB_KILL,    /* it ends, without an answer */
};

/** gdb_begin() - choose a thread to show first */
void gdb_begin(void);

/** gdb_answer() - of a request */
enum gdb_next gdb_answer(const char *request, char answer[GDB_PACKET_MAX + 1]);

/** gdb_stopped() - the answer when the process has stopped, by that signal's number in gdb */
void gdb_stopped(unsigned int signal, char answer[GDB_PACKET_MAX + 1]);

/*
 * ---- what the enclave's side does for it ----
 */

/** target_threads() - how many the enclave has */
unsigned int target_threads(void);
/** target_registers() - of one; false: it runs, or cannot be read */
bool target_registers(unsigned int thread, struct mon_enclave_registers *registers);
/** target_read() - how many bytes from @at on could be read */
size_t target_read(unsigned long long at, void *to, size_t size);
/** target_write() - all of it, or false */
bool target_write(unsigned long long at, const void *from, size_t size);

/**
 * struct process - whose enclave it is
 * @fd: stands for it, whoever gets its number afterwards
 */
struct process {
	int pid;
	int fd;
};

/**
 * process_open() - the process, and its enclave of that domain, or its only one (0)
 *
 * What fails, here and below, says so on standard error.
 */
bool process_open(struct process *process, int pid, unsigned int domain);
/** process_stop() - no task of it runs afterwards */
bool process_stop(const struct process *process);
/** process_signal() - SIGCONT, SIGKILL; false: it is gone */
bool process_signal(const struct process *process, int signal);

#endif /* _GDB_H */
