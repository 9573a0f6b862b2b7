# shellcheck shell=dash
# In the test machine: VMX as a host uses it, right and wrong. Each line is
# "what: outcome", and says nothing of addresses that change. Sourced.
DO=/sys/kernel/debug/testmod/do

# one COMMAND...: its answer of one line, behind the command
one()
{
	local answer=

	if echo "$*" >$DO; then
		read -r answer <$DO
		echo "$*: $answer"
	else
		echo "$*: no such command"
	fi
}

# all COMMAND...: an answer of many lines
all()
{
	echo "$*" >$DO && cat $DO
}

v() { one vmx 0 "$@"; }

# p0 VMXON region, p1 VMCS, p16 second VMCS, p28 spare
outside()
{
	v vmread 0x4402
	v vmptrst 0
	v vmclear p1
	v vmlaunch
	v invept 2 0 0
	v vmxon p0
	v vmxoff
	one rdmsr 0 0x3a
	one wrmsr 0 0x3a 0
	one wrmsr 0 0x480 0
	one cr 0 4 0x2000
	v vmxe 1
	v vmread 0x4402
	v vmclear p1
	v vmxoff
	for address in p0+8 p0+2048 0x8000000000000 0x10000000000 0xffffffffffffffff; do
		v vmxon $address
	done
	for flip in 1 0x80000000 0x40000000; do
		v region 0 $flip
		v vmxon p0
	done
	v region 0 0
	v at-vmxon 0x8000000000000000
	v at-vmxon 0xffffeb0000000000
	v vmxon p0
}

instructions()
{
	v vmxon p0
	v vmxon p0+8
	v vmxon p16
	v vmptrst 0
	v vmread 0x4402
	v vmread 0x7ffe
	v vmwrite 0x4000 0
	v vmwrite 0x4402 0
	v vmlaunch
	v vmresume
	v sslaunch
	one cr 0 4 0x2000
	one cr 0 0 0x20
	one cr 0 0 0x80000000
	for what in vmclear vmptrld; do
		for address in p1+1 p1+8 p1+2048 0x8000000000000 0x10000000000 \
			0xffffffffffffffff p0; do
			v $what $address
		done
		v at-$what 0x8000000000000000
		v at-$what 0xffffeb0000000000
	done
	v at-vmptrst 0x8000000000000000
	v at-vmptrst 0xffffeb0000000000
	for flip in 1 0x80000000 0x40000000; do
		v region 1 $flip
		v vmptrld p1
	done
	v vmptrst 0
	v region 1 0
	v region 16 0
	v vmclear p1
	v vmptrld p1
	for form in 0 1 2; do v vmptrst $form; done
	v vmread 0x4400
	v vmptrld p0
	v vmptrst 0
	v vmread 0x4400
	v vmresume
	v vmread 0x4400
	v sslaunch
	v vmlaunch
	v vmwrite 0x681e 0x123456789
	v vmclear p16
	v vmptrld p16
	v vmptrst 0
	v vmwrite 0x681e 0x987654321
	v vmptrld p1
	v vmread 0x681e
	v vmptrld p16
	v vmread 0x681e
	v vmclear p1
	v vmptrst 0
	v vmclear p16
	v vmptrst 0
	v vmread 0x681e
	v vmptrld p1
	v vmread 0x681e
	for type in 0 1 2 3 4 0x100000001 0xffffffffffffffff; do
		v invept $type p6+0x1e 0
		v invvpid $type 1 0xffff800000000000
	done
	for eptp in 0 p6+0x18 p6+0x1f p6+0x06 p6+0x26 p6+0x9e 0x1000000000001e; do
		v invept 1 $eptp 0
	done
	v invept 1 p6+0x1e 1
	v invept 2 0 1
	for type in 0 1 2 3; do
		v invvpid $type 0 0
		v invvpid $type 0x10000 0
		v invvpid $type 0x100000001 0
		v invvpid $type 1 0x800000000000
		v invvpid $type 0xffff 0
	done
	all vmxfields 0 0 0x8000
	for encoding in 0x10000 0x80000000 0x100000000 0x104004002 0xffffffffffffffff; do
		v vmread $encoding
		v vmwrite $encoding 0
	done
}

ending()
{
	v vmxoff
	v vmread 0x4402
	v vmclear p1
	v vmxe 0
	v vmxon p0
}

# Both without and with the monitor, and how many lines there were. What cannot be
# compared is left out: of a violation's qualification the bits above 8 (SDM table
# 28-7: they come with a capability that is not offered).
twice()
{
	local what

	insmod /lib/monitor/testmod.ko || exit
	for what; do $what; done | sed 's/exit 48 q 0x[0-9a-f]\([0-9a-f][0-9a-f]\) /exit 48 q \1 /' >/tmp/native
	insmod /lib/monitor/monitor.ko || exit
	for what; do $what; done | sed 's/exit 48 q 0x[0-9a-f]\([0-9a-f][0-9a-f]\) /exit 48 q \1 /' >/tmp/launched
}

# by_design NAME PATTERN NATIVE LAUNCHED: the lines of PATTERN differ, and so;
# they are not compared any more
by_design()
{
	local file

	for file in native launched; do
		grep -E "^$2" /tmp/$file >/tmp/$file.these
		grep -vE "^$2" /tmp/$file >/tmp/$file.rest
		mv /tmp/$file.rest /tmp/$file
	done
	is "$(grep -cvE ": $3" /tmp/native.these) $(grep -cvE ": $4" /tmp/launched.these)" "0 0" "$1"
}
