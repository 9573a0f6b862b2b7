# shellcheck shell=bash
# In the test machine: inside.sh PASS PARAMETER... Each line "SECONDS NAME [ARGUMENT]..."
# of /list is one of KVM's selftests, and runs without the monitor and then with it.
. /lib.sh
set -m # each in a process group of its own: what it leaves running ends with it

# nx_huge_pages_test.sh is root already
printf '#!/bin/sh\nexec "$@"\n' >/bin/sudo
chmod +x /bin/sudo

# result STATUS OUTPUT: in a word, or with what tells it from another one of its kind
result()
{
	case $1 in
	0) echo PASS ;;
	4) echo "SKIP $(sed -n 's/.*# SKIP[ -]*//p' "$2" | head -n 1)" ;;
	137) echo LATE ;;
	*) echo "FAIL $1 $(sed -n '/Test Assertion Failure/{n;s/^ *//p}' "$2" | head -n 1)" ;;
	esac
}

# each SIDE: all of them; /tmp/SIDE/NAME has the output, NAME.result the result
each()
{
	local seconds name args before

	mkdir -p "/tmp/$1"
	while read -r seconds name args; do
		before=$(cut -d ' ' -f 1 /proc/uptime)
		# shellcheck disable=SC2086 # several arguments
		timeout -s KILL "$seconds" "/kvm/$name" $args >"/tmp/$1/$name" 2>&1 </dev/null &
		wait $!
		result $? "/tmp/$1/$name" >"/tmp/$1/$name.result"
		kill -KILL -- -$! 2>/dev/null
		diag "$1 $name: $(cat "/tmp/$1/$name.result"), $before to $(cut -d ' ' -f 1 /proc/uptime)"
	done </list
}

# same NAME: a test point: one result, and that in time
same()
{
	local native launched

	native=$(cat "/tmp/native/$1.result")
	launched=$(cat "/tmp/launched/$1.result")
	[ "$native" = "$launched" ] && [ "$native" != LATE ]
	ok $? "same result: $1: ${native%% *}/${launched%% *}" && return
	diag "without the monitor: $native" "$(tail -n 15 "/tmp/native/$1")" \
		"with the monitor: $launched" "$(tail -n 15 "/tmp/launched/$1")"
}

# parameters NAME=VALUE...: what kvm_intel has of them, and what it made of the CPU
parameters()
{
	local name

	for name in nested enable_apicv "$@"; do
		cat "/sys/module/kvm_intel/parameters/${name%%=*}"
	done
}

pass=$1
shift
plan $(($(wc -l </list) + 4))
none "$(cat /unlisted)" "each of KVM's selftests is on the list"
modprobe kvm_intel "$@" && before=$(parameters "$@") && each native &&
	insmod /lib/monitor/monitor.ko && each launched
is "$(parameters "$@")" "$before" "kvm_intel is back with its parameters"
while read -r _ name _; do
	same "$name"
done </list
passed=$(cat /tmp/launched/*.result | grep -c '^PASS')
[ "$passed" -ge "$pass" ]
ok $? "$passed of them pass, $pass at least"
none "$(dmesg | grep -E 'WARNING: |BUG: |Oops|Call Trace|unchecked MSR' | grep -v RETBleed)" \
	"no warning in the host"
finish
