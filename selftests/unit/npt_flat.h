/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A second opinion on the ownership table: flat arrays of who owns a frame,
 * what is in it, and what each domain sees at each of its pages. No tables, no
 * levels, no lists, and of the epochs only who has not flushed yet.
 *
 * Included behind npt/ by a test that makes random verbs: it takes the place of
 * the verbs. Each one runs, is worked out here anew from what was said in the
 * headers, and the answers are compared; flat_check() compares all there is.
 * Frames that are the monitor's are one kind here: which of them is free, a
 * table or retired is up to the code, but not before every CPU has flushed.
 *
 * The includer has FRAMES, CPUS, VMS, vms[], and 256 pages in each space.
 */
#ifndef _NPT_FLAT_H
#define _NPT_FLAT_H

#define FLAT_PAGES 256
#define FLAT_SHARES 64
#define FLAT_ALL ((1u << CPUS) - 1)
#define FLAT_NONE ((u32)~0u)

enum flat_kind { FLAT_HOST, FLAT_HOLE, FLAT_DONATED, FLAT_MONITOR, FLAT_PRIVATE };

static struct {
	u8 kind;
	u8 dom;		 /* PRIVATE: its owner */
	u8 last;	 /* MONITOR: enum frame_state when last looked at */
	bool retired;	 /* ... and whether it was retired */
	u32 cpus;	 /* that have not flushed since it was donated or retired */
	u32 pins;
	u64 tag;	 /* HOST, PRIVATE: what was written to it */
} flat[FRAMES];

/* What a domain sees at a page: domain 0 is the host, 1 and up are VMs. */
static struct {
	u32 pfn;
	u32 perm;
} flat_view[1 + VMS][FLAT_PAGES];

static struct flat_share {
	u64 id;
	u32 state, owner, peer, perm, owner_perm;
	u32 cpus;
	u64 gfn, nr, peer_gfn;
} flat_share[FLAT_SHARES];

static u64 flat_tag_next;

static u32 flat_index(u32 dom)
{
	return dom >= DOM_FIRST_VM ? dom - DOM_FIRST_VM + 1 : 0;
}

static const struct npt *flat_space(u32 index)
{
	return index ? &vms[index - 1] : &host_npt;
}

static u64 *flat_word(u64 pfn)
{
	return (u64 *)frame_ptr(pfn) + PAGE_SIZE / sizeof(u64) / 2;
}

static bool flat_sees(u32 index, u64 page)
{
	return page < FLAT_PAGES && flat_view[index][page].perm;
}

static void flat_see(u32 index, u64 page, u64 pfn, u32 perm)
{
	flat_view[index][page].pfn = pfn;
	flat_view[index][page].perm = perm;
}

static void flat_become(u64 pfn, u8 kind, u8 dom)
{
	flat[pfn].kind = kind;
	flat[pfn].dom = dom;
	flat[pfn].pins = 0;
	flat[pfn].tag = 0;
	flat[pfn].cpus = 0;
	flat[pfn].retired = false;
	flat[pfn].last = sim_table[pfn].state;
	if (kind == FLAT_HOST)
		flat_see(0, pfn, pfn, EPT_RWX);
}

/* As the code has it at the begin: behind host_npt_init(). */
static void flat_init(void)
{
	u64 i;

	memset(flat_view, 0, sizeof(flat_view));
	memset(flat_share, 0, sizeof(flat_share));
	for (i = 0; i < FRAMES; i++) {
		if (sim_table[i].state == FRAME_HOST || sim_table[i].state == FRAME_HOLE) {
			flat_become(i, FLAT_HOST, 0);
			flat[i].kind = sim_table[i].state == FRAME_HOST ? FLAT_HOST : FLAT_HOLE;
			flat[i].tag = *flat_word(i);
		} else {
			flat_become(i, FLAT_MONITOR, 0);
		}
	}
}

/* Somebody fills a frame with a byte. */
static void flat_fill(u64 pfn, u8 byte)
{
	memset(frame_ptr(pfn), byte, PAGE_SIZE);
	flat[pfn].tag = *flat_word(pfn);
}

