// SPDX-License-Identifier: GPL-2.0-only
/*
 * The process's file. Whatever it answers is a claim: what was not read is zeros, which nothing was
 * sealed as, and what was not written is missed when it is read.
 */
#include <string.h>
#include "file.h"
#include "runtime.h"

static unsigned char *slice(void)
{
	return (unsigned char *)mon_where()->buffer + mon_thread_number() * mon_where()->slice;
}

/* How much of a block fits behind the request. */
static size_t part_of(size_t size)
{
	size_t room = mon_where()->slice - sizeof(struct mon_file_request);

	return size < room ? size : room;
}

static long ask(const struct mon_file_request *request, const void *data)
{
	memcpy(slice(), request, sizeof(*request));
	if (data)
		memcpy(slice() + sizeof(*request), data, request->size);
	return mon_call_process(MON_OCALL_FILE, 0);
}

static int error_of(long answer)
{
	return answer == -MON_ENOENT || answer == -MON_EBUSY ? answer : -MON_EIO;
}

int file_io_open(const char *name, bool create, int *handle)
{
	struct mon_file_request r = {.op = MON_FILE_OPEN, .size = strlen(name), .create = create};
	long answer = ask(&r, name);

	*handle = answer;
	return answer >= 0 ? 0 : error_of(answer);
}

int file_io_read(int handle, uint64_t place, void *block)
{
	struct mon_file_request r = {.op = MON_FILE_READ, .handle = handle};
	size_t done;
	long n;

	for (done = 0; done < FILE_BLOCK; done += n) {
		r.offset = place * FILE_BLOCK + done;
		r.size = part_of(FILE_BLOCK - done);
		n = ask(&r, NULL);
		if (n < 0 || n > r.size)
			return -MON_EIO;
		if (!n)
			break;
		memcpy((char *)block + done, slice() + sizeof(r), n);
	}
	memset((char *)block + done, 0, FILE_BLOCK - done);
	return 0;
}

int file_io_write(int handle, uint64_t place, const void *block)
{
	struct mon_file_request r = {.op = MON_FILE_WRITE, .handle = handle};
	size_t done;

	for (done = 0; done < FILE_BLOCK; done += r.size) {
		r.offset = place * FILE_BLOCK + done;
		r.size = part_of(FILE_BLOCK - done);
		if (ask(&r, (const char *)block + done) != r.size)
			return -MON_EIO;
	}
	return 0;
}

int file_io_sync(int handle)
{
	struct mon_file_request r = {.op = MON_FILE_SYNC, .handle = handle};

	return ask(&r, NULL) ? -MON_EIO : 0;
}

void file_io_close(int handle)
{
	struct mon_file_request r = {.op = MON_FILE_CLOSE, .handle = handle};

	ask(&r, NULL);
}

int file_io_remove(const char *name)
{
	struct mon_file_request r = {.op = MON_FILE_REMOVE, .size = strlen(name)};
	long answer = ask(&r, name);

	return answer ? error_of(answer) : 0;
}
