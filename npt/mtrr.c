// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory types by the MTRRs (SDM 12.11). The CPU ignores them for accesses
 * that go through EPT, where the type comes from the EPT entry (SDM 29.3.7.2):
 * EPT01 has to say what they said.
 */
#include "npt.h"

#define DEF_TYPE_FIXED BIT(10)
#define DEF_TYPE_ENABLE BIT(11)
#define PHYSMASK_VALID BIT(11)
#define FIXED_END 0x100000ULL

static u32 sane(u64 type)
{
	return memtype_valid(type & 0xff) ? type & 0xff : MT_UC;
}

/* SDM 12.11.2.2: 64K ranges up to 512K, 16K up to 768K, 4K up to 1M; a byte each. */
static u32 fixed_type(const struct mtrr_state *mtrr, u64 pa)
{
	u64 i;

	if (pa < 0x80000)
		i = pa >> 16;
	else if (pa < 0xc0000)
		i = 8 + ((pa - 0x80000) >> 14);
	else
		i = 24 + ((pa - 0xc0000) >> 12);
	return sane(mtrr->fixed[i / 8] >> (i % 8 * 8));
}

/* A block below 1 MiB; one that reaches beyond it is left to smaller pages. */
static bool fixed_uniform(const struct mtrr_state *mtrr, u64 pa, u64 size, u32 *type)
{
	u64 off;

	*type = fixed_type(mtrr, pa);
	if (size > FIXED_END)
		return false;
	for (off = PAGE_SIZE; off < size; off += PAGE_SIZE) {
		if (fixed_type(mtrr, pa + off) != *type)
			return false;
	}
	return true;
}

/* SDM 12.11.4.1: UC wins, WT wins over WB; the rest is undefined, so UC. */
static u32 overlap(u32 a, u32 b)
{
	if (a == b)
		return a;
	if ((a == MT_WT && b == MT_WB) || (a == MT_WB && b == MT_WT))
		return MT_WT;
	return MT_UC;
}

/*
 * A range is the addresses whose bits under the mask equal those of the base
 * (SDM 12.11.3), not always contiguous. Mask bits inside the block mean that
 * the range changes inside it, unless a bit above it rules the block out.
 */
static bool variable_uniform(const struct mtrr_state *mtrr, u64 pa, u64 size, u32 *type)
{
	bool hit = false, uniform = true;
	u32 i, t, nr = min_u64(mtrr->nr_var, MTRR_VAR_MAX);
	u64 mask;

	*type = sane(mtrr->def_type);
	for (i = 0; i < nr; i++) {
		mask = mtrr->mask[i] & EPT_ADDR;
		if (!(mtrr->mask[i] & PHYSMASK_VALID) ||
		    ((pa ^ mtrr->base[i]) & mask & ~(size - 1)))
			continue;
		if (mask & (size - 1))
			uniform = false;
		if ((pa ^ mtrr->base[i]) & mask)
			continue;
		t = sane(mtrr->base[i]);
		*type = hit ? overlap(*type, t) : t;
		hit = true;
		/* Nothing changes the type of a block that lies in a UC range. */
		if (t == MT_UC && !(mask & (size - 1)))
			return true;
	}
	return uniform;
}

bool mtrr_type(const struct mtrr_state *mtrr, u64 pa, u64 size, u32 *type)
{
	if (!(mtrr->def_type & DEF_TYPE_ENABLE)) {
		*type = MT_UC;
		return true;
	}
	if (pa < FIXED_END && mtrr->has_fixed && (mtrr->def_type & DEF_TYPE_FIXED))
		return fixed_uniform(mtrr, pa, size, type);
	return variable_uniform(mtrr, pa, size, type);
}
