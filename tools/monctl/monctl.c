// SPDX-License-Identifier: GPL-2.0-only
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "monctl.h"

static const struct subcommand subcommands[] = {
	{ "status", "", "is the monitor there, what does it hold, what has it done", cmd_status },
	{ "domains", "", "the confidential VMs: whose, doing what, with how much memory",
	  cmd_domains },
	{ "pages", "", "how much memory each domain has, of which kind", cmd_pages },
	{ "shares", "[--dot]", "who shares memory with whom; --dot: as a graph for Graphviz",
	  cmd_shares },
	{ "refill", "DOMAIN PAGES", "let a VM have memory again that it gave back", cmd_refill },
	{ "enclaves", "", "the enclaves: doing what, with how much memory", cmd_enclaves },
	{ "evict", "DOMAIN PAGES", "take memory of an enclave back, sealed", cmd_evict },
	{ "run", "[--disk ID=KEYFILE] [--network ID] [--] qemu-system-x86_64 [QEMU-OPTION]...",
	  "become QEMU, with a confidential VM, or fail; ID: of a -device, at the first bus or behind "
	  "a pcie-root-port", cmd_run },
	{ "measure",
	  "[--policy] [--disk ID=KEYFILE] [--network ID] [--] qemu-system-x86_64 [QEMU-OPTION]...",
	  "print the launch measurement that such a VM has to have", cmd_measure },
	{ "disk", "COMMAND [ARGUMENT]...", "make, fill, check and read sealed disks; 'disk --help'",
	  cmd_disk },
	{ "enclave", "measure|info FILE | gdb PID [DOMAIN]",
	  "print the measurement of an enclave, or all that its file says; let gdb look into a debug "
	  "enclave, by 'target remote |'", cmd_enclave },
	{ "events", "SOCKET", "let VMs interrupt each other, for 'ivshmem-doorbell' of QEMU",
	  cmd_events },
};

#define NR_SUBCOMMANDS (sizeof(subcommands) / sizeof(subcommands[0]))

int fail(const char *format, ...)
{
	va_list ap;

	fflush(stdout);
	fputs("monctl: ", stderr);
	va_start(ap, format);
	vfprintf(stderr, format, ap);
	va_end(ap);
	fputc('\n', stderr);
	return EXIT_CANNOT;
}

static void usage(FILE *to)
{
	unsigned int i;

	fputs("usage: monctl COMMAND [ARGUMENT]...\n\n", to);
	for (i = 0; i < NR_SUBCOMMANDS; i++)
		fprintf(to, "  %s%s%s\n      %s\n", subcommands[i].name,
			*subcommands[i].arguments ? " " : "", subcommands[i].arguments,
			subcommands[i].help);
}

int main(int argc, char **argv)
{
	unsigned int i;

	if (argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		usage(stdout);
		return 0;
	}
	if (argc < 2) {
		usage(stderr);
		return EXIT_USAGE;
	}
	for (i = 0; i < NR_SUBCOMMANDS; i++)
		if (!strcmp(argv[1], subcommands[i].name))
			return subcommands[i].run(argc - 1, argv + 1);
	fail("there is no command '%s'; 'monctl --help' lists them", argv[1]);
	return EXIT_USAGE;
}
