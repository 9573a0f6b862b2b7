// SPDX-License-Identifier: GPL-2.0-only
/*
 * monpipe: a stream from one confidential VM to another of the same name, through
 * memory that they share and nobody else sees. An example of what /dev/monguest is
 * for, and a test of it: both sides know what the stream has to be.
 *
 * The stream is words of 8 bytes: numbers by splitmix64, but in each 4 KiB the first
 * four are a secret of selftests/vm/secret.h, so that one can look for them.
 */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>
#include "ring.h"
#include "uapi/monguest.h"

#define PAGE 4096
#define RING_PAGES 256
#define RING_PAGES_MIN 16
#define CHUNK (64 << 10)
#define TAG 0x70697065 /* "pipe" */
#define LOOK_AGAIN_MS 2000
#define MB_MAX (1 << 20)
#define MARK_WORDS 4
#define MARK 11

static const char usage[] =
	"usage: monpipe send MB      offer memory to a VM of this one's name, and send\n"
	"       monpipe receive      accept what such a VM offers, receive and check\n"
	"       monpipe stream MB    write the stream to standard output\n"
	"       monpipe list         offers to this VM, and its shares\n"
	"       monpipe self         who this VM is\n"
	"\n"
	"\"send\" and \"receive\" need the module monguest.ko in a confidential VM, and print\n"
	"the stream's BLAKE2b at the end, as 'monpipe stream MB | b2sum' does.\n";

static int fail(const char *what)
{
	fflush(stdout);
	fprintf(stderr, "monpipe: %s: %s\n", what, strerror(errno));
	return 1;
}

static int fail_text(const char *text)
{
	fflush(stdout);
	fprintf(stderr, "monpipe: %s\n", text);
	return 1;
}

/* ---- the stream ---- */

static uint64_t splitmix(uint64_t n)
{
	uint64_t x = n * 0x9e3779b97f4a7c15ULL;

	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

/* The word at byte @at: a secret's, or one that no secret has. */
static uint64_t word(uint64_t at)
{
	uint64_t i = at % PAGE / sizeof(uint64_t);

	if (i < MARK_WORDS)
		return splitmix(MARK * MARK_WORDS + i + 1);
	return splitmix(at | 1ULL << 63);
}

static void fill(uint8_t *to, uint64_t at, uint64_t bytes)
{
	uint64_t i, w;

	for (i = 0; i < bytes; i += sizeof(w)) {
		w = word(at + i);
		memcpy(to + i, &w, sizeof(w));
	}
}

/* Bytes up to the first that is wrong. */
static uint64_t check(const uint8_t *data, uint64_t at, uint64_t bytes)
{
	uint64_t i, w;

	for (i = 0; i < bytes; i += sizeof(w)) {
		memcpy(&w, data + i, sizeof(w));
		if (w != word(at + i))
			break;
	}
	return i;
}

static bool print_end(const char *verb, uint64_t bytes, EVP_MD_CTX *hash, uint64_t signals)
{
	unsigned char digest[EVP_MAX_MD_SIZE];
	unsigned int i, size = 0;

	if (!EVP_DigestFinal_ex(hash, digest, &size))
		return false;
	printf("monpipe: %s %llu MB, %llu signals, BLAKE2b ", verb,
	       (unsigned long long)(bytes >> 20), (unsigned long long)signals);
	for (i = 0; i < size; i++)
		printf("%02x", digest[i]);
	putchar('\n');
	return true;
}

/* ---- the share ---- */

static int open_device(void)
{
	int dev = open(MON_GUEST_DEVICE, O_RDWR | O_CLOEXEC);

	if (dev < 0)
		fprintf(stderr, "monpipe: cannot open %s: %s%s\n", MON_GUEST_DEVICE,
			strerror(errno), errno == ENOENT ? ": is monguest.ko loaded?" :
			errno == EACCES ? ": only root may" : "");
	return dev;
}

static int map_ring(int share, uint64_t pages, struct ring *ring, bool writes)
{
	uint64_t bytes = pages * PAGE;
	void *memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, share, 0);

	if (memory == MAP_FAILED)
		return fail("cannot map the shared memory");
	ring_begin(ring, memory, bytes, writes);
	return 0;
}

/* One sleep until the other side signals; false when it is gone. */
static bool wait_signal(int share)
{
	struct pollfd fd = { .fd = share, .events = POLLIN };

	if (poll(&fd, 1, LOOK_AGAIN_MS) < 0 && errno != EINTR)
		return false;
	if (fd.revents & POLLIN)
		return ioctl(share, MON_GUEST_IOC_TAKE_SIGNAL) >= 0;
	return !(fd.revents & POLLHUP);
}

/* Bytes to go on with: at least one, or RING_BAD and it is said why. */
static uint64_t wait_ready(int share, struct ring *ring)
{
	uint64_t ready = ring_ready(ring);

	while (!ready) {
		ring_sleep(ring, true);
		ready = ring_ready(ring);
		if (ready)
			break;
		if (!wait_signal(share)) {
			fail_text("the other VM has ended the share");
			return RING_BAD;
		}
		ready = ring_ready(ring);
	}
	ring_sleep(ring, false);
	if (ready == RING_BAD || ready % sizeof(uint64_t)) {
		fail_text("the other VM breaks the rules of the ring");
		return RING_BAD;
	}
	return ready;
}

