// SPDX-License-Identifier: GPL-2.0-only
/*
 * qcow2 by QEMU's own code: qemu-nbd as a child, spoken to over a socket by libnbd. Without
 * qcow2 neither is needed, so the library is loaded here and not by the linker.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <libnbd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

#define FUNCTIONS(X)                                                                           \
	X(create)                                                                              \
	X(close) X(add_meta_context) X(connect_socket) X(get_size) X(pread) \
		X(pwrite) X(flush) X(block_status) X(shutdown) X(get_error)

#define POINTER(name) static typeof(nbd_##name) *p_##name;
FUNCTIONS(POINTER)

static bool load(struct image *image)
{
	void *library = dlopen("libnbd.so.0", RTLD_NOW);
	bool good = library;

	if (!good)
		snprintf(image->error, sizeof(image->error),
			 "for qcow2 the library libnbd is needed (Debian's package libnbd0)");
	if (!good)
		return false;
#define LOAD(name) p_##name = (typeof(p_##name))dlsym(library, "nbd_" #name);
	FUNCTIONS(LOAD)
#define LOADED(name) good &= !!p_##name;
	FUNCTIONS(LOADED)
	if (!good)
		snprintf(image->error, sizeof(image->error), "the library libnbd is too old");
	return good;
}

static bool nbd_failed(struct image *image)
{
	const char *why = p_get_error();

	snprintf(image->error, sizeof(image->error), "%s", why ? why : "an error without a reason");
	return false;
}

/* ---- the server ---- */

/* A socket that listens, and one that is connected to it, which only this program can be. */
static bool make_sockets(int *server, int *client)
{
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	char folder[] = "/tmp/monctl-XXXXXX";
	bool good;

	*server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	*client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*server < 0 || *client < 0 || !mkdtemp(folder))
		return false;
	snprintf(name.sun_path, sizeof(name.sun_path), "%s/nbd", folder);
	good = !bind(*server, (struct sockaddr *)&name, sizeof(name)) && !listen(*server, 1) &&
	       !connect(*client, (struct sockaddr *)&name, sizeof(name));
	unlink(name.sun_path);
	rmdir(folder);
	return good;
}

/*
 * It gets the listening socket as systemd would give it. It has to end with its parent, however
 * that ends: by itself it does so only once a client has said hello, and SIGTERM is lost on it
 * while it begins. The disk's commits hold anyway, as in a crash of the host.
 */
static void serve(int server, pid_t parent, const char *file, bool write)
{
	char pid[24];

	image_end_with(parent);
	snprintf(pid, sizeof(pid), "%d", getpid());
	if (dup2(server, 3) == 3 && (server != 3 || !fcntl(3, F_SETFD, 0)) &&
	    !setenv("LISTEN_PID", pid, 1) && !setenv("LISTEN_FDS", "1", 1))
		execlp("qemu-nbd", "qemu-nbd", "-f", "qcow2", "--cache=writeback", file,
		       write ? NULL : "--read-only", NULL);
	fail("cannot run qemu-nbd: %s%s", strerror(errno),
	     errno == ENOENT ? "; it is in Debian's package qemu-utils" : "");
	_exit(127);
}

/* It is connected to before it is there. */
static int start(struct image *image, const char *file, bool write)
{
	int server = -1, client = -1;
	pid_t parent = getpid();

	if (!make_sockets(&server, &client)) {
		snprintf(image->error, sizeof(image->error), "no socket: %s", strerror(errno));
	} else {
		image->server = fork();
		if (!image->server)
			serve(server, parent, file, write);
	}
	close(server);
	if (image->server > 0)
		return client;
	close(client);
	return -1;
}

bool nbd_open(struct image *image, const char *file, bool write)
{
	int64_t size = -1;
	int client;

	if (!load(image))
		return false;
	client = start(image, file, write);
	if (client < 0)
		return false;
	image->nbd = p_create();
	if (image->nbd && !p_add_meta_context(image->nbd, LIBNBD_CONTEXT_BASE_ALLOCATION) &&
	    !p_connect_socket(image->nbd, client))
		size = p_get_size(image->nbd);
	if (size >= 0) {
		image->size = size;
		return true;
	}
	nbd_failed(image);
	nbd_end(image);
	return false;
}

bool nbd_end(struct image *image)
{
	int status;

	if (image->nbd) {
		p_shutdown(image->nbd, 0);
		p_close(image->nbd);
	}
	image->nbd = NULL;
	return waitpid(image->server, &status, 0) == image->server && !status;
}

bool nbd_read(struct image *image, void *to, size_t size, uint64_t at)
{
	return !p_pread(image->nbd, to, size, at, 0) || nbd_failed(image);
}

bool nbd_write(struct image *image, const void *from, size_t size, uint64_t at)
{
	return !p_pwrite(image->nbd, from, size, at, 0) || nbd_failed(image);
}

bool nbd_sync(struct image *image)
{
	return !p_flush(image->nbd, 0) || nbd_failed(image);
}

/* The first extent of one answer that is not zeros; behind @start if there is none. */
struct extent {
	uint64_t start;
	uint64_t end;
	bool found;
};

static int find_data(void *user, const char *context, uint64_t at, uint32_t *entries, size_t nr,
		     int *error)
{
	struct extent *extent = user;
	size_t i;

	(void)error;
	if (strcmp(context, LIBNBD_CONTEXT_BASE_ALLOCATION))
		return 0;
	for (i = 0; i + 1 < nr && !extent->found; i += 2, at += entries[i - 2]) {
		extent->found = !(entries[i + 1] & LIBNBD_STATE_ZERO);
		extent->start = extent->found ? at : at + entries[i];
		extent->end = at + entries[i];
	}
	return 0;
}

bool nbd_data(struct image *image, uint64_t at, uint64_t *start, uint64_t *end)
{
	struct extent extent = {.start = at};
	nbd_extent_callback callback = {.callback = find_data, .user_data = &extent};
	const uint64_t most = 1 << 30;

	while (at < image->size && !extent.found) {
		uint64_t count = image->size - at < most ? image->size - at : most;

		if (p_block_status(image->nbd, count, at, callback, 0))
			return nbd_failed(image);
		if (!extent.found && extent.start <= at) { /* it does not say */
			extent.start = at;
			break;
		}
		at = extent.start;
	}
	*start = extent.start < image->size ? extent.start : image->size;
	*end = extent.found ? extent.end : image->size;
	return true;
}
