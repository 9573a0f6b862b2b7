// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: fuzzer SEEDS SEED INPUTS SECONDS [blind|replay]
 *
 * In the test machine, on an image made with FUZZ=1: runs the inputs of the file SEEDS, then as
 * many others, made of those that got further in the monitor than any before. Each is said
 * before it is run. After each batch all that has to hold is looked at. "blind": as far as
 * an input gets makes no difference; "replay": only those of the file.
 */
#define _GNU_SOURCE
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "../../../uapi/hypercall.h"
#include "fuzzer.h"
#include "image.h"

#define CORPUS_MAX 2048
#define LINE_MAX_ 2048
#define PLACES 6 /* of an input, where the same value may stand */

static struct input corpus[CORPUS_MAX];
static uint64_t cost[CORPUS_MAX]; /* in ticks */
static unsigned int nr_corpus, batch = 512;
static unsigned long inputs, operations, edges, nr_seeds;
static bool blind;

static int64_t run_op(const struct op *op)
{
	operations++;
	if (op->what == 'h')
		return do_hypercall(op);
	if (op->what == 't')
		return do_touch(op);
	frames_home();
	if (op->what == 'g')
		return do_guest(op);
	return op->what == 'i' ? do_request(op) : do_map(op);
}

static void check(void)
{
	const char *wrong;

	fflush(stdout);
	frames_home();
	hypercall(0, FUZZ_HC_CHECK, 0, 0, 0, 0);
	world_survey();
	wrong = world_whole();
	if (!wrong)
		return;
	printf("found: %s\n", wrong);
	fflush(stdout);
	_exit(1);
}

/* Is it one to go on from? */
static bool run_input(const struct input *in)
{
	unsigned int i;
	int64_t got;

	printf("in ");
	input_print(in);
	nr_results = 0;
	hypercall(0, FUZZ_HC_BEGIN, 0, 0, 0, 0);
	for (i = 0; i < in->nr; i++) {
		got = run_op(&in->op[i]);
		results[nr_results++] = got;
	}
	requests_clean();
	calls_clean();
	got = hypercall(0, FUZZ_HC_END, 0, 0, 0, 0);
	if (got > 0)
		edges += got;
	if (++inputs % batch == 0)
		check();
	return got > 0;
}

static void keep(const struct input *in, uint64_t ticks)
{
	unsigned int at = nr_corpus < CORPUS_MAX ? nr_corpus++ : below(CORPUS_MAX);

	corpus[at] = *in;
	cost[at] = ticks;
}

static uint64_t ticks_now(void)
{
	return __builtin_ia32_rdtsc();
}

/* Runs it; one that gets further than any before is kept. */
static bool try(const struct input *in)
{
	uint64_t begin = ticks_now();
	bool further = run_input(in);

	if (further && (!blind || !nr_seeds))
		keep(in, ticks_now() - begin);
	return further;
}

/* ---- what the monitor compares with ---- */

static bool same(uint64_t value, uint64_t compared)
{
	return value == compared || (compared <= UINT32_MAX && (uint32_t)value == compared);
}

/* The Nth value of the input that was compared with another becomes that one. */
static bool adopt(struct input *in, uint64_t was, uint64_t wanted, unsigned int nth)
{
	struct value *v;
	struct op *op;
	unsigned int i, k;

	for (i = 0; i < in->nr; i++) {
		op = &in->op[i];
		for (k = 0; k < NR_ARGS + (unsigned int)op->nr_edits; k++) {
			if (!same(used[i][k], was) || nth--)
				continue;
			v = k < NR_ARGS ? &op->arg[k] : &op->edit[k - NR_ARGS].value;
			*v = (struct value){ .kind = 'C', .add = wanted };
			return true;
		}
	}
	return false;
}

/* The same two numbers are compared again and again: mostly they were tried. */
static bool tried(const struct fuzz_pair *pair)
{
	static uint64_t map[1024];
	uint64_t hash = (pair->a * 0x9e3779b97f4a7c15ULL ^ pair->b) * 0xbf58476d1ce4e5b9ULL >> 48;
	uint64_t bit = 1UL << hash % 64;
	bool was = map[hash / 64] & bit;

	map[hash / 64] |= bit;
	return was;
}

