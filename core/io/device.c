// SPDX-License-Identifier: GPL-2.0-only
/* Accesses of a guest to a mediated device. See device.h. */
#include "device_state.h"

/* PCI configuration mechanism #1 (PCI Local Bus 3.0, 3.2.2.3.2) */
#define CONFIG_ADDRESS 0xcf8u
#define CONFIG_DATA 0xcfcu
#define CONFIG_ENABLE BIT(31)
#define CAPABILITY_POINTER 0x34u
#define CAPABILITY_MSIX 0x11u
#define CAPABILITIES_MAX 48u

enum phase {
	BEGIN,
	FIND_MSIX,
	CONFIG_WRITE,
	FORWARD,
	WORK,
	DRAIN,
	RESET_HOST,
	SET_UP,
	OPENING,
	START,
};

/* A step of an access: what device_go() returns, or to take the next step at once. */
#define NEXT (-1)

struct step {
	struct device *d;
	struct vm *vm;
	struct device_access *a;
	struct device_ask *ask;
	u32 answer;
};

static int go_to(struct step *s, enum phase phase)
{
	s->a->phase = phase;
	s->a->pc = 0;
	s->a->asked = false;
	return NEXT;
}

static int ask(struct step *s, struct device_ask what)
{
	*s->ask = what;
	s->a->asked = true;
	return DEVICE_ASK;
}

/* Has the host answered what this step asks for? Then it is the next step's turn. */
static bool answered(struct step *s)
{
	bool yes = s->a->asked;

	s->a->asked = false;
	return yes;
}

static int done(struct step *s)
{
	if (s->d->owner == s->a)
		s->d->owner = NULL;
	return DEVICE_DONE;
}

/* Of QEMU's device, at @offset of BAR 4 */
static struct device_ask register_of(const struct device *d, bool write, u32 offset, u8 size,
				     u32 value)
{
	struct device_ask what = { .write = write, .size = size,
				   .at = pci_bar4_base(&d->pci) + offset, .value = value };

	if (d->mmio)
		what.at = d->mmio + mmio_from_bar(offset, &what.size);
	return what;
}

static int page_missing(struct step *s, u32 page)
{
	*s->ask = (struct device_ask){ .at = arena_gpa(NULL, page) };
	return DEVICE_PAGE;
}

/* ---- configuration space ---- */

static struct device_ask config_address(const struct device *d, u32 reg)
{
	return (struct device_ask){ .port = true, .write = true, .size = 4, .at = CONFIG_ADDRESS,
				    .value = (u32)CONFIG_ENABLE |
					     (u16)READ_ONCE(d->function) << 8 | (reg & 0xfc) };
}

static struct device_ask config_data(bool write, u32 reg, u8 size, u32 value)
{
	/* Of the guest's register, the part that it writes. */
	return (struct device_ask){ .port = true, .write = write, .size = size,
				    .at = CONFIG_DATA + (reg & 3),
				    .value = value & (u32)(~0ULL >> (64 - 8 * size)) };
}

/* QEMU's capability is where its list says; the guest's is where the monitor's says. */
static int find_msix(struct step *s)
{
	struct device_access *a = s->a;
	u32 reg = a->pc < 2 ? CAPABILITY_POINTER : a->cursor;

	if (!a->pc)
		a->cursor = 0;
	if (answered(s)) {
		if (a->pc == 1)
			a->cursor = s->answer & 0xfc;
		if (a->pc > 1 && a->pc % 2) {
			if ((s->answer & 0xff) == CAPABILITY_MSIX) {
				s->d->host_msix = a->cursor;
				return go_to(s, CONFIG_WRITE);
			}
			a->cursor = (s->answer >> 8) & 0xfc;
		}
		a->pc++;
		reg = a->cursor;
	}
	if (a->pc > 1 && (a->cursor < 0x40 || a->pc > 2 * CAPABILITIES_MAX))
		return done(s); /* it has none: it will not interrupt */
	if (a->pc % 2 == 0)
		return ask(s, config_address(s->d, reg));
	return ask(s, config_data(false, reg, a->pc == 1 ? 1 : 2, 0));
}

static int config_write(struct step *s)
{
	struct device_access *a = s->a;
	u32 reg = a->offset;

	if (reg >= PCI_MSIX_AT)
		reg = reg - PCI_MSIX_AT + s->d->host_msix;
	if (answered(s) && ++a->pc == 3)
		return done(s);
	switch (a->pc) {
	case 0:
		return ask(s, config_address(s->d, reg));
	case 1:
		return ask(s, config_data(true, reg, a->size, (u32)a->value));
	default: /* as the guest has left it, for what the monitor does not answer */
		return ask(s, (struct device_ask){ .port = true, .write = true, .size = 4,
						   .at = CONFIG_ADDRESS,
						   .value = s->vm->pci_address });
	}
}

