// SPDX-License-Identifier: GPL-2.0-only
/*
 * A QEMU command line, read as QEMU (7.2 and later) reads it, as far as the
 * guest's memory, firmware and vCPUs depend on it. An option that is not known
 * is refused: it could change any of them.
 *
 * Where memory lies is QEMU's hw/i386/pc_q35.c, pc_piix.c, microvm.c, and
 * x86_bios_rom_init() in x86.c. Where it would lie elsewhere after all, the
 * guest finds zeros or a device there, or its firmware measures differently:
 * the host is not trusted to have told the truth.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "monctl.h"
#include "vm_policy.h"

#define KIB 1024ULL
#define MIB (1024 * KIB)
#define GIB (1024 * MIB)
#define FIRMWARE_MAX (16 * MIB)
#define RAM_DEFAULT (128 * MIB)
#define RAM_MAX (1ULL << 45)
#define RAM_ALIGN 8192ULL /* QEMU rounds up to that */

/* ---- pieces of an option's argument: "first,key=value,key=va,,lue" ---- */

/* Copies the next piece, with ",," as a comma in it; false at the end. */
static bool next_piece(const char **at, char piece[PIECE_MAX])
{
	const char *p = *at;
	size_t n = 0;

	if (!*p)
		return false;
	for (; *p && n < PIECE_MAX - 1; piece[n++] = *p++) {
		if (*p != ',')
			continue;
		p++;
		if (*p != ',')
			break;
	}
	piece[n] = '\0';
	*at = p;
	return true;
}

bool next_pair(const char **at, const char *implied, struct pair *pair)
{
	char *equals;

	if (!next_piece(at, pair->text))
		return false;
	equals = strchr(pair->text, '=');
	if (equals) {
		*equals = '\0';
		pair->key = pair->text;
		pair->value = equals + 1;
	} else if (implied) {
		pair->key = implied;
		pair->value = pair->text;
	} else {
		pair->key = pair->text;
		pair->value = "on";
	}
	return true;
}

static bool is(const char *a, const char *b)
{
	return !strcmp(a, b);
}

static bool begins(const char *text, const char *with)
{
	return !strncmp(text, with, strlen(with));
}

static bool no(const char *option, const char *argument, const char *why)
{
	fail("-%s%s%s cannot be used with a confidential VM: %s", option, argument ? " " : "",
	     argument ? argument : "", why);
	return false;
}

/* ---- options with a meaning ---- */

enum smp_key { SMP_CPUS, SMP_MAXCPUS, SMP_SOCKETS, SMP_DIES, SMP_CORES, SMP_THREADS, SMP_KEYS };

static const char *const smp_keys[SMP_KEYS] = { "cpus",	 "maxcpus", "sockets",
						"dies", "cores",   "threads" };

static bool machine_type(struct vm_description *vm, const char *type)
{
	if (is(type, "q35") || begins(type, "pc-q35-"))
		vm->machine = MACHINE_Q35;
	else if (is(type, "pc") || begins(type, "pc-i440fx-"))
		vm->machine = MACHINE_PC;
	else if (is(type, "microvm"))
		vm->machine = MACHINE_MICROVM;
	else
		return no("machine", type, "the types that can be are q35, pc and microvm");
	/* before 2.0 memory was split elsewhere, and the firmware was another */
	if (begins(type, "pc-i440fx-1.") || begins(type, "pc-q35-1."))
		return no("machine", type, "it is too old: use version 2.0 or later");
	return true;
}

static bool set_accel(struct vm_description *vm, const char *option, const char *accel)
{
	if (!is(accel, "kvm"))
		return no(option, accel, "only KVM runs under the monitor: use -accel kvm");
	vm->has_accel = true;
	return true;
}

static bool set_bios(struct vm_description *vm, const char *name)
{
	if (strlen(name) >= sizeof(vm->bios_name)) {
		fail("the name of the firmware file is too long");
		return false;
	}
	strcpy(vm->bios_name, name);
	vm->bios = vm->bios_name;
	return true;
}

