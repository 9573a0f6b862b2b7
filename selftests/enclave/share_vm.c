// SPDX-License-Identifier: GPL-2.0-only
/*
 * An enclave and a confidential VM that share pages, offered by either: what each can do with them,
 * what the host cannot, who is not meant, and every end. The VM is another process's, and does
 * what it is told.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sharing.h"
#include "../../uapi/guest.h"
#include "../share/puppet.h"

/* In the VM. */
#define RAM (4UL << 20)
#define STRUCTURE 0x10000UL
#define AREA 0x100000UL
#define VM_WINDOW (1UL << 32)
#define VM_WINDOW_PAGES 16
#define GP (PUPPET_EXCEPTION | 13)

#define TAG 9UL
#define PF 14UL
#define TRIES 1000

static struct enclave mine;
static struct mon_name enclave_name, vm_name;

/* ---- the VM, and the process that has it ---- */

struct command {
	unsigned int what;
	unsigned long a, b, c;
};

static pid_t vm_pid;
static int vm_socket;
static unsigned int vm_domain;

static void serve(int socket)
{
	struct mon_vm_info info = { .size = sizeof(info) };
	int descriptor = puppet_start(RAM);
	struct command c;
	long answer;

	if (ioctl(descriptor, MON_IOC_VM_STATUS, &info))
		exit(1);
	answer = info.domain;
	do {
		if (write(socket, &answer, sizeof(answer)) < 0 ||
		    read(socket, &c, sizeof(c)) != sizeof(c))
			exit(0);
		answer = puppet(c.what, c.a, c.b, c.c, 0);
	} while (true);
}

static long vm_answer(void)
{
	long answer = PUPPET_DEAD;

	if (read(vm_socket, &answer, sizeof(answer)) != sizeof(answer))
		printf("# the VM's process does not answer\n");
	return answer;
}

static long vm(unsigned int what, unsigned long a, unsigned long b, unsigned long c)
{
	struct command command = { what, a, b, c };

	if (write(vm_socket, &command, sizeof(command)) != sizeof(command))
		return PUPPET_DEAD;
	return vm_answer();
}

static long vm_loads(unsigned long at)
{
	return vm(PUPPET_LOAD, at, 0, 0);
}

static void vm_stores(unsigned long at, unsigned long value)
{
	vm(PUPPET_STORE, at, value, 0);
}

/* A structure of its calls, in its memory. */
static void vm_puts(const void *from, size_t size)
{
	unsigned long word, i;

	for (i = 0; i < size; i += sizeof(word)) {
		memcpy(&word, (const char *)from + i, sizeof(word));
		vm_stores(STRUCTURE + i, word);
	}
}

static void vm_gets(void *to, size_t size)
{
	unsigned long word, i;

	for (i = 0; i < size; i += sizeof(word)) {
		word = (unsigned long)vm_loads(STRUCTURE + i);
		memcpy((char *)to + i, &word, sizeof(word));
	}
}

static void vm_start(void)
{
	struct mon_guest_self self;
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		exit(1);
	fflush(stdout);
	vm_pid = fork();
	if (!vm_pid) {
		close(ends[0]);
		serve(ends[1]);
	}
	close(ends[1]);
	vm_socket = ends[0];
	vm_domain = (unsigned int)vm_answer();
	if (vm(MON_GC_SELF, STRUCTURE, 0, 0) ||
	    vm(MON_GC_WINDOW, VM_WINDOW / PAGE, VM_WINDOW_PAGES, 0)) {
		printf("Bail out! no VM in another process\n");
		exit(1);
	}
	vm_gets(&self, sizeof(self));
	vm_name = self.name;
}

static void vm_kill(void)
{
	kill(vm_pid, SIGKILL);
	waitpid(vm_pid, NULL, 0);
	close(vm_socket);
}

/* ---- what each does ---- */

static unsigned long reads(unsigned long at)
{
	return order(&mine, ORDER_READ, at, 0);
}

static bool is_lost(unsigned long at)
{
	unsigned long vector = order(&mine, ORDER_CATCH, CATCH_READ, at);

	return vector == PF && mine.args->a[4] == 4;
}

static long monitor(unsigned long number, const void *bytes, size_t size)
{
	memcpy(mine.args->bytes, bytes, size);
	return (long)order(&mine, ORDER_MONITOR, number, 0);
}

