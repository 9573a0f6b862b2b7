// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c */
/* needs: npt/compose.c npt/vm.c npt/share.c core/grant.c core/vm.c core/domain.c core/sha256.c */
/*
 * What a VM may share with whom: by its policy, by names, within its window. Every
 * refusal is asked with nothing changed in the table and in memory.
 */
#define SIM_FRAMES 8192ULL
#include "npt_sim.h"
#include "core/grant.h"
#include "no_devices.h"

#define RW (MON_SHARE_READ | MON_SHARE_WRITE)
#define PAGES(bytes) ((bytes) >> PAGE_SHIFT)
#define WINDOW BIT(26) /* page at 256 GiB */

enum { A, B, OTHER, NR };
static struct vm *vms[NR];

void vcpu_free(struct vcpu *vcpu)
{
	(void)vcpu;
}

bool vcpu_idle(const struct vcpu *vcpu)
{
	(void)vcpu;
	return true;
}

/* core_enclave_share.c has some. */
struct enclave *enclave_of(u64 domain)
{
	(void)domain;
	return NULL;
}

static void pass_all(void)
{
	epoch_pass(0);
	epoch_pass(1);
}

/* 4 MiB of RAM, firmware below 4 GiB; @firmware: its contents, so a measurement. */
static struct vm *make_vm(u64 cr3, u8 firmware, u8 kernel)
{
	struct mon_vm_create create = {
		.host_cr3 = cr3,
		.policy = {
			.version = MON_VM_POLICY_VERSION, .nr_ranges = 2, .max_vcpus = 1,
			.range = { { .end = 0x400000, .type = MON_RANGE_RAM },
				   { .start = 0xfffff000, .end = 0x100000000,
				     .type = MON_RANGE_FIRMWARE } },
		},
	};
	s64 id = vm_create(&create);
	u8 page[PAGE_SIZE];
	struct vm *vm;
	u64 gpa;

	check(id >= DOM_FIRST_VM);
	vm = vm_of_domain((u32)id);
	vm_load_begin(vm);
	memset(page, firmware, sizeof(page));
	while (vm_load_next(vm, &gpa))
		check(!vm_load_page(vm, page));
	vm_item_select(vm, 8);
	vm_item_data(vm, &kernel, 1);
	check(!grant_window(vm, WINDOW, MON_WINDOW_PAGES_MAX));
	return vm;
}

static void drop_vm(struct vm *vm)
{
	u32 id = vm->id;
	s64 err;

	while ((err = vm_destroy(id)) == -MON_EAGAIN)
		pass_all();
	check(!err);
	pass_all();
}

static void setup(void)
{
	struct npt_config cfg = sim_config();
	u32 i;

	for (i = 0; i < NR; i++)
		if (vms[i])
			drop_vm(vms[i]);
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x800, 2048);
	check(host_npt_init(&cfg) == NPT_OK);
	vms[A] = make_vm(0x10000, 1, 1);
	vms[B] = make_vm(0x20000, 1, 2);
	vms[OTHER] = make_vm(0x40000, 2, 2);
}

static struct mon_name name(u32 who)
{
	struct mon_guest_self self = { 0 };

	grant_self(vms[who], &self);
	return self.name;
}

static struct mon_guest_offer to(u32 who, u64 gfn, u64 pages)
{
	return (struct mon_guest_offer){ .gfn = gfn, .pages = pages, .perm = RW, .tag = 77,
					 .to = MON_SHARE_TO_NAME, .name = name(who) };
}

static u64 offered(u32 by, struct mon_guest_offer offer)
{
	s64 id = grant_offer(vms[by], &offer);

	check(id > 0);
	return (u64)id;
}

static bool shown(u32 who, u64 id, struct mon_guest_share *out)
{
	memset(out, 0, sizeof(*out));
	return !grant_show(vms[who], share_slot(id), out) && out->id == id;
}