/* Properties of the machine that change what this program computes. */
static const char *const machine_refused[] = {
	"memory", "smp", "max-ram-below-4g", "memory-encryption", "confidential-guest-support",
	"sgx-epc", "cxl", "cxl-fmw", "nvdimm",
};

#define WHY_PFLASH \
	"its firmware has to be in one file, without variables that last: " \
	"use -bios, for UEFI with OVMF.fd, as libvirt does for <loader type='rom'>"

static bool machine_property(struct vm_description *vm, const struct pair *p)
{
	unsigned int i;

	if (is(p->key, "type"))
		return machine_type(vm, p->value);
	if (is(p->key, "accel"))
		return set_accel(vm, "machine accel", p->value);
	if (is(p->key, "firmware"))
		return set_bios(vm, p->value);
	if (is(p->key, "acpi")) {
		vm->acpi_off = is(p->value, "off");
		return true;
	}
	if (is(p->key, "ioapic2")) {
		vm->one_ioapic = is(p->value, "off");
		return true;
	}
	if (is(p->key, "smm")) {
		if (is(p->value, "on"))
			return no("machine", "smm=on",
				  "the firmware would run where it is not protected");
		vm->smm_off = is(p->value, "off");
		return true;
	}
	if (begins(p->key, "pflash"))
		return no("machine", p->key, WHY_PFLASH);
	if (is(p->key, "memory-backend")) /* its size has to be that of -m, or QEMU says no */
		return true;
	for (i = 0; i < sizeof(machine_refused) / sizeof(machine_refused[0]); i++)
		if (begins(p->key, machine_refused[i]) && !is(p->value, "off"))
			return no("machine", p->key,
				  "it changes where memory is; use -m, -smp and -bios");
	return true;
}

static bool parse_machine(struct vm_description *vm, const char *argument)
{
	struct pair p;
	const char *implied = "type";

	for (; next_pair(&argument, implied, &p); implied = NULL)
		if (!machine_property(vm, &p))
			return false;
	return true;
}

/* "256", "256M", "1G": without a unit MiB, without a fraction. */
static bool parse_size(const char *text, uint64_t *bytes)
{
	static const char units[] = "bkmgt";
	const char *unit = "m";
	char *end;

	errno = 0;
	*bytes = strtoull(text, &end, 10);
	if (!isdigit((unsigned char)*text) || errno)
		return false;
	if (*end) {
		unit = strchr(units, tolower((unsigned char)*end));
		if (!unit || end[1])
			return false;
	} else {
		unit = strchr(units, 'm');
	}
	if (*bytes > RAM_MAX >> (10 * (unit - units)))
		return false;
	*bytes <<= 10 * (unit - units);
	return true;
}

static bool parse_memory(struct vm_description *vm, const char *argument)
{
	const char *implied = "size";
	struct pair p;

	for (; next_pair(&argument, implied, &p); implied = NULL) {
		if (is(p.key, "slots") || is(p.key, "maxmem"))
			return no("m", p.key, "memory cannot be added while it runs");
		if (!is(p.key, "size") || !parse_size(p.value, &vm->ram)) {
			fail("-m %s=%s is not understood: write a whole number with M or G", p.key,
			     p.value);
			return false;
		}
	}
	if (!vm->ram)
		vm->ram = RAM_DEFAULT;
	vm->ram = (vm->ram + RAM_ALIGN - 1) & ~(RAM_ALIGN - 1);
	return true;
}

static bool parse_smp(struct vm_description *vm, const char *argument)
{
	const char *implied = "cpus";
	unsigned long n;
	struct pair p;
	unsigned int i;
	char *end;

	for (; next_pair(&argument, implied, &p); implied = NULL) {
		for (i = 0; i < SMP_KEYS && !is(p.key, smp_keys[i]); i++)
			;
		n = strtoul(p.value, &end, 10);
		if (i == SMP_KEYS || !isdigit((unsigned char)*p.value) || *end || !n || n > 1024) {
			fail("-smp %s=%s is not understood", p.key, p.value);
			return false;
		}
		vm->smp[i] = n;
	}
	return true;
}

static bool parse_bios(struct vm_description *vm, const char *argument)
{
	return set_bios(vm, argument);
}

