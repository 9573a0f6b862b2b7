// SPDX-License-Identifier: GPL-2.0-only
/*
 * Enclaves in processes of their own that share pages: what each can do with them, what nobody
 * else can, and every end. The first process has one, and tells two others what to do with theirs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "sharing.h"

#define TAG 7UL
#define PF 14UL
#define PF_USER 4UL
#define PF_WRITTEN (PF_USER | 3)
#define PF_FETCHED (PF_USER | 0x11)
#define ALLOWED ~0UL

static struct enclave mine;

static volatile struct puppet_args *args_of(unsigned int thread)
{
	return (void *)((char *)mine.args + thread * PAGE);
}

static void on_cpu(int cpu)
{
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	if (sched_setaffinity(0, sizeof(cpus), &cpus))
		exit(1);
}

/* ---- what the processes say to each other ---- */

enum { ASK_ORDER, ASK_STRUCTURE, ASK_FILL, ASK_FILLED, ASK_EVICT };

struct question {
	int what;
	unsigned long order, a0, a1;
	unsigned char bytes[128]; /* ASK_STRUCTURE: of monitor call a0 */
};

/* ORDER_CATCH: its error code, too. */
struct answer {
	unsigned long value, error_code;
};

static pthread_t filler;
static unsigned long filled;

/* Thread 1, on CPU 1, counts at an address for as long as it may: the exception. */
static void *fill(void *unused)
{
	unsigned long value[2];
	int why;

	(void)unused;
	on_cpu(1);
	why = order_on(&mine, 1, ORDER_CATCH, value);
	if (why != MON_ENCLAVE_RETURNED)
		printf("# thread 1: exit %d, %#lx, %#lx\n", why, value[0], value[1]);
	__atomic_store_n(&filled, why == MON_ENCLAVE_RETURNED ? value[0] : ~0UL, __ATOMIC_RELEASE);
	return NULL;
}

static long fill_begin(unsigned long at)
{
	volatile struct puppet_args *args = args_of(1);

	args->a[0] = CATCH_FILL;
	args->a[1] = at;
	args->a[2] = 0;
	filled = 0;
	if (pthread_create(&filler, NULL, fill, NULL))
		return -1;
	while (args->a[2] < 1000 && !__atomic_load_n(&filled, __ATOMIC_ACQUIRE))
		sched_yield();
	return 0;
}

static struct answer act(const struct question *q)
{
	struct answer a = { 0, 0 };

	switch (q->what) {
	case ASK_STRUCTURE:
		memcpy(mine.args->bytes, q->bytes, sizeof(q->bytes));
		a.value = order(&mine, ORDER_MONITOR, q->a0, 0);
		break;
	case ASK_FILL:
		a.value = fill_begin(q->a0);
		break;
	case ASK_FILLED:
		pthread_join(filler, NULL);
		a.value = filled;
		a.error_code = args_of(1)->a[4];
		break;
	case ASK_EVICT:
		a.value = enclave_evict(&mine, 1000);
		break;
	default:
		a.value = order(&mine, q->order, q->a0, q->a1);
		a.error_code = mine.args->a[4];
	}
	return a;
}

/* Somebody: this process, or another one at the end of a socket. */
struct someone {
	pid_t pid;
	int socket;
	struct mon_enclave_info info;
};

static struct someone giver, taker, stranger;

static void serve(int socket, unsigned int product)
{
	struct question q;
	struct answer a;

	if (mine.args) /* the end of its own process is to be its end */
		enclave_end(&mine);
	make_with_window(&mine, product);
	if (write(socket, &mine.info, sizeof(mine.info)) < 0)
		exit(1);
	while (read(socket, &q, sizeof(q)) == sizeof(q)) {
		a = act(&q);
		if (write(socket, &a, sizeof(a)) < 0)
			break;
	}
	exit(0);
}

