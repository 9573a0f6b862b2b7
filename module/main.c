// SPDX-License-Identifier: GPL-2.0-only
#include <linux/cpumask.h>
#include <linux/delay.h>
#include <linux/module.h>
#include "monitor.h"

static void let_cpus_go(void)
{
	unsigned int n = mon_cpus_let_go();

	if (n)
		pr_info(MON_LOG "CPUs that are offline again, as they were before: %u\n", n);
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
	err = mon_cpus_init();
	if (err)
		goto out_kvm;
	err = mon_ram_init();
	if (err)
		goto out_hotplug;
	mon_cpus_freeze(true);
	err = mon_launch();
	if (err)
		goto out_cpus;
	err = mon_status_init();
	if (err)
		goto out_unload;
	err = mon_power_init();
	if (err)
		goto out_status;
	err = mon_enclave_shrink_init();
	if (err)
		goto out_power;
	err = mon_dev_init();
	if (err)
		goto out_shrink;
	pr_info(MON_LOG "launched on %u CPUs, image %*phN\n", num_online_cpus(), 32,
		mon_image_hash());
	let_cpus_go();
	mon_hurry_start();
	if (kvm_was_loaded)
		mon_kvm_put_back();
	return 0;

out_shrink:
	mon_enclave_shrink_exit();
out_power:
	mon_power_exit();
out_status:
	mon_status_exit();
out_unload:
	mon_unload();
out_cpus:
	let_cpus_go();
	mon_ram_exit();
out_hotplug:
	mon_cpus_exit();
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
	mon_enclave_shrink_exit();
	mon_power_exit();
	mon_hurry_stop();
	mon_status_exit();
	mon_cpus_freeze(true);
	mon_cpus_wait_online();
	while (mon_unload()) {
		pr_warn_once(MON_LOG "unloading waits until no CPU is in VMX operation\n");
		msleep(500);
	}
	let_cpus_go();
	mon_ram_exit();
	mon_cpus_exit();
	if (kvm_was_loaded)
		mon_kvm_put_back();
	pr_info(MON_LOG "unloaded, all CPUs native\n");
}

module_init(monitor_init);
module_exit(monitor_exit);
MODULE_DESCRIPTION("Security monitor under a running kernel");
MODULE_LICENSE("GPL");
