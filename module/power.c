// SPDX-License-Identifier: GPL-2.0-only
/*
 * What ends the system, or would have it sleep.
 *
 * Sleep: CPUs and memory lose the monitor's state, so it is refused before anything
 * is stopped.
 *
 * The orderly end (reboot, halt, kexec): all protected VMs are destroyed, so that
 * the monitor wipes what they had, and then it leaves. kvm_intel leaves VMX operation
 * at its reboot notifier or, in newer kernels, at its shutdown behind that, so there is
 * a try behind each. If it cannot leave, the machine is reset with the monitor, or the next
 * kernel runs on it as after a panic: neither sees what was protected.
 */
#include <linux/limits.h>
#include <linux/notifier.h>
#include <linux/reboot.h>
#include <linux/suspend.h>
#include <linux/syscore_ops.h>
#include "monitor.h"

static int on_sleep(struct notifier_block *nb, unsigned long action, void *unused)
{
	switch (action) {
	case PM_SUSPEND_PREPARE:
	case PM_HIBERNATION_PREPARE:
	case PM_RESTORE_PREPARE:
		pr_err(MON_LOG "the system cannot %s while the monitor runs, which would lose its CPUs and protected memory. What to do: stop all VMs and run 'rmmod monitor' first\n",
		       action == PM_SUSPEND_PREPARE	? "be suspended" :
		       action == PM_HIBERNATION_PREPARE ? "hibernate" :
							  "give way to one that hibernates");
		return notifier_from_errno(-EBUSY);
	default:
		return NOTIFY_DONE;
	}
}

/* Programs still run: what they ask of the monitor from now on is an error. */
static bool leave_for_good(void)
{
	long err = mon_vms_destroy() ?: mon_enclaves_destroy();

	if (!err)
		err = mon_unload();
	if (!err)
		pr_info(MON_LOG "the system goes down: all CPUs native\n");
	return !err;
}

/* Before kvm_intel has left VMX operation on each CPU: one that comes later would enter it. */
static int pre_reboot(struct notifier_block *nb, unsigned long action, void *unused)
{
	unsigned int cpu;

	mon_cpus_freeze(true);
	if (mon_cpus_wake(&cpu))
		pr_warn(MON_LOG "CPU %u cannot be brought online: the monitor stays until the machine is reset\n",
			cpu);
	return NOTIFY_DONE;
}

static int on_reboot(struct notifier_block *nb, unsigned long action, void *unused)
{
	mon_hurry_stop();
	mon_status_exit();
	if (mon_cpus_all_online())
		leave_for_good();
	return NOTIFY_DONE;
}

static void shutdown(void)
{
	if (mon_launched() && mon_cpus_all_online() && !leave_for_good())
		pr_warn(MON_LOG "a CPU is in VMX operation still: the monitor stays until the machine is reset\n");
}

#ifdef HAVE_SYSCORE_DATA
static void syscore_shutdown_data(void *unused)
{
	shutdown();
}

static const struct syscore_ops syscore_ops = { .shutdown = syscore_shutdown_data };
static struct syscore syscore = { .ops = &syscore_ops };
#else
static struct syscore_ops syscore = { .shutdown = shutdown };
#define register_syscore register_syscore_ops
#define unregister_syscore unregister_syscore_ops
#endif

/* First of all, so that nobody else has prepared anything. */
static struct notifier_block sleep_nb = { .notifier_call = on_sleep, .priority = INT_MAX };
static struct notifier_block reboot_1st_nb = { .notifier_call = pre_reboot, .priority = INT_MAX };
static struct notifier_block reboot_last_nb = { .notifier_call = on_reboot, .priority = INT_MIN };

int mon_power_init(void)
{
	int err = register_pm_notifier(&sleep_nb);

	if (err)
		return err;
	err = register_reboot_notifier(&reboot_1st_nb);
	if (err)
		goto out_sleep;
	err = register_reboot_notifier(&reboot_last_nb);
	if (err)
		goto out_first;
	register_syscore(&syscore);
	return 0;

out_first:
	unregister_reboot_notifier(&reboot_1st_nb);
out_sleep:
	unregister_pm_notifier(&sleep_nb);
	return err;
}

void mon_power_exit(void)
{
	unregister_syscore(&syscore);
	unregister_reboot_notifier(&reboot_last_nb);
	unregister_reboot_notifier(&reboot_1st_nb);
	unregister_pm_notifier(&sleep_nb);
}
