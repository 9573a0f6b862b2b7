// SPDX-License-Identifier: GPL-2.0-only
/* Inputs: made, changed, printed and read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../../../uapi/guest.h"
#include "fuzzer.h"

static uint64_t state = 1;

void random_seed(uint64_t seed)
{
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
}

uint64_t random64(void)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state * 0x2545f4914f6cdd1dULL;
}

uint64_t below(uint64_t limit)
{
	return (random64() >> 32) % limit;
}

static bool one_in(uint64_t n)
{
	return !below(n);
}

/* ---- made ---- */

static struct value random_value(void)
{
	static const char kinds[] = "VVVVVFFPPANRRDDSSTGU";
	static const int32_t adds[] = { 1, -1, 2, 8, -8, 4088, 0x10000, -4096 };
	struct value v = { .kind = kinds[below(sizeof(kinds) - 1)], .index = below(VALUES) };

	if (one_in(6))
		v.add = adds[below(sizeof(adds) / sizeof(adds[0]))];
	if (v.kind == 'R')
		v.index %= 4;
	if (v.kind == 'D' || v.kind == 'S')
		v.index %= 8;
	return v;
}

/*
 * What the arguments of calls are: an address, a frame, a domain, a share, a page of the VM's, a
 * call of an enclave's, another number.
 */
static const char *const call_arguments[] = {
	[MON_HC_STATUS] = "a", [MON_HC_CPU_STATUS] = "na", [MON_HC_DONATE] = "fn",
	[MON_HC_SETTLE] = "fn", [MON_HC_VM_CREATE] = "a", [MON_HC_VM_DESTROY] = "d",
	[MON_HC_VM_STATUS] = "da", [MON_HC_VM_REFILL] = "dn", [MON_HC_SHARE_OFFER] = "a",
	[MON_HC_SHARE_ACCEPT] = "s", [MON_HC_SHARE_TOUCH] = "sn", [MON_HC_SHARE_END] = "s",
	[MON_HC_SHARE_AT] = "na", [MON_HC_FRAMES] = "fna", [MON_HC_VM_KEY] = "dnan",
	[MON_HC_ENCLAVE_CREATE] = "a", [MON_HC_ENCLAVE_ADD] = "dnna",
	[MON_HC_ENCLAVE_BUFFER] = "dnf", [MON_HC_ENCLAVE_FINISH] = "d",
	[MON_HC_ENCLAVE_DESTROY] = "d", [MON_HC_ENCLAVE_STATUS] = "da",
	[MON_HC_ENCLAVE_REFILL] = "dn", [MON_HC_ENCLAVE_RUN] = "dnne",
	[MON_HC_ENCLAVE_PAUSE] = "dn", [MON_HC_ENCLAVE_EVICT] = "daa",
	[MON_HC_ENCLAVE_LOAD] = "dnaa", [MON_HC_ENCLAVE_PEEK] = "dnan",
	[MON_HC_NR + 1] = "",
};

static const char *const guest_arguments[] = {
	[MON_GC_SELF] = "g", [MON_GC_WINDOW] = "nn", [MON_GC_OFFER] = "a",
	[MON_GC_ACCEPT] = "snn", [MON_GC_END] = "s", [MON_GC_SHARE_AT] = "na",
	[MON_GC_SIGNAL] = "s", [MON_GC_TAKE_SIGNAL] = "s", [MON_GC_RELEASE] = "gn",
	[MON_GC_DISK_OPENED] = "n",
	[MON_GC_NR + 3] = "nn",
};

static char sort_of(const struct op *op, unsigned int arg)
{
	const char *sorts = op->what == 'h' ? call_arguments[op->number % (MON_HC_NR + 2)] :
			    op->what == 'g' ? guest_arguments[op->number % (MON_GC_NR + 4)] :
			    "a";

	return sorts && arg < strlen(sorts) ? sorts[arg] : '\0';
}

/* Mostly one that makes sense. */
static struct value random_argument(const struct op *op, unsigned int arg)
{
	static const struct {
		char sort;
		const char *kinds;
	} sorts[] = { { 'a', "AFTTTU" }, { 'f', "NNPR" }, { 'd', "DDDR" }, { 's', "SSRR" },
		      { 'g', "GGGV" }, { 'n', "VVVR" },
		      { 'e', "EEEV" } };
	struct value v = random_value();
	unsigned int i;

