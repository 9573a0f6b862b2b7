// SPDX-License-Identifier: GPL-2.0-only
/* The file of a disk's key: 64 hexadecimal digits and a new line, for its owner alone. */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

#define DIGITS (2 * MON_DISK_KEY_SIZE)

/* As ssh does with a user's key. */
static bool permissions_good(const char *path, int fd)
{
	struct stat st;

	if (fstat(fd, &st))
		return !fail("cannot look at the key %s: %s", path, strerror(errno));
	if (S_ISDIR(st.st_mode))
		return !fail("the key %s is a folder", path);
	if (S_ISREG(st.st_mode) && st.st_uid == geteuid() && st.st_mode & 077)
		return !fail("the key %s is open to others (mode %04o): chmod 600 it, and think "
			     "of who may have read it",
			     path, st.st_mode & 07777);
	return true;
}

static int digit(unsigned char c)
{
	if (!isxdigit(c))
		return -1;
	return isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
}

static bool parse_key(const char *text, size_t size, unsigned char key[MON_DISK_KEY_SIZE])
{
	unsigned int i;

	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	for (i = 0; size == DIGITS && i < DIGITS; i += 2) {
		if (digit(text[i]) < 0 || digit(text[i + 1]) < 0)
			return false;
		key[i / 2] = digit(text[i]) << 4 | digit(text[i + 1]);
	}
	return size == DIGITS;
}

bool key_read(const char *path, unsigned char key[MON_DISK_KEY_SIZE])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char text[2 * DIGITS];
	size_t size = 0;
	ssize_t n = 0;
	bool good;

	if (fd < 0)
		return !fail("cannot open the key %s: %s%s", path, strerror(errno),
			     errno == ENOENT ? "; --new-key makes one" : "");
	good = permissions_good(path, fd);
	while (good && size < sizeof(text)) {
		n = read(fd, text + size, sizeof(text) - size);
		if (n <= 0)
			break;
		size += n;
	}
	if (good && n < 0)
		good = !fail("cannot read the key %s: %s", path, strerror(errno));
	else if (good && !parse_key(text, size, key))
		good = !fail("%s is no key: that is %d hexadecimal digits in one line, as "
			     "'openssl rand -hex %d' prints them",
			     path, DIGITS, MON_DISK_KEY_SIZE);
	OPENSSL_cleanse(text, sizeof(text));
	close(fd);
	return good;
}

bool key_make(const char *path, unsigned char key[MON_DISK_KEY_SIZE])
{
	char text[DIGITS + 2];
	unsigned int i;
	bool good;
	int fd;

	if (RAND_priv_bytes(key, MON_DISK_KEY_SIZE) != 1)
		return !fail("OpenSSL has no random numbers");
	fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return !fail("cannot make the key %s: %s%s", path, strerror(errno),
			     errno == EEXIST ? "; leave --new-key out to use it" : "");
	for (i = 0; i < MON_DISK_KEY_SIZE; i++)
		snprintf(text + 2 * i, 3, "%02x", key[i]);
	text[DIGITS] = '\n';
	good = write(fd, text, DIGITS + 1) == DIGITS + 1 && !fsync(fd);
	if (close(fd) || !good) {
		fail("cannot write the key %s: %s", path, strerror(errno));
		unlink(path);
		good = false;
	}
	OPENSSL_cleanse(text, sizeof(text));
	return good;
}
