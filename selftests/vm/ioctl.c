// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: ioctl FUZZ-SECONDS
 *
 * Every request of uapi/monitor.h, asked rightly and in every wrong way, as
 * TAP. Needs root and the module; no VM is ever run.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include "ioctl.h"

#define ROUNDS 8

static unsigned int points, failures;
int dev;

void ok(bool good, const char *name)
{
	points++;
	failures += !good;
	printf("%sok %u - %s\n", good ? "" : "not ", points, name);
}

int ask(int fd, unsigned long cmd, void *arg)
{
	int ret = ioctl(fd, cmd, arg);

	return ret < 0 ? -errno : ret;
}

void is(long got, long wanted, const char *name)
{
	ok(got == wanted, name);
	if (got != wanted)
		printf("#      got: %ld (%s)\n#   wanted: %ld (%s)\n", got,
		       got < 0 ? strerror(-got) : "", wanted, wanted < 0 ? strerror(-wanted) : "");
}

/* ---- what the monitor says ---- */

struct mon_info info(void)
{
	struct mon_info i = { .size = sizeof(i) };

	if (ioctl(dev, MON_IOC_INFO, &i))
		memset(&i, 0, sizeof(i));
	return i;
}

struct mon_vm_info status(int domain)
{
	struct mon_vm_info i = { .size = sizeof(i) };

	if (ioctl(domain, MON_IOC_VM_STATUS, &i))
		memset(&i, 0xff, sizeof(i));
	return i;
}

unsigned long long host_frames(void)
{
	return info().frames_by_state[0];
}

/* ---- processes to arm ---- */

pid_t start(void)
{
	pid_t pid = fork();

	if (!pid) {
		close(dev);
		for (;;)
			pause();
	}
	return pid;
}