static void start(struct someone *who, unsigned int product)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends))
		exit(1);
	fflush(stdout);
	who->pid = fork();
	if (!who->pid) {
		close(ends[0]);
		serve(ends[1], product);
	}
	close(ends[1]);
	who->socket = ends[0];
	if (read(who->socket, &who->info, sizeof(who->info)) != sizeof(who->info)) {
		printf("Bail out! no enclave in another process\n");
		exit(1);
	}
}

static void stop(struct someone *who)
{
	kill(who->pid, SIGKILL);
	waitpid(who->pid, NULL, 0);
	close(who->socket);
}

static struct answer ask(struct someone *who, const struct question *q)
{
	struct answer a = { ~1UL, ~1UL };

	if (!who->pid)
		return act(q);
	if (write(who->socket, q, sizeof(*q)) != sizeof(*q) ||
	    read(who->socket, &a, sizeof(a)) != sizeof(a))
		printf("# process %d does not answer\n", who->pid);
	return a;
}

static struct answer ask_for(struct someone *who, int what, unsigned long a0)
{
	struct question q = { .what = what, .a0 = a0 };

	return ask(who, &q);
}

static struct answer does(struct someone *who, unsigned long what, unsigned long a0,
			  unsigned long a1)
{
	struct question q = { .what = ASK_ORDER, .order = what, .a0 = a0, .a1 = a1 };

	return ask(who, &q);
}

static unsigned long reads(struct someone *who, unsigned long at)
{
	return does(who, ORDER_READ, at, 0).value;
}

/* Is this access an exception with this error code? */
static bool caught(struct someone *who, unsigned long how, unsigned long at, unsigned long code)
{
	struct answer a = does(who, ORDER_CATCH, how, at);

	if (a.value == PF && a.error_code == code)
		return true;
	printf("# vector %#lx, error code %#lx\n", a.value, a.error_code);
	return false;
}

/* ---- the calls ---- */

static long calls(struct someone *who, unsigned long number, const void *bytes, size_t size)
{
	struct question q = { .what = ASK_STRUCTURE, .a0 = number };

	memcpy(q.bytes, bytes, size);
	return (long)ask(who, &q).value;
}

static long offers(unsigned long page, unsigned long pages, unsigned int perm)
{
	struct mon_enclave_offer offer = {
		.address = AT(page), .pages = pages, .perm = perm, .to = MON_SHARE_TO_ENCLAVE,
		.tag = TAG,
	};

	memcpy(offer.name.measurement, taker.info.measurement, sizeof(offer.name.measurement));
	return calls(&giver, MON_EC_OFFER, &offer, sizeof(offer));
}

/* Where it is in the giver's heap, there in the taker's window. */
static struct mon_enclave_accept accepting(long id, unsigned long page, unsigned long pages,
					   unsigned int perm)
{
	struct mon_enclave_accept accept = {
		.id = id, .address = SEEN(page), .pages = pages, .perm = perm,
		.from = MON_SHARE_TO_ENCLAVE, .tag = TAG,
	};

	memcpy(accept.name.measurement, giver.info.measurement, sizeof(accept.name.measurement));
	return accept;
}

static long takes(struct someone *who, struct mon_enclave_accept accept)
{
	return calls(who, MON_EC_ACCEPT, &accept, sizeof(accept));
}

static long shared(unsigned long page, unsigned long pages, unsigned int perm)
{
	long id, err = -1;

	does(&giver, ORDER_READ, AT(page), 0); /* it may be out */
	does(&giver, ORDER_READ, AT(page + pages - 1), 0);
	id = offers(page, pages, perm);

	if (id > 0)
		err = takes(&taker, accepting(id, page, pages, perm));
	if (err)
		printf("# share %#lx: %ld\n", id, err);
	return err ? -1 : id;
}

static long ends(struct someone *who, long id)
{
	return (long)does(who, ORDER_RAW, MON_EC_SHARE_END, (unsigned long)id).value;
}

/* ---- */

