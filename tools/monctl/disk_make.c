// SPDX-License-Identifier: GPL-2.0-only
/* Images that are made, or get another size: qcow2 by qemu-img. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

void image_end_with(pid_t parent)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) || getppid() != parent)
		_exit(127);
}

static bool run(const char *what, char *const argv[])
{
	pid_t parent = getpid(), pid = fork();
	int status;

	if (!pid) {
		image_end_with(parent);
		execvp(argv[0], argv);
		fail("cannot run %s: %s%s", argv[0], strerror(errno),
		     errno == ENOENT ? "; it is in Debian's package qemu-utils" : "");
		_exit(127);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		return !fail("cannot run %s: %s", argv[0], strerror(errno));
	return !status || !fail("%s cannot %s", argv[0], what);
}

static bool qemu_img(const char *path, uint64_t size, bool create)
{
	char *plain = image_plain_path(path), bytes[24];
	char *const make[] = {"qemu-img", "create", "-q", "-f", "qcow2", plain, bytes, NULL};
	char *const change[] = {"qemu-img", "resize", "-q",  "-f", "qcow2",
				"--shrink", plain,    bytes, NULL};
	bool good;

	snprintf(bytes, sizeof(bytes), "%llu", (unsigned long long)size);
	good = plain &&
	       run(create ? "make the image" : "change the image's size", create ? make : change);
	free(plain);
	return good;
}

/* A device is there already, and may be in use for something else. */
static bool take_device(struct image *image, const char *path, const char *format, uint64_t size)
{
	unsigned char *head = calloc(1, MON_DISK_FIRST_CHUNK * BLOCK);
	bool good = head && image_open(image, path, format ? format : "raw", true);

	if (good && (image->nbd || image->size < size))
		good = !fail("%s has %llu bytes, and the sealed disk needs %llu", path,
			     (unsigned long long)image->size, (unsigned long long)size);
	if (good && !image_read(image, head, MON_DISK_FIRST_CHUNK * BLOCK, 0))
		good = !fail("cannot read %s: %s", path, image->error);
	if (good && !zeros(head, MON_DISK_FIRST_CHUNK * BLOCK))
		good = !fail("there is something on %s: if it is not needed, overwrite its "
			     "first %d bytes with zeros",
			     path, MON_DISK_FIRST_CHUNK * BLOCK);
	free(head);
	return good;
}

static bool exists(const char *path)
{
	return !fail("cannot make %s: %s%s", path, strerror(errno),
		     errno == EEXIST ? "; nothing is overwritten" : "");
}

static bool create_raw(const char *path, uint64_t size)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	bool good;

	if (fd < 0)
		return exists(path);
	good = !ftruncate(fd, size);
	if (!good) {
		fail("cannot make %s of %llu bytes: %s", path, (unsigned long long)size,
		     strerror(errno));
		unlink(path);
	}
	close(fd);
	return good;
}

/* It gets its name once it is whole. */
static bool create_qcow2(const char *path, uint64_t size)
{
	mode_t mask = umask(0);
	bool good = false;
	char *part;
	int fd;

	umask(mask);
	if (asprintf(&part, "%s.XXXXXX", path) < 0)
		return !fail("out of memory");
	fd = mkstemp(part);
	if (fd < 0 || fchmod(fd, 0666 & ~mask))
		exists(path);
	else
		good = qemu_img(part, size, true) &&
		       (!renameat2(AT_FDCWD, part, AT_FDCWD, path, RENAME_NOREPLACE) ||
			exists(path));
	if (fd >= 0 && !good)
		unlink(part);
	if (fd >= 0)
		close(fd);
	free(part);
	return good;
}

bool image_create(struct image *image, const char *path, const char *format, uint64_t size)
{
	struct stat st;
	bool qcow2;

	*image = (struct image){.path = path, .fd = -1};
	if (!stat(path, &st) && S_ISBLK(st.st_mode))
		return take_device(image, path, format, size);
	if (!image_format(path, format, &qcow2))
		return false;
	if (!(qcow2 ? create_qcow2(path, size) : create_raw(path, size)))
		return false;
	if (image_open(image, path, qcow2 ? "qcow2" : "raw", true))
		return true;
	unlink(path);
	return false;
}

bool image_resize(struct image *image, const char *format, uint64_t size)
{
	bool write;

	if (image->device)
		return true;
	if (!image->nbd) {
		if (ftruncate(image->fd, size))
			return !fail("cannot change the size of %s: %s", image->path,
				     strerror(errno));
		image->size = size;
		return true;
	}
	write = image_close(image) && qemu_img(image->path, size, false);
	return write && image_open(image, image->path, format, true);
}