static long offers(unsigned long page, unsigned int perm, unsigned int to, struct mon_name name)
{
	struct mon_enclave_offer offer = {
		.address = AT(page), .pages = 1, .perm = perm, .to = to, .tag = TAG, .name = name,
	};

	order(&mine, ORDER_READ, AT(page), 0);
	return monitor(MON_EC_OFFER, &offer, sizeof(offer));
}

static long takes(long id, unsigned long page, unsigned int from, struct mon_name name)
{
	struct mon_enclave_accept accept = {
		.id = (unsigned long)id, .address = SEEN(page), .pages = 2, .perm = RW,
		.from = from, .tag = TAG, .name = name,
	};

	return monitor(MON_EC_ACCEPT, &accept, sizeof(accept));
}

static long ends(long id)
{
	return (long)order(&mine, ORDER_RAW, MON_EC_SHARE_END, (unsigned long)id);
}

/* Two pages, to read and write. */
static long vm_offers(unsigned long at, struct mon_name name)
{
	struct mon_guest_offer offer = {
		.gfn = at / PAGE, .pages = 2, .perm = RW, .to = MON_SHARE_TO_ENCLAVE, .tag = TAG,
		.name = name,
	};

	vm_puts(&offer, sizeof(offer));
	return vm(MON_GC_OFFER, STRUCTURE, 0, 0);
}

static long vm_takes(long id, unsigned long page)
{
	return vm(MON_GC_ACCEPT, (unsigned long)id, VM_WINDOW / PAGE + page, 0);
}

/* The enclave is entered on whichever CPU this is, and so each passes. */
static void cpu_passes(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	sched_setaffinity(0, sizeof(cpus), &cpus);
	order(&mine, ORDER_ADD, 0, 0);
}

static long vm_ends(long id)
{
	long err = -EAGAIN;
	int tries;

	for (tries = 0; err == -EAGAIN && tries < TRIES; tries++) {
		err = vm(MON_GC_END, (unsigned long)id, 0, 0);
		cpu_passes(tries % 2);
	}
	return err;
}

static struct mon_name other_than(struct mon_name name)
{
	name.measurement[31] ^= 1;
	return name;
}

/* Does the kernel see nothing of what a domain has, nor write there? */
static bool host_is_blind(unsigned int domain)
{
	unsigned long shown, nr = frames_of(domain, &shown);

	if (nr < 4 || shown)
		printf("# %lu frames, %lu show something\n", nr, shown);
	return nr >= 4 && !shown;
}

/* ---- */

static void test_vm_gives(void)
{
	long id;

	vm_stores(AREA, WORD);
	id = vm_offers(AREA, other_than(enclave_name));
	ok(id > 0, "a VM offers pages to an enclave");
	is(takes(id, 0, MON_SHARE_TO_NAME, vm_name), -ENOENT, "one of another measurement");
	is(vm_ends(id), 0, "and withdraws that");
	id = vm_offers(AREA, enclave_name);
	is(takes(id, 0, MON_SHARE_TO_NAME, other_than(vm_name)), -EPERM,
	   "an enclave that expects another VM is told");
	is(takes(id, 0, MON_SHARE_TO_ENCLAVE, vm_name), -EPERM, "a VM's name is no enclave's");
	ok(is_lost(SEEN(0)), "not accepted, not there");
	is(takes(id, 0, MON_SHARE_TO_NAME, vm_name), 0, "the one that is meant accepts");
	is(reads(SEEN(0)), WORD, "and reads what the VM wrote");
	order(&mine, ORDER_WRITE, SEEN(1), 0x1111);
	is(vm_loads(AREA + PAGE), 0x1111, "the VM reads what the enclave wrote");
	ok(host_is_blind(vm_domain) && reads(SEEN(0)) == WORD && vm_loads(AREA) == (long)WORD &&
	   reads(SEEN(1)) == 0x1111, "the host neither reads nor writes what is the VM's");
	is(vm(MON_GC_SIGNAL, (unsigned long)id, 0, 0), -ENOENT, "an enclave takes no signals");
	is(vm(MON_GC_RELEASE, AREA / PAGE, 1, 0), -EBUSY, "the VM keeps what it shares");
	is(vm_ends(id), 0, "and takes it back");
	ok(is_lost(SEEN(0)) && is_lost(SEEN(1)), "the enclave has it no more");
	id = vm_offers(AREA, enclave_name);
	ok(!takes(id, 0, MON_SHARE_TO_LAUNCH, vm_name) && reads(SEEN(0)) == WORD && !ends(id) &&
	   is_lost(SEEN(0)), "again, by its launch measurement; the enclave gives it back");
	is(vm(MON_GC_RELEASE, AREA / PAGE, 1, 0), 0, "then the VM can give it to the host");
}

