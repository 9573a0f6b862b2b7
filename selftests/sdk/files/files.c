// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: files [crash ROUNDS]
 *	  files make IMAGE CONTENTS
 *
 * An enclave's files without an enclave: what is read is what was written, whatever a crash or who
 * keeps the file did; else an error. Prints TAP. "make" is for another implementation to read.
 */
#include <stdio.h>
#include <string.h>
#include "disk.h"

#define BYTES (96 * FILE_BLOCK) /* two levels of tables */

/** struct contents - what a file should have */
struct contents {
	uint64_t size;
	unsigned char data[BYTES];
};

static struct contents now;
static unsigned int points, failed;

static void ok(int good, const char *name)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++points, name);
	failed += !good;
	fflush(stdout);
}

static void change(struct contents *c, uint64_t offset, const void *data, size_t size)
{
	memcpy(c->data + offset, data, size);
	if (offset + size > c->size)
		c->size = offset + size;
}

static void cut(struct contents *c, uint64_t size)
{
	if (size < c->size)
		memset(c->data + size, 0, c->size - size);
	c->size = size;
}

static bool same(struct mon_file *file, const struct contents *c, int *error)
{
	static unsigned char data[BYTES];
	long n = mon_file_read(file, data, sizeof(data), 0);

	*error = n < 0 ? n : 0;
	return n >= 0 && (uint64_t)n == c->size && mon_file_size(file) == c->size &&
	       !memcmp(data, c->data, n);
}

/* Something or other, to the file and to @now. */
static int do_something(struct mon_file *file)
{
	static unsigned char data[8 * FILE_BLOCK];
	uint64_t offset = random_below(BYTES - sizeof(data));
	size_t size = random_below(random_below(8) ? 5000 : sizeof(data));
	int error;

	if (random_below(12) == 0) {
		error = mon_file_truncate(file, offset);
		if (!error)
			cut(&now, offset);
		return error;
	}
	if (random_below(4) == 0) {
		offset -= offset % FILE_BLOCK;
		size = FILE_BLOCK;
	}
	memset(data, 1 + random_below(255), size);
	error = mon_file_write(file, data, size, offset);
	if (!error)
		change(&now, offset, data, size);
	return error;
}

/* Sparse, deep and long; and a second look after it was opened again. */
static void plain(void)
{
	const uint64_t far = 70ULL * 64 * FILE_BLOCK + 5, last = MON_FILE_SIZE_MAX - 3;
	struct mon_file *file, *other;
	char text[8], zeros[3] = {0};
	int error, i, good;

	ok(mon_file_open("a", 0, NULL, &file) == -MON_ENOENT, "a file that is not there");
	good = mon_file_open("", 1, NULL, &file) == -MON_EINVAL &&
	       mon_file_open("..", 1, NULL, &file) == -MON_EINVAL &&
	       mon_file_open("a/b", 1, NULL, &file) == -MON_EINVAL &&
	       mon_file_open("a", 2, NULL, &file) == -MON_EINVAL;
	ok(good, "names and flags that are none");
	error = mon_file_open("a", MON_FILE_CREATE, NULL, &file);
	ok(!error && !mon_file_size(file), "one that is made is empty");
	good = mon_file_open("a", MON_FILE_CREATE, NULL, &other) == -MON_EBUSY &&
	       mon_file_remove("a") == -MON_EBUSY;
	ok(good, "it is open once");
	good = !mon_file_write(file, "near", 4, 4094) && !mon_file_write(file, "far", 3, far) &&
	       !mon_file_write(file, "end", 3, last) &&
	       mon_file_write(file, "ends", 4, last) == -MON_EINVAL && !mon_file_sync(file);
	mon_file_close(file);
	ok(good && disk.blocks < 40, "texts far from each other take little room");
	good = !mon_file_open("a", 0, NULL, &file) && mon_file_size(file) == MON_FILE_SIZE_MAX &&
	       mon_file_read(file, text, 8, 4092) == 8 && !memcmp(text, "\0\0near\0\0", 8) &&
	       mon_file_read(file, text, 3, far) == 3 && !memcmp(text, "far", 3) &&
	       mon_file_read(file, text, 8, last) == 3 && !memcmp(text, "end", 3) &&
	       mon_file_read(file, text, 8, MON_FILE_SIZE_MAX) == 0;
	ok(good, "and are there when it is opened again");
	good = !mon_file_truncate(file, far + 1) && !mon_file_truncate(file, far + 3) &&
	       mon_file_read(file, text, 8, far) == 3 && text[0] == 'f' &&
	       !memcmp(text + 1, zeros, 2);
	ok(good, "what was cut off is zeros");
	mon_file_close(file);
	good = !mon_file_open("a", 0, NULL, &file) && mon_file_size(file) == MON_FILE_SIZE_MAX;
	ok(good, "what was not synced is not there");
	for (i = 0; i < 3000 && good; i++)
		good = !mon_file_write(file, &i, sizeof(i), 4 * FILE_BLOCK * (i % 200)) &&
		       (i % 10 || !mon_file_sync(file));
	ok(good && disk.blocks < 600, "room is used again");
	mon_file_close(file);
	ok(!mon_file_remove("a") && mon_file_open("a", 0, NULL, &file) == -MON_ENOENT,
	   "one that was removed is not there");
}

