// SPDX-License-Identifier: GPL-2.0-only
/* Which blocks of the process's file are free. */
#include <stdlib.h>
#include <string.h>
#include "file.h"

#define WORD 64
#define BITS_FIRST (64 * WORD)

static bool has_bit(const uint64_t *bits, uint64_t place)
{
	return bits[place / WORD] >> place % WORD & 1;
}

static int widen(uint64_t **bits, uint64_t from, uint64_t to)
{
	uint64_t *wider = realloc(*bits, to / 8);

	if (!wider)
		return -MON_ENOMEM;
	memset(wider + from / WORD, 0, (to - from) / 8);
	*bits = wider;
	return 0;
}

/* So that there is a bit for @place. The headers' are never free. */
static int reach(struct file_places *p, uint64_t place)
{
	uint64_t bits = p->bits ? p->bits : BITS_FIRST;

	while (bits <= place)
		bits *= 2;
	if (bits == p->bits)
		return 0;
	if (widen(&p->now, p->bits, bits) || widen(&p->synced, p->bits, bits))
		return -MON_ENOMEM;
	p->bits = bits;
	p->now[0] |= (1 << FILE_SLOTS) - 1;
	return 0;
}

int file_take_place(struct file_places *p, uint64_t *place)
{
	uint64_t word = p->first / WORD, free = 0;

	for (; word < p->bits / WORD; word++) {
		free = ~(p->now[word] | p->synced[word]);
		if (free)
			break;
	}
	*place = free ? word * WORD + __builtin_ctzll(free) : p->bits;
	if (*place < FILE_SLOTS) /* there are no bits yet */
		*place = FILE_SLOTS;
	if (reach(p, *place))
		return -MON_ENOMEM;
	p->now[*place / WORD] |= 1ULL << *place % WORD;
	p->first = *place + 1;
	return 0;
}

int file_mark_place(struct file_places *p, uint64_t place)
{
	if (reach(p, place))
		return -MON_ENOMEM;
	if (has_bit(p->now, place))
		return -MON_EPERM;
	p->now[place / WORD] |= 1ULL << place % WORD;
	p->synced[place / WORD] |= 1ULL << place % WORD;
	return 0;
}

void file_leave_place(struct file_places *p, uint64_t place)
{
	p->now[place / WORD] &= ~(1ULL << place % WORD);
	if (!has_bit(p->synced, place) && place < p->first)
		p->first = place;
}

void file_places_synced(struct file_places *p)
{
	if (p->bits)
		memcpy(p->synced, p->now, p->bits / 8);
	p->first = FILE_SLOTS;
}

void file_places_free(struct file_places *p)
{
	free(p->now);
	free(p->synced);
}
