# shellcheck shell=bash
# In the test machine: another kernel, started by kexec, that goes on with the test.
# It has a small root file system out of this one. Sourced, in both kernels.

# next_initrd FILE: its root file system, with a command that goes on with the test, one
# test point later than this
next_initrd()
{
	local program release

	release=$(uname -r)
	{
		printf 'exec taskset 1 env INSIDE=%s NEXT="%s %s %s" bash %s\n' "$INSIDE" \
			"$tap_planned" $((tap_count + 1)) "$tap_failed" "$INSIDE/test" >/run-command
		for program in /bin/bash /usr/bin/kmod /usr/bin/monctl; do
			echo "$program"
			LD_TRACE_LOADED_OBJECTS=1 "$program" | grep -o '/lib[^ ]*'
		done
		find /init /run-command /run-nonce /etc /bin /lib/monitor "/lib/modules/$release" \
			/usr/bin/steady /usr/bin/vmcore
		# what is mounted on, or a link to somewhere else
		printf '%s\n' /dev /proc /run /root /sys /tmp /usr /usr/bin /usr/sbin /sbin \
			/lib /lib64 /lib/modules
	} | sed 's,^/,,' | sort -u | (cd / && cpio -o -H newc 2>/dev/null) >"$1"
}

# All that was said is with whoever started the machine: "report" waits for more.
said_all()
{
	until [ "$(cut -d ' ' -f 3 /proc/$PPID/stat)" = S ]; do
		sleep 0.05
	done
}

# next_goes_on: in that kernel, the numbers of the test points
next_goes_on()
{
	read -r tap_planned tap_count tap_failed <<<"$NEXT"
}
