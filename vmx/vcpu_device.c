// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices that the monitor carries data for (core/io/device.h): the guest's accesses to them,
 * and what QEMU's device is asked for in their course, which KVM sees as accesses of the vCPU.
 *
 * The guest's vector registers, or the host's, are in the CPU meanwhile: those that
 * core/gcm.c uses are put away around each call.
 */
#include "../core/io/arena.h"
#include "../core/io/device.h"
#include "switch.h"
#include "vcpu.h"

#define PCI_ADDRESS_PORT 0xcf8
#define PCI_DATA_PORT 0xcfc
#define PCI_ENABLED BIT(31)
#define PCI_FUNCTIONS BIT(16) /* of 256 buses */
#define PCI_ROM 0x30u	     /* of a function (PCI Local Bus 3.0, 6.2.5.2) */
#define PCI_BRIDGE_ROM 0x38u /* of a bridge (PCI-to-PCI Bridge 1.2, 3.2.5.17) */
#define Q35_PCIEXBAR 0x60
#define Q35_PCIEXBAR_ENABLE BIT(0)
#define Q35_PCIEXBAR_LENGTH 0x6ULL
#define Q35_PCIEXBAR_BASE 0xfc000000ULL

/* ---- vendor interface of core/io/ and core/disk/ ---- */

bool crypto_possible(void)
{
	return vmx_caps.crypto;
}

u64 arena_gpa(const struct arena *arena, u32 index)
{
	return MON_VM_ARENA + index * PAGE_SIZE;
}

void *arena_page(struct arena *arena, u32 index)
{
	return host_page_there(this_cpu(), arena_gpa(arena, index), true);
}

#define STEPS_MAX 16 /* in one exit */

/*
 * DEVICE_YIELD is for the host, but that costs an exit of its KVM: so as long as nothing waits
 * for this CPU, the next step follows at once. What comes waits for one step at most.
 */
static enum device_result go(struct cpu *cpu, struct vcpu *vcpu, u32 answer)
{
	struct op *op = &vcpu->op;
	enum device_result result;
	struct vectors vectors;
	u32 steps = 0;

	vectors_save(&vectors);
	do {
		result = device_go(op->device, vcpu->vm, &op->access, op->asked, answer, &op->ask);
		op->asked = false;
	} while (result == DEVICE_YIELD && ++steps < STEPS_MAX && !READ_ONCE(cpu->events) &&
		 !interrupt_waits());
	vectors_load(&vectors);
	return result;
}

/* ---- what the host is shown ---- */

static void show_port(struct cpu *cpu, struct vcpu *vcpu)
{
	const struct device_ask *ask = &vcpu->op.ask;
	struct shown shown = { .reason = EXIT_IO_INSTRUCTION, .length = 1,
			       .rax = ask->write ? ask->value : 0 };

	shown.qualification = (ask->size - 1u) | (ask->write ? 0 : IO_IN) | ask->at << 16;
	vcpu->op.length = 1;
	vcpu->op.asked = true;
	present(cpu, vcpu, &shown);
}

static void show_ask(struct cpu *cpu, struct vcpu *vcpu)
{
	const struct device_ask *ask = &vcpu->op.ask;

	vcpu->op.asked = false;
	if (ask->port)
		show_port(cpu, vcpu);
	else
		mmio_ask(cpu, vcpu, ask->at, ask->size, ask->write, ask->value);
}

/*
 * True: the access is done, and what it has read is in op->access.value; else the host
 * was shown something, and the guest does not go on.
 */
static bool go_on(struct cpu *cpu, struct vcpu *vcpu, u32 answer)
{
	struct op *op = &vcpu->op;
	enum device_result result = go(cpu, vcpu, answer);

	op->has_ask = result == DEVICE_ASK;
	switch (result) {
	case DEVICE_DONE:
		return true;
	case DEVICE_ASK:
		show_ask(cpu, vcpu);
		return false;
	case DEVICE_PAGE:
		if (host_page(cpu, vcpu, op->ask.at, true))
			present_nothing(cpu, vcpu); /* it has come meanwhile */
		return false;
	case DEVICE_BUSY:
		op_finish(vcpu);
		break;
	case DEVICE_YIELD:
		break;
	}
	present_nothing(cpu, vcpu);
	return false;
}

static bool begin(struct cpu *cpu, struct vcpu *vcpu, struct device *device,
		  const struct device_access *access)
{
	vcpu->op.device = device;
	vcpu->op.access = *access;
	vcpu->op.asked = false;
	return go_on(cpu, vcpu, 0);
}

bool device_resume(struct cpu *cpu, struct vcpu *vcpu, bool answered)
{
	if (vcpu->op.has_ask && !answered) {
		show_ask(cpu, vcpu);
		return false;
	}
	return go_on(cpu, vcpu, (u32)(cpu->gpr[RAX] & (BIT(8 * vcpu->op.ask.size) - 1)));
}

