// SPDX-License-Identifier: GPL-2.0-only
/* needs: tools/monctl/gdb_packet.c tools/monctl/gdb_answer.c tools/monctl/gdb_text.c */
/* needs: tools/monctl/gdb_thread.c tools/monctl/gdb_register.c */
/*
 * gdb's protocol against an enclave that is an array: what is answered, and that no bytes at all
 * do harm (AddressSanitizer looks on).
 */
#include <stdbool.h>
#include "unit.h"
#include "tools/monctl/gdb.h"

#define MEMORY 0x10000000ULL
#define SIZE 64
#define THREADS 4

static unsigned char memory[SIZE];
static struct mon_enclave_registers thread[THREADS];
static bool runs[THREADS];

unsigned int target_threads(void)
{
	return THREADS;
}

bool target_registers(unsigned int n, struct mon_enclave_registers *r)
{
	check(n < THREADS);
	if (!runs[n])
		*r = thread[n];
	return !runs[n];
}

static size_t there(unsigned long long at, size_t size)
{
	if (at < MEMORY || at - MEMORY >= SIZE)
		return 0;
	return size < SIZE - (at - MEMORY) ? size : SIZE - (at - MEMORY);
}

size_t target_read(unsigned long long at, void *to, size_t size)
{
	size = there(at, size);
	if (size)
		memcpy(to, memory + (at - MEMORY), size);
	return size;
}

bool target_write(unsigned long long at, const void *from, size_t size)
{
	if (there(at, size) != size)
		return false;
	if (size)
		memcpy(memory + (at - MEMORY), from, size);
	return true;
}

/* ---- */

static char answer[GDB_PACKET_MAX + 1];
static enum gdb_next next;

static bool says(const char *request, const char *wanted)
{
	next = gdb_answer(request, answer);
	if (!strcmp(answer, wanted))
		return true;
	printf("# '%s': '%s', not '%s'\n", request, answer, wanted);
	return false;
}

static bool begins(const char *request, const char *wanted)
{
	next = gdb_answer(request, answer);
	if (!strncmp(answer, wanted, strlen(wanted)))
		return true;
	printf("# '%s': '%s', not '%s...'\n", request, answer, wanted);
	return false;
}

static void setup(void)
{
	size_t i;

	for (i = 0; i < SIZE; i++)
		memory[i] = (unsigned char)i;
	memset(thread, 0, sizeof(thread));
	memset(runs, 0, sizeof(runs));
	thread[1].state = MON_ENCLAVE_THREAD_CALLING;
	thread[1].gpr[0] = 0x0123456789abcdef;
	thread[1].gpr[3] = 0x33; /* RBX */
	thread[1].rip = 0x10000040;
	thread[1].rflags = 0x202;
	thread[1].fs_base = 0xf5;
	thread[3].state = MON_ENCLAVE_THREAD_INTERRUPTED;
	thread[3].rip = 0x10000080;
	gdb_begin();
}

static void test_threads(void)
{
	setup();
	ok(says("?", "T05thread:2;") && says("qC", "QC2"), "the first one in which somebody is");
	ok(says("qfThreadInfo", "m2,4") && says("qsThreadInfo", "l"), "idle ones are not shown");
	ok(says("T2", "OK") && says("T4", "OK") && says("T1", "E01") && says("T5", "E01") &&
	   says("T0", "E01") && says("T", "E01") && says("T-1", "E01") &&
	   says("T11111111111111111", "E01"), "who is there");
	ok(says("Hg4", "OK") && says("qC", "QC4") && says("p10", "8000001000000000") &&
	   says("Hg0", "OK") && says("qC", "QC4") && says("Hc-1", "OK") && says("Hg5", "E01") &&
	   says("H", "E01") && says("Hx1", "E01") && says("qC", "QC4"), "another one");
	ok(says("qThreadExtraInfo,2", "63616c6c73207468652070726f63657373") &&
	   says("qThreadExtraInfo,4", "696e746572727570746564") &&
	   says("qThreadExtraInfo,5", "E01") && says("qThreadExtraInfo,0", "E01"), "what it does");
	runs[3] = true;
	ok(says("qfThreadInfo", "m2,4") && says("g", "E.the thread runs") &&
	   says("qThreadExtraInfo,4", "72756e73"), "one that runs has no registers");
	gdb_stopped(2, answer);
	ok(!strcmp(answer, "T02thread:2;"), "then another one is shown");
	memset(thread, 0, sizeof(thread));
	runs[3] = false;
	gdb_begin();
	ok(says("qfThreadInfo", "m1") && says("p10", "0000000000000000") && says("T1", "OK"),
	   "nobody is in it: the first, with zeros");
}

