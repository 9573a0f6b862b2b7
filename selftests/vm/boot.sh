# shellcheck shell=bash
# A confidential VM on a host with one of Debian's kernels: boots to user space,
# takes a command from its console, powers off. Sourced by the tests.
. selftests/lib.sh

# boot KERNEL CPUS VCPUS MACHINE
boot()
{
	local out name="host $1, $2 CPUs; $4, $3 vCPUs"

	out=$(selftests/machine/run --qemu --kernel "$1" --cpus "$2" \
		--add selftests/vm/guest.sh:/usr/bin/guest.sh \
		--add selftests/vm/boot-inside.sh:/usr/bin/boot-inside.sh \
		-- bash /usr/bin/boot-inside.sh "$3" "$4" 2>&1)
	diag "$out"
	has "$out" '^GUEST-UP' "$name: a stock Debian kernel boots to user space"
	has "$out" "^$3 CPUs is what I have" "$name: a command typed at its console is answered"
	[ "$(grep -oE '[0-9a-f]{64}  /bin/busybox' <<<"$out" | sort | uniq -c | awk '{print $1}')" = 2 ]
	ok $? "$name: its memory is right: the checksum of a file is the host's"
	has "$out" '^status 0' "$name: it powers off"
	has "$out" '^measurement [0-9a-f]{64}$' "$name: launch measurement is what monctl measure computes"
	has "$out" '^unloaded, [0-9]+ exits of which' "$name: nothing is left, the monitor unloads"
	has "$out" '^no warning' "$name: no warning in the host's log"
}
