// SPDX-License-Identifier: GPL-2.0-only
/*
 * CPUs that come and go.
 *
 * While the monitor runs, the kernel leaves a CPU that goes offline in a loop with
 * interrupts off. There it would never pass the monitor, and everybody would wait
 * for it. So it gets an INIT: the monitor lets it wait for a SIPI, as its guest
 * still, and nobody waits for it. The kernel's own INIT and SIPI wake it as ever.
 *
 * One that is offline at launch rests in native mode, where any kernel code could
 * wake it; and one that is offline at unload could not leave. So all are online at
 * both, and go offline again behind it.
 */
#include <linux/acpi.h>
#include <linux/cpu.h>
#include <linux/cpuhotplug.h>
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/slab.h>
#include <asm/apic.h>
#include <asm/vmx.h>
#include "monitor.h"

#define PARK_TRIES 1000 /* a millisecond each */

static enum cpuhp_state prepare_state, online_state;
static cpumask_t woken; /* brought online by this module, for as long as it takes */
static bool frozen;	/* launch or unload is under way */

/* An INIT at a CPU that waits for a SIPI does nothing, so the two exits take turns. */
static bool waits_for_sipi(int index, struct mon_cpu_status *s)
{
	return !mon_hypercall(MON_HC_CPU_STATUS, index, __pa(s), 0, 0) &&
	       s->host_exits[EXIT_REASON_INIT_SIGNAL] > s->host_exits[EXIT_REASON_SIPI_SIGNAL];
}

/* The INIT can come while the CPU is in the monitor, where it may be lost. */
static bool park(unsigned int cpu, struct mon_cpu_status *s)
{
	unsigned int tries;

	for (tries = 0; tries < PARK_TRIES; tries++) {
		if (waits_for_sipi(mon_cpu_index(cpu), s))
			return true;
		apic->icr_write(APIC_INT_LEVELTRIG | APIC_INT_ASSERT | APIC_DM_INIT,
				cpu_physical_id(cpu));
		usleep_range(1000, 2000);
	}
	return false;
}

/* It is dead: on another CPU, behind all that it does itself. */
static int cpu_is_gone(unsigned int cpu)
{
	struct mon_cpu_status *s;

	if (!mon_launched())
		return 0;
	s = kmalloc(sizeof(*s), GFP_KERNEL);
	if (!s || !park(cpu, s))
		pr_warn(MON_LOG "CPU %u is offline, but does not wait for its start in the monitor: memory that changes hands stays unused until it is online again\n",
			cpu);
	kfree(s);
	return 0;
}

static int cpu_will_come(unsigned int cpu)
{
	if (!mon_launched() || mon_cpu_index(cpu) >= 0)
		return 0;
	pr_warn(MON_LOG "CPU %u was not there when the monitor was launched: to use it, unload the monitor, bring the CPU online, and load the monitor again\n",
		cpu);
	return -EPERM;
}

/* Kernels that can do without CPU 0 wake it by an NMI, for which no CPU waits after an INIT. */
static int cpu_wants_to_go(unsigned int cpu)
{
	if (READ_ONCE(frozen)) {
		pr_warn(MON_LOG "CPU %u cannot go offline while the monitor is loaded or unloaded: try again later\n",
			cpu);
		return -EBUSY;
	}
	if (mon_launched() && !cpu) {
		pr_warn(MON_LOG "CPU 0 cannot go offline while the monitor runs: unload it first\n");
		return -EBUSY;
	}
	return 0;
}

/**
 * mon_cpus_freeze() - no CPU goes offline
 * @freeze: from now on, or no more
 */
void mon_cpus_freeze(bool freeze)
{
	WRITE_ONCE(frozen, freeze);
}

/**
 * mon_cpus_wake() - bring online every CPU that is offline
 * @first: out, if there is one: the CPU that cannot be
 *
 * Returns the error of that. Whoever called mon_cpus_freeze(true) before has all of them
 * until mon_cpus_let_go(). One that came while the monitor runs is none of its business.
 */
int mon_cpus_wake(unsigned int *first)
{
	unsigned int cpu;
	int err;

	for_each_present_cpu(cpu) {
		if (cpu_online(cpu) || (mon_launched() && mon_cpu_index(cpu) < 0))
			continue;
		err = add_cpu(cpu);
		if (err < 0) {
			*first = cpu;
			return err;
		}
		cpumask_set_cpu(cpu, &woken);
	}
	return 0;
}

