// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: monsign --new-key KEY
 *	  monsign --key KEY ENCLAVE.elf
 *	  monsign ENCLAVE.elf
 *
 * Makes a key and prints whose it is; signs an enclave, in ENCLAVE.elf.sig; says who has signed
 * it. A key signs 1,024 times. How often it did is in its file, so never use an older copy of it.
 */
#include <errno.h>
#include <stdarg.h>
#include <fcntl.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "lms.h"
#include "monenclave.h"

/** struct key_file - @fd: open and locked */
struct key_file {
	const char *path;
	int fd;
	struct lms_secret secret;
	unsigned int next;
};

static int __attribute__((__format__(__printf__, 1, 2))) fail(const char *format, ...)
{
	va_list ap;

	fputs("monsign: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return -1;
}

static void print_hex(FILE *to, const unsigned char *data, size_t size)
{
	while (size--)
		fprintf(to, "%02x", *data++);
	fputc('\n', to);
}

static bool read_hex(const char *text, unsigned char *data, size_t size)
{
	unsigned int byte;

	for (; size && sscanf(text, "%2x", &byte) == 1; size--, text += 2)
		*data++ = byte;
	return !size;
}

/* One line at a fixed place, so that a new number is one write. */
#define KEY_FORMAT "monsign-key-1 %32[0-9a-f] %64[0-9a-f] %4u\n"

static int write_key(const struct key_file *key)
{
	char text[200];
	FILE *memory = fmemopen(text, sizeof(text), "w");
	unsigned int i;
	long size;

	if (!memory)
		return fail("no memory");
	fputs("monsign-key-1 ", memory);
	for (i = 0; i < sizeof(key->secret.id); i++)
		fprintf(memory, "%02x", key->secret.id[i]);
	fputc(' ', memory);
	for (i = 0; i < sizeof(key->secret.seed); i++)
		fprintf(memory, "%02x", key->secret.seed[i]);
	fprintf(memory, " %4u\n", key->next);
	size = ftell(memory);
	fclose(memory);
	if (pwrite(key->fd, text, size, 0) != size || fsync(key->fd))
		return fail("%s: %s", key->path, strerror(errno));
	return 0;
}

static int read_key(struct key_file *key)
{
	char text[200] = {0}, id[33], seed[65];
	struct stat st;

	key->fd = open(key->path, O_RDWR | O_CLOEXEC);
	if (key->fd < 0 || flock(key->fd, LOCK_EX) || fstat(key->fd, &st) ||
	    read(key->fd, text, sizeof(text) - 1) < 0)
		return fail("%s: %s", key->path, strerror(errno));
	if (st.st_mode & 077)
		return fail("%s: others may read it (mode %03o); chmod 600, or make a new one",
			    key->path, st.st_mode & 0777);
	if (sscanf(text, KEY_FORMAT, id, seed, &key->next) != 3 ||
	    !read_hex(id, key->secret.id, sizeof(key->secret.id)) ||
	    !read_hex(seed, key->secret.seed, sizeof(key->secret.seed)))
		return fail("%s: is not a key of monsign's", key->path);
	if (key->next >= LMS_LEAVES)
		return fail("%s: has signed %u times, which is as often as it can; make a new one",
			    key->path, key->next);
	return 0;
}

static struct lms_tree *grow(const struct lms_secret *secret)
{
	struct lms_tree *tree = malloc(sizeof(*tree));

	if (tree && !lms_grow(secret, tree))
		return tree;
	free(tree);
	fail("no memory");
	return NULL;
}

static int new_key(const char *path)
{
	struct key_file key = {.path = path};
	struct mon_enclave_signature s = {0};
	struct lms_tree *tree;
	unsigned char signer[32];

	if (RAND_bytes(key.secret.id, sizeof(key.secret.id)) != 1 ||
	    RAND_bytes(key.secret.seed, sizeof(key.secret.seed)) != 1)
		return fail("no random numbers");
	key.fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (key.fd < 0)
		return fail("%s: %s", path, strerror(errno));
	tree = grow(&key.secret);
	if (!tree || write_key(&key))
		return -1;
	lms_public(&key.secret, tree, &s.key);
	free(tree);
	if (lms_key_hash(&s.key, signer))
		return fail("no memory");
	printf("signer ");
	print_hex(stdout, signer, sizeof(signer));
	return 0;
}

/* Its number is used up before there is a signature. */
static int sign(struct key_file *key, const unsigned char measurement[32],
		struct mon_enclave_signature *s)
{
	unsigned char text[MON_SIGNED_TEXT_SIZE + 32], random[32];
	struct lms_tree *tree = grow(&key->secret);
	unsigned int leaf = key->next++;
	int error;

	if (!tree || write_key(key))
		return -1;
	memcpy(text, MON_SIGNED_TEXT, MON_SIGNED_TEXT_SIZE);
	memcpy(text + MON_SIGNED_TEXT_SIZE, measurement, 32);
	memset(s, 0, sizeof(*s));
	lms_public(&key->secret, tree, &s->key);
	error = RAND_bytes(random, sizeof(random)) != 1 ||
		lms_sign(&key->secret, tree, leaf, random, text, sizeof(text), &s->signature);
	free(tree);
	return error ? fail("no random numbers, or no memory") : 0;
}

static char *signature_path(const char *elf)
{
	char *path;

	return asprintf(&path, "%s.sig", elf) < 0 ? NULL : path;
}

static int write_signature(const char *elf, const struct mon_enclave_signature *s)
{
	char *path = signature_path(elf);
	FILE *file = path ? fopen(path, "we") : NULL;
	int good = file && fwrite(s, sizeof(*s), 1, file) == 1;

	if (!file || fclose(file) || !good)
		return fail("%s: %s", path, strerror(errno));
	free(path);
	return 0;
}

static int show(const char *elf, const struct mon_enclave_file *file)
{
	struct mon_enclave_signature s;
	unsigned char signer[32];
	char *path = signature_path(elf);
	FILE *from = path ? fopen(path, "re") : NULL;
	int good;

	printf("measurement ");
	print_hex(stdout, file->measurement, sizeof(file->measurement));
	printf("product %u\nsecurity version %u\n", file->policy.product,
	       file->policy.security_version);
	if (!from)
		return fail("%s: %s", path, strerror(errno));
	good = fread(&s, sizeof(s), 1, from) == 1 && getc(from) == EOF;
	fclose(from);
	if (!good || lms_signer(&s, file->measurement, signer))
		return fail("%s: is not a signature of this enclave", path);
	free(path);
	printf("signer ");
	print_hex(stdout, signer, sizeof(signer));
	return 0;
}

int main(int argc, char **argv)
{
	struct key_file key = {.path = argc > 2 ? argv[2] : NULL};
	struct mon_enclave_signature s;
	struct mon_enclave_file file;
	bool signs = argc == 4 && !strcmp(argv[1], "--key");

	if (argc == 3 && !strcmp(argv[1], "--new-key"))
		return new_key(argv[2]) ? 1 : 0;
	if (!signs && (argc != 2 || argv[1][0] == '-')) {
		fputs("usage: monsign --new-key KEY\n"
		      "       monsign --key KEY ENCLAVE.elf\n"
		      "       monsign ENCLAVE.elf\n",
		      stderr);
		return 2;
	}
	if (mon_inspect(argv[argc - 1], &file))
		return fail("%s", mon_error()) ? 1 : 0;
	if (signs &&
	    (read_key(&key) || sign(&key, file.measurement, &s) || write_signature(argv[3], &s)))
		return 1;
	return show(argv[argc - 1], &file) ? 1 : 0;
}
