#!/bin/bash
# In the test machine: what a confidential VM asks the monitor, rightly and wrongly;
# and memory that it gives back and has again. What is for the test stands in lines
# "=key value".
set -uo pipefail
. /usr/bin/vms.sh
vm_memory=128 # else the guest has nothing left to give back

free_kb()
{
	awk '$1 == "MemFree:" { print $2 }' /proc/meminfo
}

# calls ARGUMENT: calls.ko in the guest; the answers of this time
calls()
{
	vm_do a "insmod /bin/calls.ko ${1:-}; rmmod calls"
	vm_do a 'dmesg -c | sed -n "s/.*calls: //p"'
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
vm_start a : -smp 2 # one gives back, one writes there
vm_says a '^/ # ' || {
	vm_show a
	exit 1
}
echo "=calls $(calls | tr '\n' ';')"
echo "=user $(vm_do a ring3 | tr '\n' ';')"
refused=$(monctl status | sed -n 's/ *hypercall of a confidential VM refused//p')
echo "=counted $refused"

# The balloon, and no device for events.
pages=4096 # 16 MiB
balloon=/sys/class/misc/monguest/balloon
vm_do a 'insmod /bin/monguest.ko'
echo "=before $(vm_do a 'monpipe self' | tr '\n' ' ')"
before=$(free_kb)
echo "=inflate $(vm_do a "echo $pages >$balloon; cat $balloon")"
for ((i = 0; i < 150; i++)); do
	more=$(($(free_kb) - before))
	[ $more -lt $((pages * 4 - 1024)) ] || break
	sleep 0.2
done
echo "=host-has $more"
cat /sys/kernel/debug/monitor/domains
echo "=inflated $(vm_do a 'monpipe self' | tr '\n' ' ')"
echo "=goes-on $(vm_do a 'sha256sum /bin/busybox')"
echo "=rmmod $(vm_do a "rmmod monguest 2>&1")"
echo "=early $(vm_do a "echo 0 >$balloon; cat $balloon" | tr '\n' ' ')"
domain=$(sed -n 's/.*domain=\([0-9]*\).*/\1/p' /sys/kernel/debug/monitor/domains)
echo "=refill-too-much $(monctl refill "$domain" $((pages + 1)) 2>&1)"
echo "=refill-nobody $(monctl refill 999 $pages 2>&1)"
monctl refill "$domain" $pages && echo "=refilled"
echo "=deflate $(vm_do a "echo 0 >$balloon; cat $balloon")"
echo "=deflated $(vm_do a 'monpipe self' | tr '\n' ' ')"
# all of it, as one file
echo "=touched $(vm_do a 'mount -t tmpfs -o size=80M none /tmp; dd if=/dev/zero of=/tmp/f bs=1M count=10 2>/dev/null; cat /tmp/f | wc -c; rm /tmp/f')"
echo "=again $(vm_do a 'rmmod monguest && echo gone')"
echo "=released $(calls release=1 | tr '\n' ';')"
vm_type a "poweroff -f"
vm_end a
echo "=off $?"
vm_show a
unload
