/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The host, two VMs and what they share. Page tables are the flat maps that
 * pgtable.c is proved to make of them, and the pool gives any free frame, as
 * frame.c is proved to do; the words, the epochs, vm.c and share.c are real.
 */
#ifndef _SHARE_WORLD_H
#define _SHARE_WORLD_H

#include "proof.h"
#define frame_get pool_frame_get
#define frame_get_private pool_frame_get_private
#define epoch_reap pool_epoch_reap
#include "npt/frame.c"
#undef frame_get
#undef frame_get_private
#undef epoch_reap
u64 frame_get_private(u32 dom, u64 gfn);
void epoch_reap(u32 budget);
#include "npt/epoch.c"
#include "npt/vm.c"
#define range_valid share_range_valid
#define touch_locked share_touch_locked
#include "npt/share.c"
#undef range_valid
#undef touch_locked
#include "invariants.c"

#define PAGES (NPT_LIMIT >> PAGE_SHIFT)
#define NR_PAGES (1u << NPT_INDEX_BITS * NPT_LEVELS)
#define VM_A DOM_FIRST_VM
#define VM_B (DOM_FIRST_VM + 1)
enum { HOST, A, B, SPACES };

struct npt host_npt = { .root = HOST, .max_leaf = 1 };
static struct npt vms[2] = { { .root = A, .max_leaf = 1 }, { .root = B, .max_leaf = 1 } };
static const struct inv_space spaces[SPACES] = {
	{ INV_EPT01, DOM_HOST, &host_npt }, { INV_VM, VM_A, &vms[0] }, { INV_VM, VM_B, &vms[1] },
};

static const u32 doms[SPACES] = { DOM_HOST, VM_A, VM_B };
static const struct inv_world world = { .spaces = spaces, .nr_spaces = SPACES, .shares = shares,
	.nr_shares = SHARE_MAX, .used_shares = SHARE_MAX };

static struct frame words[FRAMES];
static u64 view[SPACES][NR_PAGES];
/* Ghost: a CPU may hold a translation of the peer's by this share. */
static u8 held[CPUS][SHARE_MAX];

static struct frame old_words[FRAMES];
static u64 old_view[SPACES][NR_PAGES];
static struct share old_shares[SHARE_MAX];
static u8 old_tag[FRAMES];
static u64 old_latest;

void on_wipe(u64 pfn)
{
	(void)pfn;
}

u64 host_max_pa(void)
{
	return BIT(52);
}

/* ---- the pool, by its contract ---- */

static void valid_frame(u64 pfn);

u64 frame_get_private(u32 dom, u64 gfn)
{
	struct frame new = { .state = FRAME_PRIVATE, .type = FRAME_GUEST, .owner = dom,
		.gfn = gfn };
	u64 pfn = nondet_u64();

	claim(npt_lock.held && dom >= DOM_FIRST_VM && dom < DOM_LIMIT, "for a VM, locked");
	if (!state_count[FRAME_FREE])
		return INVALID_PFN;
	assume(pfn < FRAMES && pfn && words[pfn].state == FRAME_FREE);
	valid_frame(pfn);
	frame_store(pfn, new);
	tag[pfn] = 0;
	return pfn;
}

/* Makes free frames of retired ones, which nothing here tells apart from none. */
void epoch_reap(u32 budget)
{
	(void)budget;
}

/* ---- page tables, as flat maps; their own frames are not counted here ---- */

/* An empty entry may stand for a block, if all of it is empty. */
static u32 empty_level(const u64 *map, u64 page)
{
	u32 level = nondet_u32(), i;

	assume(level >= 1 && level <= NPT_LEVELS);
	for (i = 0; i < NR_PAGES; i++)
		assume(i >> NPT_INDEX_BITS * (level - 1) != page >> NPT_INDEX_BITS * (level - 1) ||
		       !map[i]);
	return level;
}

struct npt_leaf npt_walk(const struct npt *npt, u64 gpa)
{
	u64 page = gpa >> PAGE_SHIFT;

