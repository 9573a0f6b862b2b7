// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: search N process PID	all memory of a process
 *        search N bytes [FILE]	standard input: a core dump, say
 *        search N text		standard input: numbers as QEMU prints registers
 *
 * Root looks for the words of secret N, and prints how many there are. With
 * FILE the answer goes there: what the kernel starts for a core dump has no
 * standard output.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "secret.h"

#define CHUNK (1UL << 20)

static unsigned long long inverted[SECRET_WORDS], buf[CHUNK / sizeof(unsigned long long)];
static unsigned long found, bytes;

static void look_at(ssize_t size)
{
	if (size <= 0)
		return;
	found += secret_count(buf, (unsigned long)size / sizeof(*buf), inverted);
	bytes += (unsigned long)size;
}

static int search_process(const char *pid)
{
	unsigned long start, end;
	char path[64], line[512];
	FILE *maps;
	int mem;

	snprintf(path, sizeof(path), "/proc/%s/mem", pid);
	mem = open(path, O_RDONLY);
	snprintf(path, sizeof(path), "/proc/%s/maps", pid);
	maps = fopen(path, "r");
	if (mem < 0 || !maps) {
		perror(path);
		return 1;
	}
	while (fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%lx-%lx r", &start, &end) != 2 || strstr(line, "[v"))
			continue;
		for (; start < end; start += CHUNK)
			look_at(pread(mem, buf, end - start < CHUNK ? end - start : CHUNK,
				      (off_t)start));
	}
	return 0;
}

static int search_bytes(void)
{
	size_t size;

	while ((size = fread(buf, 1, CHUNK, stdin)) > 0)
		look_at((ssize_t)size);
	return 0;
}

/* Hexadecimal numbers, of which QEMU prints two together for an XMM register. */
static int search_text(void)
{
	static const char digits[] = "0123456789abcdef";
	char word[2 * sizeof(*buf) + 1], *text = (char *)buf, *p;
	unsigned int i;

	while (fgets(text, CHUNK, stdin)) {
		bytes += strlen(text);
		for (p = text; *p; p++) {
			if (strspn(p, digits) < sizeof(word) - 1)
				continue;
			memcpy(word, p, sizeof(word) - 1);
			word[sizeof(word) - 1] = '\0';
			for (i = 0; i < SECRET_WORDS; i++)
				found += !~(strtoull(word, NULL, 16) ^ inverted[i]);
		}
	}
	return 0;
}

int main(int argc, char **argv)
{
	unsigned int i;
	int err = 2;

	for (i = 0; i < SECRET_WORDS && argc > 1; i++)
		inverted[i] = secret_inverted(strtoull(argv[1], NULL, 0), i);
	if (argc == 4 && !strcmp(argv[2], "process"))
		err = search_process(argv[3]);
	else if (argc >= 3 && !strcmp(argv[2], "bytes"))
		err = search_bytes();
	else if (argc == 3 && !strcmp(argv[2], "text"))
		err = search_text();
	if (!err && argc == 4 && !strcmp(argv[2], "bytes") && !freopen(argv[3], "w", stdout))
		err = 1;
	if (!err)
		printf("found %lu in %lu KiB\n", found, (bytes + 1023) >> 10);
	return err;
}
