#!/bin/sh
# In the test machine: a guest keeps a secret, root looks for it in QEMU.
# usage: inside.sh ordinary|confidential VCPUS
how=$1
kernel=/guest/vmlinuz
[ "$how" = ordinary ] && kernel=/guest/vmlinux # unpacked already
vcpus=$2
insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
secret=$(echo VGhlLWd1ZXN0J3Mtb3duLXNlY3JldC00Mg== | base64 -d)
guest='k=\$(echo VGhlLWd1ZXN0J3Mtb3duLXNlY3JldC00Mg== | base64 -d);
	for i in \$(seq 500); do echo \$k; done > /secret; nproc; sha256sum /bin/busybox; echo KEPT; sleep 3; poweroff -f'
set -- qemu-system-x86_64 -enable-kvm -cpu host -M q35,smm=off -m 128 -smp "$vcpus" -nographic \
	-nodefaults -no-reboot -serial file:/tmp/console -kernel $kernel -initrd /guest/initrd \
	-append "console=ttyS0 tsc_early_khz=200000 quiet cryptomgr.notests run=\"$(eval echo "\"$guest\"" | tr '\n\t' '  ')\""
[ "$how" = confidential ] && set -- arm 128 "$vcpus" "$@"
: > /tmp/console
{
	"$@" </dev/null >/tmp/armed 2>&1
	echo "status $?" >> /tmp/armed
	echo OVER >> /tmp/console
} &
seen() { until grep -q -E "$1" /tmp/console; do sleep 1; done; }
seen 'KEPT|OVER'
qemu=$(pidof qemu-system-x86_64)
if [ -n "$qemu" ]; then
	kill -STOP "$qemu" # it shall not be over before root has looked
	echo "secret: $(scan "$qemu" "$secret")"
	kill -CONT "$qemu"
fi
seen OVER
cat /tmp/console /tmp/armed
sha256sum /bin/busybox
grep -E "frames private|VM_STOPPED|VM_BAD" /sys/kernel/debug/monitor/status
dmesg | grep -E "WARNING: |BUG: |Call Trace" | grep -v RETBleed || echo "no warning"
rmmod kvm_intel && rmmod monitor && echo "unloaded"
