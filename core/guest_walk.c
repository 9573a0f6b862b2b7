// SPDX-License-Identifier: GPL-2.0-only
/*
 * Walk of a guest's page tables. Numbers are of SDM 3, chapter 4.
 */
#include "guest_walk.h"

#define PTE_PRESENT BIT(0)
#define PTE_WRITE BIT(1)
#define PTE_USER BIT(2)
#define PTE_LARGE BIT(7)
#define PTE_PKEY_SHIFT 59
#define PTE_NX BIT(63)
#define PTE_ADDR GENMASK(51, 12)

/* PSE-36: bits 20:13 of a PDE for 4 MiB are bits 39:32 of the address (4.3). */
#define PDE36_HIGH GENMASK(20, 13)
#define PDE36_SHIFT 19

/**
 * struct walk - a translation under way
 * @paging: the guest's registers
 * @access: enum walk_access
 * @levels: of tables to walk
 * @index_bits: of the linear address that a level takes: 9, with 32-bit paging 10
 * @entry_size: in bytes: 8, with 32-bit paging 4
 * @reserved: bits that must be clear in every entry
 * @table: address of the first table
 * @allowed: PTE_WRITE and PTE_USER, while every entry so far had them
 * @nx: PTE_NX, once an entry had it
 * @leaf: the entry that maps
 * @gpa: what it maps the address to
 */
struct walk {
	const struct guest_paging *paging;
	u32 access;
	u32 levels;
	u32 index_bits;
	u32 entry_size;
	u64 reserved;
	u64 table;
	u64 allowed;
	u64 nx;
	u64 leaf;
	u64 gpa;
};

static u32 level_shift(const struct walk *w, u32 level)
{
	return PAGE_SHIFT + w->index_bits * (level - 1);
}

static bool canonical(u64 la, u32 bits)
{
	u32 shift = 64 - bits;

	return (u64)((s64)(la << shift) >> shift) == la;
}

/*
 * Table 4-1: which of the paging modes, and figure 4-11 what is reserved in it.
 * Returns false if not even the first table is there.
 */
static bool walk_init(struct walk *w, u64 la)
{
	const struct guest_paging *p = w->paging;

	w->allowed = PTE_WRITE | PTE_USER;
	if (!(p->cr4 & CR4_PAE)) {
		w->levels = 2;
		w->index_bits = 10;
		w->entry_size = 4;
		w->table = p->cr3 & GENMASK(31, 12);
		return true;
	}
	w->index_bits = 9;
	w->entry_size = 8;
	w->reserved = GENMASK(51, p->maxphyaddr);
	if (!(p->efer & EFER_NXE))
		w->reserved |= PTE_NX;
	if (p->efer & EFER_LMA) {
		w->levels = p->cr4 & CR4_LA57 ? 5 : 4;
		w->table = p->cr3 & PTE_ADDR;
		return true;
	}
	/* 4.4.1: PDPTEs are in registers, checked when they were loaded; they grant all. */
	w->levels = 2;
	w->reserved |= GENMASK(62, 52);
	w->table = p->pdpte[la >> 30 & 3] & PTE_ADDR;
	return p->pdpte[la >> 30 & 3] & PTE_PRESENT;
}

static bool is_leaf(const struct walk *w, u64 entry, u32 level)
{
	if (level == 1)
		return true;
	if (w->entry_size == 4 && !(w->paging->cr4 & CR4_PSE))
		return false;
	return entry & PTE_LARGE;
}

/* The frame a leaf maps. */
static u64 leaf_address(const struct walk *w, u32 level)
{
	u64 addr = w->leaf & PTE_ADDR & ~(BIT(level_shift(w, level)) - 1);

	if (w->entry_size == 4 && level == 2)
		addr |= (w->leaf & PDE36_HIGH) << PDE36_SHIFT;
	return addr;
}

static bool has_reserved(const struct walk *w, u64 entry, u32 level)
{
	u64 reserved = w->reserved;

	if (level == 1 || !is_leaf(w, entry, level))
		return entry & reserved;
	if (level > 3 || (level == 3 && !w->paging->gbpages))
		return true;
	if (w->entry_size == 4)
		/* 4.3: bit 21, and of 20:13 what is beyond the address width. */
		return entry & BIT(21) ||
		       (entry & PDE36_HIGH) << PDE36_SHIFT & ~(BIT(w->paging->maxphyaddr) - 1);
	/* Bit 12 is the PAT flag. */
	return entry & (reserved | GENMASK(level_shift(w, level) - 1, 13));
}

