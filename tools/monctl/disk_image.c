// SPDX-License-Identifier: GPL-2.0-only
/* Images: raw files and block devices here, qcow2 by qemu-nbd in disk_nbd.c. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

#define QCOW2_MAGIC "QFI\xfb"

/* ---- which format ---- */

static bool named_qcow2(const char *path)
{
	size_t n = strlen(path);

	return n > 6 && !strcmp(path + n - 6, ".qcow2");
}

bool image_format(const char *path, const char *asked, bool *qcow2)
{
	*qcow2 = asked ? !strcmp(asked, "qcow2") : named_qcow2(path);
	if (asked && !*qcow2 && strcmp(asked, "raw"))
		return !fail("the format is raw or qcow2 (got '%s')", asked);
	return true;
}

/*
 * Nothing is guessed from the contents: who wrote those of a raw image could make it a qcow2
 * that names files of this machine.
 */
static bool format_agrees(const char *path, const char *asked, bool qcow2, int fd)
{
	unsigned char head[80] = {0}; /* big endian: 72 to 79 are the incompatible features */
	bool magic = pread(fd, head, sizeof(head), 0) >= 4 && !memcmp(head, QCOW2_MAGIC, 4);

	if (!magic && qcow2)
		return !fail("%s is no qcow2: say '-f raw' if it is raw", path);
	if (magic && !qcow2 && !asked)
		return !fail("%s begins as a qcow2 does and is not named .qcow2: say '-f qcow2', "
			     "or '-f raw' if you are sure",
			     path);
	if (magic && qcow2 && head[7] >= 3 && head[79] & 4)
		return !fail("%s is a qcow2 that has its data in another file, which it names: "
			     "convert it first (qemu-img convert)",
			     path);
	return true;
}

/* ---- others that use it ---- */

/* Bytes of a file that QEMU locks: it has a right (100 on), it grants others none (200 on). */
#define QEMU_HAS_WRITE 101
#define QEMU_DENIES_WRITE 201

static bool lock(int fd, short type, off_t start, off_t len, int how)
{
	struct flock lock = {.l_type = type, .l_whence = SEEK_SET, .l_start = start, .l_len = len};

	return !fcntl(fd, how, &lock) && (how != F_OFD_GETLK || lock.l_type == F_UNLCK);
}

static bool try_lock(int fd, bool write)
{
	if (write)
		return lock(fd, F_WRLCK, 100, 200, F_OFD_SETLK);
	return lock(fd, F_RDLCK, QEMU_DENIES_WRITE, 1, F_OFD_SETLK) &&
	       lock(fd, F_WRLCK, QEMU_HAS_WRITE, 1, F_OFD_GETLK);
}

/* The qemu-nbd of a monctl that was killed needs a moment to go. */
static bool lock_image(const char *path, int fd, bool write)
{
	unsigned int tries;

	for (tries = 0; tries < 100; tries++) {
		if (try_lock(fd, write))
			return true;
		usleep(20000);
	}
	return !fail("%s is in use by another program, such as QEMU", path);
}

/* ---- opening ---- */

static bool size_of(struct image *image, const struct stat *st)
{
	image->device = S_ISBLK(st->st_mode);
	image->size = st->st_size;
	if (image->device && ioctl(image->fd, BLKGETSIZE64, &image->size))
		return !fail("cannot ask for the size of %s: %s", image->path, strerror(errno));
	if (!image->device && !S_ISREG(st->st_mode))
		return !fail("%s is neither a file nor a block device", image->path);
	return true;
}

char *image_plain_path(const char *path)
{
	char *plain;

	if (asprintf(&plain, "%s%s", *path == '/' ? "" : "./", path) < 0)
		return NULL;
	return plain;
}

static bool open_qcow2(struct image *image, bool write)
{
	char *plain = image_plain_path(image->path);
	bool good;

	close(image->fd);
	image->fd = -1;
	good = plain && nbd_open(image, plain, write);
	if (plain && !good)
		fail("cannot open %s: %s", image->path, image->error);
	free(plain);
	return good;
}

bool image_open(struct image *image, const char *path, const char *format, bool write)
{
	struct stat st;
	bool qcow2, good;

	*image = (struct image){.path = path, .fd = -1};
	if (!image_format(path, format, &qcow2))
		return false;
	image->fd = open(path, (write ? O_RDWR : O_RDONLY) | O_CLOEXEC | O_NONBLOCK);
	if (image->fd < 0 || fstat(image->fd, &st))
		return !fail("cannot open %s: %s", path, strerror(errno));
	good = size_of(image, &st) && format_agrees(path, format, qcow2, image->fd) &&
	       lock_image(path, image->fd, write);
	if (good && qcow2)
		return open_qcow2(image, write);
	if (good)
		return true;
	close(image->fd);
	image->fd = -1;
	return false;
}

bool image_close(struct image *image)
{
	bool good = true;

	if (image->nbd)
		good = nbd_end(image) || !fail("qemu-nbd has failed to close %s", image->path);
	else if (image->fd >= 0)
		good = !close(image->fd) ||
		       !fail("cannot close %s: %s", image->path, strerror(errno));
	image->fd = -1;
	return good;
}

/* ---- reading and writing ---- */

static bool failed(struct image *image, const char *why)
{
	snprintf(image->error, sizeof(image->error), "%s", why);
	return false;
}

bool image_read(struct image *image, void *to, size_t size, uint64_t at)
{
	ssize_t n;

	if (at > image->size || size > image->size - at)
		return failed(image, "the image ends before it");
	if (image->nbd)
		return nbd_read(image, to, size, at);
	for (; size; to = (char *)to + n, at += n, size -= n) {
		n = pread(image->fd, to, size, at);
		if (n <= 0)
			return failed(image, n ? strerror(errno) : "the file has become shorter");
	}
	return true;
}

bool image_write(struct image *image, const void *from, size_t size, uint64_t at)
{
	ssize_t n;

	if (at > image->size || size > image->size - at)
		return failed(image, "the image ends before it");
	if (image->nbd)
		return nbd_write(image, from, size, at);
	for (; size; from = (const char *)from + n, at += n, size -= n) {
		n = pwrite(image->fd, from, size, at);
		if (n <= 0)
			return failed(image, strerror(n ? errno : ENOSPC));
	}
	return true;
}

bool image_flush(struct image *image)
{
	if (image->nbd)
		return nbd_sync(image);
	return !fdatasync(image->fd) || failed(image, strerror(errno));
}

bool image_data(struct image *image, uint64_t at, uint64_t *start, uint64_t *end)
{
	off_t found;

	*start = at;
	*end = image->size;
	if (image->nbd)
		return nbd_data(image, at, start, end);
	found = lseek(image->fd, at, SEEK_DATA);
	if (found < 0 && errno == ENXIO)
		*start = image->size;
	if (found < 0) /* not asked of this kind of file: all of it is data */
		return true;
	*start = found;
	found = lseek(image->fd, found, SEEK_HOLE);
	if (found > 0)
		*end = found;
	return true;
}
