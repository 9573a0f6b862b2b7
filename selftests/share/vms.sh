# shellcheck shell=bash
# In the test machine: confidential VMs, each with a console on a pipe, that can
# interrupt each other. What is in /guest-bin here is in their /bin. Sourced.

vm_memory=96
declare -A vm_pid vm_in vm_reader

vm_initrd()
{
	[ ! -f /tmp/initrd ] || return 0
	mkdir -p /tmp/more
	cp -r /guest-bin /tmp/more/bin
	(cd /tmp/more && find . | cpio -o -H newc 2>/dev/null) >/tmp/more.cpio
	cat /guest/initrd /tmp/more.cpio >/tmp/initrd
	rm -r /tmp/more /tmp/more.cpio
}

# events_start: "monctl events"
events_start()
{
	monctl events /tmp/events >/tmp/events.out 2>&1 &
	events=$!
	until [ -S /tmp/events ]; do
		kill -0 $events || return
		sleep 0.1
	done
}

# vm_start NAME COMMAND [QEMU-OPTION]...: COMMAND is what the guest runs first, and part
# of its name among VMs; then it has a shell. QEMU's options are in vm_qemu.
vm_start()
{
	local name=$1 first=$2 dir=/tmp/vm-$1 in

	shift 2
	vm_initrd
	rm -rf "$dir"
	mkdir "$dir"
	mkfifo "$dir/con.in" "$dir/con.out"
	: >"$dir/console"
	vm_qemu=(qemu-system-x86_64 -enable-kvm -cpu host -M q35 -m "$vm_memory"
		-display none -nodefaults -no-reboot -kernel /guest/vmlinuz -initrd /tmp/initrd
		-chardev "pipe,id=con,path=$dir/con" -serial chardev:con
		-append "console=ttyS0 tsc_early_khz=200000 quiet nowatchdog cryptomgr.notests run=\"$first\""
		"$@")
	# both ends, so that nobody waits for a reader or a writer
	exec {in}<>"$dir/con.in"
	vm_in[$name]=$in
	monctl run -- "${vm_qemu[@]}" </dev/null >"$dir/qemu" 2>&1 {in}<&- &
	vm_pid[$name]=$!
	tr -d '\r' <"$dir/con.out" >>"$dir/console" {in}<&- &
	vm_reader[$name]=$!
}

with_events=(-chardev "socket,path=/tmp/events,id=ev"
	-device "ivshmem-doorbell,chardev=ev,vectors=1")

# vm_says NAME PATTERN [SECONDS]: wait until it stands on the console; false if QEMU ends before
vm_says()
{
	local n=$((${3:-150} * 5))

	until grep -qE "$2" "/tmp/vm-$1/console"; do
		kill -0 "${vm_pid[$1]}" 2>/dev/null || return 1
		[ $((n -= 1)) -gt 0 ] || return 1
		sleep 0.2
	done
}

# within SECONDS COMMAND...: until it is true; false if it never was
within()
{
	local n=$(($1 * 5))

	shift
	until "$@"; do
		[ $((n -= 1)) -gt 0 ] || return 1
		sleep 0.2
	done
}

# vm_type NAME TEXT: a line typed at the console
vm_type()
{
	printf '%s\n' "$2" >&"${vm_in[$1]}"
}

# vm_do NAME COMMAND [SECONDS]: typed at the console; prints what it answers, and
# has its status
vm_do()
{
	local n dir=/tmp/vm-$1

	echo >>"$dir/commands" # in a file: this may be a subshell
	n=$(wc -l <"$dir/commands")
	# what is typed is on the console, too: the marks are not in it as they are printed
	vm_type "$1" "echo BEG''IN-$n; $2; echo EN''D-$n-\$?"
	vm_says "$1" "^END-$n-" "${3:-60}" || return 99
	sed -n "/^BEGIN-$n\$/,/^END-$n-/p" "$dir/console" | sed '1d;$d'
	return "$(sed -n "s/^END-$n-//p" "$dir/console" | head -n 1)"
}

# vm_end NAME: wait for QEMU; its status is the function's
vm_end()
{
	local status=0 in=${vm_in[$1]}

	wait "${vm_pid[$1]}" || status=$?
	kill "${vm_reader[$1]}" 2>/dev/null
	wait "${vm_reader[$1]}" 2>/dev/null
	exec {in}<&-
	return $status
}

# vm_show NAME...: for people, when something went wrong
vm_show()
{
	local name

	for name; do
		sed "s/^/$name: /" "/tmp/vm-$name/console" "/tmp/vm-$name/qemu"
	done
}

# gone MODULE: unloaded, once who still lets go of it has done so
gone()
{
	within 30 rmmod "$1" 2>/dev/null || {
		rmmod "$1" 2>&1
		return 1
	}
}

# unload: everything is gone, nothing is left behind. The helpers of monctl run are
# nobody's children, and give the memory back first.
unload()
{
	gone kvm_intel && gone monitor && echo "unloaded"
	dmesg | grep -E "WARNING: |BUG: |Call Trace|monitor: .*(lost|not gone|come back)" |
		grep -v RETBleed || echo "no warning"
}