void stop(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static void range(struct mon_vm_policy *p, __u64 begin, __u64 end, __u32 type)
{
	p->range[p->nr_ranges].start = begin;
	p->range[p->nr_ranges].end = end;
	p->range[p->nr_ranges++].type = type;
}

/* A small VM: 4 MiB and firmware. */
struct mon_vm_arm good_request(pid_t pid)
{
	struct mon_vm_arm a = { .size = sizeof(a), .pid = pid };

	a.policy.version = MON_VM_POLICY_VERSION;
	a.policy.max_vcpus = 2;
	range(&a.policy, 0, 0xa0000, MON_RANGE_RAM);
	range(&a.policy, 0xe0000, 0x100000, MON_RANGE_FIRMWARE_RAM);
	range(&a.policy, 0x100000, 0x400000, MON_RANGE_RAM);
	range(&a.policy, 0xfffc0000, 0x100000000ULL, MON_RANGE_FIRMWARE);
	return a;
}

int arm(pid_t pid)
{
	struct mon_vm_arm a = good_request(pid);

	return ask(dev, MON_IOC_VM_ARM, &a);
}

/* ---- any request: its size, where it lies, its number ---- */

char big[2 * PAGE];

/* @good: a request of @size bytes; asked with other sizes in front. */
static int sized(int fd, unsigned long cmd, const void *good, size_t size, __u32 claim)
{
	memset(big, 0, sizeof(big));
	memcpy(big, good, size);
	memcpy(big, &claim, sizeof(claim));
	return ask(fd, cmd, big);
}

void test_sizes(int fd, unsigned long cmd, const void *good, size_t size, size_t first,
		const char *name)
{
	char text[80];

	snprintf(text, sizeof(text), "%s: size 0", name);
	is(sized(fd, cmd, good, size, 0), -EINVAL, text);
	snprintf(text, sizeof(text), "%s: a byte less than the first version", name);
	is(sized(fd, cmd, good, size, first - 1), -EINVAL, text);
	snprintf(text, sizeof(text), "%s: more than 4096 bytes", name);
	is(sized(fd, cmd, good, size, 4097), -EINVAL, text);
	snprintf(text, sizeof(text), "%s: the largest size there is", name);
	is(sized(fd, cmd, good, size, ~0U), -EINVAL, text);

	memset(big, 0, sizeof(big));
	memcpy(big, good, size);
	*(__u32 *)big = size + 8;
	big[size + 7] = 1;
	snprintf(text, sizeof(text), "%s: longer than known, and not zero there", name);
	is(ask(fd, cmd, big), -E2BIG, text);
}

void test_addresses(int fd, unsigned long cmd, const void *good, size_t size, const char *name)
{
	char *pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char text[80];

	munmap(pages + PAGE, PAGE);
	snprintf(text, sizeof(text), "%s: no address", name);
	is(ask(fd, cmd, NULL), -EFAULT, text);
	snprintf(text, sizeof(text), "%s: an address of the kernel", name);
	is(ask(fd, cmd, (void *)0xffff888000001000UL), -EFAULT, text);
	snprintf(text, sizeof(text), "%s: an address that is none", name);
	is(ask(fd, cmd, (void *)0x8000000000000000UL), -EFAULT, text);
	memcpy(pages + PAGE - size / 2, good, size / 2);
	snprintf(text, sizeof(text), "%s: half of it in memory", name);
	is(ask(fd, cmd, pages + PAGE - size / 2), -EFAULT, text);
	munmap(pages, PAGE);
}

static const struct {
	unsigned long cmd;
	enum file_kind kind;
} requests[] = {
	{ MON_IOC_INFO, DEVICE },      { MON_IOC_SHARE_AT, DEVICE },
	{ MON_IOC_PAGES, DEVICE },     { MON_IOC_VM_ARM, DEVICE },
	{ MON_IOC_VM_STATUS, DOMAIN }, { MON_IOC_VM_COLLECT, DOMAIN },
	{ MON_IOC_VM_REFILL, DOMAIN }, { MON_IOC_SHARE_ACCEPT, DOMAIN }, { MON_IOC_VM_KEY, DOMAIN },
	{ MON_IOC_SHARE_OFFER, DOMAIN }, { MON_IOC_SHARE_STATUS, SHARE },
	{ MON_IOC_ENCLAVE_CREATE, DEVICE }, { MON_IOC_ENCLAVE_EVICT, DEVICE },
};

#define NR_REQUESTS (sizeof(requests) / sizeof(requests[0]))

static bool request_of(unsigned long cmd, enum file_kind kind)
{
	unsigned int i;

	for (i = 0; i < NR_REQUESTS; i++)
		if (requests[i].cmd == cmd && requests[i].kind == kind)
			return true;
	return false;
}

void test_numbers(int fd, enum file_kind kind, const char *name)
{
	unsigned long cmd;
	char text[80];
	int wrong = 0;

	memset(big, 0, sizeof(big));
	*(__u32 *)big = sizeof(struct mon_info);
	for (cmd = 0; cmd < 0x100; cmd++) {
		if (!request_of(_IO(MON_IOC_MAGIC, cmd), kind))
			wrong += ask(fd, _IO(MON_IOC_MAGIC, cmd), big) != -ENOTTY;
		wrong += ask(fd, _IO(MON_IOC_MAGIC + 1, cmd), big) != -ENOTTY;
		wrong += ask(fd, _IOWR(MON_IOC_MAGIC, cmd, struct mon_info), big) != -ENOTTY;
	}
	snprintf(text, sizeof(text), "%s: no other number is a request", name);
	is(wrong, 0, text);
}

/* ---- MON_IOC_INFO ---- */

static void test_info(void)
{
	struct mon_info i = { .size = sizeof(i) }, wrong;
	unsigned long long sum = 0;
	static const __u8 zero[32];
	unsigned int n;

	is(ask(dev, MON_IOC_INFO, &i), 0, "info");
	for (n = 0; n < MON_INFO_STATES; n++)
		sum += i.frames_by_state[n];
	ok(i.size == sizeof(i) && i.api_version == MON_API_VERSION &&
	   i.abi_version == MON_ABI_VERSION && i.nr_cpus && !i.nr_domains &&
	   i.vm_policy_version == MON_VM_POLICY_VERSION && i.nr_counters &&
	   memcmp(i.image_hash, zero, sizeof(zero)), "info: versions, CPUs, image");
	ok(i.frames_total && sum == i.frames_total, "info: each frame has one state");

	i = (struct mon_info){ .size = sizeof(i) };
	test_sizes(dev, MON_IOC_INFO, &i, sizeof(i), MON_INFO_SIZE_V1, "info");
	test_addresses(dev, MON_IOC_INFO, &i, sizeof(i), "info");
	is(sized(dev, MON_IOC_INFO, &i, sizeof(i), PAGE), 0, "info: longer than known, zero there");
	ok(*(__u32 *)big == sizeof(i), "info: says how much of it there is");
	wrong = i;
	wrong.flags = 1U << 31;
	is(ask(dev, MON_IOC_INFO, &wrong), -EINVAL, "info: unknown flag");
	wrong = i;
	wrong.reserved = 1;
	is(ask(dev, MON_IOC_INFO, &wrong), -EINVAL, "info: padding");
	test_numbers(dev, DEVICE, "device");
}

/* ---- MON_IOC_VM_ARM, refused ---- */

static void bad(const struct mon_vm_arm *request, int wanted, const char *what)
{
	struct mon_vm_arm a = *request;
	char text[80];

	snprintf(text, sizeof(text), "arm: %s", what);
	is(ask(dev, MON_IOC_VM_ARM, &a), wanted, text);
}

#define BAD(what, change)                        \
	do {                                     \
		struct mon_vm_arm a = *good;     \
		struct mon_vm_policy *p = &a.policy; \
		(void)p;                         \
		change;                          \
		bad(&a, -EINVAL, what);          \
	} while (0)

static void test_bad_policies(const struct mon_vm_arm *good)
{
	BAD("unknown flag", a.flags = 1);
	BAD("padding", a.reserved = 1);
	BAD("process 0", a.pid = 0);
	BAD("process -1", a.pid = -1);
	BAD("policy version 0", p->version = 0);
	BAD("policy version 1", p->version = 1);
	BAD("policy version 3", p->version = 3);
	BAD("policy flag", p->flags = 1);
	BAD("no range", p->nr_ranges = 0);
	BAD("nine ranges", p->nr_ranges = 9);
	BAD("4 billion ranges", p->nr_ranges = ~0U);
	BAD("no vCPU", p->max_vcpus = 0);
	BAD("17 vCPUs", p->max_vcpus = 17);
	BAD("range start not aligned", p->range[2].start += 1);
	BAD("range end not aligned", p->range[2].end -= 1);
	BAD("empty range", p->range[2].end = p->range[2].start);
	BAD("range of negative length", p->range[0].end = 0);
	BAD("ranges overlap", p->range[1].start = 0x9f000);
	BAD("ranges not ascending", p->range[3].start = 0; p->range[3].end = 0x1000);
	BAD("range twice", p->range[1] = p->range[0]);
	BAD("range of no type", p->range[1].type = 0);
	BAD("range of unknown type", p->range[1].type = 4);
	BAD("padding of a range", p->range[1].reserved = 1);
	BAD("a range behind the last", p->range[7].type = MON_RANGE_RAM);
	BAD("a range fewer than there are", p->nr_ranges--);
	BAD("range beyond 48 bits", p->range[3].end = (1ULL << 48) + PAGE);
	BAD("range that wraps around", p->range[3].end = ~0ULL & ~(PAGE - 1));
}

static void *linger(void *thread_id)
{
	*(volatile pid_t *)thread_id = syscall(SYS_gettid);
	for (;;)
		pause();
	return NULL;
}

static void test_no_process(const struct mon_vm_arm *good)
{
	struct mon_vm_arm a = *good;
	volatile pid_t thread_id = 0;
	pthread_t thread;
	siginfo_t si;

	a.pid = 0x7fffffff;
	bad(&a, -ESRCH, "no such process");
	a.pid = 2;
	bad(&a, -ESRCH, "a thread of the kernel");
	a.pid = start();
	kill(a.pid, SIGKILL);
	waitid(P_PID, a.pid, &si, WEXITED | WNOWAIT);
	bad(&a, -ESRCH, "a zombie");
	waitpid(a.pid, NULL, 0);
	bad(&a, -ESRCH, "a process that was");
	if (!pthread_create(&thread, NULL, linger, (void *)&thread_id))
		while (!thread_id)
			usleep(1000);
	a.pid = thread_id;
	bad(&a, -ESRCH, "a thread that is not the process");
}

/* In a process of its own: without the capability, then without descriptors. */
static void test_limits(const struct mon_vm_arm *good)
{
	struct mon_vm_arm a = *good;
	struct rlimit none = { 0, 0 };
	int result;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setresuid(65534, 65534, 65534))
			_exit(0);
		_exit(-ask(dev, MON_IOC_VM_ARM, &a));
	}
	waitpid(pid, &result, 0);
	is(-WEXITSTATUS(result), -EPERM, "arm: without CAP_SYS_ADMIN");

	fflush(stdout);
	pid = fork();
	if (!pid) {
		setrlimit(RLIMIT_NOFILE, &none);
		_exit(-ask(dev, MON_IOC_VM_ARM, &a));
	}
	waitpid(pid, &result, 0);
	is(-WEXITSTATUS(result), -EMFILE, "arm: without a free descriptor");

	a.policy.range[a.policy.nr_ranges].start = 1ULL << 32;
	a.policy.range[a.policy.nr_ranges].end = 1ULL << 45;
	a.policy.range[a.policy.nr_ranges++].type = MON_RANGE_RAM;
	bad(&a, -ENOMEM, "more memory than there is");
}