static void test_registers(void)
{
	setup();
	ok(begins("g", "efcdab89674523013300000000000000") && strlen(answer) == 584,
	   "all of them, as gdb orders them");
	ok(says("p0", "efcdab8967452301") && says("p1", "3300000000000000") &&
	   says("p10", "4000001000000000") && says("p11", "02020000") && says("p12", "xxxxxxxx") &&
	   says("p28", "f500000000000000"), "one of them");
	ok(says("p2a", "E01") && says("p", "E01") && says("pffffffffffffffff", "E01"), "or none");
	ok(begins("G00", "E.") && begins("P0=00", "E."), "not to be changed");
}

static void test_memory(void)
{
	char long_one[GDB_PACKET_MAX + 1];

	setup();
	ok(says("m10000004,4", "04050607"), "memory");
	ok(says("m1000003e,4", "3e3f"), "to its end");
	ok(says("m10000040,4", "E14") && says("m0,ffffffffffffffff", "E14") &&
	   says("mffffffffffffffff,ffffffffffffffff", "E14"), "where there is none");
	ok(says("m", "E01") && says("m,", "E01") && says("m1", "E01") && says("m1,", "E01") &&
	   says("m1,1,", "E01") && says("m-1,1", "E01") && says("m 1,1", "E01") &&
	   says("m0x1,1", "E01"), "of a bad request");
	ok(says("M10000001,2:aaBB", "OK") && says("m10000000,4", "00aabb03"), "is changed");
	ok(says("M1000003f,2:aabb", "E14") && says("m1000003f,1", "3f"), "not beyond its end");
	ok(says("M10000000,2:aa", "E01") && says("M10000000,1:aabb", "E01") &&
	   says("M10000000,1:", "E01") && says("M10000000,1:ag", "E01") &&
	   says("M10000000,ffffffff:aa", "E01") && says("M10000000", "E01") &&
	   says("m10000000,1", "00"), "not by a bad request");
	memset(long_one, 'a', GDB_PACKET_MAX);
	memcpy(long_one, "M10000000,7f8:", 14);
	long_one[GDB_PACKET_MAX] = '\0';
	ok(says(long_one, "E01"), "of another length than it says");
	ok(begins("m10000000,40", "00aabb03") && strlen(answer) == 128, "all of it");
}

static void test_description(void)
{
	char whole[2 * GDB_PACKET_MAX], request[64], *to = whole;
	unsigned int at;

	setup();
	for (at = 0;; at += 0x100) {
		snprintf(request, sizeof(request), "qXfer:features:read:target.xml:%x,100", at);
		next = gdb_answer(request, answer);
		strcpy(to, answer + 1);
		to += strlen(to);
		if (*answer != 'm')
			break;
	}
	ok(*answer == 'l' && strstr(whole, "<reg name=\"gs_base\"") &&
	   !strcmp(to - 9, "</target>"), "the description, in parts");
	ok(!strpbrk(whole, "$#}*"), "without what would have to be escaped");
	begins("qXfer:features:read:target.xml:0,ffffffff", "l<?xml");
	ok(!strcmp(answer + 1, whole), "in one");
	ok(says("qXfer:features:read:target.xml:ffff,10", "E01") &&
	   says("qXfer:features:read:target.xml:ffffffffffffffff,1", "E01") &&
	   says("qXfer:features:read:target.xml:", "E01"), "not behind its end");
	ok(says("qXfer:features:read:other.xml:0,10", "") && says("vMustReplyEmpty", "") &&
	   says("vCont?", "") && says("X10000000,0:", "") && says("", "") && says("\xff", "") &&
	   begins("qSupported:multiprocess+", "PacketSize=1000;") && says("qAttached", "1"),
	   "what is there, and what is not");
}

static void test_control(void)
{
	setup();
	ok(says("c", "") && next == GDB_GO_ON, "go on");
	ok(begins("c10000000", "E.") && next == GDB_ANSWER && begins("C05", "E."), "not elsewhere");
	ok(says("D", "OK") && next == GDB_DETACH, "detach");
	ok(says("k", "") && next == GDB_KILL, "kill");
	ok(begins("s", "E.") && begins("S05", "E.") && begins("Z0,10000000,1", "E.") &&
	   begins("Z2,10000000,8", "E.") && begins("z0,10000000,1", "E.") && next == GDB_ANSWER,
	   "no steps, no breakpoints: an error, or gdb would write them itself");
}

