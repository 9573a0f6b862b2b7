// SPDX-License-Identifier: GPL-2.0-only
/* How far a long command is, for who looks at it. */
#include <inttypes.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>
#include "disk.h"
#include "monctl.h"

#define EVERY 0.2 /* seconds */

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + t.tv_nsec / 1e9;
}

void progress(const char *what, uint64_t done, uint64_t all)
{
	static double start, last;
	static int terminal = -1;
	char a[SIZE_TEXT], b[SIZE_TEXT];
	double t;

	if (terminal < 0)
		terminal = isatty(STDERR_FILENO);
	if (!terminal)
		return;
	t = now();
	if (!all && last)
		fputs("\r\033[K", stderr);
	if (!all)
		start = last = 0;
	if (!start)
		start = t;
	if (!all || t - last < EVERY)
		return;
	last = t;
	fprintf(stderr, "\r\033[K%s: %3.0f%%  %s of %s", what, 100.0 * done / all,
		human_size(done, a), human_size(all, b));
	if (t - start > 2 && done)
		fprintf(stderr, ", %.0f s to go", (t - start) * (all - done) / done);
}