static bool parse_data_dir(struct vm_description *vm, const char *argument)
{
	if (vm->nr_data_dirs == MAX_DATA_DIRS) {
		fail("more than %u -L folders", MAX_DATA_DIRS);
		return false;
	}
	vm->data_dir[vm->nr_data_dirs++] = argument;
	return true;
}

static bool parse_accel(struct vm_description *vm, const char *argument)
{
	struct pair p;

	return !next_pair(&argument, "accel", &p) || set_accel(vm, "accel", p.value);
}

static bool parse_enable_kvm(struct vm_description *vm, const char *argument)
{
	(void)argument;
	vm->has_accel = true;
	return true;
}

static bool parse_no_acpi(struct vm_description *vm, const char *argument)
{
	(void)argument;
	vm->acpi_off = true;
	return true;
}

static bool parse_drive(struct vm_description *vm, const char *argument)
{
	struct pair p;

	(void)vm;
	while (next_pair(&argument, NULL, &p))
		if (is(p.key, "if") && is(p.value, "pflash"))
			return no("drive", "if=pflash", WHY_PFLASH);
	return true;
}

/* ---- all options of QEMU ---- */

#define WHY_SAVED "a saved state is not what was measured"
#define WHY_NOT_KVM "only KVM runs under the monitor"

struct option {
	const char *name;
	bool has_argument;
	bool (*parse)(struct vm_description *vm, const char *argument);
	const char *why_not;
};

static const struct option options[] = {
	{ "machine", true, parse_machine, NULL },
	{ "M", true, parse_machine, NULL },
	{ "m", true, parse_memory, NULL },
	{ "smp", true, parse_smp, NULL },
	{ "bios", true, parse_bios, NULL },
	{ "L", true, parse_data_dir, NULL },
	{ "accel", true, parse_accel, NULL },
	{ "enable-kvm", false, parse_enable_kvm, NULL },
	{ "no-acpi", false, parse_no_acpi, NULL },
	{ "device", true, parse_device, NULL },
	{ "drive", true, parse_drive, NULL },
	{ "global", true, parse_global, NULL },
	{ "pflash", true, NULL, WHY_PFLASH },
	{ "incoming", true, NULL, WHY_SAVED },
	{ "loadvm", true, NULL, WHY_SAVED },
	{ "readconfig", true, NULL, "the options must all be on the command line" },
	{ "preconfig", false, NULL, "the options must all be on the command line" },
	{ "daemonize", false, NULL, "it would run in another process than the one that is armed" },
	{ "xen-attach", false, NULL, WHY_NOT_KVM },
	{ "xen-domid", true, NULL, WHY_NOT_KVM },
	{ "xen-domid-restrict", false, NULL, WHY_NOT_KVM },
	{ "icount", true, NULL, WHY_NOT_KVM },
};

/* Those that change nothing here. */
static const char *const with_argument[] = {
	"D", "acpitable", "action", "add-fd", "append", "audio", "audiodev", "blockdev", "boot",
	"cdrom", "chardev", "chroot", "compat", "cpu", "d", "debugcon", "dfilter", "display",
	"dtb", "dump-vmstate", "echr", "fda", "fdb", "fsdev", "fw_cfg", "g", "gdb",
	"hda", "hdb", "hdc", "hdd", "initrd", "iscsi", "k", "kernel", "mem-path", "mon", "monitor",
	"msg", "mtdblock", "name", "net", "netdev", "nic", "numa", "object", "option-rom",
	"overcommit", "parallel", "pidfile", "plugin", "prom-env", "qmp", "qmp-pretty",
	"qtest-log", "rotate", "rtc", "run-with", "runas", "sandbox", "sd", "seed",
	"semihosting-config", "serial", "set", "shim", "smbios", "spice", "tb-size", "tpmdev",
	"trace", "usbdevice", "uuid", "vga", "virtfs", "vnc", "watchdog-action",
};

