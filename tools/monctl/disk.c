// SPDX-License-Identifier: GPL-2.0-only
/* monctl disk: what the user asks for. */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "disk.h"
#include "monctl.h"

#define DEFAULT_COMMIT (256 * 1024 * 1024 / BLOCK)

static const char help[] =
	"usage: monctl disk COMMAND [OPTION]... ARGUMENT...\n"
	"\n"
	"Disks whose contents and order only a monitor, or who has the key, can read and make.\n"
	"\n"
	"  create --key FILE [--new-key] [-O FORMAT] IMAGE SIZE\n"
	"      a new disk, all zeros\n"
	"  import --key FILE [--new-key] [-f FORMAT] [-O FORMAT] [--resume] [--commit SIZE]\n"
	"         SOURCE IMAGE\n"
	"      a new disk with what an ordinary image has\n"
	"  export --key FILE [-f FORMAT] [-O FORMAT] [--salvage] IMAGE TARGET\n"
	"      an ordinary image of what a disk has\n"
	"  check --key FILE [-f FORMAT] [--quick] IMAGE\n"
	"      is everything as it was written?\n"
	"  info [--key FILE] [-f FORMAT] IMAGE\n"
	"      its size, and how often it was written\n"
	"  resize --key FILE [-f FORMAT] IMAGE SIZE\n"
	"      larger; or smaller, if nothing was written there\n"
	"  bench\n"
	"      what OpenSSL and this CPU take for a block\n"
	"\n"
	"  -k, --key FILE     64 hexadecimal digits; nobody but its owner may read it\n"
	"      --new-key      make that file\n"
	"  -f FORMAT          raw or qcow2: of what is read, or of IMAGE if it is the only one\n"
	"  -O FORMAT          of what is made; both are qcow2 for a name in .qcow2, else raw\n"
	"      --resume       go on where an import was killed, after comparing what is there\n"
	"      --commit SIZE  how much of an import at most is lost then (256M)\n"
	"      --salvage      zeros for what cannot be read\n"
	"      --quick        check without the data\n"
	"\n"
	"SIZE has a unit, K, M, G or T, or is in bytes. IMAGE and TARGET are not overwritten.\n"
	"Exit status: 0; 1 it cannot be done; 2 it was asked for wrongly; 3 for check and\n"
	"export --salvage: something is damaged or lost.\n";

/**
 * struct disk_command - "monctl disk NAME"
 * @name: what the user types
 * @options: the short names of those it takes
 * @paths: how many other arguments
 * @key: it needs the key
 */
struct disk_command {
	const char *name;
	const char *options;
	int paths;
	bool key;
	int (*run)(const struct disk_args *args);
};

static const struct disk_command commands[] = {
	{"create", "knO", 2, true, disk_create},  {"import", "knfOrc", 2, true, disk_import},
	{"export", "kfOs", 2, true, disk_export}, {"check", "kfq", 1, true, disk_check},
	{"info", "kf", 1, false, disk_info},	  {"resize", "kf", 2, true, disk_resize},
	{"bench", "", 0, false, disk_bench},
};

#define NR_COMMANDS (sizeof(commands) / sizeof(commands[0]))

static const struct option options[] = {
	{"key", required_argument, NULL, 'k'}, {"new-key", no_argument, NULL, 'n'},
	{"resume", no_argument, NULL, 'r'},    {"commit", required_argument, NULL, 'c'},
	{"salvage", no_argument, NULL, 's'},   {"quick", no_argument, NULL, 'q'},
	{"help", no_argument, NULL, 'h'},      {0},
};

static bool size_bytes(const char *text, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	const char *unit;
	unsigned int shift = 0;
	char *end;

	if (!isdigit((unsigned char)*text))
		return false;
	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (errno)
		return false;
	if (*end) {
		unit = strchr(units, toupper((unsigned char)*end));
		if (!unit || end[1])
			return false;
		shift = 10 * (unit - units + 1);
	}
	if (*bytes > UINT64_MAX >> shift)
		return false;
	*bytes <<= shift;
	return true;
}

uint64_t disk_size(const char *text)
{
	uint64_t bytes;

	if (!size_bytes(text, &bytes))
		fail("'%s' is no size: say a whole number, with K, M, G or T behind it or nothing",
		     text);
	else if (!bytes)
		fail("the size must not be 0");
	else if (bytes % BLOCK)
		fail("the size %" PRIu64 " is not a multiple of %d bytes", bytes, BLOCK);
	else if (bytes / BLOCK > MON_DISK_BLOCKS_MAX)
		fail("the size %" PRIu64 " is too much: a disk has at most %" PRIu64 " bytes",
		     bytes, (uint64_t)MON_DISK_BLOCKS_MAX * BLOCK);
	else
		return bytes / BLOCK;
	return 0;
}

static bool wrong(const struct disk_command *command, const char *what)
{
	fail("disk %s: %s; 'monctl disk --help' shows how", command->name, what);
	return false;
}

static bool take_option(const struct disk_command *command, int option, struct disk_args *args)
{
	if (option == 'h' || option == '?' || option == ':' || !strchr(command->options, option))
		return wrong(command, option == ':' ? "an option needs a value"
						    : "it does not take that option");
	switch (option) {
	case 'k':
		args->key = optarg;
		break;
	case 'f':
		args->from = optarg;
		break;
	case 'O':
		args->to = optarg;
		break;
	case 'c':
		args->commit = disk_size(optarg);
		return args->commit;
	default:
		args->new_key |= option == 'n';
		args->resume |= option == 'r';
		args->salvage |= option == 's';
		args->quick |= option == 'q';
	}
	return true;
}

static bool take_options(const struct disk_command *command, int argc, char **argv,
			 struct disk_args *args)
{
	bool unused;
	int option, i;

	opterr = 0;
	optind = 1;
	while ((option = getopt_long(argc, argv, ":k:f:O:h", options, NULL)) != -1)
		if (!take_option(command, option, args))
			return false;
	if (argc - optind < command->paths)
		return wrong(command, "an argument is missing");
	if (argc - optind > command->paths)
		return wrong(command, "there are too many arguments");
	if (command->key && !args->key)
		return wrong(command, "it needs --key FILE");
	for (i = 0; i < command->paths; i++)
		args->path[i] = argv[optind + i];
	return image_format("", args->from ? args->from : "raw", &unused) &&
	       image_format("", args->to ? args->to : "raw", &unused);
}

int cmd_disk(int argc, char **argv)
{
	struct disk_args args = {.commit = DEFAULT_COMMIT};
	unsigned int i;
	int n;

	for (n = 1; n < argc; n++)
		if (!strcmp(argv[n], "--help") || !strcmp(argv[n], "-h")) {
			fputs(help, stdout);
			return 0;
		}
	if (argc < 2) {
		fputs(help, stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < NR_COMMANDS; i++)
		if (!strcmp(argv[1], commands[i].name))
			return take_options(&commands[i], argc - 1, argv + 1, &args)
				       ? commands[i].run(&args)
				       : EXIT_USAGE;
	fail("there is no command 'disk %s'; 'monctl disk --help' lists them", argv[1]);
	return EXIT_USAGE;
}