/* The other side is woken when there is much to do for it, not for each chunk. */
static bool worth_waking(const struct ring *ring)
{
	uint64_t used = ring_used(ring);

	if (used == RING_BAD)
		return true;
	return ring->writes ? used >= ring->size / 2 : used <= ring->size / 2;
}

static bool moved(int share, struct ring *ring, uint64_t bytes, bool last, uint64_t *signals)
{
	ring_move(ring, bytes);
	if ((last || worth_waking(ring)) && ring_wake(ring)) {
		++*signals;
		return !ioctl(share, MON_GUEST_IOC_SIGNAL);
	}
	return true;
}

/* What is checked and hashed is a copy: the other side may change the ring at any time. */
static bool step(struct ring *ring, uint8_t *at, uint8_t *copy, uint64_t done, uint64_t n)
{
	uint64_t good;

	if (ring->writes) {
		fill(copy, done, n);
		memcpy(at, copy, n);
		return true;
	}
	memcpy(copy, at, n);
	good = check(copy, done, n);
	if (good == n)
		return true;
	fflush(stdout);
	fprintf(stderr, "monpipe: byte %llu of the stream is wrong\n",
		(unsigned long long)(done + good));
	return false;
}

static int transfer(int share, struct ring *ring, uint64_t bytes)
{
	EVP_MD_CTX *hash = EVP_MD_CTX_new();
	static uint8_t copy[CHUNK];
	uint64_t done, n, signals = 0;
	uint8_t *at;

	if (!hash || !EVP_DigestInit_ex(hash, EVP_blake2b512(), NULL))
		return fail_text("OpenSSL has no BLAKE2b");
	for (done = 0; done < bytes; done += n) {
		n = wait_ready(share, ring);
		if (n == RING_BAD)
			return 1;
		n = ring_piece(ring, n, &at);
		if (n > CHUNK)
			n = CHUNK;
		if (n > bytes - done)
			n = bytes - done;
		if (!step(ring, at, copy, done, n))
			return 1;
		if (!EVP_DigestUpdate(hash, copy, n))
			return fail_text("OpenSSL cannot compute BLAKE2b");
		if (!moved(share, ring, n, done + n == bytes, &signals))
			return fail("cannot signal the other VM");
	}
	if (!print_end(ring->writes ? "sent" : "received", bytes, hash, signals))
		return fail_text("OpenSSL cannot compute BLAKE2b");
	EVP_MD_CTX_free(hash);
	return 0;
}

/* ---- send ---- */

/* Until the other side has read all: who offers a share ends it by closing it. */
static int drain(int share, struct ring *ring)
{
	uint64_t used;

	while ((used = ring_used(ring))) {
		if (used == RING_BAD)
			return fail_text("the other VM breaks the rules of the ring");
		ring_sleep(ring, true);
		if (ring_used(ring) && !wait_signal(share))
			return ring_used(ring) ? fail_text("the other VM did not read all") : 0;
	}
	return 0;
}

/* A shared range is in one piece of memory: a smaller ring is better than none. */
static int offer_ring(int dev, struct mon_guest_new *new)
{
	int share;

	for (new->pages = RING_PAGES; new->pages >= RING_PAGES_MIN; new->pages /= 2) {
		share = ioctl(dev, MON_GUEST_IOC_OFFER, new);
		if (share >= 0 || errno != ENOMEM)
			break;
	}
	return share;
}

static int send(uint64_t megabytes)
{
	struct mon_guest_info self = { .size = sizeof(self) };
	struct mon_guest_new new = {
		.size = sizeof(new), .perm = MON_SHARE_READ | MON_SHARE_WRITE,
		.to = MON_SHARE_TO_NAME, .tag = TAG,
	};
	int dev = open_device(), share, status;
	struct ring ring;

	if (dev < 0)
		return 1;
	if (ioctl(dev, MON_GUEST_IOC_SELF, &self))
		return fail("cannot ask who this VM is");
	new.name = self.name;
	share = offer_ring(dev, &new);
	if (share < 0)
		return fail("cannot offer memory");
	if (map_ring(share, new.pages, &ring, true))
		return 1;
	/* What the reader gets to know first is how much comes. */
	ring.shared->total = megabytes;
	puts("monpipe: offered");
	fflush(stdout);
	/* The ring fills up, and goes on when somebody reads. */
	status = transfer(share, &ring, megabytes << 20);
	return status ? status : drain(share, &ring);
}

/* ---- receive ---- */