	if (gpa >= NPT_LIMIT)
		return (struct npt_leaf){ 0, NPT_LEVELS };
	if (view[npt->root][page])
		return (struct npt_leaf){ view[npt->root][page], 1 };
	return (struct npt_leaf){ 0, empty_level(view[npt->root], page) };
}

u64 npt_map_cost(const struct npt *npt, u64 gpa, u32 level)
{
	(void)npt;
	claim(gpa < NPT_LIMIT && level == 1, "a page of the space");
	return 0;
}

int npt_map(struct npt *npt, u64 gpa, u64 attr, u32 level)
{
	claim(npt_lock.held && gpa < NPT_LIMIT && level == 1 && IS_ALIGNED(gpa, PAGE_SIZE) &&
	      !(attr & ~(EPT_RWX | EPT_MEMTYPE | EPT_IPAT | EPT_ADDR)) && (attr & EPT_RWX) &&
	      (attr & (EPT_READ | EPT_WRITE)) != EPT_WRITE, "npt_map() has nothing to refuse");
	assume(gpa < NPT_LIMIT);
	if (view[npt->root][gpa >> PAGE_SHIFT])
		return NPT_EEXIST;
	view[npt->root][gpa >> PAGE_SHIFT] = attr;
	return NPT_OK;
}

bool npt_protect(struct npt *npt, u64 gpa, u64 perm)
{
	u64 *entry, old;

	claim(npt_lock.held && gpa < NPT_LIMIT, "a page of the space");
	assume(gpa < NPT_LIMIT);
	entry = &view[npt->root][gpa >> PAGE_SHIFT];
	old = *entry;
	claim(old && perm && !(perm & ~EPT_RWX) && (perm & (EPT_READ | EPT_WRITE)) != EPT_WRITE,
	      "npt_protect() has a leaf, and a permission that there is");
	*entry = (old & ~EPT_RWX) | perm;
	return old & EPT_RWX & ~perm;
}

void npt_zap(struct npt *npt, u64 gpa)
{
	claim(npt_lock.held && gpa < NPT_LIMIT, "a page of the space");
	assume(gpa < NPT_LIMIT);
	view[npt->root][gpa >> PAGE_SHIFT] = 0;
}

int host_map_shared(u64 pfn, bool write)
{
	if (view[HOST][pfn])
		return NPT_EBUSY;
	view[HOST][pfn] = pfn << PAGE_SHIFT | EPT_READ | (write ? EPT_WRITE : 0);
	return NPT_OK;
}

void host_unmap_shared(u64 pfn)
{
	view[HOST][pfn] = 0;
}

/* ---- an arbitrary valid world ---- */

static u32 space_of(u32 dom)
{
	return dom == DOM_HOST ? HOST : dom == VM_A ? A : B;
}

static bool exists(u32 dom)
{
	return dom == DOM_HOST || dom == VM_A || dom == VM_B;
}

static void inv_one_share(u32 i)
{
	const struct share *s = &shares[i];
	u32 cpu;

	inv_share(s);
	for (cpu = 0; cpu < CPUS; cpu++) {
		INVARIANT(!held[cpu][i] || inv_live(s), "I19 no translation outlives its share");
		INVARIANT(!held[cpu][i] || seen[cpu].epoch != EPOCH_PARKED,
			  "I19 a parked CPU has none");
		INVARIANT(!held[cpu][i] || !s->epoch || s->state != SHARE_REVOKING ||
			  seen[cpu].epoch < s->epoch, "I19 who has one has not passed its epoch");
	}
	if (s->state == SHARE_FREE)
		return;
	INVARIANT(exists(s->owner) && s->owner_npt == spaces[space_of(s->owner)].npt,
		  "I18 the owner is there");
	if (!inv_live(s))
		return;
	INVARIANT(exists(s->peer) && s->peer_npt == spaces[space_of(s->peer)].npt,
		  "I18 the peer is there");
	INVARIANT(s->state == SHARE_LIVE || !s->epoch || (s->cursor >= s->nr && s->epoch <= latest),
		  "I19 the epoch is opened behind the last removal");
}

static bool leads_to(u32 space, u64 page, u64 pfn)
{
	u64 entry = view[space][page % NR_PAGES];

	return entry && inv_pfn(entry) == pfn;
}

