// SPDX-License-Identifier: GPL-2.0-only
/* What there is to be named in an input, and what has to be as it was after each batch. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "../../../uapi/guest.h"
#include "../../../uapi/monitor.h"
#include "../../share/puppet.h"
#include "fuzzer.h"
#include "guest.h"

#define HUGE_PAGE (2UL << 20)
#define NOTES 8
#define SECRET_FRAMES 4 /* that are looked at after each batch */

uint8_t *arena;
uint64_t arena_pa, frames_total;
int victim;
unsigned int victim_domain;
uint64_t keeper;
int64_t results[MAX_OPS];
uint64_t used[MAX_OPS][NR_ARGS + MAX_EDITS];
unsigned int nr_results;
uint64_t frame_of[CLASS_NR];

static uint64_t shares[NOTES], domains[NOTES];
static unsigned int nr_shares, nr_domains;
static uint64_t secret_frame[SECRET_FRAMES];
static int testmod_fd;

void die(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	fflush(stdout);
	_exit(1);
}

/* ---- testmod ---- */

int64_t testmod(const char *format, ...)
{
	char text[160];
	va_list ap;
	ssize_t n;

	va_start(ap, format);
	n = vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	if (write(testmod_fd, text, n) != n)
		return -errno;
	n = pread(testmod_fd, text, sizeof(text) - 1, 0);
	text[n > 0 ? n : 0] = '\0';
	if (!strncmp(text, "fault ", 6))
		return -1000 - strtol(text + 6, NULL, 10);
	return strncmp(text, "0x", 2) ? strtoll(text, NULL, 10) :
					(int64_t)strtoull(text, NULL, 16);
}

int64_t hypercall(unsigned int cpu, uint64_t number, uint64_t a, uint64_t b, uint64_t c,
		  uint64_t d)
{
	return testmod("vmcall %u %#lx %#lx %#lx %#lx %#lx", cpu,
		       (uint64_t)(MON_HYPERCALL | number), a, b, c, d);
}

/* ---- whose the frames are ---- */

static const struct mon_frame *frames(uint64_t pfn, uint64_t nr)
{
	if (hypercall(0, MON_HC_FRAMES, pfn, nr, arena_pa + SCRATCH_PAGE * PAGE, 0))
		return NULL;
	return (const void *)(arena + SCRATCH_PAGE * PAGE);
}

/* May the monitor take all of them for the host's? */
bool all_hosts(uint64_t pfn, uint64_t nr)
{
	const struct mon_frame *f;
	uint64_t i;

	if (!nr || nr > MON_FRAMES_MAX)
		return false;
	f = frames(pfn, nr);
	for (i = 0; f && i < nr; i++)
		if (f[i].state)
			return false;
	return f;
}

static void note_frame(const struct mon_frame *f, uint64_t pfn)
{
	static const enum class used[] = { CLASS_IMAGE, CLASS_IMAGE, CLASS_TABLE, CLASS_VMX,
					   CLASS_STATE };
	enum class class;

	if (f->state == 3 && f->type < 5)
		class = used[f->type];
	else if (f->state == 2)
		class = CLASS_FREE;
	else if (f->state == 4)
		class = f->flags & MON_FRAME_SHARED ? CLASS_SHARED : CLASS_PRIVATE;
	else if (f->state == 1)
		class = CLASS_TRANSIT;
	else if (f->state == 5)
		class = CLASS_HOLE;
	else if (!f->state && f->flags & MON_FRAME_PINNED)
		class = CLASS_PINNED;
	else
		return;
	if (class == CLASS_PRIVATE && (f->owner == victim_domain || f->owner == keeper))
		secret_frame[below(SECRET_FRAMES)] = pfn;
	if (!frame_of[class] || !below(16))
		frame_of[class] = pfn;
}

void world_survey(void)
{
	const struct mon_frame *f;
	uint64_t pfn, nr, i;

	memset(frame_of, 0, sizeof(frame_of));
	for (pfn = 0; pfn < frames_total; pfn += nr) {
		nr = frames_total - pfn < MON_FRAMES_MAX ? frames_total - pfn : MON_FRAMES_MAX;
		f = frames(pfn, nr);
		for (i = 0; f && i < nr; i++)
			note_frame(&f[i], pfn + i);
	}
}