static void test_refused(void)
{
	unsigned long long before = host_frames();
	pid_t pid = start();
	struct mon_vm_arm good = good_request(pid);

	test_sizes(dev, MON_IOC_VM_ARM, &good, sizeof(good), MON_VM_ARM_SIZE_V1, "arm");
	test_addresses(dev, MON_IOC_VM_ARM, &good, sizeof(good), "arm");
	test_bad_policies(&good);
	test_no_process(&good);
	test_limits(&good);
	is(info().nr_domains, 0, "refused: no domain was made");
	ok(host_frames() == before, "refused: no frame was taken");
	stop(pid);
}

/* ---- MON_IOC_VM_ARM, granted ---- */

/* A program that was built before the structure grew. */
static void test_old_status(int domain)
{
	memset(big, 0xaa, sizeof(big));
	memset(big, 0, 136);
	*(__u32 *)big = 136;
	is(ask(domain, MON_IOC_VM_STATUS, big), 0, "status: the first version of it");
	ok(*(__u32 *)big == sizeof(struct mon_vm_info) &&
	   ((struct mon_vm_info *)big)->max_vcpus == 2, "status: all of the first version");
	ok(((struct mon_vm_info *)big)->limit_frames == 0xaaaaaaaaaaaaaaaaULL,
	   "status: and nothing behind it");
}

