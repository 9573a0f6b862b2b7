// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpuhotplug.h>
#include <linux/cpu.h>
#include <linux/delay.h>
#include <linux/module.h>
#include "monitor.h"

static enum cpuhp_state hotplug_state;

/*
 * A CPU outside VMX operation would see all memory, and one that sleeps may
 * keep stale translations: none comes or goes while the monitor runs.
 */
static int refuse_cpu_change(unsigned int cpu)
{
	pr_warn(MON_LOG "CPU %u cannot go offline or online while the monitor runs: unload it first\n",
		cpu);
	return -EBUSY;
}

static bool hotplug_armed;

static int cpu_online_cb(unsigned int cpu)
{
	return hotplug_armed ? refuse_cpu_change(cpu) : 0;
}

static int cpu_offline_cb(unsigned int cpu)
{
	return hotplug_armed ? refuse_cpu_change(cpu) : 0;
}

static int __init monitor_init(void)
{
	bool kvm_was_loaded;
	int err;

	if (mon_hypercall(MON_HC_PING, 0, 0, 0, 0) == MON_ABI_VERSION) {
		pr_err(MON_LOG "a monitor runs under this kernel already\n");
		return -EBUSY;
	}
	err = mon_kvm_take_out(&kvm_was_loaded);
	if (err)
		return err;
	err = cpuhp_setup_state(CPUHP_AP_ONLINE_DYN, "monitor:online", cpu_online_cb,
				cpu_offline_cb);
	if (err < 0)
		goto out_kvm;
	hotplug_state = err;
	err = mon_launch();
	if (err)
		goto out_hotplug;
	hotplug_armed = true;
	err = mon_status_init();
	if (err)
		goto out_unload;
	err = mon_dev_init();
	if (err)
		goto out_status;
	pr_info(MON_LOG "launched on %u CPUs, image %*phN\n", num_online_cpus(), 32,
		mon_image_hash());
	if (kvm_was_loaded)
		mon_kvm_put_back();
	return 0;

out_status:
	mon_status_exit();
out_unload:
	hotplug_armed = false;
	mon_unload();
out_hotplug:
	cpuhp_remove_state_nocalls(hotplug_state);
out_kvm:
	if (kvm_was_loaded)
		mon_kvm_put_back();
	return err;
}

static void __exit monitor_exit(void)
{
	bool kvm_was_loaded;

	mon_kvm_wait_out(&kvm_was_loaded);
	mon_dev_exit();
	mon_hurry_stop();
	mon_status_exit();
	hotplug_armed = false;
	while (mon_unload()) {
		pr_warn_once(MON_LOG "unloading waits until no CPU is in VMX operation\n");
		msleep(500);
	}
	cpuhp_remove_state_nocalls(hotplug_state);
	if (kvm_was_loaded)
		mon_kvm_put_back();
	pr_info(MON_LOG "unloaded, all CPUs native\n");
}

module_init(monitor_init);
module_exit(monitor_exit);
MODULE_DESCRIPTION("Security monitor under a running kernel");
MODULE_LICENSE("GPL");