/* ---- values ---- */

static uint64_t boundary(unsigned int index)
{
	static const uint64_t values[] = {
		0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 31, 32, 63, 64, 255, 256, 257, 527, 528, 529, 511,
		512, 513, 1024, 1025, 4093, 4095, 4096, 4097, 0xfffe, 0xffff, 0x10000, 0x20000,
		0xa0, 0xa0000, 1UL << 20, 0x7fffffff, 0x80000000, 0xfee00000, 0xfffffff8,
		0xffffffff, 1UL << 32, 1UL << 36, 1UL << 39, 1UL << 40, (1UL << 40) - 1, 1UL << 47,
		(1UL << 52) - 4096, 1UL << 52, 1UL << 63, ~0UL - 4095, ~0UL - 7, ~0UL - 1, ~0UL,
		(1UL << 32) | 1, (9UL << 32) | 1, 3UL << 32, 2UL << 32,
	};
	const unsigned int nr = sizeof(values) / sizeof(values[0]);

	index %= nr + 3;
	return index < nr ? values[index] : index == nr ? frames_total :
	       index == nr + 1 ? frames_total - 1 : frames_total * PAGE - 8;
}

/* In user memory, wrong in one way or another */
static uint64_t pointer(unsigned int index, uint64_t structure)
{
	switch (index % 8) {
	case 0:
		return 0;
	case 1:
		return 0xffffffff81000000UL;
	case 2:
		return structure + 1;
	case 3:
		return (uint64_t)arena + HUGE_PAGE - 16; /* nothing is behind it */
	case 4:
		return 1UL << 63;
	case 5:
		return ~0UL;
	case 6:
		return (uint64_t)"only to be read";
	default:
		return structure;
	}
}

static uint64_t domain(unsigned int index)
{
	static const uint64_t others[] = { MON_DOMAIN_HOST, MON_DOMAIN_MONITOR, MON_DOMAIN_NONE,
					   17 };

	if (index & 1 && nr_domains) /* the newest first */
		return domains[nr_domains - 1 - index / 2 % nr_domains];
	if (index % 8 == 4)
		return keeper;
	return index % 8 == 6 ? others[index / 8 % 4] : victim_domain;
}

static uint64_t enclave_call(unsigned int index)
{
	static const uint64_t perms[] = { MON_ENCLAVE_READ, MON_ENCLAVE_READ | MON_ENCLAVE_WRITE,
					  MON_ENCLAVE_READ | MON_ENCLAVE_EXEC, 7 };

	uint64_t number = index % (MON_EC_NR + 1);

	if (number == MON_EC_OFFER || number == MON_EC_ACCEPT)
		number |= ENCLAVE_COPIES;
	return number | 1 << 8 | perms[index / 16 % 4] << 32;
}

uint64_t value_of(const struct value *v, uint64_t structure)
{
	uint64_t pfn = frame_of[v->index % CLASS_NR], add = v->add;

	switch (v->kind) {
	case 'C': /* a number */
		return add;
	case 'V': /* a number at some limit */
		return boundary(v->index) + add;
	case 'F': /* address of a frame of each kind; P: its number */
		return pfn * PAGE + add;
	case 'P':
		return pfn + add;
	case 'A': /* address of a page of the fuzzer's; N: its number */
		return arena_pa + v->index % ARENA_PAGES * PAGE + add;
	case 'N':
		return arena_pa / PAGE + v->index % ARENA_PAGES + add;
	case 'R': /* what came of an operation before */
		return (v->index < nr_results ? (uint64_t)results[nr_results - 1 - v->index] : 0) +
		       add;
	case 'D': /* a domain */
		return domain(v->index) + add;
	case 'S': /* a share */
		return (nr_shares ? shares[v->index % nr_shares] : 0) + add;
	case 'T': /* the structure */
		return structure + add;
	case 'U': /* not there */
		return pointer(v->index, structure) + add;
	case 'E': /* a call of an enclave's: its number, second and third argument */
		return enclave_call(v->index) + add;
	case 'G': /* a page of the VM's that it may share and give back */
		return GUEST_PLAY / PAGE + v->index * 8 % GUEST_PLAY_PAGES + add;
	default:
		return 0;
	}
}

