// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tree of a file's blocks. What is in memory has all that is above it in memory, too: so what
 * is written tells its table, and nothing has to be read for that.
 */
#include <stdlib.h>
#include <string.h>
#include "file.h"

/* Data blocks below one of @level. */
static uint64_t span(unsigned int level)
{
	return 1ULL << 6 * level;
}

static struct file_entry *entry_of(struct mon_file *f, const struct file_node *node)
{
	return node->parent ? &node->parent->entry[node->index % FILE_FAN] : &f->head.root;
}

static int find(const struct mon_file *f, unsigned int level, uint64_t index)
{
	unsigned int i;

	for (i = 0; i < f->nr_nodes; i++)
		if (f->node[i]->index == index && f->node[i]->level == level)
			return i;
	return -1;
}

/* It is not of the file any more; its memory is. */
static struct file_node *take_out(struct mon_file *f, unsigned int i)
{
	struct file_node *node = f->node[i];

	f->node[i] = f->node[--f->nr_nodes];
	if (node->parent)
		node->parent->below--;
	return node;
}

static void put_in(struct mon_file *f, struct file_node *node, struct file_node *parent,
		   unsigned int level, uint64_t index)
{
	node->parent = parent;
	node->below = 0;
	node->level = level;
	node->index = index;
	node->used = ++f->clock;
	node->dirty = false;
	f->node[f->nr_nodes++] = node;
}

/* To a place where nothing is of the last sync. */
static int write_node(struct mon_file *f, struct file_node *node)
{
	struct file_entry *entry = entry_of(f, node), new = {0};
	int error = file_take_place(&f->places, &new.place);

	if (error)
		return error;
	memcpy(f->scratch, node->data, FILE_BLOCK);
	file_seal(f->key, node->level, node->index, f->scratch, FILE_BLOCK, &new.seal);
	error = file_io_write(f->handle, new.place, f->scratch);
	if (error)
		return error;
	if (entry->place)
		file_leave_place(&f->places, entry->place);
	*entry = new;
	node->dirty = false;
	if (node->parent)
		node->parent->dirty = true;
	return 0;
}

static int read_node(struct mon_file *f, struct file_node *node, unsigned int level, uint64_t index,
		     const struct file_entry *entry)
{
	int error = file_io_read(f->handle, entry->place, node->data);

	if (error)
		return error;
	return file_unseal(f->key, level, index, node->data, FILE_BLOCK, &entry->seal) ? 0
										       : -MON_EPERM;
}

/* That which was not used longest; none is below it. */
static int evict(struct mon_file *f, struct file_node **node)
{
	unsigned int i, oldest = f->nr_nodes;
	int error = 0;

	for (i = 0; i < f->nr_nodes; i++)
		if (!f->node[i]->below &&
		    (oldest == f->nr_nodes || f->node[i]->used < f->node[oldest]->used))
			oldest = i;
	if (oldest == f->nr_nodes)
		return -MON_ENOMEM;
	if (f->node[oldest]->dirty)
		error = write_node(f, f->node[oldest]);
	if (!error)
		*node = take_out(f, oldest);
	return error;
}

/* Memory for one, which is not of the file yet. */
static int get_memory(struct mon_file *f, struct file_node **node)
{
	*node = f->nr_nodes < FILE_CACHE ? malloc(sizeof(**node)) : NULL;
	return *node ? 0 : evict(f, node);
}

static int load(struct mon_file *f, struct file_node *parent, unsigned int level, uint64_t index,
		enum file_access access, struct file_node **loaded)
{
	struct file_entry *entry = parent ? &parent->entry[index % FILE_FAN] : &f->head.root;
	struct file_node *node;
	int error;

	if (parent)
		parent->below++;
	error = get_memory(f, &node);
	if (!error && entry->place && access != FILE_REPLACE) {
		error = read_node(f, node, level, index, entry);
		if (error)
			free(node);
	} else if (!error) {
		memset(node->data, 0, FILE_BLOCK);
	}
	if (error) {
		if (parent)
			parent->below--;
		return error;
	}
	put_in(f, node, parent, level, index);
	*loaded = node;
	return 0;
}