	for (i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (sorts[i].sort == sort_of(op, arg) && !one_in(4))
			v.kind = sorts[i].kinds[below(strlen(sorts[i].kinds))];
	if (v.kind == 'R')
		v.index %= 4;
	return v;
}

static struct edit random_edit(void)
{
	return (struct edit){ below(32), !one_in(3), random_value() };
}

static void random_op(struct op *op)
{
	static const char kinds[] = "hhhhhhhhhhhiiggmtt";
	unsigned int i;

	memset(op, 0, sizeof(*op));
	op->what = kinds[below(sizeof(kinds) - 1)];
	op->unit = op->what == 'h' ? one_in(8) : below(7);
	op->number = below(op->what == 'h' ? MON_HC_NR + 2 : MON_GC_NR + 4);
	op->structure = one_in(2) ? below(ST_NR) : 0;
	op->nr_edits = one_in(2) ? below(MAX_EDITS + 1) : 0;
	for (i = 0; i < op->nr_edits; i++)
		op->edit[i] = random_edit();
	for (i = 0; i < NR_ARGS; i++)
		op->arg[i] = random_argument(op, i);
}

void input_random(struct input *in)
{
	unsigned int i;

	in->nr = 1 + below(4);
	for (i = 0; i < in->nr; i++)
		random_op(&in->op[i]);
}

/* ---- changed ---- */

static void insert(struct input *in, const struct op *op)
{
	unsigned int at = below(in->nr + 1);

	if (in->nr == MAX_OPS)
		return;
	memmove(&in->op[at + 1], &in->op[at], (in->nr - at) * sizeof(*op));
	in->op[at] = *op;
	in->nr++;
}

static void delete(struct input *in)
{
	unsigned int at = below(in->nr);

	if (in->nr == 1)
		return;
	in->nr--;
	memmove(&in->op[at], &in->op[at + 1], (in->nr - at) * sizeof(in->op[0]));
}

static void change_edit(struct op *op)
{
	if (op->nr_edits < MAX_EDITS && one_in(2))
		op->edit[op->nr_edits++] = random_edit();
	else if (op->nr_edits && one_in(2))
		op->nr_edits--;
	else if (op->nr_edits)
		op->edit[below(op->nr_edits)].value = random_value();
}

static void change_op(struct op *op)
{
	unsigned int i;
	struct op other;

	random_op(&other);
	switch (below(8)) {
	case 0:
		op->number = op->what == other.what ? other.number : (uint8_t)below(MON_HC_NR);
		break;
	case 1:
		op->unit = other.unit;
		break;
	case 2:
		op->structure = other.structure;
		break;
	case 3:
	case 4:
		change_edit(op);
		break;
	default:
		i = below(one_in(4) ? NR_ARGS : 3);
		op->arg[i] = random_argument(op, i);
	}
}

/* @other: another one that is known to be of use */
void input_mutate(struct input *in, const struct input *other)
{
	unsigned int times = 1 + below(3);
	struct op op;

	while (times--) {
		switch (below(10)) {
		case 0:
			random_op(&op);
			insert(in, &op);
			break;
		case 1:
			insert(in, &other->op[below(other->nr)]);
			break;
		case 2:
			insert(in, &in->op[below(in->nr)]);
			break;
		case 3:
			delete(in);
			break;
		default:
			change_op(&in->op[below(in->nr)]);
		}
	}
}

/* ---- as text ---- */

static void print_value(const struct value *v)
{
	printf("%c%u%+ld", v->kind, v->index, v->add);
}

void input_print(const struct input *in)
{
	unsigned int i, k;

	for (i = 0; i < in->nr; i++) {
		const struct op *op = &in->op[i];

		printf("%s%c%u.%u:%u", i ? " " : "", op->what, op->unit, op->number,
		       op->structure);
		for (k = 0; k < op->nr_edits; k++) {
			printf(",%u%s=", op->edit[k].word, op->edit[k].wide ? "w" : "");
			print_value(&op->edit[k].value);
		}
		for (k = 0; k < NR_ARGS; k++) {
			putchar(k ? ',' : '(');
			print_value(&op->arg[k]);
		}
		putchar(')');
	}
	putchar('\n');
}

static const char *parse_number(const char *at, long *number)
{
	char *end;

	*number = strtol(at, &end, 10);
	return end == at ? NULL : end;
}

static const char *parse_value(const char *at, struct value *v)
{
	long index, add;

	v->kind = *at++;
	at = parse_number(at, &index);
	at = at ? parse_number(at, &add) : NULL;
	v->index = index;
	v->add = at ? add : 0;
	return at;
}

static const char *parse_edit(const char *at, struct op *op)
{
	struct edit *e = &op->edit[op->nr_edits++];
	long word;

	at = parse_number(at, &word);
	if (!at)
		return NULL;
	e->word = word;
	e->wide = *at == 'w';
	at += e->wide;
	return *at == '=' ? parse_value(at + 1, &e->value) : NULL;
}

static const char *parse_op(const char *at, struct op *op)
{
	int unit, number, structure, n = 0;
	unsigned int i;

	memset(op, 0, sizeof(*op));
	op->what = *at;
	if (sscanf(at + 1, "%d.%d:%d%n", &unit, &number, &structure, &n) < 3)
		return NULL;
	op->unit = unit;
	op->number = number;
	op->structure = structure;
	at += 1 + n;
	while (at && *at == ',' && op->nr_edits < MAX_EDITS)
		at = parse_edit(at + 1, op);
	for (i = 0; at && i < NR_ARGS; i++)
		at = *at == (i ? ',' : '(') ? parse_value(at + 1, &op->arg[i]) : NULL;
	return at && *at == ')' ? at + 1 : NULL;
}

bool input_parse(const char *text, struct input *in)
{
	for (in->nr = 0; in->nr < MAX_OPS; ) {
		while (*text == ' ')
			text++;
		if (!*text || *text == '\n')
			break;
		text = parse_op(text, &in->op[in->nr]);
		if (!text)
			return false;
		in->nr++;
	}
	return in->nr > 0;
}
