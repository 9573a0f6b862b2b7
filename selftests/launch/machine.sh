# shellcheck shell=bash
# A test of this folder runs itself in the test machine: on this side it is
# "in_machine ARGUMENTS-OF-RUN...", and what stands behind that happens inside.
# KERNEL=6.1|6.12|7.x chooses the kernel. Sourced.

if [ "${INSIDE:-}" ]; then
	# shellcheck source=selftests/launch/inside.sh
	. /lib/monitor/inside.sh
	in_machine()
	{
		:
	}
	launch_on()
	{
		cpus=$1
		# shellcheck source=selftests/launch/launch.sh
		. /lib/monitor/launch.sh
	}
	rounds_on()
	{
		# shellcheck source=selftests/launch/rounds.sh
		. /lib/monitor/rounds.sh
	}
	return
fi

launch=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
top=$(cd "$launch/../.." && pwd)

# module: monitor.ko for that kernel
module()
{
	echo "$top/build/module-$("$top/selftests/machine/kver" "${KERNEL:-6.1}")/monitor.ko"
}

# machine ARGUMENTS-OF-RUN... -- COMMAND...
machine()
{
	"$top/selftests/machine/run" --kernel "${KERNEL:-6.1}" \
		--add "$top/selftests/lib.sh:/lib/monitor/lib.sh" \
		--add "$launch/inside.sh:/lib/monitor/inside.sh" \
		--add "$launch/machine.sh:/lib/monitor/machine.sh" \
		--add "$top/build/launch/user:/usr/bin/user" "$@"
}

in_machine()
{
	machine --add "$0:/lib/monitor/test" "$@" -- \
		env INSIDE=/lib/monitor bash /lib/monitor/test
	exit
}

# launch_on CPUS: launch.sh there. With it goes a module of another name.
launch_on()
{
	local hash other=$top/build/launch/monitor2-${KERNEL:-6.1}.ko

	hash=$(xxd -p -c 64 "$(dirname "$(module)")/monitor.elf.sha256bin")
	rename_module "$(module)" "$other"
	machine --cpus "$1" --add "$0:/lib/monitor/test" --add "$launch/launch.sh:/lib/monitor/launch.sh" \
		--add "$other:/lib/monitor/monitor2.ko" -- \
		env INSIDE=/lib/monitor "image_hash=$hash" bash /lib/monitor/test
	exit
}

# rounds_on CPUS: rounds.sh there
rounds_on()
{
	machine --cpus "$1" --add "$0:/lib/monitor/test" \
		--add "$launch/rounds.sh:/lib/monitor/rounds.sh" -- \
		env INSIDE=/lib/monitor bash /lib/monitor/test
	exit
}

# rename_module FROM TO: the name that the kernel goes by is in struct module,
# behind a state and a list head.
rename_module()
{
	local at

	strip -g -o "$2.$$" "$1" || exit
	at=$(readelf -SW "$2.$$" | sed -n 's/.* \.gnu\.linkonce\.this_module  *PROGBITS  *[0-9a-f]* \([0-9a-f]*\).*/\1/p')
	printf monito2 | dd of="$2.$$" bs=1 seek=$((0x$at + 24)) conv=notrunc status=none &&
		mv "$2.$$" "$2"
}
