// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: folder FOLDER.elf EMPTY-FOLDER [real]
 *
 * An enclave's files in a folder, with a process that lies about them. Prints TAP.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "folder.h"
#include "internal.h"

#define MON_EIO 5 /* of mon_file.h */

#define TEXT "this is a text that nobody but the enclave can read"
#define TIMES 2000 /* 25 blocks */

static struct mon_enclave *mon;
static int points, failed;
static char message[4096];

/* What pread() and pwrite() do, for one call. */
static enum { HONEST, SAYS_MORE, SAYS_LESS, SAYS_NONSENSE, DOES_NOTHING, CHANGES } lie;

ssize_t __real_pread(int fd, void *data, size_t size, off_t offset);
ssize_t __real_pwrite(int fd, const void *data, size_t size, off_t offset);

ssize_t __wrap_pread(int fd, void *data, size_t size, off_t offset)
{
	ssize_t n = __real_pread(fd, data, size, offset);

	switch (lie) {
	case SAYS_MORE:
		return size + 100000;
	case SAYS_LESS:
		return offset >= 8192 ? 0 : n;
	case SAYS_NONSENSE:
		errno = EDOM;
		return -1;
	case CHANGES:
		((char *)data)[size / 2] ^= 1;
		return n;
	default:
		return n;
	}
}

ssize_t __wrap_pwrite(int fd, const void *data, size_t size, off_t offset)
{
	return lie == DOES_NOTHING ? (ssize_t)size : __real_pwrite(fd, data, size, offset);
}

static void ok(int good, const char *name)
{
	printf("%sok %d - %s\n", good ? "" : "not ", ++points, name);
	if (!good)
		printf("# the last error: %s\n", mon_error());
	failed += !good;
	fflush(stdout);
}

static long puts_text(const char *name)
{
	long value = -1;

	return put(mon, &value, name, TEXT, TIMES) ? -2000 : value;
}

static long gets_text(const char *name)
{
	long value = -1;

	return get(mon, &value, name, TEXT) ? -2000 : value;
}

static long lying(int how)
{
	long result;

	lie = how;
	result = gets_text("a");
	lie = HONEST;
	return result;
}

/* Whether the file has that text. */
static int has_text(int folder, const char *name)
{
	static char data[1 << 20];
	int fd = openat(folder, name, O_RDONLY);
	ssize_t n = read(fd, data, sizeof(data));

	close(fd);
	return n > 0 && memmem(data, n, TEXT, strlen(TEXT));
}

static void flip(int folder, off_t offset)
{
	int fd = openat(folder, "a", O_RDWR);
	char byte = 0;

	__real_pread(fd, &byte, 1, offset);
	byte ^= 1;
	__real_pwrite(fd, &byte, 1, offset);
	close(fd);
}

/* As no runtime asks. */
static long raw(unsigned int op, unsigned int handle, unsigned int size, const char *name,
		size_t name_size)
{
	struct mon_file_request r = {.op = op, .handle = handle, .size = size, .create = 1};

	memcpy(message, &r, sizeof(r));
	memcpy(message + sizeof(r), name, name_size);
	return mon_serve_file(mon, message, sizeof(message));
}

static void well(int folder, const char *path)
{
	int plain = openat(folder, "plain", O_RDWR | O_CREAT, 0600), locked, good;
	long value;

	ok(gets_text("a") == -MON_ENOENT && puts_text("a") == -MON_ENOENT,
	   "there are no files without a folder");
	ok(mon_set_folder(mon, "/dev/null") && strstr(mon_error(), "Not a directory"),
	   "a file is no folder");
	ok(!mon_set_folder(mon, path) && gets_text("a") == -MON_ENOENT, "an empty one");
	ok(!puts_text("a") && gets_text("a") == TIMES, "a file is made, and read again");
	ok(!has_text(folder, "a") && write(plain, TEXT, strlen(TEXT)) && has_text(folder, "plain"),
	   "its text is not in the folder; control: a plain file's is");
	locked = openat(folder, "a", O_RDWR);
	flock(locked, LOCK_EX);
	ok(gets_text("a") == -MON_EBUSY, "another process has it open");
	close(locked);
	ok(gets_text("a") == TIMES, "and then not any more");
	renameat(folder, "a", folder, "b");
	ok(gets_text("b") == -MON_EPERM, "under another name it is not that file");
	renameat(folder, "b", folder, "a");
	good = !put(mon, &value, "b", "short", 1) && !value && !drop(mon, &value, "b") && !value &&
	       !drop(mon, &value, "b") && value == -MON_ENOENT;
	ok(good, "another is made and removed");
	close(plain);
}

