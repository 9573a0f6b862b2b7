// SPDX-License-Identifier: GPL-2.0-only
/*
 * Hypercalls, and calls of the VM. What a host would only do to itself is turned aside: the
 * monitor may not be given, nor write to, a frame that the kernel uses; and nobody destroys
 * the VM that has to be whole at the end, or what the module has made.
 */
#include <string.h>
#include "../../../uapi/guest.h"
#include "../../../uapi/monitor.h"
#include "../../share/puppet.h"
#include "fuzzer.h"
#include "guest.h"

#define ARENA_FRAMES 512
#define TAKEN_MAX 64
#define LAST_DOMAIN 32
#define SCRATCH_GPA 0x10000UL
#define DESTROY_TRIES 64
#define BEGUN_MAX 32
#define HOME_TRIES 8
#define ENCLAVES_MAX 16
#define SLOTS_LOOKED_AT 8

static uint64_t taken[TAKEN_MAX]; /* that are not of the arena */
static unsigned int nr_taken;
static bool away; /* frames have been given or taken */
static bool made[LAST_DOMAIN];
static uint64_t enclaves[ENCLAVES_MAX]; /* made by this input */
static unsigned int nr_enclaves;
static uint64_t window_gfn, window_pages;
static struct {
	uint64_t id;
	bool guest;
} begun[BEGUN_MAX]; /* shares, by this input */
static unsigned int nr_begun;

static bool in_arena(uint64_t pfn, uint64_t nr)
{
	uint64_t first = arena_pa / PAGE;

	return pfn >= first && pfn - first < ARENA_PAGES && nr <= ARENA_PAGES - (pfn - first);
}

static void pass(void)
{
	hypercall(0, MON_HC_PING, 0, 0, 0, 0);
	hypercall(1, MON_HC_PING, 0, 0, 0, 0);
}

/* ---- frames come home ---- */

/* Those of the arena that are not the host's just now, but for the one that stays in transit. */
static unsigned int frames_away(bool settle)
{
	const struct mon_frame *f = (const void *)(arena + SCRATCH_PAGE * PAGE);
	struct mon_frame copy[ARENA_PAGES];
	unsigned int i, n = 0;

	if (hypercall(0, MON_HC_FRAMES, arena_pa / PAGE, ARENA_PAGES,
		      arena_pa + SCRATCH_PAGE * PAGE, 0))
		return 0;
	memcpy(copy, f, sizeof(copy));
	for (i = 0; i < ARENA_PAGES; i++) {
		n += copy[i].state != 0;
		if (settle && copy[i].state == 1)
			hypercall(0, MON_HC_SETTLE, arena_pa / PAGE + i, 1, 0, 0);
	}
	return n;
}

static void take_one(int64_t pfn)
{
	if (pfn > 0 && !in_arena(pfn, 1) && nr_taken < TAKEN_MAX)
		taken[nr_taken++] = pfn;
}

static void give_back(void)
{
	unsigned int i;

	for (i = 0; i < nr_taken; i++)
		hypercall(0, MON_HC_DONATE, taken[i], 1, 0, 0);
	if (nr_taken)
		pass();
	for (i = 0; i < nr_taken; i++)
		if (hypercall(0, MON_HC_SETTLE, taken[i], 1, 0, 0))
			die("a frame cannot be given back");
	nr_taken = 0;
}

/* What was given comes back, and what was taken is given again. */
void frames_home(void)
{
	unsigned int tries = 0;
	int64_t pfn;

	if (!away)
		return;
	pass();
	pass();
	frames_away(true);
	while (frames_away(false) && nr_taken < TAKEN_MAX && tries < HOME_TRIES) {
		pfn = hypercall(0, MON_HC_TAKE_BACK, 0, 0, 0, 0);
		if (pfn < 0) { /* it waits for CPUs */
			pass();
			tries++;
		}
		take_one(pfn);
	}
	give_back();
	away = frames_away(false);
}

void destroyed(uint64_t call, uint64_t number)
{
	unsigned int tries;

	for (tries = 0; tries < DESTROY_TRIES; tries++) {
		if (hypercall(0, call, number, 0, 0, 0) != -MON_EAGAIN)
			break;
		pass();
	}
}

/* A share that an input leaves would be one less that the next can make. */
static void share_over(uint64_t id)
{
	unsigned int tries;

	for (tries = 0; tries < DESTROY_TRIES; tries++) {
		if (hypercall(0, MON_HC_SHARE_END, id, 0, 0, 0) != -MON_EAGAIN)
			break;
		pass();
	}
}

static void shares_over(void)
{
	unsigned int i, tries;

	for (i = 0; i < nr_begun; i++) {
		if (!begun[i].guest) {
			share_over(begun[i].id);
			continue;
		}
		for (tries = 0; tries < DESTROY_TRIES; tries++) {
			if (puppet(MON_GC_END, begun[i].id, 0, 0, 0) != -MON_EAGAIN)
				break;
			pass();
		}
	}
	nr_begun = 0;
}

