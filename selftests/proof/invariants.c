// SPDX-License-Identifier: GPL-2.0-only
/*
 * The invariants, by the numbers of Documentation/verification.rst. See
 * invariants.h for who uses them.
 */
#include "invariants.h"

static u64 inv_pfn(u64 entry)
{
	return (entry & EPT_ADDR) >> PAGE_SHIFT;
}

static bool inv_is_leaf(u64 entry, u32 level)
{
	return level == 1 || (entry & EPT_LEAF);
}

static bool inv_hosts(struct frame f)
{
	return f.state == FRAME_HOST || f.state == FRAME_HOLE;
}

static bool inv_retired(struct frame f)
{
	return f.state == FRAME_TRANSIT && f.retired;
}

/* ---- one word ---- */

static void inv_owner(struct frame f)
{
	if (inv_hosts(f))
		INVARIANT(f.owner == DOM_HOST, "I1 the host owns its RAM and the holes");
	else if (f.state == FRAME_PRIVATE)
		INVARIANT(f.owner >= DOM_FIRST_VM, "I1 a VM owns a private frame");
	else
		INVARIANT(f.owner == DOM_MONITOR, "I1 the monitor owns the rest");
}

static void inv_peer(struct frame f)
{
	if (f.shared) {
		INVARIANT(f.state == FRAME_PRIVATE, "I3 only a private frame has a peer");
		INVARIANT(f.peer != f.owner, "I3 a peer is not the owner");
		INVARIANT(f.peer != DOM_MONITOR, "I3 a peer is not the monitor");
	} else {
		INVARIANT(!f.peer && !f.peer_write, "I3 no peer unless shared");
	}
}

void inv_word(u64 pfn, struct frame f)
{
	INVARIANT(f.state < FRAME_STATES, "I2 a state of the enum");
	if (f.state == FRAME_USED)
		INVARIANT(f.type > FRAME_NONE && f.type < FRAME_TYPES, "I2 used for something");
	else
		INVARIANT(f.type == (f.state == FRAME_PRIVATE ? FRAME_GUEST : FRAME_NONE),
			  "I2 a type only in use");
	INVARIANT(!f.retired || f.state == FRAME_TRANSIT, "I2 retired only in transit");
	if (f.state == FRAME_USED || f.state == FRAME_HOLE)
		INVARIANT(!f.gfn, "I2 no number where there is none to keep");
	INVARIANT(pfn || inv_hosts(f), "I10 frame 0 ends the links, so it is the host's");
	inv_owner(f);
	inv_peer(f);
}

void inv_link(struct frame f)
{
	if (f.state == FRAME_FREE && f.gfn)
		INVARIANT(frame_get_info(f.gfn).state == FRAME_FREE,
			  "I10 the pool links free frames");
	if (inv_retired(f) && f.gfn)
		INVARIANT(inv_retired(frame_get_info(f.gfn)), "I10 a batch links retired frames");
}

/* ---- shares ---- */

static bool inv_live(const struct share *s)
{
	return s->state == SHARE_LIVE || s->state == SHARE_REVOKING;
}

/*
 * Is there a share by which @peer may still have a leaf, with @perm, for page
 * @gfn of @owner's? At @at of the peer's space, unless that is the host.
 */
static bool inv_granted(const struct inv_world *w, u32 owner, u64 gfn, u32 peer, u64 at, u64 perm)
{
	const struct share *s;
	u32 i;

	for (i = 0; i < w->used_shares; i++) {
		s = &w->shares[i];
		if (!inv_live(s) || s->owner != owner || s->peer != peer || s->perm != perm ||
		    gfn < s->gfn || gfn - s->gfn >= s->nr)
			continue;
		if (s->state == SHARE_REVOKING && gfn - s->gfn < s->cursor)
			continue;
		if (peer == DOM_HOST || at == s->peer_gfn + (gfn - s->gfn))
			return true;
	}
	return false;
}

/* Is this page of a VM's for what it has by a share? */
static bool inv_in_window(const struct inv_world *w, u32 dom, u64 at)
{
	const struct share *s;

	for (s = w->shares; s < w->shares + w->used_shares; s++)
		if (inv_live(s) && s->peer == dom && at >= s->peer_gfn && at - s->peer_gfn < s->nr)
			return true;
	return false;
}

static u64 inv_peer_perm(struct frame f)
{
	return f.peer_write ? EPT_READ | EPT_WRITE : EPT_READ;
}

