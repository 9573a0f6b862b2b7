// SPDX-License-Identifier: GPL-2.0-only
/* Files that only this enclave can read and make: mon_file.h. */
#include <stdlib.h>
#include <string.h>
#include "file.h"

/* Lock order: opened, then that of a file. */
static struct mon_mutex opened;
static struct mon_file *files;

static bool is_name(const char *name)
{
	size_t n = strnlen(name, MON_FILE_NAME_MAX + 1);

	return n && n <= MON_FILE_NAME_MAX && !memchr(name, '/', n) && strcmp(name, ".") &&
	       strcmp(name, "..");
}

static bool is_open(const char *name)
{
	const struct mon_file *f;

	for (f = files; f; f = f->next)
		if (!strcmp(f->name, name))
			return true;
	return false;
}

static int enter(struct mon_file *f)
{
	int error = 0;

	mon_lock(&opened);
	if (is_open(f->name)) {
		error = -MON_EBUSY;
	} else {
		f->next = files;
		files = f;
	}
	mon_unlock(&opened);
	return error;
}

static void leave(struct mon_file *f)
{
	struct mon_file **at;

	mon_lock(&opened);
	for (at = &files; *at != f; at = &(*at)->next)
		;
	*at = f->next;
	mon_unlock(&opened);
}

static bool is_zeros(const void *data, size_t size)
{
	const unsigned char *p = data;

	while (size && !*p)
		p++, size--;
	return !size;
}

static int write_head(struct mon_file *f)
{
	const unsigned int slot = f->head.generation % FILE_SLOTS;
	int error;

	memset(&f->slot, 0, sizeof(f->slot));
	memcpy(f->slot.magic, FILE_MAGIC, sizeof(f->slot.magic));
	memcpy(f->slot.sealed, &f->head, sizeof(f->head));
	file_seal(f->key, FILE_HEADER, slot, f->slot.sealed, sizeof(f->slot.sealed), &f->slot.seal);
	error = file_io_write(f->handle, slot, &f->slot);
	if (!error)
		error = file_io_sync(f->handle);
	if (!error)
		f->synced = f->slot.seal;
	return error;
}

/* Takes what is in @slot if it is newer than what there is; *@empty: it is nothing. */
static int read_head(struct mon_file *f, unsigned int slot, bool *found, bool *empty)
{
	const struct file_head *head = (const void *)f->slot.sealed;
	int error = file_io_read(f->handle, slot, &f->slot);

	if (error)
		return error;
	*empty = is_zeros(&f->slot, sizeof(f->slot));
	if (memcmp(f->slot.magic, FILE_MAGIC, sizeof(f->slot.magic)) ||
	    !file_unseal(f->key, FILE_HEADER, slot, f->slot.sealed, sizeof(f->slot.sealed),
			 &f->slot.seal))
		return 0;
	if (!*found || head->generation > f->head.generation) {
		f->head = *head;
		f->synced = f->slot.seal;
	}
	*found = true;
	return 0;
}

static bool is_older(const struct mon_file *f, const struct mon_file_pin *than)
{
	return f->head.generation < than->generation ||
	       (f->head.generation == than->generation &&
		!mon_equal(f->synced.tag, than->tag, sizeof(than->tag)));
}

/*
 * Who had the file before may have ended in a sync: its header may be what was read, and still be
 * in a cache of the host's only. So it is synced before anybody sees it, and before anything of
 * the older one is written over.
 *
 * The first header goes to the first slot, and is synced. While the second has nothing, nothing was
 * ever in the file; so what was cut off while it was made is as if it were not there.
 */
static int read_heads(struct mon_file *f, bool create, const struct mon_file_pin *newest)
{
	bool found = false, empty[FILE_SLOTS];
	unsigned int i;
	int error;

	for (i = 0; i < FILE_SLOTS; i++) {
		error = read_head(f, i, &found, &empty[i]);
		if (error)
			return error;
	}
	if (found && newest && is_older(f, newest))
		return -MON_EPERM;
	if (found)
		return file_io_sync(f->handle);
	if (!empty[1] || newest)
		return -MON_EPERM;
	if (!create)
		return -MON_ENOENT;
	f->head.depth = 1;
	return write_head(f);
}

