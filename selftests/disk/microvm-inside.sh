#!/bin/bash
# usage: microvm-inside.sh
#
# In the test machine: what a guest of QEMU's microvm keeps on its sealed disk and sends by its card,
# and what its host sees of it and of a card that is not named; the same with an ordinary VM.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh

blocks=256 tampered=40 secret=7 sent=8 bytes=100000
first=$((64 + 4 + 2 * 254)) # of the guest's, in a sealed image (uapi/disk.h)

# card N: on bus 4 - N, for Linux finds the last bus first
card()
{
	local more=

	# no control queue, for whose answer the driver would wait
	for feature in vq rx vlan mac_addr guest_offloads; do
		more+=",ctrl_$feature=off"
	done
	printf 'virtio-net-device,netdev=h%d,id=net%d,bus=virtio-mmio-bus.%d,guest_announce=off%s' \
		"$1" "$1" $((4 - $1)) "$more"
}

# start ordinary|confidential IMAGE
start()
{
	# The second I/O APIC's interrupts are lost, also of an ordinary VM without the monitor.
	guest_start "$1" 1 : -M microvm,ioapic2=off -global virtio-mmio.force-legacy=false \
		-drive "file=$2,if=none,id=d,format=raw" \
		-device virtio-blk-device,drive=d,id=disk0,bus=virtio-mmio-bus.0 \
		-netdev user,id=h0 -device "$(card 0)" \
		-netdev user,id=h1,net=10.0.3.0/24 -device "$(card 1)" \
		-object filter-dump,id=dump0,netdev=h0,file=/tmp/dump0 \
		-object filter-dump,id=dump1,netdev=h1,file=/tmp/dump1
	guest_starts
	guest_loads failover net_failover virtio_ring virtio virtio_mmio virtio_blk virtio_net
	guest_does "ip addr add 10.0.2.15/24 dev eth0; ip addr add 10.0.3.15/24 dev eth1; ip link set eth0 up; ip link set eth1 up" >/dev/null
}

# sends: what the host gets of the guest's data
sends()
{
	local receiver

	nc -l -p 5001 <&9 >/tmp/got &
	receiver=$!
	guest_does "packets $sent $bytes | nc 10.0.2.2 5001" >/dev/null
	wait $receiver
	sha256sum </tmp/got
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
ip link set lo up
mkfifo /tmp/open
exec 9<>/tmp/open # a standard input that does not end
truncate -s $((blocks * 4096)) /tmp/plain
blocks write /tmp/plain $blocks 1 >/dev/null
monctl disk import --key /tmp/key --new-key /tmp/plain /tmp/sealed >/dev/null || exit 1
wanted=$(packets $sent $bytes | sha256sum)

plan 26
# ---- sealed ----
guest_carried=(--disk disk0=/tmp/key --network net0)
start confidential /tmp/sealed
has "$(cat /tmp/qemu.out)" 'id=net1: the guest cannot use it' "a card that is not named is told of"
is "$(monctl status | sed -n 's/^  measured launch  *//p')" \
	"$(monctl measure "${guest_carried[@]}" -- "${guest_qemu[@]}")" \
	"the launch measurement is what monctl computes"
said=$(guest_does "cat /proc/partitions; for d in /sys/bus/virtio/devices/*; do echo features \$(cat \$d/device \$d/features); done")
has "$said" " $((4 * blocks)) vda" "a stock guest has a sealed disk"
has "$said" "^features 0x0002 $(bits 2 6 9 10 13 14 28 32)$" "... with the monitor's features"
has "$said" "^features 0x0001 $(bits 5 16 32)$" "... and a card, too"
has "$said" "^features 0x0001 .{29}1" "(QEMU's own offers more)"
has "$(guest_does "blocks check /dev/vda $blocks 1")" "checked: $blocks good, 0 refused, 0 wrong" \
	"what monctl has written, it reads"
cp /tmp/sealed /tmp/older
guest_does "blocks same /dev/vda $blocks 2" >/dev/null
has "$(blocks search /tmp/sealed $blocks)" '^secret in 0 blocks, 0 repeated' \
	"nothing of what it writes is in the image"
guest_does "blocks write /dev/vda $blocks 3" >/dev/null
has "$(search $secret process $qemu)" '^found 0 in' "... or in QEMU's memory"
blocks tamper /tmp/sealed /tmp/older $first $blocks $tampered 1 >/dev/null
has "$(guest_does "blocks check /dev/vda $blocks 3")" \
	"checked: $((blocks - tampered)) good, $tampered refused, 0 wrong" \
	"blocks changed by the host are refused"
guest_does "blocks write /dev/vda $blocks 4; rmmod virtio_blk; insmod /bin/virtio_blk.ko" >/dev/null
has "$(guest_does "blocks check /dev/vda $blocks 4")" "checked: $blocks good, 0 refused, 0 wrong" \
	"a driver that is loaded again reads it"
is "$(sends)" "$wanted" "the host gets what the guest sends"
has "$(search $sent process $qemu)" '^found [1-9]' "(it can see what it carries)"
has "$(guest_does 'ping -c 3 -W 9 10.0.2.2')" ' 0% packet loss' "the guest gets answers"
[ "$(stat -c %s /tmp/dump0)" -gt $bytes ]
ok $? "... and each packet is one of QEMU's"
has "$(guest_does 'ping -c 1 -W 2 10.0.3.2')" '100% packet loss' "the card that is not named is none"
is "$(stat -c %s /tmp/dump1)" 24 "... and the host gets not a byte of it"
none "$(guest_does "dmesg | sed '1,/Run .init/d'" | grep -E 'WARNING: |BUG: |Call Trace')" \
	"no warning in the guest's log"
guest_type 'poweroff -f'
guest_end
is $? 0 "the guest powers off"
has "$(monctl disk check --key /tmp/key /tmp/sealed)" '0 problems' "the image verifies offline"

# ---- ordinary ----
guest_carried=()
start ordinary /tmp/plain
guest_does "blocks same /dev/vda $blocks 2" >/dev/null
has "$(blocks search /tmp/plain $blocks)" "^secret in $blocks blocks, $((blocks - 1)) repeated" \
	"(an ordinary disk's image has all of it)"
guest_does "blocks write /dev/vda $blocks 3" >/dev/null
has "$(search $secret process $qemu)" '^found [1-9]' "(so has an ordinary VM's QEMU)"
has "$(guest_does 'ping -c 1 -W 9 10.0.3.2')" ' 0% packet loss' "(both of its cards are some)"
[ "$(stat -c %s /tmp/dump1)" -gt 24 ]
ok $? "(... of which the host gets packets)"
guest_type 'poweroff -f'
guest_end
monitor_unloads
finish