static const char *const without_argument[] = {
	"S", "async-teardown", "audio-help", "enable-sync-profile", "full-screen", "h", "help",
	"mem-prealloc", "no-fd-bootchk", "no-hpet", "no-reboot", "no-shutdown", "no-user-config",
	"nodefaults", "nographic", "only-migratable", "s", "semihosting", "snapshot", "usb",
	"version", "win2k-hack",
};

static bool listed(const char *const *list, size_t n, const char *name)
{
	while (n--)
		if (is(list[n], name))
			return true;
	return false;
}

#define LISTED(list, name) listed(list, sizeof(list) / sizeof(*(list)), name)

static bool find_option(const char *name, struct option *found)
{
	unsigned int i;

	for (i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		*found = options[i];
		if (is(found->name, name))
			return true;
	}
	*found = (struct option){ .name = name, .has_argument = LISTED(with_argument, name) };
	return found->has_argument || LISTED(without_argument, name);
}

/* What is no option is a disk image. */
static bool parse_all(int argc, char **argv, struct vm_description *vm)
{
	struct option o;
	const char *name;
	int i;

	for (i = 1; i < argc; i++) {
		if (argv[i][0] != '-' || !argv[i][1])
			continue;
		name = argv[i] + (argv[i][1] == '-' ? 2 : 1);
		if (!find_option(name, &o)) {
			fail("this program does not know QEMU's option '%s', "
			     "so it cannot tell what VM comes of it", argv[i]);
			return false;
		}
		if (o.has_argument && ++i == argc) {
			fail("QEMU's option '%s' needs an argument", argv[i - 1]);
			return false;
		}
		if (o.why_not)
			return no(o.name, o.has_argument ? argv[i] : NULL, o.why_not);
		if (o.parse && !o.parse(vm, o.has_argument ? argv[i] : NULL))
			return false;
	}
	return true;
}

/* ---- firmware ---- */

static const char *const data_dirs[] = { "/usr/share/qemu", "/usr/share/seabios" };

static bool try_firmware(struct vm_description *vm, const char *folder, const char *name)
{
	int n = snprintf(vm->firmware, sizeof(vm->firmware), "%s%s%s", folder, *folder ? "/" : "",
			 name);

	return n > 0 && (size_t)n < sizeof(vm->firmware) && !access(vm->firmware, R_OK);
}

/* As QEMU: the name as it is, then in the folders of -L, then in its own. */
static bool find_firmware(struct vm_description *vm, const char *name)
{
	unsigned int i;

	if (try_firmware(vm, "", name))
		return true;
	for (i = 0; i < vm->nr_data_dirs; i++)
		if (try_firmware(vm, vm->data_dir[i], name))
			return true;
	for (i = 0; i < sizeof(data_dirs) / sizeof(data_dirs[0]); i++)
		if (try_firmware(vm, data_dirs[i], name))
			return true;
	return false;
}

/*
 * OVMF_CODE.fd and the like, which begin with code, as their volume's GUID says (UEFI PI 1.7, 3,
 * 3.2.1.1). Where its variables would be then is no memory, so they would be what the host says.
 */
static bool is_code_only(const char *path)
{
	static const unsigned char code[16] = { 0x78, 0xe5, 0x8c, 0x8c, 0x3d, 0x8a, 0x1c, 0x4f,
						0x99, 0x35, 0x89, 0x61, 0x85, 0xc3, 0x2d, 0xd3 };
	unsigned char header[32];
	FILE *file = fopen(path, "re");
	bool found = file && fread(header, sizeof(header), 1, file) == 1 &&
		     !memcmp(header + 16, code, sizeof(code));

	if (file)
		fclose(file);
	return found;
}

static bool choose_firmware(struct vm_description *vm)
{
	const char *name = vm->bios;
	struct stat st;

	if (!name)
		name = vm->machine != MACHINE_MICROVM ? "bios-256k.bin" :
		       vm->acpi_off ? "qboot.rom" : "bios-microvm.bin";
	if (!find_firmware(vm, name)) {
		fail("there is no firmware '%s' that can be read: "
		     "install seabios, or name another with -bios or -L", name);
		return false;
	}
	if (stat(vm->firmware, &st) || !S_ISREG(st.st_mode) || !st.st_size ||
	    st.st_size % (64 * KIB) || (uint64_t)st.st_size > FIRMWARE_MAX) {
		fail("the firmware %s is not a file of a multiple of 64 KiB, up to 16 MiB",
		     vm->firmware);
		return false;
	}
	if (is_code_only(vm->firmware)) {
		fail("the firmware %s lacks the place for its variables: use OVMF.fd",
		     vm->firmware);
		return false;
	}
	vm->firmware_size = st.st_size;
	return true;
}

