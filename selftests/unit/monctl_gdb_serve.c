// SPDX-License-Identifier: GPL-2.0-only
/* needs: tools/monctl/gdb.c tools/monctl/gdb_packet.c tools/monctl/gdb_answer.c */
/* needs: tools/monctl/gdb_text.c tools/monctl/gdb_thread.c tools/monctl/gdb_register.c */
/*
 * "monctl enclave gdb", with gdb's end of its pipes here, and a process that is signalled in name
 * only: it is stopped while gdb looks, and however gdb leaves, it is let go.
 */
#include <signal.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "unit.h"
#include "tools/monctl/gdb.h"
#include "tools/monctl/monctl.h"

#define REFUSED 9
#define TIMEOUT 60

/* What was done to the process; of the command's and this program's. */
static volatile struct {
	unsigned int stopped, gone_on, killed;
} *done;

static pid_t debugged;

unsigned int target_threads(void)
{
	return 1;
}

bool target_registers(unsigned int thread, struct mon_enclave_registers *registers)
{
	(void)thread;
	*registers = (struct mon_enclave_registers){ .state = MON_ENCLAVE_THREAD_CALLING };
	return true;
}

size_t target_read(unsigned long long at, void *to, size_t size)
{
	(void)at;
	(void)to;
	(void)size;
	return 0;
}

bool target_write(unsigned long long at, const void *from, size_t size)
{
	(void)at;
	(void)from;
	(void)size;
	return false;
}

bool process_open(struct process *process, int pid, unsigned int domain)
{
	process->pid = pid;
	process->fd = (int)syscall(SYS_pidfd_open, debugged, 0);
	return domain != REFUSED;
}

bool process_stop(const struct process *process)
{
	(void)process;
	done->stopped++;
	return true;
}

bool process_signal(const struct process *process, int signal)
{
	(void)process;
	done->gone_on += signal == SIGCONT;
	done->killed += signal == SIGKILL;
	return true;
}

unsigned long long number_of(const char *text)
{
	return strtoull(text, NULL, 10);
}

/* ---- the command, and what it is sent ---- */

static int to, from;
static pid_t command;

static int run(const char *domain)
{
	char *argv[] = { "gdb", "1", (char *)domain, NULL };

	return cmd_enclave_gdb(domain ? 3 : 2, argv);
}

static void begin(const char *domain)
{
	int in[2], out[2];

	done->stopped = 0;
	done->gone_on = 0;
	done->killed = 0;
	check(!pipe(in) && !pipe(out));
	fflush(stdout);
	command = fork();
	if (!command) {
		dup2(in[0], STDIN_FILENO);
		dup2(out[1], STDOUT_FILENO);
		close(in[1]);
		_exit(run(domain));
	}
	close(in[0]);
	close(out[1]);
	to = in[1];
	from = out[0];
}

static void send_all(const char *bytes)
{
	check(write(to, bytes, strlen(bytes)) == (ssize_t)strlen(bytes));
}

static bool hears(const char *wanted)
{
	char got[64] = "";
	size_t n = 0;

	while (n < strlen(wanted) && read(from, got + n, 1) == 1)
		n++;
	if (strcmp(got, wanted))
		printf("# '%s', not '%s'\n", got, wanted);
	return !strcmp(got, wanted);
}

/* It says no more, and ends with that. */
static bool ends(int status)
{
	char byte;
	int got;

	close(to);
	if (read(from, &byte, 1) || waitpid(command, &got, 0) != command)
		return false;
	close(from);
	return WIFEXITED(got) && WEXITSTATUS(got) == status;
}

#define STOPPED "$T05thread:1;#d7"

static void test_look(void)
{
	begin(NULL);
	send_all("+$?#3f");
	ok(hears("+" STOPPED) && done->stopped == 1 && !done->gone_on, "it is stopped and shown");
	send_all("-");
	ok(hears(STOPPED), "the same again");
	send_all("+$?#40");
	ok(hears("-"), "a damaged request");
	send_all("\x03$qC#b4");
	ok(hears("+$QC1#c5") && done->stopped == 1, "an interrupt of what is stopped is nothing");
	send_all("$D#44");
	ok(hears("+$OK#9a") && !done->gone_on, "detached");
	send_all("+");
	ok(ends(0) && done->gone_on == 1 && !done->killed, "it goes on once gdb has that");
}

static void test_run(void)
{
	begin("7");
	send_all("$c#63");
	ok(hears("+"), "continue");
	send_all("+$g#67\x03");
	ok(hears("$T02thread:1;#d4") && done->stopped == 2 && done->gone_on == 1,
	   "interrupted: it stops, and nothing else was answered");
	send_all("+");
	ok(ends(0) && done->gone_on == 2, "gdb is gone while it is stopped: it goes on");
	begin(NULL);
	send_all("$c#63");
	ok(hears("+") && ends(0) && done->gone_on && done->stopped == 1, "or while it runs");
}

static void test_end(void)
{
	begin(NULL);
	send_all("$k#6b");
	ok(hears("+") && ends(0) && done->killed == 1, "kill");
	begin(NULL);
	send_all("$?#3f");
	ok(hears("+" STOPPED) && !kill(command, SIGTERM) && ends(128 + SIGTERM) &&
	   done->gone_on == 1, "whoever ends the command lets it go");
	begin(NULL);
	send_all("$c#63");
	ok(hears("+") && !kill(debugged, SIGKILL) && hears("$W00#b7"), "it is over");
	send_all("+");
	ok(ends(0), "and so is the command");
}

static void test_refused(void)
{
	begin("9");
	ok(ends(EXIT_CANNOT) && !done->stopped && !done->gone_on, "refused: it is not stopped");
	begin("0");
	ok(ends(EXIT_USAGE) && !done->stopped, "a domain that is none");
}

int main(void)
{
	alarm(TIMEOUT);
	signal(SIGPIPE, SIG_IGN);
	done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	check(done != MAP_FAILED);
	debugged = fork();
	if (!debugged) {
		alarm(TIMEOUT);
		pause();
		_exit(0);
	}
	test_look();
	test_run();
	test_end();
	test_refused();
	return unit_end();
}
