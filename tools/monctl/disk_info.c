// SPDX-License-Identifier: GPL-2.0-only
/* monctl disk info: what a superblock says, and who has the key can believe. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "disk.h"
#include "monctl.h"

static void show_super(const struct mon_disk_super *super)
{
	char size[SIZE_TEXT], image[SIZE_TEXT];
	unsigned int i;

	printf("uuid:      ");
	for (i = 0; i < sizeof(super->uuid); i++)
		printf("%s%02x", i >= 4 && i <= 10 && !(i & 1) ? "-" : "", super->uuid[i]);
	printf("\nsize:      %" PRIu64 " bytes (%s)\n", (uint64_t)super->blocks * BLOCK,
	       human_size(super->blocks, size));
	printf("image:     at least %" PRIu64 " bytes (%s)\n",
	       disk_image_blocks(super->blocks) * BLOCK,
	       human_size(disk_image_blocks(super->blocks), image));
	printf("commits:   %" PRIu64 "\nopened:    %" PRIu64 " times to write\nclosed:    %s\n",
	       (uint64_t)super->commit, (uint64_t)super->opened,
	       super->flags & MON_DISK_CLEAN ? "yes" : "no: it is in use, or was in a crash");
	if (super->records)
		printf("records:   %u blocks of the last commit may be as before it\n",
		       super->records);
}

/* The larger commit of those that look like one. */
static int show_unproved(const char *path, const char *format)
{
	struct mon_disk_super super[2];
	struct image image;
	unsigned int area;
	bool there[2];

	if (!image_open(&image, path, format, false))
		return EXIT_CANNOT;
	for (area = 0; area < 2; area++)
		there[area] = image_read(&image, &super[area], BLOCK,
					 disk_meta_at(MON_DISK_SUPER, area, 0) * BLOCK) &&
			      !disk_super_wrong(&super[area], area);
	image_close(&image);
	if (!there[0] && !there[1])
		return fail("%s: there is no sealed disk in it", path);
	puts("Without the key nothing of this is proved: say --key FILE.");
	area = !there[0] || (there[1] && super[1].commit > super[0].commit);
	show_super(&super[area]);
	return 0;
}

/* *@bad: leaves, nodes and roots that cannot be had */
static void count_blocks(struct disk *disk, uint64_t *written, uint64_t *lost, uint64_t *bad)
{
	uint64_t nr = disk_leaves(disk->super.blocks), leaf, end;
	enum disk_found found;
	unsigned int i;

	*written = *lost = *bad = 0;
	for (leaf = 0; leaf < nr; leaf = end) {
		found = disk_seek(disk, leaf, &end);
		*bad += found == DISK_BAD;
		for (i = 0; found == DISK_THERE && i < LEAF_DATA; i++) {
			*lost += disk->leaf.data[i].count == MON_DISK_LOST;
			*written += disk->leaf.data[i].count &&
				    disk->leaf.data[i].count != MON_DISK_LOST;
		}
		progress("count", disk_leaf_first(end), disk->super.blocks);
	}
	progress(NULL, 0, 0);
}

int disk_info(const struct disk_args *args)
{
	uint64_t written, lost, bad;
	char size[SIZE_TEXT];
	struct disk disk;
	int status = 0;

	if (!args->key)
		return show_unproved(args->path[0], args->from);
	if (!disk_open(&disk, args->path[0], args->from, args->key, false))
		return EXIT_CANNOT;
	show_super(&disk.super);
	count_blocks(&disk, &written, &lost, &bad);
	printf("written:   %" PRIu64 " blocks (%s)\nlost:      %" PRIu64 " blocks\n", written,
	       human_size(written, size), lost);
	if (bad || !disk_whole(&disk) || !disk_fits(&disk))
		status = fail("%s is damaged: 'monctl disk check' says where", args->path[0]);
	disk_close(&disk);
	return status;
}
