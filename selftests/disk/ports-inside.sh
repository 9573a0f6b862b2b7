#!/bin/bash
# usage: ports-inside.sh
#
# In the test machine: a guest whose devices are behind root ports, as libvirt writes them. Its disk
# has a thread of its own and four queues, its card two pairs, which the host's kernel serves (vhost).
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh

blocks=64

# port N: the root port pci.N, which has bus N
port()
{
	printf '{"driver":"pcie-root-port","port":%d,"chassis":%d,"id":"pci.%d","bus":"pcie.0",%s"addr":"0x1.0x%d"}' \
		$((7 + $1)) "$1" "$1" "$([ "$1" != 1 ] || echo '"multifunction":true,')" $(($1 - 1))
}

# card N BUS [MORE]
card()
{
	printf '{"driver":"virtio-net-pci","netdev":"hostnet%d","id":"net%d","mac":"52:54:00:00:00:0%d","romfile":"","bus":"%s","addr":"0x0"%s}' \
		"$1" "$1" "$1" "$2" "${3:-}"
}
# disk N BUS MODEL MORE
disk()
{
	printf '{"driver":"virtio-blk-pci%s","bus":"%s","addr":"0x0","drive":"libvirt-%d-format","id":"virtio-disk%d",%s}' \
		"$3" "$2" "$1" "$1" "$4"
}

# turns NAME: how often threads of that name have run
turns()
{
	local comm

	for comm in /proc/[0-9]*/task/[0-9]*/comm; do
		[ "$(cat $comm 2>/dev/null)" = "$1" ] && cut -d ' ' -f 3 "${comm%comm}schedstat"
	done | awk '{ n += $1 } END { print n + 0 }'
}

# ... with no control queue, for whose answer the driver would wait
without=
for feature in vq rx vlan mac_addr guest_offloads; do
	without+=",\"ctrl_$feature\":false"
done
without+=',"guest_announce":false'

# config HOW BUS FUNCTION REGISTER [SIZE VALUE]: in the guest
config()
{
	guest_does "config $*" | sed -n 's/^[a-z]*: //p'
}

# came N: interrupts that the guest has had for what came by pair N of the card
came()
{
	guest_does "n=\$(basename \$(readlink /sys/class/net/eth0/device))-input.$1; while read -r i a b c; do [ \"\${c##* }\" != \$n ] || echo came \$((a + b)); done </proc/interrupts" |
		sed -n 's/^came //p'
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
vhost_loads || exit 1
truncate -s $((blocks * 4096)) /tmp/plain
blocks write /tmp/plain $blocks 1 >/dev/null
for i in 0 1; do
	monctl disk import --key /tmp/key$i --new-key /tmp/plain /tmp/sealed$i >/dev/null || exit 1
	storage+=(-blockdev "{\"driver\":\"file\",\"filename\":\"/tmp/sealed$i\",\"node-name\":\"libvirt-$i-storage\",\"auto-read-only\":true}"
		-blockdev "{\"node-name\":\"libvirt-$i-format\",\"read-only\":false,\"driver\":\"raw\",\"file\":\"libvirt-$i-storage\"}")
done

plan 38
guest_carried=(--disk virtio-disk0=/tmp/key0 --disk virtio-disk1=/tmp/key1 --network "net0,queues=2"
	--network "net2,queues=2")
guest_start confidential 2 : -name guest=ports,debug-threads=on \
	-object '{"qom-type":"iothread","id":"iothread1"}' \
	-device "$(port 1)" -device "$(port 2)" -device "$(port 3)" -device "$(port 4)" -device "$(port 5)" "${storage[@]}" \
	-device "$(disk 0 pci.1 "" '"num-queues":4,"iothread":"iothread1","write-cache":"on"')" \
	-device "$(disk 1 pci.4 -non-transitional '"packed":true,"write-cache":"off"')" \
	-netdev '{"type":"tap","ifname":"tap0","script":"no","downscript":"no","vhost":true,"queues":2,"id":"hostnet0"}' \
	-device "$(card 0 pci.2 ',"mq":true,"vectors":6')" \
	-netdev user,id=hostnet2 -device "$(card 2 pci.5 ',"mq":true,"vectors":6')" \
	-netdev user,id=hostnet1,net=10.0.3.0/24 -device "$(card 1 pci.3 "$without")" \
	-object filter-dump,id=dump1,netdev=hostnet1,file=/tmp/dump1 \
	-append "console=ttyS0 tsc_early_khz=200000 quiet nowatchdog cryptomgr.notests iomem=relaxed"
guest_starts
has "$(cat /tmp/qemu.out)" 'id=net1: the guest cannot use it' "a card that is not named is told of"
guest_loads failover net_failover virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} virtio_pci \
	virtio_blk virtio_net
