/* SPDX-License-Identifier: GPL-2.0-only */
/* Hypercalls that only an image for fuzzing has, far behind the last one of uapi/hypercall.h. */
#ifndef _FUZZ_IMAGE_H
#define _FUZZ_IMAGE_H

#define FUZZ_HC 0x46555a00U

enum fuzz_hypercall {
	FUZZ_HC_BEGIN = FUZZ_HC, /* what this CPU does in root mode from now on counts */
	FUZZ_HC_END,		 /* returns how much of that was never done before */
	FUZZ_HC_POINTS,		 /* (pa, page): of the points that were reached, a bit each */
	FUZZ_HC_COMPARED,	 /* (pa of struct fuzz_pair[FUZZ_PAIRS]): what was compared */
	FUZZ_HC_CHECK,		 /* all invariants; the image stops at one that is broken */
	FUZZ_HC_LIMIT,
};

/* A point is the address that a call of the compiler's returns to, less MON_VA_IMAGE. */
#define FUZZ_POINTS (1U << 19)
#define FUZZ_POINTS_PAGES (FUZZ_POINTS / 8 / 4096)

#define FUZZ_PAIRS 256

/* Two numbers that the image has found to differ; the first is a constant, if one of them is. */
struct fuzz_pair {
	unsigned long long a, b;
};

#endif /* _FUZZ_IMAGE_H */
