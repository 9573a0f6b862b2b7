# shellcheck shell=bash
# What the tests with guests share. Sourced, in the top directory.
. selftests/lib.sh

# in_machine MB SCRIPT [ARGUMENT]...: the script in a test machine with so much memory
in_machine()
{
	local mb=$1 script=$2 s=build/share options=(--cpus 2) program

	shift 2
	for program in search keep; do
		options+=(--add "$s/$program:/usr/bin/$program")
	done
	for program in monguest.ko calls.ko ring3; do
		options+=(--add "$s/$program:/guest-bin/$program")
	done
	selftests/machine/run --qemu "${options[@]}" --mem "$mb" \
		--add build/tools/monpipe:/guest-bin/monpipe \
		--add selftests/share/vms.sh:/usr/bin/vms.sh \
		--add "selftests/share/$script:/usr/bin/inside.sh" \
		-- bash /usr/bin/inside.sh "$@" 2>&1
}

# value KEY: what the script says in $out, "=KEY ..."
value()
{
	sed -n "s/^=$1 //p" <<<"$out" | head -n 1
}

# guest_points KEY: a TAP point for each that a program in the guest said, on one line
guest_points()
{
	local line

	while IFS= read -r line; do
		[[ $line =~ ^(not )?ok\ [0-9]+\ -\ (.*) ]] || continue
		[ -z "${BASH_REMATCH[1]}" ]
		ok $? "${BASH_REMATCH[2]}"
	done < <(value "$1" | tr ';' '\n')
}

# guest_count KEY: how many points those are
guest_count()
{
	value "$1" | tr ';' '\n' | grep -cE '^(not )?ok [0-9]'
}

# all_there KEY NAME: a TAP point; as many points as the program has planned
all_there()
{
	local planned

	planned=$(value "$1" | tr ';' '\n' | sed -n 's/^1\.\.//p')
	is "$(guest_count "$1")" "${planned:-a plan}" "$2"
}