static void bad_requests(int folder)
{
	long value;
	int good;

	good = gets_text("..") == -MON_EINVAL && gets_text("a/b") == -MON_EINVAL &&
	       !drop(mon, &value, ".") && value == -MON_EINVAL;
	ok(good, "the runtime takes no paths");
	good = raw(MON_FILE_OPEN, 0, 2, "..", 2) == -MON_EINVAL &&
	       raw(MON_FILE_OPEN, 0, 4, "../a", 4) == -MON_EINVAL &&
	       raw(MON_FILE_OPEN, 0, 3, "a\0b", 3) == -MON_EINVAL &&
	       raw(MON_FILE_OPEN, 0, 0, "", 0) == -MON_EINVAL &&
	       raw(MON_FILE_OPEN, 0, 5000, "a", 1) == -MON_EINVAL &&
	       raw(MON_FILE_REMOVE, 0, 2, "..", 2) == -MON_EINVAL;
	ok(good, "nor does the process");
	good = raw(MON_FILE_READ, 0, 1, "", 0) == -MON_EINVAL &&
	       raw(MON_FILE_CLOSE, 1000, 0, "", 0) == -MON_EINVAL &&
	       raw(99, 0, 0, "", 0) == -MON_EINVAL;
	ok(good, "which knows its handles and calls");
	symlinkat("/etc/passwd", folder, "link");
	mkfifoat(folder, "fifo", 0600);
	mkdirat(folder, "folder", 0700);
	good = gets_text("link") == -MON_EIO && gets_text("fifo") == -MON_EIO &&
	       gets_text("folder") == -MON_EIO;
	ok(good, "a link, a pipe and a folder are no files");
}

static void lies(int folder)
{
	struct stat st;

	ok(lying(SAYS_MORE) == -MON_EIO, "the process says that it read more than it was asked");
	ok(lying(SAYS_LESS) == -MON_EPERM, "or that the file ends early");
	ok(lying(SAYS_NONSENSE) == -MON_EIO, "or that it could not read");
	ok(lying(CHANGES) == -MON_EPERM, "or gives something else");
	ok(lying(HONEST) == TIMES, "control: what it gives otherwise");
	lie = DOES_NOTHING;
	ok(!puts_text("new"), "it says that it has written what it has not");
	lie = HONEST;
	ok(gets_text("new") == -MON_ENOENT, "and that is not there");
	fstatat(folder, "a", &st, 0);
	flip(folder, st.st_size - 100);
	ok(gets_text("a") == -MON_EPERM, "a bit of the file is changed");
	flip(folder, st.st_size - 100);
	ok(gets_text("a") == TIMES, "control: changed back");
}

int main(int argc, char **argv)
{
	int folder;

	if (argc != 3 && argc != 4)
		return 2;
	printf("TAP version 13\n1..22\n");
	folder = open(argv[2], O_RDONLY | O_DIRECTORY);
	mon = mon_open(argv[1], argc == 4 ? 0 : MON_OPEN_SIM);
	if (!mon || folder < 0) {
		printf("Bail out! %s\n", mon ? argv[2] : mon_error());
		return 1;
	}
	well(folder, argv[2]);
	bad_requests(folder);
	lies(folder);
	mon_close(mon);
	return failed != 0;
}
