// SPDX-License-Identifier: GPL-2.0-only
/*
 * monctl run: QEMU, with a confidential VM.
 *
 * This process becomes QEMU, so that whoever started it has the right process
 * ID, its exit status and its standard streams. A process is armed by its
 * address space, and execve() makes a new one; so a helper, forked before,
 * stops QEMU at its execve() with ptrace(2), arms it there, before its first
 * instruction, and lets it go. If arming fails, or the helper dies before it is
 * done, QEMU is killed: it never runs unprotected.
 *
 * The helper then holds the domain until QEMU's end, takes back what the guest gives
 * back, and tells when the monitor has stopped the VM. It is nobody's child and has a
 * session of its own, so what is sent to QEMU's terminal or process group does not
 * reach it.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include "monctl.h"
#include "uapi/monitor.h"
#include "vm_policy.h"

#define WATCH_MS 1000

static const char *const machine_names[] = { "pc", "q35", "microvm" };

static const char *const stop_texts[MON_VM_STOP_NR] = {
#define X(name, text) [MON_VM_STOP_##name] = text,
	MON_VM_STOPS(X)
#undef X
};

/* ---- the helper ---- */

static const char *arm_error(int err)
{
	switch (err) {
	case ENOMEM:
		return "the host has not enough free memory for it, or too many of them run: "
		       "use less with -m, or free some";
	case EPERM:
		return "that needs CAP_SYS_ADMIN: run it as root";
	case EOPNOTSUPP:
		return "this monitor image has no confidential VMs: rebuild the module";
	case EBUSY:
		return "the monitor is being unloaded";
	default:
		return request_error(err);
	}
}

static bool give_keys(int domain, const struct carried_list *carried)
{
	unsigned int i;

	for (i = 0; i < carried->nr; i++) {
		struct mon_vm_key request = { .size = sizeof(request), .device = i };
		int err;

		if (carried->device[i].type != MON_DEVICE_DISK)
			continue;
		memcpy(request.key, carried->device[i].key, sizeof(request.key));
		request.opened = carried->device[i].opened;
		err = ioctl(domain, MON_IOC_VM_KEY, &request);
		OPENSSL_cleanse(&request, sizeof(request));
		if (err)
			return !fail("cannot give the monitor the key of the disk %s: %s",
				     carried->device[i].id, request_error(errno));
	}
	return true;
}

/* The domain's file descriptor, or -1 and it is said why. */
static int arm(pid_t pid, const struct mon_vm_policy *policy, const struct carried_list *carried)
{
	struct mon_vm_arm request = { .size = sizeof(request), .pid = pid, .policy = *policy };
	int dev = open_device(), domain;

	if (dev < 0)
		return -1;
	do
		domain = ioctl(dev, MON_IOC_VM_ARM, &request);
	while (domain < 0 && errno == EINTR);
	if (domain < 0)
		fail("cannot make the VM confidential: %s", arm_error(errno));
	close(dev);
	if (domain >= 0 && !give_keys(domain, carried)) {
		close(domain);
		return -1;
	}
	return domain;
}

/* What the guest gave back is the host's again, not the monitor's until QEMU's end. */
static void collect(int domain, const struct mon_vm_info *info)
{
	struct mon_vm_frames request = { .size = sizeof(request) };
	static bool told;

	if (!info->returned_frames || !ioctl(domain, MON_IOC_VM_COLLECT, &request) || told)
		return;
	told = true;
	fail("cannot take back the memory that the VM gave back: %s", request_error(errno));
}

/* Says once why the VM was stopped; true when that is said. */
static bool look_after(int domain)
{
	struct mon_vm_info info = { .size = sizeof(info) };

	if (ioctl(domain, MON_IOC_VM_STATUS, &info))
		return false;
	collect(domain, &info);
	if (info.stop == MON_VM_STOP_NONE)
		return false;
	if (info.stop != MON_VM_STOP_SHUTDOWN)
		fail("the monitor stopped the confidential VM: %s (%#llx)",
		     info.stop < MON_VM_STOP_NR ? stop_texts[info.stop] : "unknown reason",
		     (unsigned long long)info.stop_detail);
	return true;
}

