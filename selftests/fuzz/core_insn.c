// SPDX-License-Identifier: GPL-2.0-only
/* needs: core/insn.c */
/*
 * The instruction decoder: the bytes are an instruction and what the registers
 * hold. It never looks beyond them, answers alike with less behind them, and
 * says of every part of an instruction that it is too short.
 */
#define _GNU_SOURCE
#include <asm/prctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include "fuzz.h"
#define main insn_main
#include "selftests/unit/core_insn.c"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t size)
{
	struct mmio_insn insn, again;
	struct insn_ctx ctx;
	u64 value, rflags;
	u32 len, cut;
	u8 *bytes;

	if (size < 2)
		return 0;
	ctx = fill_ctx(input[0] % 3);
	len = size - 1 < 18 ? size - 1 : 18;
	fuzz_data = input + 1 + len;
	fuzz_left = size - 1 - len;
	if (fuzz_left)
		for (cut = 0; cut < INSN_NR_REGS; cut++)
			ctx.regs[cut] ^= fuzz_word();
	bytes = malloc(len); /* ASan stands behind its end */
	memcpy(bytes, input + 1, len);
	if (!insn_decode_mmio(bytes, len, &ctx, &insn)) {
		check(sane(&insn, len));
		for (cut = 0; cut < insn.length; cut++)
			check(insn_decode_mmio(bytes, cut, &ctx, &again) == INSN_ESHORT);
		check(!insn_decode_mmio(bytes, insn.length, &ctx, &again));
		check(same_insn(&insn, &again));
		rflags = fuzz_word();
		mmio_insn_complete(&insn, fuzz_word(), ctx.regs, &rflags, &value);
	}
	free(bytes);
	return 0;
}
