# shellcheck shell=bash
# Ways to reset the machine while the monitor runs: it starts anew, and nothing hangs.
# The test machine is turned off when it starts for the second time. Sourced.
. selftests/lib.sh

# ends COMMAND SECONDS [ARGUMENT-OF-RUN]...: how it does is in $out and $status
ends()
{
	local command=$1 seconds=$2

	shift 2
	status=0
	out=$(selftests/machine/run --kernel "${KERNEL:-6.1}" --cpus 2 --mem 512 --timeout "$seconds" "$@" -- sh -c \
		"insmod /lib/monitor/monitor.ko && insmod /lib/monitor/testmod.ko && echo launched
		$command
		sleep 1000" 2>&1) || status=$?
}

# resets NAME COMMAND [ARGUMENT-OF-RUN]...
resets()
{
	local name=$1

	ends "$2" 100 "${@:3}"
	has "$out" '^launched$' "$name: (launched)"
	is "$status" 125 "$name: the machine is reset"
	has "$out" 'machine stopped before the command was over' "... and starts anew" ||
		diag "$out"
}

# stands NAME COMMAND SAID: not that: its kernel says so much, and nothing more happens
stands()
{
	ends "$2" 40 --cmdline panic=0
	has "$out" '^launched$' "$1: (launched)"
	is "$status" 124 "$1: the machine stands still"
	has "$out" "$3" "... as its kernel has it"
}