void device_drop(struct vcpu *vcpu)
{
	if (vcpu->op.device)
		device_give_up(vcpu->op.device, &vcpu->op.access);
}

/* ---- the guest's accesses ---- */

static bool overlaps(const struct device_access *access, u32 reg)
{
	return access->offset < reg + 4 && access->offset + access->size > reg;
}

/*
 * Firmware runs what a function has in its expansion ROM, which is the host's and in no
 * measurement. So none has one: its register is 0, and so is what the other kind of header has
 * there, which are the upper halves of a bridge's I/O addresses, and nothing.
 */
static bool is_rom(const struct device_access *access)
{
	return overlaps(access, PCI_ROM) || overlaps(access, PCI_BRIDGE_ROM);
}

/*
 * An access to a function's configuration: done here, or the host is shown something. False: it is
 * QEMU's affair.
 */
static bool config(struct cpu *cpu, struct vcpu *vcpu, u32 function,
		   const struct device_access *access, bool *done)
{
	struct device *device;

	if (is_rom(access)) {
		vcpu->op.access.value = 0;
		*done = true;
		return true;
	}
	device = device_of_function(vcpu->vm, function, access);
	if (device)
		*done = begin(cpu, vcpu, device, access);
	return device;
}

bool device_mmio(struct cpu *cpu, struct vcpu *vcpu, u64 gpa, bool write, u64 value, bool *done)
{
	struct device_access access = { .region = DEVICE_BAR, .write = write,
					.size = vcpu->op.insn.size, .value = value };
	struct device *device = device_at(vcpu->vm, gpa, &access.offset);
	u64 ecam = vcpu->vm->pci_ecam;

	if (device) {
		*done = begin(cpu, vcpu, device, &access);
		return true;
	}
	/* 4 KiB for each function (PCI Express 3.0, 7.2.2) */
	if (!ecam || gpa - ecam >= PCI_FUNCTIONS * PAGE_SIZE)
		return false;
	access.region = DEVICE_CONFIG;
	access.offset = gpa & (PAGE_SIZE - 1);
	return config(cpu, vcpu, (u32)((gpa - ecam) / PAGE_SIZE), &access, done);
}

/*
 * Q35's PCIEXBAR (its datasheet, 5.1.16): where the firmware wants ECAM. It is the host that says
 * which function is the chipset's, so of any one: a base and a length, enabled. Should that be
 * something else, some of the host's registers would be taken for ECAM, and no memory.
 */
static void note_pciexbar(struct vm *vm, const struct op *op)
{
	u64 base = op->data & Q35_PCIEXBAR_BASE;

	if (op->in || (vm->pci_address & ~0xffff00u) != (u32)(PCI_ENABLED | Q35_PCIEXBAR) ||
	    op->port != PCI_DATA_PORT || op->size != 4)
		return;
	if (base && (op->data & ~(base | Q35_PCIEXBAR_LENGTH)) == Q35_PCIEXBAR_ENABLE)
		vm->pci_ecam = base;
	else if (vm->pci_address == (u32)(PCI_ENABLED | Q35_PCIEXBAR))
		vm->pci_ecam = 0;
}

bool device_port(struct cpu *cpu, struct vcpu *vcpu, bool *runs_on)
{
	struct op *op = &vcpu->op;
	struct vm *vm = vcpu->vm;
	struct device_access access = { .region = DEVICE_CONFIG, .write = !op->in,
					.size = op->size, .value = op->data };
	bool done;

	if (op->port == PCI_ADDRESS_PORT && op->size == 4 && !op->in)
		vm->pci_address = (u32)op->data;
	note_pciexbar(vm, op);
	if (op->port < PCI_DATA_PORT || op->port >= PCI_DATA_PORT + 4 ||
	    !(vm->pci_address & PCI_ENABLED))
		return false;
	access.offset = (vm->pci_address & 0xfc) + (op->port & 3);
	if (!config(cpu, vcpu, (vm->pci_address >> 8) & 0xffff, &access, &done))
		return false;
	*runs_on = done && op_port_done(cpu, vcpu);
	return true;
}

/* ---- before each entry ---- */

bool devices_before_entry(struct cpu *cpu, struct vcpu *vcpu)
{
	struct device_access access = { .region = DEVICE_ENTRY };
	struct vm *vm = vcpu->vm;
	u32 i;

	for (i = 0; i < vm->policy.nr_devices; i++) {
		if (!device_wants_entry(vm->device[i]))
			continue;
		vcpu->op.kind = OP_DEVICE;
		if (!begin(cpu, vcpu, vm->device[i], &access))
			return false;
		op_finish(vcpu);
	}
	return true;
}
