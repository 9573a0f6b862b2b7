# shellcheck shell=bash
# In the test machine: a guest with its console and QEMU's monitor on pipes. Sourced.

guest_memory=128
guest_carried=() # devices whose data the monitor carries: options of monctl run
console=/tmp/console

# guest_initrd: the guest's initramfs, and in its /bin what is in /guest-bin here
guest_initrd()
{
	[ ! -f /tmp/initrd ] || return 0
	mkdir -p /tmp/more /guest-bin
	cp -r /guest-bin /tmp/more/bin
	(cd /tmp/more && find . | cpio -o -H newc 2>/dev/null) >/tmp/more.cpio
	cat /guest/initrd /tmp/more.cpio >/tmp/initrd
	rm -r /tmp/more /tmp/more.cpio
}

# guest_start ordinary|confidential VCPUS COMMAND [QEMU-OPTION]...: Debian's kernel with a tiny
# initramfs; COMMAND is what the guest runs first, then it has a shell on its console.
guest_start()
{
	local how=$1 vcpus=$2 first=$3 kernel=/guest/vmlinuz

	shift 3
	guest_initrd
	[ "$how" = confidential ] || kernel=/guest/vmlinux # unpacked already
	guest_run "$how" -M q35 -smp "$vcpus" -kernel $kernel -initrd /tmp/initrd \
		-append "console=ttyS0 tsc_early_khz=200000 quiet nowatchdog cryptomgr.notests run=\"$first\"" "$@"
}

# guest_run ordinary|confidential QEMU-OPTION...: the options say what it boots
guest_run()
{
	local how=$1

	shift
	rm -f /tmp/con.* /tmp/mon.* $console
	mkfifo /tmp/con.in /tmp/con.out /tmp/mon.in /tmp/mon.out
	: >$console
	set -- qemu-system-x86_64 -enable-kvm -cpu host -m $guest_memory -display none -nodefaults \
		-no-reboot -chardev pipe,id=con,path=/tmp/con -serial chardev:con \
		-chardev pipe,id=mon,path=/tmp/mon -mon chardev=mon,mode=control "$@"
	guest_qemu=("$@")
	[ "$how" = ordinary ] || set -- monctl run "${guest_carried[@]}" -- "$@"
	# both ends, so that nobody waits for a reader or a writer
	exec 5<>/tmp/con.in 6<>/tmp/con.out 7<>/tmp/mon.in 8<>/tmp/mon.out
	"$@" </dev/null >/tmp/qemu.out 2>&1 5<&- 6<&- 7<&- 8<&- &
	qemu=$!
	tr -d '\r' <&6 >>$console 5<&- 7<&- 8<&- &
	guest_reader=$!
}

# guest_says PATTERN: wait until it stands on the console; false if QEMU ends before
guest_says()
{
	until grep -qE "$1" $console; do
		kill -0 $qemu 2>/dev/null || return 1
		sleep 0.2
	done
}

# guest_starts: until it has a shell; else that is the end of the test
guest_starts()
{
	guest_says '^/ # ' && return
	cat $console /tmp/qemu.out
	echo "Bail out! the guest did not start"
	exit 1
}

# guest_type TEXT: a line typed at the console
guest_type()
{
	printf '%s\n' "$1" >&5
}

# guest_does COMMAND: at its shell; prints what it says, when that is all
guest_does()
{
	local n

	n=$(wc -l <$console)
	guest_type "$1; echo did it"
	until sed "1,${n}d" $console | grep -q '^did it'; do
		kill -0 $qemu 2>/dev/null || break
		sleep 0.1
	done
	sed "1,${n}d" $console
}

# guest_loads MODULE...: of the kernel's, from its /bin
guest_loads()
{
	guest_does "for m in $*; do insmod /bin/\$m.ko || echo no \$m; done" | grep '^no '
	[ "${PIPESTATUS[1]}" = 1 ]
}

# vhost_loads: the host's modules for a tap that its kernel serves (vhost_modules)
vhost_loads()
{
	local module

	for module in tun vhost_iotlb vhost tap vhost_net; do
		insmod /lib/$module.ko || return
	done
}

# guest_monitor COMMAND: of QEMU's monitor; prints the answer, on one line
guest_monitor()
{
	local line

	if [ "${guest_monitor_of:-}" != $qemu ]; then
		guest_monitor_of=$qemu
		printf '{"execute":"qmp_capabilities"}\n' >&7
		guest_answer >/dev/null
	fi
	printf '{"execute":"human-monitor-command","arguments":{"command-line":"%s"}}\n' "$1" >&7
	guest_answer
}

guest_answer()
{
	local line

	while IFS= read -r -t 100 line <&8; do
		case $line in
		*'"return"'* | *'"error"'*)
			printf '%s\n' "$line"
			return
			;;
		esac
	done
}

# guest_end: wait for QEMU; its status is the function's
guest_end()
{
	local status=0

	wait $qemu || status=$?
	# what QEMU has written is in the pipe; an empty line ends the wait for more
	sleep 0.5
	kill $guest_reader 2>/dev/null
	wait $guest_reader 2>/dev/null
	exec 5<&- 6<&- 7<&- 8<&-
	return $status
}

# bits N...: 64 features, those of them set
bits()
{
	local i text=

	for ((i = 0; i < 64; i++)); do
		case " $* " in
		*" $i "*) text+=1 ;;
		*) text+=0 ;;
		esac
	done
	echo $text
}

# monitor_unloads: two test points, behind the last guest
monitor_unloads()
{
	rmmod kvm_intel && rmmod monitor
	is $? 0 "the monitor unloads"
	none "$(dmesg | grep -E 'WARNING: |BUG: |Call Trace|monitor: .*lost' | grep -v RETBleed)" \
		"no warning in the host's log"
}