static bool put(struct mon_file *file, const char *text)
{
	return !mon_file_write(file, text, strlen(text) + 1, 0) && !mon_file_sync(file);
}

/* What is read, or a text of the error. */
static const char *get(unsigned int flags)
{
	static char text[20];
	struct mon_file *file;
	int error = mon_file_open("a", flags, NULL, &file);

	snprintf(text, sizeof(text), "%d", error);
	if (!error)
		mon_file_read(file, text, sizeof(text), 0);
	mon_file_close(file);
	return text;
}

static void counted(void)
{
	const unsigned int first = MON_FILE_COUNTER(0);
	static struct disk old, new;
	struct mon_file_pin pin = {0};
	struct mon_file *file;
	bool good;

	memset(&disk, 0, sizeof(disk));
	good = mon_file_open("a", MON_FILE_COUNTER(9), NULL, &file) == -MON_EINVAL &&
	       mon_file_open("a", first, &pin, &file) == -MON_EINVAL;
	ok(good, "counters that there are not");
	good = !mon_file_open("a", first | MON_FILE_CREATE, NULL, &file) && put(file, "old");
	old = disk;
	good = good && put(file, "new");
	new = disk;
	mon_file_close(file);
	ok(good && !strcmp(get(first), "new"), "a file with a counter");
	disk = old;
	ok(!strcmp(get(first), "-1"), "as it was before, it is refused");
	ok(!strcmp(get(0), "old"), "control: without the counter it is taken");
	memset(&disk, 0, sizeof(disk));
	ok(!strcmp(get(first | MON_FILE_CREATE), "-1"), "nor is another made in its place");
	disk = new;
	counter.value--;
	ok(!strcmp(get(first), "new"), "one that is newer than its counter is taken");
	counter.value++;
	ok(!strcmp(get(first), "new"), "control: as is what the counter says");
	memset(&disk, 0, sizeof(disk));
}

/* Until the first error, or for long enough. */
static bool work(struct mon_file *file, struct contents *synced, struct contents *next,
		 struct mon_file_pin *pin)
{
	unsigned int i;

	for (i = 0; i < 40; i++) {
		if (random_below(5)) {
			if (do_something(file))
				break;
			continue;
		}
		*next = now;
		if (mon_file_sync(file))
			return true;
		*synced = now;
		mon_file_pin(file, pin);
	}
	*next = *synced;
	return false;
}

/*
 * Each round goes on with what the crash before it left. What was synced is there, or what was
 * being synced; and it is never older than its pin.
 */
