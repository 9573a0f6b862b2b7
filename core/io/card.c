// SPDX-License-Identifier: GPL-2.0-only
/* A network card. See card.h. */
#include "card.h"

#include "../vm.h"

#define F_MAC BIT(5)
#define F_STATUS BIT(16)
#define F_CONTROL BIT(17)
#define F_PAIRS BIT(22)

/* The configuration: MAC address, status, both QEMU's; then how many pairs there are */
#define PAIRS_AT 8u
#define PAIRS_END 10u

/* Of the page that has the host's queue for commands, behind the queue */
#define COMMAND_AT 3584u
#define ANSWER_AT 3840u

/* A command: class, which of the class (0), how many pairs: 1, 1 and 2 bytes */
#define COMMAND_PAIRS(n) (4u | (u32)(n) << 16)
#define COMMAND_NONE 0xffu
#define ANSWER_GOOD 0
#define ANSWER_BAD 1

void card_init(struct card *card, u32 nr_pairs, void *const *frame, u32 first_page)
{
	u32 i;

	card->nr_pairs = nr_pairs;
	card->first_page = first_page;
	for (i = 0; i < nr_pairs; i++) {
		card->pair[i] = frame[i];
		card->pair[i]->first_page = first_page + i * NET_PAGES;
	}
}

u64 card_features(const struct card *card)
{
	return F_MAC | F_STATUS | (card->nr_pairs > 1 ? F_CONTROL | F_PAIRS : 0);
}

u32 card_config_size(const struct card *card)
{
	return card->nr_pairs > 1 ? PAIRS_END : PAIRS_AT;
}

bool card_config(const struct card *card, u32 offset, u32 size, u64 *value)
{
	if (offset >= PAIRS_AT)
		*value = (u64)card->nr_pairs >> 8 * (offset - PAIRS_AT) & *value;
	return offset + size > PAIRS_AT || size > 4;
}

/* The last one is behind all pairs. */
u32 card_queue_page(const struct card *card, u32 queue)
{
	return card->first_page + queue / 2 * NET_PAGES + queue % 2;
}

static u32 control_page(const struct card *card)
{
	return card_queue_page(card, 2 * card->nr_pairs);
}

static enum io_result pair_missing(struct card *card, const struct net *pair)
{
	card->missing = net_missing(pair);
	return IO_AGAIN;
}

enum io_result card_host_start(struct card *card, struct arena *arena)
{
	void *page;
	u32 i;

	for (i = 0; i < card->nr_pairs; i++)
		if (net_start(card->pair[i], arena) == IO_AGAIN)
			return pair_missing(card, card->pair[i]);
	if (card->nr_pairs == 1)
		return IO_DONE;
	card->missing = control_page(card);
	page = arena_page(arena, card->missing);
	if (!page)
		return IO_AGAIN;
	host_queue_init(&card->host_control, page, 1, 2);
	card->waits = false;
	return IO_DONE;
}

u32 card_control(const struct card *card, u64 accepted)
{
	return 2 * (accepted & F_PAIRS ? card->nr_pairs : 1);
}

void card_start(struct card *card, u64 accepted, const struct guest_queue *queue)
{
	static const struct guest_queue none;
	u32 control = card_control(card, accepted), i;

	for (i = 0; i < card->nr_pairs; i++) {
		card->pair[i]->rx = 2 * i < control ? queue[2 * i] : none;
		card->pair[i]->tx = 2 * i < control ? queue[2 * i + 1] : none;
	}
	card->control = accepted & F_CONTROL ? queue[control] : none;
	card->in_use = 1;
}

/* ---- commands ---- */

static u32 pairs_asked(const struct card *card, u32 command, u32 len)
{
	u32 pairs = command >> 16;

	return len == sizeof(command) && command == COMMAND_PAIRS(pairs) &&
	       pairs <= card->nr_pairs ? pairs : 0;
}

static void post_command(struct card *card, struct arena *arena, u8 *page)
{
	u64 gpa = arena_gpa(arena, control_page(card));
	u32 command = card->asked ? COMMAND_PAIRS(card->asked) : COMMAND_NONE;
	const struct host_segment segments[] = {
		{ .gpa = gpa + COMMAND_AT, .len = sizeof(command) },
		{ .gpa = gpa + ANSWER_AT, .len = 1, .write = true },
	};

	memcpy(page + COMMAND_AT, &command, sizeof(command));
	host_queue_post(&card->host_control, page, 0, segments, ARRAY_SIZE(segments));
	card->waits = true;
}

static bool take_command(struct card *card, struct vm *vm)
{
	struct guest_chain chain;
	u32 command = 0;

	if (!guest_queue_take(&card->control, vm, &chain))
		return false;
	if (!guest_chain_read(&chain, vm, 0, &command,
			      (u32)min_u64(chain.read_bytes, sizeof(command))) ||
	    !chain.to_write || !chain.segment[chain.to_read].len) {
		card->control.broken = true;
		return false;
	}
	card->head = chain.head;
	card->answer = chain.segment[chain.to_read].gpa;
	card->asked = pairs_asked(card, command, chain.read_bytes);
	return true;
}

static void take_answer(struct card *card, struct vm *vm, u8 *page)
{
	u8 answer = ANSWER_BAD;
	u32 written;

	if (host_queue_take(&card->host_control, page, &written) < 0)
		return;
	card->waits = false;
	if (card->asked && written && READ_ONCE(page[ANSWER_AT]) == ANSWER_GOOD) {
		card->in_use = card->asked;
		answer = ANSWER_GOOD;
	}
	if (!vm_write(vm, card->answer, &answer, sizeof(answer)))
		card->control.broken = true;
	guest_queue_give(&card->control, vm, card->head, sizeof(answer));
}

static enum io_result control_work(struct card *card, struct vm *vm, struct arena *arena, u32 *kick)
{
	u8 *page;

	if (!card->waits && !guest_queue_waits(&card->control, vm))
		return IO_DONE;
	card->missing = control_page(card);
	page = arena_page(arena, card->missing);
	if (!page)
		return IO_AGAIN;
	if (card->waits) {
		take_answer(card, vm, page);
	} else if (!card->host_control.fault && take_command(card, vm)) {
		post_command(card, arena, page);
		*kick |= BIT(2 * card->nr_pairs);
	}
	return IO_DONE;
}

/* ---- all of it ---- */

enum io_result card_work(struct card *card, struct vm *vm, struct arena *arena, u32 *kick)
{
	enum io_result result = control_work(card, vm, arena, kick), one;
	u32 i, kicks;

	for (i = 0; i < card->in_use && result != IO_AGAIN; i++) {
		kicks = 0;
		one = net_work(card->pair[i], vm, arena, NET_BUDGET / card->in_use, &kicks);
		*kick |= kicks << 2 * i;
		if (one == IO_AGAIN)
			return pair_missing(card, card->pair[i]);
		if (one != IO_DONE)
			result = one;
	}
	return result;
}

u32 card_missing(const struct card *card)
{
	return card->missing;
}

bool card_fault(const struct card *card)
{
	u32 i;

	for (i = 0; i < card->nr_pairs; i++)
		if (net_fault(card->pair[i]))
			return true;
	return card->host_control.fault;
}

bool card_broken(const struct card *card)
{
	u32 i;

	for (i = 0; i < card->nr_pairs; i++)
		if (net_broken(card->pair[i]))
			return true;
	return card->control.broken || card->host_control.fault;
}