int file_node(struct mon_file *f, unsigned int level, uint64_t index, enum file_access access,
	      struct file_node **node)
{
	struct file_node *parent = NULL;
	int i = find(f, level, index), error;

	*node = i < 0 ? NULL : f->node[i];
	if (*node) {
		(*node)->used = ++f->clock;
		return 0;
	}
	if (level < f->head.depth) {
		error = file_node(f, level + 1, index / FILE_FAN,
				  access == FILE_LOOK ? FILE_LOOK : FILE_MAKE, &parent);
		if (error || !parent)
			return error;
	}
	if (access == FILE_LOOK && !(parent ? parent->entry[index % FILE_FAN] : f->head.root).place)
		return 0;
	return load(f, parent, level, index, access, node);
}

/* The tree as it is becomes the first entry of a table above it. */
static int add_level(struct mon_file *f)
{
	struct file_node *node;
	int i, error = get_memory(f, &node);

	if (error)
		return error;
	memset(node->data, 0, FILE_BLOCK);
	node->entry[0] = f->head.root;
	memset(&f->head.root, 0, sizeof(f->head.root));
	i = find(f, f->head.depth, 0);
	put_in(f, node, NULL, ++f->head.depth, 0);
	node->dirty = true;
	if (i >= 0) {
		f->node[i]->parent = node;
		node->below++;
	}
	return 0;
}

int file_grow(struct mon_file *f, uint64_t last)
{
	int error = 0;

	while (!error && last >= span(f->head.depth))
		error = add_level(f);
	return error;
}

/* Nothing is below it any more. */
static void leave(struct mon_file *f, struct file_node *table, unsigned int i)
{
	int cached = find(f, table->level - 1, table->index * FILE_FAN + i);

	if (cached >= 0)
		free(take_out(f, cached));
	if (table->entry[i].place) {
		file_leave_place(&f->places, table->entry[i].place);
		memset(&table->entry[i], 0, sizeof(table->entry[i]));
		table->dirty = true;
	}
}

static int cut_table(struct mon_file *f, unsigned int level, uint64_t index, uint64_t first)
{
	const uint64_t step = span(level - 1);
	struct file_node *table;
	uint64_t child;
	int error = file_node(f, level, index, FILE_LOOK, &table);

	if (error || !table)
		return error;
	table->below++;
	for (child = index * FILE_FAN; !error && child < (index + 1) * FILE_FAN; child++) {
		if ((child + 1) * step <= first)
			continue;
		if (level > 1)
			error = cut_table(f, level - 1, child, first);
		if (!error && child * step >= first)
			leave(f, table, child % FILE_FAN);
	}
	table->below--;
	return error;
}

int file_cut(struct mon_file *f, uint64_t first)
{
	return cut_table(f, f->head.depth, 0, first);
}

/* A level after the other: what is written makes the table above it dirty. */
int file_write_out(struct mon_file *f)
{
	unsigned int level, i;
	int error = 0;

	for (level = 0; level <= f->head.depth; level++)
		for (i = 0; !error && i < f->nr_nodes; i++)
			if (f->node[i]->level == level && f->node[i]->dirty)
				error = write_node(f, f->node[i]);
	return error;
}

static int map_table(struct mon_file *f, unsigned int level, uint64_t index)
{
	struct file_node *table;
	unsigned int i;
	int error = file_node(f, level, index, FILE_LOOK, &table);

	if (error || !table)
		return error;
	error = file_mark_place(&f->places, entry_of(f, table)->place);
	table->below++;
	for (i = 0; !error && i < FILE_FAN; i++) {
		if (!table->entry[i].place)
			continue;
		if (level > 1)
			error = map_table(f, level - 1, index * FILE_FAN + i);
		else
			error = file_mark_place(&f->places, table->entry[i].place);
	}
	table->below--;
	return error;
}

int file_map(struct mon_file *f)
{
	int error = f->mapped ? 0 : map_table(f, f->head.depth, 0);

	if (!error)
		f->mapped = true;
	return error;
}

void file_forget(struct mon_file *f)
{
	while (f->nr_nodes) {
		struct file_node *node = f->node[--f->nr_nodes];

		mon_wipe(node, sizeof(*node));
		free(node);
	}
}