static void test_armed(void)
{
	struct mon_vm_info wrong, s;
	pid_t pid = start();
	int domain = arm(pid), copy;

	ok(domain >= 0, "a process is armed");
	ok(fcntl(domain, F_GETFD) == FD_CLOEXEC, "its descriptor is close-on-exec");
	s = status(domain);
	ok(s.size == sizeof(s) && s.state == MON_VM_ARMED && s.stop == MON_VM_STOP_NONE &&
	   s.pid == pid && s.domain >= 2 && s.max_vcpus == 2 && !s.nr_vcpus && !s.exits,
	   "status: armed");
	ok(s.reserved_frames > 0x400 && !s.private_frames, "status: frames are there, none used");
	is(info().nr_domains, 1, "info: one domain");
	is(arm(pid), -EEXIST, "a process is armed once");

	ok(s.limit_frames == 0x400 && !s.returned_frames,
	   "status: it may own what its policy says");
	test_old_status(domain);

	wrong = (struct mon_vm_info){ .size = sizeof(wrong) };
	test_sizes(domain, MON_IOC_VM_STATUS, &wrong, sizeof(wrong), MON_VM_INFO_SIZE_V1, "status");
	test_addresses(domain, MON_IOC_VM_STATUS, &wrong, sizeof(wrong), "status");
	wrong.flags = 1;
	is(ask(domain, MON_IOC_VM_STATUS, &wrong), -EINVAL, "status: unknown flag");
	test_numbers(domain, DOMAIN, "domain");

	copy = dup(domain);
	close(domain);
	ok(status(copy).state == MON_VM_ARMED, "a second descriptor keeps it");
	is(syscall(SYS_delete_module, "monitor", O_NONBLOCK) ? -errno : 0, -EAGAIN,
	   "the module stays while it is there");
	close(copy);
	is(info().nr_domains, 0, "the last close destroys it");
	domain = arm(pid);
	ok(domain >= 0, "the process can be armed again");
	stop(pid);
	s = status(domain);
	ok(s.state == MON_VM_DYING && !s.pid, "when its process is dead it is dying");
	close(domain);
	is(info().nr_domains, 0, "and is gone with its descriptor");
}

