// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/mtrr.c */
#include "unit.h"
#include "npt/npt.h"

#define ON BIT(11)
#define FIXED BIT(10)
#define PHYS_BITS 39

static u64 mask_of(u64 size)
{
	return (BIT(PHYS_BITS) - size) | BIT(11);
}

static u32 type_at(const struct mtrr_state *m, u64 pa)
{
	u32 type = 99;

	check(mtrr_type(m, pa, PAGE_SIZE, &type));
	return type;
}

static void test_enable(void)
{
	struct mtrr_state m = { .def_type = MT_WB, .has_fixed = true };
	u32 type;

	m.base[0] = MT_WT;
	m.mask[0] = mask_of(BIT(30));
	m.nr_var = 1;
	ok(mtrr_type(&m, 0, BIT(30), &type) && type == MT_UC, "off: all UC");
	m.def_type |= ON;
	ok(type_at(&m, 0) == MT_WT && type_at(&m, BIT(30)) == MT_WB, "on: range, then default");
	m.mask[0] &= ~BIT(11);
	ok(type_at(&m, 0) == MT_WB, "range not valid");
	m.mask[0] |= BIT(11);
	m.nr_var = 0;
	ok(type_at(&m, 0) == MT_WB, "range not counted");
	m.fixed[0] = 0x0404040404040404ULL;
	ok(type_at(&m, 0) == MT_WB, "fixed ranges off");
	m.def_type |= FIXED;
	ok(type_at(&m, 0) == MT_WT && type_at(&m, 0x100000) == MT_WB, "fixed ranges on");
	m.has_fixed = false;
	ok(type_at(&m, 0) == MT_WB, "no fixed ranges");
	m.def_type = ON | 7;
	ok(type_at(&m, BIT(32)) == MT_UC, "reserved type is UC");
	m.def_type = ON | 0x40 | MT_WB;
	ok(type_at(&m, BIT(32)) == MT_UC, "a type is all of a byte");
}

/* Each of the 88 fixed ranges, against their bounds in SDM table 12-9. */
static void test_fixed(void)
{
	static const u32 types[] = { MT_UC, MT_WC, MT_WT, MT_WP, MT_WB };
	struct mtrr_state m = { .def_type = ON | FIXED | MT_UC, .has_fixed = true };
	u64 pa, i, n = 0, size;
	bool good = true;
	u32 type;

	for (i = 0; i < 88; i++)
		m.fixed[i / 8] |= (u64)types[i % 5] << (i % 8 * 8);
	for (pa = 0; pa < 0x100000; pa += size, n++) {
		size = pa < 0x80000 ? 0x10000 : pa < 0xc0000 ? 0x4000 : 0x1000;
		good = good && type_at(&m, pa) == types[n % 5] &&
		       type_at(&m, pa + size - PAGE_SIZE) == types[n % 5] &&
		       mtrr_type(&m, pa, size, &type) && !mtrr_type(&m, pa & ~(2 * size - 1),
								    2 * size, &type);
	}
	ok(good && n == 88, "each of 88 fixed ranges");
	ok(!mtrr_type(&m, 0, BIT(21), &type), "2 MiB over the fixed ranges");
	memset(m.fixed, 6, sizeof(m.fixed));
	ok(mtrr_type(&m, 0, BIT(20), &type) && type == MT_WB, "1 MiB of one type");
	ok(!mtrr_type(&m, 0, BIT(21), &type), "2 MiB goes beyond: smaller pages");
	m.fixed[4] = 0x0606030606060606ULL;
	ok(type_at(&m, 0xcd000) == MT_UC, "reserved type is UC");
}