static void test_accept(void)
{
	struct mon_enclave_accept good, bad;
	long id;

	is(calls(&giver, MON_EC_OFFER, &(struct mon_enclave_offer){ 0 },
		 sizeof(struct mon_enclave_offer)), -EINVAL, "an offer of nothing");
	is(offers(200, 1, R), -EFAULT, "of a page that is not there");
	id = offers(0, 2, R);
	ok(id > 0, "an offer of two pages, to read");
	is(offers(1, 1, R), -EEXIST, "which are offered once");
	ok(caught(&taker, CATCH_READ, SEEN(0), PF_USER), "not accepted, not there");
	good = accepting(id, 0, 2, R);
	is(takes(&stranger, good), -ENOENT, "another enclave is refused");
	is(takes(&giver, good), -ENOENT, "so is who offers");
	bad = good;
	bad.id += 1UL << 32;
	is(takes(&taker, bad), -ENOENT, "and an ID that is none");
	bad = good;
	memcpy(bad.name.measurement, stranger.info.measurement, sizeof(bad.name.measurement));
	is(takes(&taker, bad), -EPERM, "who expects another giver is told");
	bad = good;
	bad.perm = RW;
	is(takes(&taker, bad), -EPERM, "so is who expects to write");
	bad = good;
	bad.address = AT(0);
	is(takes(&taker, bad), -EINVAL, "it appears in the window only");
	ok(caught(&taker, CATCH_READ, SEEN(0), PF_USER), "after all these it is not there");
	is(takes(&taker, good), 0, "who is named accepts");
	is(takes(&taker, good), -ENOENT, "once");
	is(reads(&taker, SEEN(0)), WORD, "and reads what the giver wrote");
	does(&giver, ORDER_WRITE, AT(1) + 8, 77);
	is(reads(&taker, SEEN(1) + 8), 77, "also what it writes afterwards");
	ok(caught(&taker, CATCH_WRITE, SEEN(0), PF_WRITTEN), "it cannot write");
	ok(caught(&taker, CATCH_JUMP, SEEN(0), PF_FETCHED), "nor execute");
	ok(caught(&taker, CATCH_READ, SEEN(2), PF_USER), "nor reach the page behind");
	is(reads(&giver, AT(0)), WORD, "so the giver has what it had");
	ok(caught(&stranger, CATCH_READ, SEEN(0), PF_USER), "and a stranger has nothing");
	is(ends(&stranger, id), -ENOENT, "nor can it end this");
	is(ends(&taker, id), 0, "the taker gives it back");
	is(ends(&giver, id), -ENOENT, "then it is over");
	ok(caught(&taker, CATCH_READ, SEEN(0), PF_USER), "and not there any more");
}

static void test_write(void)
{
	long id = shared(4, 2, RW);

	ok(id > 0, "two pages to read and write");
	does(&taker, ORDER_WRITE, SEEN(4), 0x1111);
	is(reads(&giver, AT(4)), 0x1111, "the giver reads what the taker wrote");
	does(&giver, ORDER_WRITE, AT(5), 0x2222);
	is(reads(&taker, SEEN(5)), 0x2222, "and the other way round");
	ok(caught(&taker, CATCH_JUMP, SEEN(4), PF_FETCHED), "nobody executes it");
	is(does(&giver, ORDER_TRIM, AT(4), 1).value, -EBUSY, "the giver keeps it");
	mine.args->a[2] = MON_ENCLAVE_READ;
	is(does(&giver, ORDER_PROTECT, AT(5), 1).value, -EBUSY, "as it is");
	ok((long)ask_for(&giver, ASK_EVICT, 0).value > 10 &&
	   (long)ask_for(&taker, ASK_EVICT, 0).value > 5, "all that can be is evicted, of both");
	ok(reads(&taker, SEEN(4)) == 0x1111 && reads(&giver, AT(5)) == 0x2222 &&
	   reads(&giver, AT(0)) == WORD, "all is as it was");
	is(ends(&giver, id), 0, "the giver takes it back");
	ok(caught(&taker, CATCH_WRITE, SEEN(4), PF_USER | 2), "the taker has it no more");
	is(does(&giver, ORDER_TRIM, AT(4), 2).value, 0, "it can be given to the host");
	is(does(&giver, ORDER_TOUCH, AT(4), 2).value, 0, "and comes anew as zeros");
}

