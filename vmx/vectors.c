// SPDX-License-Identifier: GPL-2.0-only
/* The registers that core/gcm.c uses are the host's, or a guest's: put away around it. */
#include "switch.h"

#define EACH_XMM(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7) X(8) X(9) X(10) X(11) X(12) X(13) \
	X(14) X(15)

void vectors_save(struct vectors *v)
{
#define SAVE(n) asm volatile("movups %%xmm" #n ", %0" : "=m"(v->xmm[n]));
	EACH_XMM(SAVE)
#undef SAVE
}

void vectors_load(const struct vectors *v)
{
#define LOAD(n) asm volatile("movups %0, %%xmm" #n : : "m"(v->xmm[n]));
	EACH_XMM(LOAD)
#undef LOAD
}
