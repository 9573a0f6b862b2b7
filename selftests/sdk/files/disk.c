// SPDX-License-Identifier: GPL-2.0-only
#include <string.h>
#include "disk.h"

struct disk disk;
long disk_calls = -1;
bool disk_failed;
struct mon_enclave_counter counter;
unsigned int malloc_fails;

/* xorshift64; the same numbers in each run, so that what fails fails again. */
unsigned long random_below(unsigned long n)
{
	static uint64_t x = 88172645463325252ULL;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x % n;
}

static bool fails(void)
{
	if (!disk_calls) {
		disk_failed = true;
		return true;
	}
	disk_calls -= disk_calls > 0;
	return false;
}

static void tear(uint64_t place)
{
	unsigned int piece;

	for (piece = 0; piece < FILE_BLOCK; piece += 512)
		if (random_below(2))
			memcpy(disk.stable[place] + piece, disk.cached[place] + piece, 512);
}

void disk_crash(enum crash kind)
{
	const unsigned long lost = random_below(4); /* 0: nothing, 3: all */
	uint64_t place;

	if (kind == CRASH_KILL)
		return;
	for (place = 0; place < disk.blocks; place++) {
		if (!disk.fresh[place])
			continue;
		if (lost == 0 || (lost != 3 && random_below(2)))
			memcpy(disk.stable[place], disk.cached[place], FILE_BLOCK);
		else if (lost == 2)
			tear(place);
		memcpy(disk.cached[place], disk.stable[place], FILE_BLOCK);
		disk.fresh[place] = false;
	}
}

int file_io_open(const char *name, bool create, int *handle)
{
	(void)name;
	*handle = 0;
	if (!disk.there && !create)
		return -MON_ENOENT;
	disk.there = true;
	return 0;
}

int file_io_read(int handle, uint64_t place, void *block)
{
	(void)handle;
	if (place >= DISK_BLOCKS)
		return -MON_EIO;
	memcpy(block, disk.cached[place], FILE_BLOCK);
	return 0;
}

int file_io_write(int handle, uint64_t place, const void *block)
{
	(void)handle;
	if (place >= DISK_BLOCKS || fails())
		return -MON_EIO;
	memcpy(disk.cached[place], block, FILE_BLOCK);
	disk.fresh[place] = true;
	if (place >= disk.blocks)
		disk.blocks = place + 1;
	return 0;
}

int file_io_sync(int handle)
{
	uint64_t place;

	(void)handle;
	if (fails())
		return -MON_EIO;
	for (place = 0; place < disk.blocks; place++) {
		memcpy(disk.stable[place], disk.cached[place], FILE_BLOCK);
		disk.fresh[place] = false;
	}
	return 0;
}

void file_io_close(int handle)
{
	(void)handle;
}

int file_io_remove(const char *name)
{
	(void)name;
	memset(&disk, 0, sizeof(disk));
	return 0;
}

/* Of the runtime. */
int mon_key_of(const char kind[8], const void *label, size_t size, unsigned char key[MON_KEY_SIZE])
{
	memset(key, 0, MON_KEY_SIZE);
	memcpy(key, kind, 8);
	memcpy(key + 8, label, size);
	return 0;
}

void mon_random(void *data, size_t size)
{
	unsigned char *p = data;

	while (size--)
		*p++ = random_below(256);
}

int mon_counter(unsigned int number, uint64_t *value, unsigned char data[MON_ENCLAVE_COUNTER_DATA])
{
	if (number)
		return -MON_EINVAL;
	*value = counter.value;
	memcpy(data, counter.data, sizeof(counter.data));
	return 0;
}

int mon_counter_advance(unsigned int number, uint64_t value,
			const unsigned char data[MON_ENCLAVE_COUNTER_DATA])
{
	if (number || value <= counter.value)
		return number ? -MON_EINVAL : -MON_ERANGE;
	counter.value = value;
	memcpy(counter.data, data, sizeof(counter.data));
	return 0;
}

void mon_wipe(void *data, size_t size)
{
	memset(data, 0, size);
}

int mon_equal(const void *a, const void *b, size_t size)
{
	return !memcmp(a, b, size);
}

void mon_lock(struct mon_mutex *mutex)
{
	if (mutex->locked++)
		abort();
}

void mon_unlock(struct mon_mutex *mutex)
{
	if (--mutex->locked)
		abort();
}

/* The linker puts these in place of the C library's (--wrap). */
void *__real_malloc(size_t size);
void *__real_realloc(void *data, size_t size);

static bool has_memory(void)
{
	return !malloc_fails || random_below(malloc_fails);
}

void *__wrap_malloc(size_t size)
{
	return has_memory() ? __real_malloc(size) : NULL;
}

void *__wrap_realloc(void *data, size_t size)
{
	return has_memory() ? __real_realloc(data, size) : NULL;
}
