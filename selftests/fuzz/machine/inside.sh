# shellcheck shell=bash
# In the test machine.
#
# usage: inside.sh SEED INPUTS PLANTED SECONDS [sound|planted|blind]...
#
# sound: the fuzzer finds nothing, and the monitor leaves; then the usual monitor, which does
# not know the fuzzer's calls. planted: the image with a hole; the machine does not live on.
. /ask.sh

FUZZ_END=$((0x46555a01))

complaints()
{
	dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|general protection|rcu.*(stall|detected)|lockup|KASAN|monitor: .*(lost|not gone|come back)' |
		grep -v RETBleed
}

loaded()
{
	insmod "/lib/monitor/$1.ko" && modprobe kvm_intel
}

unloaded()
{
	rmmod kvm_intel && rmmod monitor
}

insmod /lib/monitor/testmod.ko || exit
echo 1 >/proc/sys/vm/nr_hugepages
seed=$1 inputs=$2 planted=$3 seconds=$4
shift 4
for what; do
	case $what in
	sound)
		loaded fuzz || exit
		hc $FUZZ_END
		echo "=there $a"
		fuzzer /seeds "$seed" "$inputs" "$seconds"
		echo "=status $?"
		unloaded && echo "=unloaded yes"
		echo "=complaints $(complaints | tr '\n' ';')"
		loaded monitor || exit
		hc $FUZZ_END
		echo "=usual $a"
		unloaded
		;;
	planted)
		loaded planted || exit
		echo "=planted begins"
		fuzzer /seeds "$seed" "$planted" "$seconds"
		echo "=planted $?"
		;;
	blind)
		loaded planted || exit
		fuzzer /seeds "$seed" "$planted" "$seconds" blind
		echo "=blind $?"
		unloaded
		;;
	esac
done
