/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Random numbers of a test are the bytes of a fuzzer: the same driver, the same
 * checks, but an engine that looks for what has not been done yet. And what
 * fails stops with a trace instead of a test point.
 */
#ifndef _FUZZ_H
#define _FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const uint8_t *fuzz_data;
static size_t fuzz_left;

/* Eight bytes, or zeros once there are no more. */
__attribute__((__unused__))
static uint64_t fuzz_word(void)
{
	uint64_t word = 0;
	size_t n = fuzz_left < sizeof(word) ? fuzz_left : sizeof(word);

	memcpy(&word, fuzz_data, n);
	fuzz_data += n;
	fuzz_left -= n;
	return word;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#include "selftests/unit/unit.h"

#define unit_random fuzz_word
#define exit(status) abort()

#endif /* _FUZZ_H */