/* *@pin is that of its counter, if it has one that was advanced already. */
static int read_counter(const struct mon_file *f, struct mon_file_pin *pin,
			const struct mon_file_pin **newest)
{
	unsigned char data[MON_ENCLAVE_COUNTER_DATA];
	int error = f->counter ? mon_counter(f->counter - 1, &pin->generation, data) : 0;

	if (error || !f->counter || !pin->generation)
		return error;
	memcpy(pin->tag, data, sizeof(pin->tag));
	*newest = pin;
	return 0;
}

static int advance_counter(const struct mon_file *f)
{
	unsigned char data[MON_ENCLAVE_COUNTER_DATA] = {0};

	memcpy(data, f->synced.tag, sizeof(f->synced.tag));
	return f->counter ? mon_counter_advance(f->counter - 1, f->head.generation, data) : 0;
}

static int begin(struct mon_file *f, unsigned int flags, const struct mon_file_pin *newest)
{
	const bool create = flags & MON_FILE_CREATE;
	struct mon_file_pin pin;
	int error = file_key(f->name, f->key);

	f->counter = flags >> 8;
	if (!error)
		error = read_counter(f, &pin, &newest);

	if (error)
		return error;
	error = file_io_open(f->name, create, &f->handle);
	if (error)
		return error;
	error = read_heads(f, create, newest);
	if (error)
		file_io_close(f->handle);
	return error;
}

int mon_file_open(const char *name, unsigned int flags, const struct mon_file_pin *newest,
		  struct mon_file **file)
{
	struct mon_file *f;
	int error;

	*file = NULL;
	if (!is_name(name) || (flags & 0xff) > MON_FILE_CREATE || (newest && flags >> 8))
		return -MON_EINVAL;
	f = calloc(1, sizeof(*f));
	if (!f)
		return -MON_ENOMEM;
	memcpy(f->name, name, strlen(name));
	error = enter(f);
	if (!error) {
		error = begin(f, flags, newest);
		if (error)
			leave(f);
	}
	if (error) {
		mon_wipe(f, sizeof(*f));
		free(f);
		return error;
	}
	*file = f;
	return 0;
}

void mon_file_close(struct mon_file *f)
{
	if (!f)
		return;
	file_io_close(f->handle);
	leave(f);
	file_forget(f);
	file_places_free(&f->places);
	mon_wipe(f, sizeof(*f));
	free(f);
}

int mon_file_remove(const char *name)
{
	int error;

	if (!is_name(name))
		return -MON_EINVAL;
	mon_lock(&opened);
	error = is_open(name) ? -MON_EBUSY : file_io_remove(name);
	mon_unlock(&opened);
	return error;
}

static int read_part(struct mon_file *f, unsigned char *to, size_t size, uint64_t offset)
{
	struct file_node *node;
	int error = file_node(f, 0, offset / FILE_BLOCK, FILE_LOOK, &node);

	if (error)
		return error;
	if (node)
		memcpy(to, node->data + offset % FILE_BLOCK, size);
	else
		memset(to, 0, size);
	return 0;
}

static int write_part(struct mon_file *f, const unsigned char *from, size_t size, uint64_t offset)
{
	const enum file_access access = size == FILE_BLOCK ? FILE_REPLACE : FILE_MAKE;
	struct file_node *node;
	int error = file_node(f, 0, offset / FILE_BLOCK, access, &node);

	if (error)
		return error;
	memcpy(node->data + offset % FILE_BLOCK, from, size);
	node->dirty = true;
	return 0;
}

/* Of @size bytes at @offset, those in the first block. */
static size_t part_of(size_t size, uint64_t offset)
{
	size_t rest = FILE_BLOCK - offset % FILE_BLOCK;

	return size < rest ? size : rest;
}