static void test_offer(void)
{
	struct mon_guest_offer good, bad;
	struct mon_guest_share s;
	u64 id, i;

	setup();
	good = bad = to(B, 0x100, 16);
#define BAD(field, value, err, what)                                          \
	do {                                                                  \
		bad = good;                                                   \
		bad.field = value;                                            \
		refused(grant_offer(vms[A], &bad), -(err), "offer: " what);   \
	} while (0)
	BAD(perm, 0, MON_EINVAL, "no permission");
	BAD(perm, MON_SHARE_WRITE, MON_EINVAL, "write only");
	BAD(perm, 7, MON_EINVAL, "to execute");
	BAD(perm, 0x80000001, MON_EINVAL, "unknown permission");
	BAD(to, 4, MON_EINVAL, "to nobody known");
	BAD(pages, 0, MON_EINVAL, "nothing");
	BAD(gfn, 0x400, MON_EPERM, "behind RAM: a device");
	BAD(pages, 0x301, MON_EPERM, "across the end of RAM");
	BAD(pages, ~0ULL, MON_EPERM, "more than there is");
	BAD(gfn, ~0ULL, MON_EPERM, "an address that is none");
	BAD(gfn, WINDOW, MON_EPERM, "what is shared with it");
	BAD(gfn, 0xfffff, MON_EPERM, "write to firmware, or beyond");
	id = offered(A, good);
	BAD(gfn, 0x10f, MON_EEXIST, "shared already");
	bad = to(B, 0xfffff, 1);
	bad.perm = MON_SHARE_READ;
	ok(grant_offer(vms[A], &bad) > 0, "offer: firmware, to read");
	for (i = 2; i < MON_SHARE_QUOTA; i++)
		offered(A, to(B, 0x200 + i, 1));
	BAD(gfn, 0x300, MON_EBUSY, "one too many");
	ok(shown(A, id, &s) && s.is_owner && s.gfn == 0x100 && s.pages == 16 && s.perm == RW &&
	   s.state == MON_SHARE_OFFERED && s.other == MON_DOMAIN_NONE, "its owner sees it");
	ok(shown(B, id, &s) && !s.is_owner && !s.gfn && s.other == vms[A]->id && s.tag == 77,
	   "who is named sees it, and by whom it is");
	ok(!memcmp(&s.name, &(struct mon_name[]){ name(A) }, sizeof(s.name)), "... by name");
	ok(!shown(OTHER, id, &s), "others do not");
	refused(grant_end(vms[B]->id, id), -MON_ENOENT, "end: an offer is its owner's");
	ok(!grant_end(vms[A]->id, id) && !shown(B, id, &s), "it is withdrawn");
}

static void test_names(void)
{
	struct mon_guest_share s;
	struct mon_guest_offer offer;
	u64 id;

	setup();
	id = offered(A, to(B, 0x100, 4));
	refused(grant_accept(vms[OTHER], id, WINDOW, 0), -MON_ENOENT, "accept: another firmware");
	refused(grant_accept(vms[A], id, WINDOW, 0), -MON_ENOENT, "accept: another kernel");
	vm_item_data(vms[B], "x", 1);
	refused(grant_accept(vms[B], id, WINDOW, 0), -MON_ENOENT, "accept: more has been loaded");
	setup();
	id = offered(A, to(B, 0x100, 4));
	vm_item_end(vms[B]);
	ok(!grant_accept(vms[B], id, WINDOW, 5), "accept: whether its last item has ended or not");
	ok(shown(A, id, &s) && s.tag == 5 && s.other == vms[B]->id && s.state == MON_SHARE_LIVE,
	   "the owner is told who it is");
	offer = to(B, 0x200, 4);
	offer.to = MON_SHARE_TO_LAUNCH;
	memset(offer.name.runtime, 0, sizeof(offer.name.runtime));
	id = offered(A, offer);
	refused(grant_accept(vms[OTHER], id, WINDOW + 64, 0), -MON_ENOENT, "accept: by firmware");
	ok(!grant_accept(vms[B], id, WINDOW + 64, 0), "by launch measurement alone: any kernel");
	id = offered(B, to(OTHER, 0x200, 4));
	refused(grant_host_accept(id), -MON_ENOENT, "the host accepts nothing of others");
	refused(grant_accept(vms[OTHER], id + BIT(SHARE_SLOT_BITS), WINDOW, 0), -MON_ENOENT,
		"accept: an ID of later");
	refused(grant_accept(vms[OTHER], ~0ULL, WINDOW, 0), -MON_ENOENT, "accept: no ID");
}