static void test_overlap(void)
{
	static const struct {
		u32 a, b, want;
	} cases[] = {
		{ MT_UC, MT_WB, MT_UC }, { MT_UC, MT_WT, MT_UC }, { MT_UC, MT_UC, MT_UC },
		{ MT_WB, MT_WT, MT_WT }, { MT_WB, MT_WB, MT_WB }, { MT_WT, MT_WT, MT_WT },
		{ MT_WC, MT_WC, MT_WC }, { MT_WC, MT_WB, MT_UC }, { MT_WP, MT_WB, MT_UC },
		{ MT_WC, MT_UC, MT_UC }, { MT_WP, MT_WT, MT_UC },
	};
	struct mtrr_state m = { .def_type = ON | MT_WB, .nr_var = 2 };
	bool good = true;
	u32 i, t1, t2;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		m.mask[0] = m.mask[1] = mask_of(BIT(30));
		m.base[0] = BIT(32) | cases[i].a;
		m.base[1] = BIT(32) | cases[i].b;
		good = good && mtrr_type(&m, BIT(32), BIT(30), &t1) && t1 == cases[i].want;
		m.base[0] = BIT(32) | cases[i].b;
		m.base[1] = BIT(32) | cases[i].a;
		good = good && mtrr_type(&m, BIT(32), BIT(30), &t2) && t2 == t1;
	}
	ok(good, "overlaps: UC wins, WT over WB, else UC");
	m.base[0] = MT_WB;
	m.mask[0] = mask_of(BIT(32));
	m.base[1] = 0xc0000000ULL | MT_UC;
	m.mask[1] = mask_of(BIT(30));
	ok(mtrr_type(&m, 0xc0000000, BIT(30), &t1) && t1 == MT_UC, "hole below 4 GiB, as a whole");
	ok(mtrr_type(&m, 0x80000000, BIT(30), &t1) && t1 == MT_WB, "RAM below the hole");
	m.base[0] = 0xc0000000ULL | MT_WB;
	m.mask[0] = mask_of(BIT(29));
	ok(mtrr_type(&m, 0xc0000000, BIT(30), &t1) && t1 == MT_UC, "RAM in half of it is none");
	m.base[0] = MT_WB;
	m.mask[0] = mask_of(BIT(32));
	m.base[1] = 0xe0000000ULL | MT_UC;
	m.mask[1] = mask_of(BIT(29));
	ok(!mtrr_type(&m, 0xc0000000, BIT(30), &t1) && t1 == MT_WB, "hole in half a block");
	ok(mtrr_type(&m, 0xe0000000, BIT(21), &t1) && t1 == MT_UC, "block in the hole");
}

/* The definition, for one page: every range asked, SDM 12.11.3 and 12.11.4.1. */
static u32 model(const struct mtrr_state *m, u64 pa)
{
	u32 seen = 0, i;

	for (i = 0; i < m->nr_var; i++) {
		u64 mask = m->mask[i] & (BIT(PHYS_BITS) - 1) & ~0xfffULL;

		if ((m->mask[i] & BIT(11)) && (pa & mask) == (m->base[i] & mask))
			seen |= 1u << (m->base[i] & 0xff);
	}
	if (!seen)
		return m->def_type & 0xff;
	if (seen & (1u << MT_UC))
		return MT_UC;
	if (!(seen & (seen - 1)))
		return __builtin_ctz(seen);
	return seen == ((1u << MT_WT) | (1u << MT_WB)) ? MT_WT : MT_UC;
}

/* Ranges of a few pages, also with holes in their masks, and all small blocks. */
static void test_random(void)
{
	static const u32 types[] = { MT_UC, MT_WC, MT_WT, MT_WP, MT_WB };
	struct mtrr_state m;
	u64 round, uniform = 0, pa, size, off;
	u32 i, type;

	for (round = 0; round < 20000; round++) {
		m = (struct mtrr_state){ .def_type = ON | types[unit_random() % 5] };
		m.nr_var = unit_random() % 5;
		for (i = 0; i < m.nr_var; i++) {
			m.base[i] = (unit_random() & 0x3f000) | types[unit_random() % 5];
			m.mask[i] = mask_of(PAGE_SIZE) & ~(unit_random() & unit_random() & 0x3f000);
			if (unit_random() % 8 == 0)
				m.mask[i] &= ~BIT(11);
		}
		for (size = PAGE_SIZE; size <= 0x10000; size *= 2) {
			for (pa = 0; pa < 0x40000; pa += size) {
				bool one = mtrr_type(&m, pa, size, &type);

				check(type == model(&m, pa));
				check(one || size > PAGE_SIZE);
				uniform += one;
				for (off = 0; one && off < size; off += PAGE_SIZE)
					check(type == model(&m, pa + off));
			}
		}
	}
	ok(uniform > 0, "random ranges: type right, uniform blocks uniform");
}

int main(void)
{
	test_enable();
	test_fixed();
	test_overlap();
	test_random();
	return unit_end();
}
