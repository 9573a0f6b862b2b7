#!/bin/bash
# usage: inside.sh ordinary|confidential BYTES
#
# In the test machine: launch the monitor, start a guest that keeps a secret, and
# look for it as root with a kernel module, in so many bytes of each frame. What is
# for the table stands in lines "=key value".
set -uo pipefail
. /usr/bin/guest.sh
guest_memory=96 # each frame of it costs the search an exit for 64 bytes
how=$1 bytes=$2
number=1
[ "$how" = ordinary ] || number=2

say()
{
	printf '  %s\n' "$*"
}

# all_of_memory: from the answers for each range of RAM
all_of_memory()
{
	local first last pages found=0 zeros=0 all=0 a

	while read -r first last; do
		first=$(((first + 4095) / 4096))
		pages=$(((last + 1) / 4096 - first))
		echo "find $number $first $pages $bytes" >/sys/kernel/debug/testmod/do || return
		a=$(</sys/kernel/debug/testmod/do)
		a=${a#found }
		found=$((found + ${a% zeros *})) zeros=$((zeros + ${a#* zeros })) all=$((all + pages))
	done < <(sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM/0x\1 0x\2/p' /proc/iomem)
	echo "found $found in $((all * bytes >> 10)) KiB, $((zeros * bytes >> 10)) KiB of them zeros"
}

say "root# insmod monitor.ko; modprobe kvm_intel; insmod testmod.ko"
insmod /lib/monitor/monitor.ko && modprobe kvm_intel && insmod /lib/monitor/testmod.ko || exit 1
monctl status | sed -n '1,/^$/s/^./    &/p'

guest_start "$how" 2 "keep $number &"
say "root# $([ "$how" = ordinary ] || echo 'monctl run -- ')${guest_qemu[*]:0:8} ..."
guest_says '^KEPT|KEPT$' || {
	cat $console /tmp/qemu.out
	exit 1
}
say "The guest is up and keeps its secret in 4 MiB of memory and in registers."
if [ "$how" = confidential ]; then
	say "root# monctl status; monctl measure"
	shown=$(monctl status | sed -n 's/^  measured launch  *//p')
	computed=$(monctl measure -- "${guest_qemu[@]}")
	say "  the monitor measured  $shown"
	say "  the files give        $computed"
	[ -n "$shown" ] && [ "$shown" = "$computed" ] && echo "=measurement same" ||
		echo "=measurement differs"
fi
guest_monitor stop >/dev/null
say "root# search /proc/$qemu/mem"
echo "=memory $(search $number process $qemu)"
say "qemu) info registers -a"
registers=$(guest_monitor "info registers -a")
# shellcheck disable=SC2001 # \r\n as two letters each
sed 's/\\r\\n/\n/g' <<<"$registers" | grep -E '^(R12|R14|EAX|EIP)' | sed 's/^/    /'
echo "=registers $(search $number text <<<"$registers")"
say "root# echo find > testmod        # $bytes bytes of every frame of RAM"
echo "=physical $(all_of_memory)"
guest_monitor cont >/dev/null
say "root# echo 'echo \$((6 * 7)) is the answer' > console of the guest"
guest_type 'echo $((6 * 7)) is the answer'
guest_says '^42 is the answer' && echo "=console answers" || echo "=console silent"
ulimit -c unlimited
echo "|/usr/bin/search $number bytes /tmp/core" >/proc/sys/kernel/core_pattern
say "root# kill -ABRT $qemu           # and search the core dump"
kill -ABRT $qemu
guest_end 2>/dev/null
echo "=core $(</tmp/core)"
grep -E 'Call Trace|BUG: |WARNING: ' < <(dmesg | grep -v RETBleed) && exit 1
say "root# rmmod kvm_intel monitor"
rmmod kvm_intel && rmmod monitor && echo "=unloaded yes"
