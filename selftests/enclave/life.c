// SPDX-License-Identifier: GPL-2.0-only
/*
 * Making and ending enclaves: what is refused, with one thing wrong in each, and the measurement.
 *
 * life measure FILE: writes there what is measured, and prints the measurement
 * life spin [ready]: an enclave that spins, for others to kill
 * life hold: something is on HELD pages of it; for each line of input it says on how many still
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "host.h"

#define PAGE 4096UL

static unsigned char page[4 * PAGE] __attribute__((aligned(4096)));

/* ---- create ---- */

typedef void change(struct mon_enclave_create *c);

#define CHANGE(name, what)                                  \
	static void name(struct mon_enclave_create *c)      \
	{                                                   \
		struct mon_enclave_policy *p = &c->policy;  \
		(void)p;                                    \
		what;                                       \
	}

CHANGE(size_small, c->size = 8)
CHANGE(size_large, c->size = 4097)
CHANGE(flags, c->flags = 1)
CHANGE(no_frames, c->frames = 0)
CHANGE(one_frame, c->frames = 1)
CHANGE(frames_many, c->frames = 4 + 2 + 1024 + 32 + 3)
CHANGE(version_0, p->version = 0)
CHANGE(version_2, p->version = 2)
CHANGE(policy_flags, p->flags = 2)
CHANGE(no_ranges, p->nr_ranges = 0)
CHANGE(many_ranges, p->nr_ranges = MON_ENCLAVE_MAX_RANGES + 1)
CHANGE(more_ranges, p->nr_ranges = 6)
CHANGE(fewer_ranges, p->nr_ranges = 4)
CHANGE(no_threads, p->nr_threads = 0)
CHANGE(many_threads, p->nr_threads = MON_ENCLAVE_MAX_THREADS + 1)
CHANGE(type_0, p->range[2].type = 0)
CHANGE(type_4, p->range[2].type = 4)
CHANGE(range_reserved, p->range[2].reserved = 1)
CHANGE(range_start, p->range[2].start += 8)
CHANGE(range_end, p->range[2].end += 8)
CHANGE(range_empty, p->range[2].end = p->range[2].start)
CHANGE(range_back, p->range[2].end = p->range[2].start - PAGE)
CHANGE(range_low, p->range[0].start = 0)
CHANGE(range_high, p->range[4].end = MON_ENCLAVE_HIGH + PAGE)
CHANGE(range_wraps, p->range[4].end = -PAGE)
CHANGE(ranges_overlap, p->range[1].start = p->range[0].end - PAGE)
CHANGE(ranges_order, p->range[1].start = PUPPET_TEXT - 2 * PAGE; p->range[1].end = PUPPET_TEXT)
CHANGE(two_buffers, p->range[2].type = MON_ENCLAVE_BUFFER)
CHANGE(buffer_large, p->range[4].end += MON_ENCLAVE_BUFFER_PAGES_MAX * PAGE)
CHANGE(entry_nowhere, p->entry = PUPPET_TEXT + PUPPET_TEXT_PAGES * PAGE)
CHANGE(entry_heap, p->entry = PUPPET_HEAP)
CHANGE(handler_nowhere, p->handler = 0x1000)
CHANGE(stacks_unaligned, p->stacks += 8)
CHANGE(stacks_nowhere, p->stacks = PUPPET_STACKS - PAGE)
CHANGE(stacks_data, p->stacks = PUPPET_DATA; p->stack_size = 0x4000)
CHANGE(stacks_over, p->nr_threads = PUPPET_THREADS + 1)
CHANGE(stacks_wrap, p->stack_size = 1UL << 62)
CHANGE(stacks_small, p->stack_size = 3 * PAGE)
CHANGE(stack_unaligned, p->stack_size += 8)
CHANGE(policy_reserved, p->reserved[3] = 1)

