# shellcheck shell=bash
# In the test machine: each attack of tamper.c on an ordinary and on a
# confidential guest. What comes of it has to be what stands here.
. /usr/bin/lib.sh

both()
{
	is "$(timeout 60 tamper "$2" 2>&1 | tr '\n' ' ')" "$3 " "$1: control, an ordinary guest"
	is "$(timeout 60 tamper confidential "$2" 2>&1 | tr '\n' ' ')" "$4 " "$1"
}

plan 28
insmod /lib/monitor/monitor.ko || exit
modprobe kvm_intel || exit
both "nothing is done" nothing "changed 0, unseen" "changed 0, unseen"
both "general registers read and written" regs "changed 1, seen" "changed 0, unseen"
both "RIP written" rip "runs elsewhere" "changed 0, unseen"
both "control registers" sregs "changed 4, seen" "changed 0, unseen"
both "debug registers" debugregs "changed 8, seen" "changed 0, unseen"
both "vector registers" fpu "changed 16, seen" "changed 0, unseen"
both "MSRs" msrs "changed 32, seen" "changed 0, unseen"
both "memory" memory "changed 2, seen" "changed 0, unseen"
both "memory taken away, other put there" slot "changed 2, unseen" "changed 0, unseen"
both "an exception injected" exception "takes the exception" "does not go on (-8) stopped BAD_EVENT"
both "single-stepped" step "stepped, changed 0, unseen" "changed 0, unseen"
both "a vCPU started without a SIPI" start "second runs, changed 0, unseen" \
	"second does not run, does not go on (-8) stopped BAD_START"
both "a vCPU more than the policy has" many "second runs, changed 0, unseen" \
	"second does not run, changed 0, unseen"
rmmod monitor
is $? 0 "nothing is left, the monitor unloads"
none "$(dmesg | grep -E 'WARNING: |BUG: |Call Trace' | grep -v RETBleed)" "no warning in the host's log"
finish