static void note_begun(uint64_t id, bool guest)
{
	note_share(id);
	if (nr_begun == BEGUN_MAX)
		return;
	begun[nr_begun].id = id;
	begun[nr_begun++].guest = guest;
}

void calls_clean(void)
{
	unsigned int i;

	frames_home();
	shares_over();
	for (i = 0; i < LAST_DOMAIN; i++)
		if (made[i])
			destroyed(MON_HC_VM_DESTROY, i);
	memset(made, 0, sizeof(made));
	for (i = 0; i < nr_enclaves; i++)
		destroyed(MON_HC_ENCLAVE_DESTROY, enclaves[i]);
	nr_enclaves = 0;
	frames_home();
}

/* ---- hypercalls ---- */

/* Where the monitor would write: not into what is the kernel's. */
static uint64_t answer_at(uint64_t pa, uint64_t size)
{
	uint64_t pfn = pa / PAGE, nr = (pa % PAGE + size + PAGE - 1) / PAGE;

	if (!size || in_arena(pfn, nr) || !all_hosts(pfn, nr))
		return pa;
	return arena_pa + 8 * PAGE + pa % PAGE;
}

/* Not the keeper: nobody would load its pages again. */
static void keep(uint64_t *a)
{
	if (a[0] == keeper)
		a[0] = MON_DOMAIN_NONE;
}

static void harmless(uint64_t number, uint64_t *a)
{
	switch (number) {
	case MON_HC_STATUS:
		a[0] = answer_at(a[0], sizeof(struct mon_status));
		break;
	case MON_HC_CPU_STATUS:
		a[1] = answer_at(a[1], sizeof(struct mon_cpu_status));
		break;
	case MON_HC_VM_STATUS:
		a[1] = answer_at(a[1], sizeof(struct mon_vm_status));
		break;
	case MON_HC_ENCLAVE_STATUS:
		a[1] = answer_at(a[1], sizeof(struct mon_enclave_status));
		break;
	case MON_HC_ENCLAVE_EVICT:
		a[1] = answer_at(a[1], PAGE);
		a[2] = answer_at(a[2], sizeof(struct mon_enclave_evicted));
		keep(a);
		break;
	case MON_HC_ENCLAVE_PEEK:
		a[2] = answer_at(a[2], PAGE);
		break;
	case MON_HC_ENCLAVE_DESTROY:
		keep(a);
		break;
	case MON_HC_SHARE_AT:
		a[1] = answer_at(a[1], sizeof(struct mon_share_status));
		break;
	case MON_HC_FRAMES:
		a[2] = answer_at(a[2], (a[1] % (MON_FRAMES_MAX + 1)) * sizeof(struct mon_frame));
		break;
	case MON_HC_DONATE:
		if (!in_arena(a[0], a[1]) && all_hosts(a[0], a[1]))
			a[0] = arena_pa / PAGE + a[0] % ARENA_PAGES;
		if (!in_arena(a[0], a[1]) && all_hosts(a[0], a[1]))
			a[1] = 1;
		break;
	case MON_HC_VM_DESTROY:
		if (a[0] < LAST_DOMAIN && !made[a[0]])
			a[0] += LAST_DOMAIN;
		break;
	}
}

static void note_result(uint64_t number, int64_t result)
{
	switch (number) {
	case MON_HC_DONATE:
	case MON_HC_SETTLE:
		away |= !result;
		break;
	case MON_HC_TAKE_BACK:
		away |= result >= 0;
		take_one(result);
		break;
	case MON_HC_VM_CREATE:
		if (result > 0 && result < LAST_DOMAIN) {
			made[result] = true;
			note_domain(result);
		}
		break;
	case MON_HC_ENCLAVE_CREATE:
		if (result > 0) {
			enclaves[nr_enclaves++] = (uint64_t)result;
			note_domain((uint64_t)result);
		}
		break;
	case MON_HC_SHARE_OFFER:
		if (result > 0)
			note_begun(result, false);
		break;
	}
}

bool measurement_of_newest(uint8_t measurement[32])
{
	const struct mon_enclave_status *s = (const void *)(arena + SCRATCH_PAGE * PAGE);

	if (!nr_enclaves || hypercall(0, MON_HC_ENCLAVE_STATUS, enclaves[nr_enclaves - 1],
				      arena_pa + SCRATCH_PAGE * PAGE, 0, 0))
		return false;
	memcpy(measurement, s->measurement, sizeof(s->measurement));
	return true;
}

/* What it has offered it has told nobody but its process. */
static void note_shares_of_enclaves(void)
{
	const struct mon_share_status *s = (const void *)(arena + SCRATCH_PAGE * PAGE);
	unsigned int slot;

	for (slot = 0; slot < SLOTS_LOOKED_AT; slot++)
		if (!hypercall(0, MON_HC_SHARE_AT, slot, arena_pa + SCRATCH_PAGE * PAGE, 0, 0) &&
		    s->owner >= MON_DOMAIN_ENCLAVE)
			note_share(s->id);
}

