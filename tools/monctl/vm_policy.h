/* SPDX-License-Identifier: GPL-2.0-only */
/* What VM a QEMU command line describes, as the monitor needs to know it. */
#ifndef _MONCTL_VM_POLICY_H
#define _MONCTL_VM_POLICY_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include "uapi/hypercall.h"

#define MAX_DATA_DIRS 16
#define MAX_QEMU_DEVICES 128
#define PIECE_MAX PATH_MAX

enum machine { MACHINE_PC, MACHINE_Q35, MACHINE_MICROVM };

/**
 * struct qemu_device - one "-device", as far as it matters here; what is not given is empty
 * @mq: it has several queue pairs
 * @unfit: a property of it with which the monitor cannot be its driver, or NULL
 */
struct qemu_device {
	char driver[64];
	char id[128];
	char addr[16];
	char bus[128];
	bool mq;
	const char *unfit;
};

/**
 * struct vm_description - filled in by vm_describe()
 * @ram: bytes
 * @bios: what -bios says, NULL for the machine's own
 * @firmware: the file that QEMU will load
 * @mmio_modern: its virtio-mmio devices are of virtio 1.0
 * @one_ioapic: of microvm, which has two if nothing else is said
 * @policy: what follows from all that
 */
struct vm_description {
	enum machine machine;
	uint64_t ram;
	unsigned int smp[6]; /* enum smp_key */
	bool smm_off;
	bool acpi_off;
	bool has_accel;
	bool mmio_modern;
	bool one_ioapic;
	char bios_name[PATH_MAX];
	const char *bios;
	const char *data_dir[MAX_DATA_DIRS];
	unsigned int nr_data_dirs;
	char firmware[PATH_MAX];
	uint64_t firmware_size;
	unsigned int vcpus;
	struct qemu_device qemu_device[MAX_QEMU_DEVICES];
	unsigned int nr_qemu_devices;
	struct mon_vm_policy policy;
};

/** struct pair - a piece of an option's argument */
struct pair {
	char text[PIECE_MAX];
	const char *key, *value;
};

/** next_pair() - the next "key=value"; @implied is the key of a first piece without "=" */
bool next_pair(const char **at, const char *implied, struct pair *pair);

/** parse_device() - the argument of a "-device"; false: see standard error */
bool parse_device(struct vm_description *vm, const char *argument);

/** parse_global() - the argument of a "-global" */
bool parse_global(struct vm_description *vm, const char *argument);

/** struct carried - a device of QEMU's whose data the monitor is to carry: by its id= */
struct carried {
	enum mon_vm_device_type type;
	const char *id;
	unsigned int pairs; /* of queues, of a network card; of a disk 1 */
	/* of a disk */
	unsigned char key[MON_VM_KEY_SIZE];
	uint64_t opened; /* so often at least */
};

/** struct carried_list - what --disk and --network say */
struct carried_list {
	struct carried device[MON_VM_MAX_DEVICES];
	unsigned int nr;
};

/**
 * carried_option() - is @argv[0] --disk ID=KEYFILE, --network ID[,queues=N] or
 *	--disk-opened ID=NUMBER?
 *
 * Return: how many arguments it takes, 0: it is none, -1: it cannot be (see standard error).
 */
int carried_option(int argc, char **argv, struct carried_list *list);

/** vm_carry() - put them into the policy; false: see standard error */
bool vm_carry(struct vm_description *vm, const struct carried_list *list);

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