static void test_enclave_gives(void)
{
	struct mon_name other_kernel = vm_name;
	struct mon_guest_share seen;
	long id;

	other_kernel.runtime[0] ^= 1;
	order(&mine, ORDER_WRITE, AT(0), WORD);
	is(vm_takes(offers(1, R, MON_SHARE_TO_LAUNCH, other_than(vm_name)), 0), -ENOENT,
	   "an enclave's offer to another VM is not for this one");
	is(vm_takes(offers(2, R, MON_SHARE_TO_NAME, other_kernel), 0), -ENOENT,
	   "nor to one with another kernel");
	is(vm_takes(offers(3, R, MON_SHARE_TO_ENCLAVE, vm_name), 0), -ENOENT,
	   "nor to an enclave of its name");
	id = offers(0, R, MON_SHARE_TO_LAUNCH, vm_name);
	is(vm(MON_GC_SHARE_AT, (unsigned long)id & 0xffff, STRUCTURE, 0), 0,
	   "an offer to it it sees");
	vm_gets(&seen, sizeof(seen));
	ok(seen.id == (unsigned long)id && seen.other == mine.info.domain && seen.tag == TAG &&
	   seen.pages == 1 && !memcmp(&seen.name, &enclave_name, sizeof(seen.name)),
	   "and by whom it is");
	is(vm_takes(id, 0), 0, "it accepts that");
	is((unsigned long)vm_loads(VM_WINDOW), WORD, "and reads what the enclave wrote");
	is(vm(PUPPET_STORE, VM_WINDOW, 1, 0), GP, "it cannot write");
	id = offers(4, RW, MON_SHARE_TO_NAME, vm_name);
	ok(!vm_takes(id, 4), "another page, to read and write");
	vm_stores(VM_WINDOW + 4 * PAGE, 0x2222);
	is(reads(AT(4)), 0x2222, "the enclave reads what the VM wrote");
	ok(host_is_blind(mine.info.domain) && reads(AT(0)) == WORD && reads(AT(4)) == 0x2222 &&
	   vm_loads(VM_WINDOW) == (long)WORD,
	   "the host neither reads nor writes what is the enclave's");
	ok(kernel_has_process(), "control: in this way it reads and writes a page of a process");
	is(order(&mine, ORDER_TRIM, AT(4), 1), -EBUSY, "the enclave keeps what it shares");
	ok(enclave_evict(&mine, 1000) > 4 && vm_loads(VM_WINDOW + 4 * PAGE) == 0x2222,
	   "also when all else is evicted");
	is(ends(id), 0, "and takes it back");
	is(vm_loads(VM_WINDOW + 4 * PAGE), GP, "the VM has it no more");
	is(order(&mine, ORDER_TRIM, AT(4), 1), 0, "then it can give it to the host");
}

/* The VM has what test_enclave_gives() has left in its window. */
static void test_ends(void)
{
	long id;

	is((unsigned long)vm_loads(VM_WINDOW), WORD, "the VM has a page of the enclave's");
	enclave_end(&mine);
	is(vm_loads(VM_WINDOW), GP, "which dies: it has not");
	make_with_window(&mine, 1);
	vm_stores(AREA, 0x3333);
	ok(!takes(vm_offers(AREA, enclave_name), 0, MON_SHARE_TO_NAME, vm_name) &&
	   reads(SEEN(0)) == 0x3333, "the next enclave has one of the VM's");
	id = offers(0, RW, MON_SHARE_TO_NAME, vm_name);
	ok(!vm_takes(id, 0) && !vm_loads(VM_WINDOW), "and the VM one of its");
	vm_kill();
	ok(is_lost(SEEN(0)), "the VM's process is killed: the enclave has it no more");
	ok(ends(id) == -ENOENT && !order(&mine, ORDER_TRIM, AT(0), 1), "and its own page alone");
}

int main(void)
{
	plan(39);
	vm_start();
	make_with_window(&mine, 1);
	memcpy(enclave_name.measurement, mine.info.measurement, sizeof(enclave_name.measurement));
	test_vm_gives();
	test_enclave_gives();
	test_ends();
	return finish();
}