void inv_shared(const struct inv_world *w, struct frame f)
{
	const struct share *s;
	bool found = false;
	u32 i;

	if (!f.shared)
		return;
	for (i = 0; i < w->used_shares; i++) {
		s = &w->shares[i];
		if (!inv_live(s) || s->owner != f.owner || f.gfn < s->gfn ||
		    f.gfn - s->gfn >= s->nr)
			continue;
		found = true;
		INVARIANT(s->peer == f.peer, "I4 the word and the share have the same peer");
		INVARIANT(s->perm == inv_peer_perm(f), "I6 and the same permission");
		INVARIANT(s->state == SHARE_LIVE || f.gfn - s->gfn >= s->cursor,
			  "I4 what a revocation has passed is shared no more");
	}
	INVARIANT(found, "I3 a shared frame is part of a share");
}

void inv_share(const struct share *s)
{
	INVARIANT(s->state <= SHARE_REVOKING, "I2 a state of a share of the enum");
	if (s->state == SHARE_FREE)
		return;
	INVARIANT(s->owner < DOM_PEER_LIMIT && s->owner != DOM_MONITOR, "I3 the owner can share");
	INVARIANT(s->peer < DOM_PEER_LIMIT && s->peer != s->owner, "I3 the peer is another");
	INVARIANT(s->peer != SHARE_ANY || !inv_live(s), "I3 who accepted is known");
	INVARIANT(s->perm == EPT_READ || s->perm == (EPT_READ | EPT_WRITE),
		  "I6 a share is to read, or to read and write");
	INVARIANT(!(s->perm & ~s->owner_perm), "I6 no more than the owner has");
	INVARIANT(s->nr && s->gfn < NPT_LIMIT >> PAGE_SHIFT &&
		  s->nr <= (NPT_LIMIT >> PAGE_SHIFT) - s->gfn, "I1 a share is inside the space");
	if (!inv_live(s) || s->peer == DOM_HOST)
		return;
	INVARIANT(s->peer_gfn < NPT_LIMIT >> PAGE_SHIFT &&
		  s->nr <= (NPT_LIMIT >> PAGE_SHIFT) - s->peer_gfn, "I1 and inside the peer's");
}

static bool inv_meet(u64 a, u64 nr_a, u64 b, u64 nr_b)
{
	return a < b + nr_b && b < a + nr_a;
}

/* What a VM offers is its own: the end of the share takes nothing else away. */
static void inv_not_passed_on(const struct share *offered, const struct share *accepted)
{
	if (offered->state != SHARE_FREE && inv_live(accepted) &&
	    offered->owner == accepted->peer && offered->owner != DOM_HOST)
		INVARIANT(!inv_meet(offered->gfn, offered->nr, accepted->peer_gfn, accepted->nr),
			  "I4 a VM does not pass on what is shared with it");
}

void inv_shares_apart(const struct share *a, const struct share *b)
{
	if (a->state == SHARE_FREE || b->state == SHARE_FREE)
		return;
	inv_not_passed_on(a, b);
	inv_not_passed_on(b, a);
	if (a->owner == b->owner && a->owner != DOM_HOST)
		INVARIANT(!inv_meet(a->gfn, a->nr, b->gfn, b->nr),
			  "I3 a page of a VM is in one share");
	if (inv_live(a) && inv_live(b) && a->peer == b->peer && a->peer != DOM_HOST)
		INVARIANT(!inv_meet(a->peer_gfn, a->nr, b->peer_gfn, b->nr),
			  "I7 windows of a VM do not overlap");
}

/* ---- one leaf ---- */

void inv_table(struct frame f)
{
	INVARIANT(f.state == FRAME_USED && f.type == FRAME_TABLE && f.owner == DOM_MONITOR,
		  "I10 a table is the monitor's");
}

void inv_entry(u64 entry, u32 level)
{
	u64 low = EPT_RWX | EPT_MEMTYPE | EPT_IPAT | (level > 1 ? EPT_LEAF : 0);

	if (!inv_is_leaf(entry, level)) {
		INVARIANT((entry & ~EPT_ADDR) == EPT_RWX, "I13 an entry for a table is plain");
		return;
	}
	INVARIANT(level <= host_npt.max_leaf, "I13 a leaf no larger than the CPU has");
	INVARIANT(IS_ALIGNED(entry & EPT_ADDR, LEVEL_SIZE(level)), "I13 a leaf is aligned");
	INVARIANT(!(entry & ~(EPT_ADDR | low)), "I13 no reserved bits");
	INVARIANT((entry & EPT_ADDR) < host_max_pa(), "I13 no wider than the CPU's addresses");
	INVARIANT((entry & EPT_RWX) && (entry & (EPT_READ | EPT_WRITE)) != EPT_WRITE,
		  "I13 permissions that the CPU knows");
	INVARIANT(memtype_valid((entry & EPT_MEMTYPE) >> EPT_MEMTYPE_SHIFT),
		  "I13 a memory type that there is");
}

