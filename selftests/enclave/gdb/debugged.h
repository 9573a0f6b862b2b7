/* SPDX-License-Identifier: GPL-2.0-only */
/* For gdb.test, and selftests/sdk/gdb.test. */
#ifndef _DEBUGGED_H
#define _DEBUGGED_H

#include "mon_interface.h"

/* Waits for the process, in a function of its own; then twice @step, and what is on the shelf. */
MON_ECALL(int, work, int step);
/* Does not end before a debugger says so, by what it then returns. */
MON_ECALL(int, turn);
/* It is on its way. */
MON_ECALL(int, turns);
/* Writes to address 8. */
MON_ECALL(int, crash, int value);

MON_OCALL(int, waits);

#endif /* _DEBUGGED_H */
