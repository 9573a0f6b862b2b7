// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c npt/share.c npt/lend.c */
/* includes: npt/epoch.c npt/compose.c */
/*
 * What has to be done before what, because another CPU may look in between:
 * every opening of an epoch, every flush and every wipe is caught in the act.
 */
#define SIM_FRAMES 4096ULL
#define SIM_OWN_FLUSH
#include "npt_sim.h"

#define epoch_now real_epoch_now
#include "npt/epoch.c"
#undef epoch_now
#include "npt/compose.c"
#include "npt/share.h"

static void (*at_epoch)(void), (*at_flush)(void);
static u64 epochs, flushes;

u64 epoch_now(void)
{
	epochs++;
	if (at_epoch)
		at_epoch();
	return real_epoch_now();
}

void npt_flush_local(void)
{
	flushes++;
	if (at_flush)
		at_flush();
}

static struct npt vm;

static void setup(void)
{
	struct npt_config cfg = sim_config();

	at_epoch = NULL;
	at_flush = NULL;
	sim_init(SIM_FRAMES, 2);
	sim_pool(0x400, 128);
	check(!host_npt_init(&cfg));
	epochs = 0;
	flushes = 0;
}

/* ---- a donation: out of reach everywhere, then the epoch ---- */

static u64 eptp12;

static void donated_is_out(void)
{
	check(!host_owns(0x900000, 1) && host_owns(0x8ff000, 1));
	check(!npt_walk(&host_npt, 0x900000).entry);
	check(!slot_find(eptp12));
}

static void test_donate(void)
{
	u64 *table = (u64 *)sim_ram, epoch, eptp, perm, level;

	setup();
	/* EPT12: guest address 0 is frame 0x900, by tables in frames 1 to 4 */
	table = frame_ptr(1);
	memset(table, 0, 4 * PAGE_SIZE);
	for (level = 4; level > 1; level--)
		((u64 *)frame_ptr(level))[0] = (level - 1) << PAGE_SHIFT | EPT_RWX;
	table[0] = 0x900000 | EPT_RWX | MT_WB << EPT_MEMTYPE_SHIFT;
	eptp12 = 4 << PAGE_SHIFT | EPTP_WB_4LEVEL;
	check(ept02_fault(eptp12, 0, EPT_WRITE, &perm) == EPT02_RETRY);
	check(ept02_get(eptp12, &eptp));
	ept02_invalidate(eptp12);
	check(ept02_fault(eptp12, 0, EPT_WRITE, &perm) == EPT02_RETRY);
	lock();
	/* the tables of the dropped space take epochs of their own */
	ept02_drop_all();
	unlock();
	epochs = 0;
	at_epoch = donated_is_out;
	ok(!host_donate(0x900, 1, &epoch) && epochs == 1,
	   "donate: nobody gets at it when the epoch opens");
}

/* ---- a revoked share: no leaf, then the epoch ---- */

static u64 page;

static void revoked_is_out(void)
{
	check(!npt_walk(&vm, 0x7000).entry);
	check(!frame_get_info(page).gfn);
}

static void test_revoke(void)
{
	struct share s = { .owner = DOM_HOST, .owner_npt = &host_npt, .peer = DOM_FIRST_VM,
			   .perm = EPT_READ, .owner_perm = EPT_RWX, .gfn = 0x900, .nr = 1 };
	u64 id;

	setup();
	page = 0x900;
	check(!vm_npt_create(&vm) && !share_offer(&s, &id));
	check(!share_accept(id, DOM_FIRST_VM, &vm, 7) && !share_touch(DOM_FIRST_VM, 0x7000));
	at_epoch = revoked_is_out;
	ok(share_end(id, DOM_HOST) == NPT_EBUSY && epochs == 1,
	   "revoke: no leaf is left when the epoch opens");
	ok(share_end(id, DOM_HOST) == NPT_EBUSY && epochs == 1, "and it opens once");
}

/* ---- a narrower permission: in the table, then the epoch ---- */

static void protected_is_narrow(void)
{
	check((npt_walk(&vm, 0x7000).entry & EPT_RWX) == EPT_READ);
	check((npt_walk(&vm, 0x8000).entry & EPT_RWX) == EPT_READ);
}

static void test_protect(void)
{
	u64 pfn, epoch;

	setup();
	check(!vm_npt_create(&vm) && !vm_npt_touch(&vm, DOM_FIRST_VM, 0x7000, EPT_RWX, &pfn) &&
	      !vm_npt_touch(&vm, DOM_FIRST_VM, 0x8000, EPT_READ | EPT_WRITE, &pfn));
	epochs = 0;
	at_epoch = protected_is_narrow;
	ok(!vm_npt_protect(&vm, DOM_FIRST_VM, 0x7000, 2, EPT_READ, &epoch) && epochs == 1,
	   "protect: all pages are narrower when the epoch opens");
}

/* ---- retired frames: unlinked, then the epoch ---- */

static void retired_is_out(void)
{
	check(!npt_walk(&vm, 0x7000).entry);
}

static void test_teardown(void)
{
	u64 pfn;

	setup();
	check(!vm_npt_create(&vm) && !vm_npt_touch(&vm, DOM_FIRST_VM, 0x7000, EPT_RWX, &pfn));
	at_epoch = retired_is_out;
	ok(vm_npt_teardown(&vm, DOM_FIRST_VM, 100) && epochs == 5,
	   "teardown: page and tables are unlinked when their epochs open");
}

static void test_release(void)
{
	u64 pfn;

	setup();
	check(!vm_npt_create(&vm) && !vm_npt_touch(&vm, DOM_FIRST_VM, 0x7000, EPT_RWX, &pfn));
	at_epoch = retired_is_out;
	ok(!vm_npt_release(&vm, DOM_FIRST_VM, 0x7000, 1) && epochs == 1,
	   "give back: the page is unlinked when its epoch opens");
}

static void unlent_is_out(void)
{
	check(!npt_walk(&host_npt, 0x400000).entry);
}

static void test_lend(void)
{
	setup();
	check(!host_lend(0x400000, 0x900));
	at_epoch = unlent_is_out;
	host_unlend(0x400000);
	ok(epochs == 1, "unlend: the junk frame is unmapped when the epoch opens");
}

/* ---- a CPU flushes, then says so ---- */

static u64 opened;

static void not_passed(void)
{
	check(!epoch_passed(opened));
}

/* Another CPU removes something while this one flushes. */
static void opens_another(void)
{
	if (flushes == 1)
		opened = real_epoch_now();
}

static void test_flush(void)
{
	setup();
	epoch_pass(0);
	opened = epoch_now();
	epoch_pass(1);
	at_flush = not_passed;
	epoch_pass(0);
	ok(epoch_passed(opened), "pass: the epoch has not passed before the flush");
	opened = epoch_now();
	at_flush = NULL;
	epoch_pass(1);
	at_flush = not_passed;
	epoch_park(0);
	ok(epoch_passed(opened), "park: nor does parking let it");
	at_flush = NULL;
	setup();
	real_epoch_now();
	at_flush = opens_another;
	epoch_pass(0);
	at_flush = NULL;
	epoch_pass(1);
	ok(!epoch_passed(opened), "pass: what is opened during a flush waits for another");
	epoch_pass(0);
	ok(epoch_passed(opened), "which comes");
}

int main(void)
{
	test_donate();
	test_revoke();
	test_protect();
	test_teardown();
	test_release();
	test_lend();
	test_flush();
	return unit_end();
}