/* EPT01: identity, but for a junk frame in place of what the host does not have. */
static void inv_page01(struct frame f, u64 gpa, u64 pfn, u64 entry)
{
	struct frame own = frame_get_info(gpa >> PAGE_SHIFT);

	if (pfn != gpa >> PAGE_SHIFT) {
		INVARIANT(f.state == FRAME_USED && f.type == FRAME_STATE, "I5 junk is lent");
		INVARIANT(!inv_hosts(own) && !(own.shared && own.peer == DOM_HOST),
			  "I11 lent where the host has nothing");
		INVARIANT((entry & EPT_RWX) == (EPT_READ | EPT_WRITE), "I6 junk is not executed");
	} else if (f.state == FRAME_PRIVATE) {
		INVARIANT(f.shared && f.peer == DOM_HOST, "I4 the host sees what it is given");
		INVARIANT((entry & EPT_RWX) == inv_peer_perm(f), "I6 with what was granted");
	} else {
		INVARIANT(inv_hosts(f), "I5 nothing of the monitor's in EPT01");
		INVARIANT((entry & EPT_RWX) == EPT_RWX, "I11 the host has its own in full");
	}
}

static void inv_page_vm(const struct inv_world *w, u32 dom, struct frame f, u64 gpa, u64 pfn,
			u64 entry)
{
	u64 at = gpa >> PAGE_SHIFT, perm = entry & EPT_RWX;

	if (f.state == FRAME_PRIVATE && f.owner == dom) {
		INVARIANT(f.gfn == at, "I7 a private frame is at its one place");
		INVARIANT(!inv_in_window(w, dom, at), "I7 a window has only what is shared there");
	} else if (f.state == FRAME_PRIVATE) {
		INVARIANT(f.shared && f.peer == dom, "I4 a VM sees what is shared with it");
		INVARIANT(perm == inv_peer_perm(f), "I6 with what was granted");
		INVARIANT(inv_granted(w, f.owner, f.gfn, dom, at, perm), "I4 by a share, there");
	} else {
		INVARIANT(f.state == FRAME_HOST, "I5 nothing of the monitor's in a VM");
		INVARIANT(!(perm & EPT_EXEC), "I6 nothing of the host's is executed");
		/* An enclave has borrowed it, for as long as it lives. */
		INVARIANT(dom >= DOM_FIRST_ENCLAVE || inv_granted(w, DOM_HOST, pfn, dom, at, perm),
			  "I4 what is the host's is by a share, too");
	}
}

void inv_page(const struct inv_world *w, const struct inv_space *space, u64 gpa, u64 pfn,
	      u64 entry)
{
	struct frame f = frame_get_info(pfn);

	if (space->kind == INV_EPT01)
		inv_page01(f, gpa, pfn, entry);
	else if (space->kind == INV_EPT02)
		INVARIANT(inv_hosts(f), "I11 an EPT02 has only what is the host's own");
	else
		inv_page_vm(w, space->dom, f, gpa, pfn, entry);
}

/* ---- changes ---- */

static void inv_change_used(struct frame before, struct frame after)
{
	if (before.state == FRAME_PRIVATE && after.state == FRAME_PRIVATE)
		INVARIANT(before.owner == after.owner && before.gfn == after.gfn,
			  "I1 a private frame stays where it is");
	else
		INVARIANT(after.state == FRAME_TRANSIT || after.state == FRAME_FREE,
			  "I2 what is in use ends in the pool, or on the way");
}

