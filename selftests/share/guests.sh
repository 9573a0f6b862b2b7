# shellcheck shell=bash
# Two confidential guests pass a stream, and what others see of it. Sourced.
. selftests/share/lib.sh

# guests MB whole|first: see guests-inside.sh
guests()
{
	local mb=$1 sum blake='BLAKE2b [0-9a-f]{128}$' words='found [1-9][0-9]* in'

	out=$(in_machine 1280 guests-inside.sh "$mb" "$2")
	plan $(($(guest_count steal) + $(guest_count peer) + 25))
	diag "$out"

	[ -n "$(value name-a)" ] && [ "$(value name-a)" = "$(value name-b)" ]
	ok $? "guests of one kernel, initrd and command line have one name"
	[ -n "$(value name-c)" ] && [ "$(value name-a)" != "$(value name-c)" ] &&
		[ "$(value name-a | cut -d: -f1)" = "$(value name-c | cut -d: -f1)" ]
	ok $? "with another command line another, of the same launch"

	sum=$("build/tools/monpipe" stream "$mb" | b2sum | cut -d' ' -f1)
	has "$(value sent)" "^$mb MB, .*$blake" "one sends $mb MB"
	has "$(value received)" "^$mb MB, .*$blake" "the other receives them, and each word is right"
	is "$(value sent | grep -oE '[0-9a-f]{128}')" "$sum" "the checksum of what was sent is b2sum's"
	is "$(value received | grep -oE '[0-9a-f]{128}')" "$sum" "and that of what was received, too"
	has "$(value interrupts)" ' [1-9][0-9]* .*monguest.* [1-9][0-9]* .*monguest' \
		"both were woken by interrupts"

	is "$(grep -oE 'found [0-9]+ in' <<<"$(value 'search process')" | tr '\n' ' ')" \
		"found 0 in found 0 in " "the stream is not in QEMU's memory, on either side"
	has "$(value 'search physical')" '^found 0 in [1-9]' "nor in any frame of physical memory"
	has "$(value 'control process')" "$words" "a process of the host's that has the same: found there"
	has "$(value 'control physical')" "$words" "and in physical memory"

	is "$(value nothing)" 1 "nobody has offered: there is nothing to accept"
	is "$(value other-receive)" 1 "a guest of another name sees no offer"
	has "$(value id)" '^0x[0-9a-f]+$' "though there is one"
	guest_points steal
	all_there steal "all calls of the guest of another name were made"
	guest_points peer
	all_there peer "all calls of the peer were made"
	is "$(value owner-sees-end)" 0 "the peer ends the share: its owner is told"

	has "$(value killed)" '^(1|139)$' "QEMU is killed in a transfer: the other guest's program ends"
	has "$out" '^alive' "the other guest lives on"
	is "$(grep -oE '^[0-9a-f]{64}  /bin/busybox' <<<"$out" | uniq -c | awk '{ print $1 }')" 3 \
		"what the guests have in memory is right"
	is "$(grep -c '^=off 0' <<<"$out")" 2 "both that are left power off"
	has "$(value frames)" 'private 0 ' "no frame is a guest's any more"
	# but for tables of regions that the monitor keeps until it is unloaded
	[ "$(value frames | awk '{ print ($1 - $2 < 512) }')" = 1 ]
	ok $? "and the host has as many as before: $(value frames)"
	has "$out" '^unloaded' "the monitor unloads"
	has "$out" '^no warning' "no warning in the host's log"
}