/* A domain writes to a page of its own space, through its tables. */
static void flat_write(u64 r)
{
	u32 index = r % (1 + VMS);
	u64 page = r >> 8 & (FLAT_PAGES - 1), entry;

	if (!flat_sees(index, page) || !(flat_view[index][page].perm & EPT_WRITE))
		return;
	entry = npt_walk(flat_space(index), page << PAGE_SHIFT).entry;
	check(entry & EPT_WRITE);
	if (index == 0) /* a large leaf */
		entry = page << PAGE_SHIFT;
	*flat_word((entry & EPT_ADDR) >> PAGE_SHIFT) = ++flat_tag_next;
	flat[flat_view[index][page].pfn].tag = flat_tag_next;
}

/* ---- what the monitor does with its own between two looks ---- */

static void flat_look_monitor(u64 pfn)
{
	struct frame f = sim_table[pfn];
	bool retired = f.state == FRAME_TRANSIT;

	check(f.owner == DOM_MONITOR);
	check(f.state == FRAME_TRANSIT || f.state == FRAME_FREE || f.state == FRAME_USED);
	check(!retired || f.retired);
	if (retired && !flat[pfn].retired)
		flat[pfn].cpus = FLAT_ALL;
	if (!retired && flat[pfn].retired)
		check(!flat[pfn].cpus); /* not before all have flushed */
	if (flat[pfn].last == FRAME_USED)
		check(f.state == FRAME_USED || retired); /* a CPU may be in it */
	if (f.state == FRAME_FREE)
		check(!*flat_word(pfn));
	flat[pfn].retired = retired;
	flat[pfn].last = f.state;
}

/* Behind each verb: who is retired now has to wait for the flushes from now on. */
static void flat_look(void)
{
	u64 i;

	for (i = 0; i < FRAMES; i++)
		if (flat[i].kind == FLAT_MONITOR && flat[i].last != sim_table[i].state)
			flat_look_monitor(i);
}

/* ---- everything, as the code has it and as it is here ---- */

static void flat_check_frame(u64 pfn)
{
	static const u8 state[] = { FRAME_HOST, FRAME_HOLE, FRAME_TRANSIT, 0, FRAME_PRIVATE };
	struct frame f = sim_table[pfn];

	if (flat[pfn].kind == FLAT_MONITOR) {
		flat_look_monitor(pfn);
		return;
	}
	check(f.state == state[flat[pfn].kind]);
	if (flat[pfn].kind == FLAT_HOST)
		check(f.gfn == flat[pfn].pins);
	if (flat[pfn].kind == FLAT_PRIVATE)
		check(f.owner == flat[pfn].dom);
	if (flat[pfn].kind != FLAT_DONATED)
		check(*flat_word(pfn) == flat[pfn].tag);
}

static void flat_check_page(u32 index, u64 page)
{
	struct npt_leaf l = npt_walk(flat_space(index), page << PAGE_SHIFT);
	u64 off = (page << PAGE_SHIFT) & (LEVEL_SIZE(l.level) - 1);

	check((l.entry & EPT_RWX) == flat_view[index][page].perm);
	if (l.entry)
		check(((l.entry & EPT_ADDR) + off) >> PAGE_SHIFT == flat_view[index][page].pfn);
}

static void flat_check(void)
{
	u64 i, index;

	for (i = 0; i < FRAMES; i++) {
		flat_check_frame(i);
		flat_check_page(0, i);
	}
	for (index = 1; index <= VMS; index++)
		for (i = 0; vms[index - 1].root != INVALID_PFN && i < FLAT_PAGES; i++)
			flat_check_page(index, i);
}

/* The answer is the one worked out here; @pool: or that the pool has too few frames. */
static void flat_answer(int err, int want, bool pool, const char *verb)
{
	if (err == want || (pool && err == NPT_EPOOL))
		return;
	printf("# %s: answered %d where the flat model has %d\n", verb, err, want);
	unit_ok(0, "err == want", __FILE__, __LINE__, "%s", verb);
	exit(unit_end());
}

/* ---- the verbs of the host ---- */

