# shellcheck shell=bash
# Rounds of insmod and rmmod under load. In the machine; sourced, with $rounds.

plan 13
testmod

settle()
{
	sync
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.3
	echo 3 >/proc/sys/vm/drop_caches
	sleep 0.1
}

# kB that are free, also those on the lists of each CPU
memory()
{
	awk '/^MemFree/ { n += $2 } /^ *count:/ { n += 4 * $2 } END { print n }' \
		/proc/meminfo /proc/zoneinfo
}

# What a module is loaded into, and what one asked for: once it is gone, the asking function
# has no name. (Not all areas: most are stacks, and the kernel keeps those of ended processes.)
areas()
{
	grep -cE '(load_module|move_module|module_alloc|execmem_alloc)\+|\[monitor\]|^\S+ +[0-9]+ 0x' \
		/proc/vmallocinfo
}

failures=
round()
{
	load
	[ "$rc" = 0 ] || failures="$failures, insmod: $error ($message)"
	[ "$(value cpus)" = 2 ] || failures="$failures, not on 2 CPUs"
	user cpuid >/dev/null
	rmmod monitor || failures="$failures, rmmod"
}

for _ in 1 2 3; do
	round
done
none "$failures" "rounds without load"
settle
memory_before=$(memory) areas_before=$(areas)

# One busy loop for each CPU, one that dirties memory, one that reads and writes files
load_pids=
for cpu in 0 1; do
	taskset $((1 << cpu)) bash -c 'while :; do :; done' &
	load_pids="$load_pids $!"
done
user ram 48 &
load_pids="$load_pids $!"
(while [ ! -e /tmp/over ]; do
	dd if=/dev/urandom of=/tmp/io bs=64k count=64 2>/dev/null
	sha256sum /tmp/io >/dev/null
done) &
files_pid=$!
read -r loc0 loc1 <<<"$(interrupts LOC)"
seconds=$(cut -d ' ' -f 1 /proc/uptime)
for ((n = 0; n < rounds && ${#failures} < 500; n++)); do
	round
done
none "$failures" "$rounds rounds under load"
is $n "$rounds" "... all of them"
dead=
for pid in $load_pids $files_pid; do
	kill -0 "$pid" 2>/dev/null || dead="$dead $pid"
done
none "$dead" "the load runs on"
read -r loc0_after loc1_after <<<"$(interrupts LOC)"
diag "$rounds rounds in $(echo "$(cut -d ' ' -f 1 /proc/uptime) - $seconds" | bc) seconds of the machine"
holds "CPU 0's timer ran" "$loc0_after" -gt "$loc0"
holds "CPU 1's timer ran" "$loc1_after" -gt "$loc1"
kill $load_pids
wait $load_pids 2>/dev/null
touch /tmp/over # killed, it would leave one behind that writes
wait $files_pid
rm -f /tmp/io

settle
gone=$((memory_before - $(memory)))
diag "free memory before less after: $gone kB; vmalloc areas: $areas_before, $(areas)"
# A page lost in each round would be 4 kB
holds "no memory is lost" $gone -lt $((rounds * 4 > 4096 ? rounds * 4 : 4096))
is "$(areas)" "$areas_before" "no vmalloc area is left"
t release
before=$((a))
t scan $before 512 512 free
other=${a#*other }
holds "control: what is given back is not in use" "${a##*used }" != 0 -o "${other%% *}" -gt 400
load
holds "control: an area that is held would be seen" "$(areas)" -gt $((areas_before + 1))
cp $dbg/monitor/frames /tmp/frames
rmmod monitor
total=0 kept=0
while read -r pfn nr; do
	t scan $((pfn)) "$nr" 4096 free
	read -r _ _ _ _ _ used _ <<<"$a"
	total=$((total + nr)) kept=$((kept + used))
done </tmp/frames
holds "the frames are the kernel's again" $((kept * 4)) -lt $total
t control
own=$((a / frame))
t scan $own 4 4096 free
has "$a" "used 1 " "control: a block that is held would be seen"
none "$(complaints)" "the kernel has nothing to complain of"
finish