static void hold_until_end(int domain, int pidfd)
{
	struct pollfd end = { .fd = pidfd, .events = POLLIN };
	bool told = false;

	while (poll(&end, 1, told ? -1 : WATCH_MS) == 0 || errno == EINTR) {
		if (end.revents)
			break;
		told = told || look_after(domain);
	}
	if (!told)
		look_after(domain);
}

static bool runs_program(pid_t pid, const struct stat *program)
{
	char link[64];
	struct stat st;

	snprintf(link, sizeof(link), "/proc/%d/exe", pid);
	return !stat(link, &st) && st.st_dev == program->st_dev && st.st_ino == program->st_ino;
}

/* Waits for the stop behind execve(); passes on what else comes. False: QEMU is gone. */
static bool wait_for_exec(pid_t pid)
{
	int status;

	for (;;) {
		if (waitpid(pid, &status, __WALL) != pid) {
			if (errno == EINTR)
				continue;
			return false;
		}
		if (!WIFSTOPPED(status))
			return false;
		if (status >> 8 == (SIGTRAP | PTRACE_EVENT_EXEC << 8))
			return true;
		ptrace(status >> 16 == PTRACE_EVENT_STOP ? PTRACE_LISTEN : PTRACE_CONT, pid, NULL,
		       status >> 16 ? 0L : (long)WSTOPSIG(status));
	}
}

/* No file of QEMU's stays open because of the helper, but for standard error. */
static void detach_helper(void)
{
	static const int ignored[] = { SIGHUP,	SIGINT,	 SIGQUIT, SIGTERM,
				       SIGPIPE, SIGTSTP, SIGTTOU };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	unsigned int i;

	setsid();
	for (i = 0; i < sizeof(ignored) / sizeof(ignored[0]); i++)
		signal(ignored[i], SIG_IGN);
	if (null >= 0) {
		dup2(null, STDIN_FILENO);
		dup2(null, STDOUT_FILENO);
	}
	if (chdir("/"))
		fail("cannot leave the current folder: %s", strerror(errno));
}

static int helper(pid_t pid, int ready, const struct stat *program,
		  const struct mon_vm_policy *policy, struct carried_list *carried)
{
	int domain, pidfd;

	detach_helper();
	if (ptrace(PTRACE_SEIZE, pid, NULL, PTRACE_O_TRACEEXEC | PTRACE_O_EXITKILL))
		return fail("cannot trace QEMU to arm it before its first instruction: %s%s",
			    strerror(errno),
			    errno == EPERM ?
				    "; run it as root, with kernel.yama.ptrace_scope below 3" : "");
	if (write(ready, "r", 1) != 1)
		return EXIT_CANNOT;
	syscall(SYS_close_range, 3U, ~0U, 0U);
	if (!wait_for_exec(pid))
		return EXIT_CANNOT;
	if (!runs_program(pid, program)) {
		kill(pid, SIGKILL);
		return fail("the program starts another one: name QEMU itself, not a script");
	}
	pidfd = syscall(SYS_pidfd_open, pid, 0U);
	domain = pidfd < 0 ? fail("cannot watch QEMU: %s", strerror(errno)), -1 :
			     arm(pid, policy, carried);
	OPENSSL_cleanse(carried, sizeof(*carried));
	if (domain < 0 || ptrace(PTRACE_DETACH, pid, NULL, NULL)) {
		kill(pid, SIGKILL);
		return EXIT_CANNOT;
	}
	hold_until_end(domain, pidfd);
	return 0;
}

/* Forks twice, so that QEMU does not meet a child it did not make. */
static bool start_helper(const struct stat *program, const struct mon_vm_policy *policy,
			 struct carried_list *carried)
{
	pid_t self = getpid(), child;
	int ready[2], status;
	char byte;
	bool good;

	if (pipe2(ready, O_CLOEXEC)) {
		fail("cannot make a pipe: %s", strerror(errno));
		return false;
	}
	fflush(NULL);
	child = fork();
	if (!child) {
		close(ready[0]);
		child = fork();
		if (child)
			_exit(child < 0);
		_exit(helper(self, ready[1], program, policy, carried));
	}
	close(ready[1]);
	if (child < 0 || waitpid(child, &status, 0) != child || status) {
		fail("cannot start a process: %s", strerror(errno));
		close(ready[0]);
		return false;
	}
	good = read(ready[0], &byte, 1) == 1; /* else the helper has said why */
	close(ready[0]);
	return good;
}