static void flat_epoch_pass(u32 cpu)
{
	u32 i;

	flat_look();
	epoch_pass(cpu);
	for (i = 0; i < FRAMES; i++)
		flat[i].cpus &= ~(1u << cpu);
	for (i = 0; i < FLAT_SHARES; i++)
		flat_share[i].cpus &= ~(1u << cpu);
}

static int flat_host_donate(u64 pfn, u64 nr, u64 *epoch)
{
	int err = host_donate(pfn, nr, epoch), want = NPT_OK;
	u64 i;

	if (!pfn || pfn >= FRAMES || nr > FRAMES - pfn)
		want = NPT_ERANGE;
	for (i = 0; !want && i < nr; i++) {
		if (flat[pfn + i].kind == FLAT_HOLE)
			want = NPT_ESTATE;
		else if (flat[pfn + i].kind != FLAT_HOST)
			want = NPT_EOWNER;
		else if (flat[pfn + i].pins)
			want = NPT_EBUSY;
	}
	flat_answer(err, want, !want, __func__);
	for (i = 0; !err && i < nr; i++) {
		flat_become(pfn + i, FLAT_DONATED, 0);
		flat[pfn + i].cpus = FLAT_ALL;
		flat_see(0, pfn + i, 0, 0);
	}
	flat_look();
	return err;
}

static int flat_host_settle(u64 pfn, u64 nr)
{
	int err = host_settle(pfn, nr), want = NPT_OK;

	check(nr == 1);
	if (!pfn)
		want = NPT_ERANGE;
	else if (flat[pfn].kind != FLAT_DONATED)
		want = NPT_ESTATE;
	else if (flat[pfn].cpus)
		want = NPT_EBUSY;
	flat_answer(err, want, false, __func__);
	if (!err)
		flat_become(pfn, FLAT_MONITOR, 0);
	return err;
}

static int flat_host_take_back(u64 *pfn)
{
	int err = host_take_back(pfn);

	if (!err) {
		check(flat[*pfn].kind == FLAT_MONITOR && flat[*pfn].last == FRAME_FREE);
		flat_become(*pfn, FLAT_HOST, 0);
	}
	flat_look();
	return err;
}

/* ---- VMs ---- */

static void flat_take_page(u32 dom, u64 page, u64 pfn, u32 perm)
{
	check(pfn < FRAMES && flat[pfn].kind == FLAT_MONITOR);
	check(flat[pfn].last == FRAME_FREE || (flat[pfn].retired && !flat[pfn].cpus));
	check(page_is(pfn, 0));
	flat_become(pfn, FLAT_PRIVATE, dom);
	flat_see(flat_index(dom), page, pfn, perm);
}

static int flat_vm_npt_touch(struct npt *npt, u32 dom, u64 gpa, u64 perm, u64 *pfn)
{
	bool dead = npt->root == INVALID_PFN;
	int err = vm_npt_touch(npt, dom, gpa, perm, pfn), want = NPT_OK;

	if (dead)
		want = NPT_EDOMAIN;
	else if (flat_sees(flat_index(dom), gpa >> PAGE_SHIFT))
		want = NPT_EEXIST;
	flat_answer(err, want, !want, __func__);
	if (!err)
		flat_take_page(dom, gpa >> PAGE_SHIFT, *pfn, perm);
	flat_look();
	return err;
}

/* Pages that a domain may do something about by itself: its own, and nobody else's besides. */
static int flat_own_pages(u32 dom, u64 page, u64 nr)
{
	u32 index = flat_index(dom), i, other;
	u64 pfn, at;

	for (i = 0; i < nr; i++) {
		if (!flat_sees(index, page + i))
			continue;
		pfn = flat_view[index][page + i].pfn;
		if (flat[pfn].kind != FLAT_PRIVATE || flat[pfn].dom != dom)
			return NPT_EOWNER;
		for (other = 0; other <= VMS; other++)
			for (at = 0; other != index && at < FLAT_PAGES; at++)
				if (flat_sees(other, at) && flat_view[other][at].pfn == pfn)
					return NPT_EBUSY;
	}
	return NPT_OK;
}

