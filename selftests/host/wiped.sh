# shellcheck shell=bash
# What is in memory when the machine starts again, after each of the ways to reset it:
# a secret of a confidential VM, which runs on another CPU meanwhile, and a number in
# the memory of an ordinary process, which is the control. Sourced.
# shellcheck source=selftests/lib.sh
. selftests/lib.sh

PROTECTED=a5a5edcba9876543 OPEN=c3c30123456789ab WORDS=$((1 << 17))

inverted()
{
	printf '%x\n' $((~0x$1))
}

# in_machine: Bochs' firmware wakes from a sleep where ACPI's FACS says; at 0x7c00 is the
# boot sector yet, which looks through memory.
# shellcheck disable=SC2016 # for the shell in the machine
in_machine='insmod /lib/monitor/testmod.ko && insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit
facs=$(($(od -An -tu4 -j36 -N4 /sys/firmware/acpi/tables/FACP)))
echo "store 4 $((facs + 12)) 0x7c00 m" >/sys/kernel/debug/testmod/do
exec wiped "$@"'

# Pages that were moved meanwhile are there twice.
# after WAY NAME [ARGUMENT-OF-RUN]...: two test points
after()
{
	local way=$1 name=$2 found

	shift 2
	found=$(selftests/machine/run --kernel "${KERNEL:-6.1}" --cpus 2 "$@" \
		--find-after-reset $PROTECTED,$OPEN --add build/host/wiped:/usr/bin/wiped -- \
		sh -c "$in_machine" sh "$(inverted $PROTECTED)" "$(inverted $OPEN)" "$way" |
		grep -E '^[0-9A-F]{8}$')
	read -r -d "" -a found <<<"$found"
	[ "$((0x${found[1]:-0}))" -ge "$WORDS" ]
	ok $? "$name: ordinary memory is as it was" || diag "found: ${found[1]:-nothing}"
	is "${found[0]:-}" 00000000 "$name: what a confidential VM had is nowhere"
}
