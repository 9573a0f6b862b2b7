// SPDX-License-Identifier: GPL-2.0-only
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "host.h"

#define PAGE 4096UL

int monitor_fd = -1;

static void die(const char *what, int err)
{
	printf("Bail out! %s: %s\n", what, strerror(err));
	exit(1);
}

struct mon_enclave_create puppet_policy(void)
{
	struct mon_enclave_create c = {
		.size = sizeof(c), .frames = 600,
		.policy = {
			.version = MON_ENCLAVE_POLICY_VERSION, .nr_ranges = 5,
			.nr_threads = PUPPET_THREADS, .stacks = PUPPET_STACKS,
			.stack_size = PUPPET_STACK_SIZE, .entry = PUPPET_TEXT,
			.range = {
				{ PUPPET_TEXT, PUPPET_TEXT + PUPPET_TEXT_PAGES * PAGE,
				  MON_ENCLAVE_PAGES, 0 },
				{ PUPPET_DATA, PUPPET_DATA + PUPPET_DATA_PAGES * PAGE,
				  MON_ENCLAVE_PAGES, 0 },
				{ PUPPET_HEAP, PUPPET_HEAP + PUPPET_HEAP_PAGES * PAGE,
				  MON_ENCLAVE_ZERO, 0 },
				{ PUPPET_STACKS, PUPPET_STACKS_END, MON_ENCLAVE_ZERO, 0 },
				{ PUPPET_BUFFER, PUPPET_BUFFER + PUPPET_BUFFER_PAGES * PAGE,
				  MON_ENCLAVE_BUFFER, 0 },
			},
		},
	};

	return c;
}

int enclave_create(const struct mon_enclave_create *create)
{
	int fd;

	if (monitor_fd < 0)
		monitor_fd = open(MON_DEVICE, O_RDWR | O_CLOEXEC);
	fd = ioctl(monitor_fd, MON_IOC_ENCLAVE_CREATE, create);
	return fd < 0 ? -errno : fd;
}

int enclave_add(int fd, unsigned long address, unsigned int perm, const void *from,
		unsigned long pages)
{
	struct mon_enclave_add add = {
		.size = sizeof(add), .perm = perm, .address = address,
		.source = (unsigned long)from, .pages = pages,
	};

	return ioctl(fd, MON_IOC_ENCLAVE_ADD, &add) ? -errno : 0;
}

/* The text, filled up with zeros, then the data: as the linker script has them. */
const unsigned char *puppet_bytes(void)
{
	static unsigned char *bytes;
	size_t size = PUPPET_DATA + PUPPET_DATA_PAGES * PAGE - PUPPET_TEXT;
	FILE *file;

	if (bytes)
		return bytes;
	bytes = aligned_alloc(PAGE, size);
	memset(bytes, 0, size);
	file = fopen(PUPPET_FILE, "r");
	if (!file || !fread(bytes, 1, size, file))
		die(PUPPET_FILE, errno);
	fclose(file);
	return bytes;
}

int enclave_add_puppet(int fd)
{
	const unsigned char *bytes = puppet_bytes();
	int err = enclave_add(fd, PUPPET_TEXT, MON_ENCLAVE_READ | MON_ENCLAVE_EXEC, bytes,
			      PUPPET_TEXT_PAGES);

	return err ? err : enclave_add(fd, PUPPET_DATA, MON_ENCLAVE_READ | MON_ENCLAVE_WRITE,
				       bytes + (PUPPET_DATA - PUPPET_TEXT), PUPPET_DATA_PAGES);
}

int enclave_finish(int fd, struct mon_enclave_info *info)
{
	*info = (struct mon_enclave_info){ .size = sizeof(*info) };
	return ioctl(fd, MON_IOC_ENCLAVE_FINISH, info) ? -errno : 0;
}

/* Its data begins with the address of its handler and the number of its instructions. */
static unsigned long puppet_word(unsigned int i)
{
	unsigned long word;

	memcpy(&word, puppet_bytes() + (PUPPET_DATA - PUPPET_TEXT) + i * sizeof(word),
	       sizeof(word));
	return word;
}

unsigned long puppet_handler(void)
{
	return puppet_word(0);
}

unsigned long puppet_insns(void)
{
	return puppet_word(1);
}

void enclave_make(struct enclave *e)
{
	struct mon_enclave_create create = puppet_policy();

	create.policy.handler = puppet_handler();
	enclave_make_of(e, &create);
}