static int flat_vm_npt_protect(struct npt *npt, u32 dom, u64 gpa, u64 nr, u64 perm, u64 *epoch)
{
	u64 page = gpa >> PAGE_SHIFT;
	u32 index = flat_index(dom), i;
	bool dead = npt->root == INVALID_PFN;
	int err = vm_npt_protect(npt, dom, gpa, nr, perm, epoch), want;

	want = !perm || (perm & (EPT_READ | EPT_WRITE)) == EPT_WRITE ? NPT_EINVAL :
	       dead ? NPT_EDOMAIN : flat_own_pages(dom, page, nr);
	flat_answer(err, want, false, __func__);
	for (i = 0; !err && i < nr; i++)
		if (flat_sees(index, page + i))
			flat_see(index, page + i, flat_view[index][page + i].pfn, perm);
	return err;
}

/* What was there goes to the pool; a page that somebody else sees, or has, stops it. */
static int flat_vm_npt_release(struct npt *npt, u32 dom, u64 gpa, u64 nr)
{
	u32 index = flat_index(dom), i;
	u64 page = gpa >> PAGE_SHIFT, pfn;
	bool dead = npt->root == INVALID_PFN;
	int err = vm_npt_release(npt, dom, gpa, nr), want;

	want = dead ? NPT_EDOMAIN : flat_own_pages(dom, page, nr);
	if (err != NPT_EQUOTA || want)
		flat_answer(err, want, false, __func__);
	for (i = 0; !err && i < nr; i++) {
		if (!flat_sees(index, page + i))
			continue;
		pfn = flat_view[index][page + i].pfn;
		flat_see(index, page + i, 0, 0);
		flat_become(pfn, FLAT_MONITOR, 0);
		flat[pfn].last = FRAME_USED;
		flat_look_monitor(pfn);
	}
	return err;
}

/* Some of its frames are gone, in no order that was promised; all, if it says so. */
static bool flat_vm_npt_teardown(struct npt *npt, u32 dom, u64 budget)
{
	bool gone = vm_npt_teardown(npt, dom, budget);
	u32 index = flat_index(dom);
	u64 i, pfn;

	for (i = 0; i < FLAT_PAGES; i++) {
		if (!flat_sees(index, i) || (!gone && npt_walk(npt, i << PAGE_SHIFT).entry))
			continue;
		pfn = flat_view[index][i].pfn;
		flat_see(index, i, 0, 0);
		if (flat[pfn].kind == FLAT_HOST) {
			flat[pfn].pins--;
			continue;
		}
		check(flat[pfn].kind == FLAT_PRIVATE && flat[pfn].dom == dom);
		flat_become(pfn, FLAT_MONITOR, 0);
		flat[pfn].last = FRAME_USED;
		flat_look_monitor(pfn);
	}
	flat_look();
	return gone;
}

/* ---- shares ---- */

static u32 flat_share_of(u64 id)
{
	u32 i;

	for (i = 0; i < FLAT_SHARES; i++)
		if (flat_share[i].state && flat_share[i].id == id)
			return i;
	return FLAT_NONE;
}

static bool flat_meets(u64 a, u64 nr_a, u64 b, u64 nr_b)
{
	return a < b + nr_b && b < a + nr_a;
}

/* Has a VM part of it in a share, as its owner or as its peer? */
static bool flat_is_shared(u32 vm, u64 gfn, u64 nr)
{
	const struct flat_share *f;

	for (f = flat_share; f < flat_share + FLAT_SHARES; f++)
		if ((f->state && f->owner == vm && flat_meets(f->gfn, f->nr, gfn, nr)) ||
		    (f->state >= SHARE_LIVE && f->peer == vm &&
		     flat_meets(f->peer_gfn, f->nr, gfn, nr)))
			return true;
	return false;
}

static int flat_offer_want(const struct share *o)
{
	u32 i, own = 0;

	if (o->owner == o->peer)
		return NPT_EDOMAIN;
	if (o->perm & ~o->owner_perm)
		return NPT_EINVAL;
	if (o->owner && flat_is_shared(o->owner, o->gfn, o->nr))
		return NPT_EEXIST;
	for (i = 0; i < FLAT_SHARES; i++)
		own += flat_share[i].state && flat_share[i].owner == o->owner;
	return own < SHARE_QUOTA ? NPT_OK : NPT_EQUOTA;
}

