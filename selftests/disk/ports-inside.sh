#!/bin/bash
# usage: ports-inside.sh
#
# In the test machine: a guest whose devices are behind root ports, as libvirt writes them.
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

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
truncate -s $((blocks * 4096)) /tmp/plain
blocks write /tmp/plain $blocks 1 >/dev/null
monctl disk import --key /tmp/key --new-key /tmp/plain /tmp/sealed >/dev/null || exit 1

plan 23
guest_carried=(--disk virtio-disk0=/tmp/key --network net0)
guest_start confidential 1 : -device "$(port 1)" -device "$(port 2)" -device "$(port 3)" \
	-blockdev '{"driver":"file","filename":"/tmp/sealed","node-name":"libvirt-1-storage","auto-read-only":true}' \
	-blockdev '{"node-name":"libvirt-1-format","read-only":false,"driver":"raw","file":"libvirt-1-storage"}' \
	-device '{"driver":"virtio-blk-pci","bus":"pci.1","addr":"0x0","drive":"libvirt-1-format","id":"virtio-disk0"}' \
	-netdev user,id=hostnet0 -device "$(card 0 pci.2)" \
	-netdev user,id=hostnet1,net=10.0.3.0/24 -device "$(card 1 pci.3 "$without")" \
	-object filter-dump,id=dump0,netdev=hostnet0,file=/tmp/dump0 \
	-object filter-dump,id=dump1,netdev=hostnet1,file=/tmp/dump1 \
	-append "console=ttyS0 tsc_early_khz=200000 quiet nowatchdog cryptomgr.notests iomem=relaxed"
guest_starts
has "$(cat /tmp/qemu.out)" 'id=net1: the guest cannot use it' "a card that is not named is told of"
guest_loads failover net_failover virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} virtio_pci \
	virtio_blk virtio_net
said=$(guest_does "ls -1 /sys/bus/pci/devices; cat /proc/partitions")
is "$(grep -c '^0000:0[123]:00.0' <<<"$said")" 3 "a stock guest has a device behind each port"
has "$said" " $((4 * blocks)) vda" "... a sealed disk among them"

# ---- the disk ----
has "$(guest_does "blocks check /dev/vda $blocks 1")" "checked: $blocks good, 0 refused, 0 wrong" \
	"what monctl has written, it reads"
guest_does "blocks same /dev/vda $blocks 2" >/dev/null
has "$(blocks search /tmp/sealed $blocks)" '^secret in 0 blocks, 0 repeated' \
	"nothing of what it writes is in the image"
blocks same /tmp/plain $blocks 2 >/dev/null
has "$(blocks search /tmp/plain $blocks)" "^secret in $blocks blocks" "(it would be found)"

# ---- the cards ----
guest_does "ip addr add 10.0.2.15/24 dev eth0; ip addr add 10.0.3.15/24 dev eth1; ip link set eth0 up; ip link set eth1 up" >/dev/null
has "$(guest_does 'ping -c 1 -W 9 10.0.2.2')" ' 0% packet loss' "the card that is named is one"
has "$(guest_does 'ping -c 1 -W 2 10.0.3.2')" '100% packet loss' "the one that is not is none"
is "$(stat -c %s /tmp/dump1)" 24 "... and the host gets not a byte of it"
[ "$(stat -c %s /tmp/dump0)" -gt 200 ]
ok $? "(of the other it gets what is sent)"

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
has "$(monctl disk check --key /tmp/key /tmp/sealed)" '0 problems' "the image verifies offline"
rmmod kvm_intel && rmmod monitor
is $? 0 "the monitor unloads"
none "$(dmesg | grep -E 'WARNING: |BUG: |Call Trace|monitor: .*lost' | grep -v RETBleed)" \
	"no warning in the host's log"
finish