/* An offer by a VM of this one's name, with the tag of this program. */
static int find_offer(int dev, const struct mon_name *name, struct mon_guest_share *offer)
{
	struct mon_guest_at at;

	for (at.slot = 0;; at.slot++) {
		at.size = sizeof(at);
		if (!ioctl(dev, MON_GUEST_IOC_AT, &at)) {
			*offer = at.share;
			if (offer->state == MON_SHARE_OFFERED && !offer->is_owner &&
			    (uint32_t)offer->tag == TAG &&
			    !memcmp(&offer->name, name, sizeof(*name)))
				return 0;
		} else if (errno != ENOENT) {
			return errno == ERANGE ? fail_text("no VM of this one's name offers") :
						 fail("cannot look for offers");
		}
	}
}

static int receive(void)
{
	struct mon_guest_info self = { .size = sizeof(self) };
	struct mon_guest_take take = { .size = sizeof(take), .tag = TAG };
	struct mon_guest_share offer;
	int dev = open_device(), share;
	uint64_t megabytes;
	struct ring ring;

	if (dev < 0)
		return 1;
	if (ioctl(dev, MON_GUEST_IOC_SELF, &self))
		return fail("cannot ask who this VM is");
	if (find_offer(dev, &self.name, &offer))
		return 1;
	if (offer.pages < 2 || !(offer.perm & MON_SHARE_WRITE))
		return fail_text("the offer is no ring");
	take.id = offer.id;
	share = ioctl(dev, MON_GUEST_IOC_ACCEPT, &take);
	if (share < 0)
		return fail("cannot accept the offer");
	if (map_ring(share, offer.pages, &ring, false))
		return 1;
	puts("monpipe: accepted");
	fflush(stdout);
	megabytes = __atomic_load_n(&ring.shared->total, __ATOMIC_RELAXED);
	if (!megabytes || megabytes > MB_MAX)
		return fail_text("the other VM breaks the rules of the ring");
	return transfer(share, &ring, megabytes << 20);
}

/* ---- stream, list, self ---- */

static int stream(uint64_t megabytes)
{
	static uint8_t chunk[CHUNK];
	uint64_t at;

	for (at = 0; at < megabytes << 20; at += CHUNK) {
		fill(chunk, at, CHUNK);
		if (fwrite(chunk, CHUNK, 1, stdout) != 1)
			return fail("cannot write");
	}
	return fflush(stdout) ? fail("cannot write") : 0;
}

static void print_name(const struct mon_name *name)
{
	unsigned int i;

	for (i = 0; i < sizeof(name->measurement); i++)
		printf("%02x", name->measurement[i]);
	putchar(':');
	for (i = 0; i < sizeof(name->runtime); i++)
		printf("%02x", name->runtime[i]);
	putchar('\n');
}

static int list(void)
{
	static const char *const states[] = { "?", "offered", "live", "ending" };
	struct mon_guest_at at;
	int dev = open_device();

	if (dev < 0)
		return 1;
	for (at.slot = 0;; at.slot++) {
		at.size = sizeof(at);
		if (ioctl(dev, MON_GUEST_IOC_AT, &at)) {
			if (errno == ENOENT)
				continue;
			return errno == ERANGE ? 0 : fail("cannot look for shares");
		}
		printf("%#llx %s %s, %llu pages, %s, %s ", at.share.id,
		       at.share.is_owner ? "mine" : "another's", states[at.share.state & 3],
		       at.share.pages, at.share.perm & MON_SHARE_WRITE ? "read and write" : "read",
		       at.share.is_owner ? "to" : "of");
		print_name(&at.share.name);
	}
}

static int show_self(void)
{
	struct mon_guest_info self = { .size = sizeof(self) };
	int dev = open_device();

	if (dev < 0)
		return 1;
	if (ioctl(dev, MON_GUEST_IOC_SELF, &self))
		return fail("cannot ask who this VM is");
	printf("domain %u, owns %llu of %llu pages, %llu given back, window of %llu pages\n",
	       self.domain, (unsigned long long)self.owned, (unsigned long long)self.limit,
	       (unsigned long long)self.balloon, (unsigned long long)self.window_pages);
	if (self.event_peer == MON_GUEST_NO_EVENTS)
		puts("no device for events");
	else
		printf("number %u for events\n", self.event_peer);
	fputs("name ", stdout);
	print_name(&self.name);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	uint64_t megabytes = 0;
	char *end;

	if (argc == 3) {
		megabytes = strtoull(argv[2], &end, 10);
		if (*end || !megabytes || megabytes > MB_MAX) {
			fprintf(stderr, "monpipe: '%s': use 1 to %d megabytes\n", argv[2], MB_MAX);
			return 2;
		}
		if (!strcmp(verb, "send"))
			return send(megabytes);
		if (!strcmp(verb, "stream"))
			return stream(megabytes);
	} else if (argc == 2) {
		if (!strcmp(verb, "receive"))
			return receive();
		if (!strcmp(verb, "list"))
			return list();
		if (!strcmp(verb, "self"))
			return show_self();
		if (!strcmp(verb, "--help") || !strcmp(verb, "-h")) {
			fputs(usage, stdout);
			return 0;
		}
	}
	fputs(usage, stderr);
	return 2;
}