int64_t do_hypercall(const struct op *op)
{
	uint64_t a[NR_ARGS];
	int64_t result;
	unsigned int i;

	structure_make(op, arena, arena_pa);
	for (i = 0; i < NR_ARGS; i++)
		used[nr_results][i] = value_of(&op->arg[i], arena_pa);
	memcpy(a, used[nr_results], sizeof(a));
	harmless(op->number, a);
	if ((op->number == MON_HC_TAKE_BACK && nr_taken == TAKEN_MAX / 2) ||
	    (op->number == MON_HC_ENCLAVE_CREATE && nr_enclaves == ENCLAVES_MAX))
		return 0;
	result = hypercall(op->unit & 1, op->number, a[0], a[1], a[2], a[3]);
	note_result(op->number, result);
	if (op->number == MON_HC_ENCLAVE_RUN && op->structure == ST_ENCLAVE_OFFER)
		note_shares_of_enclaves();
	return result;
}

/* ---- memory ---- */

/* What is the kernel's is only read. */
int64_t do_touch(const struct op *op)
{
	uint64_t pa = value_of(&op->arg[0], arena_pa) & ~7UL;
	uint64_t pfn = pa / PAGE;

	if (pfn >= frames_total)
		return 0;
	if (op->number % 2 || (all_hosts(pfn, 1) && !in_arena(pfn, 1)))
		return testmod("load 8 %#lx", pa);
	return testmod("%s 8 %#lx %#lx", op->number % 4 ? "xadd" : "store", pa,
		       value_of(&op->arg[1], arena_pa));
}

/* ---- calls of the VM ---- */

/* A page that it may do without: no other of its own. */
static uint64_t play_gfn(uint64_t gfn)
{
	if (gfn >= GUEST_RAM / PAGE)
		return gfn;
	if (gfn < GUEST_PLAY / PAGE)
		gfn = GUEST_PLAY / PAGE + gfn % GUEST_PLAY_PAGES;
	return gfn;
}

static uint64_t play_gpa(uint64_t gpa)
{
	return play_gfn(gpa / PAGE) * PAGE + gpa % PAGE;
}

static uint64_t in_play(uint64_t gpa)
{
	return GUEST_PLAY + gpa % (GUEST_PLAY_PAGES * PAGE - 8);
}

static int64_t guest_memory(unsigned int which, uint64_t where, uint64_t value)
{
	uint64_t at;

	switch (which) {
	case 1:
		return puppet(PUPPET_STORE, in_play(where), value, 0, 0);
	case 2:
		return puppet(PUPPET_LOAD, in_play(where), 0, 0, 0);
	default:
		if (!window_pages)
			return 0;
		at = (window_gfn + where % window_pages) * PAGE;
		return value & 1 ? puppet(PUPPET_STORE, at, value, 0, 0) :
				   puppet(PUPPET_LOAD, at, 0, 0, 0);
	}
}

static void guest_offer(const struct op *op)
{
	static uint64_t there[sizeof(struct mon_guest_offer) / 8];
	struct mon_guest_offer offer;
	uint64_t words[64];
	unsigned int i;

	structure_make(op, words, SCRATCH_GPA);
	memcpy(&offer, words, sizeof(offer));
	offer.gfn = play_gfn(offer.gfn);
	memcpy(words, &offer, sizeof(offer));
	for (i = 0; i < sizeof(offer) / 8; i++)
		if (there[i] != words[i])
			puppet(PUPPET_STORE, SCRATCH_GPA + 8 * i, words[i], 0, 0);
	memcpy(there, words, sizeof(there));
}

int64_t do_guest(const struct op *op)
{
	uint64_t a[NR_ARGS];
	int64_t result;
	unsigned int i;

	for (i = 0; i < NR_ARGS; i++)
		used[nr_results][i] = value_of(&op->arg[i], SCRATCH_GPA);
	memcpy(a, used[nr_results], sizeof(a));
	if (op->number > MON_GC_NR)
		return guest_memory(op->number - MON_GC_NR, a[0], a[1]);
	if (op->number == MON_GC_OFFER)
		guest_offer(op);
	else if (op->number == MON_GC_SELF)
		a[0] = play_gpa(a[0]);
	else if (op->number == MON_GC_SHARE_AT)
		a[1] = play_gpa(a[1]);
	else if (op->number == MON_GC_RELEASE)
		a[0] = play_gfn(a[0]);
	result = puppet(op->number, a[0], a[1], a[2], a[3]);
	if (op->number == MON_GC_OFFER && result > 0)
		note_begun(result, true);
	if (op->number == MON_GC_WINDOW && !result) {
		window_gfn = a[0];
		window_pages = a[1];
	}
	return result;
}
