# shellcheck shell=bash
# Ordinary guests on the monitor: they boot, their memory is right, they power
# off. Sourced by the tests.
. selftests/lib.sh

# guests NAME COUNT CPUS-OF-EACH SHADOWING RUN-OPTIONS -- [PARAMETER]... -- QEMU-OPTIONS...
guests()
{
	name=$1 count=$2 cpus=$3 shadowing=$4
	shift 4
	options=()
	while [ "$1" != -- ]; do options+=("$1"); shift; done
	shift
	out=$(selftests/machine/run --qemu "${options[@]}" \
		--add selftests/nested/guests-inside.sh:/guests.sh -- bash /guests.sh "$count" "$@" 2>&1)
	diag "$out"
	[ "$(grep -c GUEST-UP <<<"$out")" = "$count" ] &&
		[ "$(grep -c "^CPUS $cpus" <<<"$out")" = "$count" ] &&
		[ "$(grep -c '^status 0' <<<"$out")" = "$count" ] &&
		grep -q "^vmcs shadowing: $shadowing" <<<"$out"
	ok $? "$name: $count with $cpus CPUs to user space and off"
	sums=$(grep -oE '^[0-9a-f]{64}  /bin/busybox' <<<"$out")
	[ "$(wc -l <<<"$sums")" = $((count + 1)) ] && [ "$(sort -u <<<"$sums" | wc -l)" = 1 ] &&
		grep -q '^no warning' <<<"$out"
	ok $? "$name: their memory is right, no warning in the host"
}
