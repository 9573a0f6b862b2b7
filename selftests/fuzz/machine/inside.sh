# shellcheck shell=bash
# In the test machine.
#
# usage: inside.sh SEED INPUTS PLANTED SECONDS [sound|planted|blind]...
#
# sound: the fuzzer finds nothing, and the monitor leaves; then the usual monitor, which does
# not know the fuzzer's calls. planted: the image with a hole; the machine does not live on.
. /ask.sh

FUZZ_END=$((0x46555a01))

# But for that of the module, when it gets a frame back that the fuzzer had given.
complaints()
{
	dmesg | awk '/cut here/ { block = ""; inside = 1 }
		!inside { print; next }
		{ block = block $0 "\n" }
		/end trace/ {
			if (block !~ /came back that was not given/)
				printf "%s", block
			inside = 0
		}' | grep -E 'WARNING: |BUG: |Oops|Call Trace|general protection|rcu.*(stall|detected)|lockup|KASAN|monitor: .*(lost|not gone|come back)' |
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
		echo "=blind begins"
		fuzzer /seeds "$seed" "$planted" "$seconds" blind
		echo "=blind $?"
		unloaded
		;;
	esac
done