static int read_all(struct mon_file *f, unsigned char *to, size_t size, uint64_t offset)
{
	size_t done, part;
	int error = f->dead ? -MON_EIO : 0;

	for (done = 0; !error && done < size; done += part) {
		part = part_of(size - done, offset + done);
		error = read_part(f, to + done, part, offset + done);
	}
	if (error)
		memset(to, 0, size);
	return error;
}

long mon_file_read(struct mon_file *f, void *data, size_t size, uint64_t offset)
{
	int error;

	mon_lock(&f->lock);
	if (offset >= f->head.size)
		size = 0;
	else if (size > f->head.size - offset)
		size = f->head.size - offset;
	error = read_all(f, data, size, offset);
	mon_unlock(&f->lock);
	return error ? error : (long)size;
}

/* Before a change; then end_change(), with what came of it. */
static int begin_change(struct mon_file *f)
{
	mon_lock(&f->lock);
	if (f->dead)
		return -MON_EIO;
	f->changed = true;
	return file_map(f);
}

static int end_change(struct mon_file *f, int error)
{
	if (error)
		f->dead = true;
	mon_unlock(&f->lock);
	return error;
}

static int write_all(struct mon_file *f, const unsigned char *from, size_t size, uint64_t offset)
{
	size_t done, part;
	int error = size ? file_grow(f, (offset + size - 1) / FILE_BLOCK) : 0;

	for (done = 0; !error && done < size; done += part) {
		part = part_of(size - done, offset + done);
		error = write_part(f, from + done, part, offset + done);
	}
	if (!error && size && offset + size > f->head.size)
		f->head.size = offset + size;
	return error;
}

int mon_file_write(struct mon_file *f, const void *data, size_t size, uint64_t offset)
{
	int error;

	if (offset > MON_FILE_SIZE_MAX || size > MON_FILE_SIZE_MAX - offset)
		return -MON_EINVAL;
	error = begin_change(f);
	if (!error)
		error = write_all(f, data, size, offset);
	return end_change(f, error);
}

/* What is behind the end is zeros, so a longer file is just longer. */
static int set_size(struct mon_file *f, uint64_t size)
{
	struct file_node *node = NULL;
	int error = 0;

	if (size < f->head.size) {
		error = file_cut(f, (size + FILE_BLOCK - 1) / FILE_BLOCK);
		if (!error && size % FILE_BLOCK)
			error = file_node(f, 0, size / FILE_BLOCK, FILE_LOOK, &node);
		if (!error && node) {
			memset(node->data + size % FILE_BLOCK, 0, FILE_BLOCK - size % FILE_BLOCK);
			node->dirty = true;
		}
	} else if (size) {
		error = file_grow(f, (size - 1) / FILE_BLOCK);
	}
	if (!error)
		f->head.size = size;
	return error;
}

int mon_file_truncate(struct mon_file *f, uint64_t size)
{
	int error;

	if (size > MON_FILE_SIZE_MAX)
		return -MON_EINVAL;
	error = begin_change(f);
	if (!error)
		error = set_size(f, size);
	return end_change(f, error);
}

static int sync_changes(struct mon_file *f)
{
	int error = file_write_out(f);

	if (!error)
		error = file_io_sync(f->handle);
	if (error)
		return error;
	f->head.generation++;
	error = write_head(f);
	if (!error)
		error = advance_counter(f);
	if (error)
		return error;
	file_places_synced(&f->places);
	f->changed = false;
	return 0;
}

int mon_file_sync(struct mon_file *f)
{
	int error = 0;

	mon_lock(&f->lock);
	if (f->dead)
		error = -MON_EIO;
	else if (f->changed)
		error = sync_changes(f);
	return end_change(f, error);
}

uint64_t mon_file_size(const struct mon_file *f)
{
	return f->head.size;
}

void mon_file_pin(const struct mon_file *f, struct mon_file_pin *pin)
{
	pin->generation = f->head.generation;
	memcpy(pin->tag, f->synced.tag, sizeof(pin->tag));
}
