// SPDX-License-Identifier: GPL-2.0-only
/* Requests of /dev/monitor and of what it gives, with right and wrong descriptors; and mappings. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/time.h>
#include <unistd.h>
#include "../../../uapi/monitor.h"
#include "../../share/puppet.h"
#include "fuzzer.h"

#define OPEN_MAX_ 24
#define MAPS_MAX 8
#define SMALL_PAGES 1536UL	  /* what a VM may take of the host's memory here ... */
#define ABSURD_PAGES (1UL << 26)  /* ... and what the module refuses at once */

static int dev, other_file;
static pid_t child;
static int opened[OPEN_MAX_];
static unsigned int nr_opened;
static struct {
	void *at;
	size_t size;
} maps[MAPS_MAX];
static unsigned int nr_maps;
static int last_vm = -1, last_share = -1;
static sigjmp_buf fault;

static void on_fault(int signal)
{
	(void)signal;
	siglongjmp(fault, 1);
}

static void on_alarm(int signal)
{
	(void)signal;
}

/* The VM waits for memory that it gave back: it may have all of it again. */
static void refill(int signal)
{
	struct mon_vm_frames f = { .size = sizeof(f) };

	(void)signal;
	for (f.frames = 512; f.frames; f.frames /= 2)
		while (!ioctl(victim, MON_IOC_VM_REFILL, &f))
			;
}

void requests_init(void)
{
	struct sigaction bad = { .sa_handler = on_fault, .sa_flags = SA_NODEFER };
	struct sigaction alarm = { .sa_handler = on_alarm };
	struct itimerval often = { { 0, 100000 }, { 0, 100000 } };

	child = fork();
	if (!child) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		for (;;)
			pause();
	}
	dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC);
	other_file = memfd_create("other", 0);
	sigaction(SIGBUS, &bad, NULL);
	sigaction(SIGSEGV, &bad, NULL);
	sigaction(SIGALRM, &alarm, NULL);
	setitimer(ITIMER_REAL, &often, NULL);
	puppet_options.idle = refill;
}

static int file_of(const struct op *op)
{
	switch (op->unit % 7) {
	case 0:
		return dev;
	case 1:
		return victim;
	case 2:
		return last_vm;
	case 3:
		return last_share;
	case 4:
		return other_file;
	case 5:
		return op->number & 1 ? dev : victim;
	default:
		return nr_opened ? opened[op->number % nr_opened] : -1;
	}
}

static unsigned long request_of(unsigned int number)
{
	static const unsigned long requests[] = {
		MON_IOC_INFO, MON_IOC_SHARE_AT, MON_IOC_PAGES, MON_IOC_VM_ARM, MON_IOC_VM_STATUS,
		MON_IOC_VM_COLLECT, MON_IOC_VM_REFILL, MON_IOC_SHARE_ACCEPT, MON_IOC_SHARE_OFFER,
		MON_IOC_SHARE_STATUS, MON_IOC_VM_ARM, MON_IOC_SHARE_ACCEPT, MON_IOC_SHARE_OFFER,
		_IO(MON_IOC_MAGIC, 0x7f), MON_IOC_VM_KEY, MON_IOC_ENCLAVE_CREATE,
		MON_IOC_ENCLAVE_ADD, MON_IOC_ENCLAVE_FINISH, MON_IOC_ENCLAVE_RUN,
		MON_IOC_ENCLAVE_STATUS, MON_IOC_ENCLAVE_REFILL, MON_IOC_ENCLAVE_EVICT,
	};

	return requests[number % (sizeof(requests) / sizeof(requests[0]))];
}

static uint64_t pages_of(const struct mon_vm_policy *p)
{
	uint64_t pages = 0;
	unsigned int i;

	for (i = 0; i < MON_VM_MAX_RANGES; i++)
		pages += (p->range[i].end - p->range[i].start) / PAGE;
	return pages;
}

/* Whose the VM is to be; and not so large that the test would be about the host's memory. */
static void arm_this(const struct op *op, void *at)
{
	static const int pids[] = { 0, 1, 2, -1, 4000000 };
	struct mon_vm_arm *a = at;
	unsigned int i = op->arg[1].index % 10;

	if (!a->pid)
		a->pid = i < 5 ? child : i == 5 ? getpid() : pids[i - 5];
	if (pages_of(&a->policy) > SMALL_PAGES && pages_of(&a->policy) < ABSURD_PAGES)
		a->policy.range[0].end = a->policy.range[0].start + 16 * PAGE;
}

static void note_file(int file, unsigned long request)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	struct mon_share_info share = { .size = sizeof(share) };
	struct mon_enclave_info enclave = { .size = sizeof(enclave) };

	opened[nr_opened++] = file;
	if (request == MON_IOC_ENCLAVE_CREATE) {
		if (!ioctl(file, MON_IOC_ENCLAVE_STATUS, &enclave))
			note_domain(enclave.domain);
		return;
	}
	if (request == MON_IOC_VM_ARM) {
		last_vm = file;
		if (!ioctl(file, MON_IOC_VM_STATUS, &info))
			note_domain(info.domain);
		return;
	}
	last_share = file;
	if (!ioctl(file, MON_IOC_SHARE_STATUS, &share))
		note_share(share.id);
}

int64_t do_request(const struct op *op)
{
	unsigned long request = request_of(op->number), argument;
	uint8_t *at = arena + 16 * PAGE;
	int result;

	if (nr_opened == OPEN_MAX_)
		return 0;
	structure_make(op, at, (uint64_t)at);
	if (op->structure == ST_ARM || op->structure == ST_ARM_DISK)
		arm_this(op, at);
	if (op->structure == ST_ACCEPT && !((struct mon_share_accept *)at)->id)
		((struct mon_share_accept *)at)->id = value_of(&op->arg[1], 0);
	argument = op->arg[0].kind == 'U' ? value_of(&op->arg[0], (uint64_t)at) : (uint64_t)at;
	result = ioctl(file_of(op), request, argument);
	if (result < 0)
		return -errno;
	if (result > 2 && (request == MON_IOC_VM_ARM || request == MON_IOC_SHARE_ACCEPT ||
			   request == MON_IOC_SHARE_OFFER || request == MON_IOC_ENCLAVE_CREATE))
		note_file(result, request);
	return result;
}

/* The number of pages, where, and for what; the first is touched, and the last. */
int64_t do_map(const struct op *op)
{
	static const int prots[] = { PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_EXEC,
				     PROT_NONE };
	size_t size = (value_of(&op->arg[0], 0) % 16 + 1) * PAGE;
	int prot = prots[op->arg[1].index % 4], type = op->arg[1].index % 16 ? MAP_SHARED :
									       MAP_PRIVATE;
	volatile uint8_t *p;

	if (nr_maps == MAPS_MAX)
		return 0;
	p = mmap(NULL, size, prot, type, op->unit % 2 ? file_of(op) : last_share,
		 op->arg[2].index % 8 / 6 * PAGE);
	if (p == MAP_FAILED)
		return -errno;
	maps[nr_maps].at = (void *)p;
	maps[nr_maps++].size = size;
	if (sigsetjmp(fault, 1))
		return -EFAULT;
	(void)*p;
	(void)p[size - 1];
	*p = 1;
	return 0;
}

void requests_clean(void)
{
	while (nr_maps) {
		nr_maps--;
		munmap(maps[nr_maps].at, maps[nr_maps].size);
	}
	while (nr_opened)
		close(opened[--nr_opened]);
	last_vm = -1;
	last_share = -1;
}
