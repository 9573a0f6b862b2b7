// SPDX-License-Identifier: GPL-2.0-only
/* Shares, and the pages of VMs. */
#include "share_world.h"

static struct npt *npt_of(u32 dom)
{
	return exists(dom) ? (struct npt *)spaces[space_of(dom)].npt : NULL;
}

void proof_share_offer(void)
{
	struct share offer = { .owner = nondet_u32(), .peer = nondet_u32(), .perm = nondet_u32(),
		.owner_perm = nondet_u32(), .gfn = nondet_u64(), .nr = nondet_u64() };
	u64 id = 0;
	int err;

	/* The caller names the space, so the owner is alive; the peer may be anybody. */
	assume(!may_share(offer.owner) || exists(offer.owner));
	offer.owner_npt = npt_of(offer.owner);
	world_any();
	err = share_offer(&offer, &id);
	REACH(!err, "offered");
	REACH(err == NPT_EDOMAIN, "no such owner or peer");
	REACH(err == NPT_EINVAL, "no such permission");
	REACH(err == NPT_ERANGE, "beyond the end");
	REACH(err == NPT_EEXIST, "offered already");
	REACH(err == NPT_EQUOTA, "too many");
	claim(view[q_space][q_page] == old_view[q_space][q_page], "an offer touches no page");
	claim(same_word(q_frame), "and no frame");
	if (err) {
		unchanged();
		return;
	}
	claim(share_of(id) && share_of(id)->state == SHARE_OFFERED, "the ID names it");
	claim(old_shares[share_of(id) - shares].state == SHARE_FREE, "in a free entry");
	world_check();
}

/* The caller has seen that a VM has none of its own memory there. */
static void nothing_of(u32 vm, u64 gfn, u64 nr)
{
	u64 i, entry;

	for (i = 0; vm != DOM_HOST && i < NR_PAGES; i++) {
		entry = view[space_of(vm)][i];
		assume(i < gfn || i - gfn >= nr || !entry ||
		       words[inv_pfn(entry) % FRAMES].owner != vm);
	}
}

void proof_share_accept(void)
{
	u32 peer = nondet_u32(), i = below(SHARE_MAX);
	u64 id = nondet_u64(), gfn = nondet_u64();
	struct share *s;
	int err;

	assume(exists(peer) || !may_share(peer));
	world_any();
	s = share_of(id);
	if (s)
		nothing_of(peer, gfn, s->nr);
	err = share_accept(id, peer, npt_of(peer), gfn);
	REACH(!err && peer == DOM_HOST, "by the host");
	REACH(!err && peer == VM_B, "by a VM");
	REACH(err == NPT_ENOENT, "no such share");
	REACH(err == NPT_EDOMAIN, "not for this one");
	REACH(err == NPT_ESTATE, "accepted already");
	REACH(err == NPT_ERANGE, "beyond the end");
	REACH(err == NPT_EEXIST, "another is there");
	claim(view[q_space][q_page] == old_view[q_space][q_page], "accepting touches no page");
	if (err) {
		unchanged();
		return;
	}
	claim(old_shares[s - shares].state == SHARE_OFFERED &&
	      (old_shares[s - shares].peer == peer || old_shares[s - shares].peer == SHARE_ANY),
	      "what was offered to it");
	claim(s->state == SHARE_LIVE && s->peer == peer, "is live");
	claim(same_share(i) || &shares[i] == s, "I15 no other share has changed");
	world_check();
}

void proof_share_touch(void)
{
	u32 peer = nondet_u32(), owner = DOM_HOST, i;
	u64 gpa = nondet_u64(), page = INVALID_PFN;
	int err;

	assume(exists(peer));
	world_any();
	valid_page(space_of(peer), gpa >> PAGE_SHIFT);
	for (i = 0; i < SHARE_MAX; i++)
		if (shares[i].state == SHARE_LIVE && shares[i].peer == peer &&
		    gpa >> PAGE_SHIFT >= shares[i].peer_gfn &&
		    (gpa >> PAGE_SHIFT) - shares[i].peer_gfn < shares[i].nr) {
			owner = shares[i].owner;
			page = shares[i].gfn + ((gpa >> PAGE_SHIFT) - shares[i].peer_gfn);
		}
	/* The owner's page; if it is the host, the frame. */
	valid_page(space_of(owner), page);
	if (owner == DOM_HOST)
		valid_frame(page);
	err = share_touch(peer, gpa);
	REACH(!err && owner == DOM_HOST, "a page of the host's");
	REACH(!err && owner != DOM_HOST && state_count[FRAME_FREE] > 1, "a page of a VM's");
	REACH(err == NPT_ENOENT, "no share there");
	REACH(err == NPT_EEXIST, "mapped already");
	REACH(err == NPT_EOWNER, "given away");
	REACH(err == NPT_EPOOL, "no frame");
	if (err)
		unchanged();
	else
		claim(view[space_of(peer)][(gpa >> PAGE_SHIFT) % NR_PAGES], "it is there");
	others_see_nothing(peer, owner);
	claim(same_share(below(SHARE_MAX)), "the shares are as they were");
	world_check();
}

