# shellcheck shell=sh
# TAP version 13 for tests in shell (bash, or busybox in the test machine).
# Sourced; the test runs in the top directory, or inside the machine.
#
#	. selftests/lib.sh
#	plan 2
#	[ -f Makefile ]
#	ok $? "there is a Makefile"
#	is "$(uname)" Linux "this is Linux"
#	finish

tap_count=0
tap_failed=0
tap_planned=

# plan N: how many test points there will be
plan()
{
	echo "TAP version 13"
	echo "1..$1"
	tap_planned=$1
}

# skip_all REASON: nothing of this test can run here
skip_all()
{
	echo "TAP version 13"
	echo "1..0 # SKIP $*"
	exit 4
}

# ok STATUS NAME: a test point; good if STATUS is 0
ok()
{
	tap_status=$1
	shift
	tap_count=$((tap_count + 1))
	if [ "$tap_status" = 0 ]; then
		echo "ok $tap_count - $*"
	else
		echo "not ok $tap_count - $*"
		tap_failed=$((tap_failed + 1))
	fi
	return "$tap_status"
}

# skip NAME REASON: a test point that cannot be made here
skip()
{
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

# diag TEXT...: for people; each line becomes a comment
diag()
{
	printf '%s\n' "$@" | sed 's/^/# /'
}

# not_ok: what is() and the like end with; a test under "set -e" goes on to its other points
not_ok()
{
	case $- in
	*e*) return 0 ;;
	esac
	return 1
}

# is GOT WANTED NAME: a test point; the two texts are equal
is()
{
	if [ "$1" = "$2" ]; then
		ok 0 "$3"
	else
		ok 1 "$3" || diag "     got: $1" "  wanted: $2"
		not_ok
	fi
}

# has TEXT PATTERN NAME: a test point; a line of TEXT matches the pattern of grep -E
has()
{
	# not -q: it would end at once, and with pipefail what is left to write be an error
	if printf '%s\n' "$1" | grep -E -e "$2" >/dev/null; then
		ok 0 "$3"
	else
		ok 1 "$3" || diag "no line matches '$2' in:" "$1"
		not_ok
	fi
}

# none TEXT NAME: a test point; TEXT, a list of findings, is empty
none()
{
	if [ -z "$1" ]; then
		ok 0 "$2"
	else
		ok 1 "$2" || diag "$(printf '%s\n' "$1" | head -n 40)"
		not_ok
	fi
}

# finish: the end of the test
finish()
{
	if [ "$tap_count" != "$tap_planned" ]; then
		diag "$tap_count test points, $tap_planned planned"
		exit 1
	fi
	[ "$tap_failed" = 0 ]
	exit
}