static int flat_share_offer(const struct share *o, u64 *id)
{
	int want = flat_offer_want(o), err = share_offer(o, id);
	u32 i;

	flat_answer(err, want, false, __func__);
	for (i = 0; i < FLAT_SHARES && flat_share[i].state; i++)
		;
	if (err)
		return err;
	check(i < FLAT_SHARES && flat_share_of(*id) == FLAT_NONE);
	flat_share[i].state = SHARE_OFFERED;
	flat_share[i].id = *id;
	flat_share[i].owner = o->owner;
	flat_share[i].peer = o->peer;
	flat_share[i].perm = o->perm;
	flat_share[i].owner_perm = o->owner_perm;
	flat_share[i].gfn = o->gfn;
	flat_share[i].nr = o->nr;
	return err;
}

static int flat_accept_want(u32 n, u32 peer, u64 gfn)
{
	if (n == FLAT_NONE)
		return NPT_ENOENT;
	if (peer == DOM_MONITOR || peer == flat_share[n].owner ||
	    (flat_share[n].peer == SHARE_ANY ? peer == DOM_HOST : flat_share[n].peer != peer))
		return NPT_EDOMAIN;
	if (flat_share[n].state != SHARE_OFFERED)
		return NPT_ESTATE;
	if (peer != DOM_HOST && flat_is_shared(peer, gfn, flat_share[n].nr))
		return NPT_EEXIST;
	return NPT_OK;
}

static int flat_share_accept(u64 id, u32 peer, struct npt *peer_npt, u64 gfn)
{
	u32 n = flat_share_of(id);
	int want = flat_accept_want(n, peer, gfn), err = share_accept(id, peer, peer_npt, gfn);

	flat_answer(err, want, false, __func__);
	if (!err) {
		flat_share[n].state = SHARE_LIVE;
		flat_share[n].peer = peer;
		flat_share[n].peer_gfn = gfn;
	}
	return err;
}

/* The owner's page of a share, made if it was not there. */
static u64 flat_owners_page(u32 n, u64 index, u64 pfn)
{
	u64 page = flat_share[n].gfn + index;
	u32 owner = flat_index(flat_share[n].owner);

	if (!flat_sees(owner, page))
		flat_take_page(flat_share[n].owner, page, pfn, flat_share[n].owner_perm);
	return flat_view[owner][page].pfn;
}

static int flat_touch_want(u32 n, u32 peer, u64 page)
{
	u64 index;

	if (n == FLAT_NONE)
		return NPT_ENOENT;
	if (flat_sees(flat_index(peer), page))
		return NPT_EEXIST;
	index = page - flat_share[n].peer_gfn;
	if (flat_share[n].owner == DOM_HOST &&
	    flat[flat_share[n].gfn + index].kind != FLAT_HOST)
		return NPT_EOWNER;
	return NPT_OK;
}

static int flat_share_touch(u32 peer, u64 gpa)
{
	u64 page = gpa >> PAGE_SHIFT, pfn;
	int err, want;
	u32 n;

	for (n = 0; n < FLAT_SHARES; n++)
		if (flat_share[n].state == SHARE_LIVE && flat_share[n].peer == peer &&
		    page >= flat_share[n].peer_gfn &&
		    page - flat_share[n].peer_gfn < flat_share[n].nr)
			break;
	if (n == FLAT_SHARES || peer == DOM_HOST)
		n = FLAT_NONE;
	want = flat_touch_want(n, peer, page);
	err = share_touch(peer, gpa);
	flat_answer(err, want, !want, __func__);
	if (!err) {
		pfn = (npt_walk(flat_space(flat_index(peer)), gpa).entry & EPT_ADDR) >> PAGE_SHIFT;
		if (flat_share[n].owner == DOM_HOST) {
			pfn = flat_share[n].gfn + page - flat_share[n].peer_gfn;
			flat[pfn].pins++;
		} else {
			pfn = flat_owners_page(n, page - flat_share[n].peer_gfn, pfn);
		}
		flat_see(flat_index(peer), page, pfn, flat_share[n].perm);
	}
	flat_look();
	return err;
}