said=$(guest_does "ls -1 /sys/bus/pci/devices; cat /proc/partitions")
is "$(grep -c '^0000:0[12345]:00.0' <<<"$said")" 5 "a stock guest has a device behind each port"
has "$said" " $((4 * blocks)) vda" "... a sealed disk among them"
has "$said" " $((4 * blocks)) vdb" "... and another one"
said=$(guest_does "for d in /sys/bus/virtio/devices/*; do echo features \$(cat \$d/device \$d/features); done")
is "$(grep -c "^features 0x0002 $(bits 2 6 9 10 13 14 28 32)$" <<<"$said")" 2 \
	"the disks have the monitor's features: one queue, not packed, whatever QEMU's have"
has "$said" "^features 0x0001 $(bits 5 16 17 22 32)$" "... the card, too, which has two pairs"
has "$said" "^features 0x0001 .{29}1" "(QEMU's own offers more)"

# ---- the disks ----
before=$(turns 'IO iothread1')
for i in a b; do
	has "$(guest_does "blocks check /dev/vd$i $blocks 1")" \
		"checked: $blocks good, 0 refused, 0 wrong" "vd$i: what monctl has written, it reads"
	guest_does "blocks same /dev/vd$i $blocks 2" >/dev/null
done
for i in 0 1; do
	has "$(blocks search /tmp/sealed$i $blocks)" '^secret in 0 blocks, 0 repeated' \
		"nothing of what it writes is in the image"
done
blocks same /tmp/plain $blocks 2 >/dev/null
has "$(blocks search /tmp/plain $blocks)" "^secret in $blocks blocks" "(it would be found)"
[ "$(turns 'IO iothread1')" -gt $((before + blocks)) ]
ok $? "the first one's work is done by its own thread of QEMU"

# ---- the cards ----
ip addr add 10.0.2.2/24 dev tap0 && ip link set tap0 up
guest_does "ip addr add 10.0.2.15/24 dev eth0; ip addr add 10.0.3.15/24 dev eth1; ip link set eth0 up; ip link set eth1 up" >/dev/null
before=$(turns "vhost-$qemu")
has "$(guest_does 'ping -c 9 -i 0.1 -s 1400 -W 9 10.0.2.2')" ' 0% packet loss' \
	"the card that is named is one"
has "$(ping -c 9 -i 0.1 -s 1400 -W 9 10.0.2.15)" ' 0% packet loss' "... and the host reaches it"
[ "$(turns "vhost-$qemu")" -gt $((before + 18)) ]
ok $? "what it sends and gets is carried by the host's kernel"
is "$(guest_does 'ls -1d /sys/class/net/eth0/queues/*' | grep -c '^/sys')" 4 "... with two pairs"
for i in 0 1; do
	before=$(came $i)
	has "$(guest_does "taskset $((i + 1)) ping -c 6 -i 0.1 -W 9 10.0.2.2")" ' 0% packet loss' \
		"what vCPU $i sends, by pair $i"
	[ "$(came $i)" -ge $((before + 4)) ]
	ok $? "... gets its answers there"
done
said=$(guest_does "for i in 2 5; do ls -d /sys/bus/pci/devices/0000:0\$i:00.0/virtio*/net; echo 0\$i has \$?; done")
is "$(grep '^0. has' <<<"$said" | tr '\n' ' ')" "02 has 0 05 has 1 " \
	"a card of which QEMU has fewer pairs than was said is none"
has "$(guest_does 'ping -c 1 -W 2 10.0.3.2')" '100% packet loss' "the one that is not is none"
is "$(stat -c %s /tmp/dump1)" 24 "... and the host gets not a byte of it"

# ---- where the configuration is ----
for how in port string memory; do
	is "$(config $how 1 0 34) $(config $how 2 0 34)" "00000040 00000040" \
		"by $how: the disk's and the card's configuration are the monitor's"
done
[ "$(config string 3 0 34)" != 00000040 ]
ok $? "(that of QEMU's card is another)"
config memory 0 8 1a 1 9 >/dev/null
config memory 0 8 19 1 9 >/dev/null
is "$(config port 9 0 34) $(config port 1 0 34)" "00000040 ffffffff" "the port's bus is renumbered"
has "$(guest_does "blocks write /dev/vda $blocks 3; blocks check /dev/vda $blocks 3")" \
	"checked: $blocks good, 0 refused, 0 wrong" "... and the disk works there"
config string 0 8 18 4 10100 >/dev/null
is "$(config memory 9 0 34) $(config memory 1 0 34)" "ffffffff 00000040" "... and back"

# ---- the host unplugs the card ----
guest_monitor 'device_del net0' >/dev/null
said=$(guest_does "n=0; while grep -q eth0 /proc/net/dev && [ \$n -lt 5000 ]; do n=\$((n + 1)); done; ls -1 /sys/class/net; blocks check /dev/vda $blocks 3")
none "$(grep '^eth0' <<<"$said")" "a card that the host unplugs is gone"
has "$said" "checked: $blocks good, 0 refused, 0 wrong" "... and the disk is not"

guest_type 'poweroff -f'
guest_end
is $? 0 "the guest powers off"
for i in 0 1; do
	has "$(monctl disk check --key /tmp/key$i /tmp/sealed$i)" '0 problems' \
		"the image verifies offline"
done
monitor_unloads
finish
