# shellcheck shell=bash
# In the test machine: guests-inside.sh GUESTS [PARAMETER]... -- QEMU-OPTIONS...
guests=$1
shift
params=()
while [ "$1" != -- ]; do
	params+=("$1")
	shift
done
shift
insmod /lib/monitor/monitor.ko || exit
modprobe kvm_intel "${params[@]}" || exit
grep shadowing /sys/kernel/debug/monitor/status
grep . /sys/module/kvm_intel/parameters/*
for i in $(seq "$guests"); do
	timeout 250 qemu-system-x86_64 -enable-kvm -cpu host -m 96 -nographic -nodefaults \
		-no-reboot -serial stdio -kernel /guest/vmlinux -initrd /guest/initrd "$@" \
		-append 'console=ttyS0 tsc_early_khz=200000 quiet cryptomgr.notests run="sha256sum /bin/busybox; echo CPUS $(nproc); poweroff -f"' \
		</dev/null >"/tmp/console$i" 2>&1 &
	pids+=($!)
done
for pid in "${pids[@]}"; do
	wait "$pid"
	echo "status $?"
done
cat /tmp/console*
sha256sum /bin/busybox
grep -E 'guest exits passed|host exit (23|25):|ENTRY_REFUSED' /sys/kernel/debug/monitor/status
dmesg | grep -E "WARNING: |BUG: |Call Trace" | grep -v RETBleed || echo "no warning"
