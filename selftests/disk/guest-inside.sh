#!/bin/bash
# usage: guest-inside.sh VCPUS BLOCKS TAMPERED
#
# In the test machine: what a guest keeps on a sealed disk, and what its host sees and does; the
# same with an ordinary VM and an ordinary disk.
set -uo pipefail
. /usr/bin/lib.sh
. /usr/bin/guest.sh
vcpus=$1 blocks=$2 tampered=$3

secret=7
first=$((64 + 4 + 2 * 254)) # of the guest's, in a sealed image (uapi/disk.h)

map_of()
{
	sed -n 's/^map //p' <<<"$1"
}

# start ordinary|confidential IMAGE [QEMU-OPTION]...
start()
{
	guest_start "$1" "$vcpus" : -M q35 -drive "file=$2,if=none,id=d,format=raw" \
		-device virtio-blk-pci,drive=d,id=disk0,addr=4 "${@:3}"
	guest_starts
	guest_loads virtio_ring virtio virtio_pci_{legacy_dev,modern_dev} virtio_pci virtio_blk
}

insmod /lib/monitor/monitor.ko && modprobe kvm_intel || exit 1
truncate -s $((blocks * 4096)) /tmp/plain
blocks write /tmp/plain $blocks 1 >/dev/null
monctl disk import --key /tmp/key --new-key /tmp/plain /tmp/sealed >/dev/null || exit 1
cp /tmp/sealed /tmp/foreign
cp /tmp/sealed /tmp/old
cp /tmp/sealed /tmp/old-again
(umask 077 && { head -c 32 /dev/urandom | od -An -tx1 | tr -d " \n"; echo; } >/tmp/other-key)

# refused: how many blocks the monitor says that it has refused
refused()
{
	monctl status | awk '/block of a sealed disk/ { n = $1 } END { print n + 0 }'
}

plan 25
# ---- sealed ----
guest_carried=(--disk disk0=/tmp/key --disk disk1=/tmp/other-key)
start confidential /tmp/sealed -drive file=/tmp/foreign,if=none,id=f,format=raw \
	-device virtio-blk-pci,drive=f,id=disk1,addr=5
said=$(guest_does "cat /proc/partitions; grep virtio0 /proc/interrupts")
has "$said" " $((4 * blocks)) vda" "a stock guest has a sealed disk"
none "$(grep vdb <<<"$said")" "... and not one of another key"
said=$(guest_does "blocks check /dev/vda $blocks 1")
has "$said" "checked: $blocks good, 0 refused, 0 wrong" "what monctl has written, it reads"
cp /tmp/sealed /tmp/older
guest_does "blocks same /dev/vda $blocks 2" >/dev/null
said=$(blocks search /tmp/sealed $blocks) # fails if they are not there
ok $? "blocks with the same in all of them are in the image"
has "$said" '^secret in 0 blocks, 0 repeated' "... nothing of it to see, nothing twice"
guest_does "blocks write /dev/vda $blocks 3" >/dev/null
has "$(search $secret process $qemu)" '^found 0 in' "QEMU's memory has nothing of it"
before=$(refused)
changed=$(blocks tamper /tmp/sealed /tmp/older $first $blocks $tampered $RANDOM)
said=$(guest_does "blocks check /dev/vda $blocks 3")
has "$said" "checked: $((blocks - tampered)) good, $tampered refused, 0 wrong" \
	"$tampered blocks changed by the host, replayed or moved: all refused"
is "$(map_of "$said")" "$(map_of "$changed")" "... just those"
is "$before $(refused)" "0 $tampered" "... and the monitor has counted them"
guest_does "blocks write /dev/vda $blocks 4" >/dev/null
said=$(guest_does "blocks check /dev/vda $blocks 4")
has "$said" "checked: $blocks good, 0 refused, 0 wrong" "written again they are good again"
opened=$(guest_does 'insmod /bin/monguest.ko; cat /sys/class/misc/monguest/disk_opened')
guest_type 'poweroff -f'
guest_end
is $? 0 "the guest powers off"
none "$(grep '^1 ' <<<"$opened")" "it knows nothing of the disk that it could not open"
opened=$(sed -n 's/^0 //p' <<<"$opened")
has "$(monctl disk info --key /tmp/key /tmp/sealed)" "^opened: *$opened times" \
	"... but how often its own was opened: ${opened:-no number}"
has "$(monctl disk check --key /tmp/key /tmp/sealed)" '0 problems' "the image verifies offline"
monctl disk export --key /tmp/key /tmp/sealed /tmp/exported >/dev/null
has "$(blocks check /tmp/exported $blocks 4)" "$blocks good" "what the guest has written, monctl reads"

# ---- rolled back as a whole ----
# again IMAGE GENERATION: what it reads, in $said, if it is started with that again
again()
{
	start confidential "$1"
	said=$(guest_does "blocks check /dev/vda $blocks $2")
}

ends()
{
	guest_type 'poweroff -f'
	guest_end
}

# old: how many disks the monitor says that it has refused as too old
old()
{
	monctl status | awk '/less often than its owner knows/ { n = $1 } END { print n + 0 }'
}

guest_carried=(--disk disk0=/tmp/key)
again /tmp/old 1
has "$said" "checked: $blocks good" "(an image from before is read, if nobody knows better)"
ends
guest_carried+=(--disk-opened "disk0=$opened")
again /tmp/old-again 1
has "$said" '^/dev/vda: No such file' "with the number that the guest has told it is refused"
is "$(old)" 1 "... and counted"
ends
again /tmp/sealed 4
has "$said" "checked: $blocks good" "the newest one is not"
is "$(guest_does 'insmod /bin/monguest.ko; cat /sys/class/misc/monguest/disk_opened' |
	sed -n 's/^0 //p')" $((opened + 1)) "... which is told the next number"
ends

# ---- ordinary ----
guest_carried=()
start ordinary /tmp/plain
cp /tmp/plain /tmp/older
guest_does "blocks same /dev/vda $blocks 2" >/dev/null
has "$(blocks search /tmp/plain $blocks)" "^secret in $blocks blocks, $((blocks - 1)) repeated" \
	"(an ordinary disk's image has all of it, all over)"
guest_does "blocks write /dev/vda $blocks 3" >/dev/null
has "$(search $secret process $qemu)" '^found [1-9]' "(so has an ordinary VM's QEMU)"
changed=$(blocks tamper /tmp/plain /tmp/older 0 $blocks $tampered $RANDOM)
said=$(guest_does "blocks check /dev/vda $blocks 3")
has "$said" "checked: $((blocks - tampered)) good, 0 refused, $tampered wrong" \
	"(an ordinary guest is given all that its host has changed)"
guest_type 'poweroff -f'
guest_end
monitor_unloads
finish
