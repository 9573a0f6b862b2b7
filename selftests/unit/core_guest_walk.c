// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/guest_walk.c */
/*
 * The walk of a guest's page tables: tables made by hand for every paging mode
 * and every kind of fault, and random ones against a second implementation.
 */
#include "core/guest_walk.h"
#include "unit.h"

#define P 1ULL
#define W 2ULL
#define U 4ULL
#define PS 0x80ULL
#define NX BIT(63)
#define PWU (P | W | U)
#define KEY(n) ((u64)(n) << 59)

/* ---- guest memory: tables only ------------------------------------------ */

#define MEM_SIZE 0x8000ULL

static u8 memory[MEM_SIZE] __attribute__((__aligned__(8)));
static u32 reads;
static bool reads_good;

static u64 peek(u64 gpa, u32 size)
{
	u64 value = 0;

	memcpy(&value, memory + gpa, size);
	return value;
}

static void poke(u64 gpa, u64 value, u32 size)
{
	memcpy(memory + gpa, &value, size);
}

/* @ctx is the entry size that is due. */
static bool read_entry(void *ctx, u64 gpa, u64 *entry, u32 size)
{
	reads++;
	reads_good &= size == *(u32 *)ctx && gpa % size == 0;
	if (gpa > MEM_SIZE - size)
		return false;
	memcpy(entry, memory + gpa, size);
	return true;
}

/* ---- by hand ------------------------------------------------------------ */

enum mode { M32, MPAE, M4, M5 };

static const u32 mode_levels[] = { 2, 2, 4, 5 };

static struct guest_paging paging_of(enum mode mode)
{
	struct guest_paging p = {
		.cr0 = CR0_PG | CR0_WP | 0x31,
		.cr3 = 0x1018,
		.cr4 = mode == M32 ? CR4_PSE : CR4_PAE,
		.efer = mode == M32 ? 0 : EFER_NXE,
		.cpl = 0,
		.maxphyaddr = 46,
		.gbpages = true,
	};

	if (mode >= M4)
		p.efer |= EFER_LMA | BIT(8);
	if (mode == M5)
		p.cr4 |= CR4_LA57;
	return p;
}

static u64 mode_la(enum mode mode)
{
	static const u64 la[] = { 0xc0dea567, 0xc0dea567, 0xffff8123c0dea567, 0xff12345fc0dea567 };

	return la[mode];
}

static u64 slot(enum mode mode, u64 la, u32 level)
{
	/* The tables of level n: at (levels + 1 - n) pages. */
	u64 table = (mode_levels[mode] + 1 - level) * 0x1000;

	if (mode == M32)
		return table + (la >> (level == 1 ? 12 : 22)) % 1024 * 4;
	return table + (la >> (12 + 9 * (level - 1))) % 512 * 8;
}

/* Map mode_la() by a leaf of @level at @addr; everything is allowed. */
static void build(enum mode mode, struct guest_paging *p, u32 level, u64 addr)
{
	u32 size = mode == M32 ? 4 : 8;

	memset(memory, 0, sizeof(memory));
	for (u32 l = mode_levels[mode]; l > level; l--)
		poke(slot(mode, mode_la(mode), l), (mode_levels[mode] + 2 - l) * 0x1000 | PWU,
		     size);
	poke(slot(mode, mode_la(mode), level), addr | PWU | (level > 1 ? PS : 0), size);
	if (mode == MPAE)
		p->pdpte[3] = 0x1000 | P;
}

struct result {
	int ret;
	u64 gpa;
	u32 error;
};

static struct result walk(const struct guest_paging *p, u64 la, u32 access)
{
	struct result r = { .gpa = ~0ULL, .error = ~0U };
	u32 size = p->cr4 & CR4_PAE ? 8 : 4;

	reads = 0;
	reads_good = true;
	r.ret = guest_walk(p, la, access, read_entry, &size, &r.gpa, &r.error);
	return r;
}

