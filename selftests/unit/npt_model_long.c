// SPDX-License-Identifier: GPL-2.0-only
/* needs: npt/frame.c npt/epoch.c npt/pgtable.c npt/mtrr.c npt/host.c npt/vm.c npt/lend.c */
/* includes: selftests/unit/npt_model.c selftests/proof/invariants.c npt/compose.c npt/share.c */
/* cflags: -DNPT_INDEX_BITS=2 -fno-sanitize=all -O3 -flto */
/* npt_model.c for four million operations, without the sanitizers that watch over the short one. */
#define STEPS 4000000ULL
#include "npt_model.c"