/* ---- vCPUs ---- */

static unsigned int or_one(unsigned int n)
{
	return n ? n : 1;
}

static bool count_vcpus(struct vm_description *vm)
{
	unsigned int n = vm->smp[SMP_CPUS], max = vm->smp[SMP_MAXCPUS];

	if (!n && max)
		n = max;
	if (!n)
		n = or_one(vm->smp[SMP_SOCKETS]) * or_one(vm->smp[SMP_DIES]) *
		    or_one(vm->smp[SMP_CORES]) * or_one(vm->smp[SMP_THREADS]);
	if (max > n)
		return no("smp", "maxcpus", "vCPUs cannot be added while it runs");
	if (n > MON_VM_MAX_VCPUS) {
		fail("-smp: %u vCPUs; a confidential VM has at most %d", n, MON_VM_MAX_VCPUS);
		return false;
	}
	vm->vcpus = n;
	return true;
}

/* ---- where everything lies ---- */

static void range_add(struct mon_vm_policy *p, uint64_t start, uint64_t end,
		      enum mon_vm_range_type type)
{
	if (start >= end)
		return;
	p->range[p->nr_ranges].start = start;
	p->range[p->nr_ranges].end = end;
	p->range[p->nr_ranges].type = type;
	p->nr_ranges++;
}

/* What RAM is below 4 GiB; the rest begins at 4 GiB. */
static uint64_t low_ram(enum machine machine, uint64_t ram)
{
	uint64_t low;

	switch (machine) {
	case MACHINE_Q35:
		low = ram >= 0xb0000000 ? 0x80000000 : 0xb0000000;
		break;
	case MACHINE_PC:
		low = ram >= 0xe0000000 ? 0xc0000000 : 0xe0000000;
		break;
	default:
		low = 0xc0000000;
	}
	return ram < low ? ram : low;
}

/*
 * The end of the firmware also lies below 1 MiB, where it runs first and writes
 * to itself. A PC has its VGA window in the middle of low memory.
 */
static void make_policy(struct vm_description *vm)
{
	uint64_t low = low_ram(vm->machine, vm->ram), high = vm->ram - low;
	uint64_t shadow = vm->firmware_size < 128 * KIB ? vm->firmware_size : 128 * KIB;
	struct mon_vm_policy *p = &vm->policy;

	p->version = MON_VM_POLICY_VERSION;
	p->max_vcpus = vm->vcpus;
	if (vm->machine == MACHINE_MICROVM) {
		range_add(p, 0, MIB - shadow, MON_RANGE_RAM);
	} else {
		range_add(p, 0, 0xa0000, MON_RANGE_RAM);
		range_add(p, 0xc0000, MIB - shadow, MON_RANGE_RAM);
	}
	range_add(p, MIB - shadow, MIB, MON_RANGE_FIRMWARE_RAM);
	range_add(p, MIB, low, MON_RANGE_RAM);
	range_add(p, 4 * GIB - vm->firmware_size, 4 * GIB, MON_RANGE_FIRMWARE);
	range_add(p, 4 * GIB, 4 * GIB + high, MON_RANGE_RAM);
}

bool vm_describe(int argc, char **argv, struct vm_description *vm)
{
	memset(vm, 0, sizeof(*vm));
	vm->machine = MACHINE_PC;
	vm->ram = RAM_DEFAULT;
	if (!parse_all(argc, argv, vm) || !count_vcpus(vm) || !choose_firmware(vm))
		return false;
	if (vm->ram < 2 * MIB) {
		fail("-m: %llu bytes are too few for a VM", (unsigned long long)vm->ram);
		return false;
	}
	make_policy(vm);
	return true;
}
