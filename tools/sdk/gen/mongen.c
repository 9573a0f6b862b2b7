// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "mongen.h"

#define FILE_MAX (1 << 20)

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "re");
	char *text = malloc(FILE_MAX + 1);
	size_t n;

	if (!file || !text) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		exit(1);
	}
	n = fread(text, 1, FILE_MAX + 1, file);
	if (n > FILE_MAX || ferror(file) || memchr(text, 0, n)) {
		fprintf(stderr, "%s: this is no header: %s\n", path,
			ferror(file)   ? strerror(errno)
			: n > FILE_MAX ? "it is longer than 1 MiB"
				       : "it has zero bytes");
		exit(1);
	}
	text[n] = 0;
	fclose(file);
	return text;
}

int main(int argc, char **argv)
{
	static struct interface interface;
	bool enclave = argc == 3 && !strcmp(argv[1], "--enclave");

	if (argc != 3 || (!enclave && strcmp(argv[1], "--host"))) {
		fputs("usage: mongen --host|--enclave INTERFACE.h\n"
		      "writes the stubs of that side to standard output\n",
		      stderr);
		return 2;
	}
	parse(&interface, argv[2], read_file(argv[2]));
	write_stubs(stdout, &interface, enclave);
	if (fflush(stdout) || ferror(stdout)) {
		fprintf(stderr, "mongen: cannot write: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
