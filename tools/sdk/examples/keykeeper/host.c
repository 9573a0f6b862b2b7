// SPDX-License-Identifier: GPL-2.0-only
/* usage: keykeeper [--sim] KEYKEEPER.elf FILE SOCKET: then SSH_AUTH_SOCK=SOCKET ssh-add -L */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "keykeeper.h"
#include "monenclave.h"

static const char *path;

long load(void *state, size_t size)
{
	FILE *file = fopen(path, "re");
	long n;

	if (!file)
		return errno == ENOENT ? 0 : -1;
	n = fread(state, 1, size, file);
	fclose(file);
	return n;
}

int save(const void *state, size_t size)
{
	FILE *file = fopen(path, "we");
	int good = file && fwrite(state, 1, size, file) == size;

	return file && !fclose(file) && good ? 0 : -1;
}

static int listen_at(const char *name)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strncpy(address.sun_path, name, sizeof(address.sun_path) - 1);
	unlink(name);
	umask(077);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) || listen(fd, 8))
		perror(name);
	return fd;
}

/* One after the other. */
static void serve(struct mon_enclave *mon, int fd)
{
	uint8_t request[REQUEST_MAX], reply[4 + REPLY_MAX], head[4];
	long size;

	while (recv(fd, head, 4, MSG_WAITALL) == 4) {
		size_t n = (size_t)head[0] << 24 | head[1] << 16 | head[2] << 8 | head[3];

		if (n > sizeof(request) || recv(fd, request, n, MSG_WAITALL) != (ssize_t)n)
			break;
		if (keeper_request(mon, &size, request, n, reply + 4, REPLY_MAX)) {
			fprintf(stderr, "keykeeper: %s\n", mon_error());
			break;
		}
		memset(reply, 0, 4);
		reply[2] = size >> 8;
		reply[3] = size;
		if (write(fd, reply, 4 + size) != 4 + size)
			break;
	}
	close(fd);
}

int main(int argc, char **argv)
{
	unsigned int sim = argc > 1 && !strcmp(argv[1], "--sim");
	struct mon_enclave *mon;
	int result, fd;

	if (argc != 4 + (int)sim) {
		fputs("usage: keykeeper [--sim] KEYKEEPER.elf FILE SOCKET\n", stderr);
		return 2;
	}
	path = argv[sim + 2];
	mon = mon_open(argv[sim + 1], sim ? MON_OPEN_SIM : 0);
	if (!mon || keeper_open(mon, &result)) {
		fprintf(stderr, "keykeeper: %s\n", mon_error());
		return 1;
	}
	if (result) {
		fprintf(stderr, "keykeeper: %s is not what this enclave has sealed\n", path);
		return 1;
	}
	fd = listen_at(argv[sim + 3]);
	while ((result = accept4(fd, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		serve(mon, result);
	return 1;
}