static void test_window(void)
{
	u64 id, second;

	setup();
	refused(grant_window(vms[A], WINDOW, MON_WINDOW_PAGES_MAX + 1), -MON_EINVAL, "too large");
	refused(grant_window(vms[A], PAGES(BIT(32)) - 1, 16), -MON_EINVAL, "below 4 GiB");
	refused(grant_window(vms[A], PAGES(NPT_LIMIT) - 15, 16), -MON_EINVAL, "across the end");
	refused(grant_window(vms[A], ~0ULL, 16), -MON_EINVAL, "no address");
	refused(grant_window(vms[A], 0, ~0ULL), -MON_EINVAL, "everything");
	check(!grant_window(vms[B], WINDOW, 8));
	id = offered(A, to(B, 0x100, 6));
	refused(grant_accept(vms[B], id, WINDOW - 1, 0), -MON_EINVAL, "accept: before the window");
	refused(grant_accept(vms[B], id, WINDOW + 3, 0), -MON_EINVAL, "accept: across its end");
	refused(grant_accept(vms[B], id, WINDOW + 8, 0), -MON_EINVAL, "accept: behind it");
	refused(grant_accept(vms[B], id, 0x200, 0), -MON_EINVAL, "accept: over its memory");
	check(!grant_accept(vms[B], id, WINDOW + 2, 0));
	refused(grant_accept(vms[B], id, WINDOW + 2, 0), -MON_EINVAL, "accept: twice");
	second = offered(A, to(B, 0x200, 3));
	refused(grant_accept(vms[B], second, WINDOW, 0), -MON_EEXIST, "accept: into another");
	refused(grant_window(vms[B], WINDOW, 16), -MON_EBUSY, "a window in use stays");
	ok(vm_in_window(vms[B], WINDOW << 12) && vm_in_window(vms[B], (WINDOW + 8) * 4096 - 1) &&
	   !vm_in_window(vms[B], (WINDOW << 12) - 1) && !vm_in_window(vms[B], (WINDOW + 8) << 12) &&
	   !vm_in_window(vms[B], 0) && !vm_in_window(vms[B], ~0ULL), "the window is just that");
	ok(!grant_waits() && grant_end(vms[B]->id, id) == -MON_EAGAIN && grant_waits(),
	   "the host can know that a VM waits for its CPUs");
	epoch_pass(0);
	ok(grant_waits(), "... for each of them");
	epoch_pass(1);
	ok(!grant_waits(), "... and no longer than it does");
	while (grant_end(vms[B]->id, id) == -MON_EAGAIN)
		pass_all();
	ok(!grant_window(vms[B], 0, 0) && !vm_in_window(vms[B], WINDOW << 12), "and goes");
	refused(grant_accept(vms[B], second, WINDOW, 0), -MON_EINVAL, "accept: without a window");
}

static void test_signals(void)
{
	u64 id, to_host;
	struct mon_guest_offer offer;

	setup();
	id = offered(A, to(B, 0x100, 4));
	refused(grant_signal(vms[A], id), -MON_ENOENT, "signal: not accepted yet");
	check(!grant_accept(vms[B], id, WINDOW, 0));
	ok(!grant_take_signal(vms[B], id) && !grant_take_signal(vms[A], id), "none at first");
	ok(!grant_signal(vms[A], id) && !grant_signal(vms[A], id) &&
	   grant_take_signal(vms[B], id) == 1 && !grant_take_signal(vms[B], id), "one way");
	ok(!grant_take_signal(vms[A], id), "and not back");
	ok(!grant_signal(vms[B], id) && grant_take_signal(vms[A], id) == 1, "the other way");
	refused(grant_signal(vms[OTHER], id), -MON_ENOENT, "signal: a third");
	refused(grant_take_signal(vms[OTHER], id), -MON_ENOENT, "take: a third");
	offer = to(B, 0x200, 4);
	offer.to = MON_SHARE_TO_HOST;
	to_host = offered(A, offer);
	check(!grant_host_accept(to_host));
	refused(grant_signal(vms[A], to_host), -MON_ENOENT, "signal: the host has other ways");
	check(!grant_signal(vms[A], id));
	while (grant_end(vms[A]->id, id) == -MON_EAGAIN)
		pass_all();
	refused(grant_take_signal(vms[B], id), -MON_ENOENT, "take: the share is over");
	id = offered(A, to(B, 0x100, 4));
	check(!grant_accept(vms[B], id, WINDOW, 0));
	ok(!grant_take_signal(vms[B], id), "a new share begins without a signal");
}