void inv_change(struct frame before, struct frame after, bool wiped, bool cached)
{
	bool in_use = before.state == FRAME_USED || before.state == FRAME_PRIVATE;

	if (!memcmp(&before, &after, sizeof(before)))
		return;
	INVARIANT(before.state != FRAME_HOLE && after.state != FRAME_HOLE, "I2 a hole stays one");
	if (before.state == FRAME_HOST)
		INVARIANT(after.state == FRAME_HOST || after.state == FRAME_TRANSIT,
			  "I2 from the host by a donation only");
	else if (after.state == FRAME_HOST)
		INVARIANT(before.state == FRAME_FREE, "I2 to the host from the pool only");
	if (after.state == FRAME_FREE || (after.state == FRAME_HOST && before.state == FRAME_FREE))
		INVARIANT(wiped, "I17 wiped before it is given on");
	if (in_use)
		inv_change_used(before, after);
	if (before.state == FRAME_TRANSIT || (in_use && after.state == FRAME_FREE))
		INVARIANT(!cached, "I19 nobody has it cached when it can be used anew");
}

void inv_cached(const struct inv_world *w, struct frame f, u32 dom)
{
	u32 i;

	INVARIANT(f.state != FRAME_FREE, "I19 no CPU has a free frame cached");
	if (f.state != FRAME_PRIVATE || f.owner == dom)
		return;
	for (i = 0; i < w->used_shares; i++)
		if (inv_live(&w->shares[i]) && w->shares[i].owner == f.owner &&
		    w->shares[i].peer == dom && f.gfn >= w->shares[i].gfn &&
		    f.gfn - w->shares[i].gfn < w->shares[i].nr)
			return;
	INVARIANT(0, "I19 who has another's page cached has a share of it, or had until just now");
}

/* ---- the whole world ---- */

static void inv_count_page(struct inv_world *w, const struct inv_space *space, u64 gpa, u64 pfn)
{
	if (space->kind == INV_VM && pfn < frame_count()) {
		w->leaves[pfn]++;
		w->owned += frame_get_info(pfn).owner == space->dom;
	}
	if (space->kind == INV_EPT01 && pfn != gpa >> PAGE_SHIFT)
		w->lent_now++;
	else if (space->kind == INV_EPT01)
		w->hosts += pfn < frame_count();
}

/* Behind the ownership table all frames are alike: the first one of a leaf is asked about. */
static void inv_walk_leaf(struct inv_world *w, const struct inv_space *space, u64 gpa, u64 entry,
			  u32 level)
{
	u64 end = gpa + LEVEL_SIZE(level), pfn = inv_pfn(entry);

	for (; gpa < end; gpa += PAGE_SIZE, pfn++) {
		inv_page(w, space, gpa, pfn, entry);
		inv_count_page(w, space, gpa, pfn);
		if (pfn >= frame_count())
			break;
	}
}

static void inv_walk(struct inv_world *w, const struct inv_space *space, u64 table, u32 level,
		     u64 base)
{
	const u64 *entries;
	u64 i, gpa;

	inv_table(frame_get_info(table));
	INVARIANT(++w->tables[table] == 1, "I10 a table is in one place");
	entries = frame_ptr(table);
	for (i = 0; i < NPT_ENTRIES; i++) {
		if (!entries[i])
			continue;
		gpa = base + (i << LEVEL_SHIFT(level));
		inv_entry(entries[i], level);
		if (inv_is_leaf(entries[i], level))
			inv_walk_leaf(w, space, gpa, entries[i], level);
		else
			inv_walk(w, space, inv_pfn(entries[i]), level - 1, gpa);
	}
}

/* Is this the space of @dom, and is the domain there? */
static bool inv_alive(const struct inv_world *w, u32 dom, const struct npt *npt)
{
	u32 i;

	for (i = 0; i < w->nr_spaces; i++)
		if (w->spaces[i].npt == npt && w->spaces[i].dom == dom &&
		    w->spaces[i].kind != INV_EPT02)
			return npt->root != INVALID_PFN;
	return false;
}

static void inv_check_share(const struct inv_world *w, const struct share *s)
{
	inv_share(s);
	if (s->state == SHARE_FREE)
		return;
	INVARIANT(inv_alive(w, s->owner, s->owner_npt), "I18 a dead VM shares nothing");
	INVARIANT(!inv_live(s) || inv_alive(w, s->peer, s->peer_npt),
		  "I18 and nothing is shared with it");
}

