// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two copies of one world: the same words, lists and epochs, and the same in
 * every frame that a domain can read, but anything else in what it cannot. After
 * the same verb it still cannot tell them apart, neither by what the verb said
 * nor by what it can read now. (I16; I17 is the case of one frame.)
 */
#include "frame_world.h"

enum verb {
	CLAIM_BOOT, HOST_DONATE, TRANSIT_SETTLE, GET, GET_PRIVATE, FREE_RETURN, PUT, RETIRE, REAP,
	PIN, UNPIN, SHARE, UNSHARE, VERBS
};

struct call {
	u32 verb, dom, budget;
	u64 pfn, nr, gfn;
	bool write;
};

/* What a verb tells its caller. */
struct answer {
	int err;
	u64 out;
};

static struct {
	struct frame words[FRAMES];
	u8 tag[FRAMES];
	struct answer answer;
} first;

static struct call any_call(void)
{
	struct call c = { nondet_u32(), nondet_u32(), nondet_u32(), nondet_u64(), nondet_u64(),
		nondet_u64(), nondet_u8() & 1 };

	assume(c.verb < VERBS);
	return c;
}

/* The verbs that stop the monitor when misused have no other callers than these. */
static bool may_call(const struct call *c)
{
	struct frame f = frame_get_info(c->pfn);

	switch (c->verb) {
	case GET:
		return c->dom > FRAME_NONE && c->dom < FRAME_TYPES;
	case PUT:
	case RETIRE:
		return may_go(c->pfn);
	case UNPIN:
		return f.state == FRAME_HOST && f.gfn;
	case UNSHARE:
		return f.state == FRAME_PRIVATE && f.shared;
	default:
		return true;
	}
}

static struct answer answer_of(const struct call *c)
{
	struct answer a = { 0 };

	switch (c->verb) {
	case CLAIM_BOOT:
		a.err = frame_claim_boot(c->pfn, c->nr, c->dom);
		break;
	case HOST_DONATE:
		a.err = frame_host_donate(c->pfn, c->nr, &a.out);
		break;
	case TRANSIT_SETTLE:
		a.err = frame_transit_settle(c->pfn, c->nr);
		break;
	case GET:
		a.out = frame_get(c->dom);
		break;
	case GET_PRIVATE:
		a.out = frame_get_private(c->dom, c->gfn);
		break;
	case FREE_RETURN:
		a.err = frame_free_return(&a.out);
		break;
	case PUT:
		frame_put(c->pfn);
		break;
	case RETIRE:
		frame_retire(c->pfn);
		break;
	case REAP:
		epoch_reap(c->budget);
		break;
	case PIN:
		a.err = frame_pin(c->pfn);
		break;
	case UNPIN:
		frame_unpin(c->pfn);
		break;
	case SHARE:
		a.err = frame_share(c->pfn, c->dom, c->write);
		break;
	case UNSHARE:
		frame_unshare(c->pfn);
		break;
	}
	return a;
}

/* May @dom read a frame with this word? What the host has, anybody may. */
static bool reads(u32 dom, struct frame f)
{
	if (f.state == FRAME_HOST || f.state == FRAME_HOLE)
		return true;
	if (f.state == FRAME_TRANSIT && !f.retired) /* the host's until just now */
		return true;
	return f.state == FRAME_PRIVATE && (f.owner == dom || (f.shared && f.peer == dom));
}

/* The world as it was before the call, with other contents. */
static void world_again(const u8 *other)
{
	u32 i;

	for (i = 0; i < FRAMES; i++) {
		words[i] = old.words[i];
		tag[i] = other[i];
	}
	for (i = 0; i < FRAME_STATES; i++)
		state_count[i] = old.states[i];
	for (i = 0; i < FRAME_TYPES; i++)
		type_count[i] = old.types[i];
	for (i = 0; i < CPUS; i++)
		seen[i].epoch = old.seen[i];
	pool = old.pool;
	latest = old.latest;
	waiting = old.waiting;
	filling = old.filling;
}

void proof_frame_two_copies(void)
{
	struct call c = any_call();
	struct answer again;
	u32 dom = nondet_u32(), i;
	u8 other[FRAMES];
	u64 q;

	assume(dom < DOM_LIMIT && dom != DOM_MONITOR);
	world_any();
	assume(may_call(&c));
	for (i = 0; i < FRAMES; i++) {
		other[i] = nondet_u8();
		assume(other[i] == tag[i] ||
		       (!reads(dom, words[i]) && words[i].state != FRAME_FREE));
	}
	first.answer = answer_of(&c);
	for (i = 0; i < FRAMES; i++) {
		first.words[i] = words[i];
		first.tag[i] = tag[i];
	}
	world_again(other);
	again = answer_of(&c);

	q = any_frame();
	REACH(first.tag[q] != tag[q], "they differ still, where it cannot read");
	REACH(other[q] != old.tag[q] && first.tag[q] == tag[q], "what differed is wiped");
	REACH(other[q] != old.tag[q] && c.verb == SHARE && !again.err && c.pfn == q && c.dom == dom,
	      "what differed is shared with it");
	REACH(!again.err && c.verb == FREE_RETURN && dom == DOM_HOST, "the host gets a frame");
	claim(again.err == first.answer.err && again.out == first.answer.out,
	      "I16 the same answer");
	claim(bits(words[q]) == bits(first.words[q]), "I16 the same words");
	/* What its owner shares with it just now, it is meant to read. */
	if (c.verb != SHARE || c.pfn != q)
		claim(!reads(dom, words[q]) || tag[q] == first.tag[q],
		      "I16 and the same in all that it can read");
}
