#!/bin/sh
# In the test machine: a guest keeps a secret, root looks for it in QEMU.
# usage: inside.sh ordinary|confidential VCPUS
how=$1
vcpus=$2
insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
secret=$(echo VGhlLWd1ZXN0J3Mtb3duLXNlY3JldC00Mg== | base64 -d)
guest='k=\$(echo VGhlLWd1ZXN0J3Mtb3duLXNlY3JldC00Mg== | base64 -d);
	for i in \$(seq 500); do echo \$k; done > /secret; nproc; sha256sum /bin/busybox; echo KEPT; sleep 2; poweroff -f'
set -- qemu-system-x86_64 -enable-kvm -cpu host -M q35,smm=off -m 128 -smp "$vcpus" -nographic \
	-nodefaults -no-reboot -serial file:/tmp/console -kernel /guest/vmlinuz -initrd /guest/initrd \
	-append "console=ttyS0 tsc_early_khz=200000 quiet cryptomgr.notests run=\"$(eval echo "\"$guest\"" | tr '\n\t' '  ')\""
if [ "$how" = confidential ]; then
	arm 128 "$vcpus" "$@" </dev/null >/tmp/armed 2>&1 &
else
	"$@" </dev/null >/tmp/armed 2>&1 &
fi
main=$!
while ! grep -q KEPT /tmp/console 2>/dev/null && kill -0 $main 2>/dev/null; do
	read -r -t 1 _ < /dev/zero 2>/dev/null
	usleep 200000 2>/dev/null
done
qemu=$(pidof qemu-system-x86_64)
[ -n "$qemu" ] && echo "secret: $(scan "$qemu" "$secret")"
wait $main
echo "status $?"
cat /tmp/console /tmp/armed
sha256sum /bin/busybox
grep -E "frames private|VM_STOPPED|VM_BAD" /sys/kernel/debug/monitor/status
dmesg | grep -E "WARNING: |BUG: |Call Trace" | grep -v RETBleed || echo "no warning"
rmmod kvm_intel && rmmod monitor && echo "unloaded"
