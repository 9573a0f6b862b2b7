// SPDX-License-Identifier: GPL-2.0-only
/* All of physical memory, searched for a guest's secret. */
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <asm/cpufeature.h>
#include <asm/fpu/api.h>
#include "secret.h"
#include "testmod.h"

/* In few instructions, for each one that meets a protected frame is an exit. */
static void copy_frame(void *to, const void *from, unsigned int bytes)
{
	unsigned int off;

	kernel_fpu_begin();
	if (boot_cpu_has(X86_FEATURE_AVX512F))
		for (off = 0; off < bytes; off += 64)
			asm volatile("vmovdqu64 (%0), %%zmm0\n"
				     "vmovdqu64 %%zmm0, (%1)\n"
				     : : "r"(from + off), "r"(to + off) : "memory");
	else
		for (off = 0; off < bytes; off += 16)
			asm volatile("movups (%0), %%xmm0\n"
				     "movups %%xmm0, (%1)\n"
				     : : "r"(from + off), "r"(to + off) : "memory");
	kernel_fpu_end();
}

/*
 * find N PFN COUNT [BYTES]: words of secret N in so many frames, or in the first
 * BYTES of each, a multiple of 64; how many of these are zeros throughout. The copy
 * that is searched is not searched itself.
 */
static int do_find(const struct args *a)
{
	unsigned long long inverted[SECRET_WORDS];
	u64 *copy = (u64 *)__get_free_page(GFP_KERNEL), pfn, found = 0, zeros = 0;
	unsigned int i, bytes = a->nr > 3 ? a->num[3] : PAGE_SIZE;
	int err = 0;

	if (!copy)
		return -ENOMEM;
	if (!bytes || bytes > PAGE_SIZE || bytes % 64) {
		free_page((unsigned long)copy);
		return -EINVAL;
	}
	for (i = 0; i < SECRET_WORDS; i++)
		inverted[i] = secret_inverted(a->num[0], i);
	for (pfn = a->num[1]; pfn < a->num[1] + a->num[2]; pfn++) {
		if (!pfn_valid(pfn)) {
			err = -ENXIO;
			break;
		}
		if (pfn == __pa(copy) >> PAGE_SHIFT)
			continue;
		copy_frame(copy, __va(pfn << PAGE_SHIFT), bytes);
		if (memchr_inv(copy, 0, bytes))
			found += secret_count(copy, bytes / sizeof(u64), inverted);
		else
			zeros++;
		cond_resched();
	}
	memset(copy, 0, PAGE_SIZE);
	free_page((unsigned long)copy);
	say("found %llu zeros %llu\n", found, zeros);
	return err;
}

const struct command search_commands[] = {
	{ "find", 3, do_find },
	{},
};
