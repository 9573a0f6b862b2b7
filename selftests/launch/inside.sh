# shellcheck shell=bash
# In the test machine: what every test of this folder asks. Sourced.
# shellcheck source=selftests/lib.sh
. /lib/monitor/lib.sh

dbg=/sys/kernel/debug
frame=4096

# t COMMAND...: ask testmod. The answer is in $a: "error" if it could not.
t()
{
	a=error
	{ printf '%s\n' "$*" >$dbg/testmod/do; } 2>/dev/null || return
	IFS= read -r -d '' a <$dbg/testmod/do
	a=${a%$'\n'}
}

testmod()
{
	insmod /lib/monitor/testmod.ko || exit
}

# load: insmod, as people do it; its message is in $message, its status in $rc
load()
{
	dmesg -c >/dev/null
	insmod "${1:-/lib/monitor/monitor.ko}" >/tmp/insmod.out 2>&1
	rc=$?
	error=$(sed 's/.*: //' /tmp/insmod.out)
	message=$(dmesg | sed -n 's/.*monitor: //p')
}

# value NAME: a line of the monitor's status
value()
{
	local line

	while IFS= read -r line; do
		case $line in
		"$1: "*)
			echo "${line#"$1": }"
			return
			;;
		esac
	done <$dbg/monitor/status
}

count()
{
	value "count $1"
}

# counts NAME...: several of them, now; "grown" gives by how much they have grown since
counts()
{
	local name

	for name; do
		echo "$name $(count "$name")"
	done >/tmp/counts
}

grown()
{
	local name n sum=

	while read -r name n; do
		sum="$sum $(($(count "$name") - n))"
	done </tmp/counts
	echo "${sum# }"
}

# holds NAME CONDITION...: a test point; the condition as "test" has them
holds()
{
	local name=$1

	shift
	[ "$@" ]
	ok $? "$name" || diag "not so: $*"
}

# What the kernel complains of; testmod's taint is no complaint.
complaints()
{
	dmesg | grep -E 'WARNING|BUG|Oops|Call Trace|general protection|rcu.*(stall|detected)|lockup|nobody cared|hung|refused after'
}

# first_frame [N]: the Nth frame of the monitor's first block, by number
first_frame()
{
	local pfn nr

	read -r pfn nr <$dbg/monitor/frames
	echo $((pfn + ${1:-0}))
}

# interrupts NAME: a line of /proc/interrupts, the CPUs' numbers
interrupts()
{
	sed -n "s/^ *$1: *//p" /proc/interrupts | sed 's/  *[A-Za-z].*//'
}
