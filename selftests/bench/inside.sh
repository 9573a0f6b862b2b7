#!/bin/bash
# usage: inside.sh guests|host|shares|enclaves|sqlite
#
# In the test machine: measure, and print lines "key value". Ticks are those of
# the time stamp counter: one for each instruction, under Bochs.
set -uo pipefail
. /usr/bin/guest.sh
monitor=/lib/monitor/monitor.ko
status=/sys/kernel/debug/monitor/status

# measured NAME PROGRAM...: the last of three rounds of CPUID, for the first warm up
measured()
{
	local name=$1 cpuid=() touch='' test ticks

	shift
	while read -r test ticks; do
		[ "$test" = cpuid ] && cpuid+=("$ticks") || touch=$ticks
	done < <("$@" cpuid 2000 cpuid 2000 cpuid 2000 touch 2000)
	[ ${#cpuid[@]} = 3 ] || return
	echo "$name.cpuid ${cpuid[2]}"
	echo "$name.touch $touch"
}

# exits [PATTERN]: the sum of all CPUs' host exits of these reasons
exits()
{
	sed -n "s/^cpu [0-9]* host exit \(${1:-[0-9]*}\): /\1 /p" $status |
		awk '{ n += $2 } END { print n + 0 }'
}

kvm_on_kvm()
{
	local module

	mkdir -p /guest-bin
	cp /usr/bin/guest /guest-bin/
	for module in irqbypass kvm kvm-intel; do
		cp "$(find /lib/modules -name $module.ko)" /guest-bin/
	done
	guest_start ordinary 1 "cd /bin; insmod irqbypass.ko; insmod kvm.ko; \
insmod kvm-intel.ko enable_apicv=0; guest cpuid 2000 cpuid 2000 touch 2000; echo MEASURED"
	guest_says '^MEASURED' || cat $console /tmp/qemu.out >&2
	guest_type 'poweroff -f'
	guest_end
	sed -n 's/^\(cpuid\|touch\) /kvm-on-kvm.\1 /p' $console | tail -2
}

guests()
{
	local before after fields more

	modprobe kvm_intel enable_apicv=0 || return
	measured kvm guest
	kvm_on_kvm
	rmmod kvm_intel
	insmod $monitor && modprobe kvm_intel || return
	measured monitor guest
	measured confidential guest confidential
	# what is left without starting a VM
	before=$(exits) fields=$(exits '2[35]')
	guest cpuid 10000 >/dev/null
	before=$(($(exits) - before)) fields=$(($(exits '2[35]') - fields))
	after=$(exits) more=$(exits '2[35]')
	guest cpuid 20000 >/dev/null
	echo "monitor.cpuid.exits $((($(exits) - after - before) / 100))"
	more=$(($(exits '2[35]') - more - fields))
	echo "monitor.cpuid.field-exits ${more#-}"
}

# during NAME COMMAND...: host exits in a second of the machine, 200 million ticks
during()
{
	local name=$1 before ticks

	shift
	before=$(exits)
	ticks=$(ticks "$@" 2>/dev/null)
	echo "$name $((($(exits) - before) * 200000 / (ticks / 1000)))"
}

frames()
{
	sed -n "s/^frames $1: //p" $status
}

host()
{
	local ram

	echo "launch.ticks $(ticks insmod $monitor)"
	ram=$(sed -n 's/^[0-9a-f]*-\([0-9a-f]*\) : System RAM/0x\1/p' /proc/iomem | tail -1)
	echo "memory.kib $(((ram + 1) / 1024))"
	echo "monitor.kib $((($(frames free) + $(frames used) + $(frames transit)) * 4))"
	during idle.exits sleep 5
	during compile.exits cc1 -quiet -fpreprocessed -O2 /lib/monitor/compile.i -o /dev/null
	echo "unload.ticks $(ticks rmmod monitor)"
	echo "compile.native.ticks $(ticks cc1 -quiet -fpreprocessed -O2 /lib/monitor/compile.i -o /dev/null)"
	insmod $monitor
	echo "compile.ticks $(ticks cc1 -quiet -fpreprocessed -O2 /lib/monitor/compile.i -o /dev/null)"
}

shares()
{
	local do=/sys/kernel/debug/testmod/do order

	insmod $monitor && modprobe kvm_intel && insmod /lib/monitor/testmod.ko || return
	for order in 0 9; do
		echo cost $order >$do && sed "s/^/frames.$order./" $do
	done
	share
}

enclaves()
{
	insmod $monitor && enclave
}

sqlite()
{
	mkdir /tmp/databases
	insmod $monitor && sqlite-bench /usr/lib/sqlite-bench.elf /tmp/databases
}

"$1"