static const struct {
	const char *name;
	change *change;
} wrong[] = {
	{ "a structure that is too small", size_small },
	{ "one that is too large", size_large },
	{ "an unknown flag", flags },
	{ "no frames", no_frames },
	{ "fewer frames than it takes", one_frame },
	{ "more than its ranges have", frames_many },
	{ "policy of version 0", version_0 },
	{ "of a later version", version_2 },
	{ "an unknown flag of the policy", policy_flags },
	{ "no ranges", no_ranges },
	{ "more ranges than there can be", many_ranges },
	{ "a range that is not there", more_ranges },
	{ "a range that does not count", fewer_ranges },
	{ "no thread", no_threads },
	{ "too many threads", many_threads },
	{ "a range of no type", type_0 },
	{ "of an unknown type", type_4 },
	{ "a reserved word of a range", range_reserved },
	{ "a range that begins within a page", range_start },
	{ "one that ends there", range_end },
	{ "one that is empty", range_empty },
	{ "one that ends before it begins", range_back },
	{ "one too low", range_low },
	{ "one too high", range_high },
	{ "one around the end of all", range_wraps },
	{ "two that overlap", ranges_overlap },
	{ "two in the wrong order", ranges_order },
	{ "two buffers", two_buffers },
	{ "a buffer too large", buffer_large },
	{ "an entry nowhere", entry_nowhere },
	{ "an entry in the heap", entry_heap },
	{ "a handler nowhere", handler_nowhere },
	{ "stacks within a page", stacks_unaligned },
	{ "stacks nowhere", stacks_nowhere },
	{ "stacks in the data", stacks_data },
	{ "stacks over their range", stacks_over },
	{ "stacks around the end of all", stacks_wrap },
	{ "stacks too small", stacks_small },
	{ "a stack of half a page", stack_unaligned },
	{ "a reserved word of the policy", policy_reserved },
};

#define WRONG (sizeof(wrong) / sizeof(wrong[0]))

static void test_create(void)
{
	struct mon_enclave_create c;
	unsigned int i;
	int fd;

	for (i = 0; i < WRONG; i++) {
		c = puppet_policy();
		wrong[i].change(&c);
		fd = enclave_create(&c);
		is((long)fd, -EINVAL, "create: %s", wrong[i].name);
		if (fd >= 0)
			close(fd);
	}
	is(enclave_create((void *)8), -EFAULT, "create: a structure that is nowhere");
	c = puppet_policy();
	c.frames = 1UL << 40;
	is(enclave_create(&c), -ENOMEM, "create: more than the host has");
	is(ioctl(monitor_fd, MON_IOC_ENCLAVE_RUN, &c) ? errno : 0, ENOTTY,
	   "the device itself is no enclave");
}

/* ---- add, finish ---- */

static long add(int fd, unsigned int perm, unsigned long address, unsigned long source,
		unsigned long pages, unsigned long added)
{
	struct mon_enclave_add a = {
		.size = sizeof(a), .perm = perm, .address = address, .source = source,
		.pages = pages, .added = added,
	};

	return ioctl(fd, MON_IOC_ENCLAVE_ADD, &a) ? -errno : (long)a.added;
}