static void test_mappings(void)
{
	static const struct {
		enum mode mode;
		u32 level;
		u64 addr, gpa;
		const char *name;
	} maps[] = {
		{ M32, 1, 0x7777000, 0x7777567, "32 bit, 4 KiB" },
		{ M32, 2, 0x40000000, 0x401ea567, "32 bit, 4 MiB" },
		{ M32, 2, 0xffc00000, 0xffdea567, "32 bit, last 4 MiB" },
		{ M32, 2, 0x401f0000, 0xf8401ea567, "32 bit, PSE-36" },
		{ MPAE, 1, 0xf87777000, 0xf87777567, "PAE, 4 KiB" },
		{ MPAE, 2, 0xf80000000, 0xf801ea567, "PAE, 2 MiB" },
		{ M4, 1, 0x3fff87777000, 0x3fff87777567, "4 levels, 4 KiB" },
		{ M4, 2, 0x3fff80000000, 0x3fff801ea567, "4 levels, 2 MiB" },
		{ M4, 2, 0x3fff80001000, 0x3fff801ea567, "4 levels, 2 MiB with PAT" },
		{ M4, 3, 0x3fff80000000, 0x3fff80dea567, "4 levels, 1 GiB" },
		{ M5, 1, 0x3fff87777000, 0x3fff87777567, "5 levels, 4 KiB" },
		{ M5, 3, 0x3fff80000000, 0x3fff80dea567, "5 levels, 1 GiB" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(maps); i++) {
		struct guest_paging p = paging_of(maps[i].mode);
		struct result r;

		build(maps[i].mode, &p, maps[i].level, maps[i].addr);
		r = walk(&p, mode_la(maps[i].mode), WALK_WRITE);
		ok(r.ret == WALK_OK && r.gpa == maps[i].gpa && r.error == ~0U && reads_good &&
		   reads == mode_levels[maps[i].mode] + 1 - maps[i].level, "%s", maps[i].name);
	}
}

/* What the permission and reserved-bit cases change in the full mapping. */
struct variant {
	const char *name;
	u32 access;
	u8 cpl;
	u32 level; /* of the entry of which @flip is turned round */
	u64 flip;
	u64 cr0, cr4, efer; /* turned round as well */
	u32 pkru, pkrs;
	int ret;
	u32 error;
};

#define RD WALK_READ
#define WR WALK_WRITE
#define EX WALK_EXEC
#define SMEP CR4_SMEP
#define SMAP CR4_SMAP
#define NXE EFER_NXE
#define PKE CR4_PKE
#define PKS CR4_PKS
#define OK WALK_OK, 0
#define PF(error) WALK_FAULT, (error)

/* For 4 levels, 4 KiB. Error codes: SDM 3, 4.7. */
static const struct variant variants[] = {
	{ "absent at 4", RD, 0, 4, P, 0, 0, 0, 0, 0, PF(0) },
	{ "absent at 3", WR, 0, 3, P, 0, 0, 0, 0, 0, PF(2) },
	{ "absent at 2, user", RD, 3, 2, P, 0, 0, 0, 0, 0, PF(4) },
	{ "absent at 1, user write", WR, 3, 1, P, 0, 0, 0, 0, 0, PF(6) },
	{ "absent, fetch", EX, 0, 1, P, 0, 0, 0, 0, 0, PF(0x10) },
	{ "absent, fetch without NX and SMEP", EX, 0, 1, P, 0, 0, NXE, 0, 0, PF(0) },
	{ "absent, fetch with SMEP only", EX, 0, 1, P, 0, SMEP, NXE, 0, 0, PF(0x10) },
	{ "absent: other bits do not matter", RD, 0, 1, ~0ULL, 0, 0, 0, 0, 0, PF(0) },
	{ "address too wide at 4", RD, 0, 4, BIT(46), 0, 0, 0, 0, 0, PF(9) },
	{ "address too wide at 1", WR, 3, 1, BIT(51), 0, 0, 0, 0, 0, PF(0xf) },
	{ "widest address", RD, 0, 1, BIT(45), 0, 0, 0, 0, 0, OK },
	{ "available bits", RD, 0, 2, GENMASK(62, 52) | GENMASK(11, 9), 0, 0, 0, 0, 0, OK },
	{ "large at 4", RD, 0, 4, PS, 0, 0, 0, 0, 0, PF(9) },
	{ "PAT at 1", RD, 0, 1, PS, 0, 0, 0, 0, 0, OK },
	{ "XD without NXE", RD, 0, 3, NX, 0, 0, NXE, 0, 0, PF(9) },
	{ "XD without NXE, fetch", EX, 0, 3, NX, 0, 0, NXE, 0, 0, PF(9) },
	{ "XD, read", RD, 3, 1, NX, 0, 0, 0, 0, 0, OK },
	{ "XD at 1, fetch", EX, 0, 1, NX, 0, 0, 0, 0, 0, PF(0x11) },
	{ "XD at 4, user fetch", EX, 3, 4, NX, 0, 0, 0, 0, 0, PF(0x15) },
	{ "user page, user", WR, 3, 1, 0, 0, 0, 0, 0, 0, OK },
	{ "user page, kernel", WR, 0, 1, 0, 0, 0, 0, 0, 0, OK },
	{ "user page, cpl 2", WR, 2, 1, 0, 0, 0, 0, 0, 0, OK },
	{ "kernel page, user", RD, 3, 1, U, 0, 0, 0, 0, 0, PF(5) },
	{ "kernel table, user", WR, 3, 4, U, 0, 0, 0, 0, 0, PF(7) },
	{ "kernel page, user fetch", EX, 3, 2, U, 0, 0, 0, 0, 0, PF(0x15) },
	{ "kernel page, cpl 1", RD, 1, 1, U, 0, 0, 0, 0, 0, OK },
	{ "read-only at 1, user write", WR, 3, 1, W, 0, 0, 0, 0, 0, PF(7) },
	{ "read-only at 3, user write, no WP", WR, 3, 3, W, CR0_WP, 0, 0, 0, 0, PF(7) },
	{ "read-only, user read", RD, 3, 1, W, 0, 0, 0, 0, 0, OK },
	{ "read-only, user fetch", EX, 3, 1, W, 0, 0, 0, 0, 0, OK },
	{ "read-only, kernel write", WR, 0, 4, W, 0, 0, 0, 0, 0, PF(3) },
	{ "read-only, kernel write, no WP", WR, 0, 1, W, CR0_WP, 0, 0, 0, 0, OK },
	{ "user page, kernel fetch", EX, 0, 1, 0, 0, 0, 0, 0, 0, OK },
	{ "SMEP, user page", EX, 0, 1, 0, 0, SMEP, 0, 0, 0, PF(0x11) },
	{ "SMEP, kernel page", EX, 0, 2, U, 0, SMEP, 0, 0, 0, OK },
	{ "SMEP, user", EX, 3, 1, 0, 0, SMEP, 0, 0, 0, OK },
	{ "SMEP, read", RD, 0, 1, 0, 0, SMEP, 0, 0, 0, OK },
	{ "SMAP, read", RD, 0, 1, 0, 0, SMAP, 0, 0, 0, PF(1) },
	{ "SMAP, write", WR, 2, 1, 0, 0, SMAP, 0, 0, 0, PF(3) },
	{ "SMAP, write, no WP", WR, 0, 1, 0, CR0_WP, SMAP, 0, 0, 0, PF(3) },
	{ "SMAP, fetch", EX, 0, 1, 0, 0, SMAP, 0, 0, 0, OK },
	{ "SMAP, user", RD, 3, 1, 0, 0, SMAP, 0, 0, 0, OK },
	{ "SMAP, kernel page", WR, 0, 4, U, 0, SMAP, 0, 0, 0, OK },
	{ "key, AD, user", RD, 3, 1, KEY(5), 0, PKE, 0, 1 << 10, 0, PF(0x25) },
	{ "key, AD, kernel", RD, 0, 1, KEY(5), 0, PKE, 0, 1 << 10, 0, PF(0x21) },
	{ "key, AD, fetch", EX, 3, 1, KEY(5), 0, PKE, 0, 1 << 10, 0, OK },
	{ "key, AD, off", RD, 3, 1, KEY(5), 0, 0, 0, 1 << 10, 0, OK },
	{ "key, AD of another", RD, 3, 1, KEY(5), 0, PKE, 0, ~(3U << 10), 0, OK },
	{ "key 15, AD", RD, 3, 1, KEY(15), 0, PKE, 0, 1 << 30, 0, PF(0x25) },
	{ "key above the leaf", RD, 3, 2, KEY(5), 0, PKE, 0, 1 << 10, 0, OK },
	{ "key, WD, read", RD, 3, 1, KEY(5), 0, PKE, 0, 2 << 10, 0, OK },
	{ "key, WD, user write", WR, 3, 1, KEY(5), CR0_WP, PKE, 0, 2 << 10, 0, PF(0x27) },
	{ "key, WD, kernel write", WR, 0, 1, KEY(5), 0, PKE, 0, 2 << 10, 0, PF(0x23) },
	{ "key, WD, kernel write, no WP", WR, 0, 1, KEY(5), CR0_WP, PKE, 0, 2 << 10, 0, OK },
	{ "PKRU, kernel page", RD, 0, 1, KEY(5) | U, 0, PKE, 0, ~0U, 0, OK },
	{ "PKRS, kernel page", RD, 0, 1, KEY(5) | U, 0, PKS, 0, 0, 1 << 10, PF(0x21) },
	{ "PKRS, user page", RD, 0, 1, KEY(5), 0, PKS, 0, 0, ~0U, OK },
	{ "PKRS, WD, no WP", WR, 0, 1, KEY(5) | U, CR0_WP, PKS, 0, 0, 2 << 10, OK },
	{ "key and read-only", WR, 3, 1, KEY(5) | W, 0, PKE, 0, 1 << 10, 0, PF(0x27) },
};

static void run_variant(enum mode mode, u32 leaf, u64 addr, const struct variant *v)
{
	struct guest_paging p = paging_of(mode);
	u32 size = mode == M32 ? 4 : 8;
	struct result r;
	u64 at;

	build(mode, &p, leaf, addr);
	p.cr0 ^= v->cr0;
	p.cr4 ^= v->cr4;
	p.efer ^= v->efer;
	p.cpl = v->cpl;
	p.pkru = v->pkru;
	p.pkrs = v->pkrs;
	if (mode == MPAE && v->level == 3) {
		p.pdpte[3] ^= v->flip;
	} else {
		at = slot(mode, mode_la(mode), v->level);
		poke(at, peek(at, size) ^ v->flip, size);
	}
	r = walk(&p, mode_la(mode), v->access);
	ok(r.ret == v->ret && (r.gpa != ~0ULL) == (v->ret == WALK_OK) && reads_good &&
	   (v->ret != WALK_FAULT || r.error == v->error),
	   "%s: %d %llx", v->name, r.ret, (unsigned long long)r.error);
}

static void test_variants(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
		run_variant(M4, 1, 0x7777000, &variants[i]);
}

/* What differs in the other modes and with large pages. */
static void test_modes(void)
{
	static const struct {
		enum mode mode;
		u32 leaf;
		u64 addr;
		struct variant v;
	} cases[] = {
#define CASE(mode, leaf, addr, ...) { mode, leaf, addr, { __VA_ARGS__ } }
		CASE(M32, 1, 0x7000, "32: absent PDE", WR, 3, 2, P, 0, 0, 0, 0, 0, PF(6)),
		CASE(M32, 1, 0x7000, "32: absent PTE", RD, 0, 1, P, 0, 0, 0, 0, 0, PF(0)),
		CASE(M32, 1, 0x7000, "32: read-only PDE", WR, 0, 2, W, 0, 0, 0, 0, 0, PF(3)),
		CASE(M32, 1, 0x7000, "32: kernel PTE", RD, 3, 1, U, 0, 0, 0, 0, 0, PF(5)),
		CASE(M32, 1, 0x7000, "32: fetch, NXE is not for it", EX, 3, 1, P, 0, 0, NXE, 0, 0,
		     PF(4)),
		CASE(M32, 1, 0x7000, "32: SMEP", EX, 0, 1, 0, 0, SMEP, 0, 0, 0, PF(0x11)),
		CASE(M32, 1, 0x7000, "32: SMAP", RD, 0, 1, 0, 0, SMAP, 0, 0, 0, PF(1)),
		CASE(M32, 1, 0x7000, "32: no keys", RD, 3, 1, 0, 0, PKE, 0, ~0U, 0, OK),
		CASE(M32, 1, 0x7000, "32: PS in a PTE is PAT", RD, 3, 1, PS, 0, 0, 0, 0, 0, OK),
		CASE(M32, 2, 0x400000, "32: 4 MiB, bit 21", RD, 0, 2, BIT(21), 0, 0, 0, 0, 0,
		     PF(9)),
		CASE(M32, 2, 0x400000, "32: 4 MiB, PAT", RD, 0, 2, BIT(12), 0, 0, 0, 0, 0, OK),
		CASE(M32, 2, 0x400000, "32: 4 MiB, read-only", WR, 3, 2, W, 0, 0, 0, 0, 0, PF(7)),
		CASE(MPAE, 1, 0x7000, "PAE: absent PDPTE", WR, 3, 3, P, 0, 0, 0, 0, 0, PF(6)),
		CASE(MPAE, 1, 0x7000, "PAE: PDPTE grants all", WR, 3, 3, 0, 0, 0, 0, 0, 0, OK),
		CASE(MPAE, 1, 0x7000, "PAE: absent PDE", RD, 0, 2, P, 0, 0, 0, 0, 0, PF(0)),
		CASE(MPAE, 1, 0x7000, "PAE: bit 52", RD, 0, 2, BIT(52), 0, 0, 0, 0, 0, PF(9)),
		CASE(MPAE, 1, 0x7000, "PAE: bit 62", RD, 0, 1, BIT(62), 0, 0, 0, 0, 0, PF(9)),
		CASE(MPAE, 1, 0x7000, "PAE: address too wide", RD, 0, 1, BIT(46), 0, 0, 0, 0, 0,
		     PF(9)),
		CASE(MPAE, 1, 0x7000, "PAE: XD", EX, 3, 2, NX, 0, 0, 0, 0, 0, PF(0x15)),
		CASE(MPAE, 1, 0x7000, "PAE: XD without NXE", RD, 0, 2, NX, 0, 0, NXE, 0, 0, PF(9)),
		CASE(MPAE, 2, 0x200000, "PAE: 2 MiB, bit 13", RD, 0, 2, BIT(13), 0, 0, 0, 0, 0,
		     PF(9)),
		CASE(MPAE, 2, 0x200000, "PAE: 2 MiB without PSE", RD, 0, 2, 0, 0, 0, 0, 0, 0, OK),
		CASE(M4, 2, 0x200000, "4: 2 MiB, bit 20", RD, 0, 2, BIT(20), 0, 0, 0, 0, 0, PF(9)),
		CASE(M4, 2, 0x200000, "4: 2 MiB, bit 21", RD, 0, 2, BIT(21), 0, 0, 0, 0, 0, OK),
		CASE(M4, 3, 0, "4: 1 GiB, bit 29", RD, 0, 3, BIT(29), 0, 0, 0, 0, 0, PF(9)),
		CASE(M4, 3, 0, "4: 1 GiB, key", RD, 3, 3, KEY(1), 0, PKE, 0, 4, 0, PF(0x25)),
		CASE(M5, 1, 0x7000, "5: absent at 5", RD, 3, 5, P, 0, 0, 0, 0, 0, PF(4)),
		CASE(M5, 1, 0x7000, "5: large at 5", RD, 0, 5, PS, 0, 0, 0, 0, 0, PF(9)),
		CASE(M5, 1, 0x7000, "5: large at 4", RD, 0, 4, PS, 0, 0, 0, 0, 0, PF(9)),
		CASE(M5, 1, 0x7000, "5: kernel at 5", RD, 3, 5, U, 0, 0, 0, 0, 0, PF(5)),
		CASE(M5, 1, 0x7000, "5: XD at 5", EX, 0, 5, NX, 0, 0, 0, 0, 0, PF(0x11)),
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		run_variant(cases[i].mode, cases[i].leaf, cases[i].addr, &cases[i].v);
}

static void test_special(void)
{
	struct guest_paging p = paging_of(M4);
	struct result r;

	build(M4, &p, 1, 0x7000);
	ok(walk(&p, BIT(47), RD).ret == WALK_ENONCANONICAL && !reads, "beyond 47 bits");
	ok(walk(&p, ~0ULL << 47, RD).ret == WALK_FAULT, "first of the upper half");
	p.cr3 = MEM_SIZE;
	r = walk(&p, mode_la(M4), RD);
	ok(r.ret == WALK_EREAD && r.gpa == ~0ULL && r.error == ~0U, "table outside memory");
	p.cr3 = 0x1000 | BIT(63) | 0xfff;
	ok(walk(&p, mode_la(M4), RD).ret == WALK_OK, "CR3: flags and PCID are not address");
	p = paging_of(M4);
	p.cr4 |= SMAP;
	p.ac = true;
	ok(walk(&p, mode_la(M4), WR).ret == WALK_OK, "SMAP: AC lets pass");
	p.cr4 |= SMEP;
	ok(walk(&p, mode_la(M4), EX).ret == WALK_FAULT, "SMEP: AC does not");
	p = paging_of(M4);
	p.maxphyaddr = 52;
	poke(slot(M4, mode_la(M4), 1), 0xfffffffffffff | PWU, 8);
	ok(walk(&p, mode_la(M4), WR).gpa == 0xffffffffff567, "52 bits of address");
	build(M4, &p, 3, 0);
	p.gbpages = false;
	ok(walk(&p, mode_la(M4), RD).error == 9, "1 GiB on a CPU without");

	p = paging_of(M5);
	build(M5, &p, 1, 0x7000);
	ok(walk(&p, BIT(56), RD).ret == WALK_ENONCANONICAL, "beyond 56 bits");
	ok(walk(&p, BIT(55), RD).ret == WALK_FAULT, "last bit of 5 levels");

	p = paging_of(M32);
	build(M32, &p, 1, 0x7000);
	ok(walk(&p, mode_la(M32) | BIT(32), RD).gpa == 0x7567, "32 bit: address is cut");
	p.cr3 |= BIT(32);
	ok(walk(&p, mode_la(M32), RD).gpa == 0x7567, "32 bit: CR3 is cut");
	p.cr0 &= ~CR0_PG;
	r = walk(&p, 0x1fffff000, WR);
	ok(r.ret == WALK_OK && r.gpa == 0xfffff000 && !reads, "no paging");
	p = paging_of(M32);
	p.cr4 = 0;
	poke(slot(M32, mode_la(M32), 2), 0x2000 | PWU | PS, 4);
	ok(walk(&p, mode_la(M32), RD).gpa == 0x7567, "PS without CR4.PSE");
	p.cr4 = CR4_PSE;
	p.maxphyaddr = 36;
	build(M32, &p, 2, 0x401e0000);
	ok(walk(&p, mode_la(M32), RD).error == 9, "PSE-36: address too wide");
	build(M32, &p, 2, 0x4001e000);
	ok(walk(&p, mode_la(M32), RD).gpa == 0xf401ea567, "PSE-36: widest address");
	p = paging_of(MPAE);
	build(MPAE, &p, 1, 0x7000);
	ok(walk(&p, mode_la(MPAE) - BIT(30), RD).error == 0 && !reads, "another PDPTE");
}

/* ---- a second implementation -------------------------------------------- */

/*
 * Written from the tables of SDM 3, 4.3 to 4.7, mode by mode, without regard
 * for length. Entries are kept in a list, and looked at when it is complete.
 */
struct naive {
	const struct guest_paging *p;
	u64 entries[5];
	u32 count;
	int ret;
	u64 gpa;
	u32 why; /* P and RSVD of the error code */
};

static bool naive_fetch(struct naive *n, u64 table, u64 index, u32 size, u64 *entry)
{
	u64 gpa = table + index * size;

	if (gpa + size > MEM_SIZE) {
		n->ret = WALK_EREAD;
		return false;
	}
	*entry = peek(gpa, size);
	n->entries[n->count++] = *entry;
	if (*entry % 2 == 0) {
		n->ret = WALK_FAULT;
		n->why = 0;
		return false;
	}
	return true;
}

static void naive_reserved(struct naive *n)
{
	n->ret = WALK_FAULT;
	n->why = 9;
}

static void naive_32(struct naive *n, u64 la)
{
	u64 pde, pte, top;

	if (!naive_fetch(n, n->p->cr3 & 0xfffff000, la >> 22, 4, &pde))
		return;
	if (pde & 0x80 && n->p->cr4 & CR4_PSE) {
		top = pde >> 13 & 0xff;
		if (pde & 0x200000 || (n->p->maxphyaddr < 40 && top >> (n->p->maxphyaddr - 32)))
			naive_reserved(n);
		else
			n->gpa = top * 0x100000000 + (pde & 0xffc00000) + la % 0x400000;
		return;
	}
	if (naive_fetch(n, pde & 0xfffff000, la / 4096 % 1024, 4, &pte))
		n->gpa = (pte & 0xfffff000) + la % 4096;
}

static bool naive_bits(const struct naive *n, u64 entry, bool pae)
{
	bool bad = entry >> 63 && !(n->p->efer & EFER_NXE);

	for (u32 bit = n->p->maxphyaddr; bit < (pae ? 63 : 52); bit++)
		bad |= entry >> bit & 1;
	return bad;
}

static void naive_64(struct naive *n, u64 la, u64 table, int level)
{
	bool pae = !(n->p->efer & EFER_LMA);
	u64 entry, page = 4096;

	for (int i = 1; i < level; i++)
		page *= 512;
	if (!naive_fetch(n, table, la / page % 512, 8, &entry))
		return;
	if (naive_bits(n, entry, pae)) {
		naive_reserved(n);
	} else if (level == 1) {
		n->gpa = (entry & 0xffffffffff000) + la % page;
	} else if (entry & 0x80) {
		if (level >= 4 || (level == 3 && !n->p->gbpages) ||
		    (entry & 0xffffffffff000) % page / 8192)
			naive_reserved(n);
		else
			n->gpa = (entry & 0xffffffffff000) / page * page + la % page;
	} else {
		naive_64(n, la, entry & 0xffffffffff000, level - 1);
	}
}

/* 4.6.1, sentence by sentence. */
static bool naive_allowed(const struct naive *n, u32 access, bool user_page, bool writable, bool xd)
{
	const struct guest_paging *p = n->p;

	if (p->cpl < 3) {
		if (access == WALK_READ)
			return !user_page || !(p->cr4 & SMAP) || p->ac;
		if (access == WALK_WRITE) {
			if (!(p->cr0 & CR0_WP))
				return !user_page || !(p->cr4 & SMAP) || p->ac;
			if (!user_page)
				return writable;
			return writable && (!(p->cr4 & SMAP) || p->ac);
		}
		if (!user_page)
			return !xd;
		return !(p->cr4 & SMEP) && !xd;
	}
	if (!user_page)
		return false;
	return access == WALK_READ || (access == WALK_WRITE ? writable : !xd);
}

static bool naive_key(const struct naive *n, u32 access, bool user_page)
{
	u32 key = n->entries[n->count - 1] >> 59 & 15;
	u32 ad, wd;

	if (access == WALK_EXEC || !(n->p->efer & EFER_LMA))
		return false;
	if (user_page ? !(n->p->cr4 & PKE) : !(n->p->cr4 & PKS))
		return false;
	ad = (user_page ? n->p->pkru : n->p->pkrs) >> 2 * key & 1;
	wd = (user_page ? n->p->pkru : n->p->pkrs) >> (2 * key + 1) & 1;
	if (ad)
		return true;
	if (!wd || access != WALK_WRITE)
		return false;
	return n->p->cr0 & CR0_WP || (user_page && n->p->cpl == 3);
}

static struct result naive_walk(const struct guest_paging *p, u64 la, u32 access)
{
	struct naive n = { .p = p, .ret = WALK_OK };
	bool user_page = true, writable = true, xd = false;
	u32 error = (access == WALK_WRITE) * 2 + (p->cpl == 3) * 4;
	bool key;

	if (!(p->efer & EFER_LMA))
		la &= 0xffffffff;
	if (!(p->cr0 & CR0_PG))
		return (struct result){ WALK_OK, la, ~0U };
	if (access == WALK_EXEC && (p->cr4 & SMEP || (p->cr4 & CR4_PAE && p->efer & NXE)))
		error += 0x10;

	if (p->efer & EFER_LMA) {
		u64 high = la >> (p->cr4 & CR4_LA57 ? 56 : 47);

		if (high && high != (p->cr4 & CR4_LA57 ? 0xff : 0x1ffff))
			return (struct result){ WALK_ENONCANONICAL, ~0ULL, ~0U };
		naive_64(&n, la, p->cr3 & 0xffffffffff000, p->cr4 & CR4_LA57 ? 5 : 4);
	} else if (!(p->cr4 & CR4_PAE)) {
		naive_32(&n, la);
	} else if (p->pdpte[la >> 30] & 1) {
		naive_64(&n, la, p->pdpte[la >> 30] & 0xffffffffff000, 2);
	} else {
		n.ret = WALK_FAULT;
	}
	if (n.ret == WALK_EREAD)
		return (struct result){ WALK_EREAD, ~0ULL, ~0U };
	if (n.ret == WALK_FAULT)
		return (struct result){ WALK_FAULT, ~0ULL, error + n.why };

	for (u32 i = 0; i < n.count; i++) {
		user_page &= n.entries[i] >> 2 & 1;
		writable &= n.entries[i] >> 1 & 1;
		xd |= n.entries[i] >> 63;
	}
	key = naive_key(&n, access, user_page);
	if (key || !naive_allowed(&n, access, user_page, writable, xd))
		return (struct result){ WALK_FAULT, ~0ULL, error + 1 + key * 0x20 };
	return (struct result){ WALK_OK, n.gpa, ~0U };
}

/* ---- random ------------------------------------------------------------- */

static bool chance(u32 percent)
{
	return unit_random() % 100 < percent;
}

/* Mostly what leads further down: tables in memory, few oddities. */
static u64 random_entry(u32 maxphyaddr)
{
	u64 entry = unit_random() % 8 * 0x1000;

	entry |= (chance(95) ? P : 0) | (chance(85) ? W : 0) | (chance(80) ? U : 0);
	if (chance(20))
		entry |= PS | (unit_random() & GENMASK(maxphyaddr - 1, 30));
	if (chance(10))
		entry |= unit_random() & GENMASK(31, 12);
	if (chance(10))
		entry |= unit_random() & 0xf78;
	if (chance(8))
		entry |= NX;
	if (chance(15))
		entry |= unit_random() & GENMASK(62, 52);
	if (chance(3))
		entry |= BIT(unit_random() % 64);
	return entry;
}

static void random_memory(u32 maxphyaddr, u32 size)
{
	for (u64 gpa = 0; gpa < MEM_SIZE; gpa += size)
		poke(gpa, random_entry(maxphyaddr), size);
}

static struct guest_paging random_paging(enum mode mode, u32 maxphyaddr)
{
	struct guest_paging p = paging_of(mode);

	p.cr3 = unit_random() % 8 * 0x1000 + unit_random() % 0x1000;
	p.cr0 ^= chance(2) && mode < M4 ? CR0_PG : 0;
	p.cr0 ^= chance(30) ? CR0_WP : 0;
	p.cr4 ^= unit_random() & (SMEP | SMAP | PKE | PKS) & -(u64)chance(70);
	p.cr4 ^= chance(30) ? CR4_PSE : 0;
	p.efer ^= chance(30) ? NXE : 0;
	p.cpl = chance(50) ? 3 : unit_random() % 3;
	p.ac = chance(50);
	p.maxphyaddr = maxphyaddr;
	p.gbpages = chance(80);
	p.pkru = unit_random() & unit_random();
	p.pkrs = unit_random() & unit_random();
	for (u32 i = 0; i < 4; i++)
		p.pdpte[i] = unit_random() % 8 * 0x1000 | chance(90) | (unit_random() & 0xe18);
	return p;
}

static u64 random_la(enum mode mode)
{
	u64 la = unit_random();

	if (mode < M4)
		return chance(90) ? (u32)la : la;
	if (chance(3))
		return la;
	la >>= mode == M5 ? 7 : 16;
	return chance(50) ? la >> 1 : ~(la >> 1);
}

static void explain(const struct guest_paging *p, u64 la, u32 access, const struct result *r,
		    const struct result *n)
{
	printf("# cr0 %llx cr3 %llx cr4 %llx efer %llx cpl %u la %llx access %u\n",
	       (unsigned long long)p->cr0, (unsigned long long)p->cr3, (unsigned long long)p->cr4,
	       (unsigned long long)p->efer, p->cpl, (unsigned long long)la, access);
	printf("# walk %d %llx %x, expected %d %llx %x\n", r->ret, (unsigned long long)r->gpa,
	       r->error, n->ret, (unsigned long long)n->gpa, n->error);
}

static void test_random(void)
{
	u32 bad = 0, mapped[4] = { 0 }, faults[64] = { 0 }, kinds = 0;

	for (u32 i = 0; i < 2000000 && bad < 10; i++) {
		enum mode mode = i / 4096 % 4;
		u32 maxphyaddr = 32 + i / 16384 % 21;
		struct guest_paging p = random_paging(mode, maxphyaddr);
		u64 la = random_la(mode);
		u32 access = unit_random() % 3;
		struct result r, n;

		if (i % 4096 == 0)
			random_memory(maxphyaddr, mode == M32 ? 4 : 8);
		r = walk(&p, la, access);
		n = naive_walk(&p, la, access);
		if (r.ret != n.ret || r.gpa != n.gpa || r.error != n.error || !reads_good ||
		    reads > 5) {
			explain(&p, la, access, &r, &n);
			bad++;
		}
		mapped[mode] += n.ret == WALK_OK;
		if (n.ret == WALK_FAULT)
			faults[n.error & 63]++;
	}
	for (u32 i = 0; i < 64; i++)
		kinds += faults[i] > 10;
	for (u32 i = 0; i < 4; i++)
		ok(mapped[i] > 10000, "mode %u: %u random walks succeed", i, mapped[i]);
	/* Read, write, fetch by user and kernel, for each of three reasons; no fetch by key. */
	ok(!bad && kinds == 3 * 6 + 4, "random walks agree: %u bad, %u error codes", bad, kinds);
}

int main(void)
{
	test_mappings();
	test_variants();
	test_modes();
	test_special();
	test_random();
	return unit_end();
}
