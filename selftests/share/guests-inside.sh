#!/bin/bash
# usage: guests-inside.sh MB whole|first
#
# In the test machine: two confidential guests of one name and one of another. A
# stream goes from the first to the second, root looks for it meanwhile, and then one
# of the two is killed in the middle. What is for the test stands in lines "=key value".
# What is searched of each frame: all of it, or where the stream has its marks.
set -uo pipefail
. /usr/bin/vms.sh
mb=$1
bytes=4096
[ "$2" = whole ] || bytes=64
mark=11 # monpipe's

# find_all SECRET: words of it in all of RAM
find_all()
{
	local first last found=0 pages=0 a

	while read -r first last; do
		first=$(((first + 4095) / 4096))
		last=$(((last + 1) / 4096))
		echo "find $1 $first $((last - first)) $bytes" >/sys/kernel/debug/testmod/do || return
		a=$(</sys/kernel/debug/testmod/do)
		a=${a#found }
		found=$((found + ${a% zeros *})) pages=$((pages + last - first))
	done < <(sed -n 's/^\([0-9a-f]*\)-\([0-9a-f]*\) : System RAM/0x\1 0x\2/p' /proc/iomem)
	echo "found $found in $pages frames"
}

# offers_more_than N: has a's program offered so often?
offers_more_than()
{
	[ "$(grep -c '^monpipe: offered' /tmp/vm-a/console)" -gt "$1" ]
}

# no_vm: is none there any more?
no_vm()
{
	! monctl status | grep -q '^Confidential VM'
}

# find_offer: the ID of a's, in $id
find_offer()
{
	id=$(vm_do a 'monpipe list' | sed -n 's/ mine offered.*//p')
	[ -n "$id" ]
}

# status_of KEY: from "monctl status"
status_of()
{
	monctl status | sed -n "s/^  $1  *//p" | head -n 1
}

exits()
{
	monctl status | sed -n 's/^Exits of .*: \([0-9]*\).*/\1/p' | tr '\n' ' '
}

ticks()
{
	cut -d' ' -f1 /proc/uptime
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel && insmod /lib/monitor/testmod.ko &&
	events_start || exit 1
free_before=$(status_of host)
first="insmod /bin/monguest.ko"
vm_start a "$first" "${with_events[@]}"
vm_start b "$first" "${with_events[@]}"
for vm in a b; do
	vm_says $vm '^/ # ' || {
		vm_show a b
		exit 1
	}
	echo "=name-$vm $(vm_do $vm 'monpipe self' | sed -n 's/^name //p')"
done
echo "=up $(ticks)"

# Before there is anything.
vm_do b 'monpipe receive'
echo "=nothing $?"

# The stream: a to b.
vm_type a "monpipe send $mb"
vm_says a '^monpipe: offered'
started=$(ticks) exits=$(exits)
vm_type b 'monpipe receive'
vm_says b '^monpipe: accepted'
echo "=search process $(search $mark process "${vm_pid[a]}") $(search $mark process "${vm_pid[b]}")"
echo "=search physical $(find_all $mark)"
vm_says a '^monpipe: sent' 1500
vm_says b '^monpipe: received' 1500
echo "=took $(ticks) from $started, exits $(exits) from $exits"
echo "=sent $(sed -n 's/^monpipe: sent //p' /tmp/vm-a/console)"
echo "=received $(sed -n 's/^monpipe: received //p' /tmp/vm-b/console)"
echo "=interrupts $(vm_do a 'grep monguest /proc/interrupts') $(vm_do b 'grep monguest /proc/interrupts')"

# The same search finds what is not protected.
keep $mark >/tmp/kept &
keeper=$!
within 30 test -s /tmp/kept
kill -STOP $keeper
echo "=control process $(search $mark process $keeper)"
echo "=control physical $(find_all $mark)"
kill -KILL $keeper

# What the peer of a share may ask, and may not: b has something to take.
offered=$(grep -c '^monpipe: offered' /tmp/vm-a/console)
vm_type a 'monpipe send 1'
within 150 offers_more_than "$offered" || {
	vm_show a b
	exit 1
}
vm_do b 'rmmod monguest; insmod /bin/calls.ko peer=1; rmmod calls; insmod /bin/monguest.ko'
echo "=peer $(vm_do b 'dmesg | sed -n "s/.*calls: //p"' | tr '\n' ';')"
vm_says a '^monpipe: the other VM (has ended the share|did not read all)'
echo "=owner-sees-end $?"

# kill -9 in the middle: b sends, a receives, b's QEMU dies.
vm_type b 'monpipe send 10000'
vm_says b '^monpipe: offered'
vm_type a 'monpipe receive; echo over-$?'
vm_says a '^monpipe: accepted'
sleep 0.5
kill -KILL "${vm_pid[b]}"
vm_end b
vm_says a '^over-'
echo "=killed $(sed -n 's/^over-//p' /tmp/vm-a/console)"
vm_do a 'echo alive; monpipe self'
vm_do a 'sha256sum /bin/busybox'

# A guest of another name, and an offer that is not for it.
vm_start c "$first; true" "${with_events[@]}"
vm_says c '^/ # ' || vm_show c
echo "=name-c $(vm_do c 'monpipe self' | sed -n 's/^name //p')"
vm_type a 'monpipe send 1 &'
within 30 find_offer || vm_show a c
echo "=id $id"
vm_do c 'monpipe receive'
echo "=other-receive $?"
vm_do c "rmmod monguest; insmod /bin/calls.ko steal=$id; rmmod calls"
echo "=steal $(vm_do c 'dmesg | sed -n "s/.*calls: //p"' | tr '\n' ';')"
vm_do c 'sha256sum /bin/busybox'
sha256sum /bin/busybox
for vm in a c; do
	vm_type $vm 'poweroff -f'
	vm_end $vm
	echo "=off $?"
done
# the helpers of "monctl run" let go of the domains
within 150 no_vm
echo "=frames $free_before $(status_of host) private $(status_of private) used $(status_of used)"
cat /tmp/events.out
kill $events
vm_show a b c
rmmod testmod
unload
