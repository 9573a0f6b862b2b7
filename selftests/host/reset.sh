# shellcheck shell=bash
# Ways to reset the machine while the monitor runs: it starts anew, and nothing hangs.
# The test machine is turned off when it starts for the second time. Sourced.
. selftests/lib.sh

# resets NAME COMMAND [ARGUMENT-OF-RUN]...
resets()
{
	local name=$1 command=$2 out status=0

	shift 2
	out=$(selftests/machine/run --kernel "${KERNEL:-6.1}" --cpus 2 --mem 512 --timeout 100 "$@" -- sh -c \
		"insmod /lib/monitor/monitor.ko && insmod /lib/monitor/testmod.ko && echo launched
		$command
		sleep 1000" 2>&1) || status=$?
	has "$out" '^launched$' "$name: (launched)"
	is "$status" 125 "$name: the machine is reset"
	has "$out" 'machine stopped before the command was over' "... and starts anew" ||
		diag "$out"
}