/* I8: the leaf of the peer's that the word tells of is there. */
static void inv_peer_leaf(u64 pfn, struct frame f)
{
	const struct share *s;
	u64 at;
	u32 i;

	if (!f.shared)
		return;
	INVARIANT(exists(f.peer), "I18 the peer is there");
	if (f.peer == DOM_HOST) {
		INVARIANT(view[HOST][pfn], "I8 the host has its leaf");
		return;
	}
	for (i = 0; i < SHARE_MAX; i++) {
		s = &shares[i];
		at = s->peer_gfn + (f.gfn - s->gfn);
		if (inv_live(s) && s->owner == f.owner && f.gfn >= s->gfn && f.gfn - s->gfn < s->nr)
			INVARIANT(at < PAGES && leads_to(space_of(f.peer), at, pfn),
				  "I8 a peer has its leaf");
	}
}

static void inv_one_frame(u64 pfn)
{
	struct frame f = words[pfn];
	u64 pins = 0, i;

	inv_word(pfn, f);
	inv_shared(&world, f);
	inv_peer_leaf(pfn, f);
	if (f.state == FRAME_PRIVATE) {
		INVARIANT(f.owner == VM_A || f.owner == VM_B, "I18 the owner is there");
		INVARIANT(f.gfn < PAGES && leads_to(space_of(f.owner), f.gfn, pfn),
			  "I8 the owner has its leaf");
	}
	if (f.state == FRAME_HOST) {
		for (i = 0; i < NR_PAGES; i++)
			pins += leads_to(A, i, pfn) + leads_to(B, i, pfn);
		INVARIANT(f.gfn == pins, "I8 a pin for each leaf of a VM");
	}
	INVARIANT(!(inv_hosts(f) && !view[HOST][pfn]), "I11 the host has its own");
}

static void inv_one_page(u32 space, u64 page)
{
	u64 entry = view[space][page];

	if (entry) {
		INVARIANT(inv_pfn(entry) < FRAMES, "a frame");
		inv_page(&world, &spaces[space], page << PAGE_SHIFT, inv_pfn(entry), entry);
	}
}

static void havoc(void)
{
	u32 i, s;

	table = words;
	table_len = FRAMES;
	nr_seen = CPUS;
	latest = nondet_u64();
	assume(latest < BIT(63));
	state_count[FRAME_FREE] = 0;
	for (i = 0; i < FRAMES; i++) {
		u64 bits = nondet_u64();

		words[i] = *(struct frame *)&bits;
		tag[i] = nondet_u8();
		state_count[FRAME_FREE] += words[i].state == FRAME_FREE;
	}
	for (i = 0; i < 2; i++) {
		vms[i].owned = nondet_u64();
		vms[i].limit = nondet_u64();
	}
	for (s = 0; s < SPACES; s++)
		for (i = 0; i < NR_PAGES; i++)
			view[s][i] = nondet_u64();
	for (i = 0; i < SHARE_MAX; i++) {
		shares[i] = (struct share){ .state = nondet_u32(), .owner = nondet_u32(),
			.peer = nondet_u32(), .perm = nondet_u32(), .owner_perm = nondet_u32(),
			.use = nondet_u32(), .gfn = nondet_u64(), .nr = nondet_u64(),
			.peer_gfn = nondet_u64(), .cursor = nondet_u64(), .epoch = nondet_u64() };
		if (exists(shares[i].owner))
			shares[i].owner_npt = (struct npt *)spaces[space_of(shares[i].owner)].npt;
		if (exists(shares[i].peer))
			shares[i].peer_npt = (struct npt *)spaces[space_of(shares[i].peer)].npt;
	}
	for (s = 0; s < CPUS; s++) {
		seen[s].epoch = nondet_u64();
		for (i = 0; i < SHARE_MAX; i++) {
			held[s][i] = nondet_u8();
			assume(held[s][i] <= 1);
		}
	}
}

