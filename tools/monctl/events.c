// SPDX-License-Identifier: GPL-2.0-only
/*
 * monctl events: lets VMs interrupt each other. It speaks the server's side of
 * QEMU's ivshmem protocol (docs/specs/ivshmem-spec.rst, version 0): whoever connects
 * gets a number and the eventfds of all the others, and they its eventfd. After that
 * the kernel carries the interrupts, and this program only sees who goes.
 *
 * Messages are numbers of 8 bytes, little endian, some with a file descriptor:
 *
 *	0			version
 *	NUMBER			of this one
 *	-1 and a descriptor	shared memory: none is needed, so it is a page of zeros
 *	NUMBER and a descriptor	somebody's eventfd; one's own comes last
 *	NUMBER			somebody is gone
 */
#include <endian.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "monctl.h"

#define PROTOCOL_VERSION 0
#define SHARED_MEMORY (-1)
#define MEMORY_SIZE 4096
#define PEERS_MAX 64
#define NUMBERS 65536 /* those that the device's doorbell has */

static const char help[] =
	"usage: monctl events SOCKET\n"
	"\n"
	"Waits on a unix socket for QEMUs, and lets their guests interrupt each other:\n"
	"\n"
	"  monctl run -- qemu-system-x86_64 ... -chardev socket,path=SOCKET,id=ev \\\n"
	"      -device ivshmem-doorbell,chardev=ev,vectors=1\n"
	"\n"
	"In the guests, monguest.ko uses the device. It need not be trusted, and neither\n"
	"need this program: the monitor keeps the signals, and an interrupt only makes\n"
	"a guest ask for them. Whoever may connect can interrupt all the others, and\n"
	"shares no memory with them. Ends by a signal, and removes the socket.\n";

/* A free entry has the socket -1. */
static struct peer {
	int number;
	int socket;
	int event;
} peers[PEERS_MAX];

static int memory;

/* False: the peer does not listen. It has a socket's buffer for what it did not read yet. */
static bool tell(const struct peer *to, int64_t number, int fd)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control = { 0 };
	int64_t message = (int64_t)htole64((uint64_t)number);
	struct iovec iov = { .iov_base = &message, .iov_len = sizeof(message) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (fd >= 0) {
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		control.header.cmsg_len = CMSG_LEN(sizeof(int));
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	}
	return sendmsg(to->socket, &msg, MSG_NOSIGNAL | MSG_DONTWAIT) == sizeof(message);
}

/* Who goes ends shares without a word, so the others are woken to see. */
static void remove_peer(struct peer *gone)
{
	struct peer *peer;
	uint64_t one = 1;

	close(gone->socket);
	close(gone->event);
	gone->socket = -1;
	printf("%d is gone\n", gone->number);
	for (peer = peers; peer < peers + PEERS_MAX; peer++) {
		if (peer->socket < 0)
			continue;
		tell(peer, gone->number, -1);
		if (write(peer->event, &one, sizeof(one)) != sizeof(one))
			fail("cannot wake %d: %s", peer->number, strerror(errno));
	}
}

static bool introduce(const struct peer *new)
{
	const struct peer *peer;

	if (!tell(new, PROTOCOL_VERSION, -1) || !tell(new, new->number, -1) ||
	    !tell(new, SHARED_MEMORY, memory))
		return false;
	for (peer = peers; peer < peers + PEERS_MAX; peer++) {
		if (peer == new || peer->socket < 0)
			continue;
		/* Who does not listen any more is seen to be gone in its turn. */
		tell(peer, new->number, new->event);
		if (!tell(new, peer->number, peer->event))
			return false;
	}
	return tell(new, new->number, new->event);
}

static bool is_taken(int number)
{
	int i;

	for (i = 0; i < PEERS_MAX; i++)
		if (peers[i].socket >= 0 && peers[i].number == number)
			return true;
	return false;
}

/*
 * None is used again before all have been: QEMU frees what it keeps of a number
 * when that one goes, and writes there when the number comes back (its
 * close_peer_eventfds() and process_msg_connect(), 2.6 and later).
 */
static int new_number(void)
{
	static int last = -1;

	do
		last = (last + 1) % NUMBERS;
	while (is_taken(last));
	return last;
}

static void add_peer(int listener)
{
	int socket = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	struct peer *new = peers;

	if (socket < 0) {
		fail("cannot accept a connection: %s", strerror(errno));
		return;
	}
	while (new < peers + PEERS_MAX && new->socket >= 0)
		new++;
	if (new == peers + PEERS_MAX) {
		fail("there are %d QEMUs already: one was sent away", PEERS_MAX);
		close(socket);
		return;
	}
	new->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (new->event < 0) {
		fail("cannot make an eventfd: %s", strerror(errno));
		close(socket);
		return;
	}
	new->number = new_number();
	new->socket = socket;
	printf("%d is here\n", new->number);
	if (!introduce(new))
		remove_peer(new);
}

static int serve(int listener, int signals)
{
	struct pollfd fds[PEERS_MAX + 2] = { { .fd = listener, .events = POLLIN },
					     { .fd = signals, .events = POLLIN } };
	int i;

	for (;;) {
		/* Nothing is expected from a peer but its end; a negative descriptor is none. */
		for (i = 0; i < PEERS_MAX; i++)
			fds[i + 2] = (struct pollfd){ .fd = peers[i].socket, .events = POLLRDHUP };
		if (poll(fds, PEERS_MAX + 2, -1) < 0) {
			if (errno == EINTR)
				continue;
			return fail("cannot wait: %s", strerror(errno));
		}
		if (fds[1].revents)
			return 0;
		for (i = 0; i < PEERS_MAX; i++)
			if (fds[i + 2].revents)
				remove_peer(&peers[i]);
		if (fds[0].revents)
			add_peer(listener);
	}
}

/* A socket that nobody listens to any more is in the way. */
static bool in_use(const struct sockaddr_un *address)
{
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool answers = probe >= 0 && !connect(probe, (const struct sockaddr *)address,
					      sizeof(*address));

	if (probe >= 0)
		close(probe);
	return answers;
}

static int listen_at(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask = umask(0177);
	struct stat st;

	if (strlen(path) >= sizeof(address.sun_path)) {
		fail("%s: the name is longer than a socket's can be (%zu)", path,
		     sizeof(address.sun_path) - 1);
		return -1;
	}
	strcpy(address.sun_path, path);
	if (!lstat(path, &st) && S_ISSOCK(st.st_mode)) {
		if (in_use(&address)) {
			fail("%s: somebody serves it already", path);
			return -1;
		}
		unlink(path);
	}
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, PEERS_MAX)) {
		fail("cannot listen at %s: %s", path, strerror(errno));
		return -1;
	}
	umask(mask);
	return listener;
}

int cmd_events(int argc, char **argv)
{
	int listener, signals, status, i;
	sigset_t set;

	if (argc == 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		fputs(help, stdout);
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-') {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < PEERS_MAX; i++)
		peers[i].socket = -1;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	memory = memfd_create("ivshmem", MFD_CLOEXEC);
	if (signals < 0 || memory < 0 || ftruncate(memory, MEMORY_SIZE))
		return fail("cannot start: %s", strerror(errno));
	listener = listen_at(argv[1]);
	if (listener < 0)
		return EXIT_CANNOT;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("listening at %s\n", argv[1]);
	status = serve(listener, signals);
	unlink(argv[1]);
	return status;
}