static void test_host(void)
{
	struct mon_host_offer good = { .perm = RW, .pfn = 0x1800, .nr = 4, .tag = 9 }, bad;
	struct mon_share_status status = { 0 };
	struct mon_guest_share s;
	struct mon_guest_offer offer;
	u64 id;

	setup();
	good.domain = vms[A]->id;
#define BAD_HOST(field, value, err, what)                                        \
	do {                                                                     \
		bad = good;                                                      \
		bad.field = value;                                               \
		refused(grant_host_offer(&bad), -(err), "host's offer: " what);  \
	} while (0)
	BAD_HOST(domain, 0, MON_ENOENT, "to itself");
	BAD_HOST(domain, 1, MON_ENOENT, "to the monitor");
	BAD_HOST(domain, 17, MON_ENOENT, "to a VM that is not there");
	BAD_HOST(domain, ~0U, MON_ENOENT, "to no number");
	BAD_HOST(perm, 4, MON_EINVAL, "permission");
	BAD_HOST(nr, 0, MON_ERANGE, "nothing");
	BAD_HOST(nr, ~0ULL, MON_ERANGE, "more than there is");
	BAD_HOST(pfn, SIM_FRAMES, MON_ERANGE, "no RAM");
	id = (u64)grant_host_offer(&good);
	ok(shown(A, id, &s) && s.other == 0 && s.tag == 9 && !shown(B, id, &s), "host's offer");
	refused(grant_accept(vms[B], id, WINDOW, 0), -MON_ENOENT, "accept: not for this VM");
	check(!grant_accept(vms[A], id, WINDOW, 0));
	ok(!share_touch(vms[A]->id, WINDOW << 12) && frame_get_info(0x1800).gfn == 1, "reached");
	bad = good;
	bad.pfn = 0x800;
	id = (u64)grant_host_offer(&bad);
	check(!grant_accept(vms[A], id, WINDOW + 16, 0));
	refused(share_touch(vms[A]->id, (WINDOW + 16) << 12), NPT_EOWNER,
		"what is not the host's is not reached by its offer");
	offer = to(B, 0x200, 4);
	offer.to = MON_SHARE_TO_HOST;
	id = offered(A, offer);
	ok(!grant_host_show(share_slot(id), &status) && status.id == id &&
	   status.owner == vms[A]->id && !status.peer && status.pages == 4 && status.tag == 77,
	   "the host sees what it is offered");
	refused(grant_host_show(SHARE_MAX, &status), -MON_ERANGE, "show: behind the last");
	drop_vm(vms[A]);
	refused(grant_host_offer(&good), -MON_ENOENT, "host's offer: to a VM that has gone");
	ok(!frame_get_info(0x1800).gfn, "with a VM go its shares");
	vms[A] = NULL;
}

static void test_release(void)
{
	u64 id, pages, owned;
	int err;

	setup();
	check(vm_page(vms[A], 0x100000, true, &err) && vm_page(vms[A], 0x101000, true, &err));
	owned = vms[A]->npt.owned;
	pages = vms[A]->npt.limit;
	id = offered(A, to(B, 0x102, 1));
	refused(grant_release(vms[A], 0x100, 0), -MON_EINVAL, "release: nothing");
	refused(grant_release(vms[A], 0x100, MON_RELEASE_MAX + 1), -MON_EINVAL,
		"release: too much");
	refused(grant_release(vms[A], 0xfffff, 1), -MON_EPERM, "release: firmware");
	refused(grant_release(vms[A], 0x3ff, 2), -MON_EPERM, "release: beyond RAM");
	refused(grant_release(vms[A], WINDOW, 1), -MON_EPERM, "release: a share's window");
	refused(grant_release(vms[A], 0x100, 4), -MON_EBUSY, "release: one of them is offered");
	ok(!grant_release(vms[A], 0x100, 2) && vms[A]->npt.owned == owned - 2 &&
	   vms[A]->npt.limit == pages - 2 && vms[A]->returned == 2, "release");
	ok(grant_settled(vms[A]) == -MON_EAGAIN && grant_waits(),
	   "release: another vCPU may still reach what was there");
	epoch_pass(0);
	ok(grant_settled(vms[A]) == -MON_EAGAIN, "until every CPU has flushed");
	ok(!grant_settled(vms[B]), "which no other VM waits for");
	epoch_pass(1);
	ok(!grant_settled(vms[A]) && !grant_waits(), "then it is settled");
	check(!grant_release(vms[A], 0x100, 1));
	ok(!grant_settled(vms[A]), "what was not there is settled at once");
	check(!vm_refill(vms[A]->id, 1));
	ok(vm_refill(vms[A]->id, 3) == -MON_EINVAL && vm_refill(vms[A]->id, ~0ULL) == -MON_EINVAL,
	   "refill: more than its policy needs");
	ok(vm_refill(99, 1) == -MON_ENOENT && !vm_refill(vms[A]->id, 2) &&
	   vms[A]->npt.limit == pages, "refill");
	check(!grant_end(vms[A]->id, id));
}

int main(void)
{
	test_offer();
	test_names();
	test_window();
	test_signals();
	test_host();
	test_release();
	return unit_end();
}
