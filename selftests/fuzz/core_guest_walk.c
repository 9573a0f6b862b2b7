// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/guest_walk.c */
/*
 * The walk of a guest's tables: the bytes are its registers and some entries,
 * and a second, naive walk has to agree.
 */
#include "fuzz.h"
#define main walk_main
#include "selftests/unit/core_guest_walk.c"

/* Mostly tables in memory; the odd bits are the engine's to find. */
static u64 fuzz_entry(u32 maxphyaddr)
{
	u64 word = fuzz_word();

	if (word >> 60 == 15)
		return word & (GENMASK(maxphyaddr - 1, 0) | NX);
	return word & (0x7fff | NX | (word >> 60 == 14 ? GENMASK(59, 30) : 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	u64 kind, la, gpa;
	struct guest_paging p;
	struct result r, n;
	u32 access, i, width;
	enum mode mode;

	fuzz_data = data;
	fuzz_left = size;
	kind = fuzz_word();
	mode = kind & 3;
	width = mode == M32 ? 4 : 8;
	p = paging_of(mode);
	p.cr3 = kind >> 8 & 0x7fff;
	p.cr0 ^= kind >> 24 & 1 ? CR0_WP : 0;
	p.cr4 ^= fuzz_word() & (SMEP | SMAP | PKE | PKS | CR4_PSE);
	p.efer ^= kind >> 25 & 1 ? NXE : 0;
	p.cpl = kind >> 26 & 3;
	p.ac = kind >> 28 & 1;
	p.maxphyaddr = 32 + (kind >> 32 & 0xff) % 21;
	p.gbpages = kind >> 29 & 1;
	p.pkru = fuzz_word();
	p.pkrs = fuzz_word();
	for (i = 0; i < 4; i++)
		p.pdpte[i] = fuzz_word() & 0x7e19;
	memset(memory, 0, sizeof(memory));
	while (fuzz_left > 16) {
		gpa = fuzz_word() % (MEM_SIZE / width) * width;
		poke(gpa, fuzz_entry(p.maxphyaddr), width);
		la = fuzz_word();
		if (mode == M4 && la >> 60)
			la = (u64)((s64)(la << 16) >> 16);
		access = kind++ % 3;
		r = walk(&p, la, access);
		n = naive_walk(&p, la, access);
		if (r.ret != n.ret || r.gpa != n.gpa || r.error != n.error || !reads_good ||
		    reads > 5)
			explain(&p, la, access, &r, &n);
		check(r.ret == n.ret && r.gpa == n.gpa && r.error == n.error);
		check(reads_good && reads <= 5);
	}
	return 0;
}
