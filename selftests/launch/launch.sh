# shellcheck shell=bash
# Launch and unload on this machine, whatever its CPUs. In the machine; sourced.

online()
{
	grep -c '^processor' /proc/cpuinfo
}

turn_cpu1()
{
	echo "$1" >/sys/devices/system/cpu/cpu1/online
}

# The table of "monctl status" has a column for each CPU.
exits_of()
{
	monctl status | sed -n "s/^ *[0-9]* $1  *//p"
}

plan $((33 + 5 * (cpus > 1)))
testmod
is "$(online)" "$cpus" "CPUs"
is "$(monctl status; echo "rc $?")" $'Launched         no\nrc 1' "monctl status: not launched"
t vmcall 0 0x4d4f4e0000000000
is "$a" "fault 6" "no monitor answers"
cp /proc/iomem /tmp/iomem

load
is "$rc" 0 "insmod"
has "$message" "^launched on $cpus CPUs, image $image_hash$" "... says what it did"
t vmcall 0 0x4d4f4e0000000000
is "$a" 1 "the monitor answers"
status=$(monctl status)
is $? 0 "monctl status"
has "$status" "^Launched  *yes, on $cpus CPU" "... launched, on $cpus"
has "$status" "^Image  *$image_hash$" "... image"
has "$status" "^  nothing$" "... nothing was refused yet"
is "$(grep -cE '^  (branch predictors|L1 data cache|CPU buffers) +(yes|no: this CPU has no way to|not needed on)' \
	<<<"$status")" 3 "... what of side channels is flushed on this CPU"
is "$(value "cpus")" "$cpus" "status: CPUs"
missing=
for ((cpu = 0; cpu < cpus; cpu++)); do
	user_exits=$(value "cpu $cpu host exit 10")
	taskset $((1 << cpu)) user cpuid >/dev/null
	[ "$(value "cpu $cpu host exit 10")" -gt "${user_exits:-0}" ] || missing="$missing $cpu"
done
none "$missing" "CPUID on each CPU exits, and is counted there"
read -r -a columns <<<"$(exits_of CPUID)"
is ${#columns[@]} "$cpus" "... also in monctl's table"
sum=0
for state in host transit free used private hole; do
	sum=$((sum + $(value "frames $state")))
done
ram=$(sed -n 's/^[0-9a-f]*-\([0-9a-f]*\) : System RAM/0x\1/p' /proc/iomem | tail -1)
is $sum $(((ram + 1) / frame)) "every frame up to the end of RAM has an owner"
own=$(($(value "frames free") + $(value "frames used") + $(value "frames transit")))
of_type=0
for type in image table vmx state guest; do
	of_type=$((of_type + $(value "frames of type $type")))
done
is $of_type "$(value "frames used")" "each frame in use has a type"
holds "the monitor takes at most 0.5% of RAM and 4 MiB" \
	$own -le $((sum / 200 + 1024))
holds "... and something" $own -gt 100
listed=$(awk '{ n += $2 } END { print n }' $dbg/monitor/frames)
is "$listed" $own "the host knows which"
user vmcall >/dev/null
has "$(monctl status)" "^  *1  hypercall refused$" "what was refused is shown"

load
is "$rc, $error" "1, File exists" "a second insmod is refused"
load /lib/monitor/monitor2.ko
is "$rc, $error" "1, Device or resource busy" "... also by another name"
has "$message" "^a monitor runs under this kernel already" "... and says why"
is "$(value "cpus")" "$cpus" "... and the first goes on"

if [ "$cpus" -gt 1 ]; then
	turn_cpu1 0
	is "$? $(online)" "0 $((cpus - 1))" "a CPU goes away"
	parked=$(($(value "cpu 1 host exit 3") - $(value "cpu 1 host exit 4" | grep . || echo 0)))
	is "$parked" 1 "... and waits in the monitor for its start"
	turn_cpu1 1
	is "$? $(online)" "0 $cpus" "... and comes back"
	t vmcall 1 0x4d4f4e0000000000
	is "$a" 1 "... under the monitor"
fi

none "$(complaints)" "the kernel has nothing to complain of"
dmesg -c >/dev/null
rmmod monitor
is $? 0 "rmmod"
has "$(dmesg)" "monitor: unloaded, all CPUs native" "... says so"
is "$(monctl status; echo "rc $?")" $'Launched         no\nrc 1' "monctl status: not launched"
t vmcall 0 0x4d4f4e0000000000
is "$a" "fault 6" "no monitor answers"
[ "$cpus" = 1 ] || {
	turn_cpu1 0 && turn_cpu1 1
	is "$? $(online)" "0 $cpus" "a CPU goes and comes again"
}
load
is "$rc" 0 "insmod again"
is "$(value "cpus")" "$cpus" "... on all CPUs"
rmmod monitor
is $? 0 "... and rmmod"
none "$(complaints)" "the kernel has nothing to complain of"
finish
