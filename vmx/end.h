/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _VMX_END_H
#define _VMX_END_H

#include "cpu.h"

/** machine_ending - not 0: a CPU that is not it goes no further than machine_park() */
extern u32 machine_ending;

/**
 * machine_end() - park the other CPUs, leave VMX operation, wipe what domains had
 *
 * Returns on one CPU, once; what is left to it is to reset the machine or to put
 * it to sleep. It enters no guest any more.
 */
void machine_end(void);

/** machine_park() - another CPU ends the machine: this one is done */
void __noreturn machine_park(void);

#endif /* _VMX_END_H */
