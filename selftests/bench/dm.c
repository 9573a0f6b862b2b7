// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: dm NAME TARGET SECTORS PARAMETERS	a device of one target; prints its place in /dev
 *	  dm NAME				remove it
 *	  dm --integrity-sectors DEVICE		what dm-integrity's superblock says it provides
 *
 * The guest of the bench has no dmsetup.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/dm-ioctl.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

static union {
	struct dm_ioctl head;
	char bytes[4096];
} call;

static int control;

static int ask(unsigned long what, const char *name)
{
	call.head.version[0] = DM_VERSION_MAJOR;
	call.head.data_size = sizeof(call);
	call.head.data_start = sizeof(call.head);
	snprintf(call.head.name, sizeof(call.head.name), "%s", name);
	if (!ioctl(control, what, &call))
		return 0;
	perror(name);
	return 1;
}

static int create(const char *name, const char *target, const char *sectors, const char *parameters)
{
	struct dm_target_spec *spec = (void *)(call.bytes + sizeof(call.head));

	if (ask(DM_DEV_CREATE, name))
		return 1;
	memset(&call, 0, sizeof(call));
	call.head.target_count = 1;
	spec->length = strtoull(sectors, NULL, 0);
	snprintf(spec->target_type, sizeof(spec->target_type), "%s", target);
	snprintf((char *)(spec + 1), 2048, "%s", parameters);
	if (ask(DM_TABLE_LOAD, name))
		return 1;
	memset(&call, 0, sizeof(call));
	if (ask(DM_DEV_SUSPEND, name)) /* without the flag, it goes on */
		return 1;
	printf("/dev/dm-%u\n", minor(call.head.dev));
	return 0;
}

static int provided(const char *device)
{
	unsigned long long sectors;
	int fd = open(device, O_RDONLY);

	if (fd < 0 || pread(fd, &sectors, sizeof(sectors), 16) != sizeof(sectors))
		return 1;
	printf("%llu\n", sectors);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3)
		return provided(argv[2]);
	control = open("/dev/mapper/control", O_RDWR);
	if (control < 0)
		perror("/dev/mapper/control");
	if (control < 0 || (argc != 2 && argc != 5))
		return 1;
	return argc == 2 ? ask(DM_DEV_REMOVE, argv[1]) : create(argv[1], argv[2], argv[3], argv[4]);
}