static void save(void)
{
	u32 i, s;

	for (i = 0; i < FRAMES; i++) {
		old_words[i] = words[i];
		old_tag[i] = tag[i];
	}
	for (s = 0; s < SPACES; s++)
		for (i = 0; i < NR_PAGES; i++)
			old_view[s][i] = view[s][i];
	for (i = 0; i < SHARE_MAX; i++)
		old_shares[i] = shares[i];
	old_latest = latest;
}

static u64 below(u64 limit)
{
	u64 n = nondet_u64();

	assume(n < limit);
	return n;
}

/*
 * The frame and the page that the harness asks about afterwards: what is
 * assumed of the world is that all shares are valid, that these are, and that
 * what the call looks at is. An invariant of one frame, or page, does not
 * depend on those of others.
 */
static u64 q_frame, q_page;
static u32 q_space;

static void valid_frame(u64 pfn)
{
	if (pfn >= FRAMES)
		return;
	assuming = true;
	inv_one_frame(pfn);
	assuming = false;
}

/* The page, and the frame that is there. */
static void valid_page(u32 space, u64 page)
{
	if (page >= PAGES)
		return;
	assuming = true;
	inv_one_page(space, page);
	assuming = false;
	if (view[space][page])
		valid_frame(inv_pfn(view[space][page]));
}

static void world_any(void)
{
	u32 i, j;

	havoc();
	assuming = true;
	for (i = 0; i < SHARE_MAX; i++) {
		inv_one_share(i);
		for (j = 0; j < i; j++)
			inv_shares_apart(&shares[i], &shares[j]);
	}
	for (i = 0; i < CPUS; i++)
		assume(seen[i].epoch <= latest || seen[i].epoch == EPOCH_PARKED);
	assuming = false;
	q_frame = below(FRAMES);
	q_space = below(SPACES);
	q_page = below(NR_PAGES);
	valid_frame(q_frame);
	valid_page(q_space, q_page);
	save();
}

/* Any share, any two shares, the frame and the page. */
static void world_check(void)
{
	u32 i = below(SHARE_MAX), j = below(SHARE_MAX);

	claim(!npt_lock.held, "the lock is free again");
	inv_one_share(i);
	if (i != j)
		inv_shares_apart(&shares[i], &shares[j]);
	inv_one_frame(q_frame);
	inv_one_page(q_space, q_page);
}

static bool same_word(u64 pfn)
{
	return *(u64 *)&words[pfn] == *(u64 *)&old_words[pfn] && tag[pfn] == old_tag[pfn];
}

static bool same_share(u32 i)
{
	const struct share *a = &shares[i], *b = &old_shares[i];

	return a->state == b->state && a->owner == b->owner && a->peer == b->peer &&
	       a->perm == b->perm && a->owner_perm == b->owner_perm && a->use == b->use &&
	       a->owner_npt == b->owner_npt && a->peer_npt == b->peer_npt && a->gfn == b->gfn &&
	       a->nr == b->nr && a->peer_gfn == b->peer_gfn && a->cursor == b->cursor &&
	       a->epoch == b->epoch;
}

/* I14, as far as anybody can see: not a word, an entry or a share. */
static void unchanged(void)
{
	claim(same_word(q_frame), "I14 refused: no word has changed");
	claim(same_share(below(SHARE_MAX)), "I14 nor a share");
	claim(view[q_space][q_page] == old_view[q_space][q_page], "I14 nor an entry");
	claim(latest == old_latest, "I14 nor an epoch");
}

/*
 * I16: nobody but these two sees a difference: neither in its space, nor in what
 * the frames hold that it can reach, nor in the words of its own frames.
 */
static void others_see_nothing(u32 one, u32 other)
{
	u64 entry = old_view[q_space][q_page];

	if (doms[q_space] == one || doms[q_space] == other)
		return;
	claim(view[q_space][q_page] == entry, "I16 a third domain's space is the same");
	if (entry)
		claim(tag[inv_pfn(entry)] == old_tag[inv_pfn(entry)], "I16 and what it can read");
	if (old_words[q_frame].owner == doms[q_space] && doms[q_space] != DOM_HOST)
		claim(same_word(q_frame), "I16 and the words of its frames");
}

#endif /* _SHARE_WORLD_H */
