// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c */
/* needs: npt/compose.c npt/vm.c npt/share.c core/enclave.c core/enclave_call.c */
/* needs: core/enclave_share.c core/enclave_evict.c core/enclave_counter.c core/grant.c */
/* needs: core/vm.c core/domain.c core/sha256.c core/hmac.c core/gcm.c core/lms.c */
/* cflags: -msse4.1 -maes -mpclmul */
/*
 * What enclaves share with each other and with VMs: each refusal with nothing changed, what is
 * mapped, what the owner may not do meanwhile, and every end.
 */
#define SIM_FRAMES 8192ULL
#include "npt_sim.h"
#include "core/domain.h"
#include "core/grant.h"
#include "no_devices.h"
#include "thread_sim.h"

#define R MON_SHARE_READ
#define RW (MON_SHARE_READ | MON_SHARE_WRITE)
#define RX (MON_ENCLAVE_READ | MON_ENCLAVE_EXEC)
#define TEXT 0x10000000ULL
#define HEAP 0x20000000ULL
#define HEAP_PAGES 64ULL
#define ASK (HEAP + (HEAP_PAGES - 1) * PAGE_SIZE) /* structures of calls */
#define STACKS 0x30000000ULL
#define STACK_SIZE 0x4000ULL
#define BUFFER 0x40000000ULL
#define SHARED 0x50000000ULL
#define SHARED_PAGES 32ULL
#define SHARED_END (SHARED + SHARED_PAGES * PAGE_SIZE)
#define HOST_FRAME 0x200ULL
#define WINDOW BIT(26) /* of the VM: page at 256 GiB */
#define TAG 0x7a67ULL

/* ---- the vendor's side, and devices: next to nothing ---- */

u64 cpu_random(void)
{
	return unit_random();
}

bool enclaves_possible(void)
{
	return true;
}

void vcpu_free(struct vcpu *vcpu)
{
	(void)vcpu;
}

