// SPDX-License-Identifier: GPL-2.0-only
/*
 * Stock kvm_intel reads the VMX capabilities once, when it is loaded, and newer
 * ones enter VMX operation there and then. So it goes out before the monitor
 * comes in (or leaves), and comes back behind it, with the parameters it had.
 */
#include <linux/delay.h>
#include <linux/kmod.h>
#include <linux/namei.h>
#include <linux/path.h>
#include "monitor.h"

#define REMEMBER                                                                 \
	"cd /sys/module/kvm_intel/parameters && for p in *; do v=$(cat $p);"     \
	" case $v in Y|N|[0-9]*) echo $p=$v;; esac; done > /run/monitor-kvm.tmp; " \
	"modprobe -r kvm_intel"
#define PUT_BACK "modprobe kvm_intel $(cat /run/monitor-kvm.tmp) || modprobe kvm_intel"

static int shell(const char *command)
{
	char *argv[] = { "/bin/sh", "-c", (char *)command, NULL };
	char *envp[] = { "HOME=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", NULL };

	return call_usermodehelper(argv[0], argv, envp, UMH_WAIT_PROC);
}

static bool kvm_intel_loaded(void)
{
	struct path path;

	if (kern_path("/sys/module/kvm_intel", LOOKUP_FOLLOW, &path))
		return false;
	path_put(&path);
	return true;
}

static bool taken_out(bool *was_loaded)
{
	*was_loaded = kvm_intel_loaded();
	return !*was_loaded || (!shell(REMEMBER) && !kvm_intel_loaded());
}

int mon_kvm_take_out(bool *was_loaded)
{
	if (taken_out(was_loaded))
		return 0;
	pr_err(MON_LOG "kvm_intel is in use (or built in): stop all virtual machines and whatever holds /dev/kvm open, then try again\n");
	return -EBUSY;
}

/* Unloading cannot be refused any more when the module's exit is called. */
void mon_kvm_wait_out(bool *was_loaded)
{
	if (taken_out(was_loaded))
		return;
	pr_warn(MON_LOG "unloading waits until the last virtual machine has stopped and nobody holds /dev/kvm open\n");
	do {
		msleep(500);
	} while (!taken_out(was_loaded));
}

void mon_kvm_put_back(void)
{
	if (shell(PUT_BACK))
		pr_warn(MON_LOG "kvm_intel could not be loaded again: run 'modprobe kvm_intel'\n");
}
