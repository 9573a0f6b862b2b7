/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The world behind npt/shim.h: RAM in an array, flushes counted, and
 * monitor_bug() as something a test can expect.
 */
#ifndef _NPT_SIM_H
#define _NPT_SIM_H

#include <setjmp.h>
#include "unit.h"
#include "npt/npt.h"

#ifndef SIM_FRAMES
#define SIM_FRAMES 16384ULL
#endif
#define SIM_BYTES (SIM_FRAMES << PAGE_SHIFT)

static u8 *sim_ram;
static struct frame *sim_table;
static u64 sim_flushes;
static jmp_buf sim_bug_jump;
static bool sim_bug_expected;
static u8 *sim_ram_copy;
static struct frame *sim_table_copy;

void *frame_ptr(u64 pfn)
{
	if (pfn >= SIM_FRAMES)
		monitor_bug("frame_ptr: no RAM there");
	return sim_ram + (pfn << PAGE_SHIFT);
}

#ifndef SIM_OWN_FLUSH
void npt_flush_local(void)
{
	sim_flushes++;
}
#endif

void monitor_bug(const char *what)
{
	if (sim_bug_expected)
		longjmp(sim_bug_jump, 1);
	printf("# monitor_bug: %s\n", what);
	fflush(stdout);
	abort();
}

/* Does @statement reach monitor_bug()? The lock is as before then. */
#define bugs(statement)                                 \
	({                                              \
		volatile u32 held_ = npt_lock.held;     \
		volatile bool hit_ = true;              \
		sim_bug_expected = true;                \
		if (!setjmp(sim_bug_jump)) {            \
			statement;                      \
			hit_ = false;                   \
		}                                       \
		sim_bug_expected = false;               \
		npt_lock.held = held_;                  \
		hit_;                                   \
	})

__attribute__((__unused__))
static void lock(void)
{
	spin_lock(&npt_lock);
}

__attribute__((__unused__))
static void unlock(void)
{
	spin_unlock(&npt_lock);
}

/* Everything anew: all RAM except [0xa0, 0x100), as on a PC. */
__attribute__((__unused__))
static void sim_init(u64 nr_frames, u32 nr_cpus)
{
	const struct ram_range ram[] = {
		{ 0, 0xa0000 },
		{ 0x100000, nr_frames << PAGE_SHIFT },
	};

	free(sim_table);
	if (!sim_ram) /* new memory for each world would cost more than the tests */
		sim_ram = aligned_alloc(PAGE_SIZE, SIM_BYTES);
	sim_table = calloc(nr_frames, sizeof(*sim_table));
	memset(sim_ram, 0xa5, SIM_BYTES);
	npt_lock.held = 0;
	sim_flushes = 0;
	frame_table_init(sim_table, nr_frames, ram, 2, nr_cpus);
}

/* The pool from [@pfn, @pfn + @nr), as at launch. */
__attribute__((__unused__))
static void sim_pool(u64 pfn, u64 nr)
{
	u64 i;

	check(frame_claim_boot(pfn, nr, FRAME_IMAGE) == NPT_OK);
	lock();
	for (i = nr; i--;)
		frame_put(pfn + i);
	unlock();
}

__attribute__((__unused__))
static void sim_save(void)
{
	u64 bytes = frame_count() * sizeof(*sim_table);

	sim_ram_copy = realloc(sim_ram_copy, SIM_BYTES);
	sim_table_copy = realloc(sim_table_copy, bytes);
	memcpy(sim_ram_copy, sim_ram, SIM_BYTES);
	memcpy(sim_table_copy, sim_table, bytes);
}

__attribute__((__unused__))
static bool sim_same(void)
{
	return !memcmp(sim_ram_copy, sim_ram, SIM_BYTES) &&
	       !memcmp(sim_table_copy, sim_table, frame_count() * sizeof(*sim_table));
}

/* A test point: @call answers @err, and neither RAM nor the table has changed. */
#define refused(call, err, ...)                                                    \
	do {                                                                       \
		sim_save();                                                        \
		int got_ = (call);                                                 \
		unit_ok(got_ == (int)(err) && sim_same(),                          \
			#call " == " #err " and nothing changed",                  \
			__FILE__, __LINE__, __VA_ARGS__);                          \
		if (got_ != (int)(err))                                            \
			printf("# got %d\n", got_);                                \
	} while (0)

__attribute__((__unused__))
static bool page_is(u64 pfn, u8 byte)
{
	const u8 *page = frame_ptr(pfn);

	return page[0] == byte && !memcmp(page, page + 1, PAGE_SIZE - 1);
}

__attribute__((__unused__))
static struct npt_config sim_config(void)
{
	struct npt_config cfg = { .max_pa = BIT(39), .max_leaf = 3 };
	u32 i;

	/* UC by default; WB below 3 GiB and in [4, 8) GiB; fixed: RAM WB, VGA and ROM UC. */
	cfg.mtrr.def_type = BIT(11) | BIT(10) | MT_UC;
	cfg.mtrr.has_fixed = true;
	for (i = 0; i < 3; i++)
		cfg.mtrr.fixed[i] = i < 2 ? 0x0606060606060606ULL : 0;
	cfg.mtrr.base[0] = MT_WB;
	cfg.mtrr.mask[0] = (BIT(39) - BIT(33)) | BIT(11);
	cfg.mtrr.base[1] = 0xc0000000ULL | MT_UC;
	cfg.mtrr.mask[1] = (BIT(39) - BIT(30)) | BIT(11);
	cfg.mtrr.nr_var = 2;
	return cfg;
}

#endif /* _NPT_SIM_H */