/* Most entries are free in most worlds: pairs only of those that are not. */
static void inv_check_shares(const struct inv_world *w)
{
	u32 used[SHARE_MAX], nr = 0, of_enclaves = 0, i, j, own;

	for (i = 0; i < w->used_shares; i++) {
		inv_check_share(w, &w->shares[i]);
		if (w->shares[i].state == SHARE_FREE)
			continue;
		used[nr++] = i;
		of_enclaves += w->shares[i].owner >= DOM_FIRST_ENCLAVE;
	}
	INVARIANT(of_enclaves <= SHARE_ENCLAVES, "I9 enclaves leave VMs what is theirs");
	for (i = 0; i < nr; i++) {
		for (j = 0, own = 1; j < i; j++) {
			own += w->shares[used[j]].owner == w->shares[used[i]].owner;
			inv_shares_apart(&w->shares[used[i]], &w->shares[used[j]]);
		}
		INVARIANT(own <= SHARE_QUOTA, "I9 no owner has more shares than it may");
	}
}

static void inv_check_frame(const struct inv_world *w, u64 pfn, struct frame f)
{
	bool to_host = f.shared && f.peer == DOM_HOST;

	inv_word(pfn, f);
	inv_link(f);
	inv_shared(w, f);
	if (f.state == FRAME_USED && f.type == FRAME_TABLE)
		INVARIANT(w->tables[pfn] == 1, "I10 no table is lost");
	if (f.state == FRAME_PRIVATE)
		INVARIANT(w->leaves[pfn] == 1u + (f.shared && !to_host),
			  "I8 a private frame has its leaf, and its peer's");
	if (f.state == FRAME_HOST)
		INVARIANT(w->leaves[pfn] == f.gfn, "I8 a pin for each leaf of a VM");
}

static u64 inv_pool_length(void)
{
	u64 pfn = frame_free_first(), n;

	if (pfn == INVALID_PFN)
		return 0;
	for (n = 0; pfn && n <= frame_count(); n++)
		pfn = frame_get_info(pfn).gfn;
	return n;
}

/* What EPT01 has is the host's: inv_page01(). So if the number is right, it has all that is. */
static void inv_check_frames(const struct inv_world *w)
{
	u64 states[FRAME_STATES] = { 0 }, types[FRAME_TYPES] = { 0 }, i, tables = 0, hosts = 0;
	struct frame f;

	for (i = 0; i < frame_count(); i++) {
		f = frame_get_info(i);
		inv_check_frame(w, i, f);
		states[f.state]++;
		types[f.type]++;
		tables += w->tables[i];
		hosts += inv_hosts(f) || (f.shared && f.peer == DOM_HOST);
	}
	for (i = 0; i < FRAME_STATES; i++)
		INVARIANT(frame_state_count(i) == states[i], "I9 the count of a state is exact");
	for (i = 1; i < FRAME_TYPES; i++)
		INVARIANT(frame_type_count(i) == types[i], "I9 the count of a type is exact");
	INVARIANT(types[FRAME_TABLE] == tables, "I10 every table is part of a space");
	INVARIANT(inv_pool_length() == states[FRAME_FREE], "I10 no free frame is lost");
	INVARIANT(w->owned_all == states[FRAME_PRIVATE], "I18 a dead VM owns nothing");
	INVARIANT(w->hosts == hosts, "I11 the host has all that it may");
}

/* The VM's own leaves are its frames, each at its one place: I7, I8. */
static void inv_check_space(struct inv_world *w, const struct inv_space *space)
{
	w->owned = 0;
	inv_walk(w, space, space->npt->root, NPT_LEVELS, 0);
	if (space->kind == INV_VM) {
		INVARIANT(space->npt->owned == w->owned, "I9 the count of a VM's frames is exact");
		INVARIANT(w->owned <= space->npt->limit, "I9 a VM owns no more than it may");
	}
	w->owned_all += w->owned;
}

void inv_check(struct inv_world *w)
{
	u32 i;

	npt_assert_locked();
	memset(w->leaves, 0, frame_count() * sizeof(*w->leaves));
	memset(w->tables, 0, frame_count() * sizeof(*w->tables));
	w->lent_now = 0;
	w->owned_all = 0;
	w->hosts = 0;
	w->used_shares = w->nr_shares;
	while (w->used_shares && w->shares[w->used_shares - 1].state == SHARE_FREE)
		w->used_shares--;
	for (i = 0; i < w->nr_spaces; i++) {
		if (w->spaces[i].npt->root != INVALID_PFN)
			inv_check_space(w, &w->spaces[i]);
	}
	INVARIANT(w->lent_now <= w->lent, "I5 only what is lent is not at its own address");
	inv_check_shares(w);
	inv_check_frames(w);
}
