// SPDX-License-Identifier: GPL-2.0-only
/* Files that an enclave keeps in a folder of this process's: mon_set_folder(). */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "internal.h"

#define NAME_MAX_LENGTH 64

int mon_set_folder(struct mon_enclave *mon, const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), before;

	if (fd < 0)
		return mon_fail("%s: %s", path, strerror(errno));
	pthread_mutex_lock(&mon->lock);
	before = mon->files.folder;
	mon->files.folder = fd;
	pthread_mutex_unlock(&mon->lock);
	if (before >= 0)
		close(before);
	return 0;
}

void mon_files_init(struct mon_files *files)
{
	unsigned int i;

	files->folder = -1;
	for (i = 0; i < MON_FILES_MAX; i++)
		files->fd[i] = -1;
}

void mon_files_close(struct mon_files *files)
{
	unsigned int i;

	for (i = 0; i < MON_FILES_MAX; i++)
		if (files->fd[i] >= 0)
			close(files->fd[i]);
	if (files->folder >= 0)
		close(files->folder);
}

static long answer_of(int error)
{
	switch (error) {
	case ENOENT:
		return -MON_ENOENT;
	case EWOULDBLOCK:
		return -MON_EBUSY;
	}
	return -MON_EINVAL;
}

/* The request was copied; what is behind it in the slice may change meanwhile. */
static bool take_name(const struct mon_file_request *r, const void *data,
		      char name[NAME_MAX_LENGTH + 1])
{
	if (!r->size || r->size > NAME_MAX_LENGTH)
		return false;
	memcpy(name, data, r->size);
	name[r->size] = 0;
	return strlen(name) == r->size && !strchr(name, '/') && strcmp(name, ".") &&
	       strcmp(name, "..");
}

/* A plain file that no other process has as an enclave's. */
static int open_file(int folder, const char *name, bool create)
{
	int flags = O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | (create ? O_CREAT : 0);
	int fd = openat(folder, name, flags, 0600);
	struct stat st;

	if (fd < 0)
		return answer_of(errno);
	if (!fstat(fd, &st) && S_ISREG(st.st_mode) && !flock(fd, LOCK_EX | LOCK_NB) &&
	    (!create || !fsync(folder)))
		return fd;
	create = errno == EWOULDBLOCK;
	close(fd);
	return create ? -MON_EBUSY : -MON_EINVAL;
}

static long open_handle(struct mon_files *files, const struct mon_file_request *r, const void *data)
{
	char name[NAME_MAX_LENGTH + 1];
	unsigned int i;
	int fd;

	for (i = 0; i < MON_FILES_MAX && files->fd[i] >= 0; i++)
		;
	if (i == MON_FILES_MAX || !take_name(r, data, name))
		return -MON_EINVAL;
	fd = open_file(files->folder, name, r->create);
	if (fd < 0)
		return fd;
	files->fd[i] = fd;
	return i;
}

static long remove_file(const struct mon_files *files, const struct mon_file_request *r,
			const void *data)
{
	char name[NAME_MAX_LENGTH + 1];

	if (!take_name(r, data, name))
		return -MON_EINVAL;
	if (unlinkat(files->folder, name, 0))
		return answer_of(errno);
	return fsync(files->folder) ? -MON_EINVAL : 0;
}

static long transfer(int fd, const struct mon_file_request *r, void *data)
{
	size_t done;
	ssize_t n;

	for (done = 0; done < r->size; done += n) {
		if (r->op == MON_FILE_READ)
			n = pread(fd, (char *)data + done, r->size - done, r->offset + done);
		else
			n = pwrite(fd, (char *)data + done, r->size - done, r->offset + done);
		if (!n)
			break;
		if (n < 0 && errno != EINTR)
			return -MON_EINVAL;
		n = n < 0 ? 0 : n;
	}
	return done;
}

/* Of a file that is open. */
static long serve_handle(struct mon_files *files, const struct mon_file_request *r, void *data)
{
	int fd = r->handle < MON_FILES_MAX ? files->fd[r->handle] : -1;

	if (fd < 0)
		return -MON_EINVAL;
	switch (r->op) {
	case MON_FILE_READ:
	case MON_FILE_WRITE:
		return transfer(fd, r, data);
	case MON_FILE_SYNC:
		return fsync(fd) ? -MON_EINVAL : 0;
	case MON_FILE_CLOSE:
		files->fd[r->handle] = -1;
		return close(fd) ? -MON_EINVAL : 0;
	}
	return -MON_EINVAL;
}

long mon_serve_file(struct mon_enclave *mon, void *slice, size_t room)
{
	struct mon_file_request r;
	void *data = (char *)slice + sizeof(r);
	long answer = -MON_EINVAL;

	memcpy(&r, slice, sizeof(r));
	if (r.size > room - sizeof(r))
		return -MON_EINVAL;
	pthread_mutex_lock(&mon->lock);
	if (mon->files.folder < 0)
		answer = -MON_ENOENT;
	else if (r.op == MON_FILE_OPEN)
		answer = open_handle(&mon->files, &r, data);
	else if (r.op == MON_FILE_REMOVE)
		answer = remove_file(&mon->files, &r, data);
	else
		answer = serve_handle(&mon->files, &r, data);
	pthread_mutex_unlock(&mon->lock);
	return answer;
}
