# shellcheck shell=bash
# What a guest's devices cost it, in ticks and exits. Sourced in the test machine, behind guest.sh;
# guest_reader has to be gone (quiet), for who waits must not look again and again: on the one CPU it
# would be measured, too.

kvm_exits=/sys/kernel/debug/kvm/exits

# guest_does COMMAND: as guest.sh's
guest_does()
{
	local line

	guest_type "$1; echo did it"
	while IFS= read -r -t 300 line <&6; do
		printf '%s\n' "${line%$'\r'}"
		[[ $line != "did it"* ]] || return
	done | tee -a $console
}

# quiet: the guest has started
quiet()
{
	guest_starts
	kill $guest_reader
}

# per_access COUNT COMMAND: of "COMMAND COUNT", which the guest does and which prints "ticks N",
# those and KVM's exits for 100
per_access()
{
	local before between after said

	guest_does "$2 $1" >/dev/null # once for caches
	before=$(cat $kvm_exits)
	guest_does "$2 $1" >/dev/null
	between=$(cat $kvm_exits)
	said=$(guest_does "$2 $((3 * $1))")
	after=$(cat $kvm_exits)
	# What the console takes is in both.
	echo "$(sed -n 's/^ticks //p' <<<"$said") $((100 * (after - 2 * between + before) / (2 * $1)))"
}
