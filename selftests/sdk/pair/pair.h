/* SPDX-License-Identifier: GPL-2.0-only */
/* Two processes with this enclave each: 0 or more, or the monitor's errors. */
#ifndef _PAIR_H
#define _PAIR_H

#include "mon_interface.h"

#define TEXT_MAX 100

/* A page with the text, for another enclave of this measurement: the ID. */
MON_ECALL(long, give, MON_STRING(text, TEXT_MAX));
/* The page of such a share, from now on in the window. */
MON_ECALL(long, take, uint64_t id);
/* What is there: of the page given, or, from the window, of the one taken. */
MON_ECALL(long, look, int window, MON_OUT(char *, text, TEXT_MAX));
/* The text is written to the page taken. */
MON_ECALL(long, answer, MON_STRING(text, TEXT_MAX));
MON_ECALL(long, over, uint64_t id);

#endif /* _PAIR_H */
