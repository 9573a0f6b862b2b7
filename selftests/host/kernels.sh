# shellcheck shell=bash
# The tests of this suite, on another kernel than Debian 12's. Sourced.
. selftests/lib.sh

# on_kernel SERIES: a test point for each test that does not choose its kernel itself
on_kernel()
{
	local test tests said

	mapfile -t tests < <(grep -L '^export KERNEL' selftests/host/*.test)
	plan ${#tests[@]}
	selftests/host/setup-kernel "$1" >&2 || exit
	for test in "${tests[@]}"; do
		said=$(KERNEL=$1 "$test" 2>&1)
		ok $? "$1: ${test##*/}" || diag "$said"
	done
	finish
}
