# shellcheck shell=bash
# A test of this folder runs itself in the test machine: on this side it is
# "in_machine ARGUMENTS-OF-RUN...", and what stands behind that happens inside, on
# CPU 0 unless it says otherwise. KERNEL=6.1|6.12|7.x chooses the kernel, for which
# setup-kernel has to have run. Sourced.

if [ "${INSIDE:-}" ]; then
	# shellcheck source=selftests/launch/inside.sh
	. /lib/monitor/inside.sh
	# shellcheck source=selftests/host/next.sh
	. /lib/monitor/next.sh
	cpus=/sys/devices/system/cpu
	declare -A vm_pid

	in_machine()
	{
		:
	}

	# within SECONDS COMMAND...: until it is true; false if it never was
	within()
	{
		local n=$(($1 * 20))

		shift
		until "$@"; do
			[ $((n -= 1)) -gt 0 ] || return 1
			sleep 0.05
		done
	}

	# vm_rounds NAME: how often it has looked
	vm_rounds()
	{
		cat "/tmp/vm-$1" 2>/dev/null
	}

	# vm_beyond NAME ROUNDS
	vm_beyond()
	{
		local rounds

		rounds=$(vm_rounds "$1")
		[[ $rounds =~ ^[0-9]+$ ]] && [ "$rounds" -gt "$2" ]
	}

	# vm_goes_on NAME POINT: a test point; three times more it finds its memory as it was
	vm_goes_on()
	{
		local rounds

		rounds=$(vm_rounds "$1")
		within 20 vm_beyond "$1" $((${rounds%%[^0-9]*} + 3))
		ok $? "$2" || diag "$rounds, $(vm_rounds "$1")"
	}

	# vm_start NAME confidential|ordinary MASK N [MILLISECONDS]: on the CPUs of the mask, with
	# secret N, and sleeping between two rounds
	vm_start()
	{
		taskset "$3" steady "$2" "/tmp/vm-$1" "${@:4}" >"/tmp/out-$1" 2>&1 &
		vm_pid[$1]=$!
		within 20 vm_beyond "$1" 0 || {
			echo "Bail out! no VM"
			cat "/tmp/out-$1"
			exit 1
		}
	}

	# vm_end NAME
	vm_end()
	{
		kill "${vm_pid[$1]}"
		wait "${vm_pid[$1]}" 2>/dev/null
		rm -f "/tmp/vm-$1"
	}

	online()
	{
		cat $cpus/online
	}

	# turn CPU 0|1: offline or online
	turn()
	{
		{ echo "$2" >"$cpus/cpu$1/online"; } 2>/dev/null
	}

	# parked CPU: it waits for a SIPI in the monitor
	parked()
	{
		local init sipi

		init=$(value "cpu $1 host exit 3") sipi=$(value "cpu $1 host exit 4")
		[ "${init:-0}" -gt "${sipi:-0}" ]
	}

	# answers CPU: is there a monitor under it?
	answers()
	{
		t vmcall "$1" 0x4d4f4e0000000000
		[ "$a" = 1 ]
	}

	settled()
	{
		[ "$(value 'frames transit')" = 0 ]
	}
	return
fi

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

programs=()
for program in steady keep vmcore kexec killed samples mcheck isa; do
	programs+=(--add "$top/build/host/$program:/usr/bin/$program")
done

# for tests that start it again: else the guests' kernel is there, which is 6.1
# shellcheck disable=SC2034
next_kernel=(--add "$top/build/host/${KERNEL:-6.1}/vmlinux:/guest/vmlinux")

# machine ARGUMENTS-OF-RUN... -- COMMAND...
machine()
{
	"$top/selftests/machine/run" --kernel "${KERNEL:-6.1}" \
		--add "$top/selftests/lib.sh:/lib/monitor/lib.sh" \
		--add "$top/selftests/launch/inside.sh:/lib/monitor/inside.sh" \
		--add "$top/selftests/host/machine.sh:/lib/monitor/machine.sh" \
		--add "$top/selftests/host/next.sh:/lib/monitor/next.sh" \
		"${programs[@]}" "$@"
}

in_machine()
{
	machine --add "$0:/lib/monitor/test" "$@" -- \
		taskset 1 env INSIDE=/lib/monitor bash /lib/monitor/test
	exit
}
