// SPDX-License-Identifier: GPL-2.0-only
/*
 * Part of an image that checks itself (make DEBUG=1): all invariants after calls of the host,
 * of guests and of enclaves, and, by a clock of removals, whether each CPU has flushed since a
 * translation to a frame was removed when the frame is used anew.
 *
 * It includes the sources whose tables it looks at.
 */
#include "../../npt/compose.c"
#include "../../npt/share.c"
#define slot_for vm_slot_for
#include "../../core/vm.c"
#include "../../core/debug.h"
#include "../../core/enclave.h"
#include "../../uapi/guest.h"
#include "../../vmx/cpu.h"
#ifdef INV_APART
#include "invariants.h"
#else
#include "invariants.c"
#endif

#define CHECKED_FRAMES BIT(18) /* 1 GiB: the data of an image is one block of 4 MiB at most */
#define SAME_CALLS 256 /* a row of one kind of call is looked at every so often */

/* ---- translations ---- */

static u64 clock_now;
static u32 removed[CHECKED_FRAMES];
static u32 cut[SHARE_MAX];
static u64 flushed[NPT_MAX_CPUS];

u64 ghost_mark(void)
{
	return __atomic_load_n(&clock_now, __ATOMIC_SEQ_CST);
}

void ghost_flushed(u32 cpu, u64 mark)
{
	__atomic_store_n(&flushed[cpu], mark, __ATOMIC_SEQ_CST);
}

void ghost_removed(u64 pfn, u64 nr)
{
	u64 now = __atomic_add_fetch(&clock_now, 1, __ATOMIC_SEQ_CST);

	for (; nr && pfn < CHECKED_FRAMES; nr--, pfn++)
		removed[pfn] = (u32)now;
}

static void all_flushed_since(u64 when)
{
	u32 cpu;

	for (cpu = 0; when && cpu < monitor.nr_cpus; cpu++)
		MONITOR_BUG_ON(__atomic_load_n(&flushed[cpu], __ATOMIC_SEQ_CST) < when);
}

void ghost_reused(u64 pfn)
{
	if (pfn < CHECKED_FRAMES)
		all_flushed_since(removed[pfn]);
}

void ghost_share_cut(u32 slot)
{
	cut[slot] = (u32)ghost_mark();
}

void ghost_share_over(u32 slot)
{
	all_flushed_since(cut[slot]);
	cut[slot] = 0;
}

/* ---- invariants ---- */

static u32 add_domains(struct inv_space *spaces)
{
	struct enclave *e;
	u32 i, nr = 0;

	for (i = 0; i < VM_MAX; i++)
		if (vms[i])
			spaces[nr++] = (struct inv_space){ INV_VM, vms[i]->id, &vms[i]->npt };
	for (i = MON_DOMAIN_ENCLAVE; nr < domain_count() && i < DOM_LIMIT; i++) {
		e = enclave_of(i);
		if (e)
			spaces[nr++] = (struct inv_space){ INV_VM, i, &e->npt };
	}
	return nr;
}

static void check_world(void)
{
	static struct inv_space spaces[1 + EPT02_SLOTS + DOM_LIMIT];
	static u32 leaves[CHECKED_FRAMES];
	static u8 tables[CHECKED_FRAMES];
	struct inv_world w = { .spaces = spaces, .shares = shares, .nr_shares = SHARE_MAX,
			       .lent = ~0U, .leaves = leaves, .tables = tables };
	u32 i, nr;

	spaces[w.nr_spaces++] = (struct inv_space){ INV_EPT01, DOM_HOST, &host_npt };
	for (i = 0; i < EPT02_SLOTS; i++)
		if (slots[i].eptp12)
			spaces[w.nr_spaces++] =
				(struct inv_space){ INV_EPT02, DOM_HOST, &slots[i].npt };
	nr = add_domains(spaces + w.nr_spaces);
	w.nr_spaces += nr;
	/* One that is being made, or is all but gone, has frames, and is in no list. */
	if (nr == domain_count())
		inv_check(&w);
}

/* They come all the time, and nothing is other than before. */
static bool only_asks(u64 call)
{
	switch (call) {
	case MON_HC_PING:
	case MON_HC_STATUS:
	case MON_HC_VM_STATUS:
	case MON_HC_SHARE_AT:
	case MON_HC_FRAMES:
	case MON_HC_WAITED:
	case MON_HC_ENCLAVE_STATUS:
	case MON_HC_ENCLAVE_PAUSE:
	case MON_HC_ENCLAVE_RUN: /* what it touches is looked at with the next call */
	case DEBUG_GUEST | MON_GC_SELF:
	case DEBUG_GUEST | MON_GC_SHARE_AT:
	case DEBUG_GUEST | MON_GC_TAKE_SIGNAL:
	case DEBUG_GUEST | MON_GC_SETTLED:
	case DEBUG_GUEST | MON_GC_DISK_OPENED:
		return true;
	}
	return false;
}

/* A VM is made under vms_lock: without it one could have tables, and not be in the list yet. */
void debug_check(u64 call)
{
	static u64 last = ~0ULL, same;

	if (frame_count() > CHECKED_FRAMES || only_asks(call))
		return;
	spin_lock(&vms_lock);
	spin_lock(&npt_lock);
	same = call == last ? same + 1 : 0;
	last = call;
	if (same % SAME_CALLS == 0)
		check_world();
	spin_unlock(&npt_lock);
	spin_unlock(&vms_lock);
}