/**
 * mon_cpus_let_go() - CPUs may go offline, and those that mon_cpus_wake() woke do
 *
 * Returns how many did.
 */
unsigned int mon_cpus_let_go(void)
{
	unsigned int cpu, n = 0;

	mon_cpus_freeze(false);
	for_each_cpu(cpu, &woken) {
		if (remove_cpu(cpu) < 0)
			pr_warn(MON_LOG "CPU %u was offline before, and now stays online\n", cpu);
		else
			n++;
	}
	cpumask_clear(&woken);
	return n;
}

/**
 * mon_cpus_wait_online() - mon_cpus_wake(), for as long as it takes
 */
void mon_cpus_wait_online(void)
{
	unsigned int cpu;

	while (mon_cpus_wake(&cpu)) {
		pr_warn_once(MON_LOG "unloading waits until CPU %u can be brought online: if it is a sibling thread and these are off, 'echo on > /sys/devices/system/cpu/smt/control'\n",
			     cpu);
		msleep(500);
	}
}

/* Of those that the monitor has. */
bool mon_cpus_all_online(void)
{
	unsigned int cpu;

	for_each_present_cpu(cpu)
		if (mon_cpu_index(cpu) >= 0 && !cpu_online(cpu))
			return false;
	return true;
}

/* ---- CPUs that the kernel does not know ---- */

static bool kernel_has(u32 apic_id)
{
	unsigned int cpu;

	for_each_present_cpu(cpu)
		if (cpu_physical_id(cpu) == apic_id)
			return true;
	return false;
}

/* An entry of the MADT (ACPI 5.2.12.2, 5.2.12.12): true if it is a CPU that is there. */
static bool madt_cpu(const struct acpi_subtable_header *entry, u32 *apic_id)
{
	const struct acpi_madt_local_apic *apic = (const void *)entry;
	const struct acpi_madt_local_x2apic *x2apic = (const void *)entry;

	if (entry->type == ACPI_MADT_TYPE_LOCAL_APIC && entry->length >= sizeof(*apic)) {
		*apic_id = apic->id;
		return (apic->lapic_flags & ACPI_MADT_ENABLED) && apic->id != U8_MAX;
	}
	if (entry->type == ACPI_MADT_TYPE_LOCAL_X2APIC && entry->length >= sizeof(*x2apic)) {
		*apic_id = x2apic->local_apic_id;
		return (x2apic->lapic_flags & ACPI_MADT_ENABLED) && *apic_id != U32_MAX;
	}
	return false;
}

/**
 * mon_cpus_unknown() - has the firmware a CPU that the kernel left alone (nr_cpus=1)?
 * @apic_id: out, if so: its APIC ID
 *
 * It waits in native mode for whoever sends it a SIPI, as one that is offline does.
 */
bool mon_cpus_unknown(u32 *apic_id)
{
	struct acpi_table_header *madt;
	unsigned long at, end;
	bool unknown = false;

	if (acpi_disabled || ACPI_FAILURE(acpi_get_table(ACPI_SIG_MADT, 0, &madt)))
		return false;
	at = (unsigned long)madt + sizeof(struct acpi_table_madt);
	end = (unsigned long)madt + madt->length;
	while (!unknown && at + sizeof(struct acpi_subtable_header) <= end) {
		const struct acpi_subtable_header *entry = (const void *)at;

		if (entry->length < sizeof(*entry) || at + entry->length > end)
			break;
		unknown = madt_cpu(entry, apic_id) && !kernel_has(*apic_id);
		at += entry->length;
	}
	acpi_put_table(madt);
	return unknown;
}

int mon_cpus_init(void)
{
	int err;

	err = cpuhp_setup_state_nocalls(CPUHP_BP_PREPARE_DYN, "monitor:prepare", cpu_will_come,
					cpu_is_gone);
	if (err < 0)
		return err;
	prepare_state = err;
	err = cpuhp_setup_state_nocalls(CPUHP_AP_ONLINE_DYN, "monitor:online", NULL,
					cpu_wants_to_go);
	if (err < 0) {
		cpuhp_remove_state_nocalls(prepare_state);
		return err;
	}
	online_state = err;
	return 0;
}

void mon_cpus_exit(void)
{
	cpuhp_remove_state_nocalls(online_state);
	cpuhp_remove_state_nocalls(prepare_state);
}