/* 4.6.2. The key is one of PKRU for user pages, of IA32_PKRS for others. */
static bool key_denies(const struct walk *w)
{
	const struct guest_paging *p = w->paging;
	bool user_page = w->allowed & PTE_USER;
	u32 rights, shift = (w->leaf >> PTE_PKEY_SHIFT & 15) * 2;

	if (!(p->efer & EFER_LMA) || w->access == WALK_EXEC)
		return false;
	if (!(p->cr4 & (user_page ? CR4_PKE : CR4_PKS)))
		return false;
	rights = (user_page ? p->pkru : p->pkrs) >> shift;
	if (rights & BIT(0))
		return true;
	return rights & BIT(1) && w->access == WALK_WRITE &&
	       ((user_page && p->cpl == 3) || p->cr0 & CR0_WP);
}

/* 4.6.1. Rights of all levels are in ->allowed and ->nx. */
static bool denied(const struct walk *w)
{
	const struct guest_paging *p = w->paging;
	bool user_page = w->allowed & PTE_USER;
	bool user = p->cpl == 3;

	if (user && !user_page)
		return true;
	if (w->access == WALK_EXEC)
		return w->nx || (!user && user_page && p->cr4 & CR4_SMEP);
	if (!user && user_page && p->cr4 & CR4_SMAP && !p->ac)
		return true;
	return w->access == WALK_WRITE && !(w->allowed & PTE_WRITE) &&
	       (user || p->cr0 & CR0_WP);
}

/* 4.7: what the error code says of the access, whatever the reason. */
static u32 access_error(const struct walk *w)
{
	const struct guest_paging *p = w->paging;
	u32 error = p->cpl == 3 ? PF_USER : 0;

	if (w->access == WALK_WRITE)
		error |= PF_WRITE;
	if (w->access == WALK_EXEC &&
	    (p->cr4 & CR4_SMEP || (p->cr4 & CR4_PAE && p->efer & EFER_NXE)))
		error |= PF_INSTR;
	return error;
}

/* The reasons in the error code for which a mapped address is out of reach, or 0. */
static u32 rights_error(const struct walk *w)
{
	/* 4.7: the key is reported even where something else would do to deny. */
	if (key_denies(w))
		return PF_PRESENT | PF_PKEY;
	return denied(w) ? PF_PRESENT : 0;
}

/*
 * Down to the leaf. Returns WALK_FAULT with the part of the error code that is
 * the reason: an entry that is absent, or present with reserved bits.
 */
static int walk_tables(struct walk *w, u64 la, walk_read_fn read, void *ctx, u32 *reason)
{
	for (u32 level = w->levels; level; level--) {
		u32 shift = level_shift(w, level);
		u64 index = la >> shift & (BIT(w->index_bits) - 1);
		u64 entry = 0;

		if (!read(ctx, w->table + index * w->entry_size, &entry, w->entry_size))
			return WALK_EREAD;
		*reason = 0;
		if (!(entry & PTE_PRESENT))
			return WALK_FAULT;
		*reason = PF_PRESENT | PF_RSVD;
		if (has_reserved(w, entry, level))
			return WALK_FAULT;
		w->allowed &= entry;
		w->nx |= entry & PTE_NX;
		w->leaf = entry;
		if (is_leaf(w, entry, level)) {
			w->gpa = leaf_address(w, level) | (la & (BIT(shift) - 1));
			return WALK_OK;
		}
		w->table = entry & PTE_ADDR;
	}
	return WALK_EREAD;
}

int guest_walk(const struct guest_paging *paging, u64 la, u32 access, walk_read_fn read,
	       void *ctx, u64 *gpa, u32 *pf_error)
{
	struct walk w = { .paging = paging, .access = access };
	bool long_mode = paging->efer & EFER_LMA;
	int ret = WALK_FAULT;
	u32 reason = 0;

	if (!long_mode)
		la = (u32)la;
	if (!(paging->cr0 & CR0_PG)) {
		*gpa = la;
		return WALK_OK;
	}
	if (long_mode && !canonical(la, paging->cr4 & CR4_LA57 ? 57 : 48))
		return WALK_ENONCANONICAL;

	if (walk_init(&w, la))
		ret = walk_tables(&w, la, read, ctx, &reason);
	if (ret == WALK_OK) {
		reason = rights_error(&w);
		if (reason)
			ret = WALK_FAULT;
	}
	if (ret == WALK_OK)
		*gpa = w.gpa;
	else if (ret == WALK_FAULT)
		*pf_error = access_error(&w) | reason;
	return ret;
}