/* Behind a run of it that got further */
static void explore(const struct input *in)
{
	struct fuzz_pair pairs[FUZZ_PAIRS];
	uint64_t then[MAX_OPS][NR_ARGS + MAX_EDITS];
	struct input other;
	unsigned int i, nth;
	bool again;

	hypercall(0, FUZZ_HC_COMPARED, arena_pa + SCRATCH_PAGE * PAGE, 0, 0, 0);
	memcpy(pairs, arena + SCRATCH_PAGE * PAGE, sizeof(pairs));
	memcpy(then, used, sizeof(then));
	for (i = 0; i < FUZZ_PAIRS; i++) {
		if (pairs[i].a == pairs[i].b)
			continue;
		again = tried(&pairs[i]);
		for (nth = 0; nth < PLACES && (!again || !below(16)); nth++) {
			memcpy(used, then, sizeof(then));
			other = *in;
			if (!adopt(&other, pairs[i].b, pairs[i].a + (again ? below(3) - 1 : 0),
				   nth))
				break;
			try(&other);
		}
	}
}

/* ---- all of it ---- */

static void run_seeds(const char *name)
{
	FILE *file = fopen(name, "r");
	char line[LINE_MAX_];
	struct input in;

	if (!file)
		die(name);
	while (fgets(line, sizeof(line), file)) {
		if (*line == '#' || *line == '\n')
			continue;
		if (!input_parse(line, &in)) {
			printf("Bail out! not an input: %s", line);
			exit(1);
		}
		try(&in);
	}
	nr_seeds = inputs;
	fclose(file);
}

/* One of two: the newer, or the cheaper, mostly. */
static const struct input *chosen(void)
{
	unsigned int a = below(nr_corpus), b = below(nr_corpus);

	if (!below(4))
		return &corpus[a > b ? a : b];
	return &corpus[cost[a] < cost[b] ? a : b];
}

static void fuzz(unsigned long more, time_t end)
{
	unsigned long last = inputs + more;
	static bool explored[CORPUS_MAX];
	unsigned int i;
	struct input in;

	while (inputs < last && time(NULL) < end) {
		for (i = nr_corpus; i && explored[i - 1]; i--)
			;
		if (i && nr_corpus < CORPUS_MAX && !blind) { /* the newest first */
			explored[i - 1] = true;
			in = corpus[i - 1];
			run_input(&in);
			explore(&in);
			continue;
		}
		if (nr_corpus && below(8)) {
			in = *chosen();
			input_mutate(&in, chosen());
		} else {
			input_random(&in);
		}
		try(&in);
	}
}

static void say_points(void)
{
	uint64_t *words = (uint64_t *)(arena + SCRATCH_PAGE * PAGE);
	unsigned int page, i;

	for (page = 0; page < FUZZ_POINTS_PAGES; page++) {
		if (hypercall(0, FUZZ_HC_POINTS, arena_pa + SCRATCH_PAGE * PAGE, page, 0, 0))
			die("points");
		for (i = 0; i < PAGE / 8; i++)
			if (words[i])
				printf("points %#lx %#lx\n", (page * PAGE / 8 + i) * 64, words[i]);
	}
}

int main(int argc, char **argv)
{
	time_t begin = time(NULL);
	cpu_set_t first;

	if (argc < 5)
		return 2;
	CPU_ZERO(&first);
	CPU_SET(0, &first);
	sched_setaffinity(0, sizeof(first), &first);
	random_seed(strtoul(argv[2], NULL, 0));
	requests_init();
	world_init();
	world_survey();
	if (hypercall(0, FUZZ_HC_END, 0, 0, 0, 0) < 0)
		die("not an image for fuzzing");
	blind = argc > 5 && !strcmp(argv[5], "blind");
	run_seeds(argv[1]);
	check();
	printf("seeds: %lu inputs, %lu edges, %ld s\n", nr_seeds, edges, time(NULL) - begin);
	if (argc < 6 || blind)
		fuzz(strtoul(argv[3], NULL, 0), time(NULL) + strtol(argv[4], NULL, 0));
	check();
	enclave_done();
	say_points();
	printf("done: seed %s, %lu inputs, %lu operations, %u kept, %lu edges, %ld s\n", argv[2],
	       inputs, operations, nr_corpus, edges, time(NULL) - begin);
	return 0;
}