void proof_share_touch_host(void)
{
	u64 id = nondet_u64(), index = nondet_u64(), pfn = 0;
	struct share *s;
	int err;

	world_any();
	s = share_of(id);
	if (s && index < s->nr)
		valid_page(space_of(s->owner), s->gfn + index);
	err = share_touch_host(id, index, &pfn);
	REACH(!err, "a page");
	REACH(err == NPT_ENOENT, "no such share");
	REACH(err == NPT_EDOMAIN, "not the host's");
	REACH(err == NPT_ESTATE, "not live");
	REACH(err == NPT_ERANGE, "beyond the end");
	if (!err) {
		claim(pfn < FRAMES && words[pfn].shared && words[pfn].peer == DOM_HOST &&
		      words[pfn].owner == s->owner, "shared with the host by its owner");
		claim(view[HOST][pfn % FRAMES], "and in EPT01");
		others_see_nothing(DOM_HOST, s->owner);
	} else {
		claim(latest == old_latest && same_share(below(SHARE_MAX)), "I14 no share");
	}
	world_check();
}

/* What a step of a revocation looks at: the pages from the cursor on. */
static void valid_range(const struct share *s)
{
	u64 from = s->state == SHARE_REVOKING ? s->cursor : 0, i;

	for (i = from; i < s->nr && i < NR_PAGES; i++) {
		valid_page(space_of(s->owner), s->gfn + i);
		if (inv_live(s) && s->peer != DOM_HOST)
			valid_page(space_of(s->peer), s->peer_gfn + i);
		if (s->owner == DOM_HOST)
			valid_frame(s->gfn + i);
	}
}

static void check_end(u32 i, bool over)
{
	u32 cpu = below(CPUS);

	if (!over)
		return;
	claim(shares[i].state == SHARE_FREE, "it is over");
	claim(!held[cpu][i], "I19 no CPU has a translation of the peer's left");
}

void proof_share_end(void)
{
	u64 id = nondet_u64();
	u32 by = nondet_u32(), other = below(SHARE_MAX), i;
	struct share *s;
	int err;

	world_any();
	s = share_of(id);
	i = s ? s - shares : 0;
	if (s)
		valid_range(s);
	err = share_end(id, by);
	REACH(!err && old_shares[i].state == SHARE_OFFERED, "an offer is taken back");
	REACH(!err && old_shares[i].state == SHARE_REVOKING, "all have flushed");
	REACH(err == NPT_EBUSY && old_shares[i].state == SHARE_LIVE, "begun");
	REACH(err == NPT_EBUSY && s->cursor < s->nr, "leaves are left");
	REACH(err == NPT_EBUSY && s->cursor >= s->nr, "a CPU has not flushed");
	REACH(err == NPT_ENOENT, "no such share");
	REACH(err == NPT_EDOMAIN, "none of its business");
	if (err == NPT_ENOENT || err == NPT_EDOMAIN) {
		unchanged();
		return;
	}
	check_end(i, !err);
	claim(same_share(other) || other == i, "I15 no other share has changed");
	claim(by == old_shares[i].owner || by == old_shares[i].peer, "only who takes part ends it");
	others_see_nothing(old_shares[i].owner, old_shares[i].peer);
	world_check();
}

void proof_share_drop(void)
{
	u32 dom = nondet_u32(), i = below(SHARE_MAX), j;
	bool gone;

	assume(exists(dom));
	world_any();
	for (j = 0; j < SHARE_MAX; j++)
		if (shares[j].state != SHARE_FREE)
			valid_range(&shares[j]);
	gone = share_drop(dom);
	REACH(gone, "none is left");
	REACH(!gone, "not yet");
	if (gone)
		claim(shares[i].state == SHARE_FREE ||
		      (shares[i].owner != dom && shares[i].peer != dom), "I18 none of its is left");
	claim(same_share(i) || old_shares[i].owner == dom || old_shares[i].peer == dom,
	      "I15 no other's has changed");
	world_check();
}

