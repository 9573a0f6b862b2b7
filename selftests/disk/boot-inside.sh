#!/bin/bash
# usage: boot-inside.sh grub|direct
#
# In the test machine: Debian boots from a sealed disk; what its host sees of it, and what its
# owner gets back.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh
guest_memory=256
firmware=()
if [ -f /firmware ]; then
	firmware=(-bios /firmware)
	guest_memory=384 # below 320 GRUB finds no room for the kernel
fi

marker='this is only for whoever has the key'
direct=(-kernel /vmlinuz -initrd /initrd
	-append 'root=/dev/vda1 ro console=ttyS0 tsc_early_khz=200000 quiet')

# debian NAME ordinary|confidential IMAGE [QEMU-OPTION]...: up to a shell
debian()
{
	local name=$1 how=$2 image=$3

	shift 3
	guest_run "$how" -M q35 "${firmware[@]}" -drive "file=$image,if=none,id=d,format=raw" \
		-device virtio-blk-pci,drive=d,id=disk0,addr=4 "$@"
	guest_says '^debian login: '
	ok $? "$name: to a login prompt" || {
		cat $console /tmp/qemu.out
		echo "Bail out! there is no login prompt"
		exit 1
	}
	diag "$name: at $(cut -d' ' -f1 /proc/uptime) s"
	guest_type root
	guest_says '^Password: '
	guest_type sealed
	guest_says 'root@debian:'
	# one that does not edit lines
	guest_type "exec env PS1='ready# ' sh"
	guest_says 'ready# $'
}

# off NAME: the guest, by its init
off()
{
	guest_type 'systemctl poweroff'
	guest_end
	is $? 0 "$1: it powers off"
}

# sealed QEMU-OPTION...: in a confidential VM
sealed()
{
	local said shown

	guest_carried=(--disk disk0=/key)
	debian sealed confidential /sealed "$@"
	shown=$(monctl status | sed -n 's/^  measured launch  *//p')
	is "$shown" "$(monctl measure "${guest_carried[@]}" -- "${guest_qemu[@]}")" \
		"sealed: launch measurement is what monctl measure computes"
	# --wait needs a bus, which a minimal Debian has not
	guest_does 'while systemctl is-system-running | grep -E "^(init|start)"; do sleep 1; done' \
		>/dev/null
	said=$(guest_does 'systemctl is-system-running; cat /proc/mounts')
	has "$said" '^running' "sealed: all that systemd starts has started" ||
		diag "$(guest_does 'systemctl --failed')"
	has "$said" '^/dev/vda1 / ext4 rw,' "sealed: its root is there, and can be written"
	has "$(guest_does "grep -c '$marker' /srv/marker")" '^2000$' "sealed: it reads a text"
	guest_does "sed 's/^/here, too, /' /srv/marker >/srv/mine" >/dev/null
	[ ! -f /firmware ] || has "$(guest_does 'cat /sys/firmware/efi/fw_platform_size')" '^64$' \
		"sealed: its firmware is UEFI"
	off sealed
}

# marked FILE: how many lines of the texts are in it; one is cut where two blocks are apart
marked()
{
	ggrep -c -a -F "$marker" "$1"
}

# owner: what the sealed disk has then, as /tmp/plain
owner()
{
	local said

	has "$(monctl disk check --key /key /sealed)" '0 problems' "the image verifies"
	monctl disk export --key /key /sealed /tmp/plain >/dev/null
	said=$(e2fsck -fn '/tmp/plain?offset=1048576' 2>&1)
	is $? 0 "exported, its file system is clean" || diag "$said"
	is "$(marked /sealed)" 0 "the image has none of the texts"
	[ "$(marked /tmp/plain)" -gt 3900 ]
	ok $? "(what is exported has both)"
}

# ordinary: in an ordinary VM, what was exported
ordinary()
{
	guest_carried=()
	debian "(plain)" ordinary /tmp/plain
	has "$(guest_does "grep -c '^here, too, ' /srv/mine")" '^2000$' \
		"(plain): it has what was written when it was sealed"
	off "(plain)"
	[ "$(marked /tmp/plain)" -gt 3900 ]
	ok $? "(plain): its image has the texts"
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
chmod 600 /key
if [ "$1" = grub ]; then
	plan $((17 + ${#firmware[@]} / 2))
	sealed
	has "$(cat $console)" "Booting .Debian'" "sealed: GRUB has its menu from there, and all else"
	owner
	ordinary
else
	plan $((12 + ${#firmware[@]} / 2))
	sealed "${direct[@]}"
	owner
fi
monitor_unloads
finish
