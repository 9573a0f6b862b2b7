/* SPDX-License-Identifier: GPL-2.0-only */
/* Attacks on a vCPU that runs puppet.S, by KVM's ioctls. */
#ifndef SELFTESTS_ATTACK_VCPU_H
#define SELFTESTS_ATTACK_VCPU_H

#include <stdbool.h>
#include "../share/puppet.h"

#define RAM (2UL << 20)
#define AREA 0x100000UL /* not used by the puppet */

/*
 * @prepare: before there is a guest; @go: with one that waits for a command. What it
 * prints is what came of it. @arg: for both.
 */
struct attack {
	const char *name;
	void (*prepare)(void);
	void (*go)(const struct attack *a);
	unsigned long arg, arg2;
};

extern const struct attack event_attacks[], lie_attacks[], memory_attacks[];
extern const struct attack answer_attacks[], apic_attacks[];
extern bool confidential;

void must(int result, const char *what);

/* Prints how often the guest took an interrupt at this vector, if it lives. */
void print_taken(unsigned int vector);

/* Prints a value, or that the guest is dead. */
void print_value(long value);

/* A line for testmod. */
void testmod(const char *line);

#endif