static int config_begin(struct step *s)
{
	struct device_access *a = s->a;

	if (!a->write) {
		a->value = pci_read(&s->d->pci, a->offset, a->size);
		return done(s);
	}
	switch (pci_write(&s->d->pci, a->offset, a->size, (u32)a->value)) {
	case PCI_SAME:
		return go_to(s, CONFIG_WRITE);
	case PCI_MSIX:
		return go_to(s, s->d->host_msix ? CONFIG_WRITE : FIND_MSIX);
	default:
		return done(s);
	}
}

/* ---- what goes on at the queues ---- */

static enum io_result work(struct step *s)
{
	return device_work(s->d, s->vm, &s->a->kick);
}

static int kick(struct step *s)
{
	u32 queue = (u32)__builtin_ctz(s->a->kick);

	return ask(s, register_of(s->d, true, PCI_NOTIFY + queue * PCI_NOTIFY_STEP, 2, queue));
}

static void kicked(struct step *s)
{
	s->a->kick &= s->a->kick - 1;
}

/* What others have left to tell QEMU's device */
static void take_kicks(struct step *s)
{
	s->a->kick |= s->d->kick;
	s->d->kick = 0;
}

static int work_step(struct step *s)
{
	enum io_result result = IO_DONE;

	if (answered(s)) {
		kicked(s);
		if (s->a->kick)
			return kick(s);
	}
	if (s->d->started)
		result = work(s);
	take_kicks(s);
	if (result == IO_AGAIN)
		return page_missing(s, device_missing(s->d));
	/* One for all that was posted: it is an exit. */
	if (result == IO_MORE)
		return DEVICE_YIELD;
	return s->a->kick ? kick(s) : done(s);
}

/*
 * The host's device does what it was asked for while the guest waits: it is looked at through
 * a register, for which QEMU takes the lock that its devices work under.
 */
static int wait_at_host(struct step *s)
{
	enum io_result result;

	if (answered(s) && s->a->kick)
		kicked(s);
	take_kicks(s);
	if (s->a->kick)
		return kick(s);
	result = work(s);
	if (result == IO_AGAIN)
		return page_missing(s, device_missing(s->d));
	if (s->a->kick)
		return kick(s);
	return ask(s, register_of(s->d, false, PCI_COMMON + COMMON_STATUS, 1, 0));
}

static int drain(struct step *s)
{
	if (device_host_busy(s->d))
		return wait_at_host(s);
	take_kicks(s);
	s->a->kick = 0; /* of what it will not have any more */
	return go_to(s, s->a->then == START ? SET_UP : RESET_HOST);
}

static int opening(struct step *s)
{
	if (!s->a->pc) {
		s->a->pc = 1;
		device_open(s->d);
	}
	switch (device_opened(s->d)) {
	case IO_MORE:
		return wait_at_host(s);
	case IO_AGAIN: /* it cannot be */
		s->d->virtio.status &= (u8)~VIRTIO_FEATURES_OK;
		break;
	default:
		break;
	}
	return done(s);
}

/* ---- the monitor as the driver of QEMU's device ---- */

static int reset_host(struct step *s)
{
	if (answered(s))
		return done(s);
	return ask(s, register_of(s->d, true, PCI_COMMON + COMMON_STATUS, 1, 0));
}

static int set_up_fails(struct step *s)
{
	virtio_needs_reset(&s->d->virtio);
	s->d->virtio.status &= (u8)~VIRTIO_FEATURES_OK;
	return done(s);
}

static int set_up(struct step *s)
{
	struct device_access *a = s->a;
	bool vectors = a->then == START;
	struct set_up_step step;
	u32 page;

	if (answered(s)) {
		set_up_step(s->d, a->pc, vectors, &step);
		if (!step.write && s->answer != step.value)
			return set_up_fails(s);
		a->pc++;
	}
	/* Reset: now its queues are the monitor's alone. */
	if (a->pc == SET_UP_RESET && device_queues_clear(s->d, vectors, &page) == IO_AGAIN)
		return page_missing(s, page);
	if (!set_up_step(s->d, a->pc, vectors, &step))
		return go_to(s, (enum phase)a->then);
	if (s->d->mmio && !mmio_from_bar(PCI_COMMON + step.offset, &step.size)) {
		a->pc++; /* a vector, which it has none of */
		return NEXT;
	}
	return ask(s, register_of(s->d, step.write, PCI_COMMON + step.offset, step.size,
				  step.value));
}

static int start(struct step *s)
{
	if (!device_start(s->d))
		virtio_needs_reset(&s->d->virtio);
	return done(s);
}

