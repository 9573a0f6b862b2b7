// SPDX-License-Identifier: GPL-2.0-only
/* monctl enclave: what an enclave's file will be, without a monitor; and gdb. */
#include <stdio.h>
#include <string.h>
#include "monctl.h"
#include "tools/sdk/host/monenclave.h"

static void show_digest(const unsigned char digest[32])
{
	unsigned int i;

	for (i = 0; i < 32; i++)
		printf("%02x", digest[i]);
	putchar('\n');
}

static void show(const struct mon_enclave_file *file)
{
	static const char *const types[] = { "?", "pages", "zero", "buffer" };
	const struct mon_enclave_policy *p = &file->policy;
	unsigned int i;

	printf("measurement       ");
	show_digest(file->measurement);
	printf("product           %u\nsecurity version  %u\n", p->product, p->security_version);
	printf("debug             %s\n",
	       p->flags & MON_ENCLAVE_DEBUG ? "yes: root can read and change all of it" : "no");
	printf("threads           %u, with stacks of %llu KiB\n", p->nr_threads,
	       p->stack_size >> 10);
	printf("pages in the file %llu\n", file->pages);
	printf("entry, handler    %#llx %#llx\n", p->entry, p->handler);
	for (i = 0; i < p->nr_ranges; i++)
		printf("%-17s %#llx %#llx\n", types[p->range[i].type], p->range[i].start,
		       p->range[i].end);
}

int cmd_enclave(int argc, char **argv)
{
	int info = argc == 3 && !strcmp(argv[1], "info");
	struct mon_enclave_file file;

	if (argc > 1 && !strcmp(argv[1], "gdb"))
		return cmd_enclave_gdb(argc - 1, argv + 1);
	if (argc != 3 || (!info && strcmp(argv[1], "measure"))) {
		fail("usage: monctl enclave measure|info FILE.elf | gdb PID [DOMAIN]");
		return EXIT_USAGE;
	}
	if (mon_inspect(argv[2], &file))
		return fail("%s", mon_error());
	if (info)
		show(&file);
	else
		show_digest(file.measurement);
	return 0;
}