static int flat_share_touch_host(u64 id, u64 index, u64 *pfn)
{
	u32 n = flat_share_of(id);
	int err = share_touch_host(id, index, pfn), want = NPT_OK;

	if (n == FLAT_NONE)
		want = NPT_ENOENT;
	else if (flat_share[n].peer != DOM_HOST)
		want = NPT_EDOMAIN;
	else if (flat_share[n].state != SHARE_LIVE)
		want = NPT_ESTATE;
	else if (index >= flat_share[n].nr)
		want = NPT_ERANGE;
	flat_answer(err, want, !want, __func__);
	if (!err) {
		check(*pfn == flat_owners_page(n, index, *pfn));
		flat_see(0, *pfn, *pfn, flat_share[n].perm);
	}
	flat_look();
	return err;
}

/* The peer sees no page of it any more. */
static void flat_revoke(u32 n)
{
	u32 peer = flat_index(flat_share[n].peer), owner = flat_index(flat_share[n].owner);
	u64 i, page, pfn;

	for (i = 0; i < flat_share[n].nr; i++) {
		page = flat_share[n].peer_gfn + i;
		if (!peer && !flat_sees(owner, flat_share[n].gfn + i))
			continue;
		if (!peer)
			page = flat_view[owner][flat_share[n].gfn + i].pfn;
		if (!flat_sees(peer, page))
			continue;
		pfn = flat_view[peer][page].pfn;
		flat_see(peer, page, 0, 0);
		if (!owner)
			flat[pfn].pins--;
	}
	flat_share[n].state = SHARE_REVOKING;
	flat_share[n].cpus = FLAT_ALL;
}

/* One step, which is enough for as few pages as there are here. */
static int flat_end_step(u32 n)
{
	if (flat_share[n].state == SHARE_LIVE)
		flat_revoke(n);
	if (flat_share[n].state == SHARE_REVOKING && flat_share[n].cpus)
		return NPT_EBUSY;
	flat_share[n].state = SHARE_FREE;
	return NPT_OK;
}

static int flat_share_end(u64 id, u32 by)
{
	int err = share_end(id, by), want;
	u32 n = flat_share_of(id);

	if (n == FLAT_NONE)
		want = NPT_ENOENT;
	else if (by != flat_share[n].owner &&
		 (by != flat_share[n].peer || flat_share[n].state == SHARE_OFFERED))
		want = NPT_EDOMAIN;
	else
		want = flat_end_step(n);
	flat_answer(err, want, false, __func__);
	return err;
}

/* In the order of the code's table, which is not told: what is left is asked of it. */
static bool flat_share_drop(u32 dom)
{
	bool done = share_drop(dom);
	struct share s;
	u64 id;
	u32 i, n;

	for (i = 0; i < SHARE_MAX; i++) {
		if (share_at(i, &s, &id) && s.state != SHARE_REVOKING)
			continue;
		n = flat_share_of(id);
		if (n == FLAT_NONE || (flat_share[n].owner != dom && flat_share[n].peer != dom))
			continue;
		if (s.state == SHARE_FREE)
			check(flat_end_step(n) == NPT_OK);
		else if (flat_share[n].state == SHARE_LIVE)
			flat_revoke(n);
	}
	for (n = 0; done && n < FLAT_SHARES; n++)
		check(!flat_share[n].state ||
		      (flat_share[n].owner != dom && flat_share[n].peer != dom));
	return done;
}

#define epoch_pass flat_epoch_pass
#define host_donate flat_host_donate
#define host_settle flat_host_settle
#define host_take_back flat_host_take_back
#define vm_npt_touch flat_vm_npt_touch
#define vm_npt_protect flat_vm_npt_protect
#define vm_npt_release flat_vm_npt_release
#define vm_npt_teardown flat_vm_npt_teardown
#define share_offer flat_share_offer
#define share_accept flat_share_accept
#define share_touch flat_share_touch
#define share_touch_host flat_share_touch_host
#define share_end flat_share_end
#define share_drop flat_share_drop

#endif /* _NPT_FLAT_H */
