# shellcheck shell=bash
# Compares KVM's selftests with and without the monitor. Sourced.

# compare WHEN PASS PARAMETER RUN-OPTION...: those of the list "selftests" that say
# WHEN, with this parameter of kvm_intel if any; so many of them have to pass
compare()
{
	local when=$1 pass=$2 parameter=$3 here=selftests/kvm work options=() name

	shift 3
	work=$(mktemp -d build/kvm.XXXXXX)
	# shellcheck disable=SC2064 # it is local
	trap "rm -rf $work" EXIT
	awk -v when="$when" '/^[a-z]/ && $1 ~ "^(" when ")$" { $1 = ""; print }' \
		$here/selftests >"$work/list"
	awk '/^[a-z]/ { print $3; if (sub(/\.sh$/, "", $3)) print $3 }' $here/selftests |
		LC_ALL=C sort -u >"$work/listed"
	find build/kvm-selftests/ -type f -printf '%f\n' | LC_ALL=C sort |
		LC_ALL=C diff "$work/listed" - >"$work/unlisted"
	while read -r _ name _; do
		options+=(--add "build/kvm-selftests/$name:/kvm/$name")
		[ "$name" = "${name%.sh}" ] ||
			options+=(--add "build/kvm-selftests/${name%.sh}:/kvm/${name%.sh}")
	done <"$work/list"
	selftests/machine/run "$@" "${options[@]}" --add selftests/lib.sh:/lib.sh \
		--add "$work/list:/list" --add "$work/unlisted:/unlisted" \
		--add $here/inside.sh:/inside.sh -- \
		bash /inside.sh "$pass" ${parameter:+"$parameter"}
}