static void note(uint64_t *notes, unsigned int *nr, uint64_t value)
{
	if (*nr == NOTES)
		memmove(notes, notes + 1, --*nr * sizeof(*notes));
	notes[(*nr)++] = value;
}

void note_share(uint64_t id)
{
	note(shares, &nr_shares, id);
}

uint64_t share_newest(void)
{
	return nr_shares ? shares[nr_shares - 1] : 0;
}

void note_domain(uint64_t number)
{
	note(domains, &nr_domains, number);
}

/* ---- what was there at the beginning is there still ---- */

/* NULL, or what is wrong. */
const char *world_whole(void)
{
	unsigned int i;
	uint64_t *word = (uint64_t *)(arena + ARENA_PAGES * PAGE);
	int64_t got;

	for (i = 0; i < CANARY_PAGES * PAGE / 8; i++)
		if (word[i] != ~(uint64_t)i)
			return "a page of the host's has changed";
	if (puppet(PUPPET_COUNT, GUEST_SECRET, GUEST_WORD, GUEST_SECRET_WORDS, 0) !=
	    (long)GUEST_SECRET_WORDS)
		return "the VM has not all it had";
	for (i = 0; i < SECRET_FRAMES; i++) {
		if (!secret_frame[i])
			continue;
		got = testmod("load 8 %#lx", secret_frame[i] * PAGE);
		if (got && got != -1013)
			return "the host reads a page of the VM's, or of the enclave's";
	}
	if (!enclave_whole())
		return "the enclave has not all it had";
	return NULL;
}

/* ---- the beginning ---- */

static uint64_t physical(const void *at)
{
	int fd = open("/proc/self/pagemap", O_RDONLY);
	uint64_t entry = 0;

	if (pread(fd, &entry, 8, (uintptr_t)at / PAGE * 8) != 8 || !(entry >> 63))
		die("pagemap");
	close(fd);
	return (entry & ((1UL << 55) - 1)) * PAGE;
}

/* One large page: it lies in one piece, and the kernel neither moves it nor gives it to others. */
static void arena_make(void)
{
	uint64_t *word, i;

	arena = mmap(NULL, HUGE_PAGE, PROT_READ | PROT_WRITE,
		     MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_POPULATE, -1, 0);
	if (arena == MAP_FAILED)
		die("a large page");
	arena_pa = physical(arena);
	word = (uint64_t *)(arena + ARENA_PAGES * PAGE);
	for (i = 0; i < CANARY_PAGES * PAGE / 8; i++)
		word[i] = ~i;
}

void world_init(void)
{
	struct mon_info info = { .size = sizeof(info) };
	struct mon_vm_info vm = { .size = sizeof(vm) };
	int dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC);

	testmod_fd = open("/sys/kernel/debug/testmod/do", O_RDWR | O_CLOEXEC);
	if (testmod_fd < 0 || dev < 0 || ioctl(dev, MON_IOC_INFO, &info))
		die("testmod and the monitor");
	close(dev);
	frames_total = info.frames_total;
	arena_make();
	victim = puppet_start(GUEST_RAM);
	if (ioctl(victim, MON_IOC_VM_STATUS, &vm))
		die("the VM");
	victim_domain = vm.domain;
	puppet(PUPPET_FILL, GUEST_SECRET, GUEST_WORD, GUEST_SECRET_WORDS, 0);
	puppet(PUPPET_TOUCH, GUEST_PLAY, 1, GUEST_PLAY_PAGES, 0);
	enclave_init();
	hypercall(0, MON_HC_DONATE, arena_pa / PAGE + SCRATCH_PAGE + 2, 1, 0, 0); /* in transit */
}