/* execve() gives a process other memory: that is not armed. */
static void test_exec(void)
{
	int go[2], domain;
	unsigned int tries;
	char byte;
	pid_t pid;

	if (pipe(go))
		return;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (read(go[0], &byte, 1) == 1)
			execl("/bin/sleep", "sleep", "1000", NULL);
		_exit(1);
	}
	domain = arm(pid);
	if (write(go[1], "g", 1) != 1)
		kill(pid, SIGKILL);
	for (tries = 0; tries < 1000 && status(domain).state == MON_VM_ARMED; tries++)
		usleep(10000);
	ok(status(domain).state == MON_VM_DYING, "execve() ends the arming");
	close(domain);
	stop(pid);
	close(go[0]);
	close(go[1]);
}

/* Memory: the first VM costs tables that stay until unload, a further one nothing. */
static void test_memory(void)
{
	unsigned long long first, after, least = ~0ULL, n;
	pid_t pid = start();
	int domain, i;

	close(arm(pid));
	first = host_frames();
	for (i = 0; i < ROUNDS; i++) {
		domain = arm(pid);
		n = host_frames();
		least = n < least ? n : least;
		close(domain);
	}
	after = host_frames();
	ok(least + 0x400 < first, "frames are taken from the host");
	ok(after <= first && first - after <= 4 * ROUNDS, "they come back");
	if (after > first || first - after > 4 * ROUNDS)
		printf("# %llu frames before, %llu after\n", first, after);
	stop(pid);
}

#define MANY 17 /* one more than the monitor holds */

static void test_many(void)
{
	int domain[MANY], i, good = 0;
	pid_t pid[MANY];

	for (i = 0; i < MANY; i++) {
		pid[i] = start();
		domain[i] = arm(pid[i]);
		good += domain[i] >= 0;
	}
	is(good, MANY - 1, "16 VMs at once");
	is(domain[MANY - 1], -ENOMEM, "the next one is refused");
	is(info().nr_domains, good, "info: all of them");
	for (i = 0; i < MANY; i++) {
		stop(pid[i]);
		if (domain[i] >= 0)
			close(domain[i]);
	}
	is(info().nr_domains, 0, "all gone");
}

/* ---- anything at all ---- */

static unsigned long long seed = 0x9e3779b97f4a7c15ULL;

unsigned long long r(void)
{
	seed ^= seed << 13;
	seed ^= seed >> 7;
	seed ^= seed << 17;
	return seed * 0x2545f4914f6cdd1dULL >> 11;
}

/* A good request with a few words changed, often to what is almost right. */
static void mutate(void *request, size_t size)
{
	static const unsigned long long liked[] = { 0, 1, 2, 4096, 0xfff, 0x100000, 1ULL << 47,
						    1ULL << 48, ~0ULL, 1ULL << 63, 0x80000000 };
	unsigned int n = r() % 4;
	unsigned long long v;
	size_t at;

	while (n--) {
		at = r() % (size / 4) * 4;
		v = r() % 2 ? liked[r() % (sizeof(liked) / sizeof(liked[0]))] : r();
		if (at == 8 && r() % 8) /* the process stays one of ours */
			continue;
		memcpy((char *)request + at, &v, r() % 2 && at + 8 <= size ? 8 : 4);
	}
}