void enclave_make_of(struct enclave *e, const struct mon_enclave_create *create)
{
	int err;

	e->fd = enclave_create(create);
	if (e->fd < 0)
		die("MON_IOC_ENCLAVE_CREATE", -e->fd);
	err = enclave_add_puppet(e->fd);
	if (err)
		die("MON_IOC_ENCLAVE_ADD", -err);
	err = enclave_finish(e->fd, &e->info);
	if (err)
		die("MON_IOC_ENCLAVE_FINISH", -err);
	e->args = mmap(NULL, PUPPET_BUFFER_PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, e->fd,
		       0);
	if (e->args == MAP_FAILED)
		die("mmap of the buffer", errno);
}

void enclave_end(struct enclave *e)
{
	munmap(e->args, PUPPET_BUFFER_PAGES * PAGE);
	close(e->fd);
}

struct mon_enclave_info enclave_status(int fd)
{
	struct mon_enclave_info info = { .size = sizeof(info) };

	if (ioctl(fd, MON_IOC_ENCLAVE_STATUS, &info))
		die("MON_IOC_ENCLAVE_STATUS", errno);
	return info;
}

long enclave_evict(struct enclave *e, unsigned long pages)
{
	struct mon_enclave_evict evict = {
		.size = sizeof(evict), .domain = e->info.domain, .pages = pages,
	};

	return ioctl(monitor_fd, MON_IOC_ENCLAVE_EVICT, &evict) ? -errno : (long)evict.pages;
}

int enclave_run(int fd, unsigned int thread, unsigned int op, unsigned long value[2])
{
	struct mon_enclave_run run = {
		.size = sizeof(run), .thread = thread, .op = op, .value = { value[0], value[1] },
	};

	if (ioctl(fd, MON_IOC_ENCLAVE_RUN, &run))
		return -errno;
	value[0] = run.value[0];
	value[1] = run.value[1];
	return (int)run.exit;
}

long enclave_call(unsigned int domain, unsigned int thread, unsigned int op,
		  unsigned long value[2])
{
	register unsigned long r10 asm("r10") = value[1];
	unsigned long rdi = domain | (unsigned long)thread << 32, rsi = op, rdx = value[0];
	long ret = MON_HYPERCALL | MON_HC_ENCLAVE_RUN;

	asm volatile("vmcall" : "+a"(ret), "+D"(rdi), "+S"(rsi), "+d"(rdx), "+r"(r10)
		     : : "rcx", "r8", "r9", "r11", "memory", "cc");
	value[0] = rsi;
	value[1] = rdx;
	return ret;
}

static void refill(int fd)
{
	struct mon_vm_frames frames = { .size = sizeof(frames), .frames = 64 };

	if (ioctl(fd, MON_IOC_ENCLAVE_REFILL, &frames))
		die("MON_IOC_ENCLAVE_REFILL", errno);
}

int order_on(struct enclave *e, unsigned int thread, enum puppet_order order,
	     unsigned long value[2])
{
	unsigned int op = MON_ENCLAVE_CALL;
	int why;

	value[0] = order;
	value[1] = PUPPET_BUFFER + thread * PAGE;
	for (;;) {
		why = enclave_run(e->fd, thread, op, value);
		op = MON_ENCLAVE_RESUME;
		if (why == MON_ENCLAVE_OCALL) {
			op = MON_ENCLAVE_ANSWER;
			value[0] = value[1] + 1;
		} else if (why == MON_ENCLAVE_NEEDS_FRAME) {
			refill(e->fd);
		} else if (why != -EINTR) {
			return why;
		}
	}
}

unsigned long order(struct enclave *e, enum puppet_order what, unsigned long a0, unsigned long a1)
{
	unsigned long value[2];
	int why;

	e->args->a[0] = a0;
	e->args->a[1] = a1;
	why = order_on(e, 0, what, value);
	if (why == MON_ENCLAVE_RETURNED)
		return value[0];
	printf("# order %d with %#lx, %#lx: exit %d, %#lx, %#lx\n", what, a0, a1, why, value[0],
	       value[1]);
	return ~0UL;
}

/* ---- TAP ---- */

static unsigned int planned, points, failed;

void plan(unsigned int nr)
{
	planned = nr;
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n1..%u\n", nr);
}

static void point(bool good, const char *fmt, va_list args)
{
	points++;
	failed += !good;
	printf("%sok %u - ", good ? "" : "not ", points);
	vprintf(fmt, args);
	putchar('\n');
}

void ok(bool good, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	point(good, fmt, args);
	va_end(args);
}

void is(unsigned long got, unsigned long wanted, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	point(got == wanted, fmt, args);
	va_end(args);
	if (got != wanted)
		printf("#    got: %#lx\n# wanted: %#lx\n", got, wanted);
}

int finish(void)
{
	if (points != planned)
		printf("# planned %u points, made %u\n", planned, points);
	return failed || points != planned;
}
