# shellcheck shell=bash
# In the test machine: asks testmod, without a process for each question. Sourced.

STATUS=/sys/kernel/debug/monitor/status
DO=/sys/kernel/debug/testmod/do
MON=$((0x4d4f4e0000000000))

# t COMMAND...: what testmod answers is in $a, its first line; no process is started for it
t()
{
	a="no such command"
	echo "$*" >$DO && IFS= read -r a <$DO
}

# hc NUMBER [ARGUMENT]...: a hypercall on CPU 0; what the monitor answers is in $a
hc()
{
	local line

	printf -v line ' %#x' $((MON + $1)) "${@:2}"
	t vmcall 0 $line
}

# passes: every CPU has been in the monitor since
passes() { t vmcall 0 $MON; t vmcall 1 $MON; }

# destroyed DOMAIN: by $DESTROY, until it is gone; what the last call said is in $a
destroyed()
{
	local try

	for try in 1 2 3 4 5 6 7 8; do
		hc $DESTROY "$1"
		[ "$a" = $EAGAIN ] || return
		passes
	done
}

# poke ADDRESS WORD...: 8 bytes each
poke()
{
	local at=$1 word

	shift
	for word; do
		printf -v word %#x $word
		t store 8 $at $word
		at=$((at + 8))
	done
}

peek() { t load 8 $(($1)); }

# search SECRET [BYTES]: its words in all of RAM, or in the first BYTES of each frame, in $found
search()
{
	local range first last words

	found=0
	while read -r range _; do
		first=$(((16#${range%-*} + 4095) / 4096)) last=$(((16#${range#*-} + 1) / 4096))
		t find $1 $first $((last - first)) "${@:2}"
		words=${a#found }
		found=$((found + ${words%% *}))
	done < <(grep 'System RAM' /proc/iomem)
}