bool documented(int err)
{
	static const int good[] = { EFAULT, EINVAL, E2BIG, ENOTTY, ESRCH, EEXIST, ENOMEM, EINTR,
				    ENOENT, ERANGE, ENOSPC, EBUSY };
	unsigned int i;

	for (i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		if (err == -good[i])
			return true;
	return false;
}

static __u32 right_size(unsigned long cmd)
{
	switch (cmd) {
	case MON_IOC_SHARE_AT:
	case MON_IOC_SHARE_STATUS:
		return sizeof(struct mon_share_info);
	case MON_IOC_PAGES:
		return sizeof(struct mon_pages);
	case MON_IOC_VM_STATUS:
		return sizeof(struct mon_vm_info);
	case MON_IOC_SHARE_OFFER:
		return sizeof(struct mon_share_offer);
	case MON_IOC_VM_KEY:
		return sizeof(struct mon_vm_key);
	case MON_IOC_VM_COLLECT:
	case MON_IOC_VM_REFILL:
	case MON_IOC_SHARE_ACCEPT:
		return sizeof(struct mon_vm_frames);
	default:
		return sizeof(struct mon_info);
	}
}

static void good_bytes(unsigned long cmd, pid_t pid)
{
	struct mon_share_offer *o = (void *)big;
	struct mon_vm_arm a = good_request(pid);

	memset(big, 0, sizeof(big));
	*(__u32 *)big = right_size(cmd);
	if (cmd == MON_IOC_VM_ARM) {
		memcpy(big, &a, sizeof(a));
	} else if (cmd == MON_IOC_SHARE_OFFER) {
		o->perm = 1 + r() % 3;
		o->pages = 1 + r() % 8;
	}
	mutate(big, cmd == MON_IOC_VM_ARM ? sizeof(a) : 40);
	/* a large VM takes long, and that is another test */
	if (cmd == MON_IOC_VM_ARM && r() % 64)
		((struct mon_vm_arm *)big)->policy.range[3].end &= 0x1ffffffffULL;
}

static void put(int *fd, int new)
{
	if (*fd >= 0)
		close(*fd);
	*fd = new;
}

/* @fd: of each kind of file; only the device is always there. */
static int fuzz_one(pid_t pid, int fd[3])
{
	unsigned int n = r() % NR_REQUESTS, on = r() % 4 ? requests[n].kind : r() % 3;
	unsigned long cmd = r() % 16 ? requests[n].cmd : r();
	int ret;

	if (cmd == MON_IOC_PAGES && r() % 16) /* looks at every frame */
		cmd = MON_IOC_SHARE_AT;
	if (fd[on] < 0)
		on = DEVICE;
	good_bytes(cmd, pid);
	ret = ask(fd[on], cmd, big);
	if (ret < 0 || (cmd != MON_IOC_VM_ARM && cmd != MON_IOC_SHARE_OFFER &&
			cmd != MON_IOC_SHARE_ACCEPT))
		return ret;
	put(&fd[cmd == MON_IOC_VM_ARM ? DOMAIN : SHARE], ret);
	return 0;
}

static void test_fuzz(unsigned int seconds)
{
	unsigned long n = 0, armed = 0, shared = 0, strange = 0;
	time_t end = time(NULL) + seconds;
	int fd[3] = { dev, -1, -1 }, ret, domain, share;
	pid_t pid = start();

	while (time(NULL) < end) {
		domain = fd[DOMAIN];
		share = fd[SHARE];
		ret = fuzz_one(pid, fd);
		armed += fd[DOMAIN] != domain;
		shared += fd[SHARE] != share;
		n++;
		if (ret < 0 && !documented(ret)) {
			strange++;
			printf("# undocumented: %s\n", strerror(-ret));
		}
		if (!(r() % 16))
			put(&fd[1 + r() % 2], -1);
		if (!(r() % 32)) {
			stop(pid);
			pid = start();
		}
	}
	stop(pid);
	put(&fd[DOMAIN], -1);
	put(&fd[SHARE], -1);
	printf("# %lu requests, %lu VMs, %lu shares\n", n, armed, shared);
	ok(n > 50 && armed && shared, "fuzz: some of it was right");
	is(strange, 0, "fuzz: each error is a documented one");
	is(info().nr_domains, 0, "fuzz: nothing is left");
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	printf("TAP version 13\n");
	dev = open(MON_DEVICE, O_RDWR | O_CLOEXEC);
	if (dev < 0) {
		printf("Bail out! cannot open %s: %s\n", MON_DEVICE, strerror(errno));
		return 1;
	}
	test_info();
	test_refused();
	test_armed();
	test_exec();
	test_memory();
	test_many();
	test_keys();
	test_shares();
	test_races(argc > 1 ? atoi(argv[1]) / 3 : 2);
	test_fuzz(argc > 1 ? atoi(argv[1]) : 5);
	printf("1..%u\n", points);
	return failures != 0;
}
