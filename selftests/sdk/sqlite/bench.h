/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _BENCH_H
#define _BENCH_H

#include "mon_interface.h"

/* One of the workload's, in an enclave; 0, or an error of SQLite's. */
MON_ECALL(int, bench, unsigned int step);

#endif /* _BENCH_H */