void proof_vm_npt_touch(void)
{
	u64 gpa = nondet_u64(), perm = nondet_u64(), pfn = INVALID_PFN, owned;
	u32 dom = nondet_u32();
	int err;

	assume(exists(dom) || dom >= DOM_LIMIT || dom < DOM_FIRST_VM);
	world_any();
	owned = vms[0].owned;
	valid_page(dom == VM_B ? B : A, gpa >> PAGE_SHIFT);
	/* The caller asks share_touch() about a window. */
	assume(!inv_in_window(&world, dom, gpa >> PAGE_SHIFT));
	err = vm_npt_touch(dom == VM_B ? &vms[1] : &vms[0], dom, gpa, perm, &pfn);
	REACH(!err, "a page");
	REACH(err == NPT_EDOMAIN, "no VM");
	REACH(err == NPT_EALIGN, "not aligned");
	REACH(err == NPT_ERANGE, "beyond the end");
	REACH(err == NPT_EINVAL, "no such permission");
	REACH(err == NPT_EEXIST, "there already");
	REACH(err == NPT_EPOOL, "no frame");
	REACH(err == NPT_EQUOTA, "as many as it may have");
	if (err) {
		claim(vms[0].owned == owned, "I9 not counted");
		unchanged();
		return;
	}
	claim(old_words[pfn].state == FRAME_FREE && words[pfn].state == FRAME_PRIVATE &&
	      words[pfn].owner == dom && words[pfn].gfn == gpa >> PAGE_SHIFT, "of a free frame");
	claim(!tag[pfn], "I17 wiped");
	claim(vms[0].owned == owned + (dom == VM_A), "I9 counted");
	others_see_nothing(dom, dom);
	world_check();
}

/* I9 of a VM whose pages are all in its space: it owns at least its leaves. */
static u64 leaves_of(u32 dom)
{
	u64 nr = 0, i, entry;

	for (i = 0; i < NR_PAGES; i++) {
		valid_page(space_of(dom), i);
		entry = view[space_of(dom)][i];
		nr += entry && words[inv_pfn(entry) % FRAMES].owner == dom;
	}
	return nr;
}

/* Any world; @dom is one of the VMs. */
static struct npt *world_of_vm(u32 dom)
{
	assume(dom == VM_A || dom == VM_B);
	world_any();
	return npt_of(dom);
}

void proof_vm_npt_release(void)
{
	u64 gpa = nondet_u64(), nr = nondet_u64(), i, gone, pfn;
	u32 dom = nondet_u32();
	struct npt before, *npt = world_of_vm(dom);
	int err;

	assume(npt->owned >= leaves_of(dom));
	before = *npt;
	err = vm_npt_release(npt, dom, gpa, nr);
	gone = before.owned - npt->owned;
	REACH(!err && gone == 2, "two pages");
	REACH(!err && !gone && nr, "that it never touched");
	REACH(err == NPT_EALIGN, "not aligned");
	REACH(err == NPT_ERANGE && nr, "beyond the end");
	REACH(err == NPT_EOWNER, "what is shared with it");
	REACH(err == NPT_EBUSY, "what it shares");
	REACH(err == NPT_EQUOTA, "more than it could still have");
	if (err) {
		claim(npt->owned == before.owned && npt->limit == before.limit, "I9 not counted");
		unchanged();
		return;
	}
	i = gpa / PAGE_SIZE + below(nr);
	claim(!view[space_of(dom)][i % NR_PAGES], "no page is left there");
	if (old_view[space_of(dom)][i % NR_PAGES]) {
		pfn = inv_pfn(old_view[space_of(dom)][i % NR_PAGES]);
		claim(old_words[pfn].owner == dom && !old_words[pfn].shared, "of its own");
		claim(words[pfn].state == FRAME_TRANSIT && words[pfn].retired,
		      "on its way, until all have flushed");
	}
	claim(npt->limit == before.limit - nr && npt->owned <= npt->limit, "I9 it may have less");
	others_see_nothing(dom, dom);
	world_check();
}

void proof_vm_npt_protect(void)
{
	u64 gpa = nondet_u64(), nr = nondet_u64(), perm = nondet_u64(), epoch = 0, x, pfn, was, is;
	u32 dom = nondet_u32();
	struct npt *npt = world_of_vm(dom), before = *npt;
	int err;

	err = vm_npt_protect(npt, dom, gpa, nr, perm, &epoch);
	REACH(!err && epoch, "less");
	REACH(!err && !epoch && nr == 2, "no less, of two pages");
	REACH(err == NPT_EINVAL, "no such permission");
	REACH(err == NPT_EALIGN, "not aligned");
	REACH(err == NPT_ERANGE && nr, "beyond the end");
	REACH(err == NPT_EOWNER, "what is shared with it");
	REACH(err == NPT_EBUSY, "what it shares");
	claim(npt->owned == before.owned && npt->limit == before.limit, "I9 nothing to count");
	if (err) {
		claim(!epoch, "I14 nor an epoch");
		unchanged();
		return;
	}
	x = below(NR_PAGES);
	was = old_view[space_of(dom)][x];
	is = view[space_of(dom)][x];
	if (x < gpa / PAGE_SIZE || x - gpa / PAGE_SIZE >= nr) {
		claim(is == was, "I15 no other page has changed");
	} else if (was) {
		pfn = inv_pfn(was);
		claim(old_words[pfn].owner == dom && !old_words[pfn].shared, "of its own");
		claim(is == ((was & ~EPT_RWX) | perm), "the permission, and no more");
		claim(epoch || !(was & EPT_RWX & ~perm), "I19 what is less is waited for");
	} else {
		claim(!is, "none is made");
	}
	claim(!epoch || epoch > old_latest, "a new epoch");
	others_see_nothing(dom, dom);
	world_check();
}
