#!/bin/bash
# In the test machine: a guest's network card under KVM alone, and that of a confidential guest, with
# one pair of queues and with two; the host's kernel has QEMU's part (vhost). Prints "NAME FIGURE".
set -uo pipefail
. /usr/bin/guest.sh
. /usr/bin/quiet.sh

# with ordinary|confidential NAME QUEUES
with()
{
	local at_once ticks exits queues=

	[ "$3" = 1 ] || queues=,queues=$3
	guest_start "$1" "$3" : -M q35 -netdev "tap,id=h,ifname=tap0,script=no,downscript=no,vhost=on$queues" \
		-device "virtio-net-pci,netdev=h,id=net0,addr=4,romfile=$([ "$3" = 1 ] || echo ,mq=on)"
	quiet
	guest_loads failover net_failover virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} \
		virtio_pci virtio_net || exit
	ip addr add 10.0.2.2/24 dev tap0 && ip link set tap0 up || exit
	guest_does "ip addr add 10.0.2.15/24 dev eth0; ip link set eth0 up; until ping -c 1 10.0.2.2; do :; done" >/dev/null
	for at_once in 1 16; do
		read -r ticks exits < <(per_access $((64 / at_once)) "net 10.0.2.2 7 $at_once")
		echo "net.$2.$at_once.ticks $ticks"
		echo "net.$2.$at_once.exits $((exits / at_once))"
	done
	guest_type 'poweroff -f'
	guest_end
}

vhost_loads || exit
mkfifo /tmp/there
net echo 7 >/tmp/there &
read -r _ </tmp/there || exit
modprobe kvm_intel || exit
with ordinary kvm 1
rmmod kvm_intel
insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit
guest_carried=(--network net0)
with confidential pair 1
guest_carried=(--network "net0,queues=2")
with confidential pairs 2
kill %1