/* ---- packets ---- */

static struct gdb_in in;

/* What the last byte of these is; none before may be anything. */
static enum gdb_event feed(const char *bytes, size_t size)
{
	enum gdb_event event = GDB_NOTHING;
	size_t i;

	for (i = 0; i < size; i++) {
		if (event != GDB_NOTHING)
			printf("# event %d before byte %zu\n", event, i);
		event = gdb_byte(&in, (unsigned char)bytes[i]);
	}
	return event;
}

#define FEED(text) feed(text, sizeof(text) - 1)

static void test_packets(void)
{
	char long_one[GDB_PACKET_MAX + 8], frame[GDB_FRAME_MAX + 1];

	ok(FEED("+$g#67") == GDB_REQUEST && !strcmp(in.text, "g"), "a packet");
	ok(FEED("$#00") == GDB_REQUEST && !*in.text, "an empty one");
	ok(FEED("$g#68") == GDB_DAMAGED && FEED("$g#xx") == GDB_DAMAGED &&
	   FEED("$g#6x") == GDB_DAMAGED && FEED("$h#67") == GDB_DAMAGED, "damaged ones");
	ok(FEED("$gg$g#67") == GDB_REQUEST && !strcmp(in.text, "g"), "one that has lost its end");
	ok(FEED("\x03") == GDB_INTERRUPT && FEED("-") == GDB_AGAIN && FEED("#67") == GDB_NOTHING,
	   "between them");
	ok(FEED("$\x03#03") == GDB_REQUEST, "in one that is no interrupt");
	memset(long_one, 0, sizeof(long_one));
	long_one[0] = '$';
	memcpy(long_one + 1 + GDB_PACKET_MAX, "#00", 3);
	ok(feed(long_one, GDB_PACKET_MAX + 4) == GDB_REQUEST, "the longest one");
	long_one[1 + GDB_PACKET_MAX] = 0;
	memcpy(long_one + 2 + GDB_PACKET_MAX, "#00", 3);
	ok(feed(long_one, GDB_PACKET_MAX + 5) == GDB_DAMAGED && FEED("$g#67") == GDB_REQUEST,
	   "a longer one, and what comes behind it");
	ok(gdb_frame(frame, "OK") == 6 && !strcmp(frame, "$OK#9a") && gdb_frame(frame, "") == 4,
	   "an answer");
}

/* Requests cut, changed and put together of good ones. */
static void test_anything(void)
{
	static const char *const good[] = {
		"qXfer:features:read:target.xml:0,100", "m10000000,40", "M10000001,2:aabb", "p10",
		"g", "Hg2", "qThreadExtraInfo,4", "T3", "qfThreadInfo", "?", "c10",
		"Z0,10000000,1", "vCont?",
	};
	static const char odd[] = "0f9,:;-=\x03\xff";
	char request[512], frame[GDB_FRAME_MAX + 1];
	unsigned int i, j, requests = 0;
	size_t n;

	setup();
	srand(1);
	for (i = 0; i < 200000; i++) {
		n = (size_t)snprintf(request, 64, "%s", good[rand() % 13]);
		n += (size_t)snprintf(request + n, 64, "%s", rand() % 3 ? "" : good[rand() % 13]);
		for (j = rand() % 4; j; j--)
			request[(size_t)rand() % (n + 1)] =
				rand() % 3 ? odd[rand() % 10] : (char)rand();
		request[n] = '\0';
		gdb_answer(request, answer);
		check(strlen(answer) <= GDB_PACKET_MAX && !strpbrk(answer, "$#}*"));
		if (rand() % 4) /* a good sum, mostly */
			gdb_frame(frame, request);
		else
			snprintf(frame, sizeof(frame), "$%s#%02x", request, rand() & 0xff);
		for (j = 0; frame[j]; j++)
			if (gdb_byte(&in, (unsigned char)frame[j]) == GDB_REQUEST) {
				gdb_answer(in.text, answer);
				requests++;
			}
	}
	ok(requests > 100000, "anything: %u were requests", requests);
}

int main(void)
{
	test_threads();
	test_registers();
	test_memory();
	test_description();
	test_control();
	test_packets();
	test_anything();
	return unit_end();
}
