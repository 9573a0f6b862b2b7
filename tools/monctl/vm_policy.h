/* SPDX-License-Identifier: GPL-2.0-only */
/* What VM a QEMU command line describes, as the monitor needs to know it. */
#ifndef _MONCTL_VM_POLICY_H
#define _MONCTL_VM_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "uapi/hypercall.h"

#define MAX_DATA_DIRS 16

enum machine { MACHINE_PC, MACHINE_Q35, MACHINE_MICROVM };

/**
 * struct vm_description - filled in by vm_describe()
 * @ram: bytes
 * @bios: what -bios says, NULL for the machine's own
 * @firmware: the file that QEMU will load
 * @policy: what follows from all that
 */
struct vm_description {
	enum machine machine;
	uint64_t ram;
	unsigned int smp[6]; /* enum smp_key */
	bool smm_off;
	bool acpi_off;
	bool has_accel;
	char bios_name[PATH_MAX];
	const char *bios;
	const char *data_dir[MAX_DATA_DIRS];
	unsigned int nr_data_dirs;
	char firmware[PATH_MAX];
	uint64_t firmware_size;
	unsigned int vcpus;
	struct mon_vm_policy policy;
};

/**
 * vm_describe() - read a QEMU command line as QEMU does
 * @argv: from the program's name on
 *
 * False: it describes something that cannot be a confidential VM, or is not
 * understood; what and why is on standard error.
 */
bool vm_describe(int argc, char **argv, struct vm_description *vm);

#define MEASUREMENT_SIZE 32

/** vm_measure() - the launch measurement the monitor will make; false: see standard error */
bool vm_measure(const struct vm_description *vm, unsigned char digest[MEASUREMENT_SIZE]);

#endif /* _MONCTL_VM_POLICY_H */