/* The taker writes on another CPU for as long as it may: not behind the end of the share. */
static void test_running(void)
{
	unsigned long i, right = 0, last;
	struct answer end;
	long id;

	for (i = 0; i < 5; i++) {
		id = shared(8, 1, RW);
		ask_for(&taker, ASK_FILL, SEEN(8));
		ends(i & 1 ? &taker : &giver, id);
		last = reads(&giver, AT(8));
		end = ask_for(&taker, ASK_FILLED, 0);
		right += last >= 1000 && end.value == PF && end.error_code == (PF_USER | 2) &&
			 reads(&giver, AT(8)) == last;
		if (right != i + 1)
			printf("# round %lu: %lu, then %lu, vector %lu, code %#lx\n", i, last,
			       reads(&giver, AT(8)), end.value, end.error_code);
		does(&giver, ORDER_WRITE, AT(8), 0);
	}
	is(right, 5, "it ends while it is written to: what is written comes before the end");
}

/* ---- the host ---- */

static void test_host(void)
{
	unsigned long shown, nr;
	long id = shared(0, 2, RW);

	does(&taker, ORDER_TOUCH, SEEN(0), 2);
	does(&taker, ORDER_WRITE, SEEN(0), WORD);
	does(&giver, ORDER_WRITE, AT(1), WORD);
	nr = frames_of(giver.info.domain, &shown);
	if (nr < 8 || shown)
		printf("# %lu frames, %lu show something\n", nr, shown);
	ok(nr >= 8 && !shown, "the host reads nothing of all that the giver has");
	ok(reads(&taker, SEEN(0)) == WORD && reads(&giver, AT(0)) == WORD &&
	   reads(&taker, SEEN(1)) == WORD, "nor can it write there");
	ok(kernel_has_process(), "control: in this way it reads and writes a page of a process");
	is(ends(&giver, id), 0, "shared no more");
}

/* ---- the end of either ---- */

static void test_death(void)
{
	unsigned int i, right = 0;
	struct someone dead;
	long id;

	id = shared(0, 2, RW);
	does(&taker, ORDER_WRITE, SEEN(0), 0x3333);
	ask_for(&taker, ASK_FILL, SEEN(1));
	stop(&taker);
	ok(reads(&giver, AT(0)) == 0x3333 && ends(&giver, id) == -ENOENT,
	   "the taker's process is killed: the share is over");
	is(does(&giver, ORDER_TRIM, AT(0), 2).value, 0, "and the page the giver's alone");
	does(&giver, ORDER_TOUCH, AT(0), 2);
	start(&taker, 2);
	is(takes(&taker, accepting(id, 0, 2, RW)), -ENOENT, "the next one does not inherit it");
	id = shared(0, 2, R);
	ok(id > 0 && reads(&taker, SEEN(0)) == 1, "it can be shared with that one");
	dead = giver;
	enclave_end(&mine);
	for (i = 0; i < 2; i++)
		right += caught(&taker, CATCH_READ, SEEN(i), PF_USER);
	is(right, 2, "the giver's end: nothing is there any more");
	is(ends(&taker, id), -ENOENT, "nor a share");
	make_with_window(&mine, 1);
	giver.info = mine.info;
	does(&giver, ORDER_TOUCH, AT(0), 2);
	ok(giver.info.domain == dead.info.domain &&
	   takes(&taker, accepting(id, 0, 2, R)) == -ENOENT,
	   "another enclave with its number has not offered it");
	id = shared(0, 2, R);
	ok(id > 0 && reads(&taker, SEEN(0)) == 1, "but may offer its own");
}

int main(void)
{
	plan(50);
	start(&taker, 2);
	start(&stranger, 3);
	make_with_window(&mine, 1);
	on_cpu(0);
	giver.info = mine.info;
	does(&giver, ORDER_TOUCH, AT(0), 16);
	does(&giver, ORDER_WRITE, AT(0), WORD);
	test_accept();
	test_write();
	test_running();
	test_host();
	test_death();
	stop(&taker);
	stop(&stranger);
	return finish();
}