static const char *crashes(unsigned int rounds, unsigned int *in_sync, unsigned int *newer)
{
	static struct contents synced, next;
	struct mon_file_pin pin = {0};
	bool made = false, good, goes_on;
	int error;

	memset(&synced, 0, sizeof(synced));
	memset(&next, 0, sizeof(next));
	for (; rounds; rounds--) {
		struct mon_file *file;

		malloc_fails = 0;
		disk_calls = random_below(60);
		disk_failed = false;
		error = mon_file_open("a", made ? 0 : MON_FILE_CREATE, made ? &pin : NULL, &file);
		if (error == -MON_EIO)
			goto crash;
		if (error)
			return "it cannot be opened";
		made = true;
		if (!pin.generation)
			mon_file_pin(file, &pin);
		if (same(file, &next, &error) && !same(file, &synced, &error)) {
			synced = next;
			++*newer;
		}
		good = same(file, &synced, &error);
		now = synced;
		malloc_fails = random_below(4) ? 0 : 30;
		if (good)
			*in_sync += work(file, &synced, &next, &pin);
		disk_calls = -1;
		goes_on = good && disk_failed && !mon_file_sync(file);
		mon_file_close(file);
		if (!good)
			return error ? "a block of it is damaged" : "it is of no sync";
		if (goes_on)
			return "it was synced after a failure";
crash:
		disk_crash(random_below(3) ? CRASH_POWER : CRASH_KILL);
	}
	return NULL;
}

static int crash_only(unsigned int rounds)
{
	unsigned int in_sync = 0, newer = 0;
	const char *wrong = crashes(rounds, &in_sync, &newer);

	if (wrong)
		printf("# %s\n", wrong);
	printf("# of %u crashes %u in a sync, of which %u were done\n", rounds, in_sync, newer);
	return wrong ? 1 : 0;
}

/* Most of it, and a sync. */
static int fill(struct mon_file *file)
{
	unsigned char block[FILE_BLOCK];
	int i, error = 0;

	for (i = 0; i < 80 && !error; i++) {
		memset(block, random_below(256), sizeof(block));
		change(&now, i * FILE_BLOCK, block, sizeof(block));
		error = mon_file_write(file, block, sizeof(block), i * FILE_BLOCK);
	}
	return error ? error : mon_file_sync(file);
}

static void make(struct mon_file_pin *pin)
{
	struct mon_file *file;
	int i, error;

	memset(&disk, 0, sizeof(disk));
	memset(&now, 0, sizeof(now));
	disk_calls = -1;
	malloc_fails = 0;
	error = mon_file_open("a", MON_FILE_CREATE, NULL, &file);
	for (i = 0; i < 400 && !error; i++)
		error = i % 50 ? do_something(file) : mon_file_sync(file);
	if (error || fill(file))
		abort();
	mon_file_pin(file, pin);
	mon_file_close(file);
}

/* What comes of it, with what is on the disk: 1: as it was; 0: wrong; else an error. */
static int look(const struct mon_file_pin *pin)
{
	struct mon_file *file;
	int error = mon_file_open("a", 0, pin, &file), good;

	if (error)
		return error;
	good = same(file, &now, &error);
	mon_file_close(file);
	return error ? error : good;
}

/* Of every block, bits here and there. One that is not in use may change, and the older header. */
static void flips(const struct mon_file_pin *pin)
{
	unsigned int noticed = 0, ignored = 0, wrong = 0, i;
	uint64_t place;

	for (place = 0; place < disk.blocks; place++) {
		for (i = 0; i < 20; i++) {
			unsigned char *at = &disk.cached[place][random_below(FILE_BLOCK)];
			const unsigned char bit = 1 << random_below(8);
			int got;

			*at ^= bit;
			got = look(pin);
			*at ^= bit;
			noticed += got == -MON_EPERM;
			ignored += got == 1;
			wrong += got != -MON_EPERM && got != 1;
		}
	}
	printf("# of %u bits %u were noticed, %u are of blocks not in use\n",
	       noticed + ignored + wrong, noticed, ignored);
	ok(!wrong && noticed > 80 * 20, "a bit that changed is an error, or nobody reads it");
	ok(look(pin) == 1, "control: all of them changed back");
}

