/* SPDX-License-Identifier: GPL-2.0-only */
/* What tamper.c and its guest have to agree on. */
#ifndef SELFTESTS_VM_TAMPER_H
#define SELFTESTS_VM_TAMPER_H

#define TAMPER_SECRET 0x5ec2e7a5
#define TAMPER_MEMORY 0x300000

/* Bits of what has changed. */
#define TAMPER_REGS 1
#define TAMPER_RAM 2
#define TAMPER_SREGS 4
#define TAMPER_DEBUG 8
#define TAMPER_FPU 16
#define TAMPER_MSR 32

#endif
