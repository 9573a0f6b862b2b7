#!/bin/bash
# In the test machine: a guest's disk under KVM alone, and a sealed one. Prints "NAME FIGURE".
set -uo pipefail
. /usr/bin/guest.sh

blocks=2048
kvm_exits=/sys/kernel/debug/kvm/exits

# per_access KIND SIZE COUNT: ticks and KVM's exits for each
per_access()
{
	local before between after said

	guest_does "disk /dev/vda $1 $2 $3" >/dev/null # once for caches
	before=$(cat $kvm_exits)
	guest_does "disk /dev/vda $1 $2 $3" >/dev/null
	between=$(cat $kvm_exits)
	said=$(guest_does "disk /dev/vda $1 $2 $((3 * $3))")
	after=$(cat $kvm_exits)
	# What the console takes is in both.
	echo "$(sed -n 's/^ticks //p' <<<"$said") $((100 * (after - 2 * between + before) / (2 * $3)))"
}

# measure NAME
measure()
{
	local kind size count ticks exits

	while read -r kind size count; do
		read -r ticks exits < <(per_access "$kind" "$size" "$count")
		echo "$1.$kind.$size.ticks $ticks"
		echo "$1.$kind.$size.exits $exits"
	done <<-END
		read 4096 60
		write 4096 60
		read 1048576 3
		write 1048576 3
		flush 4096 20
	END
}

# with ordinary|confidential IMAGE NAME
with()
{
	guest_start "$1" 1 : -M q35 -drive "file=$2,if=none,id=d,format=raw" \
		-device virtio-blk-pci,drive=d,id=disk0,addr=4
	guest_says '^/ # ' || {
		cat $console /tmp/qemu.out
		exit 1
	}
	guest_loads virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} virtio_pci virtio_blk || exit
	measure "$3"
	guest_type 'poweroff -f'
	guest_end
}

truncate -s $((blocks * 4096)) /tmp/plain
head -c $((blocks * 4096)) /dev/urandom >/tmp/plain
modprobe kvm_intel || exit
with ordinary /tmp/plain disk.kvm
rmmod kvm_intel
monctl disk import --key /tmp/key --new-key /tmp/plain /tmp/sealed >/dev/null || exit
insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit
guest_carried=(--disk disk0=/tmp/key)
with confidential /tmp/sealed disk.sealed