bool vcpu_idle(const struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

/* ---- a giver, a taker, another enclave, and a VM ---- */

static struct enclave *giver, *taker, *other;
static struct vm *vm;
static u64 free_before;

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

static struct enclave *make(u32 product)
{
	struct mon_enclave_make args = {
		.limit = 72,
		.policy = {
			.version = MON_ENCLAVE_POLICY_VERSION, .nr_ranges = 5,
			.nr_threads = 1, .entry = TEXT, .stacks = STACKS,
			.stack_size = STACK_SIZE, .product = product,
			.range = {
				{ TEXT, TEXT + 2 * PAGE_SIZE, MON_ENCLAVE_PAGES, 0 },
				{ HEAP, HEAP + HEAP_PAGES * PAGE_SIZE, MON_ENCLAVE_ZERO, 0 },
				{ STACKS, STACKS + STACK_SIZE, MON_ENCLAVE_ZERO, 0 },
				{ BUFFER, BUFFER + 2 * PAGE_SIZE, MON_ENCLAVE_BUFFER, 0 },
				{ SHARED, SHARED_END, MON_ENCLAVE_SHARED, 0 },
			},
		},
	};
	u8 page[PAGE_SIZE] = { 0xc3 };
	s64 id = enclave_create(&args);

	check(id >= MON_DOMAIN_ENCLAVE);
	check(!enclave_add((u64)id, TEXT, RX, page));
	check(!enclave_buffer((u64)id, 0, HOST_FRAME));
	check(!enclave_finish((u64)id));
	check(!enclave_touch(enclave_of((u64)id), ASK));
	return enclave_of((u64)id);
}

static struct vm *make_vm(void)
{
	struct mon_vm_create create = {
		.host_cr3 = 0x10000,
		.policy = {
			.version = MON_VM_POLICY_VERSION, .nr_ranges = 2, .max_vcpus = 1,
			.range = { { .end = 0x400000, .type = MON_RANGE_RAM },
				   { .start = 0xfffff000, .end = 0x100000000,
				     .type = MON_RANGE_FIRMWARE } },
		},
	};
	u8 page[PAGE_SIZE] = { 1 };
	struct vm *made;
	s64 id = vm_create(&create);
	u64 gpa;

	check(id >= DOM_FIRST_VM);
	made = vm_of_domain((u32)id);
	vm_load_begin(made);
	while (vm_load_next(made, &gpa))
		check(!vm_load_page(made, page));
	vm_item_select(made, 8);
	vm_item_data(made, "kernel", 6);
	check(!grant_window(made, WINDOW, MON_WINDOW_PAGES_MAX));
	return made;
}

static void setup(void)
{
	struct npt_config cfg = sim_config();
	u64 i;

	sim_init(SIM_FRAMES, 2);
	share_init();
	sim_pool(0x800, 2048);
	check(host_npt_init(&cfg) == NPT_OK);
	enclave_evict_init();
	free_before = frame_state_count(FRAME_FREE);
	giver = make(1);
	taker = make(2);
	other = make(3);
	vm = make_vm();
	for (i = 0; i < 24; i++)
		check(!enclave_touch(giver, HEAP + i * PAGE_SIZE));
}

static s64 destroy(struct enclave *e)
{
	u32 id = e->id, steps = 0;

	while (enclave_destroy(id) == -MON_EAGAIN) {
		check(steps++ < 100);
		pass_all();
	}
	pass_all();
	return !enclave_of(id);
}

static void destroy_vm(void)
{
	u32 id = vm->id;

	while (vm_destroy(id) == -MON_EAGAIN)
		pass_all();
	pass_all();
}

/* Everybody goes: is every frame back? */
static bool all_back(void)
{
	u32 i;

	for (i = MON_DOMAIN_ENCLAVE; i < MON_DOMAIN_ENCLAVE + 3; i++)
		if (enclave_of(i))
			destroy(enclave_of(i));
	if (vm_of_domain(vm->id))
		destroy_vm();
	lock();
	epoch_reap(10000);
	unlock();
	return frame_state_count(FRAME_FREE) == free_before && !domain_count();
}

/* A call whose structure is in the enclave's memory already: put() before. */
static void put(struct enclave *e, const void *from, u64 len)
{
	int err;
	void *at = enclave_bytes(e, ASK, len, &err);

	check(at);
	memcpy(at, from, len);
}

static s64 ask(struct enclave *e, u64 number)
{
	return enclave_call(e, 0, number, (u64[]){ ASK, 0, 0 });
}

static struct mon_name name_of(const struct enclave *e)
{
	struct mon_name name = { { 0 }, { 0 } };

	memcpy(name.measurement, e->measurement, sizeof(name.measurement));
	return name;
}

static struct mon_name name_of_vm(void)
{
	struct mon_guest_self self = { 0 };

	grant_self(vm, &self);
	return self.name;
}

static struct mon_enclave_offer to_taker(u64 page, u64 pages, u32 perm)
{
	return (struct mon_enclave_offer){ .address = HEAP + page * PAGE_SIZE, .pages = pages,
					   .perm = perm, .to = MON_SHARE_TO_ENCLAVE, .tag = TAG,
					   .name = name_of(taker) };
}

static s64 offer(struct enclave *e, struct mon_enclave_offer o)
{
	put(e, &o, sizeof(o));
	return ask(e, MON_EC_OFFER);
}

static u64 offered(struct mon_enclave_offer o)
{
	s64 id = offer(giver, o);

	check(id > 0);
	return (u64)id;
}

static struct mon_enclave_accept by_giver(u64 id, u64 page, u64 pages, u32 perm)
{
	return (struct mon_enclave_accept){ .id = id, .address = SHARED + page * PAGE_SIZE,
					    .pages = pages, .perm = perm, .tag = TAG,
					    .from = MON_SHARE_TO_ENCLAVE,
					    .name = name_of(giver) };
}

static s64 accept(struct enclave *e, struct mon_enclave_accept a)
{
	put(e, &a, sizeof(a));
	return ask(e, MON_EC_ACCEPT);
}

static s64 end(struct enclave *e, u64 id)
{
	return enclave_call(e, 0, MON_EC_SHARE_END, (u64[]){ id, 0, 0 });
}

static s64 trim(struct enclave *e, u64 at)
{
	return enclave_call(e, 0, MON_EC_TRIM, (u64[]){ at, 1, 0 });
}

static s64 protect(struct enclave *e, u64 at)
{
	return enclave_call(e, 0, MON_EC_PROTECT, (u64[]){ at, 1, MON_ENCLAVE_READ });
}

static u64 live(u64 page, u64 pages, u32 perm)
{
	u64 id = offered(to_taker(page, pages, perm)), i;

	check(!accept(taker, by_giver(id, page, pages, perm)));
	for (i = page; i < page + pages; i++)
		check(!enclave_touch(taker, SHARED + i * PAGE_SIZE));
	return id;
}

static u64 leaf(struct enclave *e, u64 at)
{
	return npt_walk(&e->npt, at).entry;
}

static u64 frame_at(struct enclave *e, u64 at)
{
	return leaf(e, at) ? (leaf(e, at) & EPT_ADDR) >> PAGE_SHIFT : INVALID_PFN;
}

/* ---- */

static void test_offer(void)
{
	struct mon_enclave_offer good, bad;
	u64 i;

	setup();
	good = to_taker(0, 4, RW);
#define BAD(field, value, err, what)                                        \
	do {                                                                \
		bad = good;                                                 \
		bad.field = value;                                          \
		put(giver, &bad, sizeof(bad));                              \
		refused(ask(giver, MON_EC_OFFER), -(err), "offer: " what);  \
	} while (0)
	BAD(perm, 0, MON_EINVAL, "no permission");
	BAD(perm, MON_SHARE_WRITE, MON_EINVAL, "write only");
	BAD(perm, 7, MON_EINVAL, "to execute");
	BAD(perm, 0x80000001, MON_EINVAL, "unknown permission");
	BAD(to, MON_SHARE_TO_HOST, MON_EINVAL, "to the host");
	BAD(to, MON_SHARE_TO_ENCLAVE + 1, MON_EINVAL, "to nobody known");
	BAD(pages, 0, MON_EINVAL, "nothing");
	BAD(pages, MON_ENCLAVE_SHARE_MAX + 1, MON_EINVAL, "too much");
	BAD(pages, 1ULL << 52, MON_EINVAL, "all, once around");
	BAD(pages, HEAP_PAGES + 1, MON_EINVAL, "beyond its range");
	BAD(address, HEAP + 8, MON_EINVAL, "within a page");
	BAD(address, HEAP - PAGE_SIZE, MON_EINVAL, "from before its range");
	BAD(address, STACKS, MON_EINVAL, "a stack");
	BAD(address, BUFFER, MON_EINVAL, "the buffer");
	BAD(address, SHARED, MON_EINVAL, "what others share with it");
	BAD(address, MON_ENCLAVE_HIGH, MON_EINVAL, "the page tables");
	BAD(address, -PAGE_SIZE, MON_EINVAL, "around the end of all");
	BAD(address, HEAP + 21 * PAGE_SIZE, MON_EFAULT, "the last one is not there");
	good.pages = 1;
	BAD(address, TEXT, MON_EPERM, "its text to be written to");
	BAD(address, TEXT + PAGE_SIZE, MON_EFAULT, "of the image, but nothing there");
	check(!protect(giver, HEAP + 5 * PAGE_SIZE));
	good = to_taker(4, 4, RW);
	BAD(pages, 4, MON_EPERM, "one is to be read only");
	offered(to_taker(4, 4, R));
	BAD(pages, 1, MON_EEXIST, "a page that is offered");
	bad = to_taker(0, 1, R);
	bad.address = TEXT;
	ok(offer(giver, bad) > 0, "offer: its text, to read");
	for (i = 2; i < SHARE_QUOTA; i++)
		offered(to_taker(i + (i > 3 ? 4 : -2), 1, R));
	good.address = HEAP + 2 * PAGE_SIZE;
	BAD(pages, 1, MON_EBUSY, "one too many");
	ok(all_back(), "all is back");
}

/* As many as all enclaves may have, and then a VM's. */
static void test_quota(void)
{
	struct share s = { .owner_npt = &host_npt, .owner = DOM_FIRST_ENCLAVE + 10, .nr = 1,
			   .peer = SHARE_ANY, .perm = R, .owner_perm = R };
	struct mon_guest_offer by_vm = { .gfn = 1, .pages = 1, .perm = R,
					 .to = MON_SHARE_TO_ENCLAVE };
	struct mon_enclave_offer good;
	u64 id, i, n = 0;

	setup();
	for (i = 0; i < SHARE_ENCLAVES; i++, s.gfn++) {
		s.owner = DOM_FIRST_ENCLAVE + 10 + (u32)(i / SHARE_QUOTA);
		n += !share_offer(&s, &id);
	}
	ok(n == SHARE_ENCLAVES, "quota: so many for all enclaves");
	good = to_taker(0, 1, R);
	put(giver, &good, sizeof(good));
	refused(ask(giver, MON_EC_OFFER), -MON_EBUSY, "quota: enclaves have all that is for them");
	ok(grant_offer(vm, &by_vm) > 0, "quota: a VM has its own");
	for (; s.owner >= DOM_FIRST_ENCLAVE + 10; s.owner--)
		while (!share_drop(s.owner))
			pass_all();
	ok(offer(giver, good) > 0, "quota: one that ends makes room");
	ok(all_back(), "all is back");
}

static void test_accept(void)
{
	struct mon_enclave_accept good, bad;
	u64 id, second;

	setup();
	id = offered(to_taker(0, 4, R));
	second = offered(to_taker(4, 4, R));
	good = by_giver(id, 2, 4, R);
	put(other, &good, sizeof(good));
	refused(ask(other, MON_EC_ACCEPT), -MON_ENOENT, "accept: another enclave");
	put(giver, &good, sizeof(good));
	refused(ask(giver, MON_EC_ACCEPT), -MON_ENOENT, "accept: who offers");
	refused(grant_accept(vm, id, WINDOW, 0), -MON_ENOENT, "accept: a VM");
	refused(grant_host_accept(id), -MON_ENOENT, "accept: the host");
#undef BAD
#define BAD(field, value, err, what)                                         \
	do {                                                                 \
		bad = good;                                                  \
		bad.field = value;                                           \
		put(taker, &bad, sizeof(bad));                               \
		refused(ask(taker, MON_EC_ACCEPT), -(err), "accept: " what); \
	} while (0)
	BAD(id, id + (1ULL << SHARE_SLOT_BITS), MON_ENOENT, "no such offer");
	BAD(id, ~0ULL, MON_ENOENT, "no ID");
	BAD(pages, 3, MON_EPERM, "fewer pages than expected");
	BAD(perm, RW, MON_EPERM, "it is less than expected");
	BAD(tag, TAG + 1, MON_EPERM, "another offer than expected");
	BAD(name, name_of(other), MON_EPERM, "by somebody else");
	BAD(name.measurement[31], 0xff ^ good.name.measurement[31], MON_EPERM, "a bit is another");
	BAD(from, MON_SHARE_TO_LAUNCH, MON_EPERM, "by an enclave, not a VM");
	BAD(from, MON_SHARE_TO_NAME, MON_EPERM, "likewise, by both measurements");
	BAD(from, MON_SHARE_TO_HOST, MON_EINVAL, "by the host");
	BAD(from, MON_SHARE_TO_ENCLAVE + 1, MON_EINVAL, "by nobody known");
	BAD(address, SHARED + 8, MON_EINVAL, "within a page");
	BAD(address, SHARED - PAGE_SIZE, MON_EINVAL, "before the range");
	BAD(address, SHARED + (SHARED_PAGES - 3) * PAGE_SIZE, MON_EINVAL, "beyond it");
	BAD(address, HEAP, MON_EINVAL, "on its heap");
	BAD(address, BUFFER, MON_EINVAL, "on its buffer");
	BAD(pages, 0, MON_EINVAL, "nothing");
	put(taker, &good, sizeof(good));
	refused(enclave_touch(taker, SHARED + 2 * PAGE_SIZE), NPT_ENOENT,
		"not accepted, not there");
	ok(!ask(taker, MON_EC_ACCEPT), "accept: control");
	refused(ask(taker, MON_EC_ACCEPT), -MON_ENOENT, "accept: again");
	BAD(id, second, MON_EEXIST, "where another is");
	good = by_giver(second, 6, 4, R);
	put(taker, &good, sizeof(good));
	ok(!ask(taker, MON_EC_ACCEPT), "accept: behind it");
	ok(all_back(), "all is back");
}

static void test_touch(void)
{
	u64 at = SHARED + 3 * PAGE_SIZE, page = HEAP + 3 * PAGE_SIZE;
	struct mon_enclave_offer on;
	struct frame f;
	int err;

	setup();
	check(!accept(taker, by_giver(offered(to_taker(2, 4, R)), 2, 4, R)));
	check(!accept(taker, by_giver(offered(to_taker(8, 2, RW)), 8, 2, RW)));
	refused(enclave_touch(taker, SHARED + PAGE_SIZE), NPT_ENOENT, "touch: before it");
	refused(enclave_touch(taker, SHARED + 6 * PAGE_SIZE), NPT_ENOENT, "touch: behind it");
	ok(!enclave_touch(taker, at + 8) && !enclave_touch(taker, at), "touch: and again");
	f = frame_get_info(frame_at(giver, page));
	ok(frame_at(taker, at) == frame_at(giver, page) && f.owner == giver->id && f.shared &&
	   f.peer == taker->id && !f.peer_write, "the same frame, and its word says so");
	ok((leaf(taker, at) & EPT_RWX) == EPT_READ, "to read");
	check(!enclave_touch(taker, SHARED + 8 * PAGE_SIZE));
	f = frame_get_info(frame_at(giver, HEAP + 8 * PAGE_SIZE));
	ok((leaf(taker, SHARED + 8 * PAGE_SIZE) & EPT_RWX) == (EPT_READ | EPT_WRITE) &&
	   f.peer_write, "to read and write, never to execute");
	ok(!enclave_bytes(taker, SHARED + 8 * PAGE_SIZE, 8, &err) && err == NPT_EOWNER,
	   "the monitor does not write there for the peer");
	ok(taker->npt.owned == other->npt.owned, "it owns no more for it");
	on = to_taker(0, 1, R);
	on.address = at;
	on.name = name_of(other);
	ok(offer(taker, on) == -MON_EINVAL, "and does not pass it on");
	ok(enclave_peek(taker->id, at, frame_ptr(HOST_FRAME), false) == -MON_EPERM,
	   "nor is it the host's to see");
	ok(all_back(), "all is back");
}

/* What the owner may not do with what is in a share: from the offer on, to the last flush. */
static bool held_fast(u64 page)
{
	return trim(giver, HEAP + page * PAGE_SIZE) == -MON_EBUSY &&
	       protect(giver, HEAP + page * PAGE_SIZE) == -MON_EBUSY;
}

/* In the order of their addresses: so many, or all that can be. */
static u32 evict(struct enclave *e, u32 most)
{
	struct mon_enclave_evicted out;
	u8 page[PAGE_SIZE];
	u32 ends = 0, taken = 0;
	s64 err;

	check(!enclave_pause(e->id, 1));
	for (; ends < 2 && taken < most; taken += !err) {
		err = enclave_evict(e->id, page, &out);
		ends += err == -MON_ENOENT;
		check(!err || err == -MON_ENOENT || err == -MON_EAGAIN);
	}
	check(!enclave_pause(e->id, 0));
	return taken;
}

static void test_owner(void)
{
	struct mon_enclave_offer out;
	u32 taken;
	u64 id;

	setup();
	id = offered(to_taker(4, 2, RW));
	ok(held_fast(4) && held_fast(5), "offered: not given back, nor protected");
	ok(!trim(giver, HEAP + 3 * PAGE_SIZE) && !protect(giver, HEAP + 6 * PAGE_SIZE),
	   "pages beside it are");
	check(!accept(taker, by_giver(id, 4, 2, RW)));
	ok(held_fast(4) && held_fast(5), "accepted: nor then");
	check(!enclave_touch(taker, SHARED + 4 * PAGE_SIZE));
	ok(held_fast(4) && held_fast(5), "mapped, or not yet: nor then");
	ok(evict(giver, 8) == 8, "eight pages are evicted");
	out = to_taker(7, 1, R);
	put(giver, &out, sizeof(out));
	refused(ask(giver, MON_EC_OFFER), -MON_EFAULT, "offer: what is out");
	taken = evict(giver, ~0U);
	ok(taken > 10 && leaf(giver, HEAP + 4 * PAGE_SIZE) && leaf(giver, HEAP + 5 * PAGE_SIZE) &&
	   !leaf(giver, HEAP + 7 * PAGE_SIZE), "evicted: all but what is shared: %u", taken);
	ok(!enclave_touch(taker, SHARED + 5 * PAGE_SIZE) &&
	   frame_at(taker, SHARED + 5 * PAGE_SIZE) == frame_at(giver, HEAP + 5 * PAGE_SIZE),
	   "which the peer still finds");
	evict(taker, ~0U);
	ok(leaf(taker, SHARED + 4 * PAGE_SIZE) && leaf(taker, SHARED + 5 * PAGE_SIZE),
	   "what it borrows is not evicted");
	ok(end(giver, id) == -MON_EAGAIN && !leaf(taker, SHARED + 4 * PAGE_SIZE) &&
	   held_fast(4) && held_fast(5), "ended: not before all have flushed");
	refused(enclave_touch(taker, SHARED + 4 * PAGE_SIZE), NPT_ENOENT,
		"the peer has it no more");
	pass_all();
	ok(!end(giver, id) && !protect(giver, HEAP + 4 * PAGE_SIZE) &&
	   !trim(giver, HEAP + 5 * PAGE_SIZE), "then it is its own again");
	ok(evict(giver, ~0U) && !leaf(giver, HEAP + 4 * PAGE_SIZE), "and is evicted");
	ok(all_back(), "all is back");
}

static void test_end(void)
{
	u64 id;

	setup();
	id = offered(to_taker(0, 1, R));
	ok(end(taker, id) == -MON_ENOENT && end(other, id) == -MON_ENOENT &&
	   grant_end(DOM_HOST, id) == -MON_ENOENT, "end: an offer is its owner's");
	ok(!end(giver, id) && accept(taker, by_giver(id, 0, 1, R)) == -MON_ENOENT,
	   "end: it is withdrawn");
	id = live(0, 4, RW);
	ok(end(other, id) == -MON_ENOENT && grant_end(DOM_HOST, id) == -MON_ENOENT &&
	   grant_end(vm->id, id) == -MON_ENOENT, "end: who has no part in it does not");
	ok(end(taker, id) == -MON_EAGAIN && !leaf(taker, SHARED) && leaf(giver, HEAP),
	   "end: the peer gives it back");
	ok(grant_waits(), "and the host is told that somebody waits");
	epoch_pass(0);
	ok(end(taker, id) == -MON_EAGAIN, "until each CPU has flushed");
	epoch_pass(1);
	ok(!end(taker, id) && end(taker, id) == -MON_ENOENT, "it is over");
	id = live(0, 4, R);
	ok(destroy(taker) && !frame_get_info(frame_at(giver, HEAP)).shared &&
	   !trim(giver, HEAP), "the peer's death ends it");
	ok(end(giver, id) == -MON_ENOENT, "for the owner, too");
	taker = make(2);
	id = live(4, 2, RW);
	offered(to_taker(8, 1, R));
	ok(destroy(giver) && !leaf(taker, SHARED + 4 * PAGE_SIZE), "the owner's death does");
	refused(enclave_touch(taker, SHARED + 4 * PAGE_SIZE), NPT_ENOENT, "nothing is there then");
	ok(end(taker, id) == -MON_ENOENT, "nor a share");
	giver = make(1);
	ok(accept(taker, by_giver(id, 4, 2, RW)) == -MON_ENOENT,
	   "nor is it one of the next enclave with that number");
	ok(all_back(), "all is back");
}

/* ---- with a VM ---- */

static void test_vm_owner(void)
{
	struct mon_guest_offer by_vm = { .gfn = 0x100, .pages = 2, .perm = RW, .tag = TAG,
					 .to = MON_SHARE_TO_ENCLAVE };
	struct mon_enclave_accept good, bad;
	struct mon_name a_vm;
	u64 id;

	setup();
	a_vm = name_of_vm();
	by_vm.name = name_of(taker);
	id = (u64)grant_offer(vm, &by_vm);
	good = by_giver(id, 0, 2, RW);
	good.from = MON_SHARE_TO_NAME;
	good.name = a_vm;
	put(other, &good, sizeof(good));
	refused(ask(other, MON_EC_ACCEPT), -MON_ENOENT, "a VM's: not for another enclave");
	BAD(from, MON_SHARE_TO_ENCLAVE, MON_EPERM, "a VM's is no enclave's");
	BAD(name.measurement[0], 0xff ^ a_vm.measurement[0], MON_EPERM, "another VM's");
	BAD(name.runtime[0], 0xff ^ a_vm.runtime[0], MON_EPERM, "one with another kernel");
	ok(!accept(taker, good), "a VM's offer is accepted");
	ok(!enclave_touch(taker, SHARED) && frame_at(taker, SHARED) ==
	   vm_npt_lookup(&vm->npt, vm->id, 0x100 << PAGE_SHIFT), "and is the VM's page");
	vm_npt_limit(&vm->npt, vm->npt.owned);
	refused(enclave_touch(taker, SHARED + PAGE_SIZE), NPT_EOWNER,
		"what the VM never touched, and may not have, is not there");
	ok(grant_release(vm, 0x100, 1) == -MON_EBUSY, "the VM keeps it meanwhile");
	ok(grant_signal(vm, id) == -MON_ENOENT && grant_take_signal(vm, id) == -MON_ENOENT,
	   "an enclave takes no signals, nor does it give any");
	ok(end(taker, id) == -MON_EAGAIN && (pass_all(), !end(taker, id)), "given back");
	by_vm.gfn = 0x200;
	good.id = (u64)grant_offer(vm, &by_vm);
	good.from = MON_SHARE_TO_LAUNCH;
	good.name.runtime[0] ^= 1;
	ok(!accept(taker, good), "by its launch measurement alone");
	destroy_vm();
	refused(enclave_touch(taker, SHARED), NPT_ENOENT, "the VM's death ends it");
	ok(all_back(), "all is back");
}

static void test_vm_peer(void)
{
	struct mon_guest_share seen = { 0 };
	struct mon_enclave_offer o;
	u64 id, forged;

	setup();
	o = to_taker(0, 2, R);
	o.to = MON_SHARE_TO_NAME;
	o.name = name_of_vm();
	o.name.runtime[5] ^= 1;
	forged = offered(o);
	refused(grant_accept(vm, forged, WINDOW, 0), -MON_ENOENT, "to a VM with another kernel");
	o = to_taker(2, 2, R);
	o.name = name_of_vm();
	forged = offered(o);
	refused(grant_accept(vm, forged, WINDOW, 0), -MON_ENOENT, "a VM is no enclave");
	o = to_taker(4, 2, R);
	o.to = MON_SHARE_TO_LAUNCH;
	forged = offered(o);
	ok(accept(taker, by_giver(forged, 0, 2, R)) == -MON_ENOENT, "nor is an enclave a VM");
	o = to_taker(6, 2, R);
	o.to = MON_SHARE_TO_NAME;
	o.name = name_of_vm();
	id = offered(o);
	ok(!grant_show(vm, share_slot(id), &seen) && seen.id == id && seen.other == giver->id &&
	   seen.tag == TAG && !memcmp(&seen.name, &(struct mon_name[]){ name_of(giver) },
				      sizeof(seen.name)), "the VM sees by whom it is");
	ok(!grant_accept(vm, id, WINDOW, 0) && !share_touch(vm->id, WINDOW << PAGE_SHIFT) &&
	   (npt_walk(&vm->npt, WINDOW << PAGE_SHIFT).entry & EPT_ADDR) >> PAGE_SHIFT ==
		   frame_at(giver, HEAP + 6 * PAGE_SIZE), "and has the page");
	ok(end(giver, id) == -MON_EAGAIN && !npt_walk(&vm->npt, WINDOW << PAGE_SHIFT).entry &&
	   (pass_all(), !end(giver, id)), "until it is taken back");
	ok(all_back(), "all is back");
}

int main(void)
{
	test_offer();
	test_quota();
	test_accept();
	test_touch();
	test_owner();
	test_end();
	test_vm_owner();
	test_vm_peer();
	return unit_end();
}
