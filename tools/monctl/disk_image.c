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
#include <sys/wait.h>
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

/* What QEMU does not take for an option or a protocol; to be freed. */
static char *plain_path(const char *path)
{
	char *plain;

	if (asprintf(&plain, "%s%s", *path == '/' ? "" : "./", path) < 0)
		return NULL;
	return plain;
}

static bool open_qcow2(struct image *image, bool write)
{
	char *plain = plain_path(image->path);
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

/* ---- making ---- */

static bool run(const char *what, char *const argv[])
{
	pid_t pid = fork();
	int status;

	if (!pid) {
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
	char *plain = plain_path(path), bytes[24];
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

bool image_create(struct image *image, const char *path, const char *format, uint64_t size)
{
	struct stat st;
	bool qcow2, good;
	int fd;

	*image = (struct image){.path = path, .fd = -1};
	if (!stat(path, &st) && S_ISBLK(st.st_mode))
		return take_device(image, path, format, size);
	if (!image_format(path, format, &qcow2))
		return false;
	fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	if (fd < 0)
		return !fail("cannot make %s: %s%s", path, strerror(errno),
			     errno == EEXIST ? "; nothing is overwritten" : "");
	if (!qcow2 && ftruncate(fd, size))
		good = !fail("cannot make %s of %llu bytes: %s", path, (unsigned long long)size,
			     strerror(errno));
	else
		good = !qcow2 || qemu_img(path, size, true);
	close(fd);
	good = good && image_open(image, path, qcow2 ? "qcow2" : "raw", true);
	if (!good)
		unlink(path);
	return good;
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
