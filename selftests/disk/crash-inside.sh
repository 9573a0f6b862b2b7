#!/bin/bash
# usage: crash-inside.sh ROUNDS KILL...
#
# In the test machine: a guest writes its sealed disk in rounds, and all that QEMU writes is
# logged. For each KILL QEMU is killed (power.c says where), and the VM is started again. Then
# an ordinary VM with an ordinary disk. Prints test points, a line LOGS, and an archive.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh
rounds=$1
shift

# start ordinary|confidential IMAGE
start()
{
	export LD_PRELOAD=/lib/power.so POWER_LOG=/tmp/logs/${2##*/}.log POWER_OF=$2
	guest_start "$1" 1 : -M q35 -drive "file=$2,if=none,id=d,format=raw,aio=threads" \
		-device virtio-blk-pci,drive=d,id=disk0,addr=4
	unset LD_PRELOAD
	guest_says '^/ # ' || return 1 # SeaBIOS opens the disk
	guest_loads virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} virtio_pci virtio_blk
}

# The last rounds that both writers have flushed.
flushed()
{
	local writer round

	for writer in 0 1; do
		round=$(sed -n "s/^flushed $writer //p" $console | tail -n 1)
		[ -z "$round" ] || floor[writer]=$round
	done
}

# What was flushed is there: what the guest says, and that it is good.
looks()
{
	local said

	said=$(guest_does "rounds check /dev/vda ${floor[*]}" | grep ^checked)
	has "$said" '^checked: 48 good, .*, 0 lost, 0 wrong' "$1: $said"
}

# write_all FROM TO: and the guest ends
write_all()
{
	guest_type "rounds write /dev/vda $1 $2"
	guest_says '^rounds done 0'
	flushed
	guest_type 'poweroff -f'
	guest_end
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
mkdir /tmp/logs
chmod 600 /power/key
cp /power/sealed /tmp/sealed
floor=(0 0) from=1
guest_carried=(--disk disk0=/power/key)
for kill in "$@"; do
	POWER_KILL=$kill start confidential /tmp/sealed
	if kill -0 $qemu 2>/dev/null; then
		looks "a VM that is started again"
		guest_type "rounds write /dev/vda $from $((from + rounds - 1))"
		guest_says '^rounds done' && kill $qemu # too late
	else
		ok 0 "(this time while the disk is opened)"
	fi
	guest_end
	is $? 137 "QEMU is killed: $kill"
	flushed
	from=$((from + 32)) # ROUND_BOOT
done
start confidential /tmp/sealed
looks "the last VM"
write_all $from $((from + rounds - 1))
is $? 0 "all is written"
has "$(monctl disk check --key /power/key /tmp/sealed)" '0 problems' "the image verifies"

guest_carried=()
truncate -s 2560K /tmp/plain
start ordinary /tmp/plain
write_all 1 4
is $? 0 "(an ordinary VM's, too)"
monitor_unloads
mv /tmp/sealed /tmp/logs
echo LOGS
tar -C /tmp/logs -cf - .