static void swaps(const struct mon_file_pin *pin)
{
	static unsigned char block[FILE_BLOCK];
	unsigned int noticed = 0, wrong = 0, i;

	for (i = 0; i < 2000; i++) {
		uint64_t a = random_below(disk.blocks), b = random_below(disk.blocks);
		int got;

		memcpy(block, disk.cached[a], FILE_BLOCK);
		memcpy(disk.cached[a], disk.cached[b], FILE_BLOCK);
		got = look(pin);
		memcpy(disk.cached[a], block, FILE_BLOCK);
		noticed += got == -MON_EPERM;
		wrong += got != -MON_EPERM && got != 1;
	}
	ok(!wrong && noticed > 1000, "so is a block in place of another");
}

static void replays(const struct mon_file_pin *pin)
{
	static struct disk old, new;
	static struct contents before;
	struct mon_file_pin newer;
	struct mon_file *file;
	unsigned int noticed = 0, wrong = 0, i;
	uint64_t place;
	bool good;

	old = disk;
	before = now;
	good = !mon_file_open("a", 0, pin, &file);
	for (i = 0; good && i < 60; i++)
		good = !do_something(file);
	good = good && !fill(file);
	mon_file_pin(file, &newer);
	mon_file_close(file);
	new = disk;
	ok(good && look(&newer) == 1 && look(pin) == 1, "a pin allows what is newer");
	for (place = 0; place < disk.blocks; place++) {
		int got;

		memcpy(disk.cached[place], old.cached[place], FILE_BLOCK);
		got = look(&newer);
		memcpy(disk.cached[place], new.cached[place], FILE_BLOCK);
		noticed += got == -MON_EPERM;
		wrong += got != -MON_EPERM && got != 1;
	}
	ok(!wrong && noticed > 50, "a block as it was before is an error, or nobody reads it");
	disk = old;
	ok(look(&newer) == -MON_EPERM, "all of it as it was before is refused by its pin");
	now = before;
	ok(look(NULL) == 1, "control: without one it is taken");
	disk.cached[0][100] ^= 1;
	disk.cached[1][100] ^= 1;
	ok(look(NULL) == -MON_EPERM, "without a header it is not taken for a new one");
	disk = old;
	memset(disk.cached, 0, sizeof(disk.cached));
	ok(look(NULL) == -MON_ENOENT && look(pin) == -MON_EPERM,
	   "zeros are a file that is not there, but not for a pin");
	disk = old;
	ok(mon_file_open("b", 0, NULL, &file) == -MON_EPERM, "of another name it is not");
	ok(look(pin) == 1, "control: of its own it is");
}

static int write_out(const char *image, const char *contents)
{
	struct mon_file_pin pin;
	FILE *file;
	int good;

	make(&pin);
	file = fopen(image, "w");
	good = file && fwrite(disk.cached, FILE_BLOCK, disk.blocks, file) == disk.blocks &&
	       !fclose(file);
	file = fopen(contents, "w");
	good = good && file && fwrite(now.data, 1, now.size, file) == now.size && !fclose(file);
	return !good;
}

int main(int argc, char **argv)
{
	struct mon_file_pin pin;
	unsigned int in_sync = 0, newer = 0;
	const char *wrong;

	if (argc == 4 && !strcmp(argv[1], "make"))
		return write_out(argv[2], argv[3]);
	if (argc == 3 && !strcmp(argv[1], "crash"))
		return crash_only(atoi(argv[2]));
	printf("TAP version 13\n1..30\n");
	plain();
	counted();
	memset(&disk, 0, sizeof(disk));
	wrong = crashes(12000, &in_sync, &newer);
	ok(!wrong, "12,000 crashes: what was synced is there");
	printf("# %s; %u in a sync, of which %u were done\n", wrong ? wrong : "all good", in_sync,
	       newer);
	ok(in_sync > 2000 && newer > 200, "control: many of them were in a sync");
	make(&pin);
	flips(&pin);
	swaps(&pin);
	replays(&pin);
	return failed != 0;
}