/* ---- the command ---- */

/* The file that execvp() would take; it has to be a program, not a script. */
static bool find_program(const char *name, char path[PATH_MAX], struct stat *st)
{
	const char *dir = getenv("PATH"), *end;
	unsigned char magic[4] = { 0 };
	bool found = false;
	FILE *file;

	if (!dir || !*dir)
		dir = "/usr/local/bin:/usr/bin:/bin";
	if (strchr(name, '/')) {
		found = snprintf(path, PATH_MAX, "%s", name) < PATH_MAX && !access(path, X_OK);
		dir = "";
	}
	for (; !found && *dir; dir = *end ? end + 1 : end) {
		end = strchrnul(dir, ':');
		found = snprintf(path, PATH_MAX, "%.*s/%s", (int)(end - dir), dir, name) <
				PATH_MAX &&
			!access(path, X_OK) && !stat(path, st) && S_ISREG(st->st_mode);
	}
	if (!found || stat(path, st)) {
		fail("there is no program '%s': install qemu-system-x86", name);
		return false;
	}
	file = fopen(path, "re");
	if (file) {
		if (fread(magic, 1, sizeof(magic), file) != sizeof(magic))
			magic[0] = 0;
		fclose(file);
	}
	if (memcmp(magic, "\177ELF", 4)) {
		fail("%s is not QEMU itself but a script or the like: "
		     "name the program that it starts", path);
		return false;
	}
	return true;
}

/* QEMU's arguments, and those that a confidential VM needs. */
static char **full_arguments(int argc, char **argv, const struct vm_description *vm)
{
	char **full = calloc(argc + 5, sizeof(*full));
	int n = argc;

	if (!full)
		return NULL;
	memcpy(full, argv, argc * sizeof(*full));
	if (!vm->has_accel) {
		full[n++] = "-accel";
		full[n++] = "kvm";
	}
	if (!vm->smm_off) {
		full[n++] = "-machine";
		full[n++] = "smm=off";
	}
	fprintf(stderr, "monctl: confidential VM: %s, %llu MiB, %u vCPU%s, firmware %s%s%s%s\n",
		machine_names[vm->machine], (unsigned long long)vm->ram >> 20, vm->vcpus,
		vm->vcpus == 1 ? "" : "s", vm->firmware,
		vm->has_accel && vm->smm_off ? "" : "; added for it:",
		vm->has_accel ? "" : " -accel kvm", vm->smm_off ? "" : " -machine smm=off");
	return full;
}

int cmd_run(int argc, char **argv)
{
	struct carried_list carried = { 0 };
	struct vm_description vm;
	char path[PATH_MAX];
	struct stat program;
	char **full;
	int n;

	for (; argc > 1 && (n = carried_option(argc - 1, argv + 1, &carried)); argc -= n, argv += n)
		if (n < 0)
			return EXIT_USAGE;
	if (argc > 1 && !strcmp(argv[1], "--")) {
		argc--;
		argv++;
	}
	if (argc < 2 || argv[1][0] == '-') {
		fail("usage: monctl run [--disk ID=KEYFILE]... [--disk-opened ID=NUMBER]... "
		     "[--network ID[,queues=N]]... [--] "
		     "qemu-system-x86_64 [QEMU-OPTION]...");
		return EXIT_USAGE;
	}
	if (!vm_describe(argc - 1, argv + 1, &vm) || !vm_carry(&vm, &carried) ||
	    !find_program(argv[1], path, &program))
		return EXIT_CANNOT;
	full = full_arguments(argc - 1, argv + 1, &vm);
	if (!full)
		return fail("out of memory");
	n = start_helper(&program, &vm.policy, &carried);
	OPENSSL_cleanse(&carried, sizeof(carried));
	if (!n)
		return EXIT_CANNOT;
	execv(path, full);
	return fail("cannot execute %s: %s", path, strerror(errno));
}
