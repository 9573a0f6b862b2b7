// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/io/blk.c core/io/guest_queue.c core/io/host_queue.c core/gcm.c core/sha256.c */
/* needs: core/disk/commit.c core/disk/dirty.c core/disk/disk.c core/disk/io.c */
/* needs: core/disk/open.c core/disk/place.c core/disk/request.c core/disk/seal.c core/hmac.c */
/* needs: core/disk/settle.c core/disk/super.c core/disk/tree.c */
/* cflags: -msse4.1 -maes -mpclmul -Wno-unused-parameter -Wno-unused-function */
/*
 * A mediated disk and a host that lies about its queue: the guest gets errors, or waits, and
 * nothing of its memory changes.
 */
#include "blk_sim.h"

static void fill(u8 *to, u32 len, u8 seed)
{
	u32 i;

	for (i = 0; i < len; i++)
		to[i] = (u8)(seed + i * 7 + (i >> 8));
}

enum lie { NO_ANSWER, TWICE, OTHER, NO_HEAD, LONG, SHORT, JUMP, BACK, FAILS, HALF, NR_LIES };

static const struct {
	const char *name;
	bool stops;
} lies[NR_LIES] = {
	[NO_ANSWER] = { "no answer", false },
	[TWICE] = { "done twice", true },
	[OTHER] = { "what was not posted is done", true },
	[NO_HEAD] = { "a number that is none is done", true },
	[LONG] = { "more is written than there is room for", true },
	[SHORT] = { "less is written than was asked for", true },
	[JUMP] = { "an index too far", true },
	[BACK] = { "an index that goes back", true },
	[FAILS] = { "an error", false },
	[HALF] = { "a status that nobody knows", false },
};

static enum lie lie;
static bool armed;

static bool tell(struct host_req *r)
{
	if (!armed || r->type != T_IN)
		return false;
	armed = false;
	host_data(r);
	*r->status = 0;
	switch (lie) {
	case NO_ANSWER:
		return true;
	case TWICE:
		host_use(r->head, r->written);
		host_use(r->head, r->written);
		return true;
	case OTHER:
		host_use((r->head + 6) % 126, r->written);
		return true;
	case NO_HEAD:
		host_use(0x10000 + r->head, r->written);
		return true;
	case LONG:
		host_use(r->head, r->written + 1);
		return true;
	case SHORT:
		host_use(r->head, r->written - 1);
		return true;
	case JUMP:
		host.used += 200;
		host_use(r->head, r->written);
		return true;
	case BACK:
		host.used -= 3;
		host_use(r->head, r->written);
		return true;
	case FAILS:
		*r->status = 1;
		break;
	default:
		*r->status = 0x80;
	}
	host_use(r->head, r->written);
	return true;
}

/* A disk with something on it, nothing of it in the cache; the first read is lied of. Its status */
static u32 start_with_lie(void)
{
	sim_start();
	fill(buffer_of(0), 2 * BLOCK, 1);
	check(guest_do(T_OUT, 0, 2 * BLOCK, 1) == S_OK && guest_do(T_FLUSH, 0, 0, 1) == S_OK);
	blk_new();
	guest_start(blk_features());
	memset(ram + BUFFERS_AT, UNTOUCHED, RAM - BUFFERS_AT);
	host_lie = tell;
	armed = true;
	return guest_do(T_IN, 0, 2 * BLOCK, 1);
}

static void one_lie(void)
{
	u64 calls = blk_calls;
	u32 i, status = start_with_lie(), touched = 0;
	bool first, more;

	first = !armed && (lie == NO_ANSWER ? status == 0xff : status == S_IOERR);
	for (i = BUFFERS_AT; i < RAM; i++)
		touched += ram[i] != UNTOUCHED;
	if (lie == NO_ANSWER)
		guest_give(1, T_FLUSH, 0, 0, 1);
	else
		status = guest_do(T_IN, 0, 2 * BLOCK, 1);
	check(settle());
	more = (blk_state(blk) == DISK_STOPPED) == lies[lie].stops &&
	       (lie == NO_ANSWER || status == (lies[lie].stops ? S_IOERR : S_OK));
	ok(first && more && !touched && !blk_broken(blk) && blk_calls - calls < 200, "%s: %s",
	   lies[lie].name, lie == NO_ANSWER  ? "the guest waits"
			   : lies[lie].stops ? "the disk stops, for ever"
					     : "an error, and the next one is good");
	host_lie = NULL;
}

static void test_lies(void)
{
	for (lie = 0; lie < NR_LIES; lie++)
		one_lie();
}

/* The disk has stopped: a driver gets errors at once, and may reset the device. */
static void test_stopped(void)
{
	u32 i, wrong = 0;

	lie = JUMP;
	start_with_lie();
	for (i = 0; i < 1000; i++) {
		guest_give(i % GUEST_REQS, i % 3 ? T_OUT : T_FLUSH, 0, i % 3 ? BLOCK : 0, 1);
		check(settle());
		wrong += guest_take() != 1 || *status_of(i % GUEST_REQS) != S_IOERR;
	}
	host_lie = NULL;
	blk_stop(blk);
	ok(!wrong && !blk_host_busy(blk), "1,000 requests to a disk that has stopped: errors");
}

/* ---- what the guest is told ---- */

static void test_config(void)
{
	u8 config[BLK_CONFIG_SIZE], part[8];
	u32 offset, len, wrong = 0;
	u64 capacity;

	sim_start();
	blk_config(blk, 0, config, sizeof(config));
	memcpy(&capacity, config, 8);
	ok(capacity == DISK_BLOCKS * SECTORS, "capacity");
	ok(config[12] == 254 && config[21] == 2 && config[24] == 3,
	   "segments, bytes of a sector, sectors of a block");
	for (len = 1; len <= 8; len++)
		for (offset = 0; offset + len <= BLK_CONFIG_SIZE; offset++) {
			blk_config(blk, offset, part, len);
			wrong += memcmp(config + offset, part, len) != 0;
		}
	ok(!wrong, "each part of it");
	lie = JUMP;
	start_with_lie();
	blk_config(blk, 0, &capacity, 8);
	ok(blk_state(blk) == DISK_STOPPED && !capacity, "one that has stopped has none");
}

int main(void)
{
	sim_memory();
	test_lies();
	test_stopped();
	test_config();
	return unit_end();
}
