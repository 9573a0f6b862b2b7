#!/bin/bash
# usage: rom-inside.sh
#
# In the test machine: SeaBIOS, with a card that has an option ROM, up to where it finds nothing to
# boot. It reads the card's configuration by ports (pc), or where memory is (q35).
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh

log=/tmp/firmware

# firmware ordinary|confidential MACHINE: what it says
firmware()
{
	: >$log
	guest_run "$1" -M "$2" -device e1000,romfile=/rom,addr=5 \
		-chardev file,id=log,path=$log -device isa-debugcon,iobase=0x402,chardev=log
	until grep -q 'No bootable device' $log; do
		kill -0 $qemu 2>/dev/null || break
		sleep 0.2
	done
	guest_monitor quit >/dev/null
	guest_end
}

plan 10
modprobe kvm_intel || exit 1
for machine in pc q35; do
	firmware ordinary $machine
	has "$(cat $log)" "the host's option ROM runs" "(of an ordinary VM, $machine, it runs)"
done
rmmod kvm_intel
insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
for machine in pc q35; do
	firmware confidential $machine
	has "$(cat $log)" 'No bootable device' "$machine: the firmware has done all it does"
	has "$(cat $log)" 'PCI: init bdf=00:05.0 id=8086:100e' "... and has found the card"
	none "$(grep 'option ROM runs' $log)" "... and no ROM of it"
done
monitor_unloads
finish