static void test_add(void)
{
	unsigned long from = (unsigned long)page, value[2] = { 0 };
	struct mon_enclave_create c = puppet_policy();
	struct mon_enclave_info info;
	int fd = enclave_create(&c);

	is(add(fd, 0, PUPPET_TEXT, from, 1, 0), -EINVAL, "add: no permission");
	is(add(fd, 2, PUPPET_TEXT, from, 1, 0), -EINVAL, "add: to write only");
	is(add(fd, 4, PUPPET_TEXT, from, 1, 0), -EINVAL, "add: to execute only");
	is(add(fd, 8, PUPPET_TEXT, from, 1, 0), -EINVAL, "add: an unknown permission");
	is(add(fd, 9, PUPPET_TEXT, from, 1, 0), -EINVAL, "add: one besides");
	is(add(fd, 1, PUPPET_TEXT + 8, from, 1, 0), -EINVAL, "add: within a page");
	is(add(fd, 1, PUPPET_TEXT, from + 8, 1, 0), -EINVAL, "add: from within a page");
	is(add(fd, 1, PUPPET_TEXT, from, 0, 0), -EINVAL, "add: no pages");
	is(add(fd, 1, PUPPET_TEXT, from, 1UL << 52, 0), -EINVAL, "add: too many");
	is(add(fd, 1, PUPPET_TEXT, from, 1, 1), -EINVAL, "add: some already");
	is(add(fd, 1, PUPPET_HEAP, from, 1, 0), -EINVAL, "add: to the heap");
	is(add(fd, 1, PUPPET_BUFFER, from, 1, 0), -EINVAL, "add: to the buffer");
	is(add(fd, 1, 0, from, 1, 0), -EINVAL, "add: nowhere");
	is(add(fd, 1, MON_ENCLAVE_HIGH, from, 1, 0), -EINVAL, "add: over its page tables");
	is(add(fd, 1, PUPPET_TEXT, 1UL << 40, 1, 0), -EFAULT, "add: from nowhere");
	is(enclave_status(fd).owned, 2, "none of these has added a page");
	is(add(fd, 5, PUPPET_TEXT, from, 4, 0), 4, "add: pages");
	is(add(fd, 5, PUPPET_TEXT, from, 1, 0), -EEXIST, "add: once more");
	is(enclave_run(fd, 0, MON_ENCLAVE_CALL, value), -EBUSY, "run: not before it is finished");
	is(enclave_finish(fd, &info), 0, "finish");
	is(enclave_finish(fd, &info), -EBUSY, "finish: again");
	is(add(fd, 3, PUPPET_DATA, from, 1, 0), -EBUSY, "add: when it is finished");
	close(fd);
	c.frames = 4;
	fd = enclave_create(&c);
	is(add(fd, 5, PUPPET_TEXT, from, 4, 0), -EBUSY, "add: more than it may own");
	is(enclave_status(fd).owned, 4, "it has what it may");
	close(fd);
}

/* ---- the other requests ---- */

static long request(int fd, unsigned int number, void *what)
{
	return ioctl(fd, number, what) ? -errno : 0;
}

static void test_requests(void)
{
	struct mon_enclave_run run = { .size = sizeof(run) }, bad;
	struct mon_vm_frames frames = { .size = sizeof(frames), .flags = 1, .frames = 1 };
	struct mon_enclave_info info = { .size = 8 };
	struct enclave e;

	enclave_make(&e);
	is(request(e.fd, 0xdc99, &run), -ENOTTY, "no such request");
	is(request(e.fd, MON_IOC_INFO, &run), -ENOTTY, "one of the device's");
	is(request(e.fd, MON_IOC_ENCLAVE_RUN, NULL), -EFAULT, "run: nowhere");
	bad = run;
	bad.size = 4;
	is(request(e.fd, MON_IOC_ENCLAVE_RUN, &bad), -EINVAL, "run: too small");
	bad = run;
	bad.flags = 1;
	is(request(e.fd, MON_IOC_ENCLAVE_RUN, &bad), -EINVAL, "run: an unknown flag");
	bad = run;
	bad.reserved = 1;
	is(request(e.fd, MON_IOC_ENCLAVE_RUN, &bad), -EINVAL, "run: a reserved word");
	bad = run;
	bad.op = 3;
	is(request(e.fd, MON_IOC_ENCLAVE_RUN, &bad), -EINVAL, "run: an unknown way");
	bad = run;
	bad.thread = ~0u;
	is(request(e.fd, MON_IOC_ENCLAVE_RUN, &bad), -EINVAL, "run: no such thread");
	is(request(e.fd, MON_IOC_ENCLAVE_STATUS, &info), -EINVAL, "status: too small");
	info = (struct mon_enclave_info){ .size = sizeof(info), .flags = 1 };
	is(request(e.fd, MON_IOC_ENCLAVE_STATUS, &info), -EINVAL, "status: an unknown flag");
	is(request(e.fd, MON_IOC_ENCLAVE_REFILL, &frames), -EINVAL, "refill: an unknown flag");
	frames.flags = 0;
	frames.frames = 0;
	is(request(e.fd, MON_IOC_ENCLAVE_REFILL, &frames), -EINVAL, "refill: nothing");
	frames.frames = 1000;
	is(request(e.fd, MON_IOC_ENCLAVE_REFILL, &frames), -EINVAL, "refill: more than it can use");
	is(enclave_status(e.fd).limit, 600, "its limit is what it was");
	ok(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, e.fd, 0) == MAP_FAILED && errno == EINVAL,
	   "mmap: a copy");
	ok(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_SHARED, e.fd, 0) == MAP_FAILED &&
	   errno == EACCES, "mmap: to execute");
	ok(mmap(NULL, 5 * PAGE, PROT_READ, MAP_SHARED, e.fd, 0) == MAP_FAILED && errno == EINVAL,
	   "mmap: beyond the end");
	is(order(&e, ORDER_ADD, 2, 2), 4, "and it works");
	enclave_end(&e);
}

