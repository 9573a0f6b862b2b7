// SPDX-License-Identifier: GPL-2.0-only
/* monctl enclave gdb: gdb's way into an enclave that lets its host look into it. */
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "gdb.h"
#include "monctl.h"

#define SIGNAL_INT 2

static const char gdb_help[] =
	"usage: monctl enclave gdb PID [DOMAIN]\n"
	"\n"
	"For gdb, which is given the enclave's file: (gdb) target remote | monctl enclave gdb PID\n"
	"Stops the process until gdb detaches or continues. DOMAIN: which of its enclaves, as\n"
	"'monctl enclaves' shows them. Only one built with .debug = 1 can be looked into.\n";

static struct process process;
static struct gdb_in in;
static char answer[GDB_PACKET_MAX + 1];

/* ---- what is sent; false: nobody reads it any more ---- */

static bool send_bytes(const char *bytes, size_t size)
{
	ssize_t n;

	while (size) {
		n = write(STDOUT_FILENO, bytes, size);
		if (n < 0 && errno != EINTR)
			return false;
		bytes += n < 0 ? 0 : n;
		size -= n < 0 ? 0 : (size_t)n;
	}
	return true;
}

static bool send_answer(void)
{
	char frame[GDB_FRAME_MAX + 1];

	return send_bytes(frame, gdb_frame(frame, answer));
}

/* ---- what comes ---- */

/* The next byte; -1: none will come. @running: or -2: the process is over. */
static int next_byte(bool running)
{
	struct pollfd wait[] = { { .fd = STDIN_FILENO, .events = POLLIN },
				 { .fd = running ? process.fd : -1, .events = POLLIN } };
	unsigned char byte;

	while (poll(wait, 2, -1) < 0)
		if (errno != EINTR)
			return -1;
	if (wait[1].revents)
		return -2;
	return read(STDIN_FILENO, &byte, 1) == 1 ? byte : -1;
}

/* gdb says that it has it, and takes it amiss if nobody is there any more to be told so. */
static void send_last_answer(void)
{
	if (send_answer())
		next_byte(false);
}

/* It runs until gdb interrupts it, or it is over. False: that is the end. */
static bool let_run(void)
{
	int byte;

	process_signal(&process, SIGCONT);
	do {
		byte = next_byte(true);
		if (byte == -2) {
			strcpy(answer, "W00");
			send_last_answer();
		}
		if (byte < 0)
			return false;
	} while (gdb_byte(&in, (unsigned char)byte) != GDB_INTERRUPT);
	if (!process_stop(&process))
		return false;
	gdb_stopped(SIGNAL_INT, answer);
	return send_answer();
}

static bool serve_request(void)
{
	if (!send_bytes("+", 1))
		return false;
	switch (gdb_answer(in.text, answer)) {
	case GDB_GO_ON:
		return let_run();
	case GDB_DETACH:
		send_last_answer();
		return false;
	case GDB_KILL:
		process_signal(&process, SIGKILL);
		return false;
	default:
		return send_answer();
	}
}

static bool serve(enum gdb_event event)
{
	switch (event) {
	case GDB_REQUEST:
		return serve_request();
	case GDB_DAMAGED:
		return send_bytes("-", 1);
	case GDB_AGAIN:
		return send_answer();
	default:
		return true;
	}
}

/* ---- the command ---- */

static void let_go(int signal)
{
	process_signal(&process, SIGCONT);
	_exit(128 + signal);
}

/* Ctrl-C is for gdb, which sends a byte here. Whoever ends this program lets the process go. */
static void set_signals(void)
{
	static const int ends[] = { SIGTERM, SIGHUP, SIGQUIT };
	struct sigaction action = { .sa_handler = let_go };
	size_t i;

	signal(SIGINT, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	for (i = 0; i < sizeof(ends) / sizeof(ends[0]); i++)
		sigaction(ends[i], &action, NULL);
}

static int attach(int pid, unsigned int domain)
{
	int byte;

	if (!process_open(&process, pid, domain))
		return EXIT_CANNOT;
	set_signals();
	if (!process_stop(&process))
		return EXIT_CANNOT;
	gdb_begin();
	do {
		byte = next_byte(false);
	} while (byte >= 0 && serve(gdb_byte(&in, (unsigned char)byte)));
	process_signal(&process, SIGCONT);
	return 0;
}

int cmd_enclave_gdb(int argc, char **argv)
{
	unsigned long long pid = argc > 1 ? number_of(argv[1]) : 0;
	unsigned long long domain = argc > 2 ? number_of(argv[2]) : 0;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(gdb_help, stdout);
		return 0;
	}
	if (argc < 2 || argc > 3 || !pid || pid > INT_MAX || (argc == 3 && !domain) ||
	    domain > UINT_MAX) {
		fputs(gdb_help, stderr);
		return EXIT_USAGE;
	}
	return attach((int)pid, (unsigned int)domain);
}
