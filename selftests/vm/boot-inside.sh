#!/bin/bash
# usage: boot-inside.sh VCPUS MACHINE
# In the test machine: a confidential VM, from launch to power-off.
set -uo pipefail
. /usr/bin/guest.sh
vcpus=$1

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
guest_start confidential "$vcpus" : -M "$2"
guest_says '^/ # ' || {
	cat $console /tmp/qemu.out
	exit 1
}
guest_type 'echo $(nproc) CPUs is what I have; sha256sum /bin/busybox; echo then'
guest_says '^then'
shown=$(monctl status | sed -n 's/^  measured launch  *//p')
computed=$(monctl measure -- "${guest_qemu[@]}")
[ "$shown" = "$computed" ] && echo "measurement $shown" || echo "measurements '$shown', '$computed'"
exits=$(monctl status | sed -n 's/^  exits  *//p')
guest_type 'poweroff -f'
guest_end
echo "status $?"
cat $console /tmp/qemu.out
sha256sum /bin/busybox
uptime
rmmod kvm_intel && rmmod monitor && echo "unloaded, ${exits/, / exits of which }"
dmesg | grep -E "WARNING: |BUG: |Call Trace|monitor: .*lost" | grep -v RETBleed || echo "no warning"