/* ---- for the shell ---- */

static void put(FILE *file, const void *bytes, size_t len)
{
	if (fwrite(bytes, 1, len, file) != len)
		exit(1);
}

static void put_pages(FILE *file, unsigned long address, unsigned long perm, unsigned int nr)
{
	const unsigned char *from = puppet_bytes() + (address - PUPPET_TEXT);

	for (; nr; nr--, address += PAGE, from += PAGE) {
		put(file, &address, 8);
		put(file, &perm, 8);
		put(file, from, PAGE);
	}
}

static int measure(const char *path)
{
	struct mon_enclave_create c = puppet_policy();
	FILE *file = fopen(path, "w");
	struct enclave e;
	int i;

	if (!file)
		return 1;
	enclave_make(&e);
	c.policy.handler = puppet_handler();
	put(file, &c.policy, sizeof(c.policy));
	put_pages(file, PUPPET_TEXT, 5, PUPPET_TEXT_PAGES);
	put_pages(file, PUPPET_DATA, 3, PUPPET_DATA_PAGES);
	fclose(file);
	for (i = 0; i < 32; i++)
		printf("%02x", e.info.measurement[i]);
	printf("\n");
	return 0;
}

static int spin(void)
{
	unsigned long value[2];
	struct enclave e;

	enclave_make(&e);
	order(&e, ORDER_TOUCH, PUPPET_HEAP, 100);
	printf("spins\n");
	fflush(stdout);
	e.args->a[0] = 0;
	return order_on(&e, 0, ORDER_SPIN, value);
}

#define HELD 400

static unsigned long held_at(unsigned long page)
{
	return PUPPET_HEAP + page * PAGE;
}

static int hold(void)
{
	unsigned long i, right;
	struct enclave e;

	enclave_make(&e);
	for (i = 0; i < HELD; i++)
		order(&e, ORDER_WRITE, held_at(i), ~held_at(i));
	printf("%u\n", e.info.domain);
	fflush(stdout);
	while (getchar() == '\n') {
		for (i = 0, right = 0; i < HELD; i++)
			right += order(&e, ORDER_READ, held_at(i), 0) == ~held_at(i);
		printf("%lu\n", right);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "measure"))
		return measure(argv[2]);
	if (argc == 2 && !strcmp(argv[1], "spin"))
		return spin();
	if (argc == 2 && !strcmp(argv[1], "hold"))
		return hold();
	plan(WRONG + 3 + 24 + 18);
	test_create();
	test_add();
	test_requests();
	return finish();
}
