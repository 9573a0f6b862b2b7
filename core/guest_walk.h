/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Translation of a guest's linear addresses through the guest's own page
 * tables (SDM 3, chapter 4), as an access by the guest would do it.
 *
 * The tables are read through a callback, each entry once, and nothing is
 * written: accessed and dirty flags stay as they are. Not known here, so to be
 * hidden from the guest: LAM, LASS, and shadow-stack accesses.
 */
#ifndef _CORE_GUEST_WALK_H
#define _CORE_GUEST_WALK_H

#include "../npt/shim.h"

#define CR0_WP BIT(16)
#define CR0_PG BIT(31)
#define CR4_PSE BIT(4)
#define CR4_PAE BIT(5)
#define CR4_LA57 BIT(12)
#define CR4_SMEP BIT(20)
#define CR4_SMAP BIT(21)
#define CR4_PKE BIT(22)
#define CR4_PKS BIT(24)
#define EFER_LMA BIT(10)
#define EFER_NXE BIT(11)

/* Page-fault error code, SDM 3, 4.7. */
#define PF_PRESENT BIT(0)
#define PF_WRITE BIT(1)
#define PF_USER BIT(2)
#define PF_RSVD BIT(3)
#define PF_INSTR BIT(4)
#define PF_PKEY BIT(5)

/**
 * enum walk_access - what the guest is about to do; WALK_WRITE includes reading
 */
enum walk_access { WALK_READ, WALK_WRITE, WALK_EXEC };

enum walk_result {
	WALK_OK = 0,
	WALK_FAULT,	   /* #PF with the error code given, CR2 is the linear address */
	WALK_ENONCANONICAL, /* #GP, or #SS if the segment is SS */
	WALK_EREAD,	   /* the callback could not read a table */
};

/**
 * struct guest_paging - what decides a translation
 * @cr0, @cr3, @cr4, @efer: as the guest sees them
 * @pdpte: the PDPTE registers, that is the VMCS fields; with PAE paging only
 * @cpl: of the access
 * @ac: RFLAGS.AC, which lets the kernel pass SMAP
 * @maxphyaddr: width of the guest's physical addresses, 32 to 52
 * @gbpages: the guest's CPU has 1 GiB pages
 * @pkru: PKRU, needed with CR4.PKE
 * @pkrs: IA32_PKRS, needed with CR4.PKS
 */
struct guest_paging {
	u64 cr0;
	u64 cr3;
	u64 cr4;
	u64 efer;
	u64 pdpte[4];
	u8 cpl;
	bool ac;
	u8 maxphyaddr;
	bool gbpages;
	u32 pkru;
	u32 pkrs;
};

/**
 * typedef walk_read_fn - fetch one entry of a table
 * @gpa: its guest-physical address, a multiple of @size
 * @size: 4 or 8
 *
 * Must read @size bytes at once, since another vCPU may be writing them.
 * Return: false if that address is not the guest's memory.
 */
typedef bool (*walk_read_fn)(void *ctx, u64 gpa, u64 *entry, u32 size);

/**
 * guest_walk() - translate @la
 * @la: cut to 32 bits unless the guest is in IA-32e mode
 * @access: enum walk_access
 * @gpa: out, with WALK_OK
 * @pf_error: out, with WALK_FAULT
 *
 * At most five calls of @read. Good for the bytes up to the end of @la's 4 KiB
 * page.
 */
int __must_check guest_walk(const struct guest_paging *paging, u64 la, u32 access,
			    walk_read_fn read, void *ctx, u64 *gpa, u32 *pf_error);

#endif /* _CORE_GUEST_WALK_H */