/* ---- BAR 4, or the registers of virtio-mmio ---- */

/* From here until it is done the device is this access's alone. */
static int own(struct step *s, enum phase phase, enum phase then)
{
	s->d->owner = s->a;
	s->a->then = (u8)then;
	return go_to(s, phase);
}

static int common_begin(struct step *s)
{
	struct device_access *a = s->a;
	u32 offset = a->offset - PCI_COMMON;

	if (!a->write) {
		a->value = virtio_read(&s->d->virtio, offset, a->size);
		return done(s);
	}
	switch (virtio_write(&s->d->virtio, offset, a->size, a->value)) {
	case VIRTIO_RESET:
		device_stop(s->d);
		return own(s, DRAIN, RESET_HOST);
	case VIRTIO_FEATURES:
		return device_sets_up_early(s->d) ? own(s, SET_UP, OPENING) : done(s);
	case VIRTIO_READY:
		return own(s, DRAIN, START);
	default:
		return done(s);
	}
}

/* A register of QEMU's that the guest may see as it is, or write to. */
static int forward(struct step *s)
{
	struct device_access *a = s->a;

	if (answered(s)) {
		a->value = s->answer & (u32)(~0ULL >> (64 - 8 * a->size));
		return done(s);
	}
	return ask(s, register_of(s->d, a->write, a->offset, a->size, (u8)a->value));
}

/* The guest's access becomes one to BAR 4. False: that has nothing like it, and it is done. */
static bool mmio_begin(struct step *s)
{
	struct device_access *a = s->a;

	if (mmio_to_bar(&a->offset, &a->size))
		return true;
	if (!a->write)
		a->value = mmio_read(&s->d->virtio, s->d->pci.virtio_id, a->offset, a->size);
	return false;
}

static bool is_acknowledge(const struct step *s)
{
	return s->d->mmio && s->a->offset == PCI_ISR + MMIO_ACKNOWLEDGE;
}

static int bar_begin(struct step *s)
{
	struct device_access *a = s->a;
	u32 offset;

	if (s->d->mmio && !mmio_begin(s))
		return done(s);
	if (!a->write)
		a->value = 0;
	offset = a->offset % PCI_REGION;
	switch (a->offset - offset) {
	case PCI_COMMON:
		return common_begin(s);
	case PCI_ISR:
		if (a->size == 1 && (a->write ? is_acknowledge(s) : !offset))
			return go_to(s, FORWARD);
		return done(s);
	case PCI_DEVICE:
		if (a->write || device_config(s->d, offset, a->size, &a->value))
			return done(s);
		return go_to(s, FORWARD);
	default:
		return a->write ? go_to(s, WORK) : done(s);
	}
}

static int begin(struct step *s)
{
	if (s->d->owner)
		return s->a->region == DEVICE_ENTRY ? DEVICE_DONE : DEVICE_BUSY;
	switch (s->a->region) {
	case DEVICE_CONFIG:
		return config_begin(s);
	case DEVICE_BAR:
		return bar_begin(s);
	default:
		return go_to(s, WORK);
	}
}

static int step(struct step *s)
{
	switch ((enum phase)s->a->phase) {
	case BEGIN:
		return begin(s);
	case FIND_MSIX:
		return find_msix(s);
	case CONFIG_WRITE:
		return config_write(s);
	case FORWARD:
		return forward(s);
	case WORK:
		/* Another vCPU sets the device up meanwhile, or resets it. */
		return s->d->owner ? done(s) : work_step(s);
	case DRAIN:
		return drain(s);
	case RESET_HOST:
		return reset_host(s);
	case SET_UP:
		return set_up(s);
	case OPENING:
		return opening(s);
	default:
		return start(s);
	}
}

void device_give_up(struct device *d, const struct device_access *access)
{
	spin_lock(&d->lock);
	if (d->owner == access) {
		d->owner = NULL;
		virtio_needs_reset(&d->virtio);
		d->virtio.status &= (u8)~VIRTIO_FEATURES_OK;
	} else {
		d->kick |= access->kick;
	}
	device_note_active(d);
	spin_unlock(&d->lock);
}

/* Two steps follow one another at once at most three times: BEGIN, DRAIN, SET_UP. */
enum device_result device_go(struct device *device, struct vm *vm, struct device_access *access,
			     bool is_answer, u32 answer, struct device_ask *what)
{
	struct step s = { device, vm, access, what, answer };
	int result;

	access->asked = access->asked && is_answer;
	spin_lock(&device->lock);
	do
		result = step(&s);
	while (result == NEXT);
	device_note_active(device);
	spin_unlock(&device->lock);
	return (enum device_result)result;
}
